"""Tables whose times are spread over columns: a row a year and a column a month, a row a day and a column an hour.

Such a table is turned into one with a row a time, with one column of values.
"""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data_modules.schema import CorpusError
from data_modules.tables.calendar_names import month_of, weekdays_of
from data_modules.tables.columns import names_of_times
from data_modules.tables.dates import SPANS
from data_modules.tables.numbers import is_missing
from data_modules.tables.table import Table
from data_modules.tables.times import Times
from data_modules.tables.zones import to_local, to_utc

if TYPE_CHECKING:
    from data_modules.tables.counts import Counts

MONTHS, DAYS, WEEKDAYS, HOURS, ELAPSED = "months", "days", "weekdays", "hours", "elapsed hours"
TIMES = "times"  # columns are called by times that need no row: a row is a series, a channel, or a month or time of day
QUARTERS, WEEKS = "quarters", "weeks"
ACROSS = (MONTHS, QUARTERS, WEEKS, DAYS, WEEKDAYS, HOURS, ELAPSED, TIMES)
VALUE = "value"  # the column of values of a turned table whose channels stand beside them
_ROWS = {
    MONTHS: "year",
    QUARTERS: "year",
    WEEKS: "year",
    DAYS: "month",
    WEEKDAYS: "week",
    HOURS: "day",
    ELAPSED: "day",
}  # what a row is
_DAY, _HOUR, _MINUTE = (np.timedelta64(1, unit) for unit in ("D", "h", "m"))
_DAY_MINUTES = 1440
_FEWEST_CLOCKS = 8  # columns of times of day: every three hours
_NUMBERED = re.compile(
    r"(?:m|d|h|he|hr|hour|hora|ora|heure|stunde|std|tag|day|month|monat)?[ _.]?(\d{1,2})h?", re.IGNORECASE
)
_CLOCK = re.compile(
    r"(\d{1,2})[:.h](\d{2})(?::\d{2})?(?:\s*[-–]\s*\d{1,2}[:.h]\d{2}(?::\d{2})?)?(_2|[ab])?", re.IGNORECASE
)
_HALF = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?(?::00)?\s*([ap])\.?m\.?", re.IGNORECASE)
_QUARTER = re.compile(r"(?:q|quarter|quartal|trimestre)[ _.]?[1-4]|[1-4]\.? ?(?:q|quarter|quartal)", re.IGNORECASE)
_WEEK = re.compile(r"(?:w|wk|week|kw|woche)[ _.]?(\d{1,2})", re.IGNORECASE)
_TWICE = re.compile(r"(?:h|he|hour)?[ _]?(\d{1,2})(?:_2|[ab])?", re.IGNORECASE)
_INTERVAL = re.compile(r"(\d{1,2})\s*[-–]\s*(\d{1,2})(_2)?")


@dataclass(frozen=True)
class Spread:
    """The columns that hold the values of a row's times, and what each stands for."""

    across: str  # one of `ACROSS`
    columns: tuple[str, ...]
    places: tuple[int, ...]  # months of a row's year, weeks and days from 0, weekdays from Monday, minutes of the day
    extra: str | None = None  # the column of a 25th hour
    doubt: str = ""
    named_after: str | None = None  # of months of a year that lies in two, which of them a row is called by

    @property
    def first_month(self) -> int:
        """That of the first column, from 1."""
        return self.places[0] % 12 + 1

    def of_years(self, first: int, named_after: str) -> Spread:
        """With months of years that begin with the month `first`, and are called by the year of their begin or end."""
        before = 12 if named_after == "end" and first > 1 else 0
        places = tuple((place + 1 - first) % 12 + first - 1 - before for place in self.places)
        return replace(self, places=places, named_after=named_after if first > 1 else None)

    @property
    def sentence(self) -> str:
        """What was seen."""
        if self.across == TIMES:
            return f"columns called by times, {self.columns[0]!r} to {self.columns[-1]!r}"
        noun = "time of day" if self.across in (HOURS, ELAPSED) else self.across.removesuffix("s")
        return f"a row a {_ROWS[self.across]} and a column a {noun}, {self.columns[0]!r} to {self.columns[-1]!r}"


