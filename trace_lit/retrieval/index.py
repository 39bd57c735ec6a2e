"""Nearest vectors by inner product, in memory; `trace_lit.retrieval.stores` keeps them."""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import numpy as np
from numpy.typing import NDArray

from trace_lit.retrieval.pool import RetrievalError


class VectorIndex:
    """Vectors with ids, searched exactly.

    Parameters
    ----------
    vectors
        (N, E) float32; unit vectors, so that a score is a cosine.
    ids
        N of them, one a vector.
    """

    def __init__(self, vectors: NDArray[np.float32], ids: Sequence[str]) -> None:
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(ids):
            raise RetrievalError(f"vectors of shape {vectors.shape} for {len(ids)} ids: they must be (ids, width)")
        self.vectors = vectors
        self.ids = [str(name) for name in ids]
        self._flat = faiss.IndexFlatIP(vectors.shape[1])
        self._flat.add(vectors)

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores and places (Q, min(k, N)) of the best vectors for each of `queries` (Q, E), best first.

        Raises
        ------
        RetrievalError
            k is below 1, or the queries have another width than the vectors.
        """
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if k < 1:
            raise RetrievalError(f"{k} hits were asked for; ask for at least 1")
        if queries.ndim != 2 or queries.shape[1] != self.vectors.shape[1]:
            raise RetrievalError(
                f"queries of shape {queries.shape} for vectors of width {self.vectors.shape[1]}: "
                "the index was made by another model; make it again"
            )
        return self._flat.search(queries, min(k, len(self)))
