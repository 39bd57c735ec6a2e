"""The data of TimeCAP (AAAI 2025): series in pickles, one report of a language model on each window.

weather/     time_series_<city>.pkl (steps, 5), indices.pkl, dates.pkl, rain_<city>.pkl
healthcare/  time_series_<table>.pkl (weeks, 1 + C) of strings, indices_<table>.pkl, labels_<table>.pkl
<either>/gpt_summary/<city>_<start>.txt or <start>_<table>.txt
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, CorpusInfo, Record
from data_modules.sources.timecap_events import read_events, with_events
from data_modules.unpickle import load_pickle
from data_modules.validation import LARGEST
from trace_lit.channels import Channel
from trace_lit.errors import first_line
from trace_lit.plain import check_file

CITIES = {"ny": "New York", "hs": "Houston", "sf": "San Francisco"}
HOURS = 24
WEATHER_CHANNELS = (
    Channel("relative humidity", "%", "how moist the air is near the ground; 100 % is saturated, damp or foggy air"),
    Channel("air pressure", "hPa", "atmospheric pressure; high is settled and clear, low or falling unsettled weather"),
    Channel("air temperature", "K", "how warm or cold the air is near the ground; 273.15 K is freezing"),
    Channel("wind speed", "m/s", "how strongly the wind blows: calm, breezy, gusty"),
    Channel("wind u", "m/s", "eastward wind component; positive for a westerly wind, negative for an easterly wind"),
    Channel("wind v", "m/s", "northward wind component; positive for a southerly wind, negative for a northerly wind"),
)
WEATHER_LABELS = ("no rain in the next 24 hours", "rain in the next 24 hours")

WEEKS = 20
HEALTHCARE_TABLES = {  # the channels behind the season and week of each row
    "mortality": (
        Channel("influenza deaths", "deaths", "people who died of influenza in the week"),
        Channel("pneumonia deaths", "deaths", "people who died of pneumonia in the week"),
        Channel("all deaths", "deaths", "people who died of any cause in the week"),
        Channel("influenza and pneumonia death ratio", "%", "deaths from influenza or pneumonia of all deaths"),
    ),
    "positive": (
        Channel("specimens tested", "specimens", "respiratory specimens tested for influenza in the week"),
        Channel("influenza A positives", "specimens", "specimens that tested positive for influenza A"),
        Channel("influenza B positives", "specimens", "specimens that tested positive for influenza B"),
        Channel("influenza positive ratio", "%", "specimens that tested positive for influenza of those tested"),
        Channel("influenza A ratio", "%", "specimens that tested positive for influenza A of those tested"),
        Channel("influenza B ratio", "%", "specimens that tested positive for influenza B of those tested"),
    ),
}
HEALTHCARE_LABELS = {
    "mortality": ("death ratio not above average in the next week", "death ratio above average in the next week"),
    "positive": ("positive ratio not above average in the next week", "positive ratio above average in the next week"),
}


def weather(
    root: str | Path, cities: Sequence[str] | None = None, events: Any = None
) -> tuple[CorpusInfo, Iterator[Record]]:
    """Hourly weather of cities in windows of 24 hours; `cities` like ("ny", "hs"), None: all that are there.

    `events` names files of Storm Events, one or a list: a window during which one of the city's events lasts is there once
    more for each of them, with the event's text.

    The series start at midnight UTC: `dates.pkl` has 24 steps for each day, and over the years temperature is lowest at
    steps 10 and 11 and highest at steps 19 and 20 of a day, which is dawn and afternoon in New York and Houston.
    The wind's direction, the angle that it comes from, is replaced by the components u and v.

    Raises
    ------
    CorpusError
        The data are not in `root`, nor a city in the data; a file is damaged or of another form.
    """
    folder = folder_of(root, "weather", "time_series_*.pkl")
    found = sorted(path.stem.removeprefix("time_series_") for path in folder.glob("time_series_*.pkl"))
    chosen = chosen_of(cities, found, "city", folder)
    info = CorpusInfo(
        domain="weather",
        name="timecap-weather-" + "-".join(chosen),
        source="timecap",
        channels=WEATHER_CHANNELS,
        frequency="1h",
        label_names=WEATHER_LABELS,
        description=(
            f"Hourly weather of {', '.join(CITIES.get(city, city) for city in chosen)}, 2012 to 2017, with a report on "
            "each day (TimeCAP, AAAI 2025). Times are UTC. The label tells whether it rains in the next 24 hours."
        ),
    )
    starts = starts_of(folder / "indices.pkl")
    first = _first_midnight(folder / "dates.pkl")
    records = _weather_records(folder, chosen, starts, first)
    return info, records if events is None else with_events(records, read_events(events), HOURS)


def _weather_records(folder: Path, cities: Sequence[str], starts: list[int], first: datetime) -> Iterator[Record]:
    for city in cities:
        path = folder / f"time_series_{city}.pkl"
        table = table_of(load_pickle(path), path, columns=5)
        humidity, pressure, temperature, speed, direction = table
        angle = np.deg2rad(direction)
        u, v = (np.round(-speed * part, 3) + 0.0 for part in (np.sin(angle), np.cos(angle)))  # neither -0 nor 1e-16
        values = np.stack([humidity, pressure, temperature, speed, u, v]).astype(np.float32)
        for start, label in _windows(starts, values.shape[1], HOURS, folder / f"rain_{city}.pkl"):
            yield Record(
                id=f"{city}_{start}",
                series_id=city,
                start=first + timedelta(hours=start),
                values=values[:, start : start + HOURS],
                text=report(folder / "gpt_summary" / f"{city}_{start}.txt"),
                label=WEATHER_LABELS[label],
            )


def healthcare(root: str | Path, tables: Sequence[str] | None = None) -> tuple[CorpusInfo, Iterator[Record]]:
    """Weekly influenza figures of the United States in windows of 20 weeks; None: all tables that are there.

    Weeks are those of the CDC, counted from 1 January: "2016-17 01" is the first week of 2017, and the first peak of
    the pandemic stands in weeks 15 and 16 of season 2019-20. Upstream sorts each season by week number, so that weeks
    40 to 53, which open a season in October, stand behind week 39; windows, reports and labels follow that order. It is
    kept, and rows are dated one week after another from the first on: weeks 1 to 39 are dated right to a week, weeks 40
    to 53 a year late. Which windows share rows and the season of the year are right for all.

    Two tables in one corpus have the channels of both; those of the other table are missing.

    Raises
    ------
    CorpusError
        The data are not in `root`, nor a table in the data; a file is damaged or of another form.
    """
    folder = folder_of(root, "healthcare", "time_series_*.pkl")
    found = [table for table in HEALTHCARE_TABLES if (folder / f"time_series_{table}.pkl").is_file()]
    chosen = chosen_of(tables, found, "table", folder)
    info = CorpusInfo(
        domain="healthcare",
        name="timecap-healthcare-" + "-".join(chosen),
        source="timecap",
        channels=tuple(channel for table in chosen for channel in HEALTHCARE_TABLES[table]),
        frequency="7D",
        label_names=tuple(name for table in chosen for name in HEALTHCARE_LABELS[table]),
        description=(
            f"Weekly influenza figures of the United States ({', '.join(chosen)}), with a report on each 20 weeks "
            "(TimeCAP, AAAI 2025). The label tells whether the ratio exceeds its average in the next week. "
            "Weeks 40 to 53 of a season stand behind its week 39, as upstream has them, and are dated a year late."
        ),
    )
    return info, _healthcare_records(folder, chosen)


def _healthcare_records(folder: Path, tables: Sequence[str]) -> Iterator[Record]:
    channels = sum(len(HEALTHCARE_TABLES[table]) for table in tables)
    place = 0
    for table in tables:
        width = len(HEALTHCARE_TABLES[table])
        path = folder / f"time_series_{table}.pkl"
        weeks, rows = dated_table(path, width)
        values = np.full((channels, rows.shape[1]), np.nan, dtype=np.float32)
        values[place : place + width] = rows
        place += width
        first = _week_start(str(weeks[0]), path)
        starts = starts_of(folder / f"indices_{table}.pkl")
        for start, label in _windows(starts, values.shape[1], WEEKS, folder / f"labels_{table}.pkl"):
            yield Record(
                id=f"{table}_{start}",
                series_id=table,
                start=first + timedelta(weeks=start),
                values=values[:, start : start + WEEKS],
                text=report(folder / "gpt_summary" / f"{start}_{table}.txt"),
                label=HEALTHCARE_LABELS[table][label],
            )


def folder_of(root: str | Path, domain: str, pattern: str) -> Path:
    """The domain's folder: `root` itself, or inside of it."""
    root = Path(root)
    for folder in (root / domain, root):
        if any(folder.glob(pattern)):
            return folder
    raise CorpusError(f"no TimeCAP {domain} data in {root}: looked for {pattern} in {root / domain} and in {root}")


