"""Properties of the aligned model: what a score depends on, and what it does not."""

import dataclasses

import pytest
import torch

from tests.batches import make_batch, make_vocabulary
from trace_lit.alignment import AlignedModel, SearchSpace, contrastive_loss
from trace_lit.alignment.config import AlignmentConfig
from trace_lit.channels import Channel
from trace_lit.encoder import SeriesEncoder
from trace_lit.encoder.config import EncoderConfig

CHANNELS = [Channel(f"channel {number}", "m/s") for number in range(3)]


def make_model(**changes) -> AlignedModel:
    torch.manual_seed(0)
    encoder = SeriesEncoder(EncoderConfig(width=32, layers=2, heads=4, patch_length=6), make_vocabulary())
    return AlignedModel(encoder, AlignmentConfig(**changes)).eval()


@pytest.mark.parametrize("channel_score", [True, False])
def test_embeddings_are_unit_vectors_of_one_space(channel_score):
    model, batch = make_model(channel_score=channel_score), make_batch(missing=0.2)
    space = SearchSpace(model, CHANNELS)
    series, text = space.embed_series(batch), space.embed_text(batch.text, batch.text_mask)
    assert series.shape == text.shape == (6, 32 * (4 if channel_score else 1))
    torch.testing.assert_close(series.norm(dim=1), torch.ones(6))
    torch.testing.assert_close(text.norm(dim=1), torch.ones(6))


def test_a_text_without_sentences_is_finite_and_padding_sentences_do_not_matter():
    model, batch = make_model(), make_batch(sentences=5)
    space = SearchSpace(model, CHANNELS)
    junk = torch.where(batch.text_mask.unsqueeze(-1), batch.text, 100 * torch.randn_like(batch.text))
    torch.testing.assert_close(
        space.embed_text(junk, batch.text_mask), space.embed_text(batch.text, batch.text_mask), atol=1e-5, rtol=1e-4
    )
    assert space.embed_text(batch.text, torch.zeros_like(batch.text_mask)).isfinite().all()


def test_the_order_of_sentences_and_of_channels_does_not_matter():
    model, batch = make_model(), make_batch()
    space = SearchSpace(model, CHANNELS)
    order = torch.tensor([2, 0, 1])
    moved = dataclasses.replace(
        batch,
        values=batch.values[:, order],
        observed=batch.observed[:, order],
        channel_ids=batch.channel_ids[:, order],
    )
    torch.testing.assert_close(space.embed_series(moved), space.embed_series(batch), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        space.embed_text(batch.text.flip(1), batch.text_mask.flip(1)),
        space.embed_text(batch.text, batch.text_mask),
        atol=1e-5,
        rtol=1e-4,
    )


def test_a_channel_that_is_missing_leaves_its_part_of_the_score_empty():
    model, batch = make_model(), make_batch()
    observed = batch.observed.clone()
    observed[:, 1] = False
    vectors = SearchSpace(model, CHANNELS).embed_series(dataclasses.replace(batch, observed=observed)).view(6, 4, 32)
    assert (vectors[:, 2] == 0).all()
    assert (vectors[:, [0, 1, 3]].abs().sum(-1) > 0).all()


def test_an_instance_takes_part_where_it_can():
    model, batch = make_model(), make_batch()
    batch.text_mask[0] = False
    batch.has_channel_text[1] = False
    batch.has_channel_text[2, 0] = False
    output = model(batch)
    assert len(output.sample.series) == len(output.sample.text) == 5
    assert output.sample.text_id.tolist() == [1, 2, 3, 4, 5]
    assert len(output.channel.series) == len(output.channel.text) == 18 - 3 - 1
    batch.text_mask[:] = False
    batch.has_channel_text[:] = False
    empty = model(batch)
    assert contrastive_loss(empty.sample, model.temperature, lambda _: 4).total == 0
    assert contrastive_loss(empty.channel, model.temperature, lambda _: 4).total == 0


def test_windows_of_other_channels_may_be_negatives_of_each_other_though_they_overlap():
    window = make_model()(make_batch()).channel.window
    assert len({tuple(row) for row in window.tolist()}) == 18


def test_the_temperature_is_bounded_and_can_be_fixed():
    model = make_model(temperature=0.07, temperature_min=0.02)
    assert float(model.temperature.detach()) == pytest.approx(0.07)
    model.log_temperature.data.fill_(-10.0)
    assert float(model.temperature.detach()) == pytest.approx(0.02)
    assert not make_model(learnable_temperature=False).log_temperature.requires_grad


def test_fusion_sees_the_channel_texts_in_training_only():
    model, batch = make_model(fusion=True), make_batch()
    other = dataclasses.replace(batch, channel_text=torch.randn_like(batch.channel_text))
    assert (model(batch).channel.series - model(other).channel.series).abs().max() > 1e-4
    space = SearchSpace(model, CHANNELS)
    torch.testing.assert_close(space.embed_series(batch), space.embed_series(other))
    batch.has_channel_text[0] = False
    assert model(batch).channel.series.isfinite().all()


def test_every_parameter_learns():
    model, batch = make_model(), make_batch()
    model.train()
    output = model(batch)
    loss = sum(
        contrastive_loss(level, model.temperature, lambda _: 4).total for level in (output.sample, output.channel)
    )
    loss.backward()
    unused = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()}
    assert unused == {"encoder.mask_token"}
