"""The phrases of directions and of two channels; see `phrases`."""

from __future__ import annotations

from data_modules.statements.phrases import Modes

PAIR_FORMS: dict[str, Modes] = {
    "direction": {
        "noun": (
            *("<erly> <w>", "<erly> <w>", "<w> from the <dir>", "a <erly> flow of <w1>", "<w> coming from the <dir>"),
            *(
                "<w> out of the <dir>",
                "a <er>",
                "<ers>",
                "<w> from the <erly> (quarter|sector)",
                "<w> blowing in from the <dir>",
            ),
        ),
        "clause": (
            *(
                "the <w1> <blow1> from the <dir>",
                "the <w1> <be1> <erly>",
                "the <w1> <come1> from the <dir>",
                "it <blow1> from the <dir>",
            ),
            *(
                "the <w1> <have1> a <erly> direction",
                "<erly> <w> (prevailed|dominated)",
                "a <er> <blow1>",
                "the <w1> <sit1> in the <dir>",
            ),
            *(
                "the <w1> <blow1> out of the <dir>",
                "the <w1> <be1> from the <dir>",
                "there <be1> a <er>",
                "the <w1> <be1> in the <dir>",
            ),
        ),
        "short": (
            "<er>",
            "<erly> <w>",
            "<dir> <w1>",
            "<w> from <dir>",
            "<ers>",
            "<w1> direction <dir>",
            "<w1>: <dir>",
            "<w1> <dir>",
        ),
        "whole": (
            "when did the <w1> (come|blow) from the <dir>?",
            "<periods> with the <w1> in the <dir>",
            *("<w1> (out of|from) the <dir>", "when did it blow from the <dir>?", "any <er>?", "was there a <er>?"),
            *("when was the <w1> <erly>?", "<periods> with <ers>", "when were there <ers>?"),
        ),
    },
    "not direction": {
        "noun": (
            "no <er>",
            "no <ers>",
            "anything but <ers>",
            "no <erly> <w>",
            "no <w> from the <dir>",
            "<w> from anywhere but the <dir>",
        ),
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
            *("<go_clause> (and|while|as) <go_clause2>",) * 3,
            *("it (got|turned|grew) <comp> and <comp2>", "it got <comp> while <s2> <rose2>"),
            "<s> <rose> as it got <comp2>",
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
            *("<comp> and <comp2> by the end", "<comp>, <n2> <updown2>", "getting <comp> and <comp2>"),
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
            *("<the_more>",) * 3,
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
                "<s> rose when <s2> did",
                "<s> and <s2> had the same (course|shape)",
            ),
        ),
        "short": ("<n> tracking <n2>", "<n> and <n2> in step", "<n> and <n2> together"),
        "whole": ("when did <s> and <s2> move together?", "when did <s> follow <s2>?"),
    },
    "correlation-": {
        "noun": (
            *("<the_more>",) * 3,
            *(
                "<n> and <n2> moving (in opposite directions|against each other)",
                "a (negative|clear negative|strong negative) correlation between <s> and <s2>",
            ),
            "<n> as the mirror image of <s2>",
        ),
        "clause": (
            *(
                "<s> and <s2> (moved|went) (in opposite directions|against each other|opposite ways)",
                "<s> rose when <s2> fell, and the other way round",
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
        "noun": (
            *("<n> (above|higher than|exceeding|greater than) <s2>", "<n> (above|higher than) <s2> on average"),
            *("<s2> (below|lower than|less than) <s>", "<more_n> <n> than <n2>", "<n> <comp> than <n2>"),
        ),
        "clause": (
            "<s> <be> higher than <s2> [on average|on the whole]",
            "<s> <exceed> <s2> on average",
            "<s2> <be2> lower than <s>",
            "<s> <be> above <s2>",
            *("<s2> <be2> below <s>", "<s> <be> <comp> than <s2>", "there <be> <more_n> <n> than <n2>"),
        ),
        "short": (
            *("<n> above <n2>", "<n> > <n2>", "<n> higher than <n2>", "<n2> below <n>", "<n2> lower than <n>"),
            *("<more_n> <n> than <n2>", "<n> <comp> than <n2>"),
        ),
        "whole": ("when <be> <s> higher than <s2>?", "when <be2> <s2> below <s>?", "when <be> <s> <comp> than <s2>?"),
    },
    "far more": {
        "noun": (
            *("<n> (far|well|way|much) (above|higher than) <s2>", "<n> (far|well|way) ahead of <s2>"),
            *("<s2> (far|well|way|much) (below|lower than|behind) <s>", "far <more_n> <n> than <n2>"),
            *("<n> (much|far|a lot) <comp> than <n2>", "an unusually large lead of <s> over <s2>"),
        ),
        "clause": (
            *("<s> <be> (far|well|much) (above|higher than) <s2>", "<s> <be> (much|far|a lot) <comp> than <s2>"),
            *("<s2> <be2> (far|well|much) (below|lower than) <s>", "<s> by far <exceed> <s2>"),
            *("<s> <stand> out against <s2>", "there <be> far <more_n> <n> than <n2>"),
        ),
        "short": (
            *("<n> (far|well|way) above <n2>", "<n2> (far|well|way) below <n>", "<n> much higher than <n2>"),
            *("<n2> much lower than <n>", "<n> (far|much) <comp> than <n2>", "far <more_n> <n> than <n2>"),
        ),
        "whole": ("when <be> <s> (far|much) higher than <s2>?", "when <be> <s> (far|much) <comp> than <s2>?"),
    },
    "margin": {
        "noun": (
            *(
                "a <wide> (gap|margin|difference|spread|distance) between <s> and <s2>",
                "a <wide> lead of <s> over <s2>",
            ),
            *("a <wide> premium of <s> over <s2>", "<n> at a <wide> premium to <n2>", "<n> <wide_adverb> above <n2>"),
        ),
        "clause": (
            *(
                "the (gap|margin|difference|spread) between <s> and <s2> <be1> <wide>",
                "<s> <be> <wide_adverb> above <s2>",
            ),
            *("<s2> <be2> <wide_adverb> below <s>", "there <be1> a <wide> (gap|difference) between <s> and <s2>"),
            *("<s> <have> a <wide> lead over <s2>", "<s> <carry> a <wide> premium over <s2>"),
        ),
        "short": (
            *("<wide> gap <n> <n2>", "<wide> gap between <n> and <n2>", "<n> <wide_adverb> above <n2>"),
            *("<wide> spread <n> over <n2>", "<wide> premium of <n> over <n2>", "<n2> <wide_adverb> below <n>"),
        ),
        "whole": ("when was the gap between <s> and <s2> <wide>?", "when <be> <s> <wide_adverb> above <s2>?"),
    },
    "tops": {
        "noun": (
            *(
                "<n> (<higher> than|<above>) (all [the] others|everything else|the rest|any other)",
                "the <highest> of all <be1> <n>",
            ),
            *("<n> as the <highest> of all", "<n> <comp> than (anywhere else|all the others|the rest)"),
        ),
        "clause": (
            *("<s> <be> <higher> than (all [the] others|everything else|any other)", "no other <be1> as <high> as <s>"),
            *("<s> <be> the <highest> of all", "<s> <be> <comp> than (anywhere else|all the others|the rest)"),
        ),
        "short": (
            *("<n> <highest> of all", "<n> <above> the rest", "<n> <above> all others", "<n> <higher> than the rest"),
            "<n> <comp> than (the rest|anywhere else)",
        ),
        "whole": ("when <be> <s> the <highest> of all?", "when <be> <s> <above> all others?"),
    },
    "out of step": {
        "noun": (
            *("<n> and <n2> (out of step|out of tune|drifting apart|going separate ways|not moving together)",),
            *("<n> (not following|decoupled from|moving independently of|not keeping up with) <s2>",),
            "a weak (link|correlation|connection) between <s> and <s2>",
        ),
        "clause": (
            *("<s> did not follow <s2>", "<s> and <s2> (moved|went) (differently|their own ways|out of step)"),
            *("<s> and <s2> were (uncorrelated|hardly linked)", "<s> did not (move|go) with <s2>"),
            "<s> and <s2> did not (move|go) together",
        ),
        "short": (
            *("<n> out of step with <n2>", "<n> and <n2> not together", "<n> not following <n2>"),
            "<n> and <n2> going separate ways",
        ),
        "whole": ("when did <s> not follow <s2>?", "when did <s> and <s2> part ways?"),
    },
    "half direction": {
        "noun": (
            "<w> with a <erly> component",
            "<w> from the <erly> half of the compass",
            "<w> from some <erly> (quarter|quadrant|direction)",
        ),
        "clause": (
            "the <w1> <have1> a <erly> component",
            "the <w1> <come1> from somewhere in the <dir>",
            "the <w1> <blow1> from the <erly> half of the compass",
        ),
        "short": ("<w1> with a <erly> component", "<w1> from somewhere <erly>"),
        "whole": ("when did the <w1> have a <erly> component?",),
    },
    "direction speed": {
        "noun": (
            *("<stiff> <erly> <w>", "a <stiff> <w1> from the <dir>", "<stiff> <w> out of the <dir>", "a <stiff> <er>"),
            *("<stiff> <w> from the <dir>", "<erly> <w> blowing <stiffly>"),
        ),
        "clause": (
            *("the <w1> <blow1> <stiffly> from the <dir>", "a <stiff> <erly> <w1> <blow1>", "a <stiff> <er> <blow1>"),
            *(
                "the <w1> <be1> <erly> and <stiff>",
                "there <be1> a <stiff> <w1> from the <dir>",
                "it <blow1> <stiffly> from the <dir>",
            ),
        ),
        "short": (
            "<stiff> <erly> <w>",
            "<stiff> <er>",
            "<w1> <dir>, <stiff>",
            "<stiff> <w1> from <dir>",
            "<dir> <w1>, <stiff>",
        ),
        "whole": ("when was there a <stiff> <er>?", "any <stiff> <erly> <w>?", "did it blow <stiffly> from the <dir>?"),
    },
    "direction with": {
        "noun": (
            *("<erly> <w> with <grad2> <n2>", "<grad2> <n2> with <w> from the <dir>", "<noun2> with <erly> <w>"),
            *("<noun2> and a <er>", "<Aa2> <conditions2> with <w> from the <dir>"),
        ),
        "clause": (
            *("the <w1> <come1> from the <dir> and <s2> <be2> <grad2>", "it <be1> <A2> with a <er>"),
            *("it <be1> <A2> and the <w1> <be1> <erly>", "a <er> <blow1> and it <be1> <A2>"),
        ),
        "adjective": ("<A2> with a <er>", "<A2> with <w> from the <dir>"),
        "short": ("<A2>, <w1> <dir>", "<A2> with <w1> from <dir>", "<erly> <w>, <grad2> <n2>", "<noun2>, <er>"),
        "whole": ("when was it <A2> with a <er>?", "when did a <er> blow while it was <A2>?"),
    },
    "veer": {
        "noun": ("a <veering> <w1>", "<w> <veering>", "<w> <veering> over the <period>"),
        "clause": (
            "the <w1> <veered>",
            "the <w1> <veered> during the <period>",
            "the <w1> <veered> between the start and the end",
        ),
        "short": ("<veering> <w1>", "<w1> <veering>"),
        "whole": ("when did the <w1> <veer>?", "did the <w1> <veer>?", "<periods> in which the <w1> <veered>"),
    },
    "fixed direction": {
        "noun": (
            "<w> from one direction <throughout>",
            "a <w1> that kept its direction",
            "a steady <w1> direction",
            "a constant <w1> direction",
        ),
        "clause": (
            *(
                "the <w1> <keep1> its direction",
                "the <w1> hardly (shifted|turned|changed direction)",
                "the <w1> <hold1> its direction",
            ),
            *("the <w1> <come1> from the same quarter <throughout>", "the <w1> direction hardly changed"),
        ),
        "short": ("steady <w1> direction", "<w1> direction unchanged", "no shift of <w1>"),
        "whole": ("when did the <w1> keep its direction?", "<periods> without a <w1> shift"),
    },
    "shifty direction": {
        "noun": (
            "a (shifty|shifting|fickle|variable) <w1>",
            "<w> from changing directions",
            "a <w1> from all directions",
            "variable <w1> direction",
        ),
        "clause": (
            *("the <w1> <keep1> (shifting|changing direction|turning)", "the <w1> <blow1> from changing directions"),
            *(
                "the <w1> <be1> (shifty|fickle|variable in direction)",
                "the <w1> could not make up its mind where to come from",
            ),
        ),
        "short": ("shifty <w1>", "variable <w1> direction", "fickle <w1>", "<w1> from all over the place"),
        "whole": ("when did the <w1> keep shifting?", "when was the <w1> direction variable?"),
    },
    "one level": {
        "noun": (
            *("<grad> <n> but no <grad2> <n2>", "<grad> <n> without <grad2> <n2>", "<noun> but no <without2>"),
            *("<noun> without <without2>", "<noun> but no <without2>", "<grad> <n> with anything but <grad2> <n2>"),
        ),
        "clause": (
            *(
                "<s> <be> <grad> but <s2> <not_be2> <grad2>",
                "it <be1> <A> but not <A2>",
                "it <be1> <A> though not <A2>",
            ),
            *(
                "<s> <be> <grad> while <s2> <not_be2> <grad2>",
                "it <be1> <A> without being <A2>",
                "<s> <be> <grad>, <s2> <not_be2> <grad2>",
            ),
            *(
                "it <be1> <A> yet not <A2>",
                "it <be1> <A> but there <be1> no <without2>",
                "it <not_be1> <A2> although it <be1> <A>",
            ),
        ),
        "adjective": (
            "<A> but not <A2>",
            "<A> though not <A2>",
            "<A> without being <A2>",
            "<A> yet not <A2>",
            "<A>, not <A2>",
        ),
        "short": (
            "<A> but not <A2>",
            "<A>, not <A2>",
            "<noun>, no <without2>",
            "<grad> <n>, no <grad2> <n2>",
            "<A> minus the <without2>",
        ),
        "whole": (
            "when was it <A> but not <A2>?",
            "anything <A> that's not <A2>?",
            "<periods> that were <A> but not <A2>",
        ),
    },
    "one change": {
        "noun": (
            "<rising> <n> without <rising2> <n2>",
            "a <a_rise> in <s> but no <a_rise2> in <s2>",
            "<n> <rising> without <s2> <rising2>",
        ),
        "clause": (
            *(
                "<s> <rose> but <s2> did not <rise2>",
                "<s> <rose> while <s2> did not <rise2>",
                "<s> <rose> although <s2> didn't <rise2>",
            ),
            *("<s> <rose> without <s2> <rising2>", "<s> <rose>, but there <be1> no <a_rise2> in <s2>"),
        ),
        "short": (
            "<n> <updown>, <n2> not <updown2>",
            "<rising> <n>, no <a_rise2> in <s2>",
            "<n> <rising>, <n2> not <rising2>",
        ),
        "whole": ("when did <s> <rise> without <s2> <rising2>?",),
    },
}
