"""Shapley values: how much each clause of a text adds to what all of them give together (Shapley, 1953).

The value of a clause is what it adds to the clauses before it, the mean over all orders. So the values of all clauses sum
to what the text gives, and a clause that changes nothing adds nothing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

EXACT = 7  # clauses, up to which all sets of them are tried
ORDERS = 16  # that are tried of more clauses, and as many reversed ones


def coalitions(count: int) -> tuple[Tensor, Tensor]:
    """Sets of `count` clauses (n, count), none empty, and weights (count, n).

    For the values (n, ...) of the sets, the weights' product with them is the value of each clause. It is exact for up to
    `EXACT` clauses. Of more it is the mean over some orders, always the same ones; the sum of all is exact.
    """
    if count > EXACT:
        return _sampled(count)
    members = (torch.arange(1, 2**count).unsqueeze(1) >> torch.arange(count)) % 2 == 1
    weights = torch.empty(members.shape)
    for row, size in enumerate(members.sum(1).tolist()):
        weights[row] = 0.0 if size == count else -1 / (count * math.comb(count - 1, size))
        weights[row, members[row]] = 1 / (count * math.comb(count - 1, size - 1))
    return members, weights.T


def _sampled(count: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    orders = torch.stack([torch.randperm(count, generator=generator) for _ in range(ORDERS)])
    orders = torch.cat([orders, orders.flip(1)])  # (R, count)
    members = orders.argsort(1).unsqueeze(1) <= torch.arange(count).unsqueeze(
        1
    )  # (R, count, count), one more each step
    weights = torch.zeros(members.shape).scatter_(2, orders.unsqueeze(2), 1.0)
    weights[:, :-1].scatter_(2, orders[:, 1:].unsqueeze(2), -1.0)
    return members.flatten(0, 1), weights.flatten(0, 1).T / len(orders)
