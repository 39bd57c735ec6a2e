"""Texts as token vectors with marks: what `text.unit=token` gives a model to read.

A row of a text is the vector of one token, and behind it what is known of the token (`MARKS` columns): the number of its
sentence, and where a number ends there, the kind of its unit and the number itself, as a level and as a difference, on the
scale of that kind's first unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trace_lit.text.numbers import KINDS, text_numbers

MARKS = 4  # sentence, kind (a place in `KINDS`, -1 where no number ends), level, difference
Spans = NDArray[np.int64]


@dataclass(frozen=True)
class TokenTexts:
    """The tokens of n texts."""

    table: NDArray[np.floating]  # (V, D) vectors; it may be a memory map
    rows: list[NDArray[np.int64]]  # of each text, the rows (m,) of `table` that are its tokens' vectors
    spans: list[Spans]  # (m, 2) of each text, where each token begins and ends, in characters


def number_marks(text: str, spans: Spans) -> NDArray[np.float32]:
    """(m, 3) for the tokens of `text` at `spans` (m, 2): kind, level and difference of a number that ends in the token."""
    marks = np.zeros((len(spans), MARKS - 1), np.float32)
    marks[:, 0] = -1
    for number in text_numbers(text):
        within = np.flatnonzero((spans[:, 0] < number.end) & (spans[:, 1] > number.start))
        if len(within):
            marks[within[-1]] = KINDS.index(number.kind), number.level, number.difference
    return marks


def joined_marks(sentences: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """(m, 4) for a text of several sentences, from the `number_marks` of each."""
    parts = [np.insert(marks, 0, float(number), axis=1) for number, marks in enumerate(sentences)]
    return np.concatenate(parts) if parts else np.zeros((0, MARKS), np.float32)
