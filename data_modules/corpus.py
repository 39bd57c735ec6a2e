"""The one on-disk form of every corpus: a folder with Parquet shards and `corpus.yaml`.

A row is one window of a series with its texts. `write_corpus` makes a folder from records, `Corpus.load` opens one,
`validate_corpus` checks one thoroughly. Hugging Face `datasets` reads the shards too:
`datasets.load_dataset("parquet", data_files="FOLDER/*.parquet")`. They are read and written here with pyarrow, on which
`datasets` stands: it would copy the shards into its cache first, and takes a second to import.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_modules.assembly import assembled, completed
from data_modules.corpus_header import INFO_FILE, check_count, filled, known_as, read_header, read_history
from data_modules.schema import (
    SCHEMA,
    STORED_FORMAT,
    CorpusError,
    CorpusInfo,
    Record,
    column,
    end_times,
    lengths,
    numbers,
    objects,
    start_times,
    values_type,
    windows,
)
from data_modules.series_building import flat_windows, stored_fingerprint
from data_modules.series_values import SeriesValues, WindowViews
from data_modules.shards import (
    read_shards,
    read_stored,
    stored_texts,
    values_name,
)
from data_modules.splits import SPLITS
from data_modules.validation import (
    fingerprint_of,
    place_problems,
    row_problems,
    shape_problems,
    stored_problems,
    summary,
)
from trace_lit.batch import NO_LABEL
from trace_lit.channels import Channel

__all__ = [
    "SPLITS",
    "Channel",
    "Corpus",
    "CorpusError",
    "CorpusInfo",
    "Record",
    "validate_corpus",
]

BLOCK = 2**21  # values that are looked at at once
_DERIVED = ("frequency", "text", "channel_texts", "label", "split")  # what rows made by hand may leave out


class Corpus:
    """A read-only view of a corpus. `Corpus.load` opens a folder, `Corpus.from_records` makes one in memory.

    Columns are in the order of the rows.
    """

    def __init__(
        self,
        path: Path,
        info: CorpusInfo,
        fingerprint: str,
        table: pa.Table,
        history: Sequence[tuple[int, str]] = (),
        series: SeriesValues | None = None,
        text_fingerprint: str = "",
    ) -> None:
        self.path = path  # its folder; of a corpus in memory its name, for messages
        self.info = info
        self.fingerprint = fingerprint  # sha256 over info and rows, as corpus.yaml says
        self.history = tuple(history)  # its rows and its fingerprint before each time that rows were added behind them
        self.series = series  # the values of a corpus that stores series; its rows are places in them
        self._text_fingerprint = text_fingerprint  # then in the names of the shards that hold its texts, and maybe more
        self._table = table

    @classmethod
    def load(cls, path: str | Path) -> Corpus:
        """Open the corpus in the folder `path`.

        Checks that the files are complete and have the shape that corpus.yaml says; `validate_corpus` checks all. A
        corpus made by hand has no fingerprint in its corpus.yaml. It needs `domain` and `channels` there (and
        `label_names` if rows have labels), and the columns id, series_id, start and values in its shards. The other keys
        and columns are derived: counts and fingerprint from the rows, `frequency` of rows without one from corpus.yaml
        and the other way round, splits by time, channel texts from the values.

        Raises
        ------
        CorpusError
            The folder, its corpus.yaml or a shard is missing, damaged or of another form.
        """
        path = Path(path)
        header = read_header(path)
        built, version = "fingerprint" in header, header.pop("format")
        declared, fingerprint = header.pop("rows", None), header.pop("fingerprint", None)
        history = read_history(path, header)
        if version == STORED_FORMAT:
            return cls._stored(path, header, declared, str(fingerprint), history)
        table = read_shards(path, fingerprint, () if built else _DERIVED)
        try:
            if built:
                check_count(declared, table.num_rows)
            else:
                header, table = filled(path, header, table)
            info = CorpusInfo.from_dict(header)
        except CorpusError as error:
            raise CorpusError(f"{path / INFO_FILE}: {error}") from None
        if problems := shape_problems(info, table, optional=() if built else ("split", "channel_texts")):
            raise CorpusError(f"{path}: {summary(problems)}")
        if not built:
            try:
                table = completed(info, table)
            except CorpusError as error:
                raise CorpusError(f"{path}: {error}") from None
            fingerprint = fingerprint_of(info, table)
        return cls(path, info, fingerprint, table, history)

    @classmethod
    def _stored(
        cls,
        path: Path,
        header: dict[str, Any],
        declared: Any,
        fingerprint: str,
        history: Sequence[tuple[int, str]],
    ) -> Corpus:
        table = read_stored(path, fingerprint)
        try:
            check_count(declared, table.num_rows)
            info = CorpusInfo.from_dict(header)
        except CorpusError as error:
            raise CorpusError(f"{path / INFO_FILE}: {error}") from None
        series = SeriesValues(path / values_name(fingerprint), len(info.channels))
        if problems := place_problems(table, series):
            raise CorpusError(f"{path}: {summary(problems)}")
        return cls(path, info, fingerprint, table, history, series, fingerprint)

    @classmethod
    def from_records(cls, records: Iterable[Record], info: CorpusInfo, seed: int = 0) -> Corpus:
        """A corpus in memory, checked and completed as `write_corpus` does; nothing is written.

        Raises
        ------
        CorpusError
            A record cannot be used (the message names it), or there is none.

        Examples
        --------
        >>> import datetime, numpy
        >>> from trace_lit.channels import Channel
        >>> info = CorpusInfo("rivers", "rivers", "by hand", (Channel("level", "m"),), "1h")
        >>> record = Record("day", "gauge", datetime.datetime(2024, 1, 1), numpy.ones((1, 24)), split="test")
        >>> len(Corpus.from_records([record], info))
        1
        """
        info.check()
        table = assembled(records, info, seed)
        return cls(Path(info.name), info, fingerprint_of(info, table), table)

    def check(self) -> None:
        """Raise CorpusError for rows that do not make a corpus; a folder may have been made or changed by other means."""
        if problems := self.problems():
            raise CorpusError(f"{self.path}: {summary(problems)}")

    def problems(self) -> list[str]:
        """What makes the rows unfit to be a corpus, one sentence each; texts are not read."""
        if self.series is None:
            return row_problems(self.info, self._table)
        return stored_problems(self.info, self._table, self.series)

    def content_fingerprint(self) -> str:
        """The fingerprint of what the corpus holds now, all of which is read.

        Raises
        ------
        CorpusError
            A row has not as many channel texts as there are channels.
        """
        if self.series is None:
            return fingerprint_of(self.info, self._table)
        return self._stored_fingerprint(np.ones(len(self), dtype=np.bool_))

    def _stored_fingerprint(self, taken: NDArray[np.bool_]) -> str:
        """The fingerprint of the rows that are `taken`, of a corpus that stores series."""
        assert self.series is not None
        table = self._table.filter(pa.array(taken))

        def texts(name: str) -> Iterator[list[Any]]:
            if name not in ("text", "channel_texts"):
                yield objects(table, name).tolist()
                return
            first = 0
            for part in self.text_parts(name):
                if name == "channel_texts" and any(len(own or ()) != len(self.info.channels) for own in part):
                    raise CorpusError(f"{self.path}: a row has not a channel text for each channel; build it again")
                yield list(itertools.compress(part, taken[first : first + len(part)]))
                first += len(part)

        return stored_fingerprint(self.info, table, self.series, texts)

    def __len__(self) -> int:
        return self._table.num_rows

    def table(self) -> pa.Table:
        """All rows, with the columns of `SCHEMA`. Of a corpus that stores series they are read and made anew."""
        if self.series is None:
            return self._table
        return self.part(0, len(self))

    def part(self, first: int, last: int) -> pa.Table:
        """As `table`, the rows from `first` to before `last`."""
        own = self._table.slice(first, last - first)
        if self.series is None:
            return own
        steps = self.lengths[first:last]
        flat = np.concatenate(list(flat_windows(self.series, self.places[first:last], steps)))
        outer = np.arange(len(own) + 1) * len(self.info.channels)
        inner = np.concatenate([[0], np.cumsum(np.repeat(steps, len(self.info.channels)))])
        values = pa.LargeListArray.from_arrays(
            outer, pa.LargeListArray.from_arrays(inner, pa.array(flat, from_pandas=True))
        ).cast(pa.list_(pa.list_(pa.from_numpy_dtype(flat.dtype))))
        columns: dict[str, Any] = {
            name: objects(own, name) for name in ("id", "series_id", "frequency", "label", "split")
        }
        columns |= {"start": start_times(own), "text": self.texts[first:last]}
        columns["channel_texts"] = self.channel_texts[first:last]
        kinds = {**{field.name: field.type for field in SCHEMA}, "values": values.type}
        return pa.table(
            {name: values if name == "values" else pa.array(columns[name], kind) for name, kind in kinds.items()}
        )

    def columns(self) -> pa.Table:
        """All rows, without values and texts where these are not in memory."""
        return self._table

    @cached_property
    def training_fingerprint(self) -> str:
        """sha256 over info and training rows, which stays the same where rows are appended."""
        if self.series is not None:
            return self._stored_fingerprint(self.splits == "train")
        return fingerprint_of(self.info, _exact(self._table.filter(pc.equal(self._table["split"], "train"))))

    def as_it_was(self, fingerprint: str) -> Corpus | None:
        """The corpus of this fingerprint, of which this one is what it has grown to; None where it has not.

        Raises
        ------
        CorpusError
            It should be, but its rows are no longer those.
        """
        if fingerprint == self.fingerprint:
            return self
        for number, (rows, known) in enumerate(self.history):
            if known == fingerprint:
                table = self._table.slice(0, rows)
                table = table if self.series is not None else _exact(table)
                was = Corpus(
                    self.path, self.info, fingerprint, table, self.history[:number], self.series, self._text_fingerprint
                )
                if was.content_fingerprint() != fingerprint:
                    raise CorpusError(f"{self.path}: the rows before those that were added have changed since")
                return was
        return None

    def known_as(self, fingerprints: Collection[str]) -> str:
        """The one of `fingerprints` that this corpus has, or had before rows were added; "" for none."""
        return known_as(self.fingerprint, self.history, fingerprints)

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """Of a corpus that stores series, the place of each row's first step."""
        return numbers(column(self._table, "first"))

    def rows_of(self, split: str) -> NDArray[np.int64]:
        """The rows of a split."""
        if split not in SPLITS:
            raise CorpusError(f"there is no split {split!r}; the splits are {', '.join(SPLITS)}")
        return np.flatnonzero(self.splits == split).astype(np.int64)

    @cached_property
    def series_numbers(self) -> tuple[list[str], NDArray[np.int64]]:
        """The series' ids in order, and for each row its place among them."""
        found = column(self._table, "series_id").dictionary_encode()
        names = np.array(found.dictionary.to_pylist(), dtype=str)
        order = np.argsort(names)
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return names[order].tolist(), rank[numbers(found.indices)]

    def select(self, split: str) -> list[int]:
        """The rows of a split."""
        return self.rows_of(split).tolist()

    @cached_property
    def ids(self) -> NDArray[np.object_]:
        return objects(self._table, "id")

    @cached_property
    def series_ids(self) -> NDArray[np.object_]:
        return objects(self._table, "series_id")

    @cached_property
    def splits(self) -> NDArray[np.object_]:
        return objects(self._table, "split")

    @cached_property
    def frequencies(self) -> NDArray[np.object_]:
        return objects(self._table, "frequency")

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """The number of steps of each row."""
        return lengths(self._table)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Seconds since 1970 at the first step, rounded down."""
        return start_times(self._table).astype("datetime64[s]").astype(np.int64)

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Seconds since 1970 one step after the last, rounded up: what follows a window without a gap starts here."""
        return -(-end_times(self._table).astype(np.int64) // 1_000_000)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The label's place in `info.label_names`, `NO_LABEL` where there is none."""
        found = column(self._table, "label").dictionary_encode()
        known = {name: place for place, name in enumerate(self.info.label_names)}
        places = np.array([*(known.get(name, NO_LABEL) for name in found.dictionary.to_pylist()), NO_LABEL], np.int64)
        return places[numbers(found.indices, missing=-1)]

    @cached_property
    def texts(self) -> list[str]:
        return self._texts("text")

    @cached_property
    def channel_texts(self) -> list[list[str]]:
        """C texts for each row."""
        return self._texts("channel_texts")

    def _texts(self, name: str) -> list[Any]:
        if self.series is None:
            return self._table[name].to_pylist()
        return [cell for part in self.text_parts(name) for cell in part]

    def text_parts(self, name: str) -> Iterator[list[Any]]:
        """The column `text` or `channel_texts` of a corpus that stores series, some rows at a time."""
        left = len(self)
        for part in stored_texts(self.path, self._text_fingerprint, name):
            yield part[:left]
            left -= len(part[:left])
            if not left:
                return

    def values(self) -> Sequence[NDArray[np.floating]]:
        """(C, T) for each row, NaN where missing; float32 where that holds all values exactly, else float64.

        They are views of one array.
        """
        if self.series is None:
            return windows(self.info, self._table)
        return WindowViews(self.series, self.places, self.lengths)

    def blocks(self, rows: NDArray[np.int64] | None = None) -> Iterator[tuple[NDArray[np.int64], NDArray[np.floating]]]:
        """Rows (n,) and their values (n, C, T), some of one length at a time; all rows by default."""
        rows = np.arange(len(self)) if rows is None else rows
        values, of_row = self.values(), self.lengths[rows]
        for length in np.unique(of_row).tolist():
            own = rows[of_row == length]
            size = max(1, BLOCK // (length * len(self.info.channels)))
            for first in range(0, len(own), size):
                part = own[first : first + size]
                if self.series is None:
                    yield part, np.stack([values[row] for row in part])
                else:
                    yield part, self.series.array[self.places[part][:, None] + np.arange(length)].transpose(0, 2, 1)


def validate_corpus(path: str | Path) -> list[str]:
    """What is wrong with the corpus in the folder `path`, one sentence for each problem; [] = nothing."""
    try:
        corpus = Corpus.load(path)
    except CorpusError as error:
        return [str(error)]
    problems = corpus.problems()
    header = read_header(Path(path))
    if "fingerprint" not in header:
        return problems
    for split in SPLITS:
        if (count := len(corpus.select(split))) != header["rows"][split]:
            problems.append(f"{INFO_FILE} says {header['rows'][split]} {split} rows, the Parquet files hold {count}")
    if problems:
        return problems
    try:
        same = corpus.content_fingerprint() == corpus.fingerprint
    except CorpusError as error:
        return [str(error)]
    if not same:
        problems.append(f"the content does not fit the fingerprint in {INFO_FILE}: it was changed after it was built")
    if not problems and header.get("training_fingerprint", corpus.training_fingerprint) != corpus.training_fingerprint:
        problems.append(f"the training rows do not fit the training_fingerprint in {INFO_FILE}")
    return problems


def _exact(table: pa.Table) -> pa.Table:
    """`table` with values as float32 where that is exact, as a corpus of these rows alone has them."""
    place = SCHEMA.get_field_index("values")
    return table.set_column(place, "values", table["values"].cast(values_type(table["values"])))
