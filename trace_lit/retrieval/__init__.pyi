from .errors import RetrievalError
from .explanation import Contribution, Explanation, QueryParts
from .filters import Filter, Span
from .index import VectorIndex
from .metrics import Metrics, evaluate_retrieval, with_split
from .pool import Embedder, Pool, embed_pool, evaluation_mode
from .report import print_report
from .retriever import Hit, Retriever

__all__ = [
    "Contribution",
    "Embedder",
    "Explanation",
    "Filter",
    "Hit",
    "Metrics",
    "Pool",
    "QueryParts",
    "RetrievalError",
    "Retriever",
    "Span",
    "VectorIndex",
    "embed_pool",
    "evaluate_retrieval",
    "evaluation_mode",
    "print_report",
    "with_split",
]
