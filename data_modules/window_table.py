"""Windows as rules see them: their values in the channels' units, and quantiles over all of them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import Corpus, CorpusError
from trace_lit.channels import Channel


class RuleError(CorpusError):
    """A rule cannot be read, or not be applied to the channels at hand."""


@dataclass(frozen=True)
class Quantile:
    """The value that a share of the pool's windows lies below."""

    share: float

    def __str__(self) -> str:
        return f"{100 * self.share:g} % of the windows"


class WindowStatistic(Protocol):
    """One number of a window; hashable."""

    def values(self, table: WindowTable) -> NDArray[np.float64]: ...  # (N,), NaN where there is none


@dataclass(frozen=True, eq=False)
class WindowTable:
    """N windows of C channels."""

    values: list[NDArray[np.float64]]  # N of (C, T), in the channels' units, NaN where missing; T may differ
    starts: NDArray[np.datetime64]  # (N,) UTC times of the first steps
    frequency: str  # of the steps, like "1h"
    channels: tuple[Channel, ...]
    _bounds: dict[tuple[WindowStatistic | str, Quantile], float] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def of(cls, corpus: Corpus, rows: Sequence[int] | NDArray[np.int64]) -> WindowTable:
        """The given rows of a corpus, in their order."""
        values = corpus.values()
        rows = np.asarray(rows, dtype=np.int64)
        return cls(
            values=[values[row].astype(np.float64) for row in rows],
            starts=corpus.starts[rows].astype("datetime64[s]"),
            frequency=corpus.info.frequency,
            channels=corpus.info.channels,
        )

    @cached_property
    def blocks(self) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """The windows by their length: places (n,) in the table, and values (n, C, T)."""
        lengths = np.array([window.shape[1] for window in self.values], dtype=np.int64)
        groups = [np.flatnonzero(lengths == length) for length in np.unique(lengths)]
        return [(rows, np.stack([self.values[row] for row in rows])) for rows in groups]

    def place(self, name: str) -> int:
        """Which channel `name` means; see `find_channel`."""
        return find_channel(name, self.channels)

    def bound(self, statistic: WindowStatistic, quantile: Quantile) -> float:
        """The quantile of a statistic over the windows of the table; NaN where no window has the statistic."""
        key = statistic, quantile
        if key not in self._bounds:
            self._bounds[key] = _quantile(statistic.values(self), quantile.share)
        return self._bounds[key]

    def step_bound(self, channel: str, quantile: Quantile) -> float:
        """The quantile of a channel's values over all steps of all windows."""
        key = channel, quantile
        if key not in self._bounds:
            place = self.place(channel)
            steps = [block[:, place].ravel() for _, block in self.blocks]
            self._bounds[key] = _quantile(np.concatenate([np.empty(0), *steps]), quantile.share)
        return self._bounds[key]


def _quantile(values: NDArray[np.float64], share: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.quantile(known, share)) if len(known) else float("nan")


def find_channel(name: str, channels: Sequence[Channel]) -> int:
    """The place of the channel that `name` means: its name or key, or the words of the name of one channel alone.

    So `temperature` is "air temperature" where no other channel is a temperature.

    Raises
    ------
    RuleError
        No channel or several have that name; the message has the nearest.
    """
    asked = name.lower()
    for names in ([channel.key for channel in channels], [channel.name for channel in channels]):
        if (found := [place for place, own in enumerate(names) if own.lower() == asked]) and len(found) == 1:
            return found[0]
    found = [place for place, channel in enumerate(channels) if f" {asked} " in f" {channel.name.lower()} "]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(channels[place].key for place in found)
        raise RuleError(f"the channel {name!r} could be one of: {keys}; write its full name")
    raise RuleError(f"there is no channel {name!r}{nearest(name, [channel.name for channel in channels])}")


def nearest(name: str, allowed: Sequence[str]) -> str:
    """The end of an error's sentence: what may have been meant, and what there is."""
    close = difflib.get_close_matches(str(name), allowed, n=1)
    return (f"; did you mean {close[0]!r}?" if close else ";") + f" There are: {', '.join(allowed)}"
