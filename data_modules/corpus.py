"""The one on-disk form of every corpus: a folder with Parquet shards and `corpus.yaml`.

A row is one window of a series with its texts. `write_corpus` makes a folder from records, `Corpus.load` opens one,
`validate_corpus` checks one thoroughly. Hugging Face `datasets` reads the shards too:
`datasets.load_dataset("parquet", data_files="FOLDER/*.parquet")`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import shutil
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from data_modules.describe import describe
from data_modules.frequency import Frequency
from data_modules.splits import SPLITS, overlapping_splits, split_by_time
from trace_lit.batch import NO_LABEL
from trace_lit.channels import Channel
from trace_lit.errors import InputError

__all__ = ["SPLITS", "Corpus", "CorpusError", "CorpusInfo", "Record", "validate_corpus", "write_corpus"]

INFO_FILE = "corpus.yaml"
FORMAT = 1
SHARD_ROWS = 8192
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("series_id", pa.string()),
        ("start", pa.timestamp("us")),  # naive UTC time of the first step
        ("frequency", pa.string()),
        ("values", pa.list_(pa.list_(pa.float32()))),  # [C][T], null where missing
        ("text", pa.string()),  # "" = none
        ("channel_texts", pa.list_(pa.string())),  # [C], "" = none
        ("label", pa.string()),  # null = none
        ("split", pa.string()),
    ]
)
_PROBLEMS_SHOWN = 5

log = logging.getLogger(__name__)


class CorpusError(InputError):
    """Data cannot be used as they are."""


@dataclass
class Record:
    """One window of a series and its texts, as a source yields it."""

    id: str
    series_id: str  # windows of one series share it
    start: datetime  # naive UTC time of the first step
    values: NDArray[Any]  # (C, T) in the channels' units, NaN where missing; T may differ between records
    text: str = ""  # "" = none
    channel_texts: list[str] | None = None  # one a channel, "" = none; None: described from the values
    label: str | None = None  # one of the corpus's label names; None = no label
    split: str | None = None  # None: by time within the series
    frequency: str | None = None  # of the steps, like "1h" or "7D"; None: the corpus's


@dataclass(frozen=True)
class CorpusInfo:
    """What the rows of a corpus have in common."""

    domain: str
    name: str
    source: str
    channels: tuple[Channel, ...]
    frequency: str  # of the steps, like "1h", "7D" or "MS"
    label_names: tuple[str, ...] = ()
    description: str = ""
    generated: bool = False  # simulated, not measured

    def as_dict(self) -> dict[str, Any]:
        """Plain types, in the order in which corpus.yaml holds them."""
        plain = asdict(self)
        plain["channels"] = [asdict(channel) for channel in self.channels]
        plain["label_names"] = list(self.label_names)
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> CorpusInfo:
        """The inverse of `as_dict`; CorpusError for a key that is missing, unknown or of the wrong type."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(plain) - known):
            raise CorpusError(f"unknown key {unknown[0]!r}; the keys are {', '.join(sorted(known))}")
        try:
            channels = tuple(Channel(**channel) for channel in plain["channels"])
            info = cls(**{**plain, "channels": channels, "label_names": tuple(plain.get("label_names") or ())})
        except KeyError as error:
            raise CorpusError(f"key {error.args[0]!r} is missing") from None
        except TypeError as error:
            raise CorpusError(str(error)) from None
        info.check()
        return info

    def check(self) -> None:
        """CorpusError if a corpus cannot be described so."""
        for key in ("domain", "name", "source", "description"):
            if not isinstance(getattr(self, key), str):
                raise CorpusError(f"{key} is {getattr(self, key)!r}; it must be text")
        if not self.channels:
            raise CorpusError("there are no channels; a corpus has at least one")
        for channel in self.channels:
            if not isinstance(channel.name, str) or not channel.name:
                raise CorpusError(f"a channel's name is {channel.name!r}; it must be text")
        if twice := _twice([channel.key for channel in self.channels]):
            raise CorpusError(f"two channels are {twice!r}; name and unit together must differ")
        if not all(isinstance(name, str) and name for name in self.label_names):
            raise CorpusError(f"label_names are {list(self.label_names)!r}; each must be text")
        if twice := _twice(self.label_names):
            raise CorpusError(f"two labels are named {twice!r}")
        try:
            Frequency.parse(self.frequency)
        except ValueError as error:
            raise CorpusError(str(error)) from None


