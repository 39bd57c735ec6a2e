"""Rows on a regular grid of times: its frequency, late stamps that belong to a step, and series that are resampled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data_modules.frequency import LONGEST_STEP, Frequency, FrequencyError
from data_modules.schema import CorpusError

TOLERANCE = 0.1  # of a step, by which a stamp may miss its step
CALENDAR_TOLERANCE = 3 * 86_400_000_000  # of months, where a weekend lies between
RULES = ("mean", "sum", "last", "first", "min", "max")
FREE_STEPS = 10_000  # that a series may reach over, and steps a row
STEPS_A_ROW = 100
FREE_CELLS = 2**24  # that all series may have, beside `STEPS_A_ROW` for each that the files hold
_DAY = 86_400_000_000
_OLD = {  # pandas aliases of old, and others that people write
    **{"H": "h", "T": "min", "S": "s", "L": "ms", "U": "us", "M": "ME", "Q": "QE", "A": "YE", "Y": "YE"},
    **{"BM": "ME", "BME": "ME", "CBM": "ME", "BQ": "QE", "BQE": "QE", "BA": "YE", "BY": "YE", "BYE": "YE"},
    **{"BMS": "MS", "BQS": "QS", "BAS": "YS", "BYS": "YS", "AS": "YS", "C": "B", "d": "D", "w": "W", "m": "min"},
    **dict.fromkeys(("hour", "hours", "hourly", "hr", "Hour"), "h"),
    **dict.fromkeys(("day", "days", "daily", "Day"), "D"),
    **dict.fromkeys(("week", "weeks", "weekly"), "W"),
    **dict.fromkeys(("month", "months", "monthly"), "MS"),
    **dict.fromkeys(("quarter", "quarters", "quarterly"), "QS"),
    **dict.fromkeys(("year", "years", "yearly", "annual"), "YS"),
    **dict.fromkeys(("minute", "minutes", "minutely", "mins"), "min"),
    **dict.fromkeys(("second", "seconds", "sec"), "s"),
}
_UNITS = (("D", _DAY), ("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1))


def frequency_of(alias: str) -> tuple[str, str]:
    """The frequency that `alias` names as this program writes it, and a word on the change, "" where there is none.

    Raises
    ------
    FrequencyError
        It names none.
    """
    match = re.fullmatch(r"(\d*)\s*([A-Za-z]+)(-[A-Z]{3})?", alias.strip())
    if match is None or match[2] not in _OLD:
        Frequency.parse(alias.strip())
        return alias.strip(), ""
    known = f"{match[1]}{_OLD[match[2]]}{match[3] or ''}"
    Frequency.parse(known)
    return known, f"{alias!r} is read as {known!r}"


def span_of(text: object, step: Frequency | None = None) -> int:
    """A length of time like `5min`, `6h` or `2 days`, in microseconds; a number counts steps, where there is a `step`.

    Raises
    ------
    CorpusError
        It is none.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool) and step is not None and text >= 0:
        return _within_bounds(text, text * step.microseconds)
    try:
        if str(text).strip() in ("0", "0.0"):
            return 0
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", str(text).strip())
        unit = Frequency.parse(frequency_of(match[2])[0] if match else "")
        if not match or unit.months:
            raise FrequencyError("")
        return _within_bounds(text, float(match[1]) * unit.microseconds)
    except FrequencyError:
        raise CorpusError(f"{text!r} is no length of time; write one like 5min, 6h or 2D") from None


def _within_bounds(text: object, microseconds: float) -> int:
    if microseconds > LONGEST_STEP * 366 * _DAY:
        raise CorpusError(f"{str(text)[:60]!r} is too long; a length of time has at most {LONGEST_STEP} years")
    return int(microseconds)


