"""Stopping when validation no longer gets better."""

from __future__ import annotations

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import EarlyStopping


class EarlyStop(EarlyStopping):
    """Lightning's, looked at after each validation; a run that was stopped by it stays so when it goes on.

    Unless it goes on with more patience than it has waited for.
    """

    def __init__(self, monitor: str, mode: str, **options: Any) -> None:
        super().__init__(monitor, mode=mode, check_on_train_epoch_end=False, **options)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict | {"patience": self.patience})

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.stopped_epoch and self.wait_count >= self.patience:
            trainer.should_stop = True
