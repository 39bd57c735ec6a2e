"""Alignment of series and text: the model, the losses, the choice of negatives."""

from trace_lit.alignment.losses import ContrastiveLoss, Level, contrastive_loss, info_nce
from trace_lit.alignment.mining import admissible, hardest, negatives_at
from trace_lit.alignment.model import AlignedModel, AlignedOutput, SearchSpace, TextTower

__all__ = [
    "AlignedModel",
    "AlignedOutput",
    "ContrastiveLoss",
    "Level",
    "SearchSpace",
    "TextTower",
    "admissible",
    "contrastive_loss",
    "hardest",
    "info_nce",
    "negatives_at",
]
