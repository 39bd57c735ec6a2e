"""A segment: windows that were written together and do not change, in a folder.

It holds `rows.parquet` (the columns), `exact.f32` and `compact.f32` (the vectors; the latter is absent where it would be the
former), `words.u32` (which text has which word) and, where it is searched approximately, `index.faiss`. All is read through
memory maps.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_modules.shards import check_size, leaves_of_bytes
from trace_lit.atomic import sync_folder, written
from trace_lit.errors import InputError, first_line
from trace_lit.retrieval.filters import Filter
from trace_lit.retrieval.stores.approximate import Approximate, chosen
from trace_lit.retrieval.stores.base import COLUMNS, Rows, StoreError, checked, taken
from trace_lit.retrieval.stores.words import Postings

_GROUP = 1024  # rows of a Parquet row group, which are read together
_EXACT_BELOW = 20_000  # admitted rows, up to which all are compared
_BLOCK = 65_536


class Segment:
    """A segment that is open for reading.

    Parameters
    ----------
    about
        What its writer has noted: `rows`, `width`, `exact_width`, `kind`, ….
    deleted
        (n,) the windows that have been deleted since it was written, or None.

    Raises
    ------
    StoreError
        A file is damaged.
    FileNotFoundError
        It is not there any more.
    """

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self.folder, self.about = folder, about
        try:
            self.count, width, exact_width = (int(about[name]) for name in ("rows", "width", "exact_width"))
            self.exact = _mapped(folder / "exact.f32", self.count, exact_width)
            self.compact = self.exact
            if about["compact"]:
                self.compact = _mapped(folder / "compact.f32", self.count, width)
            self.postings = Postings.read(folder / "words.u32", self.count)
            check_size(folder / "rows.parquet")
            self._bytes = (folder / "rows.parquet").stat().st_size
            leaves = leaves_of_bytes(folder / "rows.parquet")
            self._file = pq.ParquetFile(folder / "rows.parquet", memory_map=True, read_dictionary=leaves)
            if self._file.metadata.num_rows != self.count:
                raise ValueError(f"rows.parquet has {self._file.metadata.num_rows:,} rows, not {self.count:,}")
        except (FileNotFoundError, InputError):
            raise
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            raise StoreError(f"{folder} is damaged ({first_line(error)}); build the index again") from None
        self._lock = threading.Lock()  # of the Parquet file
        self.approximate = None
        if about["kind"] != "exact":
            self.approximate = Approximate.read(folder / "index.faiss", about, (self.count, width))

    def column(self, name: str) -> pa.ChunkedArray:
        """A column of all rows."""
        return self._read([name])[name]

    def rows(self, numbers: NDArray[np.int64]) -> pa.Table:
        """The columns of the rows, in the given order."""
        group = np.searchsorted(self._first, numbers, side="right") - 1
        groups, place = np.unique(group, return_inverse=True)
        table = self._read(COLUMNS.names, groups.tolist())
        sizes = self._first[groups + 1] - self._first[groups]
        return taken(table, (sizes.cumsum() - sizes)[place] + numbers - self._first[group])

    def _read(self, names: list[str], groups: list[int] | None = None) -> pa.Table:
        """Columns of all rows, or of some row groups."""
        path = self.folder / "rows.parquet"
        groups = list(range(self._file.num_row_groups)) if groups is None else groups
        try:
            with self._lock:
                table = self._file.read_row_groups(groups, columns=names).select(names)
            return checked(path, table, self._bytes)  # what is open can be read after it has been replaced
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            if isinstance(error, InputError):
                raise
            raise StoreError(f"{path} is damaged ({first_line(error)}); build the index again") from None

    @cached_property
    def _first(self) -> NDArray[np.int64]:
        """The first row of each row group, and the number of rows."""
        about = self._file.metadata
        return np.cumsum([0, *(about.row_group(group).num_rows for group in range(about.num_row_groups))])

    @cached_property
    def _codes(self) -> dict[str, tuple[NDArray[np.int64], dict[str, int]]]:
        """Of the columns that filters name: each row's place among the values, -1 for none, and the values' places."""
        found = {}
        for name in ("label", "series", "corpus", "split"):
            column = self.column(name).combine_chunks().dictionary_encode()
            column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
            found[name] = codes, {value: place for place, value in enumerate(column.dictionary.to_pylist())}
        return found

    @cached_property
    def _times(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self.column("start").to_numpy(), self.column("end").to_numpy()

    @cached_property
    def _has_text(self) -> NDArray[np.bool_]:
        return pc.not_equal(self.column("text"), "").to_numpy()

    def has(self, name: str, values: Iterable[str]) -> NDArray[np.bool_]:
        """(n,) the rows whose column `name` is one of the values."""
        codes, places = self._codes[name]
        return np.isin(codes, [places[value] for value in values if value in places])

    def admitted(self, filter: Filter, deleted: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """(n,) the rows that are there and that the filter admits; None: all."""
        if filter.admits_all:
            return None if deleted is None else ~deleted
        passed = np.ones(self.count, dtype=bool) if deleted is None else ~deleted
        for name in ("label", "series", "corpus", "split"):
            if values := getattr(filter, name):
                passed &= self.has(name, values)
        if filter.first_second is not None:
            passed &= self._times[0] >= filter.first_second
        if filter.last_second is not None:
            passed &= self._times[1] <= filter.last_second
        if filter.with_text:
            passed &= self._has_text
        if (span := filter.apart) is not None:
            overlaps = (self._times[0] < span.end) & (self._times[1] > span.start)
            for name, value in (("corpus", span.corpus), ("series", span.series)):
                if value is not None:
                    overlaps &= self.has(name, [value])
            passed &= ~overlaps
        return passed

    def search(
        self, query: NDArray[np.float32], k: int, admitted: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Row numbers and scores of the best k rows for one query (w,), in no order."""
        count = self.count if admitted is None else int(np.count_nonzero(admitted))
        if self.approximate is None or count <= max(_EXACT_BELOW, 2 * k):
            if admitted is None:
                return _best(self.compact, query, k)
            numbers = np.flatnonzero(admitted)
            if 4 * count > self.count:  # reading on is quicker than picking
                scores = self.compact @ query
                own, best = _top(scores[numbers], k)
                return numbers[own], best
            own, best = _best(self.compact[numbers], query, k)
            return numbers[own], best
        found = self.approximate.search(query, min(self.count, self.approximate.among(k)), admitted)
        own, best = _top(self.compact[np.sort(found)] @ query, k)
        return np.sort(found)[own], best


