"""Properties of the series encoder, TRACE §3.2."""

import dataclasses

import pytest
import torch
import torch._dynamo.utils

from tests.batches import make_batch, make_vocabulary
from trace_lit.batch import MultimodalBatch
from trace_lit.channels import Channel
from trace_lit.encoder import SeriesEncoder
from trace_lit.encoder.attention import ChannelBiasedAttention, Layout
from trace_lit.encoder.config import EncoderConfig
from trace_lit.encoder.rotary import rotary_angles, rotate

SMALL = EncoderConfig(width=32, layers=2, heads=4, patch_length=6, dropout=0.1)


def make_encoder(**changes) -> SeriesEncoder:
    torch.manual_seed(0)
    return SeriesEncoder(dataclasses.replace(SMALL, **changes), make_vocabulary()).eval()


def take(batch: MultimodalBatch, rows=slice(None), **changes) -> MultimodalBatch:
    fields = {f.name: getattr(batch, f.name) for f in dataclasses.fields(batch)}
    return MultimodalBatch(**{k: None if v is None else v[rows] for k, v in fields.items()} | changes)


def padded(batch: MultimodalBatch, steps: int, channels: int) -> MultimodalBatch:
    """The batch with `steps` more steps on the left and `channels` more channels on the right, all padding."""

    def pad(tensor, fill):
        return torch.nn.functional.pad(tensor, (steps, 0, 0, channels), value=fill)

    return take(
        batch,
        values=pad(batch.values, 7.0),
        observed=pad(batch.observed, False),
        channel_mask=torch.nn.functional.pad(batch.channel_mask, (0, channels), value=False),
        channel_ids=torch.nn.functional.pad(batch.channel_ids, (0, channels), value=0),
    )


