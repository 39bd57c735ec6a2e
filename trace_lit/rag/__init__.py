"""Forecasts and classification augmented by retrieval, TRACE §3.4: memory, admissible search, soft prompts, models."""

from trace_lit.rag.memory import Memory, Neighbour, Neighbours
from trace_lit.rag.models import (
    RetrievalClassificationModel,
    RetrievalForecastModel,
    RetrievedLabels,
    RetrievedMean,
)
from trace_lit.rag.prompt import NeighbourInput, SoftPrompt
from trace_lit.rag.retriever import FrozenRetriever
from trace_lit.rag.store import Retrieval, RetrievalLookup

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
    "SoftPrompt",
]
