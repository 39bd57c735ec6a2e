"""A CSV file or a DataFrame as a corpus in memory, so that its windows can be searched."""

from __future__ import annotations

import csv
from collections.abc import Hashable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from data_modules.corpus import Corpus, CorpusError, CorpusInfo, Record
from data_modules.csv_series import read_series_csv
from data_modules.frames import is_frame, read_frame
from data_modules.frequency import Frequency
from data_modules.input_series import TIME_COLUMNS, InputSeries
from trace_lit.channels import Channel

UNKNOWN_START, UNKNOWN_FREQUENCY = datetime(2000, 1, 1), "1h"  # of steps without times
_WINDOWS = 4  # that a series is cut into, at least, where it is long enough for its windows to have `_FEWEST` steps
_FEWEST = 12
_LONGEST_DAY = 144  # steps; of shorter ones, a window has sixty
_UNITS = (("D", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def series_corpus(data: Any, steps: int | None = None) -> Corpus:
    """The windows of a series, or of several in a list, one after another without overlap, as a corpus in memory.

    Parameters
    ----------
    data
        A DataFrame, see `read_frame`, or the path of a CSV file, see `read_series_csv`. Columns are channels by name, like
        `wind speed`, or name and unit, like `wind speed [m/s]`; a column `time` or the index is the time. Without times,
        steps count as hours.
    steps
        Of a window; by default 24 hours, 28 days, 26 weeks, 12 months. A remainder at the beginning is left out.

    Raises
    ------
    CorpusError
        It cannot be read, the times are not regular, or no window of so many steps has a value.
    """
    given = list(data) if isinstance(data, (list, tuple)) else [data]
    if not given:
        raise CorpusError("there is no series; give one at least")
    if steps is not None and steps < 1:
        raise CorpusError(f"steps is {steps}; it must be at least 1")
    headers = [_columns(one) for one in given]
    channels = tuple(dict.fromkeys(channel for columns in headers for channel in _channels(columns)))
    read = [_read(one, channels) for one in given]
    timed = [series for series in read if series.times is not None and len(series.times) > 1]
    frequency = _frequency(timed[0]) if timed else UNKNOWN_FREQUENCY
    known = Frequency.parse(frequency)
    records: list[Record] = []
    for number, series in enumerate(read):
        series = series.on_grid(known)
        values = np.full((len(channels), series.values.shape[1]), np.nan, np.float32)
        values[[channels.index(channel) for channel in series.channels]] = series.values
        length = steps or usual_steps(frequency, values.shape[1])
        begin = np.datetime64(series.start or UNKNOWN_START, "us")
        for first in range(values.shape[1] % length, values.shape[1] - length + 1, length):
            window = values[:, first : first + length]
            if np.isfinite(window).any():
                start = known.advance(begin, np.array([first]))[0].item()
                name = f"{start:%Y-%m-%dT%H:%M}" if series.start else f"step {first}"
                name = name if len(read) == 1 else f"{number}: {name}"
                records.append(Record(name, f"series {number}", start, window, "", [""] * len(channels), split="test"))
    if not records:
        longest = max(series.values.shape[1] for series in read)
        raise CorpusError(f"{read[0].source} has {longest} steps, too few for a window of {steps}; lower steps")
    name = Path(given[0]).stem if isinstance(given[0], (str, Path)) else "series"
    return Corpus.from_records(records, CorpusInfo("series", name, read[0].source, channels, frequency))


def _columns(data: Any) -> Sequence[Hashable]:
    if is_frame(data):
        return list(data.columns)
    if not isinstance(data, (str, Path)):
        raise CorpusError(f"a series is a DataFrame or the path of a CSV file, not of the type {type(data).__name__}")
    try:
        with Path(data).open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            return next((line for line in lines if any(cell.strip() for cell in line)), [])
    except FileNotFoundError:
        raise CorpusError(f"there is no file {data}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{data} is no CSV file in UTF-8: {error}") from None


def _channels(columns: Sequence[Hashable]) -> list[Channel]:
    """Those that columns name; units stand in brackets."""
    names = [str(column).strip() for column in columns]
    return [Channel.of_key(name) for name in names if name and name.casefold() not in TIME_COLUMNS]


def _read(data: Any, channels: Sequence[Channel]) -> InputSeries:
    return read_frame(data, channels) if is_frame(data) else read_series_csv(data, channels)


def _frequency(series: InputSeries) -> str:
    """The most frequent distance of two steps."""
    times = np.array(series.times, dtype="datetime64[s]")
    seconds = np.diff(times).astype(np.int64)
    found, counts = np.unique(seconds, return_counts=True)
    step = int(found[counts.argmax()])
    months = np.diff(times.astype("datetime64[M]").astype(np.int64))
    if 28 <= step / 86_400 <= 31 and (months == months[0]).all():
        return "MS"
    unit, size = next((unit, size) for unit, size in _UNITS if step % size == 0)
    return f"{step // size}{unit}"


def usual_steps(frequency: str, length: int) -> int:
    """Of a window: a day of hours, four weeks of days, half a year of weeks, a year of months; fewer of a short series."""
    known = Frequency.parse(frequency)
    hours = known.microseconds / 3.6e9
    if known.months:
        usual = 12
    elif hours < 12:
        day = round(24 / hours)
        usual = max(day, _FEWEST) if day <= _LONGEST_DAY else 60
    else:
        usual = 28 if hours < 100 else 26
    return min(usual, max(length // _WINDOWS, min(_FEWEST, length)))
