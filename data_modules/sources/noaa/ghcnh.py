"""GHCN-hourly, versions 1.0.1 and 1.1.0: pipe-separated or Parquet, one station a file, UTC.

Columns are found by their names, which differ between versions and between the files by station and by year.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_modules.corpus import CorpusError
from data_modules.shards import check_size, check_texts, leaves_of_bytes
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
    checked_times,
    converted,
    kind_of,
    numbers,
    sky_cover,
    times,
    wind,
)
from trace_lit.errors import first_line

_VALUES = {
    "temperature": TEMPERATURE,
    "precipitation": PRECIPITATION,
    "relative_humidity": HUMIDITY,
    "visibility": VISIBILITY,
    "sea_level_pressure": PRESSURE,
}
_LAYERS = (  # of the sky, the last one first: in 1.1.0, and in 1.0.1
    *(f"sky_cover_summation_{number}" for number in (4, 3, 2, 1)),
    *(f"sky_cover_layer_{number}" for number in (4, 3, 2, 1)),
    *(f"sky_cover_{number}" for number in (3, 2, 1)),
)
_VARIABLES = (*_VALUES, "wind_speed", "wind_direction", *_LAYERS)
_NO_NUMBER = {"wind_direction": ("", "VRB", "V")}  # what stands for no value beside numbers
_NO_LAYER = frozenset(("", "X:10", "10", "99"))
_PARTS = ("", "_measurement_code", "_quality_code", "_report_type", "_source_code")
_CLOCK = ("year", "month", "day", "hour", "minute")
_PLACE = ("latitude", "longitude", "station_name")
_GOOD = frozenset(("", "0", "1", "4", "5", "9"))
_ACCEPTED = frozenset("APIMR")  # by hand, in NCEI's older sources; of precipitation, A is a sum of hours
_REMOVED = frozenset(("220", "221", "222", "223", "347", "348"))  # sources whose 5 means that a value was removed
_OVERFLOWN = "345"  # the source whose 1 means that it is wrong


def read(path: Path) -> Iterator[Reports]:
    """The reports of each station in the file.

    Values whose quality code says that they are suspect or wrong are left out and counted.

    Raises
    ------
    CorpusError
        The file is damaged, of another form, or a cell cannot be used.
    """
    optional = [*_CLOCK, "date", "station", "station_id", *_PLACE]
    optional += [variable + part for variable in _VARIABLES for part in _PARTS]
    table = _parquet(path, optional) if path.suffix == ".parquet" else read_table(path, (), optional, "|", quoted=False)
    names = table.columns.get("station", table.columns.get("station_id"))
    if names is None:
        raise CorpusError(f"{path} is no GHCN-hourly file: it has neither a column STATION nor Station_ID")
    if not set(_VALUES) & set(table.columns):
        raise CorpusError(f"{path} is no GHCN-hourly file: it has none of the columns {', '.join(_VALUES)}")
    if not len(table):
        return
    when = _times(table)
    refused: Counter[str] = Counter({"last line, cut off": 1} if table.cut else {})
    everything = Reports(Station(""), when, *_values(table, refused), refused)
    latitude, longitude = (
        numbers(table, name, table.columns[name]) if name in table.columns else np.full(len(table), np.nan)
        for name in ("latitude", "longitude")
    )
    called = table.columns.get("station_name", names)
    own = np.array(names)
    for name in dict.fromkeys(names):
        if not name.isalnum() or not name.isascii():
            raise CorpusError(
                f"{table.where(names.index(name))}: the station is {name[:60]!r}; it must be letters and digits"
            )
        rows = np.flatnonzero(own == name)
        last = int(rows[-1])
        station = Station(name, called[last], float(latitude[last]), float(longitude[last]))
        yield Reports(station, when[rows], everything.values[:, rows], everything.kinds[:, rows], refused)
        refused = Counter()  # all are counted with the first station


def _parquet(path: Path, wanted: Sequence[str]) -> Table:
    """The wanted columns as texts."""
    try:
        check_size(path)
        with pq.ParquetFile(path, read_dictionary=leaves_of_bytes(path)) as file:
            there = {name.lower(): name for name in file.schema_arrow.names}
            read = file.read(columns=[there[name] for name in wanted if name in there])
        columns = {}
        for name in wanted:
            if name in there:
                check_texts(path, name, read[there[name]])
                cells = pc.fill_null(pc.cast(read[there[name]], pa.string()), "")
                columns[name] = [cell.strip() for cell in cells.to_pylist()]
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{path} cannot be read as GHCN-hourly in Parquet: {first_line(error)}") from None
    return Table(path, columns, list(range(1, read.num_rows + 1)), "row")


def _times(table: Table) -> NDArray[np.datetime64]:
    if "date" in table.columns:
        return times(table, table.columns["date"])
    if missing := [name for name in _CLOCK if name not in table.columns]:
        raise CorpusError(f"{table.path} has neither a column DATE nor {missing[0]}; it is no GHCN-hourly file")
    parts = [[cell.removesuffix(".0").zfill(2) for cell in table.columns[name]] for name in _CLOCK]
    texts = [f"{year}-{month}-{day}T{hour}:{minute}" for year, month, day, hour, minute in zip(*parts, strict=True)]
    return checked_times(table, times(table, texts))


def _values(table: Table, refused: Counter[str]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Values (8, N) and kinds (8, N)."""
    values = np.full((len(CHANNELS), len(table)), np.nan)
    kinds = np.ones((len(CHANNELS), len(table)), dtype=np.int8)
    for variable, channel in _VALUES.items():
        values[channel], kinds[channel] = _good(table, variable, refused)
    speed, kinds[WIND_U] = _good(table, "wind_speed", refused)
    direction, _ = _good(table, "wind_direction", refused)
    variable_wind = np.array([code[:1] == "V" for code in _column(table, "wind_direction_measurement_code")])
    values[[WIND_U, WIND_V]] = wind(speed, np.where(variable_wind, np.nan, direction))
    kinds[WIND_V] = kinds[WIND_U]
    for layer in _LAYERS:
        if layer not in table.columns:
            continue
        own, kind = _good(table, layer, refused)
        taken = np.isnan(values[SKY]) & ~np.isnan(own)
        values[SKY, taken], kinds[SKY, taken] = own[taken], kind[taken]
    return values, kinds


