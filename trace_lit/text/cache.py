"""Each distinct text is encoded once, ever: a cache of vectors on disk in front of any text encoder.

One file per encoder fingerprint, `<cache_dir>/<fingerprint>.vectors`, of records (key, checksum, vector) that are only
ever appended and are read through a memory map. Whoever has to encode takes the file's lock first and looks again, so
two processes that ask at once encode once. A record cut short by a crash is overwritten by the next one; a record that
does not match its checksum counts as absent. Deleting the file costs time only.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from trace_lit.text.encoder import ContextualEncoder, TextEncoder, TextEncoderError
from trace_lit.text.token_cache import TokenFile
from trace_lit.text.tokens import TokenTexts

_KEY_BYTES = 16
_COMMIT = 1024  # texts that a crash in a long encoding loses at most
_PATIENCE = 5.0  # seconds of waiting for another process before a warning

log = logging.getLogger(__name__)


@dataclass
class EncodingStats:
    """Counts of a `CachedTextEncoder`."""

    asked: int = 0  # texts, repeated and blank ones included
    encoded: int = 0  # by the encoder itself; all others are from the cache
    seconds: float = 0.0

    def describe(self) -> str:
        """One line, such as `3,768 texts, 0 new, 0.1 s`."""
        return f"{self.asked:,} texts, {self.encoded:,} new, {self.seconds:.1f} s"


class CachedTextEncoder(TextEncoder):
    """`encoder`, asked only for texts whose vectors are not in `cache_dir` yet.

    `stats` counts the texts and the time.
    """

    def __init__(self, encoder: TextEncoder, cache_dir: str | Path) -> None:
        super().__init__(encoder.prefixes["query"], encoder.prefixes["document"])
        self.encoder = encoder
        self.dim = encoder.dim
        self.fingerprint = encoder.fingerprint
        self.stats = EncodingStats()
        self._file = VectorFile(Path(cache_dir) / f"{encoder.fingerprint}.vectors", encoder.dim)

    def encode(self, texts: Sequence[str], kind: str = "document") -> np.ndarray:
        start = time.perf_counter()
        vectors = super().encode(texts, kind)
        self.stats.asked += len(texts)
        self.stats.seconds += time.perf_counter() - start
        return vectors

    def tokens(self, texts: Sequence[str], kind: str = "document") -> TokenTexts:
        encoder = self.encoder
        if not isinstance(encoder, ContextualEncoder):
            return encoder.tokens(texts, kind)
        prefixed = [self.prefixes[kind] + text for text in texts]
        keys = [hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).digest() for text in prefixed]
        file = TokenFile(self._file.path.with_suffix(".tokens"), self.dim)
        with self._file.explained():
            place = file.find(keys)
            if len(place) < len(set(keys)):
                with self._file.lock():
                    place = file.find(keys)  # another process may have been faster
                    distinct = dict(zip(keys, prefixed, strict=True))
                    self._store_tokens(
                        encoder, file, [(key, text) for key, text in distinct.items() if key not in place]
                    )
                    place = file.find(keys)
            rows = [np.arange(place[key][0], sum(place[key])) for key in keys]
            return encoder.behind_prefix(TokenTexts(file.table, rows, encoder.token_spans(prefixed)), kind)

    def _store_tokens(self, encoder: ContextualEncoder, file: TokenFile, missing: Sequence[tuple[bytes, str]]) -> None:
        """Encode n (key, text) pairs, the longest first, each part stored as soon as it is encoded."""
        from trace_lit.text.progress import JobProgress  # here, for rich takes a while to import

        longest_first = sorted(missing, key=lambda own: -len(own[1]))
        with JobProgress(f"Encoding tokens ({self.fingerprint.rsplit('-', 1)[0]})", len(missing)) as progress:
            for first in range(0, len(missing), _COMMIT):
                part = longest_first[first : first + _COMMIT]
                for rows, vectors in encoder.token_batches([text for _, text in part]):
                    file.append([part[row][0] for row in rows], [own.astype(np.float16) for own in vectors])
                    progress.advance(len(rows))

    def encode_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        keys = [hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).digest() for text in texts]
        distinct = dict(zip(keys, texts, strict=True))
        vectors, found = self._file.read(list(distinct))
        if not found.all():
            with self._file.lock():
                vectors, found = self._file.read(list(distinct))  # another process may have been faster
                missing = [text for text, known in zip(distinct.items(), found, strict=True) if not known]
                vectors[~found] = self._encode_and_store(missing)
        place = {key: row for row, key in enumerate(distinct)}
        yield np.arange(len(texts)), vectors[[place[key] for key in keys]]

    def _encode_and_store(self, missing: Sequence[tuple[bytes, str]]) -> np.ndarray:
        """Vectors (n, D) of n (key, text) pairs, each part stored as soon as it is encoded."""
        from trace_lit.text.progress import JobProgress  # here, for rich takes a while to import

        vectors = np.empty((len(missing), self.dim), np.float32)
        # Texts of like length together, so that little is padded; the longest first, so that memory runs out at once.
        longest_first = sorted(range(len(missing)), key=lambda row: -len(missing[row][1]))
        with JobProgress(f"Encoding texts ({self.fingerprint.rsplit('-', 1)[0]})", len(missing)) as progress:
            for first in range(0, len(missing), _COMMIT):
                part = longest_first[first : first + _COMMIT]
                for rows, batch in self.encoder.checked_batches([missing[row][1] for row in part]):
                    vectors[[part[row] for row in rows]] = batch
                    progress.advance(len(rows))
                self._file.append([missing[row][0] for row in part], vectors[part])
                self.stats.encoded += len(part)
        return vectors


class VectorFile:
    """Vectors (D,) float32 by key of 16 bytes, in an append-only file that many processes share.

    Every method raises TextEncoderError where the file cannot be read or written.
    """

    def __init__(self, path: Path, dim: int) -> None:
        self.path = path
        self._dim = dim
        self._record = np.dtype([("key", f"V{_KEY_BYTES}"), ("checksum", "<u8"), ("vector", "<f4", (dim,))])
        self._records: np.ndarray = np.empty(0, self._record)
        self._rows: dict[bytes, int] = {}

    def read(self, keys: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Vectors (N, D) of N keys, and whether each was found (N,); the vector of one that was not is arbitrary."""
        self._look_for_new_records()
        vectors = np.zeros((len(keys), self._dim), np.float32)
        rows = np.array([self._rows.get(key, -1) for key in keys], dtype=np.int64)
        found = rows >= 0
        records = self._records[rows[found]]
        vectors[found] = records["vector"]
        # The key is compared as well: the file may have been deleted and begun anew since its keys were read.
        asked = np.array(keys, dtype=f"V{_KEY_BYTES}")[found]
        found[found] = (records["key"] == asked) & (records["checksum"] == _checksums(vectors[found]))
        return vectors, found

    def append(self, keys: Sequence[bytes], vectors: np.ndarray) -> None:
        """Add N keys with their vectors (N, D); call it under `lock`."""
        records = np.empty(len(keys), self._record)
        records["key"] = np.array(keys, dtype=f"V{_KEY_BYTES}")
        records["checksum"] = _checksums(vectors)
        records["vector"] = vectors
        with self.explained(), self.path.open("ab") as file:
            complete = file.tell() // self._record.itemsize * self._record.itemsize
            file.truncate(complete)  # without a record that a crash cut short
            file.write(records.tobytes())
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Only one process at a time is inside; a process that dies leaves it."""
        lock = FileLock(self.path.with_name(self.path.name + ".lock"))
        with self.explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=_PATIENCE)
            except Timeout:
                log.warning("Another process is encoding texts; waiting for it (%s)", lock.lock_file)
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _look_for_new_records(self) -> None:
        with self.explained():
            count = self.path.stat().st_size // self._record.itemsize if self.path.exists() else 0
            known = len(self._records)
            if count == known:
                return
            if count < known:  # deleted or damaged
                self._rows, known = {}, 0
            if count == 0:
                self._records = np.empty(0, self._record)
            else:
                self._records = np.memmap(self.path, self._record, mode="r", shape=(count,))
        self._rows.update(zip(self._records["key"][known:].tolist(), range(known, count), strict=True))

    @contextmanager
    def explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TextEncoderError(
                f"the cache of text vectors {self.path} cannot be used: {error.strerror or error}; "
                "name a folder that can be written by text.cache_dir="
            ) from error


def _checksums(vectors: np.ndarray) -> np.ndarray:
    """A number (N,) for each row of float32 (N, D) that changes when any of its bits or their order does."""
    bits = np.ascontiguousarray(vectors, "<f4").view("<u4")
    odd = np.arange(1, 2 * bits.shape[1], 2, dtype=np.uint64)
    return np.einsum("nd,d->n", bits, odd, dtype=np.uint64)
