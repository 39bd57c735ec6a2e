"""The split of each window: by shares, steps or durations of a series, or the times at which validation and test begin."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.schema import CorpusError
from data_modules.splits import SPLITS, TEST_SHARE, TRAIN_SHARE, check_split, split_times
from data_modules.tables.grid import Grid
from data_modules.tables.spec import TablesSpec
from data_modules.tables.times import read_times
from data_modules.tables.zones import to_local, to_utc, zone_of
from trace_lit.config import ConfigError

_FAR = np.datetime64("9999-12-31", "us")
BEHIND = "behind"  # all parts
USUAL = {"train": TRAIN_SHARE, "validation": 1 - TRAIN_SHARE - TEST_SHARE, "test": TEST_SHARE}


class Parts:
    """The split rule of a spec: shares of the windows of each series, lengths of its parts, or two times."""

    def __init__(self, spec: TablesSpec, by_the_clock: bool) -> None:
        given = spec.split or USUAL
        if unknown := sorted(set(given) - set(SPLITS)):
            raise ConfigError(f"split.{unknown[0]}: there is no such split; the splits are {', '.join(SPLITS)}")
        self.names = list(given) if any(name != SPLITS[0] for name in given) else []  # splits that the spec speaks of
        self.begins: dict[str, np.datetime64] = {}
        self.shares: dict[str, float] = {}
        self.zone = None if by_the_clock else zone_of(spec.timezone)
        self.lengths = given if set(given) == set(SPLITS) and all(map(_is_length, given.values())) else {}
        if self.lengths:
            if problem := check_split(self.lengths):
                raise ConfigError(f"split is {given}; {problem}")
            return
        numbers = {name: float(value) for name, value in given.items() if _is_number(value)}
        if numbers and len(numbers) < len(given):
            raise ConfigError(
                f"split is {given}; give shares of all splits, their lengths in steps (2000) or as durations (12 months), "
                "or the times at which validation and test begin"
            )
        self.shares = numbers
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

    def splits(self, edges: NDArray[np.datetime64], grid: Grid, steps: int) -> list[str]:
        """The split of each of N windows with begins and ends `edges` (2, N), of a series of so many steps on `grid`.

        It is "" for a window that lies across a border, and `BEHIND` for one behind the last part.
        """
        borders = self._lengths(grid.times(steps)) if self.lengths else self._borders(edges[0])
        begun = np.searchsorted(borders, edges[0], side="right")
        ended = np.searchsorted(borders, edges[1], side="left")
        names = (*SPLITS, BEHIND)
        return [names[one] if one == other else "" for one, other in zip(begun, ended, strict=True)]

    def _lengths(self, times: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
        """The times (3,) at which the parts of a series end; months and days are those of the clock."""
        if self.zone is None or isinstance(self.lengths["train"], int):
            return split_times(self.lengths, times).astype("datetime64[us]")
        return to_utc(split_times(self.lengths, to_local(times, self.zone)).astype("datetime64[us]"), self.zone).utc

    def _borders(self, begins: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
        """The times at which validation and test begin, for windows with these `begins` (N,)."""
        if self.begins:
            test = self.begins.get("test", _FAR)
            return np.array([self.begins.get("validation", test), test])
        first = int(self.shares["train"] * len(begins) + 1e-9)
        second = max(first, len(begins) - round(self.shares.get("test", 0.0) * len(begins)))
        return np.append(begins, _FAR)[[first, second]]


def _is_length(value: Any) -> bool:
    """Whether a part is given by its steps or as a duration."""
    if isinstance(value, str):
        return re.fullmatch(r"\s*\d+ [a-z]+\s*", value) is not None
    return isinstance(value, int) and not isinstance(value, bool) and value > 1


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
