"""Members of a forecast combined: weights that are not negative and sum to one, and bands that hold what they say."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_ENOUGH = 5_000  # residuals for a quantile; those of neighbouring windows and steps hardly differ


def some(rows: Tensor, most: int) -> Tensor:
    """At most so many of `rows` (n, ...), in their order, drawn at random but always the same.

    Every n-th would be of one channel, one step of the horizon or one hour of the day.
    """
    if len(rows) <= most:
        return rows
    drawn = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:most]
    return rows[drawn.sort().values]


def forward_blocks(origin: Tensor, folds: int, first: float = 0.4) -> Tensor:
    """The block (n,) int64 of each example, -1 for those before the first.

    The last part of time, from the share `first` of the examples on, is cut into `folds` blocks with about as many
    examples each. `origin` (n,) are the times of their origins. A block is predicted from what ended before it began, as
    the future is.
    """
    shares = torch.linspace(first, 1, folds + 1, dtype=torch.float64, device=origin.device)[:-1]
    since = (origin - origin.min()).double()
    return torch.bucketize(since, since.quantile(shares), right=True) - 1


def forward_segments(origin: Tensor, end: Tensor, folds: int) -> tuple[Tensor, Tensor]:
    """The `forward_blocks` (n,) of examples, and their segments (n,): block b is learned from the segments up to b.

    They are the examples whose `end` (n,) is not after the block's first origin.

    Raises
    ------
    ValueError
        Fewer than two end before the first block.
    """
    block = forward_blocks(origin, folds)
    numbers = [number for number in block.unique().tolist() if number >= 0]
    starts = torch.stack([origin[block == number].min() for number in numbers])
    segment = torch.bucketize(end, starts)
    block = torch.where(block >= 0, torch.bucketize(origin, starts, right=True) - 1, -1)
    if (first := int((segment == 0).sum())) < 2:
        raise ValueError(
            f"of {len(origin)} windows, {first} end before the first block that is predicted; lower window.lookback or "
            "window.horizon"
        )
    return block, segment


def simplex_weights(gram: Tensor, shrinkage: float = 0.0, target: Tensor | None = None) -> Tensor:
    """The weights w (M,) ≥ 0 with sum one that minimise wᵀ `gram` w + `shrinkage` · |w − `target`|².

    Parameters
    ----------
    gram
        (M, M) mean products of the members' errors.
    target
        (M,) weights with sum one; by default all of it is on the member with the smallest errors.
    """
    from scipy.optimize import nnls

    size = len(gram)
    if target is None:
        target = torch.nn.functional.one_hot(gram.diagonal().argmin(), size)
    # w − target · sum(w) is of one degree in w, as the rest is
    apart = torch.eye(size, dtype=torch.float64) - target.double().unsqueeze(1)
    form = gram.double() + shrinkage * apart.T @ apart
    scale = form.diagonal().mean().clamp(min=1e-300)
    values, vectors = torch.linalg.eigh(form / scale)
    root = (vectors * values.clamp(min=1e-12).sqrt()).T  # rootᵀ root = form
    one = torch.ones(1, size, dtype=torch.float64)
    found = torch.from_numpy(nnls(torch.cat([root, one]).numpy(), [*[0.0] * size, 1.0])[0])
    return found / found.sum()


def calibrated(
    residual: Tensor,
    spread: Tensor,
    channel: Tensor,
    block: Tensor,
    quantiles: Sequence[float],
    channels: int,
) -> Tensor:
    """The distances (K + 1, H, Q) of quantiles from a forecast, of K channels and of one that is not known.

    They are quantiles of residuals that were predicted, in units of a window's spread. The errors of another time are not
    those of the blocks that are known. So each band is widened, in each third of the horizon, until bands from the blocks
    before hold their share of a block (split conformal prediction, with blocks of time in the place of single points).

    Parameters
    ----------
    residual
        (m, H) observed less forecast, NaN where unknown, of times that the forecast has not learned from.
    spread
        (m, 1) of the windows.
    channel, block
        (m,) the number of its channel (those from `channels` on only count for the common distances) and block of time.
    """
    levels = torch.tensor(quantiles, dtype=residual.dtype)
    relative = residual / spread
    distance = _distances(relative, channel, levels, channels)
    return distance * _widening(relative, channel, block, levels, channels)


def _distances(relative: Tensor, channel: Tensor, levels: Tensor, channels: int) -> Tensor:
    """(K + 1, H, Q) the quantiles of `relative` (m, H), of each channel, and of all for one that has none."""
    distance = _quantiles(relative, levels).repeat(channels + 1, 1, 1)
    for number in channel.unique().tolist():
        if number < channels:
            distance[number] = _quantiles(relative[channel == number], levels)
    distance[..., (levels - 0.5).abs() < 1e-9] = 0.0  # the forecast itself, which is made for the mean
    return distance


def _widening(relative: Tensor, channel: Tensor, block: Tensor, levels: Tensor, channels: int) -> Tensor:
    """(H, Q) by how much quantiles of the blocks before have to be moved to hold their share of a block."""
    steps = relative.shape[1]
    wider = torch.ones(steps, len(levels))
    parts = []
    for number in block.unique().tolist()[1:]:
        before, own = block < number, block == number
        bounds = _distances(relative[before], channel[before], levels, channels)
        bound = bounds[channel[own].clamp(max=channels)]
        outside = bound.sign() == (levels - 0.5).sign()  # on its side of the forecast
        parts.append(torch.where(outside, relative[own].unsqueeze(-1) / bound, torch.nan))
    if not parts:
        return wider
    ratio = torch.cat(parts)  # (m, H, Q) above 1 where the value lies beyond the quantile
    for place, level in enumerate(levels.tolist()):
        if abs(level - 0.5) < 1e-9:
            continue
        everywhere = _exceeded(ratio[..., place], min(level, 1 - level))
        for third in torch.arange(steps).tensor_split(3):
            if len(third):
                own = _exceeded(ratio[:, third, place], min(level, 1 - level))
                wider[third, place] = (own * everywhere) ** 0.5  # halfway, for thirds have few blocks
    return wider


def _exceeded(ratio: Tensor, share: float) -> float:
    """The factor that this `share` of the ratios exceeds, between 1 and 3."""
    known = some(ratio[ratio.isfinite()], 2**20)
    return float(known.quantile(1 - share).clamp(1.0, 3.0)) if len(known) else 1.0


def _quantiles(residual: Tensor, levels: Tensor) -> Tensor:
    """(H, Q) of `residual` (m, H), each step with its neighbours, a sixth of the horizon on either side at most."""
    steps = residual.shape[1]
    reach = steps // 12
    found = []
    for step in range(steps):
        near = residual[:, max(0, step - reach) : step + reach + 1].flatten()
        near = some(near[~near.isnan()], _ENOUGH)
        found.append(near.quantile(levels.to(near)) if len(near) else levels.new_zeros(len(levels)))
    return torch.stack(found)
