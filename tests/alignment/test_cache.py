"""Mined negatives that stand outside of the batch."""

import torch
import torch.nn.functional as F

from trace_lit.alignment import Level, NegativeCache, contrastive_loss

FIRST = 100  # the corpus is behind another one of so many rows


def make_cache() -> NegativeCache:
    generator = torch.Generator().manual_seed(0)
    series, text = F.normalize(torch.randn(2, 6, 4, generator=generator), dim=-1)
    of_text = torch.tensor([[1, 4], [3, -1], [5, 0], [0, 1], [2, 3], [-1, -1]])
    return NegativeCache(FIRST, series, text, of_text, of_text.roll(1, 0))


def make_level(size: int) -> Level:
    generator = torch.Generator().manual_seed(1)
    series, text = F.normalize(torch.randn(2, size, 4, generator=generator), dim=-1)
    rows = torch.arange(size)
    window = torch.stack([rows, rows, rows + 1], dim=1)
    return Level(series.requires_grad_(), text.requires_grad_(), rows, window, rows)


def test_negatives_of_the_batch_and_missing_ones_are_not_counted_twice():
    cache, level = make_cache(), make_level(3)
    to_series, to_text = cache.similarities(level, torch.tensor([0, 2, 5]) + FIRST)
    assert to_series.isfinite().tolist() == [[True, True], [False, False], [False, False]]
    torch.testing.assert_close(to_series[0], level.text[0] @ cache.series[[1, 4]].T)
    assert to_text.isfinite().tolist() == [[False, False], [True, False], [False, True]]
    torch.testing.assert_close(to_text[1, 0], level.series[1] @ cache.text[3])
    torch.testing.assert_close(to_text[2, 1], level.series[2] @ cache.text[3])


def test_a_row_belongs_to_the_cache_of_its_corpus():
    cache = make_cache()
    assert FIRST in cache
    assert FIRST + 5 in cache
    assert FIRST - 1 not in cache
    assert FIRST + 6 not in cache


def test_they_are_further_terms_of_the_denominator():
    cache, level, temperature = make_cache(), make_level(3), torch.tensor(0.1, requires_grad=True)
    outside = cache.similarities(level, torch.tensor([0, 2, 5]) + FIRST)
    loss = contrastive_loss(level, temperature, lambda _: None, outside)
    logits = torch.cat([level.text @ level.series.T, outside[0]], dim=1) / 0.1
    torch.testing.assert_close(loss.text_to_series, F.cross_entropy(logits, torch.arange(3)))
    assert loss.negatives == 2 + 2 / 3
    loss.total.backward()
    for moved in (level.text, level.series, temperature):
        assert moved.grad.isfinite().all()
        assert moved.grad.abs().sum() > 0
    assert not cache.series.requires_grad
