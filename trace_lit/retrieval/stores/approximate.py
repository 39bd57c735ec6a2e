"""FAISS indexes that find the nearest of many vectors without looking at all: which kind, how it is made, how hard it looks.

An index is made once, for vectors that do not change, and is read through a memory map. How many lists or nodes a search
visits is chosen when it is made: the fewest with which `WANTED` of the nearest are found, of the queries that it is tried
on.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from trace_lit.errors import first_line
from trace_lit.plain import check_file
from trace_lit.retrieval.stores.base import StoreError

faiss: Any = importlib.import_module("faiss")  # the types that come with it do not know half of it

KINDS = ("auto", "exact", "hnsw", "ivf-sq8", "ivf-pq")
EXACT_ROWS = 50_000  # up to which "auto" compares with all vectors
LARGE_ROWS = 20_000_000  # in a store, from which "auto" quantises products, which take an eighth of the memory
WANTED = 0.99  # share of the ten nearest that are among `AMONG` found
AMONG = 100
NEAREST = 10
TRIED = 200  # queries
_MOST_EFFORT = 2**20
_BLOCK = 65_536


@dataclass(frozen=True)
class Approximate:
    """An index over n vectors (n, w)."""

    index: Any  # of FAISS
    kind: str
    effort: int  # lists or nodes that a search visits
    recall: float  # share of the ten nearest that it found when it was made

    @classmethod
    def made(cls, vectors: NDArray[np.float32], kind: str, queries: NDArray[np.float32] | None) -> Approximate:
        """Over `vectors`, tried on `queries` (Q, w), or on some of the vectors."""
        index = _new(kind, *vectors.shape)
        lists = getattr(index, "nlist", 256)
        index.train(_spread(vectors, max(64 * lists, 20_000)))
        threads = faiss.omp_get_max_threads()
        try:
            if kind == "hnsw":
                faiss.omp_set_num_threads(1)  # several threads would make another graph each time
            for block in blocks(vectors):
                index.add(block)
        finally:
            faiss.omp_set_num_threads(threads)
        tried = _spread(vectors if queries is None or not len(queries) else queries, TRIED)
        effort, recall = _effort(index, vectors, tried)
        return cls(index, kind, effort, recall)

    def search(self, query: NDArray[np.float32], k: int, admitted: NDArray[np.bool_] | None) -> NDArray[np.int64]:
        """About the k nearest of those that are admitted, for one query (w,): their numbers, in no order."""
        selector, effort = None, self.effort
        if admitted is not None:
            bits = np.packbits(admitted, bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)
            effort *= min(16, math.ceil(len(admitted) / max(1, int(admitted.sum()))))  # fewer are in each list
        settings = _settings(self.index, max(effort, k if self.kind == "hnsw" else 0), selector)
        _, found = self.index.search(query.reshape(1, -1), k, params=settings)
        return found[0][found[0] >= 0]

    def among(self, k: int) -> int:
        """How many are to be found, for the full vectors to choose the k nearest of them."""
        return 8 * k + 128 if self.kind == "ivf-pq" else 2 * k + 32

    def write(self, file: IO[bytes]) -> None:
        """Write it to a file."""
        faiss.write_index(self.index, faiss.PyCallbackIOWriter(file.write))

    @classmethod
    def read(cls, path: Path, about: dict[str, Any], shape: tuple[int, int]) -> Approximate:
        """Open the file `path`, over vectors of this `shape`, through a memory map; `about` is what `describe` gave."""
        try:
            kind, effort = about["kind"], int(about["effort"])
            if kind not in KINDS[2:] or not 0 < effort <= _MOST_EFFORT:
                raise ValueError(f"the kind is {kind!r}, the effort {effort}")
            check_file(path)
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
            if (index.ntotal, index.d) != shape or isinstance(index, faiss.IndexIVF) == (kind == "hnsw"):
                raise ValueError(f"it is an index over {index.ntotal:,} vectors of width {index.d}")
            return cls(index, kind, effort, float(about["recall"]))
        except (OSError, OverflowError, RuntimeError, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{path} is damaged ({first_line(error)}); build the index again") from None

    def describe(self) -> dict[str, Any]:
        """Plain types."""
        return {"kind": self.kind, "effort": self.effort, "recall": round(self.recall, 4)}


def chosen(kind: str, rows: int, in_all: int) -> str:
    """The kind for `rows` vectors of a store of `in_all`: by their number where it is "auto"."""
    if kind == "auto":
        if rows <= EXACT_ROWS:
            return "exact"
        return "ivf-pq" if in_all > LARGE_ROWS else "ivf-sq8"
    return kind if rows >= 1_000 else "exact"  # of fewer, nothing is to be trained


def check_kind(kind: str) -> None:
    """StoreError where `kind` is none of `KINDS`."""
    if kind not in KINDS:
        raise StoreError(f"there is no kind {kind!r} of index; the kinds are {', '.join(KINDS)}")


def blocks(vectors: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """The vectors, some at a time, in memory."""
    for first in range(0, len(vectors), _BLOCK):
        yield np.ascontiguousarray(vectors[first : first + _BLOCK])


def nearest(vectors: NDArray[np.float32], queries: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """The numbers (Q, k) of the nearest vectors, by comparing with all."""
    best = np.full((len(queries), 0), -np.inf, np.float32)
    numbers = np.zeros((len(queries), 0), np.int64)
    first = 0
    for block in blocks(vectors):
        scores, own = faiss.knn(queries, block, min(k, len(block)), metric=faiss.METRIC_INNER_PRODUCT)
        best, numbers = np.concatenate([best, scores], 1), np.concatenate([numbers, own + first], 1)
        order = np.argsort(-best, axis=1, kind="stable")[:, :k]
        best, numbers = np.take_along_axis(best, order, 1), np.take_along_axis(numbers, order, 1)
        first += len(block)
    return numbers


def _new(kind: str, rows: int, width: int) -> Any:
    if kind == "hnsw":
        graph = faiss.IndexHNSWSQ(width, faiss.ScalarQuantizer.QT_8bit, 16, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = 80
        return graph
    lists = 2 ** int(np.clip(np.log2(4 * np.sqrt(rows)), 4, 16))
    if kind == "ivf-sq8":
        return faiss.index_factory(width, f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    pieces = next(pieces for pieces in (64, 48, 32, 24, 16, 8, 4, 2, 1) if pieces <= width // 2 and width % pieces == 0)
    return faiss.index_factory(width, f"IVF{lists},PQ{pieces}", faiss.METRIC_INNER_PRODUCT)


def _spread(vectors: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Some of the vectors, evenly from the first to the last."""
    numbers = np.unique(np.linspace(0, len(vectors) - 1, min(count, len(vectors))).astype(np.int64))
    return np.ascontiguousarray(vectors[numbers])


def _settings(index: Any, effort: int, selector: Any = None) -> Any:
    if isinstance(index, faiss.IndexIVF):
        return faiss.SearchParametersIVF(nprobe=min(effort, index.nlist), sel=selector)
    return faiss.SearchParametersHNSW(efSearch=effort, sel=selector)


def _effort(index: Any, vectors: NDArray[np.float32], queries: NDArray[np.float32]) -> tuple[int, float]:
    """The least effort that finds `WANTED` of the nearest, and the share that it finds."""
    among = min(AMONG, len(vectors))
    right = nearest(vectors, queries, min(NEAREST, len(vectors)))
    most = index.nlist if isinstance(index, faiss.IndexIVF) else 4096
    effort = 8 if isinstance(index, faiss.IndexIVF) else AMONG
    while True:
        _, found = index.search(queries, among, params=_settings(index, effort))
        recall = float(np.mean([np.isin(own, others).mean() for own, others in zip(right, found, strict=True)]))
        if recall >= WANTED or effort >= most:
            return effort, recall
        effort = min(2 * effort, most)
