"""Which of several quantiles is the point forecast."""

from __future__ import annotations

from collections.abc import Sequence


def centre_of(quantiles: Sequence[float]) -> int:
    """The place of the point forecast among `quantiles`: of the one nearest to the median; 0 where there are none."""
    return min(range(len(quantiles)), key=lambda place: abs(quantiles[place] - 0.5), default=0)
