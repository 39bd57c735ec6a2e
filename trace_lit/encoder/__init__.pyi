from .base import Encoder, EncoderInput, EncoderOutput
from .calendar import calendar_features
from .combined import Combination
from .combining import Windows, solve_combination
from .forecast import Forecast
from .heads import (
    ClassificationModel,
    ForecastHead,
    ForecastModel,
    HeadedForecaster,
    ReconstructionHead,
    masked_reconstruction_loss,
)
from .label_combination import LabelCombination
from .masking import draw_patch_mask
from .model import SeriesEncoder, build_encoder
from .patches import InstanceNorm, split_patches
from .ridge import blocked_predictions, logistic, mean_of_blocks, ridge, time_blocks

__all__ = [
    "ClassificationModel",
    "Combination",
    "Encoder",
    "EncoderInput",
    "EncoderOutput",
    "Forecast",
    "ForecastHead",
    "ForecastModel",
    "HeadedForecaster",
    "InstanceNorm",
    "LabelCombination",
    "ReconstructionHead",
    "SeriesEncoder",
    "Windows",
    "blocked_predictions",
    "build_encoder",
    "calendar_features",
    "draw_patch_mask",
    "logistic",
    "masked_reconstruction_loss",
    "mean_of_blocks",
    "ridge",
    "solve_combination",
    "split_patches",
    "time_blocks",
]
