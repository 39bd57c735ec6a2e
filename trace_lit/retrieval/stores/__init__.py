"""Stores of an index: windows with vectors and columns, in a folder with FAISS or in Milvus."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
