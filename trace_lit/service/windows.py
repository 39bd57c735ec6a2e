"""Windows as the API gives them: arrays by channel, and times in ISO 8601."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from starlette.responses import Response

from data_modules.figures import Window
from data_modules.input_series import InputSeries
from trace_lit.channels import Channel


class Json(Response):
    """An answer of plain types and arrays; a number that is not finite becomes null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return to_json(content)


def to_json(content: Any) -> bytes:
    """Plain types and arrays as JSON; numbers of an array have as many digits as their type holds."""
    return orjson.dumps(content, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def _plain(content: Any) -> Any:
    if isinstance(content, np.ndarray):  # orjson takes contiguous arrays alone
        return np.ascontiguousarray(content)
    raise TypeError(f"{type(content).__name__} is not written as JSON")


def as_values(values: NDArray[np.floating], channels: Sequence[Channel], times: Any) -> dict[str, Any]:
    """The values (C, T) of `channels`, and the times of their steps, where they are known."""
    by_channel = {channel.key: row for channel, row in zip(channels, values, strict=True)}
    return {"times": None if times is None else [iso(time) for time in times], "channels": by_channel}


def window_values(window: Window, channels: Sequence[Channel]) -> dict[str, Any]:
    """Those of a window of a corpus."""
    return as_values(window.values, channels, window.times)


def series_values(series: InputSeries) -> dict[str, Any]:
    """Those of a series that was asked about."""
    times = None if series.times is None else np.array(series.times, dtype="datetime64[s]")
    return as_values(series.values, series.channels, times)


def iso(time: Any) -> str | None:
    """A time to the second, like 2024-05-31T18:00:00; None for none."""
    return None if time is None else str(np.datetime64(time, "s"))
