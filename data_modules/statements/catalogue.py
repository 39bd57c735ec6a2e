"""The catalogue of all facts of a corpus: those of single channels, with numbers, and of two channels."""

from __future__ import annotations

import itertools
import math
import random
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence

from data_modules.rules import All, Comparison, Not, Statistic, compare
from data_modules.statements.facts import (
    ChannelFacts,
    Columns,
    Fact,
    between,
    beyond,
)
from data_modules.statements.idioms import known_idioms
from data_modules.statements.quantities import Landmark
from data_modules.statements.units import Number, measures, pick, rounded
from data_modules.statements.words import ChannelWords
from trace_lit.units import UnitError, convert

NUMBERS = 10  # of each sort and channel
PAIRS = 24  # of channels at most
IDIOM_LEVEL, IDIOM_CHANGE = 0.66, 0.45  # shares of the windows below a level, and of the sizes of change
QUADRANTS = {"north": (315.0, 45.0), "east": (45.0, 135.0), "south": (135.0, 225.0), "west": (225.0, 315.0)}
SECTORS = {  # of the compass, in degrees
    **QUADRANTS,
    "northeast": (22.5, 67.5),
    "southeast": (112.5, 157.5),
    "southwest": (202.5, 247.5),
    "northwest": (292.5, 337.5),
}
_TOLERANCE = 1e-6  # of a number: values are stored in single precision
_CONTRARY = {  # forms without a sign, and what is false where they hold
    "unchanged": ("change", "steady", "swing"),
    "usual": ("level", "throughout"),
    "constant": ("change", "swing", "turn"),
    "neither": ("change", "steady"),
    "neither level": ("level", "throughout"),
    "not level": ("level",),
    "not change": ("change", "steady"),
    "never level": ("level", "throughout"),
    "not swing": ("swing",),
    "cycle": ("unchanged", "steady"),
    "spikes": ("spike",),
    "gap": ("gap",),
    "idiom": ("idiom",),
    "landmark": ("not landmark", "landmark"),
    "not landmark": ("landmark",),
    "level": ("not level", "usual"),
    "change": ("unchanged", "not change"),
}


def facts(columns: Columns, words: Sequence[ChannelWords], clock: bool, seed: int) -> list[Fact]:
    """All that may be stated, also what no reference window decides: a bound of it is NaN."""
    draw = random.Random(seed)
    channels = columns.table.channels
    found: list[Fact] = []
    for place in range(len(channels)):
        found += ChannelFacts(columns, place, clock).all()
        found += numbers(columns, place, draw)
        kind = words[place].quantity
        for mark in kind.landmarks if kind else ():
            found += landmark(columns, place, mark)
    found += idioms(columns, words)
    found += directions(columns, words)
    pairs = list(itertools.permutations(range(len(channels)), 2))
    for first, second in draw.sample(pairs, min(len(pairs), PAIRS)):
        found += two_channels(columns, first, second)
    return found


def landmark(columns: Columns, place: int, mark: Landmark) -> Iterator[Fact]:
    """A channel passes a number with a name, or does not; of a unit that does not fit its own, the bound is NaN."""
    channel = columns.table.channels[place]
    number = mark.number
    if mark.unit and channel.unit:
        try:
            number = convert(number, mark.unit, channel.unit)
        except UnitError:
            number = math.nan
    slack = _TOLERANCE * abs(number)
    statistic = Statistic(mark.statistic, (channel.key,))
    rule = beyond(statistic, number + slack if mark.above else number - slack, 1 if mark.above else -1)
    yield Fact("landmark", "level", (place,), rule, landmark=mark)
    if mark.without:
        yield Fact("not landmark", "negation", (place,), Not(rule), landmark=mark)


def idioms(columns: Columns, words: Sequence[ChannelWords]) -> Iterator[Fact]:
    """What one word states of two or three channels."""
    kinds = {own.quantity.kind: place for place, own in enumerate(words) if own.quantity is not None}
    kinds = {"price" if kind == "fuel price" else kind: place for kind, place in kinds.items()}
    for idiom, places in known_idioms(kinds):
        parts = []
        for place, (_, name, sign) in zip(places, idiom.parts, strict=True):
            statistic = Statistic(name, (columns.table.channels[place].key,))
            if name == "mean":
                bound = columns.quantile(statistic, IDIOM_LEVEL if sign > 0 else 1 - IDIOM_LEVEL)
            else:
                bound = sign * columns.size_quantile(statistic, IDIOM_CHANGE)
            parts.append(beyond(statistic, bound, sign))
        yield Fact("idiom", "two_channels", places, All(tuple(parts)), landmark=idiom)


