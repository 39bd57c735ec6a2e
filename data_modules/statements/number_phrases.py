"""The phrases of facts with numbers; see `phrases`."""

from __future__ import annotations

from data_modules.statements.phrases import Modes

_MEAN = "(on average|on average|on the whole)"
_MOSTLY = "(most of the time|for the most part|more often than not|during most of the <period>|most of the <period>)"

NUMBER_FORMS: dict[str, Modes] = {
    "reaches": {
        "noun": (
            *("<n> <over> <x>",) * 4,
            *("a <peak> of <s> <over> <x>", "<n> <going> <above> <x>", "<n> reaching <more> than <x>"),
            *("at least one (value|reading) of <s> <over> <x>", "<n> <over> <x> at (times|some point|least once)"),
        ),
        "clause": (
            *("<s> <went_past> <x>", "<s> <went_past> <x>", "<s> <went_past> <x> at (some point|times)"),
            *("<s> <be> <over> <x> at (some point|times|least once)", "the (<peak>|<highest>) <n> <be> <over> <x>"),
            *("at some point <s> <went_past> <x>", "<s> <reach> <more> than <x>", "<s> <get> <higher> than <x>"),
        ),
        "short": ("<over> <x>", "<n> <over> <x>", "<n> <sign> <x>", "<minmax> <n> <over> <x>", "<n> <went_past> <x>"),
        "whole": (
            *(
                "when did <s> <go_past> <x>?",
                "when did <s> get <above> <x>?",
                "did <s> <go_past> <x>?",
                "<n> <over> <x>?",
            ),
            *("<periods> <over> <x>", "(find|show me|list) <periods> <over> <x>", "when <be> <s> <over> <x>?"),
        ),
    },
    "stays": {
        "noun": (
            *(
                "<n> <over> <x> <throughout>",
                "<n> (always|constantly|permanently) <over> <x>",
                "<n> staying <above> <x>",
            ),
            *("<n> <over> <x> in every (step|reading|value)", "a <trough> of <s> <over> <x>"),
        ),
        "clause": (
            *("<s> <stay> <over> <x>", "<s> <stay> <above> <x> <throughout>", "<s> <be> <over> <x> <throughout>"),
            *("<s> <be> always <above> <x>", "even the <lowest> <n> <be> <over> <x>", "<s> <remain> <above> <x>"),
            "<s> <keep> <above> <x> [<throughout>]",
        ),
        "short": (
            "<n> always <over> <x>",
            "<n> <over> <x> <throughout>",
            "always <over> <x>",
            "<minmax_> <n> <over> <x>",
        ),
        "whole": ("when did <s> stay <above> <x>?", "when <be> <s> always <over> <x>?"),
    },
    "never": {
        "noun": (
            *("no <n> <over> <x>", "<n> never <over> <x>", "no (value|reading) of <s> <over> <x>"),
            *("<n> at no time <over> <x>", "not a single (value|reading) of <s> <over> <x>"),
        ),
        "clause": (
            *(
                "<s> never <went_past> <x>",
                "<s> never <went_past> <x>",
                "<s> did not <go_past> <x>",
                "<s> didn't <go_past> <x>",
            ),
            *("<s> <be> never <over> <x>", "at no time <be> <s> <over> <x>", "<s> <not_be> <over> <x> at any time"),
        ),
        "short": ("never <over> <x>", "<n> never <over> <x>", "no <n> <over> <x>", "<n> not <over> <x>"),
        "whole": (
            *("<periods> without <n> <over> <x>", "when did <s> never <go_past> <x>?", "without [any] <n> <over> <x>"),
            "(exclude|leave out|nothing with) <n> <over> <x>",
        ),
    },
    "averages": {
        "noun": (
            *("(average|mean) <n> <over> <x>", f"<n> <over> <x> {_MEAN}", "an average of <s> <over> <x>"),
            "<n> averaging <more> than <x>",
        ),
        "clause": (
            *("<s> <average> <more> than <x>", f"<s> <be> <over> <x> {_MEAN}", f"{_MEAN}, <s> <be> <over> <x>"),
            *("the (mean|average) <n> <be> <over> <x>", "the (mean|average) of <s> <be1> <over> <x>"),
        ),
        "short": ("mean <n> <over> <x>", "average <n> <over> <x>", "<n> <over> <x> on average", "mean <n> <sign> <x>"),
        "whole": ("when <be> <s> <over> <x> on average?", "where was the (average|mean) <n> <above> <x>?"),
    },
    "mostly": {
        "noun": ("<n> mostly <over> <x>", f"<n> <over> <x> {_MOSTLY}", "<n> that <be> mostly <over> <x>"),
        "clause": (f"<s> <be> <over> <x> {_MOSTLY}", "<s> <be> mostly <over> <x>", f"{_MOSTLY} <s> <be> <over> <x>"),
        "short": ("<n> mostly <over> <x>", f"<over> <x> {_MOSTLY}", f"<n> <over> <x> {_MOSTLY}"),
    },
    "about": {
        "noun": (
            *(
                "<n> (around|near|close to|of about|of roughly|of around) <x>",
                "(average|mean) <n> of (about|around|roughly) <x>",
            ),
            "<n> hovering around <x>",
        ),
        "clause": (
            *("<s> <average> (about|around|roughly|some|close to) <x>", "<s> <be> (around|about|near) <x> on average"),
            *("<s> <hover> around <x>", "the (mean|average) <n> <be> (about|around|close to) <x>"),
        ),
        "short": ("<n> (around|about|near|approx.) <x>", "(around|about|roughly) <x>", "<n> ~ <x>"),
        "whole": ("when <be> <s> (around|about|close to) <x>?",),
    },
    "peaks at": {
        "noun": (
            *("a <peak> of <s> (of|at) (about|around|roughly) <x>", "<minmax_long> <n> (of about|around|near) <x>"),
            "<n> <peaking> at (about|around) <x>",
        ),
        "clause": (
            *("<s> <peaked> at (about|around|roughly) <x>", "the <peak> of <s> <be1> (about|around|close to) <x>"),
            *(
                "<s> <go> as <high> as [about] <x>",
                "the <highest> <n> <be> (about|around) <x>",
                "<s> <reach> a <peak> of (about|around) <x>",
            ),
        ),
        "short": ("<minmax> <n> (about|around|of about) <x>", "<n> <peaking> at about <x>", "<minmax> about <x>"),
    },
    "averages between": {
        "noun": (
            *("(average|mean) <n> between <x_and_x>", f"<n> between <x_and_x> {_MEAN}", "<n> averaging <x_dash_x>"),
            *("<n> (of|around) <x_dash_x>", "<n> (in the range|somewhere in the range) [of] <x_dash_x>"),
        ),
        "clause": (
            *("<s> <average> between <x_and_x>", f"<s> <be> between <x_and_x> {_MEAN}", "<s> <average> <x_dash_x>"),
            *("the (mean|average) <n> <be> between <x_and_x>", f"{_MEAN}, <s> <lie> between <x_and_x>"),
        ),
        "short": (
            *("mean <n> between <x_and_x>", "average <n> <x_dash_x>", "averaging <x_dash_x>", "averaging <x_and_x>"),
            *("<n> <x_dash_x>", "<n> of <x_dash_x>", "<n> between <x_and_x>", "<x_dash_x>", "<x_dash_x> on average"),
        ),
        "whole": (
            *(f"when <be> <s> between <x_and_x> {_MEAN}?", "(find|show me|list) <periods> with <n> of <x_dash_x>"),
            "(find|show me) <periods> averaging between <x_and_x>",
        ),
    },
    "within": {
        "noun": (
            *("<n> between <x_and_x>", "<n> (from|of) <x_to_x>", "<n> (staying|always) between <x_and_x>"),
            *("<n> <throughout> between <x_and_x>", "<n> (within|inside|never outside) <x_dash_x>"),
        ),
        "clause": (
            *(
                "<s> <stay> between <x_and_x>",
                "<s> <be> between <x_and_x> <throughout>",
                "<s> <stay> within <x_dash_x>",
            ),
            *("<s> <remain> between <x_and_x>", "all values of <s> (lie|lay) between <x_and_x>"),
            "<s> never <leave> the range from <x_to_x>",
        ),
        "short": (
            *("<n> between <x_and_x>", "<n> from <x_to_x>", "between <x_and_x>", "<n> in the range <x_dash_x>"),
            *("always between <x_and_x>", "nothing outside <x_dash_x>"),
        ),
        "whole": ("when <be> <s> between <x_and_x>?", "when did <s> stay between <x_and_x>?"),
    },
    "spans": {
        "noun": (
            *(
                "<n> (ranging|varying|swinging) (from <x_to_x>|between <x_and_x>)",
                "a <trough> of <x> and a <peak> of <x2>",
            ),
            "<n> between a <trough> of <x> and a <peak> of <x2>",
        ),
        "clause": (
            *("<s> <vary> (from <x_to_x>|between <x_and_x>)", "<s> <swing> between <x_and_x>"),
            "the <lowest> <n> <be> about <x> and the <highest> about <x2>",
        ),
        "short": (
            *("<n> ranging from <x_to_x>", "<n> <minmax_> <x>, <minmax> <x2>", "<minmax_> <x> <minmax> <x2>"),
            "<peak> of <x2>, <trough> of <x>",
        ),
        "whole": ("when did <s> (range|vary) (from <x_to_x>|between <x_and_x>)?",),
    },
    "from to": {
        "noun": (
            *("<n> <rising> from (about|around|roughly) <x_to_x>", "<n> <rising> from <x_to_x>"),
            *("a <a_rise> (in|of) <s> from <x_to_x>", "<n> (starting|beginning) at <x> and ending at <x2>"),
        ),
        "clause": (
            *("<s> <rose> from (about|around|roughly) <x_to_x>", "<s> <rose> from <x_to_x>", "<s> <go> from <x_to_x>"),
            "<s> <begin> at (about|around) <x> and <end> at (about|around) <x2>",
        ),
        "short": (
            "<n> <updown> from <x_to_x>",
            "from <x> at the start to <x2> at the end",
            "<n> <rising> from <x_to_x>",
        ),
        "whole": ("when did <s> <rise> from (about|around) <x_to_x>?", "did <s> <rise> from <x_to_x>?"),
    },
    "moves": {
        "noun": (*("a <a_rise> (in|of) <s> (of|by) (more than|over) <x>", "<n> <rising> by (more than|over) <x>"),),
        "clause": (
            *("<s> <rose> by (more than|over|upwards of) <x>", "<s> <rose> (more than|over) <x>"),
            *(
                "there <be1> a <a_rise> in <s> of (more than|over) <x>",
                "<s> <end> more than <x> <higher> than <it_> <begin>",
            ),
        ),
        "short": (
            "<n> <updown> (more than|over) <x>",
            "<n> <updown> by more than <x>",
            "<a_rise> of more than <x> in <s>",
        ),
        "whole": ("when did <s> <rise> by (more than|over) <x>?", "did <s> <rise> (more than|over) <x>?"),
    },
    "swings": {
        "noun": (
            *("a (range|span|spread) of <more> than <x> in <s>", "<n> varying by <more> than <x>"),
            "<more> than <x> between the highest and lowest <n>",
        ),
        "clause": (
            *("<s> <vary> by <more> than <x>", "there <be1> <more> than <x> between the highest and the lowest <n>"),
            *(
                "<s> <cover> a range of <more> than <x>",
                "the highest and the lowest <n> (differ|differed) by <more> than <x>",
            ),
        ),
        "short": ("<n> range <over> <x>", "<n> varying by <more> than <x>", "swings in <s> of <more> than <x>"),
    },
    "reaches at least": {
        "noun": (
            "a <peak> of <s> of <least_x> <x>",
            "<n> of <least_x> <x> at some point",
            "<n> reaching <least_x> <x>",
        ),
        "clause": (
            *("<s> <reach> <least_x> <x>", "<s> <get> to <least_x> <x>", "the <peak> of <s> <be1> <least_x> <x>"),
            "<s> <be> <least_x> <x> at (some point|times|least once)",
        ),
        "short": ("<minmax> <n> <least_x> <x>", "<n> reaching <least_x> <x>", "<least_x> <x> at some point"),
        "whole": ("when did <s> reach <least_x> <x>?", "did <s> get to <least_x> <x>?"),
    },
    "stays at least": {
        "noun": ("<n> of <least_x> <x> <throughout>", "<n> always <least_x> <x>", "a <trough> of <s> of <least_x> <x>"),
        "clause": (
            *("<s> <be> <least_x> <x> <throughout>", "<s> <be> always <least_x> <x>", "<s> <remain> <least_x> <x>"),
            "even the <lowest> <n> <be> <least_x> <x>",
        ),
        "short": ("<n> always <least_x> <x>", "<least_x> <x> <throughout>", "<minmax_> <n> <least_x> <x>"),
        "whole": ("when <be> <s> <least_x> <x> <throughout>?",),
    },
    "averages at least": {
        "noun": ("<n> averaging <least_x> <x>", "(average|mean) <n> of <least_x> <x>", f"<n> of <least_x> <x> {_MEAN}"),
        "clause": (
            "<s> <average> <least_x> <x>",
            "the (average|mean) <n> <be> <least_x> <x>",
            f"<s> <be> <least_x> <x> {_MEAN}",
        ),
        "short": ("mean <n> <least_x> <x>", "average <n> of <least_x> <x>"),
        "whole": ("when did <s> average <least_x> <x>?",),
    },
    "lasting": {
        "noun": ("<n> <over> <x> <in_part>", "<n> that <be> <over> <x> <in_part>"),
        "clause": (
            *("<s> <be> <over> <x> <in_part>", "<in_part> <s> <be> <over> <x>", "<in_part>, <s> <be> <over> <x>"),
            "<s> <lie> <over> <x> <in_part>",
        ),
        "short": ("<over> <x> <in_part>", "<n> <over> <x> <in_part>", "<in_part> <over> <x>"),
        "whole": ("when <be> <s> <over> <x> <in_part>?", "which <periods> were <over> <x> <in_part>?"),
    },
    "decade": {
        "noun": ("<n> in <x>", f"<n> in <x> {_MEAN}", "<n> averaging in <x>", "(average|mean) <n> in <x>"),
        "clause": (
            f"<s> <be> in <x> {_MEAN}",
            "<s> <average> in <x>",
            "the (average|mean) <n> <be> in <x>",
            f"{_MEAN}, <s> <be> in <x>",
        ),
        "short": ("<n> in <x>", "mean <n> in <x>", "in <x>", "in <x> on average"),
        "whole": ("when <be> <s> in <x> on average?", "when did <s> average in <x>?"),
    },
    "decade peak": {
        "noun": ("a <peak> of <s> in <x>", "<n> <peaking> in <x>", "(the|a) <highest> <n> in <x>"),
        "clause": (
            "<s> <peaked> in <x>",
            "the <highest> <n> <be> in <x>",
            "the <peak> of <s> <be1> in <x>",
            "<s> <reach> a <peak> in <x>",
        ),
        "short": ("<minmax> <n> in <x>", "<n> <peaking> in <x>", "<peak> in <x>"),
        "whole": ("when <be> the <highest> <n> in <x>?",),
    },
    "starts at": {
        "noun": (
            "<n> (starting|beginning|starting out|setting out) at (about|around|roughly) <x>",
            "<n> of (about|around) <x> at the start",
        ),
        "clause": (
            *("<s> <start> [out] at (about|around|roughly|close to) <x>", "<s> <begin> at (about|around|roughly) <x>"),
            *(
                "<s> <be> (about|around) <x> at the (start|beginning|outset)",
                "at the (start|outset) <s> <be> (about|around|near) <x>",
            ),
        ),
        "short": ("<n> starting at about <x>", "start: <n> around <x>", "about <x> at the start"),
        "whole": ("when did <s> start at (about|around) <x>?",),
    },
    "ends at": {
        "noun": (
            "<n> (ending|finishing|ending up|closing) at (about|around|roughly) <x>",
            "<n> of (about|around) <x> at the end",
        ),
        "clause": (
            *(
                "<s> <end> [up] at (about|around|roughly|close to) <x>",
                "<s> (finished|closed) at (about|around|roughly) <x>",
            ),
            *("<s> <be> (about|around) <x> at the (end|close|finish)", "at the end <s> <be> (about|around|near) <x>"),
        ),
        "short": ("<n> ending at about <x>", "end: <n> around <x>", "about <x> at the end"),
        "whole": ("when did <s> end at (about|around) <x>?", "when did <s> end up near <x>?"),
    },
}
