"""A store in Milvus: in a file, by milvus-lite, or in a cluster at a URI. pymilvus speaks to both in the same way.

What filters compare with is kept as a number, a digest of the text: no text of a question becomes part of an expression.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from trace_lit.errors import first_line
from trace_lit.retrieval.filters import Filter
from trace_lit.retrieval.stores.base import COLUMNS, Found, Rows, StoreError, check_width

if TYPE_CHECKING:
    from pymilvus import MilvusClient

# Lite says "Finished" of types that it does not have, so that only these may be asked for.
KINDS = {
    "auto": ("AUTOINDEX", {}),
    "exact": ("FLAT", {}),
    "hnsw": ("HNSW", {"M": 16, "efConstruction": 100}),
    "ivf-sq8": ("IVF_SQ8", {"nlist": 1024}),
}
_REMOTE_KINDS = {"ivf-pq": ("IVF_PQ", {"nlist": 1024, "m": 32, "nbits": 8}), "diskann": ("DISKANN", {})}
_WIDEST = 32_768  # numbers of a vector field
_FIELDS = 3  # with parts of the exact vector, beside the compact one and the words
_TEXT_BYTES = 65_535
_CALL_BYTES = 2**25  # that one call takes, and holds in full or not at all
_AT_ONCE = 10_000  # rows that are counted or listed by one call
_CODED = ("label", "series", "corpus", "split")
_LOGGERS = "pymilvus", "milvus_lite", "grpc"
_OPEN: Counter[str] = Counter()  # clients of this process by file
_counting = threading.Lock()


class MilvusStore:
    """The store in the collection `collection` at `uri`, the path of a file or http(s)://….

    Raises
    ------
    StoreError
        It cannot be reached, another process has the file open, or it holds no such collection.
    """

    def __init__(self, uri: str, collection: str, token: str | None = None) -> None:
        self.uri, self.collection = uri, collection
        killed = _was_killed(uri, collection)
        self._client = _connected(uri, token)
        self._closing = ExitStack()
        self._closing.callback(_disconnect, self._client, uri)
        with self._explained():
            if not self._client.has_collection(collection):
                raise StoreError(f"{uri} has no collection {collection!r}; build the index again")
            fields = {own["name"]: own for own in self._client.describe_collection(collection)["fields"]}
            self._client.load_collection(collection)
        self.width = int(fields["compact"]["params"]["dim"])
        self._parts = sorted(name for name in fields if name.startswith("exact_"))
        self.exact_width = sum(int(fields[name]["params"]["dim"]) for name in self._parts) or self.width
        if killed:
            self._drop_duplicates()

    def _drop_duplicates(self) -> None:
        """Let each window be there once: Lite replays what a killed process had both logged and kept (3.2)."""
        keys, counts = np.unique(self.select(Filter()).astype(str), return_counts=True)
        twice = keys[counts > 1].astype(object)
        for first in range(0, len(twice), _AT_ONCE):
            some = twice[first : first + _AT_ONCE]
            compact = np.array([row["compact"] for row in self._get(some, ["compact"])], np.float32)
            self.upsert([Rows(self.rows(some), compact, self.exact(some))])

    @classmethod
    def create(
        cls, uri: str, collection: str, width: int, exact_width: int, kind: str = "auto", token: str | None = None
    ) -> MilvusStore:
        """An empty collection for vectors of these widths; one of that name is dropped."""
        kinds = KINDS if _is_file(uri) else KINDS | _REMOTE_KINDS
        if kind not in kinds:
            where = "a file of Milvus" if _is_file(uri) else "Milvus"
            raise StoreError(f"{where} has no kind {kind!r} of index; the kinds are {', '.join(kinds)}")
        if exact_width > _FIELDS * _WIDEST:
            raise StoreError(
                f"the exact vectors have {exact_width:,} numbers; a collection takes {_FIELDS * _WIDEST:,}: use faiss"
            )
        client = _connected(uri, token)
        try:
            with _explained(uri):
                if client.has_collection(collection):
                    client.drop_collection(collection)
                schema, indexes = _schema(client, width, exact_width, *kinds[kind])
                client.create_collection(collection, schema=schema, index_params=indexes, consistency_level="Strong")
        finally:
            _disconnect(client, uri)
        return cls(uri, collection, token)

    @staticmethod
    def drop(uri: str, collection: str, token: str | None = None) -> None:
        """Drop a collection, where it is there."""
        client = _connected(uri, token)
        try:
            with _explained(uri):
                client.drop_collection(collection)
        finally:
            _disconnect(client, uri)

    def upsert(self, batches: Iterable[Rows]) -> int:
        size = max(1, _CALL_BYTES // (4 * (self.width + self.exact_width)))
        count = 0
        with self._explained():
            for batch in batches:
                for first in range(0, len(batch), size):
                    self._client.upsert(self.collection, self._plain(batch, slice(first, first + size)))
                count += len(batch)
            self._client.flush(self.collection)
        return count

    def _plain(self, batch: Rows, part: slice) -> list[dict[str, Any]]:
        columns = batch.columns.slice(part.start, part.stop - part.start).to_pylist()
        pieces = np.split(batch.exact[part], range(_WIDEST, self.exact_width, _WIDEST), axis=1)
        rows = []
        for number, (own, compact) in enumerate(zip(columns, batch.compact[part], strict=True)):
            text = own["text"].encode()[:_TEXT_BYTES].decode(errors="ignore")
            row = own | {"text": text, "has_text": bool(text), "label": own["label"] or "", "compact": compact.tolist()}
            row |= {f"{name}_code": _code(own[name]) for name in _CODED}
            row |= {name: piece[number].tolist() for name, piece in zip(self._parts, pieces, strict=False)}
            rows.append(row)
        return rows

    def delete(self, keys: Sequence[str]) -> int:
        found = self.find(keys)
        with self._explained():
            for first in range(0, len(found), _AT_ONCE):
                self._client.delete(self.collection, ids=found[first : first + _AT_ONCE].tolist())
        return len(found)

    def search(self, vectors: NDArray[np.float32], k: int, filter: Filter) -> list[Found]:
        vectors = check_width(vectors, self.width)
        with self._explained():
            answers = self._client.search(
                self.collection, vectors.tolist(), anns_field="compact", limit=k, filter=expression(filter)
            )
        return [_found(answer) for answer in answers]

    def match(self, words: str, k: int, filter: Filter) -> Found:
        settings = {"metric_type": "BM25"}
        with self._explained():
            answers = self._client.search(
                self.collection,
                [words],
                anns_field="words",
                limit=k,
                filter=expression(filter),
                search_params=settings,
            )
        found = _found(answers[0])
        return Found(found.places, np.abs(found.scores))  # Lite counts distances

    def find(self, keys: Sequence[str], filter: Filter = Filter()) -> NDArray[Any]:  # noqa: B008
        found: list[str] = []
        admitted = [own] if (own := expression(filter)) else []
        with self._explained():
            for first in range(0, len(keys), _AT_ONCE):
                named = f"key in {json.dumps(keys[first : first + _AT_ONCE])}"
                wanted = " and ".join([named, *admitted])
                rows = self._client.query(self.collection, filter=wanted, output_fields=["key"])
                found += [row["key"] for row in rows]
        return np.array(found, dtype=object)

    def select(self, filter: Filter) -> NDArray[Any]:
        with self._explained():
            pages = self._client.query_iterator(
                self.collection, batch_size=_AT_ONCE, filter=expression(filter), output_fields=["key"]
            )
            found: list[str] = []
            while page := pages.next():
                found += [row["key"] for row in page]
            pages.close()
        return np.array(found, dtype=object)

    def rows(self, places: NDArray[Any]) -> pa.Table:
        found = self._get(places, COLUMNS.names)
        columns = {name: [row[name] for row in found] for name in COLUMNS.names}
        columns["label"] = [label or None for label in columns["label"]]
        return pa.table(columns, schema=COLUMNS)

    def exact(self, places: NDArray[Any]) -> NDArray[np.float32]:
        names = self._parts or ["compact"]
        found = self._get(places, names)
        vectors = [np.concatenate([np.asarray(row[name], np.float32) for name in names]) for row in found]
        return np.array(vectors, dtype=np.float32).reshape(len(found), self.exact_width)

    def count(self, filter: Filter) -> int:
        with self._explained():
            answer = self._client.query(self.collection, filter=expression(filter), output_fields=["count(*)"])
        return int(answer[0]["count(*)"])

    def describe(self) -> dict[str, Any]:
        with self._explained():
            about = self._client.describe_index(self.collection, "compact")
        size = None
        if _is_file(self.uri):
            size = sum(file.stat().st_size for file in Path(self.uri).rglob("*") if file.is_file())
        names = {kind: name for name, (kind, _) in (KINDS | _REMOTE_KINDS).items()}
        return {
            "kind": names.get(about["index_type"], about["index_type"]),
            "collection": self.collection,
            "bytes": size,
        }

    def close(self) -> None:
        self._closing.close()  # once

    def _get(self, places: NDArray[Any], fields: Sequence[str]) -> list[dict[str, Any]]:
        """Rows in the order of the places."""
        with self._explained():
            rows = self._client.get(self.collection, places.tolist(), output_fields=["key", *fields])
        by_key = {row["key"]: row for row in rows}
        missing = [key for key in places if key not in by_key]
        if missing:
            raise StoreError(f"{len(missing)} windows have been deleted in the meantime; search again")
        return [by_key[key] for key in places]

    def _explained(self) -> Any:
        return _explained(self.uri)


def expression(filter: Filter) -> str:
    """The filter as Milvus reads it: names of fields, signs and whole numbers, nothing else."""
    parts = [
        f"{name}_code in [{', '.join(str(_code(value)) for value in values)}]"
        for name in _CODED
        if (values := getattr(filter, name))
    ]
    if filter.first_second is not None:
        parts.append(f"start >= {filter.first_second}")
    if filter.last_second is not None:
        parts.append(f"end <= {filter.last_second}")
    if filter.with_text:
        parts.append("has_text == true")
    if (span := filter.apart) is not None:
        outside = [f"start >= {int(span.end)}", f"end <= {int(span.start)}"]
        outside += [
            f"{name}_code != {_code(value)}"
            for name, value in (("corpus", span.corpus), ("series", span.series))
            if value is not None
        ]
        parts.append(f"({' or '.join(outside)})")
    return " and ".join(parts)


def _code(value: str | None) -> int:
    """A number for a text, -1 for none."""
    if value is None:
        return -1
    return int.from_bytes(hashlib.blake2b(value.encode(), digest_size=8).digest(), "big") >> 1


def _is_file(uri: str) -> bool:
    return "://" not in uri


def _was_killed(uri: str, collection: str) -> bool:
    """Whether a file has a log of writes, which a process that ends by itself removes."""
    if not _is_file(uri):
        return False
    with _counting:
        open_here = _OPEN[_absolute(uri)] > 0
    return not open_here and any(Path(uri, "collections", collection, "wal").glob("*"))


def _connected(uri: str, token: str | None) -> MilvusClient:
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what goes wrong is in the error
    try:
        from pymilvus import MilvusClient
    except ImportError as error:
        raise StoreError(f"the engine milvus needs the extra milvus ({error}): pip install trace_lit[milvus]") from None
    if _is_file(uri):
        Path(uri).parent.mkdir(parents=True, exist_ok=True)
    with _explained(uri):
        client = MilvusClient(uri) if token is None else MilvusClient(uri, token=token)
    if _is_file(uri):
        with _counting:
            _OPEN[_absolute(uri)] += 1
    return client


def _disconnect(client: MilvusClient, uri: str) -> None:
    """Close a client, and the file with its last one: pymilvus itself would hold it until the process ends."""
    client.close()
    if not _is_file(uri):
        return
    from milvus_lite.server_manager import server_manager_instance

    with _counting:
        _OPEN[_absolute(uri)] -= 1
        if _OPEN[_absolute(uri)] <= 0:
            server_manager_instance.release_server(_absolute(uri))


def _absolute(uri: str) -> str:
    return str(Path(uri).absolute())


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    from pymilvus import MilvusException

    try:
        yield
    except MilvusException as error:
        words = first_line(error)
        if _is_file(uri) and "Open local milvus failed" in words:
            raise StoreError(_why_closed(Path(uri))) from None
        raise StoreError(f"Milvus at {uri}: {words}") from None


def _why_closed(path: Path) -> str:
    """Why the file of a Milvus cannot be opened: Lite does not tell."""
    if path.is_file():
        return f"{path} is no file of this Milvus; those of Milvus Lite 2 cannot be opened: build the index again"
    try:
        with FileLock(path / "LOCK", timeout=0):
            return f"{path} is damaged; build the index again"
    except Timeout:
        return (
            f"{path} is locked: another process has it open, and such a file is for one at a time; end that process, or "
            "use `milvus-lite server` or a cluster and its URI"
        )


def _found(answer: Any) -> Found:
    keys = np.array([own["key"] for own in answer], dtype=object)
    return Found(keys, np.array([own["distance"] for own in answer], dtype=np.float32))


def _schema(client: MilvusClient, width: int, exact_width: int, kind: str, settings: dict[str, Any]) -> tuple[Any, Any]:
    from pymilvus import DataType, Function, FunctionType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("key", DataType.VARCHAR, max_length=64, is_primary=True)
    schema.add_field("digest", DataType.VARCHAR, max_length=64)
    for name in ("corpus", "id", "series", "split", "label"):
        schema.add_field(name, DataType.VARCHAR, max_length=1000)
    for name in ("row", "start", "end", *(f"{name}_code" for name in _CODED)):
        schema.add_field(name, DataType.INT64)
    schema.add_field("has_text", DataType.BOOL)
    schema.add_field("text", DataType.VARCHAR, max_length=_TEXT_BYTES, enable_analyzer=True)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(name="bm25", function_type=FunctionType.BM25, input_field_names=["text"], output_field_names=["words"])
    )
    schema.add_field("compact", DataType.FLOAT_VECTOR, dim=width)
    indexes = client.prepare_index_params()
    indexes.add_index("compact", index_type=kind, metric_type="IP", params=settings)
    indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    if exact_width != width:
        for number, first in enumerate(range(0, exact_width, _WIDEST)):
            schema.add_field(f"exact_{number}", DataType.FLOAT_VECTOR, dim=min(_WIDEST, exact_width - first))
            indexes.add_index(f"exact_{number}", index_type="FLAT", metric_type="IP")
    return schema, indexes
