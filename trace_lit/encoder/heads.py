"""Heads on the encoder's outputs and their losses."""

from __future__ import annotations

import torch.distributed as dist
from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch
from trace_lit.distributed import world_size
from trace_lit.encoder.model import EncoderOutput
from trace_lit.encoder.patches import split_patches


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
