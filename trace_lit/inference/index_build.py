"""Building an index: from corpora, or from parts that were embedded before."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trace_lit.config import ConfigError
from trace_lit.holding import held
from trace_lit.inference.aligned import AlignedRun
from trace_lit.inference.index_files import ENGINES, INDEX_FILE, PROJECTION_FILE, IndexFile, hidden, settle
from trace_lit.inference.parts import CorpusEntry, Parts, embed_parts
from trace_lit.inference.space import UNIVERSAL, Space, SpaceEmbedder
from trace_lit.modules.places import relative
from trace_lit.retrieval import RetrievalError
from trace_lit.retrieval.filters import Filter
from trace_lit.retrieval.projection import Projection
from trace_lit.retrieval.stores import Rows, Store
from trace_lit.text.progress import JobProgress

CANDIDATES = 300  # that the compact vectors find, for the exact ones to rank
_NEAREST = 10
_SAMPLE_ROWS, _SAMPLE_BYTES = 4096, 2**28  # windows that the projection is made for
_TEXTS = 512
_TRIED = 64  # windows, and texts, by which the recall is measured


@dataclass(frozen=True)
class Sample:
    """Some windows of all parts, and of their texts, for which the compact vectors are made and on which they are tried."""

    windows: NDArray[np.float32]  # (n, E)
    texts: NDArray[np.float32]  # (m, E)
    tried: dict[str, NDArray[np.float32]]  # "series" and "texts": queries (q, E) that are not among the others

    def projection(self, width: int) -> Projection:
        """For these windows and for both kinds of questions, which count alike."""
        groups = [own / np.sqrt(len(own)) for own in (self.windows, self.texts) if len(own)]
        return Projection.fitted(self.windows, np.concatenate(groups).astype(np.float32), width)


def build_index(
    model: AlignedRun,
    corpora: Any,
    out: Path,
    *,
    engine: str = "faiss",
    kind: str = "auto",
    width: int = 256,
    uri: str | None = None,
    token: str | None = None,
    parts: Path | None = None,
) -> None:
    """Make the index `out`, see `Index.build`; one that was there is replaced once the new one is complete."""
    if engine not in ENGINES:
        raise ConfigError(f"there is no engine {engine!r}; the engines are {', '.join(ENGINES)}")
    if uri is not None and (engine != "milvus" or "://" not in uri):
        raise ConfigError(
            f"uri is {uri!r}; it is that of a Milvus, like http://localhost:19530, with the engine milvus"
        )
    if width < 1:
        raise ConfigError(f"width is {width}; a compact vector has at least 1 number")
    _check_replaceable(out)
    with held(out):
        settle(out, uri, token)
        building = hidden(out, "building")
        made = _parts(model, corpora, building) if parts is None else _checked(Parts(parts), model)
        _remove(building, without=made.folder)
        building.mkdir(parents=True, exist_ok=True)
        try:
            _build(model, made, building, out, IndexFileWishes(engine, kind, width, uri, token))
        except BaseException:
            _remove(building, without=made.folder)
            raise
        shutil.rmtree(building / "parts", ignore_errors=True)
        if out.exists():
            out.rename(hidden(out, "old"))
        building.rename(out)
        settle(out, uri, token)


@dataclass(frozen=True)
class IndexFileWishes:
    """What an index is to be."""

    engine: str
    kind: str
    width: int
    uri: str | None
    token: str | None


def _build(model: AlignedRun, parts: Parts, building: Path, out: Path, wishes: IndexFileWishes) -> None:
    embedder = SpaceEmbedder(model, parts.space)
    sample = _sample(parts, embedder)
    projection = sample.projection(wishes.width)
    file = IndexFile(
        engine=wishes.engine,
        uri=wishes.uri,
        collection=f"trace_lit_{uuid.uuid4().hex[:12]}" if wishes.engine == "milvus" else None,
        space=_seen_from(parts.space, parts.folder, out),
        width=min(wishes.width, parts.space.exact_width),
        corpora=tuple(replace(own, path=relative(parts.folder / own.path, out)) for own in parts.corpora),
    )
    projection.save(building / PROJECTION_FILE)
    queries = np.concatenate([projection.of_queries(own) for own in sample.tried.values()])
    store = file.new_store(building, wishes.kind, queries, wishes.token)
    try:
        with JobProgress("Indexing", parts.rows) as progress:
            store.upsert(_rows(parts, projection, progress))
        recall = _recall(store, parts, projection, sample.tried)
    finally:
        store.close()
    replace(file, recall=recall).write(building)


def _rows(parts: Parts, projection: Projection, progress: JobProgress) -> Iterator[Rows]:
    for columns, vectors in parts.read():
        yield Rows(columns, projection.of_windows(vectors), vectors)
        progress.advance(len(columns))


def _parts(model: AlignedRun, corpora: Any, building: Path) -> Parts:
    """All windows embedded beside the index; what a build that was stopped has embedded counts."""
    try:
        return embed_parts(model, corpora, building / "parts")
    except RetrievalError:  # of another model or other corpora
        shutil.rmtree(building)
        return embed_parts(model, corpora, building / "parts")


def _checked(parts: Parts, model: AlignedRun) -> Parts:
    parts.check()
    if parts.space.model != model.checksum:
        raise RetrievalError(f"{parts.folder} holds parts that another model made; embed again, or name that run")
    return parts


def _sample(parts: Parts, embedder: SpaceEmbedder) -> Sample:
    count = min(_SAMPLE_ROWS, max(2 * _TRIED, _SAMPLE_BYTES // (4 * parts.space.exact_width)), parts.rows)
    wanted = np.unique(np.linspace(0, parts.rows - 1, count).astype(np.int64))
    vectors, texts, first = [], [], 0
    for columns, exact in parts.read():
        own = wanted[(wanted >= first) & (wanted < first + len(columns))] - first
        vectors.append(exact[own])
        texts += columns["text"].take(own).to_pylist()
        first += len(columns)
    windows = np.concatenate(vectors)
    distinct = list(dict.fromkeys(text for text in texts if text.strip()))
    spread = np.unique(np.linspace(0, len(distinct) - 1, min(len(distinct), _TEXTS)).astype(np.int64))
    asked = embedder.texts([distinct[number] for number in spread])
    tried = {"series": windows[1::2][:: max(1, len(windows) // (2 * _TRIED))][:_TRIED]}
    tried["texts"] = asked[1::2][:: max(1, len(asked) // (2 * _TRIED))][:_TRIED]
    return Sample(windows[::2], asked[::2], tried)


def _recall(
    store: Store, parts: Parts, projection: Projection, tried: dict[str, NDArray[np.float32]]
) -> dict[str, float]:
    """For each kind of query, the share of the ten best by the exact score that are among the candidates."""
    found = {}
    for name, queries in tried.items():
        if not len(queries):
            continue
        best = _best_keys(parts, queries)
        distinct = sorted(set(best.flatten().tolist()))
        places = store.find(distinct)
        by_key = dict(zip(store.rows(places)["key"].to_pylist(), places.tolist(), strict=True))
        answers = store.search(projection.of_queries(queries), CANDIDATES, Filter())
        shares = [
            np.isin([by_key[key] for key in keys], answer.places).mean()
            for keys, answer in zip(best, answers, strict=True)
        ]
        found[name] = round(float(np.mean(shares)), 4)
    return found


def _best_keys(parts: Parts, queries: NDArray[np.float32]) -> NDArray[np.str_]:
    """The keys (q, 10) of the best windows for each query by the exact score."""
    scores = np.zeros((len(queries), 0), np.float32)
    keys = np.zeros((len(queries), 0), "U32")
    for columns, exact in parts.read():
        own = np.broadcast_to(columns["key"].to_numpy().astype("U32"), (len(queries), len(columns)))
        scores, keys = np.concatenate([scores, queries @ exact.T], 1), np.concatenate([keys, own], 1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :_NEAREST]
        scores, keys = np.take_along_axis(scores, order, 1), np.take_along_axis(keys, order, 1)
    return keys


def _seen_from(space: Space, folder: Path, out: Path) -> Space:
    """The space with the path of its run as it is seen from `out`, not from `folder`."""
    return space if space.run == UNIVERSAL else replace(space, run=relative(folder / space.run, out))


def _check_replaceable(out: Path) -> None:
    if out.exists() and not (out / INDEX_FILE).is_file() and not (out.is_dir() and not any(out.iterdir())):
        raise RetrievalError(f"{out} exists and is no index; name another folder, or remove it")


def _remove(building: Path, without: Path) -> None:
    """Remove all in `building` but the parts that are to be used."""
    for path in building.iterdir() if building.is_dir() else ():
        if path.resolve() != without.resolve():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def entry_of(entry: CorpusEntry, folder: Path) -> Path:
    """The folder of a corpus that an index in `folder` names."""
    return (folder / entry.path).resolve()
