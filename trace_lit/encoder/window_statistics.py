"""Plain statistics of a window in the channels' units, as classifiers see them."""

from __future__ import annotations

import torch
from torch import Tensor

from trace_lit.batch import MultimodalBatch

_STATISTICS = 7


def window_statistics(batch: MultimodalBatch) -> Tensor:
    """Of each channel mean, deviation, least, greatest, first and last value and slope a step.

    (B, C · 7) float64, over the observed steps; NaN for a channel without any.
    """
    seen, values = batch.observed, batch.in_units(batch.values).double()
    steps = torch.arange(values.shape[-1], dtype=torch.float64, device=seen.device).expand_as(values)
    count = seen.sum(-1)

    def average(x: Tensor) -> Tensor:
        return torch.where(seen, x, 0.0).sum(-1) / count  # 0 / 0, so NaN, where nothing is observed

    mean = average(values)
    change, time = values - mean.unsqueeze(-1), steps - average(steps).unsqueeze(-1)
    ends = torch.stack([seen.int().argmax(-1), seen.shape[-1] - 1 - seen.flip(-1).int().argmax(-1)], dim=-1)
    slope = average(change * time) / average(time.square()).clamp(min=1e-12)  # 0 of a single value
    found = torch.stack(
        [
            mean,
            average(change.square()).sqrt(),
            torch.where(seen, values, torch.inf).amin(-1),
            torch.where(seen, values, -torch.inf).amax(-1),
            *values.gather(-1, ends).unbind(-1),
            slope,
        ],
        dim=-1,
    )
    return torch.where(count.unsqueeze(-1) > 0, found, torch.nan).flatten(1)


def statistics_of(batch: MultimodalBatch, channel_ids: Tensor) -> Tensor:
    """The `window_statistics` of the channels `channel_ids` (K,), whichever the batch has: (B, K · 7)."""
    found = window_statistics(batch).unflatten(1, (-1, _STATISTICS))  # (B, C, 7)
    return of_channels(found, batch, channel_ids).flatten(1)


def course_of(batch: MultimodalBatch, channel_ids: Tensor, parts: int) -> Tensor:
    """The means of the parts of the window of the channels `channel_ids` (K,), whichever the batch has: (B, K · P).

    NaN where nothing is observed; a window of less than `parts` steps has as many parts as steps.
    """
    values = torch.where(batch.observed, batch.in_units(batch.values).double(), torch.nan)
    count = min(parts, values.shape[-1])
    means = torch.stack([own.nanmean(-1) for own in values.tensor_split(count, dim=-1)], dim=-1)  # (B, C, P)
    return of_channels(means, batch, channel_ids).flatten(1)


def of_channels(found: Tensor, batch: MultimodalBatch, channel_ids: Tensor) -> Tensor:
    """Of `found` (B, C, S) the rows of the channels `channel_ids` (K,), NaN for one that a window lacks: (B, K, S)."""
    channel_ids = channel_ids.to(found.device)
    there = channel_ids.unsqueeze(1) == batch.channel_ids.unsqueeze(1)  # (B, K, C)
    own = found.gather(1, there.int().argmax(-1, keepdim=True).expand(-1, -1, found.shape[-1]))
    return torch.where(there.any(-1, keepdim=True), own, torch.nan)
