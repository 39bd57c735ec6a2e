"""Heads on the encoder's outputs and their losses."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
import torch.distributed as dist
from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch
from trace_lit.distributed import world_size
from trace_lit.encoder.base import Encoder, EncoderOutput
from trace_lit.encoder.calendar import calendar_features, calendar_width
from trace_lit.encoder.combined import Combination
from trace_lit.encoder.forecast import Forecast
from trace_lit.encoder.label_combination import LabelCombination
from trace_lit.encoder.members import Inputs
from trace_lit.encoder.patches import InstanceNorm, split_patches
from trace_lit.encoder.scale import last_level


class ReconstructionHead(nn.Module):
    """Patch outputs back to normalised values."""

    def __init__(self, width: int, patch_length: int) -> None:
        super().__init__()
        self.projection = nn.Linear(width, patch_length)

    def forward(self, output: EncoderOutput) -> Tensor:
        """Normalised values (B, C, N, P)."""
        return self.projection(output.patches)


def masked_reconstruction_loss(
    reconstruction: Tensor, batch: MultimodalBatch, output: EncoderOutput, patch_mask: Tensor
) -> Tensor:
    """Mean squared error over masked, observed points on the normalised scale, TRACE §3.2.

    `reconstruction` (B, C, N, P), `patch_mask` (B, C, N) bool. Zero when nothing observed is masked.
    """
    length = reconstruction.shape[-1]
    target = split_patches(output.norm.normalise(batch.values), length)
    counted = split_patches(batch.observed & batch.channel_mask.unsqueeze(-1), length) & patch_mask.unsqueeze(-1)
    error = (reconstruction.float() - target).square().masked_fill(~counted, 0.0)
    count = counted.sum().float()
    if world_size() > 1:  # a process's part of the mean over all processes, see trace_lit.alignment.losses
        dist.all_reduce(count)
    return error.sum() * world_size() / count.clamp(min=1)


class ForecastHead(nn.Module):
    """A linear layer from the patch outputs of a channel to its horizon, TRACE §4.4; it starts as the naive forecast.

    Parameters
    ----------
    tokens
        How many outputs of the `width` a window has.
    outputs
        Q, the quantiles of the forecast, or 1.
    harmonics
        Of the calendar at the origin, an input beside the patches.
    further
        The number of further inputs.
    channels
        The first channels of a vocabulary, whose quantiles each have their own distances from the output of the layer;
        later channels have the common ones.
    """

    def __init__(
        self,
        width: int,
        tokens: int,
        horizon: int,
        outputs: int = 1,
        harmonics: int = 0,
        further: int = 0,
        channels: int = 0,
    ) -> None:
        super().__init__()
        self.width, self.tokens = width, tokens
        self.horizon, self.outputs, self.harmonics, self.further = horizon, outputs, harmonics, further
        self.projection = nn.Linear(width * tokens + further + calendar_width(harmonics), horizon * outputs)
        nn.init.zeros_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)
        apart = channels if outputs > 1 else 0
        self.distance = nn.Parameter(torch.zeros(apart, horizon, outputs)) if apart else None

    def features(self, hidden: Tensor, origin: Tensor, further: Tensor | None = None) -> Tensor:
        """Inputs of the layer (B, C, F): the outputs `hidden` (B, C, N, d), `further` numbers (B, C, E), the calendar.

        `origin` (B,) are the seconds since 1970 at which the horizons begin.
        """
        calendar = calendar_features(origin, self.harmonics).unsqueeze(1).expand(-1, hidden.shape[1], -1)
        return torch.cat([hidden.flatten(2).float(), *([] if further is None else [further]), calendar], dim=-1)

    def forward(self, features: Tensor, channel_ids: Tensor) -> Tensor:
        """Changes (B, C, H, Q) in deviations of the channel, from `features` (B, C, F) of the channels (B, C)."""
        change = self.projection(features).unflatten(-1, (self.horizon, self.outputs))
        if self.distance is None:
            return change
        known = (channel_ids < len(self.distance))[..., None, None]
        return change + self.distance[channel_ids.clamp(max=len(self.distance) - 1)] * known


class HeadedForecaster(nn.Module, ABC):
    """A linear `head` on a model's features of windows; values are forecast on the scale of `transform`."""

    head: ForecastHead
    transform: str
    combination: Combination | None  # of members, in the place of the head's layer

    def __init__(self) -> None:
        super().__init__()
        self.combination = None

    def combine(self, combination: Combination) -> None:
        """Forecast by a combination of members, of which some see the inputs of the head."""
        self.combination = combination
        self.head.projection = nn.Identity()  # type: ignore[assignment]
        self.head.distance = None

    @abstractmethod
    def level(self, batch: MultimodalBatch) -> InstanceNorm:
        """Level and scale of forecasts: the last observed values and the channels' deviations, see `last_level`."""

    @abstractmethod
    def features(self, batch: MultimodalBatch) -> Tensor:
        """Inputs of the head (B, C, F)."""

    def inputs(self, batch: MultimodalBatch) -> Inputs:
        """What the members of the combination see of a batch."""
        assert self.combination is not None
        features = self.features(batch)
        count = 2 * self.head.horizon
        calendar = features.shape[-1] - calendar_width(self.head.harmonics)
        encoded, followed = features[..., :calendar], features.new_zeros(*features.shape[:2], 0, self.head.horizon)
        if self.follows:
            *_, change, _ = encoded.split([calendar - count - 3, count, 3], dim=-1)
            encoded = encoded[..., : calendar - count - 3]
            if batch.retrieved is not None:
                followed = self.level(batch).denormalise(change).unflatten(-1, (2, -1))
        return self.combination.inputs(batch, encoded, followed)

    @property
    def follows(self) -> bool:
        """Whether the inputs of the head end with what followed neighbours: two means, and three numbers about them."""
        return bool(getattr(getattr(self, "neighbours", None), "use_futures", False))

    @property
    def encoded_width(self) -> int:
        """How many of the inputs of the head are neither what followed neighbours nor the calendar."""
        head = self.head
        followed = 2 * head.horizon + 3 if self.follows else 0
        return head.width * head.tokens + head.further - followed

    def forward(self, batch: MultimodalBatch) -> Forecast:
        if self.combination is not None:
            return self.combination(self.inputs(batch))
        return Forecast(self.head(self.features(batch), batch.channel_ids), self.level(batch))


