"""Verbs, adverbs and comparatives by tense, number, sign and degree.

The tables of the two signs are parallel, word for word, so that a statement and its opposite differ in one word.
"""

from __future__ import annotations

from functools import cache

from data_modules.statements.grammar import Phrase, Words, literal, phrase
from data_modules.statements.verbs import forms

_VERBS = (
    *("stay", "remain", "average", "reach", "show", "end", "cover", "hover", "oscillate", "fluctuate", "jump"),
    *("spike", "follow", "change", "happen", "move", "stop", "exceed", "vary", "start", "touch", "turn", "lack"),
    *("be", "have", "keep", "hold", "run", "go", "get", "come", "begin", "swing", "leave", "blow", "not_be", "do"),
    *("lie", "see", "stand", "carry", "settle", "level", "flatten", "spend", "span", "sit", "stick", "fail"),
)


# past, present of one, present of several, participle
_RISE = (
    *(("rose", "rises", "rise", "rising"), ("increased", "increases", "increase", "increasing")),
    *(("climbed", "climbs", "climb", "climbing"), ("went up", "goes up", "go up", "growing")),
    *(("rose", "rises", "rise", "rising"), ("grew", "grows", "grow", "growing")),
    *(("edged up", "edges up", "edge up", "edging up"), ("came up", "comes up", "come up", "coming up")),
    *(("crept up", "creeps up", "creep up", "creeping up"), ("headed up", "heads up", "head up", "heading up")),
    *(("moved up", "moves up", "move up", "moving up"), ("ticked up", "ticks up", "tick up", "ticking up")),
    ("trended up", "trends up", "trend up", "trending up"),
)
_FALL = (
    *(("fell", "falls", "fall", "falling"), ("decreased", "decreases", "decrease", "decreasing")),
    *(("dropped", "drops", "drop", "dropping"), ("went down", "goes down", "go down", "sinking")),
    *(("fell", "falls", "fall", "falling"), ("declined", "declines", "decline", "declining")),
    *(
        ("edged down", "edges down", "edge down", "edging down"),
        ("came down", "comes down", "come down", "coming down"),
    ),
    *(
        ("crept down", "creeps down", "creep down", "creeping down"),
        ("headed down", "heads down", "head down", "heading down"),
    ),
    *(
        ("moved down", "moves down", "move down", "moving down"),
        ("ticked down", "ticks down", "tick down", "ticking down"),
    ),
    ("trended down", "trends down", "trend down", "trending down"),
)
_JUMP = (
    ("jumped", "jumps", "jump"),
    ("shot up", "shoots up", "shoot up"),
    ("leapt up", "leaps up", "leap up"),
    ("soared", "soars", "soar"),
    ("rocketed", "rockets", "rocket"),
    ("surged", "surges", "surge"),
    ("spiked", "spikes", "spike"),
)
_PLUNGE = (
    ("plunged", "plunges", "plunge"),
    ("plummeted", "plummets", "plummet"),
    ("slumped", "slumps", "slump"),
    ("crashed", "crashes", "crash"),
    ("tumbled", "tumbles", "tumble"),
    ("nosedived", "nosedives", "nosedive"),
    ("collapsed", "collapses", "collapse"),
)
_PAST_UP = (
    *(
        ("exceeded", "exceeds", "exceed"),
        ("went above", "goes above", "go above"),
        ("rose above", "rises above", "rise above"),
    ),
    *(("climbed over", "climbs over", "climb over"), ("topped", "tops", "top")),
)
_PAST_DOWN = (
    *(
        ("fell below", "falls below", "fall below"),
        ("went below", "goes below", "go below"),
        ("sank below", "sinks below", "sink below"),
    ),
    *(("dropped under", "drops under", "drop under"), ("dipped below", "dips below", "dip below")),
)
_PEAK = (
    ("peaked", "peaks", "peak"),
    ("reached <its> peak", "reaches <its> peak", "reach <its> peak"),
    ("topped out", "tops out", "top out"),
    ("crested", "crests", "crest"),
)
_TROUGH = (
    ("bottomed out", "bottoms out", "bottom out"),
    ("reached <its> low", "reaches <its> low", "reach <its> low"),
    ("hit bottom", "hits bottom", "hit bottom"),
    ("dipped", "dips", "dip"),
    ("troughed", "troughs", "trough"),
)

