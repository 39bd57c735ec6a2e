from .align import AlignModule
from .checkpoint import Checkpoint, CheckpointError, load_checkpoint
from .checkpoint_io import AtomicCheckpointIO
from .pretrain import PretrainModule
from .stage import StageModule, TrainingError
from .tune import TuneModule

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
