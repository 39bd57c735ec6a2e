"""The training windows as they were last embedded, so that a text is compared with many more than a batch holds.

It is the cross-batch memory of Wang et al. (2020, arXiv 1912.06798): vectors drift slowly, so those of an earlier step still
serve as candidates, without gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from trace_lit.batch import sent


@dataclass
class WindowMemory:
    """The N training windows of a corpus."""

    series: Tensor  # (N, E) unit vectors
    known: Tensor  # (N,) bool, which have been embedded; on the host, so that it can count them without waiting

    @classmethod
    def empty(cls, windows: int, width: int, device: torch.device) -> WindowMemory:
        """Of so many windows, none of which has been embedded."""
        return cls(torch.zeros(windows, width, device=device), torch.zeros(windows, dtype=torch.bool))

    def to(self, device: torch.device) -> WindowMemory:
        """The memory with its vectors on `device`."""
        return WindowMemory(self.series.to(device), self.known.cpu())

    def outside(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The numbers (K,), on the host, and vectors (K, E) of the known windows that are not among `rows` of the host."""
        wanted = self.known.clone()
        wanted[rows] = False
        places = wanted.nonzero().squeeze(1)
        return places, self.series[sent(places, self.series.device)]

    def put(self, rows: Tensor, series: Tensor) -> None:
        """Keep the vectors `series` (n, E) of the windows `rows` (n,) of the host."""
        self.series[sent(rows, self.series.device)] = series.detach().float()
        self.known[rows] = True
