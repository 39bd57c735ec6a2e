"""Signals that ask a training to end: what is begun is finished and saved first."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import lightning as L

# Schedulers announce the end of a job's time by SIGTERM or, as many are configured to, SIGUSR1, which Windows does not have.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGINT") if hasattr(signal, name))


class Stopped(Exception):  # noqa: N818 - no error
    """Training has ended because a signal asked for it.

    Attributes
    ----------
    signal
        Which one.
    checkpoint
        From which to go on; None if no step was made.
    """

    def __init__(self, number: int, checkpoint: Path | None) -> None:
        self.signal = signal.Signals(number)
        self.checkpoint = checkpoint
        saved = "no step was made" if checkpoint is None else f"saved {checkpoint}"
        super().__init__(
            f"stopped by {self.signal.name}, {saved}; the same command with --resume auto goes on from there"
        )


class StopSignals(L.Callback):
    """Notes the first of `SIGNALS` that comes while training runs; who trains looks at `received` between steps.

    A Ctrl-C that comes after it does not wait.
    """

    def __init__(self) -> None:
        self.received = 0  # its number
        self._former: dict[int, Any] = {}

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        # Only now: Lightning has put its own handlers just before, which would end the training unsaved or requeue it.
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._note) for number in SIGNALS}
        if trainer.world_size > 1:
            self._ask_once(trainer.fit_loop.epoch_loop)

    def _ask_once(self, loop: Any) -> None:
        """Lightning's processes ask each other in every step, over their devices, whether its own handler got a SIGTERM.

        That can only be one from before training began, so the first step is enough; the later ones do not wait.
        """
        ask = loop._broadcast_sigterm_tensor

        def once() -> None:
            loop._broadcast_sigterm_tensor = lambda: None
            ask()

        loop._broadcast_sigterm_tensor = once

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.received:
            raise KeyboardInterrupt
        self.received = self.received or number
        if number == signal.SIGINT:  # written past Python's buffers, which may be in use at this moment
            os.write(2, b"\nstopping after this step; Ctrl-C again stops at once, without saving\n")

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._restore()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}
