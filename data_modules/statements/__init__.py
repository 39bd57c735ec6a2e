"""True statements in words about windows, made from their values alone, for any corpus and any channels.

`Statements.of(corpus, rows)` draws them; each has the rule that decides for which other windows it is true.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
