"""Channel-biased attention and the transformer block, TRACE §3.2.

Tokens are laid out as [CIT_1 … CIT_C, CLS, patches of channel 1, …, patches of channel C]. Attention does not know the
order, so this is the paper's sequence; it keeps the rows of one kind together. Every row but those of the CITs attends to
everything and needs no mask. The CIT rows are one small attention over [C, N + 1] keys: the CIT and its channel's patches.
"""

from __future__ import annotations

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

    def own_channel(self, tokens: Tensor) -> Tensor:
        """From (B, H, L, E) the tokens of each channel (B, C, H, N + 1, E), its CIT first."""
        identity = tokens[:, :, : self.channels].unsqueeze(3)  # (B, H, C, 1, E)
        patches = tokens[:, :, self.channels + 1 :].unflatten(2, (self.channels, -1))  # (B, H, C, N, E)
        return torch.cat([identity, patches], dim=3).transpose(1, 2)

    def own_channel_visible(self) -> Tensor | None:
        """The keys (B, C, 1, 1, N + 1) that a CIT row may see; itself always, so that no row is empty."""
        if self.visible is None:
            return None
        patches = self.visible[:, self.channels + 1 :].unflatten(1, (self.channels, -1))  # (B, C, N)
        return F.pad(patches, (1, 0), value=True)[:, :, None, None, :]


class ChannelBiasedAttention(nn.Module):
    """Multi-head attention under a `Layout`."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.input = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor, layout: Layout, rows: int | None = None) -> Tensor:
        """(B, L, d) to (B, L, d), or to (B, R, d) for the first `rows` R tokens alone."""
        if rows is None or type(self.input) is not nn.Linear:  # with an adapter, it is more than its weight
            query, key, value = self._heads(self.input(x), 3)
            query = query[:, :, :rows]
        else:
            width = x.shape[-1]
            weight, bias = self.input.weight, self.input.bias
            (query,) = self._heads(F.linear(x[:, :rows], weight[:width], bias[:width]), 1)
            key, value = self._heads(F.linear(x, weight[width:], bias[width:]), 2)
        query = rotate(query, layout.cosine[:rows], layout.sine[:rows])
        key = rotate(key, layout.cosine, layout.sine)
        visible = None if layout.visible is None else layout.visible[:, None, None, :]
        first = layout.channels if layout.biased else 0
        attended = F.scaled_dot_product_attention(query[:, :, first:], key, value, attn_mask=visible).transpose(1, 2)
        if first:
            identity = F.scaled_dot_product_attention(  # (B, C, H, 1, E)
                query[:, :, :first].transpose(1, 2).unsqueeze(3),
                layout.own_channel(key),
                layout.own_channel(value),
                attn_mask=layout.own_channel_visible(),
            )
            attended = torch.cat([identity.squeeze(3), attended], dim=1)  # (B, L, H, E), in which no copy follows
        return self.output(attended.flatten(2))

    def _heads(self, x: Tensor, parts: int) -> Tensor:
        """(B, L, parts · d) to (parts, B, H, L, E)."""
        return x.unflatten(-1, (parts, self.heads, -1)).permute(2, 0, 3, 1, 4)


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
