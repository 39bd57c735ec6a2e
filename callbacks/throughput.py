"""Samples per second and the seconds of a run, which may go over several sessions."""

from __future__ import annotations

import time
from typing import Any

import lightning as L
import torch

from trace_lit.distributed import world_size


class Throughput(L.Callback):
    """Logs `train/samples_per_second`, over all processes, once an epoch; validation is not counted.

    `elapsed` is the time of the whole run, with validation, and `samples_per_second` that of its finished epochs. Both count
    what a run that was stopped did before, as far as it was saved.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.samples = 0
        self._epoch_seconds = 0.0  # up to `_since`
        self._epoch_samples = 0
        self._since: float | None = None  # None while no epoch is being trained
        self._elapsed = 0.0  # in former sessions
        self._began = time.perf_counter()

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self._began = time.perf_counter()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._since = time.perf_counter()  # for an epoch that goes on

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
            self._epoch_seconds, self._since = self._seconds_of_epoch, None

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        samples = self._epoch_samples * world_size()
        self.samples += samples
        self.seconds += self._epoch_seconds
        if self._epoch_seconds:
            name, rate = "train/samples_per_second", samples / self._epoch_seconds
            pl_module.log(name, rate, logger=False, rank_zero_only=True)
            # `log` writes after the epoch's checkpoint, where a run that goes on has gone by.
            for logger in trainer.loggers:
                logger.log_metrics({name: rate}, trainer.global_step - 1)
                logger.save()

    @property
    def _seconds_of_epoch(self) -> float:
        return self._epoch_seconds + (0.0 if self._since is None else time.perf_counter() - self._since)

    @property
    def elapsed(self) -> float:
        """Seconds of the whole run until now."""
        return self._elapsed + time.perf_counter() - self._began

    @property
    def samples_per_second(self) -> float:
        """Over the whole run."""
        return self.samples / self.seconds if self.seconds else 0.0

    def state_dict(self) -> dict[str, Any]:
        epoch = {"epoch_seconds": self._seconds_of_epoch, "epoch_samples": self._epoch_samples}
        return {"seconds": self.seconds, "samples": self.samples, "elapsed": self.elapsed, **epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.seconds, self.samples = state_dict["seconds"], state_dict["samples"]
        self._epoch_seconds, self._epoch_samples = state_dict["epoch_seconds"], state_dict["epoch_samples"]
        self._elapsed = state_dict["elapsed"]
