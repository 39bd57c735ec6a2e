"""The mean of what several tuned runs say: an ensemble without further training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trace_lit.batch import NO_LABEL
from trace_lit.inference.predict import Asked, own_folders, predict_run
from trace_lit.inference.predictions import Predictions
from trace_lit.inference.tuned import check_unseen, run_config
from trace_lit.metrics.scores import ClassificationScores, ForecastScores
from trace_lit.settings import Config


def predict_mean(runs: Sequence[str | Path], asked: Asked, trust: bool = False) -> Predictions:
    """What `runs` say on average of the windows asked for, see `predict_run` and `Predictions.mean_with`."""
    first, *others = (predict_run(run, asked, trust) for run in runs)
    return first.mean_with(others)


def evaluate_mean(
    runs: Sequence[str | Path], split: str = "test", corpus: str | Path | None = None, trust: bool = False
) -> dict[str, Any]:
    """The scores of the mean of `runs`, flat; of several corpora each under its name. Nothing is written.

    Raises
    ------
    CheckpointError
        One cannot be used, or was refitted on the split.
    ConfigError, CorpusError
        They cannot be used with each other, or with the corpus.
    """
    configs = [run_config(run, trust) for run in runs]
    if corpus is None:
        for run, config in zip(runs, configs, strict=True):
            check_unseen(run, config, split)
    folders = [Path(corpus)] if corpus is not None else own_folders(configs[0])
    metrics: dict[str, Any] = {}
    for folder in folders:
        mean = predict_mean(runs, Asked(folder, split=split), trust)
        prefix = split if len(folders) == 1 else f"{split}/{mean.dataset.corpus.info.name}"
        metrics |= {f"{prefix}/{key}": value for key, value in _scores(mean, configs[0]).items()}
    return metrics


def _scores(said: Predictions, config: Config) -> dict[str, float]:
    if said.label_names:
        of_labels = ClassificationScores(len(said.label_names))
        labelled = said.came != NO_LABEL
        of_labels.update(said.said[labelled], said.came[labelled])
        return of_labels.compute()
    own = said.dataset
    of_forecasts = ForecastScores(own.mean, own.deviation, own.naive_error(config.window.season), said.quantiles)
    of_forecasts.update(said.said, said.came.nan_to_num(), ~said.came.isnan())
    return of_forecasts.compute()
