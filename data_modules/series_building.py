"""Building a corpus that stores series: records come one at a time, and nothing in memory grows with their values.

Records are spooled to the disk, values and rows apart, where windows that overlap the one before share its steps. When all
are there, splits are made, the series are put in order, and rows are written with the places of their first steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib import format as npy
from numpy.typing import NDArray

from data_modules.assembly import checked, described, with_splits
from data_modules.frequency import Frequency
from data_modules.schema import (
    STORED_SCHEMA,
    CorpusError,
    CorpusInfo,
    Record,
    column,
    is_single,
    lengths,
    objects,
    start_times,
)
from data_modules.series_values import SeriesValues, block_steps
from data_modules.shards import REPEATED
from data_modules.validation import LARGEST, cell_problem, digest_of, stored_problems, summary

GROUP_ROWS, GROUP_CELLS = 8192, 2**22  # rows, and values of their windows, that are in memory with their texts
SHARD_GROUPS = 16
VALUES, ROWS = "values.npy", "rows"
_SPOOL_VALUES, _SPOOL_ROWS = "spool.values", "spool.rows"
_TEXTS = ("text", "channel_texts")
_SPOOL = pa.schema([*STORED_SCHEMA, ("piece", pa.int64())])


@dataclass
class Stored:
    """What was written to a folder."""

    fingerprint: str
    shards: list[Path]
    values: Path
    splits: NDArray[np.object_]  # of the rows


def write_series(records: Iterable[Record], info: CorpusInfo, folder: Path, seed: int) -> Stored:
    """Write the values and rows of `records` to `folder`, under names of no corpus yet.

    Raises
    ------
    CorpusError
        A record cannot be used (the message names it), or there is none.
    """
    spool = spooled(records, info, folder)
    if not spool.count:
        raise CorpusError("there are no records to build a corpus from")
    rows = with_splits(spool.rows().append_column("row", pa.array(np.arange(spool.count))))
    laid = spool.parts(rows)
    place = write_parts(laid.parts, folder / VALUES, spool.kind, len(info.channels))
    rows = rows.set_column(rows.schema.get_field_index("first"), "first", pa.array(laid.first(place)))
    values = SeriesValues(folder / VALUES, len(info.channels))
    if problems := stored_problems(info, rows.drop_columns(["piece", "row"]), values):
        raise CorpusError(summary(problems))
    shards = write_shards(spool.with_texts(rows, values, seed), folder)
    spool.remove()
    return Stored(
        stored_fingerprint(info, rows, values, texts_of(shards)), shards, folder / VALUES, objects(rows, "split")
    )


def spooled(records: Iterable[Record], info: CorpusInfo, folder: Path) -> Spool:
    """All `records`, checked, in files in `folder`."""
    spool = Spool(info, folder)
    try:
        for number, record in enumerate(records):
            spool.add(checked(record, number, info))
        spool.flush()
    finally:
        spool.close()
    return spool


class Spool:
    """Records on the disk as they come: steps (float64) of one piece after another, and rows that say where theirs are."""

    def __init__(self, info: CorpusInfo, folder: Path) -> None:
        self.info, self.folder = info, folder
        self.count = 0
        self.steps = 0
        self.single = True  # float32 holds all values exactly
        self.pieces: list[int] = []  # the first step of each piece
        self._values: IO[bytes] = (folder / _SPOOL_VALUES).open("wb")
        self._written = pq.ParquetWriter(folder / _SPOOL_ROWS, _SPOOL, compression="zstd")
        self._columns: dict[str, list[Any]] = {name: [] for name in _SPOOL.names}
        self._cells = 0  # of the records that are not written yet
        self._new: list[NDArray[np.floating]] = []  # and their steps
        self._last: Record | None = None
        self._place = self._length = 0  # of the last record in its piece, of the piece
        self._start = datetime.min

    def add(self, record: Record) -> None:
        """Append a checked record; what it shares with the one before is not stored again."""
        values, given = record.values, record.channel_texts
        if given is not None and len(given) != len(self.info.channels):
            raise CorpusError(
                f"row {record.id!r} has {len(given)} channel texts, the corpus has {len(self.info.channels)} channels"
            )
        step = self._join(record)
        if step is None:
            self.pieces.append(self.steps)
            self._start, self._length, step = record.start, 0, 0
        new = values[:, self._length - step :]
        self._new.append(new.T)
        self.steps += new.shape[1]
        self._length = max(self._length, step + values.shape[1])
        self._last, self._place = record, step
        row = {**vars(record), "first": step, "steps": values.shape[1], "piece": len(self.pieces) - 1}
        for name, cells in self._columns.items():
            cells.append(row[name])
        self.count, self._cells = self.count + 1, self._cells + values.size
        if len(self._new) >= GROUP_ROWS or self._cells >= GROUP_CELLS:
            self.flush()

    def _join(self, record: Record) -> int | None:
        """Where in the present piece the record begins; None where it does not continue it."""
        last = self._last
        if last is None or (last.series_id, last.frequency) != (record.series_id, record.frequency):
            return None
        frequency = Frequency.parse(str(record.frequency))
        step: int | None
        if frequency.months:
            step = frequency.steps_between(np.datetime64(self._start, "us"), np.datetime64(record.start, "us"))
        else:
            step, rest = divmod(record.start - self._start, timedelta(microseconds=frequency.microseconds))
            step = None if rest else step
        if step is None or not self._place <= step <= self._length:
            return None
        shared = min(self._length - step, record.values.shape[1])
        theirs = last.values[:, step - self._place :][:, :shared]
        same = not shared or (
            theirs.shape[1] == shared and np.array_equal(theirs, record.values[:, :shared], equal_nan=True)
        )
        return step if same else None

    def flush(self) -> None:
        """Write what is in memory."""
        if not self._columns["id"]:
            return
        new = np.concatenate(self._new)
        with np.errstate(invalid="ignore"):
            large = np.abs(new) > LARGEST
        if large.any():
            place, channel = np.argwhere(large)[0].tolist()
            self._refuse(place, channel, float(new[place, channel]))
        self.single = self.single and is_single(new)
        self._values.write(np.ascontiguousarray(new, dtype=np.float64).data)
        self._written.write_table(pa.table(self._columns, schema=_SPOOL))
        self._cells, self._new, self._columns = 0, [], {name: [] for name in _SPOOL.names}

    def _refuse(self, place: int, channel: int, value: float) -> None:
        """CorpusError for a value that no corpus may have, at a place of the steps that are not written yet."""
        ends = np.cumsum([len(new) for new in self._new])
        number = int(np.searchsorted(ends, place, side="right"))
        steps = self._columns["steps"][number]
        step = steps - int(ends[number] - place) + 1
        raise CorpusError(cell_problem(self.info, self._columns["id"][number], channel, step, value))

    def close(self) -> None:
        """Let go of the files."""
        self._written.close()
        self._values.close()

    def remove(self) -> None:
        """Remove the files."""
        for name in (_SPOOL_VALUES, _SPOOL_ROWS):
            (self.folder / name).unlink()

    @property
    def kind(self) -> np.dtype:
        """The type that holds all values exactly."""
        return np.dtype("<f4" if self.single else "<f8")

    def rows(self) -> pa.Table:
        """All rows without their texts."""
        file, names = self.folder / _SPOOL_ROWS, [name for name in _SPOOL.names if name not in _TEXTS]
        return (
            pq.read_table(file, columns=names, read_dictionary=list(REPEATED), memory_map=False)
            .unify_dictionaries()
            .combine_chunks()
        )

    def parts(self, rows: pa.Table) -> Laid:
        """The steps that `rows` have: pieces, without what only rows have that were left out."""
        taken = np.memmap(self.folder / _SPOOL_VALUES, np.float64, "r", shape=(self.steps, len(self.info.channels)))
        piece, step, steps = column(rows, "piece").to_numpy(), column(rows, "first").to_numpy(), lengths(rows)
        order = np.lexsort((step, piece))
        reached = np.maximum.accumulate((step + steps)[order] + piece[order] * 2**40)  # of the rows of a piece so far
        begins = np.ones(len(order), dtype=np.bool_)  # of a part of a piece without a step that no row has
        begins[1:] = (piece[order][1:] != piece[order][:-1]) | ((step + piece * 2**40)[order][1:] > reached[:-1])
        part = np.empty(len(order), dtype=np.int64)
        part[order] = np.cumsum(begins) - 1
        head = order[begins]
        sizes = np.maximum.reduceat((step + steps)[order], np.flatnonzero(begins)) - step[head]
        first = np.array(self.pieces)[piece[head]] + step[head]
        return Laid(parts_at(rows, head, taken, first, sizes), part, step - step[head][part])

    def with_texts(self, rows: pa.Table, values: SeriesValues, seed: int) -> Iterator[pa.Table]:
        """The kept `rows` with their texts, some at a time; those of channels are made where there are none."""
        kept, done = column(rows, "row").to_numpy(), 0
        with pq.ParquetFile(self.folder / _SPOOL_ROWS) as spool:
            sizes = [spool.metadata.row_group(group).num_rows for group in range(spool.num_row_groups)]
            for group, (begin, size) in enumerate(zip(np.cumsum([0, *sizes]).tolist(), sizes, strict=False)):
                count = int(np.searchsorted(kept, begin + size)) - done
                if not count:
                    continue
                texts = spool.read_row_group(group, columns=list(_TEXTS))
                texts = texts.take(pa.array(kept[done : done + count] - begin))
                table = rows.slice(done, count).drop_columns(["piece", "row"])
                for name in _TEXTS:
                    table = table.append_column(name, texts[name])
                yield described(self.info, table, _windows(values, table), seed)
                done += count


@dataclass
class Part:
    """Steps (n, C) of a series that follow each other."""

    name: tuple[str, str]  # of the series, and the frequency
    start: np.datetime64
    values: NDArray[np.floating]


@dataclass
class Laid:
    """Where rows lie in parts."""

    parts: list[Part]
    part: NDArray[np.int64]  # (N,) of each row
    step: NDArray[np.int64]  # (N,) of its first step within it

    def first(self, place: NDArray[np.int64]) -> NDArray[np.int64]:
        """(N,) the places of the rows' first steps where the parts begin at `place` (P,)."""
        return place[self.part] + self.step


