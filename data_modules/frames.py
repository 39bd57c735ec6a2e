"""Series from files, DataFrames and arrays: what people hand to a model."""

from __future__ import annotations

import logging
import reprlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError
from data_modules.frequency import Frequency
from data_modules.input_series import InputSeries, channel_names, match_columns
from data_modules.tables.cells import numbers_the_rows
from data_modules.tables.columns import is_time_name, read_time_column, time_columns
from data_modules.tables.files import read_table
from data_modules.tables.numbers import NumberStyle, to_numbers
from data_modules.tables.rows import by_its_name, moments_of
from data_modules.tables.table import Table
from data_modules.tables.times import ASKED, read_times
from data_modules.tables.zones import zone_of
from data_modules.validation import LARGEST
from trace_lit.channels import Channel

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


def is_frame(data: Any) -> bool:
    """Whether `data` is a pandas DataFrame; nothing else needs pandas, which takes a while to import."""
    return hasattr(data, "columns") and hasattr(data, "iloc")


def read_series(
    path: str | Path, channels: Sequence[Channel], frequency: Frequency | None = None, zone: str = "UTC"
) -> InputSeries:
    """Read a CSV, TSV, Excel or Parquet file with a row a time step and a column a channel.

    A channel's column is its name (`temperature`) or its name and unit (`temperature [K]`), the time's one of
    `TIME_COLUMNS`. Separator, decimal mark and form of times are found out. Channels may be left out and come in any
    order; an empty cell (or "nan") is a missing value. Rows are sorted by time. Where there are times and a `frequency`, so
    is every step of it without a row. Times without an offset are those of `zone`.

    Raises
    ------
    CorpusError
        There is no such file, it has no rows, a column is unknown or named twice, a cell is no number or no time, a time
        comes twice, or one is between two steps of `frequency`.
    """
    table = read_table(Path(path), texts=is_time_name)
    check_table(table)
    rows = [table.place(row) for row in range(len(table.frame))]
    frame = _with_one_time(table)
    time, columns = match_columns(str(path), list(frame.columns), channels)
    series = _series(frame, time, columns, str(path), rows, table.layout.style, zone)
    return series if frequency is None else series.on_grid(frequency)


def check_table(table: Table) -> None:
    """CorpusError where a table has no rows, or a line with too few cells."""
    if table.short:
        raise CorpusError(
            f"{table.path}, line {table.short[0]} has fewer cells than the header has columns ({len(table.frame.columns)})"
        )
    if not len(table.frame):
        raise CorpusError(f"{table.path} has no rows below its header; give a row for each time step")


def _with_one_time(table: Table) -> pd.DataFrame:
    """The cells with one column of times where a day and a time of day, or year, month and day, have their own.

    A column that only numbers the rows is left out.
    """
    import pandas as pd

    frame = table.frame.drop(columns=[name for name in table.frame.columns if numbers_the_rows(table, str(name))])
    if not any(is_time_name(str(name)) for name in frame.columns):
        return frame
    names = time_columns(table)
    if len(names) < 2:
        return frame
    times = by_its_name(read_time_column(table, names, ""), names)
    moments = pd.Series(times.local, index=frame.index)
    return frame.drop(columns=names).assign(time=moments.dt.tz_localize("UTC") if times.aware.all() else moments)


def read_frame(
    frame: pd.DataFrame, channels: Sequence[Channel], source: str = "the DataFrame", zone: str = "UTC"
) -> InputSeries:
    """A series from a DataFrame with a row a time step and a column a channel.

    A channel's column is its name (`wind speed`) or its name and unit (`wind speed [m/s]`). Channels may be left out and
    come in any order; NaN is a missing value. The index is the time, converted to UTC where it has a time zone; or a
    column is, see `TIME_COLUMNS`; a plain numbering is no time. Times without a zone are those of `zone`.

    Raises
    ------
    CorpusError
        It has no rows, a column is unknown, named twice or not of numbers, or a time comes twice.
    """
    import pandas as pd

    if not len(frame):
        raise CorpusError(f"{source} has no rows; give a row for each time step")
    time, columns = match_columns(source, list(frame.columns), channels)
    rows = [f"row {number}" for number in range(1, len(frame) + 1)]
    if time is None and not pd.api.types.is_integer_dtype(frame.index):
        return _series(frame, frame.index.to_series(), columns, source, rows, NumberStyle(), zone)
    return _series(frame, time, columns, source, rows, NumberStyle(), zone)


