"""What a window's numbers say plainly: statistics of each channel, relative to what is usual, and of pairs of channels.

A text is about levels, changes, extremes and their times. An encoder of patches has to learn each of these, and forgets
them from one corpus to the next; here they are computed, so that only their use is learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trace_lit.batch import sent

PARTS = 8  # of a window, for means in the course of time
PLACES = 9  # centres of the bumps that code where an extreme stands
BOUNDS = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)  # shares of the steps above, in deviations
STEPS = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)  # soft steps of mean, extremes and change
SCALARS = 15
FEATURES = SCALARS + 2 * PARTS + 2 * PLACES + len(BOUNDS) + 4 * len(STEPS) + 1
PAIR_FEATURES = 5
GAINS = (1.0, 4.0, 16.0)  # of channels against others: those that go together differ by little
PEER_FEATURES = 3 * len(GAINS) + 2


def channel_statistics(
    values: Tensor,
    observed: Tensor,
    mean: Tensor,
    deviation: Tensor,
    base: Tensor | None = None,
    length: Tensor | None = None,
) -> Tensor:
    """Statistics (B, C, `FEATURES`) of `values` (B, C, T) where `observed`, relative to `mean` and `deviation` (B, C).

    `base` (B, C) was taken off values and means. A window's own steps are the last `length` (B,) of the T; None: all of
    them. 0 for a channel without any value.
    """
    steps = values.shape[-1]
    relative = torch.where(observed, (values - mean.unsqueeze(-1)) / deviation.unsqueeze(-1), 0.0)
    count = observed.sum(-1).clamp(min=1)
    some = observed.any(-1)
    level = relative.sum(-1) / count
    high, top = relative.masked_fill(~observed, -torch.inf).max(-1)
    low, bottom = relative.masked_fill(~observed, torch.inf).min(-1)
    high, low = torch.where(some, high, 0.0), torch.where(some, low, 0.0)
    step = torch.arange(steps, device=values.device).unsqueeze(0)  # (1, T)
    length = torch.full_like(step[:, 0], steps) if length is None else length
    step = step - steps + length.unsqueeze(1)  # (B, T) or (1, T), each step's place in its window
    course = _course(relative, observed, level, step, length)  # (B, C, PARTS)
    quarter = PARTS // 4
    first, last = course[..., :quarter].mean(-1), course[..., -quarter:].mean(-1)
    centred = torch.where(observed, relative - level.unsqueeze(-1), 0.0)
    spread = (centred.square().sum(-1) / count + 1e-6).sqrt()
    change = torch.where(observed[..., 1:] & observed[..., :-1], relative.diff(dim=-1), 0.0)
    change = change if steps > 1 else torch.zeros_like(relative)
    outside = (step[:, -change.shape[-1] :] < 1).unsqueeze(1) & (length > 1)[:, None, None]  # steps that follow none
    last_step = (length - 1).clamp(min=1).unsqueeze(1)
    time = (2 * step / last_step - 1).unsqueeze(1)
    scalars = torch.stack(
        [
            level,
            low,
            high,
            high - low,
            last - first,
            first,
            last,
            spread,
            change.abs().sum(-1) / last_step,
            change.masked_fill(outside, -torch.inf).amax(-1),
            change.masked_fill(outside, torch.inf).amin(-1),
            2 * (centred * time).sum(-1) / count,
            course[..., quarter:-quarter].mean(-1) - (first + last) / 2,
            course[..., : PARTS // 2].mean(-1),
            course[..., PARTS // 2 :].mean(-1),
        ],
        dim=-1,
    )
    places = (torch.stack([top, bottom], dim=-1) - steps + length[:, None, None]) / last_step.unsqueeze(-1)
    centres = torch.linspace(0, 1, PLACES, device=values.device)
    bumps = torch.exp(-0.5 * ((places.unsqueeze(-1) - centres) / 0.08).square()).flatten(-2)
    bounds, soft_steps = (sent(relative.new_tensor(own, device="cpu"), values.device) for own in (BOUNDS, STEPS))
    above = torch.sigmoid(8 * (relative.unsqueeze(-1) - bounds)) * observed.unsqueeze(-1)
    stepped = torch.stack([level, low, high, last - first], dim=-1).unsqueeze(-1)
    steps_of = torch.tanh(2 * (stepped - soft_steps)).flatten(-2)
    from_zero = _from_zero(values, observed, deviation, count, base).clamp(-4, 4)
    features = torch.cat(
        [
            scalars.clamp(-6, 6),
            course.clamp(-6, 6),
            ((course - level.unsqueeze(-1)) / (spread.unsqueeze(-1) + 0.05)).clamp(-4, 4),
            bumps,
            above.sum(-2) / count.unsqueeze(-1),
            steps_of,
            (from_zero.sign() * from_zero.abs().sqrt()).unsqueeze(-1),
        ],
        dim=-1,
    )
    return features * some.unsqueeze(-1)


def _course(relative: Tensor, observed: Tensor, level: Tensor, step: Tensor, length: Tensor) -> Tensor:
    """Means (B, C, `PARTS`) of equal parts of the window; a part without values is at the window's level.

    `step` (B, T) are the steps' places in windows of `length` (B,) steps.
    """
    means = []
    for part in range(PARTS):
        first = part * length // PARTS
        stop = torch.maximum((part + 1) * length // PARTS, first + 1)
        inside = ((step >= first.unsqueeze(1)) & (step < stop.unsqueeze(1))).unsqueeze(1)  # (B, 1, T)
        count = (observed & inside).sum(-1)
        means.append(torch.where(count > 0, (relative * inside).sum(-1) / count.clamp(min=1), level))
    return torch.stack(means, dim=-1)


def _from_zero(values: Tensor, observed: Tensor, deviation: Tensor, count: Tensor, base: Tensor | None) -> Tensor:
    """Mean (B, C) in deviations from zero, which some channels, like the components of a wind, have a meaning for."""
    mean = torch.where(observed, values, 0.0).sum(-1) / count
    return (mean if base is None else mean + base) / deviation


@dataclass
class WindowFeatures:
    """The statistics of B windows, from which nothing is learned yet."""

    channels: Tensor  # (B, C, `FEATURES`), and `PEER_FEATURES` more where channels are compared
    pairs: Tensor  # (B, P, `PAIR_FEATURES`), of each pair of channels
    there: Tensor  # (B, C) bool, the channels that have a value

    @staticmethod
    def numbers(channels: int, peers: bool = False) -> int:
        """How many numbers a window of so many channels has."""
        own = FEATURES + PEER_FEATURES * peers
        return channels * own + channels * (channels - 1) // 2 * PAIR_FEATURES

    @classmethod
    def of(
        cls,
        values: Tensor,
        observed: Tensor,
        mean: Tensor,
        deviation: Tensor,
        base: Tensor | None = None,
        length: Tensor | None = None,
        unit: Tensor | None = None,
    ) -> WindowFeatures:
        """Of `values` (B, C, T) where `observed`, relative to `mean` and `deviation` (B, C).

        `base` (B, C) was taken off values and means. A window's own steps are the last `length` (B,) of the T. With `unit`
        (B, C), numbers of the channels' units or −1, channels are compared with the others of their unit.
        """
        there = observed.any(-1)
        first, second = _pairs(there)
        channels = channel_statistics(values, observed, mean, deviation, base, length)
        if unit is not None:
            compared = _peer_statistics(values, observed, deviation, channels, unit, base)
            channels = torch.cat([channels, compared], dim=-1)
        return cls(
            channels,
            _pair_statistics(values, observed, deviation, first, second, base),
            there,
        )


class WindowStatistics(nn.Module):
    """Statistics of a window as additions (B, d) to [CLS] and (B, C, d) to the channels."""

    def __init__(self, width: int, dropout: float, peers: bool = False) -> None:
        super().__init__()
        self.channel = nn.Sequential(
            nn.Linear(FEATURES + PEER_FEATURES * peers, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )
        self.first = nn.Linear(width, width, bias=False)  # which channels a pair is of
        self.second = nn.Linear(width, width, bias=False)
        self.pair = nn.Linear(PAIR_FEATURES, width)
        self.output = nn.Linear(width, width)

    def forward(self, features: WindowFeatures, identities: Tensor) -> tuple[Tensor, Tensor]:
        """Of the features of B windows, whose channels have `identities` (B, C, d)."""
        channels = self.channel(features.channels)
        there = features.there
        first, second = _pairs(there)
        of_first, of_second = self.first(identities), self.second(identities)
        hidden = F.gelu(of_first[:, first] + of_second[:, second] + self.pair(features.pairs))
        both = (there[:, first] & there[:, second]).unsqueeze(-1)
        mean_hidden = (hidden * both).sum(1) / both.sum(1).clamp(min=1)
        return self.output(mean_hidden), channels


def _pairs(there: Tensor) -> tuple[Tensor, Tensor]:
    """The places of the first and of the second channel of each of the P pairs, for `there` (B, C)."""
    first, second = torch.triu_indices(there.shape[1], there.shape[1], 1, device=there.device)
    return first, second


def _peer_statistics(
    values: Tensor, observed: Tensor, deviation: Tensor, channels: Tensor, unit: Tensor, base: Tensor | None
) -> Tensor:
    """Each channel against the mean of the others of its `unit` (B, C), (B, C, `PEER_FEATURES`); 0 where there is none.

    By level and change, both relative to what is usual (they are the first and the fifth of the statistics `channels`),
    by the mean as it is, and by how the courses go together.
    """
    there = observed.any(-1)
    same = (unit.unsqueeze(2) == unit.unsqueeze(1)) & (unit >= 0).unsqueeze(2) & there.unsqueeze(1)
    same = (same & ~torch.eye(unit.shape[1], dtype=torch.bool, device=unit.device)).to(channels.dtype)  # (B, C, C)
    count = same.sum(-1, keepdim=True)
    some = (count > 0).to(channels.dtype)
    from_zero, course = _from_zero_and_course(values, observed, deviation, base)
    compared = torch.stack([channels[..., 0], channels[..., 4], from_zero * deviation], dim=-1)  # (B, C, 3)
    away = (compared - same @ compared / count.clamp(min=1)) * some
    away = torch.cat([away[..., :2], away[..., 2:] / deviation.unsqueeze(-1)], dim=-1)
    scaled = torch.tanh(torch.cat([gain * away for gain in GAINS], dim=-1))
    together = (same * (course @ course.transpose(1, 2))).sum(-1, keepdim=True) / count.clamp(min=1)
    return torch.cat([scaled, together, some], dim=-1) * there.unsqueeze(-1)


def _from_zero_and_course(
    values: Tensor, observed: Tensor, deviation: Tensor, base: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Mean (B, C) in deviations from zero, and the course (B, C, T) about it as a vector of unit length."""
    count = observed.sum(-1).clamp(min=1)
    mean = torch.where(observed, values, 0.0).sum(-1) / count
    centred = torch.where(observed, values - mean.unsqueeze(-1), 0.0) / deviation.unsqueeze(-1)
    course = centred / (centred.square().sum(-1, keepdim=True) + 1e-4).sqrt()
    return (mean if base is None else mean + base) / deviation, course


def _pair_statistics(
    values: Tensor, observed: Tensor, deviation: Tensor, first: Tensor, second: Tensor, base: Tensor | None
) -> Tensor:
    """Correlation, its size, and the direction and length of the vector that the means of both channels span."""
    from_zero, course = _from_zero_and_course(values, observed, deviation, base)
    correlation = (course @ course.transpose(1, 2))[:, first, second]
    one, other = from_zero[:, first], from_zero[:, second]
    length = (one.square() + other.square() + 0.01).sqrt()
    return torch.stack([correlation, correlation.abs(), one / length, other / length, length.clamp(max=3)], dim=-1)
