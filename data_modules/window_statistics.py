"""Statistics of windows: for (N, T) values, NaN where missing, one number a window, NaN where there is none.

All are taken over the observed steps of all windows at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

OUTLIER = 4.5  # robust standard deviations from the median of five neighbours
OUTLIER_SPREAD = 2.0  # and standard deviations of the window
OUTLIER_STEPS = 8  # observed at least, to tell a spike from the rest

Values = NDArray[np.float64]


def _count(x: Values) -> Values:
    """The number of observed steps, NaN where there is none."""
    count = (~np.isnan(x)).sum(-1).astype(np.float64)
    return np.where(count > 0, count, np.nan)


def mean(x: Values) -> Values:
    """Mean of the observed steps."""
    return np.nansum(x, axis=-1) / _count(x)


def minimum(x: Values) -> Values:
    """The lowest value."""
    return -maximum(-x)


def maximum(x: Values) -> Values:
    """The highest value."""
    top = np.where(np.isnan(x), -np.inf, x).max(-1)
    return np.where(np.isneginf(top), np.nan, top)


def value_range(x: Values) -> Values:
    """Highest minus lowest value."""
    return maximum(x) - minimum(x)


def _centred(x: Values, seen: NDArray[np.bool_]) -> Values:
    """Deviations from the mean of the seen steps, 0 elsewhere."""
    own = np.where(seen, x, np.nan)
    return np.where(seen, own - mean(own)[..., None], 0.0)


def standard_deviation(x: Values) -> Values:
    """Of the observed steps, by their number."""
    return np.sqrt((_centred(x, ~np.isnan(x)) ** 2).sum(-1) / _count(x))


def change(x: Values) -> Values:
    """Mean of the last quarter of the steps minus that of the first."""
    quarter = max(x.shape[-1] // 4, 1)
    return mean(x[..., -quarter:]) - mean(x[..., :quarter])


def slope(x: Values) -> Values:
    """Of the line fitted to the observed steps, per step; NaN with fewer than two of them."""
    seen = ~np.isnan(x)
    time = _centred(np.broadcast_to(np.arange(x.shape[-1], dtype=np.float64), x.shape), seen)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (time * _centred(x, seen)).sum(-1) / (time**2).sum(-1)


def place_of_maximum(x: Values) -> Values:
    """Where the highest value stands first: 0 at the first step, 1 at the last; NaN where all values are equal."""
    place = np.where(np.isnan(x), -np.inf, x).argmax(-1) / max(x.shape[-1] - 1, 1)
    return np.where(value_range(x) > 0, place, np.nan)


def place_of_minimum(x: Values) -> Values:
    """Where the lowest value stands first, like `place_of_maximum`."""
    return place_of_maximum(-x)


def share_above(x: Values, threshold: float) -> Values:
    """The share of the observed steps above `threshold`."""
    return (x > threshold).sum(-1) / _count(x)  # NaN is above nothing


def share_below(x: Values, threshold: float) -> Values:
    """The share of the observed steps below `threshold`."""
    return (x < threshold).sum(-1) / _count(x)


def gaps(x: Values) -> Values:
    """The share of the steps that are missing."""
    return np.isnan(x).mean(-1)


def _median(x: Values) -> Values:
    """Over the last axis, without NaN; NaN where all is. (`nanmedian` warns there, and is slow on short axes.)"""
    count = (~np.isnan(x)).sum(-1, keepdims=True)
    ordered = np.sort(x, axis=-1)  # NaN last
    middle = [
        np.take_along_axis(ordered, np.maximum(k, 0), -1)[..., 0]
        for k in ((count - 1) // 2, np.minimum(count // 2, x.shape[-1] - 1))
    ]
    return np.where(count[..., 0] > 0, (middle[0] + middle[1]) / 2, np.nan)


def distance_of_outliers(x: Values) -> Values:
    """(N, T) how far each step that stands out lies from the median of its neighbours, 0 for all other steps.

    Any number of axes before the last. A step stands out that is far by the window's own typical distance as well as by
    its standard deviation, in a window with steps enough to tell.
    """
    seen = ~np.isnan(x)
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(2, 2)], constant_values=np.nan)
    neighbours = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=-1)
    distance = np.where(seen, np.abs(x - _median(neighbours)), np.nan)
    limit = np.fmax(OUTLIER * 1.4826 * _median(distance), OUTLIER_SPREAD * standard_deviation(x))[..., None]
    return np.where(seen & (distance > limit) & (_count(x)[..., None] >= OUTLIER_STEPS), distance, 0.0)


def spikes(x: Values) -> Values:
    """The number of steps that stand out from their neighbours."""
    return np.where(np.isnan(_count(x)), np.nan, (distance_of_outliers(x) > 0).sum(-1))


def correlation(x: Values, y: Values) -> Values:
    """Of two channels over the steps at which both are observed; NaN where one of them is constant."""
    seen = ~np.isnan(x) & ~np.isnan(y)
    varies = [value_range(np.where(seen, own, np.nan)) > 0 for own in (x, y)]
    a, b = _centred(x, seen), _centred(y, seen)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (a * b).sum(-1) / np.sqrt((a**2).sum(-1) * (b**2).sum(-1))
    return np.where(varies[0] & varies[1], found.clip(-1.0, 1.0), np.nan)


def direction(u: Values, v: Values) -> Values:
    """Where a wind with eastward component u and northward component v comes from: degrees, 0 north, 90 east.

    Of the mean vector; NaN where it is zero, which has no direction.
    """
    east, north = mean(u), mean(v)
    degrees = np.degrees(np.arctan2(-east, -north)) % 360.0
    return np.where((east == 0) & (north == 0), np.nan, degrees)


def difference(x: Values, y: Values) -> Values:
    """The mean of the first channel minus that of the second, over the steps at which both are observed."""
    return mean(x - y)


def same_values(windows: Sequence[NDArray[np.floating]]) -> NDArray[np.int64]:
    """(N,) a number for each of N windows (C, T), T may differ: equal numbers, equal values, missing ones included."""
    numbers: dict[tuple[tuple[int, ...], bytes], int] = {}
    found = []
    for window in windows:
        plain = np.where(np.isnan(window), np.nan, window + 0.0)  # one NaN, and no negative zero
        found.append(numbers.setdefault((plain.shape, plain.tobytes()), len(numbers)))
    return np.array(found, dtype=np.int64)


def window_marks(values: NDArray[np.floating]) -> NDArray[np.uint64]:
    """(N, C) a mark of 64 bits of the values of each channel of windows (N, C, T): equal values, equal marks."""
    plain = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, and no negative zero
    bits = plain.astype(np.float64).view(np.uint64)
    draw = np.random.default_rng(0).integers(1, 2**63, size=(2, bits.shape[-1]), dtype=np.uint64)
    with np.errstate(over="ignore"):
        mixed = (bits + draw[0]) * (draw[1] | np.uint64(1))
        mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
        return (mixed ^ (mixed >> np.uint64(29))).sum(-1, dtype=np.uint64)
