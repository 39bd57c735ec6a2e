"""Level and scale of forecasts: what they are relative to, and their unit."""

from __future__ import annotations

from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.encoder.patches import InstanceNorm, two_parts


def last_level(
    batch: MultimodalBatch, mean: Tensor, rest: Tensor, deviation: Tensor, transform: str = "none"
) -> InstanceNorm:
    """The last observed values as level, the channels' usual deviations as scale.

    `mean` + `rest` (see `InstanceNorm.seen_from`) and `deviation` (V,) are those of the vocabulary's channels on the
    transformed scale, 0 where unknown. The level of a channel without any observed value is its mean.
    """
    observed = batch.observed & batch.channel_mask.unsqueeze(-1)
    ids = batch.channel_ids
    norm = InstanceNorm.of(batch.values, observed, deviation[ids], "last", "channel", transform, batch.offset)
    return norm.or_at(norm.seen_from(mean[ids], rest[ids]), observed)


class ChannelScale(nn.Module):
    """The usual mean and deviation of the channels of a vocabulary, on a transformed scale; in no checkpoint."""

    mean: Tensor  # (V,), 0 where unknown
    rest: Tensor  # what float32 leaves of it
    deviation: Tensor

    def __init__(self, vocabulary: ChannelVocabulary, transform: str = "none") -> None:
        super().__init__()
        self.transform = transform
        mean, rest, deviation = two_parts(vocabulary.mean, vocabulary.deviation, transform)
        self.register_buffer("mean", mean.nan_to_num(0.0), persistent=False)
        self.register_buffer("rest", rest.nan_to_num(0.0), persistent=False)
        self.register_buffer("deviation", deviation.nan_to_num(0.0), persistent=False)

    def level(self, batch: MultimodalBatch) -> InstanceNorm:
        """See `last_level`."""
        return last_level(batch, self.mean, self.rest, self.deviation, self.transform)

    def usual_mean(self, channel_ids: Tensor, norm: InstanceNorm) -> Tensor:
        """The channels' means (B, C), on the scale of `norm.mean`."""
        return norm.seen_from(self.mean[channel_ids], self.rest[channel_ids])
