"""An index that is open: it follows what other processes make of it, and finds windows by their names."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from data_modules.corpus import Corpus
from trace_lit.inference.aligned import AlignedRun
from trace_lit.inference.index_build import entry_of
from trace_lit.inference.index_files import INDEX_FILE, PROJECTION_FILE, IndexFile, settle_if_killed
from trace_lit.inference.index_search import hits_of
from trace_lit.inference.index_update import columns_at
from trace_lit.inference.load import load_as
from trace_lit.inference.parts import CorpusEntry
from trace_lit.inference.space import UNIVERSAL, SpaceEmbedder
from trace_lit.retrieval import Hit, RetrievalError
from trace_lit.retrieval.filters import Filter
from trace_lit.retrieval.projection import Projection
from trace_lit.retrieval.stores import Store, key_of

_NEAR = 20_000  # windows, up to which those with similar ids are named


@dataclass(eq=False)
class Build:
    """What one build has made, and what is known of it."""

    projection: Projection
    store: Store
    searches: int = 0  # that are going on
    model: AlignedRun | None = None
    corpora: dict[str, Corpus] = field(default_factory=dict)


class Opened(NamedTuple):
    """An index at one moment."""

    place: Path
    file: IndexFile
    build: Build

    def embedder(self, model: AlignedRun | None) -> SpaceEmbedder:
        """The model that is given, or the one that the index names, if it is that which built the index."""
        space, build = self.file.space, self.build
        if model is None:
            if build.model is None:
                place = UNIVERSAL if space.run == UNIVERSAL else (self.place / space.run).resolve()
                build.model = load_as(place, AlignedRun, "align")
            model = build.model
        if model.checksum != space.model:
            raise RetrievalError(f"{self.place} was built by another model than {model.folder}; build the index again")
        return SpaceEmbedder(model, space)

    def window(self, name: str) -> tuple[Any, Hit]:
        """The place of the window with this id, or corpus/id, and the window as a hit."""
        store = self.build.store
        corpus, _, own = name.partition("/")
        names = [entry.name for entry in self.file.corpora]
        keys = [key_of(each, name) for each in names] + ([key_of(corpus, own)] if corpus in names else [])
        places = store.find(keys)
        if len(places) == 1:
            return places[0], hits_of(store, places, np.ones(1, np.float32))[0]
        if len(places):
            where = ", ".join(sorted(hit.corpus for hit in hits_of(store, places, np.ones(len(places), np.float32))))
            raise RetrievalError(f"several corpora have {name!r}: {where}; write corpus/id")
        raise RetrievalError(f"{self.place} has no window {name!r}{self._near(own or name)}")

    def _near(self, name: str) -> str:
        store = self.build.store
        if store.count(Filter()) > _NEAR:
            return ""
        every = store.select(Filter())
        ids = [own for columns in columns_at(store, every) for own in columns["id"].to_pylist()]
        return f"; near are {', '.join(map(repr, difflib.get_close_matches(name, ids, n=3, cutoff=0.0)))}"

    def check_names(self, filter: Filter) -> None:
        """Raise RetrievalError for a label or a corpus that no window can have."""
        labels = sorted({name for entry in self.file.corpora for name in entry.labels})
        corpora = [entry.name for entry in self.file.corpora]
        for what, given, known in (("label", filter.label, labels), ("corpus", filter.corpus, corpora)):
            if unknown := [name for name in given if name not in known]:
                names = ", ".join(known) or "none"
                raise RetrievalError(f"{self.place} has no {what} {unknown[0]!r}; there are: {names}")

    def entry(self, name: str | None) -> CorpusEntry:
        """What is known of the corpus of that name, or of the only one."""
        corpora = self.file.corpora
        names = ", ".join(entry.name for entry in corpora)
        if name is None:
            if len(corpora) != 1:
                raise RetrievalError(f"{self.place} has several corpora ({names}); name one")
            return corpora[0]
        found = next((entry for entry in corpora if entry.name == name), None)
        if found is None:
            raise RetrievalError(f"{self.place} has no corpus {name!r}; it has {names}")
        return found

    def corpus(self, name: str | None) -> Corpus:
        """The corpus of that name, or the only one, as the index knows it."""
        entry = self.entry(name)
        known = self.build.corpora.get(entry.name)
        if known is None or known.fingerprint != entry.fingerprint:
            known = Corpus.load(entry_of(entry, self.place))
            if known.fingerprint != entry.fingerprint:
                raise RetrievalError(changed(entry, self.place))
            self.build.corpora[entry.name] = known
        return known


class OpenIndex:
    """The index in a folder, which several threads and processes search while one writes."""

    def __init__(self, place: Path, uri: str | None, token: str | None) -> None:
        self.place, self._access = place, (uri, token)
        self._now: Opened | None = None
        self._seen: tuple[tuple[int, int], ...] = ()
        self._following = threading.Condition()
        with self.opened():
            pass

    @contextmanager
    def opened(self) -> Iterator[Opened]:
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

    def _followed(self) -> Opened:
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
            self._now, self._seen = Opened(self.place, file, build), stamps
            if old is not None and build is not old.build and not old.build.searches:
                old.build.store.close()

    def _open_build(self, file: IndexFile) -> Build:
        if self._now is not None and self._now.file.opens_once and file.opens_once:
            self._now.build.store.close()
        projection = Projection.load(self.place / PROJECTION_FILE)
        build = Build(projection, file.store(self.place, *self._access))
        try:
            self._check_widths(file, build)
        except RetrievalError:
            build.store.close()
            raise
        return build

    def _check_widths(self, file: IndexFile, build: Build) -> None:
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

    def close(self) -> None:
        """Give back what it holds."""
        if self._now is not None:
            self._now.build.store.close()


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


def changed(entry: CorpusEntry, place: Path) -> str:
    """What to do where a corpus is not as it was indexed."""
    path = entry_of(entry, place)
    add = f"trace-lit index add {place} --corpus {path}"
    return f"the corpus {path} has changed since it was indexed; `{add}` brings it up to date"
