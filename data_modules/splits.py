"""Splits by time within a series: 70 % for training, 10 % for validation, the last 20 % for the test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

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
    splits share a time step of a series.
    """
    splits = np.empty(len(starts), dtype=object)
    keep = np.ones(len(starts), dtype=bool)
    for rows in _series(series_ids, starts):
        n_train = int(TRAIN_SHARE * len(rows) + 1e-9)  # 0.7 · 10 is 7 and not 6.999…
        n_test = round(TEST_SHARE * len(rows))
        for first, last, split in (
            (0, n_train, "train"),
            (n_train, len(rows) - n_test, "validation"),
            (len(rows) - n_test, len(rows), "test"),
        ):
            splits[rows[first:last]] = split
            if last < len(rows):
                keep[rows[first:last]] = ends[rows[first:last]] <= starts[rows[last]]
    return splits, keep


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
