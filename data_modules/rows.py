"""Random numbers that belong to a row: the same in whatever batch and on whatever process the row is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def scrambled(rows: NDArray[np.integer], *keys: int) -> NDArray[np.uint64]:
    """For each row a number of 64 bits that `keys` and the row decide: SplitMix64, which needs no generator a row."""
    state = rows.astype(np.uint64)
    for key in map(np.uint64, keys):
        state = (state + key + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return state


def uniform(rows: NDArray[np.int64], seed: int, epoch: int, count: int) -> NDArray[np.float64]:
    """(N, count) numbers in [0, 1) for each of N rows."""
    state = np.add.outer(scrambled(rows, seed, epoch), np.arange(count, dtype=np.uint64)).astype(np.uint64)
    return (scrambled(state, 0) >> np.uint64(11)).astype(np.float64) * 2.0**-53
