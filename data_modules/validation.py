"""What makes rows unfit to be a corpus, in sentences, and the fingerprint of rows that are fit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

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
    numbers,
    objects,
    start_times,
)
from data_modules.series_values import SeriesValues
from data_modules.splits import SPLITS, overlapping_splits

LARGEST = 1e18  # value: float32 holds its square
LAST_YEAR = 9999
_PROBLEMS_SHOWN = 5
_MOST = 1000  # cells that are named


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
    counts = numbers(pc.list_value_length(outer), missing=0)
    for row in np.flatnonzero(counts != channels):
        problems.append(f"row {ids[row]!r} has values of {counts[row]} channels, the corpus has {channels}")
    problems += _time_problems(table, ids)
    texts = numbers(pc.list_value_length(column(table, "channel_texts")), missing=channels)
    for row in np.flatnonzero(texts != channels):
        problems.append(f"row {ids[row]!r} has {texts[row]} channel texts, the corpus has {channels} channels")
    if problems:
        return problems
    steps = numbers(pc.list_value_length(outer.flatten()), missing=0).reshape(-1, channels)
    for row in np.flatnonzero((steps != steps[:, :1]).any(axis=1)):
        problems.append(f"row {ids[row]!r} has channels of unequal length: {', '.join(map(str, steps[row]))} steps")
    for row in np.flatnonzero((steps == 0).all(axis=1)):
        problems.append(f"row {ids[row]!r} has no time steps")
    return problems or _end_problems(table, ids)


def _time_problems(table: pa.Table, ids: NDArray[np.object_]) -> list[str]:
    """Starts that are in no year, and frequencies that are none."""
    years = _years(start_times(table))
    problems = [
        f"row {ids[row]!r} starts in the year {years[row]}; it must lie between 1 and {LAST_YEAR}"
        for row in np.flatnonzero((years < 1) | (years > LAST_YEAR))
    ]
    first: dict[str, int] = {}  # rows by their frequency
    for place, alias in enumerate(objects(table, "frequency")):
        first.setdefault(alias, place)
    for alias, place in first.items():
        try:
            Frequency.parse(alias)
        except FrequencyError as error:
            problems.append(f"row {ids[place]!r}: {error}")
    return problems


def _end_problems(table: pa.Table, ids: NDArray[np.object_]) -> list[str]:
    ends = _years(end_times(table))
    beyond = (ends < _years(start_times(table))) | (ends > LAST_YEAR + 1)
    return [f"row {ids[row]!r} reaches beyond the year {LAST_YEAR}" for row in np.flatnonzero(beyond)]


def _years(times: NDArray[np.datetime64]) -> NDArray[np.int64]:
    return times.astype("datetime64[Y]").astype(np.int64) + 1970


def row_problems(info: CorpusInfo, table: pa.Table, optional: Collection[str] = ()) -> list[str]:
    """All that makes a table of rows unfit to be a corpus, one sentence each; `optional` as for `shape_problems`."""
    if problems := shape_problems(info, table, optional):
        return problems
    values = _value_problems(info, table, objects(table, "id"))
    return _name_problems(info, table) + values + _overlaps(table)


def stored_problems(info: CorpusInfo, table: pa.Table, values: SeriesValues) -> list[str]:
    """Likewise of the rows of a corpus that stores series, without their texts."""
    if problems := place_problems(table, values):
        return problems
    return _name_problems(info, table) + _stored_value_problems(info, table, values) + _overlaps(table)


def place_problems(table: pa.Table, values: SeriesValues) -> list[str]:
    """Rows that are not within the stored series, or that begin or end at times that are none."""
    for name in table.column_names:
        if name != "label" and (nulls := table[name].null_count):
            return [f"column {name!r} has no value in {nulls} rows"]
    ids, first, steps = objects(table, "id"), numbers(column(table, "first")), lengths(table)
    problems = [
        f"row {ids[row]!r} has the steps {first[row]} to {first[row] + steps[row]}; there are {len(values)}"
        for row in np.flatnonzero((first < 0) | (steps < 1) | (first > len(values) - steps))[:_MOST]
    ]
    problems += _time_problems(table, ids)
    return problems or _end_problems(table, ids)


def _name_problems(info: CorpusInfo, table: pa.Table) -> list[str]:
    """Ids that are not unique, labels and splits that there are not."""
    ids, splits, labels = objects(table, "id"), objects(table, "split"), objects(table, "label")
    counts = pc.value_counts(column(table, "id"))
    names, times = counts.field("values"), numbers(counts.field("counts"))
    found = sorted((names[place].as_py(), int(times[place])) for place in np.flatnonzero(times > 1).tolist())
    problems = [f"id {name!r} is used {count} times" for name, count in found]
    allowed = ", ".join(map(repr, info.label_names)) or "none"
    known = {None, *info.label_names}
    for row in np.flatnonzero([label not in known for label in labels]):
        problems.append(f"row {ids[row]!r} has the label {labels[row]!r}; the corpus's label names are: {allowed}")
    for row in np.flatnonzero([split not in SPLITS for split in splits]):
        problems.append(f"row {ids[row]!r} has the split {splits[row]!r}; it must be one of {', '.join(SPLITS)}")
    return problems


def _overlaps(table: pa.Table) -> list[str]:
    """Rows of different splits that share time."""
    ids, splits, series_ids = objects(table, "id"), objects(table, "split"), objects(table, "series_id")
    return [
        f"rows {ids[one]!r} ({splits[one]}) and {ids[other]!r} ({splits[other]}) of the series {series_ids[one]!r} "
        "overlap in time; windows of different splits must not"
        for one, other in overlapping_splits(series_ids, start_times(table), end_times(table), splits)
    ]


def _stored_value_problems(info: CorpusInfo, table: pa.Table, values: SeriesValues) -> list[str]:
    """As `_value_problems`, read a part of the series at a time."""
    ids, first, steps = objects(table, "id"), numbers(column(table, "first")), lengths(table)
    observed = np.zeros(len(info.channels), dtype=np.bool_)
    problems: list[str] = []
    empty: list[NDArray[np.int64]] = []
    for begin, part in values.blocks():
        with np.errstate(invalid="ignore"):
            large = np.abs(part) > LARGEST
        seen = ~np.isnan(part)
        observed |= seen.any(0)
        empty.append(begin + np.flatnonzero(~seen.any(1)))
        for step, channel in np.argwhere(large)[: _MOST - len(problems)].tolist():
            rows = np.flatnonzero((first <= begin + step) & (begin + step < first + steps))
            if not len(rows):  # nobody gets to see it
                continue
            row = int(rows[0])
            place = int(begin + step - first[row]) + 1
            problems.append(cell_problem(info, ids[row], int(channel), place, float(part[step, channel])))
    for channel in np.flatnonzero(~observed).tolist():
        problems.append(f"channel {info.channels[channel].name!r} has no value in the whole corpus; leave it out")
    without = np.concatenate(empty)
    low, high = np.searchsorted(without, first), np.searchsorted(without, first + steps)
    for row in np.flatnonzero(high - low == steps).tolist():
        problems.append(f"row {ids[row]!r} has no observed value in any channel; leave it out")
    return problems


def cell_problem(info: CorpusInfo, name: str, channel: int, step: int, value: float) -> str:
    """What is wrong with a value that is infinite or too large, at a `step` counted from 1."""
    key = info.channels[channel].name
    if np.isinf(value):
        return f"row {name!r} has an infinite value in channel {key!r}; a missing value is written as NaN"
    return (
        f"row {name!r} has {value:g} in channel {key!r} at step {step}; its square would overflow (at most {LARGEST:g}): a "
        "missing value, as fill values stand for, is written as NaN"
    )


def _value_problems(info: CorpusInfo, table: pa.Table, ids: NDArray[np.object_]) -> list[str]:
    problems = []
    channels, steps = len(info.channels), lengths(table)
    flat = flat_values(table)
    borders = np.cumsum(np.repeat(steps, channels)) - np.repeat(steps, channels)
    infinite = np.add.reduceat(np.isinf(flat), borders, dtype=np.int64).reshape(-1, channels) > 0
    for row, channel in np.argwhere(infinite):
        problems.append(cell_problem(info, ids[row], int(channel), 0, np.inf))
    with np.errstate(invalid="ignore"):
        large = np.isfinite(flat) & (np.abs(flat) > LARGEST)
    for place in np.flatnonzero(large):
        cell = int(np.searchsorted(borders, place, side="right")) - 1
        row, channel = divmod(cell, channels)
        problems.append(cell_problem(info, ids[row], channel, int(place - borders[cell]) + 1, float(flat[place])))
    observed = np.add.reduceat(~np.isnan(flat), borders, dtype=np.int64).reshape(-1, channels) > 0
    for channel in np.flatnonzero(~observed.any(axis=0)):
        problems.append(f"channel {info.channels[channel].name!r} has no value in the whole corpus; leave it out")
    for row in np.flatnonzero(~observed.any(axis=1)):
        problems.append(f"row {ids[row]!r} has no observed value in any channel; leave it out")
    return problems


def fingerprint_of(info: CorpusInfo, table: pa.Table) -> str:
    """sha256 over the description and the rows, in their order, however they are sharded."""
    flat = flat_values(table)

    def texts(name: str) -> Iterator[list[Any]]:
        cells = column(table, name)
        yield cells.to_pylist()

    return digest_of(info, texts, start_times(table), lengths(table), flat.dtype, iter([flat]))


def digest_of(
    info: CorpusInfo,
    texts: Callable[[str], Iterator[list[Any]]],
    starts: NDArray[np.datetime64],
    steps: NDArray[np.int64],
    kind: np.dtype,
    values: Iterator[NDArray[np.floating]],
) -> str:
    """The fingerprint of rows of which each column is read in parts: `texts` by its name, the values row by row."""
    digest = hashlib.sha256(json.dumps([FORMAT, info.as_dict()], sort_keys=True).encode())
    for name in ("id", "series_id", "frequency", "text", "label", "split", "channel_texts"):
        separator = "["
        for part in texts(name):
            cells = [own for row in part for own in row] if name == "channel_texts" else part
            if cells:
                digest.update((separator + json.dumps(cells)[1:-1]).encode())
                separator = ", "
        digest.update(b"]" if separator == ", " else b"[]")
    digest.update(starts.astype("<i8").tobytes())
    digest.update(steps.astype("<i8").tobytes())
    for flat in values:
        nan = flat.dtype.type(np.nan)
        digest.update(np.where(np.isnan(flat), nan, flat).astype("<f4" if kind == np.float32 else "<f8").tobytes())
    return digest.hexdigest()
