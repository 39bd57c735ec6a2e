"""One function a job: fit a stage, evaluate a run, search with it."""

from trace_lit.train.evaluate import evaluate_run
from trace_lit.train.fit import FitResult, fit

__all__ = ["FitResult", "evaluate_run", "fit"]
