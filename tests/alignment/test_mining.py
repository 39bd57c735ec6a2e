"""Mined negatives, held against a plain comparison of every anchor with every candidate."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from trace_lit.alignment import Instances, MinedNegatives, NegativeRules, mine_negatives
from trace_lit.batch import NO_LABEL

SIZE, WIDTH = 47, 6
NO_MARGIN = NegativeRules(relative_margin=None)


def make_instances(size: int = SIZE, seed: int = 0) -> Instances:
    """Windows of three series that overlap in part, some equal texts and labels, some without a text or a label."""
    chance = torch.Generator().manual_seed(seed)

    def draw(low: int, high: int) -> Tensor:
        return torch.randint(low, high, (size,), generator=chance)

    start = draw(-50, 50)
    label = draw(0, 4)
    return Instances(
        text_id=draw(-3, max(size // 2, 1)),
        window=torch.stack([draw(0, 3), start, start + draw(1, 20)], dim=1),
        label=torch.where(label == 3, NO_LABEL, label),
    )


def make_vectors(count: int, size: int = SIZE, seed: int = 0) -> Tensor:
    """(count, size, WIDTH): inner products are multiples of 1/16, exact, and often equal."""
    chance = torch.Generator().manual_seed(seed)
    return torch.randint(-2, 3, (count, size, WIDTH), generator=chance) / 4


def reference(
    anchors: Tensor, candidates: Tensor, positive: Tensor, about: Instances, count: int, rules: NegativeRules
) -> MinedNegatives:
    """One pair after the other, with `top` sampling."""
    index, score, own_scores, nearest = [], [], [], []
    excluded: dict[str, list[int]] = {rule: [] for rule in ("text", "window", "label", "margin")}
    for anchor, own in zip(anchors.tolist(), positive.tolist(), strict=True):
        scores = [math.fsum(a * b for a, b in zip(anchor, other, strict=True)) for other in candidates.tolist()]
        bound = math.inf
        if rules.relative_margin is not None:
            lower = 1 - rules.relative_margin if scores[own] > 0 else 1 + rules.relative_margin
            bound = min(bound, lower * scores[own])
        if rules.absolute_margin is not None:
            bound = min(bound, scores[own] - rules.absolute_margin)
        left_out = dict.fromkeys(excluded, 0)
        ranked, admissible = [], [-math.inf]
        for other, own_score in enumerate(scores):
            series, start, end = about.window[own].tolist()
            other_series, other_start, other_end = about.window[other].tolist()
            if other == own:
                continue
            if about.text_id[own] == about.text_id[other] and about.text_id[own] >= 0:
                left_out["text"] += 1
            elif series == other_series and max(start, other_start) < min(end, other_end):
                left_out["window"] += 1
            elif rules.exclude_same_label and about.label[own] == about.label[other] != NO_LABEL:
                left_out["label"] += 1
            else:
                admissible.append(own_score)
                if own_score >= bound:
                    left_out["margin"] += 1
                else:
                    ranked.append((-own_score, other))
        taken = sorted(ranked)[: rules.range_max][rules.range_min :][:count]
        taken += [(math.inf, -1)] * (count - len(taken))
        index.append([other for _, other in taken])
        score.append([-negative for negative, _ in taken])
        own_scores.append(scores[own])
        nearest.append(max(admissible))
        for rule, number in left_out.items():
            excluded[rule].append(number)
    return MinedNegatives(
        torch.tensor(index),
        torch.tensor(score),
        torch.tensor(own_scores),
        torch.tensor(nearest),
        {rule: torch.tensor(numbers) for rule, numbers in excluded.items()},
    )


def same(one: MinedNegatives, other: MinedNegatives) -> None:
    assert torch.equal(one.index, other.index)
    assert one.excluded.keys() == other.excluded.keys()
    for rule, count in one.excluded.items():
        assert torch.equal(count, other.excluded[rule]), rule
    for name in ("score", "positive", "hardest"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name), rtol=0, atol=1e-6)


RULES = {
    "no margin": NO_MARGIN,
    "relative margin": NegativeRules(relative_margin=0.25),
    "any below the positive": NegativeRules(relative_margin=0.0),
    "absolute margin": NegativeRules(relative_margin=None, absolute_margin=0.25),
    "both margins": NegativeRules(relative_margin=0.5, absolute_margin=0.375),
    "same label": NegativeRules(relative_margin=0.25, exclude_same_label=True),
    "some skipped": NegativeRules(relative_margin=None, range_min=3),
    "few looked at": NegativeRules(relative_margin=0.25, range_min=2, range_max=5),
    "more skipped than there are": NegativeRules(range_min=SIZE),
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@pytest.mark.parametrize("count", [1, 7, SIZE + 3])
def test_it_finds_what_comparing_all_pairs_finds(rules: NegativeRules, count: int) -> None:
    anchors, candidates = make_vectors(2)
    about, every = make_instances(), torch.arange(SIZE)
    expected = reference(anchors, candidates, every, about, count, rules)
    same(mine_negatives(anchors, candidates, every, about, count, rules), expected)
    if not rules.range_min:  # the case has something of everything
        asked = {"text", "window"} | {rule for rule in ("label",) if rules.exclude_same_label}
        asked |= set() if rules is NO_MARGIN else {"margin"}
        assert {rule for rule, numbers in expected.excluded.items() if numbers.sum()} == asked


@pytest.mark.parametrize("rules", [NegativeRules(), NegativeRules(absolute_margin=0.1, exclude_same_label=True)])
def test_it_finds_them_among_any_unit_vectors(rules: NegativeRules) -> None:
    anchors, candidates = F.normalize(torch.randn(2, SIZE, 16, generator=torch.Generator().manual_seed(1)), dim=2)
    every, about = torch.arange(SIZE), make_instances(seed=2)
    expected = reference(anchors, candidates, every, about, 5, rules)
    assert (expected.positive < 0).any()
    same(mine_negatives(anchors, candidates, every, about, 5, rules), expected)


@pytest.mark.parametrize("block", [(1, 1), (5, 7), (SIZE, 1), (3, SIZE), (64, 64)])
@pytest.mark.parametrize(
    "rules", [NO_MARGIN, NegativeRules(relative_margin=0.25, range_min=2, exclude_same_label=True)]
)
def test_blocks_make_no_difference(block: tuple[int, int], rules: NegativeRules) -> None:
    anchors, candidates = make_vectors(2, seed=1)
    about, every = make_instances(seed=1), torch.arange(SIZE)
    expected = reference(anchors, candidates, every, about, 6, rules)
    same(mine_negatives(anchors, candidates, every, about, 6, rules, block=block), expected)


@pytest.mark.parametrize("strategy", ["top", "random"])
@pytest.mark.parametrize("shares", [2, 3, SIZE + 1])
def test_it_makes_no_difference_who_mines_which_anchor(strategy: str, shares: int) -> None:
    """With more processes than anchors as well, some of which mine nothing."""
    anchors, candidates = make_vectors(2)
    about, every = make_instances(), torch.arange(SIZE)
    rules = NegativeRules(relative_margin=0.25, sampling_strategy=strategy)
    whole = mine_negatives(anchors, candidates, every, about, 4, rules, seed=3)
    parts = [
        mine_negatives(anchors[own], candidates, own, about, 4, rules, seed=3) for own in every.tensor_split(shares)
    ]
    for name in ("index", "score", "positive", "hardest"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))
    for rule, count in whole.excluded.items():
        assert torch.equal(torch.cat([part.excluded[rule] for part in parts]), count)


def test_anchors_may_come_in_any_order_and_more_than_once() -> None:
    anchors, candidates = make_vectors(2)
    about, every = make_instances(), torch.arange(SIZE)
    order = torch.tensor([3, 40, 3, 0])
    whole = mine_negatives(anchors, candidates, every, about, 4, NO_MARGIN)
    assert torch.equal(mine_negatives(anchors[order], candidates, order, about, 4, NO_MARGIN).index, whole.index[order])


def unlike(size: int) -> Instances:
    """Instances that no rule keeps apart but the margins."""
    number = torch.arange(size)
    return Instances(number, torch.stack([number, 0 * number, 0 * number + 1], dim=1), torch.full((size,), NO_LABEL))


@pytest.mark.parametrize("block", [(2, 3), (16, 16)])
def test_of_equally_hard_ones_the_first_come_first(block: tuple[int, int]) -> None:
    score = torch.tensor([0.5, 0.25, 0.5, 0.75, 0.25, 0.5, 0.25, 0.5, 0.25, 0.25])[:, None]
    mined = mine_negatives(torch.ones(1, 1), score, torch.tensor([3]), unlike(10), 6, NO_MARGIN, block=block)
    assert mined.index.tolist() == [[0, 2, 5, 7, 1, 4]]
    assert mined.score.tolist() == [[0.5, 0.5, 0.5, 0.5, 0.25, 0.25]]


@pytest.mark.parametrize(("own", "left"), [(0.8, [0.5, 0.0, -0.39, -1.0]), (-0.4, [-1.0]), (0.0, [-0.39, -1.0])])
def test_a_near_positive_is_no_negative(own: float, left: list[float]) -> None:
    """Also where the positive's own score is negative, and a share of it would be more than it is."""
    scores = torch.tensor([own, 0.79, 0.5, 0.0, 0.77, -0.39, -1.0])
    mined = mine_negatives(torch.ones(1, 1), scores[:, None], torch.tensor([0]), unlike(7), 4, NegativeRules())
    assert mined.score[0, : len(left)].tolist() == pytest.approx(left)
    assert (mined.index[0, len(left) :] == -1).all()
    assert mined.excluded["margin"].tolist() == [6 - len(left)]
    assert mined.hardest.tolist() == pytest.approx([0.79])  # whatever the margin


