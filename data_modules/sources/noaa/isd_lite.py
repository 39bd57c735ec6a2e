"""ISD-Lite: a file USAF-WBAN-YEAR a station and year, twelve whole numbers a line, UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data_modules.corpus import CorpusError
from data_modules.sources.delimited import SHOWN, Table, open_text
from data_modules.sources.noaa.lcd import station_id
from data_modules.sources.noaa.reports import (
    CHANNELS,
    HUMIDITY,
    PRECIPITATION,
    PRESSURE,
    ROUTINE,
    SKY,
    TEMPERATURE,
    WIND_U,
    WIND_V,
    Reports,
    Station,
    checked_times,
    humidity,
    oktas,
    wind,
)

NAME = re.compile(r"(\w{6})-(\d{5})-\d{4}(\.(gz|bz2|xz))?", re.ASCII)
_FIELDS = 12
_NUMBER = re.compile(r"-?\d{1,6}", re.ASCII)
_MISSING, _TRACE = -9999, -1


def read(path: Path) -> Iterator[Reports]:
    """The hours of the file's station. Humidity is worked out from the dew point; there is no visibility.

    Raises
    ------
    CorpusError
        The name or a line is of another form.
    """
    name = NAME.fullmatch(path.name)
    if name is None:
        raise CorpusError(f"{path} is no ISD-Lite file: its name must be USAF-WBAN-YEAR, like 725755-24101-2014")
    rows, lines = [], []
    with open_text(path) as text:
        for line, content in enumerate(text, start=1):
            if not content.strip():
                continue
            cells = content.split()
            if len(cells) != _FIELDS or not all(map(_NUMBER.fullmatch, cells)):
                raise CorpusError(
                    f"{path}, line {line}: {content.strip()[:SHOWN]!r} is not {_FIELDS} whole numbers, as ISD-Lite has them"
                )
            rows.append([int(cell) for cell in cells])
            lines.append(line)
    if not rows:
        return
    table = Table(path, {}, lines)
    year, month, day, hour, *fields = np.array(rows).T
    for part, low, high, called in ((month, 1, 12, "month"), (day, 1, 31, "day"), (hour, 0, 23, "hour")):
        if wrong := np.flatnonzero((part < low) | (part > high)).tolist():
            raise CorpusError(
                f"{table.where(wrong[0])}: the {called} is {part[wrong[0]]}; it lies between {low} and {high}"
            )
    months = (12 * (year - 1970) + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    if wrong := np.flatnonzero(days.astype("datetime64[M]") != months).tolist():
        raise CorpusError(f"{table.where(wrong[0])}: there is no day {day[wrong[0]]} in {months[wrong[0]]}")
    when = checked_times(table, days.astype("datetime64[m]") + 60 * hour)
    air, dew, pressure, direction, speed, sky, rain, _ = (np.where(own == _MISSING, np.nan, own) for own in fields)
    values = np.full((len(CHANNELS), len(rows)), np.nan)
    values[TEMPERATURE], values[PRESSURE] = air / 10, pressure / 10
    values[PRECIPITATION] = np.where(rain == _TRACE, 0.0, rain / 10)
    values[HUMIDITY] = humidity(air / 10, dew / 10)
    values[[WIND_U, WIND_V]] = wind(speed / 10, direction)
    values[SKY] = [np.nan if code != code else oktas(int(code)) for code in sky]
    kinds = np.full((len(CHANNELS), len(rows)), ROUTINE, dtype=np.int8)
    yield Reports(Station(station_id(name[1], name[2])), when, values, kinds)
