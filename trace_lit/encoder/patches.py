"""From values to patches: reversible normalisation of a window and patching, TRACE §3.2."""

from __future__ import annotations

from collections.abc import Sequence
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


def two_parts(mean: Sequence[float], deviation: Sequence[float], transform: str) -> tuple[Tensor, Tensor, Tensor]:
    """Usual means (V,) on the scale of `transform` as float32, what that leaves of them, and deviations (V,).

    See `InstanceNorm.seen_from`.
    """
    double, single = (
        (torch.tensor(mean, dtype=kind), torch.tensor(deviation, dtype=kind)) for kind in (torch.float64, torch.float32)
    )
    exact, _ = transform_statistics(double[0], double[1], transform)
    moved, spread = transform_statistics(single[0], single[1], transform)
    return moved, (exact - moved.double()).float(), spread


def transform_statistics(mean: Tensor, deviation: Tensor, transform: str) -> tuple[Tensor, Tensor]:
    """Mean and deviation of values on their own scale, carried over to that of `transform` (delta method)."""
    moved = transform_values(mean, transform)
    if transform == "sqrt":
        return moved, deviation / (2 * moved.clamp(min=1e-3))
    return moved, deviation / mean.clamp(min=1e-6) if transform == "log" else deviation


def on_scale(values: Tensor, transform: str, offset: Tensor | None = None) -> Tensor:
    """`values` (...) that had `offset` taken off, on the scale of `transform`, with that of the offset taken off there.

    As float32, whose digits are thus those of what the values change by.
    """
    if offset is None:
        return transform_values(values, transform)
    if transform == "none":
        return values
    return (transform_values(values + offset, transform) - transform_values(offset, transform)).float()


def off_scale(values: Tensor, transform: str, offset: Tensor | None = None) -> Tensor:
    """The inverse of `on_scale`."""
    if offset is None:
        return invert_transform(values, transform)
    if transform == "none":
        return values
    return (invert_transform(values + transform_values(offset, transform), transform) - offset).float()


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

    mean: Tensor  # (B, C, 1), less `base`; 0 where nothing is observed
    deviation: Tensor  # (B, C, 1), > 0
    transform: str = "none"
    offset: Tensor | None = None  # (B, C, 1) float64, as `MultimodalBatch.offset`

    @classmethod
    def of(
        cls,
        values: Tensor,
        observed: Tensor,
        scale: Tensor,
        centre: str = "mean",
        spread: str = "window",
        transform: str = "none",
        offset: Tensor | None = None,
    ) -> InstanceNorm:
        """Statistics of `values` (B, C, T) where `observed`, from which `offset` (B, C) was taken off.

        Parameters
        ----------
        scale
            (B, C) the channel's usual deviation on the transformed scale, 0 where unknown. It bounds the window's
            deviation from below, as does its level, so that a constant channel becomes zeros and not amplified rounding.
        centre
            "mean" of the window, or its "last" observed value.
        spread
            The "window"'s, or the "channel"'s: `scale`, where it is known.
        """
        offset = None if offset is None else offset.unsqueeze(-1)
        found = cls(values, values, transform, offset)
        values = on_scale(values, transform, offset)
        mean, variance = mean_and_variance(values, observed)
        usual = scale.unsqueeze(-1)
        level = mean.abs() if offset is None else (mean + found.base).abs().float()
        by_level = torch.where(usual > 0, torch.minimum(1e-5 * level, 1e-2 * usual), 1e-5 * level) + _LEAST
        if offset is not None:  # then nothing was rounded, and what varies does so
            least = torch.where(usual > 0, 0.0, torch.where(variance > 0, 0.1 * variance.sqrt(), torch.inf))
            by_level = torch.where(offset != 0, torch.minimum(by_level, least), by_level)
        floor = torch.maximum(1e-3 * usual, by_level)
        deviation = (variance + floor.square()).sqrt()
        if spread == "channel":
            deviation = torch.where(usual > 0, usual, deviation)
        if centre == "last":
            mean = last_observed(values, observed)
        return cls(mean, deviation, transform, offset)

    @property
    def base(self) -> Tensor | float:
        """The offset on the transformed scale (B, C, 1), or 0."""
        return 0.0 if self.offset is None else transform_values(self.offset, self.transform)

    def seen_from(self, mean: Tensor, rest: Tensor) -> Tensor:
        """What is usual for the channels (B, C) on the transformed scale, less `base`, as `mean` of this is.

        It is `mean` + `rest` in two parts, each float32, which together have the digits of float64.
        """
        if self.offset is None:
            return mean
        return (mean.double() + rest.double() - transform_values(self.offset, self.transform).squeeze(-1)).float()

    def or_at(self, level: Tensor, observed: Tensor) -> InstanceNorm:
        """The same, with `level` (B, C), as `seen_from` gives it, where nothing is `observed` (B, C, T).

        Where no deviation is known either, it is 1.
        """
        there = observed.any(-1, keepdim=True)
        mean = torch.where(there, self.mean, level.unsqueeze(-1))
        known = there | (self.deviation > 2 * _LEAST)
        return InstanceNorm(mean, torch.where(known, self.deviation, 1.0), self.transform, self.offset)

    def normalise(self, values: Tensor) -> Tensor:
        """`values` (B, C, ...) of the channels' own units, less the offset, as deviations from the level."""
        return (on_scale(values, self.transform, self.offset) - self.mean) / self.deviation

    def denormalise(self, values: Tensor) -> Tensor:
        """The inverse of `normalise`."""
        return off_scale(values * self.deviation + self.mean, self.transform, self.offset)
