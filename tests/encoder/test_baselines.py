from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.batches import make_batch, make_vocabulary
from trace_lit.batch import MultimodalBatch
from trace_lit.config import ConfigError, import_class
from trace_lit.encoder.baselines import Baseline, DLinear, NLinear, SeasonalNaive
from trace_lit.gaps import interpolated
from trace_lit.models import BASELINES, MODELS

NAMES = pytest.mark.parametrize("name", BASELINES)


def make(name: str, **options: Any) -> Baseline:
    torch.manual_seed(0)
    kind = import_class(MODELS[name].path, Baseline, "tune.model")
    return kind(make_vocabulary(), **({"lookback": 24, "horizon": 7} | options)).eval()


def forecast(model: Baseline, batch: MultimodalBatch) -> torch.Tensor:
    with torch.no_grad():
        return model(batch).values[..., 0]


def test_gaps_are_bridged_by_straight_lines() -> None:
    values = torch.tensor([[9.0, 1.0, 9.0, 9.0, 4.0, 9.0], [9.0] * 6])
    observed = torch.tensor([[False, True, False, False, True, False], [False] * 6])
    torch.testing.assert_close(
        interpolated(values, observed), torch.tensor([[1.0, 1.0, 2.0, 3.0, 4.0, 4.0], [0.0] * 6])
    )


@NAMES
def test_forecasts_have_the_quantiles_asked_for_and_know_no_value_that_is_missing(name: str) -> None:
    model = make(name, outputs=3, season=5)
    batch = make_batch(missing=0.3)
    batch.observed[0, 0] = False
    with torch.no_grad():
        output = model(batch).values
        batch.values = torch.where(batch.observed, batch.values, 1e6)
        again = model(batch).values
    assert output.shape == (6, 3, 7, 3)
    assert output.isfinite().all()
    torch.testing.assert_close(output, again)


@NAMES
def test_channels_are_forecast_one_by_one(name: str) -> None:
    model, batch = make(name, season=5), make_batch()
    before = forecast(model, batch)
    batch.values[:, 1] = batch.values[:, 1].flip(-1) + 1
    after = forecast(model, batch)
    torch.testing.assert_close(after[:, [0, 2]], before[:, [0, 2]])
    assert not torch.allclose(after[:, 1], before[:, 1])


@pytest.mark.parametrize("name", ["naive", "seasonal_naive", "nlinear", "patchtst"])
def test_a_window_that_is_shifted_is_forecast_shifted(name: str) -> None:
    model, batch = make(name, season=5), make_batch()
    before = forecast(model, batch)
    batch.values = batch.values + 100
    torch.testing.assert_close(forecast(model, batch), before + 100, atol=1e-3, rtol=1e-4)


def test_the_naive_forecast_is_the_last_observed_value() -> None:
    batch = make_batch()
    batch.observed[0, 0, -4:] = False
    output = forecast(make("naive"), batch)
    torch.testing.assert_close(output[1], batch.values[1, :, -1:].expand(-1, 7))
    torch.testing.assert_close(output[0, 0], batch.values[0, 0, -5].expand(7))


def test_the_seasonal_naive_forecast_repeats_a_season_exactly() -> None:
    batch = make_batch()
    season = torch.randn(6, 3, 5)
    whole = season.repeat(1, 1, 7)
    batch.values, future = whole[..., :24], whole[..., 24:31]
    torch.testing.assert_close(forecast(make("seasonal_naive", season=5), batch), future)
    assert SeasonalNaive(make_vocabulary(), 24, 7, season=5).state_dict() == {}


def test_nlinear_is_linear_in_what_the_last_value_leaves() -> None:
    model, batch = make("nlinear"), make_batch()
    assert isinstance(model, NLinear)
    deviation = (1.0 + torch.arange(3))[:, None]  # of make_vocabulary
    last = batch.values[..., -1:]
    change = (batch.values - last) / deviation @ model.projection.weight.T + model.projection.bias
    torch.testing.assert_close(forecast(model, batch), last + deviation * change, atol=1e-4, rtol=1e-4)


def test_dlinear_is_the_sum_of_what_it_makes_of_the_trend_and_of_the_rest() -> None:
    model, batch = make("dlinear", lookback=40), make_batch(steps=40)
    assert isinstance(model, DLinear)
    mean, deviation = 10.0 * torch.arange(3)[:, None], (1.0 + torch.arange(3))[:, None]  # of make_vocabulary
    values = (batch.values - mean) / deviation
    place = torch.arange(40)
    around = (place[:, None] + torch.arange(-12, 13)).clamp(0, 39)  # 25 steps, the ends repeated
    trend = values[..., around].mean(-1)
    parts = [layer(part) - layer.bias for layer, part in ((model.trend, trend), (model.rest, values - trend))]
    whole = sum(parts) + model.trend.bias + model.rest.bias
    torch.testing.assert_close(forecast(model, batch), mean + deviation * whole, atol=1e-4, rtol=1e-4)
    line = torch.linspace(-1, 1, 40).expand(6, 3, 40)  # within a line there is no rest but near the ends
    batch.values = mean + deviation * line
    with torch.no_grad():
        model.trend.weight.zero_(), model.trend.bias.zero_(), model.rest.bias.zero_()
        model.rest.weight[:, :12] = model.rest.weight[:, -12:] = 0
    torch.testing.assert_close(forecast(model, batch), mean.expand(6, 3, 7), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("lookback", [3, 17, 96])
@NAMES
def test_any_look_back_will_do(name: str, lookback: int) -> None:
    model = make(name, lookback=lookback, season=3)
    assert forecast(model, make_batch(steps=lookback)).isfinite().all()


def test_a_look_back_without_a_second_patch_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"window\.lookback is 2; PatchTST needs more than one patch"):
        make("patchtst", lookback=2)


def test_a_look_back_without_a_whole_season_is_refused() -> None:
    """It would be the naive forecast by another name."""
    with pytest.raises(ConfigError, match=r"window\.lookback is 24.*last 25 steps.*set window\.lookback to 25"):
        make("seasonal_naive", season=25)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nlinear", "dlinear", "patchtst"])
def test_it_learns_a_wave_whose_gaps_hold_nonsense(name: str) -> None:
    """What is missing is neither an input nor a target."""
    generator = torch.Generator().manual_seed(0)
    phase = 24 * torch.rand(96, 1, 1, generator=generator)
    wave = (2 * torch.pi / 12 * (torch.arange(31) + phase)).sin()
    batch = make_batch(96, 1)
    batch.values, future = wave[..., :24].clone(), wave[..., 24:]
    batch.observed = torch.rand(batch.values.shape, generator=generator) > 0.1
    batch.values[~batch.observed] = 1e4
    model = make(name).train()
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(80):
        optimiser.zero_grad()
        loss = (model(batch).values[..., 0] - future).square().mean()
        loss.backward()
        optimiser.step()
    error = (forecast(model.eval(), batch) - future).square().mean()
    assert error < 0.15 * future.var()


class Short(Baseline):
    """A step too few."""

    def changes(self, past: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        return past[..., : self.horizon - 1]


def test_a_forecast_of_another_length_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Short\.changes gives \(6, 3, 6\); it must give .*, here \(6, 3, 7\)"):
        Short(make_vocabulary(), lookback=24, horizon=7)(make_batch())
