"""Frozen text encoders and the cache of their vectors, TRACE §3.3: "Texts are encoded by a frozen sentence encoder"."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
