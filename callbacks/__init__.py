"""Lightning callbacks: progress, checkpoints and signals, randomness, mining, retrieval evaluation and its pictures."""

from callbacks.checkpoints import BestCheckpoint, LastCheckpoint
from callbacks.hard_negatives import HardNegativeMining
from callbacks.progress import ProgressLines
from callbacks.randomness import StepRandomness
from callbacks.retrieval_evaluation import RetrievalEvaluation
from callbacks.stopping import Stopped, StopSignals
from callbacks.tensorboard_pages import TensorBoardPages
from callbacks.throughput import Throughput

__all__ = [
    "BestCheckpoint",
    "HardNegativeMining",
    "LastCheckpoint",
    "ProgressLines",
    "RetrievalEvaluation",
    "StepRandomness",
    "StopSignals",
    "Stopped",
    "TensorBoardPages",
    "Throughput",
]
