"""What every store of an index does: it keeps windows with their vectors and columns, and finds the nearest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_modules.shards import check_texts
from trace_lit.retrieval.errors import RetrievalError
from trace_lit.retrieval.filters import Filter

COLUMNS = pa.schema(
    [
        ("key", pa.string()),  # see `key_of`
        ("corpus", pa.string()),
        ("id", pa.string()),
        ("row", pa.int64()),  # of the corpus
        ("series", pa.string()),
        ("split", pa.string()),
        ("label", pa.string()),  # null = none
        ("start", pa.int64()),  # seconds since 1970
        ("end", pa.int64()),
        ("text", pa.string()),  # "" = none
        ("digest", pa.string()),  # of the values and all else that the window consists of
    ]
)


class StoreError(RetrievalError):
    """A store cannot be used."""


@dataclass(frozen=True)
class Rows:
    """n windows as a store takes them."""

    columns: pa.Table  # of `COLUMNS`
    compact: NDArray[np.float32]  # (n, w), by which they are found
    exact: NDArray[np.float32]  # (n, E), by which they are ranked

    def __len__(self) -> int:
        return self.columns.num_rows


@dataclass(frozen=True)
class Found:
    """Up to k windows, best first."""

    places: NDArray[Any]  # (k,) what `rows` and `exact` of the same store take
    scores: NDArray[np.float32]  # (k,)

    def __len__(self) -> int:
        return len(self.places)


class Store(Protocol):
    """Windows by key. What a method writes is there in full once it returns, and not at all where it fails.

    Searching may go on in several threads, and while another process writes; one process at a time writes.
    """

    @property
    def width(self) -> int:
        """w, of the compact vectors."""

    @property
    def exact_width(self) -> int:
        """E, of the exact ones."""

    def upsert(self, batches: Iterable[Rows]) -> int:
        """Take windows in, in the place of those with the same keys; how many there were."""

    def delete(self, keys: Sequence[str]) -> int:
        """Forget windows; how many of the keys were there."""

    def search(self, vectors: NDArray[np.float32], k: int, filter: Filter) -> list[Found]:
        """For each of `vectors` (Q, w) the windows with the largest inner products of compact vectors."""

    def match(self, words: str, k: int, filter: Filter) -> Found:
        """The windows whose texts have the words, by BM25; a window that has none of them is not found."""

    def find(self, keys: Sequence[str], filter: Filter = Filter()) -> NDArray[Any]:  # noqa: B008
        """The places of those of the keys that are there and admitted."""

    def select(self, filter: Filter) -> NDArray[Any]:
        """The places of all windows that are admitted."""

    def rows(self, places: NDArray[Any]) -> pa.Table:
        """The columns at places, in their order."""

    def exact(self, places: NDArray[Any]) -> NDArray[np.float32]:
        """The exact vectors (n, E) at places, in their order."""

    def count(self, filter: Filter) -> int:
        """How many windows are admitted."""

    def describe(self) -> dict[str, Any]:
        """What it is, in plain types: `kind`, `bytes` and what else there is to say."""

    def close(self) -> None:
        """Give back what it holds."""


def key_of(corpus: str, name: str) -> str:
    """The key of a window: a digest, so that a key is the same short plain word in every engine whatever the id is."""
    return hashlib.blake2b(f"{corpus}\0{name}".encode(), digest_size=16).hexdigest()


def check_width(vectors: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """`vectors` (Q, width) as FAISS takes them; StoreError where they have another width."""
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or vectors.shape[1] != width:
        raise StoreError(f"queries of shape {vectors.shape} for vectors of width {width}: another model made the index")
    return vectors


def checked(path: Path, table: pa.Table, size: int | None = None) -> pa.Table:
    """`table`, read from the file `path` with texts as dictionaries, with the types of `COLUMNS`.

    `size` is that of the file, where it may be gone by now.

    Raises
    ------
    CorpusError
        Its texts would take memory out of proportion to the file.
    pyarrow.ArrowException
        A column is of another type.
    """
    for name in table.column_names:
        check_texts(path, name, table[name], size=size)
    return table.cast(pa.schema([COLUMNS.field(name) for name in table.column_names]))


def taken(table: pa.Table, numbers: NDArray[np.int64]) -> pa.Table:
    """The rows of a table, in the order of the numbers."""
    numbers = np.ascontiguousarray(numbers, np.int64)
    places = pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])
    return table.take(places)  # pa.array would import pandas, which takes longer than to search
