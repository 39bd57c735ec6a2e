"""Splits by time within a series: 70 % for training, 10 % for validation, the last 20 % for the test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.frequency import Frequency

_MOST_STEPS = 10**12  # of a part
_DURATION = re.compile(r"([1-9]\d{0,5}) (hour|day|week|month|year)s?")
_UNITS = {"hour": "h", "day": "D", "week": "W", "month": "MS", "year": "YS"}
SPLITS = ("train", "validation", "test")
TRAIN_SHARE, TEST_SHARE = 0.7, 0.2


def _series(
    series_ids: Sequence[str] | NDArray[np.object_], starts: NDArray[np.datetime64]
) -> Iterator[NDArray[np.int64]]:
    """The rows of one series after another, each sorted by start."""
    if len(series_ids) == 0:
        return
    _, number = np.unique(np.asarray(series_ids, dtype=str), return_inverse=True)
    order = np.lexsort((starts, number))
    borders = np.flatnonzero(np.diff(number[order])) + 1
    yield from np.split(order, borders)


def split_by_time(
    series_ids: Sequence[str] | NDArray[np.object_], starts: NDArray[np.datetime64], ends: NDArray[np.datetime64]
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """The split of each of N windows, and which windows to keep.

    A series of n windows, sorted by start, gives its first floor(0.7 n) to training, its last round(0.2 n) to the test
    and the rest to validation. A window that reaches into the first window of a later split is not kept, so that no two
    splits share a time step of a series. Where this would leave no window for validation, as of long windows at every step,
    training ends earlier.
    """
    splits = np.empty(len(starts), dtype=object)
    keep = np.ones(len(starts), dtype=bool)
    for rows in _series(series_ids, starts):
        n_train = int(TRAIN_SHARE * len(rows) + 1e-9)  # 0.7 · 10 is 7 and not 6.999…
        n_test = round(TEST_SHARE * len(rows))
        n_train = _with_validation(starts[rows], ends[rows], n_train, len(rows) - n_test)
        for first, last, split in (
            (0, n_train, "train"),
            (n_train, len(rows) - n_test, "validation"),
            (len(rows) - n_test, len(rows), "test"),
        ):
            splits[rows[first:last]] = split
            if last < len(rows):
                keep[rows[first:last]] = ends[rows[first:last]] <= starts[rows[last]]
    return splits, keep


def _with_validation(
    starts: NDArray[np.datetime64], ends: NDArray[np.datetime64], n_train: int, before_test: int
) -> int:
    """`n_train`, or fewer where validation would have no window of its own that ends before the test begins."""
    if before_test >= len(starts):
        return n_train
    apart = int(
        (ends[:before_test] <= starts[before_test]).sum()
    )  # the windows before the test that do not reach into it
    if apart > n_train or before_test == n_train:
        return n_train
    wanted = max(1, min(before_test - n_train, apart // 4))
    fewer = apart - wanted
    return fewer if fewer > 0 and (ends[:fewer] <= starts[fewer]).any() else n_train


def check_split(split: Any) -> str | None:
    """What is wrong with a split that is given as a mapping, None where nothing is; see `split_times`."""
    example = (
        "like {train: 12 months, validation: 4 months, test: 4 months}, {train: 0.6, validation: 0.2, test: 0.2}, "
    )
    example += "{train: 2000, validation: 300, test: 500} or {validation: 2015-01-01, test: 2018-01-01}"
    if not isinstance(split, Mapping) or (set(split) != set(SPLITS) and set(split) != set(SPLITS[1:])):
        return f"it must be rows, steps, or a mapping {example}"
    if len(split) == 2:
        if any(_date(value) is None for value in split.values()):
            return f"without train, it must have the dates at which the parts begin, {example}"
        return None if _date(split["validation"]) < _date(split["test"]) else "validation must begin before test"  # type: ignore[operator]
    kinds = {_kind(value) for value in split.values()}
    if None in kinds or len(kinds) > 1:
        return f"train, validation and test must all be shares, counts of steps, or durations, {example}"
    if kinds == {"share"} and sum(split.values()) > 1 + 1e-9:
        return f"its shares sum to {sum(split.values()):g}, which must be 1 at most"
    return None


def split_times(split: Mapping[str, Any], times: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """The times at which training, validation and test of a series end, from those at which its steps begin, ascending.

    The parts follow one another from the first step on: shares of the steps, counts of them, or durations (hours, days,
    weeks, months or years); what is left behind them is in no part. Or the dates at which validation and test begin.
    """
    last = times[-1] + np.timedelta64(1, "s")
    if len(split) == 2:
        ends = [np.datetime64(str(_date(split[name])), "s") for name in SPLITS[1:]]
        return np.array([*ends, last], dtype="datetime64[s]")
    if _kind(split["train"]) == "duration":
        moments = [times[0]]
        for name in SPLITS:
            count, unit = _DURATION.fullmatch(str(split[name]).strip()).groups()  # type: ignore[union-attr]
            moments.append(Frequency.parse(_UNITS[unit]).advance(moments[-1], int(count)).astype("datetime64[s]")[()])
        return np.array(moments[1:], dtype="datetime64[s]")
    sizes = np.array([float(split[name]) for name in SPLITS])
    counts = np.cumsum(sizes * (len(times) if _kind(split["train"]) == "share" else 1))
    places = np.floor(counts + 1e-9).astype(np.int64)
    return np.array([times[place] if place < len(times) else last for place in places], dtype="datetime64[s]")


def _kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return "share" if 0 < value < 1 else None
    if isinstance(value, int):
        return "count" if 0 < value < _MOST_STEPS else None
    return "duration" if isinstance(value, str) and _DURATION.fullmatch(value.strip()) else None


def _date(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.replace(tzinfo=None)


def overlapping_splits(
    series_ids: Sequence[str] | NDArray[np.object_],
    starts: NDArray[np.datetime64],
    ends: NDArray[np.datetime64],
    splits: NDArray[np.object_],
) -> list[tuple[int, int]]:
    """Pairs of rows that share a time step of a series but not a split; one pair for each row concerned."""
    pairs: list[tuple[int, int]] = []
    for rows in _series(series_ids, starts):
        for number, split in enumerate(SPLITS):
            mine = rows[splits[rows] == split]
            theirs = rows[np.isin(splits[rows], SPLITS[number + 1 :])]
            if len(mine) == 0 or len(theirs) == 0:
                continue
            # Of their windows that start before mine ends, does the one that ends last end after mine starts?
            begun = np.searchsorted(starts[theirs], ends[mine], side="left")
            latest = np.maximum.accumulate(ends[theirs])
            hit = (begun > 0) & (latest[np.maximum(begun - 1, 0)] > starts[mine])
            for row, upto in zip(mine[hit], begun[hit], strict=True):
                pairs.append((int(row), int(theirs[np.argmax(ends[theirs[:upto]])])))
    return pairs
