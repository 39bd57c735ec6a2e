"""Training a run: fit a stage, resume it, run several seeds in turn."""

from trace_lit.train.fit import FitResult, fit

__all__ = ["FitResult", "fit"]
