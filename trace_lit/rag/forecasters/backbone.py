"""A linear head on a frozen forecaster: `tune.model` other than TRACE itself, TRACE §3.4 and §4.3."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import ConfigError
from trace_lit.encoder.heads import Forecast, ForecastHead, HeadedForecaster
from trace_lit.encoder.patches import InstanceNorm, on_scale
from trace_lit.encoder.scale import ChannelScale
from trace_lit.rag.forecasters.frozen import FrozenForecaster, ZeroShotForecaster
from trace_lit.rag.prompt import NeighbourInput

_SCALES = 2  # numbers that give a window's own scale


class BackboneForecast(HeadedForecaster):
    """A frozen forecaster on each channel by itself, and a linear head from its hidden states to the horizon.

    The forecaster removes a window's level and spread. So the head has two more inputs: the deviation of the window and the
    distance of its mean from its last value, both in deviations of the channel. Its outputs are changes from the last
    value, in the same unit. (Hidden states times the window's spread, as if its forecasts were scaled back, had larger
    errors over blocks of training and validation weeks of Health_US and Energy.)

    Parameters
    ----------
    harmonics
        Of the calendar at the origin, an input of the head.
    transform
        Of the values, before all else ("none", "sqrt", "log").
    neighbours
        Makes the prompt of the forecaster, the same for all channels of a window, and further numbers for the head.
    """

    def __init__(
        self,
        forecaster: FrozenForecaster,
        vocabulary: ChannelVocabulary,
        lookback: int,
        horizon: int,
        outputs: int = 1,
        harmonics: int = 0,
        transform: str = "none",
        neighbours: NeighbourInput | None = None,
        channels: int = 0,
    ) -> None:
        super().__init__()
        self.forecaster = forecaster
        self.neighbours = neighbours
        self.transform = transform
        tokens, further = (0, 0) if neighbours is None else (neighbours.tokens, neighbours.width)
        tokens = forecaster.tokens(lookback, tokens > 0)
        self.head = ForecastHead(forecaster.width, tokens, horizon, outputs, harmonics, _SCALES + further, channels)
        self.scale = ChannelScale(vocabulary, transform)

    def level(self, batch: MultimodalBatch) -> InstanceNorm:
        return self.scale.level(batch)

    def features(self, batch: MultimodalBatch) -> Tensor:
        shape = batch.observed.shape
        values, observed = single_series(batch, self.transform)
        neighbours = self.neighbours
        prompt = None if neighbours is None else neighbours.token(batch)
        if prompt is not None:
            prompt = prompt.repeat_interleave(shape[1], dim=0)
        hidden = self.forecaster(values, observed, prompt).float().unflatten(0, shape[:2])  # (B, C, N, width)
        norm = self.level(batch)
        mean, deviation = (x.unflatten(0, shape[:2]) for x in self.forecaster.level(values, observed))  # (B, C, 1)
        width = deviation / norm.deviation
        offset = torch.where(observed.any(-1).view(*shape[:2], 1), (mean - norm.mean) / norm.deviation, 0.0)
        more = [] if neighbours is None else [neighbours.for_channels(batch, norm)]
        return self.head.features(hidden, batch.span[:, 1], torch.cat([width, offset, *more], dim=-1))


class ZeroShotForecast(nn.Module):
    """A forecaster's own forecasts of each channel by itself, at the `quantiles` or the median; nothing is trained.

    Raises
    ------
    ConfigError
        The forecaster was not trained to forecast.
    """

    def __init__(
        self,
        forecaster: FrozenForecaster,
        vocabulary: ChannelVocabulary,
        horizon: int,
        quantiles: Sequence[float] = (),
        transform: str = "none",
    ) -> None:
        super().__init__()
        if not isinstance(forecaster, ZeroShotForecaster):
            raise ConfigError(
                f"head.solver is none, but {type(forecaster).__name__} was not trained to forecast and needs a head; take "
                "another solver or another tune.model"
            )
        self.forecaster, self.transform = forecaster, transform
        self.horizon, self.quantiles = horizon, list(quantiles) or [0.5]
        self.scale = ChannelScale(vocabulary, transform)

    def forward(self, batch: MultimodalBatch) -> Forecast:
        norm = self.scale.level(batch)
        found = self.forecaster.native(*single_series(batch, self.transform), self.horizon, self.quantiles)  # (n, H, Q)
        found = found.unflatten(0, batch.observed.shape[:2])
        return Forecast((found - norm.mean.unsqueeze(-1)) / norm.deviation.unsqueeze(-1), norm)


def single_series(batch: MultimodalBatch, transform: str) -> tuple[Tensor, Tensor]:
    """All channels of all windows as (B · C, T) transformed values less the offset, and where they are observed."""
    observed = batch.observed & batch.channel_mask.unsqueeze(-1)
    offset = None if batch.offset is None else batch.offset.unsqueeze(-1)
    return on_scale(batch.values, transform, offset).flatten(0, 1), observed.flatten(0, 1)
