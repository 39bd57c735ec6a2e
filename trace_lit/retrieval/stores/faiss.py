"""A store in a folder, searched with FAISS: segments that do not change, and a manifest that says which of them count.

What is added is a further segment, what is deleted is noted beside its segment, and the new manifest takes the place of the
old one in one step. So a process that is killed leaves what was there before. Small segments are merged once there are many
of a size.
"""

from __future__ import annotations

import math
import re
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from trace_lit.atomic import remove_parts, replacing, write_atomically
from trace_lit.errors import first_line
from trace_lit.holding import held
from trace_lit.plain import PlainError, check_file, read_json, to_json
from trace_lit.retrieval.filters import Filter
from trace_lit.retrieval.stores.approximate import EXACT_ROWS, KINDS, check_kind
from trace_lit.retrieval.stores.base import COLUMNS, Found, Rows, StoreError, check_width, taken
from trace_lit.retrieval.stores.segment import Segment, SegmentWriter
from trace_lit.retrieval.stores.words import bm25

FORMAT = 1
SEGMENT_ROWS = 2**20  # that a segment has at most
MERGED = 8  # segments of a size that are made one, and the ratio of two sizes
_MANIFEST = "manifest.json"
_QUERIES = "queries.npy"
_MERGE_ROWS = 8192  # that are copied at a time
_BITS = 40  # of a place, that number the rows of a segment
_LARGEST = 2**31  # number in a manifest


@dataclass(frozen=True)
class Part:
    """A segment as it counts now."""

    number: int
    segment: Segment
    deleted: NDArray[np.bool_] | None

    @property
    def live(self) -> int:
        return self.segment.count - (0 if self.deleted is None else int(self.deleted.sum()))


