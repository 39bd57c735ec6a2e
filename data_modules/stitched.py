"""The series of a corpus, stitched from its rows: which steps there are, and from which a window may be forecast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from data_modules.corpus import Corpus
from data_modules.frequency import Frequency
from data_modules.splits import SPLITS, split_times
from data_modules.windows import Windows

_SECOND = 1_000_000  # microseconds
BLOCK = 2**18  # steps that are looked at at once


@dataclass
class Series:
    """All series of a corpus, one after another: S steps of C channels, in runs without a gap."""

    windows: Windows  # one a row of the corpus
    begun: Tensor  # (S,) int64, the first step of the run that a step belongs to
    ended: Tensor  # (S,) int64, the step after its last one
    number: Tensor  # (S,) int64, which series it is of; one with holes has several runs
    step_length: Tensor  # (S,) int64, in microseconds, or minus the number of months
    split: Tensor  # (S,) int64, place in SPLITS; -1 of steps that no row has, such as those of rows added since

    @classmethod
    def of(cls, corpus: Corpus, split: Any) -> Series:
        """Stitch the rows of `corpus`; a step's split is that of its "rows", or goes by the "steps" of its series.

        By steps, the first floor(0.7 n) of a series' n are for training and the last floor(0.2 n) for the test. The
        splits meet at two moments, whatever holes the series has, and training uses nothing after the first. A mapping
        gives other moments, see `split_times`.
        """
        windows = Windows.stitched(corpus, range(len(corpus))).with_times()
        start, end = windows.first - windows.before, windows.first + windows.length + windows.reach
        steps = len(windows.values)
        begun, ended, number, step_length = (torch.zeros(steps, dtype=torch.int64) for _ in range(4))
        part = torch.full((steps,), -1)
        _, series = np.unique(corpus.series_ids.astype(str), return_inverse=True)
        frequencies = {alias: Frequency.parse(alias) for alias in set(corpus.frequencies)}
        step_lengths = [frequencies[alias].microseconds or -frequencies[alias].months for alias in corpus.frequencies]
        runs = torch.stack([start, end, torch.from_numpy(series), torch.tensor(step_lengths)], dim=1)
        for first, last, own, length in runs.unique(dim=0).tolist():
            begun[first:last], ended[first:last] = first, last
            number[first:last], step_length[first:last] = own, length
        if split == "rows":
            split_of = np.array([SPLITS.index(name) for name in corpus.splits.tolist()])
            for place in range(len(SPLITS)):
                rows = torch.from_numpy(np.flatnonzero(split_of == place))
                borders = torch.zeros(steps + 1, dtype=torch.int32)  # windows that begin less those that have ended
                borders.index_add_(0, windows.first[rows], torch.ones(len(rows), dtype=torch.int32))
                ends = (windows.first + windows.length)[rows]
                borders.index_add_(0, ends, torch.full((len(rows),), -1, dtype=torch.int32))
                part[borders.cumsum(0)[:-1] > 0] = place
        else:
            begin, covered = windows.begin[torch.arange(steps)], (ended > begun).nonzero().squeeze(1)
            in_time = covered[torch.from_numpy(np.lexsort((begin[covered].numpy(), number[covered].numpy())))]
            for own in in_time.split(number[covered].bincount().tolist()):
                times, count = begin[own], len(own)
                if split == "steps":
                    later = torch.cat([times, times[-1:] + 1])[[7 * count // 10, count - count // 5]]
                else:
                    moments = split_times(split, times.numpy().astype("datetime64[s]"))
                    later = torch.from_numpy(moments.astype(np.int64))
                part[own] = torch.bucketize(times, later, right=True)
        return cls(windows, begun, ended, number, step_length, part)

    def forecast_origins(self, lookback: int, horizon: int, split: str) -> Tensor:
        """(N,) the first steps after the origins: `lookback` steps lie before, and all of the horizon is in `split`."""
        place = torch.arange(len(self.split))
        inside = (place - self.begun >= lookback) & (self.ended - place >= horizon)
        own = torch.cat([torch.zeros(1, dtype=torch.int64), (self.split == SPLITS.index(split)).cumsum(0)])
        last = (place + horizon).clamp(max=len(self.split))
        return (inside & (own[last] - own[place] == horizon)).nonzero().squeeze(1)

    def candidate_origins(self, lookback: int, horizon: int, splits: Sequence[str]) -> Tensor:
        """(N,) likewise, where look-back and horizon lie in `splits`."""
        place = torch.arange(len(self.split))
        inside = (place - self.begun >= lookback) & (self.ended - place >= horizon)
        allowed = torch.isin(self.split, torch.tensor([SPLITS.index(name) for name in splits])).long()
        count = torch.cat([torch.zeros(1, dtype=torch.int64), allowed.cumsum(0)])
        first, last = (place - lookback).clamp(min=0), (place + horizon).clamp(max=len(self.split))
        return (inside & (count[last] - count[first] == lookback + horizon)).nonzero().squeeze(1)

    def known(self, origins: Tensor, horizon: int) -> Tensor:
        """(N,) int64, the seconds since 1970 at which the `horizon` steps after `origins` (N,) have ended.

        Where a series ends earlier, steps of its length are added; a month then has 31 days.
        """
        last, end = origins - 1, self.windows.end
        there = last + horizon < self.ended[last]
        length = self.step_length[last]
        seconds = torch.where(length > 0, -(-horizon * length // _SECOND), -horizon * length * 31 * 86_400)
        return torch.where(there, end[torch.where(there, last + horizon, last)], end[last] + seconds)

    def training_statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation (C,) of the training steps' values: the scale that the literature's scores are on."""
        places, values = (self.split == 0).nonzero().squeeze(1).split(BLOCK), self.windows.values
        mean = mean_of(values[own].double() for own in places)
        deviation = mean_of((values[own].double() - mean).square() for own in places).sqrt()
        return mean.float(), torch.where(deviation > 0, deviation, 1.0).float()


def mean_of(parts: Iterable[Tensor]) -> Tensor:
    """Mean (C,) of what is no NaN in parts (n, C); NaN where nothing is."""
    total, count = torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.int64)
    for part in parts:
        total, count = total + part.nansum(0), count + (~part.isnan()).sum(0)
    return total / count
