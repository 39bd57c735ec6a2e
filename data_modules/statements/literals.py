"""Rules as intervals on columns of statistics, so that many rules are decided for many windows at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_modules.rules import STATISTICS, All, Comparison, Not, Rule, RuleError, Statistic, WindowTable
from data_modules.statements.facts import Columns


@dataclass(frozen=True)
class Literals:
    """A rule as a conjunction: each part holds where a column lies strictly between two bounds, or, flipped, where it
    has a value that does not."""

    column: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    flip: tuple[bool, ...]

    @property
    def defined(self) -> bool:
        """No bound is NaN."""
        return not any(map(math.isnan, (*self.low, *self.high)))


class Compiler:
    """Turns rules into `Literals` on the columns of a table's statistics, which it computes when first needed."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self._places: dict[Statistic, int] = {}
        self._stack = np.empty((0, len(columns.table)))
        self._pending: list[Statistic] = []
        self._known: dict[Rule, Literals] = {}

    @property
    def table(self) -> WindowTable:
        return self.columns.table

    def compile(self, rule: Rule) -> Literals:
        """The rule's literals.

        Raises
        ------
        RuleError
            The rule is no conjunction of comparisons and negated comparisons.
        """
        if rule not in self._known:
            parts = [self._literal(part, flip=False) for part in _flat(rule)]
            self._known[rule] = Literals(*(tuple(own) for own in zip(*parts, strict=True)))  # type: ignore[arg-type]
        return self._known[rule]

    def _literal(self, rule: Rule, flip: bool) -> tuple[int, float, float, bool]:
        if isinstance(rule, Not):
            return self._literal(rule.part, not flip)
        if not isinstance(rule, Comparison):
            raise RuleError(f"{rule} is no comparison; statements join comparisons by all and not")
        statistic = rule.statistic
        low, high = -math.inf, math.inf
        if rule.above is not None:
            low = statistic.bound(rule.above, self.table, self.table)
        if rule.below is not None:
            high = statistic.bound(rule.below, self.table, self.table)
        if rule.inside is not None:
            first, last = (statistic.bound(bound, self.table, self.table) for bound in rule.inside)
            around = STATISTICS[statistic.name].scale == "degrees" and first > last
            if around:  # all but what lies strictly between the two
                return self._place(statistic), last, first, not flip
            low = max(low, float(np.nextafter(first, -math.inf)))
            high = min(high, float(np.nextafter(last, math.inf)))
        return self._place(statistic), low, high, flip

    def _place(self, statistic: Statistic) -> int:
        if statistic not in self._places:
            self._places[statistic] = len(self._places)
            self._pending.append(statistic)
        return self._places[statistic]

    def stack(self) -> NDArray[np.float64]:
        """(K, N) all columns so far."""
        if self._pending:
            new = np.stack([self.columns.values(statistic) for statistic in self._pending])
            self._stack = np.concatenate([self._stack, new])
            self._pending = []
        return self._stack

    def truth(self, rules: Sequence[Rule], rows: NDArray[np.int64] | None = None) -> NDArray[np.bool_]:
        """(S, n) for which of the rows each rule holds; all rows by default."""
        own = [self.compile(rule) for rule in rules]
        stack = self.stack()
        width = stack.shape[1] if rows is None else len(rows)
        if not own:
            return np.zeros((0, width), dtype=np.bool_)
        column = np.array([place for literals in own for place in literals.column], dtype=np.int64)
        low, high, flip = (
            np.array([value for literals in own for value in getattr(literals, name)])[:, None]
            for name in ("low", "high", "flip")
        )
        values = stack[column] if rows is None else stack[column[:, None], rows]
        holds = (values > low) & (values < high)
        holds = np.where(flip, ~holds & ~np.isnan(values), holds)
        first = np.cumsum([0, *(len(literals.column) for literals in own[:-1])])
        return np.logical_and.reduceat(holds, first, axis=0)


def _flat(rule: Rule) -> list[Rule]:
    if isinstance(rule, All):
        return [leaf for part in rule.parts for leaf in _flat(part)]
    return [rule]