def find_spread(table: Table, time: Sequence[str], times: Times) -> Spread | None:
    """The columns of a table among which its times are spread, by their names and by the `times` of its rows."""
    names = [str(name) for name in table.frame.columns if str(name) not in time]
    local = times.local[~np.isnat(times.local)]
    if not len(local) or times.aware.any() or not times.dates:
        return None
    if (local == local.astype("datetime64[Y]")).all():
        finds: tuple[Callable[[Sequence[str]], Spread | None], ...] = (_months, _quarters, _weeks)
    elif (local == local.astype("datetime64[M]")).all() and len(local) > 1:
        finds = (_days,)
    else:
        finds = (_weekdays, _hours)
    found = next((own for find in finds if (own := find(names)) is not None), None)
    if found is not None and found.across == MONTHS:
        return found.of_years(found.first_month, "begin" if times.kind == SPANS else "end")
    if found is not None and found.across == WEEKDAYS and len(np.unique((local - local[0]) % (7 * _DAY))) > 1:
        return None
    return found if found is None or found.across != HOURS else _settled(table, found)


def spread_of(
    table: Table,
    time: Sequence[str],
    times: Times,
    across: str,
    first_month: int | None = None,
    named_after: str | None = None,
) -> Spread:
    """The columns of a table that hold its times, as its spec says `across` what they are spread.

    Parameters
    ----------
    first_month, named_after
        In which month the year of a row begins, by default that of the first column, and whether the row is called by the
        calendar year of its "begin" or "end".

    Raises
    ------
    CorpusError
        They cannot be found, or years lie in two, and nothing says by which of them they are called.
    """
    names = [str(name) for name in table.frame.columns if str(name) not in time]
    find = {
        MONTHS: _months,
        QUARTERS: _quarters,
        WEEKS: _weeks,
        DAYS: _days,
        WEEKDAYS: _weekdays,
        HOURS: _hours,
        ELAPSED: _hours,
    }[across]
    if (found := find(names)) is None:
        raise CorpusError(
            f"{table.path} has no column for each of the {across} (across: {across}); it has {', '.join(names)[:300]}"
        )
    if across != MONTHS:
        return replace(found, across=across)
    first = found.first_month if first_month is None else first_month
    if first != 1 and named_after is None and times.kind != SPANS:
        raise CorpusError(
            f"{table.path}: the year of a row begins in {month_name[first]}, so it lies in two calendar years; say which "
            "of them the row is called by: named_after: end (as water years are), or begin"
        )
    return found.of_years(first, named_after or "begin")


def _months(names: Sequence[str]) -> Spread | None:
    spelled = [(name, month) for name in names if (month := month_of(name))]
    numbered = [(name, int(match[1])) for name in names if (match := _NUMBERED.fullmatch(name))]
    for own in (spelled, numbered):
        months = [month for _, month in own]
        if months and months == [(months[0] - 1 + number) % 12 + 1 for number in range(12)]:
            columns = tuple(name for name, _ in own)
            doubt = "twelve columns with numbers are taken for months" if all(map(str.isdecimal, columns)) else ""
            return Spread(MONTHS, columns, tuple(month - 1 for month in months), doubt=doubt)
    return None


def _quarters(names: Sequence[str]) -> Spread | None:
    own = [name for name in names if _QUARTER.fullmatch(name)]
    in_order = ["".join(filter(str.isdigit, name)) for name in own] == [*"1234"]
    return Spread(QUARTERS, tuple(own), (0, 3, 6, 9)) if in_order else None


def _weeks(names: Sequence[str]) -> Spread | None:
    own = [(name, int(match[1])) for name in names if (match := _WEEK.fullmatch(name))]
    numbers = [number for _, number in own]
    if numbers not in ([*range(1, 53)], [*range(1, 54)]):
        return None
    return Spread(WEEKS, tuple(name for name, _ in own), tuple(range(len(own))), doubt="weeks are those of ISO 8601")


