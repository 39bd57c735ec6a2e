"""The series encoder, TRACE §3.2, with the decisions of this project (see `EncoderConfig`)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.encoder.attention import Block, Layout
from trace_lit.encoder.calendar import calendar_features, calendar_width
from trace_lit.encoder.config import EncoderConfig
from trace_lit.encoder.patches import InstanceNorm, split_patches
from trace_lit.encoder.rotary import rotary_angles
from trace_lit.encoder.tokens import ChannelTokens


@dataclass
class EncoderOutput:
    """The encoder's outputs for B windows of C channels and N patches."""

    cls: Tensor  # (B, d)
    channels: Tensor  # (B, C, d), the outputs at the CITs
    patches: Tensor  # (B, C, N, d), or (B, C, 0, d) where they were not asked for
    norm: InstanceNorm  # the level and spread that were subtracted and divided by


class SeriesEncoder(nn.Module):
    """Windows of any number of channels and steps to one vector a window, a channel and a patch."""

    def __init__(self, config: EncoderConfig, vocabulary: ChannelVocabulary) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.cls = nn.Parameter(0.02 * torch.randn(width))
        self.mask_token = nn.Parameter(0.02 * torch.randn(width))
        self.patch = nn.Linear(config.patch_length, width)
        self.channel_tokens = ChannelTokens(
            width,
            vocabulary,
            named=config.named_tokens,
            scaled=config.scale_tokens,
            dropout=config.dropout,
            transform=config.transform,
        )
        self.calendar = nn.Linear(calendar_width(1), width) if config.calendar else None
        self.blocks = nn.ModuleList(
            Block(width, config.heads, config.ffn_ratio, config.dropout) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(width)

    @property
    def vocabulary(self) -> ChannelVocabulary:
        return self.channel_tokens.vocabulary

    def extend(self, vocabulary: ChannelVocabulary) -> None:
        """Add the channels that `vocabulary` holds after the encoder's own."""
        self.channel_tokens.extend(vocabulary)

    def forward(
        self, batch: MultimodalBatch, patch_mask: Tensor | None = None, with_patches: bool = True
    ) -> EncoderOutput:
        """Encode a batch.

        Parameters
        ----------
        batch
            Its values, observed, channel_mask and channel_ids are used, and times where the encoder knows the calendar.
        patch_mask
            (B, C, N) bool, true where the patch is hidden behind the mask token.
        with_patches
            Whether the outputs at the patches are wanted; without them the last block computes its other rows alone.

        Raises
        ------
        ValueError
            The windows are shorter than a patch, or the encoder knows the calendar and the batch has no times.
        """
        config, tokens = self.config, self.channel_tokens
        steps = batch.values.shape[-1]
        if steps < config.patch_length:
            raise ValueError(
                f"windows of {steps} steps are shorter than a patch of {config.patch_length}: "
                f"give longer windows or set encoder.patch_length to at most {steps} and train anew"
            )
        observed = batch.observed & batch.channel_mask.unsqueeze(-1)
        norm = InstanceNorm.of(
            batch.values,
            observed,
            tokens.usual_deviation(batch.channel_ids),
            config.centre,
            config.spread,
            config.transform,
        )
        patches = self._patch_tokens(batch, observed, norm, patch_mask)  # (B, C, N, d)
        seen = split_patches(observed, config.patch_length).any(-1)  # (B, C, N)
        size, channels, count, _ = patches.shape

        parts, visible = (
            [self.cls.expand(size, 1, -1), patches.flatten(1, 2)],
            [seen.new_ones(size, 1), seen.flatten(1)],
        )
        if config.channel_tokens:
            measured = seen.any(-1)
            parts.insert(0, tokens(batch.channel_ids, norm, measured))
            visible.insert(0, measured)
        x = torch.cat([part.to(patches.dtype) for part in parts], dim=1)  # (B, L, d)
        layout = self._layout(channels, count, torch.cat(visible, dim=1))
        for block in self.blocks[:-1]:
            x = block(x, layout)
        with_patches |= not config.channel_tokens
        x = self.norm(self.blocks[-1](x, layout, None if with_patches else layout.channels + 1))

        identity, cls, patches = x.tensor_split([layout.channels, layout.channels + 1], dim=1)
        patches = patches.unflatten(1, (channels, -1 if with_patches else 0))
        if not config.channel_tokens:
            weight = seen.unsqueeze(-1).to(x.dtype)
            identity = (patches * weight).sum(2) / weight.sum(2).clamp(min=1)
        return EncoderOutput(cls.squeeze(1), identity, patches, norm)

    def _patch_tokens(
        self, batch: MultimodalBatch, observed: Tensor, norm: InstanceNorm, patch_mask: Tensor | None
    ) -> Tensor:
        """The tokens of the patches (B, C, N, d): normalised values, or the mask token, with identity and calendar."""
        normalised = torch.where(observed, norm.normalise(batch.values), 0.0)
        patches = self.patch(split_patches(normalised, self.config.patch_length))
        if patch_mask is not None:
            patches = torch.where(patch_mask.unsqueeze(-1), self.mask_token.to(patches.dtype), patches)
        if self.config.patch_identity:
            patches = patches + self.channel_tokens.identities()[batch.channel_ids].unsqueeze(2)
        if self.calendar is not None:
            patches = patches + self.calendar(self._patch_calendar(batch, patches.shape[2])).unsqueeze(1)
        return patches

    def _patch_calendar(self, batch: MultimodalBatch, count: int) -> Tensor:
        """Calendar features (B, N, F) of the last step of each patch."""
        if batch.times is None:
            raise ValueError("encoder.calendar is true, but the batch has no times of the steps")
        last = batch.times.flip(1)[:, :: self.config.patch_length].flip(1)
        return calendar_features(last[:, -count:], 1).to(self.cls.dtype)

    def _layout(self, channels: int, count: int, visible: Tensor) -> Layout:
        """Places in time count back from the window's end, so that padding on the left moves nothing."""
        identities = channels if self.config.channel_tokens else 0
        places = torch.arange(1 - count, 1, device=visible.device)
        if not self.config.rotary:
            places = torch.zeros_like(places)
        places = torch.cat([places.new_zeros(identities + 1), places.repeat(channels)])
        cosine, sine = rotary_angles(places, self.config.width // self.config.heads)
        return Layout(
            channels=identities,
            biased=self.config.channel_attention == "biased",
            cosine=cosine,
            sine=sine,
            visible=None if bool(visible.all()) else visible,
        )
