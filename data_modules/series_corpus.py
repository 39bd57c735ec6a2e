"""A CSV file or a DataFrame as a corpus in memory, so that its windows can be searched."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from data_modules.corpus import Corpus, CorpusError, CorpusInfo, Record
from data_modules.frames import is_frame, read_frame, read_series
from data_modules.frequency import Frequency
from data_modules.input_series import InputSeries
from data_modules.tables.columns import is_time_name
from data_modules.tables.files import read_table
from data_modules.tables.spec import channel_of
from trace_lit.channels import Channel

UNKNOWN_START, UNKNOWN_FREQUENCY = datetime(2000, 1, 1), "1h"  # of steps without times
_WINDOWS = 4  # that a series is cut into, at least, where it is long enough for its windows to have `_FEWEST` steps
_FEWEST = 12
_LONGEST_DAY = 144  # steps; of shorter ones, a window has sixty


def series_corpus(data: Any, steps: int | None = None) -> Corpus:
    """The windows of a series, or of several in a list, one after another without overlap, as a corpus in memory.

    Parameters
    ----------
    data
        A DataFrame, see `read_frame`, or the path of a file, see `read_series`. Columns are channels by name, like
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
    frequency = next((own for series in read if (own := series.frequency)), UNKNOWN_FREQUENCY)
    known = Frequency.parse(frequency)
    records: list[Record] = []
    for number, series in enumerate(read):
        series = series.on_grid(known)
        values = np.full((len(channels), series.values.shape[1]), np.nan)
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
        raise CorpusError(f"a series is a DataFrame or the path of a file, not of the type {type(data).__name__}")
    return list(read_table(Path(data)).frame.columns)


def _channels(columns: Sequence[Hashable]) -> list[Channel]:
    """Those that columns name; units stand in brackets."""
    names = [str(column).strip() for column in columns]
    return [channel_of(name) for name in names if name and not is_time_name(name)]


def _read(data: Any, channels: Sequence[Channel]) -> InputSeries:
    return read_frame(data, channels) if is_frame(data) else read_series(data, channels)


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
        usual = 26 if hours > 100 else 20 if known.business else 28
    return min(usual, max(length // _WINDOWS, min(_FEWEST, length)))
