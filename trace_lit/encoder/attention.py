"""Channel-biased attention and the transformer block, TRACE §3.2.

Tokens are laid out as [CIT_1 … CIT_C, CLS, patches of channel 1, …, patches of channel C]. Attention does not know the
order, so this is the paper's sequence; it keeps the rows of one kind together. Every row but those of the CITs attends to
everything and needs no mask. The CIT rows are one small attention over [C, N + 1] keys: the CIT and its channel's patches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trace_lit.encoder.rotary import rotate


@dataclass
class Layout:
    """How many tokens of each kind, where they stand in time, and which may be attended to."""

    channels: int  # C, the number of CIT tokens; 0 for an encoder without channel tokens
    biased: bool  # the CIT rows see their own channel only
    cosine: Tensor  # (L, head_width / 2)
    sine: Tensor
    visible: Tensor | None  # (B, L) bool, None when nothing is padded or missing

    def own_channel(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Of (B, L, H, E) the tokens of each channel: its CIT (B, C, 1, H, E) and its patches (B, C, N, H, E)."""
        # `split`, whose gradient is one `cat`; slices would each fill and add one of the whole size.
        identity, _, patches = tokens.split([self.channels, 1, tokens.shape[1] - self.channels - 1], dim=1)
        return identity.unsqueeze(2), patches.unflatten(1, (self.channels, -1))

    def own_channel_visible(self) -> Tensor | None:
        """The keys (B, C, N + 1, 1) that a CIT row may see; itself always, so that no row is empty."""
        if self.visible is None:
            return None
        patches = self.visible[:, self.channels + 1 :].unflatten(1, (self.channels, -1))  # (B, C, N)
        return F.pad(patches, (1, 0), value=True).unsqueeze(-1)


class ChannelBiasedAttention(nn.Module):
    """Multi-head attention under a `Layout`."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.input = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor, layout: Layout, rows: int | None = None) -> Tensor:
        """(B, L, d) to (B, L, d), or to (B, R, d) for the first `rows` R tokens alone."""
        query, key, value = (part.unflatten(-1, (self.heads, -1)) for part in self._projected(x, rows))  # (B, L, H, E)
        cosine, sine = layout.cosine.unsqueeze(1), layout.sine.unsqueeze(1)  # (L, 1, E / 2), equal for all heads
        query, key = rotate(query, cosine[:rows], sine[:rows]), rotate(key, cosine, sine)
        biased = layout.channels if layout.biased else 0
        identity, query = query.split([biased, query.shape[1] - biased], dim=1)
        visible = None if layout.visible is None else layout.visible[:, None, None, :]
        attended = F.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=visible
        ).transpose(1, 2)
        if biased:
            attended = torch.cat([_to_own_channel(identity, key, value, layout), attended], dim=1)  # (B, L, H, E)
        return self.output(attended.flatten(2))

    def _projected(self, x: Tensor, rows: int | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, R, d) of the first `rows`, and keys and values (B, L, d) of all.

        Each has its own memory: that of queries and keys is free again once they are turned.
        """
        if type(self.input) is not nn.Linear:  # with an adapter, it is more than its weight
            query, key, value = self.input(x).chunk(3, dim=-1)
            return query[:, :rows], key, value
        parts = zip((x[:, :rows], x, x), self.input.weight.chunk(3), self.input.bias.chunk(3), strict=True)
        query, key, value = (F.linear(own, weight, bias) for own, weight, bias in parts)
        return query, key, value


def _to_own_channel(query: Tensor, key: Tensor, value: Tensor, layout: Layout) -> Tensor:
    """What the CIT rows `query` (B, C, H, E) read of the `key` and `value` (B, L, H, E) of their own channels.

    A row shares its few keys with no other one: sums of products copy less here than matrix products.
    """
    query = query.unsqueeze(2) / math.sqrt(query.shape[-1])
    scores = torch.cat([(query * own).sum(-1) for own in layout.own_channel(key)], dim=2)  # (B, C, N + 1, H)
    if (visible := layout.own_channel_visible()) is not None:
        scores = scores.masked_fill(~visible, -torch.inf)
    weights = scores.softmax(dim=2).to(value.dtype).unsqueeze(-1).tensor_split([1], dim=2)
    own, others = ((weight * part).sum(2) for weight, part in zip(weights, layout.own_channel(value), strict=True))
    return own + others


class Block(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, width: int, heads: int, ffn_ratio: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = ChannelBiasedAttention(width, heads)
        self.ffn_norm = nn.LayerNorm(width)
        self.ffn = nn.Sequential(nn.Linear(width, ffn_ratio * width), nn.GELU(), nn.Linear(ffn_ratio * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, layout: Layout, rows: int | None = None) -> Tensor:
        """(B, L, d) to (B, L, d), or to (B, R, d) for the first `rows` R tokens alone."""
        x = x[:, :rows] + self.dropout(self.attention(self.attention_norm(x), layout, rows))
        return x + self.dropout(self.ffn(self.ffn_norm(x)))
