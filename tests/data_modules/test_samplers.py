from __future__ import annotations

import pickle
from collections import Counter

import numpy as np
import pytest

from data_modules.corpus import CorpusError
from data_modules.samplers import DomainBatchSampler, Draw, EvaluationBatchSampler


def epoch(sampler: DomainBatchSampler, number: int) -> list[list[int]]:
    sampler.set_epoch(number)
    return list(sampler)


def corpus_of(batch: list[int], sizes: list[int]) -> int:
    corpora = {int(np.searchsorted(np.cumsum(sizes), index, side="right")) for index in batch}
    assert len(corpora) == 1, "a batch holds rows of several corpora"
    return corpora.pop()


@pytest.mark.parametrize("size", [7, 64, 65, 129])
@pytest.mark.parametrize("world_size", [1, 2, 3])
@pytest.mark.parametrize("batch_size", [1, 8, 32])
def test_each_row_of_one_corpus_comes_once_an_epoch(size: int, world_size: int, batch_size: int) -> None:
    ranks = [
        epoch(DomainBatchSampler([size], batch_size, rank=rank, world_size=world_size), 3) for rank in range(world_size)
    ]
    assert sorted(index for batches in ranks for batch in batches for index in batch) == list(range(size))
    assert len({len(batches) for batches in ranks}) == 1
    for shards in zip(*ranks, strict=True):
        lengths = [len(shard) for shard in shards]
        assert min(lengths) >= 1
        assert max(lengths) - min(lengths) <= 1
        assert sum(lengths) <= max(batch_size, 2) * world_size


def test_processes_share_the_global_batches_of_one_process() -> None:
    one = epoch(DomainBatchSampler([100, 30], 16, seed=5), 2)
    two = [epoch(DomainBatchSampler([100, 30], 8, seed=5, rank=rank, world_size=2), 2) for rank in range(2)]
    assert [left + right for left, right in zip(*two, strict=True)] == one


def test_order_depends_on_seed_and_epoch_alone() -> None:
    sampler = DomainBatchSampler([50, 20], 8, seed=1)
    first, second = epoch(sampler, 0), epoch(sampler, 1)
    assert first != second
    assert epoch(DomainBatchSampler([50, 20], 8, seed=1), 1) == second
    assert epoch(DomainBatchSampler([50, 20], 8, seed=2), 1) != second


def test_iterator_keeps_the_epoch_that_it_was_made_with() -> None:
    sampler = DomainBatchSampler([50], 8)
    expected = epoch(sampler, 0)
    sampler.set_epoch(0)
    iterator = iter(sampler)
    sampler.set_epoch(1)
    batches = list(iterator)
    assert batches == expected
    assert {batch.epoch for batch in batches if isinstance(batch, Draw)} == {0}


def test_goes_on_in_the_middle_of_an_epoch() -> None:
    sampler = DomainBatchSampler([50, 20], 8)
    whole = epoch(sampler, 4)
    resumed = DomainBatchSampler([50, 20], 8)
    resumed.load_state_dict({"epoch": 4, "first_batch": 3})
    assert list(resumed) == whole[3:]
    assert list(resumed) == whole, "only the first pass after resuming starts in the middle"


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_corpora_mix_by_size_to_the_exponent(exponent: float) -> None:
    sizes = [1600, 400, 100]
    sampler = DomainBatchSampler(sizes, 8, mixing_exponent=exponent)
    batches = epoch(sampler, 0)
    assert len(batches) == len(sampler) == sum(np.ceil(np.array(sizes) / 8))
    shares = Counter(corpus_of(batch, sizes) for batch in batches)
    weights = np.array(sizes, float) ** exponent
    expected = len(batches) * weights / weights.sum()
    assert np.abs(np.array([shares[n] for n in range(3)]) - expected).max() <= 1.5


def test_rows_of_a_mixed_corpus_come_equally_often() -> None:
    sizes = [300, 40]
    sampler = DomainBatchSampler(sizes, 16, mixing_exponent=0.3)
    count = np.zeros(340, int)
    for number in range(7):
        for batch in epoch(sampler, number):
            assert len(set(batch)) == len(batch)
            count[batch] += 1
    assert np.ptp(count[:300]) <= 1
    assert np.ptp(count[300:]) <= 1
    assert count[300:].min() > count[:300].max()


def test_a_tiny_corpus_has_a_batch_an_epoch() -> None:
    sizes = [10_000, 3]
    assert 1 in {corpus_of(batch, sizes) for batch in epoch(DomainBatchSampler(sizes, 32, mixing_exponent=1.0), 0)}


def test_fewer_rows_than_processes_is_an_error() -> None:
    with pytest.raises(CorpusError, match="corpus 2 of 2 has 3 rows, too few for 4 processes"):
        DomainBatchSampler([10, 3], 8, world_size=4)
    with pytest.raises(CorpusError, match="too few"):
        EvaluationBatchSampler(1, 8, world_size=2)


@pytest.mark.parametrize("size", [5, 16, 17, 33])
@pytest.mark.parametrize("world_size", [1, 2, 4])
def test_evaluation_gives_each_row_once_in_order(size: int, world_size: int) -> None:
    ranks = [list(EvaluationBatchSampler(size, 4, rank=rank, world_size=world_size)) for rank in range(world_size)]
    together = [index for shards in zip(*ranks, strict=True) for shard in shards for index in shard]
    assert together == list(range(size))
    assert all(1 <= len(shard) <= 4 for batches in ranks for shard in batches)
    assert len(ranks[0]) == len(EvaluationBatchSampler(size, 4, world_size=world_size))


def test_a_draw_reaches_worker_processes_with_its_epoch() -> None:
    draw = pickle.loads(pickle.dumps(Draw([3, 1], 7)))
    assert (list(draw), draw.epoch) == ([3, 1], 7)
