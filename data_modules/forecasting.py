"""Windows around forecast origins: the look-back before an origin and the horizon after it.

The rows of a corpus are stitched into series, so a look-back and a horizon may be of any length, whatever the rows' own.
Every step may be a forecast origin; a label belongs to the step at which its row ends.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from data_modules.config import WindowConfig
from data_modules.corpus import Corpus, CorpusError
from data_modules.stitched import BLOCK, Series, mean_of
from data_modules.text_table import NO_TEXT, TextTable
from trace_lit.batch import NO_LABEL, MultimodalBatch, Retrieved, choose_offset, less
from trace_lit.channels import ChannelVocabulary
from trace_lit.gaps import bridged

_PAST_LABELS = 16  # that a window to be classified knows


def check_labels(corpus: Corpus, label_names: Sequence[str]) -> None:
    """Raise CorpusError where `corpus` has a label beside those that a model predicts."""
    if unknown := [name for name in corpus.info.label_names if name not in label_names]:
        raise CorpusError(
            f"{corpus.path} has the label {unknown[0]!r}, which the model does not know; it knows {', '.join(label_names)}"
        )


class Lookup(Protocol):
    """The neighbours of a dataset's windows."""

    def __call__(self, index: Tensor) -> Retrieved:
        """Those of the windows with the numbers `index` (B,)."""

    def of(self, dataset: OriginDataset) -> Lookup:
        """The same for another dataset."""


@dataclass
class PastLabels:
    """The labels of a corpus in the order in which they become known, for each series."""

    series: Tensor  # (L,) int64, ascending
    known: Tensor  # (L,) int64, the seconds since 1970 at which what a label describes has ended, ascending in a series
    label: Tensor  # (L,) int64

    @classmethod
    def of(cls, series: Series, labels: Tensor, horizon: int) -> PastLabels:
        """Those of a corpus's rows, `labels` (N,), each of which describes the `horizon` steps after its row."""
        rows = (labels != NO_LABEL).nonzero().squeeze(1)
        origins = (series.windows.first + series.windows.length)[rows]
        number, known = series.number[origins - 1], series.known(origins, horizon)
        order = torch.from_numpy(np.lexsort((known.numpy(), number.numpy())))
        return cls(number[order], known[order], labels[rows][order])

    def before(self, series: Tensor, seconds: Tensor) -> Tensor:
        """(B, P) of the windows of `series` (B,) that end at `seconds` (B,) the newest labels that are known then."""
        found = torch.full((len(series), _PAST_LABELS), NO_LABEL)
        for number in series.unique().tolist():
            own = series == number
            first, last = torch.searchsorted(self.series, torch.tensor([number, number + 1])).tolist()
            count = first + torch.searchsorted(self.known[first:last].contiguous(), seconds[own], right=True)
            place = count.unsqueeze(1) - 1 - torch.arange(_PAST_LABELS)
            there = place >= first
            found[own] = torch.where(there, self.label[place.clamp(min=0)] if len(self.label) else NO_LABEL, NO_LABEL)
        return found