def _days(names: Sequence[str]) -> Spread | None:
    own = _numbered(names, 1, 31)
    return None if own is None else Spread(DAYS, own, tuple(range(31)))


def _weekdays(names: Sequence[str]) -> Spread | None:
    own = [name for name in names if weekdays_of(name)]
    if len(own) != 7:
        return None
    found = [first for first in range(7) if all((first + n) % 7 in weekdays_of(name) for n, name in enumerate(own))]
    return Spread(WEEKDAYS, tuple(own), tuple((found[0] + n) % 7 for n in range(7))) if len(found) == 1 else None


def _numbered(names: Sequence[str], first: int, last: int) -> tuple[str, ...] | None:
    """The columns that are called by the numbers from `first` to `last`, in this order; None for others."""
    own = [name for name in names if _NUMBERED.fullmatch(name)]
    numbers = [int(_NUMBERED.fullmatch(name)[1]) for name in own]  # type: ignore[index]
    return tuple(own) if numbers == [*range(first, last + 1)] else None


def _hours(names: Sequence[str]) -> Spread | None:
    if twice := _one_twice(names):
        return twice
    for first, last in ((1, 24), (0, 23), (1, 25)):
        if (own := _numbered(names, first, last)) is not None:
            extra = own[24] if last == 25 else None
            doubt = "hour 1 is taken for the first of the day" if first else ""
            return Spread(HOURS, own[:24], tuple(range(0, _DAY_MINUTES, 60)), extra, doubt)
    found = [(name, minutes) for name in names if (minutes := _minutes(name)) is not None]
    known = sorted({minutes for _, minutes in found})
    step = known[1] - known[0] if len(known) >= _FEWEST_CLOCKS else 0
    whole = step and known in ([*range(0, _DAY_MINUTES, step)], [*range(step, _DAY_MINUTES + 1, step)])
    if not whole or _DAY_MINUTES % step:
        return None
    return Spread(HOURS, tuple(name for name, _ in found), tuple(own for _, own in found))


def _minutes(name: str) -> int | None:
    """The minutes of the day at which what a column is called after begins."""
    if (match := _HALF.fullmatch(name)) and 1 <= int(match[1]) <= 12:
        return (int(match[1]) % 12 + 12 * (match[3].lower() == "p")) * 60 + int(match[2] or 0)
    if match := _CLOCK.fullmatch(name):
        return int(match[1]) * 60 + int(match[2]) if int(match[1]) <= 24 and int(match[2]) < 60 else None
    if (match := _INTERVAL.fullmatch(name)) and int(match[2]) == int(match[1]) + 1 <= 24:
        return int(match[1]) * 60
    return None


def _one_twice(names: Sequence[str]) -> Spread | None:
    """Numbered hours of which one has two columns, like 2a and 2b; None for others."""
    own = [(name, int(match[1])) for name in names if (match := _TWICE.fullmatch(name))]
    numbers = [number for _, number in own]
    if len(own) != 25 or sorted(set(numbers)) not in ([*range(1, 25)], [*range(24)]) or numbers != sorted(numbers):
        return None
    doubt = "hour 1 is taken for the first of the day" if numbers[0] else ""
    places = tuple((number - numbers[0]) * 60 for number in numbers)
    return Spread(HOURS, tuple(name for name, _ in own), places, doubt=doubt)


def _filled(table: Table, columns: Sequence[str]) -> NDArray[np.bool_]:
    """(N, K) which cells hold something."""
    cells = table.frame[list(columns)]
    filled = cells.notna().to_numpy().copy()
    for place, name in enumerate(columns):
        if cells[name].dtype.kind not in "iuf":
            filled[:, place] &= [not is_missing(str(cell)) for cell in cells[name]]
    return filled


