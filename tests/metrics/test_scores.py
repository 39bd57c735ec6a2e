"""Scores and losses against numbers worked out by hand."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.processes import on_processes
from trace_lit.metrics.scores import ClassificationScores, ForecastScores, forecast_errors, pinball

NAN = float("nan")


def test_pinball_weighs_what_lies_above_by_the_level_and_what_lies_below_by_the_rest() -> None:
    loss = pinball(torch.tensor([[1.0, 1.0], [1.0, 1.0]]), torch.tensor([3.0, 0.0]), [0.1, 0.9])
    torch.testing.assert_close(loss, torch.tensor([[0.2, 1.8], [0.9, 0.1]]))


def test_the_pinball_loss_is_least_at_the_quantile() -> None:
    sample = torch.randn(20_001, generator=torch.Generator().manual_seed(0))
    guesses = torch.linspace(-2, 2, 401)
    for level in (0.1, 0.5, 0.8):
        losses = torch.stack([pinball(guess.expand(len(sample), 1), sample, [level]).mean() for guess in guesses])
        assert float(guesses[losses.argmin()]) == pytest.approx(float(sample.quantile(level)), abs=0.03)


@pytest.mark.parametrize(("loss", "expected"), [("mse", [0.25, 4.0]), ("mae", [0.5, 2.0]), ("huber", [0.125, 1.5])])
def test_errors_are_of_what_is_observed(loss: str, expected: list[float]) -> None:
    change = torch.tensor([[[[0.5], [99.0], [1.0]]]])  # (1, 1, 3, 1)
    target = torch.tensor([[[0.0, NAN, 3.0]]])
    errors = forecast_errors(change, target, torch.tensor([[[True, False, True]]]), loss, [])
    torch.testing.assert_close(errors, torch.tensor(expected))


def test_errors_of_quantiles_are_the_mean_over_them() -> None:
    change = torch.tensor([1.0, 2.0]).view(1, 1, 1, 2)
    errors = forecast_errors(
        change, torch.tensor([[[3.0]]]), torch.ones(1, 1, 1, dtype=torch.bool), "mse", [0.25, 0.75]
    )
    torch.testing.assert_close(errors, torch.tensor([(0.25 * 2 + 0.75 * 1) / 2]))


def two_channels(quantiles: tuple[float, ...] = ()) -> ForecastScores:
    """Of deviations 2 and 10; the naive forecast of the second is not known."""
    return ForecastScores(torch.tensor([5.0, 0.0]), torch.tensor([2.0, 10.0]), torch.tensor([0.5, NAN]), quantiles)


def test_point_forecasts_by_hand() -> None:
    scores = two_channels()
    future = torch.tensor([[[1.0, 2.0], [30.0, NAN]]])  # (1, 2, 2)
    observed = ~future.isnan()
    scores.update(torch.tensor([[[3.0, 2.0], [10.0, 7.0]]]).unsqueeze(-1), future.nan_to_num(), observed)
    assert scores.compute() == pytest.approx(
        {
            "MAE": (1 + 0 + 2) / 3,
            "MSE": (1 + 0 + 4) / 3,
            "units/MAE": (2 + 0 + 20) / 3,
            "units/MSE": (4 + 0 + 400) / 3,
            "MASE": (4 + 0) / 2,  # of the first channel alone
        }
    )
    scores.reset()
    scores.update(torch.zeros(1, 2, 2, 1), torch.zeros(1, 2, 2), torch.zeros_like(observed))
    assert scores.compute() == {}


def test_quantile_forecasts_by_hand() -> None:
    scores = two_channels((0.1, 0.5, 0.9))
    forecast = torch.tensor([[[[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], [[0.0, 5.0, 9.0], [0.0, 5.0, 9.0]]]])
    future = torch.tensor([[[2.0, 4.0], [9.0, -5.0]]])
    scores.update(forecast, future, torch.ones(1, 2, 2, dtype=torch.bool))
    # Of each value the losses at the three levels.
    losses = [0.1 + 0 + 0.1, 0.3 + 1 + 0.9, 0.9 + 2 + 0, 4.5 + 5 + 1.4]
    found = scores.compute()
    assert found["WQL"] == pytest.approx(2 * sum(losses) / 3 / (2 + 4 + 9 + 5))
    assert found["coverage/0.8"] == pytest.approx(2 / 4)  # bounds are within
    assert found["coverage/0.8/worst"] == pytest.approx(1 / 2)
    assert found["units/MAE"] == pytest.approx((0 + 2 + 4 + 10) / 4)  # the median is the point forecast


def test_channels_whose_bands_err_in_opposite_ways_do_not_hide_each_other() -> None:
    """A band of 80 % that holds all of one channel and 60 % of the other holds 80 % of both together."""
    scores = two_channels((0.1, 0.5, 0.9))
    forecast = torch.tensor([-1.0, 0.0, 1.0]).expand(5, 2, 1, 3)
    future = torch.zeros(5, 2, 1)
    future[:2, 1] = 5.0
    observed = torch.ones(5, 2, 1, dtype=torch.bool)
    scores.update(forecast, future, observed)
    found = scores.compute()
    assert found["coverage/0.8"] == pytest.approx(0.8)
    assert abs(found["coverage/0.8/worst"] - 0.8) == pytest.approx(0.2)
    scores.reset()
    observed[:, 1] = False  # a channel without values is none
    future[:1] = 5.0
    scores.update(forecast, future, observed)
    assert scores.compute()["coverage/0.8/worst"] == scores.compute()["coverage/0.8"] == pytest.approx(4 / 5)


def test_there_is_a_band_for_each_pair_of_levels_about_the_median() -> None:
    assert two_channels((0.05, 0.2, 0.8, 0.95)).bands == [(0, 3), (1, 2)]
    assert two_channels((0.1, 0.5, 0.6)).bands == []


PROBABILITIES = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8], [0.4, 0.6]])
LABELS = torch.tensor([0, 0, 1, 1, 0])


def test_two_labels_by_hand() -> None:
    scores = ClassificationScores(2)
    scores.update(PROBABILITIES, LABELS)
    found = scores.compute()
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["macro_F1"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    # Of the pairs of a 1 and a 0: 0.3 outranks 0.1, 0.8 outranks all three.
    assert found["AUROC"] == pytest.approx(4 / 6)
    assert found["AUPRC"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 4)
    assert scores.confusion.compute().tolist() == [[2, 1], [1, 1]]


def test_labels_that_no_instance_has_do_not_count() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        two, three = ClassificationScores(2), ClassificationScores(3)
        two.update(PROBABILITIES, LABELS)
        three.update(torch.cat([PROBABILITIES, torch.zeros(5, 1)], dim=1), LABELS)
        assert three.compute()["AUROC"] == pytest.approx(two.compute()["AUROC"])  # the same of either label
        two.reset()
        two.update(PROBABILITIES[:2], LABELS[:2])
        assert set(two.compute()) == {"accuracy", "macro_F1"}  # there is nothing to rank


def test_the_confusion_matrix_is_drawn_with_counts_and_names() -> None:
    scores = ClassificationScores(2)
    scores.update(PROBABILITIES, LABELS)
    (axes,) = scores.figure(("dry", "rain")).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dry", "rain"]
    assert [text.get_text() for text in axes.texts] == ["2", "1", "1", "1"]
    np.testing.assert_allclose(np.asarray(axes.images[0].get_array()), [[2 / 3, 1 / 3], [1 / 2, 1 / 2]], rtol=1e-6)


def scored(parts: list[list[int]]) -> dict[str, Any]:
    """Both kinds of scores when this process sees its part of seven instances, of which the last two are not observed."""
    import torch.distributed as dist

    own = parts[dist.get_rank()] if dist.is_initialized() else [row for part in parts for row in part]
    generator = torch.Generator().manual_seed(0)
    forecast, future = torch.randn(7, 2, 3, 3, generator=generator).sort(-1).values, torch.randn(7, 2, 3)
    future = torch.randn(7, 2, 3, generator=generator)
    observed = torch.ones(7, 2, 3, dtype=torch.bool)
    observed[5:] = False
    forecasts = two_channels((0.1, 0.5, 0.9))
    forecasts.update(forecast[own], future[own], observed[own])
    labels = ClassificationScores(2)
    label = torch.tensor([0, 1, 1, 0, 1, 0, 0])
    labels.update(forecast[own, 0, 0, :2].softmax(-1), label[own])
    count: Tensor = labels.confusion.compute().sum()
    return {**forecasts.compute(), **labels.compute(), "count": int(count)}


@pytest.mark.slow
def test_several_processes_score_as_one_and_count_nothing_twice() -> None:
    """Even if one of them has nothing that is observed."""
    parts = [[0, 1, 2, 3, 4], [5, 6]]
    one = scored(parts)
    assert one["count"] == 7
    for found in on_processes(2, scored, parts):
        assert found == pytest.approx(one)
