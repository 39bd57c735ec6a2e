"""Frozen forecasters by name."""

from __future__ import annotations

from trace_lit.config import import_class
from trace_lit.models import MODELS
from trace_lit.rag.forecasters.frozen import FrozenForecaster


def load_forecaster(model: str, backbone: str | None = None) -> FrozenForecaster:
    """The frozen forecaster `model` of `trace_lit.models`, by the hub's name or the folder `backbone`.

    Raises
    ------
    ConfigError
        Its package is not installed, or it cannot be found or read.
    """
    entry = MODELS[model]
    return import_class(entry.path, FrozenForecaster, "tune.model").load(backbone or entry.hub)
