"""What the retriever answers."""

import json
from datetime import datetime

import numpy as np
import pytest
import torch
from torch import nn

from data_modules.dataset import window_batch
from trace_lit.retrieval import Pool, RetrievalError, Retriever, VectorIndex


class Pointing(nn.Module):
    """Answers every question with one vector."""

    def __init__(self, vector: torch.Tensor) -> None:
        super().__init__()
        self.vector = nn.Parameter(vector[None])

    def embed_series(self, batch):
        assert not self.training
        return self.vector.expand(len(batch), -1)

    def embed_text(self, text, mask):
        assert not self.training
        assert text.shape[:2] == mask.shape
        assert mask.all()
        return self.vector.expand(len(text), -1)


@pytest.fixture
def retriever(pool, corpus, rows) -> Retriever:
    return Retriever.of_pools(Pointing(pool.series[3]), corpus, [(rows, pool)])


def test_hits_come_best_first_with_all_that_is_known(retriever, pool, corpus):
    hits = retriever.by_text(torch.randn(4, 16), top=4)
    scores = (pool.series @ pool.series[3]).sort(descending=True)
    assert [hit.id for hit in hits] == [f"site_{n}" for n in scores.indices[:4]]
    assert [hit.score for hit in hits] == pytest.approx(scores.values[:4].tolist(), abs=1e-6)
    best = hits[0]
    assert (best.id, best.score, best.label, best.split) == ("site_3", pytest.approx(1), None, "test")
    assert best.text == corpus.texts[best.row]
    assert (best.start, best.end) == (datetime(2020, 1, 4), datetime(2020, 1, 5))
    labels = {hit.id: hit.label for hit in retriever.by_text(torch.randn(1, 16), top=10)}
    assert (labels["site_1"], labels["site_2"], labels["site_6"]) == ("calm", "storm", None)


def test_a_series_asks_like_a_text(retriever):
    batch = window_batch(np.zeros((2, 24), np.float32), [0, 1])
    assert [hit.id for hit in retriever.by_series(batch, 3)] == [
        hit.id for hit in retriever.by_text(torch.ones(1, 4), 3)
    ]
    with pytest.raises(RetrievalError, match="one instance, not 2"):
        retriever.by_series(batch._map(lambda tensor: torch.cat([tensor, tensor])))


def test_an_instance_finds_others_but_not_itself(retriever, pool):
    hits = retriever.by_id("site_7", top=100)
    scores = pool.series @ pool.series[7]
    assert len(hits) == 9
    assert [hit.id for hit in hits] == [f"site_{n}" for n in scores.argsort(descending=True).tolist() if n != 7]
    assert len(retriever.by_id("site_7", top=2)) == 2


def test_an_instance_with_many_doubles_is_not_among_its_hits(corpus, rows, pool):
    same = Pool(pool.series[:1].repeat(10, 1), pool.text, pool.has_text, pool.label, pool.text_id, pool.index)
    retriever = Retriever.of_pools(Pointing(pool.series[0]), corpus, [(rows, same)])
    for name in ("site_0", "site_9"):
        hits = retriever.by_id(name, top=3)
        assert len(hits) == 3
        assert name not in [hit.id for hit in hits]


def test_splits_are_searched_together(pool, corpus, rows):
    part = Pool(*(getattr(pool, name)[:2] for name in ("series", "text", "has_text", "label", "text_id", "index")))
    other = np.array(corpus.select("validation"))
    retriever = Retriever.of_pools(Pointing(pool.series[1]), corpus, [(rows, pool), (other, part)])
    hits = retriever.by_text(torch.ones(1, 4), 2)
    assert {(hit.id, hit.split) for hit in hits} == {("site_1", "test"), ("site_11", "validation")}


def test_hits_are_plain_json(retriever):
    for hit in retriever.by_text(torch.ones(1, 4), 3):
        plain = json.loads(json.dumps(hit.as_dict()))
        assert plain["id"] == hit.id
        assert datetime.fromisoformat(plain["start"]) == hit.start


def test_a_query_that_cannot_be_answered_is_refused(retriever, corpus):
    with pytest.raises(RetrievalError, match=r"'sit_3'; near are 'site_3'"):
        retriever.by_id("sit_3")
    with pytest.raises(RetrievalError, match="in the split 'validation', which is not searched"):
        retriever.by_id("site_11")
    with pytest.raises(RetrievalError, match="at least 1"):
        retriever.by_text(torch.ones(1, 4), 0)
    with pytest.raises(RetrievalError, match="'other', which"):
        Retriever(Pointing(torch.ones(8)), corpus, VectorIndex(np.ones((1, 8)), ["other"]))
