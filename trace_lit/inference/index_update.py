"""Bringing a corpus of an index up to date: what is new or has changed is embedded, what is gone is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_modules.blocks import CorpusBlocks
from data_modules.corpus import Corpus
from trace_lit.inference.space import BLOCK_ROWS, SpaceEmbedder, columns_of
from trace_lit.retrieval.filters import Filter
from trace_lit.retrieval.projection import Projection
from trace_lit.retrieval.stores import Rows, Store
from trace_lit.text.progress import JobProgress

_AT_ONCE = 8192  # windows whose columns are read together


def update_corpus(
    store: Store, projection: Projection, embedder: SpaceEmbedder, name: str, corpus: CorpusBlocks
) -> int:
    """Let the store hold the windows of `corpus` as they are now; how many were embedded."""
    known = _known(store, name)
    embedded = 0
    with JobProgress(f"Adding {name}", corpus.rows) as progress:
        for number, block in enumerate(corpus):
            columns = columns_of(block, name, number * BLOCK_ROWS)
            new, moved = _compared(columns, known)
            if len(new):
                part = Corpus(block.path, block.info, block.fingerprint, block.table().take(pa.array(new)))
                vectors = embedder.windows(part)
                store.upsert([Rows(columns.take(pa.array(new)), projection.of_windows(vectors), vectors)])
            if moved:
                vectors = store.exact(np.array([place for _, place in moved]))
                rows = columns.take(pa.array([row for row, _ in moved]))
                store.upsert([Rows(rows, projection.of_windows(vectors), vectors)])
            embedded += len(new)
            for key in columns["key"].to_pylist():
                known.pop(key, None)
            progress.advance(len(block))
    store.delete(list(known))
    return embedded


def columns_at(store: Store, places: NDArray[Any]) -> Iterator[pa.Table]:
    """The columns at places, some at a time."""
    for first in range(0, len(places), _AT_ONCE):
        yield store.rows(places[first : first + _AT_ONCE])


def _known(store: Store, name: str) -> dict[str, tuple[str, int, Any]]:
    """Of each window of a corpus, by key, its digest, its row and its place."""
    places = store.select(Filter(corpus=(name,)))
    rows = (
        zip(*(part[own].to_pylist() for own in ("key", "digest", "row")), strict=True)
        for part in columns_at(store, places)
    )
    every = (row for part in rows for row in part)
    return {key: (digest, row, place) for (key, digest, row), place in zip(every, places, strict=True)}


def _compared(
    columns: pa.Table, known: dict[str, tuple[str, int, Any]]
) -> tuple[NDArray[np.int64], list[tuple[int, Any]]]:
    """The rows that are new or have changed, and those that only stand elsewhere in the corpus, with their places."""
    new, moved = [], []
    own = zip(*(columns[name].to_pylist() for name in ("key", "digest", "row")), strict=True)
    for number, (key, digest, row) in enumerate(own):
        before, before_row, place = known.get(key, ("", -1, None))
        if before != digest:
            new.append(number)
        elif before_row != row:
            moved.append((number, place))
    return np.array(new, dtype=np.int64), moved
