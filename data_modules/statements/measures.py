"""Statistics that statements speak of and questions do not need: unrest, cycles, jumps, clock and calendar.

Each is a `Statistic`, so that `Comparison` compares it like the others. They have no form in YAML.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_modules import window_statistics as of
from data_modules.frequency import Frequency
from data_modules.rules import Bound, Number, Statistic, WindowTable

Values = NDArray[np.float64]
MIN_STEPS = 6  # observed, to speak of unrest and cycles
HOUR = 3_600_000_000  # microseconds


def _enough(x: Values, found: Values) -> Values:
    return np.where((~np.isnan(x)).sum(-1) >= MIN_STEPS, found, np.nan)


def roughness(x: Values) -> Values:
    """Mean step over standard deviation; white noise has 1.13, a steady rise almost none."""
    step = np.abs(np.diff(x))
    with np.errstate(invalid="ignore", divide="ignore"):
        return _enough(x, np.where(of.value_range(x) > 0, of.mean(step) / of.standard_deviation(x), np.nan))


def cycle(x: Values) -> Values:
    """The share of the variance about the trend that lies in one frequency, which the window holds 2 to T/4 times."""
    steps = x.shape[-1]
    seen = ~np.isnan(x)
    level = np.where(seen, x - of.mean(x)[..., None], 0.0)
    time = np.arange(steps) - (steps - 1) / 2
    level = level - (level @ time / max((time**2).sum(), 1e-12))[..., None] * time
    power = np.abs(np.fft.rfft(level)) ** 2
    band = power[..., 2 : steps // 4 + 1]
    if band.shape[-1] == 0:
        return np.full(x.shape[:-1], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = band.max(-1) / power[..., 1:].sum(-1)
    return _enough(x, np.where(seen.mean(-1) >= 0.9, np.where(of.value_range(x) > 0, share, np.nan), np.nan))


def largest_rise(x: Values) -> Values:
    """The largest rise from one step to the next; NaN where no two neighbours are observed."""
    return of.maximum(np.diff(x)) if x.shape[-1] > 1 else np.full(x.shape[:-1], np.nan)


def largest_fall(x: Values) -> Values:
    """The largest fall from one step to the next, as a positive number."""
    return largest_rise(-x)


def halves(x: Values) -> Values:
    """Mean of the second half minus mean of the first."""
    middle = x.shape[-1] // 2
    return of.mean(x[..., -middle:]) - of.mean(x[..., :middle]) if middle else np.full(x.shape[:-1], np.nan)


def arch(x: Values) -> Values:
    """Mean of the middle third minus that of what stands before and after it."""
    third = x.shape[-1] // 3
    if not third:
        return np.full(x.shape[:-1], np.nan)
    ends = of.mean(x[..., :third]), of.mean(x[..., -third:])
    return of.mean(x[..., third:-third]) - (ends[0] + ends[1]) / 2


SHAPES: dict[str, Callable[[Values], Values]] = {
    "roughness": roughness,
    "cycle": cycle,
    "largest rise": largest_rise,
    "largest fall": largest_fall,
    "halves": halves,
    "arch": arch,
}


@dataclass(frozen=True)
class Shape(Statistic):
    """One of `SHAPES`, of one channel."""

    def values(self, table: WindowTable, pool: WindowTable | None = None) -> Values:
        place = table.place(self.channels[0])
        found = np.full(len(table), np.nan)
        for rows, block in table.blocks:
            found[rows] = SHAPES[self.name](block[:, place])
        return found

    def bound(self, bound: Bound, table: WindowTable, pool: WindowTable) -> float:
        return _plain(bound)


def _plain(bound: Bound) -> float:
    """The bounds of these statistics are numbers without a unit."""
    assert isinstance(bound, Number)
    return bound.value


def hours_of_steps(table: WindowTable, rows: NDArray[np.int64], steps: int) -> Values:
    """(n, T) the hour of the day, in UTC, at which each step begins."""
    starts = table.starts[rows].astype("datetime64[us]")
    times = Frequency.parse(table.frequency).advance(starts[:, None], np.arange(steps))
    return (times - times.astype("datetime64[D]")).astype(np.int64) / HOUR


def months_of(table: WindowTable) -> NDArray[np.int64]:
    """(N,) the month, 1 to 12, of the middle step of each window; 0 where there is no time."""
    months = np.zeros(len(table), dtype=np.int64)
    for rows, block in table.blocks:
        starts = table.starts[rows].astype("datetime64[us]")
        middle = Frequency.parse(table.frequency).advance(starts, block.shape[-1] // 2)
        months[rows] = np.where(np.isnat(starts), 0, middle.astype("datetime64[M]").astype(np.int64) % 12 + 1)
    return months


@dataclass(frozen=True)
class Clock(Statistic):
    """By the hour of the day in UTC.

    `mean in hours`: the mean of the steps that begin in the hours from `hours[0]` to `hours[1]`; `hour of maximum` and
    `hour of minimum`: when the extreme step begins, NaN where all values are equal.
    """

    hours: tuple[float, float] = (0.0, 24.0)
    other: tuple[float, float] = (0.0, 24.0)

    def values(self, table: WindowTable, pool: WindowTable | None = None) -> Values:
        place = table.place(self.channels[0])
        found = np.full(len(table), np.nan)
        for rows, block in table.blocks:
            x = block[:, place]
            hours = hours_of_steps(table, rows, x.shape[-1])
            if self.name == "mean in hours":
                found[rows] = _within(x, hours, self.hours)
            elif self.name == "difference of hours":
                found[rows] = _within(x, hours, self.hours) - _within(x, hours, self.other)
            else:
                extreme = x if self.name == "hour of maximum" else -x
                step = np.where(np.isnan(extreme), -np.inf, extreme).argmax(-1)
                found[rows] = np.where(of.value_range(x) > 0, hours[np.arange(len(rows)), step], np.nan)
        return found

    def bound(self, bound: Bound, table: WindowTable, pool: WindowTable) -> float:
        return _plain(bound)


def _within(x: Values, hours: Values, span: tuple[float, float]) -> Values:
    return of.mean(np.where((hours >= span[0]) & (hours < span[1]), x, np.nan))


@dataclass(frozen=True)
class Flow(Statistic):
    """Of the components u and v of a flow.

    `veer`: by how many degrees its direction turns clockwise from the first 30 % of the window to the last, −180 to 180.
    `constancy`: the length of the mean vector over the mean speed; 1 where the direction never changes.
    """

    def values(self, table: WindowTable, pool: WindowTable | None = None) -> Values:
        if self.name == "veer":
            early, late = (
                Statistic("direction", self.channels, over).values(table) for over in ((0.0, 0.3), (0.7, 1.0))
            )
            return (late - early + 180.0) % 360.0 - 180.0
        places = [table.place(channel) for channel in self.channels]
        found = np.full(len(table), np.nan)
        for rows, block in table.blocks:
            u, v = (block[:, place] for place in places)
            speed = of.mean(np.hypot(u, v))
            with np.errstate(invalid="ignore", divide="ignore"):
                found[rows] = np.where(speed > 0, np.hypot(of.mean(u), of.mean(v)) / speed, np.nan)
        return found

    def bound(self, bound: Bound, table: WindowTable, pool: WindowTable) -> float:
        return _plain(bound)


@dataclass(frozen=True)
class Season(Statistic):
    """By the calendar: `month` is 1 to 12; `anomaly` the mean minus `usual` for its month, in `spread`s."""

    usual: tuple[float, ...] = ()  # by month, NaN where not known
    spread: float = 1.0

    def values(self, table: WindowTable, pool: WindowTable | None = None) -> Values:
        months = months_of(table)
        if self.name == "month":
            return np.where(months > 0, months.astype(np.float64), np.nan)
        usual = np.array([np.nan, *self.usual])[months]
        return (Statistic("mean", self.channels).values(table) - usual) / self.spread

    def bound(self, bound: Bound, table: WindowTable, pool: WindowTable) -> float:
        return _plain(bound)
