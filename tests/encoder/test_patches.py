import pytest
import torch

from tests.batches import make_batch, make_vocabulary
from trace_lit.encoder import (
    InstanceNorm,
    ReconstructionHead,
    SeriesEncoder,
    draw_patch_mask,
    masked_reconstruction_loss,
    split_patches,
)
from trace_lit.encoder.config import EncoderConfig
from trace_lit.encoder.patches import invert_transform, transform_statistics, transform_values


def test_patches_end_with_the_window_and_are_padded_on_the_left():
    patches = split_patches(torch.arange(1, 8).float(), 3)
    assert patches.tolist() == [[0, 0, 1], [2, 3, 4], [5, 6, 7]]


def test_instance_norm_inverts_and_standardises_the_observed():
    batch = make_batch(missing=0.3, steps=60)
    norm = InstanceNorm.of(batch.values, batch.observed, torch.ones(6, 3))
    normalised = norm.normalise(batch.values)
    torch.testing.assert_close(norm.denormalise(normalised), batch.values, atol=1e-4, rtol=1e-5)
    seen = normalised[0, 0][batch.observed[0, 0]]
    assert abs(float(seen.mean())) < 1e-4
    assert abs(float(seen.std(correction=0)) - 1) < 1e-3


@pytest.mark.parametrize("level", [0.0, 1013.25, -4e6])
def test_a_constant_channel_becomes_zeros(level):
    values = torch.full((1, 1, 24), level)
    norm = InstanceNorm.of(values, torch.ones(1, 1, 24, dtype=torch.bool), torch.zeros(1, 1))
    assert norm.normalise(values).abs().max() < 0.5
    torch.testing.assert_close(norm.denormalise(norm.normalise(values)), values)


@pytest.mark.parametrize("transform", ["none", "sqrt", "log"])
def test_the_level_may_be_the_last_value_and_the_spread_the_channels_own(transform):
    """Both on the transformed scale; a missing last value is passed over."""
    values = torch.tensor([[[4.0, 9.0, 16.0, 0.0]]])
    observed = torch.tensor([[[True, True, True, False]]])
    norm = InstanceNorm.of(values, observed, torch.tensor([[2.0]]), "last", "channel", transform)
    moved = {"none": values, "sqrt": values.sqrt(), "log": values.clamp(min=1e-6).log()}[transform][..., :3]
    torch.testing.assert_close(norm.normalise(values)[..., :3], (moved - moved[..., 2:]) / 2)
    torch.testing.assert_close(norm.denormalise(norm.normalise(values))[..., :3], values[..., :3])
    unknown = InstanceNorm.of(values, observed, torch.tensor([[0.0]]), "last", "channel", transform)
    torch.testing.assert_close(unknown.deviation.squeeze(), moved.std(correction=0))  # the window's own


def test_nothing_observed_stands_at_the_level_that_is_given():
    values, observed = torch.full((1, 2, 4), 7.0), torch.zeros(1, 2, 4, dtype=torch.bool)
    observed[0, 1] = True
    norm = InstanceNorm.of(values, observed, torch.ones(1, 2), "last").or_at(torch.tensor([[3.0, 3.0]]), observed)
    assert norm.mean.flatten().tolist() == [3.0, 7.0]


@pytest.mark.parametrize(("transform", "value"), [("sqrt", 100.0), ("log", 100.0)])
def test_statistics_go_over_to_the_transformed_scale(transform, value):
    """By the delta method: right for deviations that are small beside the level."""
    sample = value + torch.randn(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean, deviation = transform_statistics(torch.tensor(value), torch.tensor(1.0), transform)
    moved = transform_values(sample, transform)
    assert float(mean) == pytest.approx(float(moved.mean()), rel=1e-3)
    assert float(deviation) == pytest.approx(float(moved.std()), rel=2e-2)


def test_what_has_no_root_or_logarithm_is_taken_for_the_least_that_has_one():
    values = torch.tensor([-3.0, 0.0])
    assert transform_values(values, "sqrt").tolist() == [0.0, 0.0]
    assert transform_values(values, "log").isfinite().all()
    assert invert_transform(torch.tensor([-1.0]), "sqrt").tolist() == [0.0]  # a forecast below every root


@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.75])
def test_the_mask_hits_the_share_among_observed_patches(ratio):
    seen = torch.rand(50, 4, 25) > 0.4
    mask = draw_patch_mask(seen, ratio)
    assert not (mask & ~seen).any()
    wanted = (ratio * seen.flatten(1).sum(1)).round()
    assert (mask.flatten(1).sum(1) == wanted).all()


def test_every_patch_is_masked_now_and_then_and_something_always_stays():
    seen = torch.ones(1, 2, 3, dtype=torch.bool)
    total = sum(draw_patch_mask(seen, 0.5).int() for _ in range(100))
    assert (total > 20).all()
    assert draw_patch_mask(torch.ones(1, 1, 2, dtype=torch.bool), 0.99).sum() == 1
    assert draw_patch_mask(torch.zeros(1, 1, 2, dtype=torch.bool), 0.5).sum() == 0


def test_the_loss_counts_masked_observed_points_only():
    torch.manual_seed(0)
    config = EncoderConfig(width=16, layers=1, heads=2, patch_length=6, dropout=0.0)
    encoder, head = SeriesEncoder(config, make_vocabulary()), ReconstructionHead(16, 6)
    batch = make_batch(missing=0.2)
    mask = draw_patch_mask(torch.ones(6, 3, 4, dtype=torch.bool), 0.3)
    output = encoder(batch, mask)
    guess = head(output)
    target = split_patches(output.norm.normalise(batch.values), 6)
    counted = split_patches(batch.observed, 6) & mask.unsqueeze(-1)
    expected = ((guess - target)[counted] ** 2).mean()
    torch.testing.assert_close(masked_reconstruction_loss(guess, batch, output, mask), expected)
    nothing = torch.zeros_like(mask)
    assert masked_reconstruction_loss(guess, batch, output, nothing) == 0


def test_what_is_masked_cannot_be_seen():
    """Changing the shape of a hidden patch, level and spread kept, changes nothing in the output."""
    torch.manual_seed(0)
    config = EncoderConfig(width=16, layers=2, heads=2, patch_length=6, dropout=0.0)
    encoder = SeriesEncoder(config, make_vocabulary()).eval()
    batch, changed = make_batch(), make_batch()
    changed.values[:, 1, 6:12] = changed.values[:, 1, 6:12].flip(-1)
    mask = torch.zeros(6, 3, 4, dtype=torch.bool)
    assert (encoder(batch, mask).cls - encoder(changed, mask).cls).abs().max() > 1e-4
    mask[:, 1, 1] = True
    torch.testing.assert_close(encoder(batch, mask).cls, encoder(changed, mask).cls, atol=1e-5, rtol=1e-4)


def test_a_channel_of_which_nothing_is_known_has_errors_of_its_own_unit() -> None:
    """Neither this window nor training has a value of it; a tiny deviation would make its errors the only ones."""
    values, observed = torch.zeros(1, 2, 6), torch.tensor([[[True] * 6, [False] * 6]])
    norm = InstanceNorm.of(values, observed, torch.tensor([[2.0, 0.0]]), "last", "channel")
    norm = norm.or_at(torch.zeros(1, 2), observed)
    assert norm.normalise(torch.full((1, 2, 1), 7.0)).flatten().tolist() == [3.5, 7.0]
