"""A window's neighbours as inputs of a head or of a frozen forecaster, TRACE §3.4 and App. D.5."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch, Retrieved
from trace_lit.encoder import InstanceNorm
from trace_lit.encoder.patches import on_scale, transform_values
from trace_lit.rag.config import RagConfig

_TEMPERATURE = 0.1  # of the weights that similarities give the neighbours


def neighbour_vectors(retrieved: Retrieved, mode: str) -> Tensor:
    """(B, R · d) of the series alone, TS-only, or (B, R · 2d) with the texts', TS+Text; 0 where there is none."""
    parts = retrieved.series if mode == "series" else torch.cat([retrieved.series, retrieved.text], dim=-1)
    return parts.flatten(1)


class SoftPrompt(nn.Module):
    """One token from the vectors of R neighbours, by a linear layer; a missing one counts as zeros.

    Parameters
    ----------
    mode
        "series" (TS-only) or "series+text" (TS+Text).
    vectors
        d, the width of the neighbours' vectors.
    width
        Of the token.
    """

    def __init__(self, mode: str, top: int, vectors: int, width: int) -> None:
        super().__init__()
        self.mode = mode
        self.projection = nn.Linear(top * vectors * (2 if mode == "series+text" else 1), width)

    def forward(self, retrieved: Retrieved) -> Tensor:
        """(B, 1, width)."""
        return self.projection(neighbour_vectors(retrieved, self.mode)).unsqueeze(1)


def rescaled(retrieved: Retrieved, norm: InstanceNorm) -> tuple[Tensor, Tensor, Tensor]:
    """The neighbours on the scale of the query's `norm`: transformed, in deviations of the channel.

    Returns
    -------
    Tensor, Tensor, Tensor
        Their last values (B, C, R, 1) relative to the query's; their continuations (B, C, R, H) relative to their own last
        values; and where continuations are observed (B, C, R, H) bool. 0 elsewhere.
    """
    assert retrieved.last is not None
    assert retrieved.future is not None
    assert retrieved.future_observed is not None
    own = None if retrieved.offset is None else retrieved.offset.unsqueeze(-1)  # (B, C, R, 1)
    last, future = (on_scale(values, norm.transform, own) for values in (retrieved.last, retrieved.future))
    mean, deviation = norm.mean.unsqueeze(2), norm.deviation.unsqueeze(2)
    if own is not None or norm.offset is not None:  # where the neighbours' values lie, seen from the query's
        base = 0.0 if own is None else transform_values(own, norm.transform)
        mine = norm.base if isinstance(norm.base, float) else norm.base.unsqueeze(2)
        mean = (mean + (mine - base)).float()
    level, observed = (last - mean) / deviation, retrieved.future_observed
    change = torch.where(observed, (future - last) / deviation, 0.0)
    return torch.where(observed.any(-1, keepdim=True), level, 0.0), change, observed


def weighted_means(values: Tensor, observed: Tensor, similarity: Tensor) -> tuple[Tensor, Tensor]:
    """The means (…, H) of `values` (…, R, H) over the neighbours where they are `observed`: plain, and by similarity.

    `similarity` (…, R); by it, a neighbour counts exp(similarity / temperature). 0 where nothing is observed.
    """
    weight_by_similarity = ((similarity - similarity.amax(-1, keepdim=True)) / _TEMPERATURE).exp().unsqueeze(-1)
    plain, weighted = (
        torch.where(observed, weight * values, 0.0).sum(-2)
        / torch.where(observed, weight, 0.0).sum(-2).clamp(min=1e-12)
        for weight in (torch.ones_like(weight_by_similarity), weight_by_similarity)
    )
    return plain, weighted


class NeighbourInput(nn.Module):
    """The neighbours of windows as a prompt token and as further numbers for the head.

    The paper's prompt is a linear layer on the retrieved vectors, and the head a linear layer on it. Where the head is
    solved in closed form it sees the vectors themselves: the same functions, without the bottleneck of one token.

    Parameters
    ----------
    vectors
        d, the width of the neighbours' vectors.
    width
        Of the prompt token.
    solved
        The head is solved in closed form: there is no token.
    horizon, labels
        H of a forecast, or K of a classification.
    """

    def __init__(
        self, rag: RagConfig, vectors: int, width: int, solved: bool, *, horizon: int = 0, labels: int = 0
    ) -> None:
        super().__init__()
        self.mode, self.use_futures, self.labels = rag.mode, rag.use_futures, labels
        self.prompt = None
        self.width = 0  # E, of the further numbers
        if rag.use_futures:
            self.width = 1 + 2 * (labels or horizon + 1)
        if rag.mode != "none" and solved:
            self.width += rag.top * vectors * (2 if rag.mode == "series+text" else 1)
        elif rag.mode != "none":
            self.prompt = SoftPrompt(rag.mode, rag.top, vectors, width)

    @property
    def tokens(self) -> int:
        """How many tokens there are, 0 or 1."""
        return int(self.prompt is not None)

    def token(self, batch: MultimodalBatch) -> Tensor | None:
        """(B, 1, width), if there is a prompt."""
        return None if self.prompt is None else self.prompt(retrieved_of(batch))

    def for_channels(self, batch: MultimodalBatch, norm: InstanceNorm) -> Tensor:
        """Further inputs of a forecasting head (B, C, E); `norm` gives level and scale of the forecasts."""
        retrieved, parts = retrieved_of(batch), self._vectors(batch)
        channels = norm.mean.shape[1]
        parts = [part.unsqueeze(1).expand(-1, channels, -1) for part in parts]
        if self.use_futures:
            level, change, observed = rescaled(retrieved, norm)
            similarity = retrieved.similarity.unsqueeze(1)
            there = observed.any(-1, keepdim=True)
            parts += weighted_means(change, observed, similarity)
            parts += weighted_means(level, there, similarity)
            parts.append(_share_found(retrieved).unsqueeze(1).expand(-1, channels, -1))
        return torch.cat(parts, dim=-1) if parts else norm.mean.new_zeros(len(batch), channels, 0)

    def for_windows(self, batch: MultimodalBatch) -> Tensor:
        """Further inputs of a classification head (B, E)."""
        retrieved, parts = retrieved_of(batch), self._vectors(batch)
        if self.use_futures:
            label = retrieved.label  # (B, R)
            known = (label >= 0).unsqueeze(-1)
            one_hot = (label.unsqueeze(-1) == torch.arange(self.labels, device=label.device)).float()
            parts += weighted_means(one_hot, known, retrieved.similarity)
            parts.append(_share_found(retrieved))
        return torch.cat(parts, dim=-1) if parts else retrieved.similarity.new_zeros(len(batch), 0)

    def _vectors(self, batch: MultimodalBatch) -> list[Tensor]:
        solved = self.mode != "none" and self.prompt is None
        return [neighbour_vectors(retrieved_of(batch), self.mode)] if solved else []


def retrieved_of(batch: MultimodalBatch) -> Retrieved:
    """The neighbours of a batch; ValueError where none were retrieved."""
    if batch.retrieved is None:
        raise ValueError("the batch holds no neighbours of its windows; attach a RetrievalLookup to their dataset")
    return batch.retrieved


def _share_found(retrieved: Retrieved) -> Tensor:
    """(B, 1), the share of the R neighbours that were found."""
    return retrieved.found.float().mean(1, keepdim=True)
