"""Neighbours by the raw shape of windows on several scales and by the time of year, week and day; nothing is trained.

What is compared are means of ever longer stretches before the forecast origin, measured from the last value (as the
retrieval of RAFT, Han et al., 2025, compares patches of several lengths), the last value itself, and the calendar at the
origin.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from data_modules import Corpus
from data_modules.forecasting import OriginDataset
from data_modules.vocabulary import foreign_vocabulary
from trace_lit.channels import ChannelVocabulary
from trace_lit.encoder.calendar import calendar_features, calendar_width
from trace_lit.gaps import interpolated
from trace_lit.rag.retriever import WindowRetriever

_BATCH = 1024
_BLOCKS = 8  # of each scale; it is twice as long as the one before
_WITHIN = 4  # neighbours of one series that may begin within a horizon
_LEVEL, _CALENDAR = 0.5, 1.0  # how much the last value and the calendar count beside the shape


class ShapeRetriever(WindowRetriever):
    """Compares windows by their values, in which zeros count as missing with `zero_is_missing`."""

    width = 1  # there is nothing for a prompt to see

    def __init__(self, zero_is_missing: bool = False) -> None:
        self.device = torch.device("cpu")
        self.zero_is_missing = zero_is_missing
        self.fingerprint = f"shape {zero_is_missing}"
        self._vocabulary = ChannelVocabulary()

    @property
    def vocabulary(self) -> ChannelVocabulary:
        return self._vocabulary

    def usual_distance(self, lookback: int, horizon: int) -> int:
        """A part of the horizon: windows that overlap are followed by others, and many neighbours have a steadier mean."""
        return max(1, horizon // _WITHIN)

    def learn_channels(self, corpora: Sequence[Corpus]) -> None:
        self._vocabulary = foreign_vocabulary(corpora, None, self._vocabulary)

    def embed(self, windows: OriginDataset, corpora: Sequence[Corpus], key: str) -> tuple[Tensor, Tensor]:
        """The features (N, C, F) of the channels of all `corpora`, NaN where a window lacks one, and ones (N, 1).

        They are the shape, see `shape_of`, the last value and the calendar.
        """
        compared = {channel.key for corpus in corpora for channel in corpus.info.channels}
        keys = [name for name in self.vocabulary.keys if name in compared]
        own = {channel.key: place for place, channel in enumerate(windows.corpus.info.channels)}
        places = [own.get(name, len(own)) for name in keys]  # the last for one that is not here
        parts = []
        for rows in torch.arange(len(windows)).split(_BATCH):
            batch = windows[rows.tolist()]
            past = interpolated(batch.values, batch.observed)
            calendar = calendar_features(batch.span[:, 1], 1).unsqueeze(1).expand(-1, past.shape[1], -1)
            last = batch.in_units(past[..., -1:]).float()
            features = torch.cat([shape_of(past), last, calendar], dim=-1)
            features = torch.where(batch.observed.any(-1, keepdim=True), features, torch.nan)
            parts.append(F.pad(features, (0, 0, 0, 1), value=torch.nan)[:, places])
        vectors = torch.cat(parts)
        return vectors, torch.ones(len(vectors), self.width)

    def comparable(self, vectors: Tensor, candidates: Tensor) -> Tensor:
        """`vectors` (N, C, F) as (N, C · F): shape, last value and calendar count alike where `candidates` vary alike.

        The last value is measured from the candidates' mean. What is missing is 0.
        """
        calendar = calendar_width(1)
        shape = vectors.shape[-1] - calendar - 1
        importance = torch.cat(
            [
                torch.full((shape,), shape**-0.5),
                torch.tensor([_LEVEL]),
                torch.full((calendar,), _CALENDAR * calendar**-0.5),
            ]
        )
        centre = torch.zeros(vectors.shape[1:])
        centre[:, shape] = candidates[..., shape].nanmean(0)
        spread = (candidates - centre).square().nanmean(0).sqrt()
        factor = torch.where(spread > 0, importance / spread, 0.0)
        return ((vectors - centre) * factor).nan_to_num(0.0).flatten(1)

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        return torch.zeros(len(texts), self.width)


def shape_of(past: Tensor) -> Tensor:
    """(..., F) the means of the last blocks of 1, 2, 4, … steps of `past` (..., T), less its last value."""
    steps, found, length = past.shape[-1], [], 1
    while length == 1 or 2 * length <= steps:
        count = min(_BLOCKS, steps // length)
        found.append(past[..., steps - count * length :].unflatten(-1, (count, length)).mean(-1))
        length *= 2
    return torch.cat(found, dim=-1) - past[..., -1:]
