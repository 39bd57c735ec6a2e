"""Which device a model is used on."""

from __future__ import annotations

import re

import torch

from trace_lit.config import ConfigError


def best_device(accelerator: str = "auto") -> torch.device:
    """The GPU where `accelerator` ("auto", "gpu", "cuda", "cpu", …, as Lightning has them) admits one and there is one."""
    on_gpu = accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return torch.device("cuda" if on_gpu else "cpu")


def named_device(name: str, key: str) -> torch.device:
    """The device that the `key` of the configuration names: "auto" (see `best_device`), "cpu", "cuda" or "cuda:1".

    Raises
    ------
    ConfigError
        It is another word, or there is no such device.
    """
    if name == "auto":
        return best_device()
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise ConfigError(f"{key} is {name!r}; it must be 'auto', 'cpu', 'cuda' or 'cuda:<number>'")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"{key} is {name!r}, but {torch.cuda.device_count()} CUDA devices are visible")
    return device
