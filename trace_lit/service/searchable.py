"""What can be searched: one narrow interface, and a corpus that is held in memory behind it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.figures import Window, corpus_window
from data_modules.input_series import InputSeries
from data_modules.schema import CorpusInfo
from data_modules.splits import SPLITS
from trace_lit.inference import AlignedRun, Hits
from trace_lit.retrieval import Hit, Retriever
from trace_lit.service.errors import ServiceError, UnknownError

LISTED = 200  # series that are named to clients


@dataclass(frozen=True)
class Filter:
    """Which windows may be hits; None admits all."""

    since: datetime | None = None  # naive UTC; windows that begin then or later
    until: datetime | None = None  # windows that have ended then
    label: str | None = None
    series: str | None = None
    split: str | None = None
    with_text: bool = False


@dataclass(frozen=True)
class Question:
    """One of `text`, `series` and `like` is given."""

    text: str | None = None
    series: InputSeries | None = None
    like: str | None = None
    top: int = 5
    explain: bool = False
    filter: Filter = field(default_factory=Filter)


@dataclass(frozen=True)
class Answer:
    """Hits, best first, of the `searched` windows that the filter admits."""

    hits: Hits
    searched: int


@dataclass(frozen=True)
class Summary:
    """What can be asked for."""

    rows: int
    splits: dict[str, int]
    labels: dict[str, int]
    series: list[str]  # the first of them
    many_series: int
    with_text: int
    first: datetime
    last: datetime


class Searchable(Protocol):
    """Windows of one corpus that a model is asked about. All methods are called in one thread."""

    name: str
    model: AlignedRun
    info: CorpusInfo

    def prepare(self) -> None:
        """Do what takes long, before the first question."""

    def answer(self, questions: list[Question]) -> list[Answer]:
        """The answers to N questions; InputError for one that cannot be answered."""

    def embed_texts(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit vectors (N, E) of questions."""

    def embed_series(self, windows: list[InputSeries]) -> NDArray[np.float32]:
        """Unit vectors (N, E) of series, comparable with those of questions."""

    def find(self, name: str) -> Hit:
        """The window with this id, with the score 1; UnknownError where there is none."""

    def window(self, row: int) -> Window:
        """The times, values and text of a window."""

    def corpus(self) -> Corpus:
        """The corpus that the windows are of."""

    def summary(self) -> Summary:
        """What there is."""


class CorpusSearch:
    """A corpus, embedded by an aligned run when the service starts and held in memory."""

    def __init__(self, name: str, model: AlignedRun, corpus: Corpus) -> None:
        self.name, self.model, self.info, self._corpus = name, model, corpus.info, corpus

    @cached_property
    def _retriever(self) -> Retriever:
        return self.model.retriever(self._corpus)

    def prepare(self) -> None:
        _ = self._retriever, self._columns, self._values

    def corpus(self) -> Corpus:
        return self._corpus

    def embed_texts(self, texts: list[str]) -> NDArray[np.float32]:
        return self.model.texts_for(self._corpus, texts)

    def embed_series(self, windows: list[InputSeries]) -> NDArray[np.float32]:
        return self.model.series_for(self._corpus, windows)

    def answer(self, questions: list[Question]) -> list[Answer]:
        vectors = self._vectors(questions)
        scores = vectors @ self._retriever.index.vectors.T  # (Q, M)
        return [self._answer(*own) for own in zip(questions, vectors, scores, strict=True)]

    def _vectors(self, questions: list[Question]) -> NDArray[np.float32]:
        """Of all questions (Q, E), those of a kind together."""
        texts = [(place, own.text) for place, own in enumerate(questions) if own.text is not None]
        series = [(place, own.series) for place, own in enumerate(questions) if own.series is not None]
        vectors = np.zeros((len(questions), self._retriever.index.vectors.shape[1]), np.float32)
        for place, own in enumerate(questions):
            if own.like is not None:
                vectors[place] = self._retriever.vector(self._known(own.like))
        if texts:
            vectors[[place for place, _ in texts]] = self.embed_texts([text for _, text in texts])
        if series:
            vectors[[place for place, _ in series]] = self.embed_series([window for _, window in series])
        return vectors

    def _answer(self, question: Question, vector: NDArray[np.float32], scores: NDArray[np.float32]) -> Answer:
        admitted = self._admitted(question.filter)
        if question.like is not None:
            admitted[self._retriever.place(question.like)] = False
        places = np.flatnonzero(admitted)
        if len(places) > question.top:
            places = places[np.argpartition(-scores[places], question.top - 1)[: question.top]]
        places = places[np.argsort(-scores[places], kind="stable")]
        hits = [self._retriever.hit(float(scores[place]), int(place)) for place in places]
        if question.explain and hits:
            query = question.text if question.text is not None else vector
            hits = self._retriever.explained(hits, self.model.parts_for(self._corpus, query))
        return Answer(Hits(hits), int(admitted.sum()))

    @cached_property
    def _columns(self) -> dict[str, NDArray[Any]]:
        """What is filtered by, in the order of the vectors."""
        rows, corpus = self._retriever.rows, self._corpus
        has_text = np.array([bool(text.strip()) for text in corpus.texts])
        names = ("starts", "ends", "labels", "series_ids", "splits")
        return {"has_text": has_text[rows]} | {name: getattr(corpus, name)[rows] for name in names}

    def _admitted(self, wanted: Filter) -> NDArray[np.bool_]:
        columns = self._columns
        found = np.ones(len(self._retriever.rows), dtype=bool)
        if wanted.since is not None:
            found &= columns["starts"] >= _seconds(wanted.since)
        if wanted.until is not None:
            found &= columns["ends"] <= _seconds(wanted.until)
        if wanted.label is not None:
            if wanted.label not in self.info.label_names:
                known = ", ".join(self.info.label_names) or "none"
                raise ServiceError(f"{self.name} has no label {wanted.label!r}; there are: {known}")
            found &= columns["labels"] == self.info.label_names.index(wanted.label)
        if wanted.series is not None:
            found &= columns["series_ids"] == wanted.series
        if wanted.split is not None:
            found &= columns["splits"] == wanted.split
        if wanted.with_text:
            found &= columns["has_text"]
        return found

    def _known(self, name: str) -> str:
        if name not in self._row_of:
            raise UnknownError(f"{self.name} has no window {name!r}")
        return name

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self._corpus.ids)}

    def find(self, name: str) -> Hit:
        return self._retriever.hit(1.0, self._retriever.place(self._known(name)))

    @cached_property
    def _values(self) -> list[NDArray[np.floating]]:
        return self._corpus.values()

    def window(self, row: int) -> Window:
        return replace(corpus_window(self._corpus, row, self._values), title=str(self._corpus.ids[row]))

    def summary(self) -> Summary:
        corpus, names = self._corpus, self.info.label_names
        series = list(dict.fromkeys(corpus.series_ids.tolist()))
        return Summary(
            rows=len(corpus),
            splits={name: int((corpus.splits == name).sum()) for name in SPLITS},
            labels={name: int((corpus.labels == number).sum()) for number, name in enumerate(names)},
            series=series[:LISTED],
            many_series=len(series),
            with_text=sum(bool(text.strip()) for text in corpus.texts),
            first=_time(int(corpus.starts.min())),
            last=_time(int(corpus.ends.max())),
        )


def _seconds(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
