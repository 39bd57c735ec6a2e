"""Losses and miners of one's own: what the base classes do for them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trace_lit.alignment import AlignmentLoss, Instances, Level, Miner, build_loss, build_miner, contrastive_loss
from trace_lit.alignment.config import AlignmentConfig, MiningConfig
from trace_lit.config import ConfigError


def unit(*shape: int) -> Tensor:
    return torch.nn.functional.normalize(torch.randn(*shape), dim=-1)


def windows(count: int) -> Tensor:
    start = torch.arange(count)
    return torch.stack([torch.zeros_like(start), start, start + 1], dim=1)


def level(count: int) -> Level:
    return Level(unit(count, 4), unit(count, 4), torch.arange(count), windows(count), torch.arange(count))


class Distance(AlignmentLoss):
    """How far each anchor is from its positive."""

    def per_anchor(self, similarity: Tensor, positive: Tensor, negative: Tensor, temperature: Tensor) -> Tensor:
        assert not negative.gather(1, positive[:, None]).any()
        return 1 - similarity.gather(1, positive[:, None]).squeeze(1)


class Averaged(Distance):
    def per_anchor(self, similarity: Tensor, positive: Tensor, negative: Tensor, temperature: Tensor) -> Tensor:
        return super().per_anchor(similarity, positive, negative, temperature).mean()


class Beyond(Miner):
    def mine(self, anchors: Tensor, candidates: Tensor, positive: Tensor, instances: Instances, seed: int) -> Tensor:
        return torch.full((len(anchors), 1), len(candidates))


class All(Miner):
    """Every candidate, the anchor's own pair included."""

    def mine(self, anchors: Tensor, candidates: Tensor, positive: Tensor, instances: Instances, seed: int) -> Tensor:
        return torch.arange(len(candidates)).expand(len(anchors), -1)


class Wrong(All):
    """Scores in the place of places."""

    def mine(self, *arguments: object) -> Tensor:
        return super().mine(*arguments).float()  # type: ignore[arg-type]


HERE = __name__


def test_info_nce_is_the_default() -> None:
    torch.manual_seed(0)
    pairs, temperature = level(6), torch.tensor(0.1)
    own = build_loss(AlignmentConfig())(pairs, temperature, lambda _: 3)
    plain = contrastive_loss(pairs, temperature, lambda _: 3)
    assert torch.equal(own.total, plain.total)


def test_a_loss_of_ones_own_is_averaged_over_anchors_in_both_directions() -> None:
    torch.manual_seed(0)
    pairs = level(6)
    made = build_loss(AlignmentConfig(loss=f"{HERE}:Distance"))(pairs, torch.tensor(0.1), lambda _: None)
    assert made.total == pytest.approx(float((1 - (pairs.series * pairs.text).sum(1)).mean()))
    assert made.negatives == 5


def test_a_miner_cannot_return_what_is_no_negative() -> None:
    torch.manual_seed(0)
    instances = Instances(torch.tensor([0, 1, 1, 3, 4]), windows(5), torch.zeros(5, dtype=torch.int64))
    instances.window[4] = instances.window[3]  # the same hours
    anchors, candidates = unit(5, 4), unit(5, 4)
    mined = build_miner(MiningConfig(miner=f"{HERE}:All"))(anchors, candidates, torch.arange(5), instances, 0)
    found = [{place for place in row if place >= 0} for row in mined.index.tolist()]
    assert found == [{1, 2, 3, 4}, {0, 3, 4}, {0, 3, 4}, {0, 1, 2}, {0, 1, 2}]
    assert (mined.score[:, :-1] >= mined.score[:, 1:]).all()
    scores = anchors @ candidates.T
    assert torch.allclose(
        mined.hardest, torch.stack([scores[row, list(places)].max() for row, places in enumerate(found)])
    )
    assert torch.allclose(mined.positive, scores.diagonal())


def test_places_are_whole_numbers() -> None:
    instances = Instances(torch.arange(5), windows(5), torch.zeros(5, dtype=torch.int64))
    miner = build_miner(MiningConfig(miner=f"{HERE}:Wrong"))
    with pytest.raises(ConfigError, match=r"whose mine gives torch.float32 .* whole numbers of shape \(5, K\)"):
        miner(unit(5, 4), unit(5, 4), torch.arange(5), instances, 0)


def test_places_beyond_the_candidates_are_refused_by_name() -> None:
    instances = Instances(torch.arange(5), windows(5), torch.zeros(5, dtype=torch.int64))
    miner = build_miner(MiningConfig(miner=f"{HERE}:Beyond"))
    with pytest.raises(ConfigError, match=r"gives the place 5; the places of the candidates are 0 to 4"):
        miner(unit(5, 4), unit(5, 4), torch.arange(5), instances, 0)


def test_a_loss_that_is_no_loss_of_each_anchor_is_refused() -> None:
    loss = build_loss(AlignmentConfig(loss=f"{HERE}:Averaged"))
    with pytest.raises(ConfigError, match=r"per_anchor gives a tensor of shape \(\); .* shape \(6,\)"):
        loss(level(6), torch.tensor(0.1), lambda _: None)


def test_options_of_the_defaults_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"alignment\.loss"):
        build_loss(AlignmentConfig(loss_options={"bias": 1}))
    with pytest.raises(ConfigError, match=r"mining\.miner"):
        build_miner(MiningConfig(options={"margin": 1}))