def _twice(names: Sequence[str]) -> str | None:
    """The first name that comes a second time."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


class Corpus:
    """A read-only view of a corpus. `Corpus.load` opens a folder, `Corpus.from_records` makes one in memory.

    Columns are in the order of the rows.
    """

    def __init__(self, path: Path, info: CorpusInfo, fingerprint: str, table: pa.Table) -> None:
        self.path = path  # its folder; of a corpus in memory its name, for messages
        self.info = info
        self.fingerprint = fingerprint  # sha256 over info and rows, as corpus.yaml says
        self._table = table

    @classmethod
    def load(cls, path: str | Path) -> Corpus:
        """Open the corpus in the folder `path`.

        Checks that the files are whole and have the shape that corpus.yaml says; `validate_corpus` checks all.

        Raises
        ------
        CorpusError
            The folder, its corpus.yaml or a shard is missing, damaged or of another form.
        """
        path = Path(path)
        header = _read_header(path)
        table = _read_shards(path)
        try:
            declared = sum(int(header["rows"][split]) for split in SPLITS)
            info = CorpusInfo.from_dict(header["info"])
        except CorpusError as error:
            raise CorpusError(f"{path / INFO_FILE}: {error}") from None
        except (KeyError, TypeError, ValueError):
            raise CorpusError(
                f"{path / INFO_FILE}: 'rows' must give the number of rows of {', '.join(SPLITS)}"
            ) from None
        if table.num_rows != declared:
            raise CorpusError(
                f"{path}: {INFO_FILE} says {declared} rows, the Parquet files hold {table.num_rows}; "
                "a shard is missing or one too many: build the corpus again"
            )
        if problems := _shape_problems(info, table):
            raise CorpusError(f"{path}: {_summary(problems)}")
        return cls(path, info, header["fingerprint"], table)

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
        rows = [_checked(record, number, info) for number, record in enumerate(records)]
        if not rows:
            raise CorpusError("there are no records to build a corpus from")
        rows = _with_splits(rows, info)
        table = _as_table(rows, info)
        if problems := _problems(info, table):
            raise CorpusError(_summary(problems))
        table = _with_channel_texts(table, rows, info, seed)
        return cls(Path(info.name), info, _fingerprint(info, table), table)

    def check(self) -> None:
        """Raise CorpusError for rows that do not make a corpus; a folder may have been made or changed by other means."""
        if problems := _problems(self.info, self.table()):
            raise CorpusError(f"{self.path}: {_summary(problems)}")

    def __len__(self) -> int:
        return self._table.num_rows

    def table(self) -> pa.Table:
        """All rows, with the columns of `SCHEMA`."""
        return self._table

    def select(self, split: str) -> list[int]:
        """The rows of a split."""
        if split not in SPLITS:
            raise CorpusError(f"there is no split {split!r}; the splits are {', '.join(SPLITS)}")
        return [int(row) for row in np.flatnonzero(self.splits == split)]

    @cached_property
    def ids(self) -> NDArray[np.object_]:
        return _objects(self._table, "id")

    @cached_property
    def series_ids(self) -> NDArray[np.object_]:
        return _objects(self._table, "series_id")

    @cached_property
    def splits(self) -> NDArray[np.object_]:
        return _objects(self._table, "split")

    @cached_property
    def frequencies(self) -> NDArray[np.object_]:
        return _objects(self._table, "frequency")

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """The number of steps of each row."""
        return _lengths(self._table)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Seconds since 1970 at the first step, rounded down."""
        return _start_times(self._table).astype("datetime64[s]").astype(np.int64)

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Seconds since 1970 one step after the last, rounded up: what follows a window without a gap starts here."""
        return -(-_end_times(self._table).astype(np.int64) // 1_000_000)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The label's place in `info.label_names`, `NO_LABEL` where there is none."""
        names = pa.array(self.info.label_names, type=pa.string())
        places = pc.index_in(self._table["label"], value_set=names, skip_nulls=True).fill_null(NO_LABEL)
        return places.to_numpy().astype(np.int64)

    @cached_property
    def texts(self) -> list[str]:
        return self._table["text"].to_pylist()

    @cached_property
    def channel_texts(self) -> list[list[str]]:
        """C texts for each row."""
        return self._table["channel_texts"].to_pylist()

    def values(self) -> list[NDArray[np.float32]]:
        """(C, T) float32 for each row, NaN where missing; views of one array."""
        flat = _flat_values(self._table)
        channels, lengths = len(self.info.channels), self.lengths
        borders = np.concatenate([[0], np.cumsum(lengths * channels)])
        return [flat[first:last].reshape(channels, -1) for first, last in itertools.pairwise(borders)]


