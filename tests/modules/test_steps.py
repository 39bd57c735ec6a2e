from __future__ import annotations

import dataclasses

import pytest
import torch

from tests.batches import make_batch
from tests.modules.alone import alignment, pretraining
from trace_lit.batch import NO_LABEL, MultimodalBatch


@pytest.fixture
def batch() -> MultimodalBatch:
    return dataclasses.replace(make_batch(missing=0.2), label=torch.tensor([0, 1, 2, 0, NO_LABEL, NO_LABEL]))


ENCODERS = [
    "encoder.rotary=true",  # as it is
    "encoder={named_tokens: false, scale_tokens: false}",
    "encoder.channel_tokens=false",
    "encoder={channel_tokens: false, patch_identity: false}",
    "encoder={patch_identity: false, channel_attention: full}",
]
ALIGNMENTS = [
    [],
    ["alignment.channel_weight=0"],
    ["alignment.channel_score=false"],
    ["alignment.channel_weight=0", "alignment.channel_score=false"],
    ["alignment.channel_weight=0", "alignment.fusion=true"],
    ["alignment.fusion=true", "alignment.reconstruction_weight=1", "alignment.classification_weight=1"],
    ["alignment.learnable_temperature=false"],
    ["alignment.tower=reading", "alignment.statistics=true", "alignment.sentence_dropout=0.9"],
    ["alignment.tower=reading", "alignment.silence=false", "alignment.numbers=false", "alignment.text_layers=0"],
    ["alignment.tower=reading", "alignment.statistics=true", "alignment.channel_score=false"],
]


def without_gradient(module, batch: MultimodalBatch) -> list[str]:
    module.training_step(batch, 0).backward()
    return [name for name, weight in module.named_parameters() if weight.requires_grad and weight.grad is None]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_trainable_parameter_has_a_gradient(encoder: str, batch: MultimodalBatch) -> None:
    """Data-parallel training would wait for one that has none."""
    assert without_gradient(pretraining(encoder), batch) == []
    for switches in ALIGNMENTS:
        assert without_gradient(alignment(encoder, *switches), batch) == []


@pytest.mark.parametrize("lacking", ["text_mask", "has_channel_text", "label"])
def test_a_batch_without_texts_or_labels_reaches_every_parameter(lacking: str, batch: MultimodalBatch) -> None:
    """Another process's batch may have them, and all processes must have the same gradients to exchange."""
    empty = {
        "text_mask": torch.zeros_like(batch.text_mask),
        "has_channel_text": torch.zeros_like(batch.has_channel_text),
        "label": torch.full_like(batch.label, NO_LABEL),
    }
    module = alignment(*ALIGNMENTS[5])
    assert without_gradient(module, dataclasses.replace(batch, **{lacking: empty[lacking]})) == []
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in module.parameters())


def test_nothing_is_frozen_that_could_learn(batch: MultimodalBatch) -> None:
    for module in (pretraining(), alignment("alignment.reconstruction_weight=1")):
        assert all(weight.requires_grad for weight in module.parameters())


def loss(*words: str, batch: MultimodalBatch) -> float:
    module = alignment(*words)
    torch.manual_seed(1)
    return module.training_step(batch, 0).item()


@pytest.mark.parametrize("term", ["reconstruction", "classification", "channel"])
def test_a_further_term_counts_by_its_weight(term: str, batch: MultimodalBatch) -> None:
    without, once, thrice = (loss(f"alignment.{term}_weight={weight}", batch=batch) for weight in (0, 1, 3))
    assert once > without
    assert thrice - without == pytest.approx(3 * (once - without), rel=1e-4)


def test_the_encoder_learns_from_the_labels(batch: MultimodalBatch) -> None:
    gradients = []
    for labels in (batch.label, batch.label.flip(0)):
        module = alignment("alignment.classification_weight=1")
        module.training_step(dataclasses.replace(batch, label=labels), 0).backward()
        gradients.append(module.encoder.cls.grad)
    assert not torch.allclose(*gradients)


def test_instances_without_a_label_do_not_classify(batch: MultimodalBatch) -> None:
    module = alignment("alignment.classification_weight=1")
    module.training_step(batch, 0)
    scores = module.classifier(module.encoder(batch).cls[:4])
    assert module.logged["train/classification"] == pytest.approx(
        torch.nn.functional.cross_entropy(scores, batch.label[:4]).item(), rel=1e-5
    )


def test_losses_are_logged_by_level_and_direction(batch: MultimodalBatch) -> None:
    module = alignment()
    total = module.training_step(batch, 0).item()
    logged = module.logged
    levels = [
        0.5 * (logged[f"train/{name}/text_to_series"] + logged[f"train/{name}/series_to_text"])
        for name in ("sample", "channel")
    ]
    assert logged["train/loss"] == pytest.approx(total)
    assert sum(levels) == pytest.approx(total, rel=1e-5)
    assert logged["train/temperature"] == pytest.approx(0.07)
    assert logged["train/sample/negatives"] == 5


