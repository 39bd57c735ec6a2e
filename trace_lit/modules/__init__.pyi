from .align import AlignModule
from .checkpoint import Checkpoint, load_checkpoint
from .checkpoint_io import AtomicCheckpointIO
from .finding import CheckpointError, checkpoint_path
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
    "checkpoint_path",
    "load_checkpoint",
]
