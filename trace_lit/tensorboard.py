"""Where a run's pages for TensorBoard go, if it has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def tensorboard_writer(loggers: Iterable[Any]) -> Any | None:
    """The SummaryWriter of the first TensorBoardLogger among Lightning's `loggers`; None where there is none."""
    from lightning.pytorch.loggers import TensorBoardLogger

    return next((logger.experiment for logger in loggers if isinstance(logger, TensorBoardLogger)), None)