def usual_frequency(times: NDArray[np.datetime64]) -> str:
    """The frequency of a series: its most frequent distance of two `times` (N,), which ascend; "" where there is none.

    Months, quarters and years are recognised by the calendar, and so are days without weekends.
    """
    apart = np.diff(times).astype("timedelta64[us]").astype(np.int64)
    apart = apart[apart > 0]
    if not len(apart):
        return ""
    found, counts = np.unique(apart, return_counts=True)
    step = int(found[counts.argmax()])
    if counts.max() < max(2, 0.2 * len(apart)) and len(apart) > 1:  # jitter
        step = int(np.median(apart))
        for _, size in _UNITS[:4]:
            if step > 0.9 * size:
                step = round(step / size) * size
                break
        if (np.abs(apart - step) <= TOLERANCE * step).mean() < 0.5:
            return ""
    if alias := _calendar(times, step):
        return alias
    days = times.astype("datetime64[D]")
    if step == _DAY and len(times) >= 6 and np.is_busday(days).all() and (apart == 3 * _DAY).any():
        return "B"
    unit, size = next((unit, size) for unit, size in _UNITS if step % size == 0)
    return f"{step // size}{unit}"


def _calendar(times: NDArray[np.datetime64], step: int) -> str:
    months = times.astype("datetime64[M]").astype(np.int64)
    between = np.diff(months)
    for unit, number, low, high in (("M", 1, 27, 32), ("Q", 3, 88, 93), ("Y", 12, 364, 367)):
        if not low * _DAY <= step <= high * _DAY or (between % number).any() or not between.all():
            continue
        within = (times - times.astype("datetime64[M]").astype("datetime64[us]")).astype(np.int64)
        if np.ptp(within) <= 2 * CALENDAR_TOLERANCE:
            return unit + ("E" if ends_with_months(times) else "S")
    return ""


def ends_with_months(times: NDArray[np.datetime64]) -> bool:
    """Whether all `times` lie on the last days of months, or on the Fridays before them."""
    left = (times.astype("datetime64[M]") + 1).astype("datetime64[D]") - times.astype("datetime64[D]")
    return bool(len(times)) and bool((left.astype(np.int64) <= 3).all())


