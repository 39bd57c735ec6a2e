"""Ranks made of ranks, and hits that differ from one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_SMOOTHING = 60  # of Cormack, Clarke and Büttcher (2009)


def reciprocal_ranks(rankings: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """What stands in the rankings, each best first, by the sum of 1 / (60 + rank): the best first, and their sums."""
    places, inverse = np.unique(np.concatenate(rankings), return_inverse=True)
    shares = np.concatenate([1 / (_SMOOTHING + 1 + np.arange(len(own))) for own in rankings])
    sums = np.bincount(inverse, shares, minlength=len(places))
    order = np.lexsort((places, -sums))
    return places[order], sums[order].astype(np.float32)


def diverse(
    vectors: NDArray[np.float32], relevance: NDArray[np.float32], count: int, diversity: float
) -> NDArray[np.int64]:
    """`count` of n candidates, one after another, that are relevant and unlike those before (Carbonell and Goldstein, 1998).

    Parameters
    ----------
    vectors
        (n, E), unit vectors.
    relevance
        (n,); brought to 0 to 1.
    diversity
        0: the most relevant ones; 1: each as unlike the others as can be.
    """
    span = float(np.ptp(relevance)) if len(relevance) else 0.0
    relevance = (relevance - relevance.min()) / span if span else np.ones_like(relevance)
    alike = np.zeros_like(relevance)
    free = np.ones(len(relevance), dtype=bool)
    chosen: list[int] = []
    for _ in range(min(count, len(relevance))):
        value = (1 - diversity) * relevance - diversity * alike
        best = int(np.where(free, value, -np.inf).argmax())
        chosen.append(best)
        free[best] = False
        alike = np.maximum(alike, vectors @ vectors[best])
    return np.array(chosen, dtype=np.int64)
