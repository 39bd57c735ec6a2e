"""The module of the stage tune from data and a start, its classifiers, and the scores of what it predicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from data_modules import DomainDataModule
from data_modules.forecasting import OriginDataset
from trace_lit.batch import MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import ConfigError
from trace_lit.encoder.combined import Combination
from trace_lit.metrics.scores import ClassificationScores, ForecastScores
from trace_lit.modules import Checkpoint, TuneModule
from trace_lit.modules.checkpoint import fitting
from trace_lit.modules.tune import Scores, score
from trace_lit.settings import Config
from trace_lit.tuning.neighbours import attach_retrieval, fingerprints

Predictor = Callable[[MultimodalBatch], Tensor]  # forecasts or probabilities of a batch, see `TuneModule.predict`


def build_scores(config: Config, data: DomainDataModule, split: str) -> list[Scores]:
    """The scores of a split, one object a corpus; their scales are those of the training part."""
    tune = config.tune
    if tune.task == "classify":
        return [ClassificationScores(len(data.label_names)) for _ in data.corpora]
    datasets: list[OriginDataset] = data.datasets[split]
    season, quantiles = config.window.season, config.head.quantiles
    return [ForecastScores(own.mean, own.deviation, own.naive_error(season), quantiles) for own in datasets]


def check_labels(data: DomainDataModule) -> None:
    """Raise ConfigError where the corpora have too few labels for a classifier to learn from."""
    names, windows = data.label_names, data.datasets["train"]
    if len(names) < 2:
        there = f"only the label {names[0]!r}" if names else "no labels"
        raise ConfigError(
            f"tune.task is classify, but {_folders(data)} has {there}: set tune.task=forecast, or build it with at least "
            "two label_names"
        )
    count = torch.stack([own.label_counts(len(names)) for own in windows]).sum(0)
    if int((count > 0).sum()) == 1:
        raise ConfigError(
            f"tune.task is classify, but all {int(count.sum())} labelled training windows of {_folders(data)} have the "
            f"label {names[int(count.argmax())]!r}, so there is nothing to classify; split it so that training has "
            "others, too"
        )


def _folders(data: DomainDataModule) -> str:
    return " and ".join(str(corpus.path) for corpus in data.corpora)


def build_tune_module(
    config: Config, data: DomainDataModule, start: Checkpoint | None, trust: bool = False
) -> TuneModule:
    """The module of the stage tune, its encoder taken from `start` where there is one, and frozen as configured.

    Raises
    ------
    ConfigError
        Texts are to be aligned, and there are none.
    """
    vocabulary = data.vocabulary if start is None else start.vocabulary
    module = bare_module(config, data, vocabulary, len(data.vocabulary), trust)
    if module.has_encoder:
        if start is not None:
            with fitting(start.path):
                module.encoder.load_state_dict(start.encoder_weights())
        module.encoder.extend(data.vocabulary)
        combination = getattr(module.model, "combination", None)
        if isinstance(combination, Combination):
            combination.measure(module.encoder.vocabulary)
    if module.aligned is not None and start is not None:
        if not any(text for own in data.datasets["train"] for text in own.texts):
            raise ConfigError(
                "tune.alignment_weight is set, but no training window has a text: a row with one must lie within the "
                "look-back; set tune.alignment_weight to 0, or lengthen window.lookback"
            )
        with fitting(start.path):
            module.aligned.load_state_dict(start.alignment_weights(), strict=False)  # the encoder's part is there
    module.prepare()
    return module


def bare_module(
    config: Config, data: DomainDataModule, vocabulary: ChannelVocabulary, channels: int, trust: bool = False
) -> TuneModule:
    """With weights drawn at random, its encoder for `vocabulary` and its head for that many `channels` of the data's.

    Classes that the retriever's run names are imported only with `trust`.
    """
    train: list[OriginDataset] = data.datasets["train"]
    counts: list[int] = []
    if config.tune.task == "classify":
        counts = torch.stack([own.label_counts(len(data.label_names)) for own in train]).sum(0).tolist()
    retrievals = attach_retrieval(config, data, trust)
    return TuneModule(
        config,
        vocabulary if config.tune.model == "trace" else data.vocabulary,  # what has no encoder cannot be extended
        channels,
        max(own.lookback for own in train),
        counts,
        build_scores(config, data, "validation"),
        data.data_fingerprint,
        retrievals[0].retriever.width if retrievals else 0,
        fingerprints(config, retrievals),
    )


@torch.no_grad()
def score_split(
    config: Config, data: DomainDataModule, split: str, predictors: Sequence[Predictor], device: torch.device
) -> dict[str, float]:
    """The scores of the predictions for a split, flat; of several corpora each under its name.

    `predictors` has one for each corpus; it predicts a batch on `device` as `TuneModule.predict` does.
    """
    all_scores = build_scores(config, data, split)
    for loader, scores, predict in zip(data.split_dataloader(split), all_scores, predictors, strict=True):
        scores.to(device)
        for batch in loader:
            moved = batch.to(device)
            score(scores, moved, predict(moved))
    prefixes = [split] if len(data.corpora) == 1 else [f"{split}/{name}" for name in data.corpus_names]
    return {
        f"{prefix}/{key}": value
        for prefix, scores in zip(prefixes, all_scores, strict=True)
        for key, value in scores.compute().items()
    }
