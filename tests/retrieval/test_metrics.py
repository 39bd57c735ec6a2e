"""Properties of the retrieval metrics, most of them against numbers worked out by hand or by brute force."""

import itertools
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torchmetrics.functional.text.rouge import rouge_score

from trace_lit.batch import NO_LABEL
from trace_lit.retrieval import Pool, RetrievalError, evaluate_retrieval, with_split
from trace_lit.retrieval.directions import FirstHit
from trace_lit.retrieval.metrics import rouge_l

NAMES = ("P@1", "P@5", "P@10", "MRR")


def make_pool(series, text, *, text_id=None, label=None, has_text=None) -> Pool:
    series, text = torch.as_tensor(series).float(), torch.as_tensor(text).float()
    rows = torch.arange(len(series))
    return Pool(
        series=series,
        text=text,
        has_text=torch.ones(len(rows), dtype=torch.bool) if has_text is None else torch.tensor(has_text),
        label=torch.full_like(rows, NO_LABEL) if label is None else torch.as_tensor(label),
        text_id=rows if text_id is None else torch.as_tensor(text_id),
        index=rows,
    )


def random_pool(size: int, width: int = 16, seed: int = 0, correlation: float = 0.0, labels: int = 3) -> Pool:
    generator = torch.Generator().manual_seed(seed)
    series = torch.randn(size, width, generator=generator)
    text = correlation * series + torch.randn(size, width, generator=generator)
    label = torch.randint(labels, (size,), generator=generator)
    return make_pool(F.normalize(series, dim=1), F.normalize(text, dim=1), label=label)


def values_of(metrics, prefix):
    return [metrics[f"{prefix}/{name}"] for name in NAMES]


# Scores of texts (rows) and series (columns) that the four instances below have, with E = 4 and one-hot series.
SCORES = [
    [0.1, 0.9, 0.2, 0.3],  # truth at rank 4
    [0.5, 0.8, 0.1, 0.2],  # 1
    [0.6, 0.1, 0.5, 0.2],  # 2
    [0.3, 0.4, 0.2, 0.1],  # 4
]


def test_a_case_worked_out_by_hand():
    pool = make_pool(torch.eye(4), SCORES, label=[0, 0, 1, NO_LABEL])
    metrics = evaluate_retrieval(pool, bootstrap=0)
    assert values_of(metrics, "text_to_series/pair") == pytest.approx([1 / 4, 1, 1, (1 / 4 + 1 + 1 / 2 + 1 / 4) / 4])
    # Labels: text 0 finds series 1 first (hit), text 1 finds 1 (hit), text 2 finds 0, then 2; text 3 is not asked.
    assert metrics["text_to_series/label/queries"] == 3
    assert values_of(metrics, "text_to_series/label") == pytest.approx([2 / 3, 1, 1, (1 + 1 + 1 / 2) / 3])
    # Columns: series 0 ranks its text 4th, 1 second, 2 first, 3 last.
    assert values_of(metrics, "series_to_text/pair") == pytest.approx([1 / 4, 1, 1, (1 / 4 + 1 / 2 + 1 + 1 / 4) / 4])
    # Series are orthogonal: only series 0 and 1 have another of their label, one of three that tie.
    assert metrics["series_to_series/label/queries"] == 2
    assert values_of(metrics, "series_to_series/label") == pytest.approx([1 / 3, 1, 1, (1 + 1 / 2 + 1 / 3) / 3])
    assert metrics["pool/instances"] == 4
    assert metrics["pool/labelled"] == 3


def test_perfect_embeddings_score_one_everywhere():
    label = torch.arange(12) // 4
    centres = F.normalize(torch.randn(3, 8), dim=1)[label]
    vectors = F.normalize(centres + 0.05 * torch.randn(12, 8), dim=1)
    metrics = evaluate_retrieval(make_pool(vectors, vectors, label=label))
    measured = {key: value for key, value in metrics.items() if key.endswith(NAMES) and not key.startswith("random/")}
    assert len(measured) == 5 * len(NAMES)
    assert all(value == pytest.approx(1) for value in measured.values())
    assert metrics["text_to_series/pair/MRR/ci95"] == pytest.approx([1, 1])


def test_random_embeddings_score_like_the_random_ranker():
    metrics = evaluate_retrieval(random_pool(400))
    for key, value in metrics.items():
        if key.endswith("/MRR") and not key.startswith("random/"):
            low, high = metrics[f"{key}/ci95"]
            assert abs(metrics[f"random/{key}"] - value) < 2 * (high - low)
    assert metrics["random/text_to_series/pair/P@5"] == pytest.approx(5 / 400)
    assert metrics["random/text_to_series/pair/MRR"] == pytest.approx(sum(1 / r for r in range(1, 401)) / 400)


