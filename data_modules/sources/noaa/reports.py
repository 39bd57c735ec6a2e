"""Reports of weather stations, whatever file they are from, and the hours that they make."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError
from data_modules.sources.delimited import SHOWN, Table
from trace_lit.channels import Channel

CHANNELS = (  # the seven of TRACE, in its order, and pressure
    Channel("temperature", "°C", "how warm or cold the air is near the ground; 0 °C is freezing"),
    Channel("precipitation", "mm", "rain, or melted snow, that fell in the step"),
    Channel("relative humidity", "%", "how moist the air is near the ground; 100 % is saturated, damp or foggy air"),
    Channel(
        "visibility", "km", "how far one sees; fog and heavy rain lower it; 16.093 km, which is 10 miles, and more"
    ),
    Channel("wind u", "m/s", "eastward wind component; positive for a westerly wind, negative for an easterly wind"),
    Channel("wind v", "m/s", "northward wind component; positive for a southerly wind, negative for a northerly wind"),
    Channel("sky cover", "oktas", "how much of the sky is clouded: 0 is clear, 8 is overcast"),
    Channel(
        "air pressure", "hPa", "atmospheric pressure at sea level; high is settled weather, low or falling unsettled"
    ),
)
TEMPERATURE, PRECIPITATION, HUMIDITY, VISIBILITY, WIND_U, WIND_V, SKY, PRESSURE = range(len(CHANNELS))
BOUNDS = ((-90, 60), (0, 500), (0, 100), (0, 200), (-113, 113), (-113, 113), (0, 8), (850, 1100))  # else not believed
FARTHEST = 16.093  # km; American stations report no more
YEARS = (1750, 2100)
ROUTINE, OTHER, SPECIAL = range(3)  # the order in which reports of one hour are preferred
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?", re.ASCII)
_LAYER = {"SKC": 0, "CLR": 0, "FEW": 2, "SCT": 4, "BKN": 7, "OVC": 8, "VV": 8}
_NO_COVER = 10  # partial obscuration: how much is clouded is not known


@dataclass(frozen=True)
class Station:
    """A weather station; two that have the same id are one."""

    id: str  # of GHCN, or USAF-WBAN where it has none
    name: str = ""
    latitude: float = float("nan")
    longitude: float = float("nan")

    @property
    def is_placed(self) -> bool:
        """Whether it has a place on the earth."""
        return abs(self.latitude) <= 90 and abs(self.longitude) <= 180  # NaN is none


@dataclass
class Reports:
    """N reports of a station."""

    station: Station
    times: NDArray[np.datetime64]  # (N,) UTC, to the minute
    values: NDArray[np.float64]  # (8, N) in the order of CHANNELS, NaN where missing
    kinds: NDArray[np.int8]  # (8, N) ROUTINE, OTHER or SPECIAL
    refused: Counter[str] = field(default_factory=Counter)  # values that are not believed, by channel and reason

    def __post_init__(self) -> None:
        """Take out what is beyond its bounds."""
        self.values[VISIBILITY] = np.where(
            self.values[VISIBILITY] <= BOUNDS[VISIBILITY][1],
            np.minimum(self.values[VISIBILITY], FARTHEST),
            self.values[VISIBILITY],
        )
        for channel, own, (low, high) in zip(CHANNELS, self.values, BOUNDS, strict=True):
            beyond = (own < low) | (own > high)
            if beyond.any():
                self.refused[f"{channel.name} beyond {low} to {high} {channel.unit}"] += int(beyond.sum())
                own[beyond] = np.nan


@dataclass
class Hours:
    """The hourly grid of a station."""

    station: Station
    first: np.datetime64  # UTC, the full hour of the first step
    values: NDArray[np.float64]  # (8, H), NaN where missing


def hourly(parts: Sequence[Reports]) -> Hours:
    """The hours of one station's reports; where several parts know a value of an hour, the first does.

    An hour has the routine report nearest to it, within half an hour, and any other where there is none. Precipitation is
    a running total since the last routine report: the hour that it ends has the last one's, not their sum.
    """
    minutes = [part.times.astype("datetime64[m]").astype(np.int64) for part in parts]
    first = min(int(own.min()) for own in minutes) // 60
    steps = max(-(-int(own.max()) // 60) for own in minutes) + 1 - first
    values = np.full((len(CHANNELS), steps), np.nan)
    for own, part in zip(minutes, parts, strict=True):
        nearest = (own + 30) // 60
        for channel in range(len(CHANNELS)):
            known = np.flatnonzero(~np.isnan(part.values[channel]))
            kind, time = part.kinds[channel, known], own[known]
            if channel == PRECIPITATION:
                hour = -(-time // 60)
                order = np.lexsort((-time, kind != ROUTINE, hour))
            else:
                hour = nearest[known]
                order = np.lexsort((-time, abs(time - 60 * hour), kind, hour))
            hours, chosen = np.unique(hour[order], return_index=True)
            places = hours - first
            values[channel, places] = np.where(
                np.isnan(values[channel, places]), part.values[channel, known[order[chosen]]], values[channel, places]
            )
    return Hours(parts[0].station, np.datetime64(first, "h"), values)


def wind(speed: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, N) the components u and v, which point where the wind blows to; missing where it has no direction.

    A direction of 0 is calm, north is 360.
    """
    angle = np.deg2rad(np.where((direction > 0) & (direction <= 360), direction, np.nan))
    components = np.asarray([-speed * np.sin(angle), -speed * np.cos(angle)], dtype=np.float64).round(3)
    components[:, speed == 0] = 0.0
    return components + 0.0  # no -0


