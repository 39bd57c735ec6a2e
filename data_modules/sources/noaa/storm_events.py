"""Storm Events: the bulk files of details (CSV, plain or gzip) and the web's export, as texts with type and interval."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from data_modules.corpus import CorpusError
from data_modules.sources.delimited import mended, rows_of
from data_modules.sources.noaa.reports import YEARS

BULK = frozenset(("event_id", "begin_yearmonth", "begin_day", "begin_time", "event_type", "cz_timezone"))
WEB = frozenset(("event_id", "cz_name_str", "begin_date", "begin_time", "event_type", "cz_timezone"))
_ZONES = {  # hours that standard time is ahead of UTC, where the zone has no number; summer's in a few old rows
    **{
        "AST": -4,
        "EST": -5,
        "CST": -6,
        "MST": -7,
        "PST": -8,
        "AKST": -9,
        "HST": -10,
        "SST": -11,
        "GST": 10,
        "CHST": 10,
    },
    **{"EDT": -4, "CDT": -5, "MDT": -6, "PDT": -7, "UTC": 0, "GMT": 0},
}
_ZONE = re.compile(r"([A-Z]*)\s*([+-]?\d{1,2})?", re.ASCII)
_ALL_SENSORS = ["AWOS", "ASOS", "MESONET", "ETC"]  # one source, whose commas the export does not quote
_LONGEST = timedelta(days=366)  # an entry is of one month; more is a wrong year
_LONGEST_PLACE = 200  # characters; matching takes the square of them
_PLACE_MARK = re.compile(r"\s*(\bCO\.|\bCOUNTY|\(ZONE\)|\([^)]*\))\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Event:
    """One event at one place."""

    id: str
    type: str  # like Flash Flood
    start: datetime  # naive UTC
    end: datetime  # not before start; equal where it is not known
    state: str  # upper case: a name in the bulk files, two letters in the export
    place: str  # upper case: the county or zone
    kind: str  # C county, Z zone, M marine
    code: str  # five digits of state and county or zone, where the file has both
    latitude: float
    longitude: float
    narrative: str  # about this place
    episode: str  # about the whole outbreak; many events share it

    @property
    def text(self) -> str:
        """The type, and the narrative of the place, or else of the outbreak."""
        return f"{self.type}. {self.narrative or self.episode}".strip()


@dataclass
class Events:
    """What a file holds."""

    found: list[Event] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)  # rows, by reason


def is_storm_events(names: Sequence[str]) -> bool:
    """Whether a header, in lower case, is that of a file of events."""
    return set(names) >= BULK or set(names) >= WEB


def read(path: Path) -> Events:
    """The events of a file, each id once.

    The export quotes badly: what stands behind a quotation mark in a narrative begins new rows. Rows whose EVENT_ID is
    not all digits are such, and are refused; rows with a time or place that cannot be used are refused as well. The
    reasons are counted.

    Raises
    ------
    CorpusError
        The file is damaged, has not the columns of either form, or none of its rows can be used.
    """
    rows = rows_of(path)
    _, head = next(rows, (0, []))
    names = [name.strip().lower() for name in head]
    if not is_storm_events(names):
        raise CorpusError(f"{path} has not the columns of Storm Events; it begins {', '.join(head)[:60]!r}")
    place = names.index("event_id")
    events, seen = Events(), set()
    first_refused = ""
    for line, row in rows:
        number = row[place].strip() if place < len(row) else ""
        if not (number.isdigit() and number.isascii()):
            events.refused["EVENT_ID is not all digits"] += 1
            continue
        try:
            event = _event(names, row)
        except _UnfitError as error:
            events.refused[str(error)] += 1
            first_refused = first_refused or f"{path}, line {line}: {error}"
            continue
        if event.id in seen:
            events.refused["EVENT_ID is there twice"] += 1
        else:
            seen.add(event.id)
            events.found.append(event)
    if first_refused and not events.found:
        raise CorpusError(f"no row of {path} can be used; {first_refused}")
    return events


class _UnfitError(Exception):
    """A row cannot be used."""


def _event(names: Sequence[str], row: Sequence[str]) -> Event:
    cells = list(row)
    if "source" in names:
        place = names.index("source")
        if [cell.strip().upper() for cell in cells[place : place + 4]] == _ALL_SENSORS and len(cells) > len(names):
            cells[place : place + 4] = [",".join(cells[place : place + 4])]
    texts = {"event_narrative", "episode_narrative"}
    needed = max(number for number, name in enumerate(names) if name in _USED - texts)
    if len(cells) <= needed:
        raise _UnfitError("the row breaks off before its narratives")
    row_of = {name: mended(cell.strip()) for name, cell in zip(names, cells, strict=False)}
    if not row_of["event_type"]:
        raise _UnfitError("EVENT_TYPE is empty")
    ahead = timedelta(hours=_hours_ahead(row_of["cz_timezone"]))
    start = _time(row_of, "begin") - ahead
    end = _time(row_of, "end") - ahead if row_of.get("end_date", row_of.get("end_yearmonth", "")) else start
    if end - start > _LONGEST:
        raise _UnfitError(f"the event ends more than {_LONGEST.days} days after it begins")
    code = row_of.get("state_fips", "").zfill(2) + row_of.get("cz_fips", "").zfill(3)
    latitude, longitude = _degrees(row_of.get("begin_lat", ""), 90), _degrees(row_of.get("begin_lon", ""), 180)
    return Event(
        id=row_of["event_id"],
        type=row_of["event_type"],
        start=start,
        end=max(start, end),
        state=row_of.get("state", row_of.get("state_abbr", "")).upper(),
        place=_PLACE_MARK.sub("", row_of.get("cz_name", row_of.get("cz_name_str", ""))[:_LONGEST_PLACE]).upper(),
        kind=row_of.get("cz_type", "").upper(),
        code=code if row_of.get("state_fips") and code.isdigit() else "",
        latitude=latitude if longitude == longitude else longitude,
        longitude=longitude if latitude == latitude else latitude,
        narrative=_in_one_line(row_of.get("event_narrative", "")),
        episode=_in_one_line(row_of.get("episode_narrative", "")),
    )


_USED = {
    *("event_id", "event_type", "cz_timezone", "cz_type", "cz_fips", "cz_name", "cz_name_str", "state", "state_abbr"),
    *("begin_yearmonth", "begin_day", "begin_date", "begin_time", "end_yearmonth", "end_day", "end_date", "end_time"),
    *("begin_lat", "begin_lon", "event_narrative", "episode_narrative"),
}


def _hours_ahead(zone: str) -> int:
    """Hours that the event's standard time is ahead of UTC; it is standard time all year."""
    match = _ZONE.fullmatch(zone.upper())
    if match and match[2]:
        hours = int(match[2])
        if -12 <= hours <= 14:
            return hours
    if match is None or match[2] or match[1] not in _ZONES:
        raise _UnfitError(f"CZ_TIMEZONE is {zone[:20]!r}")
    return _ZONES[match[1]]


