"""Tuning without gradient steps, and the scores of a tuned run."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from data_modules import DomainDataModule
from data_modules.forecasting import OriginDataset
from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.config import CLASSIFIERS, Config, ConfigError, load_config
from trace_lit.encoder import ClassificationModel, ForecastModel, blocked_predictions, logistic, ridge
from trace_lit.encoder.calendar import calendar_width
from trace_lit.encoder.patches import invert_transform
from trace_lit.modules import Checkpoint, CheckpointError, TuneModule, load_checkpoint
from trace_lit.modules.tune import Scores, score
from trace_lit.scores import ClassificationScores, ForecastScores
from trace_lit.train.runs import build_datamodule, write_metrics

_CALENDAR_IMPORTANCE = 10.0  # relative to the patches' features: the time of year is hardly penalised


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
        Labels are to be told, and the corpora have none.
    """
    train: list[OriginDataset] = data.datasets["train"]
    counts: list[int] = []
    if config.tune.task == "classify":
        if not data.label_names:
            raise ConfigError("tune.task is classify, but the corpora have no label_names; forecast, or add labels")
        counts = torch.stack([own.label_counts(len(data.label_names)) for own in train]).sum(0).tolist()
    lookback = max(own.lookback for own in train)
    module = TuneModule(
        config,
        data.vocabulary if start is None else start.vocabulary,
        len(data.vocabulary),
        lookback,
        counts,
        build_scores(config, data, "validation"),
        data.data_fingerprint,
    )
    if module.has_encoder:
        if start is not None:
            module.encoder.load_state_dict(start.encoder_weights())
        module.encoder.extend(data.vocabulary)
    module.prepare()
    return module


# Heads in closed form


@dataclass
class _Examples:
    """What the head is solved from: n channels of windows, or n windows."""

    features: Tensor  # (n, F) float32
    place: Tensor  # (n,) origins, of several corpora behind one another
    learned: Tensor  # (n,) bool, of the training split; the others only help to choose the penalty
    target: Tensor  # (n, H) changes, or (n,) labels
    observed: Tensor  # (n, H) bool
    level: Tensor  # (n, 1) what the changes are measured from, in deviations of `deviation`
    deviation: Tensor  # (n, 1)
    future: Tensor  # (n, H) in units
    unit: Tensor  # (n, 1) a deviation on the standardised scale


