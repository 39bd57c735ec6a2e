"""Heads on the encoder's outputs and their losses."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch
from trace_lit.distributed import world_size
from trace_lit.encoder.calendar import calendar_features, calendar_width
from trace_lit.encoder.model import EncoderOutput, SeriesEncoder
from trace_lit.encoder.patches import InstanceNorm, split_patches


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


@dataclass
class Forecast:
    """What is expected of B windows of C channels over H steps, at Q quantiles or (Q = 1) as one number."""

    change: Tensor  # (B, C, H, Q), from the last observed value, in deviations of the channel
    norm: InstanceNorm

    @property
    def values(self) -> Tensor:
        """(B, C, H, Q) in the channels' own units."""
        return self.norm.denormalise(self.change.flatten(2)).unflatten(2, self.change.shape[2:])


class ForecastHead(nn.Module):
    """A linear layer from the patch outputs of a channel to its horizon, TRACE §4.4; it starts as the naive forecast.

    Parameters
    ----------
    patches
        How many a window has.
    outputs
        Q, the quantiles of the forecast, or 1.
    harmonics
        Of the calendar at the origin, which the head sees beside the patches.
    """

    def __init__(self, width: int, patches: int, horizon: int, outputs: int = 1, harmonics: int = 0) -> None:
        super().__init__()
        self.horizon, self.outputs, self.harmonics = horizon, outputs, harmonics
        self.projection = nn.Linear(width * patches + calendar_width(harmonics), horizon * outputs)
        nn.init.zeros_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)

    def features(self, output: EncoderOutput, origin: Tensor) -> Tensor:
        """What the layer sees (B, C, F); `origin` (B,) are the seconds since 1970 at which the horizons begin."""
        patches = output.patches.flatten(2).float()
        calendar = calendar_features(origin, self.harmonics)
        return torch.cat([patches, calendar.unsqueeze(1).expand(-1, patches.shape[1], -1)], dim=-1)

    def forward(self, output: EncoderOutput, origin: Tensor) -> Tensor:
        """Changes (B, C, H, Q) in deviations of the channel."""
        return self.projection(self.features(output, origin)).unflatten(-1, (self.horizon, self.outputs))


class ForecastModel(nn.Module):
    """The series encoder and a forecasting head; windows have `lookback` steps."""

    def __init__(
        self, encoder: SeriesEncoder, lookback: int, horizon: int, outputs: int = 1, harmonics: int = 0
    ) -> None:
        super().__init__()
        config = encoder.config
        self.encoder = encoder
        self.head = ForecastHead(config.width, -(-lookback // config.patch_length), horizon, outputs, harmonics)

    def level(self, batch: MultimodalBatch) -> InstanceNorm:
        """The last observed values, and the channels' deviations: what forecasts are measured from and in."""
        usual = self.encoder.channel_tokens.usual_deviation(batch.channel_ids)
        observed = batch.observed & batch.channel_mask.unsqueeze(-1)
        return InstanceNorm.of(batch.values, observed, usual, "last", "channel", self.encoder.config.transform)

    def features(self, batch: MultimodalBatch) -> Tensor:
        """What the head sees (B, C, F)."""
        return self.head.features(self.encoder(batch), batch.span[:, 1])

    def forward(self, batch: MultimodalBatch) -> Forecast:
        return Forecast(self.head(self.encoder(batch), batch.span[:, 1]), self.level(batch))


class ClassificationModel(nn.Module):
    """The series encoder and one linear layer on [CLS] and the [CIT]s of the first `channels` of its vocabulary."""

    def __init__(self, encoder: SeriesEncoder, channels: int, labels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.channels = channels
        self.head = nn.Linear((1 + channels) * encoder.config.width, labels)

    def features(self, batch: MultimodalBatch) -> Tensor:
        """What the head sees (B, F); zeros stand for a channel that a window does not have."""
        output = self.encoder(batch)
        present = batch.channel_mask & batch.observed.any(-1) & (batch.channel_ids < self.channels)
        channels = torch.where(present.unsqueeze(-1), output.channels, 0.0)  # (B, C, d)
        places = batch.channel_ids.clamp(max=self.channels - 1).unsqueeze(-1).expand_as(channels)
        slots = channels.new_zeros(len(channels), self.channels, channels.shape[-1])
        return torch.cat([output.cls.unsqueeze(1), slots.scatter_add(1, places, channels)], dim=1).flatten(1).float()

    def forward(self, batch: MultimodalBatch) -> Tensor:
        """Scores (B, K) of the labels."""
        return self.head(self.features(batch))
