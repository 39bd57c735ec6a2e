"""Windows as places in long series.

Rows of one series that follow or overlap each other are stitched into one array, so that a time step is stored once,
however many rows share it, and a window may start at any step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data_modules.corpus import Corpus, CorpusError
from data_modules.frequency import Frequency
from data_modules.schema import start_times
from data_modules.series_values import SeriesValues, StepTimes

_SECOND = 1_000_000  # microseconds


def check_lengths(corpus: Corpus, patch_length: int, remedy: str = "") -> None:
    """Raise CorpusError where a row of `corpus` is shorter than a patch.

    The message ends with the `remedy`: by default, that of a model that is still to be trained.
    """
    shortest = int(corpus.lengths.argmin())
    steps = int(corpus.lengths[shortest])
    if steps < patch_length:
        remedy = remedy or f"build the corpus with longer windows or set encoder.patch_length to at most {steps}"
        raise CorpusError(
            f"{corpus.path}: window {corpus.ids[shortest]!r} has {steps} steps and is shorter than a patch of "
            f"{patch_length}; {remedy}"
        )


@dataclass
class Windows:
    """N windows of C channels in an array of S time steps."""

    values: Tensor | SeriesValues  # (S, C) float32, or float64 where that does not hold them, NaN where missing
    begin: Tensor | StepTimes  # (S,) int64, each step's first second since 1970
    end: Tensor | StepTimes  # (S,) int64, the second after each step
    first: Tensor  # (N,) int64, the place of each window's first step
    length: Tensor  # (N,) int64, its number of steps
    before: Tensor  # (N,) int64, the number of steps that precede the window without a gap
    reach: Tensor  # (N,) int64, the number of steps that follow the window without a gap

    def __len__(self) -> int:
        return len(self.first)

    def with_times(self) -> Windows:
        """With the times of all steps in memory."""
        if isinstance(self.begin, Tensor):
            return self
        every = torch.arange(len(self.values))
        return replace(self, begin=self.begin[every], end=self.end[every])

    @property
    def all_times(self) -> tuple[Tensor, Tensor]:
        """`begin` and `end` of all steps."""
        own = self.with_times()
        assert isinstance(own.begin, Tensor)
        assert isinstance(own.end, Tensor)
        return own.begin, own.end

    @classmethod
    def stitched(cls, corpus: Corpus, rows: Sequence[int]) -> Windows:
        """The given rows of `corpus`, and no others.

        Rows are joined where they are of one series and frequency, on one time grid, without a gap, and agree on the
        values that they share. Of a corpus that stores series, they are joined already.
        """
        if corpus.series is not None:
            return cls._stored(corpus, corpus.series, np.asarray(rows, dtype=np.int64))
        values = corpus.values()
        starts = start_times(corpus.table())
        order = sorted(rows, key=lambda row: (corpus.series_ids[row], corpus.frequencies[row], starts[row]))
        segments: list[_Segment] = []
        place: dict[int, tuple[int, int]] = {}  # row -> its segment and its first step there
        previous = -1
        for row in order:
            akin = previous >= 0 and (
                corpus.series_ids[row] == corpus.series_ids[previous]
                and corpus.frequencies[row] == corpus.frequencies[previous]
            )
            step = segments[-1].join(starts[row], values[row]) if akin else None
            if step is None:
                segments.append(_Segment(starts[row], corpus.frequencies[row], values[row]))
                step = 0
            place[row] = (len(segments) - 1, step)
            previous = row

        sizes = np.array([segment.steps for segment in segments], dtype=np.int64)
        borders = np.concatenate([[0], np.cumsum(sizes)])
        segment_of, step_of = np.array([place[row] for row in rows], dtype=np.int64).reshape(-1, 2).T
        length = corpus.lengths[np.asarray(rows, dtype=np.int64)]
        first = borders[segment_of] + step_of
        channels = len(corpus.info.channels)
        kind = segments[0].last.dtype.type if segments else np.float32
        times = [segment.times() for segment in segments]
        return cls(
            values=_tensor([chunk.T for segment in segments for chunk in segment.chunks], (0, channels), kind),
            begin=_tensor([edges[:-1] // _SECOND for edges in times], (0,), np.int64),
            end=_tensor([-(-edges[1:] // _SECOND) for edges in times], (0,), np.int64),
            first=torch.from_numpy(first),
            length=torch.from_numpy(length),
            before=torch.from_numpy(step_of),
            reach=torch.from_numpy(borders[segment_of + 1] - first - length),
        )

    @classmethod
    def _stored(cls, corpus: Corpus, values: SeriesValues, rows: NDArray[np.int64]) -> Windows:
        first, length = corpus.places[rows], corpus.lengths[rows]
        order = np.lexsort((length, first))
        runs, begins = joined_runs(corpus, rows[order])
        ends = np.maximum.reduceat(first[order] + length[order], begins) if len(rows) else np.empty(0, np.int64)
        run = np.empty(len(rows), dtype=np.int64)
        run[order] = runs
        head = rows[order][begins]
        starts = start_times(corpus.columns())[head]
        begin, end = (StepTimes(first[order][begins], starts, corpus.frequencies[head], after) for after in (0, 1))
        return cls(
            values=values,
            begin=begin,
            end=end,
            first=torch.from_numpy(first),
            length=torch.from_numpy(length),
            before=torch.from_numpy(first - first[order][begins][run]),
            reach=torch.from_numpy(ends[run] - first - length),
        )


def joined_runs(corpus: Corpus, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which run without a gap each of `rows`, in the order of their places, is of, and where in `rows` the runs begin.

    Rows are of one run where they share or continue each other's places and are on one time grid.
    """
    first, starts = corpus.places[rows], start_times(corpus.columns())[rows]
    _, series = np.unique(corpus.series_ids[rows].astype(str), return_inverse=True)
    names, frequency = np.unique(corpus.frequencies[rows].astype(str), return_inverse=True)
    anchor = np.zeros(len(rows), dtype=np.int64)  # where on the grid the first place of all would be
    for number, name in enumerate(names.tolist()):
        own, known = frequency == number, Frequency.parse(name)
        when = starts[own].astype("datetime64[M]") if known.months else starts[own]
        anchor[own] = when.astype(np.int64) - first[own] * (known.months or known.microseconds)
    if not len(rows):
        return anchor, anchor
    reached = np.maximum.accumulate(first + corpus.lengths[rows])
    same = (series[1:] == series[:-1]) & (frequency[1:] == frequency[:-1]) & (anchor[1:] == anchor[:-1])
    new = np.concatenate([[True], ~same | (first[1:] > reached[:-1])])
    return np.cumsum(new) - 1, np.flatnonzero(new)


