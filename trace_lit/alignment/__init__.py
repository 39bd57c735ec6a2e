"""Alignment of series and text: the model, the losses, the choice of negatives."""

from trace_lit.alignment.cache import NegativeCache
from trace_lit.alignment.losses import ContrastiveLoss, Level, contrastive_loss, info_nce
from trace_lit.alignment.mining import (
    Instances,
    MinedNegatives,
    NegativeRules,
    admissible,
    hardest,
    mine_negatives,
    negatives_at,
)
from trace_lit.alignment.model import AlignedModel, AlignedOutput, SearchSpace, TextTower

__all__ = [
    "AlignedModel",
    "AlignedOutput",
    "ContrastiveLoss",
    "Instances",
    "Level",
    "MinedNegatives",
    "NegativeCache",
    "NegativeRules",
    "SearchSpace",
    "TextTower",
    "admissible",
    "contrastive_loss",
    "hardest",
    "info_nce",
    "mine_negatives",
    "negatives_at",
]