@pytest.mark.parametrize("scale", [1.0, 0.37])
def test_a_collapsed_model_scores_exactly_like_the_random_ranker(scale):
    """However the truth stands in the pool; not worse either, so that chance is the same in both rows."""
    vector = F.normalize(torch.randn(1, 96), dim=1).repeat(50, 1)
    noise = 1e-8 * torch.randn(50, 96)  # what rounding leaves
    pool = make_pool(vector + noise, scale * vector, label=torch.arange(50) % 7, text_id=torch.arange(50) // 2)
    metrics = evaluate_retrieval(pool, bootstrap=0)
    checked = [key for key in metrics if key.endswith(NAMES) and not key.startswith("random/")]
    assert len(checked) == 5 * len(NAMES)
    for key in checked:
        assert metrics[key] == pytest.approx(metrics[f"random/{key}"]), key


@pytest.mark.parametrize(("better", "tied", "hits"), [(0, 1, 1), (0, 5, 1), (2, 4, 2), (4, 3, 3), (1, 6, 2), (9, 4, 1)])
def test_ties_count_with_their_expectation_over_all_orders(better, tied, hits):
    ranks = [better + 1 + min(order) for order in itertools.combinations(range(tied), hits)]  # equally likely
    first = FirstHit(*(torch.tensor([number]) for number in (better, tied, hits)))
    assert first.reciprocal_rank().item() == pytest.approx(np.mean([1 / rank for rank in ranks]))
    for k in (1, 3, 5, 10):
        assert first.hit_rate(k).item() == pytest.approx(np.mean([rank <= k for rank in ranks]))


def test_many_ties_at_once_count_like_each_alone():
    generator = torch.Generator().manual_seed(0)
    better = torch.randint(20, (300,), generator=generator)
    hits = torch.randint(1, 5, (300,), generator=generator)
    tied = hits + torch.randint(300, (300,), generator=generator)
    together = FirstHit(better, tied, hits).reciprocal_rank()
    alone = [FirstHit(better[[n]], tied[[n]], hits[[n]]).reciprocal_rank() for n in range(300)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_equal_texts_are_one_candidate_and_any_of_their_series_is_a_hit():
    # Instances 0 and 1 share a text; the text is closest to series 1, then to 2.
    text = [[0.2, 0.9, 0.5], [0.2, 0.9, 0.5], [0.0, 0.1, 0.8]]
    pool = make_pool(torch.eye(3), text, text_id=[7, 7, 3])
    metrics = evaluate_retrieval(pool, bootstrap=0)
    assert metrics["text_to_series/pair/queries"] == 3
    assert metrics["text_to_series/pair/MRR"] == pytest.approx(1)
    assert metrics["random/text_to_series/pair/P@1"] == pytest.approx((2 / 3 + 2 / 3 + 1 / 3) / 3)
    assert metrics["pool/distinct_texts"] == 2
    # Two candidates: series 0 scores 0.2 and 0.0, series 1 0.9 and 0.1, series 2 0.5 and 0.8.
    assert metrics["series_to_text/pair/MRR"] == pytest.approx(1)
    assert metrics["random/series_to_text/pair/P@1"] == pytest.approx(1 / 2)
    # A text alone against its double: no tie between equal texts.
    apart = make_pool(torch.eye(3), text, text_id=[0, 1, 2])
    assert evaluate_retrieval(apart, bootstrap=0)["series_to_text/pair/P@1"] == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)


def test_a_shared_text_has_the_most_frequent_label_of_its_instances():
    # Text 0 belongs to labels 1, 1, 0, text 1 to label 0; every series is closest to text 0.
    text = [[1.0, 0.0]] * 3 + [[0.5, 0.0]]
    pool = make_pool([[1.0, 0.0]] * 4, text, text_id=[0, 0, 0, 1], label=[1, 1, 0, 0])
    metrics = evaluate_retrieval(pool, bootstrap=0)
    assert metrics["series_to_text/label/P@1"] == pytest.approx(2 / 4)
    even = make_pool([[1.0, 0.0]] * 4, text, text_id=[0, 0, 1, 1], label=[1, 0, 0, 0])
    assert evaluate_retrieval(even, bootstrap=0)["series_to_text/label/queries"] == 3  # label 1 has no text


def test_instances_without_text_or_label_take_part_where_they_can():
    pool = random_pool(30, correlation=2.0)
    without = torch.arange(30) % 3 == 0
    pool.has_text[without] = False
    pool.text_id[without] = -1
    pool.label[::2] = NO_LABEL
    metrics = evaluate_retrieval(pool, bootstrap=0)
    assert metrics["text_to_series/pair/queries"] == metrics["series_to_text/pair/queries"] == 20
    assert metrics["text_to_series/label/queries"] == int(((pool.label >= 0) & pool.has_text).sum())
    assert metrics["random/text_to_series/pair/P@1"] == pytest.approx(1 / 30)  # all series are candidates
    assert metrics["random/series_to_text/pair/P@1"] == pytest.approx(1 / 20)
    # What a text vector holds where there is no text, and its id, change nothing.
    pool.text[without] = pool.series[without]
    pool.text_id[without] = 1
    assert evaluate_retrieval(pool, bootstrap=0) == metrics


def test_directions_and_matches_that_cannot_be_asked_have_no_keys():
    pool = random_pool(5)
    pool.has_text[:] = False
    pool.label[:] = NO_LABEL
    assert set(evaluate_retrieval(pool, bootstrap=5)) == {
        "pool/instances", "pool/texts", "pool/distinct_texts", "pool/labelled",
    }  # fmt: skip
    alone = evaluate_retrieval(random_pool(1), bootstrap=5)
    assert alone["text_to_series/pair/MRR"] == 1
    assert not any(key.startswith("series_to_series") for key in alone)


def test_a_series_does_not_find_itself():
    """Each series' own vector is the nearest, the other of its label the next."""
    vectors = F.normalize(torch.randn(4, 32), dim=1).repeat_interleave(2, 0) + 0.01 * torch.randn(8, 32)
    metrics = evaluate_retrieval(make_pool(vectors, vectors, label=torch.arange(8) // 2), bootstrap=0)
    assert metrics["series_to_series/label/P@1"] == 1
    lonely = evaluate_retrieval(make_pool(vectors, vectors, label=torch.arange(8)), bootstrap=0)
    assert not any(key.startswith("series_to_series/label") for key in lonely)


def test_the_block_size_does_not_change_a_number():
    pool = random_pool(57, correlation=0.5)
    pool.text_id[10:20] = 3
    text, values = [f"a {n} b {n % 5}" for n in range(57)], list(np.random.default_rng(0).normal(size=(57, 2, 8)))
    results = [evaluate_retrieval(pool, text, values, bootstrap=50, block=block) for block in (1, 100, 1000, 1 << 20)]
    assert all(result == results[0] for result in results)


def test_metrics_agree_with_sorting():
    """Against a plain ranking of every query, where nothing ties."""
    pool = random_pool(60, correlation=0.5)
    metrics = evaluate_retrieval(pool, bootstrap=0)
    order = (pool.text @ pool.series.T).argsort(dim=1, descending=True)
    pair = torch.tensor([(order[n] == n).nonzero()[0, 0] + 1 for n in range(60)])
    label = torch.tensor([(pool.label[order[n]] == pool.label[n]).nonzero()[0, 0] + 1 for n in range(60)])
    for match, rank in {"pair": pair, "label": label}.items():
        expected = [*((rank <= k).double().mean().item() for k in (1, 5, 10)), (1 / rank.double()).mean().item()]
        assert values_of(metrics, f"text_to_series/{match}") == pytest.approx(expected)


def test_intervals_cover_the_value_of_all_queries():
    """95 % of the intervals of some of the queries, drawn at random, hold the value of all of them."""
    pool = random_pool(500, correlation=1.0)
    key = "text_to_series/pair/MRR"
    everything = evaluate_retrieval(pool, bootstrap=0)[key]
    covered = []
    for seed in range(50):
        pool.has_text = torch.rand(500, generator=torch.Generator().manual_seed(seed)) < 0.15
        metrics = evaluate_retrieval(pool, bootstrap=200)
        low, high = metrics[f"{key}/ci95"]
        assert low <= metrics[key] <= high
        covered.append(low <= everything <= high)
    assert 0.85 < np.mean(covered) < 1


def test_resampling_is_repeatable():
    pool = random_pool(50)
    assert evaluate_retrieval(pool, seed=3) == evaluate_retrieval(pool, seed=3)
    assert evaluate_retrieval(pool, seed=3) != evaluate_retrieval(pool, seed=4)


def test_an_interval_is_as_wide_as_the_binomial_says():
    pool = random_pool(500, correlation=1.0)
    metrics = evaluate_retrieval(pool, bootstrap=2000)
    rate = metrics["text_to_series/pair/P@1"]
    low, high = metrics["text_to_series/pair/P@1/ci95"]
    assert high - low == pytest.approx(2 * 1.96 * (rate * (1 - rate) / 500) ** 0.5, rel=0.1)


def test_top_hits_are_held_against_the_query():
    # Text 0 finds series 1, text 1 finds series 1, text 2 has no text; series 2 is near series 0.
    pool = make_pool([[1.0, 0.0], [0.0, 1.0], [0.9, 0.1]], [[0.1, 0.9], [0.1, 0.9], [0.0, 0.0]], has_text=[1, 1, 0])
    pool.has_text = pool.has_text.bool()
    texts = ["warm and dry", "cold and wet", ""]
    nan = np.nan
    values = [np.array([[0.0, 2.0, nan], [10.0, 10.0, 10.0]]), np.array([[4.0, nan, 1.0], [0.0, 20.0, 10.0]]),
              np.array([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])]  # fmt: skip
    metrics = evaluate_retrieval(pool, texts, values, deviation=[2.0, 10.0], bootstrap=0)
    # Only steps that both observed: |0 - 4| / 2; |10 - 0|, |10 - 20|, |10 - 10| over 10. Query 1 finds itself: 0.
    assert metrics["text_to_series/top1/MAE"] == pytest.approx((2 + 1 + 1 + 0) / 4 / 2)
    assert metrics["text_to_series/top1/MSE"] == pytest.approx((4 + 1 + 1 + 0) / 4 / 2)
    assert metrics["text_to_series/top1/rougeL"] == pytest.approx((rouge_l(*texts[:2]) + 1) / 2)
    # Every series finds one of another shape (2, 2, 0), and in each of these pairs one has no text.
    assert "series_to_series/top1/MAE" not in metrics
    assert "series_to_series/top1/rougeL" not in metrics


def test_a_series_that_finds_its_own_shared_text_finds_itself():
    pool = make_pool(torch.eye(2), torch.ones(2, 2), text_id=[4, 4])
    values = [np.zeros((1, 4)), np.ones((1, 4))]
    assert evaluate_retrieval(pool, ["same"] * 2, values, bootstrap=0)["series_to_text/top1/MAE"] == 0


def test_rouge_l_is_that_of_torchmetrics_and_knows_other_scripts():
    words = ["rain", "Rain,", "wind", "3.5", "m/s", "the", "under_score", "it's", "cold"]
    draw = random.Random(0)
    for _ in range(100):
        one, other = (" ".join(draw.choices(words, k=draw.randint(1, 90))) for _ in range(2))
        theirs = rouge_score(one, other, rouge_keys="rougeL")["rougeL_fmeasure"]
        assert rouge_l(one, other) == pytest.approx(theirs.item(), abs=1e-6)
    assert rouge_l("сильный ветер и дождь", "Сильный дождь") == pytest.approx(2 * 2 / (4 + 2))
    assert rouge_l("", "") == 0


def test_texts_and_values_are_reached_by_the_dataset_index():
    pool = make_pool(torch.eye(2), torch.eye(2).flip(0))  # each text finds the other series
    pool.index = torch.tensor([1, 3])
    texts = ["", "left right", "", "left wrong"]
    assert evaluate_retrieval(pool, texts, bootstrap=0)["text_to_series/top1/rougeL"] == pytest.approx(0.5)
    with pytest.raises(RetrievalError, match="index 3"):
        evaluate_retrieval(pool, texts[:3], bootstrap=0)
    with pytest.raises(RetrievalError, match="1 deviations for 2 channels"):
        evaluate_retrieval(pool, texts, [np.zeros((2, 3))] * 4, deviation=[1.0])


def test_the_split_stands_before_every_key():
    assert with_split("test", {"text_to_series/pair/MRR": 0.5}) == {"test/text_to_series/pair/MRR": 0.5}


def test_windows_of_equal_values_count_as_one_target():
    values = [np.full((1, 3), float(number)) for number in (0, 1, 1, 1)]
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    metrics = evaluate_retrieval(make_pool(vectors, vectors), values=values, bootstrap=0)
    assert metrics["pool/equal_windows"] == 3
    for direction in ("text_to_series", "series_to_text"):
        assert metrics[f"{direction}/pair/P@1"] == pytest.approx((1 + 3 * 1 / 3) / 4)
        assert metrics[f"{direction}/pair_distinct/P@1"] == 1
        assert metrics[f"{direction}/pair_distinct/MRR"] == 1
    assert metrics["random/text_to_series/pair_distinct/P@1"] == pytest.approx((1 / 4 + 3 * 3 / 4) / 4)
    values[2] = values[2] + 1
    values[3] = values[3] + 2
    different = evaluate_retrieval(make_pool(vectors, vectors), values=values, bootstrap=0)
    assert not [key for key in different if "distinct/" in key or "equal" in key]
    assert {key: value for key, value in metrics.items() if "pair/" in key} == {
        key: value for key, value in different.items() if "pair/" in key
    }


def test_a_shared_text_and_equal_windows_join():
    values = [np.full((1, 3), float(number)) for number in (0, 1, 1, 2)]
    pool = make_pool(
        torch.eye(4), torch.eye(4)[[2, 2, 3, 3]], text_id=[7, 7, 8, 9]
    )  # 0 and 1 by text, 1 and 2 by values
    metrics = evaluate_retrieval(pool, values=values, bootstrap=0)
    assert metrics["text_to_series/pair_distinct/P@1"] == pytest.approx(3 / 4)  # text 8 finds series 3, text 9 too
