from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from tests.batches import make_batch, make_vocabulary
from trace_lit.batch import NO_LABEL, NO_NEIGHBOUR, MultimodalBatch, Retrieved
from trace_lit.encoder import ForecastModel, InstanceNorm, SeriesEncoder
from trace_lit.encoder.calendar import calendar_features, calendar_width
from trace_lit.encoder.config import EncoderConfig
from trace_lit.rag import NeighbourInput, RetrievalForecastModel, RetrievedLabels, RetrievedMean, SoftPrompt
from trace_lit.rag.config import RagConfig
from trace_lit.rag.prompt import rescaled, weighted_means

B, R, C, H, D = 6, 4, 3, 5, 7


def make_retrieved(missing: int = 0, seed: int = 0) -> Retrieved:
    """Of each window, so many of the last neighbours are missing."""
    random = torch.Generator().manual_seed(seed)
    found = (torch.arange(R) < R - missing).expand(B, R)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    vectors = drawn(2, B, R, D) * found.unsqueeze(-1)
    measured = found[:, None, :, None]
    return Retrieved(
        number=torch.where(found, torch.arange(R), NO_NEIGHBOUR),
        similarity=torch.rand(B, R, generator=random) * found,
        series=vectors[0],
        text=vectors[1],
        label=torch.where(found, torch.randint(2, (B, R), generator=random), NO_LABEL),
        last=(20 + drawn(B, C, R, 1)) * measured,
        future=(20 + drawn(B, C, R, H)) * measured,
        future_observed=measured.expand(B, C, R, H).clone(),
    )


def without_last(retrieved: Retrieved) -> Retrieved:
    """The same with one neighbour fewer."""
    return retrieved.map(lambda own: own[:, :, :-1] if own.dim() == 4 else own[:, :-1])


def batch_with(retrieved: Retrieved) -> MultimodalBatch:
    return dataclasses.replace(make_batch(B, C), retrieved=retrieved)


def norm_of(batch: MultimodalBatch, transform: str = "none") -> InstanceNorm:
    scale = 2.0 + torch.arange(C).expand(B, C)
    return InstanceNorm.of(batch.values, batch.observed, scale, "last", "channel", transform)


@pytest.mark.parametrize("mode", ["series", "series+text"])
def test_a_missing_neighbour_adds_nothing_to_the_prompt(mode: str) -> None:
    torch.manual_seed(0)
    prompt = SoftPrompt(mode, R, D, 16)
    retrieved = make_retrieved(missing=1)
    smaller = SoftPrompt(mode, R - 1, D, 16)
    own = prompt.projection.weight.unflatten(1, (R, -1))[:, :-1].flatten(1)
    smaller.projection.weight, smaller.projection.bias = torch.nn.Parameter(own), prompt.projection.bias
    assert prompt(retrieved).shape == (B, 1, 16)
    assert torch.allclose(prompt(retrieved), smaller(without_last(retrieved)), atol=1e-6)
    texts = prompt(dataclasses.replace(retrieved, text=torch.zeros_like(retrieved.text)))
    assert torch.equal(prompt(retrieved), texts) == (mode == "series")


def test_a_missing_neighbour_adds_nothing_to_what_followed() -> None:
    retrieved = make_retrieved(missing=1)
    rag = RagConfig(use_futures=True, top=R)
    of_steps, of_labels = (NeighbourInput(rag, D, 16, solved=True, **kind) for kind in ({"horizon": H}, {"labels": 2}))
    full, fewer = batch_with(retrieved), batch_with(without_last(retrieved))
    norm = norm_of(full)
    for one, other in (
        (of_steps.for_channels(full, norm), of_steps.for_channels(fewer, norm)),
        (of_labels.for_windows(full), of_labels.for_windows(fewer)),
    ):
        assert torch.allclose(one[..., :-1], other[..., :-1], atol=1e-6)
        assert (one[..., -1] == 0.75).all()  # how many there are is told beside them
        assert (other[..., -1] == 1).all()
    nothing = of_steps.for_channels(batch_with(make_retrieved(missing=R)), norm)
    assert nothing.shape == (B, C, of_steps.width)
    assert not nothing.any()


def test_the_similar_count_more() -> None:
    values = torch.tensor([[[1.0], [3.0], [100.0]]])
    observed = torch.tensor([[[True], [True], [False]]])
    plain, weighted = weighted_means(values, observed, torch.tensor([[0.9, 0.2, 1.0]]))
    assert plain.item() == pytest.approx(2)
    assert 1 < weighted.item() < 1.01
    plain, weighted = weighted_means(values, observed, torch.full((1, 3), 0.5))
    assert weighted.item() == pytest.approx(plain.item())


