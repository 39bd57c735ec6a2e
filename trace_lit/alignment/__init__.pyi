from .cache import NegativeCache
from .losses import (
    AlignmentLoss,
    ContrastiveLoss,
    Level,
    build_loss,
    contrastive_loss,
    info_nce,
    multi_positive_info_nce,
    statement_loss,
    turned_loss,
    voice_loss,
)
from .memory import WindowMemory
from .miners import Miner, build_miner
from .mining import Instances, MinedNegatives, NegativeRules, admissible, hardest, mine_negatives, negatives_at
from .model import AlignedModel, AlignedOutput
from .reading import Reading
from .search_space import SearchSpace
from .text_tower import TextTower

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
    "Reading",
    "SearchSpace",
    "TextTower",
    "WindowMemory",
    "admissible",
    "build_loss",
    "build_miner",
    "contrastive_loss",
    "hardest",
    "info_nce",
    "mine_negatives",
    "multi_positive_info_nce",
    "negatives_at",
    "statement_loss",
    "turned_loss",
    "voice_loss",
]
