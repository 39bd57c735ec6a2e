"""Which device a model is used on."""

from __future__ import annotations

import torch


def best_device(accelerator: str = "auto") -> torch.device:
    """The GPU where `accelerator` ("auto", "gpu", "cuda", "cpu", …, as Lightning has them) admits one and there is one."""
    on_gpu = accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return torch.device("cuda" if on_gpu else "cpu")