def chosen_of(asked: Sequence[str] | None, found: Sequence[str], kind: str, folder: Path) -> list[str]:
    """Those asked for, each once, or all that were found; CorpusError where one is not there."""
    if asked is None:
        if not found:
            raise CorpusError(f"no {kind} that is known has data in {folder}")
        return list(found)
    if isinstance(asked, str):
        asked = [asked]
    if not isinstance(asked, Sequence) or not asked:
        raise CorpusError(
            f"the {kind} is {str(asked)[:60]!r}; give one or a list; there are: {', '.join(found) or 'none'}"
        )
    for name in asked:
        if name not in found:
            raise CorpusError(f"no {kind} {name!r} in {folder}; there are: {', '.join(found) or 'none'}")
    return list(dict.fromkeys(asked))


def table_of(raw: Any, path: Path, columns: int) -> NDArray[np.float64]:
    """(columns, rows) as numbers; NaN where missing."""
    try:
        given = np.asarray(raw)
        if given.dtype.kind in "cmM":
            raise TypeError(f"it holds {given.dtype}")
        table = given.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise CorpusError(f"{path}: not a table of numbers: {first_line(error)}") from None
    if table.ndim != 2 or table.shape[1] != columns or not len(table):
        raise CorpusError(f"{path}: the table of values has shape {table.shape}; expected (rows, {columns})")
    if (large := np.abs(np.nan_to_num(table)) > LARGEST).any():
        row, column = (int(place) for place in np.argwhere(large)[0])
        raise CorpusError(
            f"{path}, row {row}, column {column}: {table[row, column]:g} is infinite or above {LARGEST:g}"
        )
    return table.T


