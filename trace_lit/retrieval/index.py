"""Nearest vectors by inner product."""

from __future__ import annotations

import os
import uuid
import zipfile
from collections.abc import Sequence
from pathlib import Path

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
    fingerprint
        What the vectors were made from; `load` returns it, so that a stale index can be recognised.
    """

    def __init__(self, vectors: NDArray[np.float32], ids: Sequence[str], fingerprint: str = "") -> None:
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(ids):
            raise RetrievalError(f"vectors of shape {vectors.shape} for {len(ids)} ids: they must be (ids, width)")
        self.vectors = vectors
        self.ids = [str(name) for name in ids]
        self.fingerprint = fingerprint
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

    def save(self, path: str | Path) -> None:
        """Write to the file `path`; at any time, the file is complete or absent."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        building = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        try:
            with building.open("wb") as file:
                np.savez(file, vectors=self.vectors, ids=np.array(self.ids, dtype=str), fingerprint=self.fingerprint)
            os.replace(building, path)
        finally:
            building.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | Path) -> VectorIndex:
        """The inverse of `save`; RetrievalError if `path` is not what it wrote."""
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(file["vectors"], file["ids"].tolist(), str(file["fingerprint"]))
        except FileNotFoundError:
            raise RetrievalError(f"there is no index {path}") from None
        except (OSError, EOFError, KeyError, ValueError, AttributeError, TypeError, zipfile.BadZipFile) as error:
            raise RetrievalError(f"{path} is no index or is damaged ({error}); make it again") from None
