"""What people would rather look at, for TensorBoard: the similarity matrix, retrieved examples, the embedding projector."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from matplotlib import colormaps
from PIL import Image, ImageDraw
from torch.utils.tensorboard import SummaryWriter

from callbacks.retrieval_evaluation import RetrievalEvaluation
from data_modules.dataset import CorpusDataset
from trace_lit.batch import NO_LABEL
from trace_lit.escapes import one_line
from trace_lit.retrieval import Pool
from trace_lit.retrieval.figures import retrieved_examples, similarity_matrix
from trace_lit.tensorboard import tensorboard_writer

GLYPH = 24  # pixels of a point's picture


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
        writer.add_figure(f"pictures/similarity/{name}", similarity_matrix(pool, labels), step)
        writer.add_figure(f"pictures/retrieved/{name}", retrieved_examples(pool, dataset.corpus, dataset.rows), step)

    def _project(self, writer: SummaryWriter, name: str, pool: Pool, labels: tuple[str, ...], step: int) -> None:
        """Series and texts side by side, drawn by label and kind."""
        labels_of = ["-" if label == NO_LABEL else one_line(labels[label]) for label in pool.label.tolist()]
        paired = pool.has_text.nonzero().squeeze(1)
        rows = [[label, "series"] for label in labels_of] + [[labels_of[row], "text"] for row in paired.tolist()]
        logging.getLogger("tensorboard").setLevel(logging.ERROR)
        tag = re.sub(r"\W", "_", name)  # a part of a path
        writer.add_embedding(
            torch.cat([pool.series, pool.text[paired]]),
            metadata=rows,
            metadata_header=["label", "kind"],
            label_img=torch.zeros(
                len(rows), 3, GLYPH, GLYPH
            ),  # replaced below; TensorBoard cannot write transparent ones
            global_step=step,
            tag=tag,
        )
        order = ["-", *map(one_line, labels)]
        picture = glyphs([(order.index(label), kind) for label, kind in rows])
        picture.save(Path(writer.log_dir, f"{step:05d}", tag, "sprite.png"))


def glyphs(points: Sequence[tuple[int, str]]) -> Image.Image:
    """The pictures of the projector's points in one square picture, row by row.

    The projector opens without colours of its own, and shows these: a colour a label (0 is grey: none), series as discs,
    texts as squares.
    """
    side = math.ceil(math.sqrt(len(points)))
    colours = [(0.6, 0.6, 0.6), *colormaps["tab10"].colors, *colormaps["Set2"].colors]  # type: ignore[attr-defined]
    whole = Image.new("RGBA", (side * GLYPH, side * GLYPH))
    drawing = ImageDraw.Draw(whole)
    for place, (label, kind) in enumerate(points):
        left, top = place % side * GLYPH, place // side * GLYPH
        draw = drawing.ellipse if kind == "series" else drawing.rectangle
        red, green, blue = (round(255 * part) for part in colours[(label - 1) % (len(colours) - 1) + 1 if label else 0])
        draw((left + 4, top + 4, left + GLYPH - 5, top + GLYPH - 5), fill=(red, green, blue, 255))
    return whole
