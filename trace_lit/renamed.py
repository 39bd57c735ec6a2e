"""Keys of earlier versions: runs and files that hold them still load, with today's names."""

from __future__ import annotations

import copy
import warnings
from typing import Any

from trace_lit.config import ConfigError

RENAMED = {  # since 0.2
    **{
        f"tune.{name}": f"window.{name}"
        for name in ("lookback", "horizon", "split", "stride", "targets", "season", "fill_gaps", "max_texts")
    },
    **{
        f"tune.{name}": f"head.{name}"
        for name in ("solver", "quantiles", "calendar", "penalties", "penalise", "folds", "refit")
    },
    "tune.gains": "window.augmentation_scales",
    "mining.companions": "mining.in_batch",
    "rag.apart": "rag.min_distance",
}


def renamed(values: dict[str, Any], origin: str = "") -> dict[str, Any]:
    """`values`, nested, with the keys of today in the place of those of earlier versions.

    `origin` names the file or word of a user, who sees the new name once; what a run has kept is read silently.

    Raises
    ------
    ConfigError
        An old key stands beside the new one.
    """
    found = copy.deepcopy(values)
    moved = []
    mining = found.get("mining")
    of_before = isinstance(mining, dict) and "companions" in mining  # which every old run has kept
    if isinstance(mining, dict) and of_before and mining.get("relative_margin") is not None:
        mining["relative_margin"] = round(1.0 - float(mining["relative_margin"]), 12)
    for old, new in RENAMED.items():
        (section, name), (new_section, new_name) = old.split("."), new.split(".")
        own = found.get(section)
        if not isinstance(own, dict) or name not in own:
            continue
        target = found.setdefault(new_section, {})
        if new_name in target:
            raise ConfigError(f"{origin}: {old} is called {new} since version 0.2, and both are given; leave {old} out")
        target[new_name] = own.pop(name)
        moved.append(f"{old} is {new}")
    if moved and origin and not of_before:
        warnings.warn(f"{origin}: since version 0.2, {', '.join(moved)}", FutureWarning, stacklevel=2)
    return found
