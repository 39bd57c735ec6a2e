"""Statements on the training windows of a corpus, drawn once: texts, and for which windows each is true.

A training step takes texts that are true of its windows, from a clause to a few sentences, and beside each window's a text
that differs in one thing and is false of it. The bank tells, for every text and every window of a batch, whether it fits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data_modules.corpus import Corpus, CorpusError
from data_modules.rows import uniform
from data_modules.rules import Rule, find_channel
from data_modules.statements import Statement
from data_modules.statements import Statements as Generator
from data_modules.text_table import TextTable, text_table
from trace_lit.batch import NO_STATEMENT, Statements
from trace_lit.text import TextEncoder

MOST = 128_000  # statements in a bank
MOST_BITS = 2**31  # of truth
JOINED = 3  # statements in a text, at most
TRIES = 96  # statements that are drawn to find one that is true
LENGTHS = (0.55, 0.85)  # shares of the texts that are of one statement, and of at most two
_LEAST_SHARE = 0.02


class StatementBank:
    """The statements of one corpus's training rows.

    Attributes
    ----------
    facts
        (S,) the number of the fact that each statement states, in other words than others; -1 where no other states it.
    examples
        (F,) for each fact a statement that states it; facts that many state come first.
    senses
        (F,) of each fact what it says of channels whatever they are, and the places of these channels; None where that
        is not known, see `Statement.sense`.

    Parameters
    ----------
    corpus, rows
        The training rows (N,), and the corpus that they are of.
    encoder, unit
        How texts are read; see `text_table`.
    first
        The number of the first row among those of all corpora.
    count
        Texts that are drawn for a window; half as many, but one at least, are also turned round, mostly to be false of it.
    pool
        Statements in the bank for each row.
    seed
        Of the statements, and of the draws together with an epoch and a window's number.

    Raises
    ------
    CorpusError
        Nothing can be stated of the rows.
    """

    def __init__(
        self,
        corpus: Corpus,
        rows: NDArray[np.int64],
        encoder: TextEncoder | None,
        unit: str,
        first: int,
        count: int,
        seed: int,
        pool: int = 48,
    ) -> None:
        self.first, self.size, self.count, self.seed = first, len(rows), count, seed
        self.turned = max(count // 2, 1)
        generator = Generator.of(corpus, rows, seed)
        size = min(pool * self.size, MOST, MOST_BITS // max(self.size, 1))
        drawn = generator.bank(size, np.random.default_rng([seed, 2]))
        texts = [statement.text for statement in drawn.statements]
        if not texts:
            raise CorpusError(
                f"{corpus.path}: nothing can be stated of its training windows ({self.size}); build it from more windows, "
                "or set alignment.statements to 0"
            )
        turned = [place for place, statement in enumerate(drawn.statements) if statement.opposite_rule is not None]
        rules = [drawn.statements[place].opposite_rule for place in turned]
        bits = [drawn.bits]
        for start in range(0, len(rules), 256):
            block = [rule for rule in rules[start : start + 256] if rule is not None]
            bits.append(np.packbits(generator.decide(block), axis=1))
        self._bits = np.concatenate(bits)  # (S, N / 8), opposites behind the others
        self._opposite = np.full(len(self._bits), NO_STATEMENT)
        self._opposite[turned] = len(texts) + np.arange(len(turned))
        self._opposite[len(texts) :] = turned
        self.texts = [*texts, *(str(drawn.statements[place].opposite) for place in turned)]
        self._spoken = np.zeros((len(self._bits) + 1, len(corpus.info.channels)), dtype=bool)  # the last row is of none
        every = [statement.rule for statement in drawn.statements] + [rule for rule in rules if rule is not None]
        for place, rule in enumerate(every):
            self._spoken[place, [find_channel(name, corpus.info.channels) for name in rule.channels]] = True
        self.facts, self.examples = _facts(every)
        self.senses = [
            _sense(drawn.statements[place], corpus) if place < len(texts) else None for place in self.examples
        ]
        share = np.bitwise_count(self._bits).sum(1) / max(self.size, 1)
        # A statement is drawn as often as another, so the rarer of a window's are likelier.
        self._cumulated = np.where(share < 1, 1 / share.clip(min=_LEAST_SHARE), 0.0).cumsum()
        self._table: TextTable = text_table(self.texts, encoder, unit, kind="query")
        self._numbers = self._table.numbers(self.texts)

    def __contains__(self, row: int) -> bool:
        return self.first <= row < self.first + self.size

    def truth(self, stated: Tensor, rows: Tensor) -> Tensor:
        """(m, n) whether texts that state all of `stated` (m, J) are true of the corpus's windows `rows` (n,)."""
        numbers, places = stated.cpu().numpy(), rows.cpu().numpy()
        octets = self._bits[numbers.clip(min=0)[:, :, None], places >> 3]  # (m, J, n)
        true = ((octets >> (7 - (places & 7)).astype(np.uint8)) & 1).astype(bool)
        return torch.from_numpy((true | (numbers == NO_STATEMENT)[:, :, None]).all(1)).to(rows.device)

    def draw(self, rows: NDArray[np.int64], epoch: int) -> Statements:
        """`count` true texts for each of the windows `rows` (B,), then the first ones turned round.

        They are the same in whatever batch the windows are.
        """
        chance = uniform(rows + self.first, self.seed, epoch, self.count * (1 + JOINED * TRIES))
        chance = chance.reshape(len(rows), self.count, -1)
        many = 1 + (chance[..., 0, None] > LENGTHS).sum(-1)  # (B, n)
        # Each statement that is true of the window as likely as its weight: the first true one of some drawn by weight.
        tried = np.searchsorted(self._cumulated, chance[..., 1:] * self._cumulated[-1:].sum(), side="right")
        tried = tried.clip(max=len(self._bits) - 1).reshape(len(rows), self.count, JOINED, TRIES)
        place = rows[:, None, None, None]
        true = (self._bits[tried, place >> 3] >> (7 - (place & 7)).astype(np.uint8)) & 1
        found = np.take_along_axis(tried, true.argmax(-1)[..., None], axis=-1)[..., 0]  # (B, n, J)
        usable = true.any(-1) & (np.arange(JOINED) < many[..., None])
        stated = np.where(usable, found, NO_STATEMENT)
        turned = stated[:, : self.turned].copy()
        first = turned[..., 0]
        opposite = np.where(first >= 0, self._opposite[first], NO_STATEMENT)
        turned[opposite < 0] = NO_STATEMENT
        turned[..., 0] = opposite
        stated = np.concatenate([stated, turned], axis=1)
        return self._looked_up(torch.from_numpy(stated))

    def __len__(self) -> int:
        """The number of statements, and of those turned round, which stand behind them."""
        return len(self._bits)

    @property
    def straight(self) -> int:
        """The number of statements that were drawn for a window, not turned round."""
        return len(self._cumulated)

    def opposite(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The statements (m,) that the statements `numbers` (m,) are when turned round, NO_STATEMENT where there is none."""
        return self._opposite[numbers]

    def look_up(self, numbers: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """The pieces (m, S, D) of statements `numbers` (m,), their mask (m, S), and the channels they speak of (m, C)."""
        looked_up = self._looked_up(torch.from_numpy(numbers)[:, None, None])
        return looked_up.text[:, 0], looked_up.mask[:, 0], looked_up.spoken[:, 0]

    def speaks_of(self, numbers: NDArray[np.int64]) -> Tensor:
        """(m, C) the channels that the statements `numbers` (m,) speak of."""
        return torch.from_numpy(self._spoken[numbers])

    def _looked_up(self, stated: Tensor) -> Statements:
        """The texts of the statements (B, n, J), behind one another."""
        size, texts, joined = stated.shape
        number = torch.where(stated >= 0, self._numbers[stated.clamp(min=0)], 0)
        vectors, mask = self._table.joined(number.view(-1, joined))
        shape = size, texts, mask.shape[1]
        spoken = torch.from_numpy(self._spoken[stated.numpy()].any(-2))  # -1 is the row of none
        return Statements(stated, vectors.reshape(*shape, -1), mask.reshape(shape), spoken)


def _sense(statement: Statement, corpus: Corpus) -> tuple[tuple, list[int]] | None:
    if statement.sense is None:
        return None
    return statement.sense, [find_channel(key, corpus.info.channels) for key in statement.channels]


def _facts(rules: Sequence[Rule]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The facts of statements by their rules, see `StatementBank`."""
    places: dict[Rule, int] = {}
    number = np.array([places.setdefault(rule, len(places)) for rule in rules], dtype=np.int64)
    _, first, count = np.unique(number, return_index=True, return_counts=True)
    order = np.argsort(-count, kind="stable")
    kept = order[count[order] > 1]
    place = np.full(len(count), -1)
    place[kept] = np.arange(len(kept))
    return place[number], first[kept]
