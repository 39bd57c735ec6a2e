"""What people would rather look at, for TensorBoard: the similarity matrix, retrieved examples, the embedding projector."""

from __future__ import annotations

import logging
from typing import Any

import lightning as L
import torch
from torch.utils.tensorboard import SummaryWriter

from callbacks.retrieval_evaluation import RetrievalEvaluation
from data_modules.dataset import CorpusDataset
from trace_lit.batch import NO_LABEL
from trace_lit.retrieval import Pool
from trace_lit.retrieval.figures import retrieved_examples, similarity_matrix
from trace_lit.tensorboard import tensorboard_writer


class TensorBoardPages(L.Callback):
    """Draws the last pools of a `RetrievalEvaluation` when training ends; one page of each kind a corpus."""

    def __init__(self, evaluation: RetrievalEvaluation) -> None:
        self.evaluation = evaluation

    def on_train_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        writer = tensorboard_writer(trainer.loggers) if trainer.is_global_zero else None
        if writer is None:
            return
        if not self.evaluation.pools:  # a finished run that was asked to go on has not validated again
            return
        datasets: list[CorpusDataset] = trainer.datamodule.datasets["validation"]  # type: ignore[attr-defined]
        for (name, pool), dataset in zip(self.evaluation.pools.items(), datasets, strict=True):
            names = trainer.datamodule.label_names  # type: ignore[attr-defined]
            if pool.has_text.any():
                self._draw(writer, name, pool, dataset, names, trainer.global_step)
            self._project(writer, name, pool, names, trainer.global_step)

    def _draw(
        self, writer: SummaryWriter, name: str, pool: Pool, dataset: CorpusDataset, labels: tuple[str, ...], step: int
    ) -> None:
        writer.add_figure(f"similarity/{name}", similarity_matrix(pool, labels), step)
        writer.add_figure(f"retrieved/{name}", retrieved_examples(pool, dataset.corpus, dataset.rows), step)

    def _project(self, writer: SummaryWriter, name: str, pool: Pool, labels: tuple[str, ...], step: int) -> None:
        """Series and texts side by side, to be coloured by kind or label."""
        told = ["-" if label == NO_LABEL else labels[label] for label in pool.label.tolist()]
        paired = pool.has_text.nonzero().squeeze(1)
        rows = [["series", label] for label in told] + [["text", told[row]] for row in paired.tolist()]
        logging.getLogger("tensorboard").setLevel(logging.ERROR)
        writer.add_embedding(
            torch.cat([pool.series, pool.text[paired]]),
            metadata=rows,
            metadata_header=["kind", "label"],
            global_step=step,
            tag=name.replace("-", "_"),
        )