class FaissStore:
    """The store in the folder `folder`.

    Raises
    ------
    StoreError
        It is not there, damaged, or of another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: dict[str, Segment] = {}
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._parts: tuple[Part, ...] = ()
        self._manifest: dict[str, Any] = {}
        self._own = self._identity()
        self._refresh()

    @classmethod
    def create(
        cls, folder: Path, width: int, exact_width: int, kind: str = "auto", queries: NDArray[np.float32] | None = None
    ) -> FaissStore:
        """An empty store for vectors of these widths; `queries` (Q, width) are like those that will be asked."""
        check_kind(kind)
        folder.mkdir(parents=True, exist_ok=True)
        if queries is not None and len(queries):
            with replacing(folder / _QUERIES) as file:
                np.save(file, queries.astype(np.float32))
        manifest = {
            "format": FORMAT,
            "kind": kind,
            "width": width,
            "exact_width": exact_width,
            "next": 1,
            "segments": [],
        }
        write_atomically(folder / _MANIFEST, to_json(manifest))
        return cls(folder)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The segments that count now."""
        return self._current()

    def upsert(self, batches: Iterable[Rows]) -> int:
        with held(self.folder, wait=True):
            manifest = self._begin()
            written, keys = self._write(manifest, batches, 0)
            if len(keys) != len(keys.unique()):
                raise StoreError("a key is given twice; the id of a window is to be given once")
            self._replace(manifest, keys)
            manifest["segments"] += written
            self._commit(manifest)
            self._merge()
            return len(keys)

    def delete(self, keys: Sequence[str]) -> int:
        with held(self.folder, wait=True):
            manifest = self._begin()
            count = self._replace(manifest, pa.chunked_array([pa.array(list(keys), pa.string())]))
            self._commit(manifest)
            return count

    def search(self, vectors: NDArray[np.float32], k: int, filter: Filter) -> list[Found]:
        vectors = check_width(vectors, self.width)
        admitted = self._admitted(filter)
        found = []
        for query in vectors:
            places, scores = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
            for part, passed in admitted:
                numbers, own = part.segment.search(query, k, passed)
                places.append(numbers + (part.number << _BITS))
                scores.append(own)
            found.append(_best(np.concatenate(places), np.concatenate(scores), k))
        return found

    def match(self, words: str, k: int, filter: Filter) -> Found:
        admitted = self._admitted(filter)
        places, scores = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
        for (part, passed), own in zip(
            admitted, bm25([part.segment.postings for part, _ in admitted], words), strict=True
        ):
            numbers = np.flatnonzero(own > 0 if passed is None else passed & (own > 0))
            places.append(numbers + (part.number << _BITS))
            scores.append(own[numbers])
        return _best(np.concatenate(places), np.concatenate(scores), k)

    def find(self, keys: Sequence[str], filter: Filter = Filter()) -> NDArray[np.int64]:  # noqa: B008
        wanted = pa.array(list(keys), pa.string())
        found = []
        for part, passed in self._admitted(filter):
            there = pc.is_in(part.segment.column("key"), value_set=wanted).to_numpy()
            there = there if passed is None else there & passed
            found.append(np.flatnonzero(there) + (part.number << _BITS))
        return np.concatenate([np.zeros(0, np.int64), *found])

    def select(self, filter: Filter) -> NDArray[np.int64]:
        found = [np.zeros(0, np.int64)]
        for part, passed in self._admitted(filter):
            numbers = np.arange(part.segment.count) if passed is None else np.flatnonzero(passed)
            found.append(numbers + (part.number << _BITS))
        return np.concatenate(found)

    def rows(self, places: NDArray[Any]) -> pa.Table:
        if not len(places):
            return COLUMNS.empty_table()
        tables, order = [], []
        for segment, number, at in self._by_segment(places):
            tables.append(segment.rows(number))
            order.append(at)
        return taken(pa.concat_tables(tables), np.argsort(np.concatenate(order)))

    def exact(self, places: NDArray[Any]) -> NDArray[np.float32]:
        vectors = np.empty((len(places), self.exact_width), np.float32)
        for segment, number, at in self._by_segment(places):
            vectors[at] = segment.exact[number]
        return vectors

    def count(self, filter: Filter) -> int:
        if filter.admits_all:
            return sum(part.live for part in self._current())
        return sum(int(passed.sum()) for _, passed in self._admitted(filter) if passed is not None)

    def describe(self) -> dict[str, Any]:
        parts = self._current()
        kinds = sorted({str(part.segment.about["kind"]) for part in parts}) or ["exact"]
        names = ("kind", "rows", "effort", "recall")
        return {
            "kind": " and ".join(kinds),
            "chosen": self._manifest["kind"],
            "segments": [
                {name: part.segment.about[name] for name in names if name in part.segment.about} for part in parts
            ],
            "bytes": sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file()),
        }

    def close(self) -> None:
        self._parts, self._opened, self._seen = (), {}, None

    @property
    def width(self) -> int:
        """w."""
        return int(self._manifest["width"])

    @property
    def exact_width(self) -> int:
        """E."""
        return int(self._manifest["exact_width"])

    def _by_segment(self, places: NDArray[np.int64]) -> Iterator[tuple[Segment, NDArray[np.int64], NDArray[np.int64]]]:
        """Each segment with its rows among `places`, and where these stand."""
        number = places >> _BITS
        for own in np.unique(number):
            at = np.flatnonzero(number == own)
            yield self._opened[_name(int(own))], places[at] & ((1 << _BITS) - 1), at

    def _admitted(self, filter: Filter) -> list[tuple[Part, NDArray[np.bool_] | None]]:
        return [(part, part.segment.admitted(filter, part.deleted)) for part in self._current()]

    def _current(self) -> tuple[Part, ...]:
        """The parts that count now: another process may have written."""
        try:
            if self._stamp() != self._seen:
                with self._lock:
                    self._refresh()
        except StoreError:
            if not self._is_replaced():
                raise
        return self._parts

    def _identity(self) -> tuple[int, int] | None:
        with suppress(OSError):
            about = self.folder.stat()
            return about.st_dev, about.st_ino
        return None

    def _is_replaced(self) -> bool:
        """Whether another folder has taken the place of this one, or is about to: what is open stays as it is."""
        return self._identity() != self._own

    def _stamp(self) -> tuple[int, int]:
        try:
            about = (self.folder / _MANIFEST).stat()
        except OSError:
            raise StoreError(f"{self.folder} is no store: it holds no {_MANIFEST}; build the index again") from None
        return about.st_mtime_ns, about.st_ino

    def _refresh(self) -> None:
        for attempt in range(5):
            stamp = self._stamp()
            manifest = self._read()
            try:
                parts = tuple(self._part(about) for about in manifest["segments"])
            except FileNotFoundError as error:  # the segments have been merged in the meantime
                if attempt == 4:
                    raise StoreError(f"{error.filename} is missing; build the index again") from None
                continue
            except (OSError, KeyError, TypeError, ValueError) as error:
                if isinstance(error, StoreError):
                    raise
                raise StoreError(f"{self.folder / _MANIFEST} is damaged ({error!r}); build the index again") from None
            if self._manifest and self._is_replaced():
                return
            self._manifest, self._parts, self._seen = manifest, parts, stamp
            return

    def _read(self) -> dict[str, Any]:
        path = self.folder / _MANIFEST
        try:
            manifest = read_json(path)
        except (OSError, PlainError) as error:
            raise StoreError(f"{path} cannot be read ({error}); build the index again") from None
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            found = manifest.get("format") if isinstance(manifest, dict) else manifest
            raise StoreError(f"{path} has the format {found!r}; this program reads {FORMAT}: build the index again")
        if problem := _problem(manifest):
            raise StoreError(f"{path} is damaged ({problem}); build the index again")
        return manifest

    def _part(self, about: dict[str, Any]) -> Part:
        number = int(str(about["name"]).removeprefix("segment-"))
        name = _name(number)  # never a path that a file names
        if name not in self._opened:
            self._opened[name] = Segment(self.folder / name, about)
        segment, deleted = self._opened[name], None
        if about["deleted"] is not None:
            deleted = self._noted(_deleted_name(number, int(about["deleted"])), segment.count)
        return Part(number, segment, deleted)

    def _begin(self) -> dict[str, Any]:
        """The manifest to change, after removing what no manifest names any more."""
        self._current()
        if self._is_replaced():
            raise StoreError(f"{self.folder} has been built anew in the meantime; open the index again")
        manifest = self._read()
        kept = {str(about["name"]) for about in manifest["segments"]}
        notes = {
            _deleted_name(int(str(about["name"]).removeprefix("segment-")), int(about["deleted"]))
            for about in manifest["segments"]
            if about["deleted"] is not None
        }
        for path in self.folder.iterdir():
            if path.is_dir() and path.name.lstrip(".").startswith("segment-") and path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)
            elif path.name.startswith("deleted-") and path.name not in notes:
                path.unlink(missing_ok=True)
        remove_parts(self.folder)
        return manifest

    def _commit(self, manifest: dict[str, Any]) -> None:
        write_atomically(self.folder / _MANIFEST, to_json(manifest))
        with self._lock:
            self._refresh()

    def _write(
        self, manifest: dict[str, Any], batches: Iterable[Rows], known: int
    ) -> tuple[list[dict[str, Any]], pa.ChunkedArray]:
        """Write segments; what there is to say about them, and the keys in them."""
        written: list[dict[str, Any]] = []
        keys: list[pa.Array] = []
        waiting = iter(batches)
        batch = next(waiting, None)
        queries = self._queries()
        in_all = sum(part.live for part in self._parts) + known
        while batch is not None:
            folder = self.folder / _name(manifest["next"])
            manifest["next"] += 1
            with SegmentWriter(folder, self.width, self.exact_width) as writer:
                while batch is not None and (not writer.count or writer.count + len(batch) <= SEGMENT_ROWS):
                    writer.append(batch)
                    keys += batch.columns["key"].chunks
                    batch = next(waiting, None)
                if writer.count:
                    in_all += writer.count
                    written.append(writer.finish(manifest["kind"], queries, in_all))
        return written, pa.chunked_array(keys, pa.string())

    def _replace(self, manifest: dict[str, Any], keys: pa.ChunkedArray) -> int:
        """Note the rows with these keys as deleted; how many there were."""
        count = 0
        for about, part in zip(manifest["segments"], self._parts, strict=True):
            gone = pc.is_in(part.segment.column("key"), value_set=keys).to_numpy()
            gone = gone if part.deleted is None else gone & ~part.deleted
            if not gone.any():
                continue
            count += int(gone.sum())
            gone = gone if part.deleted is None else gone | part.deleted
            about["deleted"] = manifest["next"]
            manifest["next"] += 1
            with replacing(self.folder / _deleted_name(part.number, about["deleted"])) as file:
                file.write(np.packbits(gone).tobytes())
        manifest["segments"] = [
            about for about, part in zip(manifest["segments"], self._parts, strict=True) if not self._empty(about, part)
        ]
        return count

    def _empty(self, about: dict[str, Any], part: Part) -> bool:
        if about["deleted"] is None:
            return not part.segment.count
        return bool(self._noted(_deleted_name(part.number, about["deleted"]), part.segment.count).all())

    def _noted(self, name: str, count: int) -> NDArray[np.bool_]:
        """(n,) the rows that the note `name` says are deleted."""
        check_file(self.folder / name)
        bits = np.fromfile(self.folder / name, np.uint8, -(-count // 8))
        return np.unpackbits(bits, count=count).astype(bool)

    def _queries(self) -> NDArray[np.float32] | None:
        """What indexes are tried on."""
        path = self.folder / _QUERIES
        try:
            check_file(path)
            queries = np.load(path, allow_pickle=False)
            return check_width(queries, self.width)
        except FileNotFoundError:
            return None
        except Exception as error:  # numpy's reader raises what it likes
            raise StoreError(f"{path} is damaged ({first_line(error)}); build the index again") from None

    def _merge(self) -> None:
        """Make one of small segments of a size where there are many, and of those that have lost most rows."""
        while chosen := _to_merge(self._parts):
            manifest = self._begin()
            places = [number for number, part in enumerate(self._parts) if part.number in chosen]
            old = [self._parts[place] for place in places]
            written, _ = self._write(manifest, _copied(old), -sum(part.live for part in old))
            first = places[0]
            rest = [about for place, about in enumerate(manifest["segments"]) if place not in places]
            manifest["segments"] = rest[:first] + written + rest[first:]
            self._commit(manifest)


def _problem(manifest: dict[str, Any]) -> str | None:
    """What in a manifest is none of what is written there."""
    numbers = [(manifest, name, 1) for name in ("width", "exact_width", "next")]
    segments = manifest.get("segments")
    if not isinstance(segments, list) or not all(isinstance(about, dict) for about in segments):
        return "it lists no segments"
    if manifest.get("kind") not in KINDS:
        return f"there is no kind {manifest.get('kind')!r}"
    for about in segments:
        numbers += [(about, name, 1) for name in ("width", "exact_width")] + [(about, "rows", 0)]
        numbers += [] if about.get("deleted") is None else [(about, "deleted", 1)]
        if not re.fullmatch(r"segment-\d{6,9}", str(about.get("name"))) or not isinstance(about.get("compact"), bool):
            return f"{about.get('name')!r} is no segment"
    for owner, name, least in numbers:
        value = owner.get(name)
        if type(value) is not int or not least <= value <= _LARGEST:
            return f"{name} is {value!r}"
        if "segments" not in owner and name in ("width", "exact_width") and value != manifest[name]:
            return f"{name} is {value} in {owner['name']}, {manifest[name]} elsewhere"
    if len({about["name"] for about in segments}) != len(segments):
        return "a segment is named twice"
    return None


def _to_merge(parts: Sequence[Part]) -> set[int]:
    worn = {part.number for part in parts if 2 * part.live < part.segment.count}
    if worn:
        return worn
    tiers: dict[int, list[int]] = {}
    for part in parts:
        if part.live <= max(EXACT_ROWS, SEGMENT_ROWS // MERGED):
            tiers.setdefault(int(math.log(max(part.live, 1), MERGED)), []).append(part.number)
    return set(next((numbers[:MERGED] for numbers in tiers.values() if len(numbers) >= MERGED), ()))


def _copied(parts: Sequence[Part]) -> Iterator[Rows]:
    """The rows of the parts that have not been deleted."""
    for part in parts:
        there = np.arange(part.segment.count) if part.deleted is None else np.flatnonzero(~part.deleted)
        for first in range(0, len(there), _MERGE_ROWS):
            numbers = there[first : first + _MERGE_ROWS]
            yield Rows(part.segment.rows(numbers), part.segment.compact[numbers], part.segment.exact[numbers])


def _best(places: NDArray[np.int64], scores: NDArray[np.float32], k: int) -> Found:
    order = np.lexsort((places, -scores))[:k]
    return Found(places[order], scores[order])


def _name(number: int) -> str:
    return f"segment-{number:06d}"


def _deleted_name(number: int, generation: int) -> str:
    return f"deleted-{number:06d}-{generation:06d}"