class SegmentWriter:
    """Writes a segment piece by piece; it becomes the folder `folder` at the end, or not at all."""

    def __init__(self, folder: Path, width: int, exact_width: int) -> None:
        self.folder = folder
        self.width, self.exact_width, self.count = width, exact_width, 0
        self._building = folder.with_name(f".{folder.name}.part")
        self._postings: list[Postings] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        shutil.rmtree(self._building, ignore_errors=True)
        self._building.mkdir(parents=True)
        names = ["exact.f32", *(["compact.f32"] if self._has_compact else [])]
        self._files = [self._open.enter_context(written(self._building / name)) for name in names]
        rows = self._open.enter_context(written(self._building / "rows.parquet"))
        self._table = self._open.enter_context(pq.ParquetWriter(rows, COLUMNS, compression="zstd"))
        return self

    @property
    def _has_compact(self) -> bool:
        return self.width != self.exact_width

    def append(self, batch: Rows) -> None:
        """Write further rows."""
        vectors = [batch.exact, *([batch.compact] if self._has_compact else [])]
        if not len(batch):
            return
        for file, own, width in zip(self._files, vectors, (self.exact_width, self.width), strict=False):
            if own.shape != (len(batch), width):
                raise StoreError(f"vectors of shape {own.shape} for {len(batch)} rows of width {width}")
            file.write(np.ascontiguousarray(own, dtype="<f4").tobytes())
        self._table.write_table(batch.columns.select(COLUMNS.names).cast(COLUMNS), row_group_size=_GROUP)
        self._postings.append(Postings.of(batch.columns["text"].to_pylist()))
        self.count += len(batch)

    def finish(self, kind: str, queries: NDArray[np.float32] | None, in_all: int) -> dict[str, Any]:
        """Make its index, and give it its name; what there is to say about it."""
        self._open.close()
        with written(self._building / "words.u32") as file:
            Postings.joined(self._postings).write(file)
        about: dict[str, Any] = {"kind": chosen(kind, self.count, in_all)}
        if about["kind"] != "exact":
            path = self._building / ("compact.f32" if self._has_compact else "exact.f32")
            made = Approximate.made(_mapped(path, self.count, self.width), about["kind"], queries)
            with written(self._building / "index.faiss") as file:
                made.write(file)
            about = made.describe()
        if self.folder.exists():  # of a writer that was killed before it could name it in the manifest
            shutil.rmtree(self.folder)
        sync_folder(self._building)
        os.replace(self._building, self.folder)
        sync_folder(self.folder.parent)
        return {
            "name": self.folder.name,
            "rows": self.count,
            "width": self.width,
            "exact_width": self.exact_width,
            "compact": self._has_compact,
            "deleted": None,
            **about,
        }

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._open.__exit__(kind, error, trace)
        shutil.rmtree(self._building, ignore_errors=True)


def _mapped(path: Path, rows: int, width: int) -> NDArray[np.float32]:
    if path.stat().st_size != 4 * rows * width:
        raise StoreError(f"{path} is damaged: it has {path.stat().st_size:,} bytes, not {4 * rows * width:,}")
    if not rows:
        return np.zeros((0, width), np.float32)
    return np.memmap(path, "<f4", mode="r", shape=(rows, width)).view(np.ndarray)


def _best(
    vectors: NDArray[np.float32], query: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    if len(vectors) <= _BLOCK:
        return _top(vectors @ query, k)
    scores = np.concatenate([vectors[first : first + _BLOCK] @ query for first in range(0, len(vectors), _BLOCK)])
    return _top(scores, k)


def _top(scores: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The places and values of the largest k of scores (n,), in no order."""
    if len(scores) <= k:
        return np.arange(len(scores)), scores
    places = np.argpartition(-scores, k - 1)[:k]
    return places, scores[places]
