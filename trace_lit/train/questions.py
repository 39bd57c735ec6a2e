"""Questions whose answers the numbers decide, put to an aligned run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence

from data_modules.dataset import CorpusDataset
from data_modules.rules import WindowTable
from trace_lit.alignment import SearchSpace
from trace_lit.retrieval import evaluation_mode
from trace_lit.retrieval.questions import Question, QuestionReport, judge
from trace_lit.text import build_text_encoder, sentences
from trace_lit.train.evaluate import OpenedRun


def evaluate_questions(
    opened: OpenedRun, questions: Sequence[Question], split: str = "test", part: str = "development"
) -> dict[str, tuple[CorpusDataset, QuestionReport]]:
    """The answers to the questions of a part, searched in a split of each of the run's corpora; by corpus name.

    Raises
    ------
    CorpusError, RetrievalError, TextEncoderError
    """
    chosen = [question for question in questions if question.split == part]
    found = {}
    for name, (dataset, pool) in opened.embed(split).items():
        rows = dataset.rows[pool.index.numpy()]
        corpus = dataset.corpus
        space = SearchSpace(opened.model, corpus.info.channels)

        def score(wordings: Sequence[str], space: SearchSpace = space, series: torch.Tensor = pool.series) -> NDArray:
            return (embed_wordings(opened, space, wordings) @ series.T).numpy()

        found[name] = dataset, judge(chosen, WindowTable.of(corpus, rows), score)
    return found


def embed_wordings(opened: OpenedRun, space: SearchSpace, texts: Sequence[str]) -> torch.Tensor:
    """The vectors (N, E) of texts as people ask, on the CPU."""
    encoder = build_text_encoder(opened.config.text)
    pieces = [sentences(text) if opened.config.text.unit == "sentence" else [text] for text in texts]
    counts = [len(own) for own in pieces]
    encoded = torch.from_numpy(encoder.encode([piece for own in pieces for piece in own], kind="query"))
    vectors = pad_sequence(list(encoded.split(counts)), batch_first=True)
    mask = torch.from_numpy(np.arange(vectors.shape[1]) < np.array(counts)[:, None])
    with evaluation_mode(opened.model):
        return space.embed_text(vectors.to(opened.device), mask.to(opened.device)).float().cpu()
