"""What a channel of a corpus is called, and the everyday words that may stand for it there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from data_modules.statements.grammar import Phrase, choice, literal, phrase
from data_modules.statements.lexicon import Quantity, component, quantity
from trace_lit.channels import Channel

_MODIFIERS = {"relative", "air", "mean", "average", "total", "net", "grid", "peripheral", "core", "retail", "surface"}
_NOT_A_NOUN = re.compile(r"^(how|with|without|the|of|in|for|where|when|what|high|low|and|whether|positive|negative)\b")
_SENTENCE = re.compile(r"\b(is|are|was|were|which|that|from|to|who|has|have)\b|[()\d,]")
_HEAD = re.compile(r" (in|of|from|for|at|on|aged|tested|without|with|by|per|a|above|under|over)\b")
_SINGULAR = re.compile(r"(ss|us|is|ies|news|gas|mas|[^aeiou]as)$")
_NOT_OF = {"spot", "market", "average", "mean", "unit", "retail", "wholesale", "total"}
_SYNONYMS = (  # one after another, each makes another name
    {"gasoline": "petrol", "influenza": "flu", "all": "total", "generation": "production"},
    {"gasoline": "gas", "ratio": "share", "deaths": "fatalities", "generation": "output"},
)
_COUNTED = re.compile(r"[a-z]{3,}s")  # a unit such as deaths or patients
_OF = ("price", "ratio", "volume", "share", "output", "cost", "number", "count")
_DEFINITE = re.compile(r"^(the|a|an)\b")
_GRADABLE = {
    *("strong", "high", "light", "weak", "heavy", "low", "warm", "cold", "cool", "mild", "humid", "moist", "damp"),
    *("muggy", "dry", "fast", "rapid", "slow", "thick", "clean", "polluted", "bad", "good", "busy", "quiet", "poor"),
}


@dataclass(frozen=True)
class Name:
    """One of a channel's names."""

    bare: Phrase  # goes behind an adjective
    subject: Phrase  # begins a clause, or follows "in" and "of"
    plural: bool
    of_values: bool  # "high values of …" can be made of it


@dataclass(frozen=True)
class ChannelWords:
    """The names of a channel and, where it is the only one of its quantity, the words of that quantity.

    Phrases are None where there is none. `adjectives` are by sign (1 high, −1 low) and degree (1 fairly to 4
    extremely), `nouns` likewise: noun phrases for the state.
    """

    names: tuple[Name, ...]
    adjectives: dict[tuple[int, int], Phrase]
    nouns: dict[tuple[int, int], Phrase]
    superlatives: dict[int, Phrase]
    moves: dict[int, Phrase]  # clauses in the past, by sign of the change
    move_nouns: dict[int, Phrase]
    conditions: Phrase | None
    component: tuple[str, str] | None  # what it is a component of, and the axis u or v
    landmarks: Quantity | None
    counted: bool  # there can be many or few of it


ADVERBS = {
    1: "(fairly|rather|somewhat|quite|moderately)",
    2: "",
    3: "(very|very|really)",
    4: "(extremely|exceptionally|incredibly|exceedingly)",
}


def is_plural(name: str) -> bool:
    """Whether the name's head noun is in the plural: "influenza deaths", "specimens tested"."""
    head = _HEAD.split(name.lower())[0].split()[-1:]
    return bool(head) and len(head[0]) > 3 and head[0].endswith("s") and not _SINGULAR.search(head[0])


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
        others = [other.name.lower() for other in channels if other is not channel]
        found.append(_words(channel, own if alone else None, own, others, wet))
    return found


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
    if (
        rest
        and first.lower() in _MODIFIERS
        and not any(re.search(rf"\b{re.escape(rest.lower())}\b", o) for o in others)
    ):
        found.append(rest)
    before, _, last = name.rpartition(" ")
    if before and last.lower() in _OF and not _NOT_OF & set(before.lower().split()):
        found.append(f"{last} of {before}")
    for synonyms in _SYNONYMS:
        turned = " ".join(synonyms.get(word, word) for word in name.split())
        if turned != name and turned.lower() not in others:
            found.append(turned)
    description = re.split(r"[;:,.]", channel.description)[0].strip()
    words = description.split()
    if 1 < len(words) <= 4 and not _NOT_A_NOUN.match(description) and not _SENTENCE.search(description):
        found.append(description)
    return found


