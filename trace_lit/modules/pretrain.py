"""Stage 1: masked reconstruction, TRACE §3.2."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from trace_lit.batch import MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.encoder import (
    Encoder,
    ReconstructionHead,
    build_encoder,
    draw_patch_mask,
    masked_reconstruction_loss,
    split_patches,
)
from trace_lit.modules.stage import StageModule
from trace_lit.settings import Config


def reconstruction_loss(
    encoder: Encoder,
    head: ReconstructionHead,
    batch: MultimodalBatch,
    ratio: float,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Hide the share `ratio` of the observed patches and measure how well they are reconstructed from the rest.

    Level and spread of a channel are those of the whole window, hidden patches included, as in the paper: they set the
    scale of the hidden values.
    """
    observed = batch.observed & batch.channel_mask.unsqueeze(-1)
    hidden = draw_patch_mask(split_patches(observed, encoder.config.patch_length).any(-1), ratio, generator)
    output = encoder(batch, hidden)
    return masked_reconstruction_loss(head(output), batch, output, hidden)


class PretrainModule(StageModule):
    """The series encoder under masked reconstruction."""

    stage = "pretrain"

    def __init__(self, config: Config, vocabulary: ChannelVocabulary, data_fingerprint: str = "") -> None:
        super().__init__(config, data_fingerprint)
        self.encoder = build_encoder(config.encoder, vocabulary)
        self.head = ReconstructionHead(config.encoder.width, config.encoder.patch_length)

    def idle(self) -> Iterable[Tensor]:
        yield from super().idle()
        if not self.config.encoder.channel_tokens and not self.config.encoder.patch_identity:
            yield from self.encoder.channel_tokens.parameters()

    def training_step(self, batch: MultimodalBatch, batch_idx: int) -> Tensor:
        loss = reconstruction_loss(self.encoder, self.head, batch, self.config.pretrain.mask_ratio)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch))
        return loss

    def validation_step(self, batch: MultimodalBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        # The same patches every time, so that epochs and runs compare.
        generator = torch.Generator(self.device).manual_seed(batch_idx)
        loss = reconstruction_loss(self.encoder, self.head, batch, self.config.pretrain.mask_ratio, generator)
        self.validation_loss.update(loss, weight=len(batch))
