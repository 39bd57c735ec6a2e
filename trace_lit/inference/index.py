"""An index that is kept: the windows of corpora with their vectors, for questions to an aligned run."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
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
from trace_lit.inference.index_files import INDEX_FILE, PROJECTION_FILE, IndexFile, IndexInfo, settle_if_killed
from trace_lit.inference.index_search import Question, Within, check_search, explained, hits_of, ranked
from trace_lit.inference.index_update import columns_at, update_corpus
from trace_lit.inference.inputs import read_window
from trace_lit.inference.load import load_as
from trace_lit.inference.parts import CorpusEntry
from trace_lit.inference.query_parts import series_parts
from trace_lit.inference.space import BLOCK_ROWS, UNIVERSAL, SpaceEmbedder, open_corpora
from trace_lit.retrieval import Hit, RetrievalError
from trace_lit.retrieval.explanation import QueryParts
from trace_lit.retrieval.filters import Filter, Span
from trace_lit.retrieval.projection import Projection
from trace_lit.retrieval.stores import Store, key_of

_NEAR = 20_000  # windows, up to which those with similar ids are named


@dataclass(eq=False)
class _Build:
    """What one build has made, and what is known of it."""

    projection: Projection
    store: Store
    searches: int = 0  # that are going on
    model: AlignedRun | None = None
    corpora: dict[str, Corpus] = field(default_factory=dict)


class _Opened(NamedTuple):
    """An index at one moment."""

    file: IndexFile
    build: _Build


class Index:
    """Windows of corpora with their vectors, kept in a folder; `Index.open` and `Index.build` make one.

    Searching may go on in several threads and processes; one process at a time writes, and the others see it, also where
    corpora are added or the index is built anew.
    """

    def __init__(self, place: Path, uri: str | None, token: str | None) -> None:
        self.place, self._access = place, (uri, token)
        self._now: _Opened | None = None
        self._seen: tuple[tuple[int, int], ...] = ()
        self._following = threading.Condition()
        self._lock = threading.Lock()  # of the model, which learns the channels of one index at a time
        with self._opened():
            pass

    @property
    def file(self) -> IndexFile:
        """What index.json says now."""
        with self._opened() as (file, _):
            return file

    @property
    def projection(self) -> Projection:
        """What makes the compact vectors now."""
        with self._opened() as (_, build):
            return build.projection

    @property
    def store(self) -> Store:
        """What holds the vectors now."""
        with self._opened() as (_, build):
            return build.store

    @contextmanager
    def _opened(self) -> Iterator[_Opened]:
        """The index as it is now, which stays open until the end; not to be entered again within."""
        with self._following:
            now = self._followed()
            now.build.searches += 1
        try:
            yield now
        finally:
            with self._following:
                now.build.searches -= 1
                if self._now is not None and now.build is not self._now.build and not now.build.searches:
                    now.build.store.close()
                self._following.notify_all()

    def _followed(self) -> _Opened:
        """The index with what other processes have made of it: further or changed corpora, or a new one in its place."""
        while True:
            stamps, old = _stamps(self.place, self._access), self._now
            if old is not None and stamps == self._seen:
                return old
            try:
                file = IndexFile.read(self.place)
                if old is not None and stamps[1] == self._seen[1]:  # a projection is of one build
                    build = old.build
                elif old is not None and old.build.searches and old.file.opens_once and file.opens_once:
                    self._following.wait()
                    continue
                else:
                    build = self._open_build(file)
            except RetrievalError:
                if _stamps(self.place, self._access) == stamps:
                    raise
                continue  # a build has taken its place meanwhile
            if _stamps(self.place, self._access)[1] != stamps[1]:
                if old is None or build is not old.build:
                    build.store.close()
                continue
            self._now, self._seen = _Opened(file, build), stamps
            if old is not None and build is not old.build and not old.build.searches:
                old.build.store.close()

    def _open_build(self, file: IndexFile) -> _Build:
        if self._now is not None and self._now.file.opens_once and file.opens_once:
            self._now.build.store.close()
        projection = Projection.load(self.place / PROJECTION_FILE)
        build = _Build(projection, file.store(self.place, *self._access))
        try:
            self._check_widths(file, build)
        except RetrievalError:
            build.store.close()
            raise
        return build

    def _check_widths(self, file: IndexFile, build: _Build) -> None:
        """Raise RetrievalError where the files of the index do not belong to each other."""
        exact, compact = file.space.exact_width, file.width
        windows = build.projection.windows
        matrix = (exact, compact) if windows is None else windows.shape
        own = (build.store.exact_width, build.store.width)
        if matrix != (exact, compact) or own != (exact, compact) or (windows is None and exact != compact):
            raise RetrievalError(
                f"{self.place / INDEX_FILE} speaks of vectors of {exact} and {compact} numbers, {PROJECTION_FILE} of "
                f"{matrix[0]} and {matrix[1]}, the store of {own[0]} and {own[1]}: a file is damaged, or of another index; "
                "build the index again"
            )

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
        with self._opened() as (file, build):
            store = build.store
            self._check_names(file, filter)
            without, span, vector = None, None, None
            if like is not None:
                without, hit = self._window(file, store, like)
                vector = store.exact(np.array([without]))[0]
                span = Span(_seconds(hit.start), _seconds(hit.end), hit.corpus, hit.series)
            elif vectors is not None:
                vector = np.asarray(vectors, np.float32).reshape(-1)
                if len(vector) != file.space.exact_width:
                    raise RetrievalError(f"the vector has {len(vector)} numbers, not {file.space.exact_width}")
            window = None if series is None else read_window(series, file.space.channels)
            if window is not None and window.times is not None:
                step = (
                    window.times[-1] - window.times[-2] if len(window.times) > 1 else window.times[-1] - window.times[0]
                )
                span = Span(_seconds(window.times[0]), _seconds(window.times[-1] + step))
            if apart and span is None:
                raise ConfigError(
                    "apart is for a query with times: an instance of the index, or a series with its times"
                )
            if vector is None:
                with self._lock:
                    embedder = self._embedder(file, build, model)
                    vector = (embedder.texts([text]) if text is not None else embedder.series(window))[0]
            question = Question(
                vector=vector,
                words=text or "",
                within=within if text is not None else "series",
                filter=replace(filter, apart=span) if apart else filter,
                top=top,
                candidates=max(candidates, top),
                diversity=diversity,
                without=without,
            )
            found = ranked(store, build.projection, question)
            hits = hits_of(store, found.places, found.scores)
            if explain and hits:
                with self._lock:
                    embedder = self._embedder(file, build, model)
                    parts = self._query_parts(embedder, text, vector)
                    hits = explained(hits, found, store, question.filter, parts, embedder)
            return Hits(hits)

    def get(self, name: str, corpus: str | None = None) -> Hit:
        """The window with the id `name`, or corpus/id.

        Raises
        ------
        RetrievalError
            There is none, or several corpora have it.
        """
        with self._opened() as (file, build):
            return self._window(file, build.store, name if corpus is None else f"{corpus}/{name}")[1]

    def vectors(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """The exact unit vectors (n, E) of windows, by id or corpus/id."""
        with self._opened() as (file, build):
            return build.store.exact(np.array([self._window(file, build.store, name)[0] for name in ids]))

    def corpus(self, name: str | None = None) -> Corpus:
        """The corpus of that name, or the only one, as the index knows it.

        Raises
        ------
        RetrievalError
            There is none of that name, or it has changed since.
        CorpusError
            It is not there any more.
        """
        with self._opened() as (file, build):
            entry = self._entry(file, name)
            known = build.corpora.get(entry.name)
            if known is None or known.fingerprint != entry.fingerprint:
                known = Corpus.load(entry_of(entry, self.place))
                if known.fingerprint != entry.fingerprint:
                    raise RetrievalError(_changed(entry, self.place))
                build.corpora[entry.name] = known
            return known

    def count(self, filter: Filter = Filter()) -> int:  # noqa: B008
        """How many windows there are that the filter admits."""
        with self._opened() as (_, build):
            return build.store.count(filter)

    def __len__(self) -> int:
        return self.count()

    @property
    def info(self) -> IndexInfo:
        """What it is, and what is in it."""
        with self._opened() as (file, build):
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
        with self._opened() as (file, build):
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
                found.append(_changed(entry, self.place))
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
        with (
            held(self.place, wait=True),
            self._opened() as (file, build),
        ):  # nobody builds it anew or adds others meanwhile
            known = {own.key for own in file.space.channels}
            for blocks in opened.values():
                if foreign := [own.key for own in blocks.info.channels if own.key not in known]:
                    raise RetrievalError(
                        f"{blocks.path} has the channel {foreign[0]!r}, which {self.place} does not have; build the index "
                        "again with all corpora"
                    )
            with self._lock:
                embedder = self._embedder(file, build, model)
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
        with held(self.place, wait=True), self._opened() as (file, build):
            self._check_names(file, filter or Filter())
            hits = [self._window(file, build.store, name)[1] for name in ids]
            keys = [key_of(hit.corpus, hit.id) for hit in hits]
            if filter is not None:
                for columns in columns_at(build.store, build.store.select(filter)):
                    keys += columns["key"].to_pylist()
            return build.store.delete(keys)

    def close(self) -> None:
        """Give back what it holds."""
        if self._now is not None:
            self._now.build.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _embedder(self, file: IndexFile, build: _Build, model: AlignedRun | None) -> SpaceEmbedder:
        """The model that is given, or the one that the index names, if it is that which built the index."""
        space = file.space
        if model is None:
            if build.model is None:
                place = UNIVERSAL if space.run == UNIVERSAL else (self.place / space.run).resolve()
                build.model = load_as(place, AlignedRun, "align")
            model = build.model
        if model.checksum != space.model:
            raise RetrievalError(f"{self.place} was built by another model than {model.folder}; build the index again")
        return SpaceEmbedder(model, space)

    def _query_parts(self, embedder: SpaceEmbedder, text: str | None, vector: NDArray[np.float32]) -> QueryParts:
        search_space = embedder.search_space()
        if text is None:
            return series_parts(search_space, embedder.as_model(vector[None], search_space)[0])
        return embedder.model.reader(search_space).taken_apart(text)

    def _window(self, file: IndexFile, store: Store, name: str) -> tuple[Any, Hit]:
        """The place of the window with this id, or corpus/id, and the window as a hit."""
        corpus, _, own = name.partition("/")
        names = [entry.name for entry in file.corpora]
        keys = [key_of(each, name) for each in names] + ([key_of(corpus, own)] if corpus in names else [])
        places = store.find(keys)
        if len(places) == 1:
            return places[0], hits_of(store, places, np.ones(1, np.float32))[0]
        if len(places):
            where = ", ".join(sorted(hit.corpus for hit in hits_of(store, places, np.ones(len(places), np.float32))))
            raise RetrievalError(f"several corpora have {name!r}: {where}; write corpus/id")
        raise RetrievalError(f"{self.place} has no window {name!r}{self._near(store, own or name)}")

    def _near(self, store: Store, name: str) -> str:
        if store.count(Filter()) > _NEAR:
            return ""
        every = store.select(Filter())
        ids = [own for columns in columns_at(store, every) for own in columns["id"].to_pylist()]
        return f"; near are {', '.join(map(repr, difflib.get_close_matches(name, ids, n=3, cutoff=0.0)))}"

    def _check_names(self, file: IndexFile, filter: Filter) -> None:
        """Raise RetrievalError for a label or a corpus that no window can have."""
        labels = sorted({name for entry in file.corpora for name in entry.labels})
        corpora = [entry.name for entry in file.corpora]
        for what, given, known in (("label", filter.label, labels), ("corpus", filter.corpus, corpora)):
            if unknown := [name for name in given if name not in known]:
                names = ", ".join(known) or "none"
                raise RetrievalError(f"{self.place} has no {what} {unknown[0]!r}; there are: {names}")

    def _entry(self, file: IndexFile, name: str | None) -> CorpusEntry:
        names = ", ".join(entry.name for entry in file.corpora)
        if name is None:
            if len(file.corpora) != 1:
                raise RetrievalError(f"{self.place} has several corpora ({names}); name one")
            return file.corpora[0]
        found = next((entry for entry in file.corpora if entry.name == name), None)
        if found is None:
            raise RetrievalError(f"{self.place} has no corpus {name!r}; it has {names}")
        return found


def _stamps(place: Path, access: tuple[str | None, str | None]) -> tuple[tuple[int, int], ...]:
    """By which a change of index.json, and of the projection, shows."""
    try:
        found = [(place / name).stat() for name in (INDEX_FILE, PROJECTION_FILE)]
    except OSError:
        if settle_if_killed(place, *access):
            return _stamps(place, access)
        IndexFile.read(place)  # says what is wrong with it
        raise RetrievalError(f"{place} is damaged: {PROJECTION_FILE} cannot be read; build the index again") from None
    return tuple((about.st_mtime_ns, about.st_ino) for about in found)


def _changed(entry: CorpusEntry, place: Path) -> str:
    path = entry_of(entry, place)
    add = f"trace-lit index add {place} --corpus {path}"
    return f"the corpus {path} has changed since it was indexed; `{add}` brings it up to date"


def _seconds(time: datetime) -> int:
    return int(time.replace(tzinfo=UTC).timestamp())
