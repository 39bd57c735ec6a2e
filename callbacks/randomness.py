"""Randomness that a run which goes on finds again, without any state that would have to be kept."""

from __future__ import annotations

import random
from typing import Any

import lightning as L
import numpy as np
import torch


class StepRandomness(L.Callback):
    """Seeds the generators of torch (on all devices), NumPy and Python from (seed, step, process) before every batch.

    Where several batches make a step, from the batch's place among them, too.

    So what a step draws (dropout, masks, noise) depends neither on what was drawn before it, in training, validation or
    mining, nor on whether the process is the one that made the step before. Processes draw differently.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        place = batch_idx % trainer.accumulate_grad_batches
        words = (self.seed, trainer.global_step, trainer.global_rank, *([place] if place else []))
        sequence = np.random.SeedSequence(words)
        torch_seed, numpy_seed, python_seed = sequence.generate_state(3, np.uint64).tolist()
        torch.manual_seed(torch_seed)
        np.random.seed(numpy_seed % 2**32)  # noqa: NPY002 - it is for code that draws from the global generator
        random.seed(python_seed)
