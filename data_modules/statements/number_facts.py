"""Facts with numbers in customary units, drawn anew for every seed."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from data_modules.rules import All, Comparison, Not, Rule, Statistic, compare
from data_modules.statements.facts import Columns, Fact, between, beyond
from data_modules.statements.units import Decade, Number, decade_of, measures, pick, rounded

NUMBERS = 10  # of each sort and channel
HOURS = (2, 3, 4, 6, 8, 12, 18)  # that something may last
TOLERANCE = 1e-6  # of a number: values are stored in single precision


class _Numbers:
    """Round numbers of one channel, and the facts about them."""

    def __init__(self, columns: Columns, place: int, hours: float, draw: random.Random) -> None:
        self.hours = hours
        self.columns = columns
        self.channel = columns.table.channels[place]
        self.place = place
        self.draw = draw
        low, high = (
            columns.quantile(self.statistic(name), share) for name, share in (("minimum", 0.1), ("maximum", 0.9))
        )
        self.spread = high - low
        self.lowest = columns.quantile(self.statistic("minimum"), 0.0)

    def statistic(self, name: str) -> Statistic:
        return Statistic(name, (self.channel.key,))

    def round(
        self, value: float, spread: float, rounding: Callable[[float], float] = round, difference: bool = False
    ) -> Number:
        """In a customary unit, to a step that suits the spread, finely or roughly."""
        measure = pick(measures(self.channel.unit), self.draw.random)
        return rounded(value, spread / self.draw.choice((6.0, 12.0, 25.0)), measure, rounding, difference)

    def at(self, statistic: Statistic, low: float, high: float) -> float:
        """A value that a share between `low` and `high` of the reference windows lies below."""
        return self.columns.quantile(statistic, self.draw.uniform(low, high))

    def trivial(self, number: Number | Decade) -> bool:
        """Whether it is a zero that nothing lies below."""
        return isinstance(number, Number) and number.spoken == 0 and not self.lowest < 0

    def fact(self, form: str, kind: str, rule: Rule, sign: int, *numbers: Number | Decade, part: str = "") -> Fact:
        return Fact(form, kind, (self.place,), rule, sign, numbers=numbers, part=part)

    def levels(self) -> Iterator[Fact]:
        for sign, name in itertools.product((1, -1), ("maximum", "minimum")):
            extreme = self.statistic(name)
            if (name == "maximum") == (sign > 0):  # reaches above, falls below; and its contrary
                low, high = (0.4, 0.98) if sign > 0 else (0.02, 0.6)
                number = self.round(self.at(extreme, low, high), self.spread)
                rule = _past(extreme, number, sign)
                yield self.fact("reaches", "number", rule, sign, number)
                yield self.fact("never", "negation", Not(rule), sign, number)
            else:
                low, high = (0.4, 0.98) if sign > 0 else (0.02, 0.6)
                number = self.round(self.at(extreme, low, high), self.spread)
                yield self.fact("stays", "number", _past(extreme, number, sign), sign, number)
        for sign in (1, -1):
            mean = self.statistic("mean")
            number = self.round(self.at(mean, 0.4, 0.98) if sign > 0 else self.at(mean, 0.02, 0.6), self.spread)
            yield self.fact("averages", "number", _past(mean, number, sign), sign, number)
            threshold = self.round(self.at(mean, 0.15, 0.85), self.spread)
            share = compare(
                self.channel.key,
                "share_above" if sign > 0 else "share_below",
                above=0.6,
                threshold=threshold.value + sign * TOLERANCE * abs(threshold.value),
            )
            yield self.fact("mostly", "number", share, sign, threshold)

    def at_least(self) -> Iterator[Fact]:
        """As `levels`, but the number itself counts too."""
        for sign, name in itertools.product((1, -1), ("maximum", "minimum", "mean")):
            statistic = self.statistic(name)
            low, high = (0.4, 0.98) if sign > 0 else (0.02, 0.6)
            number = self.round(self.at(statistic, low, high), self.spread)
            outer = (name == "maximum") == (sign > 0)
            form = "averages at least" if name == "mean" else "reaches at least" if outer else "stays at least"
            yield self.fact(form, "number", Not(_past(statistic, number, -sign)), sign, number)

    def lasting(self) -> Iterator[Fact]:
        """How long a number is passed."""
        for sign in (1, -1):
            number = self.round(self.at(self.statistic("mean"), 0.15, 0.85), self.spread)
            share = partial(
                compare,
                self.channel.key,
                "share_above" if sign > 0 else "share_below",
                threshold=number.value + sign * TOLERANCE * abs(number.value),
            )
            part, least = self.draw.choice((("quarter", 0.25), ("half", 0.5), ("three quarters", 0.75)))
            yield self.fact("lasting", "number", share(above=least), sign, number, part=part)
            yield self.fact("lasting", "number", share(above=0.0, below=0.15), sign, number, part="briefly")
            lengths = [length for length in HOURS if length < self.hours]
            if lengths:
                length = self.draw.choice(lengths)
                long_enough = share(above=length / self.hours * (1 + TOLERANCE))
                yield self.fact("lasting", "number", long_enough, sign, number, part=f"{length} hours")

    def decades(self) -> Iterator[Fact]:
        """What lies in the twenties, or in the low twenties."""
        for form, name in (("decade", "mean"), ("decade peak", "maximum"), ("decade peak", "minimum")):
            statistic = self.statistic(name)
            decade = self.decade(self.at(statistic, 0.02, 0.98))
            if decade is not None:
                rule = between(statistic, *sorted((decade.value, decade.end)))
                sign = {"mean": 0, "maximum": 1, "minimum": -1}[name]
                yield self.fact(form, "number" if sign == 0 else "extreme", rule, sign, decade)

    def decade(self, value: float) -> Decade | None:
        return decade_of(value, pick(measures(self.channel.unit), self.draw.random), self.draw.random)

    def ends(self) -> Iterator[Fact]:
        """Where the values start and where they end."""
        start, end = (Statistic("mean", (self.channel.key,), over) for over in ((0.0, 0.1), (0.9, 1.0)))
        first = self.round(self.at(start, 0.02, 0.98), self.spread)
        last = self.round(self.at(end, 0.02, 0.98), self.spread)
        for form, statistic, number in (("starts at", start, first), ("ends at", end, last)):
            yield self.fact(form, "number", self._near(statistic, number), 0, number)

    def _near(self, statistic: Statistic, number: Number) -> Comparison:
        reach = max(self.spread / 25, number.step / abs(number.measure.scale) / 2)
        return between(statistic, number.value - reach, number.value + reach)

    def about(self) -> Iterator[Fact]:
        for form, name, kind, sign in (
            ("about", "mean", "number", 0),
            ("peaks at", "maximum", "extreme", 1),
            ("peaks at", "minimum", "extreme", -1),
        ):
            statistic = self.statistic(name)
            number = self.round(self.at(statistic, 0.02, 0.98), self.spread)
            yield self.fact(form, kind, self._near(statistic, number), sign, number)

    def ranges(self) -> Iterator[Fact]:
        """Two numbers: what the mean or all values lie between, which values are reached, and where they start and end."""
        mean, lowest, highest = (self.statistic(name) for name in ("mean", "minimum", "maximum"))
        low, high = self._around(self.at(mean, 0.03, 0.97), self.spread * self.draw.uniform(0.02, 0.15))
        yield self.fact("averages between", "number", between(mean, low.value, high.value), 0, low, high)
        share = self.draw.uniform(0.05, 0.95)  # the extremes of windows at about the same level
        bottom, top = (self.columns.quantile(own, share) for own in (lowest, highest))
        low, high = self._around((bottom + top) / 2, (top - bottom) / 2 + self.spread * self.draw.uniform(0.0, 0.12))
        inside = All((Not(_past(lowest, low, -1)), Not(_past(highest, high, 1))))
        yield self.fact("within", "number", inside, 0, low, high)
        low, high = self._around((bottom + top) / 2, (top - bottom) / 2)
        ends = All((self._roughly(lowest, low), self._roughly(highest, high)))
        yield self.fact("spans", "number", ends, 1, low, high)
        start, end = (Statistic("mean", (self.channel.key,), over) for over in ((0.0, 0.1), (0.9, 1.0)))
        for sign in (1, -1):
            centre, way = self.at(mean, 0.1, 0.9), self.spread * self.draw.uniform(0.1, 0.4)
            low, high = self._around(centre, way / 2)
            first, last = (low, high) if sign > 0 else (high, low)
            yield self.fact(
                "from to", "number", All((self._roughly(start, first), self._roughly(end, last))), sign, first, last
            )

    def _around(self, centre: float, reach: float) -> tuple[Number, Number]:
        """Two different numbers in one unit, about as far from the centre, neither out of the quantity's range."""
        low = self.round(centre - reach, min(2 * reach, self.spread) or self.spread, math.floor)
        high = rounded(centre + reach, low.step / abs(low.measure.scale), low.measure, math.ceil)
        if low.value < 0 <= self.lowest:
            low = replace(low, spoken=low.measure.of(0.0))
        if self.channel.unit == "%" and high.value > 100 > low.value:
            high = replace(high, spoken=high.measure.of(100.0))
        return low, high

    def _roughly(self, statistic: Statistic, number: Number) -> Comparison:
        reach = max(self.spread / 10, number.step / abs(number.measure.scale) / 2)
        return between(statistic, number.value - reach, number.value + reach)

    def differences(self) -> Iterator[Fact]:
        for sign in (1, -1):
            change = self.statistic("change")
            size = self.columns.size_quantile(change, self.draw.uniform(0.4, 0.95))
            if size > 0:
                number = self.round(size, size, math.floor, difference=True)
                if number.value > 0:
                    slack = TOLERANCE * number.value
                    rule = beyond(change, sign * (number.value + slack), sign)
                    yield self.fact("moves", "number", rule, sign, number)
            span = self.statistic("range")
            size = self.at(span, 0.6, 0.97) if sign > 0 else self.at(span, 0.03, 0.4)
            if size > 0:
                number = self.round(size, size, difference=True)
                if number.value > 0:
                    yield self.fact("swings", "number", _past(span, number, sign), sign, number)


def _past(statistic: Statistic, number: Number, sign: int) -> Comparison:
    """Beyond a number; a value that equals it in single precision is not."""
    return beyond(statistic, number.value + sign * TOLERANCE * abs(number.value), sign)


def numbers(columns: Columns, place: int, hours: float, draw: random.Random) -> Iterator[Fact]:
    """Facts with numbers in customary units, drawn anew for every seed."""
    own = _Numbers(columns, place, hours, draw)
    if not own.spread > 0:  # constant, or without a value
        return
    for _ in range(NUMBERS):
        sorts = (own.levels, own.about, own.ranges, own.differences, own.at_least, own.lasting, own.decades, own.ends)
        for fact in itertools.chain.from_iterable(sort() for sort in sorts):
            if not own.trivial(fact.numbers[-1]):
                yield fact
