"""Reading texts word by word: order, silence, numbers."""

import dataclasses

import pytest
import torch

from tests.batches import TEXT_WIDTH, make_batch
from trace_lit.alignment import AlignedModel, SearchSpace
from trace_lit.alignment.config import AlignmentConfig
from trace_lit.alignment.reading import LONGEST, ChannelScales
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.encoder import SeriesEncoder
from trace_lit.encoder.config import EncoderConfig
from trace_lit.text.numbers import KINDS

CHANNELS = [Channel("air temperature", "K"), Channel("air pressure", "hPa"), Channel("wind speed", "m/s")]


def make_model(**changes) -> AlignedModel:
    torch.manual_seed(0)
    vocabulary = ChannelVocabulary().extended(
        CHANNELS, torch.randn(3, TEXT_WIDTH), mean=[285.0, 1015.0, 4.0], deviation=[10.0, 8.0, 2.5]
    )
    encoder = SeriesEncoder(EncoderConfig(width=32, layers=1, heads=4, patch_length=6), vocabulary)
    return AlignedModel(encoder, AlignmentConfig(tower="reading", **changes)).eval()


def make_tokens(count: int = 2, tokens: int = 6, sentences: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """Texts of tokens that are marked with their sentences and without numbers."""
    vectors = torch.randn(count, tokens, TEXT_WIDTH, generator=torch.Generator().manual_seed(1))
    marks = torch.zeros(count, tokens, 4)
    marks[..., 0] = torch.arange(tokens) * sentences // tokens
    marks[..., 1] = -1
    return torch.cat([vectors, marks], dim=-1), torch.ones(count, tokens, dtype=torch.bool)


def test_the_order_of_a_sentences_tokens_matters_and_that_of_sentences_does_not():
    space = SearchSpace(make_model(), CHANNELS)
    text, mask = make_tokens()
    before = space.embed_text(text, mask)
    swapped = text.clone()
    swapped[:, [0, 1], :TEXT_WIDTH] = text[:, [1, 0], :TEXT_WIDTH]
    assert ((space.embed_text(swapped, mask) - before).norm(dim=1) > 1e-3).all()
    moved = text[:, [3, 4, 5, 0, 1, 2]]
    torch.testing.assert_close(space.embed_text(moved, mask), before, atol=1e-5, rtol=1e-4)


def test_padding_tokens_do_not_matter_and_a_text_without_any_is_finite():
    space = SearchSpace(make_model(), CHANNELS)
    text, mask = make_tokens()
    longer = torch.cat([text, 100 * torch.randn_like(text)], dim=1)
    wider = torch.cat([mask, torch.zeros_like(mask)], dim=1)
    torch.testing.assert_close(space.embed_text(longer, wider), space.embed_text(text, mask), atol=1e-5, rtol=1e-4)
    assert space.embed_text(text, torch.zeros_like(mask)).isfinite().all()
    assert space.embed_text(text[:0], mask[:0]).shape == (0, 4 * 32)


def test_a_channel_that_a_text_is_silent_of_does_not_change_its_scores():
    """Where the query of a channel leaves everything to the silent piece, the channel's values do not count."""
    model, batch = make_model(), make_batch()
    tower = model.text
    with torch.no_grad():  # the queries of wind and whole listen to the silent piece alone
        tower.query.weight.zero_()
        tower.query.bias.copy_(torch.ones(32))
        tower.whole.copy_(torch.ones(32))
        tower.silent.copy_(100 * torch.ones(32))
        tower.key.weight.mul_(0.01)
    text, mask = make_tokens()
    reading = model.read(text, mask, torch.arange(3))
    assert (reading.voice < 1e-3).all()
    assert (reading.parts.norm(dim=-1) < 1e-3).all()
    loud = dataclasses.replace(batch, values=batch.values * torch.tensor([1.0, 1.0, 30.0])[:, None])
    plain = make_model(channel_score=True)
    parts = [SearchSpace(plain, CHANNELS).embed_series(own).view(6, 4, 32) for own in (batch, loud)]
    # All parts of a window have one length: a loud channel does not make the others less.
    torch.testing.assert_close(parts[0].norm(dim=-1), torch.full((6, 4), 0.5))
    torch.testing.assert_close(parts[1].norm(dim=-1), torch.full((6, 4), 0.5))


def test_all_of_a_text_is_of_an_only_channel():
    """A caption of a single series seldom names it; among others, a channel may still not be spoken of."""
    model = make_model(match_names=True)
    with torch.no_grad():
        model.text.silent.copy_(100 * torch.ones(32))
        model.text.query.weight.zero_()
        model.text.query.bias.copy_(torch.ones(32))
        model.text.whole.copy_(torch.ones(32))
        model.text.key.weight.mul_(0.01)
    text, mask = make_tokens()
    assert (model.read(text, mask, torch.arange(2)).voice < 1e-3).all()
    only = model.read(text, mask, torch.tensor([1]))
    assert (only.voice[:, 1] == 1).all()
    assert (only.voice[:, 0] < 1e-3).all()
    torch.testing.assert_close(only.attention[:, 1].sum(-1), torch.ones(2))
    assert (model.read(text, torch.zeros_like(mask), torch.tensor([1])).voice == 0).all()  # nothing is said


def test_without_silence_every_part_has_a_voice():
    model = make_model(silence=False)
    text, mask = make_tokens()
    assert (model.read(text, mask, torch.arange(3)).voice == 1).all()


def test_a_number_counts_for_the_channels_whose_unit_it_fits():
    model = make_model()
    text, mask = make_tokens()

    def parts(kind: str, level: float) -> torch.Tensor:
        marked = text.clone()
        marked[:, 2, -3:] = torch.tensor([KINDS.index(kind), level, level])
        return model.read(marked, mask, torch.arange(3)).parts

    none = model.read(text, mask, torch.arange(3)).parts
    warm, cold = parts("temperature", 300.0), parts("temperature", 270.0)
    assert (warm - cold).norm(dim=-1)[:, 1].gt(1e-3).all()
    torch.testing.assert_close(warm[:, [0, 2, 3]], none[:, [0, 2, 3]])


def test_numbers_stand_in_the_deviations_of_the_channels():
    scales = ChannelScales.of(make_model().encoder.vocabulary).at(torch.tensor([0, 2]))
    kind = torch.tensor([KINDS.index(name) for name in ("temperature", "speed", "plain", "pressure")])
    assert scales.fits(kind).tolist() == [[True, False], [False, True], [True, True], [False, False]]
    level, difference = scales.relative(kind, torch.tensor([305.0, 9.0, 4.0, 1000.0]), torch.full((4,), 5.0))
    assert level[0, 0] == pytest.approx(2.0)
    assert level[1, 1] == pytest.approx(2.0)
    assert level[2].tolist() == pytest.approx([-28.1, 0.0])
    assert difference[0, 0] == pytest.approx(0.5)


def test_a_sentence_that_is_very_long_is_read_in_runs():
    """What attends to one another costs the square of their number, in time and in memory."""
    space = SearchSpace(make_model(), CHANNELS)
    text, mask = make_tokens(tokens=2 * LONGEST + 40, sentences=1)
    in_runs = text.clone()
    in_runs[..., TEXT_WIDTH] = torch.arange(text.shape[1]) // LONGEST
    assert torch.equal(space.embed_text(text, mask), space.embed_text(in_runs, mask))
    apart = text.clone()
    apart[..., TEXT_WIDTH] = torch.arange(text.shape[1]) // (LONGEST // 2)
    assert not torch.allclose(space.embed_text(text, mask), space.embed_text(apart, mask), atol=1e-4)


def test_sentences_are_read_as_pieces_of_their_own():
    model, batch = make_model(), make_batch()
    space = SearchSpace(model, CHANNELS)
    torch.testing.assert_close(
        space.embed_text(batch.text.flip(1), batch.text_mask.flip(1)),
        space.embed_text(batch.text, batch.text_mask),
        atol=1e-5,
        rtol=1e-4,
    )


def test_the_paper_s_model_has_none_of_it():
    torch.manual_seed(0)
    encoder = SeriesEncoder(EncoderConfig(width=32, layers=1, heads=4, patch_length=6), make_model().encoder.vocabulary)
    names = {name.split(".")[0] for name, _ in AlignedModel(encoder, AlignmentConfig()).named_parameters()}
    assert names == {"encoder", "text", "series_output", "channel_output", "channel_text", "log_temperature"}


def test_a_channel_looks_first_for_the_words_that_are_like_its_name():
    """Before anything is learned: what is said in the words of one channel's name is heard by it, and hardly by others."""
    model = make_model(match_names=True)
    tokens = model.encoder.channel_tokens
    tokens.name_vectors = torch.eye(3, TEXT_WIDTH)
    text, mask = make_tokens(count=3)
    text[..., :3] = 0  # no word is like a name
    text[torch.arange(3), 2, :TEXT_WIDTH] = tokens.name_vectors  # but one of text n, like that of channel n
    with torch.no_grad():
        reading = model.read(text, mask, torch.arange(3))
    own = torch.eye(3, dtype=torch.bool)
    assert reading.voice[:, 1:][own].min() > 0.9
    assert reading.voice[:, 1:][~own].max() < 0.5
    assert (reading.attention[:, 1:, 2][own] > 0.3).all()
