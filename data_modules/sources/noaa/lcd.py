"""Local Climatological Data: form 2 (metric, station by its GHCN id) and form 1 (imperial, by USAF and WBAN digits).

Times are local standard time all year. Remarks hold the reports as they were sent, with the time in UTC, which tells how
far the two are apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError
from data_modules.sources.delimited import Table, read_table
from data_modules.sources.noaa.reports import (
    CHANNELS,
    HUMIDITY,
    PRECIPITATION,
    PRESSURE,
    SKY,
    TEMPERATURE,
    VISIBILITY,
    WIND_U,
    WIND_V,
    Reports,
    Station,
    converted,
    kind_of,
    numbers,
    sky_cover,
    times,
    wind,
)

MARK = "hourlydrybulbtemperature"  # a column that no other file has
_COLUMNS = {
    TEMPERATURE: "HourlyDryBulbTemperature",
    PRECIPITATION: "HourlyPrecipitation",
    HUMIDITY: "HourlyRelativeHumidity",
    VISIBILITY: "HourlyVisibility",
    PRESSURE: "HourlySeaLevelPressure",
}
_SPEED, _DIRECTION, _SKY = "hourlywindspeed", "hourlywinddirection", "hourlyskyconditions"
_FACTORS = {PRECIPITATION: 25.4, VISIBILITY: 1.609344, PRESSURE: 33.863886}  # inches, miles, inches of mercury
_MILES_AN_HOUR = 0.44704
_FREEZING, _DEGREES = 32.0, 5 / 9  # of Fahrenheit
_SUMMARIES = ("SOD", "SOM", "SOY", "SMOD")  # of a day, a month
_SENT = re.compile(r"\b(?:METAR|SPECI)\b[^=]{0,100}?\b(\d\d)(\d\d)(\d\d)Z\b", re.ASCII)
_MISSING = ("", "M", "*")
_WBAN = re.compile(r"(\w{6})(\d{5})", re.ASCII)


def read(path: Path, offsets: Mapping[str, float] | None = None) -> Iterator[Reports]:
    """The reports of each station in the file; summaries of days and months are left out.

    Values marked `s` are suspect, they are left out and counted; the mark V, of a visibility that varies, is taken off. A
    trace of precipitation counts as none.

    Parameters
    ----------
    offsets
        Hours by which a station's standard time is ahead of UTC, by station id, where its remarks do not tell.

    Raises
    ------
    CorpusError
        The file is damaged, of another form, or a cell cannot be used; or a station's time zone is not known.
    """
    needed = ["STATION", "DATE", "REPORT_TYPE", *_COLUMNS.values(), _SPEED, _DIRECTION, _SKY]
    table = read_table(path, needed, ["REM", "LATITUDE", "LONGITUDE", "NAME"])
    types = [cell.strip('" ').upper() for cell in table.columns["report_type"]]
    keep = [row for row, kind in enumerate(types) if kind not in _SUMMARIES]
    table = table.rows(keep)
    kinds = np.array([kind_of(types[row]) for row in keep], dtype=np.int8)
    stations = table.columns["station"]
    for name in dict.fromkeys(stations):
        rows = [row for row, station in enumerate(stations) if station == name]
        yield _reports(table.rows(rows), name, kinds[rows], offsets or {})


def _reports(table: Table, name: str, kinds: NDArray[np.int8], offsets: Mapping[str, float]) -> Reports:
    metric, station = name[:1].isalpha(), _station(table, name)
    refused: Counter[str] = Counter()
    values = np.full((len(CHANNELS), len(table)), np.nan)
    for channel, column in _COLUMNS.items():
        values[channel] = _numbers(table, column, refused)
    speed = _numbers(table, _SPEED, refused)
    if not metric:
        values[TEMPERATURE] = np.round((values[TEMPERATURE] - _FREEZING) * _DEGREES, 2)
        for channel, factor in _FACTORS.items():
            values[channel] = np.round(values[channel] * factor, 3)
        speed = np.round(speed * _MILES_AN_HOUR, 3)
    direction = _numbers(table, _DIRECTION, refused)
    values[[WIND_U, WIND_V]] = wind(speed, direction)
    values[SKY] = converted(table, _SKY, table.columns[_SKY], sky_cover, {}, "no sky cover")
    local = times(table, table.columns["date"])
    ahead = offsets.get(station.id, offsets.get(name))
    minutes = _ahead_of_utc(table, local, station) if ahead is None else round(60 * ahead)
    return Reports(station, local - np.timedelta64(minutes, "m"), values, np.tile(kinds, (len(CHANNELS), 1)), refused)


def _station(table: Table, name: str) -> Station:
    """Form 1 has USAF and WBAN digits and no place."""
    if not name.isalnum() or not name.isascii():
        raise CorpusError(f"{table.where(0)}: the station is {name[:60]!r}; it must be letters and digits")
    if match := _WBAN.fullmatch(name) if name[:1].isdigit() else None:
        return Station(station_id(match[1], match[2]))
    place = (
        numbers(table, column, table.columns[column])[-1] if column in table.columns else float("nan")
        for column in ("latitude", "longitude")
    )
    return Station(name, table.columns["name"][-1] if "name" in table.columns else "", *map(float, place))


def station_id(usaf: str, wban: str) -> str:
    """A station's id in GHCN where it has a WBAN number, USAF-WBAN else."""
    return f"{usaf}-{wban}" if wban == "99999" else f"USW000{wban}"


def _numbers(table: Table, column: str, refused: Counter[str]) -> NDArray[np.float64]:
    """The cells of a column, without their marks."""
    cells = table.columns[column.lower()]
    suspect = [cell.endswith("s") for cell in cells]
    plain = ["" if bad else cell.removesuffix("V") for bad, cell in zip(suspect, cells, strict=True)]
    if any(suspect):
        refused[f"{column} marked as suspect"] += sum(suspect)
    if column.lower() == _DIRECTION:
        return numbers(table, column, plain, (*_MISSING, "VRB"))
    if column == _COLUMNS[PRECIPITATION]:
        plain = ["0" if cell == "T" else cell for cell in plain]
    return numbers(table, column, plain, _MISSING)


def _ahead_of_utc(table: Table, local: NDArray[np.datetime64], station: Station) -> int:
    """Minutes by which the local time is ahead, as most of the remarks have it."""
    found: Counter[int] = Counter()
    for time, remark in zip(local.tolist(), table.columns.get("rem", ()), strict=False):
        if sent := _SENT.search(remark):
            day, hour, minute = map(int, sent.groups())
            days = time.day - day
            days = days if abs(days) <= 1 else -1 if days > 0 else 1  # over the end of a month
            found[round((1440 * days + 60 * (time.hour - hour) + time.minute - minute) / 30) * 30] += 1
    likely = {minutes: count for minutes, count in found.items() if abs(minutes) <= 14 * 60}
    if not likely:
        raise CorpusError(
            f"{table.path}: no remark of the station {station.id} tells how far its standard time is from UTC; give it as "
            f"offsets={{{station.id}: -5}}, in hours"
        )
    return max(likely, key=lambda minutes: likely[minutes])
