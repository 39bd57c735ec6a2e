"""The one on-disk form of every corpus: a folder with Parquet shards and `corpus.yaml`.

A row is one window of a series with its texts. `write_corpus` makes a folder from records, `Corpus.load` opens one,
`validate_corpus` checks one thoroughly. Hugging Face `datasets` reads the shards too:
`datasets.load_dataset("parquet", data_files="FOLDER/*.parquet")`. They are read and written here with pyarrow, on which
`datasets` stands: it would copy the shards into its cache first, and takes a second to import.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from data_modules.assembly import assembled, completed
from data_modules.schema import (
    FORMAT,
    SCHEMA,
    STORED_FORMAT,
    CorpusError,
    CorpusInfo,
    Record,
    column,
    end_times,
    lengths,
    objects,
    start_times,
    values_type,
    windows,
)
from data_modules.series_building import flat_windows, stored_fingerprint, write_series
from data_modules.series_values import SeriesValues, WindowViews
from data_modules.shards import (
    find_shards,
    is_shard,
    is_values,
    read_shards,
    read_stored,
    shard_name,
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
from trace_lit.atomic import remove_parts, replacing, write_atomically
from trace_lit.batch import NO_LABEL
from trace_lit.channels import Channel
from trace_lit.holding import held
from trace_lit.plain import PlainError, read_yaml

__all__ = [
    "SPLITS",
    "Channel",
    "Corpus",
    "CorpusError",
    "CorpusInfo",
    "Record",
    "validate_corpus",
    "write_corpus",
]

INFO_FILE = "corpus.yaml"
SHARD_ROWS = 8192
IN_MEMORY = 2**23  # values that a build holds; more of them are stored as series
SMALL = 2**18  # values that are stored with their rows, however much these overlap
OVERLAP = 2.0  # windows of a step, on average, above which series are stored
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
    ) -> None:
        self.path = path  # its folder; of a corpus in memory its name, for messages
        self.info = info
        self.fingerprint = fingerprint  # sha256 over info and rows, as corpus.yaml says
        self.history = tuple(history)  # its rows and its fingerprint before each time that rows were added behind them
        self.series = series  # the values of a corpus that stores series; its rows are places in them
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
        history = _read_history(path, header)
        if version == STORED_FORMAT:
            return cls._stored(path, header, declared, str(fingerprint))
        table = read_shards(path, fingerprint, () if built else _DERIVED)
        try:
            if built:
                _check_count(declared, table)
            else:
                header, table = _filled(path, header, table)
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
    def _stored(cls, path: Path, header: dict[str, Any], declared: Any, fingerprint: str) -> Corpus:
        table = read_stored(path, fingerprint)
        try:
            _check_count(declared, table)
            info = CorpusInfo.from_dict(header)
        except CorpusError as error:
            raise CorpusError(f"{path / INFO_FILE}: {error}") from None
        series = SeriesValues(path / values_name(fingerprint), len(info.channels))
        if problems := place_problems(table, series):
            raise CorpusError(f"{path}: {summary(problems)}")
        return cls(path, info, fingerprint, table, series=series)

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
            for part in stored_texts(self.path, self.fingerprint, name):
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
                table = _exact(self._table.slice(0, rows))
                if fingerprint_of(self.info, table) != fingerprint:
                    raise CorpusError(f"{self.path}: the rows before those that were added have changed since")
                return Corpus(self.path, self.info, fingerprint, table, self.history[:number])
        return None

    def known_as(self, fingerprints: Collection[str]) -> str:
        """The one of `fingerprints` that this corpus has, or had before rows were added; "" for none."""
        own = (self.fingerprint, *(known for _, known in self.history))
        return next((one for one in own if one in fingerprints), "")

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """Of a corpus that stores series, the place of each row's first step."""
        return column(self._table, "first").to_numpy()

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
        return names[order].tolist(), rank[found.indices.to_numpy()]

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
        names = pa.array(self.info.label_names, type=pa.string())
        labels = self._table["label"].cast(pa.string())
        places = pc.index_in(labels, value_set=names, skip_nulls=True).fill_null(NO_LABEL)
        return places.to_numpy().astype(np.int64)

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
        return [cell for part in stored_texts(self.path, self.fingerprint, name) for cell in part]

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


def write_corpus(records: Iterable[Record], info: CorpusInfo, out: str | Path, seed: int = 0) -> Corpus:
    """Check `records` and write them as the corpus folder `out`.

    Records without a split get one by time within their series (70 / 10 / 20 %), and windows that would reach into a
    later split are left out. Records without channel texts get them from `describe`, which `seed` varies. A build that
    fails leaves nothing behind. A corpus that was built there before is replaced once the new one is on the disk; other
    files stay, and a corpus made by hand is not replaced.

    A large corpus, and one whose windows overlap much, stores each step of a series once; it is built with a part of the
    records in memory at a time.

    Raises
    ------
    CorpusError
        A record cannot be used (the message names it), there is none, or `out` is something else than a corpus.
    """
    out = Path(out)
    info.check()
    _check_replaceable(out)
    given = iter(records)
    few, cells = [], 0
    for record in given:
        few.append(record)
        if (cells := cells + _size(record.values)) > IN_MEMORY:
            return _write_stored(itertools.chain(few, given), info, out, seed)
    corpus = Corpus.from_records(few, info, seed)
    if cells > SMALL and overlap(corpus) > OVERLAP:
        return _write_stored(few, info, out, seed)
    _write_folder(corpus, out)
    return Corpus(out, info, corpus.fingerprint, corpus.table())


