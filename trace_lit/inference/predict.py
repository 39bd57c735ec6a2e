"""Predictions of a tuned run, or of a baseline, for windows of a corpus or of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trace_lit.inference.load import load_as
from trace_lit.inference.predictions import Asked, Predictions, predictions_for
from trace_lit.inference.tuned import TunedRun
from trace_lit.runs.folder import Place

if TYPE_CHECKING:  # they import Lightning and TensorBoard
    from torch.utils.tensorboard import SummaryWriter

    from data_modules.domain import DomainDataModule
    from trace_lit.modules import TuneModule

__all__ = ["Asked", "log_forecasts", "open_tuned", "predict_run"]


def open_tuned(run: Place, retriever: Place | None = None, trust: bool = False) -> TunedRun:
    """The tuned run, or the baseline, `run`, see `trace_lit.load`.

    Raises
    ------
    CheckpointError
        It is no run of the stage tune.
    """
    opened = load_as(run, TunedRun, "tune", trust)
    if retriever is not None:
        opened.use_retriever(retriever)
    return opened


def predict_run(run: Place, asked: Asked, retriever: Place | None = None, trust: bool = False) -> Predictions:
    """What the tuned run, or the baseline, `run` predicts for the windows asked for.

    Classes that the run names are imported only with `trust`.

    Raises
    ------
    CheckpointError
        It is no run of the stage tune.
    ConfigError, CorpusError
        The windows are not there, or cannot be used with this run.
    """
    return open_tuned(run, retriever, trust).predictions(asked)


def log_forecasts(module: TuneModule, data: DomainDataModule, writer: SummaryWriter, step: int, count: int = 3) -> None:
    """A page of a few validation forecasts a corpus, for TensorBoard."""
    from trace_lit.inference.show import draw_all  # here, for matplotlib takes a while to import

    module.eval()
    for name, dataset in zip(data.corpus_names, data.datasets["validation"], strict=True):
        places = np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round().astype(int).tolist()
        if places:
            predictions = predictions_for(
                dataset, places, lambda batch: module.predict(batch.to(module.device)).cpu(), module.config
            )
            writer.add_figure(f"pictures/forecast/{name}", draw_all(predictions), step)
