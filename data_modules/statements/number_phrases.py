"""The phrases of facts with numbers, of directions and of two channels; see `phrases`."""

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
            *("<s> <be> <over> <x> at (some point|times|least once)", "the (<peak>|<highest>) <n> <be1> <over> <x>"),
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
            *("<s> <be> always <above> <x>", "even the <lowest> <n> <be1> <over> <x>", "<s> <remain> <above> <x>"),
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
            *("the (mean|average) <n> <be1> <over> <x>", "the (mean|average) of <s> <be1> <over> <x>"),
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
            *("<s> <hover> around <x>", "the (mean|average) <n> <be1> (about|around|close to) <x>"),
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
                "the <highest> <n> <be1> (about|around) <x>",
                "<s> <reach> a <peak> of (about|around) <x>",
            ),
        ),
        "short": ("<minmax> <n> (about|around|of about) <x>", "<n> <peaking> at about <x>", "<minmax> about <x>"),
    },
    "within": {
        "noun": ("<n> between <x> and <x2>", "<n> (from|of) <x> to <x2>", "<n> (staying|always) between <x> and <x2>"),
        "clause": (
            *(
                "<s> <stay> between <x> and <x2>",
                "<s> <be> between <x> and <x2> <throughout>",
                "<s> <remain> between <x> and <x2>",
            ),
            *("all values of <s> (lie|lay) between <x> and <x2>", "<s> never <leave> the range from <x> to <x2>"),
        ),
        "short": ("<n> between <x> and <x2>", "<n> from <x> to <x2>", "between <x> and <x2>"),
        "whole": ("when <be> <s> between <x> and <x2>?",),
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
}
PAIR_FORMS: dict[str, Modes] = {
    "direction": {
        "noun": (
            *("<erly> <w>", "<erly> <w>", "<w> from the <dir>", "a <erly> flow of <w1>", "<w> coming from the <dir>"),
        ),
        "clause": (
            *(
                "the <w1> <blow1> from the <dir>",
                "the <w1> <be1> <erly>",
                "the <w1> <come1> from the <dir>",
                "it <blow1> from the <dir>",
            ),
            *("the <w1> <have1> a <erly> direction", "<erly> <w> (prevailed|dominated)"),
        ),
        "short": ("<erly> <w>", "<dir> <w1>", "<w> from <dir>", "<w1> direction <dir>", "<w1>: <dir>", "<w1> <dir>"),
        "whole": (
            "when did the <w1> (come|blow) from the <dir>?",
            "<periods> with the <w1> in the <dir>",
            "<w1> (out of|from) the <dir>",
        ),
    },
    "not direction": {
        "noun": ("no <erly> <w>", "no <w> from the <dir>", "<w> from anywhere but the <dir>"),
        "clause": ("the <w1> did not (blow|come) from the <dir>", "the <w1> <not_be1> <erly>"),
        "short": ("no <erly> <w>", "<w1> not from the <dir>", "not <erly>"),
        "whole": ("<periods> without <erly> <w>", "when did the <w1> not come from the <dir>?"),
    },
    "turning": {
        "noun": (
            *(
                "<w1> (turning|shifting|swinging|changing|moving round) from <dir> to <dir2>",
                "a <w1> shift from <dir> to <dir2>",
            ),
            *("<erly> <w> turning <erly2>", "<erly> <w> first, then <erly2>"),
        ),
        "clause": (
            *(
                "the <w1> (turned|shifted|swung|changed|went round) from <dir> to <dir2>",
                "<erly> <w> gave way to <erly2> <w>",
            ),
            *(
                "the <w1> <be1> <erly> first and then <erly2>",
                "the <w1> <come1> from the <dir> first, later from the <dir2>",
            ),
        ),
        "short": ("<w1> shift <dir> to <dir2>", "<w1> from <dir>, later <dir2>", "<erly>, then <erly2> <w>"),
        "whole": ("when did the <w1> (turn|shift|swing) from <dir> to <dir2>?",),
    },
    "two changes": {
        "noun": (
            *("<rising> <n> <andbut> <rising2> <n2>", "a <a_rise> in <s> <andbut> a <a_rise2> in <s2>"),
            *("<n> <rising> while <n2> <is2> <rising2>", "<rising> <n> (with|together with|alongside) <rising2> <n2>"),
        ),
        "clause": (
            *("<s> <rose> (while|as|when|whereas) <s2> <rose2>", "<s> <rose> <andbut> <s2> <rose2>", "<both_rose>"),
            *(
                "<s> <rose> and at the same time <s2> <rose2>",
                "as <s2> <rose2>, <s> <rose>",
                "while <s2> <rose2>, <s> <rose>",
            ),
        ),
        "short": (
            "<rising> <n>, <rising2> <n2>",
            "<n> <updown>, <n2> <updown2>",
            "<n> <updown> <andbut> <n2> <updown2>",
        ),
        "whole": ("when did <s> <rise> (while|as) <s2> <rose2>?", "when did <s> <rise> <andbut> <s2> <rise2>?"),
    },
    "idiom": {
        "noun": ("<mark_noun>",),
        "clause": (*("<mark_clause>",) * 4, "it <be1> <mark_A>"),
        "adjective": ("<mark_A>",),
        "short": ("<mark_noun>", "<mark_A>"),
        "whole": (
            "<mark_ask>?",
            "when <mark_ask>?",
            "any <mark_noun>?",
            "anything <mark_A>?",
            "how about <mark_noun>?",
        ),
    },
    "two levels": {
        "noun": (
            *(
                "<grad> <n> <andbut> <grad2> <n2>",
                "<grad> <n> <andbut> <grad2> <n2>",
                "<grad> <n> (with|together with|at) <grad2> <n2>",
                "<many> <n> <andbut> <many2> <n2>",
            ),
            *(
                "both <grad> <n> and <grad2> <n2>",
                "<noun> <andbut> <noun2>",
                "<Aa> <conditions> with <grad2> <n2>",
                "<Aa> <conditions> with <noun2>",
            ),
        ),
        "clause": (
            *(
                "<s> <be> <grad> <andbut> <s2> <be2> <grad2>",
                "<s> <be> <grad> while <s2> <be2> <grad2>",
                "both <n> and <n2> <were> <grad_both>",
            ),
            *(
                "it <be1> <A> with <grad2> <n2>",
                "it <be1> <A> <andbut> <A2>",
                "it <be1> <A> <andbut> <s2> <be2> <grad2>",
            ),
            "<s> <be> <grad> at the same time as <s2> <be2> <grad2>",
        ),
        "adjective": ("<A> <andbut> <A2>", "<A> <andbut> <A2>", "both <A> and <A2>", "<A> as well as <A2>"),
        "short": (
            "<A> <andbut> <A2>",
            "<A>, <A2>",
            "<A>, <noun2>",
            "<noun>, <noun2>",
            "<grad> <n>, <grad2> <n2>",
            "<A> with <noun2>",
        ),
        "whole": ("when <be> <s> <grad> <andbut> <s2> <grad2>?", "when was it <A> <andbut> <A2>?"),
    },
    "correlation+": {
        "noun": (
            *(
                "<n> and <n2> (moving in step|going hand in hand)",
                "<n> (following|tracking|mirroring the course of) <s2>",
                "a (close|clear|strong|positive) correlation between <s> and <s2>",
            ),
            "<n> and <n2> (in step|in parallel|hand in hand)",
        ),
        "clause": (
            *(
                "<s> and <s2> (moved|went|rose and fell|varied) (together|in step|in parallel|hand in hand)",
                "<s> <follow> <s2>",
            ),
            *(
                "<s> and <s2> (were|are) [closely] correlated",
                "when <s2> rose, so did <s>",
                "<s> and <s2> had the same (course|shape)",
            ),
        ),
        "short": ("<n> tracking <n2>", "<n> and <n2> in step", "<n> and <n2> together"),
        "whole": ("when did <s> and <s2> move together?", "when did <s> follow <s2>?"),
    },
    "correlation-": {
        "noun": (
            *(
                "<n> and <n2> moving (in opposite directions|against each other)",
                "a (negative|clear negative|strong negative) correlation between <s> and <s2>",
            ),
            "<n> as the mirror image of <s2>",
        ),
        "clause": (
            *(
                "<s> and <s2> (moved|went) (in opposite directions|against each other|opposite ways)",
                "when <s2> fell, <s> rose, and the other way round",
            ),
            *(
                "<s> and <s2> (were|are) negatively correlated",
                "<s> <be> the mirror image of <s2>",
                "whenever <s2> rose, <s> fell",
            ),
        ),
        "short": ("<n> and <n2> in opposite directions", "<n> opposite to <n2>", "<n> moving against <n2>"),
        "whole": ("when did <s> and <s2> move in opposite directions?",),
    },
    "more": {
        "noun": ("<n> (above|higher than|exceeding|greater than) <s2>", "<n> (above|higher than) <s2> on average"),
        "clause": (
            "<s> <be> higher than <s2> [on average|on the whole]",
            "<s> <exceed> <s2> on average",
            "<s2> <be2> lower than <s>",
            "<s> <be> above <s2>",
        ),
        "short": ("<n> above <n2>", "<n> > <n2>", "<n> higher than <n2>"),
        "whole": ("when <be> <s> higher than <s2>?",),
    },
}