def overlap(corpus: Corpus) -> float:
    """How often a step of a series is in a window, on average."""
    _, series = corpus.series_numbers
    order = np.lexsort((corpus.starts, series))
    own, starts, ends = series[order], corpus.starts[order].astype(np.float64), corpus.ends[order].astype(np.float64)
    lasts = ends - starts
    away = own * (2 * (ends.max() - starts.min() + 1))  # one series behind the other
    reached = np.maximum.accumulate(ends + away)
    covered = (ends + away - np.maximum(starts + away, np.concatenate([[-np.inf], reached[:-1]]))).clip(min=0)
    return float(lasts.sum() / max(covered.sum(), 1.0))


def _size(values: Any) -> int:
    try:
        return int(np.size(values))
    except ValueError:  # ragged; what is wrong with it is found later
        return 0


def _write_stored(records: Iterable[Record], info: CorpusInfo, out: Path, seed: int) -> Corpus:
    """Write the corpus beside `out` and move it there, corpus.yaml last."""
    with held(out, wait=True):
        _remove_leftovers(out)
        building = out.with_name(f".{out.name}.building")
        building.mkdir()
        try:
            stored = write_series(records, info, building, seed)
            mark, count = stored.fingerprint, len(stored.shards)
            _sync(stored.values, building / values_name(mark))
            for number, shard in enumerate(stored.shards):
                _sync(shard, building / shard_name(mark, number, count))
            _write_header(_header(STORED_FORMAT, info, stored.splits, mark), building)
            if (out / INFO_FILE).is_file():
                _take_over(building, out, mark)
            else:
                if out.exists():
                    out.rmdir()  # it is empty
                building.rename(out)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return Corpus.load(out)


def _sync(file: Path, name: Path) -> None:
    """Have all of a file on the disk, and give it its last name."""
    with file.open("rb") as written:
        os.fsync(written.fileno())
    file.rename(name)


def _take_over(building: Path, out: Path, fingerprint: str) -> None:
    """Move a corpus into the folder of another one, which it replaces with its corpus.yaml."""
    try:
        for file in building.iterdir():
            if file.name != INFO_FILE:
                file.replace(out / file.name)
        (building / INFO_FILE).replace(out / INFO_FILE)
    except BaseException:
        _remove_leftovers(out)
        raise
    _remove_others(out, fingerprint)


def _remove_others(out: Path, fingerprint: str) -> None:
    """Remove the rows and values of the corpus that was in `out` before the one of this `fingerprint`."""
    for shard in set(out.glob("*.parquet")) - set(find_shards(out, fingerprint)):
        shard.unlink()
    _remove_values(out, fingerprint)


def _remove_values(out: Path, fingerprint: str | None) -> None:
    for values in out.glob("values-*.npy"):
        if is_values(values.name) and values.name != values_name(str(fingerprint)):
            values.unlink()


def _check_replaceable(out: Path) -> None:
    """Raise CorpusError where `out` is neither free nor a corpus that was built."""
    if not (out / INFO_FILE).is_file():
        if out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise CorpusError(f"{out} exists and is no corpus folder; name another folder or remove it")
    elif "fingerprint" not in read_header(out):
        raise CorpusError(
            f"{out} holds a {INFO_FILE} that was not built (it has no fingerprint); name another folder or remove it"
        )


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


def read_header(path: Path) -> dict[str, Any]:
    """What corpus.yaml holds; a corpus that was built has both `rows` and `fingerprint`."""
    if not path.is_dir():
        raise CorpusError(f"there is no corpus folder {path}; `trace-lit data build` makes one")
    file = path / INFO_FILE
    if not file.is_file():
        raise CorpusError(f"{path} is no corpus: it holds no {INFO_FILE}; `trace-lit data build` makes a corpus")
    try:
        header = read_yaml(file)
    except PlainError as error:
        raise CorpusError(f"{file} is not YAML: {error}") from None
    if not isinstance(header, dict):
        raise CorpusError(f"{file} must hold a mapping of keys, not a {type(header).__name__}")
    version = header.setdefault("format", FORMAT)
    if version not in (FORMAT, STORED_FORMAT):
        raise CorpusError(
            f"{file}: the format is {version!r}; this program reads the formats {FORMAT} and {STORED_FORMAT}: build the "
            "corpus again"
        )
    if version == STORED_FORMAT and "fingerprint" not in header:
        raise CorpusError(f"{file}: key 'fingerprint' is missing")
    if "fingerprint" in header and "rows" not in header:
        raise CorpusError(f"{file}: key 'rows' is missing")
    return header