def humidity(temperature: NDArray[np.float64], dew_point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Relative humidity in %, from temperatures in °C (Magnus)."""
    with np.errstate(over="ignore", invalid="ignore"):
        dew, air = (np.exp(17.625 * own / (243.04 + own)) for own in (dew_point, temperature))
    return np.asarray(np.minimum(100 * dew / air, 100.0), dtype=np.float64).round(1)


def sky_cover(layers: str) -> float:
    """Oktas of the last layer in a text like "FEW:02 250 OVC:08 300", "BKN" or "07"; NaN where it tells none."""
    found = re.findall(r"\b(SKC|CLR|FEW|SCT|BKN|OVC|VV|X)\b(?::(\d{1,2}))?", layers)
    if found:
        name, code = found[-1]
        return oktas(int(code)) if code else float(_LAYER.get(name, np.nan))
    return oktas(int(layers)) if re.fullmatch(r"\d{1,2}", layers, re.ASCII) else float("nan")


def oktas(code: int) -> float:
    """Oktas of a sky cover code from 0 to 19, NaN for any other: an obscured sky is covered, thin layers count in full."""
    if 0 <= code <= 8:
        return float(code)
    if code < 0 or code == _NO_COVER or code > 19:
        return float("nan")
    return 8.0 if code == 9 or code >= 17 else 4.0 if code <= 13 else 7.0


def kind_of(report: str) -> int:
    """ROUTINE, OTHER or SPECIAL, by a report type like FM-15 or FM15-METAR."""
    code = report.strip().replace("-", "")[:4]
    return {"FM15": ROUTINE, "FM16": SPECIAL}.get(code, OTHER)


def numbers(table: Table, name: str, cells: Sequence[str], missing: Iterable[str] = ("",)) -> NDArray[np.float64]:
    """The cells of a column as numbers, NaN for those that are `missing`.

    Raises
    ------
    CorpusError
        A cell is none.
    """
    known = dict.fromkeys(missing, float("nan"))

    def number(cell: str) -> float:
        if not _NUMBER.fullmatch(cell):
            raise ValueError(cell)
        return float(cell)

    return np.array(converted(table, name, cells, number, known, "no number"), dtype=np.float64)


def converted(
    table: Table,
    name: str,
    cells: Sequence[str],
    convert: Callable[[str], float],
    known: dict[str, float],
    problem: str,
) -> list[float]:
    """Each cell converted; `known` holds those that are, and takes the others."""
    found = []
    for row, cell in enumerate(cells):
        if cell not in known:
            try:
                known[cell] = convert(cell)
            except ValueError:
                raise CorpusError(f"{table.where(row)}: {name} is {cell[:SHOWN]!r}, which is {problem}") from None
        found.append(known[cell])
    return found


def times(table: Table, cells: Sequence[str]) -> NDArray[np.datetime64]:
    """The cells of a column with times like 2024-01-31T18:51:00, to the minute.

    Raises
    ------
    CorpusError
        A cell is none, or beyond `YEARS`.
    """
    found = np.zeros(len(cells), dtype="datetime64[m]")
    for row, cell in enumerate(cells):
        if not _TIME.fullmatch(cell):
            raise CorpusError(f"{table.where(row)}: {cell[:SHOWN]!r} is no time like 2024-01-31T18:51:00")
        try:
            found[row] = cell[:16]
        except ValueError:
            raise CorpusError(f"{table.where(row)}: {cell!r} is no time: the calendar has none such") from None
    return checked_times(table, found)


def checked_times(table: Table, given: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """CorpusError for a time beyond `YEARS`."""
    years = given.astype("datetime64[Y]").astype(np.int64) + 1970
    beyond = np.flatnonzero((years < YEARS[0]) | (years > YEARS[1]))
    if len(beyond):
        raise CorpusError(
            f"{table.where(int(beyond[0]))}: the year is {years[beyond[0]]}; it must lie between {YEARS[0]} and {YEARS[1]}"
        )
    return given
