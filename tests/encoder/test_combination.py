from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from trace_lit.batch import choose_offset, less
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.encoder import Combination, Windows, solve_combination
from trace_lit.encoder.combination import calibrated, forward_blocks, simplex_weights, some
from trace_lit.encoder.members import MEMBERS, Inputs, Member
from trace_lit.encoder.ridge_path import PENALTY_LIMITS, Moments, RidgePath, search_penalties

DAY = 86_400
LOOKBACK, HORIZON, SEASON = 28, 7, 7


def random_gram(seed: int) -> Tensor:
    errors = torch.randn(6, 40, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return errors @ errors.T / 40 + 0.3


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_shares_and_never_worse_than_the_best_single_member(seed: int) -> None:
    gram = random_gram(seed)
    for shrinkage in (0.0, 0.1, 10.0):
        weights = simplex_weights(gram, shrinkage)
        assert (weights >= 0).all()
        assert float(weights.sum()) == pytest.approx(1)
        assert float(weights @ gram @ weights) <= float(gram.diagonal().min()) + 1e-9


@pytest.mark.parametrize("columns", [2, 5, 7, 24])
def test_some_rows_are_of_all_columns(columns: int) -> None:
    """Every n-th row would be of one channel, of one step, or of one hour."""
    rows = torch.arange(columns * 12_000)
    drawn = some(rows, columns * 1_000)
    assert len(drawn) == columns * 1_000 == len(drawn.unique())
    assert (drawn.diff() > 0).all()
    assert torch.equal(drawn, some(rows, columns * 1_000))
    counts = (drawn % columns).bincount(minlength=columns)
    assert counts.min() > 850
    assert torch.equal(some(rows[:10], 10), rows[:10])


def test_bands_of_many_windows_are_those_of_their_step() -> None:
    """The spread grows with the horizon; a step's band is not that of a step before it."""
    generator = torch.Generator().manual_seed(0)
    residual = torch.randn(10_000, 24, generator=generator) * torch.arange(1, 25)
    zero = torch.zeros(10_000, dtype=torch.int64)
    distance = calibrated(residual, torch.ones(10_000, 1), zero, zero, [0.1, 0.5, 0.9], 1)
    np.testing.assert_allclose(distance[0, 2:-2, 2], 1.2816 * torch.arange(3, 23), rtol=0.06)


def test_weights_go_to_the_best_single_member_as_they_are_shrunk() -> None:
    gram = random_gram(0)
    best = torch.nn.functional.one_hot(gram.diagonal().argmin(), 6).double()
    far, near, there = (float((simplex_weights(gram, shrinkage) - best).norm()) for shrinkage in (0.0, 1.0, 1e6))
    assert there < 1e-3 < near < far


def test_the_path_solves_ridge_regression_from_moments_that_are_added_up() -> None:
    x, y = torch.randn(50, 8), torch.randn(50, 3)
    weights, bias = RidgePath(Moments.of(x[:20], y[:20]) + Moments.of(x[20:], y[20:])).solution(torch.full((3,), 0.5))
    centred = (x - x.mean(0)).double()
    strength = 0.5 * centred.square().sum(0).mean()
    direct = torch.linalg.solve(centred.T @ centred + strength * torch.eye(8), centred.T @ y.double())
    torch.testing.assert_close(weights, direct)
    torch.testing.assert_close(bias, y.double().mean(0) - x.double().mean(0) @ direct)


def test_penalties_are_searched_until_the_best_lies_inside() -> None:
    optimum = torch.tensor([6.0, -5.0, 0.0, 30.0])  # powers of ten; the last lies beyond all limits
    best, limit = search_penalties(lambda penalty: (torch.tensor(penalty).log10() - optimum).square())
    assert best[:3].log10().tolist() == pytest.approx([6, -5, 0])
    assert float(best[3]) == PENALTY_LIMITS[1]
    assert limit.tolist() == [False, False, False, True]


def test_blocks_follow_one_another_after_what_is_only_learned_from() -> None:
    origin = torch.randperm(100) * DAY
    block = forward_blocks(origin, 5)
    assert 35 <= int((block < 0).sum()) <= 45
    for number in range(5):
        assert (origin[block < number].max() if number else -1) < origin[block == number].min()


def windows_of(values: np.ndarray, combination: Combination, until: int) -> tuple[Windows, Inputs, Tensor]:
    """The windows of a series (T,) of days up to `until`, and those after it with what follows them (N, 1, H)."""
    series = torch.from_numpy(values)
    origins = torch.arange(LOOKBACK, len(values) - HORIZON + 1)
    past = series.unfold(0, LOOKBACK, 1)[origins - LOOKBACK].unsqueeze(1)
    future = series.unfold(0, HORIZON, 1)[origins].unsqueeze(1)
    usual = combination.mean.double() + combination.rest.double()
    offset = choose_offset(past, torch.ones_like(past, dtype=torch.bool), usual, combination.deviation.double())
    past, future = less(past, offset), less(future, offset)
    seen = origins + HORIZON <= until

    def inputs(chosen: Tensor) -> Inputs:
        count = int(chosen.sum())
        return Inputs(
            past[chosen],
            (combination.mean if offset is None else usual).expand(count, 1, 1),
            combination.deviation.expand(count, 1, 1),
            origins[chosen] * DAY,
            torch.zeros(count, 1, dtype=torch.int64),
            torch.zeros(count, 1, 0),
            torch.zeros(count, 1, 0, HORIZON),
            None if offset is None else offset[chosen].unsqueeze(-1),
        )

    begin, end = (origins - LOOKBACK) * DAY, (origins + HORIZON) * DAY
    count = int(seen.sum())
    windows = Windows(
        inputs(seen),
        future[seen],
        torch.ones(count, 1, HORIZON, dtype=torch.bool),
        begin[seen],
        origins[seen] * DAY,
        end[seen],
        torch.ones(count, dtype=torch.bool),
        combination.deviation.expand(count, 1),
    )
    later = origins >= until
    return windows, inputs(later), future[later]


def solved(
    values: np.ndarray, quantiles: tuple[float, ...] = (), members: Sequence[Member] = MEMBERS
) -> tuple[Combination, dict[str, float], Inputs, Tensor]:
    until = 3 * len(values) // 4
    vocabulary = ChannelVocabulary().extended(
        [Channel("one")], torch.zeros(1, 1), [float(values[:until].mean())], [float(values[:until].std())]
    )
    combination = Combination(vocabulary, LOOKBACK, HORIZON, SEASON, quantiles, channels=1, members=members)
    windows, later, future = windows_of(values, combination, until)
    metrics = solve_combination(combination, windows, folds=5)
    return combination, metrics, later, future


def error(combination: Combination, inputs: Inputs, future: Tensor) -> float:
    return float((combination.combine(inputs) - future).square().mean())


def naive_error(inputs: Inputs, future: Tensor) -> float:
    return float((inputs.past[..., -1:] - future).square().mean())


NOISE = np.random.default_rng(3)
WALK = np.cumsum(NOISE.normal(size=700))
WEEK = np.tile(NOISE.normal(size=7), 100) * 5


def test_a_random_walk_gets_its_last_value() -> None:
    combination, metrics, later, future = solved(WALK)
    assert error(combination, later, future) < 1.06 * naive_error(later, future)
    assert metrics["cv/MSE"] <= metrics["cv/MSE_of_best_member"] * 1.05


def test_a_season_gets_the_season() -> None:
    combination, metrics, later, future = solved(WEEK + 0.1 * NOISE.normal(size=700))
    assert error(combination, later, future) < 0.02 * naive_error(later, future)
    assert metrics["cv/penalties_at_limit"] == 0


def test_prices_that_rise_in_proportion_are_forecast_in_proportion() -> None:
    _, metrics, _, _ = solved(np.exp(WEEK / 5 + np.linspace(0, 4, 700) + 0.1 * NOISE.normal(size=700)))
    assert sum(value for name, value in metrics.items() if name.startswith("cv/weight/log")) > 0.5


def test_a_spike_does_not_choose_the_members_of_other_times() -> None:
    """Nobody foresees it; whoever returns to the mean soonest after it need not be the best at any other time."""
    values = np.cumsum(np.random.default_rng(11).normal(size=700)) + WEEK / 3
    spike = np.zeros(700)
    spike[360:] = 500 * np.exp(-np.arange(340) / 5)
    combination, _, later, future = solved(values + spike)
    plain, _, calm, there = solved(values)
    assert error(combination, later, future) < 1.3 * error(plain, calm, there)


def test_calm_blocks_do_not_silence_the_one_in_which_something_happens() -> None:
    values = np.zeros(700)
    values[400:] = np.tile(WEEK[:7], 43)[:300]
    combination, *_ = solved(values)
    assert combination.shares(0).keys() != {"last"}


def test_weights_of_members_are_shares_and_the_small_ones_are_left_out() -> None:
    combination, metrics, _, _ = solved(WALK)
    assert combination.share.sum(-1).tolist() == pytest.approx([1.0, 1.0])
    assert min(value for name, value in metrics.items() if name.startswith("cv/weight/")) >= 0.02


def test_bands_hold_what_they_say() -> None:
    combination, _, later, future = solved(WEEK + NOISE.normal(size=700), (0.1, 0.5, 0.9))
    centre = combination.combine(later).unsqueeze(-1)
    bounds = centre + combination.distance[0] * combination.spread(later).unsqueeze(-1)
    share = ((bounds[..., 0] <= future) & (future <= bounds[..., 2])).float().mean()
    assert 0.75 <= float(share) <= 0.88
    torch.testing.assert_close(bounds[..., 1:2], centre)  # the central one is the forecast itself


def held(combination: Combination, later: Inputs, future: Tensor) -> float:
    """The share of values that lie in bands of 80 %."""
    bounds = combination(later).values
    return float(((bounds[..., 0] <= future) & (future <= bounds[..., 2])).float().mean())


@pytest.mark.parametrize("last", [4.0, 0.25])
def test_bands_are_as_wide_as_a_window_moves(last: float) -> None:
    """Where the future moves more, or less, than all of the past, they still hold what they say."""
    spread = np.geomspace(1, last, 1000)
    combination, _, later, future = solved(spread * np.random.default_rng(5).normal(size=1000), (0.1, 0.5, 0.9))
    assert 0.74 <= held(combination, later, future) <= 0.88


def test_bands_of_a_series_that_stands_still_are_finite() -> None:
    still = np.full(700, 3.0)
    still[[400, 520]] = 5.0
    combination, _, later, _ = solved(still, (0.1, 0.5, 0.9))
    assert combination(later).values.isfinite().all()


def test_a_run_from_before_the_usual_changes_has_the_bands_that_it_had() -> None:
    combination, _, later, _ = solved(WALK, (0.1, 0.5, 0.9))
    old = {name: value for name, value in combination.state_dict().items() if name != "usual"}
    old["exponent"] = torch.tensor(0.5)
    combination.load_state_dict(old)
    own = later.past.diff(dim=-1).abs().mean(-1, keepdim=True) / later.deviation
    torch.testing.assert_close(combination.spread(later), (own + 1e-3).sqrt() * later.deviation)


def test_bands_are_widened_where_blocks_differ() -> None:
    generator = torch.Generator().manual_seed(0)
    block = torch.arange(5).repeat_interleave(200)
    alike = torch.randn(1000, 6, generator=generator)
    growing = alike * (1 + block.unsqueeze(1))
    ones = torch.ones(1000, 1)

    def width(residual: Tensor) -> float:
        distance = calibrated(residual, ones, torch.zeros(1000, dtype=torch.int64), block, (0.1, 0.5, 0.9), 1)
        return float(distance[0, :, 2].mean() / residual.flatten().quantile(0.9))

    assert width(alike) == pytest.approx(1, abs=0.1)
    assert width(growing) > 1.2


def test_too_few_windows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"lower window\.lookback"):
        solved(WALK[:48])