class _Numbers:
    """Round numbers of one channel, and the facts about them."""

    def __init__(self, columns: Columns, place: int, draw: random.Random) -> None:
        self.columns = columns
        self.channel = columns.table.channels[place]
        self.place = place
        self.draw = draw
        low, high = (
            columns.quantile(self.statistic(name), share) for name, share in (("minimum", 0.1), ("maximum", 0.9))
        )
        self.spread = high - low
        self.lowest = columns.quantile(self.statistic("minimum"), 0.0)

    def statistic(self, name: str) -> Statistic:
        return Statistic(name, (self.channel.key,))

    def round(
        self, value: float, spread: float, rounding: Callable[[float], float] = round, difference: bool = False
    ) -> Number:
        """In a customary unit, to a step that suits the spread, finely or roughly."""
        measure = pick(measures(self.channel.unit), self.draw.random)
        return rounded(value, spread / self.draw.choice((6.0, 12.0, 25.0)), measure, rounding, difference)

    def at(self, statistic: Statistic, low: float, high: float) -> float:
        """A value that a share between `low` and `high` of the reference windows lies below."""
        return self.columns.quantile(statistic, self.draw.uniform(low, high))

    def trivial(self, number: Number) -> bool:
        """Whether it is a zero that nothing lies below."""
        return number.spoken == 0 and not self.lowest < 0

    def fact(self, form: str, kind: str, rule: Comparison | All | Not, sign: int, *numbers: Number) -> Fact:
        return Fact(form, kind, (self.place,), rule, sign, numbers=numbers)

    def levels(self) -> Iterator[Fact]:
        for sign, name in itertools.product((1, -1), ("maximum", "minimum")):
            extreme = self.statistic(name)
            if (name == "maximum") == (sign > 0):  # reaches above, falls below; and its contrary
                low, high = (0.4, 0.98) if sign > 0 else (0.02, 0.6)
                number = self.round(self.at(extreme, low, high), self.spread)
                rule = _past(extreme, number, sign)
                yield self.fact("reaches", "number", rule, sign, number)
                yield self.fact("never", "negation", Not(rule), sign, number)
            else:
                low, high = (0.4, 0.98) if sign > 0 else (0.02, 0.6)
                number = self.round(self.at(extreme, low, high), self.spread)
                yield self.fact("stays", "number", _past(extreme, number, sign), sign, number)
        for sign in (1, -1):
            mean = self.statistic("mean")
            number = self.round(self.at(mean, 0.4, 0.98) if sign > 0 else self.at(mean, 0.02, 0.6), self.spread)
            yield self.fact("averages", "number", _past(mean, number, sign), sign, number)
            threshold = self.round(self.at(mean, 0.15, 0.85), self.spread)
            share = compare(
                self.channel.key,
                "share_above" if sign > 0 else "share_below",
                above=0.6,
                threshold=threshold.value + sign * _TOLERANCE * abs(threshold.value),
            )
            yield self.fact("mostly", "number", share, sign, threshold)

    def about(self) -> Iterator[Fact]:
        for form, name, kind, sign in (
            ("about", "mean", "number", 0),
            ("peaks at", "maximum", "extreme", 1),
            ("peaks at", "minimum", "extreme", -1),
        ):
            statistic = self.statistic(name)
            number = self.round(self.at(statistic, 0.02, 0.98), self.spread)
            reach = max(self.spread / 25, number.step / abs(number.measure.scale) / 2)
            yield self.fact(form, kind, between(statistic, number.value - reach, number.value + reach), sign, number)
        low = self.round(self.at(self.statistic("minimum"), 0.1, 0.7), self.spread, math.floor)
        top = self.at(self.statistic("maximum"), 0.3, 0.9)
        high = rounded(top, low.step / abs(low.measure.scale), low.measure, math.ceil)
        if high.value > low.value:
            inside = All(
                (Not(_past(self.statistic("minimum"), low, -1)), Not(_past(self.statistic("maximum"), high, 1)))
            )
            yield self.fact("within", "number", inside, 0, low, high)

    def differences(self) -> Iterator[Fact]:
        for sign in (1, -1):
            change = self.statistic("change")
            size = self.columns.size_quantile(change, self.draw.uniform(0.4, 0.95))
            if size > 0:
                number = self.round(size, size, math.floor, difference=True)
                if number.value > 0:
                    slack = _TOLERANCE * number.value
                    rule = beyond(change, sign * (number.value + slack), sign)
                    yield self.fact("moves", "number", rule, sign, number)
            span = self.statistic("range")
            size = self.at(span, 0.6, 0.97) if sign > 0 else self.at(span, 0.03, 0.4)
            if size > 0:
                number = self.round(size, size, difference=True)
                if number.value > 0:
                    yield self.fact("swings", "number", _past(span, number, sign), sign, number)


def _past(statistic: Statistic, number: Number, sign: int) -> Comparison:
    """Beyond a number; a value that equals it in single precision is not."""
    return beyond(statistic, number.value + sign * _TOLERANCE * abs(number.value), sign)


def numbers(columns: Columns, place: int, draw: random.Random) -> Iterator[Fact]:
    """Facts with numbers in customary units, drawn anew for every seed."""
    own = _Numbers(columns, place, draw)
    if not own.spread > 0:  # constant, or without a value
        return
    for _ in range(NUMBERS):
        for fact in (*own.levels(), *own.about(), *own.differences()):
            if not own.trivial(fact.numbers[-1]):
                yield fact


