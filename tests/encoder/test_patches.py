import pytest
import torch

from tests.batches import make_batch, make_vocabulary
from trace_lit.config import EncoderConfig
from trace_lit.encoder import (
    InstanceNorm,
    ReconstructionHead,
    SeriesEncoder,
    draw_patch_mask,
    masked_reconstruction_loss,
    split_patches,
)


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
