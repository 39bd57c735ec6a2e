"""What a corpus consists of: the columns of its rows, the description that they share, and one row as a source yields it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_modules.frequency import Frequency
from trace_lit.channels import Channel
from trace_lit.errors import InputError
from trace_lit.plain import is_plain_name

FORMAT = 1  # values in the rows
STORED_FORMAT = 2  # values in a file of their own, each step of a series once; a row has the place of its first one
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("series_id", pa.string()),
        ("start", pa.timestamp("us")),  # naive UTC time of the first step
        ("frequency", pa.string()),
        ("values", pa.list_(pa.list_(pa.float32()))),  # [C][T], null where missing; or float64, see `values_type`
        ("text", pa.string()),  # "" = none
        ("channel_texts", pa.list_(pa.string())),  # [C], "" = none
        ("label", pa.string()),  # null = none
        ("split", pa.string()),
    ]
)

STORED_SCHEMA = pa.schema(
    [
        *(field for field in SCHEMA if field.name != "values"),
        ("first", pa.int64()),  # the place of the window's first step
        ("steps", pa.int64()),
    ]
)


class CorpusError(InputError):
    """Data cannot be used."""


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
    timezone: str = (
        "UTC"  # of the clocks that the data come from; times of steps shorter than a day are UTC all the same
    )

    def as_dict(self) -> dict[str, Any]:
        """Plain types, in the order in which corpus.yaml holds them."""
        plain = asdict(self)
        plain["channels"] = [asdict(channel) for channel in self.channels]
        plain["label_names"] = list(self.label_names)
        if self.timezone == "UTC":  # as corpora have it that were built before
            del plain["timezone"]
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> CorpusInfo:
        """The inverse of `as_dict`; CorpusError for a key that is missing, unknown or of the wrong type."""
        known = {field.name for field in fields(cls)}
        if wrong := [key for key in plain if not isinstance(key, str)]:
            raise CorpusError(f"the key {wrong[0]!r} is no text")
        if unknown := sorted(set(plain) - known):
            raise CorpusError(f"unknown key {unknown[0]!r}; the keys are {', '.join(sorted(known))}")
        try:
            listed, labels = plain["channels"], plain.get("label_names") or ()
            if not isinstance(listed, (list, tuple)) or not isinstance(labels, (list, tuple)):
                raise CorpusError("channels and label_names must be lists")
            allowed = [field.name for field in fields(Channel)]
            for channel in listed:
                if not isinstance(channel, Mapping) or "name" not in channel:
                    raise CorpusError(f"a channel is {channel!r}; it must be a mapping with its name")
                if wrong := [key for key in channel if key not in allowed]:
                    raise CorpusError(f"unknown key {wrong[0]!r} of a channel; the keys are {', '.join(allowed)}")
            channels = tuple(Channel(**channel) for channel in listed)
            info = cls(**{**plain, "channels": channels, "label_names": tuple(labels)})
        except KeyError as error:
            raise CorpusError(f"key {error.args[0]!r} is missing") from None
        except TypeError as error:
            raise CorpusError(str(error)) from None
        info.check()
        return info

    def check(self) -> None:
        """CorpusError if a corpus cannot be described so."""
        for key in ("domain", "name", "source", "description", "timezone"):
            if not isinstance(getattr(self, key), str):
                raise CorpusError(f"{key} is {getattr(self, key)!r}; it must be text")
        if not isinstance(self.generated, bool):
            raise CorpusError(f"generated is {self.generated!r}; it must be true or false")
        if not is_plain_name(self.domain):
            raise CorpusError(
                f"domain is {self.domain!r}; it must be a plain name, like weather: runs are filed under it"
            )
        if not self.channels:
            raise CorpusError("there are no channels; a corpus has at least one")
        for channel in self.channels:
            if not isinstance(channel, Channel):
                raise CorpusError(f"a channel is {channel!r}; it must be a Channel, like Channel('level', 'm')")
            if not isinstance(channel.name, str) or not channel.name:
                raise CorpusError(f"a channel's name is {channel.name!r}; it must be text")
            for key in ("unit", "description"):
                if not isinstance(value := getattr(channel, key), str):
                    raise CorpusError(f"the {key} of the channel {channel.name!r} is {value!r}; it must be text")
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


def column(table: pa.Table, name: str) -> pa.Array:
    """The column `name` as one array."""
    found = table[name].combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)


def numbers(array: pa.Array, missing: float | None = None) -> NDArray[Any]:
    """The numbers of an array (N,), where nothing is null a view of them; null is `missing`.

    Arrow's to_numpy, pa.array and pa.scalar import pandas, which takes longer than to search a small corpus.

    Examples
    --------
    >>> numbers(pa.array([1.5, None]), missing=-1)
    array([ 1.5, -1. ])
    """
    kind, buffer = np.dtype(array.type.to_pandas_dtype()), array.buffers()[1]
    if not len(array):
        return np.empty(0, dtype=kind)
    found = np.frombuffer(buffer, kind, len(array), array.offset * kind.itemsize)
    if not array.null_count:
        return found
    return np.where(numbers(array.is_valid().cast(pa.int8())) > 0, found, np.asarray(missing, dtype=kind))


def objects(table: pa.Table, name: str) -> NDArray[np.object_]:
    """The column `name` as Python objects (N,), None for null."""
    found = column(table, name)
    if not pa.types.is_dictionary(found.type):
        return _as_objects(found.to_pylist())
    known = _as_objects([*found.dictionary.to_pylist(), None])  # equal texts are one object
    return known[numbers(found.indices, missing=len(known) - 1)]


def _as_objects(cells: list[Any]) -> NDArray[np.object_]:
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array


def start_times(table: pa.Table) -> NDArray[np.datetime64]:
    """The first step of each row."""
    starts = column(table, "start").cast(pa.timestamp("us"))
    return numbers(starts.cast(pa.int64()), missing=np.iinfo(np.int64).min).view("datetime64[us]")  # that is NaT


def lengths(table: pa.Table) -> NDArray[np.int64]:
    """The number of steps of each row, by its first channel."""
    if "steps" in table.column_names:
        return numbers(column(table, "steps"))
    outer = column(table, "values")
    steps = numbers(pc.list_value_length(outer.flatten()), missing=0).astype(np.int64)
    channels = numbers(pc.list_value_length(outer), missing=0).astype(np.int64)
    return steps[np.cumsum(channels) - channels]


def end_times(table: pa.Table) -> NDArray[np.datetime64]:
    """One step after the last of each row; ValueError for a frequency that is none."""
    starts, steps, frequencies = start_times(table), lengths(table), objects(table, "frequency")
    ends = starts.copy()
    for alias in set(frequencies):
        rows = frequencies == alias
        ends[rows] = Frequency.parse(alias).advance(starts[rows], steps[rows])
    return ends


def values_type(values: pa.ChunkedArray) -> pa.DataType | None:
    """The type of `SCHEMA` that holds the column `values` exactly: of float32, or else of float64; None for other types."""
    single, double = (pa.list_(pa.list_(leaf)) for leaf in (pa.float32(), pa.float64()))
    if values.type == single:
        return single
    if values.type != double:
        return None
    flat = numbers(values.combine_chunks().flatten().flatten(), missing=np.nan)
    return single if is_single(flat) else double


def is_single(values: NDArray[np.floating]) -> bool:
    """Whether float32 holds all of `values` exactly."""
    with np.errstate(over="ignore"):
        return bool(np.array_equal(values, values.astype(np.float32), equal_nan=True))


def flat_values(table: pa.Table) -> NDArray[np.floating]:
    """All values, one row after another, NaN for null; float32 or float64, as the table holds them."""
    flat = column(table, "values").flatten().flatten()
    return numbers(flat if pa.types.is_floating(flat.type) else flat.cast(pa.float64()), missing=np.nan)


def windows(info: CorpusInfo, table: pa.Table) -> list[NDArray[np.floating]]:
    """The values (C, T) of each row, NaN where missing; views of one array."""
    flat = flat_values(table)
    channels = len(info.channels)
    borders = np.concatenate([[0], np.cumsum(lengths(table) * channels)])
    return [flat[first:last].reshape(channels, -1) for first, last in itertools.pairwise(borders)]