def write_corpus(records: Iterable[Record], info: CorpusInfo, out: str | Path, seed: int = 0) -> Corpus:
    """Check `records` and write them as the corpus folder `out`.

    Records without a split get one by time within their series (70 / 10 / 20 %), and windows that would reach into a
    later split are left out. Records without channel texts get them from `describe`, which `seed` varies. All is
    written to a folder beside `out` that is renamed at the end, so a build that fails leaves nothing behind; a corpus
    that is there already is replaced, anything else is not.

    Raises
    ------
    CorpusError
        A record cannot be used (the message names it), there is none, or `out` is something else than a corpus.
    """
    out = Path(out)
    info.check()
    if out.exists() and not (out / INFO_FILE).is_file() and not (out.is_dir() and not any(out.iterdir())):
        raise CorpusError(f"{out} exists and is no corpus folder; name another folder or remove it")
    corpus = Corpus.from_records(records, info, seed)
    _write_folder(corpus.table(), info, corpus.fingerprint, out)
    return Corpus(out, info, corpus.fingerprint, corpus.table())


def validate_corpus(path: str | Path) -> list[str]:
    """What is wrong with the corpus in the folder `path`, one sentence for each problem; [] = nothing."""
    try:
        corpus = Corpus.load(path)
    except CorpusError as error:
        return [str(error)]
    problems = _problems(corpus.info, corpus.table())
    declared = _read_header(Path(path))["rows"]
    for split in SPLITS:
        if (count := len(corpus.select(split))) != declared[split]:
            problems.append(f"{INFO_FILE} says {declared[split]} {split} rows, the Parquet files hold {count}")
    if not problems and _fingerprint(corpus.info, corpus.table()) != corpus.fingerprint:
        problems.append(f"the content does not fit the fingerprint in {INFO_FILE}: it was changed after it was built")
    return problems


def _read_header(path: Path) -> dict[str, Any]:
    """corpus.yaml as {"info": …, "rows": …, "fingerprint": …}."""
    if not path.is_dir():
        raise CorpusError(f"there is no corpus folder {path}; `trace-lit data build` makes one")
    file = path / INFO_FILE
    if not file.is_file():
        raise CorpusError(f"{path} is no corpus: it holds no {INFO_FILE}; `trace-lit data build` makes a corpus")
    try:
        header = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CorpusError(f"{file} is not YAML: {error}") from None
    if not isinstance(header, dict):
        raise CorpusError(f"{file} must hold a mapping of keys, not a {type(header).__name__}")
    version = header.pop("format", None)
    if version != FORMAT:
        raise CorpusError(
            f"{file}: the format is {version!r}; this program reads format {FORMAT}: build the corpus again"
        )
    for key in ("rows", "fingerprint"):
        if key not in header:
            raise CorpusError(f"{file}: key {key!r} is missing")
    return {"rows": header.pop("rows"), "fingerprint": header.pop("fingerprint"), "info": header}


def _read_shards(path: Path) -> pa.Table:
    shards = sorted(path.glob("*.parquet"))
    if not shards:
        raise CorpusError(f"{path} holds no Parquet files; build the corpus again")
    tables = []
    for shard in shards:
        try:
            table = pq.read_table(shard, partitioning=None)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise CorpusError(f"{shard} is damaged or truncated ({reason}); build the corpus again") from None
        for field in SCHEMA:
            if field.name not in table.column_names:
                raise CorpusError(f"{shard} has no column {field.name!r}; it has {', '.join(table.column_names)}")
        try:
            tables.append(table.select(SCHEMA.names).cast(SCHEMA))
        except (pa.ArrowException, ValueError) as error:
            raise CorpusError(f"{shard}: a column has the wrong type: {str(error).splitlines()[0]}") from None
    return pa.concat_tables(tables).combine_chunks()


