"""Frozen forecasters of other people behind one narrow interface, TRACE §4.3."""

from trace_lit.rag.forecasters.backbone import BackboneForecast, ZeroShotForecast
from trace_lit.rag.forecasters.chronos import Chronos2, ChronosBolt
from trace_lit.rag.forecasters.frozen import FrozenForecaster
from trace_lit.rag.forecasters.moment import Moment
from trace_lit.rag.forecasters.timesfm import TimesFm

FORECASTERS: dict[str, tuple[type[FrozenForecaster], str]] = {  # and a model of the hub
    "moment": (Moment, "AutonLab/MOMENT-1-small"),
    "chronos_bolt": (ChronosBolt, "amazon/chronos-bolt-small"),
    "chronos2": (Chronos2, "amazon/chronos-2"),
    "timesfm": (TimesFm, "google/timesfm-2.0-500m-pytorch"),
}


def load_forecaster(model: str, backbone: str | None = None) -> FrozenForecaster:
    """The forecaster `model` of FORECASTERS, by the hub's name or the folder `backbone`.

    Raises
    ------
    ConfigError
        Its package is not installed, or it cannot be found or read.
    """
    kind, usual = FORECASTERS[model]
    return kind.load(backbone or usual)


__all__ = [
    "FORECASTERS",
    "BackboneForecast",
    "Chronos2",
    "ChronosBolt",
    "FrozenForecaster",
    "Moment",
    "TimesFm",
    "ZeroShotForecast",
    "load_forecaster",
]
