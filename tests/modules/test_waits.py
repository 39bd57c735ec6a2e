"""No step of training waits for the device.

The device of these tests is torch's "meta": it does the arithmetic of shapes and has no values, so whatever reads one there
fails, and so does whatever has a shape that depends on values. `Watch` adds what would only cost time on a GPU.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from callbacks.averaging import MovingAverage
from tests.batches import make_batch
from tests.modules.alone import alignment, pretraining, tuning
from trace_lit.alignment import NegativeCache
from trace_lit.batch import NO_LABEL, MultimodalBatch, Retrieved, Statements, sent
from trace_lit.modules.optim import build_optimizer
from trace_lit.modules.stage import StageModule

DEVICE = torch.device("meta")
SIZE, PIECES, WINDOWS = 6, 40, 20
ATEN = torch.ops.aten
NO_VALUES = (NotImplementedError, RuntimeError, TypeError)  # what the device raises when it is asked for one


class WaitedError(AssertionError):
    pass


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        operation = func.overloadpacket
        if operation in (ATEN._to_copy, ATEN.copy_):
            source = args[-1] if operation is ATEN._to_copy else args[1]
            target = kwargs.get("device") or args[0].device
            patient = kwargs.get("non_blocking", operation is ATEN.copy_ and len(args) > 2 and args[2])
            if source.device.type == "cpu" and target.type == "meta" and source.dim() and not patient:
                raise WaitedError(f"{func} copies to the device and waits")
        if operation in (ATEN.index, ATEN.index_put, ATEN.index_put_, ATEN._index_put_impl_) and args[0].is_meta:
            for index in args[1]:
                if index is not None and not (index.is_meta and index.dtype == torch.int64):
                    raise WaitedError(f"{func} by a mask, or by an index of the host")
        if operation is ATEN.isin and any(own.is_meta for own in tree_leaves(args) if isinstance(own, Tensor)):
            raise WaitedError("isin may sort and count")
        return func(*args, **kwargs)


class _Calls(TorchFunctionMode):
    """What has left no trace once the operations come."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in (torch.tensor, torch.as_tensor, Tensor.new_tensor) and result.is_meta:
            raise WaitedError(f"{func.__name__} copies values to the device and waits")
        if func in (Tensor.__getitem__, Tensor.__setitem__) and args[0].is_meta:
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            if any(isinstance(own, list) for own in index):
                raise WaitedError("a list as an index is copied to the device")
        return result


@contextmanager
def watch() -> Iterator[None]:
    # Torch has no mixed precision there.
    with mock.patch("torch.autocast", return_value=nullcontext()), _Operations(), _Calls():
        yield


def on_device() -> Tensor:
    return torch.ones(4, 3, device=DEVICE)


@pytest.mark.parametrize(
    "read",
    [
        lambda: bool((on_device() > 0).all()),
        lambda: on_device().sum().item(),
        lambda: int(on_device().argmax()),
        lambda: on_device().tolist(),
        lambda: on_device().cpu(),
        lambda: on_device().numpy(),
        lambda: on_device().nonzero(),
        lambda: torch.where(on_device()),
        lambda: on_device().unique(),
        lambda: torch.unique_consecutive(on_device()),
        lambda: on_device()[on_device() > 0],
        lambda: on_device().masked_select(on_device() > 0),
        lambda: on_device().__setitem__(on_device() > 0, on_device()[0, 0]),
        lambda: torch.equal(on_device(), on_device()),
        lambda: torch.isin(on_device(), on_device()),
        lambda: torch.repeat_interleave(on_device().long()[0]),
        lambda: torch.tensor([1.0], device=DEVICE),
        lambda: on_device().new_tensor([1.0]),
        lambda: on_device()[[0, 1]],
        lambda: on_device()[torch.tensor([0, 1])],
        lambda: torch.ones(3).to(DEVICE),
        lambda: on_device()[0].copy_(torch.ones(3)),
    ],
)
def test_the_watch_sees_whatever_waits(read: Callable[[], Any]) -> None:
    with watch(), pytest.raises((WaitedError, *NO_VALUES)):
        read()


