"""Compact vectors: what of the exact ones decides most about their inner products.

The exact vector of a window has (1 + channels) × width numbers, and most of them say little. Windows and queries are
projected by a matrix each, so that the inner product of the projections is as near to the exact one as a product of so few
numbers can be, on average over queries and windows (reduced-rank regression, Izenman, 1975). Where queries are distributed
as windows are, that is the principal components.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trace_lit.atomic import replacing
from trace_lit.errors import first_line
from trace_lit.plain import check_file
from trace_lit.retrieval.errors import RetrievalError

WIDTH = 256
_SPAN = 1024  # directions that it is chosen among, where the vectors are longer
_UNTOLD = 1e-4  # deviation of each number of vectors that fill up a small sample
_RIDGE = 1e-4  # of the mean variance, added to each direction's: a sample may miss it


@dataclass(frozen=True)
class Projection:
    """From exact vectors (n, E) to compact ones (n, w); without matrices, the two are the same."""

    windows: NDArray[np.float32] | None = None  # (E, w)
    queries: NDArray[np.float32] | None = None  # (E, w)

    @classmethod
    def fitted(cls, windows: NDArray[np.float32], queries: NDArray[np.float32], width: int = WIDTH) -> Projection:
        """For windows like these (n, E) and queries like these (m, E), to at most `width` numbers.

        Raises
        ------
        RetrievalError
            The width is none.
        """
        if width < 1:
            raise RetrievalError(f"width is {width}; a compact vector has at least 1 number")
        if windows.shape[1] <= width:
            return cls()
        span = _span(np.concatenate([windows, queries]), max(width, _SPAN))  # (E, r)
        own, asked = _root(windows @ span), _root(queries @ span)  # (r, r), whose squares are the second moments
        _, values, right = np.linalg.svd(asked @ own.T)
        values, right = values[:width], right[:width].T  # (w,), (r, w)
        scale = np.sqrt(values / values[0]).clip(min=1e-6)
        to_windows = span @ (np.linalg.solve(own, right) * scale)
        to_queries = span @ (own.T @ right / scale)
        return cls(to_windows.astype(np.float32), to_queries.astype(np.float32))

    def of_windows(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compact vectors (n, w) of windows (n, E)."""
        return vectors if self.windows is None else vectors @ self.windows

    def of_queries(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compact vectors (m, w) of queries (m, E)."""
        return vectors if self.queries is None else vectors @ self.queries

    def save(self, path: Path) -> None:
        """Write the file `path`, in full or not at all."""
        with replacing(path) as file:
            if self.windows is None or self.queries is None:
                np.save(file, np.zeros((2, 0, 0), np.float32))
            else:
                np.save(file, np.stack([self.windows, self.queries]))

    @classmethod
    def load(cls, path: Path) -> Projection:
        """The inverse of `save`; RetrievalError where `path` is not what it wrote."""
        try:
            check_file(path)
            matrices = np.load(path, allow_pickle=False)
        except Exception as error:  # numpy's reader raises what it likes
            raise RetrievalError(f"{path} cannot be read ({first_line(error)}); build the index again") from None
        if matrices.ndim != 3 or len(matrices) != 2 or matrices.dtype != np.float32:
            raise RetrievalError(f"{path} holds no projection; build the index again")
        return cls(*matrices) if matrices.size else cls()


def _span(vectors: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Orthonormal directions (E, r) in which the vectors are: all where they are short."""
    if vectors.shape[1] <= count:
        return np.eye(vectors.shape[1], dtype=np.float32)
    from sklearn.utils.extmath import randomized_svd

    if len(vectors) < 2 * count:  # others may be added later: some directions of which these tell nothing
        others = np.random.default_rng(0).normal(scale=_UNTOLD, size=(2 * count, vectors.shape[1]))
        vectors = np.concatenate([vectors, others.astype(np.float32)])
    return randomized_svd(vectors, count, n_iter=2, random_state=0)[2].T


def _root(vectors: NDArray[np.float32]) -> NDArray[np.floating]:
    """R (r, r) with RᵀR the second moments of the vectors (n, r)."""
    moments = vectors.T.astype(np.float64) @ vectors / len(vectors)
    moments[np.diag_indices_from(moments)] += _RIDGE * np.trace(moments) / len(moments)
    return np.linalg.cholesky(moments).T
