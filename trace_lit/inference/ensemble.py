"""The mean of what several tuned runs predict: an ensemble without further training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from data_modules.corpus import Corpus
from trace_lit.batch import NO_LABEL
from trace_lit.encoder.combination import simplex_weights
from trace_lit.inference.evaluate import check_unseen
from trace_lit.inference.predict import open_tuned
from trace_lit.inference.predictions import Asked, Predictions
from trace_lit.inference.tuned import TunedRun
from trace_lit.metrics.scores import ClassificationScores, ForecastScores
from trace_lit.runs.folder import Place
from trace_lit.settings import Config

_SHRINKAGE = 0.1  # towards the best single run, see `simplex_weights`


def predict_mean(
    runs: Sequence[str | Path],
    asked: Asked,
    retriever: Place | None = None,
    trust: bool = False,
    *,
    fitted: bool = False,
) -> Predictions:
    """What `runs` predict on average for the windows asked for, see `predict_run` and `Predictions.mean_with`.

    With `fitted`, the weights are those of `fitted_weights`.
    """
    opened = [open_tuned(run, retriever, trust) for run in runs]
    weights = fitted_weights(opened) if fitted else []
    first, *others = (run.predictions(asked) for run in opened)
    return first.mean_with(others, weights)


def fitted_weights(runs: Sequence[TunedRun]) -> list[float]:
    """Weights of runs, not negative and with sum one, that have the smallest squared error on the validation windows.

    They are drawn a little towards the best single run; see `trace_lit.encoder.combination.simplex_weights`.

    Raises
    ------
    CheckpointError
        A run has learned from the validation windows, so that its errors there say nothing.
    """
    for run in runs:
        check_unseen(run.folder, run.config, "validation")
    grams = []
    for folder in runs[0].own_folders():
        asked = Asked(runs[0].corpus(folder), split="validation")
        found = [run.predictions(asked) for run in runs]
        found[0].mean_with(found[1:])  # raises where they do not speak of the same
        errors = torch.stack([own.errors for own in found]).double()
        grams.append(errors @ errors.T)
    gram = torch.stack(grams).sum(0)
    return simplex_weights(gram / gram.diagonal().min().clamp(min=1e-12), _SHRINKAGE).tolist()


def evaluate_mean(
    runs: Sequence[str | Path],
    split: str = "test",
    corpus: str | Path | None = None,
    retriever: Place | None = None,
    trust: bool = False,
    *,
    fitted: bool = False,
) -> dict[str, Any]:
    """The scores of the mean of `runs`, flat; of several corpora each under its name. Nothing is written.

    With `fitted`, the weights are those of `fitted_weights`, and are among the scores.

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
    weights = fitted_weights(opened) if fitted else []
    first, *others = opened
    corpora: list[Corpus] = [
        first.corpus(folder) for folder in ([corpus] if corpus is not None else first.own_folders())
    ]
    metrics: dict[str, Any] = {f"weight/{run.folder}": own for run, own in zip(opened, weights, strict=False)}
    for own in corpora:
        asked = Asked(own, split=split)
        mean = first.predictions(asked).mean_with([run.predictions(asked) for run in others], weights)
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
