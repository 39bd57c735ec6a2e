from .ensemble import evaluate_mean, predict_mean
from .evaluate import evaluate_run
from .retention import evaluate_retention

__all__ = [
    "evaluate_mean",
    "evaluate_retention",
    "evaluate_run",
    "predict_mean",
]
