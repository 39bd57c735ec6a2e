"""From a checkpoint to the model that it holds."""

from __future__ import annotations

from pathlib import Path

from trace_lit.alignment import AlignedModel
from trace_lit.encoder import SeriesEncoder
from trace_lit.modules.checkpoint import Checkpoint, load_checkpoint


def aligned_model(checkpoint: Checkpoint) -> AlignedModel:
    """The aligned model that a checkpoint of the stage align holds, in evaluation mode, on the CPU."""
    model = AlignedModel(SeriesEncoder(checkpoint.config.encoder, checkpoint.vocabulary), checkpoint.config.alignment)
    prefix = "model."
    model.load_state_dict(
        {name.removeprefix(prefix): value for name, value in checkpoint.weights.items() if name.startswith(prefix)}
    )
    return model.eval()


def load_aligned(place: str | Path) -> tuple[AlignedModel, Checkpoint]:
    """The aligned model of a run or a checkpoint file, in evaluation mode, on the CPU.

    Raises
    ------
    CheckpointError
        It is missing, damaged, or not of the stage align.
    """
    checkpoint = load_checkpoint(place, "align")
    return aligned_model(checkpoint), checkpoint
