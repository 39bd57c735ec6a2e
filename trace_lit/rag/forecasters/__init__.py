"""Frozen forecasters of other people behind one narrow interface, TRACE §4.3; `trace_lit.models` names them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
