"""Classification from statistics of the window, on scikit-learn: the baselines of the stage tune."""

from __future__ import annotations

import numpy as np
import torch

from data_modules import DomainDataModule
from trace_lit.batch import MultimodalBatch
from trace_lit.config import Config, ConfigError
from trace_lit.scores import ClassificationScores


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


def classify_by_statistics(config: Config, data: DomainDataModule, split: str) -> list[ClassificationScores]:
    """The scores of scikit-learn's classifier `tune.model`, learned from the training windows' statistics, one a corpus.

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
    all_scores = []
    for place in range(len(data.corpora)):
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
        all_scores.append(scores)
    return all_scores
