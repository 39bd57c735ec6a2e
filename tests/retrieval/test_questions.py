"""Questions: their measure against brute force, what cannot be decided, and the files that come with the package."""

import itertools

import numpy as np
import pytest

from data_modules.rules import Quantile, WindowTable, compare
from trace_lit.channels import Channel
from trace_lit.retrieval import RetrievalError
from trace_lit.retrieval.questions import (
    KINDS,
    SHIPPED,
    Question,
    judge,
    load_questions,
    precision_and_average,
)

SIZE = 40


def pool() -> WindowTable:
    """Windows whose mean is their place."""
    values = [np.full((1, 4), float(place)) for place in range(SIZE)]
    return WindowTable(values, np.zeros(SIZE, "datetime64[s]"), "1h", (Channel("level", "m"),))


def question(name="high", wordings=("high", "up there"), kind="level", **bounds) -> Question:
    bounds = bounds or {"above": Quantile(0.75)}
    return Question(name, kind, tuple(wordings), compare("level", "mean", **bounds), "development")


def by_place(sign):
    return lambda wordings: np.tile(sign * np.arange(SIZE) / SIZE, (len(wordings), 1))


def test_a_ranker_that_knows_is_right_and_its_reverse_wrong():
    right, wrong = (judge([question()], pool(), by_place(sign)).answers[0] for sign in (1, -1))
    assert right.precision.tolist() == [1, 1]
    assert right.average_precision == pytest.approx([1, 1])
    assert right.first[0].tolist() == [*range(39, 29, -1)]
    assert wrong.precision.tolist() == [0, 0]
    assert right.share == wrong.share == 0.25


def test_a_ranker_that_scores_all_alike_gets_the_share_of_the_pool():
    (answer,) = judge([question()], pool(), lambda wordings: np.zeros((len(wordings), SIZE))).answers
    assert answer.precision == pytest.approx([0.25, 0.25])


def expected_average(scores, truth):
    """Over all orders that the scores allow, by trying them."""
    found = []
    for order in itertools.permutations(range(len(scores))):
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order)):
            hits = np.array([truth[place] for place in order])
            found.append((hits * np.cumsum(hits) / np.arange(1, len(hits) + 1)).sum() / hits.sum())
    return np.mean(found)


@pytest.mark.parametrize(
    ("scores", "truth"),
    [
        ([0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]),
        ([3, 2, 2, 2, 1, 1], [0, 1, 1, 0, 1, 0]),
        ([5, 5, 3, 3, 1, 0], [1, 0, 1, 1, 0, 0]),
        ([6, 5, 4, 3, 2, 1], [0, 1, 0, 1, 0, 1]),
    ],
)
def test_ties_count_with_their_expectation(scores, truth):
    precision, average = precision_and_average(np.array([scores], float), np.array(truth, bool), k=3)
    assert average[0] == pytest.approx(expected_average(scores, truth))
    orders = [
        o for o in itertools.permutations(range(6)) if all(scores[a] >= scores[b] for a, b in itertools.pairwise(o))
    ]
    assert precision[0] == pytest.approx(np.mean([np.mean([truth[place] for place in order[:3]]) for order in orders]))


def test_the_wordings_of_a_question_count_alike():
    scores = np.stack([np.arange(SIZE), -np.arange(SIZE)]) / SIZE
    report = judge([question()], pool(), lambda wordings: scores)
    metrics = report.metrics(bootstrap=0)
    assert metrics["P@10"] == 0.5
    assert metrics["kind/level/P@10"] == 0.5
    assert metrics["random"] == 0.25


