"""From values to patches: reversible normalisation of a window and patching, TRACE §3.2."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

TRANSFORMS = ("none", "sqrt", "log")


def split_patches(series: Tensor, length: int) -> Tensor:
    """Cut `series` (..., T) into non-overlapping patches (..., N, length).

    A T that is no multiple of `length` is padded with zeros (false) on the left, so that patches end with the window.
    """
    missing = -series.shape[-1] % length
    if missing:
        series = F.pad(series, (missing, 0))
    return series.unflatten(-1, (-1, length))


def transform_values(values: Tensor, transform: str) -> Tensor:
    """`values` on the scale of one of `TRANSFORMS`, on which their changes are comparable at every level.

    A value without a root or logarithm is replaced by the least value that has one.
    """
    if transform == "sqrt":
        return values.clamp(min=0.0).sqrt()
    return values.clamp(min=1e-6).log() if transform == "log" else values


def invert_transform(values: Tensor, transform: str) -> Tensor:
    """The inverse of `transform_values`."""
    if transform == "sqrt":
        return values.clamp(min=0.0).square()
    return values.exp() if transform == "log" else values


def transform_statistics(mean: Tensor, deviation: Tensor, transform: str) -> tuple[Tensor, Tensor]:
    """Mean and deviation of values on their own scale, carried over to that of `transform` (delta method)."""
    moved = transform_values(mean, transform)
    if transform == "sqrt":
        return moved, deviation / (2 * moved.clamp(min=1e-3))
    return moved, deviation / mean.clamp(min=1e-6) if transform == "log" else deviation


def mean_and_variance(values: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance (..., 1) of `values` (..., T) where `observed`; both 0 where nothing is."""
    count = observed.sum(-1, keepdim=True).clamp(min=1)
    mean = torch.where(observed, values, 0.0).sum(-1, keepdim=True) / count
    return mean, torch.where(observed, values - mean, 0.0).square().sum(-1, keepdim=True) / count


def last_observed(values: Tensor, observed: Tensor) -> Tensor:
    """The last of `values` (..., T) that is `observed`, (..., 1); 0 where none is."""
    steps = torch.arange(1, values.shape[-1] + 1, device=values.device)
    place = (observed * steps).argmax(-1, keepdim=True)
    return torch.where(observed, values, 0.0).gather(-1, place)


_LEAST = 1e-8  # deviation


@dataclass
class InstanceNorm:
    """Level and spread of each channel of each window: normalises by them, and back.

    RevIN (Kim et al., 2022) without its learnable affine part, over the observed values only. The level may be the last
    observed value, and the spread the channel's usual one, both on a transformed scale.
    """

    mean: Tensor  # (B, C, 1), 0 where nothing is observed
    deviation: Tensor  # (B, C, 1), > 0
    transform: str = "none"

    @classmethod
    def of(
        cls,
        values: Tensor,
        observed: Tensor,
        scale: Tensor,
        centre: str = "mean",
        spread: str = "window",
        transform: str = "none",
    ) -> InstanceNorm:
        """Statistics of `values` (B, C, T) where `observed`.

        Parameters
        ----------
        scale
            (B, C) the channel's usual deviation on the transformed scale, 0 where unknown. It bounds the window's
            deviation from below, as do the last digits of float32, so that a constant channel becomes zeros and not
            amplified rounding.
        centre
            "mean" of the window, or its "last" observed value.
        spread
            The "window"'s, or the "channel"'s: `scale`, where it is known.
        """
        values = transform_values(values, transform)
        mean, variance = mean_and_variance(values, observed)
        usual = scale.unsqueeze(-1)
        floor = torch.maximum(1e-3 * usual, 1e-5 * mean.abs() + _LEAST)
        deviation = (variance + floor.square()).sqrt()
        if spread == "channel":
            deviation = torch.where(usual > 0, usual, deviation)
        if centre == "last":
            mean = last_observed(values, observed)
        return cls(mean, deviation, transform)

    def or_at(self, level: Tensor, observed: Tensor) -> InstanceNorm:
        """The same, with `level` (B, C), on the transformed scale, where nothing is `observed` (B, C, T).

        Where no deviation is known either, it is 1.
        """
        there = observed.any(-1, keepdim=True)
        mean = torch.where(there, self.mean, level.unsqueeze(-1))
        known = there | (self.deviation > 2 * _LEAST)
        return InstanceNorm(mean, torch.where(known, self.deviation, 1.0), self.transform)

    def normalise(self, values: Tensor) -> Tensor:
        """`values` (B, C, ...) of the channels' own units as deviations from the level."""
        return (transform_values(values, self.transform) - self.mean) / self.deviation

    def denormalise(self, values: Tensor) -> Tensor:
        """The inverse of `normalise`."""
        return invert_transform(values * self.deviation + self.mean, self.transform)
