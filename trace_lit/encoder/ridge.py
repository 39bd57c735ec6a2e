"""Heads without training loops: ridge and logistic regression, and the blocks of time that choose their penalty."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

_FILLINGS = 3  # rounds in which a missing target is replaced by what the previous solution predicts


def ridge(
    features: Tensor, targets: Tensor, observed: Tensor, penalties: Sequence[float], importance: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Least squares with a penalty on the weights, for several penalties at once.

    A missing target is replaced by what the solution predicts (expectation maximisation).

    Parameters
    ----------
    features, targets, observed
        (n, F), (n, H), and (n, H) bool.
    penalties
        Each as a share of the mean variance of the features.
    importance
        (F,) how much weaker a feature's weight is penalised, as a factor of its scale; 1 by default.

    Returns
    -------
    Tensor, Tensor
        Weights (P, F, H) and biases (P, H), float64.
    """
    x = features.double()
    centre = x.mean(0)
    x = x - centre
    strength = torch.tensor(penalties, dtype=torch.float64, device=x.device) * x.square().sum(0).mean()
    scale = torch.ones_like(centre) if importance is None else importance.double()
    x = x * scale
    if len(x) >= x.shape[1]:
        values, vectors = torch.linalg.eigh(x.T @ x)
    else:  # the smaller Gram matrix has the same eigenvalues
        values, vectors = torch.linalg.eigh(x @ x.T)
        kept = values > 1e-12 * values[-1]
        values, vectors = values[kept], x.T @ (vectors[:, kept] / values[kept].sqrt())
    shrunk = 1 / (values.clamp(min=0) + strength.clamp(min=1e-12).unsqueeze(1))  # (P, F)
    count = observed.sum(0).clamp(min=1)
    known = torch.where(observed, targets.double(), 0.0)
    y = torch.where(observed, known, known.sum(0) / count).expand(len(penalties), -1, -1)  # (P, n, H)
    rounds = 1 if bool(observed.all()) else 1 + _FILLINGS
    for left in reversed(range(rounds)):
        level = y.mean(1, keepdim=True)
        weights = vectors @ (shrunk.unsqueeze(-1) * (vectors.T @ (x.T @ (y - level))))  # (P, F, H)
        if left:
            y = torch.where(observed, y, x @ weights + level)
    weights = weights * scale.unsqueeze(-1)
    return weights, level.squeeze(1) - centre @ weights


def logistic(
    features: Tensor, label: Tensor, weight: Tensor, penalties: Sequence[float], standardised: bool = True
) -> tuple[Tensor, Tensor]:
    """Multinomial logistic regression with a penalty on the weights, by L-BFGS.

    Parameters
    ----------
    features, label, weight
        (n, F), (n,) int64 below K, and (K,) how much an instance of each label counts.
    penalties
        Each as a share of the number of instances; several solutions, one from the other.
    standardised
        Features are brought to a variance of one, so that all weights are penalised alike.

    Returns
    -------
    Tensor, Tensor
        Weights (P, F, K) and biases (P, K), float64, for the features as they are.
    """
    x = features.double()
    centre, scale = x.mean(0), x.std(0, correction=0)
    scale = torch.where(scale > 1e-8, scale if standardised else 1.0, torch.inf)  # a constant feature has no weight
    x = (x - centre) / scale
    size = x.shape[1], len(weight)
    matrix, bias = (
        torch.zeros(shape, dtype=torch.float64, device=x.device, requires_grad=True) for shape in (size, size[1:])
    )
    found: dict[float, tuple[Tensor, Tensor]] = {}
    for penalty in sorted(penalties, reverse=True):
        solver = torch.optim.LBFGS([matrix, bias], max_iter=200, tolerance_grad=1e-6, line_search_fn="strong_wolfe")

        def loss(penalty: float = penalty, solver: torch.optim.LBFGS = solver) -> Tensor:
            solver.zero_grad()
            value = F.cross_entropy(x @ matrix + bias, label, weight.double()) + 0.5 * penalty * matrix.square().sum()
            value.backward()
            return value

        solver.step(loss)
        unscaled = (matrix / scale.unsqueeze(-1)).detach()
        found[penalty] = unscaled, (bias - centre @ unscaled).detach()
    return torch.stack([found[penalty][0] for penalty in penalties]), torch.stack([found[p][1] for p in penalties])


def time_blocks(origin: Tensor, folds: int) -> Tensor:
    """The block of time (n,) int64 that each instance is in: `folds` of them with about as many instances.

    `origin` (n,) are the times of the instances' origins, of whatever series they are.
    """
    shares = torch.linspace(0, 1, folds + 1, dtype=torch.float64, device=origin.device)
    since = (origin - origin.min()).double()
    return torch.bucketize(since, since.quantile(shares)[1:-1], right=True)


def blocked_predictions(
    solve: Callable[[Tensor], tuple[Tensor, Tensor]],
    features: Tensor,
    begin: Tensor,
    origin: Tensor,
    end: Tensor,
    block: Tensor,
    asked: Tensor,
) -> Tensor:
    """Predictions (P, m, H) for each instance that is `asked` for, from solutions on the instances of other times.

    Parameters
    ----------
    solve
        Weights (P, F, H) and biases (P, H) from the instances where a mask (n,) is true.
    features
        (n, F).
    begin, origin, end, block
        (n,) the times at which look-backs begin, and at which horizons begin and end, and the `time_blocks` of the
        origins. For a block, the solution leaves out windows of any series that reach into the time of the block's horizons.
    asked
        (n,) bool, true for m of them.

    Raises
    ------
    ValueError
        For a block, too few windows are left.
    """
    parts, order = [], []
    for number in block.unique().tolist():
        inside = block == number
        apart = (end <= origin[inside].min()) | (begin >= end[inside].max())
        if apart.sum() < 2:
            raise ValueError(
                f"the windows are too few for {len(block.unique())} blocks of time: their look-backs and horizons reach "
                "into the block that is predicted; lower head.folds, window.lookback or window.horizon"
            )
        inside &= asked
        weights, bias = solve(apart)
        parts.append(features[inside].double() @ weights + bias.unsqueeze(1))
        order.append(inside.nonzero().squeeze(1))
    return torch.cat(parts, dim=1)[:, torch.cat(order).argsort()]


def mean_of_blocks(errors: Tensor, known: Tensor, block: Tensor) -> Tensor:
    """The geometric mean (P,) of the blocks' mean errors.

    A ratio of errors counts the same in every block, so that a hard block does not decide alone.

    Parameters
    ----------
    errors
        (P, m, H), not negative.
    known, block
        (m, H) bool, which errors count, and (m,) the `time_blocks`. A block without any is left out.
    """
    of_blocks = [errors[:, known & (block == number).unsqueeze(1)] for number in block.unique()]
    means = torch.stack([own.mean(1) for own in of_blocks if own.shape[1]])  # (blocks, P)
    return means.clamp(min=1e-12).log().mean(0).exp()