@dataclass(frozen=True)
class Grid:
    """The steps of a series: the `start` of the first one, and their frequency."""

    start: np.datetime64
    frequency: Frequency

    def step(self, number: int) -> np.datetime64:
        """The time at which the step of this number begins."""
        return self.frequency.advance(self.start, np.array([number]))[0]

    def times(self, count: int) -> NDArray[np.datetime64]:
        """The first `count` steps."""
        return self.frequency.advance(self.start, np.arange(count))

    def floor(self, times: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """The step (N,) within which each of `times` lies."""
        if self.frequency.months:
            months = times.astype("datetime64[M]").astype(np.int64) - self.start.astype("datetime64[M]").astype(
                np.int64
            )
            steps = months // self.frequency.months
            return steps - (self.frequency.advance(self.start, steps) > times)
        if self.frequency.business:
            days = times.astype("datetime64[D]")
            begun = np.busday_offset(days, 0, roll="backward")
            steps = np.busday_count(self.start.astype("datetime64[D]"), begun) // self.frequency.count
            return np.asarray(steps - (self.frequency.advance(self.start, steps) > times), dtype=np.int64)
        return (times - self.start).astype(np.int64) // self.frequency.microseconds

    def nearest(self, times: NDArray[np.datetime64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The step (N,) that is nearest to each of `times`, and by how many microseconds they are late."""
        below = self.floor(times)
        late = (times - self.frequency.advance(self.start, below)).astype(np.int64)
        early = (self.frequency.advance(self.start, below + 1) - times).astype(np.int64)
        up = early < late
        return below + up, np.where(up, -early, late)


def tolerance_of(frequency: Frequency, given: object = None) -> int:
    """Microseconds by which a stamp may miss its step."""
    if given is not None:
        return span_of(given)
    return CALENDAR_TOLERANCE if frequency.months else int(TOLERANCE * frequency.microseconds)


def grid_of(times: NDArray[np.datetime64], frequency: Frequency, tolerance: int) -> Grid:
    """The grid that most of `times` (N,), which ascend, lie on.

    Its first step is that of the first time. Month ends make a frequency of months one of month ends.
    """
    first = times[0]
    if frequency.months:
        if not frequency.ends and len(times) > 1 and _on_last_days(times):
            frequency = replace(frequency, ends=True)
        on_last = frequency.ends and ends_with_months(times)
        return Grid(_last_day(first) if on_last else _usual_day(times), frequency)
    if frequency.business:
        return Grid(np.datetime64(np.busday_offset(first.astype("datetime64[D]"), 0, roll="backward"), "us"), frequency)
    step = frequency.microseconds
    since = times.astype("datetime64[us]").astype(np.int64)
    places, counts = np.unique(since % step, return_counts=True)
    phase = int(places[counts.argmax()])
    if step <= _DAY and (np.minimum(places, step - places) <= tolerance) @ counts > len(times) / 2:
        phase = 0  # full minutes, hours, days
    grid = Grid(np.datetime64((int(since[0]) - phase) // step * step + phase, "us"), frequency)
    steps, _ = grid.nearest(times[:1])
    return Grid(grid.step(int(steps[0])), frequency)


def _on_last_days(times: NDArray[np.datetime64]) -> bool:
    days = times.astype("datetime64[D]")
    return bool(((days + 1).astype("datetime64[M]") > days.astype("datetime64[M]")).all())


def _last_day(time: np.datetime64) -> np.datetime64:
    within = time - time.astype("datetime64[D]").astype("datetime64[us]")
    return (time.astype("datetime64[M]") + 1).astype("datetime64[D]").astype("datetime64[us]") - _DAY + within


def _usual_day(times: NDArray[np.datetime64]) -> np.datetime64:
    """The first month's step on the day of the month that is the most frequent."""
    within = (times - times.astype("datetime64[M]").astype("datetime64[us]")).astype(np.int64)
    found, counts = np.unique(within, return_counts=True)
    if counts.max() * 2 <= len(times) or within[0] == found[counts.argmax()]:
        return times[0]
    return times[0].astype("datetime64[M]").astype("datetime64[us]") + np.timedelta64(int(found[counts.argmax()]), "us")


def check_reach(steps: NDArray[np.int64], names: Sequence[str], rows: int, frequency: Frequency, source: str) -> None:
    """Raise CorpusError where a series of `rows` rows reaches over so many steps that nearly all would be missing.

    `names` (N,) say where each of `steps` (N,) stands.
    """
    allowed = FREE_STEPS + STEPS_A_ROW * rows
    beyond = np.flatnonzero(steps >= allowed)
    if len(beyond):
        place = int(beyond[0])
        raise CorpusError(
            f"{source}, {names[place]} is {int(steps[place]):,} steps of {frequency.span(1)} after the first; "
            f"{rows:,} rows may reach over {allowed:,}: is a year wrong?"
        )


def check_cells(count: int, allowed: int, what: str) -> None:
    """Raise CorpusError where series would have more cells than what their files hold allows."""
    if count > allowed:
        raise CorpusError(
            f"{what} would take {count:,} cells; what its files hold allows {allowed:,}: does a column that is no channel "
            "name the channels, or are rows far apart?"
        )


def resampled(
    values: NDArray[np.float64], steps: NDArray[np.int64], count: int, rules: Sequence[str]
) -> NDArray[np.float64]:
    """(C, count) from `values` (C, N) of rows within `steps` (N,), by each channel's rule; NaN for steps without a value."""
    import pandas as pd

    made = np.full((len(values), count), np.nan)
    for own, target, rule in zip(values, made, rules, strict=True):
        known = ~np.isnan(own)
        grouped = pd.Series(own[known]).groupby(steps[known]).agg(rule)
        target[grouped.index.to_numpy(dtype=np.int64)] = grouped.to_numpy()
    return made
