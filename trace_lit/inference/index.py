"""An index that is kept: the windows of corpora with their vectors, for questions to an aligned run."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from data_modules.blocks import CorpusBlocks
from data_modules.corpus import Corpus
from trace_lit.config import ConfigError
from trace_lit.errors import InputError
from trace_lit.holding import held
from trace_lit.inference.aligned import AlignedRun, Hits
from trace_lit.inference.index_build import CANDIDATES, build_index, entry_of
from trace_lit.inference.index_files import INDEX_FILE, IndexFile, IndexInfo
from trace_lit.inference.index_open import Opened, OpenIndex, changed
from trace_lit.inference.index_search import Question, Within, check_search, explained, hits_of, ranked
from trace_lit.inference.index_update import columns_at, update_corpus
from trace_lit.inference.inputs import read_window
from trace_lit.inference.parts import CorpusEntry
from trace_lit.inference.query_parts import series_parts
from trace_lit.inference.space import BLOCK_ROWS, UNIVERSAL, SpaceEmbedder, open_corpora
from trace_lit.retrieval import Hit, RetrievalError
from trace_lit.retrieval.explanation import QueryParts
from trace_lit.retrieval.filters import Filter, Span
from trace_lit.retrieval.projection import Projection
from trace_lit.retrieval.stores import Store, key_of


class _Asked(NamedTuple):
    """What a search starts from."""

    vector: NDArray[np.float32]  # (E,)
    span: Span | None = None  # of its time, where that is known
    place: Any = None  # where it is a window of the index
    key: str | None = None


class Index:
    """Windows of corpora with their vectors, kept in a folder; `Index.open` and `Index.build` make one.

    Searching may go on in several threads and processes; one process at a time writes, and the others see it, also where
    corpora are added or the index is built anew.
    """

    def __init__(self, place: Path, uri: str | None, token: str | None) -> None:
        self.place = place
        self._index = OpenIndex(place, uri, token)
        self._lock = threading.Lock()  # of the model, which learns the channels of one index at a time

    @property
    def file(self) -> IndexFile:
        """What index.json says now."""
        with self._index.opened() as opened:
            return opened.file

    @property
    def projection(self) -> Projection:
        """What makes the compact vectors now."""
        with self._index.opened() as opened:
            return opened.build.projection

    @property
    def store(self) -> Store:
        """What holds the vectors now."""
        with self._index.opened() as opened:
            return opened.build.store

    @classmethod
    def open(cls, place: str | Path, *, uri: str | None = None, token: str | None = None) -> Index:
        """Open the index in the folder `place`.

        Parameters
        ----------
        uri, token
            Of the cluster of Milvus that has its vectors; by default, the URI is $TRACE_LIT_MILVUS_URI.

        Raises
        ------
        RetrievalError
            It is not there, damaged, of another version, or another process has its file open.

        Examples
        --------
        >>> index = Index.open("indexes/weather")  # doctest: +SKIP
        >>> index.search("a cold front", top=3)[0].id  # doctest: +SKIP
        'ny_42960'
        """
        return cls(Path(place), uri, token)

    @classmethod
    def build(
        cls,
        model: AlignedRun,
        corpora: Any,
        out: str | Path,
        *,
        engine: str = "faiss",
        kind: str = "auto",
        width: int = 256,
        uri: str | None = None,
        token: str | None = None,
        parts: str | Path | None = None,
    ) -> Index:
        """Embed all windows of corpora and keep them in the folder `out`.

        A build that is stopped goes on where it was. An index that was there is replaced once the new one is complete.

        Parameters
        ----------
        corpora
            Folders of corpora or `Corpus`; nothing where `parts` are given.
        engine
            "faiss", in the folder, or "milvus", in a file there or in the cluster at `uri`.
        kind
            How compact vectors are searched: "exact", "hnsw", "ivf-sq8" or "ivf-pq"; "auto" chooses by their number.
        width
            Of the compact vectors, at most.
        uri, token
            Of a cluster of Milvus; the token is not kept.
        parts
            A folder that `trace-lit embed` has filled.

        Raises
        ------
        ConfigError, CorpusError, RetrievalError
            An argument or a corpus cannot be used, parts are missing, or `out` is something else.
        """
        settings = {"engine": engine, "kind": kind, "width": width, "uri": uri, "token": token}
        folder = None if parts is None else Path(parts)
        build_index(model, corpora, Path(out), parts=folder, **settings)  # type: ignore[arg-type]
        return cls.open(out, uri=uri, token=token)

    def search(
        self,
        text: str | None = None,
        *,
        model: AlignedRun | None = None,
        series: Any = None,
        like: str | None = None,
        vectors: NDArray[np.float32] | None = None,
        top: int = 10,
        filter: Filter = Filter(),  # noqa: B008
        within: Within = "both",
        apart: bool = False,
        diversity: float = 0.0,
        candidates: int = CANDIDATES,
        explain: bool = False,
    ) -> Hits:
        """The windows that answer a question, best first. One of `text`, `series`, `like` and `vectors` is given.

        Parameters
        ----------
        text
            A question in words.
        model
            The run that the index was built by, if it is loaded already.
        series
            One window, see `AlignedRun.embed_series`, of channels of the index.
        like
            The id of a window of the index, or corpus/id; it is not among its own hits.
        vectors
            A unit vector (E,) of the index's space.
        filter
            Which windows are searched.
        within
            Of a question in words: "series", by the series' vectors; "texts", by the words of the windows' texts; "both",
            by the sum of reciprocal ranks. Otherwise series are searched.
        apart
            Leave out windows that overlap the query in time: those of its series, or all where it is not of the index.
        diversity
            0 to 1: how much hits should differ from each other (maximal marginal relevance).
        candidates
            How many windows the compact vectors, and the words, find for the exact vectors to rank.
        explain
            Each hit's `explanation` says what each channel and each clause of the text adds to its score.

        Raises
        ------
        ConfigError, CorpusError, RetrievalError, TextEncoderError
            The question cannot be used, there is no such window, label or corpus, or the model is another one.
        """
        check_search(text=text, series=series, like=like, vectors=vectors, top=top, within=within, diversity=diversity)
        with self._index.opened() as opened:
            opened.check_names(filter)
            asked = self._asked(opened, model, text, series, like, vectors)
            if apart and asked.span is None:
                raise ConfigError(
                    "apart is for a query with times: an instance of the index, or a series with its times"
                )
            question = Question(
                vector=asked.vector,
                words=text or "",
                within=within if text is not None else "series",
                filter=replace(filter, apart=asked.span) if apart else filter,
                top=top,
                candidates=max(candidates, top),
                diversity=diversity,
                without=asked.place,
            )
            store = opened.build.store
            found = ranked(store, opened.build.projection, question)
            hits = hits_of(store, found.places, found.scores)
            searched = store.count(question.filter)
            if asked.key is not None:
                searched -= len(store.find([asked.key], question.filter))
            if explain and hits:
                with self._lock:
                    embedder = opened.embedder(model)
                    parts = self._query_parts(embedder, text, asked.vector)
                    hits = explained(hits, found, store, question.filter, parts, embedder)
            return Hits(hits, searched)

    def _asked(
        self,
        opened: Opened,
        model: AlignedRun | None,
        text: str | None,
        series: Any,
        like: str | None,
        vectors: NDArray[np.float32] | None,
    ) -> _Asked:
        """What is asked about, of which one is given."""
        space, store = opened.file.space, opened.build.store
        if like is not None:
            place, hit = opened.window(like)
            when = Span(_seconds(hit.start), _seconds(hit.end), hit.corpus, hit.series)
            return _Asked(store.exact(np.array([place]))[0], when, place, key_of(hit.corpus, hit.id))
        if vectors is not None:
            vector = np.asarray(vectors, np.float32).reshape(-1)
            if len(vector) != space.exact_width:
                raise RetrievalError(f"the vector has {len(vector)} numbers, not {space.exact_width}")
            return _Asked(vector)
        span = None
        window = None if series is None else read_window(series, space.channels)
        if window is not None and (times := window.times) is not None:
            step = times[-1] - (times[-2] if len(times) > 1 else times[0])
            span = Span(_seconds(times[0]), _seconds(times[-1] + step))
        with self._lock:
            embedder = opened.embedder(model)
            return _Asked((embedder.texts([text]) if text is not None else embedder.series(window))[0], span)

    def get(self, name: str, corpus: str | None = None) -> Hit:
        """The window with the id `name`, or corpus/id.

        Raises
        ------
        RetrievalError
            There is none, or several corpora have it.
        """
        with self._index.opened() as opened:
            return opened.window(name if corpus is None else f"{corpus}/{name}")[1]

    def vectors(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """The exact unit vectors (n, E) of windows, by id or corpus/id."""
        with self._index.opened() as opened:
            return opened.build.store.exact(np.array([opened.window(name)[0] for name in ids]))

    def corpus(self, name: str | None = None) -> Corpus:
        """The corpus of that name, or the only one, as the index knows it.

        Raises
        ------
        RetrievalError
            There is none of that name, or it has changed since.
        CorpusError
            It is not there any more.
        """
        with self._index.opened() as opened:
            return opened.corpus(name)

    def count(self, filter: Filter = Filter()) -> int:  # noqa: B008
        """How many windows there are that the filter admits."""
        with self._index.opened() as opened:
            return opened.build.store.count(filter)

    def __len__(self) -> int:
        return self.count()

    @property
    def info(self) -> IndexInfo:
        """What it is, and what is in it."""
        with self._index.opened() as (_, file, build):
            store, rows = build.store.describe(), build.store.count(Filter())
        entries = [Path(self.place / INDEX_FILE), *(self.place / "store").glob("manifest.json")]
        changed = max(entry.stat().st_mtime for entry in entries)
        run = UNIVERSAL if file.space.run == UNIVERSAL else (self.place / file.space.run).resolve()
        labels = {name for entry in file.corpora for name in entry.labels}
        return IndexInfo(
            place=self.place,
            engine=file.engine,
            kind=str(store.pop("kind")),
            rows=rows,
            width=file.width,
            exact_width=file.space.exact_width,
            channels=file.space.channels,
            run=run,
            model=file.space.model,
            corpora=file.corpora,
            recall=file.recall,
            labels=tuple(sorted(labels)),
            made=datetime.fromtimestamp(changed, UTC).isoformat(timespec="seconds"),
            bytes=store.pop("bytes"),
            store=store,
        )

    def stale(self, model: AlignedRun | None = None) -> list[str]:
        """What has changed since it was built, a sentence each: corpora, and the model where it is given or loaded."""
        found = []
        with self._index.opened() as (_, file, build):
            model = model or build.model
        if model is not None and model.checksum != file.space.model:
            found.append(f"{self.place} was built by another model than {model.folder}; build it again")
        for entry in file.corpora:
            try:
                now = CorpusBlocks(entry_of(entry, self.place), BLOCK_ROWS).fingerprint
            except InputError:
                found.append(f"the corpus {entry_of(entry, self.place)} is not there any more, or is damaged")
                continue
            if now != entry.fingerprint:
                found.append(changed(entry, self.place))
        return found

    def add(self, corpora: Any, *, model: AlignedRun | None = None) -> int:
        """Bring corpora up to date, or further ones in; how many windows were embedded.

        Only windows that are new or have changed are embedded, and those that a corpus does not have any more go. Up to
        1,024 at a time are added, each time all or none; what was stopped is done by adding again.

        Raises
        ------
        ConfigError, CorpusError, RetrievalError
            A corpus cannot be used, has channels that the index does not have, or the model is another one.
        """
        opened = open_corpora(corpora)
        added = 0
        with held(self.place, wait=True), self._index.opened() as now:  # nobody builds it anew or adds others meanwhile
            file, build = now.file, now.build
            known = {own.key for own in file.space.channels}
            for blocks in opened.values():
                if foreign := [own.key for own in blocks.info.channels if own.key not in known]:
                    raise RetrievalError(
                        f"{blocks.path} has the channel {foreign[0]!r}, which {self.place} does not have; build the index "
                        "again with all corpora"
                    )
            with self._lock:
                embedder = now.embedder(model)
                for name, blocks in opened.items():
                    added += update_corpus(build.store, build.projection, embedder, name, blocks)
                    file = file.with_corpora((CorpusEntry.of(name, blocks, self.place),))
                    file.write(self.place)
        return added

    def delete(self, ids: Sequence[str] = (), filter: Filter | None = None) -> int:
        """Forget windows by id or corpus/id, and all that a filter admits; how many there were.

        Raises
        ------
        RetrievalError
            There is no window with one of the ids, or no label or corpus that the filter names.
        """
        with held(self.place, wait=True), self._index.opened() as opened:
            opened.check_names(filter or Filter())
            store, hits = opened.build.store, [opened.window(name)[1] for name in ids]
            keys = [key_of(hit.corpus, hit.id) for hit in hits]
            if filter is not None:
                for columns in columns_at(store, store.select(filter)):
                    keys += columns["key"].to_pylist()
            return store.delete(keys)

    def close(self) -> None:
        """Give back what it holds."""
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _query_parts(self, embedder: SpaceEmbedder, text: str | None, vector: NDArray[np.float32]) -> QueryParts:
        search_space = embedder.search_space()
        if text is None:
            return series_parts(search_space, embedder.as_model(vector[None], search_space)[0])
        return embedder.model.reader(search_space).taken_apart(text)


def _seconds(time: datetime) -> int:
    return int(time.replace(tzinfo=UTC).timestamp())
