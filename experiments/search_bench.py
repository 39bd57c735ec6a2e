"""Searching N compact vectors, beside comparing with all of them: `python experiments/bench.py --only search`.

The vectors are random unit vectors in clusters or, with `--real INDEX`, those of an index, repeated with noise. They are put
into the store of an index, which chooses its kind by their number, and 500 further ones of their kind are the queries, one
at a time. The limit beside it is FAISS's flat index in the same process: the product with all vectors, of 2 million of
them where there are more, and multiplied. Recall is the share of the ten nearest that are found.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trace_lit.retrieval import Filter
from trace_lit.retrieval.stores import COLUMNS, FaissStore, Rows
from trace_lit.retrieval.stores.approximate import nearest

WIDTH = 256
CLUSTERS = 2000
QUERIES, NEAREST = 500, 10
BLOCK = 65_536
FLAT_ROWS = 2_000_000  # that the flat index holds at most; its time is multiplied to N
Vectors = NDArray[np.float32]


def drawn(seed: int, count: int, real: Vectors | None) -> Vectors:
    """`count` unit vectors: of clusters, or like `real` ones."""
    generator = np.random.default_rng([7, seed])
    if real is None:
        centres = np.random.default_rng(3).normal(size=(CLUSTERS, WIDTH)).astype(np.float32)
        vectors = centres[generator.integers(CLUSTERS, size=count)]
        noise = 0.7
    else:
        vectors = real[generator.integers(len(real), size=count)]
        noise = 0.3 / np.sqrt(real.shape[1])
    vectors = vectors + noise * generator.normal(size=vectors.shape).astype(np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def batches(size: int, real: Vectors | None) -> Iterator[Rows]:
    """The windows of the store."""
    for number, first in enumerate(range(0, size, BLOCK)):
        count = min(BLOCK, size - first)
        numbers = np.arange(first, first + count)
        names = np.char.zfill(numbers.astype(str), 32).tolist()
        texts = {name: ["bench" if name in ("corpus", "series", "split") else ""] * count for name in COLUMNS.names}
        columns = {**texts, "key": names, "id": names, "row": numbers, "start": numbers, "end": numbers + 1}
        vectors = drawn(number, count, real)
        yield Rows(pa.table({name: columns[name] for name in COLUMNS.names}, COLUMNS), vectors, vectors)


def measured(size: int, kind: str, real: Vectors | None, threads: int | None) -> dict[str, Any]:
    """What searching `size` vectors takes; to be called in a process of its own, whose memory it tells."""
    import faiss

    if threads:
        faiss.omp_set_num_threads(threads)
    queries = drawn(10**6, QUERIES, real)
    with tempfile.TemporaryDirectory() as folder:
        store = FaissStore.create(
            Path(folder) / "store", queries.shape[1], queries.shape[1], kind, drawn(10**6 + 1, 200, real)
        )
        before = _memory()
        began = time.perf_counter()
        store.upsert(batches(size, real))
        build, memory = time.perf_counter() - began, _memory() - before
        about = store.describe()
        store.close()
        opened = FaissStore(Path(folder) / "store")
        found, own = _timed(lambda query: opened.search(query, NEAREST, Filter())[0].places, queries)
        rows = [opened.rows(places)["row"].to_numpy() for places in found[:100]]
        segments = [part.segment for part in opened.parts]
        right = _nearest(segments, queries[:100])
        flat = faiss.IndexFlatIP(queries.shape[1])
        for segment in segments[: max(1, FLAT_ROWS // segments[0].count)]:
            flat.add(np.ascontiguousarray(segment.compact))
        _, bare = _timed(lambda query: flat.search(query, NEAREST), queries[:50])
    shares = [np.isin(one, other).mean() for one, other in zip(right, rows, strict=True)]
    return {
        "kind": about["kind"],
        "segments": about["segments"],
        "recall": float(np.mean(shares)),
        "p50_ms": 1000 * statistics.median(own),
        "p99_ms": 1000 * float(np.quantile(own, 0.99)),
        "flat_p50_ms": 1000 * statistics.median(bare) * size / flat.ntotal,
        "build_seconds": build,
        "memory_mb": memory / 1e6,
        "disk_mb": about["bytes"] / 1e6,
        "vectors_mb": 4 * size * queries.shape[1] / 1e6,
    }


def _nearest(segments: list[Any], queries: Vectors) -> NDArray[np.int64]:
    """The rows (Q, 10) of the nearest of all vectors."""
    scores, rows = [], []
    for segment in segments:
        own = nearest(segment.compact, queries, NEAREST)
        scores.append(np.einsum("qd,qkd->qk", queries, segment.compact[own]))
        rows.append(segment.column("row").to_numpy()[own])
    order = np.argsort(-np.concatenate(scores, 1), axis=1)[:, :NEAREST]
    return np.take_along_axis(np.concatenate(rows, 1), order, 1)


def _timed(search: Callable[[Vectors], Any], queries: Vectors) -> tuple[list[Any], list[float]]:
    """The answers and the seconds of each query; the first ones, which read the files, are asked twice."""
    for query in queries[:20]:
        search(query[None])
    found, seconds = [], []
    for query in queries:
        began = time.perf_counter()
        found.append(search(query[None]))
        seconds.append(time.perf_counter() - began)
    return found, seconds


def _memory() -> float:
    """The most bytes that this process has taken until now."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def search_speed(sizes: list[int], kinds: list[str], real: Path | None, threads: int | None) -> dict[str, Any]:
    """Measure and print a table."""
    vectors = None
    if real is not None:
        store = FaissStore(real / "store")
        vectors = np.concatenate([part.segment.compact for part in store.parts])
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    width = WIDTH if vectors is None else vectors.shape[1]
    what = "in clusters" if vectors is None else f"of {real}, with noise"
    print(f"search, the {NEAREST} nearest of N vectors {what}, width {width}, one query at a time")
    print("| N | kind | recall | p50 ms | p99 ms | flat p50 ms | build s | memory MB | disk MB | vectors MB |")
    print("|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    result: dict[str, Any] = {}
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
        for size in sizes:
            for kind in kinds:
                found = fresh.apply(measured, (size, kind, vectors, threads))
                result[f"{size} {kind}"] = found
                numbers = ("p50_ms", "p99_ms", "flat_p50_ms")
                sizes_of = ("build_seconds", "memory_mb", "disk_mb", "vectors_mb")
                print(
                    f"| {size:,} | {found['kind']} | {found['recall']:.4f} | "
                    + " | ".join(f"{found[name]:.2f}" for name in numbers)
                    + " | "
                    + " | ".join(f"{found[name]:,.0f}" for name in sizes_of)
                    + " |",
                    flush=True,
                )
    return result