def _settled(table: Table, spread: Spread) -> Spread:
    """By the clock, or counted on from midnight: in spring either an hour of the night is empty, or the last of the day."""
    filled = _filled(table, spread.columns)
    short = filled[filled.sum(axis=1) == filled.shape[1] - 1]
    last, within = bool((~short[:, -1]).any()), bool((~short[:, :-1]).any())
    extra = spread.extra is not None and bool(_filled(table, [spread.extra]).any())
    if extra and last and not within:
        return replace(spread, across=ELAPSED, doubt="the last hour is empty in spring, so hours are counted on")
    if extra and (last or not within):
        doubt = f"{spread.extra!r} is taken for the hour that comes twice in autumn; if it is the last of the day: {ELAPSED}"
        return replace(spread, doubt=doubt)
    return spread


def turned(
    table: Table, times: Times, spread: Spread, value: str, keep: Sequence[str], zone: tzinfo, counts: Counts
) -> tuple[Table, Times]:
    """A table with a row a time, and its times; empty cells are left out.

    It has the columns `keep` of the table, and the column `value`.

    Raises
    ------
    CorpusError
        Rows or cells are of a time that there is not.
    """
    columns = [*spread.columns, *([spread.extra] if spread.extra is not None else [])]
    filled = _filled(table, columns) & ~np.isnat(times.local)[:, None]
    local, aware = _times(table, times, spread, zone, filled)
    rows, place = np.nonzero(filled)
    cells = [
        table.frame[name].to_numpy(dtype=None if table.frame[name].dtype.kind in "iuf" else object) for name in columns
    ]
    kept = [name for name in dict.fromkeys(keep) if name not in columns]
    left = [str(name) for name in table.frame.columns if str(name) not in (*kept, *columns)]
    counts.add(f"columns beside those of {spread.across}", table.name, "left out", len(left), ", ".join(left)[:60])
    frame = table.frame[kept].iloc[rows].copy()
    frame[value] = np.stack(cells, axis=1)[rows, place]
    made = replace(table, frame=frame.infer_objects())
    dates = spread.across not in (HOURS, ELAPSED)
    return made, Times(
        local[rows, place], aware[rows, place], np.zeros(len(rows), bool), dates, times.kind, times.doubt
    )


def melted(table: Table, value: str, keep: Sequence[str], counts: Counts) -> tuple[Table, Spread]:
    """A table with a row a cell of the columns that are called by times, column by column; empty cells are left out.

    It has the columns `keep` of the table, the column `value`, and one with the names, `year` or `date`.

    Raises
    ------
    CorpusError
        No columns are called by times.
    """
    columns = names_of_times([str(name) for name in table.frame.columns if str(name) not in keep])
    if not columns:
        raise CorpusError(
            f"{table.path} has no columns called by times, like 2019, Jan-22 or 2024-05-31 (across: times)"
        )
    kept = list(dict.fromkeys(keep))
    left = [str(name) for name in table.frame.columns if str(name) not in (*kept, *columns)]
    counts.add("columns beside those of times", table.name, "left out", len(left), ", ".join(left)[:60])
    rows = np.tile(np.arange(len(table.frame)), len(columns))
    frame = table.frame[kept].iloc[rows].copy()
    word = "year" if all(re.fullmatch(r"[12]\d{3}", name) for name in columns) else "date"
    days = [name.removesuffix(" 00:00:00") for name in columns]  # as a workbook has them
    frame.insert(0, word, np.repeat(np.array(days, dtype=object), len(table.frame)))
    cells = [table.frame[name].to_numpy(None if table.frame[name].dtype.kind in "iuf" else object) for name in columns]
    frame[value] = np.concatenate(cells)
    frame = frame[frame[value].notna()].infer_objects()
    return replace(table, frame=frame), Spread(TIMES, tuple(columns), ())


