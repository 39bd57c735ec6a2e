"""Properties of every store, whatever its engine."""

from datetime import datetime

import numpy as np
import pytest

from tests.retrieval.stores.conftest import EXACT, WIDTH, ids, windows
from trace_lit.retrieval import Filter, RetrievalError, Span
from trace_lit.retrieval.stores import StoreError, key_of

QUERIES = windows(range(100, 105)).compact
FILTERS = [
    (Filter(label=("storm's eye",)), lambda n: n % 3 == 0),
    (Filter(series=('the "North" buoy',)), lambda n: n % 2 == 0),
    (Filter(series=("south\\", "another"), split=("test",)), lambda n: n % 2 == 1),
    (Filter(series=('" or true or "',)), lambda n: False),
    (Filter(since=datetime(1970, 1, 4), until=datetime(1970, 1, 10)), lambda n: 3 <= n < 9),
    (Filter(with_text=True), lambda n: n % 3 == 0),
    (Filter(corpus=("land",)), lambda n: False),
    (Filter(apart=Span(5 * 86_400, 8 * 86_400, "sea", 'the "North" buoy')), lambda n: n not in (6,)),
    (Filter(apart=Span(5 * 86_400, 8 * 86_400)), lambda n: n not in (5, 6, 7)),
]


def test_the_nearest_are_found_best_first(filled):
    compact = np.concatenate([windows(range(40)).compact])
    for query, found in zip(QUERIES, filled.search(QUERIES, 7, Filter()), strict=True):
        every = compact @ query
        assert ids(filled, found.places) == [f"day {n}" for n in np.argsort(-every)[:7]]
        assert np.allclose(found.scores, np.sort(every)[::-1][:7], atol=1e-5)


def test_filters_admit_what_they_say(filled):
    for filter, admits in FILTERS:
        wanted = {f"day {n}" for n in range(40) if admits(n)}
        (found,) = filled.search(QUERIES[:1], 40, filter)
        assert set(ids(filled, found.places)) == wanted, filter
        assert filled.count(filter) == len(wanted), filter
        assert set(ids(filled, filled.select(filter))) == wanted, filter


def test_columns_and_vectors_stand_in_the_order_that_is_asked_for(filled):
    wanted = windows([31, 2, 17])
    places = np.concatenate([filled.find([key]) for key in wanted.columns["key"].to_pylist()])
    assert filled.rows(places).equals(wanted.columns)
    assert np.allclose(filled.exact(places), wanted.exact, atol=1e-6)
    assert len(filled.find([key_of("sea", "day 99")])) == 0


def test_words_find_texts_that_have_them(filled):
    found = filled.match("STORM day 9", 20, Filter())
    assert ids(filled, found.places)[0] == "day 9"  # it alone has 9, too
    assert set(ids(filled, found.places)) == {f"day {n}" for n in range(0, 40, 3)}  # all have "day"
    assert found.scores[0] == found.scores.max()
    assert set(ids(filled, filled.match("storm", 10, Filter(until=datetime(1970, 1, 12))).places)) == {"day 3", "day 9"}
    assert len(filled.match("tornado", 10, Filter())) == 0


def test_a_window_that_is_given_again_takes_the_place_of_the_former(filled):
    again = windows([3, 39, 77], seed=1)
    assert filled.upsert([again]) == 3
    assert filled.count(Filter()) == 41
    (found,) = filled.search(again.compact[:1], 1, Filter())
    assert ids(filled, found.places) == ["day 3"]
    assert np.allclose(filled.exact(found.places), again.exact[:1], atol=1e-6)


def test_what_is_deleted_is_not_found(filled):
    keys = [key_of("sea", f"day {n}") for n in (5, 9, 99)]
    assert filled.delete(keys) == 2
    assert filled.delete(keys) == 0
    assert filled.count(Filter()) == 38
    (found,) = filled.search(QUERIES[:1], 50, Filter())
    assert not {"day 5", "day 9"} & set(ids(filled, found.places))
    assert "day 9" not in ids(filled, filled.match("storm", 10, Filter()).places)
    filled.upsert([windows([5])])
    assert filled.count(Filter()) == 39


def test_an_empty_store_finds_nothing(store):
    assert store.count(Filter()) == 0
    assert len(store.search(QUERIES[:1], 3, Filter())[0]) == 0
    assert len(store.match("storm", 3, Filter())) == 0
    assert store.upsert([]) == 0
    assert store.delete(["0"]) == 0


def test_queries_of_another_width_are_refused(filled):
    with pytest.raises(StoreError, match=r"\(1, 7\)"):
        filled.search(np.zeros((1, WIDTH - 1), np.float32), 1, Filter())
    assert filled.width == WIDTH
    assert filled.exact_width == EXACT


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"split": ("tset",)}, "no split 'tset'"),
        ({"since": "2016"}, "since is '2016'"),
        ({"label": (3,)}, "label is"),
        ({"since": datetime(2016, 1, 2), "until": datetime(2016, 1, 1)}, "after until"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(RetrievalError, match=message):
        Filter(**wrong)