def test_a_channel_that_is_not_known_gets_the_common_weights() -> None:
    combination, _, later, _ = solved(WALK)
    foreign = Inputs.joined([later])
    foreign.channel_ids = later.channel_ids + 5
    torch.testing.assert_close(combination.combine(foreign), combination.combine(later))


FAR_AWAY = 1e7


def forecasts(values: np.ndarray, members: Sequence[Member]) -> Tensor:
    """(N, 1, H, Q) float64 in units."""
    combination, _, later, _ = solved(values, (0.1, 0.5, 0.9), members)
    found = combination(later).values.double()
    return found if later.offset is None else found + later.offset.unsqueeze(-1)


def test_a_constant_that_is_added_to_the_series_is_added_to_the_forecasts() -> None:
    plain = [member for member in MEMBERS if member.transform == "none"]
    values = WEEK + 0.3 * WALK
    moved = forecasts(values + FAR_AWAY, plain)
    torch.testing.assert_close(moved - FAR_AWAY, forecasts(values, plain), rtol=0, atol=5e-3)


@pytest.mark.parametrize("transform", ["log", "sqrt"])
def test_far_from_zero_a_transform_makes_no_difference(transform: str) -> None:
    values, groups = WEEK + 0.3 * WALK + FAR_AWAY, ("changes", "level", "calendar")
    curved, straight = (
        forecasts(values, [Member("last"), Member("m", "season", groups, t)]) for t in (transform, "none")
    )
    torch.testing.assert_close(curved, straight, rtol=0, atol=2e-2)


def test_members_that_go_by_levels_give_way_beyond_what_was_learned_from() -> None:
    pulled = np.zeros(700)
    for step, noise in enumerate(np.random.default_rng(5).normal(size=699), start=1):
        pulled[step] = 0.8 * pulled[step - 1] + noise
    combination, _, later, _ = solved(pulled)
    of_levels = torch.tensor([member.of_levels for member in combination.members])
    assert combination.shares_of(later)[..., of_levels].sum(-1).median() > 0.5
    far = Inputs.joined([later])
    far.past = later.past + 100
    assert not combination.shares_of(far)[..., of_levels].any()
    assert combination.shares_of(far).sum(-1).tolist()[0] == pytest.approx([1.0])
