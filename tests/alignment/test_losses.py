"""InfoNCE, the choice of negatives, and that many processes compute what one computes."""

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from tests.processes import on_processes
from trace_lit.alignment import (
    Level,
    admissible,
    contrastive_loss,
    hardest,
    info_nce,
    multi_positive_info_nce,
    negatives_at,
    statement_loss,
    turned_loss,
    voice_loss,
)
from trace_lit.distributed import gather, rank, row_offset


def make_level(size: int, width: int = 8, seed: int = 0) -> Level:
    generator = torch.Generator().manual_seed(seed)
    series, text = F.normalize(torch.randn(2, size, width, generator=generator), dim=-1)
    start = 10 * torch.arange(size)
    window = torch.stack([torch.zeros(size, dtype=torch.int64), start, start + 10], dim=1)
    return Level(series, text, torch.arange(size), window, torch.arange(size))


def rows(level: Level, which) -> Level:
    return Level(*(field[which] for field in vars(level).values()))


ALL = lambda _: None  # noqa: E731
TEMPERATURE = torch.tensor(0.1)


def test_with_all_negatives_it_is_cross_entropy():
    level = make_level(7)
    loss = contrastive_loss(level, TEMPERATURE, ALL)
    logits = level.text @ level.series.T / TEMPERATURE
    torch.testing.assert_close(loss.text_to_series, F.cross_entropy(logits, torch.arange(7)))
    torch.testing.assert_close(loss.series_to_text, F.cross_entropy(logits.T, torch.arange(7)))
    assert loss.negatives == 6


def test_k_hardest_are_the_most_similar():
    similarity = torch.tensor([[0.9, 0.5, 0.7, 0.1]])
    allowed = torch.tensor([[False, True, True, True]])
    assert hardest(similarity, allowed, 2).tolist() == [[False, True, True, False]]
    assert hardest(similarity, allowed, 9).tolist() == allowed.tolist()
    assert hardest(similarity, torch.zeros(1, 4, dtype=torch.bool), 2).sum() == 0


def test_fewer_but_harder_negatives_by_hand():
    logits = torch.tensor([[2.0, 1.0, 0.0]])
    loss = info_nce(logits, torch.tensor([1]), torch.tensor([[True, False, False]]))
    assert float(loss) == pytest.approx(math.log(math.e**2 + math.e) - 1)
    assert float(info_nce(logits, torch.tensor([1]), torch.zeros(1, 3, dtype=torch.bool))) == 0


def test_equal_texts_and_overlapping_windows_are_no_negatives():
    text = torch.tensor([1, 1, 2, 3, -1, -1])
    window = torch.tensor([[0, 0, 10], [1, 0, 10], [0, 5, 15], [0, 10, 20], [1, 10, 20], [1, 30, 40]])
    allowed = admissible(text, text, window, window)
    refused = {(i, j) for i in range(6) for j in range(i + 1, 6) if not allowed[i, j]}
    assert refused == {(0, 1), (0, 2), (2, 3)}
    assert not allowed.diagonal().any()
    assert (allowed == allowed.T).all()


def test_an_equal_text_changes_no_loss_but_its_own():
    level = make_level(5)
    level.text_id[3] = level.text_id[0]
    logits = level.text @ level.series.T / TEMPERATURE
    logits[0, 3] = logits[3, 0] = -torch.inf
    expected = F.cross_entropy(logits, torch.arange(5))
    torch.testing.assert_close(contrastive_loss(level, TEMPERATURE, ALL).text_to_series, expected)


def test_the_schedule_starts_with_all_and_ends_with_k():
    counts = [negatives_at(p / 10, 255, 32, 0.3) for p in range(11)]
    assert counts[:3] == [None, None, None]
    assert counts[-1] == 32
    assert all(a > b for a, b in pairwise(counts[3:]))
    assert negatives_at(0.9, 255, None, 0.3) is None
    assert negatives_at(1.0, 20, 32, 0.0) is None


def test_small_and_empty_batches_are_fine():
    for size in (0, 1, 2):
        loss = contrastive_loss(make_level(size), TEMPERATURE, lambda _: 32)
        assert loss.total.isfinite()


