"""What can be retrieved for a window: earlier windows of a corpus with their reports and continuations.

A candidate is admissible for a query only if its window and its continuation (or the time that its label describes) ended
before the query's forecast origin. Otherwise a corpus of sliding windows would give a forecaster its own future. The steps
of a candidate must be as long as the query's, or its continuation would be another horizon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from data_modules.forecasting import OriginDataset
from trace_lit.batch import NO_LABEL, NO_NEIGHBOUR, Retrieved
from trace_lit.channels import Channel
from trace_lit.encoder.patches import last_observed

_SCORES_AT_ONCE = 2**24


@dataclass(frozen=True)
class Neighbours:
    """What was found for N queries, best first."""

    number: Tensor  # (N, R) int64, places in the memory, NO_NEIGHBOUR where fewer than R candidates were admissible
    similarity: Tensor  # (N, R) float32, see `Memory.search`, 0 there


@dataclass(frozen=True)
class Neighbour:
    """A candidate as it is shown beside a forecast."""

    id: str  # of the corpus's newest row within its window, else of its series
    series_id: str
    start: datetime  # naive UTC time of its first step
    origin: datetime  # at which its window has ended
    end: datetime  # at which its continuation has ended
    similarity: float
    text: str
    label: str | None
    channels: tuple[Channel, ...]
    window: NDArray[np.float32]  # (C, T) in the channels' units, NaN where missing
    continuation: NDArray[np.float32]  # (C, H), likewise; (C, 0) for a classification


@dataclass
class Memory:
    """M candidates of one corpus, sorted by the time at which their continuation is known."""

    windows: OriginDataset  # (M), with their continuations; `at` their origins
    known: Tensor  # (M,) int64, the seconds since 1970 at which continuation or label are known, ascending
    step_length: Tensor  # (M,) int64, see `Series`
    series_number: Tensor  # (M,) int64
    origin: Tensor  # (M,) int64, as steps of the corpus
    vectors: Tensor  # (M, E) float32, that are compared
    series: Tensor  # (M, d) float32, unit vectors at [CLS]
    text: Tensor  # (M, d) float32, unit vectors of the texts, 0 where there is none
    label: Tensor  # (M,) int64, NO_LABEL where there is none
    label_names: tuple[str, ...]
    transform: str  # on whose scale continuations are moved to a query
    fingerprint: str

    def __len__(self) -> int:
        return len(self.known)

    def search(
        self, queries: Tensor, seconds: Tensor, step_length: Tensor, top: int, min_distance: int = 1
    ) -> Neighbours:
        """The `top` candidates most similar to each of `queries` (N, E), of those known by its `seconds` (N,).

        The similarity of q and v is 2⟨q, v⟩ / (|q|² + |v|²): of unit vectors the cosine, of others 1 where they are
        equal, and less where one is larger. The candidates' steps are as long as the query's `step_length` (N,). Two
        neighbours of one series are at least `min_distance` steps apart: the less similar one is skipped.
        """
        device = queries.device
        own_length = self.step_length.to(device)
        # All windows on one line, the series at least `min_distance` from each other: near windows have near places.
        line, order = (self.series_number * (int(self.origin.max()) + min_distance) + self.origin).to(device).sort()
        rank_of = order.argsort()
        reach = int((torch.searchsorted(line, line + min_distance) - torch.arange(len(self), device=device)).max())
        around = torch.arange(1 - reach, reach, device=device)
        admissible = torch.searchsorted(self.known, seconds, right=True)  # the first n candidates
        vectors = self.vectors.to(device)
        size = vectors.square().sum(1)
        number = torch.full((len(queries), top), NO_NEIGHBOUR)
        similarity = torch.zeros(len(queries), top)
        for rows in torch.arange(len(queries)).split(max(1, _SCORES_AT_ONCE // max(len(self), 1))):
            count = admissible[rows].unsqueeze(1)
            upto = int(count.max())
            own = queries[rows.to(device)]
            both = own.square().sum(1, keepdim=True) + size[:upto]
            scores = 2 * (own @ vectors[:upto].T) / both.clamp(min=1e-12)
            scores.masked_fill_((torch.arange(upto) >= count).to(device), -torch.inf)
            scores.masked_fill_(own_length[:upto] != step_length[rows].unsqueeze(1).to(device), -torch.inf)
            for rank in range(min(top, upto)):
                best, place = scores.max(1)
                found = best > -torch.inf
                number[rows, rank] = torch.where(found, place, NO_NEIGHBOUR).cpu()
                similarity[rows, rank] = torch.where(found, best, 0.0).cpu()
                rank_there = rank_of[place].unsqueeze(1)
                others = (rank_there + around).clamp(0, len(self) - 1)
                near = ((line[others] - line[rank_there]).abs() < min_distance) & (order[others] < upto)
                scores.scatter_(1, torch.where(near, order[others], place.unsqueeze(1)), -torch.inf)
        return Neighbours(number, similarity)

    def look_up(self, neighbours: Neighbours, channels: Sequence[Channel]) -> Retrieved:
        """All that a head may use of the neighbours of B windows of the given `channels`."""
        found = neighbours.number != NO_NEIGHBOUR  # (B, R)
        place = neighbours.number.clamp(min=0)
        last, future, observed, offset = (None, None, None, None)
        if self.windows.horizon:
            last, future, observed, offset = self._continuations(place, found, channels)
        return Retrieved(
            number=neighbours.number,
            similarity=neighbours.similarity,
            series=self.series[place] * found.unsqueeze(-1),
            text=self.text[place] * found.unsqueeze(-1),
            label=torch.where(found, self.label[place], NO_LABEL),
            last=last,
            future=future,
            future_observed=observed,
            offset=offset,
        )

    def _continuations(
        self, place: Tensor, found: Tensor, channels: Sequence[Channel]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Last observed values (B, C, R, 1), continuations (B, C, R, H), where these are observed, offsets (B, C, R)."""
        batch = self.windows[place.flatten().tolist()]
        assert batch.future is not None
        assert batch.future_observed is not None
        last = last_observed(batch.values, batch.observed)  # (B · R, C, 1)
        observed = batch.future_observed & batch.observed.any(-1, keepdim=True)
        places = {channel.key: number for number, channel in enumerate(self.windows.corpus.info.channels)}
        own = [places.get(channel.key, len(places)) for channel in channels]  # the last for one that is not here

        def placed(tensor: Tensor) -> Tensor:  # (B · R, C', n) of the memory's channels to (B, C, R, n)
            return F.pad(tensor, (0, 0, 0, 1))[:, own].unflatten(0, place.shape).transpose(1, 2)

        last, future, observed = (placed(tensor) for tensor in (last, batch.future, observed))
        offset = None if batch.offset is None else placed(batch.offset.unsqueeze(-1)).squeeze(-1)
        found = found[:, None, :, None]
        observed = observed & found
        return torch.where(found, last, 0.0), torch.where(observed, future, 0.0), observed, offset

    def describe(self, number: Tensor, similarity: Tensor) -> list[list[Neighbour]]:
        """The neighbours (B, R) of B windows as they are shown, best first; fewer where there are none."""
        shown = []
        for places, score in zip(number.tolist(), similarity.tolist(), strict=True):
            pairs = [pair for pair in zip(places, score, strict=True) if pair[0] != NO_NEIGHBOUR]
            chosen = self.windows.at(self.windows.origins[[place for place, _ in pairs]]) if pairs else None
            shown.append([] if chosen is None else self._describe(chosen, pairs))
        return shown

    def _describe(self, chosen: OriginDataset, pairs: list[tuple[int, float]]) -> list[Neighbour]:
        corpus, windows = chosen.corpus, chosen.series.windows
        batch = chosen[list(range(len(chosen)))]
        values = batch.in_units(batch.values)
        future = None if batch.future is None else batch.in_units(batch.future)
        rows, texts = chosen.rows_within, chosen.texts
        shown = []
        for spot, (place, score) in enumerate(pairs):
            first, last = batch.span[spot].tolist()
            series_id = str(corpus.series_ids[_row_before(chosen, spot)])
            label = int(self.label[place])
            future_observed = batch.future_observed
            end = int(windows.end[int(chosen.origins[spot]) - 1 + chosen.horizon]) if chosen.horizon else last
            shown.append(
                Neighbour(
                    id=str(corpus.ids[rows[spot][-1]]) if len(rows[spot]) else series_id,
                    series_id=series_id,
                    start=_time(first),
                    origin=_time(last),
                    end=_time(end),
                    similarity=score,
                    text=texts[spot],
                    label=self.label_names[label] if label >= 0 else None,
                    channels=corpus.info.channels,
                    window=_with_gaps(values[spot], batch.observed[spot]),
                    continuation=_with_gaps(
                        values[spot, :, :0] if future is None else future[spot],
                        batch.observed[spot, :, :0] if future_observed is None else future_observed[spot],
                    ),
                )
            )
        return shown


def _row_before(dataset: OriginDataset, spot: int) -> int:
    """A row of the series that a window is of."""
    windows, step = dataset.series.windows, int(dataset.origins[spot]) - 1
    within = (windows.first <= step) & (windows.first + windows.length > step)
    return int(within.nonzero()[0])


def _with_gaps(values: Tensor, observed: Tensor) -> NDArray[np.floating]:
    return torch.where(observed, values, torch.nan).numpy()


def _time(seconds: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(seconds=seconds)
