"""Collectives that mean the same on one process and on many."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def world_size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """This process's number among them."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


@cache
def _of_hosts(processes: Any) -> Any:
    """The same `processes` as a group that exchanges what lies in their hosts' memory."""
    return dist.new_group(backend="gloo")


def _group(tensor: Tensor) -> Any:
    """The group in which `tensor` can be exchanged; None is the default one. NCCL moves nothing of the host's."""
    return _of_hosts(dist.group.WORLD) if tensor.device.type == "cpu" and dist.get_backend() == "nccl" else None


def _sizes(count: int) -> list[int]:
    """Every process's `count`, exchanged between the hosts: none waits for its device."""
    mine = torch.tensor([count])
    sizes = [torch.zeros_like(mine) for _ in range(world_size())]
    dist.all_gather(sizes, mine, group=_group(mine))
    return [int(size) for size in sizes]


class _Gather(torch.autograd.Function):
    """Equally long parts of all processes; the gradient of a part is summed over the processes that used it."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        parts = [torch.empty_like(part) for _ in range(world_size())]
        dist.all_gather(parts, part.contiguous(), group=_group(part))
        ctx.length = len(part)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        gradient = gradients[0].contiguous()
        dist.all_reduce(gradient)
        return gradient[rank() * ctx.length : (rank() + 1) * ctx.length]


def gather(tensor: Tensor) -> Tensor:
    """Concatenate `tensor` (n, ...) of all processes along the first axis, in the order of their ranks.

    Gradient flows back to every process's part. The parts may differ in length. What is on the host is exchanged between
    the hosts. On one process it is `tensor` itself.
    """
    if world_size() == 1:
        return tensor
    kind = tensor.dtype
    sizes = _sizes(len(tensor))
    longest = max(sizes)
    if longest == 0:
        return tensor
    if kind is torch.bool:  # not every backend gathers booleans
        tensor = tensor.to(torch.uint8)
    if len(tensor) < longest:
        filler = tensor.new_zeros(longest - len(tensor), *tensor.shape[1:])
        tensor = torch.cat([tensor, filler])
    parts = _Gather.apply(tensor).split(longest)
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)]).to(kind)


def row_offset(count: int) -> int:
    """Where this process's `count` rows begin in what `gather` returns."""
    return 0 if world_size() == 1 else sum(_sizes(count)[: rank()])


def mean_over_processes(values: Tensor, weight: Tensor | None = None) -> Tensor:
    """The mean of `values` (n,) over all processes' rows, each counted by its `weight` (n,), as a training loss.

    Each process returns its part, scaled so that the average over processes is the mean. 0 where there are no rows.
    """
    if weight is None:
        weight = torch.ones_like(values)
    total = weight.sum().detach().float()
    if world_size() > 1:
        dist.all_reduce(total)
    return (values * weight).sum() * world_size() / total.clamp(min=torch.finfo(total.dtype).tiny)


def is_first() -> bool:
    """Whether this process is the one that speaks for all, also before they have met."""
    from lightning.pytorch.utilities import rank_zero_only

    return int(getattr(rank_zero_only, "rank", 0)) == 0
