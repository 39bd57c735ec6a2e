"""Where a series is cut into training, validation and test, as the literature's protocols say it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import SPLITS, CorpusError

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}  # as the protocols of the ETT data count them
_DURATION = re.compile(rf"(\d+) ({'|'.join(_DAYS)})s?", re.ASCII)
_FORMS = (
    "{train: 12 months, validation: 4 months, test: 4 months} (months of 30 days), "
    "{train: 0.7, validation: 0.1, test: 0.2}, {train: 8640, validation: 2880, test: 2880} (steps), or the days on which "
    "parts begin: {validation: 2017-01-01, test: 2018-01-01}"
)
Part = tuple[str, int, int]


def parts_of(split: Mapping[str, Any] | None, times: NDArray[np.datetime64]) -> list[Part]:
    """The parts of a series whose steps begin at `times` (T,): each one's split, first step, and the step after its last.

    What lies behind the last part, or before a first part that begins with a day, is of none.

    Parameters
    ----------
    split
        How long each part is, as a duration, a share or a number of steps; or the day on which it begins. None: 70, 10
        and 20 %. Where shares add up to 1, validation has what training and test leave.

    Raises
    ------
    CorpusError
        It has another form, or the series is too short.

    Examples
    --------
    >>> times = np.datetime64("2016-07-01", "h") + np.arange(17420)
    >>> parts_of({"train": "12 months", "validation": "4 months", "test": "4 months"}, times)
    [('train', 0, 8640), ('validation', 8640, 11520), ('test', 11520, 14400)]
    """
    if split is None:
        split = SHARES
    if not isinstance(split, Mapping) or not split or set(split) - set(SPLITS):
        raise CorpusError(f"split is {split!r}; write it like {_FORMS}")
    given = {name: split[name] for name in SPLITS if name in split}
    days = {name: _day(value) for name, value in given.items()}
    if all(day is not None for day in days.values()):
        return _by_day(days, times)  # type: ignore[arg-type]
    if all(isinstance(value, float) and 0 < value <= 1 for value in given.values()):
        lengths = _by_share(given, len(times))
    else:
        lengths = {}
        for name, value in given.items():
            lengths[name] = _steps(name, value, times, sum(lengths.values()))
    if short := [name for name, length in lengths.items() if length < 1]:
        raise CorpusError(
            f"split: {short[0]} ({given[short[0]]!r}) is shorter than a step; the series has {len(times)} steps"
        )
    if sum(lengths.values()) > len(times):
        raise CorpusError(
            f"split: {given!r} needs {sum(lengths.values())} steps; the series has {len(times)}, "
            f"from {str(times[0])[:10]} to {str(times[-1])[:10]}"
        )
    ends = np.cumsum(list(lengths.values())).tolist()
    return list(zip(lengths, [0, *ends], ends, strict=False))


def _by_share(shares: Mapping[str, float], steps: int) -> dict[str, int]:
    lengths = {name: int(share * steps + 1e-9) for name, share in shares.items()}
    if abs(sum(shares.values()) - 1) < 1e-9 and "validation" in lengths:
        lengths["validation"] = steps - sum(length for name, length in lengths.items() if name != "validation")
    return lengths


def _by_day(days: Mapping[str, np.datetime64], times: NDArray[np.datetime64]) -> list[Part]:
    if SPLITS[0] not in days:
        days = {SPLITS[0]: times[0], **days}
    begins = np.searchsorted(times, list(days.values())).tolist()
    if any(later <= earlier for earlier, later in itertools.pairwise(begins)) or begins[-1] >= len(times):
        raise CorpusError(
            f"split: the parts begin on {', '.join(str(day)[:10] for day in days.values())}; each begins after the one "
            f"before, and within the series ({str(times[0])[:10]} to {str(times[-1])[:10]})"
        )
    return list(zip(days, begins, [*begins[1:], len(times)], strict=True))


def _day(value: Any) -> np.datetime64 | None:
    """A day or time, None for anything else."""
    if isinstance(value, str) and "-" in value:
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, date) or getattr(value, "tzinfo", None) is not None:
        return None
    return np.datetime64(value, "us")


def _steps(name: str, value: Any, times: NDArray[np.datetime64], first: int) -> int:
    """How many steps the part has that begins with the step `first`; more than there are where it goes on longer."""
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())) and len(match[1]) <= 4:
        if first >= len(times):
            return 1
        end = times[first] + np.timedelta64(int(match[1]) * _DAYS[match[2]], "D")
        step = times[-1] - times[-2] if len(times) > 1 else np.timedelta64(0)
        return int(np.searchsorted(times, end)) - first + int(end > times[-1] + step)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 10**9:
        return value
    raise CorpusError(f"split: {name} is {value!r}; write it like {_FORMS}")
