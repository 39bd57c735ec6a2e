"""The module of the stage tune from data and a start, and the scores of a tuned run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from data_modules import DomainDataModule
from data_modules.forecasting import OriginDataset
from trace_lit.batch import MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import CLASSIFIERS, Config, ConfigError, load_config
from trace_lit.modules import Checkpoint, CheckpointError, TuneModule, load_checkpoint
from trace_lit.modules.tune import Scores, score
from trace_lit.scores import ClassificationScores, ForecastScores
from trace_lit.train.retrieval import attach_retrieval, check_unchanged, fingerprints
from trace_lit.train.runs import open_data, read_metrics, write_metrics
from trace_lit.train.statistics import fit_statistics

Say = Callable[[MultimodalBatch], Tensor]  # forecasts or probabilities of a batch, see `TuneModule.predict`


def build_scores(config: Config, data: DomainDataModule, split: str) -> list[Scores]:
    """What counts the scores of a split, one a corpus; scales are those of the training part."""
    tune = config.tune
    if tune.task == "classify":
        return [ClassificationScores(len(data.label_names)) for _ in data.corpora]
    datasets: list[OriginDataset] = data.datasets[split]
    return [ForecastScores(own.mean, own.deviation, own.naive_error(tune.season), tune.quantiles) for own in datasets]


def check_labels(data: DomainDataModule) -> None:
    """Raise ConfigError where the corpora have too few labels for a classifier to learn from."""
    names, windows = data.label_names, data.datasets["train"]
    if len(names) < 2:
        told = f"only the label {names[0]!r}" if names else "no labels"
        raise ConfigError(
            f"tune.task is classify, but {_folders(data)} has {told}: set tune.task=forecast, or build it with two "
            "label_names at least"
        )
    count = torch.stack([own.label_counts(len(names)) for own in windows]).sum(0)
    if int((count > 0).sum()) == 1:
        raise ConfigError(
            f"tune.task is classify, but all {int(count.sum())} labelled training windows of {_folders(data)} have the "
            f"label {names[int(count.argmax())]!r}, so there is nothing to tell apart; split it so that training has others"
        )


def _folders(data: DomainDataModule) -> str:
    return " and ".join(str(corpus.path) for corpus in data.corpora)


def build_tune_module(config: Config, data: DomainDataModule, start: Checkpoint | None) -> TuneModule:
    """The module of the stage tune, its encoder taken from `start` where there is one, and frozen as far as asked.

    Raises
    ------
    ConfigError
        Texts are to be aligned, and there are none.
    """
    module = _bare_module(config, data, data.vocabulary if start is None else start.vocabulary, len(data.vocabulary))
    if module.has_encoder:
        if start is not None:
            module.encoder.load_state_dict(start.encoder_weights())
        module.encoder.extend(data.vocabulary)
    if module.aligned is not None and start is not None:
        if not any(text for own in data.datasets["train"] for text in own.texts):
            raise ConfigError(
                "tune.alignment_weight is set, but no training window has a text: a row with one must lie within the "
                "look-back; set tune.alignment_weight to 0, or lengthen tune.lookback"
            )
        module.aligned.load_state_dict(start.alignment_weights(), strict=False)  # the encoder's part is there
    module.prepare()
    return module


def _bare_module(config: Config, data: DomainDataModule, vocabulary: ChannelVocabulary, channels: int) -> TuneModule:
    """With weights drawn at random, its encoder for `vocabulary` and its head for that many `channels` of the data's."""
    train: list[OriginDataset] = data.datasets["train"]
    counts: list[int] = []
    if config.tune.task == "classify":
        counts = torch.stack([own.label_counts(len(data.label_names)) for own in train]).sum(0).tolist()
    retrievals = attach_retrieval(config, data)
    module = TuneModule(
        config,
        vocabulary if config.tune.model == "trace" else data.vocabulary,  # what has no encoder cannot be extended
        channels,
        max(own.lookback for own in train),
        counts,
        build_scores(config, data, "validation"),
        data.data_fingerprint,
        retrievals[0].retriever.width if retrievals else 0,
    )
    module.retrieval = fingerprints(config, retrievals)
    return module


@torch.no_grad()
def score_split(
    config: Config, data: DomainDataModule, split: str, says: Sequence[Say], device: torch.device
) -> dict[str, float]:
    """The scores of what is said of a split, flat; of several corpora each under its name.

    `says` has one for each corpus, which says of a batch on `device` what `TuneModule.predict` does.
    """
    all_scores = build_scores(config, data, split)
    for loader, scores, say in zip(data.split_dataloader(split), all_scores, says, strict=True):
        scores.to(device)
        for batch in loader:
            moved = batch.to(device)
            score(scores, moved, say(moved))
    prefixes = [split] if len(data.corpora) == 1 else [f"{split}/{name}" for name in data.corpus_names]
    return {
        f"{prefix}/{key}": value
        for prefix, scores in zip(prefixes, all_scores, strict=True)
        for key, value in scores.compute().items()
    }


