"""Reading checkpoints of this project: what they are, and clear words where they are something else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from omegaconf.errors import OmegaConfBaseException
from torch import Tensor

from trace_lit.channels import ChannelVocabulary
from trace_lit.config import mark_foreign
from trace_lit.modules.adapters import merge_adapters
from trace_lit.modules.finding import CheckpointError, checkpoint_path
from trace_lit.modules.stage import CHECKPOINT_KEY
from trace_lit.settings import Config, from_dict


@dataclass(frozen=True)
class Checkpoint:
    """A trained stage: its configuration, its channels and its weights."""

    path: Path
    stage: str
    config: Config
    vocabulary: ChannelVocabulary
    data_fingerprint: str
    world_size: int  # how many processes trained it
    epoch: int  # the epoch it was written in, from 0
    epochs: int  # that had been trained to their end
    step: int  # steps of the optimiser that were made
    weights: dict[str, Tensor]
    label_names: tuple[str, ...] = ()  # that a tuned model tells
    retrieval: dict[str, str] = field(default_factory=dict)  # fingerprints of what its neighbours are found by

    def encoder_weights(self) -> dict[str, Tensor]:
        """The series encoder's part of the weights, whatever the stage; adapters are merged into it."""
        return merge_adapters(self._below("encoder." if self.stage == "pretrain" else "model.encoder."))

    def alignment_weights(self) -> dict[str, Tensor]:
        """Those of an aligned model beside its encoder's: of stage align, or kept while tuning; none elsewhere."""
        if self.stage == "pretrain":
            return {}
        own = self._below("model." if self.stage == "align" else "aligned.")
        return {name: value for name, value in own.items() if not name.startswith("encoder.")}

    def _below(self, prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in self.weights.items() if name.startswith(prefix)}


def load_checkpoint(place: str | Path, stage: str | None = None, trust: bool = False) -> Checkpoint:
    """Read the checkpoint of a run folder or a checkpoint file, on the CPU.

    Classes that its configuration names are imported only with `trust`, and only where they are needed.

    Raises
    ------
    CheckpointError
        It is missing, damaged, not of this project, or not of `stage`.
    """
    path = checkpoint_path(place)
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is no checkpoint fails in torch in as many ways as there are files
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} cannot be read, it is damaged or no checkpoint: {reason}") from error
    if not isinstance(content, dict) or CHECKPOINT_KEY not in content:
        raise CheckpointError(f"{path} is not a checkpoint of trace_lit")
    own = content[CHECKPOINT_KEY]
    if stage is not None and own["stage"] != stage:
        raise CheckpointError(f"{path} is of stage {own['stage']!r}; one of stage {stage!r} is needed here")
    try:
        config = from_dict(own["config"])
    except OmegaConfBaseException as error:
        raise CheckpointError(f"{path} was written by another version of trace_lit: {error}") from error
    if not trust:
        mark_foreign(config, str(path))
    return Checkpoint(
        path=path,
        stage=own["stage"],
        config=config,
        vocabulary=ChannelVocabulary.from_state(own["vocabulary"]),
        data_fingerprint=own["data_fingerprint"],
        world_size=own.get("world_size", 1),
        epoch=content["epoch"],
        epochs=content["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"],
        step=content["global_step"],
        weights=content["state_dict"],
        label_names=tuple(own.get("label_names", ())),
        retrieval=own.get("retrieval", {}),
    )
