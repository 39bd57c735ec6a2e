"""Weights that are solved, not trained, and what they make of texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

COMPONENTS = 32  # of the vectors of texts, which are more than can be learned from


class Solved(nn.Module):
    """Weights that were solved: buffers of whatever size, which a checkpoint's take the place of."""

    names: tuple[str, ...] = ()

    def put(self, weights: Mapping[str, Tensor]) -> None:
        """Take `weights`, by the names of the buffers."""
        for name in self.names:
            self.register_buffer(name, weights[name])

    def check(self) -> None:
        """Raise RuntimeError where buffers do not belong to each other, as in a file that somebody has changed."""

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        own = {name: state_dict[prefix + name] for name in self.names if prefix + name in state_dict}
        if len(own) == len(self.names):
            self.put({name: weight.clone() for name, weight in own.items()})
            self.check()
        super()._load_from_state_dict(state_dict, prefix, *rest)


class TextComponents(Solved):
    """The principal components of texts' vectors; a missing text stands at their mean, where all components are 0."""

    names = ("mean", "basis")
    mean: Tensor  # (D,)
    basis: Tensor  # (D, `COMPONENTS`)

    def __init__(self) -> None:
        super().__init__()
        self.put({"mean": torch.zeros(0), "basis": torch.zeros(0, COMPONENTS)})

    def check(self) -> None:
        if self.mean.dim() != 1 or self.basis.shape != (len(self.mean), COMPONENTS):
            raise RuntimeError("the components of its texts are of no vectors")

    def fit(self, vectors: Tensor) -> None:
        """Take the components of `vectors` (N, D), NaN where there is no text, of which one is there at least."""
        known = vectors[~vectors.isnan().any(1)].double()
        mean = known.mean(0)
        axes = torch.linalg.svd(known - mean, full_matrices=False).Vh[:COMPONENTS].T
        basis = torch.zeros(len(mean), COMPONENTS)
        basis[:, : axes.shape[1]] = axes
        self.put({"mean": mean.float(), "basis": basis})

    def forward(self, vectors: Tensor) -> Tensor:
        """Components (N, `COMPONENTS`) of `vectors` (N, D), NaN where there is no text, or (N, 0) where none is known."""
        if vectors.shape[1] != len(self.mean):
            return vectors.new_zeros(len(vectors), COMPONENTS)
        return (vectors - self.mean).nan_to_num(0.0) @ self.basis


def mean_vectors(vectors: Tensor, there: Tensor) -> Tensor:
    """The means (B, D) of those of the `vectors` (B, S, D) that are `there` (B, S), NaN where none is."""
    seen = there.unsqueeze(-1)
    return torch.where(seen, vectors, 0.0).sum(1) / seen.sum(1)  # 0 / 0 where there is none