def _series(
    frame: pd.DataFrame,
    time: int | pd.Series | None,
    columns: Sequence[tuple[int, Channel]],
    source: str,
    rows: Sequence[str],
    style: NumberStyle,
    zone: str,
) -> InputSeries:
    """The series in the `columns` of a table; `time` is the place of the column of the time, or these times themselves."""
    values = np.stack(
        [numbers_in(frame.iloc[:, place], source, rows, style, channel.unit) for place, channel in columns]
    )
    channels = tuple(channel for _, channel in columns)
    if time is None:
        return InputSeries(values, channels, None, source, tuple(rows))
    times = times_in(frame.iloc[:, time] if isinstance(time, int) else time, source, rows, zone)
    order = np.argsort(times, kind="stable")
    if (order != np.arange(len(order))).any() and (np.diff(times) > np.timedelta64(0)).any():
        log.warning("%s: the rows are not in order of time; they were sorted", source)
    moments: list[datetime] = times[order].tolist()
    return InputSeries(values[:, order], channels, tuple(moments), source, tuple(rows[place] for place in order))


def read_array(values: Any, channels: Sequence[Channel], source: str = "the array") -> InputSeries:
    """A series from an array (C, T) of all `channels`, in their order, NaN (or masked) where missing.

    Raises
    ------
    CorpusError
        It is no array, has another shape, or holds something else than numbers.
    """
    try:
        given = np.ma.asarray(values)
        array = None if given.dtype.kind in "cmM" or not given.ndim else np.ma.filled(given.astype(np.float64), np.nan)
    except (TypeError, ValueError):
        array = None
    if array is None:
        raise CorpusError(
            f"{source} does not hold numbers but {reprlib.repr(values)} ({type(values).__name__}); give a DataFrame, an "
            "array (channels, steps) of numbers, or the path of a CSV file"
        )
    if array.ndim != 2 or len(array) != len(channels) or not array.shape[1]:
        raise CorpusError(
            f"{source} has the shape {array.shape}; it must be ({len(channels)}, steps), a row for each of "
            f"{channel_names(channels)} (a DataFrame may leave channels out)"
        )
    return InputSeries(_checked(source, array), tuple(channels), None, source)


def numbers_in(
    cells: pd.Series, source: str, rows: Sequence[str], style: NumberStyle, unit: str
) -> NDArray[np.float64]:
    """The numbers (N,) of a column, NaN where missing; CorpusError names the first of the `rows` that is none."""
    values, wrong = to_numbers(cells, style, unit)
    wrong |= np.abs(np.nan_to_num(values)) > LARGEST
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise CorpusError(
            f"{source}, {rows[row]}, column {str(cells.name)!r}: {str(cells.iloc[row])[:60]!r} is not a number of at most "
            f"{LARGEST:g}; a missing value is an empty cell or NaN"
        )
    return values


def times_in(cells: pd.Series, source: str, rows: Sequence[str], zone: str) -> NDArray[np.datetime64]:
    """The times (N,) of the rows: UTC, or the days that are written where no row has a time of day."""
    read = read_times(cells)
    if (wrong := np.isnat(read.local)).any():
        row = int(np.flatnonzero(wrong)[0])
        written = "is empty" if not read.wrong[row] else f"is {cells.iloc[row]!r}, which is no time"
        raise CorpusError(f"{source}, {rows[row]}: the time {written}; write it like 2024-05-31 or 2024-05-31T18:00")
    if read.doubt and read.kind in ASKED:
        raise CorpusError(f"{source}: {read.doubt}; write times like 2024-05-31 or 2024-05-31T18:00")
    moments = moments_of(by_its_name(read, [str(cells.name)]), zone_of(zone))
    if moments.dates:
        return moments.wall
    if moments.nonexistent.any():
        row = int(np.flatnonzero(moments.nonexistent)[0])
        raise CorpusError(
            f"{source}, {rows[row]}: {cells.iloc[row]} does not exist in the zone {zone}, as clocks are put forward; write "
            "times with their offset, like 2024-05-31T18:00+01:00"
        )
    return moments.utc


def _checked(where: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    if (wrong := np.abs(np.nan_to_num(values, nan=0.0)) > LARGEST).any():
        channel, step = (int(number) + 1 for number in np.argwhere(wrong)[0])
        raise CorpusError(
            f"{where}, row {step} of channel {channel}: a value is infinite or above {LARGEST:g}; a missing value is NaN"
        )
    return values
