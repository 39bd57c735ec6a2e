from .backbone import BackboneForecast, ZeroShotForecast
from .frozen import FrozenForecaster
from .named import load_forecaster

__all__ = [
    "BackboneForecast",
    "FrozenForecaster",
    "ZeroShotForecast",
    "load_forecaster",
]
