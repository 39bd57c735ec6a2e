"""AdamW with parameter groups, linear warm-up and cosine decay, TRACE §4.1."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

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
) -> AdamW:
    """AdamW over the trainable parameters; matrices decay, norms, biases and tokens do not.

    `rate_of` a parameter's name is its share of the learning rate.
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
    return AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=fused)


def learning_rate_share(step: int, total: int, config: OptimConfig) -> float:
    """The share of the full learning rate at `step` of `total`."""
    warmup = max(1, round(config.warmup_share * total))
    if step < warmup:
        return (step + 1) / warmup
    progress = min((step - warmup) / max(1, total - warmup), 1.0)
    return config.final_share + (1 - config.final_share) * 0.5 * (1 + math.cos(math.pi * progress))


def build_schedule(optimizer: AdamW, config: OptimConfig, total: int) -> LambdaLR:
    """Linear warm-up, then cosine decay, over `total` optimiser steps."""
    return LambdaLR(optimizer, lambda step: learning_rate_share(step, total, config))
