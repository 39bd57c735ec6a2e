"""Local times as UTC: zones by name or offset, the hour that comes twice in autumn and the one that is missing in spring."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from numpy.typing import NDArray

from data_modules.schema import CorpusError
from data_modules.tables.times import EARLIEST, LATEST

_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?")
_IN_NAME = re.compile(r"(?<![^\W_])(?:UTC|GMT)\s*([+-]\d{1,2}(?::?\d{2})?)?(?![^\W_])", re.IGNORECASE)
_DAY = np.timedelta64(1, "D")


@dataclass
class Localized:
    """Local times (N,) as UTC."""

    utc: NDArray[np.datetime64]  # NaT where the local time is missing
    nonexistent: NDArray[np.bool_]  # (N,) the clocks skip it; as UTC, it is an hour later on the clock
    unsure: NDArray[np.bool_]  # (N,) it comes twice, and the rows do not show which it is; taken as the first


def zone_of(name: str) -> tzinfo:
    """The zone that `name` means: like Europe/Berlin, UTC, or an offset like +01:00.

    Raises
    ------
    CorpusError
        There is no such zone.
    """
    if name.strip().casefold() in ("utc", "z", "gmt", ""):
        return UTC
    if match := _OFFSET.fullmatch(name.strip()):
        length = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        if length < timedelta(hours=15):
            return timezone(-length if match[1] == "-" else length)
    known = available_timezones()
    if name in known:
        return ZoneInfo(name)
    lower = {own.casefold(): own for own in known}
    ends = {own.rpartition("/")[2].casefold(): own for own in sorted(known, reverse=True)}
    word = name.strip().casefold().replace(" ", "_")
    near = lower.get(word) or ends.get(word) or next(iter(difflib.get_close_matches(word, lower, n=1)), "")
    near = lower.get(near, near)
    meant = f"; did you mean {near}?" if near else ";"
    raise CorpusError(
        f"{name!r} is no time zone{meant} Write a name of the IANA list, like Europe/Berlin, or an offset, like +01:00"
    )


def offset_in(name: str) -> np.timedelta64 | None:
    """How far east of Greenwich a column's times are by its name, like `Date Time, GMT-05:00`; None where it says none."""
    spaced = re.sub(r"(?<=[a-z])(?=UTC$|Utc$)", " ", str(name))  # datetimeUtc
    if not (match := _IN_NAME.search(spaced)):
        return None
    shift = zone_of(match[1] or "UTC").utcoffset(None)
    return None if shift is None else np.timedelta64(shift, "us")


def has_clock_changes(zone: tzinfo) -> bool:
    """Whether the zone is one whose offset may change."""
    return isinstance(zone, ZoneInfo) and zone.key not in ("UTC", "GMT") and not zone.key.startswith("Etc/")


def clock_change(zone: tzinfo, year: int) -> int:
    """By how much the clocks of a zone are changed in a year, in microseconds; 0 where they are not."""
    offsets = {datetime(year, month, 1, tzinfo=zone).utcoffset() or timedelta(0) for month in range(1, 13)}
    return (max(offsets) - min(offsets)) // timedelta(microseconds=1)


def to_utc(local: NDArray[np.datetime64], zone: tzinfo, groups: NDArray[np.integer] | None = None) -> Localized:
    """`local` times (N,), in the order of their rows, as UTC.

    A time that comes twice is the first one until the rows go back in time, and the second one from there on; each of the
    `groups` (N,) of rows by itself. Rows may run forwards or backwards.
    """
    import pandas as pd

    nothing = np.zeros(len(local), dtype=bool)
    if zone is UTC:
        return Localized(local, nothing, nothing)
    _check_years(local)
    index = pd.DatetimeIndex(local)
    if not has_clock_changes(zone):
        shift = zone.utcoffset(None) if isinstance(zone, timezone) else None
        if shift is None:
            return Localized(_naive(index.tz_localize(zone)), nothing, nothing)
        return Localized(local - np.timedelta64(shift), nothing, nothing)
    twice = index.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward").isna() & index.notna()
    first, unsure = np.ones(len(local), dtype=bool), nothing.copy()
    groups = np.zeros(len(local), dtype=np.int64) if groups is None else groups
    grouped = np.argsort(groups, kind="stable")
    borders = np.searchsorted(groups[grouped], np.unique(groups[twice]))
    ends = np.searchsorted(groups[grouped], np.unique(groups[twice]), side="right")
    for begin, end in zip(borders, ends, strict=True):
        rows = grouped[begin:end]
        known = local[rows][~np.isnat(local[rows])]
        rows = rows[twice[rows]]
        if len(known) > 1 and known[-1] < known[0]:
            rows = rows[::-1]
        order = np.argsort(local[rows].astype("datetime64[D]"), kind="stable")
        for night in np.split(rows[order], np.flatnonzero(np.diff(local[rows[order]]) > _DAY) + 1):
            back = np.flatnonzero(np.diff(local[night]) <= np.timedelta64(0))
            if len(back):
                first[night[back[0] + 1 :]] = False
            else:
                unsure[night] = True
    localized = index.tz_localize(zone, ambiguous=first, nonexistent="NaT")
    nonexistent = np.asarray(localized.isna() & index.notna())
    utc = _naive(localized).copy()
    if nonexistent.any():  # by the offset of the day before
        utc[nonexistent] = (
            _naive((index[nonexistent] - _DAY).tz_localize(zone, ambiguous=np.ones(int(nonexistent.sum()), bool)))
            + _DAY
        )
    return Localized(utc, nonexistent, unsure)


def to_local(utc: NDArray[np.datetime64], zone: tzinfo) -> NDArray[np.datetime64]:
    """Naive local times of UTC times (N,)."""
    import pandas as pd

    if zone is UTC:
        return utc
    _check_years(utc)
    return (
        pd.DatetimeIndex(utc).tz_localize("UTC").tz_convert(zone).tz_localize(None).to_numpy().astype("datetime64[us]")
    )


def _check_years(times: NDArray[np.datetime64]) -> None:
    """CorpusError where a time is on the first or last days that calendars know: zones lead beyond them."""
    if len(outside := times[(times < EARLIEST) | (times > LATEST)]):
        raise CorpusError(
            f"{outside[0]} lies beyond the years 1 to 9999, in which there are time zones: is a year wrong?"
        )


def _naive(index: object) -> NDArray[np.datetime64]:
    return index.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")  # type: ignore[attr-defined]
