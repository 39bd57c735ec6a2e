"""`callbacks` and `data_modules` are names that a user's own file may have, too: which of them Python would import."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import trace_lit
from trace_lit.errors import InputError

PACKAGES = ("callbacks", "data_modules")


def check_packages() -> None:
    """Raise InputError where something else than this project's package would be imported under one of its names."""
    home = Path(trace_lit.__path__[0]).resolve().parent
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        found = None if spec is None else spec.origin or next(iter(spec.submodule_search_locations or ()), None)
        if found is None:
            raise InputError(f"the package {name} of trace_lit is not installed; install trace_lit again")
        if not Path(found).resolve().is_relative_to(home / name):
            raise InputError(
                f"{found} hides trace_lit's own package {name!r}: rename it, or take its folder from Python's search path"
            )
