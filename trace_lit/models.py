"""The models of the stage tune, by the names that `tune.model` takes: one list, from which all else is derived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trace_lit.config import is_class_path

Kind = Literal["encoder", "baseline", "classifier", "frozen", "retrieved", "own"]


@dataclass(frozen=True)
class ModelEntry:
    """One model.

    Attributes
    ----------
    kind
        "encoder": the series encoder under a head; "baseline": a forecaster that learns from its channel's past;
        "classifier": one of scikit-learn; "frozen": a forecaster of the hub under a head; "retrieved": the mean of what
        is retrieved; "own": a class of the user's.
    path
        Its class, "package.module:Class".
    learns
        Whether it has anything to train.
    hub
        The model of the Hugging Face hub that is taken by default.
    """

    kind: Kind
    path: str
    learns: bool = True
    hub: str | None = None

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it can do."""
        if self.kind in ("encoder", "retrieved", "own"):
            return ("forecast", "classify")
        return ("classify",) if self.kind == "classifier" else ("forecast",)


_BASELINES, _FROZEN = "trace_lit.encoder.baselines", "trace_lit.rag.forecasters"
MODELS: dict[str, ModelEntry] = {
    "trace": ModelEntry("encoder", "trace_lit.encoder.model:SeriesEncoder"),
    "retrieved_mean": ModelEntry("retrieved", "trace_lit.rag.models:RetrievedMean", learns=False),
    "naive": ModelEntry("baseline", f"{_BASELINES}:Naive", learns=False),
    "seasonal_naive": ModelEntry("baseline", f"{_BASELINES}:SeasonalNaive", learns=False),
    "nlinear": ModelEntry("baseline", f"{_BASELINES}:NLinear"),
    "dlinear": ModelEntry("baseline", f"{_BASELINES}:DLinear"),
    "patchtst": ModelEntry("baseline", f"{_BASELINES}:PatchTST"),
    "moment": ModelEntry("frozen", f"{_FROZEN}.moment:Moment", hub="AutonLab/MOMENT-1-small"),
    "chronos_bolt": ModelEntry("frozen", f"{_FROZEN}.chronos:ChronosBolt", hub="amazon/chronos-bolt-small"),
    "chronos2": ModelEntry("frozen", f"{_FROZEN}.chronos:Chronos2", hub="amazon/chronos-2"),
    "timesfm": ModelEntry("frozen", f"{_FROZEN}.timesfm:TimesFm", hub="google/timesfm-2.0-500m-pytorch"),
    "logistic_regression": ModelEntry("classifier", "trace_lit.tuning.statistics:LogisticRegression"),
    "gradient_boosting": ModelEntry("classifier", "trace_lit.tuning.statistics:GradientBoosting"),
}


def model_entry(model: str) -> ModelEntry:
    """What is known of the model that `tune.model` names, by a name of `MODELS` or as a class path."""
    return ModelEntry("own", model) if is_class_path(model) else MODELS[model]


def names_of(*kinds: Kind) -> tuple[str, ...]:
    """The names of all models of these kinds, in the order of `MODELS`."""
    return tuple(name for name, entry in MODELS.items() if entry.kind in kinds)


BASELINES = names_of("baseline")
CLASSIFIERS = names_of("classifier")
BACKBONES = names_of("frozen")
RETRIEVED_MEAN = "retrieved_mean"