def _column(table: pa.Table, name: str) -> pa.Array:
    column = table[name].combine_chunks()
    return column if isinstance(column, pa.Array) else pa.concat_arrays(column.chunks)


def _objects(table: pa.Table, name: str) -> NDArray[np.object_]:
    return _column(table, name).to_numpy(zero_copy_only=False)


def _start_times(table: pa.Table) -> NDArray[np.datetime64]:
    return _column(table, "start").to_numpy(zero_copy_only=False).astype("datetime64[us]")


def _lengths(table: pa.Table) -> NDArray[np.int64]:
    """The number of steps of each row, by its first channel."""
    outer = _column(table, "values")
    steps = pc.list_value_length(outer.flatten()).to_numpy().astype(np.int64)
    channels = pc.list_value_length(outer).to_numpy().astype(np.int64)
    return steps[np.cumsum(channels) - channels]


def _end_times(table: pa.Table) -> NDArray[np.datetime64]:
    """One step after the last of each row."""
    starts, lengths, frequencies = _start_times(table), _lengths(table), _objects(table, "frequency")
    ends = starts.copy()
    for alias in set(frequencies):
        rows = frequencies == alias
        ends[rows] = Frequency.parse(alias).advance(starts[rows], lengths[rows])
    return ends


def _flat_values(table: pa.Table) -> NDArray[np.float32]:
    """All values behind one another, NaN for null."""
    flat = _column(table, "values").flatten().flatten()
    return flat.to_numpy(zero_copy_only=False).astype(np.float32, copy=False)


