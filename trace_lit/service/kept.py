"""A kept index behind the service: nothing is embedded when it starts, and it may be larger than the memory."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.figures import corpus_window
from data_modules.input_series import InputSeries
from data_modules.schema import CorpusInfo
from data_modules.splits import SPLITS
from trace_lit.inference import AlignedRun, Index
from trace_lit.inference.index_search import Within
from trace_lit.inference.space import SpaceEmbedder
from trace_lit.retrieval import Filter, Hit, RetrievalError
from trace_lit.service.errors import UnknownError
from trace_lit.service.searchable import LISTED, Answer, Question, Summary, time_of
from trace_lit.service.windows import window_values

_log = logging.getLogger(__name__)


class IndexSearch:
    """The windows of an index, with the run that it was built by."""

    kept = True

    def __init__(self, name: str, model: AlignedRun, index: Index) -> None:
        self.name, self.model, self.index = name, model, index
        self._values: dict[str, tuple[Corpus, Sequence[NDArray[np.floating]]]] = {}  # by name: views

    @cached_property
    def info(self) -> CorpusInfo:
        """What its corpora have in common."""
        opened = list(self.corpora().values())
        return CorpusInfo(
            domain=opened[0].info.domain if len(opened) == 1 else "several",
            name=self.name,
            source="an index",
            channels=self.index.info.channels,
            frequency=opened[0].info.frequency,
            label_names=self.index.info.labels,
            description=opened[0].info.description if len(opened) == 1 else "",
            generated=all(corpus.info.generated for corpus in opened),
        )

    def prepare(self) -> None:
        for words in self.index.stale(self.model):
            _log.warning(words)

    def corpora(self) -> dict[str, Corpus]:
        return {entry.name: self.index.corpus(entry.name) for entry in self.index.file.corpora}

    @property
    def _embedder(self) -> SpaceEmbedder:
        return SpaceEmbedder(self.model, self.index.file.space)

    def embed_texts(self, texts: list[str]) -> NDArray[np.float32]:
        return self._embedder.texts(texts)

    def embed_series(self, windows: list[InputSeries]) -> NDArray[np.float32]:
        return np.concatenate([self._embedder.series(window) for window in windows])

    def answer(self, questions: list[Question]) -> list[Answer]:
        return [self._answer(question) for question in questions]

    def _answer(self, question: Question) -> Answer:
        if question.like is not None:
            self.find(question.like)
        within: Within = "series" if question.text is None else question.within or "both"
        hits = self.index.search(
            question.text,
            model=self.model,
            series=question.series,
            like=question.like,
            top=question.top,
            filter=question.filter,
            within=within,
            apart=question.apart,
            diversity=question.diversity,
            explain=question.explain,
        )
        return Answer(hits, within)

    def find(self, name: str) -> Hit:
        try:
            return self.index.get(name)
        except RetrievalError as error:
            raise UnknownError(str(error).replace(str(self.index.place), self.name)) from None

    def values(self, hit: Hit) -> dict[str, Any]:
        corpus = self.index.corpus(hit.corpus)
        if self._values.get(hit.corpus, (None,))[0] is not corpus:  # not read yet, or changed since
            self._values[hit.corpus] = corpus, corpus.values()
        return window_values(corpus_window(corpus, hit.row, self._values[hit.corpus][1]), corpus.info.channels)

    def summary(self) -> Summary:
        opened = list(self.corpora().values())
        series = list(dict.fromkeys(name for corpus in opened for name in corpus.series_ids.tolist()))
        return Summary(
            rows=len(self.index),
            splits={name: self.index.count(Filter(split=(name,))) for name in SPLITS},
            labels={name: self.index.count(Filter(label=(name,))) for name in self.index.info.labels},
            series=series[:LISTED],
            many_series=len(series),
            with_text=self.index.count(Filter(with_text=True)),
            first=time_of(min(corpus.starts.min() for corpus in opened)),
            last=time_of(max(corpus.ends.max() for corpus in opened)),
        )
