"""Straight lines over missing steps of series."""

from __future__ import annotations

import torch
from torch import Tensor


def interpolated(values: Tensor, observed: Tensor) -> Tensor:
    """`values` (..., T) with a straight line over each gap; before the first and after the last observed value, with that.

    0 where nothing is observed.
    """
    last = values.shape[-1] - 1
    steps, before, after = _neighbours(observed, -1)
    before, after = (
        torch.where(before < 0, after, before).clamp(max=last),
        torch.where(after > last, before, after).clamp(min=0),
    )
    known = torch.where(observed, values, 0.0)
    low, high = known.gather(-1, before), known.gather(-1, after)
    return low + _share(steps, before, after) * (high - low)


def bridged(values: Tensor, observed: Tensor, begun: Tensor, ended: Tensor) -> tuple[Tensor, Tensor]:
    """`values` (S, C) with a straight line over each gap between two observed ones of a run, and where (S, C) there is one.

    Runs lie one after another along S: that of a step begins at `begun` (S,) and ends before `ended` (S,).
    """
    steps, before, after = _neighbours(observed, 0)
    gap = ~observed & (before >= begun.unsqueeze(1)) & (after < ended.unsqueeze(1))
    before, after = torch.where(gap, before, steps), torch.where(gap, after, steps)
    return torch.lerp(
        values.gather(0, before), values.gather(0, after), _share(steps, before, after).to(values.dtype)
    ), gap


def _neighbours(observed: Tensor, dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """The place of each step along `dim`, of the last observed one up to it (or -1), of the next one (or the length)."""
    length = observed.shape[dim]
    shape = [1] * observed.dim()
    shape[dim] = length
    steps = torch.arange(length, device=observed.device).view(shape).expand_as(observed)
    before = torch.where(observed, steps, -1).cummax(dim).values
    after = torch.where(observed, steps, length).flip(dim).cummin(dim).values.flip(dim)
    return steps, before, after


def _share(steps: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """How far each step lies on the way from `before` to `after`, 0 to 1."""
    return (steps - before) / (after - before).clamp(min=1)
