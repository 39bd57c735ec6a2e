"""Where stations and events are: station lists, counties and zones, and distances on the sphere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError
from data_modules.sources.delimited import read_table, rows_of
from data_modules.sources.noaa.lcd import station_id
from data_modules.sources.noaa.reports import Station, numbers
from data_modules.sources.noaa.storm_events import Event

GHCN_LIST = ("ghcn_id", "latitude", "longitude", "name")
ISD_LIST = ("usaf", "wban", "station name", "lat", "lon")
RADIUS = 6371.0  # km, of the earth
_ZONE_FIELDS = 11  # STATE|ZONE|CWA|NAME|STATE_ZONE|COUNTY|FIPS|TIME_ZONE|FE_AREA|LAT|LON


def read_stations(path: Path, wanted: set[str]) -> dict[str, Station]:
    """The wanted stations of GHCN-hourly's list or of ISD's station history, by id."""
    head = {name.strip().lower() for name in next(rows_of(path), (0, []))[1]}
    ghcn = head >= set(GHCN_LIST)
    table = read_table(path, GHCN_LIST if ghcn else ISD_LIST)
    columns = table.columns
    ids = columns["ghcn_id"] if ghcn else list(map(station_id, columns["usaf"], columns["wban"]))
    names = columns["name"] if ghcn else columns["station name"]
    own = table.rows([row for row, name in enumerate(ids) if name in wanted])
    kept = [row for row, name in enumerate(ids) if name in wanted]
    latitude, longitude = (
        numbers(own, name, own.columns[name]) for name in (("latitude", "longitude") if ghcn else ("lat", "lon"))
    )
    found = {}
    for place, row in enumerate(kept):
        if abs(latitude[place]) <= 90 and abs(longitude[place]) <= 180 and (latitude[place] or longitude[place]):
            found[ids[row]] = Station(ids[row], names[row], float(latitude[place]), float(longitude[place]))
    return found


class Zones:
    """Centres of counties and forecast zones, from the Weather Service's files of zones and counties (bp….dbx)."""

    def __init__(self, paths: Sequence[Path]) -> None:
        places: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for path in paths:
            for line, row in rows_of(path, "|", quoted=False):
                if len(row) != _ZONE_FIELDS:
                    raise CorpusError(f"{path}, line {line}: it has {len(row)} cells; such a file has {_ZONE_FIELDS}")
                try:
                    where = float(row[9]), float(row[10])
                except ValueError:
                    raise CorpusError(f"{path}, line {line}: LAT and LON are {row[9]!r} and {row[10]!r}") from None
                if len(row[6]) != 5 or not row[6].isdigit():
                    raise CorpusError(f"{path}, line {line}: FIPS is {row[6][:20]!r}; it has five digits")
                places.setdefault(("C", row[6]), []).append(where)
                places.setdefault(("Z", row[6][:2] + row[1].zfill(3)), []).append(where)
        self._centres = {key: tuple(np.mean(own, axis=0).tolist()) for key, own in places.items()}

    def place(self, event: Event) -> tuple[float, float] | None:
        """Latitude and longitude of an event: its own, or its county's or zone's; None where neither is known."""
        if not math.isnan(event.latitude):
            return event.latitude, event.longitude
        return self._centres.get((event.kind, event.code))  # type: ignore[return-value]


def distances(place: tuple[float, float], stations: Sequence[Station]) -> NDArray[np.float64]:
    """Kilometres from a place to each station along a great circle; infinite for a station without a place."""
    latitude, longitude = (
        np.deg2rad([getattr(station, name) if station.is_placed else np.nan for station in stations])
        for name in ("latitude", "longitude")
    )
    own = np.deg2rad(place)
    chord = np.sin((latitude - own[0]) / 2) ** 2
    chord = chord + np.cos(latitude) * np.cos(own[0]) * np.sin((longitude - own[1]) / 2) ** 2
    return np.nan_to_num(2 * RADIUS * np.arcsin(np.sqrt(chord)), nan=np.inf)
