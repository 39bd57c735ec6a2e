"""From records to the checked rows of a corpus; what rows may leave out is derived."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_modules.describe import describe
from data_modules.frequency import Frequency
from data_modules.schema import (
    SCHEMA,
    CorpusError,
    CorpusInfo,
    Record,
    end_times,
    is_single,
    lengths,
    objects,
    start_times,
    windows,
)
from data_modules.splits import split_by_time
from data_modules.validation import row_problems, summary

log = logging.getLogger(__name__)


def assembled(records: Iterable[Record], info: CorpusInfo, seed: int = 0) -> pa.Table:
    """The rows of `records`, checked and complete, with the columns of `SCHEMA`; see `completed`.

    Raises
    ------
    CorpusError
        A record cannot be used (the message names it), or there is none.
    """
    rows = [checked(record, number, info) for number, record in enumerate(records)]
    if not rows:
        raise CorpusError("there are no records to build a corpus from")
    return completed(info, _as_table(rows, info), seed)


def completed(info: CorpusInfo, table: pa.Table, seed: int = 0) -> pa.Table:
    """The rows of `table`, checked, with splits and channel texts where these are null.

    Splits are by time within a series (70 / 10 / 20 %), and windows that would reach into a later split are left out.
    Channel texts come from `describe`, which `seed` varies.

    Raises
    ------
    CorpusError
        The rows cannot be used.
    """
    table = with_splits(table)
    if problems := row_problems(info, table, optional=("channel_texts",)):
        raise CorpusError(summary(problems))
    return described(info, table, windows(info, table), seed)


def checked(record: Record, number: int, info: CorpusInfo) -> Record:
    """The record with values as float32 or float64, and its frequency.

    What only Python types can show wrong is checked here.
    """
    if not isinstance(record, Record):
        raise CorpusError(f"record number {number} is a {type(record).__name__}; it must be a data_modules.Record")
    where = f"record {record.id!r}" if record.id else f"record number {number}"
    record = _plain(record)
    for name in ("id", "series_id", "text"):
        value = getattr(record, name)
        if not isinstance(value, str) or (not value and name != "text"):
            raise CorpusError(f"{where}: {name} is {value!r}; it must be text")
    if not isinstance(record.start, datetime) or record.start != record.start:
        raise CorpusError(
            f"{where}: start is {record.start!r}; it must be a datetime, in UTC where it has no time zone"
        )
    try:
        given = np.asarray(record.values)
        values = np.ascontiguousarray(
            given, dtype=np.float32 if given.dtype in (np.float32, np.float16) else np.float64
        )
    except (TypeError, ValueError) as error:
        raise CorpusError(f"{where}: the values are not numbers: {error}") from None
    if given.dtype.kind in "iu" and not np.array_equal(values.astype(given.dtype), given):
        raise CorpusError(f"{where}: a whole number beyond 2^53 cannot be kept exactly; take off a constant, or divide")
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


def _plain(record: Record) -> Record:
    """The record with an aware start as UTC, and texts and labels that are NaN as none."""
    start = record.start
    if isinstance(start, datetime) and start == start and start.tzinfo is not None:  # NaT is not itself
        start = start.astimezone(UTC).replace(tzinfo=None)
    channel_texts = record.channel_texts
    return replace(
        record,
        start=start,
        text="" if _is_nothing(record.text) else record.text,
        label=None if _is_nothing(record.label) else record.label,
        channel_texts=None if channel_texts is None else ["" if _is_nothing(own) else own for own in channel_texts],
    )


def _is_nothing(cell: Any) -> bool:
    """Whether a cell is NaN or NA, as tables have them where there is nothing."""
    return type(cell).__name__ == "NAType" or (isinstance(cell, float) and math.isnan(cell))


def _as_table(rows: list[Record], info: CorpusInfo) -> pa.Table:
    channels = len(info.channels)
    flat = np.concatenate([row.values.ravel() for row in rows])
    if is_single(flat):
        flat = flat.astype(np.float32)
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
            pa.array([row.channel_texts for row in rows], type=pa.list_(pa.string())),
            pa.array([row.label for row in rows], type=pa.string()),
            pa.array([row.split for row in rows], type=pa.string()),
        ],
        schema=SCHEMA.set(SCHEMA.get_field_index("values"), pa.field("values", values.type)),
    )


def with_splits(table: pa.Table) -> pa.Table:
    """The rows with their splits, without those that reach from one split into a later one."""
    splits, series_ids = objects(table, "split"), objects(table, "series_id")
    is_open = np.array([split is None for split in splits])
    if not is_open.any():
        return table
    if given := set(series_ids[~is_open]) & set(series_ids[is_open]):
        raise CorpusError(
            f"series {min(given)!r}: some of its records have a split, some not; give all of them one or none"
        )
    try:
        ends = end_times(table)
    except ValueError as error:
        raise CorpusError(str(error)) from None
    by_time, keep = split_by_time(series_ids[is_open], start_times(table)[is_open], ends[is_open])
    if not (by_time[keep] == "train").any():
        raise CorpusError(
            "no record is left for training: splits are by time within a series, and no series has windows enough; "
            "let windows of one series share their series_id, or give each record its split"
        )
    by_time[~keep] = None
    splits[is_open] = by_time
    place = table.schema.get_field_index("split")
    table = table.set_column(place, "split", pa.array(splits, type=pa.string()))
    kept = table.filter(pc.is_valid(table["split"]))
    if len(kept) < len(table):
        log.info("left out %d of %d windows that reach into a later split", len(table) - len(kept), len(table))
    return kept


def described(info: CorpusInfo, table: pa.Table, values: Sequence[NDArray[np.floating]], seed: int) -> pa.Table:
    """The rows with descriptions of the channels, by their `values` (C, T) each, where they have none."""
    texts = table["channel_texts"].to_pylist()
    ids, frequencies, steps = objects(table, "id"), objects(table, "frequency"), lengths(table)
    alike: dict[tuple[int, str], list[int]] = {}
    for row, own in enumerate(texts):
        if own is None:
            alike.setdefault((int(steps[row]), frequencies[row]), []).append(row)
    for (_, frequency), rows in alike.items():
        stacked = np.stack([values[row] for row in rows])
        made = describe(stacked, info.channels, frequency, [f"{seed}/{ids[row]}" for row in rows])
        for row, channel_texts in zip(rows, made, strict=True):
            texts[row] = channel_texts
    field = SCHEMA.field("channel_texts")
    return table.set_column(table.schema.get_field_index(field.name), field, pa.array(texts, type=field.type))
