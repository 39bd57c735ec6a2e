"""The rows of the files of a `FileSpec`: their times in UTC and by the clock, and their ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data_modules.schema import CorpusError
from data_modules.tables.columns import (
    below_their_days,
    column,
    is_time_name,
    joined,
    read_time_column,
    time_columns,
)
from data_modules.tables.counts import Counts
from data_modules.tables.dates import NAT
from data_modules.tables.files import read_table
from data_modules.tables.packed import stem_of
from data_modules.tables.spec import FileSpec
from data_modules.tables.table import Table, Wanted
from data_modules.tables.times import ASKED, Times
from data_modules.tables.zones import offset_in, to_local, to_utc, zone_of

if TYPE_CHECKING:
    import pandas as pd

    from data_modules.tables.seen import Recent

MOSTLY = 0.5  # rows without a readable time make the column none from this share on


@dataclass
class Moments:
    """The times of N rows, both as UTC and as the clocks of their zone show them."""

    utc: NDArray[np.datetime64]
    wall: NDArray[np.datetime64]
    nonexistent: NDArray[np.bool_]  # (N,) the clocks skip this time in spring
    unsure: NDArray[np.bool_]  # (N,) the clocks show it twice, and the rows do not say which it is
    dates: bool  # no row has a time of day

    def keep(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Moments:
        """Those of the rows that are kept."""
        return Moments(self.utc[rows], self.wall[rows], self.nonexistent[rows], self.unsure[rows], self.dates)


def moments_of(times: Times, zone: tzinfo, groups: NDArray[np.integer] | None = None) -> Moments:
    """Times in UTC and by the clock; those of each of the `groups` (N,) are in the order of their rows."""
    naive = np.where(times.aware, NAT, times.local)
    localized = to_utc(naive, zone, groups)
    utc = np.where(times.aware, times.local, localized.utc)
    wall = times.local
    if times.aware.any():
        wall = np.where(times.aware, to_local(np.where(times.aware, times.local, NAT), zone), times.local)
    return Moments(utc, wall, localized.nonexistent, localized.unsure, times.dates)


def open_tables(
    part: FileSpec,
    root: Path,
    files: Sequence[Path],
    texts: Sequence[str | None],
    counts: Counts,
    recent: Recent | None = None,
) -> list[Table]:
    """The files of a part, below `root`; what stands in the columns `texts` is text, and so are times and ids.

    Of a Parquet file that is known, rows that are not `recent` may be left out.
    """
    kept = {str(name) for name in [*part.time, part.id, *texts] if name}
    folded = {" ".join(name.split()).casefold() for name in kept}
    tables = []
    for file in files:
        name = str(file.relative_to(root))
        table = read_table(file, part.layout(), _is_text(folded, bool(part.time)), _wanted(part, name, recent))
        table.name = name
        if table.short:
            counts.add(
                "lines with too few cells",
                table.name,
                "read as empty cells",
                len(table.short),
                f"line {table.short[0]}",
            )
        for doubt in table.layout.doubts:
            counts.add("doubts", table.name, doubt)
        if table.head.below > bool(table.head.units):
            counts.add("lines between the header and the first row", table.name, "left out", table.head.below)
        if not len(table.frame):
            counts.add("files without a row", table.name, "left out")
            continue
        tables.append(table)
    return tables


def _wanted(part: FileSpec, name: str, recent: Recent | None) -> Wanted | None:
    """What tells by their times which rows of a file are read."""
    if recent is None or name not in recent.lines or getattr(part, "across", None) is not None:
        return None

    def columns(table: Table) -> list[str]:
        return time_columns(table, part.time, part.time_format)

    def rows(table: Table) -> NDArray[np.bool_]:
        own = columns(table)
        times = read_time_column(table, own, part.time_format)
        wanted = recent.wanted(name, (times if part.timezone else by_its_name(times, own)).local)
        assert wanted is not None
        return wanted

    return Wanted(columns, rows)


def _is_text(kept: set[str], named: bool) -> Callable[[str], bool]:
    return lambda name: name.casefold() in kept or (not named and is_time_name(name))


def times_of(tables: Sequence[Table], part: FileSpec, counts: Counts) -> list[tuple[Table, Times]]:
    """The tables and the times of their rows.

    Where one file's dates may have the day or the month first, the other files decide. An offset in the name of a column
    is that of its times, unless the part names a zone.

    Raises
    ------
    CorpusError
        A column is missing, holds no times, or dates that can be read in two ways.
    """
    columns = [time_columns(table, part.time, part.time_format) for table in tables]
    read = [read_time_column(table, own, part.time_format) for table, own in zip(tables, columns, strict=True)]
    sure = {own.kind for own in read if own.kind in ASKED and not own.doubt}
    for number, (table, own) in enumerate(zip(tables, columns, strict=True)):
        where = f"{table.path}, column {' and '.join(map(repr, own))}"
        if read[number].doubt and read[number].kind in ASKED:
            choices = ASKED[read[number].kind]
            if len(sure) != 1 or not sure <= set(choices):
                raise CorpusError(f"{where}: {read[number].doubt}; say which: time_format: {', or '.join(choices)}")
            read[number] = read_time_column(table, own, next(iter(sure)))
        elif read[number].doubt:
            counts.add("doubts", table.name, read[number].doubt)
        wrong, written = read[number].wrong, ~np.isnat(read[number].local) | read[number].wrong
        if wrong.sum() > MOSTLY * max(written.sum(), 1) or not written.any():
            example = _example(table, own, wrong) if wrong.any() else "it is empty"
            raise CorpusError(
                f"{where} holds no times: {example}; name the column (time) or the format (time_format, like "
                "'%d.%m.%Y %H:%M')"
            )
        counts.add(
            "rows without a readable time",
            table.name,
            "left out",
            int(np.isnat(read[number].local).sum()),
            _example(table, own, np.isnat(read[number].local)),
        )
        below = below_their_days(table.frame, own)
        counts.add("rows without a day", table.name, "of the day above", int(below.sum()))
        if part.timezone is None:
            read[number] = by_its_name(read[number], own)
    return list(zip(tables, read, strict=True))


def by_its_name(times: Times, columns: Sequence[str]) -> Times:
    """The times as UTC where the name of their column says their offset, as `time_utc` and `Date Time, GMT-05:00` do."""
    offset = next((own for own in map(offset_in, columns) if own is not None), None)
    if offset is None or times.dates:
        return times
    local = np.where(times.aware, times.local, times.local - offset)
    return replace(times, local=local, aware=np.ones(len(local), dtype=bool))


def _example(table: Table, columns: Sequence[str], rows: NDArray[np.bool_]) -> str:
    if not rows.any():
        return ""
    first = int(np.flatnonzero(rows)[0])
    cell = joined(table.frame, columns).iloc[first]
    return f"{table.place(first)}: {'empty' if cell is None or cell != cell else repr(str(cell)[:40])}"


def ids_of(table: Table, part: FileSpec, usual: str, counts: Counts) -> NDArray[np.object_]:
    """The series (N,) of each row, None where the cell is empty; an id may stand once above all of its rows."""
    if part.id is None:
        return np.full(len(table.frame), named_after(table, part.name or usual), dtype=object)
    name = column(table, part.id, "id")
    cells = with_ids_above(table.frame[name])
    counts.add(
        "rows below their id", table.name, "of the id above", int((cells.notna() & table.frame[name].isna()).sum())
    )
    return np.array([id_of(cell) for cell in cells.to_numpy(dtype=object, na_value=None)], dtype=object)


def named_after(table: Table, name: str) -> str:
    """A name in which {file}, {folder} and {sheet} are those of a table."""
    parts = {"{file}": stem_of(table.path), "{folder}": table.path.parent.name, "{sheet}": table.sheet}
    return re.sub(r"\{(file|folder|sheet)\}", lambda match: parts[match[0]], name)


def with_ids_above(cells: pd.Series) -> pd.Series:
    """Ids (N,) that stand once above all of their rows, as merged cells do, in each of these; others as they are."""
    empty = cells.isna()
    return cells.ffill() if len(cells) and not empty.iloc[0] and empty.mean() > MOSTLY else cells


def id_of(cell: object) -> str | None:
    """A cell as an id: 7.0 is "7"."""
    if cell is None or cell != cell:
        return None
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return " ".join(str(cell).split()) or None


def zone_for(part: FileSpec, usual: str) -> tzinfo:
    """The zone of the times of a part that have no offset."""
    return zone_of(part.timezone if part.timezone is not None else usual)
