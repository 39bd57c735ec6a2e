"""Rules: statements about a window that its values decide.

A rule compares a statistic of one or two channels with a number in the channel's unit or with a quantile of a pool of
windows; rules are joined by `all`, `any` and `not`. In YAML, or as the same plain types:

    {channel: wind speed, statistic: mean, above: {quantile: 0.85}}
    {channel: air temperature, statistic: minimum, below: "0 °C"}
    {channels: [wind u, wind v], statistic: direction, between: [270, 360]}
    {all: [{channel: air pressure, statistic: change, below: "-5 hPa"}, {not: {…}}]}

From Python: `compare("wind speed", "mean", above=Quantile(0.85)) & ~compare(…)`. A rule holds for a window, fails for
it, or is undecided, where values that it needs are missing.
"""

from __future__ import annotations

import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules import window_statistics as of
from data_modules.window_table import Quantile, RuleError, WindowTable, find_channel, nearest
from trace_lit.channels import Channel
from trace_lit.units import UnitError, convert, parse_quantity

Decision = tuple[NDArray[np.bool_], NDArray[np.bool_]]  # (N,) for which windows a rule holds, and for which it fails


@dataclass(frozen=True)
class Number:
    """A number with its unit; "" stands for the unit that the statistic has."""

    value: float
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}".rstrip()


Bound = Number | Quantile


@dataclass(frozen=True)
class _Kind:
    function: Callable[..., NDArray[np.float64]]
    scale: str  # "level" or "difference" in the channel's unit, "share", "degrees" or "plain"
    channels: int = 1
    threshold: bool = False


STATISTICS = {
    "mean": _Kind(of.mean, "level"),
    "minimum": _Kind(of.minimum, "level"),
    "maximum": _Kind(of.maximum, "level"),
    "range": _Kind(of.value_range, "difference"),
    "standard_deviation": _Kind(of.standard_deviation, "difference"),
    "change": _Kind(of.change, "difference"),
    "slope": _Kind(of.slope, "difference"),
    "place_of_maximum": _Kind(of.place_of_maximum, "share"),
    "place_of_minimum": _Kind(of.place_of_minimum, "share"),
    "share_above": _Kind(of.share_above, "share", threshold=True),
    "share_below": _Kind(of.share_below, "share", threshold=True),
    "spikes": _Kind(of.spikes, "plain"),
    "gaps": _Kind(of.gaps, "share"),
    "correlation": _Kind(of.correlation, "plain", channels=2),
    "direction": _Kind(of.direction, "degrees", channels=2),
    "difference": _Kind(of.difference, "difference", channels=2),
}


@dataclass(frozen=True)
class Statistic:
    """One number of a window.

    Parameters
    ----------
    name
        A key of `STATISTICS`. Level statistics are in the channel's unit, `slope` in its unit per step, `change` is the
        mean of the last quarter minus that of the first, places run from 0 at the first step to 1 at the last,
        shares from 0 to 1; `direction` takes the channels u (eastward) and v (northward) and is where the wind comes
        from, in degrees; `difference` is the mean of the first channel minus that of the second.
    over
        The part of the window that it is taken over, as shares of its steps.
    threshold
        What the steps of `share_above` and `share_below` are compared with; a quantile is one of all steps of the pool.
    """

    name: str
    channels: tuple[str, ...]
    over: tuple[float, float] = (0.0, 1.0)
    threshold: Bound | None = None

    def values(self, table: WindowTable, pool: WindowTable | None = None) -> NDArray[np.float64]:
        """(N,) the statistic of each window of `table`, NaN where it has none.

        Raises
        ------
        RuleError
            The table lacks a channel, or the threshold has a unit that does not fit.
        """
        kind = STATISTICS[self.name]
        places = [table.place(channel) for channel in self.channels]
        extra = () if self.threshold is None else (self._threshold(table, table if pool is None else pool),)
        found = np.full(len(table), np.nan)
        for rows, block in table.blocks:
            steps = block.shape[-1]
            first = min(round(self.over[0] * steps), steps - 1)
            part = block[..., first : max(round(self.over[1] * steps), first + 1)]
            found[rows] = kind.function(*(part[:, place] for place in places), *extra)
        return found

    def bound(self, bound: Bound, table: WindowTable, pool: WindowTable) -> float:
        """`bound` on the scale of the statistic; a quantile is taken over `pool`."""
        if isinstance(bound, Quantile):
            return pool.bound(self, bound)
        scale = STATISTICS[self.name].scale
        if scale in ("level", "difference"):
            return self._in_unit(bound, table, difference=scale == "difference")
        unit = {"share": "", "degrees": "°", "plain": ""}[scale]
        return _converted(bound, unit, f"{self.name} of {' and '.join(self.channels)}")

    def _threshold(self, table: WindowTable, pool: WindowTable) -> float:
        assert self.threshold is not None
        if isinstance(self.threshold, Quantile):
            return pool.step_bound(self.channels[0], self.threshold)
        return self._in_unit(self.threshold, table, difference=False)

    def _in_unit(self, number: Number, table: WindowTable, difference: bool) -> float:
        channel = table.channels[table.place(self.channels[0])]
        return _converted(number, channel.unit, channel.key, difference)

    def __str__(self) -> str:
        name = self.name.replace("_", " ")
        if self.threshold is not None:
            name += f" {self.threshold}"
        part = "" if self.over == (0.0, 1.0) else f" in {self.over[0]:.0%} to {self.over[1]:.0%} of the window"
        return f"{name} of {' and '.join(self.channels)}{part}"


