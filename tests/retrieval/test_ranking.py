"""Properties of ranks made of ranks, and of hits that differ."""

import numpy as np

from trace_lit.retrieval.ranking import diverse, reciprocal_ranks


def test_what_stands_high_in_both_rankings_comes_first():
    places, sums = reciprocal_ranks([np.array([4, 1, 2]), np.array([1, 9])])
    assert places[0] == 1
    assert sums[0] == np.float32(1 / 62 + 1 / 61)
    assert set(places.tolist()) == {1, 2, 4, 9}
    assert (np.diff(sums) <= 0).all()


def test_one_ranking_stays_as_it_is():
    assert reciprocal_ranks([np.array([7, 3, 5])])[0].tolist() == [7, 3, 5]
    assert len(reciprocal_ranks([np.zeros(0, np.int64), np.zeros(0, np.int64)])[0]) == 0


def test_without_diversity_the_most_relevant_are_chosen():
    generator = np.random.default_rng(0)
    relevance = generator.normal(size=20).astype(np.float32)
    vectors = generator.normal(size=(20, 4)).astype(np.float32)
    assert diverse(vectors, relevance, 6, 0.0).tolist() == np.argsort(-relevance)[:6].tolist()


def test_diversity_passes_over_what_is_alike():
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    relevance = np.array([0.9, 0.8, 0.7], np.float32)
    assert diverse(vectors, relevance, 2, 0.5).tolist() == [0, 2]
    assert diverse(vectors, relevance, 9, 0.5).tolist() == [0, 2, 1]
