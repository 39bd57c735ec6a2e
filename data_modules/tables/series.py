"""Series on regular grids, from the files that a `TablesSpec` names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data_modules.frequency import Frequency
from data_modules.schema import CorpusError
from data_modules.tables.cells import channel_columns, long_columns
from data_modules.tables.columns import column, is_time_name, part_of_time, time_columns
from data_modules.tables.counts import Counts
from data_modules.tables.grid import FREE_CELLS, STEPS_A_ROW, frequency_of, usual_frequency
from data_modules.tables.numbers import equal_to, suspected_fills
from data_modules.tables.rows import ids_of, moments_of, open_tables, times_of, zone_for
from data_modules.tables.seen import Recent
from data_modules.tables.spec import SeriesSpec, TablesSpec, channel_specs, find, number_of
from data_modules.tables.spread import TIMES, VALUE, find_spread, melted, spread_of, turned
from data_modules.tables.stacked import Rows, Series, Stacked, shown
from data_modules.tables.table import Table
from data_modules.tables.times import Times
from data_modules.validation import LARGEST
from trace_lit.channels import Channel

if TYPE_CHECKING:
    from data_modules.tables.spec import ChannelSpec

_DAY = 86_400_000_000


@dataclass
class Found:
    """All series of a folder."""

    channels: tuple[Channel, ...]
    frequency: str
    series: list[Series]
    by_the_clock: bool  # times are those that the clocks show, as steps of days and more have them; else UTC


class Reader:
    """Reads the series that `spec` names below `root`, and counts what it meets.

    Parameters
    ----------
    usual
        The name of a series that has none.
    known
        Channels that a corpus has already; others are left out.
    frequency
        That a corpus has already.
    recent
        What need not be read again.
    """

    def __init__(
        self,
        spec: TablesSpec,
        root: Path,
        usual: str,
        counts: Counts,
        known: Sequence[Channel] = (),
        frequency: str = "",
        recent: Recent | None = None,
    ) -> None:
        self.spec, self.root, self.usual, self.counts = spec, root, usual, counts
        self.known, self.recent = tuple(known), recent
        self.frequency = frequency
        self.channels: dict[str, Channel] = {channel.key: channel for channel in known}
        self.rules: dict[str, str | None] = {}
        self.fills: dict[str, list[float]] = {}

    def read(self) -> Found:
        """All series, each on its grid.

        Raises
        ------
        CorpusError, ConfigError
            A file cannot be read as `spec` says; the message says where, and what to do.
        """
        by_id: dict[str, list[Rows]] = {}
        for number, part in enumerate(self.spec.series):
            for name, rows in self._part(part, f"series[{number}]"):
                by_id.setdefault(name, []).append(rows)
        if not by_id:
            raise CorpusError(f"the files in {self.root} hold no row of a series")
        by_id = dict(sorted(by_id.items()))
        if self.recent is not None:
            by_the_clock = _by_the_clock(Frequency.parse(self.frequency))
            for name, parts in by_id.items():
                for rows in parts:
                    self.recent.check(name, rows.file, rows.moments.wall if by_the_clock else rows.moments.utc)
        frequency = self._settle_frequency(by_id)
        step = Frequency.parse(frequency)
        by_the_clock = _by_the_clock(step)
        self._replace_fills(by_id)
        series = []
        room = FREE_CELLS + STEPS_A_ROW * sum(rows.values.size for parts in by_id.values() for rows in parts)
        for name, parts in by_id.items():
            stacked = Stacked(name, parts, list(self.channels), by_the_clock, self.spec, self.counts, room)
            made = stacked.series(step, [self.rules.get(key) for key in self.channels])
            if made is not None:
                series.append(made)
                room -= made.values.size
        if series and series[0].grid.frequency.ends and not step.ends:
            frequency = frequency[:-1] + "E"
        channels, series = self._observed(series)
        self._count_missing(channels, series)
        return Found(channels, frequency, series, by_the_clock)

    def _part(self, part: SeriesSpec, where: str) -> list[tuple[str, Rows]]:
        """The rows of each series in the files of a part."""
        files = find(self.root, part.files, where)
        specs = channel_specs(part, where)
        tables = open_tables(part, self.root, files, [part.channel], self.counts, self.recent)
        found = []
        seen: set[str] = set()
        first = f"{tables[0].path} has {', '.join(map(str, tables[0].frame.columns))}" if tables else ""
        whole = part.across is not None  # new columns may stand beside old rows
        if part.across == TIMES:
            tables = [self._melted(part, table, list(specs)) for table in tables]
            part = replace(part, across=None, time=[], value=None if part.channel is None else VALUE)
        timed = times_of(tables, part, self.counts)
        tables.clear()
        while timed:  # a table is let go when its rows are read
            table, times = timed.pop(0)
            if part.across is not None:
                table, times = self._turned(part, table, times, list(specs))
            elif self.recent is not None and not whole:
                table, times = self.recent.shorten(table, times)
                if not len(table.frame):
                    seen |= {str(name) for name in table.frame.columns}
                    continue
            for name, rows in self._table(part, specs, table, times, seen):
                found.append((name, rows))
        if first and (absent := [column for column in specs if " ".join(column.split()) not in seen]):
            first = first if part.channel is None else "they have others"
            raise CorpusError(f"{where}.channels: no file has {absent[0]!r}; {first}")
        return found

    def _melted(self, part: SeriesSpec, table: Table, named: Sequence[str]) -> Table:
        """A table with a row a cell of the columns that are called by times."""
        keep = [column(table, name, "time") for name in part.time] or [
            own for own in map(str, table.frame.columns) if part_of_time(own) or is_time_name(own)
        ]
        keep += [column(table, name, "id") for name in (part.id, part.channel, *part.good) if name]
        return melted(table, VALUE if part.channel is not None else " ".join(named[0].split()), keep, self.counts)[0]

    def _turned(self, part: SeriesSpec, table: Table, times: Times, named: Sequence[str]) -> tuple[Table, Times]:
        """A table with a row a time; its values are in a column that is called as the channel is."""
        time = time_columns(table, part.time, part.time_format)
        spread = spread_of(table, time, times, str(part.across), part.first_month, part.named_after)
        keep = [*time, *(column(table, name, "id") for name in (part.id, part.channel, *part.good) if name)]
        value = VALUE if part.channel is not None else " ".join(named[0].split())
        return turned(table, times, spread, value, keep, zone_for(part, self.spec.timezone), self.counts)

    def _table(
        self, part: SeriesSpec, specs: dict[str, ChannelSpec], table: Table, times: Times, seen: set[str]
    ) -> list[tuple[str, Rows]]:
        ids = ids_of(table, part, self.usual, self.counts)
        if part.across is not None and part.channel is not None:
            part = replace(part, value=VALUE)
        elif part.across is None and part.channel is None and not specs:
            _refuse_spread(part, table, times)
        read = channel_columns if part.channel is None else long_columns
        cells = read(part, specs, table, ids, times, self.counts)
        seen |= cells.columns
        for key, (channel, own) in cells.channels.items():
            if self.known and key not in self.channels:
                self.counts.add("channels that the corpus does not have", table.name, "left out", 1, key)
                continue
            self.channels.setdefault(key, channel)
            self.rules.setdefault(key, own.resample)
            self.fills.setdefault(key, [number_of(value, f"missing of {key}") for value in own.missing])
        groups = np.unique(np.array([str(name) for name in cells.ids]), return_inverse=True)[1]
        if part.channel is not None:
            groups = cells.groups
        moments = moments_of(cells.times, zone_for(part, self.spec.timezone), groups)
        keys = tuple(cells.channels)
        lines = table.frame.index.to_numpy()[cells.rows].astype(np.int64)
        whole = Rows(table.name, table.word, lines, moments, keys, cells.values)
        none = np.array([name is None for name in cells.ids], dtype=bool)
        self.counts.add("rows without an id", table.name, "left out", int(none.sum()))
        rows = np.flatnonzero(~none & ~np.isnat(moments.wall))
        names, number = np.unique(np.array([str(name) for name in cells.ids[rows]]), return_inverse=True)
        order = np.argsort(number, kind="stable")
        borders = np.searchsorted(number[order], np.arange(1, len(names)))
        apart = np.split(rows[order], borders) if len(names) else []
        return [(str(name), whole.keep(own)) for name, own in zip(names, apart, strict=True)]

    def _settle_frequency(self, by_id: dict[str, list[Rows]]) -> str:
        """That of the spec, or the most frequent of the series."""
        if self.frequency:
            return self.frequency
        if self.spec.frequency:
            alias, word = frequency_of(self.spec.frequency)
            if word:
                self.counts.add("old aliases of frequencies", "frequency", word)
            return alias
        found: Counter[str] = Counter()
        for parts in by_id.values():
            utc = np.unique(np.concatenate([rows.moments.utc[~np.isnat(rows.moments.utc)] for rows in parts]))
            wall = np.unique(np.concatenate([rows.moments.wall for rows in parts]))
            alias = usual_frequency(wall)
            if alias and not Frequency.parse(alias).months and Frequency.parse(alias).microseconds < _DAY:
                alias = usual_frequency(utc)
            if alias:
                found[alias] += len(wall)
        if not found:
            raise CorpusError(
                "the rows are too few, or their times irregular, to see a frequency; give `frequency` (like 1h) and, if "
                "rows are to be combined within a step, `resample` (mean, last or sum)"
            )
        return found.most_common(1)[0][0]

    def _replace_fills(self, by_id: dict[str, list[Rows]]) -> None:
        """Make fill values missing where the spec names them, and count those that it does not name."""
        common = [number_of(value, "missing") for value in self.spec.missing]
        by_key: dict[str, list[tuple[Rows, NDArray[np.float64]]]] = {key: [] for key in self.channels}
        for rows in (rows for parts in by_id.values() for rows in parts):
            for key, values in zip(rows.channels, rows.values, strict=True):
                if key in by_key:
                    by_key[key].append((rows, values))
        for key, own in by_key.items():
            fills = [*common, *self.fills.get(key, [])]
            for fill in fills:
                for rows, values in own:
                    where = equal_to(values, fill)
                    self._count_fills(f"fill values {fill:g}", key, "made missing", rows, where)
                    values[where] = np.nan
            together = np.concatenate([values for _, values in own]) if own else np.empty(0)
            for fill in suspected_fills(together, fills):
                for rows, values in own:
                    word = f"kept; missing: [{fill:g}] makes them missing"
                    self._count_fills(f"values {fill:g}, as fill values are", key, word, rows, equal_to(values, fill))
            for rows, values in own:
                if (large := np.abs(np.nan_to_num(values)) > LARGEST).any():
                    place = int(np.flatnonzero(large)[0])
                    raise CorpusError(
                        f"{rows.place(place)}: {values[place]:g} in channel {key!r} ({int(large.sum())} such values) is "
                        f"above {LARGEST:g}; if it stands for a missing value, write missing: [{values[place]:g}]"
                    )

    def _count_fills(self, what: str, key: str, done: str, rows: Rows, where: NDArray[np.bool_]) -> None:
        if where.any():
            self.counts.add(what, key, done, int(where.sum()), rows.place(int(np.flatnonzero(where)[0])))

    def _observed(self, series: list[Series]) -> tuple[tuple[Channel, ...], list[Series]]:
        """The channels that have a value anywhere, and the series with these; what a corpus has already stays."""
        keys = list(self.channels)
        seen = np.array([[not np.isnan(one.values[place]).all() for place in range(len(keys))] for one in series])
        if not seen.any():
            raise CorpusError(f"the files in {self.root} hold no value of a channel")
        kept: NDArray[np.bool_] = np.ones(len(keys), dtype=bool)
        if not self.known:
            kept = np.asarray(seen.any(axis=0))
        for place in np.flatnonzero(~kept):
            self.counts.add("channels without a value", keys[place], "left out")
        for place in np.flatnonzero(kept & ~seen.all(axis=0)):
            lacking = [one.id for one, own in zip(series, seen[:, place], strict=True) if not own]
            self.counts.add(
                "series without the channel", keys[place], "missing in their windows", len(lacking), lacking[0]
            )
        channels = tuple(channel for channel, own in zip(self.channels.values(), kept, strict=True) if own)
        return channels, series if kept.all() else [Series(one.id, one.grid, one.values[kept]) for one in series]

    def _count_missing(self, channels: Sequence[Channel], series: Sequence[Series]) -> None:
        for place, channel in enumerate(channels):
            for one in series:
                gaps = np.flatnonzero(np.isnan(one.values[place]))
                if 0 < len(gaps) < one.values.shape[1]:
                    first = f"{one.id} {shown(one.grid.times(int(gaps[0]) + 1)[-1])}"
                    self.counts.add("steps without a value", channel.key, "missing", len(gaps), first)


def _refuse_spread(part: SeriesSpec, table: Table, times: Times) -> None:
    """Raise CorpusError for a table that seems to have a column a month or hour, of which the spec says nothing."""
    if spread := find_spread(table, time_columns(table, part.time, part.time_format), times):
        raise CorpusError(
            f"{table.path} seems to have {spread.sentence}; write across: {spread.across}, or name the columns in "
            "`channels` if each is a channel"
        )


def _by_the_clock(step: Frequency) -> bool:
    """Whether times of such steps are those that the clocks show."""
    return bool(step.months) or step.business or step.microseconds >= _DAY