def test_what_followed_is_the_same_in_other_units() -> None:
    """One affine change of all values, as from °C to °F; and a neighbour that stands elsewhere changes only its level."""
    retrieved, gain, shift = make_retrieved(), 1.8, 32.0
    batch = batch_with(retrieved)
    norm = norm_of(batch)
    turned = dataclasses.replace(retrieved, last=gain * retrieved.last + shift, future=gain * retrieved.future + shift)
    values = gain * batch.values + shift
    scale = norm.deviation.squeeze(-1) * gain
    there = InstanceNorm.of(values, batch.observed, scale, "last", "channel")
    for one, other in zip(rescaled(retrieved, norm), rescaled(turned, there), strict=True):
        assert torch.allclose(one.float(), other.float(), atol=1e-4)
    moved = dataclasses.replace(retrieved, last=retrieved.last + 7, future=retrieved.future + 7)
    level, change, _ = rescaled(moved, norm)
    assert torch.allclose(change, rescaled(retrieved, norm)[1], atol=1e-4)
    assert torch.allclose(
        level - rescaled(retrieved, norm)[0], 7 / norm.deviation.unsqueeze(2).expand_as(level), atol=1e-4
    )


@pytest.mark.parametrize("transform", ["none", "sqrt", "log"])
def test_the_mean_of_one_neighbour_that_is_the_query_is_its_future(transform: str) -> None:
    batch = batch_with(make_retrieved())
    values = batch.values - batch.values.amin() + 1
    future = values[:, :, :H].flip(2)
    last = values[:, :, -1:].unsqueeze(2)
    own = Retrieved(
        number=torch.zeros(B, 1, dtype=torch.int64),
        similarity=torch.ones(B, 1),
        series=torch.zeros(B, 1, D),
        text=torch.zeros(B, 1, D),
        label=torch.full((B, 1), NO_LABEL),
        last=last,
        future=future.unsqueeze(2),
        future_observed=torch.ones(B, C, 1, H, dtype=torch.bool),
    )
    batch = dataclasses.replace(batch, values=values, retrieved=own)
    for quantiles in ([], [0.1, 0.5, 0.9]):
        message = RetrievedMean(make_vocabulary(), quantiles, transform)(batch).values
        assert message.shape == (B, C, H, max(len(quantiles), 1))
        assert torch.allclose(message, future.unsqueeze(-1).expand_as(message), rtol=1e-3)
    nobody = own.map(torch.zeros_like)
    nobody.number = torch.full((B, 1), NO_NEIGHBOUR)
    assert nobody.future_observed is not None
    message = RetrievedMean(make_vocabulary(), [], transform)(dataclasses.replace(batch, retrieved=nobody)).values
    assert torch.allclose(message, values[:, :, -1:, None].expand_as(message), rtol=1e-3)  # the last value


def test_the_shares_of_labels_are_those_of_the_neighbours() -> None:
    retrieved = make_retrieved()
    retrieved.label = torch.tensor([[1, 1, 1, 0], [NO_LABEL] * 4, *[[0, 0, 1, NO_LABEL]] * 4])
    shares = RetrievedLabels(2)(batch_with(retrieved)).softmax(-1)
    assert shares[:, 1].tolist() == pytest.approx([3.5 / 5, 0.5, *[1.5 / 4] * 4])


def test_the_token_stands_before_the_patches_and_moves_none_of_them() -> None:
    torch.manual_seed(0)
    encoder = SeriesEncoder(EncoderConfig(width=16, layers=1, heads=2), make_vocabulary()).eval()
    rag = RagConfig(mode="series+text", use_futures=True, top=R)
    batch = batch_with(make_retrieved())
    widths = {}
    for solved in (False, True):
        given = NeighbourInput(rag, D, 16, solved, horizon=H)
        model = RetrievalForecastModel(encoder, 24, H, 1, 0, given)
        features = model.features(batch)
        widths[solved] = features.shape[-1]
        assert features.shape[-1] == model.head.projection.in_features
        first = 16 * given.tokens
        assert torch.allclose(features[..., first : first + 64], encoder(batch).patches.flatten(2), atol=1e-5)
        if not solved:
            assert given.prompt is not None
            assert torch.allclose(features[:, 0, :16], given.prompt(batch.retrieved)[:, 0])
    further = 1 + 2 * (H + 1)
    assert widths == {False: 5 * 16 + further, True: 4 * 16 + further + 2 * R * D}


def test_the_calendar_that_a_head_sees_is_that_of_the_origin() -> None:
    batch = batch_with(make_retrieved())
    batch.span = 1_700_000_000 + torch.stack([torch.arange(B) * 7_000, torch.arange(B) * 50_000 + 90_000], dim=1)
    encoder = SeriesEncoder(EncoderConfig(width=16, layers=1, heads=2), make_vocabulary()).eval()
    given = NeighbourInput(RagConfig(use_futures=True, top=R), D, 16, True, horizon=H)
    expected = calendar_features(batch.span[:, 1], 2)
    for model in (ForecastModel(encoder, 24, H, harmonics=2), RetrievalForecastModel(encoder, 24, H, 1, 2, given)):
        seen = model.features(batch)[..., -calendar_width(2) :]
        assert torch.equal(seen, expected.unsqueeze(1).expand_as(seen))


def test_a_missing_retrieval_is_named() -> None:
    with pytest.raises(ValueError, match="attach a RetrievalLookup"):
        RetrievedLabels(2)(make_batch())
