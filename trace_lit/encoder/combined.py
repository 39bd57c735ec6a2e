"""The combination of members as a module: what is learned of each, and how much each counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.encoder.calendar import calendar_width
from trace_lit.encoder.forecast import Forecast
from trace_lit.encoder.members import HARMONICS, MEMBERS, TEXT_GROUPS, Inputs, Member, base_forecast, group_features
from trace_lit.encoder.patches import InstanceNorm, two_parts
from trace_lit.encoder.solved import COMPONENTS, TextComponents, mean_vectors
from trace_lit.gaps import interpolated

_ALONE = ("alone", "alone_fallback")
_USUAL = 1 / 3  # how much the usual change counts beside a window's own, which is known from few steps
_FAR = 0.25  # deviations beyond what was learned from, at which no level tells anything


class Correction(nn.Module):
    """The solved weights of one member: for all channels, or for each of `kinds` channels its own."""

    weight: Tensor  # (K, F, H)
    bias: Tensor  # (K, H)
    low: Tensor  # (K, H) no forecast of a change is lower,
    high: Tensor  # (K, H) or higher

    def __init__(self, kinds: int, size: int, horizon: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(kinds, size, horizon))
        for name in ("bias", "low", "high"):
            self.register_buffer(name, torch.zeros(kinds, horizon))

    def forward(self, features: Tensor, channel_ids: Tensor) -> Tensor:
        """Changes (N, C, H) from `features` (N, C, F) of the channels (N, C); 0 for a channel without weights of its own."""
        if len(self.weight) == 1:
            return (features @ self.weight[0] + self.bias[0]).clamp(self.low[0], self.high[0])
        known = channel_ids < len(self.weight)
        place = channel_ids.clamp(max=len(self.weight) - 1)
        if bool((place == place[:1]).all()):  # as in a corpus: the same channels in all windows
            own = place[0]
            change = torch.einsum("ncf,cfh->nch", features, self.weight[own]) + self.bias[own]
        else:
            change = torch.einsum("ncf,ncfh->nch", features, self.weight[place]) + self.bias[place]
        return torch.where(known.unsqueeze(-1), change.clamp(self.low[place], self.high[place]), 0.0)


class Combination(nn.Module):
    """Members of a forecast, combined by weights; it is solved by `trace_lit.tuning.combine`.

    Parameters
    ----------
    encoded
        E, the number of the encoder's outputs for a channel.
    channels
        The first channels of the vocabulary, which may have weights of their own.
    followed
        There are neighbours with continuations.
    texts
        Members may look at the texts of windows and of their neighbours.
    """

    mean: Tensor  # (V,) the usual one of each channel of the vocabulary, 0 where unknown
    rest: Tensor  # what float32 leaves of it
    deviation: Tensor
    lowest: Tensor  # (K + 1,) level of what was learned from, in deviations of the channel from its mean
    highest: Tensor  # (K + 1,)
    share: Tensor  # (K + 1, M), how much each member counts for each channel, and for one that is not known
    fallback: Tensor  # (K + 1, M), likewise, where the last value is beyond all that was learned from
    alone: Tensor  # (K + 1, M), the same two where neighbours are not known
    alone_fallback: Tensor
    distance: Tensor  # (K + 1, H, Q), of the quantiles from the forecast, in units of the window's spread
    usual: Tensor  # (K + 1,) mean change of a window from step to step, in deviations of the channel
    exponent: Tensor  # () 1; of runs that are older another, and `usual` is next to nothing

    def __init__(
        self,
        vocabulary: ChannelVocabulary,
        lookback: int,
        horizon: int,
        season: int,
        quantiles: Sequence[float],
        encoded: int = 0,
        channels: int = 0,
        followed: bool = False,
        texts: bool = False,
        members: Sequence[Member] = MEMBERS,
    ) -> None:
        super().__init__()
        self.lookback, self.horizon, self.season = lookback, horizon, season
        self.quantiles, self.channels = list(quantiles), channels
        self.measure(vocabulary)
        steps = min(lookback, max(season, 8), 48)
        self.sizes = {
            "past": lookback - 1,
            "weighted past": lookback - 1,
            "changes": lookback - 1,
            "level": 1,
            "calendar": calendar_width(HARMONICS),
            "encoder": encoded,
            "channels": channels * steps,
            "neighbours": 2 * horizon if followed else 0,
            "none": 0,
            **dict.fromkeys(TEXT_GROUPS, COMPONENTS if texts else 0),
        }
        self.components = nn.ModuleDict({group: TextComponents() for group in TEXT_GROUPS if texts})
        self.members = [member for member in members if self._fits(member, followed)]
        self.corrections = nn.ModuleList(
            Correction(channels if member.own else 1, sum(self.sizes[group] for group in member.groups), horizon)
            for member in self.members
        )
        self.register_buffer("share", torch.zeros(channels + 1, len(self.members)))
        self.register_buffer("fallback", torch.zeros(channels + 1, len(self.members)))
        if followed:  # by which weights windows are forecast of which no neighbours are known
            for name in _ALONE:
                self.register_buffer(name, torch.zeros(channels + 1, len(self.members)))
                getattr(self, name)[:, 0] = 1.0
        self.register_buffer("lowest", torch.full((channels + 1,), -torch.inf))
        self.register_buffer("highest", torch.full((channels + 1,), torch.inf))
        self.register_buffer("distance", torch.zeros(channels + 1, horizon, max(len(quantiles), 1)))
        self.register_buffer("usual", torch.ones(channels + 1))
        self.register_buffer("exponent", torch.ones(()))
        self.share[:, 0] = self.fallback[:, 0] = 1.0  # the last value

    def measure(self, vocabulary: ChannelVocabulary) -> None:
        """Take the usual values of the channels of `vocabulary`."""
        usual = two_parts(vocabulary.mean, vocabulary.deviation, "none")
        for name, values in zip(("mean", "rest", "deviation"), usual, strict=True):
            self.register_buffer(name, values.nan_to_num(0.0), persistent=False)

    def _fits(self, member: Member, followed: bool) -> bool:
        """Whether the look-back, the encoder, the channels and the neighbours can give the member what it needs."""
        season, lookback = self.season, self.lookback
        seasonal = {"season": 1, "recent mean": 1, "seasonal change": 1, "seasons": 2, "season and drift": 2}
        count = seasonal.get(member.base, 0)
        if count and (season < 2 or lookback <= season or lookback < count * season):
            return False
        if "neighbours" in member.base and not followed:
            return False
        if member.own and self.channels < 2:
            return False
        if member.of_texts and not member.own and self.channels > 1:  # a text says something else of each channel
            return False
        return all(group == "none" or self.sizes[group] for group in member.groups)

    def base(self, member: Member, inputs: Inputs) -> Tensor:
        """The changes (N, C, H) that `member` corrects."""
        found = base_forecast(member.base, inputs, member.transform, self.season, self.horizon)
        assert found is not None
        return found

    def features(self, member: Member, inputs: Inputs) -> list[Tensor]:
        """The groups of features of `member`, each (N, C, F)."""
        return [self._group(group, inputs, member.transform) for group in member.groups]

    def _group(self, group: str, inputs: Inputs, transform: str) -> Tensor:
        if group in TEXT_GROUPS:
            return self._of_texts(group, inputs)
        found = group_features(group, inputs, transform, self.season)
        if group == "channels" and found.shape[-1] != self.sizes[group]:
            return found.new_zeros(*found.shape[:2], self.sizes[group])  # not the channels that it was solved for
        return found

    def _of_texts(self, group: str, inputs: Inputs) -> Tensor:
        """(N, C, F) the same for all channels of a window."""
        vectors = inputs.texts.get(group)
        if vectors is None:
            vectors = inputs.past.new_zeros(len(inputs), 0)
        found: Tensor = self.components[group](vectors.float())
        return found.unsqueeze(1).expand(-1, inputs.past.shape[1], -1)

    def member_forecast(self, place: int, inputs: Inputs) -> Tensor:
        """What one member forecasts (N, C, H), in units less the offset."""
        member = self.members[place]
        change = self.base(member, inputs)
        if member.solved:
            features = torch.cat(self.features(member, inputs), dim=-1)
            change = change + self.corrections[place](features, inputs.channel_ids)
        return inputs.on(member.transform).norm.denormalise(change)

    def inputs(self, batch: MultimodalBatch, encoded: Tensor, followed: Tensor) -> Inputs:
        """What the members see of a batch: its values, `encoded` (B, C, E), `followed` (B, C, 2 or 0, H) as its values.

        And, where members look at them, its texts and those of its neighbours.
        """
        ids = batch.channel_ids
        known = ids < len(self.mean)
        place = ids.clamp(max=len(self.mean) - 1)
        observed = batch.observed & batch.channel_mask.unsqueeze(-1)
        past = interpolated(batch.values, observed)
        deviation = torch.where(known, self.deviation[place], 0.0).unsqueeze(-1)
        spread = past.std(-1, keepdim=True, correction=0)
        deviation = torch.where(deviation > 0, deviation, torch.where(spread > 0, spread, 1.0))
        offset = None if batch.offset is None else batch.offset.unsqueeze(-1)
        usual = self.mean[place] if offset is None else self.mean[place].double() + self.rest[place].double()
        mean = torch.where(known.unsqueeze(-1), usual.unsqueeze(-1), batch.in_units(past.mean(-1, keepdim=True)))
        level = mean if offset is None else (mean - offset).float()
        past = torch.where(observed.any(-1, keepdim=True), past, level)
        texts = texts_of(batch) if self.components else {}
        return Inputs(past, mean, deviation, batch.span[:, 1], ids, encoded, followed, offset, texts)

    def shares(self, channel: int) -> dict[str, float]:
        """How much each member counts for the forecast of the channel with this number, the most first."""
        own = self.share[min(channel, self.channels)].tolist()
        named = {member.name: share for member, share in zip(self.members, own, strict=True) if share > 0}
        return dict(sorted(named.items(), key=lambda entry: -entry[1]))

    @property
    def follows(self) -> bool:
        """Whether members look at what followed neighbours, where these are known."""
        return hasattr(self, "alone")

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        if prefix + "distance" in state_dict and prefix + "usual" not in state_dict:  # likewise
            state_dict[prefix + "usual"] = torch.full_like(self.usual, 1e-3 / _USUAL)
        if self.follows and prefix + "share" in state_dict:  # a run may be older than the weights without neighbours
            none = torch.tensor([not member.of_neighbours for member in self.members])
            for name, other in zip(_ALONE, ("share", "fallback"), strict=True):
                own = state_dict[prefix + other]
                if prefix + name not in state_dict and own.shape == self.share.shape:
                    rest_of = torch.where(none, own, 0.0)
                    rest_of[:, 0] += 1 - rest_of.sum(1)
                    state_dict[prefix + name] = rest_of
        super()._load_from_state_dict(state_dict, prefix, *rest)

    @property
    def reads_texts(self) -> bool:
        """Whether a member that counts looks at the windows' texts."""
        counts = (self.share + self.fallback).amax(0).tolist()
        return any(own > 0 and "texts" in member.groups for member, own in zip(self.members, counts, strict=True))

    def combine(self, inputs: Inputs) -> Tensor:
        """The combined forecast (N, C, H) in units less the offset."""
        share = self.shares_of(inputs)  # (N, C, M)
        total = torch.zeros_like(inputs.past[..., :1]).expand(-1, -1, self.horizon)
        for place in range(len(self.members)):
            if bool((own := share[..., place : place + 1]).any()):
                total = total + own * self.member_forecast(place, inputs)
        return total

    def shares_of(self, inputs: Inputs) -> Tensor:
        """How much each member counts for each window (N, C, M).

        Without neighbours, the members that need none. Beyond the values that were learned from, members that go by the
        level give way to the others, all of them at a quarter of the channel's deviation.
        """
        known = inputs.followed.shape[2] > 0 or not self.follows
        share, fallback = (self.share, self.fallback) if known else (self.alone, self.alone_fallback)
        place = inputs.channel_ids.clamp(max=self.channels)
        level = inputs.on("none").level.squeeze(-1)  # (N, C)
        beyond = torch.maximum(level - self.highest[place], self.lowest[place] - level)
        far = (beyond / _FAR).clamp(0, 1).unsqueeze(-1)
        return torch.lerp(share[place], fallback[place], far)

    def spread(self, inputs: Inputs) -> Tensor:
        """(N, C, 1) how wide the bands of windows are: their own mean change, drawn towards the usual one."""
        usual = self.usual[inputs.channel_ids.clamp(max=self.channels)].unsqueeze(-1)
        return (mean_change(inputs) + _USUAL * usual) ** self.exponent * inputs.deviation

    def forward(self, inputs: Inputs) -> Forecast:
        """Changes (B, C, H, Q) from the last value, in deviations of the channel."""
        last = inputs.past[..., -1:]
        values = self.combine(inputs).unsqueeze(-1)
        if self.quantiles:
            distance = self.distance[inputs.channel_ids.clamp(max=self.channels)]
            values = values + distance * self.spread(inputs).unsqueeze(-1)
        change = (values - last.unsqueeze(-1)) / inputs.deviation.unsqueeze(-1)
        return Forecast(change, InstanceNorm(last, inputs.deviation, offset=inputs.offset))


def mean_change(inputs: Inputs) -> Tensor:
    """(N, C, 1) how far windows move from step to step on average, in deviations of the channel; 1 for a single step."""
    moved = inputs.past.diff(dim=-1).abs().mean(-1, keepdim=True) / inputs.deviation
    return moved if inputs.past.shape[-1] > 1 else torch.ones_like(moved)


def texts_of(batch: MultimodalBatch) -> dict[str, Tensor]:
    """By group of features the mean vectors (B, D) of the windows' texts and of their neighbours', NaN without any."""
    found = {"texts": mean_vectors(batch.text, batch.text_mask)}
    near = None if batch.retrieved is None else batch.retrieved.text
    none = batch.values.new_zeros(len(batch), 0)
    return {**found, "neighbour texts": none if near is None else mean_vectors(near, (near != 0).any(-1))}
