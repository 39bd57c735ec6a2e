"""Mined negatives that stand outside of the batch, as they were embedded when they were mined."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trace_lit.alignment.losses import Level
from trace_lit.distributed import gather


@dataclass
class NegativeCache:
    """The embeddings of a corpus's N training instances, and which of them are each instance's hard negatives."""

    first: int  # the dataset's row of the first instance
    series: Tensor  # (N, E)
    text: Tensor  # (N, E)
    of_text: Tensor  # (N, K) int64, places of series that are a text's negatives; -1 where there are fewer
    of_series: Tensor  # (N, K) int64, places of texts that are a series' negatives

    def __contains__(self, row: int) -> bool:
        return self.first <= row < self.first + len(self.series)

    def to(self, device: torch.device) -> NegativeCache:
        """The cache on `device`."""
        moved: dict[str, Any] = {
            name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        return dataclasses.replace(self, **moved)

    def similarities(self, level: Level, index: Tensor) -> tuple[Tensor, Tensor]:
        """How near this process's anchors are to those of their negatives that no process has in its batch.

        Parameters
        ----------
        level
            The n pairs of the batch at the sample level.
        index
            (n,) int64, their rows of the dataset.

        Returns
        -------
        tuple[Tensor, Tensor]
            (n, K) of the texts to series and (n, K) of the series to texts, -inf where there is no such negative. The
            gradient flows to the anchors alone.
        """
        index = index - self.first
        # No `isin`, which may sort and then waits for the device.
        in_batch = index.new_zeros(len(self.series), dtype=torch.bool).index_fill_(0, gather(index), True)

        def nearness(anchors: Tensor, others: Tensor, negatives: Tensor) -> Tensor:
            negatives = negatives[index]
            with torch.autocast(anchors.device.type, enabled=False):
                similarity = (others[negatives] @ anchors.float().unsqueeze(-1)).squeeze(-1)
            there = in_batch[negatives.clamp(min=0)]
            return similarity.masked_fill((negatives < 0) | there, -torch.inf)

        return nearness(level.text, self.series, self.of_text), nearness(level.series, self.text, self.of_series)
