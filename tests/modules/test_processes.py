"""The step of the alignment on two processes is that on one process with the whole batch."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from tests.batches import make_batch
from tests.modules.alone import AloneAlign, alignment
from tests.processes import on_processes
from trace_lit.alignment import NegativeCache, WindowMemory
from trace_lit.batch import NO_LABEL, NO_STATEMENT, MultimodalBatch, Statements
from trace_lit.distributed import gather, rank, world_size

SIZE, CORPUS = 9, 14
EVERYTHING = ("alignment.fusion=true", "alignment.classification_weight=1")
HARD = ("alignment.negatives=3", "alignment.all_negatives_share=0")


def whole(silent: slice, wordless: slice) -> MultimodalBatch:
    """Instances without a text where `silent`, without channel texts where `wordless`; two have one text, two overlap."""
    batch = make_batch(size=SIZE, missing=0.2, seed=4)
    label = torch.arange(SIZE) % 4
    batch = dataclasses.replace(
        batch,
        label=torch.where(label == 3, NO_LABEL, label),
        text_id=batch.text_id.clone(),
        series_id=batch.series_id.clone(),
    )
    batch.text_id[7], batch.series_id[8] = batch.text_id[1], batch.series_id[2]
    batch.text_mask[silent] = False
    batch.has_channel_text[wordless] = False
    return batch


class Bank:
    """Of each of 20 statements, which of the corpus's windows it is true of."""

    first, count, turned = 0, 2, 1
    table = torch.rand(20, CORPUS, generator=torch.Generator().manual_seed(5)) < 0.4

    def __contains__(self, row: int) -> bool:
        return row < CORPUS

    def truth(self, stated: Tensor, rows: Tensor) -> Tensor:
        true = self.table[stated.clamp(min=0)][..., rows] | (stated == NO_STATEMENT).unsqueeze(-1)
        return true.all(1)


def make_statements() -> Statements:
    """Three texts a window of one or two statements; some windows have fewer texts."""
    chance = torch.Generator().manual_seed(6)
    stated = torch.randint(0, 20, (SIZE, 3, 2), generator=chance)
    stated[::2, :, 1] = NO_STATEMENT
    mask = torch.rand(SIZE, 3, 4, generator=chance) < 0.7
    mask[3:6, 2] = False
    spoken = torch.rand(SIZE, 3, 3, generator=chance) < 0.4
    return Statements(stated, torch.randn(SIZE, 3, 4, 16, generator=chance), mask, spoken)


def make_cache() -> NegativeCache:
    chance = torch.Generator().manual_seed(0)
    width = 16 * 4  # [CLS] and three channels
    series, text = nn.functional.normalize(torch.randn(2, CORPUS, width, generator=chance), dim=2)
    of_text, of_series = torch.randint(-1, CORPUS, (2, CORPUS, 4), generator=chance)
    return NegativeCache(0, series, text, of_text, of_series)


def make_memory() -> WindowMemory:
    """Two windows of three have been embedded before."""
    chance = torch.Generator().manual_seed(1)
    series = nn.functional.normalize(torch.randn(CORPUS, 16 * 4, generator=chance), dim=1)
    return WindowMemory(series, torch.arange(CORPUS) % 3 > 0)


READING = (
    "alignment.tower=reading",
    "alignment.statistics=true",
    "alignment.statements=2",
    "alignment.voice_weight=0.5",
)
REMEMBERING = (*READING, "alignment.statement_memory=true", "alignment.match_names=true")
NONE, LAST = slice(0), slice(5, None)
# Words, the instances without text, those without channel texts, whether mined negatives outside of the batch count.
CASES = {
    "all texts": ((), NONE, NONE, False),
    "the second process has no text": ((), LAST, NONE, False),
    "the second process has no channel text": (HARD, NONE, LAST, False),
    "some texts": (HARD, slice(1, None, 2), slice(2, None, 3), False),
    "every term": ((*HARD, *EVERYTHING), slice(1, None, 3), NONE, False),
    "mined negatives outside of the batch": (HARD, slice(1, None, 3), NONE, True),
    "the second process has neither, outside": (EVERYTHING, LAST, LAST, True),
    "read word by word, with statements": (READING, slice(1, None, 3), NONE, False),
    "no reports, statements alone": (READING, slice(None), NONE, False),
    "statements and all other windows": (REMEMBERING, slice(1, None, 3), NONE, False),
}


class Step(nn.Module):
    """What data-parallel training wraps."""

    def __init__(self, module: AloneAlign) -> None:
        super().__init__()
        self.module = module

    def forward(self, batch: MultimodalBatch) -> Tensor:
        return self.module.training_step(batch, 0)


def losses_and_gradients(sizes: list[int]) -> dict[str, dict[str, Tensor]]:
    """For each case the loss, averaged over the processes, and every gradient; this process has `sizes[rank]` rows."""
    found = {}
    for case, (words, silent, wordless, cached) in CASES.items():
        module = alignment(*words)
        module.progress = 1.0  # the negatives are the hardest few
        if cached:
            module.use_negatives([make_cache()])
        begin = sum(sizes[: rank()])
        batch = whole(silent, wordless)
        if "alignment.statements=2" in words:
            module.statement_banks = [Bank()]  # type: ignore[list-item]
            module.memories = {Bank.first: make_memory()}
            batch = dataclasses.replace(batch, statements=make_statements())
        batch = batch._map(lambda tensor, first=begin: tensor[first : first + sizes[rank()]])
        step: nn.Module = Step(module)
        if world_size() > 1:
            step = DistributedDataParallel(step)
        loss = step(batch)
        loss.backward()
        gradients = {name: weight.grad for name, weight in module.named_parameters() if weight.requires_grad}
        found[case] = {"loss": gather(loss.detach().unsqueeze(0)).mean(), **gradients}
    return found


def test_two_processes_give_the_loss_and_every_gradient_of_one() -> None:
    alone = losses_and_gradients([SIZE])
    for together in on_processes(2, losses_and_gradients, [5, 4]):
        for case, expected in alone.items():
            assert together[case].keys() == expected.keys()
            scale = max(value.norm() for value in expected.values())
            assert scale > 0.1
            for name, value in expected.items():
                error = (together[case][name] - value).norm()
                # Some gradients are zero but for rounding, those of a bias before a softmax for example.
                assert error <= 1e-5 * max(value.norm(), 1e-3 * scale), (case, name, float(error), float(value.norm()))
