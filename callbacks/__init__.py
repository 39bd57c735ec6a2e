"""Lightning callbacks: progress, throughput, retrieval evaluation and the pictures for TensorBoard."""

from callbacks.progress import ProgressLines
from callbacks.retrieval_evaluation import RetrievalEvaluation
from callbacks.tensorboard_pages import TensorBoardPages
from callbacks.throughput import Throughput

__all__ = ["ProgressLines", "RetrievalEvaluation", "TensorBoardPages", "Throughput"]
