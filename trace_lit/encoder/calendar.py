"""The time of year, week and day as smooth features."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_DAY = 86_400
_CYCLES = (365.2425 * _DAY, 7.0 * _DAY, 1.0 * _DAY)  # seconds


def calendar_width(harmonics: int) -> int:
    """How many features `calendar_features` gives."""
    return 2 * len(_CYCLES) * harmonics


def calendar_features(times: Tensor, harmonics: int) -> Tensor:
    """Sine and cosine of year, week and day at `times` (...), int64 seconds since 1970, as (..., F) float32.

    `harmonics` of each cycle; those of a cycle that the sampling does not resolve are constant.
    """
    phases = [(times % round(cycle)).double() / cycle for cycle in _CYCLES]
    angles = [2 * math.pi * number * phase for phase in phases for number in range(1, harmonics + 1)]
    waves = [wave for angle in angles for wave in (angle.sin(), angle.cos())]
    return torch.stack(waves, dim=-1).float() if waves else times.new_zeros((*times.shape, 0), dtype=torch.float32)
