"""`python -m trace_lit.cli`, as torchrun starts it: the command `trace-lit`.

Python searches the current folder first for a module started by `-m`. Here it does not, nor do processes started from here:
a user's own `callbacks.py` there must not take the place of the package. Classes named in a configuration are still found
in the current folder.
"""

import os
import sys
from pathlib import Path

import trace_lit

if __name__ == "__main__":
    here = Path.cwd().resolve()
    of_a_checkout = Path(trace_lit.__path__[0]).resolve().parent == here  # which need not be installed
    if not sys.flags.safe_path and not of_a_checkout and Path(sys.path[0]).resolve() == here:
        del sys.path[0]
        os.environ["PYTHONSAFEPATH"] = "1"

    from trace_lit.cli import main

    sys.exit(main())