def test_sentence_dropout_keeps_a_sentence_and_adds_none(batch: MultimodalBatch) -> None:
    silent = batch.text_mask.clone()
    silent[2] = False
    batch = dataclasses.replace(batch, text_mask=silent)
    for share in (0.5, 1.0):
        module = alignment(f"alignment.sentence_dropout={share}")
        for _ in range(20):
            kept = module._perturbed(batch).text_mask
            assert not (kept & ~batch.text_mask).any()
            assert torch.equal(kept.any(1), batch.text_mask.any(1))
    assert kept.sum(1).max() == 1  # all the others were left out


def test_the_share_of_sentences_left_out_is_at_most_what_was_asked() -> None:
    batch = make_batch(size=400, sentences=8)
    batch = dataclasses.replace(batch, text_mask=torch.ones_like(batch.text_mask))
    left_out = []
    for share in (0.0, 0.3, 0.6):
        kept = alignment(f"alignment.sentence_dropout={share}")._perturbed(batch).text_mask
        left_out.append(1 - float(kept.float().mean()))
        assert left_out[-1] <= share + 0.03
    assert left_out[0] == 0
    assert left_out[0] < left_out[1] < left_out[2]


def test_noise_touches_observed_values_only(batch: MultimodalBatch) -> None:
    module = alignment("alignment.noise=0.5")
    noisy = module._perturbed(batch)
    moved = noisy.values != batch.values
    assert torch.equal(moved, batch.observed)
    assert torch.equal(noisy.observed, batch.observed)


def test_noise_is_measured_in_deviations_of_the_channel() -> None:
    batch = make_batch(size=200, steps=48)
    noise = alignment("alignment.noise=0.5")._perturbed(batch).values - batch.values
    spread = noise.transpose(0, 1).flatten(1).std(1)
    assert spread.tolist() == pytest.approx([0.5, 1.0, 1.5], rel=0.05)  # make_vocabulary: deviations 1, 2, 3


def test_a_window_is_raised_as_a_whole_in_deviations_of_the_channel() -> None:
    batch = make_batch(size=2000, steps=8, missing=0.2)
    shift = alignment("alignment.level_noise=0.5")._perturbed(batch).values - batch.values
    assert torch.equal(shift[~batch.observed], torch.zeros_like(shift[~batch.observed]))
    highest = shift.masked_fill(~batch.observed, -torch.inf).amax(-1)
    lowest = shift.masked_fill(~batch.observed, torch.inf).amin(-1)
    there = batch.observed.any(-1)
    assert torch.allclose(highest[there], lowest[there], atol=1e-4)
    spread = [float(highest[:, channel][there[:, channel]].std()) for channel in range(3)]
    assert spread == pytest.approx([0.5, 1.0, 1.5], rel=0.1)  # make_vocabulary: deviations 1, 2, 3


def test_a_window_is_stretched_about_its_mean() -> None:
    batch = make_batch(size=2000, steps=8)
    whole = batch.observed.all(-1)  # a window with a gap has another mean over all steps
    stretched = alignment("alignment.scale_noise=0.3")._perturbed(batch).values[whole]
    values = batch.values[whole]
    assert torch.allclose(stretched.mean(-1), values.mean(-1), atol=1e-3)
    factor = (stretched.std(-1) / values.std(-1)).log()
    assert float(factor.mean()) == pytest.approx(0, abs=0.03)
    assert float(factor.std()) == pytest.approx(0.3, rel=0.1)
    course = [(own - own.mean(-1, keepdim=True)) / own.std(-1, keepdim=True) for own in (values, stretched)]
    assert torch.allclose(*course, atol=1e-3)


def test_validation_looks_at_the_data_as_they_are(batch: MultimodalBatch) -> None:
    losses = []
    for words in (
        [],
        ["alignment.noise=1", "alignment.sentence_dropout=0.9", "alignment.level_noise=1", "alignment.scale_noise=1"],
    ):
        module = alignment(*words).eval()
        module.validation_step(batch, 0)
        losses.append(float(module.validation_loss.compute()))
    assert losses[0] == losses[1]


def test_validation_hides_the_same_patches_every_time(batch: MultimodalBatch) -> None:
    module = pretraining().eval()
    losses = []
    for _ in range(2):
        module.validation_loss.reset()
        module.validation_step(batch, 0)
        losses.append(float(module.validation_loss.compute()))
    assert losses[0] == losses[1]


@pytest.mark.slow
def test_pretraining_learns_to_reconstruct() -> None:
    batch = make_batch(size=32, steps=48)
    module = pretraining("encoder.width=32")
    optimizer = torch.optim.Adam(module.parameters(), lr=3e-3)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        loss = module.training_step(batch, 0)
        losses.append(float(loss.detach()))
        loss.backward()
        optimizer.step()
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


@pytest.mark.slow
def test_alignment_learns_which_text_belongs_to_which_series() -> None:
    batch = make_batch(size=16)
    module = alignment()
    optimizer = torch.optim.Adam(module.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        module.training_step(batch, 0).backward()
        optimizer.step()
    assert module.logged["train/sample/outranked"] < 0.2
