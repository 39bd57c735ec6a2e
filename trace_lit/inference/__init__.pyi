from .aligned import AlignedRun, Hits
from .ensemble import evaluate_mean, predict_mean
from .evaluate import evaluate_run
from .index import Index
from .index_files import IndexInfo
from .loaded import LoadedRun, PretrainedRun
from .parts import Parts, embed_parts
from .retention import evaluate_retention
from .tuned import ClassifierRun, TunedRun
from .universal import UniversalRun

__all__ = [
    "AlignedRun",
    "ClassifierRun",
    "Hits",
    "Index",
    "IndexInfo",
    "LoadedRun",
    "Parts",
    "PretrainedRun",
    "TunedRun",
    "UniversalRun",
    "embed_parts",
    "evaluate_mean",
    "evaluate_retention",
    "evaluate_run",
    "predict_mean",
]
