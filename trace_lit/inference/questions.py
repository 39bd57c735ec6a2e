"""Questions whose answers the numbers decide, put to an aligned run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.dataset import CorpusDataset
from data_modules.rules import WindowTable
from data_modules.text_table import text_table
from trace_lit.alignment import SearchSpace
from trace_lit.inference.evaluate import OpenedRun
from trace_lit.inference.question_reader import QuestionReader
from trace_lit.retrieval import Explanation, Metrics, Pool, RetrievalError, evaluation_mode, with_split
from trace_lit.retrieval.explanation import explain
from trace_lit.retrieval.figures import question_hits
from trace_lit.retrieval.questions import Question, QuestionReport, judge
from trace_lit.text import build_text_encoder

DRAWN = 3  # questions, where none are named


@dataclass(frozen=True)
class Answered:
    """The answers from one corpus."""

    corpus: Corpus
    rows: NDArray[np.int64]  # the corpus row of each window that was searched
    report: QuestionReport
    explain: Callable[[str, Sequence[int]], list[Explanation]]  # why windows of the pool have their scores with a text


def evaluate_questions(
    opened: OpenedRun, questions: Sequence[Question], split: str = "test", part: str = "development"
) -> dict[str, Answered]:
    """The answers to the questions of a part, searched in a split of each of the run's corpora; by corpus name.

    Raises
    ------
    CorpusError, RetrievalError, TextEncoderError
    """
    chosen = [question for question in questions if question.split == part]
    return {name: _answered(opened, chosen, *own) for name, own in opened.embed(split).items()}


def _answered(opened: OpenedRun, questions: Sequence[Question], dataset: CorpusDataset, pool: Pool) -> Answered:
    rows = dataset.rows[pool.index.numpy()]
    corpus = dataset.corpus
    space = SearchSpace(opened.model, corpus.info.channels)
    reader = QuestionReader(space, build_text_encoder(opened.config.text), opened.config.text.unit, opened.device)

    def score(wordings: Sequence[str]) -> NDArray[np.float32]:
        return (reader.vectors(wordings) @ pool.series.T).numpy()

    def explained(text: str, places: Sequence[int]) -> list[Explanation]:
        return explain(reader.taken_apart(text), pool.series.numpy(), places)

    return Answered(corpus, rows, judge(questions, WindowTable.of(corpus, rows), score), explained)


def question_metrics(answered: Mapping[str, Answered], split: str, part: str, bootstrap: int) -> Metrics:
    """The metrics of `evaluate_questions`, flat: `<split>/questions/<part>/P@10` and so on, see `QuestionReport.metrics`.

    Of several corpora, `<split>/<corpus>/questions/<part>/…`.
    """
    found: Metrics = {}
    for name, own in answered.items():
        place = split if len(answered) == 1 else f"{split}/{name}"
        found |= with_split(f"{place}/questions/{part}", own.report.metrics(bootstrap))
    return found


def draw_answers(answered: Mapping[str, Answered], ids: Sequence[str] = ()) -> Figure:
    """The first hits of the questions `ids`, by default of the worst ones, in the first corpus that could decide them.

    Raises
    ------
    RetrievalError
        A question of `ids` was not asked, or none was.
    """
    own = next((own for own in answered.values() if own.report.answers), None)
    if own is None:
        raise RetrievalError("no question could be decided: there is nothing to draw")
    asked = {answer.question.id: answer for answer in own.report.answers}
    if unknown := [name for name in ids if name not in asked]:
        raise RetrievalError(f"no question {unknown[0]!r} was asked; there are: {', '.join(asked)}")
    answers = [asked[name] for name in ids] if ids else own.report.worst()[:DRAWN]
    reasons = [own.explain(answer.question.wordings[0], answer.first[0].tolist()) for answer in answers]
    return question_hits(answers, own.corpus, own.rows, reasons)


def embed_texts(opened: OpenedRun, space: SearchSpace, texts: Sequence[str], kind: str) -> torch.Tensor:
    """The vectors (N, E) of texts as wholes, on the CPU; `kind` is "query" or, for reports, "document"."""
    table = text_table(texts, build_text_encoder(opened.config.text), opened.config.text.unit, kind)
    vectors, mask = table.look_up(table.numbers(texts))
    with evaluation_mode(opened.model):
        return space.embed_text(vectors.to(opened.device), mask.to(opened.device)).float().cpu()
