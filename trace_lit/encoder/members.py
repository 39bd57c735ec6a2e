"""Members of a combined forecast: simple bases, and corrections of them by ridge regression on groups of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from trace_lit.encoder.calendar import calendar_features
from trace_lit.encoder.patches import InstanceNorm, on_scale, transform_statistics

HARMONICS = 3  # of year, week and day
_LEAST_CYCLES = 3.0  # of a cycle of the calendar that training must have seen
_MOST_SEASONS = 3  # that are averaged
_FAINT = {"": 1.0, ", faint": 0.2}
TEXT_GROUPS = ("texts", "neighbour texts")


@dataclass(frozen=True)
class Member:
    """A way to forecast a channel's change from its last value.

    Attributes
    ----------
    base
        What is corrected, or, without `groups`, is the forecast: see `base_forecast`.
    groups
        The features of the correction, see `group_features`.
    transform
        The scale on which it is added.
    own
        Each channel has its own weights.
    distrust
        How much worse, as a share of the smallest error, the member counts than its errors say, unless it wins in most
        blocks: high for one that needs levels to return, since a short past shows too few of them.
    faint
        How large its texts are beside its other features; the smaller, the more their weights are penalised.
    """

    name: str
    base: str = "last"
    groups: tuple[str, ...] = ()
    transform: str = "none"
    own: bool = False
    distrust: float = 0.0
    faint: float = 1.0

    @property
    def of_levels(self) -> bool:
        """Whether it has learned what follows which level, so that it knows nothing of levels that it has not seen."""
        return "level" in self.groups or "encoder" in self.groups

    @property
    def of_texts(self) -> list[str]:
        """The groups of its features that are made of texts."""
        return [name for name in self.groups if name in TEXT_GROUPS]

    @property
    def of_neighbours(self) -> bool:
        """Whether it needs neighbours."""
        return any("neighbour" in name for name in (self.base, *self.groups))

    @property
    def solved(self) -> bool:
        """Whether it has weights."""
        return bool(self.groups)


_LEVEL, _TREND = 0.2, 0.3
_CHANGES = ("changes", "calendar")
_LEVELS = ("changes", "level", "calendar")
MEMBERS: tuple[Member, ...] = (
    Member("last"),
    Member("season", "season"),
    Member("seasons", "seasons"),
    Member("mean", "mean", distrust=_TREND),
    Member("recent mean", "recent mean"),
    Member("smooth 0.2", "smooth 0.2"),
    Member("smooth 0.5", "smooth 0.5"),
    Member("seasonal change", "seasonal change", distrust=_TREND),
    Member("season and drift", "season and drift", distrust=_TREND),
    Member("drift", "last", ("none",), distrust=_TREND),
    Member("past", "last", ("past",)),
    Member("changes", "last", ("changes",)),
    Member("changes, calendar", "last", _CHANGES),
    Member("season, changes", "season", _CHANGES),
    Member("past, level", "last", ("past", "level", "calendar"), distrust=_LEVEL),
    Member("changes, level", "last", _LEVELS, distrust=_LEVEL),
    Member("mean, level", "mean", ("weighted past", "level", "calendar"), distrust=_LEVEL),
    *(
        member
        for scale in ("log", "sqrt")
        for member in (
            Member(f"{scale} changes", "last", ("changes",), scale),
            Member(f"{scale} changes, calendar", "last", _CHANGES, scale),
            Member(f"{scale} changes, level", "last", _LEVELS, scale, distrust=_LEVEL),
        )
    ),
    Member("encoder", "last", ("encoder", "calendar"), distrust=_LEVEL),
    Member("encoder, changes", "last", ("encoder", *_LEVELS), distrust=_LEVEL),
    Member("own past", "last", ("past",), own=True),
    Member("own changes", "last", _CHANGES, own=True),
    Member("own channels", "last", ("channels", *_LEVELS), own=True, distrust=_LEVEL),
    Member("neighbours", "neighbours", distrust=_TREND),
    Member("near neighbours", "near neighbours", distrust=_TREND),
    Member("neighbours, changes", "last", ("neighbours", *_CHANGES)),
    *(
        Member(f"{own}{name}{kind}{word}", "last", (group, *others), own=bool(own), distrust=distrust, faint=faint)
        for own in ("", "own ")
        for group, name in (("texts", "texts"), ("neighbour texts", "neighbours' texts"))
        for kind, others, distrust in ((", changes", _CHANGES, 0.0), (", level", _LEVELS, _LEVEL))
        for word, faint in _FAINT.items()
    ),
)


@dataclass
class Inputs:
    """What members see of N windows of C channels; gaps are bridged by straight lines."""

    past: Tensor  # (N, C, T) in units less `offset`
    mean: Tensor  # (N, C, 1) the channels' usual ones, in units; float64 where there is an offset
    deviation: Tensor  # (N, C, 1)
    origin: Tensor  # (N,) int64, seconds since 1970
    channel_ids: Tensor  # (N, C)
    encoded: Tensor  # (N, C, E) float32, the encoder's outputs; E may be 0
    followed: Tensor  # (N, C, 2, H) as `past`, what followed the neighbours (mean, by similarity), or (N, C, 0, H)
    offset: Tensor | None = None  # (N, C, 1) float64, as `MultimodalBatch.offset`
    # group of features -> (N, D) mean vectors, NaN without a text
    texts: dict[str, Tensor] = field(default_factory=dict)
    _scales: dict[str, Scaled] = field(default_factory=dict)

    def on(self, transform: str) -> Scaled:
        """The windows on the scale of `transform`, measured from their last value."""
        if transform not in self._scales:
            mean, deviation = transform_statistics(self.mean, self.deviation, transform)
            values = on_scale(self.past, transform, self.offset)
            norm = InstanceNorm(values[..., -1:], deviation.float(), transform, self.offset)
            level = (norm.mean - (mean - norm.base).float()) / norm.deviation
            self._scales[transform] = Scaled((values - norm.mean) / norm.deviation, level, norm)
        return self._scales[transform]

    @classmethod
    def joined(cls, parts: Sequence[Inputs]) -> Inputs:
        """The windows of `parts`, one after another, in the memory of the CPU."""
        names = ("past", "mean", "deviation", "origin", "channel_ids", "encoded", "followed")
        columns: dict[str, Any] = {name: torch.cat([getattr(part, name).cpu() for part in parts]) for name in names}
        if any(part.offset is not None for part in parts):
            columns["offset"] = torch.cat(
                [
                    torch.zeros_like(part.mean, dtype=torch.float64) if part.offset is None else part.offset
                    for part in parts
                ]
            ).cpu()
        for group in parts[0].texts:
            columns.setdefault("texts", {})[group] = torch.cat([part.texts[group].cpu() for part in parts])
        return cls(**columns)

    def __len__(self) -> int:
        return len(self.past)


@dataclass
class Scaled:
    """Windows on a transformed scale, in deviations of the channel."""

    changes: Tensor  # (N, C, T) from the last value
    level: Tensor  # (N, C, 1) of the last value, from the channel's mean
    norm: InstanceNorm  # by the last value and the channel's deviation: from units less the offset to changes, and back


def base_forecast(name: str, inputs: Inputs, transform: str, season: int, horizon: int) -> Tensor | None:
    """The changes (N, C, H) that the base `name` forecasts; None where the look-back is too short for it.

    last
        The last value.
    season, seasons
        The last season again, or the mean of up to three.
    mean, recent mean
        The mean of the look-back, or of its last season.
    smooth …
        The past, weighted exponentially by this share.
    seasonal change
        The last value, with the changes of a season ago.
    season and drift
        The last season, moved by the difference between the last two.
    neighbours, near neighbours
        What followed the neighbours on average, or the nearer the more.
    """
    scaled = inputs.on(transform)
    past = scaled.changes
    steps = past.shape[-1]

    def constant(level: Tensor) -> Tensor:
        return level.expand(*past.shape[:2], horizon)

    def repeated(cycle: Tensor) -> Tensor:
        return cycle.repeat(1, 1, -(-horizon // season))[..., :horizon]

    if name == "last":
        return constant(torch.zeros_like(scaled.level))
    if name == "mean":
        return constant(past.mean(-1, keepdim=True))
    if name.startswith("smooth"):
        share = float(name.split()[1])
        weight = (1 - share) ** torch.arange(steps - 1, -1, -1, dtype=past.dtype, device=past.device)
        return constant((past * (weight / weight.sum())).sum(-1, keepdim=True))
    if name in ("neighbours", "near neighbours"):
        place = int(name.startswith("near"))
        return scaled.norm.normalise(inputs.followed[:, :, place]) if inputs.followed.shape[2] else None
    if season < 2 or steps <= season:
        return None
    recent = past[..., -season:]
    if name == "season":
        return repeated(recent)
    if name == "recent mean":
        return constant(recent.mean(-1, keepdim=True))
    if name == "seasonal change":
        return repeated(recent - past[..., -season - 1 : -season])
    count = min(steps // season, _MOST_SEASONS)
    if count < 2:
        return None
    cycles = past[..., -count * season :].unflatten(-1, (count, season))
    if name == "seasons":
        return repeated(cycles.mean(-2))
    if name == "season and drift":
        moved = cycles[..., -1, :].mean(-1, keepdim=True) - cycles[..., -2, :].mean(-1, keepdim=True)
        return repeated(recent) + moved
    raise ValueError(f"there is no base {name!r}")


def group_features(name: str, inputs: Inputs, transform: str, season: int) -> Tensor:
    """The features (N, C, F) of the group `name`.

    past, weighted past
        The look-back, measured from its last value; or the nearer (in steps, or in seasons) the less penalised.
    changes
        Its changes from step to step, the nearer the less penalised.
    level
        The last value, measured from the channel's mean.
    calendar
        Year, week and day.
    encoder
        The encoder's outputs.
    channels
        The last steps and levels of all channels.
    neighbours
        What followed the neighbours.
    none, texts, neighbour texts
        Nothing here: what is learned is a mean alone, or what `TextComponents` make of texts.
    """
    scaled = inputs.on(transform)
    past = scaled.changes
    if name == "past":
        return past[..., :-1]
    if name == "weighted past":
        return past[..., :-1] * _importance(past.shape[-1] - 1, season).to(past)
    if name == "changes":
        return past.diff(dim=-1) * _importance(past.shape[-1] - 1, season).to(past)
    if name == "level":
        return scaled.level
    if name == "calendar":
        return calendar_features(inputs.origin, HARMONICS).unsqueeze(1).expand(-1, past.shape[1], -1)
    if name == "encoder":
        return inputs.encoded
    if name == "channels":
        steps = min(past.shape[-1], max(season, 8), 48)
        shown = torch.cat([past[..., -steps:-1], scaled.level], dim=-1)  # (N, C, K)
        return shown.flatten(1).unsqueeze(1).expand(-1, past.shape[1], -1)
    if name == "neighbours":
        return scaled.norm.normalise(inputs.followed.flatten(2).unflatten(2, (1, -1)).squeeze(2))
    return past[..., :0]


def _importance(steps: int, season: int) -> Tensor:
    """(steps,) how large the features of the steps before the last are, in order of time: 1 for the nearest.

    A feature that is k times as large has a weight that is penalised k² times less. It falls with the root of the
    distance, from now or from a whole number of seasons ago.
    """
    lag = torch.arange(steps, 0, -1, dtype=torch.float32)
    importance = lag.rsqrt()
    for count in range(1, steps // season + 1 if season > 1 else 1):
        importance = torch.maximum(importance, count**-0.5 * (-(lag - count * season).abs()).exp())
    return importance


def resolved_calendar(origin: Tensor, end: Tensor) -> Tensor:
    """(F,) bool, which features of the calendar can be learned from windows with these origins and ends (n,).

    A cycle counts if training has seen three of it, and a wave if it has more than two steps.
    """
    cycles = (365.2425 * 86_400, 7 * 86_400.0, 86_400.0)
    times = origin.unique()
    step = float(times.diff().min()) if len(times) > 1 else 1.0
    span = float(end.max() - origin.min())
    known = [
        cycle * _LEAST_CYCLES <= span and cycle / number > 2 * step * 0.99
        for cycle in cycles
        for number in range(1, HARMONICS + 1)
    ]
    return torch.tensor(known).repeat_interleave(2)
