"""What a channel of a corpus is called, and the everyday words that may stand for it there."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from data_modules.flows import component
from data_modules.statements.grammar import Phrase, choice, literal, phrase
from data_modules.statements.inflection import ADVERBS
from data_modules.statements.lexicon import quantity
from data_modules.statements.quantities import Quantity, State, entries
from data_modules.statements.verbs import clauses, is_plural
from trace_lit.channels import Channel

_MODIFIERS = {"relative", "air", "mean", "average", "total", "net", "grid", "peripheral", "core", "retail", "surface"}
_NOT_A_NOUN = re.compile(r"^(how|with|without|the|of|in|for|where|when|what|high|low|and|whether|positive|negative)\b")
_SENTENCE = re.compile(r"\b(is|are|was|were|which|that|from|to|who|has|have|with|without)\b|[()\d,]")
_NOT_OF = {"spot", "market", "average", "mean", "unit", "retail", "wholesale", "total"}
_SYNONYMS = (  # one after another, each makes another name
    {"gasoline": "petrol", "influenza": "flu", "all": "total", "generation": "production"},
    {"gasoline": "gas", "ratio": "share", "deaths": "fatalities", "generation": "output"},
)
_COMMON = 5  # of the names of a quantity are used more often than the rest
_COUNTED = re.compile(r"[a-z]{3,}s")  # a unit such as deaths or patients
_OF = ("price", "ratio", "volume", "share", "output", "cost", "number", "count")
_DEFINITE = re.compile(r"^(the|a|an)\b")
_GRADABLE = {  # nouns that begin with them take "very"
    *("strong", "high", "light", "weak", "heavy", "low", "warm", "cold", "cool", "mild", "humid", "moist", "damp"),
    *("muggy", "dry", "fast", "rapid", "slow", "thick", "clean", "polluted", "bad", "good", "busy", "quiet", "poor"),
    *("calm", "rough", "expensive", "cheap", "dear", "costly", "tight", "soft", "steep", "ample", "clear", "cloudy"),
    *("brisk", "gentle", "raised", "elevated", "windy", "chilly", "wintry", "summery", "balmy", "dense", "deep"),
}
_QUANTIFIED = re.compile(
    r"(a (lot|lack|few|little|mass|flood|whisper|loss|deficit|rush)|plenty|lots|masses|hardly|little|not|next|few"
    r"|barely|scarcely|practically"
    r"|virtually|almost|no|enough|much|many|more|fewer|less|absolute|air (short|without|close|full)"
    r"|[a-z ]+ (in|of) abundance"
    r"|winds that|(very|extremely|exceptionally|incredibly) )\b"
)
_AGES = re.compile(
    r"^(?P<head>.+?),? aged? (?:(?P<low>\d+)(?: to |-| and (?:over|older|above)|\+)|under )(?P<high>\d+)?$",
    re.IGNORECASE,
)
_OF_PEOPLE = re.compile(
    r"\b(deaths?|patients?|cases|infections|admissions|hospitali[sz]ations|visits|consultations|vaccinations|people|persons"
    r"|(un)?employment|incidence|mortality)\b",
    re.IGNORECASE,
)
_PEOPLE_ALREADY = re.compile(r"( (among|of|in))? (people|persons|those)$", re.IGNORECASE)
_OLDEST = 100
_PEOPLE = (  # least age, most age, and what people between them are called
    (0, 6, ("small children", "toddlers", "infants", "the very young", "preschoolers")),
    (0, 19, ("children", "children and teenagers")),
    (5, 25, ("the young", "young people")),
    (15, 66, ("people of working age",)),
    (18, _OLDEST, ("adults",)),
    (40, 66, ("the middle-aged", "middle-aged people")),
    (65, _OLDEST, ("the elderly", "seniors", "old people", "pensioners", "older people")),
)
_LEADING_ARTICLE = re.compile(r"(an?|the) ", re.IGNORECASE)
_ANY = ("values", "series", "curve", "line", "graph", "numbers", "readings", "level")  # names of an only channel
PREDICATIVE = re.compile(  # an adjective that goes before no noun
    r"\b(on|as|like|of|with|without|outside|for|at|up|in|to|about|over|easy|going|out|not|the|hell)\b"
)


@dataclass(frozen=True)
class Name:
    """One of a channel's names."""

    bare: Phrase  # goes behind an adjective
    subject: Phrase  # begins a clause, or follows "in" and "of"
    plural: bool
    of_values: bool  # "high values of …" can be made of it


