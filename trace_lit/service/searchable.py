"""What can be searched: one narrow interface, and a corpus that is held in memory behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.figures import corpus_window
from data_modules.input_series import InputSeries
from data_modules.schema import CorpusInfo
from data_modules.splits import SPLITS
from trace_lit.inference import AlignedRun, Hits
from trace_lit.inference.index_search import Within
from trace_lit.retrieval import Filter, Hit, Retriever
from trace_lit.service.errors import ServiceError, UnknownError
from trace_lit.service.windows import window_values

LISTED = 200  # series that are named to clients


@dataclass(frozen=True)
class Question:
    """One of `text`, `series` and `like` is given."""

    text: str | None = None
    series: InputSeries | None = None
    like: str | None = None
    top: int = 5
    explain: bool = False
    filter: Filter = field(default_factory=Filter)
    within: Within | None = None  # both by default where there is an index
    apart: bool = False  # leave out what overlaps the query in time
    diversity: float = 0.0


@dataclass(frozen=True)
class Answer:
    """Hits, best first, and what their scores are of."""

    hits: Hits
    within: Within = "series"


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
    """Windows that a model is asked about. All methods are called in one thread."""

    name: str
    model: AlignedRun
    kept: bool  # in an index

    @property
    def info(self) -> CorpusInfo:
        """What the windows have in common."""

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

    def values(self, hit: Hit) -> dict[str, Any]:
        """The times and values of a window, as the API gives them."""

    def corpora(self) -> dict[str, Corpus]:
        """The corpora that the windows are of, by name."""

    def summary(self) -> Summary:
        """What there is."""


class CorpusSearch:
    """A corpus, embedded by an aligned run when the service starts and held in memory."""

    kept = False

    def __init__(self, name: str, model: AlignedRun, corpus: Corpus) -> None:
        self.name, self.model, self.info, self._corpus = name, model, corpus.info, corpus

    @cached_property
    def _retriever(self) -> Retriever:
        return self.model.retriever(self._corpus)

    def prepare(self) -> None:
        _ = self._retriever, self._columns, self._values

    def corpora(self) -> dict[str, Corpus]:
        return {self.name: self._corpus}

    def embed_texts(self, texts: list[str]) -> NDArray[np.float32]:
        return self.model.texts_for(self._corpus, texts)

    def embed_series(self, windows: list[InputSeries]) -> NDArray[np.float32]:
        return self.model.series_for(self._corpus, windows)

    def answer(self, questions: list[Question]) -> list[Answer]:
        for own in questions:
            if own.within not in (None, "series") or own.apart or own.diversity or own.filter.corpus:
                raise ServiceError(f"within, apart, diversity and of_corpus are for a kept index; {self.name} is none")
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
        hits = [self._hit(float(scores[place]), int(place)) for place in places]
        if question.explain and hits:
            query = question.text if question.text is not None else vector
            hits = self._retriever.explained(hits, self.model.parts_for(self._corpus, query))
        return Answer(Hits(hits, int(admitted.sum())))

    @cached_property
    def _columns(self) -> dict[str, NDArray[Any]]:
        """What is filtered by, in the order of the vectors."""
        rows, corpus = self._retriever.rows, self._corpus
        has_text = np.array([bool(text.strip()) for text in corpus.texts])
        names = ("starts", "ends", "labels", "series_ids", "splits")
        return {"has_text": has_text[rows]} | {name: getattr(corpus, name)[rows] for name in names}

    def _admitted(self, wanted: Filter) -> NDArray[np.bool_]:
        columns, names = self._columns, self.info.label_names
        found = np.ones(len(self._retriever.rows), dtype=bool)
        if wanted.first_second is not None:
            found &= columns["starts"] >= wanted.first_second
        if wanted.last_second is not None:
            found &= columns["ends"] <= wanted.last_second
        if wanted.label:
            if unknown := [name for name in wanted.label if name not in names]:
                raise ServiceError(f"{self.name} has no label {unknown[0]!r}; there are: {', '.join(names) or 'none'}")
            found &= np.isin(columns["labels"], [names.index(name) for name in wanted.label])
        if wanted.series:
            found &= np.isin(columns["series_ids"], wanted.series)
        if wanted.split:
            found &= np.isin(columns["splits"], wanted.split)
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
        return self._hit(1.0, self._retriever.place(self._known(name)))

    def _hit(self, score: float, place: int) -> Hit:
        return replace(self._retriever.hit(score, place), corpus=self.name)  # the name that clients know it by

    @cached_property
    def _values(self) -> Sequence[NDArray[np.floating]]:
        return self._corpus.values()

    def values(self, hit: Hit) -> dict[str, Any]:
        return window_values(corpus_window(self._corpus, hit.row, self._values), self.info.channels)

    def summary(self) -> Summary:
        corpus = self._corpus
        series = list(dict.fromkeys(corpus.series_ids.tolist()))
        return Summary(
            rows=len(corpus),
            splits={name: int((corpus.splits == name).sum()) for name in SPLITS},
            labels={name: int((corpus.labels == number).sum()) for number, name in enumerate(corpus.info.label_names)},
            series=series[:LISTED],
            many_series=len(series),
            with_text=sum(bool(text.strip()) for text in corpus.texts),
            first=time_of(corpus.starts.min()),
            last=time_of(corpus.ends.max()),
        )


def time_of(seconds: Any) -> datetime:
    """Seconds since 1970 as a naive UTC time."""
    return datetime.fromtimestamp(int(seconds), UTC).replace(tzinfo=None)
