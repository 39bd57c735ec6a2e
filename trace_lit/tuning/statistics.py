"""Classification from statistics of the window, on scikit-learn: the baselines of the stage tune.

What a classifier has learned is kept as tensors, so that it is used without scikit-learn and loads without pickle.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data_modules.forecasting import OriginDataset
from trace_lit.batch import MultimodalBatch
from trace_lit.config import import_class
from trace_lit.encoder.trees import probabilities, tree_scores
from trace_lit.encoder.window_statistics import statistics_of
from trace_lit.models import MODELS
from trace_lit.settings import Config

if TYPE_CHECKING:  # it imports Lightning
    from data_modules.domain import DomainDataModule


class StatisticsClassifier(ABC):
    """Tells the probabilities of the labels of a batch from statistics of its windows.

    It goes by the channels of the corpus that it was fitted on: others that a batch may have are left out, and those that
    it lacks are missing.

    Parameters
    ----------
    learned
        What `fit` has returned.
    labels
        K, the number of label names.
    """

    def __init__(self, learned: Mapping[str, Tensor], labels: int) -> None:
        self.learned = dict(learned)
        self.labels = labels

    @classmethod
    def fit(cls, dataset: OriginDataset, config: Config, labels: int) -> StatisticsClassifier:
        """Learn from the windows of `dataset`; rare labels count more, by `tune.class_weights`."""
        counts = dataset.label_counts(labels).tolist()
        rarity = {label: sum(counts) / (len(counts) * count) for label, count in enumerate(counts) if count}
        weight = {label: value**config.tune.class_weights for label, value in rarity.items()}
        batch, channels = dataset[list(range(len(dataset)))], dataset.channel_ids
        features = statistics_of(batch, channels).numpy()
        learned, classes = cls.learn(features, batch.label.numpy(), weight, config.seed)
        return cls({**learned, "channels": channels, "classes": torch.as_tensor(classes)}, labels)

    def __call__(self, batch: MultimodalBatch) -> Tensor:
        """Probabilities (B, K) of the labels."""
        raw = self.scores(statistics_of(batch, self.learned["channels"]))
        return probabilities(raw, self.learned["classes"], self.labels).float()

    @staticmethod
    @abstractmethod
    def learn(features: Any, labels: Any, weight: dict[int, float], seed: int) -> tuple[dict[str, Tensor], Any]:
        """Fit features (N, F), NaN where missing, to `labels` (N,): what is learned, and the classes in their order."""

    @abstractmethod
    def scores(self, features: Tensor) -> Tensor:
        """The logits (B, K') of the classes, of two those (B, 1) of the second, from features (B, F) float64."""


class LogisticRegression(StatisticsClassifier):
    """Logistic regression on standardised statistics; a missing one stands at its mean."""

    @staticmethod
    def learn(features: Any, labels: Any, weight: dict[int, float], seed: int) -> tuple[dict[str, Tensor], Any]:
        from sklearn import linear_model  # which takes seconds to import
        from sklearn.impute import SimpleImputer
        from sklearn.preprocessing import StandardScaler

        imputer = SimpleImputer(keep_empty_features=True)  # of a channel without a value in any training window
        scaler = StandardScaler()
        model = linear_model.LogisticRegression(max_iter=5000, class_weight=weight)
        model.fit(scaler.fit_transform(imputer.fit_transform(features)), labels)
        learned = {
            "fill": imputer.statistics_,
            "mean": scaler.mean_,
            "scale": scaler.scale_,
            "weight": model.coef_,
            "bias": model.intercept_,
        }
        return {name: torch.from_numpy(value) for name, value in learned.items()}, model.classes_

    def scores(self, features: Tensor) -> Tensor:
        own = self.learned
        features = torch.where(features.isnan(), own["fill"].nan_to_num(0.0), features)
        return (features - own["mean"]) / own["scale"] @ own["weight"].T + own["bias"]


class GradientBoosting(StatisticsClassifier):
    """Boosted trees on histograms; a missing statistic goes to the side that it was learned to go to."""

    @staticmethod
    def learn(features: Any, labels: Any, weight: dict[int, float], seed: int) -> tuple[dict[str, Tensor], Any]:
        settings = {"learning_rate": 0.05, "max_iter": 200, "max_leaf_nodes": 15, "class_weight": weight}
        return boosted_trees(features, labels, random_state=seed, **settings)

    def scores(self, features: Tensor) -> Tensor:
        return tree_scores(self.learned, features)


def boosted_trees(features: Any, labels: Any, **settings: Any) -> tuple[dict[str, Tensor], NDArray[np.int64]]:
    """The trees of a HistGradientBoostingClassifier, behind one another as `tree_scores` takes them, and the classes.

    It learns on one thread: several, which have little to do at a time, wait for each other, and beside other work that
    took two hundred times as long.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # which takes seconds to import
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingClassifier(**settings)
    with threadpool_limits(1, "openmp"):
        model.fit(features, labels)
    trees = [(score, tree.nodes) for stage in model._predictors for score, tree in enumerate(stage)]
    sizes = torch.tensor([len(nodes) for _, nodes in trees])
    first = sizes.cumsum(0) - sizes

    def nodes(name: str, kind: torch.dtype) -> Tensor:
        return torch.cat([torch.as_tensor(own[name].astype("f8")) for _, own in trees]).to(kind)

    offset = first.repeat_interleave(sizes)
    return {
        "first": first,
        "score": torch.tensor([score for score, _ in trees]),
        "feature": nodes("feature_idx", torch.int64),
        "threshold": nodes("num_threshold", torch.float64),
        "missing_left": nodes("missing_go_to_left", torch.bool),
        "left": nodes("left", torch.int64) + offset,
        "right": nodes("right", torch.int64) + offset,
        "leaf": nodes("is_leaf", torch.bool),
        "value": nodes("value", torch.float64),
        "baseline": torch.as_tensor(model._baseline_prediction).double().flatten(),
    }, model.classes_


def classifier_class(config: Config) -> type[StatisticsClassifier]:
    """The class of the classifier `tune.model`."""
    return import_class(MODELS[config.tune.model].path, StatisticsClassifier, "tune.model")


def fit_classifiers(config: Config, data: DomainDataModule) -> list[StatisticsClassifier]:
    """The classifiers `tune.model`, learned from the training windows, one a corpus."""
    kind, labels = classifier_class(config), len(data.label_names)
    return [kind.fit(dataset, config, labels) for dataset in data.datasets["train"]]


def classifier_weights(classifiers: list[StatisticsClassifier]) -> dict[str, Tensor]:
    """All that `classifiers` have learned, for a checkpoint."""
    return {f"{place}.{name}": value for place, own in enumerate(classifiers) for name, value in own.learned.items()}


def restore_classifiers(config: Config, weights: Mapping[str, Tensor], labels: int) -> list[StatisticsClassifier]:
    """The inverse of `classifier_weights`."""
    kind = classifier_class(config)
    places = sorted({int(name.partition(".")[0]) for name in weights})
    return [
        kind(
            {name.partition(".")[2]: value for name, value in weights.items() if int(name.partition(".")[0]) == place},
            labels,
        )
        for place in places
    ]
