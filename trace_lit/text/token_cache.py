"""Vectors of the tokens of texts on disk: those of a contextual encoder, each distinct text's once.

Two files per encoder fingerprint: `<fingerprint>.tokens`, the vectors (M, D) float16 of all tokens, and
`<fingerprint>.tokens.index`, which texts they are of. Both are only ever appended, the vectors first, and read through
memory maps, so what stands in memory does not grow with the corpus.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

KEY_BYTES = 16
_RECORD = np.dtype([("key", f"V{KEY_BYTES}"), ("checksum", "<u8"), ("first", "<u8"), ("count", "<u4")])


class TokenFile:
    """Vectors (m, D) by the key of a text, 16 bytes; whoever appends holds the cache's lock."""

    def __init__(self, path: Path, dim: int) -> None:
        self.path, self.index = path, path.with_name(path.name + ".index")
        self.dim = dim

    @property
    def table(self) -> NDArray[np.float16]:
        """All vectors (M, D), a memory map."""
        count = self.path.stat().st_size // (2 * self.dim) if self.path.exists() else 0
        if not count:
            return np.zeros((0, self.dim), np.float16)
        return np.memmap(self.path, "<f2", mode="r", shape=(count, self.dim))

    def find(self, keys: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Where the vectors of those texts that are there begin in `table`, and how many they are."""
        count = self.index.stat().st_size // _RECORD.itemsize if self.index.exists() else 0
        if not count:
            return {}
        records = np.memmap(self.index, _RECORD, mode="r", shape=(count,))
        table, wanted = self.table, set(keys)
        found = {}
        for key, checksum, first, length in records.tolist():
            if key in wanted and first + length <= len(table) and _checksum(table[first : first + length]) == checksum:
                found[key] = int(first), int(length)
        return found

    def append(self, keys: Sequence[bytes], vectors: Sequence[NDArray[np.float16]]) -> None:
        """Add the vectors (m, D) of texts."""
        with self.path.open("ab") as file:
            first = file.tell() // (2 * self.dim)
            file.truncate(first * 2 * self.dim)  # what a crash cut short
            file.write(b"".join(np.ascontiguousarray(own, "<f2").tobytes() for own in vectors))
            file.flush()
            os.fsync(file.fileno())
        records = np.empty(len(keys), _RECORD)
        lengths = np.array([len(own) for own in vectors], dtype=np.uint64)
        records["key"] = np.array(keys, dtype=f"V{KEY_BYTES}")
        records["first"] = first + np.concatenate([[0], lengths[:-1].cumsum()]).astype(np.uint64)[: len(keys)]
        records["count"] = lengths
        records["checksum"] = [_checksum(own) for own in vectors]
        with self.index.open("ab") as file:
            file.truncate(file.tell() // _RECORD.itemsize * _RECORD.itemsize)
            file.write(records.tobytes())
            file.flush()
            os.fsync(file.fileno())


def _checksum(vectors: NDArray[np.float16]) -> int:
    """A number that changes when any bit of the vectors or their order does."""
    bits = np.ascontiguousarray(vectors, "<f2").view("<u2").ravel().astype(np.uint64)
    return int((bits * np.arange(1, 2 * len(bits), 2, dtype=np.uint64)).sum(dtype=np.uint64))
