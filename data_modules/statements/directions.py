"""Facts about where a wind, or another flow with components u and v, comes from, and how it turns."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from data_modules.rules import All, Comparison, Not, Statistic, compare
from data_modules.statements.facts import Columns, Fact, above, below, between, beyond
from data_modules.statements.measures import Flow
from data_modules.statements.words import ChannelWords

_POINTS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
_BETWEEN = (
    *("north-northeast", "east-northeast", "east-southeast", "south-southeast"),
    *("south-southwest", "west-southwest", "west-northwest", "north-northwest"),
)
SECTORS = {  # of the compass, in degrees
    name: ((45.0 * number - width) % 360, 45.0 * number + width)
    for number, name in enumerate(_POINTS)
    for width in (45.0 if number % 2 == 0 else 22.5,)
}
NARROW = {  # half-winds
    name: (45.0 * number + 11.25, 45.0 * number + 33.75) for number, name in enumerate(_BETWEEN)
}
HALVES = {"north": (290.0, 70.0), "east": (20.0, 160.0), "south": (110.0, 250.0), "west": (200.0, 340.0)}  # nearly
AXES = {"north": (1, 1), "east": (0, 1), "south": (1, -1), "west": (0, -1)}  # component; its sign away from there
LITTLE = 0.1  # of the means of a component: the share of windows whose mean is less
EARLY, LATE = (0.0, 0.3), (0.7, 1.0)
VEERED = 35.0  # degrees between both, to speak of it
STEADY, SHIFTY = 0.95, 0.6  # share of the mean speed that the mean vector has


def directions(columns: Columns, words: Sequence[ChannelWords]) -> Iterator[Fact]:
    """Of every flow whose two components are there."""
    axes = {word.component: place for place, word in enumerate(words) if word.component}
    for what in dict.fromkeys(part for part, _ in axes):
        if (what, "u") in axes and (what, "v") in axes:
            places = axes[what, "u"], axes[what, "v"]
            yield from _Flow(columns, places).all()
            if what == "wind":
                yield from _with_others(columns, words, places)


class _Flow:
    def __init__(self, columns: Columns, places: tuple[int, int]) -> None:
        self.places = places
        self.columns = columns
        self.keys = tuple(columns.table.channels[place].key for place in places)

    def come(self, sector: tuple[float, float], over: tuple[float, float] = (0.0, 1.0)) -> Comparison:
        return compare(self.keys, "direction", between=sector, over=over)

    def all(self) -> Iterator[Fact]:
        for name, sector in {**SECTORS, **NARROW}.items():
            yield Fact("direction", "direction", self.places, self.come(sector), part=name)
            if name in SECTORS:
                yield Fact("not direction", "negation", self.places, Not(self.come(sector)), part=name)
        for name, (axis, sign) in AXES.items():
            component = Statistic("minimum" if sign > 0 else "maximum", (self.keys[axis],))
            usual = self.columns.size_quantile(Statistic("mean", (self.keys[axis],)), LITTLE)
            yield Fact("never direction", "negation", self.places, beyond(component, -sign * usual, sign), part=name)
        for name, half in HALVES.items():
            yield Fact("half direction", "direction", self.places, self.come(half), part=name)
        for (start, before), (end, after) in itertools.permutations(SECTORS.items(), 2):
            if 2 <= (_POINTS.index(start) - _POINTS.index(end)) % 8 <= 6:  # sectors that share nothing
                turn = All((self.come(before, EARLY), self.come(after, LATE)))
                yield Fact("turning", "direction", self.places, turn, part=f"{start} {end}")
        veer, constancy = (Flow(name, self.keys) for name in ("veer", "constancy"))
        for sign in (1, -1):
            bounds = sorted((sign * VEERED, sign * 150.0))  # a turn by half a circle has no sense of rotation
            yield Fact("veer", "direction", self.places, between(veer, *bounds), sign)
        yield Fact("fixed direction", "direction", self.places, above(constancy, STEADY))
        yield Fact("shifty direction", "direction", self.places, below(constancy, SHIFTY))


def _with_others(columns: Columns, words: Sequence[ChannelWords], places: tuple[int, int]) -> Iterator[Fact]:
    """A direction of the wind with its speed, its warmth or its moisture."""
    flow = _Flow(columns, places)
    for place, own in enumerate(words):
        kind = own.quantity.kind if own.quantity is not None else ""
        if kind not in ("wind", "temperature", "humidity", "pressure"):
            continue
        mean = Statistic("mean", (columns.table.channels[place].key,))
        for sign, (name, sector) in itertools.product((1, -1), SECTORS.items()):
            level = beyond(mean, columns.quantile(mean, 0.68 if sign > 0 else 0.32), sign)
            form = "direction speed" if kind == "wind" else "direction with"
            rule = All((flow.come(sector), level))
            yield Fact(form, "direction", (*places, place), rule, sign, sign, part=name)