@dataclass(frozen=True)
class Spoken:
    """Clauses of one meaning, in the forms of `verbs.Clause`; None where no clause has the form."""

    stated: tuple[Phrase, Phrase]  # in the past and in the present
    asked: Phrase | None
    denied: Phrase | None
    being: Phrase | None

    @classmethod
    def of(cls, templates: Sequence[str]) -> Spoken | None:
        """The clauses of the templates, each as often as it has verbs; None without a template."""
        found = [clause for template in templates for clause in clauses(template)]
        if not found:
            return None

        def form(name: str) -> Phrase | None:
            texts = [text for clause in found if (text := getattr(clause, name))]
            return phrase(*texts) if texts else None

        past, present = form("past"), form("present")
        assert past is not None
        assert present is not None
        return cls((past, present), form("asked"), form("denied"), form("being"))


@dataclass(frozen=True)
class ChannelWords:
    """The names of a channel and, where it is the only one of its quantity, the words of that quantity.

    Tables have no entry where there is no word. `adjectives`, `attributes` (those that go before a noun), `nouns`
    (noun phrases for the state), `deniable` (those of them that follow "no") and `states` (clauses for it) are by sign
    (1 high, −1 low) and degree (1 fairly to 4 extremely); superlatives, comparatives, `moves` (clauses) and
    `move_nouns` by sign.
    """

    names: tuple[Name, ...]
    adjectives: dict[tuple[int, int], Phrase] = field(default_factory=dict)
    attributes: dict[tuple[int, int], Phrase] = field(default_factory=dict)
    nouns: dict[tuple[int, int], Phrase] = field(default_factory=dict)
    deniable: dict[tuple[int, int], Phrase] = field(default_factory=dict)
    states: dict[tuple[int, int], Spoken] = field(default_factory=dict)
    superlatives: dict[int, Phrase] = field(default_factory=dict)
    comparatives: dict[int, Phrase] = field(default_factory=dict)
    moves: dict[int, Spoken] = field(default_factory=dict)
    move_nouns: dict[int, Phrase] = field(default_factory=dict)
    conditions: Phrase | None = None
    component: tuple[str, str] | None = None  # what it is a component of, and the axis u or v
    quantity: Quantity | None = None
    counted: bool = False  # there can be many or few of it


def channel_words(channels: Sequence[Channel]) -> list[ChannelWords]:
    """The words of each channel among the others of its corpus."""
    quantities = [quantity(channel) for channel in channels]
    parts = [component(channel) for channel in channels]
    pairs = {part for part in parts if part is not None}
    found = []
    for place, channel in enumerate(channels):
        part = parts[place]
        if part is not None and {(part[0], "u"), (part[0], "v")} <= pairs:
            found.append(_component_words(channel, part))
            continue
        own = quantities[place]
        alone = own is not None and _leads(place, channels, quantities)
        wet = any(other is not None and other.kind == "precipitation" for other in quantities)
        others = [other.name for other in channels if other is not channel]
        found.append(_words(channel, own if alone else None, own, others, wet))
    if len(found) == 1:
        found = [replace(found[0], names=(*found[0].names, *_names(_ANY[1:], _ANY[:1], ())))]
    return found


def everyday_names(channels: Sequence[Channel]) -> list[list[str]]:
    """What else each channel may be called among the others of its corpus, like "flu deaths" for influenza deaths.

    Examples
    --------
    >>> names = everyday_names([Channel("influenza deaths", "deaths"), Channel("all deaths", "deaths")])
    >>> "flu deaths" in names[0], "mortality" in names[1]
    (True, True)
    """
    return [list(dict.fromkeys(name.bare.text for name in own.names)) for own in channel_words(channels)]


def _leads(place: int, channels: Sequence[Channel], quantities: Sequence[Quantity | None]) -> bool:
    """Whether the words of its quantity mean this channel: it is the only one, or the one that the others detail.

    So "gasoline price" stands before "West Coast gasoline price". An epidemic is one, however it is counted.
    """
    akin = [number for number, other in enumerate(quantities) if other is quantities[place]]
    own = quantities[place]
    if own is not None and own.kind == "epidemic":
        return place == akin[0]
    return all(channels[place].name.lower() in channels[number].name.lower() for number in akin)


def _names(texts: Sequence[str], plurals: Sequence[str], definite: Sequence[str]) -> tuple[Name, ...]:
    names = []
    for text in (*texts, *plurals):
        plural = text in plurals or is_plural(text)
        with_article = choice([literal(text), literal(f"the {text}")])
        names.append(Name(literal(text), with_article, plural, of_values=not plural))
    for text in definite:
        names.append(Name(names[0].bare, literal(text), is_plural(text), names[0].of_values))
    return tuple(names)


