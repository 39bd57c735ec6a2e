"""Sentence vectors to one vector for the whole and one for each channel."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from trace_lit.alignment.heads import ResidualProjection


class TextTower(nn.Module):
    """Sentence vectors to one vector for [CLS] and one for each channel.

    What a channel is asks for its sentences, and says how they are read: "declined" is another thing of the pressure than
    of the wind (a scale and a shift of the pooled vector, as in FiLM, Perez et al., 2018).
    """

    def __init__(self, width: int, text_width: int, heads: str, dropout: float) -> None:
        super().__init__()
        self.input: nn.Module = nn.Linear(text_width, width)
        self.output: nn.Module = nn.Identity()
        self.channel_output: nn.Module = nn.Identity()
        if heads == "residual":
            standard = nn.LayerNorm(text_width, elementwise_affine=False)
            self.input = nn.Sequential(standard, nn.Dropout(dropout), nn.Linear(text_width, width))
            self.output = ResidualProjection(width, dropout)
            self.channel_output = ResidualProjection(width, dropout)
            self.dropout = nn.Dropout(dropout)
        else:
            self.dropout = nn.Dropout(0.0)
        self.key = nn.Linear(width, width)
        self.whole = nn.Parameter(torch.randn(width) / math.sqrt(width))
        self.query = nn.Linear(width, width)
        self.reading = nn.Linear(width, 2 * width)

    def forward(self, text: Tensor, mask: Tensor, identities: Tensor) -> Tensor:
        """From `text` (N, S, D) under `mask` (N, S), for channels with `identities` (K, d), parts (N, 1 + K, d)."""
        sentences = self.input(text)  # (N, S, d)
        queries = torch.cat([self.whole[None], self.query(identities)])  # (1 + K, d)
        scores = self.key(sentences) @ queries.T / math.sqrt(len(self.whole))  # (N, S, 1 + K)
        lowest = torch.finfo(scores.dtype).min
        weights = scores.masked_fill(~mask.unsqueeze(-1), lowest).softmax(dim=1)
        pooled = self.dropout(weights.transpose(1, 2) @ sentences)  # (N, 1 + K, d)
        scale, shift = self.reading(identities).chunk(2, dim=-1)  # (K, d)
        channels = self.channel_output(pooled[:, 1:] * (1 + scale) + shift)
        return torch.cat([self.output(pooled[:, :1]), channels], dim=1)
