"""Forecasts and classification augmented by retrieval, TRACE §3.4: memory, admissible search, soft prompts, models."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
