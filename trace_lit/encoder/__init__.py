"""The series encoder that every stage shares, and its heads."""

from trace_lit.encoder.heads import ReconstructionHead, masked_reconstruction_loss
from trace_lit.encoder.masking import draw_patch_mask
from trace_lit.encoder.model import EncoderOutput, SeriesEncoder
from trace_lit.encoder.patches import InstanceNorm, split_patches

__all__ = [
    "EncoderOutput",
    "InstanceNorm",
    "ReconstructionHead",
    "SeriesEncoder",
    "draw_patch_mask",
    "masked_reconstruction_loss",
    "split_patches",
]
