"""From a checkpoint to the model that it holds."""

from __future__ import annotations

from pathlib import Path

from trace_lit.alignment import AlignedModel
from trace_lit.encoder import build_encoder
from trace_lit.modules.checkpoint import Checkpoint, fitting, load_checkpoint


def aligned_model(checkpoint: Checkpoint) -> AlignedModel:
    """The aligned model that a checkpoint of the stage align holds, in evaluation mode, on the CPU."""
    prefix = "model."
    own = {name.removeprefix(prefix): value for name, value in checkpoint.weights.items() if name.startswith(prefix)}
    with fitting(checkpoint.path, checkpoint.weights):
        model = AlignedModel(
            build_encoder(checkpoint.config.encoder, checkpoint.vocabulary), checkpoint.config.alignment
        )
        model.load_state_dict(own)
    return model.eval()


def load_aligned(place: str | Path, trust: bool = False) -> tuple[AlignedModel, Checkpoint]:
    """The aligned model of a run or a checkpoint file, in evaluation mode, on the CPU.

    Classes that the run names are imported only with `trust`.

    Raises
    ------
    ConfigError
        The run needs a class that is not to be trusted, or that is not there.
    CheckpointError
        It is missing, damaged, or not of the stage align.
    """
    checkpoint = load_checkpoint(place, "align", trust)
    return aligned_model(checkpoint), checkpoint