def test_the_watch_lets_pass_what_does_not_wait() -> None:
    with watch():
        place = sent(torch.tensor([0, 2]), DEVICE)
        assert on_device()[place].shape == (2, 3)
        assert torch.where(on_device() > 0, on_device(), 0.0).masked_fill(on_device() > 0, torch.inf).shape == (4, 3)


class Bank:
    """Statements as a corpus's bank has them, of which every third is true of a window."""

    first, size, count, turned = 0, WINDOWS, 2, 1

    def __contains__(self, row: int) -> bool:
        return self.first <= row < self.first + self.size

    def truth(self, stated: Tensor, rows: Tensor) -> Tensor:
        return torch.from_numpy((stated.numpy().sum(1)[:, None] + rows.numpy()) % 3 == 0)


def with_marks(text: Tensor, generator: torch.Generator) -> Tensor:
    """With the number of each piece's sentence, and the kind, level and difference of a number in every third piece."""
    sentence = (torch.arange(text.shape[-2]) // 9).expand(text.shape[:-1]).float()
    kind = torch.where(torch.rand(text.shape[:-1], generator=generator) < 0.3, 0.0, -1.0)
    numbers = torch.randn(*text.shape[:-1], 2, generator=generator)
    return torch.cat([text, sentence.unsqueeze(-1), kind.unsqueeze(-1), numbers], dim=-1)


def full_batch(missing: float, tokens: bool = False) -> MultimodalBatch:
    """All that a step may ask for, and an instance each without text, label and values of a channel."""
    generator = torch.Generator().manual_seed(1)
    batch = make_batch(SIZE, missing=missing, sentences=PIECES if tokens else 4)
    mask = batch.text_mask.clone()
    mask[2] = False
    statements = Statements(
        stated=torch.randint(9, (SIZE, 3, 2), generator=generator),
        text=torch.randn(SIZE, 3, 7, batch.text.shape[-1], generator=generator),
        mask=torch.rand(SIZE, 3, 7, generator=generator) < 0.7,
        spoken=torch.rand(SIZE, 3, 3, generator=generator) < 0.5,
    )
    statements.mask[1, 1] = False
    text = batch.text
    if tokens:
        text = with_marks(text, generator)
        statements = dataclasses.replace(statements, text=with_marks(statements.text, generator))
    if missing:
        batch.observed[0, 1] = False
    future = torch.randn(SIZE, 3, 5, generator=generator)
    return dataclasses.replace(
        batch,
        text=text,
        text_mask=mask,
        statements=statements,
        label=torch.tensor([0, 1, 2, 0, NO_LABEL, NO_LABEL]),
        future=future,
        future_observed=torch.rand(future.shape, generator=generator) > 0.2,
        times=torch.arange(24).expand(SIZE, -1) * 3600,
        retrieved=Retrieved(
            number=torch.zeros(SIZE, 2, dtype=torch.int64),
            similarity=torch.rand(SIZE, 2),
            series=torch.randn(SIZE, 2, 16),
            text=torch.randn(SIZE, 2, 16),
            label=torch.zeros(SIZE, 2, dtype=torch.int64),
            last=torch.randn(SIZE, 3, 2, 1),
            future=torch.randn(SIZE, 3, 2, 5),
            future_observed=torch.rand(SIZE, 3, 2, 5) > 0.2,
        ),
    )


def make_steps(module: StageModule, batch: MultimodalBatch) -> None:
    """Two steps: forward, backward, clipping, the optimiser and the average of the weights."""
    module.to(DEVICE)
    module.log = module.log_dict = lambda *_, **__: None  # type: ignore[method-assign,assignment]
    optimizer = build_optimizer(module, module.config.optim, fused=False)
    average = MovingAverage(module, 0.9, DEVICE)
    moved = batch.to(DEVICE)
    for number in range(2):
        optimizer.zero_grad()
        with watch():
            module.training_step(moved, number).backward()
            clip_grad_norm_(module.parameters(), 1.0)
            module.on_train_batch_end(None, moved, number)
        optimizer.step()  # that of the tests' device counts its steps on the host
        with watch():
            average.update_parameters(module)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize(
    "words",
    [
        [],
        ["encoder.channel_tokens=false"],
        ["encoder={calendar: true, transform: sqrt, centre: last, spread: channel, dropout: 0.1}"],
    ],
)
def test_a_step_of_pretraining_waits_for_nothing(words: list[str], missing: float) -> None:
    make_steps(pretraining(*words), full_batch(missing))


ALIGNMENTS = [
    [],
    ["alignment={negatives: 2, all_negatives_share: 0, statistics: true, noise: 0.1, sentence_dropout: 0.5}"],
    ["alignment={fusion: true, reconstruction_weight: 1, classification_weight: 1}"],
    ["alignment={channel_score: false, channel_weight: 0}"],
    ["alignment={tower: reading, statistics: true, sentence_dropout: 0.5}"],
]
TOKENS = "text.unit=token"
READINGS = [
    [TOKENS, "alignment={tower: reading, match_names: true, sentence_dropout: 0.5, sentence_dropout_min: 0.1}"],
    [TOKENS, "alignment={tower: reading, statistics: true, statements: 2, voice_weight: 1, statement_memory: true}"],
    ["alignment={tower: pooled, statements: 2, statement_memory: true}"],
]


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("words", ALIGNMENTS)
def test_a_step_of_alignment_waits_for_nothing(words: list[str], missing: float) -> None:
    batch = dataclasses.replace(full_batch(missing), statements=None)
    make_steps(alignment(*words), batch)


@pytest.mark.parametrize("words", READINGS)
def test_a_step_with_tokens_or_statements_waits_for_nothing(words: list[str]) -> None:
    module = alignment(*words)
    batch = full_batch(0.3, tokens=TOKENS in words)
    if module.config.alignment.statements:
        module.statement_banks = [Bank()]  # type: ignore[list-item]
    else:
        batch = dataclasses.replace(batch, statements=None)
    make_steps(module, batch)


def test_a_step_with_mined_negatives_waits_for_nothing() -> None:
    module = alignment()
    batch = dataclasses.replace(full_batch(0.3), statements=None)
    width = module.model(batch).series.shape[1]
    vectors, places = torch.randn(WINDOWS, width), torch.randint(-1, WINDOWS, (WINDOWS, 4))
    module.use_negatives([NegativeCache(0, vectors, vectors, places, places).to(DEVICE)])
    make_steps(module, batch)


def test_a_step_with_usual_values_of_each_corpus_waits_for_nothing() -> None:
    module = alignment()
    vocabulary = module.vocabulary
    other = dataclasses.replace(vocabulary, mean=tuple(1 + own for own in vocabulary.mean))
    module.use_usual([other, vocabulary], [SIZE, SIZE])
    make_steps(module, dataclasses.replace(full_batch(0.3), statements=None))


@pytest.mark.parametrize(
    "words",
    [
        ["window={horizon: 5, augmentation_scales: [0.5, 2.0]}", "tune={scope: full, alignment_weight: 1}"],
        ["window={horizon: 5}", "head.quantiles=[0.1, 0.5, 0.9]", "tune.scope=lora"],
        ["window={horizon: 5}", "tune.model=dlinear"],
        ["window={horizon: 5}", "tune.model=patchtst"],
        ["tune={task: classify, scope: full}"],
    ],
)
def test_a_step_of_tuning_waits_for_nothing(words: list[str]) -> None:
    make_steps(tuning("head.solver=sgd", *words), full_batch(0.3))


def test_what_was_replaced_on_the_device_is_not_taken_from_the_host() -> None:
    batch = full_batch(0.3)
    moved = batch.to(DEVICE)
    assert moved.on_host.label is batch.label
    changed = dataclasses.replace(moved, label=torch.zeros(SIZE, dtype=torch.int64))
    assert changed.on_host.label.tolist() == [0] * SIZE
    assert moved.with_known(text_mask=batch.text_mask[:, :1]).on_host.text_mask.shape == (SIZE, 1)
    assert batch.on_host.label is batch.label
