"""A tuned run in use, or a baseline: forecasts and probabilities for windows of a corpus or of one's own."""

from __future__ import annotations

import dataclasses
import difflib
import logging
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from data_modules.corpus import Corpus, CorpusError, CorpusInfo, Record
from data_modules.forecasting import OriginDataset, check_labels
from data_modules.frequency import Frequency
from data_modules.input_series import InputSeries
from data_modules.stitched import Series
from data_modules.text_table import text_table
from data_modules.vocabulary import foreign_vocabulary
from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import ConfigError
from trace_lit.inference.inputs import read_input
from trace_lit.inference.loaded import LoadedRun, encoder_of, whole_vectors
from trace_lit.inference.predictions import Asked, Predictions, Predictor, predictions_for
from trace_lit.models import CLASSIFIERS
from trace_lit.modules.checkpoint import Checkpoint, CheckpointError
from trace_lit.modules.tuned_model import lookback_of, predictions_of, restore_model
from trace_lit.plain import at_home
from trace_lit.rag import Retrieval, RetrievalForecastModel, RetrievalLookup, WindowRetriever
from trace_lit.runs.folder import Place, folder_of
from trace_lit.settings import combines_texts, retrieves
from trace_lit.tuning.neighbours import build_retrieval, check_unchanged, fingerprints, open_retriever
from trace_lit.tuning.statistics import StatisticsClassifier, restore_classifiers

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)
_NO_TIME = datetime(1970, 1, 1)  # stands where a series has no times; nobody gets to see it


class Needs(NamedTuple):
    """What a series of one's own must have for a run to take it."""

    steps: int
    times: bool
    channels: tuple[str, ...]  # keys


