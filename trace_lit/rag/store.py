"""Retrieval is computed once, by one process: the vectors of a memory and the neighbours of a split are kept in files."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from data_modules import Corpus, CorpusError
from data_modules.config import WindowConfig
from data_modules.forecasting import OriginDataset
from data_modules.stitched import Series
from trace_lit.atomic import replacing
from trace_lit.batch import NO_LABEL, Retrieved
from trace_lit.distributed import is_first
from trace_lit.encoder.combination import some
from trace_lit.rag.config import RagConfig
from trace_lit.rag.memory import Memory, Neighbours
from trace_lit.rag.retriever import WindowRetriever
from trace_lit.text.progress import JobProgress

_FEW = 32  # windows whose neighbours are found quickly and not kept: those of a single forecast
_QUERIES = 4096  # windows whose neighbours are searched at once
_NUMBERS = 2**28  # that candidates are compared by, at most: 1 GiB
_FORMAT = 2  # of the files, and of what they are computed by


@dataclass
class RetrievalLookup:
    """The neighbours of a dataset's windows for its batches; they are searched when they are first needed."""

    retrieval: Retrieval
    dataset: OriginDataset

    @cached_property
    def neighbours(self) -> Neighbours:
        """Of all windows of the dataset."""
        return self.retrieval.neighbours(self.dataset)

    def __call__(self, index: Tensor) -> Retrieved:
        own = Neighbours(self.neighbours.number[index], self.neighbours.similarity[index])
        return self.retrieval.memory.look_up(own, self.dataset.corpus.info.channels)

    def of(self, dataset: OriginDataset) -> RetrievalLookup:
        """The same for another dataset."""
        return RetrievalLookup(self.retrieval, dataset)


