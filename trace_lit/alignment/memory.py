"""The training windows as they were last embedded, so that a text is compared with many more than a batch holds.

It is the cross-batch memory of Wang et al. (2020, arXiv 1912.06798): vectors drift slowly, so those of an earlier step still
serve as candidates, without gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class WindowMemory:
    """The N training windows of a corpus."""

    series: Tensor  # (N, E) unit vectors
    known: Tensor  # (N,) bool, which have been embedded

    @classmethod
    def empty(cls, windows: int, width: int, device: torch.device) -> WindowMemory:
        """Of so many windows, none of which has been embedded."""
        return cls(torch.zeros(windows, width, device=device), torch.zeros(windows, dtype=torch.bool, device=device))

    def outside(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The numbers (K,) and vectors (K, E) of the known windows that are not among `rows`."""
        wanted = self.known.clone()
        wanted[rows] = False
        places = wanted.nonzero().squeeze(1)
        return places, self.series[places]

    def put(self, rows: Tensor, series: Tensor) -> None:
        """Keep the vectors `series` (n, E) of the windows `rows` (n,)."""
        self.series[rows] = series.detach().float()
        self.known[rows] = True
