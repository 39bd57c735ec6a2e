"""The paths of a run's configuration, kept relative to its folder, so that they are found again where it was moved to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from trace_lit.plain import at_home
from trace_lit.rag.config import SHAPE
from trace_lit.settings import Config

_PLACES = (("", "init_from"), ("data", "corpus"), ("data", "root"), ("rag", "retriever"), ("rag", "corpus"))
_CACHES = {"data": ("*/corpus.yaml", "retrieved"), "text": ("*.vectors",)}  # and what lies in one that was used


def relative(place: str | Path, folder: Path) -> str:
    """The path `place` as it is seen from `folder`."""
    return os.path.relpath(at_home(place).resolve(), folder.resolve())


def relative_places(config: Config, folder: Path) -> dict[str, Any]:
    """The paths of `config` that are set, by dotted keys, each relative to the run's `folder`."""
    found: dict[str, Any] = {}
    for section, key in _PLACES:
        value = getattr(getattr(config, section) if section else config, key)
        if value is not None and value != SHAPE:
            listed = isinstance(value, list)
            of_value = [relative(place, folder) for place in value] if listed else relative(value, folder)
            found[f"{section}.{key}".lstrip(".")] = of_value
    return found


def find_again(config: Config, folder: Path, places: dict[str, Any]) -> None:
    """Let `config` name what is there today.

    A path leads where it leads from the run's `folder`, as `relative_places` kept it, if anything is there, and stays
    what it is otherwise. A cache folder that has no cache in it gives way to the usual one: a run that was handed over is
    somebody else's, and may name any folder.
    """

    def found(place: str, relative: Any) -> str:
        try:
            there = (folder.resolve() / str(relative)).resolve()
            return str(there) if there.exists() else place
        except (OSError, ValueError):  # no path
            return place

    for section, key in _PLACES:
        owner = getattr(config, section) if section else config
        value, relative = getattr(owner, key), places.get(f"{section}.{key}".lstrip("."))
        if value is None or relative is None:
            continue
        if not isinstance(value, list):
            setattr(owner, key, found(value, relative))
        elif isinstance(relative, list) and len(relative) == len(value):
            setattr(owner, key, [found(*pair) for pair in zip(value, relative, strict=True)])
    usual = Config()
    for section, kept in _CACHES.items():
        owner = getattr(config, section)
        cache = at_home(owner.cache_dir)
        try:
            used = any(True for pattern in kept for _ in cache.glob(pattern))
        except (OSError, ValueError):  # no path, or one that may not be read
            used = False
        if not used:
            owner.cache_dir = getattr(usual, section).cache_dir
