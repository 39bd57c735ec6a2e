"""An embedded split, which is searched and evaluated on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Protocol

import torch
from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch
from trace_lit.distributed import gather
from trace_lit.retrieval.errors import RetrievalError


class Embedder(Protocol):
    """A module that puts series and texts into one space of unit vectors; a retrieval score is their inner product.

    `trace_lit.alignment.SearchSpace` is one.
    """

    def embed_series(self, batch: MultimodalBatch) -> Tensor: ...  # (B, E)

    def embed_text(self, text: Tensor, mask: Tensor) -> Tensor: ...  # (N, S, D) and (N, S) to (N, E)

    def modules(self) -> Iterator[nn.Module]: ...


@dataclass
class Pool:
    """N embedded instances, on the CPU, each once, in the order of `index`.

    Raises
    ------
    RetrievalError
        The fields differ in length, or an embedding is not finite.
    """

    series: Tensor  # (N, E) float32, unit norm
    text: Tensor  # (N, E) float32, unit norm, 0 where there is no text
    has_text: Tensor  # (N,) bool
    label: Tensor  # (N,) int64, NO_LABEL where there is none
    text_id: Tensor  # (N,) int64, equal ids = equal text; meaningless where there is no text
    index: Tensor  # (N,) int64, position in the dataset

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(lengths.values())) > 1:
            raise RetrievalError(f"the fields of a pool must have one length, not {lengths}")
        for kind in ("series", "text"):
            check_finite(getattr(self, kind), kind)

    def __len__(self) -> int:
        return len(self.index)


def check_finite(vectors: Tensor, kind: str) -> None:
    """Raise RetrievalError where one of the embeddings `vectors` (N, E) of a `kind`, "series" or "text", is not finite."""
    if broken := int((~vectors.isfinite()).any(1).sum()):
        raise RetrievalError(
            f"{broken} of {len(vectors)} {kind} embeddings are not finite: the model has diverged; "
            "train again with a lower optim.learning_rate"
        )


@contextmanager
def evaluation_mode(model: Embedder | nn.Module) -> Iterator[None]:
    """No dropout and no gradient inside; every submodule's own training mode is restored afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    for module, _ in modes:
        module.training = False
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def embed_series(model: Embedder, batches: Iterable[MultimodalBatch], device: torch.device | str) -> Tensor:
    """Unit vectors (N, E) float32 of all instances of `batches`, on the CPU; texts are not looked at.

    Raises
    ------
    RetrievalError
        There is no instance, or an embedding is not finite.
    """
    with evaluation_mode(model):
        parts = [model.embed_series(batch.to(device, non_blocking=True)).float().cpu() for batch in batches]
    if not parts:
        raise RetrievalError("there is nothing to embed")
    vectors = torch.cat(parts).clone()  # outside of inference mode
    check_finite(vectors, "series")
    return vectors


def embed_pool(model: Embedder, loader: Iterable[MultimodalBatch], device: torch.device | str) -> Pool:
    """Embed what all processes' loaders yield; every process gets the whole pool.

    An instance that a sampler repeated, to fill a batch or a process's share, is in the pool once.

    Parameters
    ----------
    loader
        This process's share of the instances; it may be empty while another process's is not.
    device
        Where the model is; collectives run there.

    Raises
    ------
    RetrievalError
        No process has an instance, or an embedding is not finite.
    """
    parts: list[tuple[Tensor, ...]] = []
    with evaluation_mode(model):
        for batch in loader:
            batch = batch.to(device, non_blocking=True)
            series = model.embed_series(batch).float()
            has_text = batch.has_text
            text = model.embed_text(batch.text, batch.text_mask).float()
            text = torch.where(has_text.unsqueeze(-1), text, 0.0)
            parts.append((series, text, has_text, batch.label, batch.text_id, batch.index))
        width = gather(torch.tensor([parts[0][0].shape[1] if parts else 0], device=device)).max()
        if width == 0:
            raise RetrievalError("there is nothing to embed: the split has no instances")
        nothing = torch.zeros(0, int(width), device=device)
        ids = torch.zeros(0, dtype=torch.int64, device=device)
        parts.append((nothing, nothing, ids.bool(), ids, ids, ids))
        columns = [gather(torch.cat(column)).cpu() for column in zip(*parts, strict=True)]
    index, order = columns[-1].sort(stable=True)
    first = torch.ones(len(index), dtype=torch.bool)
    first[1:] = index[1:] != index[:-1]
    return Pool(*(column[order[first]] for column in columns))
