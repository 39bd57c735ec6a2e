"""Retrieval: embedded pools, their metrics, an index, and a retriever that answers questions."""

from trace_lit.retrieval.index import VectorIndex
from trace_lit.retrieval.metrics import Metrics, evaluate_retrieval, with_split
from trace_lit.retrieval.pool import Embedder, Pool, RetrievalError, embed_pool, evaluation_mode
from trace_lit.retrieval.report import print_report
from trace_lit.retrieval.retriever import Hit, Retriever

__all__ = [
    "Embedder",
    "Hit",
    "Metrics",
    "Pool",
    "RetrievalError",
    "Retriever",
    "VectorIndex",
    "embed_pool",
    "evaluate_retrieval",
    "evaluation_mode",
    "print_report",
    "with_split",
]