PAST, PRESENT = 0, 1


def _conjugated(rows: tuple[tuple[str, ...], ...], tense: int, plural: bool) -> Phrase:
    return phrase(*(row[0 if tense == PAST else 2 if plural else 1] for row in rows))


def _verbs(tense: int, plural: bool) -> Words:
    found = {base: phrase(*forms(base)[2 * tense + plural].split("|")) for base in _VERBS}
    one = {f"{base}1": phrase(*forms(base)[2 * tense].split("|")) for base in _VERBS}
    its = {"its": literal("their" if plural else "its"), "it_": literal("they" if plural else "it")}
    return {
        **found,
        **one,
        **its,
        "were": literal("are" if tense else "were"),
        "is2": literal("is" if tense else "was"),
    }


VERBS = {(tense, plural): _verbs(tense, plural) for tense in (PAST, PRESENT) for plural in (False, True)}

_SIGNED = {  # symbol: the word for 1 and for −1
    "high": ("high", "low"),
    "higher": ("higher", "lower"),
    "lower": ("lower", "higher"),
    "highest": ("highest", "lowest"),
    "lowest": ("lowest", "highest"),
    "above": ("above", "below"),
    "over": ("(above|over|above|over|more than|higher than)", "(below|under|below|under|less than|lower than)"),
    "sign": (">", "<"),
    "more": ("more", "less"),
    "minmax": ("(max|maximum|peak|highest)", "(min|minimum|lowest|lowest)"),
    "minmax_": ("(min|minimum|lowest|lowest)", "(max|maximum|peak|highest)"),
    "minmax_long": ("(maximum|peak|highest)", "(minimum|lowest|lowest)"),
    "trough": ("(minimum|low)", "(maximum|high)"),
    "peak": ("(peak|maximum|high|high point|peak|top|crest)", "(trough|minimum|low|low point|low|bottom)"),
    "towering": ("(towering|giant|enormous|staggering|huge)", "(rock-bottom|very deep|extremely low|tiny)"),
    "peaking": ("(peaking|topping out|cresting)", "(bottoming out|troughing|dipping)"),
    "going": ("(rising|climbing|going)", "(falling|dropping|going)"),
    "go_past": ("(exceed|go above|rise above|climb over|top)", "(fall below|go below|sink below|drop under|dip below)"),
    "rise": (
        "(rise|increase|climb|go up|rise|grow|rise|edge up|come up|trend up|head up)",
        "(fall|decrease|drop|go down|fall|decline|fall|edge down|come down|trend down|head down)",
    ),
    "rising": ("(rising|increasing|climbing|growing)", "(falling|decreasing|dropping|sinking)"),
    "a_rise": (
        "(rise|increase|climb|gain|rise|upturn|upswing)",
        "(fall|decrease|decline|drop|fall|downturn|downswing)",
    ),
    "trend_up": (
        "(upward trend|uptrend|upward tendency|upward drift|upward slope)",
        "(downward trend|downtrend|downward tendency|downward drift|downward slope)",
    ),
    "updown": ("up", "down"),
    "way_up": ("(way up|rise|increase)", "(way down|decline|decrease)"),
    "leap": ("(jump|leap|surge|spike|hike)", "(plunge|slump|drop|crash|nosedive)"),
    "largest": ("(largest|widest|biggest)", "(smallest|narrowest|tiniest)"),
    "wide": ("(wide|large|big)", "(narrow|small|tiny)"),
    "wide_adverb": ("(far|well|a lot|much|way)", "(only just|slightly|barely|a little|hardly)"),
    "much": ("much", "little"),
    "most_": ("(most|the most)", "(least|the least)"),
    "record_high": ("(record high|maximum)", "(record low|minimum)"),
    "high_n": ("high", "low"),
    "shape": (
        "(a hump|a bump|a peak in the middle|a rise and fall)",
        "(a dip|a sag|a low in the middle|a fall and recovery)",
    ),
    "shape_": ("(hump|bump)", "(dip|sag)"),
    "stiff": ("(strong|stiff|fresh|brisk|powerful|lively)", "(light|gentle|weak|faint|slack|soft)"),
    "stiffly": ("(strongly|hard|briskly|freshly)", "(gently|lightly|weakly|softly)"),
    "veered": (
        "(veered|turned clockwise|shifted clockwise|went round clockwise)",
        "(backed|turned anticlockwise|turned counterclockwise|shifted anticlockwise)",
    ),
    "veer": ("(veer|turn clockwise)", "(back|turn anticlockwise)"),
    "veering": (
        "(veering|turning clockwise|shifting clockwise)",
        "(backing|turning anticlockwise|shifting counterclockwise)",
    ),
    "least_x": (
        "(at least|no less than|not less than|at the very least)",
        "(at most|no more than|not more than|at the very most)",
    ),
    "turned": (
        """<s> (peaked|topped out) (around|near|in) the middle and (fell back|came back down|declined again|eased again)
            |<s> <rose> to a (peak|high|maximum) and (dropped away|fell back|came down|fell off) again
            |<s> <rose> at first and gave it all back later|<s> came up and went back down
            |up to a (peak|high) and down again <go1> <s>""",
        """<s> (dipped|bottomed out) (around|near|in) the middle and (recovered|bounced back|rose again|picked up again)
            |<s> <rose> to a (trough|low|minimum) and (climbed|came|went|rose) back up again
            |<s> <rose> at first and made it all good later|<s> went down and came back up
            |down to a (trough|low) and up again <go1> <s>""",
    ),
    "middled": (
        "<s> (swelled|was up|stood higher|peaked) in the middle and <be> lower (before and after|at both ends)",
        "<s> (sagged|was down|stood lower|dipped) in the middle and <be> higher (before and after|at both ends)",
    ),
    "letter": ("(Λ|hill|tent|bell shape|mountain|mound|arch)", "(V|valley|U shape|trough|hollow|deep V)"),
    "upper": ("upper", "lower"),
}
_OPPOSITE = {"fell": "rose", "falling": "rising", "a_fall": "a_rise", "fall": "rise", "downup": "updown", "low": "high"}
_SIGN_WORDS = {
    sign: {symbol: phrase(pair[0 if sign > 0 else 1]) for symbol, pair in _SIGNED.items()} for sign in (1, -1)
}


