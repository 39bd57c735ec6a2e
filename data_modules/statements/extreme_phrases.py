"""The phrases of extremes, of timing and of negations; see `phrases`."""

from __future__ import annotations

from data_modules.statements.phrases import Modes

EXTREME_FORMS: dict[str, Modes] = {
    "record level": {
        "noun": (
            *(
                "(some|one) of the <highest> <n> (on record|of all|in the record|ever seen)",
                "(exceptionally|record-breakingly|unusually) <high> <n>",
            ),
            "<n> (among|near) the <highest> [on record|of all]",
        ),
        "clause": (
            *("<s> <be> among the <highest> (on record|of all|in the whole record)", "<s> <be> hardly ever so <high>"),
            *(
                "<s> <be> exceptionally <high>",
                "seldom <be> <s> so <high>",
                "<s> <be> (almost|nearly) at <its> <record_high>",
            ),
        ),
        "short": ("among the <most>", "one of the <most> <periods>", "exceptionally <high> <n>", "<highest> <n>"),
        "whole": (
            *(
                "(find|show me|give me|what were|list) the <periods> with the <highest> <n>",
                "the <periods> with the <highest> (average|mean) <n>",
            ),
            *(
                "(find|show me|give me|what were|list) the <most> <periods>",
                "the <most> <periods> [on record|of all]",
                "one of the <most> <periods> [on record|of all]",
            ),
            *("which <periods> had the <highest> <n>?", "which were the <most> <periods>?", "when was it <most>?"),
        ),
    },
    "record peak": {
        "noun": (
            *("one of the <highest> (values|readings) of <s> [on record|of all|ever]", "an extreme <peak> of <s>"),
            *("a <towering> <peak> of <s>", "<n> <peaking> very <high>", "a very <high> <peak> of <s>"),
            *("the <highest> <peak>s of <s>", "<towering> <peak>s of <s>"),
            *(
                "(a record|a near-record|an exceptional) <peak> of <s>",
                "<n> reaching one of <its> <highest> values [ever|of all|on record]",
            ),
        ),
        "clause": (
            *(
                "<s> <reach> one of <its> <highest> values [ever|of all|on record]",
                "<s> <reach> [almost] a record <high_n>",
            ),
            "the <peak> of <s> <be1> among the <highest> (on record|of all)",
        ),
        "short": (
            *("extreme <peak> of <s>", "<n> near <its> record <high_n>", "<towering> <peak> of <s>"),
            *("<n> <peaking> very <high>", "<highest> <peak>s of <s>", "very <high> <minmax> <n>"),
        ),
        "whole": (
            "(find|show|list) the <highest> (values|readings|<peak>s) of <s>",
            "where did <s> have <its> <highest> <peak>s?",
        ),
    },
    "sometime": {
        "noun": (
            *("<grad> <n> (at some point|at times|for a while|at least once)", "<noun> at some point"),
            *("<n> that <get> <grad> at (some point|times)", "a (spell|moment) of <grad> <n>"),
        ),
        "clause": (
            *("<s> <be> <grad> (at some point|at times|at one point|for a while|for a time)",),
            *("<s> <get> <grad> (at some point|at least once|for a while)", "at some point <s> <be> <grad>"),
            *("it <be1> <A> (at some point|at times|for a while|for a time|at one point)",) * 2,
            *("it <get1> <A> (at some point|at least once|for a while)", "at some point it <be1> <A>"),
            "(some part|at least a part) of the <period> <be1> <A>",
        ),
        "adjective": ("<A> at some point", "<A> at times", "<A> for a while", "<A> at least for a moment"),
        "short": (
            *("<A> at some point", "<A> at times", "<grad> <n> at some point", "<noun> at some point"),
            *("<A> for at least one (reading|moment)", "<n> <grad> at times"),
        ),
        "whole": (
            "was it <A> at (some point|any point)?",
            "<periods> with at least a moment of <grad> <n>",
            "at least one <A> (moment|spell|stretch)",
        ),
    },
    "record swing": {
        "noun": (
            "one of the <largest> (ranges|swings) (of|in) <s> [on record|of all]",
            "(exceptionally|extremely) <wide> swings in <s>",
        ),
        "clause": ("<s> hardly ever <vary> so <much>", "the range of <s> <be1> among the <largest> (on record|of all)"),
        "short": ("<largest> swings of <s>", "exceptionally <wide> range of <s>"),
        "whole": ("(find|show me|list) the <periods> in which <s> <vary> <most_>",),
    },
    "record change": {
        "noun": (
            "one of the (strongest|largest|sharpest|biggest) <a_rise>s (in|of) <s> [on record|of all|ever]",
            "a record <a_rise> (in|of) <s>",
        ),
        "clause": (
            "<s> hardly ever <rose> so (much|sharply|fast)",
            "the <a_rise> in <s> <be1> one of the (largest|strongest|sharpest) (on record|of all)",
        ),
        "short": (
            *("strongest <a_rise> of <s>", "one of the biggest <a_rise>s in <s>", "<n>: <leap> from start to finish"),
            "a <leap> in <s> between start and end",
        ),
        "whole": (
            "when did <s> <rise> (most|the most|fastest)?",
            "(find|show|list) the (strongest|largest|biggest) <a_rise>s (in|of) <s>",
        ),
    },
    "record": {
        "noun": (
            "the <highest> <n> (of all|ever measured|on record|in the whole record)",
            "the (all-time|absolute) <peak> of <s>",
            "the record <high_n> of <s>",
        ),
        "clause": (
            "<s> <reach> <its> (all-time|absolute|record) <peak>",
            "<s> <be> never <higher> than here",
            "<s> <reach> the <highest> value (of all|ever measured|on record)",
        ),
        "short": ("<highest> <n> ever", "record <high_n> of <s>", "all-time <peak> of <s>"),
        "whole": ("when was <s> <highest> of all?", "what was the <highest> <n> ever?"),
    },
    "peak": {
        "noun": (
            *(
                "a <peak> (of|in) <s> <in_part>",
                "<n> (<peaking>|being <highest>) <in_part>",
                "the <peak> of <s> <in_part>",
            ),
            "<n> with <its> <peak> <in_part>",
        ),
        "clause": (
            *(
                "<s> <peaked> <in_part>",
                "the (<peak>|<highest> value) of <s> <come1> <in_part>",
                "<s> <be> <highest> <in_part>",
            ),
            *("<s> <reach> <its> <peak> <in_part>", "<in_part> <s> <reach> <its> <peak>"),
            *("it <be1> <most> <in_part>", "it <be1> <most> <in_part>", "<in_part> it <be1> <most>"),
        ),
        "adjective": ("<most> <in_part>",),
        "short": (
            *("<n> <highest> <in_part>", "<peak> of <s> <in_part>", "<n> at <its> <highest> <in_part>"),
            *("<most> <in_part>", "<most> <in_part>", "<peak_alone> <in_part>", "<peaking_alone> <in_part>"),
            *("<peaked_alone> <in_part>", "<peaked_alone> <in_part>", "[a] <shape_alone> <in_part>"),
            *("<highest_alone> (value|point) <in_part>", "<in_part>, <peaked_alone>"),
        ),
        "whole": (
            "when was <s> <highest> <in_part>?",
            *("<most> <in_part>", "<most> <in_part>"),
            "when was it <most> <in_part>?",
            "on which <periods> was it <most> <in_part>?",
        ),
    },
    "local level": {
        "noun": (
            "<grad> <n> <in_part>",
            "<many> <n> <in_part>",
            "<n> that <be> <grad> <in_part>",
            "<noun> <in_part>",
            "<s> <well> <above> average <in_part>",
            "<Aa> <conditions> <in_part>",
        ),
        "clause": (
            "<s> <be> <grad> <in_part>",
            "<in_part>, <s> <be> <grad>",
            "<in_part> it <be1> <A>",
            "<s> <be> <well> <above> average <in_part>",
        ),
        "adjective": ("<A> <in_part>",),
        "short": ("<A> <in_part>", "<grad> <n> <in_part>", "<noun> <in_part>", "<n> <grad> <in_part>"),
        "whole": ("when was it <A> <in_part>?", "was <s> <grad> <in_part>?"),
    },
    "local change": {
        "noun": ("a <adjm> <a_rise> (in|of) <s> <in_part>", "<n> <rising> <advm> <in_part>"),
        "clause": (
            "<s> <rose> <advm> <in_part>",
            "<in_part> <s> <rose> <advm>",
            "<in_part> there <be1> a <adjm> <a_rise> in <s>",
            *("<go_clause> <in_part>",) * 3,
        ),
        "short": (
            *("<n> <rising> <in_part>", "<a_rise> of <s> <in_part>", "<adjm> <a_rise_alone> <in_part>"),
            *("<rising_alone> [<advm>] <in_part>", "<a_rise_alone> <in_part>"),
            *("<rose_alone> [<advm>] <in_part>", "<rose_alone> <in_part>", "<in_part>, <rose_alone> <advm>"),
            "<comp> <in_part>",
        ),
        "whole": ("when did <s> <rise> <in_part>?", "did <s> <rise> <advm> <in_part>?", "when <move_ask> <in_part>?"),
    },
    "local swing+": {
        "noun": (
            *(
                "(big|wide|large|strong) (swings|variations|ups and downs) (in|of) <s> <in_part>",
                "<n> all over the place <in_part>",
            ),
            "(unsteady|variable|changeable|restless) <n> <in_part>",
        ),
        "clause": (
            *(
                "<s> <vary> (a lot|widely|strongly|considerably) <in_part>",
                "<in_part>, <s> <change> (a lot|a great deal)",
            ),
            *(
                "<s> <be> (unsteady|variable|restless) <in_part>",
                "there <be1> (big|wide|large) swings in <s> <in_part>",
            ),
        ),
        "short": ("<n> unsteady <in_part>", "big swings of <s> <in_part>", "variable <n> <in_part>"),
        "whole": ("when did <s> vary a lot <in_part>?",),
    },
    "local swing-": {
        "noun": (
            *(
                "(flat|steady|even|stable|constant|level) <n> <in_part>",
                "(hardly any|no real|little) change in <s> <in_part>",
            ),
            *("a (flat|level) stretch of <s> <in_part>", "a plateau (in|of) <s> <in_part>"),
        ),
        "clause": (
            *("<s> <stay> (flat|steady|level|stable|about the same|put) <in_part>", "<in_part>, <s> hardly <change>"),
            *("<s> (hardly|barely|scarcely) <change> <in_part>", "<s> <hold> (steady|its level) <in_part>"),
            *(
                "<s> <be> (flat|steady|constant|even) <in_part>",
                "there <be1> hardly any (movement|change) in <s> <in_part>",
            ),
            "<in_part> nothing much <happen1> to <s>",
        ),
        "short": (
            *("<n> flat <in_part>", "steady <n> <in_part>", "<flat_alone> <in_part>", "<flat_alone> <in_part>"),
            *("<n> level <in_part>", "no change in <s> <in_part>"),
            *("(stays|remains) <flat_alone> <in_part>", "<levels_alone> <in_part>"),
        ),
        "whole": ("when was <s> steady <in_part>?", "when did <s> stay flat <in_part>?"),
    },
    "halves": {
        "noun": (
            "<advm2> <higher> <n> (later|in the second half|towards the end) than (earlier|in the first half|at the start)",
        ),
        "clause": (
            *(
                "<s> <be> <advm2> <higher> in the second half than in the first",
                "<s> <be> <advm2> <higher> later on than at first",
            ),
            *(
                "the second half <have1> <advm2> <higher> <n> than the first",
                "<s> <be> <higher> towards the end than at the beginning",
            ),
            "<s> <be> <lower> in the first half than in the second",
        ),
        "adjective": (
            "<advm2> <comp> (later|towards the end) than (earlier|at the start)",
            "<comp> in the second half than in the first",
        ),
        "short": (
            *("<higher> <n> in the second half than in the first", "<n> <higher> later than earlier"),
            *("<comp> later on", "<comp> towards the end", "<comp> in the second half"),
        ),
        "whole": (
            "when was it <comp> later than earlier?",
            "was it <comp> in the second half?",
            "<periods> that got <comp> later on",
        ),
    },
    "not level": {
        "noun": ("no <grad> <n>", "<n> that <be> not <grad>", "no <Aa> <conditions>", "anything but <grad> <n>"),
        "clause": (
            "<s> <not_be> <grad>",
            "<s> <not_be> (particularly|especially) <high>",
            *("it <not_be1> <A>", "it <be1> (far from|by no means|hardly|scarcely|in no way) <A>", "<state_deny>"),
            *("<s> <be> (far from|by no means|in no way|hardly) <grad>", "it <be1> not what you would call <A>"),
            "<s> <be> not what you would call <grad>",
            "<s> <be> anything but <grad>",
        ),
        "adjective": ("not <A>", "not <A>", "anything but <A>", "far from <A>", "by no means <A>", "not exactly <A>"),
        "short": ("not <A>", "no <grad> <n>", "<n> not <grad>", "anything but <A>", "far from <A>"),
        "whole": (
            *(
                "<periods> without <grad> <n>",
                "no <without>, please",
                "<periods> without <without>",
                "without [any] <without>",
            ),
            *(
                "nothing <A>",
                "skip the <A> ones",
                "<periods> (lacking|free of|with no) <without>",
                "leave out <without>",
            ),
            "when <be> <s> not <grad>?",
            "<periods> that were not <A>",
            "exclude <grad> <n>",
            "it <not_be1> <A>",
        ),
    },
    "not landmark": {
        "noun": ("no <mark_without>", "(an|the) absence of <mark_without>", "a <period> free of <mark_without>"),
        "clause": (
            *("there <be1> no <mark_without>", "<mark_deny>", "<mark_deny>", "there <be1> never any <mark_without>"),
            *("we (had|got|saw) no <mark_without>", "there wasn't any <mark_without>"),
        ),
        "short": (
            "no <mark_without>",
            "without [any] <mark_without>",
            "free of <mark_without>",
            "no <mark_without> at all",
        ),
        "whole": (
            *("<periods> without [any] <mark_without>", "<periods> free of <mark_without>", "never any <mark_without>"),
            *("when was there no <mark_without>?", "<mark_without>: none, please"),
            *("which <periods> (lacked|were spared|had no|got through without) <mark_without>?",),
        ),
    },
    "not change": {
        "noun": (
            "no <a_rise> (in|of) <s>",
            "no <rising> <n>",
            "no (sign|trace|hint) of a <a_rise> in <s>",
            "<n> that did not <rise>",
            "anything but <rising> <n>",
        ),
        "clause": (
            "<s> did not <rise>",
            "<s> didn't <rise>",
            "there <be1> no <a_rise> in <s>",
            "there <be1> no (sign|trace) of a <a_rise> in <s>",
            *("<s> (failed|refused) to <rise>", "<s> <be> anything but <rising>", "<move_deny>", "<move_deny>"),
            *("it (did not get|failed to get|never got|didn't turn) [any] <comp>",) * 2,
            "it <be1> no <comp> at the end than at the start",
        ),
        "short": ("no <a_rise> of <s>", "no <a_rise> in <s>", "<n> not <rising>", "not getting [any] <comp>"),
        "whole": (
            "<periods> without a <a_rise> (in|of) <s>",
            "without [any] <a_rise> of <s>",
            "when did <s> not <rise>?",
        ),
    },
    "never level": {
        "noun": (
            "<n> (never|at no time|not once) <grad>",
            "no <grad> <n> at any time",
            "no <without> at any (time|point)",
            *("no <A> (moments|spells|phases)", "not a <A> (moment|spell)", "not one <A> (moment|reading)"),
        ),
        "clause": (
            "<s> never <get> <grad>",
            "<s> <be> (never|not once) <grad>",
            "at no time <be> <s> <grad>",
            "it <be1> never <A>",
            *(
                "it never <get1> <A>",
                "at no point <be1> it <A>",
                "it <not_be1> <A> for a moment",
                "not once <be1> it <A>",
            ),
        ),
        "adjective": ("never <A>", "at no time <A>", "not <A> for a moment"),
        "short": ("never <A>", "<n> never <grad>", "at no time <A>"),
        "whole": (
            *("<periods> without a moment of <grad> <n>", "when <be> <s> never <grad>?"),
            *("<periods> without a <A> moment", "no <A> (hours|moments)"),
        ),
    },
    "neither": {
        "noun": (
            "neither a <a_rise> nor a <a_fall> (in|of) <s>",
            "no trend in <s>",
            "<n> neither <rising> nor <falling>",
            "no clear tendency of <s>",
        ),
        "clause": (
            "<s> neither <rose> nor <fell>",
            "<s> <end> (about|more or less) where <it_> <begin>",
            "<s> <show> no [clear|real] trend",
            "there <be1> neither a <a_rise> nor a <a_fall> in <s>",
        ),
        "short": ("no trend in <s>", "<n> neither up nor down", "<n> neither <rising> nor <falling>"),
    },
    "neither level": {
        "noun": ("neither high nor low <n>", "<n> that <be> neither high nor low"),
        "clause": (
            "<s> <be> neither (high nor low|especially high nor especially low)",
            *("<s> <not_be> high, but not low either", "it <be1> neither <A_high> nor <A_low>"),
            *("it <not_be1> <A_high>, but it <not_be1> <A_low> either", "it <be1> neither <A_low> nor <A_high>"),
        ),
        "adjective": (
            "neither <A_high> nor <A_low>",
            "not <A_high> but not <A_low> either",
            "neither <A_low> nor <A_high>",
        ),
        "short": (
            *("<n> neither high nor low", "neither high nor low <n>"),
            *("neither <A_high> nor <A_low>", "neither <A_low> nor <A_high>"),
        ),
    },
    "not swing": {
        "noun": (
            "no (large|big|wide|wild) (swings|variations|fluctuations) (in|of) <s>",
            "no (big|large) changes of <s>",
        ),
        "clause": (
            "<s> did not (vary|swing|fluctuate) [very] (much|widely)",
            "there <be1> no (large|big|wide) (swings|variations) in <s>",
            "<s> didn't vary (much|a lot)",
        ),
        "short": ("no big swings in <s>", "<n> without wide swings", "<n> not varying much"),
        "whole": ("<periods> without (large|big|wide) swings in <s>",),
    },
    "not local level": {
        "noun": (
            "no <grad> <n> <in_part>",
            "<n> not <grad> <in_part>",
            "no <Aa> <conditions> <in_part>",
            "no <without> <in_part>",
        ),
        "clause": (
            *("<s> <not_be> <grad> <in_part>", "<in_part> <s> <not_be> <grad>", "it <not_be1> <A> <in_part>"),
            *(
                "<in_part> it <not_be1> <A>",
                "there <be1> no <without> <in_part>",
                "<s> <be> (anything but|far from) <grad> <in_part>",
            ),
        ),
        "adjective": ("not <A> <in_part>", "anything but <A> <in_part>"),
        "short": ("not <A> <in_part>", "no <grad> <n> <in_part>", "<n> not <grad> <in_part>", "no <without> <in_part>"),
        "whole": (
            "when was it not <A> <in_part>?",
            "<periods> without <without> <in_part>",
            "when was there no <without> <in_part>?",
        ),
    },
    "compared": {
        "noun": (
            *("<advm2> <higher> <n> <in_part> than <in_part2>", "<advm2> <lower> <n> <in_part2> than <in_part>"),
            "<n> <higher> <in_part> than <in_part2>",
        ),
        "clause": (
            *(
                "<s> <be> <advm2> <higher> <in_part> than <in_part2>",
                "<s> <be> <advm2> <lower> <in_part2> than <in_part>",
            ),
            *("it <be1> <advm2> <comp> <in_part> than <in_part2>", "it <be1> <comp> <in_part> than <in_part2>"),
            "<in_part> <s> <be> <advm2> <higher> than <in_part2>",
        ),
        "adjective": ("<comp> <in_part> than <in_part2>", "<advm2> <comp> <in_part> than <in_part2>"),
        "short": ("<comp> <in_part> than <in_part2>", "<n> <higher> <in_part> than <in_part2>"),
        "whole": ("when was it <comp> <in_part> than <in_part2>?", "was <s> <higher> <in_part> than <in_part2>?"),
    },
}