def _words(
    channel: Channel, alone: Quantity | None, kind: Quantity | None, others: Sequence[str], wet: bool
) -> ChannelWords:
    texts = _derived(channel, others)
    plurals = [f"{name}s" for name in texts[:1] if name.endswith(" price")]
    counted = bool(_COUNTED.fullmatch(channel.unit)) and is_plural(texts[0])
    definite = [f"the number of {texts[0]}"] if counted else []
    if alone is not None:
        definite += [name for name in alone.names if _DEFINITE.match(name)]
        texts += [name for name in alone.names if name not in definite and _free(name, others)]
        plurals += [name.removeprefix("the ") for name in alone.plurals if _free(name, others)]
    if kind is None or alone is None:
        return ChannelWords(_names(texts, plurals, definite), {}, {}, {}, {}, {}, None, None, None, counted)
    dry = wet and kind.kind == "humidity"  # where rain is measured too, "dry" is no word of humidity
    adjectives, nouns = {}, {}
    for sign, mild, plain, strong, noun in (
        (1, kind.fairly_high, kind.high, kind.very_high, kind.high_noun),
        (-1, kind.fairly_low, () if dry else kind.low, () if dry else kind.very_low, kind.low_noun),
    ):
        for degree, adverb in ADVERBS.items():
            graded = [f"{adverb} {word}" for word in plain if degree < 3 or not word.startswith("not ")]
            whole = list(strong) * 2 if degree >= 3 else list(mild) * 2 if degree == 1 else []
            if graded or whole:
                adjectives[sign, degree] = phrase(*graded, *whole)
            phrases = _graded_nouns(noun, adverb, degree)
            if phrases:
                nouns[sign, degree] = phrase(*phrases)
    return ChannelWords(
        names=_names(texts, plurals, definite),
        adjectives=adjectives,
        nouns=nouns,
        superlatives=_by_sign(kind.most, () if dry else kind.least),
        moves=_by_sign(kind.rise, kind.fall),
        move_nouns=_by_sign(kind.rise_noun, kind.fall_noun),
        conditions=phrase(*kind.conditions) if kind.conditions else None,
        component=None,
        landmarks=kind,
        counted=counted,
    )


def _free(name: str, others: Sequence[str]) -> bool:
    """Whether no other channel could be meant."""
    bare = re.sub(r"^(the|a|an) ", "", name.lower())
    return not any(re.search(rf"\b{re.escape(bare)}\b", other) for other in others)


def _graded_nouns(nouns: Sequence[str], adverb: str, degree: int) -> list[str]:
    found = []
    for noun in nouns:
        article, rest = ("a ", noun[2:]) if noun.startswith("a ") else ("", noun)
        if rest.split()[0] in _GRADABLE:
            found.append(f"{article}{adverb} {rest}")
        elif degree >= 2:
            found.append(noun)
    return found


def _by_sign(high: Sequence[str], low: Sequence[str]) -> dict[int, Phrase]:
    return {sign: phrase(*options) for sign, options in ((1, high), (-1, low)) if options}


def _component_words(channel: Channel, part: tuple[str, str]) -> ChannelWords:
    what, axis = part
    toward, line = ("eastward", "west-east") if axis == "u" else ("northward", "south-north")
    texts = [
        *([channel.name] * 2),
        *(f"{toward} {what}", f"{toward} {what} component", f"{line} component of the {what}"),
        *(f"{axis} component of the {what}", f"{'zonal' if axis == 'u' else 'meridional'} {what}"),
    ]
    return ChannelWords(_names(texts, (), ()), {}, {}, {}, {}, {}, None, part, None, False)
