"""Members of a forecast combined: weights that are not negative and sum to one, and bands that hold what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


def forward_blocks(origin: Tensor, folds: int, first: float = 0.4) -> Tensor:
    """The block (n,) int64 of each example, -1 for those before the first.

    The last part of time, from the share `first` of the examples on, is cut into `folds` blocks with about as many
    examples each. `origin` (n,) are the times of their origins. A block is predicted from what ended before it began, as
    the future is.
    """
    shares = torch.linspace(first, 1, folds + 1, dtype=torch.float64, device=origin.device)[:-1]
    since = (origin - origin.min()).double()
    return torch.bucketize(since, since.quantile(shares), right=True) - 1


def simplex_weights(gram: Tensor, shrinkage: float = 0.0) -> Tensor:
    """The weights w (M,) ≥ 0 with sum one that minimise wᵀ `gram` w + `shrinkage` · |w − best|², `best` the best single.

    Parameters
    ----------
    gram
        (M, M) mean products of the members' errors.
    """
    from scipy.optimize import nnls

    size = len(gram)
    best = int(gram.diagonal().argmin())
    apart = torch.eye(size, dtype=torch.float64)
    apart[best] -= 1.0  # w − best · sum(w), of one degree in w, as the rest is
    form = gram.double() + shrinkage * apart.T @ apart
    scale = form.diagonal().mean().clamp(min=1e-300)
    values, vectors = torch.linalg.eigh(form / scale)
    root = (vectors * values.clamp(min=1e-12).sqrt()).T  # rootᵀ root = form
    one = torch.ones(1, size, dtype=torch.float64)
    found = torch.from_numpy(nnls(torch.cat([root, one]).numpy(), [*[0.0] * size, 1.0])[0])
    return found / found.sum()


@dataclass
class Bands:
    """Distances of quantiles from a forecast, in units of a window's spread."""

    exponent: float  # which of the spreads
    distance: Tensor  # (K + 1, H, Q), of K channels and of one that is not known


def calibrated(
    residual: Tensor,
    spreads: Mapping[float, Tensor],
    channel: Tensor,
    quantiles: Sequence[float],
    channels: int,
) -> Bands:
    """Quantiles of residuals that were predicted, relative to the spread that makes them most alike.

    Parameters
    ----------
    residual
        (m, H) observed less forecast, NaN where unknown, of times that the forecast has not learned from.
    spreads
        (m, 1) of the windows, by exponent; that with the least quantile loss, relative to the mean spread, is taken.
    channel
        (m,) its number; those from `channels` on only count for the common distances.
    """
    levels = torch.tensor(quantiles, dtype=residual.dtype)
    best: tuple[float, Bands] | None = None
    for exponent, spread in spreads.items():
        relative = residual / spread
        common = _quantiles(relative, levels)
        distance = common.repeat(channels + 1, 1, 1)
        for number in channel.unique().tolist():
            if number < channels:
                distance[number] = _quantiles(relative[channel == number], levels)
        distance[..., (levels - 0.5).abs() < 1e-9] = 0.0  # the forecast itself, which is made for the mean
        bounds = distance[channel.clamp(max=channels)] * spread.unsqueeze(-1)
        error = residual.unsqueeze(-1) - bounds
        loss = float(torch.maximum(levels * error, (levels - 1) * error).nanmean())
        if best is None or loss < best[0]:
            best = loss, Bands(exponent, distance)
    assert best is not None
    return best[1]


def _quantiles(residual: Tensor, levels: Tensor) -> Tensor:
    """(H, Q) of `residual` (m, H), each step with its neighbours, a sixth of the horizon on either side at most."""
    steps = residual.shape[1]
    reach = steps // 12
    found = []
    for step in range(steps):
        near = residual[:, max(0, step - reach) : step + reach + 1].flatten()
        near = near[~near.isnan()]
        found.append(near.quantile(levels.to(near)) if 0 < len(near) <= 2**24 else levels.new_zeros(len(levels)))
    return torch.stack(found)
