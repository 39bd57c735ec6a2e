"""The module of the stage tune from data and a start, and the scores of a tuned run."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from data_modules import DomainDataModule
from data_modules.forecasting import OriginDataset
from trace_lit.config import CLASSIFIERS, Config, ConfigError, load_config
from trace_lit.modules import Checkpoint, CheckpointError, TuneModule, load_checkpoint
from trace_lit.modules.tune import Scores, score
from trace_lit.scores import ClassificationScores, ForecastScores
from trace_lit.train.retrieval import attach_retrieval, check_unchanged, fingerprints
from trace_lit.train.runs import build_datamodule, write_metrics
from trace_lit.train.statistics import classify_by_statistics


def build_scores(config: Config, data: DomainDataModule, split: str) -> list[Scores]:
    """What counts the scores of a split, one a corpus; scales are those of the training part."""
    tune = config.tune
    if tune.task == "classify":
        return [ClassificationScores(len(data.label_names)) for _ in data.corpora]
    datasets: list[OriginDataset] = data.datasets[split]
    return [ForecastScores(own.mean, own.deviation, own.naive_error(tune.season), tune.quantiles) for own in datasets]


def build_tune_module(config: Config, data: DomainDataModule, start: Checkpoint | None) -> TuneModule:
    """The module of the stage tune, its encoder taken from `start` where there is one, and frozen as far as asked.

    Raises
    ------
    ConfigError
        Labels are to be told, and the corpora have none; or texts are to be aligned, and there are none.
    """
    train: list[OriginDataset] = data.datasets["train"]
    counts: list[int] = []
    if config.tune.task == "classify":
        if len(data.label_names) < 2:
            raise ConfigError(
                f"tune.task is classify, but the corpora's label_names are {list(data.label_names)}; forecast, or add labels"
            )
        counts = torch.stack([own.label_counts(len(data.label_names)) for own in train]).sum(0).tolist()
    lookback = max(own.lookback for own in train)
    retrievals = attach_retrieval(config, data)
    module = TuneModule(
        config,
        data.vocabulary if start is None else start.vocabulary,
        len(data.vocabulary),
        lookback,
        counts,
        build_scores(config, data, "validation"),
        data.data_fingerprint,
        retrievals[0].retriever.width if retrievals else 0,
    )
    module.retrieval = fingerprints(config, retrievals)
    if module.has_encoder:
        if start is not None:
            module.encoder.load_state_dict(start.encoder_weights())
        module.encoder.extend(data.vocabulary)
    if module.aligned is not None and start is not None:
        if not any(text for own in train for text in own.texts):
            raise ConfigError(
                "tune.alignment_weight is set, but no training window has a text: a row with one must lie within the "
                "look-back; set tune.alignment_weight to 0, or lengthen tune.lookback"
            )
        module.aligned.load_state_dict(start.alignment_weights(), strict=False)  # the encoder's part is there
    module.prepare()
    return module


@torch.no_grad()
def score_split(module: TuneModule, data: DomainDataModule, split: str, device: torch.device) -> dict[str, float]:
    """The scores of a split, flat; of several corpora each under its name."""
    module.to(device).eval()
    all_scores = build_scores(module.config, data, split)
    for loader, scores in zip(data.split_dataloader(split), all_scores, strict=True):
        scores.to(device)
        for batch in loader:
            moved = batch.to(device)
            score(scores, moved, module.predict(moved))
    return named_scores(split, data, all_scores)


def named_scores(split: str, data: DomainDataModule, all_scores: Sequence[Scores]) -> dict[str, float]:
    """The scores of a split, flat; of several corpora each under its name."""
    prefixes = [split] if len(data.corpora) == 1 else [f"{split}/{name}" for name in data.corpus_names]
    return {
        f"{prefix}/{key}": value
        for prefix, scores in zip(prefixes, all_scores, strict=True)
        for key, value in scores.compute().items()
    }


def load_tuned(place: str | Path) -> tuple[Checkpoint, Callable[[DomainDataModule], TuneModule]]:
    """The checkpoint of a tuned run, and how its module is made once its data are there.

    Raises
    ------
    CheckpointError
        It is missing, damaged, or not of the stage tune.
    """
    checkpoint = load_checkpoint(place, "tune")

    def build(data: DomainDataModule) -> TuneModule:
        module = build_tune_module(checkpoint.config, data, None)
        check_unchanged(module.retrieval, checkpoint.retrieval, place)
        module.load_state_dict(checkpoint.weights)
        return module

    return checkpoint, build


def evaluate_tuned(
    run: str | Path, config: Config, split: str, corpus: str | Path | None, device: torch.device
) -> dict[str, Any]:
    """The scores of a tuned run or of a baseline on a split; those on its own data are added to its metrics.json."""
    config = copy.deepcopy(config)
    folder = Path(run)
    if corpus is not None:
        config.data.corpus = str(corpus)
    checkpoint, build = (None, None) if config.tune.model in CLASSIFIERS else load_tuned(run)
    data = build_datamodule(config, None if checkpoint is None else checkpoint.vocabulary)
    data.known_labels = () if checkpoint is None else checkpoint.label_names
    data.prepare_data()
    data.setup("test")
    fingerprint = _recorded_fingerprint(folder) if checkpoint is None else checkpoint.data_fingerprint
    if corpus is None and data.data_fingerprint != fingerprint:
        raise CheckpointError(
            f"{run} was trained on the data {fingerprint[:12]}, which have changed since (now "
            f"{data.data_fingerprint[:12]}); give the old ones back, or name the corpus to use with --corpus"
        )
    metrics = (
        named_scores(split, data, classify_by_statistics(config, data, split))
        if build is None
        else score_split(build(data), data, split, device)
    )
    if corpus is None and (folder / "config.yaml").is_file():
        write_metrics(folder, metrics)
    return metrics


def _recorded_fingerprint(folder: Path) -> str:
    path = folder / "metrics.json"
    if not path.is_file():
        raise CheckpointError(f"the run {folder} has no metrics.json: it has not ended; fit it again")
    return json.loads(path.read_text(encoding="utf-8"))["run/data_fingerprint"]


def run_config(run: str | Path) -> Config:
    """The configuration of a run folder or a checkpoint file."""
    path = Path(run) / "config.yaml"
    return load_config([path]) if path.is_file() else load_checkpoint(run).config
