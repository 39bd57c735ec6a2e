from .memory import Memory, Neighbour, Neighbours
from .models import RetrievalClassificationModel, RetrievalForecastModel, RetrievedLabels, RetrievedMean
from .prompt import NeighbourInput, SoftPrompt
from .retriever import FrozenRetriever, WindowRetriever
from .shape import ShapeRetriever
from .store import Retrieval, RetrievalLookup

__all__ = [
    "FrozenRetriever",
    "Memory",
    "Neighbour",
    "NeighbourInput",
    "Neighbours",
    "Retrieval",
    "RetrievalClassificationModel",
    "RetrievalForecastModel",
    "RetrievalLookup",
    "RetrievedLabels",
    "RetrievedMean",
    "ShapeRetriever",
    "SoftPrompt",
    "WindowRetriever",
]
