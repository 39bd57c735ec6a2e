"""`python -m trace_lit.cli`, as torchrun starts it."""

import sys

from trace_lit.cli import main

if __name__ == "__main__":
    sys.exit(main())