def _column(table: Table, name: str) -> Sequence[str]:
    return table.columns.get(name) or [""] * len(table)


def _good(table: Table, variable: str, refused: Counter[str]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """The values (N,) of a variable whose quality is good, and the kinds (N,) of their reports; the others are counted."""
    cells = _column(table, variable)
    if variable in _LAYERS:
        values = np.array(converted(table, variable, cells, sky_cover, {}, "no sky cover"))
        if unknown := sum(value != value and cell not in _NO_LAYER for cell, value in zip(cells, values, strict=True)):
            refused[f"{variable} of an unknown form"] += unknown
    else:
        values = numbers(table, variable, cells, _NO_NUMBER.get(variable, ("",)))
    quality, source = _column(table, f"{variable}_quality_code"), _column(table, f"{variable}_source_code")
    pairs = list(zip(quality, source, strict=True))
    believed = {
        pair: all(_is_good(code.strip(), pair[1], variable) for code in pair[0].split(",")) for pair in set(pairs)
    }
    good = np.array([believed[pair] for pair in pairs], dtype=bool)
    if doubtful := int((~good & ~np.isnan(values)).sum()):
        refused[f"{variable} of doubtful quality"] += doubtful
    reports = _column(table, f"{variable}_report_type")
    known = {report: kind_of(report) for report in set(reports)}
    return np.where(good, values, np.nan), np.array([known[report] for report in reports], dtype=np.int8)


def _is_good(code: str, source: str, variable: str) -> bool:
    code = code.split("-")[0]
    if code == "5" and source in _REMOVED:
        return False
    if code == "1" and source == _OVERFLOWN and variable in ("relative_humidity", "wind_speed"):
        return False
    return code in _GOOD or (code in _ACCEPTED and variable != "precipitation")
