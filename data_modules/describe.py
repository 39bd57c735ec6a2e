"""Channel texts from values: what one channel does over a window, in words.

The texts name level and range in the channel's unit, trend and shape, periodicity, volatility, outliers and missing
values. They follow from the window's values alone, and their wording varies with the seed. Statistics are taken over
all windows at once; only the wording is made one by one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_modules.frequency import Frequency
from data_modules.window_statistics import distance_of_outliers
from trace_lit.channels import Channel

CLEAR_TREND, SOME_TREND = 0.75, 0.45  # |correlation with time|
CLEAR_BEND = 0.6  # |correlation of what the trend leaves with a parabola|
CLEAR_CYCLE = 0.5  # share of the variance in one frequency
SMOOTH, ERRATIC = 0.35, 0.8  # mean step over standard deviation; white noise has 1.13

_LEVEL = (
    "{Name} averaged {mean}, between {from} and {high}.",
    "{Name} lay between {from} and {high}, {mean} on average.",
    "Over {span}, {name} ranged from {from} to {high} around a mean of {mean}.",
    "With a mean of {mean}, {name} ran from {from} to {high}.",
    "{Name} stayed within {from} and {high}, averaging {mean}.",
)
_CONSTANT = (
    "{Name} stayed at {mean} throughout.",
    "{Name}: constant at {mean} over {span}.",
    "Over {span}, {name} did not change from {mean}.",
)
_RISE = (
    "Values climbed steadily from about {first} to about {last}.",
    "A clear upward trend led from {first} to {last}.",
    "There was a consistent increase, ending near {last}.",
)
_FALL = (
    "Values dropped steadily from about {first} to about {last}.",
    "A clear downward trend led from {first} to {last}.",
    "There was a consistent decrease, ending near {last}.",
)
_SOME_RISE = (
    "The tendency was upward, to about {last}.",
    "A moderate increase led to {last}.",
    "Values drifted upward.",
)
_SOME_FALL = (
    "The tendency was downward, to about {last}.",
    "A moderate decrease led to {last}.",
    "Values drifted downward.",
)
_NO_TREND = ("No clear trend showed.", "The level held.", "Values ended about where they began.")
_HUMP = (
    "A rise to the peak {top} was followed by a decline.",
    "Highest {top}, values were lower at both ends.",
    "Values peaked {top} and fell back.",
)
_DIP = (
    "A fall to the low {bottom} was followed by a recovery.",
    "Lowest {bottom}, values were higher at both ends.",
    "Values dipped {bottom} and recovered.",
)
_EXTREMES = (
    "The maximum came {top}, the minimum {bottom}.",
    "Values were highest {top} and lowest {bottom}.",
    "The peak came {top}, the low {bottom}.",
)
_CYCLE = (
    "A pattern repeated about every {period}.",
    "A cycle of about {period} showed.",
    "Values swung with a period near {period}.",
)
_SMOOTH = ("Changes were gradual.", "The course was smooth.", "Values varied slowly, without abrupt changes.")
_MODERATE = ("Fluctuations were moderate.", "Values fluctuated somewhat.", "There were moderate ups and downs.")
_ERRATIC = (
    "Values were volatile from step to step.",
    "Fluctuations were strong and erratic.",
    "Values jumped up and down throughout.",
)
_OUTLIER = (
    "One value stood out: {outlier} {when}.",
    "An outlier of {outlier} occurred {when}.",
    "A single reading of {outlier} {when} departed from the rest.",
)
_OUTLIERS = (
    "{count} values stood out, the furthest {outlier} {when}.",
    "There were {count} outliers, the strongest {outlier} {when}.",
)
_MISSING = ("{missing} of the values were missing.", "No value was recorded for {missing} of the time.")
_TIMES = ("at the very start", "early on", "around the middle", "late in the window", "at the very end")


@dataclass(frozen=True)
class _Statistics:
    """Of N windows, each field (N, C); NaN where a window has too few values to tell."""

    observed: NDArray[np.int64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    first: NDArray[np.float64]  # what the linear trend gives for the first and the last step
    last: NDArray[np.float64]
    trend: NDArray[np.float64]  # correlation with time
    bend: NDArray[np.float64]  # correlation of what the trend leaves with a parabola, positive for a dip
    cycle: NDArray[np.float64]  # steps of the dominant period, NaN if none dominates
    roughness: NDArray[np.float64]  # mean step over standard deviation
    outliers: NDArray[np.int64]
    outlier: NDArray[np.float64]  # the value furthest from its neighbours
    top: NDArray[np.int64]  # place of maximum, minimum and outlier in `_TIMES`
    bottom: NDArray[np.int64]
    when: NDArray[np.int64]


def _place(step: NDArray[np.int64], steps: int) -> NDArray[np.int64]:
    """The fifth of `_TIMES` that a step lies in; the first and the last step have their own."""
    share = step / max(steps - 1, 1)
    return np.select([step == 0, step == steps - 1, share < 0.35, share <= 0.65], [0, 4, 1, 2], 3)


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of two (N, C, T) arrays of deviations from the mean, over T; NaN where one is constant."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (a * b).sum(-1) / np.sqrt((a**2).sum(-1) * (b**2).sum(-1))


def _statistics(values: NDArray[np.float64]) -> _Statistics:
    steps = values.shape[-1]
    seen = ~np.isnan(values)
    count = seen.sum(-1)
    n = np.maximum(count, 1)[..., None]

    def centred(x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Deviations from the mean of the observed steps, 0 where not observed."""
        x = np.where(seen, x, 0.0)
        return np.where(seen, x - x.sum(-1, keepdims=True) / n, 0.0)

    def slope(y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        return (x * y).sum(-1, keepdims=True) / np.maximum((x**2).sum(-1, keepdims=True), 1e-12)

    mean = np.where(seen, values, 0.0).sum(-1) / n[..., 0]
    low = np.where(seen, values, np.inf)
    high = np.where(seen, values, -np.inf)
    level = centred(values)
    spread = np.sqrt((level**2).sum(-1) / n[..., 0])
    clock = np.broadcast_to(np.arange(steps, dtype=np.float64), values.shape)
    time = centred(clock)
    rate = slope(level, time)
    rest = level - rate * time
    parabola = centred(time**2)
    parabola = parabola - slope(parabola, time) * time

    # The mean time of the observed steps is where the line passes through the mean.
    mean_time = np.where(seen, clock, 0.0).sum(-1) / n[..., 0]
    first = mean - rate[..., 0] * mean_time
    last = mean + rate[..., 0] * (steps - 1 - mean_time)

    both = seen[..., 1:] & seen[..., :-1]
    step = np.where(both, np.abs(np.diff(np.where(seen, values, 0.0))), 0.0).sum(-1) / np.maximum(both.sum(-1), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        roughness = step / spread

    far = distance_of_outliers(values)
    furthest = far.argmax(-1)
    outlier = np.take_along_axis(values, furthest[..., None], -1)[..., 0]
    return _Statistics(
        observed=count,
        mean=mean,
        low=low.min(-1),
        high=high.max(-1),
        first=np.clip(first, low.min(-1), high.max(-1)),
        last=np.clip(last, low.min(-1), high.max(-1)),
        trend=np.where(count >= 4, _correlation(level, time), np.nan),
        bend=np.where(count >= 6, _correlation(rest, parabola), np.nan),
        cycle=np.where(count >= 0.8 * steps, _cycle(rest), np.nan),
        roughness=np.where(count >= 6, roughness, np.nan),
        outliers=(far > 0).sum(-1),
        outlier=outlier,
        top=_place(high.argmax(-1), steps),
        bottom=_place(low.argmin(-1), steps),
        when=_place(furthest, steps),
    )


def _cycle(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The length in steps of the strongest cycle, NaN where none is clear."""
    steps = values.shape[-1]
    power = np.abs(np.fft.rfft(values)) ** 2
    cycles = np.arange(power.shape[-1])
    eligible = (cycles >= 2) & (cycles <= steps // 3)  # at least twice in the window, at least three steps each
    best = np.where(eligible, power, -1.0).argmax(-1)
    total = np.maximum(power[..., 1:].sum(-1), 1e-12)
    share = np.take_along_axis(power, best[..., None], -1)[..., 0] / total
    return np.where((share > CLEAR_CYCLE) & eligible[best], steps / np.maximum(best, 1), np.nan)


def _number(value: float) -> str:
    """At least three significant digits; scientific notation only where tiny."""
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}".removesuffix(".0")
    return f"{value:.3g}"


def _statements(s: dict[str, float]) -> list[tuple[tuple[str, ...], bool]]:
    """What a text can state: the choices of wording, and whether the statement is always there."""
    if s["low"] == s["high"]:
        return [(_CONSTANT, True)]
    statements: list[tuple[tuple[str, ...], bool]] = [(_LEVEL, True)]
    trend, bend, rough = s["trend"], s["bend"], s["roughness"]
    if abs(trend) >= CLEAR_TREND:
        statements.append((_RISE if trend > 0 else _FALL, True))
    elif abs(trend) >= SOME_TREND:
        statements.append((_SOME_RISE if trend > 0 else _SOME_FALL, True))
    elif abs(bend) >= CLEAR_BEND:
        statements.append((_DIP if bend > 0 else _HUMP, True))
    elif not math.isnan(trend):
        statements.append((_NO_TREND, True))
    if abs(trend) < CLEAR_TREND and s["top"] != s["bottom"]:
        statements.append((_EXTREMES, False))
    if not math.isnan(s["cycle"]):
        statements.append((_CYCLE, True))
    if not math.isnan(rough):
        statements.append((_SMOOTH if rough < SMOOTH else _ERRATIC if rough > ERRATIC else _MODERATE, False))
    if s["outliers"]:
        statements.append((_OUTLIER if s["outliers"] == 1 else _OUTLIERS, True))
    return statements


def _text(channel: Channel, frequency: Frequency, steps: int, s: dict[str, float], draw: random.Random) -> str:
    if not s["observed"]:
        return ""

    def quantity(value: float) -> str:
        return f"{_number(value)}%" if channel.unit == "%" else f"{_number(value)} {channel.unit}".rstrip()

    statements = _statements(s)
    if s["observed"] < steps:
        statements.append((_MISSING, True))
    words = {
        "name": channel.name,
        "Name": channel.name[:1].upper() + channel.name[1:],
        "span": frequency.span(steps),
        "mean": quantity(s["mean"]),
        "from": _number(s["low"]),
        "high": quantity(s["high"]),
        "first": quantity(s["first"]),
        "last": quantity(s["last"]),
        "top": _TIMES[int(s["top"])],
        "bottom": _TIMES[int(s["bottom"])],
        "count": str(int(s["outliers"])),
        "outlier": quantity(s["outlier"]),
        "when": _TIMES[int(s["when"])],
        "missing": f"{max(1, round(100 * (1 - s['observed'] / steps)))}%",
    }
    if not math.isnan(s["cycle"]):
        words["period"] = frequency.span(max(2, round(s["cycle"])))
    return " ".join(draw.choice(choices).format(**words) for choices, must in statements if must or draw.random() < 0.7)


def describe(
    values: NDArray[np.floating], channels: Sequence[Channel], frequency: str, seeds: Sequence[str | int]
) -> list[list[str]]:
    """A text for each channel of each window; "" for a channel without any value.

    Parameters
    ----------
    values
        (N, C, T) in the channels' units, NaN where missing.
    channels
        C of them.
    frequency
        Of the steps, like "1h".
    seeds
        N of them; equal values and seeds give equal texts.
    """
    windows, _, steps = values.shape
    step_length = Frequency.parse(frequency)
    statistics = _statistics(values.astype(np.float64))
    columns = {name: getattr(statistics, name).tolist() for name in statistics.__dataclass_fields__}
    texts = []
    for window in range(windows):
        draw = random.Random(str(seeds[window]))
        rows = {name: column[window] for name, column in columns.items()}
        texts.append(
            [
                _text(channel, step_length, steps, {name: row[number] for name, row in rows.items()}, draw)
                for number, channel in enumerate(channels)
            ]
        )
    return texts
