"""From values to patches: reversible instance normalisation and patching, TRACE §3.2."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


def split_patches(series: Tensor, length: int) -> Tensor:
    """Cut `series` (..., T) into non-overlapping patches (..., N, length).

    A T that is no multiple of `length` is padded with zeros (false) on the left, so that patches end with the window.
    """
    missing = -series.shape[-1] % length
    if missing:
        series = F.pad(series, (missing, 0))
    return series.unflatten(-1, (-1, length))


@dataclass
class InstanceNorm:
    """Level and spread of each channel of each window; takes them away and gives them back.

    RevIN (Kim et al., 2022) without its learnable affine part, over the observed values only.
    """

    mean: Tensor  # (B, C, 1), 0 where nothing is observed
    deviation: Tensor  # (B, C, 1), > 0

    @classmethod
    def of(cls, values: Tensor, observed: Tensor, scale: Tensor) -> InstanceNorm:
        """Statistics of `values` (B, C, T) where `observed`.

        `scale` (B, C) is the channel's usual deviation, 0 where unknown. It bounds the window's deviation from below,
        as do the last digits of float32, so that a constant channel becomes zeros and not amplified rounding.
        """
        count = observed.sum(-1, keepdim=True).clamp(min=1)  # (B, C, 1)
        mean = torch.where(observed, values, 0.0).sum(-1, keepdim=True) / count
        centred = torch.where(observed, values - mean, 0.0)
        variance = centred.square().sum(-1, keepdim=True) / count
        floor = torch.maximum(1e-3 * scale.unsqueeze(-1), 1e-5 * mean.abs() + 1e-8)
        return cls(mean, (variance + floor.square()).sqrt())

    def normalise(self, values: Tensor) -> Tensor:
        return (values - self.mean) / self.deviation

    def denormalise(self, values: Tensor) -> Tensor:
        return values * self.deviation + self.mean
