"""The series encoder, TRACE §3.2, with the decisions of this project (see `EncoderConfig`)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from trace_lit.channels import ChannelVocabulary
from trace_lit.config import build_object
from trace_lit.encoder.attention import Block, Layout
from trace_lit.encoder.base import Encoder, EncoderInput
from trace_lit.encoder.config import EncoderConfig
from trace_lit.encoder.rotary import rotary_angles

MOST_KEPT = 2 * 10**9  # bytes that the blocks keep for the backward pass, before a CPU computes them again


class SeriesEncoder(Encoder):
    """The paper's transformer: one sequence of [CIT]s, [CLS] and patches, under channel-biased attention."""

    def build(self) -> None:
        config = self.config
        self.blocks = nn.ModuleList(
            Block(config.width, config.heads, config.ffn_ratio, config.dropout) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.width)
        self.recompute: bool | None = None  # see `recompute_layers`

    def compile_layers(self) -> None:
        for block in self.blocks:
            block.compile()

    def recompute_layers(self, recompute: bool | None) -> None:
        self.recompute = recompute

    def encode(self, tokens: EncoderInput) -> tuple[Tensor, Tensor | None, Tensor]:
        """Without the patches' outputs, the last block computes its other rows alone."""
        patches, seen = tokens.patches, tokens.seen
        size, channels, count, _ = patches.shape
        parts = [self.cls.expand(size, 1, -1), patches.flatten(1, 2)]
        visible = [seen.new_ones(size, 1), seen.flatten(1)]
        if tokens.channels is not None:
            parts.insert(0, tokens.channels)
            visible.insert(0, tokens.measured)
        x = torch.cat([part.to(patches.dtype) for part in parts], dim=1)  # (B, L, d)
        identities = 0 if tokens.channels is None else channels
        layout = self._layout(identities, channels, count, None if tokens.complete else torch.cat(visible, dim=1))
        rows = None if tokens.with_patches else identities + 1
        recomputes = torch.is_grad_enabled() and self._recomputes(x)
        for block in self.blocks:
            wanted = rows if block is self.blocks[-1] else None
            # The same dropout is drawn again, so that outputs and gradients stay the same to the last bit.
            x = checkpoint(block, x, layout, wanted, use_reentrant=False) if recomputes else block(x, layout, wanted)
        x = self.norm(x)
        identity, cls, patches = x.tensor_split([identities, identities + 1], dim=1)
        patches = patches.unflatten(1, (channels, -1 if tokens.with_patches else 0))
        return cls.squeeze(1), identity if identities else None, patches

    def _recomputes(self, x: Tensor) -> bool:
        """Whether the blocks, whose inputs are like `x`, keep these alone for the backward pass."""
        if self.recompute is not None:
            return self.recompute
        inner = 11 + 2 * self.config.ffn_ratio  # tensors like `x` that a block keeps, those of the FFN by their width
        kept = len(self.blocks) * inner * x.nbytes
        return x.device.type == "cpu" and kept > MOST_KEPT

    def _layout(self, identities: int, channels: int, count: int, visible: Tensor | None) -> Layout:
        """Places in time count back from the window's end, so that padding on the left moves nothing."""
        places = torch.arange(1 - count, 1, device=self.cls.device)
        if not self.config.rotary:
            places = torch.zeros_like(places)
        places = torch.cat([places.new_zeros(identities + 1), places.repeat(channels)])
        cosine, sine = rotary_angles(places, self.config.width // self.config.heads)
        return Layout(
            channels=identities,
            biased=self.config.channel_attention == "biased",
            cosine=cosine,
            sine=sine,
            visible=visible,
        )


def build_encoder(config: EncoderConfig, vocabulary: ChannelVocabulary) -> Encoder:
    """The encoder that `encoder.name` asks for, with weights drawn at random.

    Raises
    ------
    ConfigError
        `encoder.name` names no `Encoder`, or one that refuses `encoder.options`.
    """
    path = "trace_lit.encoder.model:SeriesEncoder" if config.name == "trace" else config.name
    return build_object(path, Encoder, "encoder.name", config, vocabulary, options=config.options)
