"""Forecasters and classifiers with the neighbours of a window as inputs, TRACE §3.4."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from trace_lit.batch import MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.encoder import ClassificationModel, Encoder, Forecast, ForecastModel
from trace_lit.encoder.scale import ChannelScale
from trace_lit.rag.prompt import NeighbourInput, rescaled, retrieved_of


class RetrievalForecastModel(ForecastModel):
    """The prompt token is put before the patch outputs, as an input of the head; the encoder does not see it."""

    def __init__(
        self,
        encoder: Encoder,
        lookback: int,
        horizon: int,
        outputs: int,
        harmonics: int,
        neighbours: NeighbourInput,
        channels: int = 0,
    ) -> None:
        more = neighbours.tokens, neighbours.width
        super().__init__(encoder, lookback, horizon, outputs, harmonics, *more, channels)
        self.neighbours = neighbours

    @property
    def can_do_without(self) -> bool:
        """Whether a window without neighbours can be forecast: by those members of a combination that need none."""
        return self.combination is not None and self.neighbours.mode == "none"

    def features(self, batch: MultimodalBatch) -> Tensor:
        hidden = self.encoder(batch).patches
        if (token := self.neighbours.token(batch)) is not None:
            prompt = token.unsqueeze(1).expand(-1, hidden.shape[1], -1, -1)
            hidden = torch.cat([prompt.to(hidden.dtype), hidden], dim=2)
        if batch.retrieved is None and self.can_do_without:
            further = hidden.new_zeros(*hidden.shape[:2], self.neighbours.width)
        else:
            further = self.neighbours.for_channels(batch, self.level(batch))
        return self.head.features(hidden, batch.span[:, 1], further)


class RetrievalClassificationModel(ClassificationModel):
    """The prompt token is an input of the head, beside [CLS] and the [CIT]s."""

    def __init__(self, encoder: Encoder, channels: int, labels: int, neighbours: NeighbourInput) -> None:
        further = neighbours.tokens * encoder.config.width + neighbours.width
        super().__init__(encoder, channels, labels, further)
        self.neighbours = neighbours

    def features(self, batch: MultimodalBatch) -> Tensor:
        parts = [super().features(batch), self.neighbours.for_windows(batch)]
        if (token := self.neighbours.token(batch)) is not None:
            parts.append(token.flatten(1).float())
        return torch.cat(parts, dim=1)


class RetrievedMean(nn.Module):
    """The mean of the neighbours' continuations, or quantiles of them; the last value where there are none."""

    def __init__(self, vocabulary: ChannelVocabulary, quantiles: Sequence[float], transform: str) -> None:
        super().__init__()
        self.quantiles = list(quantiles)
        self.scale = ChannelScale(vocabulary, transform)

    def forward(self, batch: MultimodalBatch) -> Forecast:
        norm = self.scale.level(batch)
        _, change, followed = rescaled(retrieved_of(batch), norm)
        change = torch.where(followed, change, torch.nan)  # (B, C, R, H)
        if self.quantiles:
            levels = torch.tensor(self.quantiles, device=change.device)
            expected = change.nanquantile(levels, dim=2).movedim(0, -1)  # (B, C, H, Q)
        else:
            expected = change.nanmean(dim=2).unsqueeze(-1)
        return Forecast(expected.nan_to_num(0.0), norm)


class RetrievedLabels(nn.Module):
    """The shares of K labels among the neighbours, with 1/K of a neighbour added to each label."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.labels = labels

    def forward(self, batch: MultimodalBatch) -> Tensor:
        """Scores (B, K): the logarithms of the shares."""
        label = retrieved_of(batch).label
        count = (label.unsqueeze(-1) == torch.arange(self.labels, device=label.device)).sum(1)  # (B, K)
        return ((count + 1 / self.labels) / (count.sum(1, keepdim=True) + 1)).log()
