"""Rotary positions by time (Su et al., 2021), TRACE §3.2: only patch tokens turn, by their place in time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def rotary_angles(positions: Tensor, head_width: int, base: float = 10000.0) -> tuple[Tensor, Tensor]:
    """Cosine and sine (L, head_width / 2) for `positions` (L,); position 0 leaves a token as it is."""
    half = head_width // 2
    frequency = base ** (-torch.arange(half, device=positions.device, dtype=torch.float32) / half)
    angles = positions.float()[:, None] * frequency
    return angles.cos(), angles.sin()


def rotate(tokens: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn `tokens` (..., head_width) by the angles (..., head_width / 2), which are broadcast to them."""
    turned: Tensor = _Rotation.apply(tokens, cosine.to(tokens.dtype), sine.to(tokens.dtype))
    return turned


class _Rotation(torch.autograd.Function):
    """It keeps the angles alone; its gradient is turned back."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        ctx.save_for_backward(cosine, sine)
        return _turned(tokens, cosine, sine)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        cosine, sine = ctx.saved_tensors
        return _turned(gradients[0], cosine, -sine), None, None


def _turned(tokens: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    turned = tokens * torch.cat([cosine, cosine], dim=-1)
    for own, other, sign in zip(turned.chunk(2, dim=-1), tokens.chunk(2, dim=-1)[::-1], (-1, 1), strict=True):
        own.addcmul_(other, sine, value=sign)
    return turned
