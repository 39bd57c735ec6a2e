"""What every series encoder has in common: the way from windows to tokens, and the form of the output.

A backbone of your own subclasses `Encoder` and writes `encode`; see docs/extending/encoder.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import ConfigError
from trace_lit.encoder.calendar import calendar_features, calendar_width
from trace_lit.encoder.config import EncoderConfig
from trace_lit.encoder.patches import InstanceNorm, split_patches
from trace_lit.encoder.tokens import ChannelTokens


@dataclass
class EncoderInput:
    """The tokens of B windows of C channels and N patches; d is `encoder.width`."""

    patches: Tensor  # (B, C, N, d), in the order of time; padding stands on the left
    channels: (
        Tensor | None
    )  # (B, C, d), who a channel is, at what level and spread; None without encoder.channel_tokens
    seen: Tensor  # (B, C, N) bool, the patches that have an observed value; all others are padding or missing
    with_patches: bool  # whether the outputs at the patches are wanted
    complete: bool = False  # all patches are known to be seen, so that nothing has to be masked

    @property
    def measured(self) -> Tensor:
        """The channels (B, C) that have any value."""
        return self.seen.any(-1)


@dataclass
class EncoderOutput:
    """What the encoder says of B windows of C channels and N patches."""

    cls: Tensor  # (B, d)
    channels: Tensor  # (B, C, d), the outputs at the CITs
    patches: Tensor  # (B, C, N, d), or (B, C, 0, d) where they were not asked for
    norm: InstanceNorm  # the level and spread that were taken away


class Encoder(nn.Module, ABC):
    """Windows of any number of channels and steps to one vector a window, a channel and a patch.

    Values become patches and tokens here, and the output is checked here. A subclass makes its layers in `build` and
    writes `encode`.

    Attributes
    ----------
    config
        The section `encoder` of the configuration.
    cls
        A learned vector (d,) that may stand for the window among the tokens.
    """

    def __init__(self, config: EncoderConfig, vocabulary: ChannelVocabulary, **options: Any) -> None:
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
            learned=config.learned_tokens,
            dropout=config.dropout,
            transform=config.transform,
        )
        self.calendar = nn.Linear(calendar_width(1), width) if config.calendar else None
        self.build(**options)

    @abstractmethod
    def build(self, *args: Any, **options: Any) -> None:  # so written, it may be overridden with any keywords
        """Make the layers; `options` are `encoder.options`."""

    @abstractmethod
    def encode(self, tokens: EncoderInput) -> tuple[Tensor, Tensor | None, Tensor]:
        """From tokens to outputs: of the windows (B, d), of the channels (B, C, d), of the patches (B, C, N, d).

        Where the channels' are None, each is the mean of its patches' outputs. Those of the patches may be (B, C, 0, d)
        where they are not wanted and the channels' are given.
        """

    def unused(self) -> Iterable[nn.Parameter]:
        """The parameters that no output depends on: training on several devices must know them. None by default."""
        return ()

    def compile_layers(self) -> None:
        """Compile what is worth it, for `trainer.compile`; nothing by default."""

    def recompute_layers(self, recompute: bool | None) -> None:
        """Compute in the backward pass again what is large, for `trainer.recompute`; nothing by default."""

    @property
    def vocabulary(self) -> ChannelVocabulary:
        return self.channel_tokens.vocabulary

    def extend(self, vocabulary: ChannelVocabulary) -> None:
        """Make room for the channels that `vocabulary` holds behind the encoder's own."""
        self.channel_tokens.extend(vocabulary)

    def scale_of(self, batch: MultimodalBatch) -> InstanceNorm:
        """The level and spread of each channel of each window, which are taken away before it is encoded."""
        config = self.config
        return InstanceNorm.of(
            batch.values,
            batch.observed & batch.channel_mask.unsqueeze(-1),
            self.channel_tokens.usual_deviation(batch.channel_ids),
            config.centre,
            config.spread,
            config.transform,
            batch.offset,
        )

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
            Whether the outputs at the patches are wanted; without them an encoder may spare itself the work.

        Raises
        ------
        ValueError
            The windows are shorter than a patch, or the encoder knows the calendar and the batch has no times.
        ConfigError
            The output of a backbone has another shape than it should.
        """
        config, tokens = self.config, self.channel_tokens
        steps = batch.values.shape[-1]
        if steps < config.patch_length:
            raise ValueError(
                f"windows of {steps} steps are shorter than a patch of {config.patch_length}: "
                f"give longer windows or set encoder.patch_length to at most {steps} and train anew"
            )
        observed = batch.observed & batch.channel_mask.unsqueeze(-1)
        norm = self.scale_of(batch)
        normalised = torch.where(observed, norm.normalise(batch.values), 0.0)
        patches = self.patch(split_patches(normalised, config.patch_length))  # (B, C, N, d)
        if patch_mask is not None:
            patches = torch.where(patch_mask.unsqueeze(-1), self.mask_token.to(patches.dtype), patches)
        if config.patch_identity:
            patches = patches + tokens.identities()[batch.channel_ids].unsqueeze(2)
        if self.calendar is not None:
            patches = patches + self.calendar(self._patch_calendar(batch, patches.shape[2])).unsqueeze(1)
        seen = split_patches(observed, config.patch_length).any(-1)  # (B, C, N)
        identities = tokens(batch.channel_ids, norm, seen.any(-1)) if config.channel_tokens else None

        given = EncoderInput(patches, identities, seen, with_patches or identities is None, self._complete(batch, seen))
        cls, channels, patches = self.encode(given)
        self._check(given, cls, channels, patches)
        if channels is None:
            weight = seen.unsqueeze(-1).to(patches.dtype)
            channels = (patches * weight).sum(2) / weight.sum(2).clamp(min=1)
        return EncoderOutput(cls, channels, patches, norm)

    def _complete(self, batch: MultimodalBatch, seen: Tensor) -> bool:
        """Whether all patches (B, C, N) are `seen`, as the host knows it."""
        if seen.device.type != "cpu":
            host = batch.on_host
            observed = host.observed & host.channel_mask.unsqueeze(-1)
            seen = split_patches(observed, self.config.patch_length).any(-1)
        return bool(seen.all())

    def _check(self, given: EncoderInput, cls: Tensor, channels: Tensor | None, patches: Tensor) -> None:
        size, count, number, width = given.patches.shape
        spared = channels is not None and not given.with_patches and patches.shape[2] == 0
        for name, output, shape in (
            ("the windows", cls, (size, width)),
            ("the channels", channels, (size, count, width)),
            ("the patches", patches, (size, count, 0 if spared else number, width)),
        ):
            if output is not None and output.shape != shape:
                raise ConfigError(
                    f"{type(self).__name__}.encode gives {tuple(output.shape)} for {name}; it must be {shape}"
                )

    def _patch_calendar(self, batch: MultimodalBatch, count: int) -> Tensor:
        """Where in year, week and day the patches' last steps stand (B, N, F)."""
        if batch.times is None:
            raise ValueError("encoder.calendar is true, but the windows do not say when their steps are")
        last = batch.times.flip(1)[:, :: self.config.patch_length].flip(1)
        return calendar_features(last[:, -count:], 1).to(self.cls.dtype)