def test_questions_that_the_pool_cannot_decide_are_named_and_not_counted():
    cases = [
        question(),
        question("too-few", above=35.5),
        question("nearly-all", above=1),
        Question("other", "level", ("windy",), compare("wind", "mean", above=3), "development"),
    ]
    report = judge(cases, pool(), by_place(1))
    assert [answer.question.id for answer in report.answers] == ["high"]
    assert [(case.question.id, case.reason) for case in report.undecidable] == [
        ("too-few", "4 windows fit, of 40"),
        ("nearly-all", "95% of the windows fit"),
    ]
    assert [(case.question.id, case.reason) for case in report.left_out] == [("other", "there is no wind")]
    metrics = report.metrics(bootstrap=0)
    assert [metrics[name] for name in ("questions", "undecidable", "left_out", "P@10")] == [1, 2, 1, 1]


def test_without_a_decidable_question_there_are_counts_alone():
    report = judge([question("none", above=100)], pool(), by_place(1))
    assert report.metrics() == {"questions": 0, "undecidable": 1, "left_out": 0}


def test_the_interval_is_over_questions():
    report = judge(
        [question(str(n), **bound) for n, bound in enumerate([{"above": 25}, {"below": 14}] * 8)], pool(), by_place(1)
    )
    metrics = report.metrics(bootstrap=500)
    low, high = metrics["P@10/ci95"]
    assert metrics["P@10"] == 0.5
    assert 0.1 < low < 0.4 < 0.6 < high < 0.9
    assert [answer.precision.mean() for answer in report.worst()] == [0] * 8 + [1] * 8


def test_scores_of_another_shape_are_refused():
    with pytest.raises(RetrievalError, match=r"\(1, 3\) for 2 wordings and 40 windows"):
        judge([question()], pool(), lambda wordings: np.zeros((1, 3)))


# --- files


@pytest.mark.parametrize("domain", SHIPPED)
def test_a_domain_has_questions_of_every_kind_and_part(domain):
    questions = load_questions(domain)
    assert len(questions) >= 60
    held_out = [own for own in questions if own.split == "test"]
    assert 0.28 < len(held_out) / len(questions) < 0.4
    for kind in KINDS:
        assert sum(own.kind == kind for own in questions) >= 5, kind
        assert sum(own.kind == kind for own in held_out) >= 2, kind
    assert all(len(own.wordings) == 3 for own in questions)
    wordings = [wording.lower() for own in questions for wording in own.wordings]
    assert len(set(wordings)) == len(wordings)


GOOD = """
questions:
- {id: a, kind: level, split: test, wordings: [high], rule: {channel: level, statistic: mean, above: 3}}
"""


def test_a_file_is_read(tmp_path):
    (tmp_path / "own.yaml").write_text(GOOD)
    (own,) = load_questions(tmp_path / "own.yaml")
    assert own == Question("a", "level", ("high",), compare("level", "mean", above=3), "test")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("questions:", "asked:"), "has one key, 'questions'"),
        (("kind: level", "kind: levle"), "the kind is 'levle'; it must be one of level, change"),
        (("split: test", "split: train"), "the split is 'train'; it must be one of development, test"),
        (("wordings: [high]", "wordings: high"), "must be a list of texts"),
        (
            ("statistic: mean", "statistic: maen"),
            r"question 1 \(a\): there is no statistic 'maen'; did you mean 'mean'",
        ),
        (("split: test, ", ""), "it needs exactly id, kind, split, wordings, rule"),
        (("questions:", "questions: ["), "is not YAML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path, change, message):
    (tmp_path / "own.yaml").write_text(GOOD.replace(*change))
    with pytest.raises(RetrievalError, match=message):
        load_questions(tmp_path / "own.yaml")


def test_two_questions_have_two_ids(tmp_path):
    (tmp_path / "own.yaml").write_text(GOOD + GOOD.strip().removeprefix("questions:"))
    with pytest.raises(RetrievalError, match="two questions have the id 'a'"):
        load_questions(tmp_path / "own.yaml")


def test_a_file_that_is_not_there():
    with pytest.raises(RetrievalError, match="name one, or a domain: weather, healthcare, energy"):
        load_questions("nowhere.yaml")
