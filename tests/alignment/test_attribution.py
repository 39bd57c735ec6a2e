"""Vectors of texts taken apart by clauses and channels."""

import pytest
import torch

from tests.alignment.test_reading import CHANNELS, make_model, make_tokens
from tests.batches import make_batch, make_vocabulary
from trace_lit.alignment import AlignedModel, SearchSpace
from trace_lit.alignment.attribution import EXACT, coalitions
from trace_lit.alignment.config import AlignmentConfig
from trace_lit.channels import Channel
from trace_lit.encoder import SeriesEncoder
from trace_lit.encoder.config import EncoderConfig


@pytest.mark.parametrize("count", [1, 2, 4, EXACT, EXACT + 3])
def test_the_values_of_clauses_sum_to_the_value_of_all(count: int):
    members, weights = coalitions(count)
    assert members.any(1).all()
    values = torch.randn(len(members), generator=torch.Generator().manual_seed(0))
    values[members.all(1)] = 3.0
    assert (weights @ values).sum() == pytest.approx(3.0, abs=1e-4)


@pytest.mark.parametrize("count", [3, EXACT + 3])
def test_a_clause_that_adds_alone_has_what_it_adds_and_one_that_adds_nothing_has_nothing(count: int):
    members, weights = coalitions(count)
    values = 2.0 * members[:, 1] - 0.5 * members[:, 2]
    expected = torch.zeros(count).index_copy(0, torch.tensor([1, 2]), torch.tensor([2.0, -0.5]))
    torch.testing.assert_close(weights @ values, expected, atol=1e-5, rtol=0)


def test_two_clauses_share_what_they_add_together():
    members, weights = coalitions(3)
    values = (members[:, 0] & members[:, 2]).float()
    torch.testing.assert_close(weights @ values, torch.tensor([0.5, 0.0, 0.5]))


def test_the_parts_of_a_read_text_sum_to_its_scores():
    model, batch = make_model(statistics=True), make_batch()
    space = SearchSpace(model, CHANNELS)
    text, mask = make_tokens()
    series = space.embed_series(batch)
    for clause in (torch.zeros(6, dtype=torch.int64), torch.tensor([0, 0, 1, 2, 2, 3]), torch.arange(6)):
        parts = space.explain(text[0], clause)
        assert parts.shape == (int(clause.max()) + 1, 4, 32)
        scores = torch.einsum("gpd,mpd->m", parts, series.view(6, 4, 32))
        torch.testing.assert_close(scores, (space.embed_text(text[:1], mask[:1]) @ series.T)[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("channel_score", [True, False])
def test_a_pooled_text_is_taken_apart_by_its_sentences(channel_score: bool):
    torch.manual_seed(0)
    encoder = SeriesEncoder(EncoderConfig(width=32, layers=1, heads=4, patch_length=6), make_vocabulary())
    config = AlignmentConfig(tower="pooled", channel_score=channel_score)
    channels = [Channel(f"channel {number}", "m/s") for number in range(3)]
    space, batch = SearchSpace(AlignedModel(encoder, config).eval(), channels), make_batch()
    assert space.part_keys == (None, *(channel.key for channel in channels if channel_score))
    parts = space.explain(batch.text[0], torch.arange(4))
    assert parts.shape == (4, len(space.part_keys), 32)
    vector = space.embed_text(batch.text[:1], torch.ones(1, 4, dtype=torch.bool))
    torch.testing.assert_close(parts.sum(0).flatten(), vector[0], atol=1e-5, rtol=0)


def test_a_clause_that_every_query_is_silent_of_adds_nothing(monkeypatch: pytest.MonkeyPatch):
    model = make_model()
    with torch.no_grad():  # all queries are ones, the silent piece is none, and the keys are the pieces
        model.text.query.weight.zero_()
        model.text.query.bias.fill_(1.0)
        model.text.whole.fill_(1.0)
        model.text.silent.zero_()
        model.text.key.weight.copy_(10 * torch.eye(32))
    heard = torch.tensor([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])[:, None].expand(6, 32)
    monkeypatch.setattr(model.text, "_pieces", lambda vectors, known: heard.expand(len(vectors), -1, -1))
    text, _ = make_tokens()
    norms = SearchSpace(model, CHANNELS).explain(text[0], torch.tensor([0, 0, 0, 1, 1, 1])).norm(dim=-1)
    assert (norms[0] > 0.4).all()
    assert (norms[1] < 1e-4).all()
