from __future__ import annotations

import pytest
import torch

from trace_lit.encoder import blocked_predictions, logistic, mean_of_blocks, ridge, time_blocks


def problem(count: int = 200, width: int = 5, outputs: int = 3) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    features = 3 + torch.randn(count, width, generator=generator)
    weights = torch.randn(width, outputs, generator=generator)
    return features, features @ weights + 2, torch.ones(count, outputs, dtype=torch.bool), weights


def test_ridge_finds_a_linear_law_and_its_level() -> None:
    features, target, observed, truth = problem()
    weights, bias = ridge(features, target, observed, [1e-10])
    torch.testing.assert_close(weights[0].float(), truth, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(bias[0].float(), torch.full((3,), 2.0), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("width", [5, 50], ids=["long", "wide"])
def test_ridge_is_where_the_penalised_loss_has_no_slope(width: int) -> None:
    features, target, observed, _ = problem(20, width)
    target = target + torch.randn(target.shape, generator=torch.Generator().manual_seed(1))
    weights, bias = ridge(features, target, observed, [0.1, 1.0])
    x = features.double() - features.double().mean(0)
    for number, penalty in enumerate((0.1, 1.0)):
        matrix = weights[number].clone().requires_grad_()
        offset = bias[number].clone().requires_grad_()
        error = features.double() @ matrix + offset - target.double()
        loss = error.square().sum() + penalty * x.square().sum(0).mean() * matrix.square().sum()
        for slope in torch.autograd.grad(loss, (matrix, offset)):
            assert slope.abs().max() < 1e-6
    assert weights[1].norm() < weights[0].norm()


def test_missing_targets_do_not_move_the_solution() -> None:
    features, target, observed, truth = problem()
    observed[::7, 1] = False
    spoiled = torch.where(observed, target, 1e4)
    weights, _ = ridge(features, spoiled, observed, [1e-10])
    torch.testing.assert_close(weights[0].float(), truth, atol=0.05, rtol=0.05)


def test_an_important_feature_is_penalised_less() -> None:
    features, target, observed, truth = problem()
    importance = torch.ones(5)
    importance[2] = 100
    plain, eased = (ridge(features, target, observed, [1.0], own)[0][0] for own in (None, importance))
    assert (eased[2] - truth[2]).norm() < 0.2 * (plain[2] - truth[2]).norm()


def test_a_block_is_predicted_without_the_windows_that_share_a_step_with_it() -> None:
    features, target, observed, _ = problem(100)
    place = torch.arange(100)[torch.randperm(100, generator=torch.Generator().manual_seed(0))]
    seen = []

    def solve(chosen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append(place[chosen])
        return ridge(features[chosen], target[chosen], observed[chosen], [1e-10])

    asked = place % 3 != 0
    predicted = blocked_predictions(solve, features, place - 6, place, place + 3, time_blocks(place, 4), asked)
    torch.testing.assert_close(
        predicted[0].float(), target[asked], atol=1e-3, rtol=1e-3
    )  # in the order of the features
    for number, learned in enumerate(seen):
        block = set(range(25 * number, 25 * number + 25))
        scored = {step + ahead for step in block for ahead in range(3)}
        assert 30 <= len(learned) < 75
        for origin in learned.tolist():
            assert not scored & set(range(origin - 6, origin + 3))


def test_blocks_of_time_are_of_one_size_whatever_the_gaps_between_them() -> None:
    place = torch.cat([torch.arange(50), torch.arange(1000, 1050)])
    block = time_blocks(place.flip(0), 4).flip(0)
    assert block.bincount().tolist() == [25, 25, 25, 25]
    assert bool((block.diff() >= 0).all())


def test_too_few_windows_are_named() -> None:
    features, target, observed, _ = problem(20)
    place = torch.arange(20)
    with pytest.raises(ValueError, match=r"head\.folds"):
        blocked_predictions(
            lambda kept: ridge(features[kept], target[kept], observed[kept], [1.0]),
            features,
            place - 30,
            place,
            place + 10,
            time_blocks(place, 2),
            torch.ones(20, dtype=torch.bool),
        )


def test_a_hard_block_does_not_decide_for_all() -> None:
    block = torch.arange(5).repeat_interleave(4)
    hard = torch.where(block == 0, 1000.0, 1.0)
    better_in_four = torch.where(block == 0, 1.1, 0.9) * hard
    errors = torch.stack([hard, better_in_four]).unsqueeze(-1).expand(-1, -1, 3)
    known = torch.ones(20, 3, dtype=torch.bool)
    means = mean_of_blocks(errors, known, block)
    assert means[1] < means[0]
    assert errors[1].mean() > errors[0].mean()
    known[block == 0] = False
    torch.testing.assert_close(mean_of_blocks(errors, known, block), torch.tensor([1.0, 0.9]))


def test_logistic_regression_separates_and_a_penalty_shrinks() -> None:
    generator = torch.Generator().manual_seed(0)
    label = torch.randint(0, 3, (300,), generator=generator)
    features = 5 + torch.eye(3)[label] + 0.2 * torch.randn(300, 3, generator=generator)
    weights, bias = logistic(features, label, torch.ones(3), [1e-4, 10.0])
    right = (features.double() @ weights[0] + bias[0]).argmax(1) == label
    assert right.double().mean() > 0.95
    assert weights[1].norm() < 0.1 * weights[0].norm()
