"""Answering a question from an index: compact vectors find, exact ones rank, words add, and time and likeness take away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trace_lit.config import ConfigError
from trace_lit.inference.space import SpaceEmbedder
from trace_lit.retrieval import Hit
from trace_lit.retrieval.explanation import QueryParts, explain
from trace_lit.retrieval.filters import Filter
from trace_lit.retrieval.projection import Projection
from trace_lit.retrieval.ranking import diverse, reciprocal_ranks
from trace_lit.retrieval.stores import Store

Within = Literal["series", "texts", "both"]
WITHIN: tuple[Within, ...] = ("series", "texts", "both")
_COMPARED = 2000  # windows that an explained hit is compared with


@dataclass(frozen=True)
class Question:
    """What is looked for, and how."""

    vector: NDArray[np.float32]  # (E,)
    words: str  # that texts are matched with, where these are searched
    within: Within
    filter: Filter
    top: int
    candidates: int
    diversity: float
    without: Any = None  # the place of the window that is asked about


@dataclass(frozen=True)
class Ranked:
    """The answers, best first."""

    places: NDArray[Any]
    scores: NDArray[np.float32]
    exact: NDArray[np.float32]  # (k, E)


def check_search(*, top: int, within: str, diversity: float, **question: Any) -> None:
    """ConfigError where a search cannot be made as it is asked."""
    given = [name for name, value in question.items() if value is not None]
    if len(given) != 1:
        raise ConfigError(f"search takes one of {', '.join(question)}; {' and '.join(given) or 'none'} was given")
    text = question["text"]
    if text is not None and (not isinstance(text, str) or not text.strip()):
        raise ConfigError('the text is empty; ask in words, like "heavy rain after a sudden pressure drop"')
    if not isinstance(top, Integral) or top < 1:
        raise ConfigError(f"top is {top!r}; it must be a whole number of at least 1")
    if within not in WITHIN:
        raise ConfigError(f"within is {within!r}; it must be one of {', '.join(WITHIN)}")
    if not 0 <= diversity <= 1:
        raise ConfigError(f"diversity is {diversity}; it must be 0 to 1")


def ranked(store: Store, projection: Projection, question: Question) -> Ranked:
    """The best windows for the question."""
    places, scores = _candidates(store, projection, question)
    exact = store.exact(places)
    by_series = exact @ question.vector
    if question.within == "series":
        order = np.argsort(-by_series, kind="stable")
        scores = by_series
    elif question.within == "texts":
        order = np.argsort(-scores, kind="stable")
    else:
        of_words = np.argsort(-scores, kind="stable")[: int((scores > 0).sum())]
        order, values = reciprocal_ranks([np.argsort(-by_series, kind="stable"), of_words])
        scores = np.empty_like(values)
        scores[order] = values
    if question.diversity > 0:
        order = order[: question.candidates]
        order = order[diverse(exact[order], scores[order], question.top, question.diversity)]
    order = order[: question.top]
    return Ranked(places[order], scores[order], exact[order])


def _candidates(store: Store, projection: Projection, question: Question) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """The places of windows that may answer, and the scores of their texts' words, 0 where texts are not searched."""
    count = max(question.candidates, question.top) + (question.without is not None)
    found = matched = None
    if question.within != "texts":
        found = store.search(projection.of_queries(question.vector[None]), count, question.filter)[0]
    if question.within != "series":
        matched = store.match(question.words, count, question.filter)
    places = np.unique(np.concatenate([own.places for own in (found, matched) if own is not None]))
    scores = np.zeros(len(places), np.float32)
    if matched is not None:
        scores[np.searchsorted(places, matched.places)] = matched.scores
    if question.without is not None:
        kept = places != question.without
        places, scores = places[kept], scores[kept]
    return places, scores


def hits_of(store: Store, places: NDArray[Any], scores: NDArray[np.float32]) -> list[Hit]:
    """The windows at places, as hits."""
    return [
        Hit(
            score=float(score),
            id=row["id"],
            start=_time(row["start"]),
            end=_time(row["end"]),
            label=row["label"],
            text=row["text"],
            split=row["split"],
            row=row["row"],
            series=row["series"],
            corpus=row["corpus"],
        )
        for row, score in zip(store.rows(places).to_pylist(), scores, strict=True)
    ]


def explained(
    hits: Sequence[Hit], found: Ranked, store: Store, filter: Filter, parts: QueryParts, embedder: SpaceEmbedder
) -> list[Hit]:
    """The hits with what each channel and clause adds, compared with up to 2,000 of the windows that were searched."""
    every = store.select(filter)
    some = every[np.unique(np.linspace(0, len(every) - 1, min(len(every), _COMPARED)).astype(np.int64))]
    vectors = embedder.as_model(np.concatenate([found.exact, store.exact(some)]), embedder.search_space())
    keys = [channel.key for channel in embedder.space.channels]
    explanations = explain(parts, vectors, range(len(hits)), keys)
    return [replace(hit, explanation=own) for hit, own in zip(hits, explanations, strict=True)]


def _time(seconds: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(seconds=seconds)
