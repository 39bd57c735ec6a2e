from .cache import NegativeCache
from .losses import ContrastiveLoss, Level, contrastive_loss, info_nce, multi_positive_info_nce, statement_loss
from .mining import Instances, MinedNegatives, NegativeRules, admissible, hardest, mine_negatives, negatives_at
from .model import AlignedModel, AlignedOutput, Explanation, SearchSpace, TextTower
from .reading import Reading

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
