"""Retrieval: embedded pools, their metrics, an index, and a retriever that answers questions."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
