"""Samples per second and the seconds of a run."""

from __future__ import annotations

import time
from typing import Any

import lightning as L
import torch

from trace_lit.distributed import world_size


class Throughput(L.Callback):
    """Logs `train/samples_per_second`, over all processes, once an epoch; validation is not counted."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.samples = 0
        self._since = 0.0
        self._epoch_seconds = 0.0
        self._epoch_samples = 0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._epoch_seconds, self._epoch_samples = 0.0, 0
        self._since = time.perf_counter()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._epoch_samples += len(batch)
        if trainer.is_last_batch:
            if pl_module.device.type == "cuda":
                torch.cuda.synchronize(pl_module.device)
            self._epoch_seconds = time.perf_counter() - self._since

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        samples = self._epoch_samples * world_size()
        self.samples += samples
        self.seconds += self._epoch_seconds
        if self._epoch_seconds:
            pl_module.log("train/samples_per_second", samples / self._epoch_seconds, rank_zero_only=True)

    @property
    def samples_per_second(self) -> float:
        """Over the whole run."""
        return self.samples / self.seconds if self.seconds else 0.0