class _Segment:
    """One stitched series while it grows."""

    def __init__(self, start: np.datetime64, alias: str, values: NDArray[np.floating]) -> None:
        self.start = start
        self.frequency = Frequency.parse(alias)
        self.chunks = [values]
        self.steps = values.shape[1]
        self.last = values  # of the rows so far, the one that reaches furthest, and its place
        self.last_step = 0

    def join(self, start: np.datetime64, values: NDArray[np.floating]) -> int | None:
        """Append a row that does not start before those so far, and return its first step; None if it does not fit."""
        step = self.frequency.steps_between(self.start, start)
        if step is None or step > self.steps:
            return None
        shared = min(self.steps - step, values.shape[1])
        theirs = self.last[:, step - self.last_step :][:, :shared]
        if not np.array_equal(theirs, values[:, :shared], equal_nan=True):
            return None
        if step + values.shape[1] > self.steps:
            self.chunks.append(values[:, shared:])
            self.steps = step + values.shape[1]
            self.last, self.last_step = values, step
        return step

    def times(self) -> NDArray[np.int64]:
        """(steps + 1,) microseconds since 1970 at which the steps begin, and the last one ends."""
        return self.frequency.advance(self.start, np.arange(self.steps + 1)).astype(np.int64)


def _tensor(parts: Sequence[NDArray], empty: tuple[int, ...], kind: type) -> Tensor:
    """The parts, one after another; `empty` if there is none."""
    return torch.from_numpy(np.concatenate([np.empty(empty, kind), *parts]).astype(kind, copy=False))