def losses_and_gradients(sizes: list[int], count: int | None, seed: int) -> dict:
    """This process's rows of one batch through a linear layer: the loss and the averaged gradients."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(8, 8)
    whole = make_level(sum(sizes), seed=seed)
    whole.text_id[1] = whole.text_id[-1]
    begin = sum(sizes[: rank()])
    mine = rows(whole, slice(begin, begin + sizes[rank()]))
    mine.series, mine.text = F.normalize(layer(mine.series), dim=-1), F.normalize(layer(mine.text), dim=-1)
    loss = contrastive_loss(mine, TEMPERATURE, lambda _: count)
    loss.total.backward()
    processes = len(sizes)
    gradients = {name: gather(p.grad.unsqueeze(0)).sum(0) / processes for name, p in layer.named_parameters()}
    total = gather(loss.total.detach().unsqueeze(0)).sum() / processes
    return {"loss": total, "outranked": gather(loss.outranked.unsqueeze(0)).sum() / processes, **gradients}


@pytest.mark.parametrize("count", [None, 3])
def test_two_processes_give_the_loss_and_the_gradients_of_one(count):
    alone = losses_and_gradients([11], count, seed=5)
    for sizes in ([6, 5], [9, 2]):
        for result in on_processes(2, losses_and_gradients, sizes, count, 5):
            for name, value in alone.items():
                torch.testing.assert_close(result[name], value, rtol=1e-5, atol=1e-6)


def gathered() -> tuple[torch.Tensor, torch.Tensor, int]:
    mine = torch.full((rank() + 1, 2), float(rank()), requires_grad=True)
    everything = gather(mine)
    (everything * torch.arange(3.0)[:, None]).sum().backward()
    flags = gather(torch.tensor([rank() == 1] * rank(), dtype=torch.bool))
    return everything.detach(), mine.grad, row_offset(len(mine)) + 10 * int(flags.sum())


def test_gather_joins_parts_of_different_length_and_returns_gradients():
    (first, first_gradient, _), (second, second_gradient, offset) = on_processes(2, gathered)
    assert first[:, 0].tolist() == second[:, 0].tolist() == [0.0, 1.0, 1.0]
    assert offset == 11
    assert first_gradient[:, 0].tolist() == [0.0]
    assert second_gradient[:, 0].tolist() == [2.0, 4.0]  # summed over both processes


def test_with_one_positive_an_anchor_the_loss_of_statements_is_that_of_pairs():
    level = make_level(7)
    pairs = contrastive_loss(level, TEMPERATURE, ALL)
    truth = torch.eye(7, dtype=torch.bool)
    statements = statement_loss(level.series, level.text, TEMPERATURE, truth, truth)
    torch.testing.assert_close(statements.total, pairs.total)
    torch.testing.assert_close(statements.outranked, pairs.outranked)


def test_further_windows_are_candidates_of_the_texts_and_nothing_else():
    series, text = F.normalize(torch.randn(2, 7, 5), dim=2)
    truth = torch.rand(7, 7) < 0.5
    everything = statement_loss(series, text, TEMPERATURE, truth, truth)
    batch = statement_loss(series[:4], text, TEMPERATURE, truth, truth[:, :4], series[4:])
    torch.testing.assert_close(batch.text_to_series, everything.text_to_series)
    alone = statement_loss(series[:4], text, TEMPERATURE, truth[:, :4], truth[:, :4])
    torch.testing.assert_close(batch.series_to_text, alone.series_to_text)
    assert batch.text_to_series != alone.text_to_series


def test_positives_do_not_compete_with_one_another():
    logits = torch.tensor([[3.0, 2.0, 1.0, -1.0]])
    positive = torch.tensor([[True, True, False, False]])
    loss = multi_positive_info_nce(logits, positive, torch.tensor([[False, False, True, True]]))
    alone = [info_nce(logits, torch.tensor([place]), torch.tensor([[False, False, True, True]])) for place in (0, 1)]
    torch.testing.assert_close(loss, torch.stack(alone).mean(0))


def test_a_text_without_any_window_that_it_fits_or_fails_counts_for_nothing():
    logits = torch.randn(3, 4, requires_grad=True)
    positive = torch.tensor([[False] * 4, [True] * 4, [True, False, False, False]])
    loss = multi_positive_info_nce(logits, positive, ~positive)
    assert loss[:2].tolist() == [0.0, 0.0]
    assert loss[2] > 0
    loss.sum().backward()
    assert logits.grad.isfinite().all()
    series, text = F.normalize(torch.randn(2, 4, 5), dim=2)
    both = statement_loss(series, text[:3], torch.tensor(0.1), positive, positive)
    only = multi_positive_info_nce(text[2:3] @ series.T / 0.1, positive[2:3], ~positive[2:3])
    torch.testing.assert_close(both.text_to_series, only.squeeze(0))


def test_voice_is_wanted_where_a_text_speaks() -> None:
    """Of one channel the channel alone, of several the whole as well; each part that is wrong costs as much."""
    spoken = torch.tensor([[True, False], [True, True]])
    right = torch.tensor([[0.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    losses = [voice_loss(right, spoken)]
    for part in range(3):
        wrong = right.clone()
        wrong[:, part] = 1 - wrong[:, part]
        losses.append(voice_loss(wrong, spoken))
    assert losses[0].max() < 1e-3
    torch.testing.assert_close(torch.stack(losses[1:]), losses[1].expand(3, 2), rtol=1e-4, atol=0)
    assert losses[1].min() > 1


def test_a_text_that_is_turned_round_lies_farther_away() -> None:
    series, near, far = (F.normalize(own, dim=1) for own in torch.eye(3).add(0.1).split(1))
    temperature = torch.tensor(0.1)
    assert turned_loss(series, series, far, temperature) < 0.01 < turned_loss(series, near, far, temperature)
    torch.testing.assert_close(turned_loss(series, far, far, temperature), torch.tensor([2.0]).log())