class ForecastModel(HeadedForecaster):
    """The series encoder and a forecasting head; windows have `lookback` steps.

    Subclasses may add inputs of the head: `tokens` more outputs and `further` numbers.
    """

    def __init__(
        self,
        encoder: Encoder,
        lookback: int,
        horizon: int,
        outputs: int = 1,
        harmonics: int = 0,
        tokens: int = 0,
        further: int = 0,
        channels: int = 0,
    ) -> None:
        super().__init__()
        config = encoder.config
        self.encoder = encoder
        self.transform = config.transform
        tokens += -(-lookback // config.patch_length)
        self.head = ForecastHead(config.width, tokens, horizon, outputs, harmonics, further, channels)

    def level(self, batch: MultimodalBatch) -> InstanceNorm:
        tokens = self.encoder.channel_tokens
        mean, rest, deviation = (own.nan_to_num(0.0) for own in (tokens.mean, tokens.rest, tokens.deviation))
        return last_level(batch, mean, rest, deviation, self.transform)

    def features(self, batch: MultimodalBatch) -> Tensor:
        return self.head.features(self.encoder(batch).patches, batch.span[:, 1])


class ClassificationModel(nn.Module):
    """The series encoder and one linear layer on [CLS] and the [CIT]s of the first `channels` of its vocabulary.

    Subclasses may add `further` numbers as inputs of the layer.
    """

    def __init__(self, encoder: Encoder, channels: int, labels: int, further: int = 0) -> None:
        super().__init__()
        self.encoder = encoder
        self.channels = channels
        self.combination: LabelCombination | None = None  # of members, in the place of the head
        self.head: nn.Module = nn.Linear((1 + channels) * encoder.config.width + further, labels)

    def combine(self, combination: LabelCombination) -> None:
        """Tell labels by a combination of members, of which some see the inputs of the head."""
        self.combination = combination
        self.head = nn.Identity()

    def features(self, batch: MultimodalBatch) -> Tensor:
        """Inputs of the head (B, F); zero for a channel that a window does not have."""
        output = self.encoder(batch)
        present = batch.channel_mask & batch.observed.any(-1) & (batch.channel_ids < self.channels)
        channels = torch.where(present.unsqueeze(-1), output.channels, 0.0)  # (B, C, d)
        places = batch.channel_ids.clamp(max=self.channels - 1).unsqueeze(-1).expand_as(channels)
        slots = channels.new_zeros(len(channels), self.channels, channels.shape[-1])
        return torch.cat([output.cls.unsqueeze(1), slots.scatter_add(1, places, channels)], dim=1).flatten(1).float()

    def forward(self, batch: MultimodalBatch) -> Tensor:
        """Scores (B, K) of the labels."""
        features = self.features(batch)
        return self.head(features) if self.combination is None else self.combination(batch, features)
