from __future__ import annotations

import pickle
from collections import Counter
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

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
    for _ in range(2):  # as a DataLoader with workers does
        assert list(resumed) == whole[3:]
    resumed.set_epoch(4)
    assert list(resumed) == whole


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


def random_table(size: int, count: int = 5, seed: int = 0) -> NDArray[np.int64]:
    """Some negatives for each row of one corpus, -1 where there are fewer."""
    chance = np.random.default_rng(seed)
    table = chance.integers(0, size, (size, count))
    table[chance.random(table.shape) < 0.2] = -1
    return np.where(table == np.arange(size)[:, None], -1, table)


@pytest.mark.parametrize("size", [7, 64, 129])
@pytest.mark.parametrize("world_size", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 2, 8, 32])
@pytest.mark.parametrize("in_batch", [0, 1, 3])
def test_hard_negatives_take_no_row_away_and_none_twice(
    size: int, world_size: int, batch_size: int, in_batch: int
) -> None:
    def batches(**mined: Any) -> list[list[int]]:
        ranks = [
            epoch(DomainBatchSampler([size], batch_size, rank=rank, world_size=world_size, **mined), 3)
            for rank in range(world_size)
        ]
        return [batch for shards in ranks for batch in shards]

    plain, mined = batches(), batches(negatives=lambda _: random_table(size), in_batch=in_batch)
    assert sorted(index for batch in mined for index in batch) == list(range(size))
    assert [len(batch) for batch in mined] == [len(batch) for batch in plain]


def kin(size: int, of: int = 4) -> NDArray[np.int64]:
    """Rows of a family of `of` are each other's negatives."""
    rows = np.arange(size)
    return np.stack([rows // of * of + (rows + step) % of for step in range(1, of)], axis=1)


def share_with_a_negative(batches: list[list[int]], table: NDArray[np.int64]) -> float:
    return float(np.mean([np.isin(table[index], batch).any() for batch in batches for index in batch]))


@pytest.mark.parametrize("in_batch", [1, 3])
def test_anchors_meet_their_hard_negatives(in_batch: int) -> None:
    table = kin(512)
    chance = share_with_a_negative(epoch(DomainBatchSampler([512], 32), 1), table)
    mined = epoch(DomainBatchSampler([512], 32, negatives=lambda _: table, in_batch=in_batch), 1)
    assert share_with_a_negative(mined, table) > 3 * chance > 0.3


def test_the_nearest_negatives_join_first() -> None:
    table = np.stack([np.arange(512) ^ 1, np.arange(512) ^ 2], axis=1)
    batches = epoch(DomainBatchSampler([512], 32, negatives=lambda _: table, in_batch=1), 1)
    assert share_with_a_negative(batches, table[:, :1]) > 3 * share_with_a_negative(batches, table[:, 1:])


def test_batches_follow_the_table_of_their_own_epoch() -> None:
    asked: list[int] = []

    def negatives(number: int) -> NDArray[np.int64] | None:
        asked.append(number)
        return random_table(60, seed=number) if number else None

    sampler = DomainBatchSampler([60], 8, seed=1, negatives=negatives)
    plain = DomainBatchSampler([60], 8, seed=1)
    assert epoch(sampler, 0) == epoch(plain, 0)
    first, second = epoch(sampler, 1), epoch(sampler, 2)
    assert asked == [0, 1, 2]
    assert epoch(DomainBatchSampler([60], 8, seed=1, negatives=negatives), 1) == first != epoch(plain, 1)
    other = epoch(DomainBatchSampler([60], 8, seed=1, negatives=lambda _: random_table(60, seed=9)), 2)
    assert other != second
    assert epoch(DomainBatchSampler([60], 8, seed=2, negatives=negatives), 2) != second
    resumed = DomainBatchSampler([60], 8, seed=1, negatives=negatives)
    resumed.load_state_dict({"epoch": 2, "first_batch": 5})
    assert list(resumed) == second[5:]


def test_a_table_without_negatives_leaves_batches_to_chance() -> None:
    nothing = np.full((130, 4), -1)
    assert epoch(DomainBatchSampler([100, 30], 16, negatives=lambda _: nothing), 2) == epoch(
        DomainBatchSampler([100, 30], 16), 2
    )


def test_processes_share_the_mined_batches_of_one_process() -> None:
    how = {"seed": 5, "negatives": lambda _: kin(128)}
    one = epoch(DomainBatchSampler([100, 28], 16, **how), 2)
    two = [epoch(DomainBatchSampler([100, 28], 8, rank=rank, world_size=2, **how), 2) for rank in range(2)]
    assert [left + right for left, right in zip(*two, strict=True)] == one


def test_rows_of_mined_corpora_come_equally_often_though_tables_change() -> None:
    sizes = [300, 40]

    def negatives(number: int) -> NDArray[np.int64]:
        second = random_table(40, seed=number)
        return np.concatenate([random_table(300, seed=number), np.where(second < 0, -1, second + 300)])

    sampler = DomainBatchSampler(sizes, 16, mixing_exponent=0.3, negatives=negatives)
    count = np.zeros(340, int)
    for number in range(7):
        for batch in epoch(sampler, number):
            corpus_of(batch, sizes)
            assert len(set(batch)) == len(batch)
            count[batch] += 1
    assert np.ptp(count[:300]) <= 1
    assert np.ptp(count[300:]) <= 1


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
