"""The phrases of each form of fact, by the way in which they can be used.

`noun`: a noun phrase (find …, days with …). `clause`: a whole clause (days when …). `adjective`: goes with "it was …"
and "a … day". `short`: stands alone. `whole`: stands alone and is joined with nothing.

A phrase is left out where a symbol of it has no words for the channel at hand. Symbols with a 2 are of the second
channel. `<s>` begins a clause or follows "of", `<n>` goes behind an adjective.
"""

from __future__ import annotations

Modes = dict[str, tuple[str, ...]]

_AVERAGE = "(average|normal|the usual|what is usual|the norm|the mean)"

LEVEL: Modes = {
    "noun": (
        *("<grad> <n>",) * 3,
        "<grad> (values|levels|readings) of <s>",
        f"<s> <well> <above> {_AVERAGE}",
        *("<nongrad> <n>", "<n> <onside>"),
        *("<noun>",) * 5,
        *("<many> <n>",) * 2,
        *("<Aa> <conditions>",) * 2,
    ),
    "clause": (
        *("<s> <be> <grad>",) * 3,
        "<s> <stay> <grad>",
        f"<s> <be> <well> <above> {_AVERAGE}",
        *("<s> <run> <grad>", "<s> <be> <nongrad>", "<s> <be> at a <grad> level", "<s> <be> <onside>"),
        "<s> <be> <grad> (overall|on average|on the whole|all in all|by and large)",
        "(overall|on the whole|by and large|all in all), <s> <be> <grad>",
        *("<state>",) * 6,
        "it <be1> <A> (on the whole|overall|by and large|all told)",
    ),
    "adjective": (*("<A>",) * 5, "<comp> than (usual|normal|average|is usual)"),
    "short": (
        "<grad> <n>",
        "<n> <grad>",
        "<noun>",
        "<noun>",
        "<A>",
        "<A>",
        "<many> <n>",
        "<n>: <grad>",
        "<n> <onside>",
    ),
    "whole": (
        *("when <be> <s> <grad>?", "when <be> <s> <well> <above> average?", "<state_ask>?", "when <state_ask>?"),
        *("how about <noun>?", "any <noun>?", "<be> <s> <grad>?", "anything <A>?", "what about something <A>?"),
    ),
}

