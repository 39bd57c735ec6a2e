"""Parts of a query, for the explanation of its hits: those of a series, and the clauses of a text."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trace_lit.alignment import SearchSpace
from trace_lit.retrieval import QueryParts
from trace_lit.text import TextEncoder, document, sentences
from trace_lit.text.clauses import clauses


def series_parts(space: SearchSpace, vector: NDArray[np.float32]) -> QueryParts:
    """Those of a series, given as its unit vector (E,)."""
    return QueryParts(vector.reshape(1, len(space.part_keys), -1), space.part_keys)


def text_clauses(text: str, encoder: TextEncoder, unit: str) -> tuple[tuple[str, ...], Tensor]:
    """The G clauses of a text in their order, and the number (S,) of the clause that each of its pieces is in.

    With `unit` "token" the pieces are tokens, and clauses are those of `trace_lit.text.clauses`; otherwise each piece is
    the smallest that can be distinguished.
    """
    whole = sentences(text) or document(text)
    if unit != "token":
        pieces = whole if unit == "sentence" else document(text)
        return tuple(piece.strip() for piece in pieces), torch.arange(len(pieces))
    names: list[str] = []
    numbers: list[NDArray[np.int64]] = []
    for sentence, spans in zip(whole, encoder.tokens(whole, "query").spans, strict=True):
        found = clauses(sentence)
        starts = [start for start, _ in found]
        last = np.maximum(spans[:, 1] - 1, 0)  # a token may begin with the space before it
        used, own = np.unique(np.searchsorted(starts, last, side="right") - 1, return_inverse=True)
        numbers.append(len(names) + own)
        names += [sentence[slice(*found[number])].strip().rstrip(",;:") for number in used]
    if not names:  # nothing that the tokenizer knows
        return (text.strip(),), torch.zeros(1, dtype=torch.int64)
    return tuple(names), torch.from_numpy(np.concatenate(numbers))