def _derived(channel: Channel, others: Sequence[str]) -> list[str]:
    """Names that follow from the channel's own: shortened, turned, or from its description."""
    name = " ".join(channel.name.replace("_", " ").split()) or channel.key
    found = [name, name, name]
    first, _, rest = name.partition(" ")
    if rest and first.lower() in _MODIFIERS and _free(rest, others):
        found.append(rest)
    before, _, last = name.rpartition(" ")
    if before and last.lower() in _OF and not _NOT_OF & set(before.lower().split()):
        found.append(f"{last} of {before}")
    for synonyms in _SYNONYMS:
        turned = " ".join(synonyms.get(word, word) for word in name.split())
        if turned != name and turned.lower() not in map(str.lower, others):
            found.append(turned)
    found += _of_ages(channel, name, others)
    found += _of_places(name, others)
    description = _LEADING_ARTICLE.sub("", re.split(r"[;:,.]", channel.description)[0].strip())
    words = description.split()
    if 1 < len(words) <= 4 and not _NOT_A_NOUN.match(description) and not _SENTENCE.search(description):
        found.append(description)
    return found


def _of_ages(channel: Channel, name: str, others: Sequence[str]) -> list[str]:
    """Names for what is counted of people between two ages, but for those that may mean people of other channels, too.

    Bare ones, like "seniors", only where people are counted.
    """
    ages, match = _ages(name), _AGES.match(name)
    if ages is None or match is None:
        return []
    middles = [sum(other) / 2 for own in others if (other := _ages(own)) is not None]
    found = [
        called
        for least, most, words in _PEOPLE
        if least <= ages[0] and ages[1] <= most and not any(least <= middle <= most for middle in middles)
        for called in words
        if _free(called, others)
    ]
    head = _PEOPLE_ALREADY.sub("", f" {match['head']}").strip()
    bare = found if not head or (_COUNTED.fullmatch(channel.unit) and is_plural(head)) else []
    return [*(f"{head} among {group}" for group in found if head), *bare]


def _of_places(name: str, others: Sequence[str]) -> list[str]:
    """Names for one quantity of several places, like "Midwest gasoline price" beside that of the Gulf Coast.

    A place is known by its capital letters; names of substances, which have them too, have digits or nothing else. The
    quantity without a place is that of them all.
    """
    (where, quantity), *rest = map(_place_and_quantity, (name, *others))
    last = name.rpartition(" ")[2]
    if where and quantity and any(other.lower().endswith(f" {quantity.lower()}") for other in others):
        return [f"{where} {last}", f"{quantity} in the {where}", f"the {where}"]
    if not where and sum(bool(place) and own.lower() == quantity.lower() for place, own in rest) > 1:
        return [f"national average {last}", "the national average", "the country as a whole"]
    return []


def _place_and_quantity(name: str) -> tuple[str, str]:
    words = name.split()
    place = list(itertools.takewhile(lambda word: word[0].isupper() and word[1:].islower(), words))
    return " ".join(place), " ".join(words[len(place) :])


def _ages(name: str) -> tuple[int, int] | None:
    """The least and the most age of the people that a channel is of."""
    match = _AGES.match(name)
    if match is None or not _OF_PEOPLE.search(match["head"]):
        return None
    high = int(match["high"] or _OLDEST)
    return int(match["low"] or 0), high if match["low"] else high - 1


