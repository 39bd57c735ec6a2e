"""Facts in words: the phrase of a form, filled with a channel's words and put into a question, a phrase or a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from data_modules.frequency import Frequency
from data_modules.statements import inflection, parts
from data_modules.statements.course_phrases import COURSE_FORMS
from data_modules.statements.extreme_phrases import EXTREME_FORMS
from data_modules.statements.facts import Fact
from data_modules.statements.grammar import Draw, Phrase, Words, choice, expand, literal, phrase
from data_modules.statements.number_phrases import NUMBER_FORMS
from data_modules.statements.pair_phrases import PAIR_FORMS
from data_modules.statements.phrases import FORMS
from data_modules.statements.quantities import Idiom, Landmark, entries
from data_modules.statements.units import Number, joined
from data_modules.statements.words import PREDICATIVE, ChannelWords, Name, Spoken

_ALL_FORMS = {**FORMS, **COURSE_FORMS, **EXTREME_FORMS, **NUMBER_FORMS, **PAIR_FORMS}
_SYMBOL = re.compile(r"<(\w+)>")
_OF_TWO = ("correlation", "out of step", "more", "far more", "margin")  # forms without a second sign
_OPTIONAL = {  # symbols that not every channel, degree or landmark has words for
    *("A", "A2", "Aa", "Aa2", "noun", "noun2", "conditions", "conditions2", "most", "comp", "many", "many2", "more_n"),
    *("A_high", "A_low", "without", "without2"),
    *("A_other", "noun_other", "comp_other", "most_other", "go_clause_other"),
    *("comp2", "the_more"),
    *("rising_alone", "a_rise_alone", "peak_alone", "peaking_alone", "flat_alone"),
    *("rose_alone", "fell_alone", "peaked_alone", "shape_alone", "trend_up_alone"),
    *("highest_alone", "levels_alone"),
    *(
        "state",
        "state2",
        "state_ask",
        "state_deny",
        "go_clause",
        "go_clause2",
        "move_ask",
        "move_deny",
        "move_being",
        "movenoun",
    ),
    *("both_rose", "grad_both", "mark_noun", "mark_clause", "mark_ask", "mark_deny", "mark_without", "mark_A"),
}
_MODES = {"noun": 36, "clause": 30, "short": 16, "adjective": 12, "whole": 8}  # how often each is chosen
_ARTICLE = re.compile(r"\ba(?= (?:[aeio]|u(?!ni|se|su|p and)|hour))")  # names like "influenza A" have a capital
_TWO_ARTICLES = re.compile(r"\b([Aa]ny|[Ss]ome|[Nn]o) (?:an?|the) ")
_TWICE = re.compile(r"\b(in|on|at|over) \1\b")  # "sweeps in in the evening"
_MARKED = {"adjective": "A", "noun": "noun", "clause": "clause"}  # the words of idioms and landmarks
_SUBJECT = literal("it")
_ALONE = (
    "rising",
    "a_rise",
    "peak",
    "peaking",
    "rose",
    "fell",
    "peaked",
    "trend_up",
    "highest",
)  # words that name no channel, of an only one
_FLAT = phrase("flat", "steady", "constant", "stable", "level")
_LEVELS = phrase("levels off", "flattens out", "evens out")
UNNAMED = 0.4  # how often an only channel is not named

_ASK = """(find|show|show me|give me|list|get|search for|look for|looking for|I am looking for
    |I'm looking for|I want|I need|I'm after
    |pull up|fetch|bring up|hunting for|let me see|let's see|I'd like|I'd like to see|please find
    |can you find|could you find
    |pick out|dig out|dig up|retrieve|point me to|check for)"""
_FRAMES = {
    "noun": phrase(
        *("<core>",) * 13,
        *(f"{_ASK} <core>",) * 3,
        *(f"{_ASK} [all|some|any] <periods> (with|of|that have|showing|having|featuring) <core>",) * 3,
        "[a] <period> (with|of) <core>",
        *("<periods> (with|of|showing) <core>",) * 2,
        "(which|what) <periods> (had|have|show|saw|brought) <core>?",
        "when (did we have|did we see|do we see|did they record|did we get|was there) <core>?",
        "(anything|something|any <period>|any <periods>|some <period>) with <core>[?]",
        "(is|was) there (a|any) <period> with <core>?",
        "<core>, please",
        "(the <period> had|the <period> brought|it shows|we had|this <period> shows) <core>",
        "(a case of|an example of|examples of|an instance of|cases of) <core>",
        "(what about|how about|any sign of|any) <core>?",
        "(only|just) <periods> with <core>",
        "(got any|have you got any|is there any|was there any|I wonder if there was any) <core>?",
        "(got any|are there any|were there any|have you got) <periods> with <core>?",
    ),
    "clause": phrase(
        *("<core>",) * 12,
        f"{_ASK} [all|some|any] <periods> (when|where|in which|during which|on which) <core>",
        "(find|show me|list|give me|I'm after|looking for|got|pull up) (some|any) <periods> (when|where) <core>",
        *("<periods> (when|where|in which) <core>",) * 2,
        "a <period> (when|in which|where) <core>",
        "(times|cases|situations|occasions|examples) (when|where) <core>",
        "(in this <period>|over the <period>|during the <period>|here), <core>",
        "a <period> like this: <core>",
        "any <periods> where <core>?",
        "(is|was) there a <period> (when|where) <core>?",
        "(find me one|one|the ones) where <core>",
        "(what happened when|when was it that|when was it:) <core>",
    ),
    "adjective": phrase(
        *("a <core> <period>",) * 2,
        *("<core>",) * 4,
        *("it <be1> <core>",) * 2,
        "(find|show me|list|get|I'm after|got any|looking for|pull up) <core> <periods>",
        "(find|show me|list) [all|the|some] <periods> that <were> <core>",
        "<periods> when it <be1> <core>",
        "when (<be1>|was) it <core>?",
        "(looking for|I want|give me|I'm after|pick) a <core> <period>",
        *(
            "the <period> <be1> <core>",
            "something <core>",
            "anything <core>?",
            "<core>?",
            "<core>, please",
            "was it <core>?",
        ),
        *("<core> <periods>",) * 2,
        "which <periods> were <core>?",
    ),
    "short": phrase(
        *("<core>",) * 8, "<core>, please", "<periods>: <core>", "(find|show|search|wanted|filter): <core>", "<core>?"
    ),
    "whole": phrase("<core>"),
}
_LONG_ADJECTIVE = phrase(  # "warm in the evening" goes before no noun
    *("<core>",) * 4,
    *("it <be1> <core>",) * 2,
    "(find|show me|list|got|I'm after|pull up) (all|the|some|any) <periods> that <were> <core>",
    "<periods> when it <be1> <core>",
    *("when <be1> it <core>?", "was it <core>?", "something <core>", "which <periods> were <core>?", "<core>, please"),
    "the <period> <be1> <core>",
)
_NEGATIVE = ("no ", "not ", "never ", "neither ", "nothing ", "without ")
_NEGATIVE_NOUN = phrase(  # "give me no rain" asks for nothing
    *("<core>",) * 4,
    *("(find|show me|give me|list|get) [all|some|the|any] <periods> (with|that have|that show|having) <core>",) * 2,
    *("<periods> with <core>",) * 2,
    "[a] <period> with <core>",
    "(which|what) <periods> had <core>?",
    "(the <period> had|the <period> saw) <core>",
)
_TWO = {  # how two statements are joined, if both are alike in mode
    "noun": phrase("<one> and <two>", "<one> with <two>", "<one>, <two>", "<one> as well as <two>"),
    "clause": phrase("<one> and <two>", "<one> and <two>", "<one> while <two>", "<one>, and <two>", "<one>; <two>"),
    "adjective": phrase("<one> and <two>", "both <one> and <two>"),
    "short": phrase("<one>, <two>", "<one> and <two>", "<one> + <two>", "<one> with <two>"),
}


def _first() -> float:
    return 0.0


@cache
def _parsed(form: str) -> dict[str, tuple[tuple[Phrase, frozenset[str]], ...]]:
    return {
        mode: tuple((phrase(text), frozenset(_SYMBOL.findall(text)) & _OPTIONAL) for text in texts)
        for mode, texts in _ALL_FORMS[form].items()
    }


@cache
def _usable(form: str, mode: str, there: frozenset[str]) -> Phrase | None:
    options = [own for own, needed in _parsed(form).get(mode, ()) if needed <= there]
    return choice(options) if options else None


@cache
def _options(form: str, there: frozenset[str]) -> list[tuple[str, Phrase]]:
    """Modes and their phrases, each as often as it is to be chosen."""
    usable = [(mode, _usable(form, mode, there), times) for mode, times in _MODES.items()]
    return [(mode, own) for mode, own, times in usable if own is not None for _ in range(times)]


def _form(fact: Fact) -> str:
    """The key of its phrases; some forms have one a sign."""
    signed = f"{fact.form}{'+' if fact.sign > 0 else '-'}"
    return signed if signed in _ALL_FORMS else fact.form


class Wording:
    """Facts of one corpus in words.

    Parameters
    ----------
    words
        One a channel.
    frequency, steps
        Of the typical window, to call it a day or a week; without a frequency it is a period.
    """

    def __init__(self, words: Sequence[ChannelWords], frequency: str | None, steps: int) -> None:
        self.words = words
        self._unnamed = UNNAMED if len(words) == 1 else 0.0
        one, many = _period_words(frequency, steps)
        self.common = {
            "period": phrase(*one),
            "periods": phrase(*many),
            "steps": literal(_step_words(frequency)),
            "throughout": phrase(
                *(
                    "throughout",
                    "all the time",
                    "the whole time",
                    "from start to finish",
                    "from beginning to end",
                    "at all times",
                ),
                *(
                    "for the (whole|entire) <period>",
                    "the entire <period>",
                    "the whole <period>",
                    "all along",
                    "without a break",
                ),
                *(("day and night", "around the clock", "round the clock") if _tells_hours(frequency) else ()),
            ),
        }

        self._frame_words = [
            {**self.common, **{own: inflection.VERBS[tense, False][own] for own in ("be1", "were")}}
            for tense in (inflection.PAST, inflection.PRESENT)
        ]

    def one(self, fact: Fact, draw: Draw) -> str:
        """The fact as a question, a phrase or a sentence."""
        tense = int(draw() < 0.4)
        pronoun = draw() < self._unnamed and fact.form not in _NO_PRONOUN
        symbols = self._symbols(fact, tense, draw, pronoun)
        options = _options(_form(fact), _there(symbols))
        mode, core_phrase = options[int(draw() * len(options))]
        core = expand(core_phrase, symbols, draw)
        if pronoun and core.startswith("it ") and draw() < 0.5:
            return _finished(core.removeprefix("it "), mode, draw)  # "rises, then falls"
        return self._framed(mode, core, tense, fact, draw)

    def two(self, first: Fact, second: Fact, draw: Draw) -> str:
        """Both facts in one; the second of the same channel is about "it"."""
        tense = int(draw() < 0.4)
        same = first.channels == second.channels
        sides = [self._symbols(first, tense, draw), self._symbols(second, tense, draw, pronoun=same)]
        keys = [(_form(fact), _there(own)) for fact, own in zip((first, second), sides, strict=True)]
        modes = (
            ["clause"] if same else [mode for mode in _TWO if all(_usable(form, mode, there) for form, there in keys)]
        )
        mode = _weighted(modes, draw)
        cores = []
        for (form, there), symbols in zip(keys, sides, strict=True):
            own = _usable(form, mode, there)
            assert own is not None
            cores.append(literal(expand(own, symbols, draw)))
        core = expand(_TWO[mode], {"one": cores[0], "two": cores[1]}, draw)
        return self._framed(mode, core, tense, first, draw)

    def everyday(self, fact: Fact) -> dict[str, tuple[Phrase, ...]]:
        """The words of everyday language that mean the fact by themselves, by mode; empty where there are none."""
        own, side = self.words[fact.channels[0]], (fact.sign, fact.degree)
        if fact.landmark is not None and fact.form != "not landmark":
            words = _landmark_symbols(fact.landmark, inflection.PAST)
            found = [(mode, words.get(f"mark_{name}")) for mode, name in _MARKED.items()]
        elif fact.form == "level":
            spoken = own.states.get(side)
            found = [("adjective", own.adjectives.get(side)), ("noun", own.nouns.get(side))]
            found += [("clause", tense) for tense in (spoken.stated if spoken else ())]
        elif fact.form == "change" and fact.degree == 2:
            spoken = own.moves.get(fact.sign)
            found = [
                ("noun", own.move_nouns.get(fact.sign)),
                *(("clause", tense) for tense in (spoken.stated if spoken else ())),
            ]
        else:
            return {}
        entries: dict[str, dict[str, Phrase]] = {}
        for mode, own_words in found:
            for entry in () if own_words is None else own_words.options:
                entries.setdefault(mode, {}).setdefault(expand(entry, self.common, _first), entry)
        return {mode: tuple(of_mode.values()) for mode, of_mode in entries.items()}

    def in_everyday_words(self, fact: Fact, mode: str, entry: Phrase, draw: Draw) -> str:
        """One entry of `everyday` as a question, a phrase or a sentence."""
        tense = int(draw() < 0.4)
        return self._framed(mode, expand(entry, self.common, draw), tense, fact, draw)

    def joinable(self, first: Fact, second: Fact) -> bool:
        """Whether `two` can say them in one: every form has clauses; of one channel, one that "it" can begin."""
        return first.channels != second.channels or (first.form not in _NO_PRONOUN and second.form not in _NO_PRONOUN)

    def _framed(self, mode: str, core: str, tense: int, fact: Fact, draw: Draw) -> str:
        frame = _FRAMES[mode]
        if mode == "noun" and core.startswith(_NEGATIVE):
            frame = _NEGATIVE_NOUN
        if mode == "adjective" and (len(core.split()) > 2 or PREDICATIVE.search(core)):
            frame = _LONG_ADJECTIVE
        words = {**self._frame_words[tense], "core": literal(core)}
        return _finished(expand(frame, words, draw), mode, draw)

    def _symbols(self, fact: Fact, tense: int, draw: Draw, pronoun: bool = False) -> Words:
        own = self.words[fact.channels[0]]
        name = own.names[int(draw() * len(own.names))]
        sign = fact.sign or 1
        symbols = inflection.symbols(tense, name.plural and not pronoun, sign, fact.degree)
        symbols.update(self.common)
        symbols["n"] = name.bare
        symbols["s"] = _SUBJECT if pronoun else name.subject
        if pronoun and len(self.words) == 1:  # words that name no channel
            symbols.update({f"{symbol}_alone": symbols[symbol] for symbol in _ALONE})
            symbols["flat_alone"], symbols["shape_alone"] = _FLAT, symbols["shape_"]
            symbols["levels_alone"] = _LEVELS
        _add_states(symbols, own, name, sign, fact.degree, tense, "")
        if fact.degree in (2, 3):
            _add_moves(symbols, own, sign, tense)
        for symbol, side in (("most", sign), ("most_other", -sign)):
            if own.superlatives.get(side) is not None:
                symbols[symbol] = own.superlatives[side]
        for state, side in (("A_high", 1), ("A_low", -1)):
            if (side, 2) in own.adjectives:
                symbols[state] = own.adjectives[side, 2]
        for symbol, side in (("comp", sign), ("comp_other", -sign)):
            if own.comparatives.get(side) is not None:
                symbols[symbol] = own.comparatives[side]
        for symbol, table in (("A_other", own.adjectives), ("noun_other", own.nouns)):
            if (-sign, 2) in table:
                symbols[symbol] = table[-sign, 2]
        if -sign in own.moves:
            symbols["go_clause_other"] = own.moves[-sign].stated[tense]
        if fact.part:
            self._add_part(symbols, fact)
        for number, symbol in zip(fact.numbers, ("x", "x2"), strict=False):
            symbols[symbol] = literal(number.text(draw))
        match fact.numbers:
            case (Number() as low, Number() as high):
                symbols.update({symbol: literal(text) for symbol, text in joined(low, high, draw).items()})
        if fact.landmark is not None:
            symbols.update(_landmark_symbols(fact.landmark, tense))
        if own.component is not None:
            self._add_flow(symbols, own.component)
        if (len(fact.channels) > 1 and fact.other_sign) or fact.form in _OF_TWO:
            self._add_second(symbols, fact, tense, draw)
        return symbols

    def _add_part(self, symbols: dict[str, Phrase], fact: Fact) -> None:
        if fact.form == "season":
            if fact.part.isdecimal():
                symbols["month"] = literal(parts.MONTHS[int(fact.part) - 1])
            symbols["for_season"] = phrase(inflection.MONTH if fact.part.isdecimal() else inflection.SEASON)
        elif ">" in fact.part:
            for symbol, part in zip(("in_part", "in_part2"), fact.part.split(">"), strict=True):
                symbols[symbol] = phrase(parts.SHORT_PARTS[part])
        elif fact.part in parts.PARTS:
            symbols["in_part"] = phrase(parts.PARTS[fact.part])
        else:
            for suffix, name in zip(("", "2"), fact.part.split(), strict=False):
                for symbol, words in zip(("dir", "erly", "er", "ers"), parts.COMPASS[name], strict=True):
                    symbols[f"{symbol}{suffix}"] = phrase(words)

    def _add_flow(self, symbols: dict[str, Phrase], component: tuple[str, str]) -> None:
        what = component[0]
        symbols["w1"] = literal(what)
        symbols["w"] = (
            phrase(*("wind",) * 4, "winds", "winds", "breeze", "breezes") if what == "wind" else literal(what)
        )

    def _add_second(self, symbols: dict[str, Phrase], fact: Fact, tense: int, draw: Draw) -> None:
        other = self.words[fact.channels[-1]]
        name = other.names[int(draw() * len(other.names))]
        sign, same = fact.other_sign or 1, fact.sign == fact.other_sign
        signed = inflection.SIGNS[sign, tense, name.plural]
        symbols.update(
            n2=name.bare,
            s2=name.subject,
            be2=inflection.VERBS[tense, name.plural]["be"],
            not_be2=inflection.VERBS[tense, name.plural]["not_be"],
            grad2=inflection.LEVELS[sign, fact.degree]["grad"],
            is2=phrase({(0, 0): "was", (0, 1): "were", (1, 0): "is", (1, 1): "are"}[tense, int(name.plural)]),
            andbut=phrase("and") if same else phrase("and", "but", "yet"),
            **{f"{symbol}2": signed[symbol] for symbol in ("rose", "rise", "rising", "a_rise", "updown")},
        )
        _add_states(symbols, other, name, sign, fact.degree, tense, "2")
        if other.comparatives.get(sign) is not None:
            symbols["comp2"] = other.comparatives[sign]
        this = self.words[fact.channels[0]].comparatives.get(1)
        that = other.comparatives.get(fact.sign or 1)
        if fact.form == "correlation" and this is not None and that is not None:
            symbols["more_this"], symbols["more_that"] = this, that
            symbols["the_more"] = phrase("the <more_this> it (got|became|was), the <more_that> it (got|became|was)")
        if sign in other.moves:
            symbols["go_clause2"] = other.moves[sign].stated[tense]
        if same and fact.form == "two changes":
            both = inflection.SIGNS[sign, tense, True]["rose"]
            symbols["rose_both"] = both
            symbols["both_rose"] = phrase(
                "both <n> and <n2> <rose_both>", "<s> and <s2> <rose_both> (together|at the same time)"
            )
        if same and fact.form == "two levels":
            symbols["grad_both"] = symbols["grad"]


_NO_PRONOUN = {
    *(
        "idiom",
        "not landmark",
        "landmark",
        "direction",
        "not direction",
        "never direction",
        "turning",
        "two changes",
        "two levels",
        *_OF_TWO,
        "tops",
    ),
    *("record change", "usual"),
}


def _add_states(
    symbols: dict[str, Phrase], words: ChannelWords, name: Name, sign: int, degree: int, tense: int, suffix: str
) -> None:
    if words.counted and name.plural:
        symbols[f"many{suffix}"] = inflection.MANY[sign, degree]
        symbols[f"more_n{suffix}"] = literal("more")
    for symbol, table in (
        ("A", words.adjectives),
        ("Aa", words.attributes),
        ("noun", words.nouns),
        ("without", words.deniable),
    ):
        if (sign, degree) in table:
            symbols[f"{symbol}{suffix}"] = table[sign, degree]
    if (sign, degree) in words.states:
        spoken = words.states[sign, degree]
        symbols[f"state{suffix}"] = spoken.stated[tense]
        if not suffix:
            _add(symbols, state_ask=spoken.asked, state_deny=spoken.denied)
    if words.conditions is not None:
        symbols[f"conditions{suffix}"] = words.conditions


def _add_moves(symbols: dict[str, Phrase], words: ChannelWords, sign: int, tense: int) -> None:
    if sign in words.moves:
        spoken = words.moves[sign]
        _add(
            symbols,
            go_clause=spoken.stated[tense],
            move_ask=spoken.asked,
            move_deny=spoken.denied,
            move_being=spoken.being,
        )
    if sign in words.move_nouns:
        symbols["movenoun"] = words.move_nouns[sign]


def _add(symbols: dict[str, Phrase], **own: Phrase | None) -> None:
    symbols.update({symbol: found for symbol, found in own.items() if found is not None})


@cache
def _landmark_symbols(mark: Landmark | Idiom, tense: int) -> dict[str, Phrase]:
    """The words of a landmark or an idiom, as far as it has them."""
    symbols: dict[str, Phrase] = {}
    for symbol, text in (
        ("mark_noun", mark.noun),
        ("mark_A", mark.adjective if isinstance(mark, Idiom) else ""),
        ("mark_without", mark.without if isinstance(mark, Landmark) else ""),
    ):
        if text:
            symbols[symbol] = phrase(*entries(text))
    templates = [entry for entry in entries(mark.clause) if "{" in entry]
    spoken = Spoken.of(templates)
    if spoken is not None:
        _add(symbols, mark_clause=spoken.stated[tense], mark_ask=spoken.asked, mark_deny=spoken.denied)
    return symbols


def _there(symbols: Words) -> frozenset[str]:
    return frozenset([symbol for symbol in _OPTIONAL if symbol in symbols])


def _weighted(modes: Sequence[str], draw: Draw) -> str:
    place = draw() * sum(_MODES[mode] for mode in modes)
    for mode in modes:
        place -= _MODES[mode]
        if place < 0:
            return mode
    return modes[-1]


def _finished(text: str, mode: str, draw: Draw) -> str:
    """With the article that fits, and the capital and the full stop that people write or leave out."""
    text = _TWICE.sub(r"\1", _ARTICLE.sub("an", _TWO_ARTICLES.sub(r"\1 ", text)))
    capital, stop = draw() < 0.45, draw() < (0.4 if mode == "clause" else 0.12)
    if capital:
        text = text[:1].upper() + text[1:]
    return f"{text}." if stop and not text.endswith(("?", ".")) else text


def _period_words(frequency: str | None, steps: int) -> tuple[list[str], list[str]]:
    """What a window may be called, one and several."""
    generic = ["period", "window", "stretch", "spell", "interval", "period"]
    known = {1: "day", 7: "week", 30: "month", 365: "year"}
    days = _days(frequency, steps)
    for length, word in known.items():
        if abs(days - length) <= 0.15 * length:
            generic = [*([word] * 6), *generic[:3]]
    return generic, [f"{word}es" if word.endswith("ch") else f"{word}s" for word in generic]


def _step_words(frequency: str | None) -> str:
    """What its steps may be called."""
    step = None if frequency is None else Frequency.parse(frequency)
    if step is None:
        return "readings"
    known = {3_600_000_000: "hours", 86_400_000_000: "days", 7 * 86_400_000_000: "weeks"}
    return {1: "months", 12: "years"}.get(step.months) or known.get(step.microseconds, "readings")


def _tells_hours(frequency: str | None) -> bool:
    step = None if frequency is None else Frequency.parse(frequency)
    return step is not None and step.months == 0 and 0 < step.microseconds <= 6 * 3_600_000_000


def _days(frequency: str | None, steps: int) -> float:
    """How many days a window of `steps` steps lasts; 0 if not known."""
    if frequency is None:
        return 0.0
    step = Frequency.parse(frequency)
    return steps * (step.microseconds / 86_400_000_000 + step.months * 30.4)