@pytest.mark.parametrize("attention", ["biased", "full"])
@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_permuting_channels_permutes_channel_embeddings_and_leaves_cls(attention, missing):
    encoder, batch = make_encoder(channel_attention=attention), make_batch(channels=4, missing=missing)
    order = torch.tensor([2, 0, 3, 1])
    moved = take(
        batch,
        values=batch.values[:, order],
        observed=batch.observed[:, order],
        channel_ids=batch.channel_ids[:, order],
    )
    plain, permuted = encoder(batch), encoder(moved)
    torch.testing.assert_close(permuted.cls, plain.cls, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(permuted.channels, plain.channels[:, order], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(permuted.channels, plain.channels, atol=1e-2)


@pytest.mark.parametrize(("steps", "channels"), [(12, 0), (5, 0), (0, 2), (18, 3)])
@pytest.mark.parametrize("switches", [{}, {"channel_attention": "full"}, {"channel_tokens": False}])
def test_padding_changes_nothing(steps, channels, switches):
    encoder, batch = make_encoder(**switches), make_batch(channels=3, steps=24, missing=0.2)
    alone, together = encoder(batch), encoder(padded(batch, steps, channels))
    torch.testing.assert_close(together.cls, alone.cls, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together.channels[:, :3], alone.channels, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together.patches[:, :3, -4:], alone.patches, atol=1e-5, rtol=1e-4)


def test_a_batch_of_different_lengths_gives_what_the_instances_give_alone():
    encoder = make_encoder()
    short, long = make_batch(size=1, steps=13, seed=1), make_batch(size=1, steps=30, seed=2)
    left = padded(short, 17, 0)
    both = take(
        long,
        **{
            f: torch.cat([getattr(left, f), getattr(long, f)])
            for f in ("values", "observed", "channel_mask", "channel_ids")
        },
    )
    output = encoder(both)
    torch.testing.assert_close(output.cls[0], encoder(short).cls[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(output.cls[1], encoder(long).cls[0], atol=1e-5, rtol=1e-4)


def test_values_that_are_not_observed_do_not_matter():
    encoder, batch = make_encoder(), make_batch(missing=0.5)
    other = take(batch, values=torch.where(batch.observed, batch.values, float("nan")))
    torch.testing.assert_close(encoder(other).cls, encoder(batch).cls)


def test_a_window_with_nothing_observed_is_finite():
    encoder, batch = make_encoder(), make_batch()
    output = encoder(take(batch, observed=torch.zeros_like(batch.observed)))
    assert output.cls.isfinite().all()
    assert output.channels.isfinite().all()
    assert output.patches.isfinite().all()


def test_in_the_first_layer_a_cit_does_not_see_other_channels():
    batch = make_batch(channels=3)
    changed = take(batch, values=batch.values.clone())
    changed.values[:, 1] = torch.randn_like(changed.values[:, 1])
    one = make_encoder(layers=1)
    assert (one(batch).channels[:, 1] - one(changed).channels[:, 1]).abs().max() > 1e-2
    for other in (0, 2):
        torch.testing.assert_close(one(batch).channels[:, other], one(changed).channels[:, other])
    full = make_encoder(layers=1, channel_attention="full")
    assert (full(batch).channels[:, 0] - full(changed).channels[:, 0]).abs().max() > 1e-4
    two = make_encoder(layers=2)  # through the patches, the second layer does
    assert (two(batch).channels[:, 0] - two(changed).channels[:, 0]).abs().max() > 1e-5


@pytest.mark.parametrize("missing", [False, True])
def test_attention_equals_one_with_the_whole_mask_of_the_paper(missing):
    torch.manual_seed(0)
    channels, count, width = 3, 4, 16
    length = channels + 1 + channels * count
    attention = ChannelBiasedAttention(width, heads=2)
    x = torch.randn(2, length, width)
    places = torch.cat([torch.zeros(channels + 1), torch.arange(count).repeat(channels)])
    cosine, sine = rotary_angles(places, width // 2)
    visible = torch.rand(2, length) > 0.3 if missing else torch.ones(2, length, dtype=torch.bool)
    visible[:, : channels + 1] = True
    layout = Layout(channels, True, cosine, sine, visible if missing else None)

    owner = torch.cat([torch.arange(channels), torch.tensor([-1]), torch.arange(channels).repeat_interleave(count)])
    allowed = torch.ones(length, length, dtype=torch.bool)
    allowed[:channels] = owner[:channels, None] == owner  # M[i_c, j] = 0 for j outside channel c
    mask = allowed[None, None] & visible[:, None, None, :]
    query, key, value = attention.input(x).unflatten(-1, (3, 2, -1)).permute(2, 0, 3, 1, 4)
    query, key = rotate(query, cosine, sine), rotate(key, cosine, sine)
    scores = (query @ key.transpose(-1, -2) / (width // 2) ** 0.5).masked_fill(~mask, -torch.inf)
    expected = attention.output((scores.softmax(-1) @ value).transpose(1, 2).flatten(2))
    torch.testing.assert_close(attention(x, layout), expected, atol=1e-5, rtol=1e-4)


def test_rotary_scores_depend_on_differences_in_time_only():
    query, key = torch.randn(2, 5, 8)
    places = torch.tensor([0, 3, 4, 10, 11])
    scores = [
        rotate(query, *rotary_angles(places + shift, 8)) @ rotate(key, *rotary_angles(places + shift, 8)).T
        for shift in (0, 57)
    ]
    torch.testing.assert_close(scores[0], scores[1], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(rotate(query, *rotary_angles(torch.zeros(5), 8)), query)


def test_order_in_time_matters():
    batch = make_batch()
    reversed_time = take(batch, values=batch.values.unflatten(-1, (4, 6)).flip(2).flatten(2))
    encoder = make_encoder()
    assert (encoder(batch).cls - encoder(reversed_time).cls).abs().max() > 1e-3
    timeless = make_encoder(rotary=False)
    torch.testing.assert_close(timeless(batch).cls, timeless(reversed_time).cls, atol=1e-5, rtol=1e-4)


def test_level_and_spread_are_seen_by_scale_tokens_only():
    batch = make_batch()
    moved = take(batch, values=3 * batch.values + 50)
    without, with_scale = make_encoder(scale_tokens=False), make_encoder()
    torch.testing.assert_close(without(batch).cls, without(moved).cls, atol=1e-3, rtol=1e-3)
    assert (with_scale(batch).cls - with_scale(moved).cls).abs().max() > 1e-2


def test_a_channel_never_seen_has_a_token_from_its_name_and_the_usual_level():
    encoder, batch = make_encoder(), make_batch(channels=2, steps=100)
    new = [Channel("salinity", "g/kg"), Channel("depth", "m")]
    before = encoder(batch)
    encoder.extend(encoder.vocabulary.extended(new, torch.randn(2, 16)))
    torch.testing.assert_close(encoder(batch).cls, before.cls)
    foreign = take(batch, channel_ids=torch.tensor([[8, 9]]).repeat(len(batch), 1))
    output = encoder(foreign)
    assert output.channels.isfinite().all()
    assert (output.channels[:, 0] - output.channels[:, 1]).abs().max() > 1e-3
    tokens = encoder.channel_tokens
    assert (tokens.level_and_spread(foreign.channel_ids, output.norm, foreign.observed.any(-1)) == 0).all()


def test_extending_with_other_first_channels_is_refused():
    encoder = make_encoder()
    with pytest.raises(ValueError, match="begin with"):
        encoder.extend(make_vocabulary(4))


def test_windows_shorter_than_a_patch_are_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"4 steps.*patch of 6.*patch_length to at most 4"):
        make_encoder()(make_batch(steps=4))


def test_every_parameter_learns():
    encoder = make_encoder().train()
    batch = make_batch(missing=0.1)
    hidden = torch.rand(len(batch), 3, 4) < 0.3
    output = encoder(batch, hidden)
    (output.cls.sum() + output.channels.square().sum() + output.patches.square().sum()).backward()
    assert not [name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.abs().sum()]


@pytest.mark.parametrize("attention", ["biased", "full"])
@pytest.mark.parametrize("channel_tokens", [True, False])
def test_without_patches_the_other_outputs_and_their_gradients_stay(attention, channel_tokens):
    encoder = make_encoder(channel_attention=attention, channel_tokens=channel_tokens)
    batch = make_batch(channels=3, missing=0.3)
    outcomes = []
    for with_patches in (True, False):
        encoder.zero_grad()
        output = encoder(batch, with_patches=with_patches)
        (output.cls.square().sum() + output.channels.abs().sum()).backward()
        gradients = {name: p.grad.clone() for name, p in encoder.named_parameters() if p.grad is not None}
        outcomes.append((output.cls, output.channels, gradients))
    torch.testing.assert_close(outcomes[1][:2], outcomes[0][:2], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(outcomes[1][2], outcomes[0][2], atol=1e-4, rtol=1e-3)
    assert output.patches.shape[2] == (0 if channel_tokens else make_batch(channels=3).values.shape[2] // 6)


@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("with_patches", [True, False])
def test_recomputing_blocks_keeps_less_and_changes_no_bit(with_patches, missing):
    encoder, batch = make_encoder(dropout=0.3).train(), make_batch(channels=4, missing=missing)
    outcomes, kept = [], []
    for recompute in (False, True):
        encoder.recompute_layers(recompute)
        encoder.zero_grad()
        torch.manual_seed(1)
        sizes: list[int] = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda own, sizes=sizes: (sizes.append(own.numel()), own)[1], lambda own: own
        ):
            output = encoder(batch, with_patches=with_patches)
        kept.append(sum(sizes))
        (output.cls.square().sum() + output.channels.abs().sum() + output.patches.sum()).backward()
        gradients = [p.grad.clone() for p in encoder.parameters() if p.grad is not None]
        outcomes.append([output.cls, output.channels, output.patches, *gradients, torch.rand(1)])
    assert all(torch.equal(*pair) for pair in zip(*outcomes, strict=True))
    assert kept[1] < 0.5 * kept[0]


def test_a_cpu_recomputes_blocks_that_would_keep_much(monkeypatch):
    counts = []

    def counted(block, *arguments, **options):
        counts.append(block)
        return block(*arguments)

    monkeypatch.setattr("trace_lit.encoder.model.checkpoint", counted)
    encoder, batch = make_encoder(), make_batch()
    encoder(batch)
    assert not counts
    monkeypatch.setattr("trace_lit.encoder.model.MOST_KEPT", 1)
    with torch.no_grad():
        encoder(batch)
    assert not counts
    encoder(batch)
    assert counts == list(encoder.blocks)


def test_the_gradient_of_a_rotation_is_that_of_its_formula():
    tokens = torch.randn(2, 5, 3, 8, dtype=torch.float64, requires_grad=True)
    cosine, sine = (angle.double().unsqueeze(1) for angle in rotary_angles(torch.arange(5), 8))
    assert torch.autograd.gradcheck(lambda own: rotate(own, cosine, sine), tokens)


def test_blocks_are_compiled_for_few_shapes() -> None:
    """With and without anything masked, for one number of windows and then for any number: no batch compiles anew."""
    torch._dynamo.reset()
    counted, encoder = torch._dynamo.utils.counters["stats"], make_encoder()
    for block in encoder.blocks:
        block.compile(backend="eager")  # which needs no compiler and makes the same graphs
    before = counted["unique_graphs"]
    for size, missing in ((6, 0.0), (6, 0.6), (5, 0.0), (5, 0.6)):
        encoder(make_batch(size, missing=missing))
    graphs = counted["unique_graphs"]
    assert 0 < graphs - before <= 4
    for size, missing in ((7, 0.6), (7, 0.0), (6, 0.6), (4, 0.3)):
        encoder(make_batch(size, missing=missing))
    assert counted["unique_graphs"] == graphs
    torch._dynamo.reset()