class TunedRun(LoadedRun):
    """A run of stage tune, baselines included.

    Parameters
    ----------
    retriever, corpus
        Where the retriever and the corpus that neighbours are looked for in are now, in place of those that the run names.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: torch.device,
        retriever: Place | None = None,
        corpus: Corpus | str | Path | None = None,
        trust: bool = False,
    ) -> None:
        super().__init__(checkpoint, device)
        self._trust = trust
        if retriever is not None:
            self.use_retriever(retriever)
        self._searched = corpus
        self._models: dict[tuple[str, ...], nn.Module] = {}
        self._series: dict[str, Series] = {}
        self._retrievals: dict[tuple[str, frozenset[str]], Retrieval] = {}

    def use_retriever(self, retriever: Place) -> None:
        """Find neighbours with the run of stage align that is `retriever` now."""
        self.config.rag.retriever = str(folder_of(retriever))

    def search_in(self, corpus: Corpus) -> None:
        """Look for neighbours in `corpus`, which is that of `rag.corpus`, opened."""
        self._searched = corpus

    def predict(self, data: Any, *, corpus: Corpus | str | Path | None = None) -> pd.DataFrame:
        """The forecast after the end of a series, or the probabilities of its labels.

        Parameters
        ----------
        data
            A DataFrame, an array (C, T) or the path of a CSV file, see `embed_series`. The window is its end; a shorter
            one is taken as it is. A step without a row is missing.
        corpus
            The corpus that the series is like, where the run has several of different frequencies.

        Returns
        -------
        pandas.DataFrame
            Of a forecast, a row a channel and step: channel, unit, step (from 1), time (UTC, where it is known), forecast
            and a column a quantile (`head.quantiles`), all in the channel's unit. Of a classifier, a row with a column a
            label: its probability.

        Raises
        ------
        CorpusError
            The series cannot be read, or lacks what the run needs.
        CheckpointError
            The retriever, or the corpus that is searched, is not there.

        Examples
        --------
        >>> forecaster = trace_lit.load("runs/weather/tune/first")  # doctest: +SKIP
        >>> forecaster.predict(frame)[["channel", "time", "forecast"]]  # doctest: +SKIP
        """
        if data is None:
            raise CorpusError(
                "predict needs a series: a DataFrame, an array (channels, steps) or the path of a CSV file"
            )
        predictions = self.predictions(Asked(corpus=corpus, series=data))
        frame = predictions.table().to_pandas()
        if predictions.label_names:
            return frame[list(predictions.label_names)]
        times = ["time"] if predictions.timed else []
        return frame[["channel", "unit", "step", *times, *predictions.forecasts]]

    def predictions(self, asked: Asked) -> Predictions:
        """What the run predicts for the windows that are asked for, and what is known about them.

        Raises
        ------
        CheckpointError, ConfigError, CorpusError
            The windows are not there, or cannot be used with this run.
        """
        timed = True
        if asked.series is None:
            corpus = self.corpus(asked.corpus)
            like = None
        else:
            like = None if asked.corpus is None else self.corpus(asked.corpus)
            corpus, timed = self._in_memory(asked.series, like)
            asked = dataclasses.replace(asked, ids=(), last=True)
        vocabulary = foreign_vocabulary([corpus], lambda: self.text_encoder, self.vocabulary)
        dataset = self._windows(corpus, vocabulary, asked)
        looks = retrieves(self.config) and (timed or not self._can_do_without)
        if looks and (searched := self._corpus_to_search(dataset.corpus, like)) is not None:
            self._attach(dataset, searched)
        predict, labels = self._predictor(corpus, vocabulary), self.label_names
        found = predictions_for(dataset, range(len(dataset)), predict, self.config, labels, timed)
        return dataclasses.replace(found, members=self._members(found, vocabulary))

    def _members(self, predictions: Predictions, vocabulary: ChannelVocabulary) -> dict[str, dict[str, float]]:
        """By channel, how much each member of a combination counts, of labels under ""; empty for other models."""
        combination = None
        if self.config.head.solver == "combination" and self.config.tune.model not in CLASSIFIERS:
            combination = getattr(self._model(vocabulary), "combination", None)
        if combination is None:
            return {}
        if predictions.label_names:
            return {"": combination.shares()}
        channels = predictions.channels
        return {
            channel.key: combination.shares(number)
            for channel, number in zip(channels, vocabulary.ids(channels), strict=True)
        }

    def _windows(self, corpus: Corpus, vocabulary: ChannelVocabulary, asked: Asked) -> OriginDataset:
        config, labels = self.config, self.label_names if self.config.tune.task == "classify" else ()
        if labels:
            check_labels(corpus, labels)
        dataset = OriginDataset(
            corpus,
            self._series_of(corpus) if asked.series is None else Series.of(corpus, config.window.split),
            asked.split,
            dataclasses.replace(config.window, lookback=lookback_of(self.checkpoint)),
            vocabulary,
            task=config.tune.task,
            label_names=labels,
            zero_is_missing=config.data.zero_is_missing,
        )
        dataset = choose_windows(dataset, asked, labels)
        combination = getattr(self._model(vocabulary), "combination", None) if combines_texts(config) else None
        if combination is not None and combination.reads_texts and asked.series is None:
            dataset.read_with(text_table(dataset.texts, self.text_encoder, config.text.unit, kind="query"))
        return dataset

    def _series_of(self, corpus: Corpus) -> Series:
        """Of a corpus that may be asked about again."""
        if corpus.fingerprint not in self._series:
            self._series[corpus.fingerprint] = Series.of(corpus, self.config.window.split)
        return self._series[corpus.fingerprint]

    def _predictor(self, corpus: Corpus, vocabulary: ChannelVocabulary) -> Predictor:
        model, task = self._model(vocabulary), self.config.tune.task

        def predict(batch: MultimodalBatch) -> Tensor:
            return predictions_of(model(batch.to(self.device)), task).cpu()

        return predict

    def _model(self, vocabulary: ChannelVocabulary) -> nn.Module:
        if vocabulary.keys not in self._models:
            self._models[vocabulary.keys] = restore_model(self.checkpoint, vocabulary).to(self.device)
        return self._models[vocabulary.keys]

    # Neighbours

    @cached_property
    def _retriever(self) -> WindowRetriever:
        return open_retriever(self.config, self._trust)

    def _attach(self, dataset: OriginDataset, searched: Corpus) -> None:
        """Let the batches of `dataset` have their windows' neighbours in the corpus `searched`."""
        corpora = [dataset.corpus, searched]
        if searched is dataset.corpus and searched.known_as(self._own) and len(self._own) > 1:
            corpora = [
                self.corpus(folder) for folder in self.own_folders()
            ]  # vectors are compared by all their channels
        dataset.attach(RetrievalLookup(self._retrieval(corpora, searched), dataset))

    def _retrieval(self, corpora: Sequence[Corpus], searched: Corpus) -> Retrieval:
        """What finds neighbours in `searched`; made once for all corpora of the same channels."""
        keys = frozenset(channel.key for corpus in corpora for channel in corpus.info.channels)
        if (searched.fingerprint, keys) not in self._retrievals:
            retrieval = build_retrieval(self.config, self._retriever, corpora, searched, self.label_names)
            check_unchanged(fingerprints(self.config, [retrieval]), self.checkpoint.retrieval, self.folder)
            self._retrievals[searched.fingerprint, keys] = retrieval
        return self._retrievals[searched.fingerprint, keys]

    @property
    def _own(self) -> list[str]:
        """The fingerprints of the corpora that it was tuned on."""
        return self.checkpoint.data_fingerprint.split(",")

    def _corpus_to_search(self, corpus: Corpus, like: Corpus | None) -> Corpus | None:
        """That in which the neighbours of windows of `corpus` are looked for.

        A series of one's own is looked for in the corpus `like` it where the run's is not there. None where neither is,
        and the run can do without.
        """
        if self._searched is not None:
            return self.corpus(self._searched)
        given = self.config.rag.corpus
        if given is None and like is None and (corpus.known_as(self._own) or len(self._own) > 1):
            return corpus
        if given is None:
            return self._own_to_search() if like is None else like
        if at_home(given).exists():
            there = self.corpus(at_home(given))
            return there.as_it_was(self.checkpoint.retrieval.get("corpus", "")) or there
        instead = corpus if like is None else like
        if instead.fingerprint == self.checkpoint.retrieval.get("corpus"):
            return instead
        self._do_without(
            CheckpointError(
                f"the corpus {given} (rag.corpus), in which {self.folder} looks for neighbours, is not there; name it with "
                "--corpus (corpus=…)"
            )
        )
        return None

    def _own_to_search(self) -> Corpus | None:
        try:
            return self.corpus()
        except (CheckpointError, CorpusError) as error:
            self._do_without(error)
            return None

    @cached_property
    def _can_do_without(self) -> bool:
        """Whether windows without neighbours can be forecast."""
        model = self._model(self.vocabulary)
        return isinstance(model, RetrievalForecastModel) and model.can_do_without

    def _do_without(self, error: CheckpointError | CorpusError) -> None:
        """Say that nothing is searched because of `error`, or raise it where the run needs neighbours."""
        if not self._can_do_without:
            raise error
        _log.warning("members that need no neighbours forecast: %s", error)

    # A series of one's own

    def _in_memory(self, data: Any, like: Corpus | None) -> tuple[Corpus, bool]:
        """A corpus that holds the one series `data`, and whether its times are known."""
        info = self._info(like)
        series = read_input(data, info.channels, zone=info.timezone).on_grid(Frequency.parse(info.frequency))
        self._check_series(series)
        own = dataclasses.replace(info, name=series.source, channels=series.channels, label_names=())
        name = Path(series.source).name
        record = Record(
            name,
            Path(name).stem,
            series.start or _NO_TIME,
            series.values,
            channel_texts=[""] * len(series.channels),
            split="test",
        )
        return Corpus.from_records([record], own), series.times is not None

    def _info(self, like: Corpus | None) -> CorpusInfo:
        """What a series of one's own is like: the corpora that the run was tuned on, or the one that is named."""
        if like is not None:
            return like.info
        corpora = self.checkpoint.corpora
        if not corpora:  # of version 0.1
            return self.corpus().info
        if len(self.checkpoint.frequencies) > 1:
            raise ConfigError(
                f"the run was tuned on corpora with steps of {', '.join(self.checkpoint.frequencies)}; name the one that "
                "the series is like with --corpus (corpus=…)"
            )
        return dataclasses.replace(corpora[0], channels=self.channels)

    @cached_property
    def needs(self) -> Needs:
        """What a series of one's own must have."""
        config = self.config
        by_time = config.encoder.calendar or config.head.calendar > 0
        targets = tuple(own.key for own in self.channels if own.name in (config.window.targets or ()))
        return Needs(
            config.encoder.patch_length if config.tune.model == "trace" else 1,
            bool(by_time or (retrieves(config) and not self._can_do_without)),
            targets,
        )

    def _check_series(self, series: InputSeries) -> None:
        needs, steps = self.needs, series.values.shape[1]
        if steps < needs.steps:
            raise CorpusError(
                f"{series.source} has {steps} rows; the model needs at least a patch of {needs.steps} "
                f"(and looks back {self.config.window.lookback})"
            )
        if series.times is None and needs.times:
            raise CorpusError(
                f"{series.source} has no column for the time, which this run takes into account; add one named time, with "
                "cells like 2024-05-31T18:00"
            )
        given = {channel.key for channel in series.channels}
        if absent := [key for key in needs.channels if key not in given]:
            raise CorpusError(f"{series.source} has no column for {absent[0]!r}, which the run forecasts; add it")
        for channel, own in zip(series.channels, series.values, strict=True):
            if np.isnan(own).all():
                raise CorpusError(f"{series.source}: the column of {channel.key!r} has only empty cells; take it out")

    def _vectors(self, batch: MultimodalBatch) -> Tensor:
        if self.config.tune.model != "trace":
            raise ConfigError(f"the run is the baseline {self.config.tune.model}, which has no encoder to embed with")
        return whole_vectors(self._encoder, batch)

    @cached_property
    def _encoder(self) -> Any:
        return encoder_of(self.checkpoint).to(self.device)


