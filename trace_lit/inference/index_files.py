"""What lies in the folder of an index beside its store: `index.json` and the projection."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from trace_lit.atomic import write_atomically
from trace_lit.channels import Channel
from trace_lit.errors import first_line
from trace_lit.holding import held
from trace_lit.inference.parts import CorpusEntry
from trace_lit.inference.space import Space
from trace_lit.plain import PlainError, read_json, to_json
from trace_lit.retrieval import RetrievalError
from trace_lit.retrieval.stores import FaissStore, MilvusStore, Store

FORMAT = 1
ENGINES = ("faiss", "milvus")
URI = "TRACE_LIT_MILVUS_URI"  # the cluster that the user means
INDEX_FILE, PROJECTION_FILE = "index.json", "projection.npy"
_STORE, _MILVUS = "store", "milvus.db"
_SWAP = 0.1  # seconds that a build takes at most between its two renames


@dataclass(frozen=True)
class IndexInfo:
    """What an index is."""

    place: Path
    engine: str  # faiss or milvus
    kind: str  # how compact vectors are searched: exact, ivf-sq8, …
    rows: int
    width: int  # of the compact vectors
    exact_width: int
    channels: tuple[Channel, ...]
    run: Path | str  # that it was built by
    model: str  # its checksum
    corpora: tuple[CorpusEntry, ...]
    recall: dict[str, float]  # of questions by series and by texts: share of the exact ten best among the candidates
    labels: tuple[str, ...]
    made: str  # when it was last changed, ISO 8601 in UTC
    bytes: int | None  # on the disk; None in a cluster
    store: dict[str, Any]  # what else the store has to say

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        channels = [{"name": own.name, "unit": own.unit, "description": own.description} for own in self.channels]
        corpora = [vars(own) for own in self.corpora]
        return {**vars(self), "place": str(self.place), "run": str(self.run), "channels": channels, "corpora": corpora}


@dataclass(frozen=True)
class IndexFile:
    """What index.json says."""

    engine: str
    uri: str | None  # of a cluster
    collection: str | None
    space: Space
    width: int  # of the compact vectors
    corpora: tuple[CorpusEntry, ...]
    recall: dict[str, float] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write it, in full or not at all."""
        plain = {
            "format": FORMAT,
            **vars(self),
            "space": self.space.as_dict(),
            "corpora": list(map(asdict, self.corpora)),
        }
        write_atomically(folder / INDEX_FILE, to_json(plain))

    @classmethod
    def read(cls, folder: Path) -> IndexFile:
        """That of the index in `folder`.

        Raises
        ------
        RetrievalError
            It is not there, damaged, or of another version.
        """
        path = folder / INDEX_FILE
        try:
            plain = read_json(path)
            if plain["format"] != FORMAT:
                raise RetrievalError(f"{path} has the format {plain['format']!r}; this program reads {FORMAT}")
            if plain["engine"] not in ENGINES:
                raise RetrievalError(f"{path} names the engine {plain['engine']!r}; there are {', '.join(ENGINES)}")
            return cls(
                engine=plain["engine"],
                uri=None if plain["uri"] is None else str(plain["uri"]),
                collection=None if plain["collection"] is None else str(plain["collection"]),
                space=Space.from_dict(plain["space"]),
                width=int(plain["width"]),
                corpora=tuple(map(CorpusEntry.from_dict, plain["corpora"])),
                recall={str(name): float(value) for name, value in plain["recall"].items()},
            )
        except FileNotFoundError:
            raise RetrievalError(
                f"{folder} is no index: it holds no {INDEX_FILE}; `trace-lit index build RUN --corpus C --out {folder}` "
                "makes one"
            ) from None
        except RetrievalError:
            raise
        except (OSError, PlainError, KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise RetrievalError(f"{path} is damaged ({first_line(error)}); build the index again") from None

    def with_corpora(self, entries: tuple[CorpusEntry, ...]) -> IndexFile:
        """With these in the place of those of their names."""
        by_name = {own.name: own for own in (*self.corpora, *entries)}
        return replace(self, corpora=tuple(by_name.values()))

    def new_store(self, folder: Path, kind: str, queries: Any, token: str | None) -> Store:
        """An empty store."""
        exact_width = self.space.exact_width
        if self.engine == "faiss":
            return FaissStore.create(folder / _STORE, self.width, exact_width, kind, queries)
        uri = self.uri or str(folder / _MILVUS)
        return MilvusStore.create(uri, self.collection or "", self.width, exact_width, kind, token)

    @property
    def opens_once(self) -> bool:
        """Whether its store is a file that a process cannot have open twice, not even after another took its place."""
        return self.engine == "milvus" and self.uri is None

    def drop(self, uri: str | None, token: str | None) -> None:
        """Drop the collection of a cluster that `uri` or the environment names: another one has taken its place."""
        if self.uri is not None and self.collection is not None and self.uri == _meant(uri):
            MilvusStore.drop(self.uri, self.collection, token)

    def store(self, folder: Path, uri: str | None, token: str | None) -> Store:
        """The store, opened; a cluster only if `uri`, or the environment, names the same one as the file."""
        if self.engine == "faiss":
            return FaissStore(folder / _STORE)
        if self.uri is not None and self.uri != _meant(uri):
            raise RetrievalError(
                f"{folder} keeps its vectors in the Milvus at {self.uri}; if that is yours, name it by ${URI} (uri=…): "
                "an index may be somebody else's, and a token is sent to it"
            )
        return MilvusStore(self.uri or str(folder / _MILVUS), self.collection or "", token)


def hidden(place: Path, what: str) -> Path:
    """Beside an index, the one that is being built ("building"), and the one that it replaces ("old")."""
    return place.with_name(f".{place.name}.{what}")


def has_index(place: Path) -> bool:
    """Whether an index stands at `place`, or will again when it is opened."""
    return (place / INDEX_FILE).is_file() or _left_between(place)


def _left_between(place: Path) -> bool:
    """Whether a build is between its two renames, or was killed there."""
    return not place.exists() and hidden(place, "old").is_dir()


def settle(place: Path, uri: str | None, token: str | None) -> None:
    """Do what is left of a build once its index is complete: a build's own end, and what follows one that was killed.

    The index stands at `place`, the one that it replaces is removed, and so is its collection in a cluster. To be called
    by who holds `place`.
    """
    building, old = hidden(place, "building"), hidden(place, "old")
    if _left_between(place):  # then the new one is complete
        (building if (building / INDEX_FILE).is_file() else old).rename(place)
    if old.is_dir():
        try:
            before = IndexFile.read(old)
        except RetrievalError:  # it is damaged
            before = None
        if before is not None:
            before.drop(uri, token)
        shutil.rmtree(old, ignore_errors=True)


def settle_if_killed(place: Path, uri: str | None, token: str | None) -> bool:
    """Whether `place` was left without its index, by a build that was killed between its two renames; then, `settle`.

    Raises
    ------
    RetrievalError
        The folder cannot be written.
    """
    if not _left_between(place):
        return False
    time.sleep(_SWAP)  # of a build that is going on
    if _left_between(place):
        try:
            with held(place, wait=True):
                settle(place, uri, token)
        except OSError as error:
            raise RetrievalError(
                f"a build of {place} was stopped before its index had its name, and {place.parent} cannot be written "
                f"({error.strerror}); open the index once as who may write there"
            ) from None
    return True


def _meant(uri: str | None) -> str | None:
    """The cluster that the user means: an index may be somebody else's, and a token is sent to it."""
    return uri or os.environ.get(URI)