def load_tuned(place: str | Path) -> tuple[Checkpoint, Callable[[DomainDataModule], TuneModule]]:
    """The checkpoint of a tuned run, and how its module is made once the data that it is used on are there.

    These begin with the checkpoint's vocabulary; its further channels are added to the encoder as never seen.

    Raises
    ------
    CheckpointError
        It is missing, damaged, or not of the stage tune. When the module is made: the weights are not those of the
        present model, or retriever and corpora not those that it was tuned with.
    """
    checkpoint = load_checkpoint(place, "tune")

    def build(data: DomainDataModule) -> TuneModule:
        module = _bare_module(checkpoint.config, data, checkpoint.vocabulary, len(checkpoint.vocabulary))
        check_unchanged(module.retrieval, checkpoint.retrieval, place)
        module.prepare()
        try:
            module.load_state_dict(checkpoint.weights)
        except RuntimeError as error:
            differing = " ".join(line.strip() for line in str(error).splitlines()[1:3])
            raise CheckpointError(
                f"{checkpoint.path} does not hold the weights of the present model ({differing}): it was written by "
                "another version of trace_lit; tune again (--overwrite replaces the run)"
            ) from None
        if module.has_encoder:
            module.encoder.extend(data.vocabulary)
        return module

    return checkpoint, build


def fit_classifiers(config: Config, data: DomainDataModule) -> list[Say]:
    """Scikit-learn's classifiers `tune.model`, learned from the training windows, one a corpus."""
    return [fit_statistics(config, data, place) for place in range(len(data.corpora))]


def load_classifiers(run: str | Path, config: Config) -> tuple[DomainDataModule, list[Say]]:
    """A run's own data, and its classifiers, which are learned from them as they were by the run.

    Raises
    ------
    CheckpointError
        The run has not ended, or its data have changed since.
    """
    data = open_data(config)
    known = read_metrics(Path(run)).get("run/data_fingerprint")
    if known is None:
        raise CheckpointError(f"the run {run} has no metrics.json: it has not ended; fit it again")
    _check_data(run, data, known)
    return data, fit_classifiers(config, data)


def classifier_for(data: DomainDataModule, says: Sequence[Say], folder: str | Path | None) -> Say:
    """Of a run's classifiers, one for each corpus of its `data`, that of the corpus in `folder`; for another, the only one.

    Raises
    ------
    ConfigError
        There are several.
    """
    paths = [corpus.path.resolve() for corpus in data.corpora]
    if folder is not None and Path(folder).resolve() in paths:
        return says[paths.index(Path(folder).resolve())]
    if len(paths) > 1:
        raise ConfigError(
            f"the run has a classifier for each of its corpora ({', '.join(map(str, paths))}); name one of these with "
            "--corpus"
        )
    return says[0]


def check_unseen(run: str | Path, config: Config, split: str) -> None:
    """Raise CheckpointError where a run was refitted on this split of its own data."""
    if config.tune.refit and split == "validation":
        raise CheckpointError(
            f"{run} was solved with tune.refit from the validation windows, too, so scores on them say nothing; evaluate it "
            "on test, or on another corpus"
        )


def evaluate_tuned(
    run: str | Path, config: Config, split: str, corpus: str | Path | None, device: torch.device
) -> dict[str, Any]:
    """The scores of a tuned run or of a baseline on a split; those on its own data are added to its metrics.json.

    On another corpus, it is what the run has learned from its own that is scored.

    Raises
    ------
    CheckpointError
        The run cannot be used, its own data have changed since, or the split is one that it was refitted on.
    CorpusError
        The corpus cannot be used, or has a label that the run does not tell.
    """
    if corpus is None:
        check_unseen(run, config, split)
    config = copy.deepcopy(config)
    says: list[Say]
    if config.tune.model in CLASSIFIERS:
        data, says = load_classifiers(run, config)
        device = torch.device("cpu")
        if corpus is not None:
            says = [classifier_for(data, says, corpus)]
            config.data.corpus = str(corpus)
            data = open_data(config, data.vocabulary, data.label_names)
    else:
        checkpoint, build = load_tuned(run)
        if corpus is not None:
            config.data.corpus = str(corpus)
        data = open_data(config, checkpoint.vocabulary, checkpoint.label_names)
        if corpus is None:
            _check_data(run, data, checkpoint.data_fingerprint)
        module = build(data).to(device).eval()
        says = [module.predict] * len(data.corpora)
    metrics = score_split(config, data, split, says, device)
    folder = Path(run)
    if corpus is None and (folder / "config.yaml").is_file():
        write_metrics(folder, metrics)
    return metrics


def _check_data(run: str | Path, data: DomainDataModule, fingerprint: str) -> None:
    if data.data_fingerprint != fingerprint:
        raise CheckpointError(
            f"{run} was trained on the data {fingerprint[:12]}, which have changed since (now "
            f"{data.data_fingerprint[:12]}); give the old ones back, or name the corpus to use with --corpus"
        )


def run_config(run: str | Path) -> Config:
    """The configuration of a run folder or a checkpoint file."""
    path = Path(run) / "config.yaml"
    return load_config([path]) if path.is_file() else load_checkpoint(run).config