def test_no_label_and_no_text_are_like_no_other() -> None:
    about = dataclasses.replace(unlike(5), text_id=torch.full((5,), -1))
    mined = mine_negatives(*make_vectors(2, 5), torch.arange(5), about, 4, RULES["same label"])
    assert not any(mined.excluded[rule].any() for rule in ("text", "window", "label"))


def test_an_anchor_is_not_its_own_negative_even_without_a_text_and_a_time() -> None:
    """It is left out as what it is, and counts for no rule."""
    about = Instances(torch.full((5,), -1), torch.zeros(5, 3, dtype=torch.int64), torch.full((5,), NO_LABEL))
    mined = mine_negatives(*make_vectors(2, 5), torch.arange(5), about, 5, NO_MARGIN, block=(2, 2))
    assert [sorted(row) for row in mined.index.tolist()] == [
        [-1, *(place for place in range(5) if place != anchor)] for anchor in range(5)
    ]
    assert not any(count.any() for count in mined.excluded.values())


def test_an_instance_alone_has_no_negatives() -> None:
    mined = mine_negatives(*make_vectors(2, 1), torch.arange(1), unlike(1), 3, NegativeRules())
    assert mined.index.tolist() == [[-1, -1, -1]]
    assert mined.score.tolist() == [[-math.inf] * 3]
    assert mined.hardest.tolist() == [-math.inf]
    assert not any(count.any() for count in mined.excluded.values())


