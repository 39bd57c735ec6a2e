from .averaging import MovingAverageOfWeights
from .checkpoints import BestCheckpoint, LastCheckpoint
from .early_stopping import EarlyStop
from .hard_negatives import HardNegativeMining
from .progress import ProgressBar, ProgressLines
from .randomness import StepRandomness
from .retrieval_evaluation import RetrievalEvaluation
from .stopping import Stopped, StopSignals
from .tensorboard_pages import TensorBoardPages
from .throughput import Throughput

__all__ = [
    "BestCheckpoint",
    "EarlyStop",
    "HardNegativeMining",
    "LastCheckpoint",
    "MovingAverageOfWeights",
    "ProgressBar",
    "ProgressLines",
    "RetrievalEvaluation",
    "StepRandomness",
    "StopSignals",
    "Stopped",
    "TensorBoardPages",
    "Throughput",
]