def _words(
    channel: Channel, alone: Quantity | None, kind: Quantity | None, others: Sequence[str], wet: bool
) -> ChannelWords:
    texts = _derived(channel, others)
    plurals = [f"{name}s" for name in texts[:1] if name.endswith(" price")]
    counted = bool(_COUNTED.fullmatch(channel.unit)) and is_plural(texts[0])
    definite = [name for name in texts if _DEFINITE.match(name)]
    bare = [name for name in texts if not _DEFINITE.match(name)]
    texts = bare or [_LEADING_ARTICLE.sub("", name) for name in definite]
    definite += [f"the number of {texts[0]}"] if counted else []
    if alone is not None:
        own = [name for name in entries(alone.names) if _free(name, others)]
        own = [*(own[:_COMMON] * 2), *own]
        definite += [name for name in own if _DEFINITE.match(name)]
        texts += [name for name in own if not _DEFINITE.match(name)]
        for name in entries(alone.plurals):
            if _free(name, others):
                (definite if _DEFINITE.match(name) else plurals).append(name)
    names = _names(texts, plurals, definite)
    if kind is None or alone is None:
        return ChannelWords(names, counted=counted)
    dry = wet and kind.kind == "humidity"  # where rain is measured too, "dry" is no word of humidity
    sides = {1: kind.high, -1: State() if dry else kind.low}
    adjectives: dict[tuple[int, int], Phrase] = {}
    attributes: dict[tuple[int, int], Phrase] = {}
    nouns: dict[tuple[int, int], Phrase] = {}
    deniable: dict[tuple[int, int], Phrase] = {}
    states: dict[tuple[int, int], Spoken] = {}
    for (sign, side), (degree, adverb) in itertools.product(sides.items(), ADVERBS.items()):
        words = _adjectives(side, adverb, degree)
        before = [word for word in words if not PREDICATIVE.search(word)]
        for table, found in (
            (adjectives, words),
            (attributes, before),
            (nouns, _graded_nouns(side, adverb, degree)),
            (deniable, _deniable(_graded_nouns(side, adverb, degree))),
        ):
            if found:
                table[sign, degree] = phrase(*found)
        strong = entries(side.strong_clause) if degree >= 3 else ()
        spoken = Spoken.of((*strong, *(entries(side.clause) if degree == 2 or not strong else ())))
        if spoken is not None and degree >= 2:
            states[sign, degree] = spoken
    moves = {sign: Spoken.of(entries(move.clause)) for sign, move in ((1, kind.rise), (-1, kind.fall))}
    return ChannelWords(
        names=names,
        adjectives=adjectives,
        attributes=attributes,
        nouns=nouns,
        deniable=deniable,
        states=states,
        superlatives=_by_sign(sides[1].most, sides[-1].most),
        comparatives=_by_sign(sides[1].more, sides[-1].more),
        moves={sign: spoken for sign, spoken in moves.items() if spoken is not None},
        move_nouns=_by_sign(kind.rise.noun, kind.fall.noun),
        conditions=phrase(*entries(kind.conditions)) if kind.conditions else None,
        quantity=kind,
        counted=counted,
    )


def _free(name: str, others: Sequence[str]) -> bool:
    """Whether no other channel could be meant."""
    bare = re.sub(r"^(the|a|an) ", "", name.lower())
    return not any(re.search(rf"\b{re.escape(bare)}\b", other.lower()) for other in others)


def _adjectives(side: State, adverb: str, degree: int) -> list[str]:
    """The adjectives of a degree; those that have the degree in themselves are as many as those with an adverb."""
    plain = [word for word in entries(side.plain) if degree < 3 or not word.startswith("not ")]
    graded = [f"{adverb} {word}".strip() for word in plain]
    own = {1: entries(side.mild), 2: (), 3: entries(side.strong), 4: entries(side.extreme) * 2 + entries(side.strong)}
    whole = own[degree]
    times = max(round(len(graded) / len(whole)), 1) if whole else 0
    return [*graded, *(list(whole) * times)]


def _graded_nouns(side: State, adverb: str, degree: int) -> list[str]:
    found = list(entries(side.strong_noun)) if degree >= 3 else []
    for noun in entries(side.noun):
        article, rest = ("a ", noun[2:]) if noun.startswith("a ") else ("", noun)
        if rest.split()[0] in _GRADABLE:
            found.append(f"{article}{adverb} {rest}")
        elif degree >= 2:
            found.append(noun)
    return found


def _deniable(nouns: Sequence[str]) -> list[str]:
    """Those that "no" and "without" can deny, without their articles."""
    bare = [re.sub(r"^(an?|the|\[[^\]]*\]) ", "", noun).strip() for noun in nouns if not _QUANTIFIED.match(noun)]
    return [noun for noun in bare if noun]


def _by_sign(high: str, low: str) -> dict[int, Phrase]:
    return {sign: phrase(*entries(text)) for sign, text in ((1, high), (-1, low)) if text}


def _component_words(channel: Channel, part: tuple[str, str]) -> ChannelWords:
    what, axis = part
    toward, line = ("eastward", "west-east") if axis == "u" else ("northward", "south-north")
    texts = [
        *([channel.name] * 2),
        *(f"{toward} {what}", f"{toward} {what} component", f"{line} component of the {what}"),
        *(f"{axis} component of the {what}", f"{'zonal' if axis == 'u' else 'meridional'} {what}"),
    ]
    return ChannelWords(_names(texts, (), ()), component=part)