@pytest.mark.parametrize("strategy", ["top", "random"])
def test_among_no_instances_there_is_nothing_to_mine(strategy: str) -> None:
    """A corpus may be without texts."""
    rules = NegativeRules(sampling_strategy=strategy)
    mined = mine_negatives(*make_vectors(2, 0), torch.arange(0), make_instances(0), 3, rules)
    assert mined.index.shape == mined.score.shape == (0, 3)
    assert len(mined.positive) == len(mined.hardest) == len(mined.excluded["margin"]) == 0


@pytest.mark.parametrize("strategy", ["top", "random"])
def test_where_none_is_admissible_there_are_none(strategy: str) -> None:
    about = dataclasses.replace(unlike(9), text_id=torch.zeros(9, dtype=torch.int64))
    rules = dataclasses.replace(NO_MARGIN, sampling_strategy=strategy)
    mined = mine_negatives(*make_vectors(2, 9), torch.arange(9), about, 2, rules, block=(4, 4))
    assert (mined.index == -1).all()
    assert (mined.score == -math.inf).all()
    assert mined.excluded["text"].tolist() == [8] * 9


def looked_at(rules: NegativeRules, ranks: int) -> Tensor:
    """The places of each anchor's candidates that a random choice may take, from the hardest."""
    top = dataclasses.replace(rules, sampling_strategy="top", range_max=None)
    return mine_negatives(*make_vectors(2), torch.arange(SIZE), make_instances(), ranks, top).index


@pytest.mark.parametrize("more", [{}, {"range_min": 3}, {"range_min": 2, "range_max": 9}])
def test_random_negatives_are_any_of_those_looked_at(more: dict[str, int]) -> None:
    count = 4
    rules = NegativeRules(relative_margin=0.25, sampling_strategy="random", **more)
    pool = looked_at(rules, more["range_max"] - more["range_min"] if "range_max" in more else 4 * count)
    seen: list[set[int]] = [set() for _ in range(SIZE)]
    for seed in range(40):
        mined = mine_negatives(*make_vectors(2), torch.arange(SIZE), make_instances(), count, rules, seed=seed)
        for anchor, row in enumerate(mined.index.tolist()):
            taken = [place for place in row if place >= 0]
            offered = pool[anchor][pool[anchor] >= 0].tolist()
            ranks = [offered.index(place) for place in taken]
            assert ranks == sorted(set(ranks)), "none twice, the hardest first"
            assert len(taken) == min(count, len(offered))
            assert row[len(taken) :] == [-1] * (count - len(taken))
            seen[anchor] |= set(taken)
    assert seen == [set(row[row >= 0].tolist()) for row in pool]


def test_a_random_choice_is_settled_by_its_seed() -> None:
    rules = NegativeRules(relative_margin=None, sampling_strategy="random")
    anchors, candidates = make_vectors(2)
    one, again, other = (
        mine_negatives(anchors, candidates, torch.arange(SIZE), make_instances(), 4, rules, seed=seed).index
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert (one != other).any(dim=1).float().mean() > 0.5


def test_no_gradient_and_no_change_reaches_what_it_is_given() -> None:
    anchors, candidates = make_vectors(2)
    before = anchors.clone(), candidates.clone()
    anchors.requires_grad_()
    mined = mine_negatives(anchors, candidates, torch.arange(SIZE), make_instances(), 4, NegativeRules())
    assert not mined.score.requires_grad
    assert torch.equal(anchors, before[0])
    assert torch.equal(candidates, before[1])
