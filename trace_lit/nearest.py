"""Names of files and folders that are not there, and which ones may be meant."""

from __future__ import annotations

import difflib
import itertools
import os
from collections.abc import Iterable
from pathlib import Path

_MOST = 1000  # names of a folder that are compared


def nearest_place(place: str | Path, *others: str) -> str:
    """` (the nearest is data/meter.csv)` for `data/metre.csv`, as part of a message; empty where nothing is near.

    Parameters
    ----------
    place
        A file or folder that is not there. What lies beside it is compared.
    others
        Further words that may be meant.
    """
    place = Path(place)
    near = nearest_name(str(place), others)
    if near is None:
        name = nearest_name(place.name, _beside(place))
        near = None if name is None else str(place.parent / name)
    return "" if near is None else f" (the nearest is {near})"


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `name` may be a slip of."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)), None)


def _beside(place: Path) -> list[str]:
    try:
        with os.scandir(place.parent) as entries:
            return [entry.name for entry in itertools.islice(entries, _MOST)]
    except (OSError, ValueError):
        return []
