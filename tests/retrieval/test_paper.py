"""The paper's metrics against a computation by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from trace_lit.retrieval import Pool, RetrievalError
from trace_lit.retrieval.paper import evaluate_paper, print_paper


def make_pool(
    series: list[list[float]], text: list[list[float]], label: list[int], has_text: list[bool] | None = None
) -> Pool:
    count = len(series)
    vectors = [torch.nn.functional.normalize(torch.tensor(own, dtype=torch.float32), dim=1) for own in (series, text)]
    return Pool(
        series=vectors[0],
        text=vectors[1],
        has_text=torch.tensor(has_text or [True] * count),
        label=torch.tensor(label),
        text_id=torch.arange(count),
        index=torch.arange(count),
    )


@pytest.fixture
def pool() -> Pool:
    """Text 0 finds its series first, text 1 second, text 2 third; 2 and 3 have no event."""
    series = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.7, 0.7, 0.1]]
    text = [[1, 0, 0.1], [0.5, 0.9, 0], [0.9, 0.8, 0.3], [0, 0.1, 1]]
    return make_pool(series, text, [0, 0, -1, -1])


TEXTS = ["a cold day", "a cold night", "rain all day", "nothing"]
VALUES = [np.arange(8.0).reshape(2, 4), np.arange(8.0).reshape(2, 4)[:, ::-1], np.ones((2, 3)), np.full((2, 4), np.nan)]


def test_pairs_against_the_ranks_by_hand(pool):
    metrics = evaluate_paper(pool, TEXTS, VALUES)
    scores = pool.text.double() @ pool.series.double().T
    rank = [(int((own > own[place]).sum())) for place, own in enumerate(scores)]
    assert metrics["text_to_series/pair/P@1"] == np.mean([own < 1 for own in rank])
    assert metrics["text_to_series/pair/P@5"] == 1.0
    assert metrics["text_to_series/pair/MRR"] == pytest.approx(np.mean([1 / (own + 1) for own in rank]))


def test_label_precision_is_a_share_and_counts_none(pool):
    metrics = evaluate_paper(pool, TEXTS, VALUES)
    scores = pool.text.double() @ pool.series.double().T
    first = scores.argsort(dim=1, descending=True)
    same = pool.label[first] == pool.label.unsqueeze(1)
    assert metrics["text_to_series/label/P@1"] == same[:, 0].double().mean()
    assert metrics["text_to_series/label/P@5"] == pytest.approx(2 / 5)  # two of four candidates, of five places
    assert metrics["text_to_series/label_without_none/P@1"] == same[:2, 0].double().mean()
    reciprocal = [1 / (1 + own.tolist().index(True)) for own in same]
    assert metrics["text_to_series/label/MRR"] == pytest.approx(np.mean(reciprocal))


def test_the_labels_mrr_looks_at_the_first_ten_only():
    angles = np.linspace(0, 1.5, 13)
    series = [[np.cos(own), np.sin(own)] for own in angles]
    pool = make_pool(series, [[1, 0]] * 13, [1] * 12 + [2])
    metrics = evaluate_paper(pool, ["x"] * 13, [np.ones((1, 2))] * 13)
    assert metrics["text_to_series/label/MRR"] == pytest.approx(12 / 13)  # the last one's label stands in place 13


def test_the_constant_answer_stands_beside():
    pool = make_pool([[1, 0]] * 10, [[1, 0]] * 10, [-1] * 6 + [3] * 3 + [5])
    metrics = evaluate_paper(pool, ["x"] * 10, [np.ones((1, 2))] * 10)
    assert metrics["constant/label/P@1"] == metrics["constant/label/P@10"] == pytest.approx(0.6)
    assert metrics["constant/label_without_none/P@1"] == pytest.approx(0.75)
    assert metrics["random/label/P@1"] == pytest.approx(0.36 + 0.09 + 0.01)
    assert metrics["random/label_without_none/P@1"] == pytest.approx((3 * 0.3 + 0.1) / 4)


def test_the_top_hit_is_compared_with_the_query():
    pool = make_pool([[1, 0], [0, 1]], [[0, 1], [1, 0]], [0, 0])  # each text finds the other's series
    metrics = evaluate_paper(pool, ["a cold day", "a cold night"], VALUES[:2])
    assert metrics["text_to_series/top1/rougeL"] == pytest.approx(2 / 3)
    assert metrics["text_to_series/top1/text_cosine"] == pytest.approx(0.0)
    rising = (np.arange(4) - 1.5) / np.arange(4).std()
    assert metrics["text_to_series/top1/MAE"] == pytest.approx(np.abs(rising - rising[::-1]).mean())
    assert metrics["text_to_series/top1/MSE"] == pytest.approx(np.square(rising - rising[::-1]).mean())


def test_shorter_windows_are_padded_in_front():
    pool = make_pool([[1, 0], [0, 1]], [[0, 1], [1, 0]], [0, 0])
    metrics = evaluate_paper(pool, ["a", "b"], [np.array([[0.0, 2.0]]), np.array([[5.0, 0.0, 2.0]])])
    short, long = np.array([0, -1, 1]), (np.array([5, 0, 2]) - 7 / 3) / np.array([5, 0, 2]).std()
    assert metrics["text_to_series/top1/MAE"] == pytest.approx(np.abs(short - long).mean())


def test_windows_without_a_text_are_candidates_and_no_queries(pool):
    pool.has_text = torch.tensor([True, False, True, False])
    metrics = evaluate_paper(pool, TEXTS, VALUES)
    assert (metrics["pool/instances"], metrics["pool/texts"]) == (4, 2)
    pool.has_text = torch.zeros(4, dtype=torch.bool)
    with pytest.raises(RetrievalError, match="no instance of the split has a text"):
        evaluate_paper(pool, TEXTS, VALUES)


def test_it_is_printed(pool, capsys):
    print_paper(evaluate_paper(pool, TEXTS, VALUES), "test")
    printed = capsys.readouterr().out
    assert "constant answer" in printed
    assert re.search("text to series +label without none", printed)
