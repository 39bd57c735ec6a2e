"""What can be stated of a corpus's windows: a catalogue of facts, each with its rule.

Thresholds come from the reference windows, those of the training rows: "very high" is a mean above that of 92 % of
them. A bound is a number in the channel's unit, so that a fact means the same for every other window.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from data_modules.rules import All, Comparison, Not, Rule, Statistic, WindowTable
from data_modules.rules import Number as Bound
from data_modules.statements.measures import Clock, Season, Shape, months_of
from data_modules.statements.quantities import Idiom, Landmark
from data_modules.statements.units import Decade, Number

LEVELS = {1: 0.65, 2: 0.82, 3: 0.92, 4: 0.98}  # fairly, plainly, very, extremely: the share of windows below
CHANGES = {2: 0.5, 3: 0.8, 4: 0.94}  # of the sizes of change
PARTS = {
    "first half": (0.0, 0.5),
    "second half": (0.5, 1.0),
    "start": (0.0, 0.25),
    "end": (0.75, 1.0),
    "middle": (0.35, 0.65),
    "second quarter": (0.25, 0.5),
    "third quarter": (0.5, 0.75),
    "first third": (0.0, 1 / 3),
    "middle third": (1 / 3, 2 / 3),
    "last third": (2 / 3, 1.0),
}
CLOCK = {"night": (0.0, 6.0), "morning": (6.0, 12.0), "afternoon": (12.0, 18.0), "evening": (18.0, 24.0)}
SPANS = {  # more hours of the clock, of which only levels are stated
    **{"before noon": (0.0, 12.0), "after noon": (12.0, 24.0), "midday": (11.0, 14.0), "daytime": (6.0, 18.0)},
    **{"early morning": (6.0, 9.0), "late evening": (21.0, 24.0), "early hours": (0.0, 3.0)},
    **{f"clock {start} {start + 3}": (float(start), start + 3.0) for start in range(0, 24, 3)},
}
COMPARED = (  # parts of the day
    *(("evening", "morning"), ("afternoon", "morning"), ("afternoon", "night"), ("evening", "night")),
    *(("evening", "afternoon"), ("morning", "night")),
)
THEN = 0.55  # the share beyond which the halves lie, one on this side and one on that
LENGTHS = (2, 3, 6, 12)  # of the first and the last hours
MONTH_WINDOWS = 8  # of a month at least, to know what is usual in it


@dataclass(frozen=True)
class Fact:
    """One thing that holds for some windows and fails for others.

    `form` chooses its phrases. `sign` is 1 for high, rising, above, late; −1 for the contrary; 0 where there is none.
    """

    form: str
    kind: str
    channels: tuple[int, ...]
    rule: Rule
    sign: int = 0
    other_sign: int = 0  # of the second channel
    degree: int = 2  # 1 fairly, 2 plainly, 3 very, 4 extremely
    part: str = ""  # of the window, the day, the year or the compass
    numbers: tuple[Number | Decade, ...] = ()
    landmark: Landmark | Idiom | None = None


class Columns:
    """The statistics of the reference windows, each computed once."""

    def __init__(self, table: WindowTable) -> None:
        self.table = table
        self._values: dict[Statistic, NDArray[np.float64]] = {}
        self._sorted: dict[Statistic, NDArray[np.float64]] = {}

    def values(self, statistic: Statistic) -> NDArray[np.float64]:
        """(N,) NaN where a window has none."""
        if statistic not in self._values:
            self._values[statistic] = statistic.values(self.table)
        return self._values[statistic]

    def quantile(self, statistic: Statistic, share: float) -> float:
        """NaN where no window has the statistic."""
        if statistic not in self._sorted:
            values = self.values(statistic)
            self._sorted[statistic] = np.sort(values[~np.isnan(values)])
        known = self._sorted[statistic]
        return float(np.quantile(known, share)) if len(known) else math.nan

    def size_quantile(self, statistic: Statistic, share: float) -> float:
        """The quantile of the statistic's size, whatever its sign."""
        values = np.abs(self.values(statistic))
        known = values[~np.isnan(values)]
        return float(np.quantile(known, share)) if len(known) else math.nan

    @cached_property
    def months(self) -> NDArray[np.int64]:
        """(N,) of the middle step, 0 where there is no time."""
        return months_of(self.table)


