"""What the printed report says."""

import io

import torch
from rich.console import Console

from tests.retrieval.test_metrics import random_pool
from trace_lit.retrieval import evaluate_retrieval, print_report, with_split
from trace_lit.retrieval.report import print_probes


def printed(metrics, **options) -> str:
    output = io.StringIO()
    print_report(metrics, Console(file=output, width=120, **options))
    return output.getvalue()


def test_every_number_stands_in_it():
    pool = random_pool(40, correlation=1.0)
    values = [torch.randn(2, 5).numpy() for _ in range(40)]
    metrics = evaluate_retrieval(pool, [f"a b {n}" for n in range(40)], values, bootstrap=20)
    text = printed(with_split("test", metrics))
    for key, value in metrics.items():
        if isinstance(value, float) and not key.startswith("random/series_to_series"):
            assert f"{value:.3f}" in text, key
    low, high = metrics["text_to_series/pair/MRR/ci95"]
    assert f"{low:.3f} to {high:.3f}" in text
    assert "test: 40 instances, 40 distinct texts, 40 with a label" in text
    assert text.count("random ranker") == 5


def test_equal_windows_have_a_row_of_their_own():
    metrics = evaluate_retrieval(random_pool(8), values=[torch.ones(1, 3).numpy()] * 8, bootstrap=0)
    assert "pair distinct" in printed(metrics)


def test_probes_say_what_a_change_did():
    one = {"texts": 12, "noticed": 0.75, "rank_worse": 0.5, "change": -0.125}
    metrics = with_split("test/probes/time_shuffled", one) | with_split("test/probes/statements/opposed", {"texts": 0})
    output = io.StringIO()
    print_probes(metrics, Console(file=output, width=120))
    lines = [line.split() for line in output.getvalue().splitlines()]
    assert ["time", "shuffled", "12", "0.750", "0.500", "-0.125"] in lines
    assert ["statements:", "opposed", "0"] in lines


def test_each_corpus_has_its_own_tables():
    metrics = evaluate_retrieval(random_pool(10), bootstrap=0)
    text = printed(with_split("test/weather", metrics) | with_split("test/energy", metrics))
    assert "test/weather" in text
    assert "test/energy" in text
    assert text.count("text to series") == 4


def test_it_is_plain_where_there_is_no_terminal():
    metrics = evaluate_retrieval(random_pool(10), bootstrap=5)
    assert printed(metrics).isascii()
    assert "\x1b" in printed(metrics, force_terminal=True)


def test_no_metrics_print_nothing():
    assert printed({}) == ""