def _time(row: Mapping[str, str], which: str) -> datetime:
    """The local time; a time of the day has no leading zeros: 810 is 08:10, 0 is midnight."""
    clock = row.get(f"{which}_time", "") or "0"
    if f"{which}_yearmonth" in row:
        day = row[f"{which}_yearmonth"] + row.get(f"{which}_day", "").zfill(2)
        form = "%Y%m%d"
    else:
        day, form = row.get(f"{which}_date", ""), "%m/%d/%Y"
    if not (clock.isdigit() and clock.isascii() and len(clock) <= 4):
        raise _UnfitError(f"{which.upper()}_TIME is no time of the day")
    hours, minutes = divmod(int(clock), 100)
    try:
        if not day.isascii() or " " in day:
            raise ValueError
        found = datetime.strptime(day, form)
    except ValueError:
        raise _UnfitError(f"the day of {which.upper()} is no date") from None
    if hours > 24 or minutes > 59 or not YEARS[0] <= found.year <= YEARS[1]:
        raise _UnfitError(
            f"{which.upper()}_TIME is no time of the day" if hours > 24 or minutes > 59 else "the year is none"
        )
    return found + timedelta(hours=hours, minutes=minutes)


def _degrees(cell: str, limit: float) -> float:
    """NaN where there is no number, or one that is no place; 0 stands for none."""
    try:
        degrees = float(cell)
    except ValueError:
        return float("nan")
    return degrees if 0 < abs(degrees) <= limit else float("nan")


def _in_one_line(text: str) -> str:
    """`||` is a new paragraph."""
    return " ".join(text.replace("||", " ").split())
