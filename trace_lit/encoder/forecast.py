"""A forecast: changes from the last observed value, and their scale."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from trace_lit.encoder.patches import InstanceNorm


@dataclass
class Forecast:
    """The forecast of B windows of C channels over H steps, at Q quantiles or (Q = 1) as one number."""

    change: Tensor  # (B, C, H, Q), from the last observed value, in deviations of the channel
    norm: InstanceNorm

    @property
    def values(self) -> Tensor:
        """(B, C, H, Q) in the channels' own units less the batch's offset.

        Quantiles that cross are put in order (Chernozhukov et al., 2010).
        """
        values = self.norm.denormalise(self.change.flatten(2)).unflatten(2, self.change.shape[2:])
        return values.sort(dim=-1).values