def parts_at(
    rows: pa.Table,
    head: NDArray[np.int64],
    values: NDArray[np.floating],
    first: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> list[Part]:
    """The parts of `values` that begin at `first` (P,) with the first steps of the rows `head` (P,)."""
    series, alias, starts = objects(rows, "series_id")[head], objects(rows, "frequency")[head], start_times(rows)[head]
    names = zip(series.tolist(), alias.tolist(), strict=True)
    return [
        Part(name, start, values[begin : begin + size])
        for name, start, begin, size in zip(names, starts, first.tolist(), sizes.tolist(), strict=True)
    ]


def write_parts(parts: Sequence[Part], file: Path, kind: np.dtype, channels: int) -> NDArray[np.int64]:
    """Write parts series by series in the order of time; the places (P,) of their first steps."""
    place = np.empty(len(parts), dtype=np.int64)
    order = sorted(range(len(parts)), key=lambda number: (*parts[number].name, parts[number].start))
    with _Written(file, kind, channels) as written:
        for number in order:
            place[number] = written.add(parts[number])
    return place


class _Written:
    """The file of values while it is written: `with` it, and `add` one part of a series after another."""

    def __init__(self, path: Path, kind: np.dtype, channels: int) -> None:
        self._file, self._kind, self._channels = path.open("w+b"), kind, channels
        self._steps = 0
        self._name: tuple[str, str] | None = None
        self._first = self._length = 0  # of the series that is written
        self._start: np.datetime64 = np.datetime64(0, "us")
        self._write_header()
        self._begins = self._file.tell()

    def _write_header(self) -> None:
        """Room is left for the number of steps, so that the header keeps its length."""
        self._file.seek(0)
        shape = (self._steps, self._channels)
        npy.write_array_header_1_0(self._file, {"descr": self._kind.str, "fortran_order": False, "shape": shape})

    def __enter__(self) -> _Written:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._write_header()
        finally:
            self._file.close()

    def add(self, part: Part) -> int:
        """Write a part of a series; the place of its first step. What is there already is not written again."""
        name, start, own = part.name, part.start, part.values
        step = None if name != self._name else Frequency.parse(name[1]).steps_between(self._start, start)
        if step is not None and 0 <= step <= self._length:
            shared = min(self._length - step, len(own))
            if shared and not np.array_equal(self._read(step, shared), own[:shared].astype(self._kind), equal_nan=True):
                step = None
        else:
            step = None
        if step is None:
            self._name, self._start, self._first, self._length, step = name, start, self._steps, 0, 0
        for begin in range(self._length - step, len(own), size := block_steps(self._channels)):
            block = own[begin : begin + size]
            self._file.write(np.ascontiguousarray(block, dtype=self._kind).data)
            self._steps += len(block)
        self._length = max(self._length, step + len(own))
        return self._first + step

    def _read(self, step: int, count: int) -> NDArray[np.floating]:
        width = self._channels * self._kind.itemsize
        self._file.seek(self._begins + (self._first + step) * width)
        found = np.frombuffer(self._file.read(count * width), self._kind).reshape(count, self._channels)
        self._file.seek(0, 2)
        return found


def write_shards(tables: Iterable[pa.Table], folder: Path, number: int = 0) -> list[Path]:
    """Write `tables` of rows, each as a row group, to shards, the first of which has this `number`."""
    shards: list[Path] = []
    writer: pq.ParquetWriter | None = None
    try:
        for group, table in enumerate(tables):
            if group % SHARD_GROUPS == 0:
                if writer is not None:
                    writer.close()
                shards.append(folder / f"{ROWS}-{number + len(shards):05d}")
                writer = pq.ParquetWriter(shards[-1], STORED_SCHEMA, compression="zstd")
            assert writer is not None
            writer.write_table(table.select(STORED_SCHEMA.names).cast(STORED_SCHEMA))
    finally:
        if writer is not None:
            writer.close()
    return shards


def _windows(values: SeriesValues, table: pa.Table) -> list[NDArray[np.floating]]:
    first, steps = column(table, "first").to_numpy(), lengths(table)
    return [values.array[begin : begin + count].T for begin, count in zip(first.tolist(), steps.tolist(), strict=True)]


def texts_of(shards: Sequence[Path]) -> Callable[[str], Iterator[list[Any]]]:
    """What reads a column of `shards` by its name, a row group at a time."""

    def texts(name: str) -> Iterator[list[Any]]:
        for shard in shards:
            with pq.ParquetFile(shard) as file:
                for group in range(file.num_row_groups):
                    yield file.read_row_group(group, columns=[name])[name].to_pylist()

    return texts


def stored_fingerprint(info: CorpusInfo, rows: pa.Table, values: SeriesValues, texts: Any) -> str:
    """The fingerprint that a corpus of these rows would have, however it is stored; `texts` as for `digest_of`."""
    parts = flat_windows(values, column(rows, "first").to_numpy(), lengths(rows))
    kind = values.dtype
    if kind != np.float32 and all(
        map(is_single, flat_windows(values, column(rows, "first").to_numpy(), lengths(rows)))
    ):
        kind = np.dtype(np.float32)
    return digest_of(info, texts, start_times(rows), lengths(rows), kind, parts)


def flat_windows(
    values: SeriesValues, first: NDArray[np.int64], steps: NDArray[np.int64]
) -> Iterator[NDArray[np.floating]]:
    """The values of windows, channel by channel, one window after another, some at a time."""
    if not len(first):
        return
    size = max(1, 2**20 // (int(steps.max()) * values.channels))
    for begin in range(0, len(first), size):
        own, count = first[begin : begin + size], steps[begin : begin + size]
        if (count == count[0]).all():
            yield values.array[own[:, None] + np.arange(count[0])].transpose(0, 2, 1).ravel()
        else:
            yield np.concatenate(
                [values.array[a : a + n].T.ravel() for a, n in zip(own.tolist(), count.tolist(), strict=True)]
            )
