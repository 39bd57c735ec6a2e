"""Baselines of the encoder, forecasters and classifiers, on the same batches.

One of your own subclasses `Forecaster`, `Baseline` or `Classifier`; see docs/extending/tune-model.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import ConfigError
from trace_lit.encoder.heads import Forecast
from trace_lit.encoder.patches import InstanceNorm
from trace_lit.encoder.scale import ChannelScale
from trace_lit.gaps import interpolated

_AVERAGED = 25  # steps of DLinear's moving average


class _OfChannels(nn.Module, ABC):
    """A model of windows of known channels, each with its usual mean and deviation (V,) in the training corpus."""

    def __init__(self, vocabulary: ChannelVocabulary) -> None:
        super().__init__()
        self.scale = ChannelScale(vocabulary)

    def build(self, *args: Any, **options: Any) -> None:  # so written, it may be overridden with any keywords
        """Make what is learned; `options` are `tune.options`. Nothing by default."""
        if options:
            raise TypeError(f"build() got an unexpected keyword argument {next(iter(options))!r}")


class Classifier(_OfChannels):
    """A classifier of windows of `lookback` steps into `labels` labels. A subclass makes its layers in `build`."""

    def __init__(self, vocabulary: ChannelVocabulary, lookback: int, labels: int, **options: Any) -> None:
        super().__init__(vocabulary)
        self.lookback, self.labels = lookback, labels
        self.build(**options)

    def standardised(self, batch: MultimodalBatch) -> Tensor:
        """Values (B, C, T) in deviations from the channel's mean; gaps are bridged, 0 where nothing is known."""
        ids, scale = batch.channel_ids, self.scale
        spread = scale.deviation[ids].unsqueeze(-1)
        mean = scale.mean[ids] if batch.offset is None else scale.usual_mean(ids, self.scale.level(batch))
        standard = (batch.values - mean.unsqueeze(-1)) / spread.where(spread > 0, 1.0)
        return interpolated(standard, batch.observed & batch.channel_mask.unsqueeze(-1))

    @abstractmethod
    def forward(self, batch: MultimodalBatch) -> Tensor:
        """Scores (B, K) of the K labels, before a softmax."""


class Forecaster(_OfChannels):
    """A forecaster of `horizon` steps from windows of `lookback` steps. A subclass makes its layers in `build`.

    Attributes
    ----------
    outputs
        Q, the quantiles of a forecast, or 1 for a point forecast.
    season
        Steps of a season, as `window.season` says.
    """

    def __init__(
        self,
        vocabulary: ChannelVocabulary,
        lookback: int,
        horizon: int,
        outputs: int = 1,
        season: int = 1,
        **options: Any,
    ) -> None:
        super().__init__(vocabulary)
        self.lookback, self.horizon, self.outputs, self.season = lookback, horizon, outputs, season
        self.build(**options)

    @abstractmethod
    def forward(self, batch: MultimodalBatch) -> Forecast:
        """`Forecast(change, self.level(batch))`: changes (B, C, H, Q) from the level, in its deviations."""

    def level(self, batch: MultimodalBatch) -> InstanceNorm:
        """The last observed values, and the channels' deviations; a channel without any value stands at its mean."""
        return self.scale.level(batch)


class Baseline(Forecaster):
    """A forecaster of one channel at a time; gaps are bridged by straight lines. Subclasses give `changes`."""

    def forward(self, batch: MultimodalBatch) -> Forecast:
        norm = self.level(batch)
        level = (norm.mean - self.scale.usual_mean(batch.channel_ids, norm).unsqueeze(-1)) / norm.deviation  # (B, C, 1)
        past = interpolated(norm.normalise(batch.values), batch.observed)
        changes, shape = self.changes(past, level), (*past.shape[:2], self.horizon * self.outputs)
        if changes.shape != shape:
            raise ConfigError(
                f"{type(self).__name__}.changes gives {tuple(changes.shape)}; it must give (B, C, H · Q), here {shape}"
            )
        return Forecast(changes.unflatten(-1, (self.horizon, self.outputs)), norm)

    @abstractmethod
    def changes(self, past: Tensor, level: Tensor) -> Tensor:
        """Changes (B, C, H · Q) from `past` (B, C, T), all in deviations and measured from the last observed value.

        `level` (B, C, 1) is the distance of that value from the channel's mean.
        """


class Naive(Baseline):
    """The last observed value at every step."""

    def changes(self, past: Tensor, level: Tensor) -> Tensor:
        return past.new_zeros(*past.shape[:2], self.horizon * self.outputs)


class SeasonalNaive(Baseline):
    """The last season, repeated.

    Raises
    ------
    ConfigError
        The look-back is shorter than a season.
    """

    def build(self) -> None:
        if self.lookback < self.season:
            raise ConfigError(
                f"window.lookback is {self.lookback}, but the seasonal naive forecast repeats the last {self.season} steps "
                f"(window.season); set window.lookback to {self.season} or more"
            )

    def changes(self, past: Tensor, level: Tensor) -> Tensor:
        again = past[..., -self.season :].repeat(1, 1, -(-self.horizon // self.season))[..., : self.horizon]
        return again.repeat_interleave(self.outputs, dim=-1)


class NLinear(Baseline):
    """One linear layer on the differences to the last value (Zeng et al., arXiv 2205.13504)."""

    def build(self) -> None:
        self.projection = nn.Linear(self.lookback, self.horizon * self.outputs)

    def changes(self, past: Tensor, level: Tensor) -> Tensor:
        return self.projection(past)


class DLinear(Baseline):
    """A linear layer on a moving average and one on the rest (Zeng et al., arXiv 2205.13504)."""

    def build(self) -> None:
        self.trend = nn.Linear(self.lookback, self.horizon * self.outputs)
        self.rest = nn.Linear(self.lookback, self.horizon * self.outputs)

    def changes(self, past: Tensor, level: Tensor) -> Tensor:
        standard = past + level
        side = (_AVERAGED - 1) // 2
        trend = F.avg_pool1d(F.pad(standard, (side, side), mode="replicate"), _AVERAGED, stride=1)
        return self.trend(trend) + self.rest(standard - trend) - level


class PatchTST(Baseline):
    """The transformer on patches of one channel (Nie et al., arXiv 2211.14730), as the package transformers has it.

    Raises
    ------
    ConfigError
        The look-back is shorter than a patch.
    """

    def build(self) -> None:
        from transformers import PatchTSTConfig, PatchTSTForPrediction

        patch = min(16, max(2, self.lookback // 4))
        if self.lookback <= patch:
            raise ConfigError(
                f"window.lookback is {self.lookback}; PatchTST needs more than one patch of {patch} steps"
            )
        self.model = PatchTSTForPrediction(
            PatchTSTConfig(
                num_input_channels=1,
                context_length=self.lookback,
                prediction_length=self.horizon * self.outputs,
                patch_length=patch,
                patch_stride=max(1, patch // 2),
                d_model=64,
                num_hidden_layers=3,
                num_attention_heads=4,
                ffn_dim=128,
                attention_dropout=0.2,
                ff_dropout=0.2,
                head_dropout=0.2,
                pooling_type=None,
                scaling="std",
                loss="mse",
                use_cls_token=False,
            )
        )

    def changes(self, past: Tensor, level: Tensor) -> Tensor:
        alone = past.flatten(0, 1).unsqueeze(-1)  # (B · C, T, 1)
        found = self.model(past_values=alone).prediction_outputs  # (B · C, H · Q, 1)
        return found.squeeze(-1).unflatten(0, past.shape[:2])
