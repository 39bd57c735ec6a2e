from .aligned import AlignedRun, Hits
from .ensemble import evaluate_mean, predict_mean
from .evaluate import evaluate_run
from .loaded import LoadedRun, PretrainedRun
from .retention import evaluate_retention
from .tuned import ClassifierRun, TunedRun
from .universal import UniversalRun

__all__ = [
    "AlignedRun",
    "ClassifierRun",
    "Hits",
    "LoadedRun",
    "PretrainedRun",
    "TunedRun",
    "UniversalRun",
    "evaluate_mean",
    "evaluate_retention",
    "evaluate_run",
    "predict_mean",
]
