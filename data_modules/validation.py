"""What makes rows unfit to be a corpus, in sentences, and the fingerprint of rows that are fit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_modules.frequency import Frequency, FrequencyError
from data_modules.schema import (
    FORMAT,
    SCHEMA,
    CorpusInfo,
    column,
    end_times,
    flat_values,
    lengths,
    objects,
    start_times,
)
from data_modules.splits import SPLITS, overlapping_splits

LARGEST = 1e18  # value: float32 holds its square
LAST_YEAR = 9999
_PROBLEMS_SHOWN = 5


def summary(problems: list[str]) -> str:
    """The first of `problems` in one line."""
    more = len(problems) - _PROBLEMS_SHOWN
    return "; ".join(problems[:_PROBLEMS_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def shape_problems(info: CorpusInfo, table: pa.Table, optional: Collection[str] = ()) -> list[str]:
    """Rows whose values are not [C][T], or that have not C channel texts, or a null where none may be.

    Columns that are `optional` may have nulls, as labels may.
    """
    for name in SCHEMA.names:
        if name != "label" and name not in optional and (nulls := table[name].null_count):
            return [f"column {name!r} has no value in {nulls} rows"]
    channels = len(info.channels)
    ids = objects(table, "id")
    problems = []
    outer = column(table, "values")
    counts = pc.list_value_length(outer).to_numpy()
    for row in np.flatnonzero(counts != channels):
        problems.append(f"row {ids[row]!r} has values of {counts[row]} channels, the corpus has {channels}")
    years = start_times(table).astype("datetime64[Y]").astype(np.int64) + 1970
    for row in np.flatnonzero((years < 1) | (years > LAST_YEAR)):
        problems.append(f"row {ids[row]!r} starts in the year {years[row]}; it must lie between 1 and {LAST_YEAR}")
    first: dict[str, int] = {}  # rows by their frequency
    for place, alias in enumerate(objects(table, "frequency")):
        first.setdefault(alias, place)
    for alias, place in first.items():
        try:
            Frequency.parse(alias)
        except FrequencyError as error:
            problems.append(f"row {ids[place]!r}: {error}")
    texts = pc.list_value_length(table["channel_texts"]).fill_null(channels).to_numpy()
    for row in np.flatnonzero(texts != channels):
        problems.append(f"row {ids[row]!r} has {texts[row]} channel texts, the corpus has {channels} channels")
    if problems:
        return problems
    steps = pc.list_value_length(outer.flatten()).fill_null(0).to_numpy().reshape(-1, channels)
    for row in np.flatnonzero((steps != steps[:, :1]).any(axis=1)):
        problems.append(f"row {ids[row]!r} has channels of unequal length: {', '.join(map(str, steps[row]))} steps")
    for row in np.flatnonzero((steps == 0).all(axis=1)):
        problems.append(f"row {ids[row]!r} has no time steps")
    if not problems:
        ends = end_times(table).astype("datetime64[Y]").astype(np.int64) + 1970
        for row in np.flatnonzero((ends < years) | (ends > LAST_YEAR + 1)):
            problems.append(f"row {ids[row]!r} reaches beyond the year {LAST_YEAR}")
    return problems


def row_problems(info: CorpusInfo, table: pa.Table, optional: Collection[str] = ()) -> list[str]:
    """All that makes a table of rows unfit to be a corpus, one sentence each; `optional` as for `shape_problems`."""
    if problems := shape_problems(info, table, optional):
        return problems
    ids, splits, labels = objects(table, "id"), objects(table, "split"), objects(table, "label")
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
    series_ids = objects(table, "series_id")
    for one, other in overlapping_splits(series_ids, start_times(table), end_times(table), splits):
        problems.append(
            f"rows {ids[one]!r} ({splits[one]}) and {ids[other]!r} ({splits[other]}) of the series {series_ids[one]!r} "
            "overlap in time; windows of different splits must not"
        )
    return problems


def _value_problems(info: CorpusInfo, table: pa.Table, ids: NDArray[np.object_]) -> list[str]:
    problems = []
    channels, steps = len(info.channels), lengths(table)
    flat = flat_values(table)
    borders = np.cumsum(np.repeat(steps, channels)) - np.repeat(steps, channels)
    infinite = np.add.reduceat(np.isinf(flat), borders, dtype=np.int64).reshape(-1, channels) > 0
    for row, channel in np.argwhere(infinite):
        problems.append(
            f"row {ids[row]!r} has an infinite value in channel {info.channels[channel].name!r}; "
            "a missing value is written as NaN"
        )
    with np.errstate(invalid="ignore"):
        large = np.isfinite(flat) & (np.abs(flat) > LARGEST)
    for place in np.flatnonzero(large):
        cell = int(np.searchsorted(borders, place, side="right")) - 1
        row, channel = divmod(cell, channels)
        problems.append(
            f"row {ids[row]!r} has {flat[place]:g} in channel {info.channels[channel].name!r} at step "
            f"{place - borders[cell] + 1}; its square would overflow (at most {LARGEST:g}): a missing value, as fill values "
            "stand for, is written as NaN"
        )
    observed = np.add.reduceat(~np.isnan(flat), borders, dtype=np.int64).reshape(-1, channels) > 0
    for channel in np.flatnonzero(~observed.any(axis=0)):
        problems.append(f"channel {info.channels[channel].name!r} has no value in the whole corpus; leave it out")
    for row in np.flatnonzero(~observed.any(axis=1)):
        problems.append(f"row {ids[row]!r} has no observed value in any channel; leave it out")
    return problems


def fingerprint_of(info: CorpusInfo, table: pa.Table) -> str:
    """sha256 over the description and the rows, in their order, however they are sharded."""
    digest = hashlib.sha256(json.dumps([FORMAT, info.as_dict()], sort_keys=True).encode())
    for name in ("id", "series_id", "frequency", "text", "label", "split", "channel_texts"):
        cells = column(table, name)
        texts = (cells.flatten() if name == "channel_texts" else cells).to_pylist()
        digest.update(json.dumps(texts).encode())
    digest.update(start_times(table).astype("<i8").tobytes())
    digest.update(lengths(table).astype("<i8").tobytes())
    flat = flat_values(table)
    kind = "<f4" if flat.dtype == np.float32 else "<f8"
    digest.update(np.where(np.isnan(flat), flat.dtype.type(np.nan), flat).astype(kind).tobytes())
    return digest.hexdigest()
