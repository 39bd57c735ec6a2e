"""Level and scale of forecasts: what they are relative to, and their unit."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.encoder.patches import InstanceNorm, transform_statistics


def last_level(batch: MultimodalBatch, mean: Tensor, deviation: Tensor, transform: str = "none") -> InstanceNorm:
    """The last observed values as level, the channels' usual deviations as scale.

    `mean` and `deviation` (V,) are those of the vocabulary's channels on the transformed scale, 0 where unknown. The level
    of a channel without any observed value is its mean.
    """
    observed = batch.observed & batch.channel_mask.unsqueeze(-1)
    norm = InstanceNorm.of(batch.values, observed, deviation[batch.channel_ids], "last", "channel", transform)
    return norm.or_at(mean[batch.channel_ids], observed)


class ChannelScale(nn.Module):
    """The usual mean and deviation of the channels of a vocabulary, on a transformed scale; in no checkpoint."""

    mean: Tensor  # (V,), 0 where unknown
    deviation: Tensor

    def __init__(self, vocabulary: ChannelVocabulary, transform: str = "none") -> None:
        super().__init__()
        self.transform = transform
        mean, deviation = (torch.tensor(own) for own in (vocabulary.mean, vocabulary.deviation))
        mean, deviation = transform_statistics(mean, deviation, transform)
        self.register_buffer("mean", mean.nan_to_num(0.0), persistent=False)
        self.register_buffer("deviation", deviation.nan_to_num(0.0), persistent=False)

    def level(self, batch: MultimodalBatch) -> InstanceNorm:
        """See `last_level`."""
        return last_level(batch, self.mean, self.deviation, self.transform)
