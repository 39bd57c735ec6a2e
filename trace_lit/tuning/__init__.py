"""Tuning for a task: heads in closed form, classifiers from statistics, neighbours of the windows."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
