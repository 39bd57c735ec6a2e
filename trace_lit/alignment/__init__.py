"""Alignment of series and text: the model, the losses, the choice of negatives."""

from trace_lit.alignment.cache import NegativeCache
from trace_lit.alignment.losses import (
    ContrastiveLoss,
    Level,
    contrastive_loss,
    info_nce,
    multi_positive_info_nce,
    statement_loss,
)
from trace_lit.alignment.mining import (
    Instances,
    MinedNegatives,
    NegativeRules,
    admissible,
    hardest,
    mine_negatives,
    negatives_at,
)
from trace_lit.alignment.model import AlignedModel, AlignedOutput, Explanation, SearchSpace, TextTower
from trace_lit.alignment.reading import Reading

__all__ = [
    "AlignedModel",
    "AlignedOutput",
    "ContrastiveLoss",
    "Explanation",
    "Instances",
    "Level",
    "MinedNegatives",
    "NegativeCache",
    "NegativeRules",
    "Reading",
    "SearchSpace",
    "TextTower",
    "admissible",
    "contrastive_loss",
    "hardest",
    "info_nce",
    "mine_negatives",
    "multi_positive_info_nce",
    "negatives_at",
    "statement_loss",
]
