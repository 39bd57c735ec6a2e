"""The catalogue of all facts of a corpus: those of single channels, with numbers, and of two channels."""

from __future__ import annotations

import itertools
import math
import random
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence

from data_modules.flows import component
from data_modules.rules import All, Not, Statistic
from data_modules.statements.directions import directions
from data_modules.statements.facts import ChannelFacts, Columns, Fact, beyond
from data_modules.statements.idioms import known_idioms
from data_modules.statements.number_facts import TOLERANCE, numbers
from data_modules.statements.quantities import Landmark
from data_modules.statements.units import Decade, Number
from data_modules.statements.words import ChannelWords
from trace_lit.units import UnitError, convert

PAIRS = 36  # of channels at most
IDIOM_LEVEL, IDIOM_CHANGE = 0.66, 0.45  # shares of the windows below a level, and of the sizes of change
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
    "one level": ("two levels",),
    "one change": ("two changes",),
    "levelling": ("change", "steady"),
    "late move": ("change", "steady"),
    "not local level": ("local level",),
    "up and down": ("unchanged", "steady"),
    "never direction": ("direction", "half direction"),
    "fixed direction": ("veer", "shifty direction"),
    "shifty direction": ("fixed direction",),
    "decade": ("averages",),
    "landmark": ("not landmark", "landmark"),
    "not landmark": ("landmark",),
    "level": ("not level", "usual"),
    "change": ("unchanged", "not change"),
}


def facts(columns: Columns, words: Sequence[ChannelWords], clock: bool, hours: float, seed: int) -> list[Fact]:
    """All that may be stated, also what no reference window decides: a bound of it is NaN.

    `hours` is how long every window lasts, 0 where they differ or no clock is spoken of.
    """
    draw = random.Random(seed)
    channels = columns.table.channels
    found: list[Fact] = []
    for place in range(len(channels)):
        found += ChannelFacts(columns, place, clock, hours).all()
        found += numbers(columns, place, hours, draw)
        kind = words[place].quantity
        for mark in kind.landmarks if kind else ():
            found += landmark(columns, place, mark)
    found += idioms(columns, words)
    found += directions(columns, words)
    found += above_others(columns)
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
    slack = TOLERANCE * abs(number)
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
        yield Fact(
            "one level", "negation", places, All((levels.parts[0], _not_so(columns, mean[1], other))), one, other
        )
        flat = Not(beyond(change[1], 0.0, other))
        yield Fact("one change", "two_channels", places, All((moves.parts[0], flat)), one, other)
    if first > second:
        return
    for sign in (1, -1):
        rule = beyond(Statistic("correlation", (keys[0], keys[1])), sign * 0.75, sign)
        yield Fact("correlation", "two_channels", places, rule, sign)
    together = Statistic("correlation", (keys[0], keys[1]))
    usually = columns.quantile(together, 0.2)
    if usually > 0:  # they go together as a rule
        yield Fact("out of step", "two_channels", places, beyond(together, min(usually, 0.6), -1), -1)
    if places[1] in _peers(columns, places[0]):
        for one, other in (places, places[::-1]):
            yield from _compared(columns, one, other)


def _peers(columns: Columns, place: int) -> list[int]:
    """The other channels of its unit; of a wind's components, there is nothing to compare."""
    channels = columns.table.channels
    own = channels[place]
    if not own.unit or component(own):
        return []
    return [
        other
        for other, channel in enumerate(channels)
        if other != place and channel.unit == own.unit and not component(channel)
    ]


def _compared(columns: Columns, one: int, other: int) -> Iterator[Fact]:
    """Two channels of one unit: which is higher, and by how much against other times."""
    away = Statistic("difference", tuple(columns.table.channels[place].key for place in (one, other)))
    yield Fact("more", "two_channels", (one, other), beyond(away, 0.0, 1))
    bound = columns.quantile(away, 0.8)
    if bound > 0:
        yield Fact("far more", "two_channels", (one, other), beyond(away, bound, 1))
    if columns.quantile(away, 0.1) > 0:  # it is nearly always higher
        for sign, share in ((1, 0.8), (-1, 0.2)):
            yield Fact("margin", "two_channels", (one, other), beyond(away, columns.quantile(away, share), sign), sign)


def above_others(columns: Columns) -> Iterator[Fact]:
    """A channel is higher or lower than all others of its unit, where there are three at least."""
    keys = [channel.key for channel in columns.table.channels]
    for one, sign in itertools.product(range(len(keys)), (1, -1)):
        peers = _peers(columns, one)
        if len(peers) > 1:
            aways = (Statistic("difference", (keys[one], keys[other])) for other in peers)
            yield Fact("tops", "two_channels", (one,), All(tuple(beyond(away, 0.0, sign) for away in aways)), sign)


def _not_so(columns: Columns, mean: Statistic, sign: int) -> Not:
    """A level that nobody would call high (for sign 1) or low."""
    return Not(beyond(mean, columns.quantile(mean, 0.55 if sign > 0 else 0.45), sign))


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


def _differ(one: Sequence[Number | Decade], other: Sequence[Number | Decade], key: Hashable) -> bool:
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