def directions(columns: Columns, words: Sequence[ChannelWords]) -> Iterator[Fact]:
    """Where the wind, or what else has components u and v, comes from, and how it turns."""
    axes = {word.component: place for place, word in enumerate(words) if word.component}
    for what in dict.fromkeys(part for part, _ in axes):
        if (what, "u") not in axes or (what, "v") not in axes:
            continue
        places = axes[what, "u"], axes[what, "v"]
        keys = [columns.table.channels[place].key for place in places]

        def come(sector: tuple[float, float], *over: float, keys: list[str] = keys) -> Comparison:
            return compare(keys, "direction", between=sector, over=over or (0.0, 1.0))

        for name, sector in SECTORS.items():
            yield Fact("direction", "direction", places, come(sector), part=name)
            yield Fact("not direction", "negation", places, Not(come(sector)), part=name)
        for (start, before), (end, after) in itertools.permutations(QUADRANTS.items(), 2):
            turn = All((come(before, 0.0, 0.3), come(after, 0.7, 1.0)))
            yield Fact("turning", "direction", places, turn, part=f"{start} {end}")


def two_channels(columns: Columns, first: int, second: int) -> Iterator[Fact]:
    """How two channels go together."""
    keys = [columns.table.channels[place].key for place in (first, second)]
    places = first, second
    change = [Statistic("change", (key,)) for key in keys]
    mean = [Statistic("mean", (key,)) for key in keys]
    for one, other in itertools.product((1, -1), repeat=2):
        moves = All(
            tuple(
                beyond(own, sign * columns.size_quantile(own, 0.4), sign)
                for own, sign in zip(change, (one, other), strict=True)
            )
        )
        yield Fact("two changes", "two_channels", places, moves, one, other)
        levels = All(
            tuple(
                beyond(own, columns.quantile(own, 0.7 if sign > 0 else 0.3), sign)
                for own, sign in zip(mean, (one, other), strict=True)
            )
        )
        yield Fact("two levels", "two_channels", places, levels, one, other)
    if first > second:
        return
    for sign in (1, -1):
        rule = beyond(Statistic("correlation", (keys[0], keys[1])), sign * 0.75, sign)
        yield Fact("correlation", "two_channels", places, rule, sign)
    units = {columns.table.channels[place].unit for place in places}
    if len(units) == 1 and units != {""}:
        for one, other in (places, places[::-1]):
            keys = [columns.table.channels[place].key for place in (one, other)]
            yield Fact("more", "two_channels", (one, other), compare(keys, "difference", above=0.0))


def contraries(catalogue: Sequence[Fact], seed: int, most: int = 12) -> list[list[tuple[float, list[int]]]]:
    """For each fact the places of those that differ from it in one thing, and how often such a difference is wanted.

    It may be the sign, a number, the part of the window, the channel, or what is claimed of it.
    """
    draw = random.Random(seed)
    groups: dict[Hashable, list[int]] = defaultdict(list)
    keys = [_kin(fact) for fact in catalogue]
    for place, fact in enumerate(catalogue):
        for _, key in keys[place]:
            groups[key].append(place)
        groups["form", fact.form, fact.channels].append(place)
    found = []
    for place, fact in enumerate(catalogue):
        near = []
        for weight, key in keys[place]:
            akin = [other for other in groups[key] if _differ(fact.numbers, catalogue[other].numbers, key)]
            near.append((weight, draw.sample(akin, min(len(akin), most))))
        claims = [other for form in _CONTRARY.get(fact.form, ()) for other in groups["form", form, fact.channels]]
        near.append((1.0 if fact.sign else 4.0, draw.sample(claims, min(len(claims), most))))
        others = [(weight, [other for other in places if other != place]) for weight, places in near]
        found.append([(weight, places) for weight, places in others if places])
    return found


def _differ(one: Sequence[Number], other: Sequence[Number], key: Hashable) -> bool:
    """Whether numbers that are to differ do so by more than they are rounded to."""
    if not isinstance(key, tuple) or key[0] != "number":
        return True
    return any(
        abs(mine.value - theirs.value) > max(own.step / abs(own.measure.scale) for own in (mine, theirs))
        for mine, theirs in zip(one, other, strict=True)
    )


def _kin(fact: Fact) -> list[tuple[float, Hashable]]:
    """Keys that a fact shares with those that differ from it in one thing, and how often each is wanted."""
    signs = (fact.sign, fact.other_sign)
    keys: list[tuple[float, Hashable]] = [
        (4.0, ("sign", fact.form, fact.channels, fact.degree, fact.part, fact.numbers, fact.landmark is None))
    ]
    if not fact.numbers and fact.landmark is None:
        keys.append((2.0, ("channel", fact.form, signs, fact.degree, fact.part, len(fact.channels))))
    if fact.part:
        keys.append((3.0, ("part", fact.form, fact.channels, signs, fact.degree)))
    if fact.numbers:
        keys.append((3.0, ("number", fact.form, fact.channels, signs)))
        keys.append((2.0, ("line", fact.channels, fact.numbers)))
    return keys