def _times(
    table: Table, times: Times, spread: Spread, zone: tzinfo, filled: NDArray[np.bool_]
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """(N, K) the times of all cells, and which of these are UTC."""
    begin, places = times.local[:, None], np.array(spread.places)
    known = begin[~np.isnat(begin)]
    unit = {MONTHS: "Y", QUARTERS: "Y", WEEKS: "Y", DAYS: "M"}.get(spread.across, "D")
    if (known != known.astype(f"datetime64[{unit}]")).any():
        raise CorpusError(
            f"{table.path}: the columns are {spread.across}, so a row must be a {_ROWS[spread.across]}; row times like "
            f"{str(known[known != known.astype(f'datetime64[{unit}]')][0])[:16]} are none"
        )
    if spread.across in (MONTHS, QUARTERS):
        local = (begin.astype("datetime64[M]") + places).astype("datetime64[us]")
    elif spread.across == WEEKS:
        fourth = begin + 3 * _DAY  # of January, which is in the first week
        weekday = (fourth.astype("datetime64[D]").astype(np.int64) + 3) % 7
        local = fourth + (7 * places - weekday) * _DAY
        beyond = (local + 3 * _DAY).astype("datetime64[Y]") != begin.astype("datetime64[Y]")
        _refuse(table, spread, filled & beyond, "the year has no such week")
    elif spread.across == DAYS:
        local = (begin.astype("datetime64[D]") + places * _DAY).astype("datetime64[us]")
        _refuse(
            table,
            spread,
            filled & (local.astype("datetime64[M]") != begin.astype("datetime64[M]")),
            "the month has no such day",
        )
    elif spread.across == WEEKDAYS:
        days = known.astype("datetime64[D]")
        if ((days.astype(np.int64) + 3) % 7 != places[0]).any():
            raise CorpusError(
                f"{table.path}: the first weekday is {spread.columns[0]!r}, and the week of a row begins on another day, "
                f"like {days[(days.astype(np.int64) + 3) % 7 != places[0]][0]}; give each row the date of its first day"
            )
        local = begin + np.arange(7) * _DAY
    else:
        return _clock_times(table, times, spread, zone, filled)
    return local, np.zeros(local.shape, dtype=bool)


def _refuse(table: Table, spread: Spread, wrong: NDArray[np.bool_], why: str) -> None:
    if not wrong.any():
        return
    row, column = (int(place[0]) for place in np.nonzero(wrong))
    name = [*spread.columns, spread.extra][column]
    raise CorpusError(f"{table.path}, {table.place(row)}, column {name!r}: {why}")


def _clock_times(
    table: Table, times: Times, spread: Spread, zone: tzinfo, filled: NDArray[np.bool_]
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Those of hours; where an hour is known to be the first or second of its name, or is counted on, it is in UTC."""
    begin, count = times.local[:, None], len(spread.columns)
    local = begin + np.array(spread.places) * _MINUTE
    if spread.extra is not None:
        local = np.concatenate([local, begin + 24 * _HOUR], axis=1)
    aware = np.zeros(local.shape, dtype=bool)
    midnight, after = to_utc(times.local, zone).utc, to_utc(times.local + _DAY, zone).utc
    length = (after - midnight)[:, None]
    if spread.across == ELAPSED:
        since = local - begin
        why = "the day has fewer hours in its timezone; if hours are those of the clock, write across: hours"
        _refuse(table, spread, filled & (since >= length), why)
        return midnight[:, None] + since, ~aware
    last, wrong = filled[:, count - 1], np.zeros(filled.shape, dtype=bool)
    wrong[:, count - 1] = (length[:, 0] < _DAY) & filled[:, : count - 1].all(axis=1) & ~last
    why = "it is empty on a day of 23 hours, so hours seem to be counted on from midnight; write across: elapsed hours"
    _refuse(table, spread, wrong, why)
    if spread.extra is None:
        return local, aware
    long, wrong = filled[:, count] & (length[:, 0] > _DAY), np.zeros(filled.shape, dtype=bool)
    wrong[:, count] = filled[:, count] & ~long
    why = "the day has 24 hours in its timezone; write the zone of the clocks (timezone: Europe/Berlin)"
    _refuse(table, spread, wrong, why)
    for row in np.flatnonzero(long):
        hours = midnight[row] + np.arange(26) * _HOUR
        second = int(np.flatnonzero(np.diff(to_local(hours, zone)) <= np.timedelta64(0))[0]) + 1
        local[row, [second - 1, count]] = hours[[second - 1, second]]
        aware[row, [second - 1, count]] = True
    return local, aware
