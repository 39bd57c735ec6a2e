"""Ridge regression at any penalty after one decomposition, from moments that can be added up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_CHUNK = 8192  # examples that are turned into float64 at once
PENALTIES = tuple(10.0**power for power in range(-3, 5))  # where the search begins; at last it goes to half of a power
PENALTY_LIMITS = (1e-9, 1e9)  # where it ends


@dataclass
class Moments:
    """Sums over examples of F features and H targets, from which ridge regression is solved; float64."""

    count: float
    x: Tensor  # (F,)
    y: Tensor  # (H,)
    xx: Tensor  # (F, F)
    xy: Tensor  # (F, H)
    yy: Tensor  # (H,) of the squares

    @classmethod
    def of(cls, features: Tensor, targets: Tensor) -> Moments:
        """Those of `features` (n, F) and `targets` (n, H); n may be 0."""
        size, outputs = features.shape[1], targets.shape[1]
        products = torch.zeros(size + outputs, size + outputs, dtype=torch.float64)
        total = torch.zeros(size + outputs, dtype=torch.float64)
        for first in range(0, len(features), _CHUNK):
            part = slice(first, first + _CHUNK)
            both = torch.cat([features[part], targets[part]], dim=1).double()
            total += both.sum(0)
            products.addmm_(both.T, both)
        return cls(
            float(len(features)),
            total[:size],
            total[size:],
            products[:size, :size],
            products[:size, size:],
            products.diagonal()[size:],
        )

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.count + other.count,
            self.x + other.x,
            self.y + other.y,
            self.xx + other.xx,
            self.xy + other.xy,
            self.yy + other.yy,
        )


class RidgePath:
    """The solutions for all penalties, by the eigenvectors of the features' covariance.

    A penalty is a share of the mean variance of the features, so that it means the same whatever their scale.

    Parameters
    ----------
    moments
        Of the examples.
    independent
        How many of the examples have targets of their own, where those of neighbours overlap. Biases are then shrunk by
        their own uncertainty (the positive part of James and Stein, 1961): a drift that could be chance is none. None: they
        are not shrunk.
    """

    def __init__(self, moments: Moments, independent: float | None = None) -> None:
        count = max(moments.count, 1.0)
        self.centre, self.mean = moments.x / count, moments.y / count
        covariance = moments.xx - count * torch.outer(self.centre, self.centre)
        cross = moments.xy - torch.outer(self.centre, moments.y)
        values, self._vectors = torch.linalg.eigh(covariance)
        self._values = values.clamp(min=0)
        self._unit = float(self._values.mean()) if len(values) else 0.0
        variance = (moments.yy / count - self.mean.square()).clamp(min=0)
        self._noise = None if independent is None else variance / max(independent, 1.0)  # of a bias, its square
        self._projected = self._vectors.T @ cross  # (F, H)

    def solution(self, penalty: Tensor) -> tuple[Tensor, Tensor]:
        """Weights (F, H) and biases (H,) for the `penalty` of each target, (H,)."""
        strength = (penalty.double() * self._unit).clamp(min=1e-12 * max(self._unit, 1e-300))
        weights = self._vectors @ (self._projected / (self._values.unsqueeze(1) + strength))
        bias = self.mean - self.centre @ weights
        if self._noise is not None:
            bias = bias * (1 - self._noise / bias.square().clamp(min=1e-300)).clamp(min=0)
        return weights, bias


def beyond(penalties: Sequence[float], errors: Sequence[float]) -> list[float]:
    """The penalties to try next: beyond the least or the greatest of `penalties` where that has the least of the `errors`.

    Empty where the best lies inside, or at one of `PENALTY_LIMITS`.
    """
    low, high = min(penalties), max(penalties)
    best = penalties[min(range(len(errors)), key=lambda place: errors[place])]
    wanted = []
    if best == low > PENALTY_LIMITS[0]:
        wanted.append(max(low / 10, PENALTY_LIMITS[0]))
    if best == high < PENALTY_LIMITS[1]:
        wanted.append(min(high * 10, PENALTY_LIMITS[1]))
    return wanted


def search_penalties(
    errors: Callable[[float], Tensor], penalties: tuple[float, ...] = PENALTIES
) -> tuple[Tensor, Tensor]:
    """The best penalty of each of K outcomes, searched beyond `penalties` until it has a worse one on either side.

    Parameters
    ----------
    errors
        The errors (K,) at a penalty.

    Returns
    -------
    Tensor, Tensor
        The best penalties (K,), and where (K,) a limit of the search was the best.
    """
    tried: dict[float, Tensor] = {}
    wanted = set(penalties)
    while wanted:
        tried |= {penalty: errors(penalty) for penalty in sorted(wanted)}
        order = list(tried)
        table = torch.stack([tried[penalty] for penalty in order])  # (P, K)
        wanted = {penalty for own in table.T.tolist() for penalty in beyond(order, own)}
    best = torch.tensor(order, dtype=torch.float64)[table.argmin(0)]
    limit = torch.isin(best, torch.tensor(PENALTY_LIMITS, dtype=torch.float64))
    for penalty in {near for own in best[~limit].tolist() for near in (own / 10**0.5, own * 10**0.5)}:
        order.append(penalty)
        table = torch.cat([table, errors(penalty).unsqueeze(0)])
    return torch.tensor(order, dtype=torch.float64)[table.argmin(0)], limit