def _converted(number: Number, unit: str, what: str, difference: bool = False) -> float:
    if not number.unit:
        return number.value
    try:
        return convert(number.value, number.unit, unit, difference=difference)
    except UnitError as error:
        raise RuleError(f"{number} for {what}: {error}") from None


class Rule(ABC):
    """What a window's values decide; made by `compare` or `parse_rule`, joined by `&`, `|` and `~`."""

    @abstractmethod
    def decide(self, table: WindowTable, pool: WindowTable | None = None) -> Decision:
        """For which windows (N,) of `table` the rule holds, and for which it fails; neither where it is undecided.

        Quantiles are taken over `pool`, by default the table itself.
        """

    def holds(self, table: WindowTable, pool: WindowTable | None = None) -> NDArray[np.bool_]:
        """(N,) for which windows of `table` the rule holds; quantiles are taken over `pool`, by default the table."""
        return self.decide(table, pool)[0]

    @abstractmethod
    def statistics(self) -> Iterator[Statistic]:
        """All that it compares, in the order in which it is written."""

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it speaks of, as it names them, each once."""
        return tuple(dict.fromkeys(name for statistic in self.statistics() for name in statistic.channels))

    def missing(self, channels: Sequence[Channel]) -> list[str]:
        """Those of its channels that are not among `channels`."""

        def absent(name: str) -> bool:
            try:
                find_channel(name, channels)
            except RuleError:
                return True
            return False

        return [name for name in self.channels if absent(name)]

    def __and__(self, other: Rule) -> Rule:
        return All((self, other))

    def __or__(self, other: Rule) -> Rule:
        return AnyOf((self, other))

    def __invert__(self) -> Rule:
        return Not(self)


@dataclass(frozen=True)
class Comparison(Rule):
    """A statistic above a bound, below one, or both; `inside` a range of bounds, which goes round north for directions."""

    statistic: Statistic
    above: Bound | None = None  # without the bound itself
    below: Bound | None = None
    inside: tuple[Bound, Bound] | None = None  # with the bounds

    def decide(self, table: WindowTable, pool: WindowTable | None = None) -> Decision:
        pool = table if pool is None else pool
        values = self.statistic.values(table, pool)
        known = ~np.isnan(values)
        holds = known.copy()

        def bound(given: Bound) -> float:
            return self.statistic.bound(given, table, pool)

        if self.above is not None:
            holds &= values > bound(self.above)
        if self.below is not None:
            holds &= values < bound(self.below)
        if self.inside is not None:
            low, high = bound(self.inside[0]), bound(self.inside[1])
            if STATISTICS[self.statistic.name].scale == "degrees" and low > high:
                holds &= (values >= low) | (values <= high)
            else:
                holds &= (values >= low) & (values <= high)
        return holds, known & ~holds

    def statistics(self) -> Iterator[Statistic]:
        yield self.statistic

    def __str__(self) -> str:
        bounds = [f"above {self.above}"] if self.above is not None else []
        bounds += [f"below {self.below}"] if self.below is not None else []
        bounds += [f"between {self.inside[0]} and {self.inside[1]}"] if self.inside is not None else []
        return f"{self.statistic} {' and '.join(bounds)}"


@dataclass(frozen=True)
class All(Rule):
    """Holds where all parts do."""

    parts: tuple[Rule, ...]

    def decide(self, table: WindowTable, pool: WindowTable | None = None) -> Decision:
        decisions = [part.decide(table, pool) for part in self.parts]
        return np.all([holds for holds, _ in decisions], axis=0), np.any([fails for _, fails in decisions], axis=0)

    def statistics(self) -> Iterator[Statistic]:
        for part in self.parts:
            yield from part.statistics()

    def __str__(self) -> str:
        return " and ".join(f"({part})" if isinstance(part, AnyOf) else str(part) for part in self.parts)


@dataclass(frozen=True)
class AnyOf(Rule):
    """Holds where at least one part does."""

    parts: tuple[Rule, ...]

    def decide(self, table: WindowTable, pool: WindowTable | None = None) -> Decision:
        decisions = [part.decide(table, pool) for part in self.parts]
        return np.any([holds for holds, _ in decisions], axis=0), np.all([fails for _, fails in decisions], axis=0)

    def statistics(self) -> Iterator[Statistic]:
        for part in self.parts:
            yield from part.statistics()

    def __str__(self) -> str:
        return " or ".join(f"({part})" if isinstance(part, All) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Not(Rule):
    """Holds where its part fails."""

    part: Rule

    def decide(self, table: WindowTable, pool: WindowTable | None = None) -> Decision:
        holds, fails = self.part.decide(table, pool)
        return fails, holds

    def statistics(self) -> Iterator[Statistic]:
        yield from self.part.statistics()

    def __str__(self) -> str:
        return f"not ({self.part})"


def compare(
    channels: str | Sequence[str],
    statistic: str,
    *,
    above: Any = None,
    below: Any = None,
    between: Sequence[Any] | None = None,
    threshold: Any = None,
    over: Sequence[float] = (0.0, 1.0),
) -> Comparison:
    """A rule that compares one statistic.

    Parameters
    ----------
    channels
        One name, or two for `correlation`, `direction` and `difference`.
    above, below, between, threshold
        Numbers in the channel's unit, texts with a unit like "0 °C", or `Quantile`s.

    Raises
    ------
    RuleError
        The statistic is unknown or is given too much, too little or the wrong things.
    """
    names = (channels,) if isinstance(channels, str) else tuple(channels)
    if statistic not in STATISTICS:
        raise RuleError(f"there is no statistic {statistic!r}{nearest(statistic, list(STATISTICS))}")
    kind = STATISTICS[statistic]
    if len(names) != kind.channels or not all(isinstance(name, str) for name in names):
        raise RuleError(f"{statistic} takes {kind.channels} channels, not {list(names)}")
    if kind.threshold != (threshold is not None):
        raise RuleError(f"{statistic} {'needs a' if kind.threshold else 'takes no'} threshold")
    if not (
        isinstance(over, Sequence) and len(over) == 2 and all(map(_is_number, over)) and 0 <= over[0] < over[1] <= 1
    ):
        raise RuleError(f"over is {over}; it is a part of the window like [0, 0.5]")
    if above is None and below is None and between is None:
        raise RuleError(f"{statistic} of {' and '.join(names)} is compared with nothing; give above, below or between")
    if between is not None and (isinstance(between, str) or not isinstance(between, Sequence) or len(between) != 2):
        raise RuleError(f"between is {between!r}; it takes two bounds")
    if kind.scale == "degrees" and (between is None or above is not None or below is not None):
        raise RuleError(f"{statistic} goes round the compass; give it with between, like [315, 45] for north")
    return Comparison(
        Statistic(statistic, names, (float(over[0]), float(over[1])), None if threshold is None else _bound(threshold)),
        above=None if above is None else _bound(above),
        below=None if below is None else _bound(below),
        inside=None if between is None else (_bound(between[0]), _bound(between[1])),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def _bound(plain: Any) -> Bound:
    if isinstance(plain, Mapping) and set(plain) == {"quantile"}:
        plain = Quantile(plain["quantile"])
    if isinstance(plain, Quantile):
        if not (_is_number(plain.share) and 0 <= plain.share <= 1):
            raise RuleError(f"the quantile is {plain.share!r}; it is a share between 0 and 1")
        return plain
    if isinstance(plain, Number):
        return plain
    if _is_number(plain):
        return Number(float(plain))
    if isinstance(plain, str):
        try:
            return Number(*parse_quantity(plain))
        except UnitError as error:
            raise RuleError(str(error)) from None
    raise RuleError(f'{plain!r} is no bound; write a number, a text like "0 °C", or {{quantile: 0.85}}')


_KEYS = ("channel", "channels", "statistic", "above", "below", "between", "threshold", "over")


def parse_rule(plain: Any) -> Rule:
    """The rule that plain types, as YAML gives them, write down.

    Raises
    ------
    RuleError
        They are no rule.
    """
    if not isinstance(plain, Mapping):
        raise RuleError(f"a rule is a mapping like {{channel: …, statistic: mean, above: …}}, not {plain!r}")
    for word, joined in (("all", All), ("any", AnyOf)):
        if word in plain:
            parts = plain[word]
            if len(plain) > 1 or not isinstance(parts, list) or not parts:
                raise RuleError(f"{word!r} stands alone and has a list of rules, not {dict(plain)!r}")
            return joined(tuple(parse_rule(part) for part in parts))
    if "not" in plain:
        if len(plain) > 1:
            raise RuleError(f"'not' stands alone and has one rule, not {dict(plain)!r}")
        return Not(parse_rule(plain["not"]))
    for key in plain:
        if key not in _KEYS:
            raise RuleError(f"there is no key {key!r} in a rule{nearest(key, [*_KEYS, 'all', 'any', 'not'])}")
    given = dict(plain)
    if ("channel" in given) == ("channels" in given) or "statistic" not in given:
        raise RuleError(f"a comparison has a channel (or channels) and a statistic; {given!r} has not")
    channels = given.pop("channel", None) or given.pop("channels")
    return compare(channels, str(given.pop("statistic")), **given)