@torch.no_grad()
def _examples(module: TuneModule, data: DomainDataModule, device: torch.device) -> _Examples:
    parts: list[tuple[Tensor, ...]] = []
    module.eval()
    for learned in (True, False):
        offset = 0
        for dataset in data.datasets["train" if learned else "validation"]:
            for batch, origin in _batches(dataset, data.evaluation_batch_size):
                parts.append(_part(module, dataset, batch.to(device), origin + offset, learned))
            offset += len(dataset.series.split) + dataset.lookback + dataset.horizon
    return _Examples(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def _batches(dataset: OriginDataset, size: int) -> Iterator[tuple[MultimodalBatch, Tensor]]:
    for first in range(0, len(dataset), size):
        places = list(range(first, min(first + size, len(dataset))))
        yield dataset[places], dataset.origins[places]


def _part(
    module: TuneModule, dataset: OriginDataset, batch: MultimodalBatch, place: Tensor, learned: bool
) -> tuple[Tensor, ...]:
    model = module.model
    if isinstance(model, ClassificationModel):
        features = model.features(batch)
        none = features.new_zeros(len(batch), 1)
        label = batch.label.unsqueeze(1)
        told = label != NO_LABEL
        flag = torch.full((len(batch),), learned)
        return tuple(x.cpu() for x in (features, place, flag, label, told, none, none, none, none))
    assert isinstance(model, ForecastModel)
    assert batch.future is not None
    assert batch.future_observed is not None
    norm = model.level(batch)
    # A window whose last step is missing would be measured from a value that may be long gone.
    kept = batch.future_observed.any(-1) & batch.observed[..., -1]  # (B, C)
    unit = dataset.deviation.to(kept.device).expand(kept.shape).unsqueeze(-1)
    columns = [
        model.features(batch)[kept],
        place.to(kept.device).unsqueeze(1).expand(kept.shape)[kept],
        torch.full(kept.shape, learned, device=kept.device)[kept],
        *(x[kept] for x in (norm.normalise(batch.future), batch.future_observed, norm.mean, norm.deviation)),
        batch.future[kept],
        unit[kept],
    ]
    return tuple(column.cpu() for column in columns)


def solve_head(module: TuneModule, data: DomainDataModule, device: torch.device) -> dict[str, float]:
    """Put the closed-form solution on the frozen encoder into the module's head, and say how it was chosen.

    The penalty is the one that predicts best over blocks of time of training and validation, each block from the
    windows that share no step with it; then the head is solved from the training windows alone. Quantiles lie about the
    forecast as these predictions erred.

    Raises
    ------
    ConfigError
        There are too few windows.
    """
    tune = module.config.tune
    before = next(module.parameters()).device
    examples = _examples(module.to(device), data, device)
    module.to(before)
    dataset: OriginDataset = data.datasets["train"][0]
    importance = _importance(module.model, examples.features)

    def solve(chosen: Tensor) -> tuple[Tensor, Tensor]:
        features, target = examples.features[chosen], examples.target[chosen]
        if tune.task == "classify":
            return logistic(features, target.squeeze(1), module.label_weight.cpu(), penalties)
        return ridge(features, target, examples.observed[chosen], penalties, importance)

    penalties: Sequence[float] = tune.penalties
    try:
        said = blocked_predictions(
            solve, examples.features, examples.place, dataset.lookback, max(dataset.horizon, 1), tune.folds
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None
    errors = _errors(module, examples, said)
    best = int(errors.argmin())
    penalties = [tune.penalties[best]]
    weights, bias = (solution[0] for solution in solve(examples.learned))
    head = module.model.head.projection if isinstance(module.model, ForecastModel) else module.model.head
    with torch.no_grad():
        if tune.quantiles:
            left = torch.where(examples.observed, examples.target - said[best], torch.nan)
            shift = left.nanquantile(torch.tensor(tune.quantiles, dtype=left.dtype), dim=0).T  # (H, Q)
            weights, bias = weights.repeat_interleave(len(tune.quantiles), dim=1), (bias.unsqueeze(1) + shift).flatten()
        head.weight.copy_(weights.T)  # type: ignore[union-attr, operator]
        head.bias.copy_(bias)  # type: ignore[union-attr, operator]
    return {"cv/MSE" if tune.task == "forecast" else "cv/loss": float(errors[best]), "cv/penalty": penalties[0]}


def _importance(model: Any, features: Tensor) -> Tensor | None:
    """(F,) how much weaker than the patches' the weights of the calendar are penalised."""
    width = calendar_width(model.head.harmonics) if isinstance(model, ForecastModel) else 0
    if not width:
        return None
    scale = float((features[:, :-width] - features[:, :-width].mean(0)).square().mean().sqrt())
    importance = torch.ones(features.shape[1])
    importance[-width:] = _CALENDAR_IMPORTANCE * scale
    return importance


def _errors(module: TuneModule, examples: _Examples, said: Tensor) -> Tensor:
    """(P,) mean squared error on the standardised scale, or cross entropy."""
    if module.config.tune.task == "classify":
        weight, label = module.label_weight.cpu().double(), examples.target.squeeze(1)
        return torch.stack([F.cross_entropy(scores, label, weight) for scores in said])
    transform = module.encoder.config.transform
    values = invert_transform(said * examples.deviation + examples.level, transform)
    return torch.stack([((own - examples.future) / examples.unit)[examples.observed].square().mean() for own in values])


# Scores of a run


@torch.no_grad()
def score_split(module: TuneModule, data: DomainDataModule, split: str, device: torch.device) -> dict[str, float]:
    """The scores of a split, flat; of several corpora each under its name."""
    module.to(device).eval()
    metrics: dict[str, float] = {}
    all_scores = build_scores(module.config, data, split)
    for name, loader, scores in zip(data.corpus_names, data.split_dataloader(split), all_scores, strict=True):
        scores.to(device)
        for batch in loader:
            moved = batch.to(device)
            score(scores, moved, module.loss(moved)[1])
        metrics |= _named(split, name, data, scores)
    return metrics


def _named(split: str, name: str, data: DomainDataModule, scores: Scores) -> dict[str, float]:
    prefix = split if len(data.corpora) == 1 else f"{split}/{name}"
    return {f"{prefix}/{key}": value for key, value in scores.compute().items()}


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
    data.prepare_data()
    data.setup("test")
    fingerprint = _recorded_fingerprint(folder) if checkpoint is None else checkpoint.data_fingerprint
    if corpus is None and data.data_fingerprint != fingerprint:
        raise CheckpointError(
            f"{run} was trained on the data {fingerprint[:12]}, which have changed since (now "
            f"{data.data_fingerprint[:12]}); give the old ones back, or name the corpus to use with --corpus"
        )
    metrics = (
        classify_by_statistics(config, data, split) if build is None else score_split(build(data), data, split, device)
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


# Classification from statistics of the window


def window_statistics(batch: MultimodalBatch) -> np.ndarray:
    """(B, C · 7): of each channel mean, deviation, least, greatest, first and last value and slope, NaN where missing."""
    values = torch.where(batch.observed, batch.values, torch.nan).double().numpy()
    steps = np.arange(values.shape[-1]) - (values.shape[-1] - 1) / 2
    found = np.full((*values.shape[:2], 7), np.nan)
    for place in np.ndindex(values.shape[:2]):
        own = values[place]
        known = own[~np.isnan(own)]
        if len(known):
            slope = np.polyfit(steps[~np.isnan(own)], known, 1)[0] if len(known) > 1 else 0.0
            found[place] = known.mean(), known.std(), known.min(), known.max(), known[0], known[-1], slope
    return found.reshape(len(values), -1)


def classify_by_statistics(config: Config, data: DomainDataModule, split: str) -> dict[str, float]:
    """The scores of scikit-learn's classifier `tune.model`, learned from the training windows' statistics.

    Raises
    ------
    ConfigError
        scikit-learn is not installed, or the corpora have no labels.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        raise ConfigError(
            f"tune.model={config.tune.model} needs the package scikit-learn: pip install scikit-learn"
        ) from None
    if not data.label_names:
        raise ConfigError("tune.task is classify, but the corpora have no label_names; forecast, or add labels")
    weight = "balanced" if config.tune.class_weights else None
    if config.tune.model == "gradient_boosting":
        model = HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=200, max_leaf_nodes=15, class_weight=weight, random_state=config.seed
        )
    else:
        model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=5000, class_weight=weight))
    metrics: dict[str, float] = {}
    for place, name in enumerate(data.corpus_names):
        parts = {}
        for part in ("train", split):
            dataset = data.datasets[part][place]
            batch = dataset[list(range(len(dataset)))]
            parts[part] = window_statistics(batch), batch.label
        model.fit(parts["train"][0], parts["train"][1].numpy())
        probabilities = np.zeros((len(parts[split][1]), len(data.label_names)))
        probabilities[:, model.classes_] = model.predict_proba(parts[split][0])
        scores = ClassificationScores(len(data.label_names))
        scores.update(torch.from_numpy(probabilities).float(), parts[split][1])
        metrics |= _named(split, name, data, scores)
    return metrics
