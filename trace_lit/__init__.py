"""Time series and text in one space: TRACE (arXiv 2506.09114) as a PyTorch Lightning experiment framework.

    import trace_lit

    model = trace_lit.load("runs/weather/align/first")
    hits = model.search("a cold front with a sudden drop of pressure", corpus="corpora/weather", top=5)

What `__init__.pyi` names is imported when it is first used, so importing the package costs nothing.
"""

import os

import lazy_loader

STARTED = os.getpid(), os.getppid()  # this process and the one that started it, which may end before others import more
__version__ = "0.2.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
