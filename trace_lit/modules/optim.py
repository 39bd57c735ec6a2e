"""AdamW with parameter groups, linear warm-up and cosine decay, TRACE §4.1, or what the configuration names instead.

A schedule of your own subclasses `Schedule`; see docs/extending/optimiser.md.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

from trace_lit.config import ConfigError, build_object, import_class
from trace_lit.settings import OptimConfig

# Learned vectors: like biases, they are not decayed.
TOKENS = ("cls", "mask_token", "embedding", "whole", "position", "silent")


def scaled_learning_rate(config: OptimConfig, global_batch: int) -> float:
    """The learning rate for batches of `global_batch` windows over all processes.

    Relative to `base_batch`: linear as it suits SGD (Goyal et al., arXiv 1706.02677), sqrt as it suits Adam
    (Malladi et al., arXiv 2205.10287).
    """
    ratio = global_batch / config.base_batch
    return config.learning_rate * {"none": 1.0, "linear": ratio, "sqrt": math.sqrt(ratio)}[config.scale_learning_rate]


def build_optimizer(
    module: nn.Module, config: OptimConfig, fused: bool = True, rate_of: Callable[[str], float] = lambda name: 1.0
) -> Optimizer:
    """The optimiser that `optim.name` asks for; matrices decay, norms, biases and tokens do not.

    `rate_of` a parameter's name is its share of the learning rate. AdamW alone takes `fused` and `optim.betas`.

    Raises
    ------
    ConfigError
        `optim.name` names no optimiser, or one that refuses `optim.options`.
    """
    named = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = []
    for rate in sorted({rate_of(name) for name, _ in named} or {1.0}, reverse=True):
        own = [(name, parameter) for name, parameter in named if rate_of(name) == rate]
        decayed = [p for name, p in own if p.ndim > 1 and name.rsplit(".", 1)[-1] not in TOKENS]
        chosen = {id(parameter) for parameter in decayed}
        share = {"lr": rate * config.learning_rate}
        groups.append({"params": decayed, "weight_decay": config.weight_decay, **share})
        groups.append({"params": [p for _, p in own if id(p) not in chosen], "weight_decay": 0.0, **share})
    path, options = config.name, {"lr": config.learning_rate, **config.options}
    if config.name == "adamw":
        path, options = "torch.optim:AdamW", {"betas": config.betas, "fused": fused, **options}
    return build_object(path, Optimizer, "optim.name", groups, options=options)


def learning_rate_share(step: int, total: int, config: OptimConfig) -> float:
    """The share of the full learning rate at `step` of `total`."""
    warmup = max(1, round(config.warmup_share * total))
    if step < warmup:
        return (step + 1) / warmup
    progress = min((step - warmup) / max(1, total - warmup), 1.0)
    return config.final_share + (1 - config.final_share) * 0.5 * (1 + math.cos(math.pi * progress))


class Schedule(ABC):
    """The learning rate over a run of `total` steps of the optimiser. A subclass writes `share`.

    Its options, `optim.schedule_options`, are further arguments of its constructor.
    """

    def __init__(self, config: OptimConfig, total: int) -> None:
        self.config, self.total = config, total

    @abstractmethod
    def share(self, step: int) -> float:
        """The share of the full learning rate at `step`, from 0 on."""


class WarmupCosine(Schedule):
    """Linear warm-up, then cosine decay."""

    def share(self, step: int) -> float:
        return learning_rate_share(step, self.total, self.config)


def build_schedule(optimizer: Optimizer, config: OptimConfig, total: int) -> LRScheduler:
    """The schedule that `optim.schedule` asks for, over `total` steps of the optimiser.

    Raises
    ------
    ConfigError
        It names neither a `Schedule` nor a scheduler of torch that is stepped without a metric, or one that refuses
        `optim.schedule_options`.
    """
    key, options = "optim.schedule", config.schedule_options
    path = "trace_lit.modules.optim:WarmupCosine" if config.schedule == "warmup_cosine" else config.schedule
    kind = import_class(path, object, key)
    if issubclass(kind, ReduceLROnPlateau):
        raise ConfigError(f"{key} is {path!r}, which waits for a metric; take one that is stepped with the optimiser")
    if issubclass(kind, LRScheduler):
        return build_object(path, LRScheduler, key, optimizer, options=options)
    schedule: Schedule = build_object(path, Schedule, key, config, total, options=options)
    return LambdaLR(optimizer, lambda step: schedule.share(step))
