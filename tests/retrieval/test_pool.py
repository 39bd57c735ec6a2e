"""Properties of embedded pools."""

import dataclasses
import itertools

import pytest
import torch
from torch import nn

from tests.batches import TEXT_WIDTH, make_batch
from tests.processes import on_processes
from trace_lit.batch import MultimodalBatch
from trace_lit.distributed import rank, world_size
from trace_lit.retrieval import Pool, RetrievalError, embed_pool, evaluate_retrieval

SIZE = 23


class LinearSpace(nn.Module):
    """Series by their channels' means, texts by their first sentence."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.series = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5))
        self.text = nn.Linear(TEXT_WIDTH, 8)

    def embed_series(self, batch: MultimodalBatch) -> torch.Tensor:
        return nn.functional.normalize(self.series(batch.values.mean(-1)), dim=1)

    def embed_text(self, text: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(self.text(text[:, 0]), dim=1)


def everything() -> MultimodalBatch:
    batch = make_batch(size=SIZE, seed=1)
    batch.text_mask[::5] = False
    batch.label[:] = torch.arange(SIZE) % 3
    batch.text_id = batch.index.clone()
    batch.text_id[1] = 2
    batch.text[1] = batch.text[2]
    return batch


def loader(shares: list[list[int]]) -> list[MultimodalBatch]:
    batch = everything()
    return [batch._map(lambda tensor, rows=rows: tensor[rows]) for rows in shares]


def same(one: Pool, other: Pool) -> None:
    for field in dataclasses.fields(Pool):
        torch.testing.assert_close(getattr(one, field.name), getattr(other, field.name))


@pytest.fixture
def whole() -> Pool:
    return embed_pool(LinearSpace(), loader([list(range(SIZE))]), "cpu")


def test_a_pool_holds_what_the_model_says(whole):
    batch, model = everything(), LinearSpace().eval()
    assert len(whole) == SIZE
    torch.testing.assert_close(whole.series, model.embed_series(batch).detach())
    assert (whole.text[~batch.has_text] == 0).all()
    torch.testing.assert_close(
        whole.text[batch.has_text], model.embed_text(batch.text, batch.text_mask)[batch.has_text].detach()
    )
    for name in ("has_text", "label", "text_id", "index"):
        assert torch.equal(getattr(whole, name), getattr(batch, name))


def test_order_batches_and_repetition_do_not_matter(whole):
    order = torch.randperm(SIZE, generator=torch.Generator().manual_seed(0)).tolist()
    same(embed_pool(LinearSpace(), loader([order[:9], order[5:], order[:3]]), "cpu"), whole)


def test_the_training_mode_of_every_module_is_kept(whole):
    model = LinearSpace()
    model.text.eval()
    same(embed_pool(model, loader([list(range(SIZE))]), "cpu"), whole)  # without dropout
    assert model.training
    assert model.series[1].training
    assert not model.text.training
    assert model.text.weight.requires_grad


def test_a_pool_can_be_worked_with_like_any_tensor(whole):
    weight = torch.ones(8, requires_grad=True)
    (whole.series @ weight).sum().backward()  # inference tensors refuse this
    assert weight.grad is not None


def test_an_empty_pool_is_refused():
    with pytest.raises(RetrievalError, match="no instances"):
        embed_pool(LinearSpace(), [], "cpu")


def test_a_diverged_model_does_not_score():
    model = LinearSpace()
    with torch.no_grad():
        model.series[0].weight[0, 0] = torch.nan
    with pytest.raises(RetrievalError, match="23 of 23 series embeddings are not finite"):
        embed_pool(model, loader([list(range(SIZE))]), "cpu")


def test_fields_of_unequal_length_are_refused(whole):
    with pytest.raises(RetrievalError, match="one length"):
        dataclasses.replace(whole, label=whole.label[:-1])


def embed_shares() -> list[tuple[Pool, dict]]:
    """Every second of 23 instances, the last share filled up by a repetition; then all on the second process."""
    results = []
    for rows in ([row % SIZE for row in range(rank(), SIZE + 1, world_size())], list(range(SIZE)) * rank()):
        pool = embed_pool(LinearSpace(), loader([rows[i : i + 5] for i in range(0, len(rows), 5)]), "cpu")
        results.append((pool, evaluate_retrieval(pool, bootstrap=20)))
    return results


def test_two_processes_give_the_pool_and_the_metrics_of_one(whole):
    expected = evaluate_retrieval(whole, bootstrap=20)
    for pool, metrics in itertools.chain(*on_processes(2, embed_shares)):
        same(pool, whole)
        assert metrics.keys() == expected.keys()
        assert all(metrics[key] == pytest.approx(value) for key, value in expected.items())