def _check_count(declared: Any, table: pa.Table) -> None:
    """CorpusError where the rows are not as many as corpus.yaml declares for each split."""
    try:
        count = sum(int(declared[split]) for split in SPLITS)
    except (KeyError, TypeError, ValueError):
        raise CorpusError(f"'rows' must give the number of rows of {', '.join(SPLITS)}") from None
    if table.num_rows != count:
        raise CorpusError(
            f"it says {count} rows, the Parquet files hold {table.num_rows}; "
            "a shard is missing or one too many: build the corpus again"
        )


def _filled(path: Path, header: dict[str, Any], table: pa.Table) -> tuple[dict[str, Any], pa.Table]:
    """Keys and cells that a corpus made by hand may leave out, but for splits and channel texts."""
    frequencies = Counter(table["frequency"].drop_null().to_pylist())
    frequency = header.get("frequency") or min(
        frequencies, key=lambda alias: (-frequencies[alias], alias), default=None
    )
    if frequency is None:
        raise CorpusError("key 'frequency' is missing, and the rows have none either; give it, like 'frequency: 1h'")
    header = {"name": path.resolve().name, "source": "made by hand", **header, "frequency": frequency}
    for name, value in (("frequency", str(frequency)), ("text", "")):
        place = SCHEMA.get_field_index(name)
        table = table.set_column(place, SCHEMA.field(place), pc.fill_null(table[name], value))
    return header, table


def _read_history(path: Path, header: dict[str, Any]) -> list[tuple[int, str]]:
    """What corpus.yaml says of a corpus before rows were added; the keys of it are taken out of `header`."""
    header.pop("training_fingerprint", None)
    try:
        return [(int(one["rows"]), str(one["fingerprint"])) for one in header.pop("history", None) or ()]
    except (KeyError, TypeError, ValueError):
        raise CorpusError(f"{path / INFO_FILE}: 'history' must list rows and fingerprint of each time before") from None


def _exact(table: pa.Table) -> pa.Table:
    """`table` with values as float32 where that is exact, as a corpus of these rows alone has them."""
    place = SCHEMA.get_field_index("values")
    return table.set_column(place, "values", table["values"].cast(values_type(table["values"])))


def write_grown(corpus: Corpus, out: Path) -> None:
    """Write a corpus in the place of the one in `out` that it has grown from."""
    _write_folder(corpus, out)


def _header(version: int, info: CorpusInfo, splits: NDArray[np.object_], fingerprint: str) -> dict[str, Any]:
    rows = {split: int((splits == split).sum()) for split in SPLITS}
    return {"format": version, **info.as_dict(), "rows": rows, "fingerprint": fingerprint}


def _write_header(header: dict[str, Any], folder: Path) -> None:
    write_atomically(folder / INFO_FILE, yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=120))


def _write_folder(corpus: Corpus, out: Path) -> None:
    table, fingerprint = corpus.table(), corpus.fingerprint
    header = _header(FORMAT, corpus.info, corpus.splits, fingerprint)
    header["training_fingerprint"] = corpus.training_fingerprint
    if corpus.history:
        header["history"] = [{"rows": rows, "fingerprint": known} for rows, known in corpus.history]
    with held(out, wait=True):
        _remove_leftovers(out)
        if (out / INFO_FILE).is_file():
            try:
                _write_files(table, header, out)
            except BaseException:
                _remove_leftovers(out)
                raise
            _remove_others(out, fingerprint)
            return
        building = out.with_name(f".{out.name}.building")
        building.mkdir()
        try:
            _write_files(table, header, building)
            if out.exists():
                out.rmdir()  # it is empty
            building.rename(out)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _write_files(table: pa.Table, header: dict[str, Any], folder: Path) -> None:
    """Write shards, and then corpus.yaml, whose fingerprint says which shards belong to it."""
    shards = range(0, table.num_rows, SHARD_ROWS)
    for number, first in enumerate(shards):
        with replacing(folder / shard_name(header["fingerprint"], number, len(shards))) as file:
            pq.write_table(table.slice(first, SHARD_ROWS), file, compression="zstd")
    _write_header(header, folder)


def _remove_leftovers(out: Path) -> None:
    """Remove what a build that was killed has left: its folder beside `out`, and shards that belong to no corpus.yaml."""
    for left in (*out.parent.glob(f".{out.name}.*.building"), out.with_name(f".{out.name}.building")):
        shutil.rmtree(left, ignore_errors=True)
    if (out / INFO_FILE).is_file():
        remove_parts(out)
        fingerprint = read_header(out).get("fingerprint")
        own = set(find_shards(out, fingerprint))
        _remove_values(out, fingerprint)
        for shard in out.glob("*.parquet"):
            if shard not in own and is_shard(shard.name):
                shard.unlink()
