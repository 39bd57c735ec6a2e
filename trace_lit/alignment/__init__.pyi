from .cache import NegativeCache
from .losses import AlignmentLoss, ContrastiveLoss, Level, build_loss, contrastive_loss, info_nce
from .miners import Miner, build_miner
from .mining import Instances, MinedNegatives, NegativeRules, admissible, hardest, mine_negatives, negatives_at
from .model import AlignedModel, AlignedOutput, SearchSpace, TextTower

__all__ = [
    "AlignedModel",
    "AlignedOutput",
    "AlignmentLoss",
    "ContrastiveLoss",
    "Instances",
    "Level",
    "MinedNegatives",
    "Miner",
    "NegativeCache",
    "NegativeRules",
    "SearchSpace",
    "TextTower",
    "admissible",
    "build_loss",
    "build_miner",
    "contrastive_loss",
    "hardest",
    "info_nce",
    "mine_negatives",
    "negatives_at",
]
