from .build import build_tune_module, score_split
from .closed_form import solve_head
from .neighbours import attach_retrieval
from .statistics import fit_classifiers

__all__ = [
    "attach_retrieval",
    "build_tune_module",
    "fit_classifiers",
    "score_split",
    "solve_head",
]