def above(statistic: Statistic, bound: float) -> Comparison:
    """The statistic exceeds `bound`, in the channel's unit."""
    return Comparison(statistic, above=Bound(bound))


def below(statistic: Statistic, bound: float) -> Comparison:
    """The statistic is less than `bound`."""
    return Comparison(statistic, below=Bound(bound))


def beyond(statistic: Statistic, bound: float, sign: int) -> Comparison:
    """Above `bound` for a positive sign, below it for a negative one."""
    return above(statistic, bound) if sign > 0 else below(statistic, bound)


def between(statistic: Statistic, low: float, high: float) -> Comparison:
    """More than `low` and less than `high`."""
    return Comparison(statistic, above=Bound(low), below=Bound(high))


class ChannelFacts:
    """The facts about one channel, but for those with numbers.

    Parameters
    ----------
    clock
        The windows' steps are short enough, and the windows long enough, to speak of parts of the day.
    hours
        How long every window lasts; 0 where they differ or no clock is spoken of.
    """

    def __init__(self, columns: Columns, place: int, clock: bool, hours: float = 0.0) -> None:
        self.duration = hours
        self.columns = columns
        self.place = place
        self.key = columns.table.channels[place].key
        self.clock = clock

    def statistic(self, name: str, over: tuple[float, float] = (0.0, 1.0)) -> Statistic:
        return Statistic(name, (self.key,), over)

    def far(self, statistic: Statistic, share: float, sign: int) -> Comparison:
        """Beyond what `share` of the reference windows have."""
        return beyond(statistic, self.columns.quantile(statistic, share if sign > 0 else 1 - share), sign)

    def fact(self, form: str, kind: str, rule: Rule, sign: int = 0, degree: int = 2, part: str = "") -> Fact:
        return Fact(form, kind, (self.place,), rule, sign, degree=degree, part=part)

    def all(self) -> Iterator[Fact]:
        yield from self.levels()
        yield from self.changes()
        yield from self.shapes()
        yield from self.extremes()
        yield from self.timing()
        yield from self.negations()
        if self.clock:
            yield from self.hours()
        yield from self.seasons()

    def levels(self) -> Iterator[Fact]:
        mean = self.statistic("mean")
        for sign in (1, -1):
            for degree, share in LEVELS.items():
                yield self.fact("level", "level", self.far(mean, share, sign), sign, degree)
            least = self.statistic("minimum" if sign > 0 else "maximum")
            for degree, share in ((2, 0.65), (3, 0.85)):
                bound = self.columns.quantile(mean, share if sign > 0 else 1 - share)
                yield self.fact("throughout", "level", beyond(least, bound, sign), sign, degree)
            near, far = (self.columns.quantile(mean, share if sign > 0 else 1 - share) for share in (0.57, 0.85))
            yield self.fact("mild level", "level", between(mean, *sorted((near, far))), sign)
        low, high = (self.columns.quantile(mean, share) for share in (0.4, 0.6))
        yield self.fact("usual", "level", between(mean, low, high))

    def changes(self) -> Iterator[Fact]:
        change = self.statistic("change")
        size = self.columns.size_quantile
        thirds = [self.statistic("change", over) for over in ((0.0, 0.34), (0.33, 0.67), (0.66, 1.0))]
        for sign in (1, -1):
            slight = sorted((sign * size(change, 0.25), sign * size(change, 0.55)))
            yield self.fact("change", "change", between(change, *slight), sign, 1)
            for degree, share in CHANGES.items():
                yield self.fact("change", "change", beyond(change, sign * size(change, share), sign), sign, degree)
            clear = beyond(change, sign * size(change, 0.4), sign)
            yield self.fact("steady", "change", All((clear, *(beyond(third, 0.0, sign) for third in thirds))), sign)
        small, span = size(change, 0.25), self.statistic("range")
        first, second = (self.statistic("change", PARTS[half]) for half in ("first half", "second half"))
        for form, moving, still in (("levelling", first, second), ("late move", second, first)):
            flat = size(still, 0.3)
            for sign in (1, -1):
                moves = beyond(moving, sign * size(moving, 0.5), sign)
                yield self.fact(form, "shape", All((moves, between(still, -flat, flat))), sign)
        for sign in (1, -1):
            sizes = [sign * size(half, 0.3) for half in (first, second)]
            both = All(tuple(beyond(half, bound, sign) for half, bound in zip((first, second), sizes, strict=True)))
            yield self.fact("both halves", "change", both, sign)
        calm = below(span, self.columns.quantile(span, 0.4))
        yield self.fact("unchanged", "change", All((between(change, -small, small), calm)))

    def shapes(self) -> Iterator[Fact]:
        first, second = (self.statistic("change", PARTS[half]) for half in ("first half", "second half"))
        span, unrest, arch = self.statistic("range"), Shape("roughness", (self.key,)), Shape("arch", (self.key,))
        change = self.statistic("change")
        still = self.columns.size_quantile(change, 0.4)
        aimless = All((self.far(span, 0.65, 1), between(change, -still, still)))
        yield self.fact("up and down", "shape", aimless)
        for sign in (1, -1):
            for degree, share in ((2, 0.45), (3, 0.7)):
                bounds = [self.columns.size_quantile(half, share) for half in (first, second)]
                turn = All((beyond(first, sign * bounds[0], sign), beyond(second, -sign * bounds[1], -sign)))
                yield self.fact("turn", "shape", turn, sign, degree)
            for degree, share in ((2, 0.6), (3, 0.82)):
                ends = [self.statistic("change", over) for over in ((0.0, 2 / 3), (1 / 3, 1.0))]
                turns = (beyond(ends[0], 0.0, sign), beyond(ends[1], 0.0, -sign))
                bound = sign * self.columns.size_quantile(arch, share)
                yield self.fact("arch", "shape", All((beyond(arch, bound, sign), *turns)), sign, degree)
            jump = Shape("largest rise" if sign > 0 else "largest fall", (self.key,))
            for degree, share in ((3, 0.88), (4, 0.96)):
                sudden = above(jump, max(self.columns.quantile(jump, share), 0.0))
                yield self.fact("jump", "shape", sudden, sign, degree)
            for degree in (2, 3, 4):
                yield self.fact("swing", "shape", self.far(span, LEVELS[degree], sign), sign, degree)
            for degree in (2, 3):
                yield self.fact("unrest", "shape", self.far(unrest, LEVELS[degree], sign), sign, degree)
        halves = [self.statistic("range", PARTS[half]) for half in ("first half", "second half")]
        for sign in (1, -1):
            quiet, lively = halves[::sign]
            wakes = (below(quiet, self.columns.quantile(quiet, 0.45)), self.far(lively, 0.55, 1))
            yield self.fact("waking", "shape", All(wakes), sign)
        spikes, gaps = self.statistic("spikes"), self.statistic("gaps")
        yield self.fact("spike", "shape", above(spikes, 0.5), 1)
        yield self.fact("spike", "negation", below(spikes, 0.5), -1)
        yield self.fact("spikes", "shape", above(spikes, 1.5), 1)
        yield self.fact("gap", "shape", All((above(gaps, 0.0), below(gaps, 0.99))), 1)
        yield self.fact("gap", "negation", below(gaps, 1e-9), -1)
        yield self.fact("constant", "shape", below(span, 1e-12))
        wave = Shape("cycle", (self.key,))
        yield self.fact("cycle", "shape", above(wave, max(0.45, self.columns.quantile(wave, 0.7))))

    def extremes(self) -> Iterator[Fact]:
        mean, span, change = (self.statistic(name) for name in ("mean", "range", "change"))
        for sign in (1, -1):
            for degree, share in ((3, 0.95), (4, 0.985)):
                yield self.fact("record level", "extreme", self.far(mean, share, sign), sign, degree)
                peak = self.statistic("maximum" if sign > 0 else "minimum")
                yield self.fact("record peak", "extreme", self.far(peak, share, sign), sign, degree)
                yield self.fact("record swing", "extreme", self.far(span, share, sign), sign, degree)
                yield self.fact("record change", "extreme", self.far(change, share, sign), sign, degree)
            for degree in (2, 3, 4):
                yield self.fact("sometime", "extreme", self.far(peak, LEVELS[degree], sign), sign, degree)
            least = self.statistic("minimum" if sign > 0 else "maximum")
            for degree in (2, 3):
                yield self.fact("least", "extreme", self.far(least, LEVELS[degree], sign), sign, degree)
            best = self.columns.quantile(peak, 1.0 if sign > 0 else 0.0)
            yield self.fact("record", "extreme", beyond(peak, float(np.nextafter(best, -sign * math.inf)), sign), sign)

    def timing(self) -> Iterator[Fact]:
        span, change = self.statistic("range"), self.statistic("change")
        worth = above(span, self.columns.quantile(span, 0.2))  # a peak to speak of
        for sign in (1, -1):
            place = self.statistic("place_of_maximum" if sign > 0 else "place_of_minimum")
            for part, low, high in (
                ("start", -1.0, 0.2),
                ("end", 0.8, 2.0),
                ("middle", 0.38, 0.62),
                ("first half", -1.0, 0.5),
                ("second half", 0.5, 2.0),
            ):
                yield self.fact("peak", "timing", All((between(place, low, high), worth)), sign, part=part)
            parts = {**PARTS, **self.ends_in_hours()}
            for part, over in parts.items():
                local = self.statistic("mean", over)
                for degree in (2, 3):
                    yield self.fact("local level", "timing", self.far(local, LEVELS[degree], sign), sign, degree, part)
                denied = Not(self.far(local, 0.5, sign))
                yield self.fact("not local level", "negation", denied, sign, part=part)
            for part in ("start", "end", "first third", "middle third", "last third", *self.ends_in_hours()):
                move = self.statistic("change", parts[part])
                bound = sign * self.columns.size_quantile(move, 0.6)
                yield self.fact("local change", "timing", beyond(move, bound, sign), sign, part=part)
            for part in ("first third", "middle third", "last third", "second quarter", "third quarter"):
                low, high = PARTS[part]
                inside = between(place, low - 0.01, high + 0.01)
                yield self.fact("peak", "timing", All((inside, worth)), sign, part=part)
            for part in ("first half", "second half"):
                move = self.statistic("change", PARTS[part])
                for degree, share in ((2, 0.55), (3, 0.82)):
                    bound = sign * self.columns.size_quantile(move, share)
                    yield self.fact("local change", "timing", beyond(move, bound, sign), sign, degree, part)
            for part, over in parts.items():
                local = self.statistic("range", over)
                moving = self.far(local, 0.75, sign)
                yield self.fact("local swing", "timing", moving, sign, part=part)
            for part, (low, high) in self.ends_in_hours().items():
                inside = between(place, low - 0.01, high + 0.01)
                yield self.fact("peak", "timing", All((inside, worth)), sign, part=part)
            halves = [self.statistic("mean", PARTS[part]) for part in ("first half", "second half")]
            yield self.fact("then", "timing", self.one_then_other(halves, sign), sign)
            half = Shape("halves", (self.key,))
            for degree, share in ((2, 0.45), (3, 0.8)):
                bound = sign * self.columns.size_quantile(half, share)
                yield self.fact(
                    "halves", "timing", All((beyond(half, bound, sign), beyond(change, 0.0, sign))), sign, degree
                )

    def one_then_other(self, halves: Sequence[Statistic], sign: int) -> All:
        """The first is on one side of what is usual, the second on the other."""
        first, second = halves
        return All((self.far(first, THEN, -sign), self.far(second, THEN, sign)))

    def ends_in_hours(self) -> dict[str, tuple[float, float]]:
        """The first and the last hours of windows that are long enough."""
        shares = {length: length / self.duration for length in LENGTHS if 2 * length <= self.duration}
        first = {f"first {length} hours": (0.0, share) for length, share in shares.items()}
        return {**first, **{f"last {length} hours": (1.0 - share, 1.0) for length, share in shares.items()}}

    def hours(self) -> Iterator[Fact]:
        span = self.statistic("range")
        worth = above(span, self.columns.quantile(span, 0.2))
        for sign in (1, -1):
            when = Clock("hour of maximum" if sign > 0 else "hour of minimum", (self.key,))
            for part, (start, end) in CLOCK.items():
                rule = All((between(when, start - 1e-6, end - 1e-6), worth))
                yield self.fact("peak", "timing", rule, sign, part=part)
                local = Clock("mean in hours", (self.key,), hours=(start, end))
                for degree in (2, 3):
                    yield self.fact("local level", "timing", self.far(local, LEVELS[degree], sign), sign, degree, part)
                denied = Not(self.far(local, 0.5, sign))
                yield self.fact("not local level", "negation", denied, sign, part=part)
            for part, span_hours in SPANS.items():
                local = Clock("mean in hours", (self.key,), hours=span_hours)
                yield self.fact("local level", "timing", self.far(local, LEVELS[2], sign), sign, part=part)
            for part, (start, end) in CLOCK.items():
                move = Clock("difference of hours", (self.key,), hours=(end - 2, end), other=(start, start + 2))
                for degree, share in ((2, 0.55), (3, 0.82)):
                    bound = sign * self.columns.size_quantile(move, share)
                    yield self.fact("local change", "timing", beyond(move, bound, sign), sign, degree, part)
            halves = [Clock("mean in hours", (self.key,), hours=part) for part in ((0.0, 12.0), (12.0, 24.0))]
            yield self.fact("then at noon", "timing", self.one_then_other(halves, sign), sign)
            for later, earlier in COMPARED:
                more = Clock("difference of hours", (self.key,), hours=CLOCK[later], other=CLOCK[earlier])
                for degree, share in ((2, 0.4), (3, 0.8)):
                    bound = sign * self.columns.size_quantile(more, share)
                    part = f"{later}>{earlier}"
                    yield self.fact("compared", "timing", beyond(more, bound, sign), sign, degree, part)

    def seasons(self) -> Iterator[Fact]:
        """What is high or low for its month."""
        mean = self.columns.values(self.statistic("mean"))
        months = self.columns.months
        known = [(months == month) & ~np.isnan(mean) for month in range(1, 13)]
        usual = [float(mean[own].mean()) if own.sum() >= MONTH_WINDOWS else math.nan for own in known]
        if sum(not math.isnan(month) for month in usual) < 6:
            return
        rest = mean - np.array([math.nan, *usual])[months]
        if not np.nanstd(rest) > 0:
            return
        anomaly = Season("anomaly", (self.key,), usual=tuple(usual), spread=float(np.nanstd(rest)))
        month_of = Season("month", (self.key,))
        for sign in (1, -1):
            for degree in (2, 3, 4):
                yield self.fact("season", "level", self.far(anomaly, LEVELS[degree], sign), sign, degree, "season")
            for number in range(1, 13):
                if math.isnan(usual[number - 1]):
                    continue
                bound = float(np.nanquantile(rest[known[number - 1]], 0.8 if sign > 0 else 0.2)) / anomaly.spread
                here = All((between(month_of, number - 0.5, number + 0.5), beyond(anomaly, bound, sign)))
                yield self.fact("season", "level", here, sign, part=str(number))

    def negations(self) -> Iterator[Fact]:
        mean, change = self.statistic("mean"), self.statistic("change")
        size = self.columns.size_quantile
        for sign in (1, -1):
            for degree, share in ((2, 0.45), (3, 0.65)):
                yield self.fact("not level", "negation", Not(self.far(mean, share, sign)), sign, degree)
            yield self.fact("not change", "negation", Not(beyond(change, 0.0, sign)), sign)
            peak = self.statistic("maximum" if sign > 0 else "minimum")
            bound = self.columns.quantile(mean, 0.65 if sign > 0 else 0.35)
            yield self.fact("never level", "negation", Not(beyond(peak, bound, sign)), sign)
        flat = size(change, 0.3)
        yield self.fact("neither", "negation", All((Not(above(change, flat)), Not(below(change, -flat)))))
        low, high = (self.columns.quantile(mean, share) for share in (0.35, 0.65))
        yield self.fact("neither level", "negation", All((Not(above(mean, high)), Not(below(mean, low)))))
        span = self.statistic("range")
        yield self.fact("not swing", "negation", Not(self.far(span, 0.4, 1)))
