"""All rows of one series, of whatever files and channels, on one grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.frequency import Frequency
from data_modules.schema import CorpusError
from data_modules.tables.counts import Counts
from data_modules.tables.grid import Grid, check_cells, check_reach, grid_of, resampled, tolerance_of
from data_modules.tables.rows import Moments
from data_modules.tables.spec import TablesSpec
from data_modules.tables.zones import clock_change, zone_of


@dataclass
class Rows:
    """Rows of one series and some channels, in the order of one file."""

    file: str
    word: str  # "line" or "row"
    lines: NDArray[np.int64]  # (N,) where they stand
    moments: Moments
    channels: tuple[str, ...]  # keys
    values: NDArray[np.float64]  # (C, N)

    def keep(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Rows:
        """Those of the rows that are kept; all of them in their order are not copied."""
        if rows.dtype != np.bool_ and np.array_equal(rows, np.arange(len(self.lines))):
            return self
        return Rows(
            self.file, self.word, self.lines[rows], self.moments.keep(rows), self.channels, self.values[:, rows]
        )

    def place(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"{self.file}, {self.word} {self.lines[row]}"


@dataclass
class Series:
    """C channels of T steps on a grid."""

    id: str
    grid: Grid
    values: NDArray[np.float64]  # (C, T), NaN where missing


class Stacked:
    """All rows of one series, in order of time.

    Parameters
    ----------
    keys
        The channels, in their order.
    by_the_clock
        Times are those that the clocks show; else UTC.
    room
        Cells that it may have.
    """

    def __init__(
        self,
        name: str,
        parts: Sequence[Rows],
        keys: Sequence[str],
        by_the_clock: bool,
        spec: TablesSpec,
        counts: Counts,
        room: int,
    ) -> None:
        self.name, self.spec, self.counts, self.room = name, spec, counts, room
        self.parts = list(parts) if by_the_clock else [self._existing(rows) for rows in parts]
        times = [rows.moments.wall if by_the_clock else rows.moments.utc for rows in self.parts]
        sizes = [len(own) for own in times]
        self.times = np.concatenate(times)
        check_cells(len(keys) * len(self.times), room, f"the series {name!r}")
        self.values = self._together(keys, sizes)
        for rows, own in zip(self.parts, times, strict=True):
            back = int((np.diff(own) < np.timedelta64(0)).sum())
            if back < len(own) - 1 or len(own) == 2:  # else the newest row is the first
                counts.add("rows out of order", rows.file, "sorted by time", back)
        order = np.argsort(self.times, kind="stable")
        if (order[:-1] > order[1:]).any():
            self.times, self.values = self.times[order], self.values[:, order]
        self._part = np.repeat(np.arange(len(sizes)), sizes)[order]
        self._row = np.concatenate([np.arange(size) for size in sizes])[order]

    def _together(self, keys: Sequence[str], sizes: Sequence[int]) -> NDArray[np.float64]:
        """(C, N) the values of all parts, in the order of `keys`."""
        if len(self.parts) == 1 and list(self.parts[0].channels) == list(keys):
            return self.parts[0].values
        values = np.full((len(keys), sum(sizes)), np.nan)
        place = {key: number for number, key in enumerate(keys)}
        for rows, begin, size in zip(self.parts, np.cumsum([0, *sizes]), sizes, strict=False):
            for number, key in enumerate(rows.channels):
                if key in place:
                    values[place[key], begin : begin + size] = rows.values[number]
        return values

    def _place(self, row: int) -> str:
        """Where a row stands, for messages."""
        return self.parts[self._part[row]].place(int(self._row[row]))

    def _existing(self, rows: Rows) -> Rows:
        """Without the rows whose time the clocks skip, or with them an hour later."""
        moments = rows.moments
        if moments.unsure.any():
            place = rows.place(int(np.flatnonzero(moments.unsure)[0]))
            count = int(moments.unsure.sum())
            self.counts.add("times in the doubled hour that come once", self.name, "taken as the first", count, place)
        skipped = moments.nonexistent
        if not skipped.any():
            return rows
        empty = skipped & np.isnan(rows.values).all(axis=0)
        first, what = rows.place(int(np.flatnonzero(skipped)[0])), "in the hour that clocks skip"
        self.counts.add(f"empty rows {what}", self.name, "left out", int(empty.sum()), first)
        filled = skipped & ~empty
        count = int(filled.sum())
        if not count or self.spec.missing_hour == "leave out":
            self.counts.add(f"rows {what}", self.name, "left out", count, first)
            return rows.keep(~skipped)
        if self.spec.missing_hour == "refuse":
            row = int(np.flatnonzero(filled)[0])
            raise CorpusError(
                f"{rows.place(row)}: {shown(moments.wall[row])} does not exist in the zone of its time, as clocks are "
                f"put forward ({count} such rows). If the clock of the data is not changed in spring, write its offset as "
                "timezone, like +01:00; else missing_hour: leave out, or missing_hour: shift (an hour later)"
            )
        self.counts.add(f"rows {what}", self.name, "moved an hour later", count, first)
        return rows.keep(~empty)

    def series(self, step: Frequency, rules: Sequence[str | None]) -> Series | None:
        """The series with steps of `step`; None where no row has a time. `rules` resample each of the channels."""
        if not len(self.times):
            return None
        if self.spec.stamps == "end":
            self.times = step.advance(self.times, -1)
        tolerance = tolerance_of(step, self.spec.tolerance)
        grid = grid_of(self.times, step, step.microseconds if self.spec.resample else tolerance)
        if self.spec.resample is not None:
            return self._resampled(grid, [rule or self.spec.resample for rule in rules])
        steps, late = grid.nearest(self.times)
        off = np.abs(late) > tolerance
        if off.any():
            raise CorpusError(self._refusal(grid, late, off))
        if (moved := late != 0).any():
            first = int(np.flatnonzero(moved)[0])
            where = f"{self._place(first)}: {shown(self.times[first])}"
            self.counts.add("stamps beside their step", self.name, "moved onto it", int(moved.sum()), where)
        grid, steps = self._from_first(grid, steps)
        if np.array_equal(steps, np.arange(len(steps))):
            return Series(self.name, grid, self.values)
        if len(np.unique(steps)) == len(steps):
            values = np.full((len(self.values), int(steps[-1]) + 1), np.nan)
            values[:, steps] = self.values
            return Series(self.name, grid, values)
        rule = self._rule_for_duplicates(steps)
        return Series(self.name, grid, resampled(self.values, steps, int(steps[-1]) + 1, [rule] * len(self.values)))

    def _resampled(self, grid: Grid, rules: Sequence[str]) -> Series:
        grid, steps = self._from_first(grid, grid.floor(self.times))
        combined = len(steps) - len(np.unique(steps))
        word = f"combined by {' and '.join(dict.fromkeys(rules))}"
        self.counts.add("rows that share a step with others", self.name, word, combined)
        return Series(self.name, grid, resampled(self.values, steps, int(steps[-1]) + 1, rules))

    def _from_first(self, grid: Grid, steps: NDArray[np.int64]) -> tuple[Grid, NDArray[np.int64]]:
        """The grid from the first of `steps` on, and these counted from there."""
        first = int(steps[0])
        grid, steps = Grid(grid.step(first), grid.frequency), steps - first
        after = int(np.diff(steps, prepend=0).argmax())  # the widest gap lies before it
        gap = f"{self._place(max(after - 1, 0))} is of {shown(self.times[max(after - 1, 0)])}, the next row of "
        names = [f"{gap}{shown(self.times[after])}, and the last"]
        check_reach(steps[-1:], names, len(steps), grid.frequency, self.name)
        check_cells(len(self.values) * (int(steps[-1]) + 1), self.room, f"the series {self.name!r}")
        return grid, steps

    def _refusal(self, grid: Grid, late: NDArray[np.int64], off: NDArray[np.bool_]) -> str:
        first = int(np.flatnonzero(off)[0])
        seconds = -(-int(np.abs(late).max()) // 1_000_000)
        wide = f"{-(-seconds // 60)}min" if seconds >= 60 else f"{seconds}s"
        change = clock_change(zone_of(self.spec.timezone), int(str(self.times[first])[:4]))
        if change and grid.frequency.microseconds and change % grid.frequency.microseconds:
            return (
                f"{self._place(first)}: {shown(self.times[first])} is on no step of {grid.frequency.span(1)}, as the clock "
                f"of {self.spec.timezone} is changed by {change // 60_000_000} minutes. If the clock of the data is not "
                "changed, write its offset as timezone, like +10:30; else shorter steps (frequency: "
                f"{math.gcd(change, grid.frequency.microseconds) // 60_000_000}min) or a rule that moves rows onto the step "
                "that they lie in (resample: mean)"
            )
        near = np.abs(late).max() * 4 < (grid.frequency.microseconds or np.inf)
        side = "after" if late[first] > 0 else "before"
        return (
            f"{self._place(first)}: {shown(self.times[first])} is {abs(int(late[first])) / 1e6:g} seconds {side} a step of "
            f"{grid.frequency.span(1)}, and {int(off.sum()):,} of {len(off):,} rows of the series {self.name!r} miss their "
            "step by more than the tolerance: name a rule that combines the rows of a step (resample: mean, last or sum) or "
            f"the frequency that the rows have{f', or tolerance: {wide}' * bool(near)}"
        )

    def _rule_for_duplicates(self, steps: NDArray[np.int64]) -> str:
        """How rows of one step become one; CorpusError where they differ and no rule is named."""
        count = int(steps[-1]) + 1
        low, high = (resampled(self.values, steps, count, [rule] * len(self.values)) for rule in ("min", "max"))
        differing = np.flatnonzero((low < high).any(axis=0))
        if not len(differing):
            repeated = int((~np.isnan(self.values)).sum() - (~np.isnan(low)).sum())
            self.counts.add("repeated values of one time", self.name, "kept once", repeated)
            return "first"
        one, other = np.flatnonzero(steps == differing[0])[:2]
        if self.spec.duplicates == "refuse":
            raise CorpusError(
                f"{self._place(one)} and {self._place(other)}: two rows of the series {self.name!r} at "
                f"{shown(self.times[one])} differ ({len(differing):,} such times). If files or rows are of different "
                "series, name the column of the series (id), or write name: '{file}'; if channels stand below each other, "
                "name the columns channel and value; if clocks were put back then, name their zone (timezone); else say "
                "which row counts: duplicates: first, last, mean or sum"
            )
        word = f"combined by {self.spec.duplicates}"
        self.counts.add("times with rows that differ", self.name, word, len(differing), self._place(one))
        return self.spec.duplicates


def shown(time: Any) -> str:
    """A time in a message."""
    return str(np.asarray(time).astype("datetime64[s]")).replace("T", " ")
