"""What stands between the encoders and the common space."""

from __future__ import annotations

from torch import Tensor, nn


class ResidualProjection(nn.Module):
    """A linear layer and, added to it, a small MLP on its outcome."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(..., d) to (..., d)."""
        x = self.linear(x)
        return x + self.mlp(x)
