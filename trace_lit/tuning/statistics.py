"""Classification from statistics of the window, on scikit-learn: the baselines of the stage tune."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from data_modules import DomainDataModule
from data_modules.forecasting import OriginDataset
from trace_lit.batch import MultimodalBatch
from trace_lit.settings import Config

_STATISTICS = 7


def window_statistics(batch: MultimodalBatch) -> Tensor:
    """Of each channel mean, deviation, least, greatest, first and last value and slope a step.

    (B, C · 7) float64, over the observed steps; NaN for a channel without any.
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


def statistics_of(batch: MultimodalBatch, channel_ids: Tensor) -> Tensor:
    """The `window_statistics` of the channels `channel_ids` (K,), whichever the batch has: (B, K · 7)."""
    found = window_statistics(batch).unflatten(1, (-1, _STATISTICS))  # (B, C, 7)
    there = channel_ids.unsqueeze(1) == batch.channel_ids.unsqueeze(1)  # (B, K, C)
    own = found.gather(1, there.int().argmax(-1, keepdim=True).expand(-1, -1, _STATISTICS))
    return torch.where(there.any(-1, keepdim=True), own, torch.nan).flatten(1)


def fit_statistics(config: Config, data: DomainDataModule, place: int = 0) -> Callable[[MultimodalBatch], Tensor]:
    """A function that gives the probabilities (B, K) of the labels of a batch, trained on the training windows of a corpus.

    It uses that corpus's channels: others in a batch are left out, and those that a batch lacks are missing.
    """
    dataset: OriginDataset = data.datasets["train"][place]
    counts = dataset.label_counts(len(data.label_names)).tolist()
    rarity = {label: sum(counts) / (len(counts) * count) for label, count in enumerate(counts) if count}
    model = _classifier(config, {label: value**config.tune.class_weights for label, value in rarity.items()})
    learned = dataset[list(range(len(dataset)))]
    channels = dataset.channel_ids
    model.fit(statistics_of(learned, channels).numpy(), learned.label.numpy())

    def predict(batch: MultimodalBatch) -> Tensor:
        probabilities = torch.zeros(len(batch), len(data.label_names))
        found = model.predict_proba(statistics_of(batch, channels).numpy())
        probabilities[:, model.classes_] = torch.from_numpy(found).float()
        return probabilities

    return predict


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
    imputer = SimpleImputer(keep_empty_features=True)  # of a channel without a value in any training window
    return make_pipeline(imputer, StandardScaler(), LogisticRegression(max_iter=5000, class_weight=weight))