class OriginDataset(Dataset[MultimodalBatch]):
    """The windows of one split of a corpus, as `MultimodalBatch`es with their future or their label.

    A look-back may reach back into the split before. The window's texts are the newest of the rows within the look-back;
    batches hold their vectors after `read_with`.

    Parameters
    ----------
    window
        How long windows are and where they lie.
    vocabulary
        Holds the corpus's channels.
    task
        "forecast": windows have a future; "classify": they have the label of the row that ends with them.
    zero_is_missing
        Inputs and training targets count a zero as not observed.

    Raises
    ------
    CorpusError
        A channel that is to be forecast is not in the corpus.
    """

    def __init__(
        self,
        corpus: Corpus,
        series: Series,
        split: str,
        window: WindowConfig,
        vocabulary: ChannelVocabulary,
        *,
        task: str = "forecast",
        label_names: Sequence[str] = (),
        zero_is_missing: bool = False,
    ) -> None:
        self.corpus = corpus
        self.series = series
        self.split = split
        self.lookback = window.lookback or int(corpus.lengths.max())
        self.horizon = window.horizon if task == "forecast" else 0
        self.channel_ids = torch.tensor(vocabulary.ids(corpus.info.channels))
        self._usual = vocabulary.usual(corpus.info.channels)
        self.target_mask = _targets(corpus, window.targets)
        stride = window.stride if split == "train" else 1
        self._past_labels: PastLabels | None = None
        if task == "forecast":
            self.origins = series.forecast_origins(self.lookback, self.horizon, split)[::stride]
            self._label = torch.full((len(self.origins),), NO_LABEL)
        else:
            labels = np.array([*map(label_names.index, corpus.info.label_names), NO_LABEL])[corpus.labels.clip(min=-1)]
            rows = np.flatnonzero((corpus.splits == split) & (labels != NO_LABEL))[::stride]
            windows = series.windows
            self.origins = (windows.first + windows.length)[torch.from_numpy(rows)]
            self._label = torch.from_numpy(labels[rows].astype(np.int64))
            self._past_labels = PastLabels.of(series, torch.from_numpy(labels.astype(np.int64)), window.horizon)
        self._zero_is_missing = zero_is_missing
        self._bridges: tuple[Tensor, Tensor] | None = None  # values with lines over gaps, and where there is one
        if window.fill_gaps:
            values = series.windows.values[:]
            seen = self._known(values)
            self._bridges = bridged(values.nan_to_num(0.0), seen, series.begun, series.ended)
        self.series_count = int(series.number.max()) + 1
        self.mean, self.deviation = series.training_statistics()
        self._texts: TextTable | None = None
        self._text = torch.zeros(len(self.origins), dtype=torch.int64)
        self._max_texts = window.max_texts
        self._text_horizon = 0
        self.lookup: Lookup | None = None

    def __len__(self) -> int:
        return len(self.origins)

    def _known(self, values: Tensor) -> Tensor:
        """Which of `values` count as observed."""
        return ~values.isnan() & (values != 0) if self._zero_is_missing else ~values.isnan()

    def attach(self, lookup: Lookup) -> None:
        """Let the batches have the neighbours that `lookup` finds."""
        self.lookup = lookup

    def at(self, origins: Tensor, label: Tensor | None = None, text_horizon: int = 0) -> OriginDataset:
        """The windows before other `origins` (N,), with their `label` (N,), if any, and without texts.

        After the end of a series nothing is observed. `text_horizon` is the number of steps after an origin whose reports
        also belong to the window; it is for windows of the past, whose horizon is known.
        """
        moved = copy.copy(self)
        moved.origins, moved._text_horizon = origins, text_horizon
        moved._label = torch.full((len(origins),), NO_LABEL) if label is None else label
        moved._texts, moved._text = None, torch.zeros(len(origins), dtype=torch.int64)
        moved.lookup = None if self.lookup is None else self.lookup.of(moved)
        return moved

    @property
    def seconds(self) -> Tensor:
        """(N,) int64, the seconds since 1970 at which the windows have ended, and their horizons begin.

        Where steps end within a second, it is the second before, so that whatever has ended by then precedes the origin.
        """
        return self.seconds_at(self.origins)

    def seconds_at(self, origins: Tensor) -> Tensor:
        """(N,) int64, likewise, of any `origins` (N,)."""
        return self.series.windows.end[origins - 1] - self._ends_within

    @cached_property
    def _ends_within(self) -> int:
        """1 where steps end within a second, else 0."""
        begin, end = self.series.windows.all_times
        meets = (begin[1:] == end[:-1]) | (self.series.begun[1:] != self.series.begun[:-1])
        return int(not bool(meets.all()))

    def label_counts(self, labels: int) -> Tensor:
        """(K,) how many windows have each of the labels."""
        return self._label[self._label != NO_LABEL].bincount(minlength=labels)

    def naive_error(self, season: int) -> Tensor:
        """(C,) mean absolute error of the seasonal naive forecast, one season ahead, on the training steps."""
        series = self.series
        place = torch.arange(season, len(series.split))
        kept = place[(place - series.begun[season:] >= season) & (series.split[season:] == 0)].split(BLOCK)
        values = series.windows.values
        return mean_of((values[own].double() - values[own - season].double()).abs() for own in kept).float()

    @property
    def rows_within(self) -> list[NDArray[np.int64]]:
        """For each window the rows with a text that lie within its look-back and `text_horizon`, newest last."""
        windows = self.series.windows
        rows = np.flatnonzero([bool(text) for text in self.corpus.texts])
        first = windows.first.numpy()[rows]
        end = first + windows.length.numpy()[rows]
        order = np.lexsort((first, end))
        rows, first, end = rows[order], first[order], end[order]
        found = []
        for origin in self.origins.tolist():
            low = max(origin - self.lookback, int(self.series.begun[origin - 1]))
            last = min(origin + self._text_horizon, int(self.series.ended[origin - 1]))
            place = slice(*np.searchsorted(end, [low, last], side="right"))
            found.append(rows[place][first[place] >= low])
        return found

    @property
    def texts(self) -> list[str]:
        """The windows' texts: the newest distinct ones of the rows within, in order of time."""
        all_texts = self.corpus.texts
        found = []
        for rows in self.rows_within:
            newest = list(dict.fromkeys(all_texts[row] for row in rows[::-1]))[: self._max_texts]
            found.append(" ".join(reversed(newest)))
        return found

    def read_with(self, table: TextTable) -> None:
        """Let the batches have the vectors of the windows' texts."""
        self._texts, self._text = table, table.numbers(self.texts)

    def __getitem__(self, index: int | Sequence[int]) -> MultimodalBatch:
        return self.__getitems__([index] if isinstance(index, int) else index)

    def __getitems__(self, indices: Sequence[int]) -> MultimodalBatch:
        index = torch.tensor(indices, dtype=torch.int64)
        origin = self.origins[index]
        windows = self.series.windows
        steps = torch.arange(-self.lookback, self.horizon)
        place = origin.unsqueeze(1) + steps  # (B, T + H)
        begun, ended = self.series.begun[origin - 1], self.series.ended[origin - 1]
        first = torch.maximum(origin - self.lookback, begun)
        inside = (place >= begun.unsqueeze(1)) & (place < ended.unsqueeze(1))
        place = place.clamp(0, len(windows.values) - 1)
        past_place = place[:, : self.lookback]
        raw_past, raw_future = windows.values[place].split([self.lookback, self.horizon], dim=1)
        inside_past, inside_future = inside.unsqueeze(2).split([self.lookback, self.horizon], dim=1)
        past, seen = raw_past.nan_to_num(0.0), self._known(raw_past) & inside_past
        if self._bridges is not None:
            later = seen.flip(1).cumsum(1).flip(1) > 0  # a line must end at a value that is known at the origin
            filled, bridge = (own[past_place] for own in self._bridges)
            past, seen = torch.where(bridge, filled, past), seen | (bridge & inside_past & later)
        counted = self._known(raw_future) if self.split == "train" else ~raw_future.isnan()
        scored = (counted & inside_future).transpose(1, 2) & self.target_mask.unsqueeze(1)
        past, seen, future = past.transpose(1, 2), seen.transpose(1, 2), raw_future.nan_to_num(0.0).transpose(1, 2)
        offset = choose_offset(past, seen, *self._usual)
        size, channels = len(index), len(self.channel_ids)
        none = torch.full((size,), NO_TEXT)
        text, mask = torch.zeros(size, 1, 0), torch.zeros(size, 1, dtype=torch.bool)
        if self._texts is not None:
            text, mask = self._texts.look_up(self._text[index])
        return MultimodalBatch(
            values=torch.where(seen, less(past, offset), 0.0),
            observed=seen.contiguous(),
            channel_mask=torch.ones(size, channels, dtype=torch.bool),
            channel_ids=self.channel_ids.repeat(size, 1),
            text=text,
            text_mask=mask,
            channel_text=torch.zeros(size, channels, text.shape[-1]),
            has_channel_text=torch.zeros(size, channels, dtype=torch.bool),
            label=self._label[index],
            index=index,
            text_id=none if self._texts is None else TextTable.ids(self._text[index]),
            channel_text_id=none.unsqueeze(1).expand(size, channels),
            series_id=self.series.number[origin - 1],
            span=torch.stack([windows.begin[first], windows.end[origin - 1]], 1),
            times=windows.begin[past_place],
            future=torch.where(scored, less(future, offset), 0.0) if self.horizon else None,
            future_observed=scored.contiguous() if self.horizon else None,
            retrieved=None if self.lookup is None else self.lookup(index),
            offset=offset,
            length=origin - first,
            past_label=None
            if self._past_labels is None
            else self._past_labels.before(self.series.number[origin - 1], self.seconds_at(origin)),
        )


def _targets(corpus: Corpus, names: Sequence[str] | None) -> Tensor:
    """(C,) bool, which channels are forecast."""
    channels = corpus.info.channels
    wanted = {channel.name for channel in channels} if names is None else set(names)
    if unknown := wanted - {channel.name for channel in channels}:
        raise CorpusError(
            f"{corpus.path} has no channel {sorted(unknown)[0]!r} to forecast (window.targets); "
            f"it has {', '.join(channel.name for channel in channels)}"
        )
    return torch.tensor([channel.name in wanted for channel in channels])
