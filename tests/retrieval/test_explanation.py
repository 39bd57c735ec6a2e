"""Why hits have their scores."""

import numpy as np
import pytest
import torch

from trace_lit.retrieval import QueryParts, Retriever
from trace_lit.retrieval.explanation import WHOLE, explain, rounded

KEYS = (None, "level", "a channel with a rather long name [m/s]")


@pytest.fixture
def windows() -> np.ndarray:
    """Ten unit vectors of three parts; windows 0 and 4 lack the channel "level"."""
    windows = np.random.default_rng(0).normal(size=(10, 3, 4)).astype(np.float32)
    windows[[0, 4], 1] = 0
    return (windows / np.linalg.norm(windows, axis=(1, 2), keepdims=True)).reshape(10, 12)


@pytest.fixture
def parts() -> QueryParts:
    vectors = np.random.default_rng(1).normal(size=(2, 3, 4)).astype(np.float32)
    return QueryParts(vectors / np.linalg.norm(vectors.sum(0)), KEYS, ("rose", "then fell"))


def test_channels_and_clauses_sum_to_the_score(windows, parts):
    scores = windows @ parts.vectors.sum(0).ravel()
    for place, found in zip((3, 0, 9), explain(parts, windows, [3, 0, 9]), strict=True):
        for contributions in (found.channels, found.clauses):
            assert sum(own.score for own in contributions) == pytest.approx(scores[place], abs=1e-5)
            assert sum(own.weight for own in contributions) == pytest.approx(1, abs=1e-5)
        table = np.array(found.table)
        np.testing.assert_allclose(table.sum(0), [own.score for own in found.channels], atol=1e-5)
        np.testing.assert_allclose(table.sum(1), [own.score for own in found.clauses], atol=1e-5)
        assert [own.name for own in found.clauses] == ["rose", "then fell"]


def test_a_channel_that_a_window_lacks_adds_nothing_and_beats_none(windows, parts):
    (found,) = explain(parts, windows, [4])
    assert [own.name for own in found.channels] == [WHOLE, *KEYS[1:]]
    assert found.channels[1].score == 0
    assert found.channels[1].beats is None
    assert not found.channels[1].fits
    assert found.channels[2].beats is not None


def test_a_contribution_is_compared_with_those_of_the_other_windows(windows, parts):
    found = explain(parts, windows, range(10))
    best = max((own.channels[1] for own in found), key=lambda own: own.score)
    assert best.beats == pytest.approx(7 / 8)  # of eight windows that have the channel
    ranks = sorted(own.clauses[0].beats for own in found)
    assert ranks == pytest.approx([place / 10 for place in range(10)])
    assert sum(own.clauses[0].fits for own in found) == 5


def test_channels_are_listed_in_the_corpus_s_order(windows, parts):
    (given,) = explain(parts, windows, [3])
    (found,) = explain(parts, windows, [3], [KEYS[2], KEYS[1], "another"])
    assert [own.name for own in found.channels] == [WHOLE, KEYS[2], KEYS[1]]
    assert found.channels[1:] == given.channels[:0:-1]
    assert found.spoken_of[1:] == given.spoken_of[:0:-1]
    assert [row[1] for row in found.table] == [row[2] for row in given.table]


def test_a_query_speaks_of_the_channels_that_weigh(windows):
    vectors = np.zeros((1, 3, 4), np.float32)
    vectors[0, 1, 0], vectors[0, 0, 0] = 0.98, 0.2
    (found,) = explain(QueryParts(vectors, KEYS, ("words",)), windows, [3])
    assert found.spoken_of == (False, True, False)
    assert not found.names_no_channel
    (found,) = explain(QueryParts(np.eye(1, 12, dtype=np.float32).reshape(1, 3, 4), KEYS, ("words",)), windows, [3])
    assert found.names_no_channel
    assert found.leading_clause(1) is None


def test_hits_are_explained_in_their_order(pool, corpus, rows):
    retriever = Retriever.of_pools(torch.nn.Module(), corpus, [(rows, pool)])
    hits = retriever.by_id("site_3", 4)
    keys = (None, *(channel.key for channel in reversed(corpus.info.channels)), "unknown")
    parts = QueryParts(retriever.vector("site_3").reshape(1, 4, 2), keys)
    explained = retriever.explained(hits, parts)
    assert [hit.id for hit in explained] == [hit.id for hit in hits]
    for hit in explained:
        assert sum(hit.explanation.columns().values()) == pytest.approx(
            hit.score - float(parts.vectors[0, 3] @ retriever.vector(hit.id)[6:]), abs=1e-5
        )
        assert hit.explanation.clauses == ()
        names = [own.name for own in hit.explanation.channels]
        assert names == [WHOLE, *(channel.key for channel in corpus.info.channels)]
        assert list(hit.as_dict()["explanation"]) == ["channels", "clauses", "table"]
    assert "explanation" not in hits[0].as_dict()


def test_a_rounded_zero_has_no_sign():
    assert [rounded(score) for score in (-0.0001, 0.1234, -0.2)] == ["0.000", "0.123", "-0.200"]
