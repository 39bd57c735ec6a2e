"""Which patches are hidden in pre-training, TRACE §3.2."""

from __future__ import annotations

import torch
from torch import Tensor


def draw_patch_mask(seen: Tensor, ratio: float, generator: torch.Generator | None = None) -> Tensor:
    """Hide the share `ratio` of each window's patches that hold any observed value.

    Parameters
    ----------
    seen
        (B, C, N) bool, true where the patch has an observed value.
    ratio
        Between 0 and 1. Of n such patches, round(ratio · n) are hidden, at least one and never all where n > 1.

    Returns
    -------
    Tensor
        (B, C, N) bool.
    """
    flat = seen.flatten(1)
    noise = torch.rand(flat.shape, device=flat.device, generator=generator)
    order = torch.where(flat, noise, 2.0).argsort(dim=1).argsort(dim=1)  # observed patches rank first, at random
    number = flat.sum(1)
    hidden = (ratio * number).round().clamp(min=1).minimum((number - 1).clamp(min=0))
    return ((order < hidden.unsqueeze(1)) & flat).view_as(seen)
