"""One function a job: fit a stage, evaluate a run, compare several, search with one."""

from trace_lit.train.compare import compare_runs
from trace_lit.train.ensemble import evaluate_mean, predict_mean
from trace_lit.train.evaluate import evaluate_run
from trace_lit.train.fit import FitResult, fit
from trace_lit.train.survival import evaluate_survival

__all__ = [
    "FitResult",
    "compare_runs",
    "evaluate_mean",
    "evaluate_run",
    "evaluate_survival",
    "fit",
    "predict_mean",
]