def _signed(sign: int, tense: int, plural: bool) -> Words:
    def of(sign: int) -> dict[str, Phrase]:
        up = sign > 0
        return {
            **_SIGN_WORDS[sign],
            "rose": _conjugated(_RISE if up else _FALL, tense, plural),
            "jumped": _conjugated(_JUMP if up else _PLUNGE, tense, plural),
            "went_past": _conjugated(_PAST_UP if up else _PAST_DOWN, tense, plural),
            "peaked": _conjugated(_PEAK if up else _TROUGH, tense, plural),
        }

    other = of(-sign)
    return {**of(sign), **{symbol: other[own] for symbol, own in _OPPOSITE.items()}}


SIGNS = {
    (sign, tense, plural): _signed(sign, tense, plural)
    for sign in (1, -1)
    for tense in (PAST, PRESENT)
    for plural in (False, True)
}
_DEGREES = {  # symbol: the words for 1 to 4
    "advm": (
        "(slightly|a little|a bit|somewhat|a touch|marginally|a tad|gently|modestly)",
        "(||clearly|noticeably)",
        "(sharply|strongly|a lot|considerably|markedly|steeply|a good deal|substantially|significantly|by a lot)",
        "(dramatically|massively|enormously|extremely sharply|hugely|spectacularly|like mad|drastically)",
    ),
    "advpre": ("slightly", "", "(sharply|strongly|markedly)", "(dramatically|massively)"),
    "adjm": (
        "(slight|small|modest|minor|gentle|mild|marginal|little)",
        "(||clear|noticeable)",
        "(sharp|strong|big|marked|considerable|steep|substantial|significant|hefty|pronounced)",
        "(dramatic|massive|huge|enormous|spectacular|drastic|whopping|tremendous)",
    ),
    "advm2": ("(slightly|a bit)", "(|clearly)", "(much|considerably|markedly)", "(far|very much)"),
    "adverb3": ("", "", "(very|really|very)", "(extremely|exceptionally)"),
    "well": ("(slightly|somewhat|a bit)", "(|clearly)", "(well|far)", "(very far|extremely far|way)"),
}
DEGREES = {
    degree: {symbol: phrase(options[degree - 1]) for symbol, options in _DEGREES.items()} for degree in (1, 2, 3, 4)
}
ADVERBS = {  # fairly, plainly, very, extremely
    1: "(fairly|rather|somewhat|quite|moderately|reasonably|relatively|pretty)",
    2: "",
    3: "(very|very|really|very|awfully|decidedly|remarkably|seriously|terribly)",
    4: "(extremely|exceptionally|incredibly|exceedingly|extraordinarily|unbelievably|unusually)",
}
_NOT_GRADED = {
    1: ("slightly (elevated|raised)", "slightly (reduced|depressed)"),
    2: ("(elevated|above-average)", "(reduced|below-average)"),
    3: ("(strongly elevated|well above-average)", "(strongly reduced|well below-average)"),
    4: ("(extremely elevated|sky-high|extreme)", "(extremely reduced|rock-bottom|minimal)"),
}
_ONSIDE = {  # behind a verb: the humidity was on the high side
    1: (
        "(on the high side|a bit up|a touch high|higher than usual|upper normal)",
        "(on the low side|a bit down|a touch low|lower than usual|lower normal)",
    ),
    2: (
        "(above par|up|above average|well up|in the upper range|in the upper third)",
        "(below par|down|below average|well down|in the lower range|in the lower third)",
    ),
    3: (
        "(up high|way up|way above par|through the roof|near the top)",
        "(down low|way down|way below par|on the floor|near the bottom)",
    ),
    4: (
        "(off the scale|sky-high|at extreme heights|as high as it gets)",
        "(at rock bottom|extremely far down|in the basement|as low as it gets)",
    ),
}
LEVELS = {
    (sign, degree): {
        "onside": phrase(_ONSIDE[degree][0 if sign > 0 else 1]),
        "grad": phrase(f"{adverb} {'high' if sign > 0 else 'low'}"),
        "nongrad": phrase(_NOT_GRADED[degree][0 if sign > 0 else 1]),
    }
    for sign in (1, -1)
    for degree, adverb in ADVERBS.items()
}
MANY = {  # of what is counted, by sign and degree
    (1, 1): phrase("quite a few", "fairly many"),
    (1, 2): phrase("many", "a lot of", "lots of", "numerous", "plenty of"),
    (1, 3): phrase("very many", "a great many", "really many"),
    (1, 4): phrase("extremely many", "a huge number of", "an exceptional number of"),
    (-1, 1): phrase("rather few", "fairly few"),
    (-1, 2): phrase("few", "not many", "only a few"),
    (-1, 3): phrase("very few", "hardly any", "really few"),
    (-1, 4): phrase("extremely few", "next to no", "almost no"),
}
SEASON = "for the (season|time of [the] year)"
MONTH = "(for <month>|for a <month> <period>|for the month of <month>)"


@cache
def _base(tense: int, plural: bool, sign: int, degree: int) -> dict[str, Phrase]:
    return {**VERBS[tense, plural], **SIGNS[sign, tense, plural], **DEGREES[degree], **LEVELS[sign, degree]}


def symbols(tense: int, plural: bool, sign: int, degree: int) -> dict[str, Phrase]:
    """What the symbols stand for that depend on no channel."""
    return _base(tense, plural, sign, degree).copy()