class ClassifierRun(TunedRun):
    """A baseline of scikit-learn: a classifier for each corpus that it was fitted on."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint, torch.device("cpu"))
        self.classifiers = restore_classifiers(checkpoint.config, checkpoint.weights, len(checkpoint.label_names))

    def classifier(self, corpus: Corpus) -> StatisticsClassifier:
        """That of a corpus of the run's own; for another, the only one.

        Raises
        ------
        ConfigError
            There are several.
        """
        if own := corpus.known_as(self._own):
            return self.classifiers[self._own.index(own)]
        if len(self.classifiers) > 1:
            raise ConfigError(
                f"the run has a classifier for each of its corpora ({', '.join(map(str, self.own_folders()))}); name one of "
                "these with --corpus (corpus=…)"
            )
        return self.classifiers[0]

    def _predictor(self, corpus: Corpus, vocabulary: ChannelVocabulary) -> Predictor:
        return self.classifier(corpus)


def choose_windows(dataset: OriginDataset, asked: Asked, label_names: Sequence[str]) -> OriginDataset:
    """The windows of `dataset` that are asked for: all of its split, or others of its corpus.

    Raises
    ------
    CorpusError
        There are none, or no row of such an id.
    """
    corpus, series = dataset.corpus, dataset.series
    if not asked.ids and not asked.last:
        if not len(dataset):
            raise CorpusError(
                f"{corpus.path} has no window in the split {asked.split!r}; take another --split, or --last for what comes "
                "after the end of each series"
            )
        return dataset
    if asked.last:
        newest = {corpus.series_ids[row]: row for row in np.argsort(corpus.ends, kind="stable").tolist()}
        rows = sorted(newest.values())
    else:
        row_of = {name: row for row, name in enumerate(corpus.ids)}
        if missing := [name for name in asked.ids if name not in row_of]:
            near = difflib.get_close_matches(missing[0], list(row_of), n=3, cutoff=0.0)
            raise CorpusError(f"{corpus.path} has no row {missing[0]!r}; near are {', '.join(map(repr, near))}")
        rows = [row_of[name] for name in asked.ids]
    origins = (series.windows.first + series.windows.length)[rows]
    names = corpus.info.label_names
    place = [label_names.index(name) for name in names] if label_names else [NO_LABEL] * len(names)
    label = [NO_LABEL if number < 0 else place[number] for number in corpus.labels[rows]]
    return dataset.at(origins, torch.tensor(label))