FORMS: dict[str, Modes] = {
    "level": LEVEL,
    "throughout": {
        "noun": (
            *("<grad> <n> <throughout>", "(constantly|continuously|persistently|consistently|always) <grad> <n>"),
            *("<n> that <stay> <grad> <throughout>", "<noun> <throughout>", "<many> <n> <throughout>"),
        ),
        "clause": (
            *("<s> <stay> <grad> <throughout>", "<s> <be> <grad> <throughout>", "<s> <be> always <grad>"),
            *("<s> <be> (constantly|continuously|persistently|consistently) <grad>", "<s> never <stop> being <grad>"),
            "(all the time|throughout), <s> <be> <grad>",
            *("it <be1> <A> <throughout>", "it never <stop1> being <A>", "it <be1> <A> without a break"),
        ),
        "adjective": ("<A> <throughout>", "(constantly|continuously) <A>", "<A> at any time", "<A> without let-up"),
        "short": ("<A> <throughout>", "<grad> <n> <throughout>", "<n> <grad> <throughout>", "<noun> <throughout>"),
        "whole": ("<A> from start to finish", "when <be> <s> <grad> <throughout>?"),
    },
    "usual": {
        "noun": (
            *("(average|normal|usual|typical|ordinary) <n>", "<s> (near|close to|around|at) (average|normal)"),
            *("<s> at the usual level", "(middling|medium|moderate|unremarkable) <n>", "<n> about as usual"),
            *("(run-of-the-mill|middle-of-the-road|so-so|in-between) <n>", "<n> in the middle of <its> range"),
        ),
        "clause": (
            *("<s> <be> (about|roughly|close to) (average|normal|usual)", "<s> <be> (unremarkable|nothing special)"),
            *("<s> <be> (near|close to|around) <its> usual level", "<s> <be> much as usual"),
            *("<s> <be> (middling|moderate|in the middle of <its> range|so-so|neither here nor there)",),
            """<s> <be> (in between|nothing out of the ordinary|par for the course|fair to middling
                |nothing to write home about)""",
        ),
        "short": (
            "normal <n>",
            "average <n>",
            "<n> as usual",
            "typical <n>",
            "moderate <n>",
            "<n> middling",
            "so-so <n>",
        ),
    },
    "season": {
        "noun": (
            "<grad> <n> <for_season>",
            "<s> <well> <above> average <for_season>",
            "<Aa> <conditions> <for_season>",
        ),
        "clause": (
            *("<s> <be> <grad> <for_season>", "<for_season>, <s> <be> <grad>", "it <be1> <A> <for_season>"),
            "<s> <be> <higher> than (usual|normal) <for_season>",
        ),
        "adjective": ("<A> <for_season>", "<A> <for_season>"),
        "short": ("<A> <for_season>", "<grad> <n> <for_season>", "<n> <grad> <for_season>"),
    },
    "landmark": {
        "noun": ("<mark_noun>",),
        "clause": ("<mark_clause>",),
        "short": ("<mark_noun>",),
        "whole": (
            "<mark_ask>?",
            "when <mark_ask>?",
            "any <periods> when <mark_clause>?",
            "on which <periods> <mark_ask>?",
        ),
    },
    "change": {
        "noun": (
            *("[a] <rising> <n>", "a <adjm> <a_rise> in <s>", "a <adjm> <a_rise> (of|in) <s>"),
            *("<advpre> <rising> <n>", "<n> <rising> <advm>", "<n> on the <way_up>"),
            *("<movenoun>", "<movenoun>", "<movenoun>", "<move_being>", "<move_being>"),
        ),
        "clause": (
            *("<s> <rose> <advm>", "<s> <rose> <advm>", "<s> <rose> <advm> [over the <period>]"),
            *("<go_clause>",) * 6,
            *("it (got|turned|grew|became|kept getting) [<advm2>] <comp>", "it <be1> getting [<advm2>] <comp>"),
            "it (ended|finished) [<advm2>] <comp> than it (began|started)",
            *("the <period> (began|started|opened) <A_other> and (ended|finished|closed) <A>",) * 2,
            "it (went|turned) from <A_other> to <A>",
            *("there <be1> a <adjm> <a_rise> in <s>", "<s> <show> a <adjm> <trend_up>"),
            *("<s> <end> <advm2> <higher> than <it_> <begin>", "<s> <be> <rising> <advm>"),
            "<s> <rose> <advm> from (start to finish|beginning to end|start to end|first to last)",
            "<s> <rose> <advm> between (the start and the end|the (opening|first) and the (last|closing) <steps>)",
        ),
        "short": (
            "<rising> <n>",
            "<n> <rising>",
            "<n> <updown>",
            "<movenoun>",
            "<move_being>",
            "<adjm> <a_rise> in <s>",
            *("(turned|turning|got|getting|grew|growing) [<advm2>] <comp>", "<comp> by the end"),
            *("(turned|turning|got|getting) <comp>", "<comp> and <comp>"),
            *("<A_other> at first, <A> later [on]", "<A_other> at first, [<advm2>] <comp> (later on|at the end)"),
            *("<A_other> start, <A> finish", "from <A_other> to <A>"),
            *("<adjm> <a_rise_alone>", "<rising_alone> <advm>", "<rose_alone> <advm>"),
            *("<n> <updown> (from start to finish|over the <period>|overall|on balance|from first to last)",),
            "<n> <advm2> <higher> (late|at the end|at the close) than (early|at the start|at the outset)",
        ),
        "whole": (
            *(
                "when did <s> <rise> <advm>?",
                "when did <s> <rise>?",
                "did <s> <rise> <advm>?",
                "where did <s> <rise> <advm>?",
            ),
            "<periods> that ended with <higher> <n> than they began with",
            *(
                "<move_ask>?",
                "when <move_ask>?",
                "<periods> that ended <comp> than they began",
                "<comp> at the end than at the start",
            ),
        ),
    },
    "steady": {
        "noun": (
            *(
                "a (steady|continuous|gradual|persistent|constant) <a_rise> (in|of) <s>",
                "(steadily|continuously) <rising> <n>",
            ),
            *("<n> <rising> (steadily|continuously|all the time|<throughout>)", "a steady <trend_up> (in|of) <s>"),
        ),
        "clause": (
            *(
                "<s> <rose> (steadily|continuously|gradually|<throughout>|bit by bit|step by step)",
                "<s> <keep> <rising>",
            ),
            *("<s> <rose> from (start to end|beginning to end|start to finish)", "<s> <show> a steady <trend_up>"),
            "<s> <rose> more and more",
        ),
        "short": (
            *("steadily <rising> <n>", "steady <a_rise> in <s>", "<n> <rising> <throughout>"),
            *(
                "steady <a_rise_alone>",
                "<rising_alone> (steadily|gradually|<throughout>)",
                "(linear|constant) <a_rise_alone>",
                "<rose_alone> (steadily|gradually|<throughout>|at a (steady|constant) rate|in one straight line)",
                "<trend_up_alone>",
            ),
        ),
        "whole": ("when did <s> <rise> <throughout>?", "when did <s> <rise> steadily?"),
    },
    "both halves": {
        "noun": (
            *("<n> <rising> in both halves", "<n> <rising> in (either|each) half", "a <a_rise> of <s> in both halves"),
            *("<n> <updown> at first and further <updown> later", "<n> <rising> all along"),
        ),
        "clause": (
            *("<s> <rose> in both halves", "<s> <rose> in the first half and [again] in the second"),
            *("<s> <rose> and then <rose> [some more|further]", "<s> <rose> at first and [still] more later"),
            *("<s> never <turn> back: first <updown>, then <updown>", "<s> <keep> <rising> all the way"),
        ),
        "short": (
            *("<n> <updown>, [and] [then] <updown> again", "<n> <updown> in both halves", "<n> <updown> and <updown>"),
            *("<n> <rising> (both halves|all the way|all along)", "<n> <updown> first and <updown> later"),
            "<rising_alone> in both halves",
        ),
        "whole": ("when did <s> <rise> in both halves?", "when did <s> <rise> all along?"),
    },
    "waking+": {
        "noun": (
            *(
                "<n> (steady|even|stable|flat) (at first|to begin with|early on), (restless|volatile|unsteady|jumpy) later",
            ),
            *("a (steady|even|flat) first half and a (restless|jumpy|volatile) second half of <s>",),
            "<n> that <be> (steady|even) at first and all over the place later",
        ),
        "clause": (
            *("<s> hardly <change> in the first half and <vary> (a lot|widely) in the second",),
            *("<s> <be> (steady|even|stable|flat) at first and (restless|unsteady|jumpy) (later|towards the end)",),
            "nothing much <happen1> to <s> at first, (later|then) a lot",
        ),
        "short": (
            *(
                "<n>: (steady|even|flat) start, (jumpy|volatile|restless) finish",
                "<n> steady, then (unsteady|restless)",
            ),
            "(steady|even) first half, (jumpy|restless) second half",
        ),
        "whole": ("when did <s> wake up in the second half?", "when was <s> steady first and restless later?"),
    },
    "waking-": {
        "noun": (
            *(
                "<n> (restless|volatile|unsteady|jumpy) (at first|to begin with|early on), (steady|even|stable|flat) later",
            ),
            *("a (restless|jumpy|volatile) first half and a (steady|even|flat) second half of <s>",),
            "<n> that <be> all over the place at first and (steady|even) later",
        ),
        "clause": (
            *("<s> <vary> (a lot|widely) in the first half and hardly <change> in the second",),
            *("<s> <be> (restless|unsteady|jumpy) at first and (steady|even|stable|flat) (later|towards the end)",),
            *(
                "<s> (steadied|settled down|came to rest) in the second half",
                "a lot <happen1> to <s> at first, later little",
            ),
        ),
        "short": (
            *("<n>: (jumpy|volatile|restless) start, (steady|even|flat) finish", "<n> unsteady, then (steady|even)"),
            *("(jumpy|restless) first half, (steady|even) second half", "<n> coming to rest"),
        ),
        "whole": ("when did <s> steady in the second half?", "when was <s> restless first and steady later?"),
    },
    "unchanged": {
        "noun": (
            *("(hardly any|little|no|almost no) change in <s>", "(steady|stable|unchanging|constant|level) <n>"),
            *("<n> (staying|remaining) (about the same|much the same|level|stable)", "<n> without [much] change"),
        ),
        "clause": (
            *("<s> (hardly|barely|scarcely) <change>", "<s> <stay> (about the same|much the same|stable|level|put)"),
            *("<s> <remain> (steady|stable|flat|nearly constant)", "<s> <hold> (steady|its level)"),
            *("nothing much <happen1> to <s>", "there <be1> (hardly any|no real|no) change in <s>"),
            "<s> did not change much",
        ),
        "short": ("stable <n>", "steady <n>", "<n> unchanged", "no change in <s>"),
        "whole": ("when did <s> hardly change?", "when did <s> stay the same?"),
    },
    "turn": {
        "noun": (
            *("a <a_rise> and then a <a_fall> (in|of) <s>", "a <a_rise> followed by a <a_fall> in <s>"),
            *("<n> <rising> first, then <falling>", "<n> <updown> and then <downup>", "<shape> (in|of) <s>"),
            *("<n> first <rising> and then <falling>", "a <adjm> <shape_> in <s>"),
        ),
        "clause": (
            *("<s> <rose>, then <fell>", "<s> <rose> first and then <fell>", "<s> <rose> before <falling>"),
            *(
                "first <s> <rose>, then <it_> <fell>",
                "<s> <rose> and <fell> again",
                "<s> <go> <updown>, then <downup> [again]",
            ),
            *(
                "<s> <rose> <advm> in the first half and <fell> in the second",
                "after a <a_rise> <s> <fell> again",
                *("<turned>",) * 2,
            ),
            *("<go_clause>, then <go_clause_other>", "first <go_clause> and then <go_clause_other>") * 2,
            *("it got <comp> first and then <comp_other>", "it turned <comp>, then <comp_other> again"),
            "it got <comp> in the first half and <comp_other> in the second",
            "a <a_rise> in <s> <be1> followed by a <a_fall>",
        ),
        "short": (
            *("<n> <updown>, then <downup>", "<n> <rising>, then <falling>", "<a_rise>, then <a_fall> of <s>"),
            *("first <comp>, then <comp_other>", "<rising>, then <falling> <n>", "a <letter> in <s>"),
            *("<shape> in <s>", "<rising_alone>, then <falling>", "<a_rise_alone> followed by a <a_fall>"),
            *("<rose_alone>[,] (and then|then) <fell_alone>", "<rose_alone> and <fell_alone> again"),
        ),
        "whole": (
            *("when did <s> <rise> and then <fall>?", "when did <s> first <rise> and then <fall>?"),
            *("when did it get <comp> first and then <comp_other>?", "<comp> first, <comp_other> later"),
        ),
    },
    "arch": {
        "noun": (
            *(
                "<n> <highest> around the middle",
                "<higher> <n> in the middle than at either end",
                "<shape> (in|of) <s>",
            ),
            *("<n> with a <peak> in between", "<n> <lower> at both ends than in the middle"),
            "<noun> in the middle, <noun_other> before and after",
        ),
        "clause": (
            *("<s> <be> <higher> in the middle than at (either end|both ends|the start and the end)", "<middled>"),
            *("<s> <be> <lower> at both ends than in between", "it <be1> <most> in the middle"),
            *("it <be1> <comp> in the middle than at either end", "it <be1> <A_other>, then <A>, then <A_other> again"),
            "it (went|turned) from <A_other> to <A> and back to <A_other>",
            "the <period> (began|opened) <A_other>, turned <A> and (ended|finished) <A_other>",
        ),
        "short": (
            *("<A_other>, then <A>, then <A_other>", "<A_other>, then <A>, then <A_other> again", "<shape> in <s>"),
            *("<noun_other>, then <noun>, then <noun_other>", "<n> <lower>, then <higher>, then <lower> again"),
            *("<n> <highest> midway", "<most> in the middle", "<peak_alone> in the middle", "a <peak_alone> halfway"),
            *("<peaked_alone> in the middle", "[a] <adjm> <shape_alone> (in the middle|midway|halfway)"),
        ),
        "whole": (
            "when was it <comp> in the middle than at both ends?",
            "<periods> with <noun> in the middle and <noun_other> at both ends",
        ),
    },
    "mild level": {
        "noun": (
            *(
                "(fairly|moderately|reasonably|somewhat|a bit) <high> <n>, (but nothing|nothing) (extreme|wild|special)",
            ),
            *("<n> on the <high> side of (normal|average)", "<n> a (bit|little) <above> (average|normal), no more"),
            *("<n> in the (<upper>) middle of <its> range", "<n> between average and <high>"),
            "(fairly|moderately|rather) <Aa> <conditions>, nothing (extreme|wild)",
        ),
        "clause": (
            *("<s> <be> (fairly|moderately|somewhat|a bit) <high>, but not (very|extremely|remarkably)",),
            *(
                "<s> <be> on the <high> side of (normal|average)",
                "<s> <be> a (little|bit) <above> (average|normal), no more",
            ),
            *("it <be1> (fairly|moderately|rather|reasonably) <A>, but not (very|extremely)",),
            "it <be1> <A>, but (nothing extreme|not wildly so|not overly so|only moderately)",
        ),
        "adjective": (
            "(moderately|fairly|reasonably) <A>, but not (very|extremely)",
            "<A>, but nothing (extreme|wild)",
        ),
        "short": (
            *("moderately <A>", "moderately <high> <n>", "<n> on the <high> side, nothing extreme"),
            *("<n> slightly <above> normal", "<A> but not very"),
        ),
    },
    "jump": {
        "noun": (
            *("a (sudden|abrupt|sharp) <leap> in <s>", "a <leap> in <s> from one (step|reading|value) to the next"),
            *("a (sudden|abrupt) <a_rise> in <s>", "<s> with a (sudden|abrupt) <leap>"),
        ),
        "clause": (
            *("<s> (suddenly|abruptly) <rose>", "<s> <jumped> (suddenly|abruptly|all at once|within one step)"),
            *("there <be1> a (sudden|abrupt) <leap> in <s>", "all of a sudden <s> <rose> [a lot]", "<s> <jumped>"),
        ),
        "short": ("sudden <leap> in <s>", "sudden <a_rise> of <s>", "<n> suddenly <rising>"),
        "whole": ("when did <s> suddenly <rise>?", "when did <s> <rise> abruptly?"),
    },
    "swing+": {
        "noun": (
            *(
                "<adjm> swings (in|of) <s>",
                "<adverb3> (variable|changeable) <n>",
                "a <adverb3> (wide|large|big) range of <s>",
            ),
            *("(wildly|widely|strongly) varying <n>", "(large|big) (differences|variations) in <s>"),
            "a (big|huge|wide|large) (gap|difference|span) between the highest and the lowest <n>",
            "a (large|wide|big) (amplitude|span) of <s>",
        ),
        "clause": (
            *(
                "<s> <vary> (widely|a lot|a great deal|considerably|strongly)",
                "<s> <swing> (widely|wildly|back and forth a lot)",
            ),
            *(
                "<s> <cover> a <adverb3> wide range",
                "there <be1> a <adverb3> large (gap|difference) between the highest and lowest <n>",
            ),
            "<s> <change> (a lot|a great deal|considerably)",
        ),
        "short": ("variable <n>", "wide swings in <s>", "big swings of <s>", "<n> all over the place"),
        "whole": ("when did <s> vary (a lot|widely)?",),
    },
    "swing-": {
        "noun": (
            *(
                "(flat|even|uniform|almost constant) <n>",
                "a <adverb3> (small|narrow) range of <s>",
                "<n> (within|in) a narrow (band|range)",
            ),
            *("(tiny|very small|minimal) variations in <s>", "a flat line [in|of] <s>"),
            "(next to no|hardly any|almost no) (difference|gap) between the highest and the lowest <n>",
            "(nearly|almost|much) the same <n> <throughout>",
            "a (steady|constant) <n>",
        ),
        "clause": (
            *(
                "<s> <be> <adverb3> (flat|even|uniform)",
                "<s> <stay> within a <adverb3> narrow range",
                "<s> hardly <vary>",
            ),
            *("<s> <be> (nearly|almost|about) the same <throughout>", "<s> <be> without ups and downs"),
            *("<s> <vary> <adverb3> little", "<s> <be> almost (constant|flat|level)", "<s> hardly <move>"),
        ),
        "short": ("flat <n>", "<n> flat", "almost constant <n>", "even <n>"),
        "whole": ("when did <s> hardly vary?",),
    },
    "unrest+": {
        "noun": (
            *("<adverb3> (volatile|erratic|jumpy|unsteady|restless|choppy|fluctuating|noisy) <n>",),
            *("<adverb3> (frequent|rapid) (ups and downs|fluctuations) (in|of) <s>", "<n> jumping up and down"),
        ),
        "clause": (
            *(
                "<s> <be> <adverb3> (volatile|erratic|jumpy|unsteady|restless|choppy|noisy)",
                "<s> <fluctuate> from step to step",
            ),
            *(
                "<s> <jump> up and down [all the time|throughout]",
                "<s> <go> up and down (all the time|again and again)",
            ),
        ),
        "short": ("<adverb3> volatile <n>", "erratic <n>", "noisy <n>", "<n> up and down"),
    },
    "unrest-": {
        "noun": (
            *(
                "<adverb3> (smooth|gradual|even) (course|curve) of <s>",
                "<adverb3> smooth <n>",
                "<n> changing <adverb3> (smoothly|gradually|slowly)",
            ),
        ),
        "clause": (
            *(
                "<s> <change> (smoothly|gradually|slowly|without jumps)",
                "<s> <move> <adverb3> smoothly",
                "<s> <follow> a <adverb3> smooth (curve|course)",
            ),
            "the (curve|course) of <s> <be1> <adverb3> smooth",
        ),
        "short": ("smooth <n>", "<n> <adverb3> smooth", "gradual changes of <s>"),
    },
    "spike+": {
        "noun": (
            "a (spike|outlier|isolated extreme value) in <s>",
            "<s> with a (spike|outlier)",
            "<n> with (a spike|an outlier)",
        ),
        "clause": (
            "there <be1> a (spike|outlier) in <s>",
            "<s> <show> a (spike|outlier)",
            "(one|a single) (value|reading) of <s> (stands|stood) out",
        ),
        "short": ("spike in <s>", "<n> spike", "outlier in <s>"),
        "whole": ("when did <s> spike?",),
    },
    "spike-": {
        "noun": ("no (spikes|outliers) in <s>", "<s> without (spikes|outliers)", "not a single outlier in <s>"),
        "clause": (
            "there <be1> no (spike|outlier) in <s>",
            "<s> <show> no (spikes|outliers)",
            "no value of <s> (stands|stood) out",
        ),
        "short": ("no spikes in <s>", "<n> without outliers"),
    },
    "spikes": {
        "noun": (
            "(several|repeated|multiple|a few) (spikes|outliers) in <s>",
            "<s> with (several|multiple) (spikes|outliers)",
        ),
        "clause": (
            "<s> <spike> (several times|again and again|repeatedly|more than once)",
            "several (values|readings) of <s> (stand|stood) out",
        ),
        "short": ("several spikes in <s>", "repeated spikes of <s>"),
    },
    "gap+": {
        "noun": (
            "(gaps|missing values|holes) in <s>",
            "<n> with (gaps|missing values)",
            "incomplete <n> [data|record]",
        ),
        "clause": ("some [of the] values of <s> (are|were) missing", "<s> <be> not always recorded", "<s> <have> gaps"),
        "short": ("gaps in <s>", "missing <n> values", "<n> incomplete"),
    },
    "gap-": {
        "noun": ("no (gaps|missing values) in <s>", "complete <n> [data|records]", "a complete record of <s>"),
        "clause": ("no value of <s> (is|was) missing", "<s> <be> recorded without a gap", "<s> <have> no gaps"),
        "short": ("no gaps in <s>", "complete <n>"),
    },
    "constant": {
        "noun": (
            "(absolutely|perfectly|completely) constant <n>",
            "not the slightest change in <s>",
            "a single value of <s> <throughout>",
        ),
        "clause": (
            "<s> did not change at all",
            "<s> <stay> at exactly the same value <throughout>",
            "<s> <be> constant",
        ),
        "short": ("constant <n>", "<n> frozen at one value"),
    },
    "cycle": {
        "noun": (
            *(
                "(regular|rhythmic|periodic) (ups and downs|swings|waves|cycles) (in|of) <s>",
                "a repeating pattern in <s>",
            ),
            *("(cyclic|periodic|oscillating) <n>", "an oscillation of <s>", "<n> going up and down in waves"),
        ),
        "clause": (
            *("<s> <oscillate> [regularly]", "<s> <go> up and down (regularly|in waves|in cycles|rhythmically)"),
            *(
                "<s> <follow> a (repeating|regular|periodic) pattern",
                "<s> rose and fell (several times|in turn|periodically)",
            ),
        ),
        "short": ("oscillating <n>", "cycles in <s>", "waves of <s>"),
    },
    "levelling": {
        "noun": (
            "<n> <rising> first and then (levelling off|flattening out|staying put)",
            "a <a_rise> (in|of) <s> that (levelled off|flattened out|petered out)",
            *("a plateau of <s> after a <a_rise>", "a <a_rise> followed by a plateau (in|of) <s>"),
        ),
        "clause": (
            "<s> <rose> (and then|, then) (levelled off|flattened out|plateaued|stayed put)",
            "<s> <rose> at first and hardly <change> afterwards",
            *("after a <a_rise> <s> <hold> steady", "all of the <a_rise> in <s> <come1> in the first half"),
        ),
        "short": (
            *("<n> <rising>, then flat", "<a_rise> then plateau in <s>", "<n> <updown> then steady"),
            *(
                "<rose_alone>[,] (and then|then) (levels off|flattens out|stays flat)",
                "<rose_alone>, then <flat_alone>",
            ),
            "(levels off|flattens out|flat) after a <a_rise_alone>",
        ),
        "whole": ("when did <s> <rise> and then level off?", "when did <s> <rise> only at first?"),
    },
    "late move": {
        "noun": (
            *("<n> flat at first and then <rising>", "a late <a_rise> (in|of) <s>", "<n> <rising> only late"),
            "a calm start and then a <a_rise> in <s>",
        ),
        "clause": (
            *("<s> <hold> steady at first, then <rose>", "<s> only <rose> in the second half"),
            *("<s> hardly <change> at first and then <rose>", "<s> <be> flat, then <rose>"),
        ),
        "short": (
            *("<n> flat, then <rising>", "late <a_rise> in <s>", "<n> steady then <updown>"),
            *("<flat_alone> [at first][,] (and then|then) <rose_alone>", "<flat_alone> before a <a_rise_alone>"),
        ),
        "whole": ("when did <s> <rise> only later on?", "when did <s> stay flat and then <rise>?"),
    },
}