def _summary(problems: list[str]) -> str:
    more = len(problems) - _PROBLEMS_SHOWN
    return "; ".join(problems[:_PROBLEMS_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _shape_problems(info: CorpusInfo, table: pa.Table) -> list[str]:
    """Rows whose values are not [C][T], or that have not C channel texts, or a null where none may be."""
    for name in SCHEMA.names:
        if name != "label" and (nulls := table[name].null_count):
            return [f"column {name!r} has no value in {nulls} rows"]
    channels = len(info.channels)
    ids = _objects(table, "id")
    problems = []
    outer = _column(table, "values")
    counts = pc.list_value_length(outer).to_numpy()
    for row in np.flatnonzero(counts != channels):
        problems.append(f"row {ids[row]!r} has values of {counts[row]} channels, the corpus has {channels}")
    texts = pc.list_value_length(table["channel_texts"]).to_numpy()
    for row in np.flatnonzero(texts != channels):
        problems.append(f"row {ids[row]!r} has {texts[row]} channel texts, the corpus has {channels} channels")
    if problems:
        return problems
    steps = pc.list_value_length(outer.flatten()).fill_null(0).to_numpy().reshape(-1, channels)
    for row in np.flatnonzero((steps != steps[:, :1]).any(axis=1)):
        problems.append(f"row {ids[row]!r} has channels of unequal length: {', '.join(map(str, steps[row]))} steps")
    for row in np.flatnonzero((steps == 0).all(axis=1)):
        problems.append(f"row {ids[row]!r} has no time steps")
    return problems


def _problems(info: CorpusInfo, table: pa.Table) -> list[str]:
    """All that makes a table of rows unfit to be a corpus, one sentence each."""
    if problems := _shape_problems(info, table):
        return problems
    ids, splits, labels = _objects(table, "id"), _objects(table, "split"), _objects(table, "label")
    unique, counts = np.unique(ids.astype(str), return_counts=True)
    problems = [
        f"id {name!r} is used {count} times" for name, count in zip(unique.tolist(), counts, strict=True) if count > 1
    ]
    allowed = ", ".join(map(repr, info.label_names)) or "none"
    for row in np.flatnonzero([label is not None and label not in info.label_names for label in labels]):
        problems.append(f"row {ids[row]!r} has the label {labels[row]!r}; the corpus's label names are: {allowed}")
    for row in np.flatnonzero(~np.isin(splits, SPLITS)):
        problems.append(f"row {ids[row]!r} has the split {splits[row]!r}; it must be one of {', '.join(SPLITS)}")
    problems += _value_problems(info, table, ids)
    for alias in sorted(set(_objects(table, "frequency"))):
        try:
            Frequency.parse(alias)
        except ValueError as error:
            return [*problems, str(error)]
    series_ids = _objects(table, "series_id")
    for one, other in overlapping_splits(series_ids, _start_times(table), _end_times(table), splits):
        problems.append(
            f"rows {ids[one]!r} ({splits[one]}) and {ids[other]!r} ({splits[other]}) of the series {series_ids[one]!r} "
            "overlap in time; windows of different splits must not"
        )
    return problems


def _value_problems(info: CorpusInfo, table: pa.Table, ids: NDArray[np.object_]) -> list[str]:
    problems = []
    channels, lengths = len(info.channels), _lengths(table)
    flat = _flat_values(table)
    borders = np.cumsum(np.repeat(lengths, channels)) - np.repeat(lengths, channels)
    infinite = np.add.reduceat(np.isinf(flat), borders, dtype=np.int64).reshape(-1, channels) > 0
    for row, channel in np.argwhere(infinite):
        problems.append(
            f"row {ids[row]!r} has an infinite value in channel {info.channels[channel].name!r}; "
            "a missing value is written as NaN"
        )
    observed = np.add.reduceat(~np.isnan(flat), borders, dtype=np.int64).reshape(-1, channels) > 0
    for channel in np.flatnonzero(~observed.any(axis=0)):
        problems.append(f"channel {info.channels[channel].name!r} has no value in the whole corpus; leave it out")
    for row in np.flatnonzero(~observed.any(axis=1)):
        problems.append(f"row {ids[row]!r} has no observed value in any channel; leave it out")
    return problems


def _fingerprint(info: CorpusInfo, table: pa.Table) -> str:
    """sha256 over the description and the rows, in their order, however they are sharded."""
    digest = hashlib.sha256(json.dumps([FORMAT, info.as_dict()], sort_keys=True).encode())
    for name in ("id", "series_id", "frequency", "text", "label", "split", "channel_texts"):
        column = _column(table, name)
        texts = (column.flatten() if name == "channel_texts" else column).to_pylist()
        digest.update(json.dumps(texts).encode())
    digest.update(_start_times(table).astype("<i8").tobytes())
    digest.update(_lengths(table).astype("<i8").tobytes())
    flat = _flat_values(table)
    digest.update(np.where(np.isnan(flat), np.float32(np.nan), flat).astype("<f4").tobytes())
    return digest.hexdigest()


def _checked(record: Record, number: int, info: CorpusInfo) -> Record:
    """The record with values as float32 and its frequency; what only Python types can show wrong is checked here."""
    where = f"record {record.id!r}" if record.id else f"record number {number}"
    for name in ("id", "series_id", "text"):
        value = getattr(record, name)
        if not isinstance(value, str) or (not value and name != "text"):
            raise CorpusError(f"{where}: {name} is {value!r}; it must be text")
    if not isinstance(record.start, datetime) or record.start.tzinfo is not None:
        raise CorpusError(f"{where}: start is {record.start!r}; it must be a datetime in UTC without a time zone")
    try:
        values = np.ascontiguousarray(record.values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise CorpusError(f"{where}: the values are not numbers: {error}") from None
    channels = len(info.channels)
    if values.ndim != 2 or values.shape[0] != channels or values.shape[1] == 0:
        raise CorpusError(
            f"{where}: the values have shape {values.shape}; it must be ({channels}, steps), a row for each channel"
        )
    for text in (record.text, *(record.channel_texts or ())):
        if not isinstance(text, str):
            raise CorpusError(f"{where}: {text!r} is no text")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise CorpusError(f"{where}: the text is not valid Unicode: {text[:60]!r}") from None
    frequency = record.frequency or info.frequency
    try:
        Frequency.parse(frequency)
    except ValueError as error:
        raise CorpusError(f"{where}: {error}") from None
    return Record(**{**vars(record), "values": values, "frequency": frequency})


def _with_splits(rows: list[Record], info: CorpusInfo) -> list[Record]:
    """The rows with their splits, without those that reach from one split into a later one."""
    open_rows = [row for row in rows if row.split is None]
    if not open_rows:
        return rows
    if given := {row.series_id for row in rows if row.split is not None} & {row.series_id for row in open_rows}:
        raise CorpusError(
            f"series {min(given)!r}: some of its records have a split, some not; give all of them one or none"
        )
    starts = np.array([row.start for row in open_rows], dtype="datetime64[us]")
    ends = np.array(
        [
            Frequency.parse(row.frequency or info.frequency).advance(start, row.values.shape[1])
            for row, start in zip(open_rows, starts, strict=True)
        ]
    )
    splits, keep = split_by_time([row.series_id for row in open_rows], starts, ends)
    if not (splits[keep] == "train").any():
        raise CorpusError(
            "no record is left for training: splits are by time within a series, and no series has windows enough; "
            "let windows of one series share their series_id, or give each record its split"
        )
    for row, split, kept in zip(open_rows, splits, keep, strict=True):
        row.split = str(split) if kept else None
    kept_rows = [row for row in rows if row.split is not None]
    if len(kept_rows) < len(rows):
        log.info("left out %d of %d windows that reach into a later split", len(rows) - len(kept_rows), len(rows))
    return kept_rows


def _as_table(rows: list[Record], info: CorpusInfo) -> pa.Table:
    channels = len(info.channels)
    flat = np.concatenate([row.values.ravel() for row in rows])
    lengths = np.repeat([row.values.shape[1] for row in rows], channels)
    steps = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    values = pa.ListArray.from_arrays(
        np.arange(len(rows) + 1, dtype=np.int32) * channels,
        pa.ListArray.from_arrays(steps, pa.array(flat, mask=np.isnan(flat))),
    )
    return pa.table(
        [
            pa.array([row.id for row in rows]),
            pa.array([row.series_id for row in rows]),
            pa.array([row.start for row in rows], type=pa.timestamp("us")),
            pa.array([row.frequency for row in rows]),
            values,
            pa.array([row.text for row in rows]),
            pa.array([row.channel_texts or [""] * channels for row in rows], type=pa.list_(pa.string())),
            pa.array([row.label for row in rows], type=pa.string()),
            pa.array([row.split for row in rows], type=pa.string()),
        ],
        schema=SCHEMA,
    )


def _with_channel_texts(table: pa.Table, rows: list[Record], info: CorpusInfo, seed: int) -> pa.Table:
    """The table with descriptions of the channels where their record has none."""
    texts = [row.channel_texts for row in rows]
    alike: dict[tuple[int, str], list[int]] = {}
    for number, row in enumerate(rows):
        if row.channel_texts is None:
            alike.setdefault((row.values.shape[1], row.frequency or info.frequency), []).append(number)
    for (_, frequency), numbers in alike.items():
        values = np.stack([rows[number].values for number in numbers])
        described = describe(values, info.channels, frequency, [f"{seed}/{rows[number].id}" for number in numbers])
        for number, channel_texts in zip(numbers, described, strict=True):
            texts[number] = channel_texts
    column = SCHEMA.get_field_index("channel_texts")
    return table.set_column(column, SCHEMA.field(column), pa.array(texts, type=SCHEMA.field(column).type))


def _write_folder(table: pa.Table, info: CorpusInfo, fingerprint: str, out: Path) -> None:
    splits = _objects(table, "split")
    header = {
        "format": FORMAT,
        **info.as_dict(),
        "rows": {split: int((splits == split).sum()) for split in SPLITS},
        "fingerprint": fingerprint,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex[:8]
    building, replaced = out.parent / f".{out.name}.{mark}.building", out.parent / f".{out.name}.{mark}.replaced"
    try:
        building.mkdir()
        shards = range(0, table.num_rows, SHARD_ROWS)
        for number, first in enumerate(shards):
            shard = building / f"rows-{number:05d}-of-{len(shards):05d}.parquet"
            pq.write_table(table.slice(first, SHARD_ROWS), shard, compression="zstd")
        text = yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=120)
        (building / INFO_FILE).write_text(text, encoding="utf-8")
        if (out / INFO_FILE).is_file():
            out.rename(replaced)
        building.rename(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
        if replaced.exists() and not out.exists():
            replaced.rename(out)
        shutil.rmtree(replaced, ignore_errors=True)
