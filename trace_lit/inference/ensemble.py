"""The mean of what several tuned runs predict: an ensemble without further training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data_modules.corpus import Corpus
from trace_lit.batch import NO_LABEL
from trace_lit.inference.evaluate import check_unseen
from trace_lit.inference.predict import open_tuned
from trace_lit.inference.predictions import Asked, Predictions
from trace_lit.metrics.scores import ClassificationScores, ForecastScores
from trace_lit.runs.folder import Place
from trace_lit.settings import Config


def predict_mean(
    runs: Sequence[str | Path], asked: Asked, retriever: Place | None = None, trust: bool = False
) -> Predictions:
    """What `runs` predict on average for the windows asked for, see `predict_run` and `Predictions.mean_with`."""
    first, *others = (open_tuned(run, retriever, trust).predictions(asked) for run in runs)
    return first.mean_with(others)


def evaluate_mean(
    runs: Sequence[str | Path],
    split: str = "test",
    corpus: str | Path | None = None,
    retriever: Place | None = None,
    trust: bool = False,
) -> dict[str, Any]:
    """The scores of the mean of `runs`, flat; of several corpora each under its name. Nothing is written.

    Raises
    ------
    CheckpointError
        One cannot be used, or was refitted on the split.
    ConfigError, CorpusError
        They cannot be used with each other, or with the corpus.
    """
    opened = [open_tuned(run, retriever, trust) for run in runs]
    if corpus is None:
        for run in opened:
            check_unseen(run.folder, run.config, split)
    first, *others = opened
    corpora: list[Corpus] = [
        first.corpus(folder) for folder in ([corpus] if corpus is not None else first.own_folders())
    ]
    metrics: dict[str, Any] = {}
    for own in corpora:
        asked = Asked(own, split=split)
        mean = first.predictions(asked).mean_with([run.predictions(asked) for run in others])
        prefix = split if len(corpora) == 1 else f"{split}/{own.info.name}"
        metrics |= {f"{prefix}/{key}": value for key, value in _scores(mean, first.config).items()}
    return metrics


def _scores(mean: Predictions, config: Config) -> dict[str, float]:
    if mean.label_names:
        of_labels = ClassificationScores(len(mean.label_names))
        labelled = mean.observed != NO_LABEL
        of_labels.update(mean.predicted[labelled], mean.observed[labelled])
        return of_labels.compute()
    own = mean.dataset
    of_forecasts = ForecastScores(own.mean, own.deviation, own.naive_error(config.window.season), mean.quantiles)
    of_forecasts.update(mean.predicted, mean.observed.nan_to_num(), ~mean.observed.isnan())
    return of_forecasts.compute()
