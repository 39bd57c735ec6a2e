"""Progress: a bar in a terminal, plain lines elsewhere, one an epoch and one every so many seconds within long epochs."""

from __future__ import annotations

import time
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import RichProgressBar

from trace_lit.escapes import say

SHOWN = (
    "train/loss",
    "validation/loss",
    "validation/text_to_series/pair/MRR",
    "validation/statements/AP",
    "train/samples_per_second",
)


class ProgressBar(RichProgressBar):
    """Rich's bar, whose numbers are of the last second at the latest: to read them, the host waits for the device."""

    def __init__(self, every_seconds: float = 1.0) -> None:
        super().__init__()
        self.every_seconds = every_seconds
        self._read = -float("inf")
        self._numbers: dict[str, Any] = {}

    def get_metrics(self, trainer: L.Trainer, pl_module: L.LightningModule) -> dict[str, Any]:
        between = trainer.training and not trainer.is_last_batch
        if not between or time.monotonic() - self._read >= self.every_seconds:
            self._numbers = super().get_metrics(trainer, pl_module)
            self._read = time.monotonic()
        return self._numbers


class ProgressLines(L.Callback):
    """Prints the epoch, the step and the metrics that matter."""

    def __init__(self, every_seconds: float = 20.0) -> None:
        self.every_seconds = every_seconds
        self._last = 0.0
        self._validated = False

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._validated = False

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._validated = True

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._last = time.monotonic()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if time.monotonic() - self._last > self.every_seconds and not trainer.is_last_batch:
            self._say(trainer, f"step {batch_idx + 1}/{trainer.num_training_batches}", ("train/loss",))

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        # Lightning keeps a validation's metrics until the next one; they are printed once.
        names = SHOWN if self._validated else tuple(name for name in SHOWN if not name.startswith("validation/"))
        self._say(trainer, "done", names)

    def _say(self, trainer: L.Trainer, where: str, names: tuple[str, ...]) -> None:
        self._last = time.monotonic()
        if not trainer.is_global_zero:
            return
        metrics = trainer.callback_metrics
        values = "  ".join(f"{name} {float(metrics[name]):.4g}" for name in names if name in metrics)
        say(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs} {where}  {values}", flush=True)
