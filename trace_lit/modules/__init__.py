"""The LightningModules: one a stage, around the common encoder."""

from trace_lit.modules.align import AlignModule
from trace_lit.modules.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from trace_lit.modules.checkpoint_io import AtomicCheckpointIO
from trace_lit.modules.pretrain import PretrainModule
from trace_lit.modules.stage import StageModule, TrainingError
from trace_lit.modules.tune import TuneModule

__all__ = [
    "AlignModule",
    "AtomicCheckpointIO",
    "Checkpoint",
    "CheckpointError",
    "PretrainModule",
    "StageModule",
    "TrainingError",
    "TuneModule",
    "load_checkpoint",
]
