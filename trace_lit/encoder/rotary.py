"""Rotary positions by time (Su et al., 2021), TRACE §3.2: only patch tokens turn, by their place in time."""

from __future__ import annotations

import torch
from torch import Tensor


def rotary_angles(positions: Tensor, head_width: int, base: float = 10000.0) -> tuple[Tensor, Tensor]:
    """Cosine and sine (L, head_width / 2) for `positions` (L,); position 0 leaves a token as it is."""
    half = head_width // 2
    frequency = base ** (-torch.arange(half, device=positions.device, dtype=torch.float32) / half)
    angles = positions.float()[:, None] * frequency
    return angles.cos(), angles.sin()


def rotate(tokens: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn `tokens` (..., L, head_width) by the angles (L, head_width / 2)."""
    cosine, sine = cosine.to(tokens.dtype), sine.to(tokens.dtype)
    first, second = tokens.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