class Retrieval:
    """Finds the neighbours of the windows of datasets in one corpus.

    Parameters
    ----------
    corpora
        The corpora of candidates and of queries: vectors are compared by the channels of all.
    searched
        The corpus whose windows are candidates, one of `corpora`.
    label_names
        Of a classification.
    transform
        Of the values; continuations are moved to a query on its scale.
    zero_is_missing
        Zeros in a continuation count as missing.
    folder
        Where vectors and neighbours are kept.

    Raises
    ------
    CorpusError
        No window can be a candidate.
    ConfigError
        The look-back is shorter than a patch of the retriever.
    """

    def __init__(
        self,
        retriever: WindowRetriever,
        corpora: Sequence[Corpus],
        searched: Corpus,
        window: WindowConfig,
        rag: RagConfig,
        *,
        task: str = "forecast",
        label_names: Sequence[str] = (),
        transform: str = "none",
        zero_is_missing: bool = False,
        folder: Path,
    ) -> None:
        self.retriever, self.corpora, self.rag, self.folder = retriever, list(corpora), rag, folder
        self.window, self.task = window, task
        self.lookback = rag.lookback or window.lookback or int(searched.lengths.max())
        usual = retriever.usual_distance(self.lookback, window.horizon)
        self.min_distance = usual if rag.min_distance is None else rag.min_distance
        self.searched = searched
        self.seconds = 0.0  # that the computations took, whenever they were done
        self.memory = self._memory(searched, label_names, transform, zero_is_missing)

    def neighbours(self, dataset: OriginDataset) -> Neighbours:
        """Those of all windows of `dataset`.

        Raises
        ------
        CorpusError
            No candidate has steps as long as theirs.
        """
        origins, corpus = dataset.origins, dataset.corpus
        step_length = dataset.series.step_length[origins - 1]
        if len(step_length) and not torch.isin(step_length, self.memory.step_length).any():
            steps, others = (", ".join(sorted(set(own.frequencies))) for own in (corpus, self.searched))
            raise CorpusError(
                f"{self.searched.path} has no window to retrieve for {corpus.path}: its steps are {others}, not {steps}; "
                "search another rag.corpus"
            )

        def compute() -> dict[str, Tensor]:
            windows, seconds, parts = self._windows(corpus, dataset.series, 1), dataset.seconds, []
            with JobProgress("finding neighbours", len(origins), is_first()) as progress:
                for rows in torch.arange(len(origins)).split(_QUERIES):
                    vectors, _ = self.retriever.embed(windows.at(origins[rows]), self.corpora, self.rag.key)
                    compared = self.retriever.comparable(vectors, self._candidates).to(self.retriever.device)
                    asked = seconds[rows], step_length[rows], self.rag.top, self.min_distance
                    parts.append(self.memory.search(compared, *asked))
                    progress.advance(len(rows))
            return {
                "number": torch.cat([part.number for part in parts]),
                "similarity": torch.cat([part.similarity for part in parts]),
            }

        if len(origins) <= _FEW:
            return Neighbours(**compute())
        asked = [corpus.fingerprint, _digest(origins), self.rag.top, self.min_distance, self._compared]
        kept = self._kept(["neighbours", self.memory.fingerprint, *asked], compute)
        return Neighbours(kept["number"], kept["similarity"])

    def _windows(self, corpus: Corpus, series: Series, horizon: int) -> OriginDataset:
        """The retriever's inputs; gaps and zeros are treated as in its training."""
        window = replace(self.window, fill_gaps=False)
        return self.retriever.windows(corpus, series, self.lookback, horizon, window, self.retriever.zero_is_missing)

    @property
    def _compared(self) -> list[Any]:
        keys = {channel.key for corpus in self.corpora for channel in corpus.info.channels}
        slots = [key for key in self.retriever.vocabulary.keys if key in keys]  # as vectors hold them
        return [self.rag.key, self.lookback, slots]

    def _memory(self, corpus: Corpus, label_names: Sequence[str], transform: str, zero_is_missing: bool) -> Memory:
        window, rag = self.window, self.rag
        series = Series.of(corpus, window.split)
        windows, forecasts = series.windows, self.task == "forecast"
        if forecasts:
            origins = series.candidate_origins(self.lookback, window.horizon, rag.splits)
            origins = origins[(origins - self.lookback - series.begun[origins - 1]) % rag.stride == 0]
            label = torch.full((len(origins),), NO_LABEL)
        else:
            names = corpus.info.label_names
            of_corpus = [label_names.index(name) if name in label_names else NO_LABEL for name in names]
            numbers = np.array([*of_corpus, NO_LABEL])[corpus.labels.clip(min=-1)]
            rows = np.flatnonzero(np.isin(corpus.splits, list(rag.splits)) & (numbers != NO_LABEL))[:: rag.stride]
            origins = (windows.first + windows.length)[torch.from_numpy(rows)]
            label = torch.from_numpy(numbers[rows].astype(np.int64))
        if not len(origins):
            asked = (
                f"with a look-back of {self.lookback} and a horizon of {window.horizon} steps"
                if forecasts
                else "labelled"
            )
            raise CorpusError(
                f"{corpus.path} has no window to retrieve in rag.splits={list(rag.splits)} {asked}; name other splits, "
                "lower rag.lookback or window.horizon, or search another rag.corpus"
            )
        few = self._some_of(origins, corpus, series)
        origins, label = origins[few], label[few]
        known = series.known(origins, window.horizon)
        order = known.argsort(stable=True)
        origins, known, label = origins[order], known[order], label[order]
        horizon = window.horizon if forecasts else 0
        candidates = self.retriever.windows(corpus, series, self.lookback, horizon, window, zero_is_missing)
        # Once a candidate is admissible, the reports on its continuation have been written.
        candidates = candidates.at(origins, text_horizon=horizon)

        def compute() -> dict[str, Tensor]:
            seen = self._windows(corpus, series, horizon).at(origins)
            vectors, at_cls = self.retriever.embed(seen, self.corpora, rag.key)
            return {"vectors": vectors, "series": at_cls, "text": self.retriever.embed_texts(candidates.texts)}

        texts = [horizon, window.max_texts]
        key = [self.retriever.fingerprint, corpus.fingerprint, _digest(origins), *texts, self._compared]
        kept = self._kept(["memory", *key], compute)
        self._candidates = kept["vectors"]
        return Memory(
            windows=candidates,
            vectors=self.retriever.comparable(kept["vectors"], kept["vectors"]),
            series=kept["series"],
            text=kept["text"],
            known=known,
            step_length=series.step_length[origins - 1],
            series_number=series.number[origins - 1],
            origin=origins,
            label=label,
            label_names=tuple(label_names),
            transform=transform,
            fingerprint=_name([*key, window.horizon, list(rag.splits)]),
        )

    def _some_of(self, origins: Tensor, corpus: Corpus, series: Series) -> Tensor:
        """The places of the candidates, at most `rag.candidates` and as many as have room in memory, drawn at random.

        Every n-th would stand at the same hours of the day.
        """
        places, most = torch.arange(len(origins)), self.rag.candidates or len(origins)
        if len(origins) > _QUERIES:
            vectors, _ = self.retriever.embed(
                self._windows(corpus, series, 1).at(origins[:1]), self.corpora, self.rag.key
            )
            most = min(most, max(_NUMBERS // max(vectors.numel(), 1), self.rag.top))
        return some(places, most)

    def _kept(self, key: list[Any], compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """What `compute` returns: from the file named by `key`, or computed now, by one process, and put there."""
        path = self.folder / f"{key[0]}-{_name(key)}.pt"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if not path.is_file():
                began = time.perf_counter()
                found = compute()
                seconds = torch.tensor(time.perf_counter() - began)
                with replacing(path) as file:
                    torch.save({**found, "seconds": seconds}, file)
            kept: dict[str, Tensor] = torch.load(path, weights_only=True)
        self.seconds += float(kept.pop("seconds"))
        return kept


def _digest(numbers: Tensor) -> str:
    return hashlib.sha256(numbers.numpy().tobytes()).hexdigest()


def _name(key: list[Any]) -> str:
    return hashlib.sha256(json.dumps([_FORMAT, *key]).encode()).hexdigest()[:24]
