"""The sampling frequency of a series: steps of a fixed length, calendar months, or business days.

A frequency is written like a pandas offset alias: `10min`, `1h`, `D`, `7D`, `W`, `MS`, `B`. A month, a quarter and a year
have no fixed length, so their steps are counted on the calendar: one step after 1 January is 1 February, not 30.4 days
later. Steps that end with a month (`ME`, `QE`, `YE`) lead from one month's last day to another's. A business day
(`B`) is followed by the next one, Friday by Monday.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trace_lit.errors import InputError

_SECOND = 1_000_000
_FIXED = {  # microseconds, and the word for one step
    "us": (1, "microsecond"),
    "ms": (1_000, "millisecond"),
    "s": (_SECOND, "second"),
    "min": (60 * _SECOND, "minute"),
    "h": (3_600 * _SECOND, "hour"),
    "D": (86_400 * _SECOND, "day"),
    "W": (7 * 86_400 * _SECOND, "week"),
    "B": (86_400 * _SECOND, "business day"),
}
_CALENDAR = {  # months, and the word for one step
    "MS": (1, "month"),
    "ME": (1, "month"),
    "QS": (3, "quarter"),
    "QE": (3, "quarter"),
    "YS": (12, "year"),
    "YE": (12, "year"),
}
LONGEST_STEP = 1000  # years
_ALIAS = re.compile(r"(\d{0,18})(us|ms|s|min|h|D|W|B|[MQY][SE])(?:-[A-Z]{3})?")


class FrequencyError(InputError):
    """What should name a frequency does not."""


@dataclass(frozen=True)
class Frequency:
    """The length of one step: `microseconds`, or `months` on the calendar; the other one is 0.

    Of `business` days it is the length of one of them.
    """

    microseconds: int
    months: int
    count: int  # as written: 10 in 10min
    unit: str  # the word for its unit: minute in 10min
    ends: bool = False  # a step from a month's last day leads to another's
    business: bool = False  # Saturdays and Sundays are no steps

    @classmethod
    def parse(cls, alias: str) -> Frequency:
        """The frequency that `alias` names.

        Raises
        ------
        FrequencyError
            `alias` is no frequency.
        """
        return _parsed(alias) if isinstance(alias, str) else cls._read(alias)

    @classmethod
    def _read(cls, alias: str) -> Frequency:
        match = _ALIAS.fullmatch(alias) if isinstance(alias, str) else None
        count = int(match[1] or 1) if match else 0
        if match is None or count == 0:
            units = ", ".join([*_FIXED, *_CALENDAR])
            raise FrequencyError(
                f"{str(alias)[:60]!r} is no sampling frequency; write a count and a unit ({units}), like '1h' or '7D'"
            )
        days = _FIXED[match[2]][0] / _FIXED["D"][0] if match[2] in _FIXED else 30.4 * _CALENDAR[match[2]][0]
        if count * days > 366 * LONGEST_STEP:
            raise FrequencyError(f"{alias[:60]!r} is no sampling frequency: a step has at most {LONGEST_STEP} years")
        if match[2] in _FIXED:
            length, unit = _FIXED[match[2]]
            if (match[2], count) == ("D", 7):
                return cls(length * 7, 0, 1, "week")
            return cls(length * count, 0, count, unit, business=match[2] == "B")
        months, unit = _CALENDAR[match[2]]
        return cls(0, months * count, count, unit, match[2].endswith("E"))

    def advance(self, starts: ArrayLike, steps: ArrayLike) -> NDArray[np.datetime64]:
        """`starts` moved on by `steps` steps, as datetime64[us]; the two broadcast.

        A calendar step keeps the time within the month, cut at the end of the month that it arrives in. One that ends with
        the month leads from its last day to the last day of another.
        """
        starts = np.asarray(starts, dtype="datetime64[us]")
        steps = np.asarray(steps, dtype=np.int64)
        if self.business:
            days = starts.astype("datetime64[D]")
            return np.busday_offset(days, steps * self.count, roll="backward") + (starts - days)
        if not self.months:
            return starts + (steps * self.microseconds).astype("timedelta64[us]")
        month = starts.astype("datetime64[M]")
        arrival = month + (steps * self.months).astype("timedelta64[M]")
        last = (arrival + np.timedelta64(1, "M")).astype("datetime64[us]") - np.timedelta64(1, "D")
        day = (starts - month.astype("datetime64[us]")).astype("timedelta64[D]")
        within_day = starts - starts.astype("datetime64[D]").astype("datetime64[us]")
        arrived = np.minimum(arrival.astype("datetime64[us]") + day, last)
        if self.ends:
            own_last = (month + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
            arrived = np.where(starts.astype("datetime64[D]") == own_last, last, arrived)
        return arrived + within_day

    def steps_between(self, start: np.datetime64, time: np.datetime64) -> int | None:
        """How many steps after `start` is `time`; None where no step begins then."""
        if self.months:
            months = (time.astype("datetime64[M]") - start.astype("datetime64[M]")).astype(int)
            steps = int(months) // self.months
        elif self.business:
            steps = int(np.busday_count(start.astype("datetime64[D]"), time.astype("datetime64[D]"))) // self.count
        else:
            steps = int((time - start).astype("timedelta64[us]").astype(int)) // self.microseconds
        return steps if self.advance(start, steps) == time else None

    def span(self, steps: int) -> str:
        """How long `steps` steps last, in words: `24 hours`, `20 weeks`; `3 hours` for 180 minutes."""
        number, unit = steps * self.count, self.unit
        for small, large in (("second", "minute"), ("minute", "hour")):
            if unit == small and number > 60 and number % 60 == 0:
                number, unit = number // 60, large
        return f"{number} {unit}" + ("" if number == 1 else "s")


_parsed = lru_cache(maxsize=256)(Frequency._read)  # asked for once a record
