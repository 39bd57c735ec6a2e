"""Files in the forms of NOAA's, with known content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

SHARED = Path(__file__).parents[4] / "shared" / "data" / "noaa"
VARIABLES = (
    *("temperature", "precipitation", "relative_humidity", "visibility", "wind_speed", "wind_direction"),
    *("sea_level_pressure", "sky_cover_summation_1", "sky_cover_summation_2", "sky_cover_layer_1"),
)
PARTS = ("", "_Measurement_Code", "_Quality_Code", "_Report_Type", "_Source_Code", "_Source_Station_ID")
HEAD = ["STATION", "Station_name", "DATE", "LATITUDE", "LONGITUDE", "ELEVATION"]
COLUMNS = [*HEAD, *(variable + part for variable in VARIABLES for part in PARTS)]
LA_GUARDIA = {"STATION": "USW00014732", "Station_name": "LA GUARDIA", "LATITUDE": "40.7792", "LONGITUDE": "-73.8800"}


def report(date: str, kind: str = "FM15", **cells: str) -> dict[str, str]:
    """A row of GHCN-hourly 1.1.0; a cell is named like temperature or temperature_Quality_Code."""
    row = {**LA_GUARDIA, "DATE": date, "ELEVATION": "3.0"}
    for variable in VARIABLES:
        if variable in cells:
            row |= {f"{variable}_Report_Type": kind, f"{variable}_Source_Code": "343", f"{variable}_Quality_Code": "1"}
    return row | cells


def write_psv(path: Path, rows: Iterable[Mapping[str, str]], columns: Iterable[str] = COLUMNS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["|".join(columns), *("|".join(row.get(name, "") for name in columns) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def season(first: datetime, days: int, station: Mapping[str, str] = LA_GUARDIA, seed: int = 0) -> list[dict[str, str]]:
    """A routine report at minute 51 of each hour."""
    rng = np.random.default_rng(seed)
    values = pd.DataFrame({"t": rng.normal(10, 5, 24 * days), "s": rng.uniform(0, 9, 24 * days)}).round(1)
    rows = []
    for hour, (t, s) in enumerate(values.itertuples(index=False)):
        rows.append(
            report(
                f"{first + timedelta(hours=hour - 1, minutes=51):%Y-%m-%dT%H:%M:%S}",
                temperature=f"{t}",
                precipitation=f"{hour % 3 * 0.5}",
                relative_humidity="60",
                wind_speed=f"{s}",
                wind_direction="270",
                visibility="16.093",
                sea_level_pressure="1015.0",
                sky_cover_summation_1="BKN:07",
            )
            | station
        )
    return rows


EVENT_COLUMNS = (
    *("BEGIN_YEARMONTH", "BEGIN_DAY", "BEGIN_TIME", "END_YEARMONTH", "END_DAY", "END_TIME", "EPISODE_ID", "EVENT_ID"),
    *("STATE", "STATE_FIPS", "EVENT_TYPE", "CZ_TYPE", "CZ_FIPS", "CZ_NAME", "CZ_TIMEZONE", "SOURCE", "BEGIN_LAT"),
    *("BEGIN_LON", "EPISODE_NARRATIVE", "EVENT_NARRATIVE"),
)


def event(number: int, day: str, time: str, **cells: str) -> dict[str, str]:
    """A row of the bulk files: at La Guardia, on a day like 20190310."""
    at_once = {"END_YEARMONTH": day[:6], "END_DAY": str(int(day[6:])), "END_TIME": time}
    began = {"BEGIN_YEARMONTH": day[:6], "BEGIN_DAY": str(int(day[6:])), "BEGIN_TIME": time}
    where = {"STATE": "NEW YORK", "STATE_FIPS": "36", "CZ_TYPE": "C", "CZ_FIPS": "81", "CZ_NAME": "QUEENS"}
    place = {"CZ_TIMEZONE": "EST-5", "BEGIN_LAT": "40.75", "BEGIN_LON": "-73.87"}
    told = {"EVENT_TYPE": "Flash Flood", "EVENT_NARRATIVE": f"Street {number} was under water."}
    return {"EVENT_ID": str(number), **began, **at_once, **where, **place, **told, **cells}


def write_events(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    pd.DataFrame([{name: row.get(name, "") for name in EVENT_COLUMNS} for row in rows]).to_csv(path, index=False)
    return path
