"""Series from DataFrames and arrays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError
from data_modules.input_series import InputSeries, channel_names, match_columns
from data_modules.validation import LARGEST
from trace_lit.channels import Channel

if TYPE_CHECKING:
    import pandas as pd


def is_frame(data: Any) -> bool:
    """Whether `data` is a pandas DataFrame; nothing else needs pandas, which takes a while to import."""
    return hasattr(data, "columns") and hasattr(data, "iloc")


def read_frame(frame: pd.DataFrame, channels: Sequence[Channel], source: str = "the DataFrame") -> InputSeries:
    """A series from a DataFrame with a row a time step, oldest first, and a column a channel.

    A channel's column is its name (`wind speed`) or its name and unit (`wind speed [m/s]`). Channels may be left out and
    come in any order; NaN is a missing value. The index is the time, converted to UTC where it has a time zone; or a
    column is, see `TIME_COLUMNS`; a plain numbering is no time.

    Raises
    ------
    CorpusError
        It has no rows, a column is unknown, named twice or not of numbers, or the times do not ascend.
    """
    if not len(frame):
        raise CorpusError(f"{source} has no rows; give a row for each time step")
    time, columns = match_columns(source, list(frame.columns), channels)
    values = np.stack([_numbers(source, frame, place) for place, _ in columns])
    times = _times(source, frame.index if time is None else frame.iloc[:, time])
    rows = tuple(f"row {number}" for number in range(1, len(frame) + 1))
    return InputSeries(values, tuple(channel for _, channel in columns), times, source, rows)


def read_array(values: Any, channels: Sequence[Channel], source: str = "the array") -> InputSeries:
    """A series from an array (C, T) of all `channels`, in their order, NaN where missing.

    Raises
    ------
    CorpusError
        It has another shape, or holds something else than numbers.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CorpusError(f"{source} does not hold numbers: {error}") from None
    if array.ndim != 2 or len(array) != len(channels) or not array.shape[1]:
        raise CorpusError(
            f"{source} has the shape {array.shape}; it must be ({len(channels)}, steps), a row for each of "
            f"{channel_names(channels)} (a DataFrame may leave channels out)"
        )
    return InputSeries(_checked(source, array), tuple(channels), None, source)


def _numbers(source: str, frame: pd.DataFrame, place: int) -> NDArray[np.float64]:
    column = frame.iloc[:, place]
    where = f"{source}, column {str(frame.columns[place])!r}"
    try:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise CorpusError(f"{where}: not a number: {error}; a missing value is NaN") from None
    return _checked(where, values)


def _checked(where: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    if (wrong := np.abs(np.nan_to_num(values, nan=0.0)) > LARGEST).any():
        place = tuple(int(number) + 1 for number in np.argwhere(wrong)[0])
        row = f"row {place[-1]}" + (f" of channel {place[0]}" if len(place) > 1 else "")
        raise CorpusError(f"{where}, {row}: a value is infinite or above {LARGEST:g}; a missing value is NaN")
    return values


def _times(source: str, index: Any) -> tuple[datetime, ...] | None:
    """Naive UTC times of the rows; None where they are only numbered."""
    import pandas as pd

    if isinstance(index, pd.Series):
        index = pd.Index(index)
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if pd.api.types.is_integer_dtype(index):
        return None
    if not isinstance(index, pd.DatetimeIndex):
        try:
            index = pd.DatetimeIndex(pd.to_datetime(index, utc=True, format="ISO8601"))
        except (TypeError, ValueError):
            raise CorpusError(
                f"{source}: {index[0]!r} is no time; make the index times (pandas.to_datetime), or number the rows"
            ) from None
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    if index.hasnans:
        raise CorpusError(f"{source}: a time is missing (NaT); leave that row out")
    return tuple(index.to_numpy().astype("datetime64[us]").tolist())
