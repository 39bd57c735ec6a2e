"""The series encoder that every stage shares, and its heads."""

from trace_lit.encoder.calendar import calendar_features
from trace_lit.encoder.heads import (
    ClassificationModel,
    Forecast,
    ForecastHead,
    ForecastModel,
    HeadedForecaster,
    ReconstructionHead,
    masked_reconstruction_loss,
)
from trace_lit.encoder.masking import draw_patch_mask
from trace_lit.encoder.model import EncoderOutput, SeriesEncoder
from trace_lit.encoder.patches import InstanceNorm, split_patches
from trace_lit.encoder.ridge import blocked_predictions, logistic, mean_of_blocks, ridge, time_blocks

__all__ = [
    "ClassificationModel",
    "EncoderOutput",
    "Forecast",
    "ForecastHead",
    "ForecastModel",
    "HeadedForecaster",
    "InstanceNorm",
    "ReconstructionHead",
    "SeriesEncoder",
    "blocked_predictions",
    "calendar_features",
    "draw_patch_mask",
    "logistic",
    "masked_reconstruction_loss",
    "mean_of_blocks",
    "ridge",
    "split_patches",
    "time_blocks",
]
