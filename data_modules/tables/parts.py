"""The split of each window: by shares of a series, or by the times at which validation and test begin."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.schema import CorpusError
from data_modules.splits import SPLITS, TEST_SHARE, TRAIN_SHARE
from data_modules.tables.spec import TablesSpec
from data_modules.tables.times import read_times
from data_modules.tables.zones import to_utc, zone_of
from trace_lit.config import ConfigError

_FAR = np.datetime64("9999-12-31", "us")
USUAL = {"train": TRAIN_SHARE, "validation": 1 - TRAIN_SHARE - TEST_SHARE, "test": TEST_SHARE}


class Parts:
    """The split rule of a spec: shares of the windows of each series, or two times."""

    def __init__(self, spec: TablesSpec, by_the_clock: bool) -> None:
        given = spec.split or USUAL
        if unknown := sorted(set(given) - set(SPLITS)):
            raise ConfigError(f"split.{unknown[0]}: there is no such split; the splits are {', '.join(SPLITS)}")
        numbers = {name: float(value) for name, value in given.items() if _is_number(value)}
        if numbers and len(numbers) < len(given):
            raise ConfigError(
                f"split is {given}; give shares of all splits, or the times at which validation and test begin"
            )
        self.shares = numbers
        self.begins: dict[str, np.datetime64] = {}
        if numbers:
            if min(numbers.values()) < 0 or abs(sum(numbers.values()) - 1) > 1e-6 or not numbers.get("train"):
                raise ConfigError(f"split is {given}; the shares must sum to 1, and that of train be positive")
            return
        for name, value in given.items():
            if name == "train":
                raise ConfigError(
                    "split.train: training lasts until validation begins; give when validation and test begin"
                )
            self.begins[name] = moment(spec, value, f"split.{name}", by_the_clock)
        if "validation" in self.begins and "test" in self.begins and self.begins["validation"] > self.begins["test"]:
            raise ConfigError(f"split: validation begins at {given['validation']}, after the test at {given['test']}")

    def splits(self, edges: NDArray[np.datetime64]) -> list[str]:
        """The split of each of N windows with begins and ends `edges` (2, N); "" for one that lies across a border."""
        borders = self._borders(edges[0])
        begun = np.searchsorted(borders, edges[0], side="right")
        ended = np.searchsorted(borders, edges[1], side="left")
        return [SPLITS[one] if one == other else "" for one, other in zip(begun, ended, strict=True)]

    def _borders(self, begins: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
        """The times at which validation and test begin, for windows with these `begins` (N,)."""
        if self.begins:
            test = self.begins.get("test", _FAR)
            return np.array([self.begins.get("validation", test), test])
        first = int(self.shares["train"] * len(begins) + 1e-9)
        second = max(first, len(begins) - round(self.shares.get("test", 0.0) * len(begins)))
        return np.append(begins, _FAR)[[first, second]]


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"[01]?\.\d+|[01]", value.strip()) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value < 1000


def moment(spec: TablesSpec, given: Any, key: str, by_the_clock: bool) -> np.datetime64:
    """A time in the spec, by the clock or as UTC."""
    import pandas as pd

    read = read_times(pd.Series([str(given)], dtype=object))
    if read.wrong[0] or np.isnat(read.local[0]):
        raise CorpusError(f"{key} is {given!r}; it must be a time, like 2024-05-31 or 2024-05-31T18:00")
    if by_the_clock or read.aware[0]:
        return np.datetime64(read.local[0], "us")
    return np.datetime64(to_utc(read.local, zone_of(spec.timezone)).utc[0], "us")
