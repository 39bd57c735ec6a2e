from .cache import NegativeCache
from .losses import ContrastiveLoss, Level, contrastive_loss, info_nce
from .mining import Instances, MinedNegatives, NegativeRules, admissible, hardest, mine_negatives, negatives_at
from .model import AlignedModel, AlignedOutput, SearchSpace, TextTower

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
