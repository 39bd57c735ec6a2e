"""Questions in words whose answers the numbers decide: a rule decides which windows fit, not a text.

A question file holds questions with several wordings each:

    questions:
    - id: strong-wind
      kind: level                 # see KINDS
      split: development          # or test, which is not looked at while a model is chosen
      wordings: [strong winds throughout, find me a windy day, blowing a gale]
      rule: {channel: wind speed, statistic: mean, above: {quantile: 0.85}}

The measure of a question is the mean over its wordings of P@10, here the share of the first ten windows that fit, and
of the average precision. Tied windows count with their expectation over all orders, so that a model that scores all
windows alike gets what the random ranker gets: the share of the pool that fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from data_modules.rules import Rule, RuleError, WindowTable, parse_rule
from trace_lit.plain import PlainError, parse_yaml, read_text
from trace_lit.retrieval.directions import SCORE_GRID
from trace_lit.retrieval.metrics import Metrics, summary
from trace_lit.retrieval.pool import RetrievalError

KINDS = ("level", "change", "shape", "extreme", "timing", "direction", "two_channels", "negation", "number")
PARTS = ("development", "test")
SHIPPED = ("weather", "healthcare", "energy")  # question files that come with the package
CUTOFF = 10  # the k of P@k
FEWEST_HITS, LARGEST_SHARE = CUTOFF, 0.9  # beyond them, nearly no ranker or nearly every one is right
Score = Callable[[Sequence[str]], NDArray[np.floating]]  # W texts to their scores (W, N) with the windows of a pool


@dataclass(frozen=True)
class Question:
    """What a person asks for, in several wordings, and the rule that tells which windows are right."""

    id: str
    kind: str
    wordings: tuple[str, ...]
    rule: Rule
    split: str  # one of PARTS


@dataclass(frozen=True)
class Answer:
    """How the wordings of a question were answered from a pool of N windows."""

    question: Question
    truth: NDArray[np.bool_]  # (N,) the windows that fit
    precision: NDArray[np.float64]  # (W,) P@10 of each wording
    average_precision: NDArray[np.float64]  # (W,)
    first: NDArray[np.int64]  # (W, up to 10) the places of each wording's first windows, best first

    @property
    def share(self) -> float:
        """The share of the pool that fits, which is what the random ranker gets."""
        return float(self.truth.mean())


@dataclass(frozen=True)
class Undecidable:
    """A question that is not counted, and why."""

    question: Question
    reason: str


@dataclass(frozen=True)
class QuestionReport:
    """The answers to all questions that the pool can decide, and the questions that it cannot."""

    answers: list[Answer]
    undecidable: list[Undecidable]  # too few windows fit, or nearly all
    left_out: list[Undecidable]  # the corpus lacks their channels

    def worst(self) -> list[Answer]:
        """The answers, from the lowest mean P@10 on; of equal ones, first where it was the easier."""
        return sorted(self.answers, key=lambda answer: (answer.precision.mean(), -answer.share))

    def metrics(self, bootstrap: int = 1000, seed: int = 0) -> Metrics:
        """Means over the questions; flat keys.

        - `P@10`, `AP`, and `random`, the random ranker; `…/ci95`: [low, high], the 95 % interval of a mean when the
          questions are drawn again with replacement, `bootstrap` times.
        - `kind/<kind>/{P@10, AP, random, questions}` over the questions of a kind.
        - `questions`, `undecidable`, `left_out` are counts.
        """
        found: Metrics = {
            "questions": len(self.answers),
            "undecidable": len(self.undecidable),
            "left_out": len(self.left_out),
        }
        kinds = {answer.question.kind for answer in self.answers}
        for prefix, answers in [
            ("", self.answers),
            *(
                (f"kind/{kind}/", [answer for answer in self.answers if answer.question.kind == kind])
                for kind in KINDS
                if kind in kinds
            ),
        ]:
            if not answers:
                continue
            columns = {
                f"P@{CUTOFF}": torch.tensor([answer.precision.mean() for answer in answers]),
                "AP": torch.tensor([answer.average_precision.mean() for answer in answers]),
            }
            found |= {prefix + name: value for name, value in summary(columns, bootstrap, seed).items()}
            found[f"{prefix}random"] = float(np.mean([answer.share for answer in answers]))
            if prefix:
                found[f"{prefix}questions"] = len(answers)
        return found


def judge(questions: Sequence[Question], pool: WindowTable, score: Score) -> QuestionReport:
    """Ask all questions that the windows of `pool` can decide.

    Parameters
    ----------
    score
        Called once with the wordings of these questions; gives a score for each window of the pool.
    """
    asked: list[tuple[Question, NDArray[np.bool_]]] = []
    undecidable, left_out = [], []
    for question in questions:
        if missing := question.rule.missing(pool.channels):
            left_out.append(Undecidable(question, f"there is no {' and no '.join(missing)}"))
            continue
        truth = question.rule.holds(pool)
        if truth.sum() < FEWEST_HITS:
            undecidable.append(Undecidable(question, f"{truth.sum()} windows fit, of {len(pool)}"))
        elif truth.mean() > LARGEST_SHARE:
            undecidable.append(Undecidable(question, f"{truth.mean():.0%} of the windows fit"))
        else:
            asked.append((question, truth))
    wordings = [wording for question, _ in asked for wording in question.wordings]
    scores = np.asarray(score(wordings)) if wordings else np.zeros((0, len(pool)))
    if scores.shape != (len(wordings), len(pool)):
        raise RetrievalError(f"scores of shape {scores.shape} for {len(wordings)} wordings and {len(pool)} windows")
    borders = np.cumsum([len(question.wordings) for question, _ in asked])[:-1]
    answers = [
        _answer(question, truth, own) for (question, truth), own in zip(asked, np.split(scores, borders), strict=False)
    ]
    return QuestionReport(answers, undecidable, left_out)


def _answer(question: Question, truth: NDArray[np.bool_], scores: NDArray[np.floating]) -> Answer:
    precision, average = precision_and_average(scores, truth)
    first = np.argsort(-scores, axis=1, kind="stable")[:, :CUTOFF]
    return Answer(question, truth, precision, average, first)


def precision_and_average(
    scores: NDArray[np.floating], truth: NDArray[np.bool_], k: int = CUTOFF
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """P@k (W,) and average precision (W,) of W rankings of N windows by `scores` (W, N).

    Expectations over all orders of the windows whose scores are equal as far as float32 can tell.

    Parameters
    ----------
    truth
        (W, N), or (N,) for all rankings; each with at least one window that fits.
    """
    grid = np.round(np.asarray(scores, dtype=np.float64) / SCORE_GRID)
    order = np.argsort(-grid, axis=1, kind="stable")
    ranked = np.take_along_axis(grid, order, axis=1)
    hits = np.take_along_axis(np.broadcast_to(truth, grid.shape), order, axis=1).astype(np.float64)
    size = grid.shape[1]
    place = np.broadcast_to(np.arange(size), grid.shape)
    new = np.diff(ranked, axis=1, prepend=np.inf) != 0  # the first of windows that tie
    begin = np.maximum.accumulate(np.where(new, place, 0), axis=1)
    last = np.pad(new[:, 1:], ((0, 0), (0, 1)), constant_values=True)
    end = np.minimum.accumulate(np.where(last, place, size)[:, ::-1], axis=1)[:, ::-1] + 1
    before = np.pad(hits.cumsum(1), ((0, 0), (1, 0)))
    above = np.take_along_axis(before, begin, axis=1)  # hits that stand above all that tie with a place
    tied = end - begin
    among = np.take_along_axis(before, end, axis=1) - above  # hits among them
    chance = among / tied  # that the window at a place is a hit
    precision = chance[:, :k].mean(1)
    # Given a hit at a place, the expected hits from the top down to it (McSherry and Najork, 2008).
    down = above + 1 + (place - begin) * (among - 1) / np.maximum(tied - 1, 1)
    average = (chance * down / (place + 1)).sum(1) / hits.sum(1)
    return precision, average


def load_questions(source: str | Path) -> list[Question]:
    """The questions of a file, or those that come with the package for a domain of `SHIPPED`.

    Raises
    ------
    RetrievalError
        There is no such file, or it holds something else than questions; the message names the question.
    """
    if str(source) in SHIPPED:
        text = (files("data_modules") / "questions" / f"{source}.yaml").read_text(encoding="utf-8")
    else:
        try:
            text = read_text(Path(source))
        except FileNotFoundError:
            raise RetrievalError(
                f"there is no question file {source}; name one, or a domain: {', '.join(SHIPPED)}"
            ) from None
        except PlainError as error:
            raise RetrievalError(f"{source} cannot be read: {error}") from None
    try:
        plain = parse_yaml(text)
    except PlainError as error:
        raise RetrievalError(f"{source} is not YAML: {error}") from None
    if not isinstance(plain, Mapping) or list(plain) != ["questions"] or not isinstance(plain["questions"], list):
        raise RetrievalError(f"{source}: a question file has one key, 'questions', and a list of them below it")
    questions = [_question(entry, f"{source}: question {n}") for n, entry in enumerate(plain["questions"], start=1)]
    ids = [question.id for question in questions]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise RetrievalError(f"{source}: two questions have the id {twice[0]!r}")
    return questions


def _question(plain: Any, where: str) -> Question:
    keys = ("id", "kind", "split", "wordings", "rule")
    if not isinstance(plain, Mapping) or set(plain) != set(keys):
        given = ", ".join(map(str, plain)) if isinstance(plain, Mapping) else repr(plain)
        raise RetrievalError(f"{where} has {given}; it needs exactly {', '.join(keys)}")
    where = f"{where} ({plain['id']})"
    wordings = plain["wordings"]
    if not isinstance(wordings, list) or not wordings or not all(isinstance(own, str) and own for own in wordings):
        raise RetrievalError(f"{where}: wordings is {wordings!r}; it must be a list of texts")
    for key, allowed in (("kind", KINDS), ("split", PARTS)):
        if plain[key] not in allowed:
            raise RetrievalError(f"{where}: the {key} is {plain[key]!r}; it must be one of {', '.join(allowed)}")
    try:
        rule = parse_rule(plain["rule"])
    except RuleError as error:
        raise RetrievalError(f"{where}: {error}") from None
    return Question(str(plain["id"]), plain["kind"], tuple(wordings), rule, plain["split"])
