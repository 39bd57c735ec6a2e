"""Channel identity tokens: the identity of a channel, and its level and spread in a window.

The paper's [CIT] is one learnable vector a channel (TRACE §3.2). Two parts are added to it here. The text vector of the
channel's name and unit, projected, lets a channel never seen in training have a token. Instance normalisation
removes level and spread, which texts describe; they return through a small MLP.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trace_lit.batch import sent
from trace_lit.channels import ChannelVocabulary
from trace_lit.encoder.patches import InstanceNorm, two_parts


class ChannelTokens(nn.Module):
    """[CIT] of every channel of every window."""

    vocabulary: ChannelVocabulary
    name_vectors: Tensor
    mean: Tensor  # (V,) float32, NaN where never seen
    rest: Tensor  # what float32 leaves of it
    deviation: Tensor
    unit: Tensor  # (V,) int64, equal for channels of one unit; −1 without a unit

    def __init__(
        self,
        width: int,
        vocabulary: ChannelVocabulary,
        named: bool,
        scaled: bool,
        dropout: float,
        transform: str = "none",
        learned: bool = True,
    ) -> None:
        super().__init__()
        self.transform = transform
        self.embedding = nn.Parameter(0.02 * torch.randn(len(vocabulary), width)) if learned else None
        self._register(vocabulary, torch.device("cpu"))
        text_width = vocabulary.name_vectors.shape[1]
        # A learned vector is left out now and then, so that the name alone learns to carry a channel.
        self.identity_dropout = dropout if named else 0.0
        self.name = nn.Sequential(nn.LayerNorm(text_width), nn.Linear(text_width, width)) if named else None
        self.scale = nn.Sequential(nn.Linear(2, width), nn.GELU(), nn.Linear(width, width)) if scaled else None

    def _register(self, vocabulary: ChannelVocabulary, device: torch.device) -> None:
        mean, rest, deviation = two_parts(vocabulary.mean, vocabulary.deviation, self.transform)
        own = {"mean": mean, "rest": rest, "deviation": deviation, "unit": vocabulary.unit_numbers()}
        if not hasattr(self, "name_vectors") or vocabulary.name_vectors is not self.vocabulary.name_vectors:
            own["name_vectors"] = vocabulary.name_vectors.float()
        for name, tensor in own.items():
            self.register_buffer(name, sent(tensor, device), persistent=False)
        self.vocabulary = vocabulary

    def extend(self, vocabulary: ChannelVocabulary) -> None:
        """Add the channels that `vocabulary` has after the present ones; they start with no learned vector.

        It is called in steps of training, where corpora with usual values of their own take turns, and waits for nothing.

        What is usual for a channel, a known one too, is from then on what `vocabulary` says.

        Raises
        ------
        ValueError
            `vocabulary` does not begin with the present channels.
        """
        if vocabulary.keys[: len(self.vocabulary)] != self.vocabulary.keys:
            raise ValueError("the vocabulary must begin with the encoder's own channels: use vocabulary.extended(...)")
        added = len(vocabulary) - len(self.vocabulary)
        if added and self.embedding is not None:
            self.embedding = nn.Parameter(
                torch.cat([self.embedding.data, self.embedding.new_zeros(added, self.embedding.shape[1])])
            )
        self._register(vocabulary, self.name_vectors.device)

    def usual_deviation(self, channel_ids: Tensor) -> Tensor:
        """The channels' deviation (B, C) in the training corpus, on the transformed scale; 0 where never seen."""
        return self.deviation[channel_ids].nan_to_num(0.0)

    def usual_mean(self, channel_ids: Tensor, norm: InstanceNorm) -> Tensor:
        """The channels' means (B, C), on the scale of `norm.mean`; NaN where never seen."""
        return norm.seen_from(self.mean[channel_ids], self.rest[channel_ids])

    def identities(self) -> Tensor:
        """The identity of each channel of the vocabulary (V, d): its learned vector, that of its name, or their sum."""
        named = None if self.name is None else self.name(self.name_vectors)
        if self.embedding is None:
            assert named is not None
            return named
        learned: Tensor = self.embedding
        if self.training and self.identity_dropout:
            learned = learned * (torch.rand(len(learned), 1, device=learned.device) >= self.identity_dropout)
        return learned if named is None else learned + named

    def forward(self, channel_ids: Tensor, norm: InstanceNorm, observed: Tensor) -> Tensor:
        """Tokens (B, C, d) for `channel_ids` (B, C); `observed` (B, C) tells which have any value."""
        tokens = self.identities()[channel_ids]
        if self.scale is not None:
            tokens = tokens + self.scale(self.level_and_spread(channel_ids, norm, observed))
        return tokens

    def level_and_spread(self, channel_ids: Tensor, norm: InstanceNorm, observed: Tensor) -> Tensor:
        """(B, C, 2): the window's mean in deviations from the channel's mean, the log of its relative deviation.

        Both are 0, the usual, for a channel that was never seen or has no value in the window.
        """
        mean, deviation = self.usual_mean(channel_ids, norm), self.deviation[channel_ids]
        level = (norm.mean.squeeze(-1) - mean) / deviation
        spread = (norm.deviation.squeeze(-1) / deviation).log()
        known = observed & ~mean.isnan()
        return torch.where(known.unsqueeze(-1), torch.stack([level, spread], dim=-1), 0.0)
