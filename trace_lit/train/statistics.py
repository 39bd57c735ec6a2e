"""Classification from statistics of the window, on scikit-learn: the baselines of the stage tune."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from data_modules import DomainDataModule
from data_modules.forecasting import OriginDataset
from trace_lit.batch import MultimodalBatch
from trace_lit.config import Config, ConfigError
from trace_lit.scores import ClassificationScores


def window_statistics(batch: MultimodalBatch) -> Tensor:
    """Of each channel mean, deviation, least, greatest, first and last value and slope a step.

    (B, C · 7) float64, of what is observed; NaN for a channel that is not.
    """
    seen, values = batch.observed, batch.values.double()
    steps = torch.arange(values.shape[-1], dtype=torch.float64).expand_as(values)
    count = seen.sum(-1)

    def average(x: Tensor) -> Tensor:
        return torch.where(seen, x, 0.0).sum(-1) / count  # 0 / 0, so NaN, where nothing is observed

    mean = average(values)
    change, time = values - mean.unsqueeze(-1), steps - average(steps).unsqueeze(-1)
    ends = torch.stack([seen.int().argmax(-1), seen.shape[-1] - 1 - seen.flip(-1).int().argmax(-1)], dim=-1)
    slope = average(change * time) / average(time.square()).clamp(min=1e-12)  # 0 of a single value
    found = torch.stack(
        [
            mean,
            average(change.square()).sqrt(),
            torch.where(seen, values, torch.inf).amin(-1),
            torch.where(seen, values, -torch.inf).amax(-1),
            *values.gather(-1, ends).unbind(-1),
            slope,
        ],
        dim=-1,
    )
    return torch.where(count.unsqueeze(-1) > 0, found, torch.nan).flatten(1)


def classify_by_statistics(config: Config, data: DomainDataModule, split: str) -> list[ClassificationScores]:
    """The scores of scikit-learn's classifier `tune.model`, learned from the training windows' statistics, one a corpus.

    Raises
    ------
    ConfigError
        The corpora have no labels.
    """
    all_scores = []
    for place, told in enumerate(data.datasets[split]):
        batch = told[list(range(len(told)))]
        scores = ClassificationScores(len(data.label_names))
        scores.update(fit_statistics(config, data, place)(batch), batch.label)
        all_scores.append(scores)
    return all_scores


def fit_statistics(config: Config, data: DomainDataModule, place: int = 0) -> Callable[[MultimodalBatch], Tensor]:
    """What tells the probabilities (B, K) of the labels of a batch, learned from the training windows of a corpus.

    Raises
    ------
    ConfigError
        The corpora have no labels.
    """
    if not data.label_names:
        raise ConfigError("tune.task is classify, but the corpora have no label_names; forecast, or add labels")
    dataset: OriginDataset = data.datasets["train"][place]
    counts = dataset.label_counts(len(data.label_names)).tolist()
    rarity = {label: sum(counts) / (len(counts) * count) for label, count in enumerate(counts) if count}
    model = _classifier(config, {label: value**config.tune.class_weights for label, value in rarity.items()})
    learned = dataset[list(range(len(dataset)))]
    model.fit(window_statistics(learned).numpy(), learned.label.numpy())

    def tell(batch: MultimodalBatch) -> Tensor:
        probabilities = torch.zeros(len(batch), len(data.label_names))
        told = model.predict_proba(window_statistics(batch).numpy())
        probabilities[:, model.classes_] = torch.from_numpy(told).float()
        return probabilities

    return tell


def _classifier(config: Config, weight: dict[int, float]) -> Any:
    """The classifier `tune.model` of scikit-learn, which takes seconds to import; `weight` is each label's."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if config.tune.model == "gradient_boosting":
        return HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=200, max_leaf_nodes=15, class_weight=weight, random_state=config.seed
        )
    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=5000, class_weight=weight))
