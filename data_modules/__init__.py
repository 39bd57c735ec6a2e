"""Corpora, the sources that they are built from, and the DataModules that turn them into batches."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
