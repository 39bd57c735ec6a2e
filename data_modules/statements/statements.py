"""`Statements`: true statements in words about windows, from their values alone, and which other windows they fit."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data_modules.corpus import Corpus
from data_modules.frequency import Frequency
from data_modules.rules import All, Rule, WindowTable
from data_modules.statements.catalogue import contraries, facts
from data_modules.statements.facts import Columns, Fact
from data_modules.statements.grammar import Draw
from data_modules.statements.literals import Compiler
from data_modules.statements.wording import Wording
from data_modules.statements.words import channel_words
from trace_lit.channels import Channel

EVERYDAY = 1 / 3  # of a bank at most are everyday words by themselves,
OFTEN = 5  # each of them as often at most
JOINED = 0.12  # of all statements say two things at once
RARE, COMMON, MOST = 0.03, 0.4, 0.7  # shares of the reference: best between the first two, none above the third
# Forms that people use more than others.
FAVOURED = {
    **{"idiom": 4.0, "level": 2.0, "not level": 2.0, "change": 2.0, "peak": 3.0, "local level": 2.0, "turn": 2.0},
    **{"arch": 1.5, "swing": 1.5, "sometime": 1.5, "local swing": 0.5},
}
SELDOM = 0.2  # how often a component of a direction is spoken of, against another channel
OUTSIDE = 0.3  # how often, against a fact of a share between them, one outside is drawn
MAX_STEP_HOURS, MIN_CLOCK_HOURS = 3, 18  # of steps and windows that tell parts of the day
T = TypeVar("T")
KINDS = (
    *("level", "change", "shape", "extreme", "timing"),
    *("direction", "two_channels", "negation", "number"),
)
_DECISIONS = 2**22  # of rules for windows that are made at once


@dataclass(frozen=True)
class Statement:
    """Words that are true of one window.

    `rule` tells of every window whether they are. `opposite` are the same words with one fact turned round, which its
    own rule decides to be false of the window; None where no such words are known. Statements of any corpora whose `sense`
    is the same say the same of their `channels`, each relative to what is usual there; None where that is not known.
    """

    text: str
    rule: Rule
    kind: str  # one of KINDS
    channels: tuple[str, ...]  # keys
    opposite: str | None = None
    opposite_rule: Rule | None = None
    sense: tuple | None = None


class Statements:
    """Statements about the windows of `reference`, in which "high" and "usual" mean high and usual among them.

    Times are UTC: "in the morning" is 6 to 12 o'clock there, "at night" 0 to 6. Parts of the day are spoken of where
    steps are at most three hours and windows at least 18 hours long; what is usual for a month where most months are
    there. Everyday words such as "windy" stand for a channel that no other channel of the corpus rivals.

    Parameters
    ----------
    channels
        Of the reference.
    frequency
        Of all windows; None where it is not known or differs among them. Then no clock is spoken of.
    reference
        The windows of the training rows.
    seed
        Of the numbers that are spoken of. Equal seeds and tables give equal statements.
    """

    def __init__(
        self, channels: Sequence[Channel], frequency: str | None, reference: WindowTable, seed: int = 0
    ) -> None:
        self.table = reference
        self._keys = [channel.key for channel in channels]
        columns = Columns(reference)
        self._compiler = Compiler(columns)
        lengths = np.array([window.shape[1] for window in reference.values] or [0])
        steps = int(np.median(lengths))
        words = channel_words(channels)
        self._wording = Wording(words, frequency, steps)
        clock = _tells_time(frequency, steps)
        hours = _hours(frequency, steps) if clock and len(set(lengths.tolist())) == 1 else 0.0
        found = facts(columns, words, clock, hours, seed) if len(reference) else []
        found = [fact for fact in found if self._compiler.compile(fact.rule).defined]
        truth = [self.decide([fact.rule for fact in block]) for block in self._blocks(found)]
        shares = np.concatenate([np.empty(0), *(block.mean(1) for block in truth)])
        self.facts: list[Fact] = found
        self.shares = shares  # of the reference windows that each fact holds for
        self._contraries = contraries(found, seed)
        self._usable = (shares > 0) & (shares <= MOST)
        self._true = _packed_by_row(truth, len(reference))
        self._seen = np.array([~np.isnan(window).all(axis=1) for window in reference.values], dtype=np.bool_).reshape(
            len(reference), len(channels)
        )
        self._complete: NDArray[np.bool_] = np.asarray(self._seen.all(axis=1))
        self._everyday = [self._wording.everyday(fact) for fact in found]
        self._set_weights({place for place, own in enumerate(words) if own.component})

    @classmethod
    def of(cls, corpus: Corpus, rows: Sequence[int] | NDArray[np.int64], seed: int = 0) -> Statements:
        """Statements about the given rows of a corpus; row i of the reference is `rows[i]`."""
        rows = np.asarray(rows, dtype=np.int64)
        frequencies = set(corpus.frequencies[rows])
        frequency = corpus.info.frequency if frequencies == {corpus.info.frequency} else None
        return cls(corpus.info.channels, frequency, WindowTable.of(corpus, rows), seed)

    def __len__(self) -> int:
        return len(self.table)

    def _set_weights(self, components: set[int]) -> None:
        """Kinds are drawn alike, then a kind's channels, the forms of these, and facts of a form by their share.

        The components of a direction are channels that people seldom ask for.
        """
        forms: dict[tuple, int] = {}
        cells: dict[tuple, int] = {}
        facts = self.facts
        self._form = np.array(
            [forms.setdefault((fact.kind, fact.channels, fact.form), len(forms)) for fact in facts], dtype=np.int64
        )
        self._cell = np.array([cells.setdefault((fact.kind, fact.channels), len(cells)) for fact in facts], np.int64)
        self._kind = np.array([KINDS.index(fact.kind) for fact in facts], dtype=np.int64)
        self._form_weight = np.array([FAVOURED.get(form, 1.0) for _, _, form in forms])
        self._weight = np.where((self.shares >= RARE) & (self.shares <= COMMON), 1.0, OUTSIDE)
        self._cell_weight = np.array(
            [SELDOM if components & set(places) and kind != "direction" else 1.0 for kind, places in cells]
        )

    def _view(self, row: int) -> _View:
        holds = np.unpackbits(self._true[row], count=len(self.facts)).view(np.bool_)
        there = np.flatnonzero(holds & self._usable)
        form, cell, kind, chance = (own[there] for own in (self._form, self._cell, self._kind, self._weight))
        chance = chance / np.bincount(form, chance)[form] * self._form_weight[form]
        chance = chance / np.bincount(cell, chance)[cell] * self._cell_weight[cell]
        chances = np.cumsum(chance / np.bincount(kind, chance)[kind])
        return _View(row, holds.tobytes(), there.tolist(), chances.tolist())

    def draw(self, rows: ArrayLike, rng: np.random.Generator, count: int = 1) -> list[list[Statement]]:
        """`count` statements about each of the rows of the reference; none where nothing is known of a row."""
        drawn = []
        for row in np.asarray(rows, dtype=np.int64).tolist():
            view = self._view(row)
            source = random.Random(int(rng.integers(2**62)))
            drawn.append([self._statement(view, source) for _ in range(count)] if view.there else [])
        return drawn

    def _statement(self, view: _View, source: random.Random) -> Statement:
        first = view.pick(source)
        if source.random() < JOINED:
            second = view.pick(source)
            if second != first and self._wording.joinable(self.facts[first], self.facts[second]):
                return self._joined(view, first, second, source)
        seed = source.random()
        turned = self._turned(view, first, source)
        fact = self.facts[first]
        text = self._wording.one(fact, _replay(seed))
        opposite = None if turned is None else self._wording.one(self.facts[turned], _replay(seed))
        if turned is None or opposite == text:
            return Statement(text, fact.rule, fact.kind, self._names(fact), sense=_sense(fact))
        other = self.facts[turned].rule
        return Statement(text, fact.rule, fact.kind, self._names(fact), opposite, other, _sense(fact))

    def _joined(self, view: _View, first: int, second: int, source: random.Random) -> Statement:
        one, two = self.facts[first], self.facts[second]
        seed = source.random()
        if source.random() < 0.5:
            turned = self._turned(view, first, source)
            other = None if turned is None else (self.facts[turned], two)
        else:
            turned = self._turned(view, second, source)
            other = None if turned is None else (one, self.facts[turned])
        if other is not None and not self._wording.joinable(*other):
            other = None
        text = self._wording.two(one, two, _replay(seed))
        rule = All((one.rule, two.rule))
        kind = one.kind if one.channels == two.channels else "two_channels"
        channels = tuple(dict.fromkeys((*self._names(one), *self._names(two))))
        opposite = None if other is None else self._wording.two(*other, _replay(seed))
        if other is None or opposite == text:
            return Statement(text, rule, kind, channels, sense=_sense(one, two))
        return Statement(text, rule, kind, channels, opposite, All((other[0].rule, other[1].rule)), _sense(one, two))

    def _turned(self, view: _View, place: int, source: random.Random) -> int | None:
        """A fact that differs in one thing and is false of the row, although the row has values of its channels."""
        order = sorted([(source.random() ** (1 / weight), others) for weight, others in self._contraries[place]])
        for _, others in reversed(order):
            false = [other for other in others if not view.holds[other]]
            if false:
                other = false[int(source.random() * len(false))]
                if self._complete[view.row] or self._seen[view.row, list(self.facts[other].channels)].all():
                    return other
        return None

    def _blocks(self, items: Sequence[T]) -> list[Sequence[T]]:
        """The items in groups, a multiple of eight in all but the last, that are decided at once."""
        size = max(_DECISIONS // max(len(self), 1) // 8, 1) * 8
        return [items[start : start + size] for start in range(0, len(items), size)]

    def _names(self, fact: Fact) -> tuple[str, ...]:
        return tuple(self._keys[place] for place in fact.channels)

    def truth(self, statements: Sequence[Statement], rows: ArrayLike | None = None) -> NDArray[np.bool_]:
        """(S, n) which statements hold for which rows of the reference (all by default), by their rules."""
        return self.decide([statement.rule for statement in statements], rows)

    def decide(self, rules: Sequence[Rule], rows: ArrayLike | None = None) -> NDArray[np.bool_]:
        """(S, n) which rules hold for which rows of the reference; for rules of statements, also their opposites'."""
        return self._compiler.truth(rules, None if rows is None else np.asarray(rows, dtype=np.int64))

    def everyday(self, count: int, rng: np.random.Generator) -> list[Statement]:
        """`count` statements at most that say no more than one of the corpus's everyday words, each as often as another.

        Of what a language has for heat, most words are rare: by chance alone hardly any statement has them.
        """
        entries = [
            (place, mode, number)
            for place in np.flatnonzero(self._usable).tolist()
            for mode, words in self._everyday[place].items()
            for number in range(len(words))
        ]
        orders = [rng.permutation(len(entries)) for _ in range(OFTEN)]
        source = random.Random(int(rng.integers(2**62)))
        chosen = [entries[own] for own in np.concatenate(orders)[:count].tolist()]
        return [self._in_everyday_words(place, mode, number, source) for place, mode, number in chosen]

    def _in_everyday_words(self, place: int, mode: str, number: int, source: random.Random) -> Statement:
        fact, words, seed = self.facts[place], self._everyday[place][mode], source.random()
        text = self._wording.in_everyday_words(fact, mode, words[number], _replay(seed))
        other = self._contrary(place, mode, source)
        if other is None:
            return Statement(text, fact.rule, fact.kind, self._names(fact), sense=_sense(fact))
        false, theirs = self.facts[other], self._everyday[other][mode]
        entry = theirs[number * len(theirs) // len(words)]
        opposite = self._wording.in_everyday_words(false, mode, entry, _replay(seed))
        if opposite == text:  # deaths of two kinds, say, are spoken of alike
            return Statement(text, fact.rule, fact.kind, self._names(fact), sense=_sense(fact))
        return Statement(text, fact.rule, fact.kind, self._names(fact), opposite, false.rule, _sense(fact))

    def _contrary(self, place: int, mode: str, source: random.Random) -> int | None:
        """A fact that differs in one thing and has everyday words of this mode."""
        order = sorted([(source.random() ** (1 / weight), others) for weight, others in self._contraries[place]])
        for _, others in reversed(order):
            spoken = [other for other in others if mode in self._everyday[other]]
            if spoken:
                return spoken[int(source.random() * len(spoken))]
        return None

    def bank(self, size: int, rng: np.random.Generator) -> Bank:
        """About `size` statements, and of each the rows that it holds for.

        They are about rows drawn at random, but for `EVERYDAY` of them at most, see `everyday`.
        """
        words = self.everyday(int(EVERYDAY * size), rng) if len(self) else []
        rows = rng.integers(len(self), size=size - len(words)) if len(self) else np.empty(0, np.int64)
        order = np.sort(rows)
        groups, counts = np.unique(order, return_counts=True)
        drawn: list[Statement] = []
        for row, count in zip(groups.tolist(), counts.tolist(), strict=True):
            drawn += self.draw([row], rng, count)[0]
        drawn += words
        bits = [np.packbits(self.truth(block), axis=1) for block in self._blocks(drawn)]
        return Bank(drawn, np.concatenate([np.empty((0, -(-len(self) // 8)), np.uint8), *bits]), len(self))


@dataclass(frozen=True)
class Bank:
    """S statements, and for which of N rows each holds: bits (S, N/8), eight rows a byte."""

    statements: list[Statement]
    bits: NDArray[np.uint8]
    rows: int

    def __len__(self) -> int:
        return len(self.statements)

    def truth(self, numbers: ArrayLike, rows: ArrayLike) -> NDArray[np.bool_]:
        """(s, n) whether the statements of these numbers hold for these rows."""
        numbers, rows = np.asarray(numbers, dtype=np.int64), np.asarray(rows, dtype=np.int64)
        octets = self.bits[numbers[:, None], rows >> 3]
        return ((octets >> (7 - (rows & 7)).astype(np.uint8)) & 1).astype(np.bool_)

    def shares(self) -> NDArray[np.float64]:
        """(S,) the share of the rows that each statement holds for."""
        counts = np.unpackbits(self.bits, axis=1, count=self.rows).sum(1, dtype=np.int64)
        return counts / max(self.rows, 1)

    def about(self, row: int) -> NDArray[np.int64]:
        """The numbers of the statements that hold for a row."""
        return np.flatnonzero((self.bits[:, row >> 3] >> (7 - (row & 7))) & 1)


@dataclass(frozen=True)
class _View:
    """What holds for one row, and the cumulative chances of what is stated of it."""

    row: int
    holds: bytes  # of each fact, 0 or 1
    there: list[int]
    chances: list[float]

    def pick(self, source: random.Random) -> int:
        return self.there[min(bisect(self.chances, source.random() * self.chances[-1]), len(self.there) - 1)]


def _sense(*facts: Fact) -> tuple | None:
    """What is stated, whatever the channels and their numbers are; None where a number or a zero decides."""
    if any(fact.numbers or fact.landmark is not None or fact.form == "more" for fact in facts):
        return None
    places = list(dict.fromkeys(place for fact in facts for place in fact.channels))
    return tuple(
        (fact.form, fact.sign, fact.other_sign, fact.degree, fact.part, *map(places.index, fact.channels))
        for fact in facts
    )


def _replay(seed: float) -> Draw:
    """The same random numbers each time: what differs between two texts is then in the facts."""
    return random.Random(seed).random


def _tells_time(frequency: str | None, steps: int) -> bool:
    if frequency is None:
        return False
    step = Frequency.parse(frequency)
    hours = step.microseconds / 3_600_000_000
    return step.months == 0 and hours <= MAX_STEP_HOURS and hours * steps >= MIN_CLOCK_HOURS


def _hours(frequency: str | None, steps: int) -> float:
    return 0.0 if frequency is None else Frequency.parse(frequency).microseconds / 3_600_000_000 * steps


def _packed_by_row(truth: Sequence[NDArray[np.bool_]], rows: int) -> NDArray[np.uint8]:
    """(N, F/8) bits from blocks of (f, N), a multiple of eight facts in all but the last block."""
    blocks = [np.packbits(block.T, axis=1) for block in truth]
    return np.concatenate([np.empty((rows, 0), np.uint8), *blocks], axis=1)