def dated_table(path: Path, columns: int) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """The first column (rows,) of a table in a pickle, which is about time, and the others (columns, rows) as numbers."""
    raw = load_pickle(path)
    try:
        rows = np.asarray(raw, dtype=object)
    except ValueError as error:  # rows of unequal lengths
        raise CorpusError(f"{path}: not a table: {first_line(error)}") from None
    if rows.ndim != 2 or rows.shape[1] != 1 + columns:
        raise CorpusError(f"{path}: the table has the shape {rows.shape}; expected (rows, {1 + columns})")
    return rows[:, 0], table_of(rows[:, 1:], path, columns)


def list_of(path: Path) -> list[Any]:
    """The list, or the array with one dimension, in a pickle."""
    content = load_pickle(path)
    if isinstance(content, np.ndarray) and content.ndim == 1:
        content = content.tolist()
    if not isinstance(content, (list, tuple)):
        raise CorpusError(f"{path} holds a {type(content).__name__}; it must be a list, or an array of one dimension")
    return list(content)


def starts_of(path: Path) -> list[int]:
    """The steps at which windows start, each once."""
    starts = list_of(path)
    for place, start in enumerate(starts):
        if isinstance(start, bool) or not isinstance(start, (int, np.integer)):
            raise CorpusError(f"{path}: item {place} is {str(start)[:60]!r}; it must be the whole number of a step")
    return [int(start) for start in starts]


def _windows(starts: Sequence[int], steps: int, length: int, path: Path) -> Iterator[tuple[int, int]]:
    """Each window's start, and its label as 0 or 1, from the file `path`."""
    labels = list_of(path)
    if len(labels) != len(starts):
        raise CorpusError(f"{path}: {len(labels)} labels for {len(starts)} windows")
    for start, label in zip(starts, labels, strict=True):
        if start < 0 or start + length > steps:
            raise CorpusError(f"{path.parent}: the window at {start} needs {length} steps, the series has {steps}")
        if not isinstance(label, (bool, int, float, np.generic)) or label not in (0, 1):
            raise CorpusError(f"{path}: the label of the window at {start} is {str(label)[:60]!r}; it must be 0 or 1")
        yield start, int(label)


def _first_midnight(path: Path) -> datetime:
    """The time of the first step; every day must have its 24 steps."""
    try:
        days = np.array(list_of(path), dtype="datetime64[D]")
    except (TypeError, ValueError, OverflowError) as error:
        raise CorpusError(f"{path}: it must hold days like 2012-10-01: {first_line(error)}") from None
    if days.ndim != 1 or not len(days) or np.isnat(days).any():
        raise CorpusError(f"{path}: it must hold a day like 2012-10-01 for each step")
    expected = days[0] + np.arange(len(days)) // HOURS
    if not np.array_equal(days, expected):
        step = int(np.argmax(days != expected))
        raise CorpusError(
            f"{path}: step {step} is dated {days[step]}, hourly steps from {days[0]} 00:00 on give {expected[step]}"
        )
    try:
        return datetime.fromisoformat(str(days[0]))
    except ValueError:
        raise CorpusError(f"{path}: the first day is {days[0]}; it must be like 2012-10-01") from None


def _week_start(season_week: str, path: Path) -> datetime:
    """The Sunday on which a CDC week starts; "2016-17 01" is the first week of 2017."""
    try:
        season, week = season_week.split()
        year, number = int(season.split("-")[0]) + 1, int(week)
        if not (1900 <= year <= 2200 and 1 <= number <= 53):
            raise ValueError
    except ValueError:
        raise CorpusError(f"{path}: {season_week[:60]!r} is no season and week like '2016-17 01'") from None
    if number >= 40:  # a season opens in October
        year -= 1
    fourth = datetime(year, 1, 4)  # always lies in the first week
    return fourth - timedelta(days=fourth.isoweekday() % 7) + timedelta(weeks=number - 1)


def report(path: Path) -> str:
    """The text of a file, "" where there is none."""
    try:
        check_file(path)
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8 text: {error}") from None
