"""Statements on the validation windows of a corpus: what chooses among checkpoints where no window has a report."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from data_modules.corpus import Corpus
from data_modules.statements import Statements
from data_modules.text_table import text_table
from trace_lit.text import TextEncoder

COUNT = 64  # of a corpus
LARGEST_SHARE = 0.9  # beyond it, nearly every ranker is right


class HeldOutStatements:
    """Questions that the validation windows answer: what is high or late among them is decided by them alone.

    Parameters
    ----------
    encoder, unit
        How texts are read; see `text_table`.

    Attributes
    ----------
    texts
        S different statements, none of them true of nearly all windows.
    truth
        (S, N) bool, of which of the N validation windows each is true, in the order of the rows; of one at least.
    """

    def __init__(self, corpus: Corpus, encoder: TextEncoder | None, unit: str, seed: int) -> None:
        rows = np.array(corpus.select("validation"), dtype=np.int64)
        bank = Statements.of(corpus, rows, seed).bank(COUNT, np.random.default_rng([seed, 3]))
        different = {statement.text: number for number, statement in enumerate(bank.statements)}
        share = bank.shares()
        kept = [number for number in different.values() if share[number] <= LARGEST_SHARE]
        self.texts = [bank.statements[number].text for number in kept]
        self.truth: NDArray[np.bool_] = bank.truth(kept, np.arange(len(rows)))
        self._table = text_table(self.texts, encoder, unit, kind="query")

    def __len__(self) -> int:
        return len(self.texts)

    def vectors(self) -> tuple[Tensor, Tensor]:
        """The texts' pieces (S, P, D), and the mask (S, P) of those that are there."""
        return self._table.look_up(self._table.numbers(self.texts))
