"""A series that a user gives, whatever it is read from: the query of a search, or what a forecast goes on from."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError
from data_modules.frequency import Frequency
from trace_lit.channels import Channel

FREE_STEPS = 10_000  # that a series may reach over, and steps a row
STEPS_A_ROW = 100
TIME_COLUMNS = ("time", "timestamp", "date", "datetime", "start")


@dataclass(frozen=True)
class InputSeries:
    """C channels of T steps.

    Raises
    ------
    CorpusError
        The times do not ascend, or there is no value.
    """

    values: NDArray[np.floating]  # (C, T), NaN where missing
    channels: tuple[Channel, ...]  # in the order of `values`
    times: tuple[datetime, ...] | None  # naive UTC time of each step, where it is known
    source: str = "the series"  # what it was read from, for messages
    rows: tuple[str, ...] = ()  # and where each step stands there, like "line 3"

    def __post_init__(self) -> None:
        times = self.times or ()
        for earlier, later, row in zip(times, times[1:], self.rows[1:], strict=False):
            if later <= earlier:
                raise CorpusError(
                    f"{self.source}, {row}: {later} does not come after {earlier}; sort the rows, oldest first"
                )
        if not np.isfinite(self.values).any():
            raise CorpusError(f"{self.source} holds no value")

    @property
    def start(self) -> datetime | None:
        return None if self.times is None else self.times[0]

    def on_grid(self, frequency: Frequency) -> InputSeries:
        """With a step of `frequency` wherever there is none, missing in all channels; as it is where times are not known.

        Raises
        ------
        CorpusError
            A time is between two steps of `frequency`, or so far from the others that nearly all steps would be missing.
        """
        if self.times is None:
            return self
        begin = np.datetime64(self.times[0], "us")
        steps = []
        for row, moment in zip(self.rows, self.times, strict=True):
            step = frequency.steps_between(begin, np.datetime64(moment, "us"))
            if step is None:
                raise CorpusError(
                    f"{self.source}, {row}: {moment} is no whole number of steps after {self.times[0]}; "
                    f"a step is {frequency.span(1)}"
                )
            steps.append(step)
            allowed = FREE_STEPS + STEPS_A_ROW * len(self.times)
            if steps[-1] >= allowed:
                raise CorpusError(
                    f"{self.source}, {row}: {moment} is {steps[-1]:,} steps of {frequency.span(1)} after {self.times[0]}; "
                    f"{len(self.times):,} rows may reach over {allowed:,}: is a year wrong?"
                )
        values = np.full((len(self.values), steps[-1] + 1), np.nan, dtype=self.values.dtype)
        values[:, steps] = self.values
        times = tuple(frequency.advance(begin, np.arange(values.shape[1])).tolist())
        return replace(self, values=values, times=times, rows=())


def match_columns(
    source: str, columns: Sequence[Hashable], channels: Sequence[Channel]
) -> tuple[int | None, list[tuple[int, Channel]]]:
    """The place of the time column, if there is one, and places and channels of all others, in the order of `channels`.

    A channel's column is its name, or its name and unit; letters may be of either case.

    Raises
    ------
    CorpusError
        A column is unknown, may be several channels, or is there twice; or there is none of a channel.
    """
    by_name: dict[str, list[Channel]] = {}
    for channel in channels:
        for name in {channel.name.casefold(), channel.key.casefold()}:
            by_name.setdefault(name, []).append(channel)
    time: int | None = None
    found: dict[str, int] = {}
    for place, column in enumerate(columns):
        name = str(column).strip().casefold()
        meant = by_name.get(name, [])
        if not meant and name in TIME_COLUMNS:
            if time is not None:
                raise CorpusError(
                    f"{source}: the columns {columns[time]!r} and {column!r} both give the time; keep one"
                )
            time = place
        elif not meant:
            raise CorpusError(
                f"{source}: the column {column!r} is no channel of the corpus; the channels are {channel_names(channels)}"
                f"{_nearest(name, channels)}, and the time may stand in a column {', '.join(TIME_COLUMNS)}"
            )
        elif len(meant) > 1:
            raise CorpusError(
                f"{source}: the column {column!r} may be {channel_names(meant)}; write the name with its unit"
            )
        elif meant[0].key in found:
            raise CorpusError(f"{source}: the channel {meant[0].key!r} has two columns")
        else:
            found[meant[0].key] = place
    if not found:
        raise CorpusError(f"{source} has no column of a channel; the channels are {channel_names(channels)}")
    return time, [(found[channel.key], channel) for channel in channels if channel.key in found]


def channel_names(channels: Sequence[Channel]) -> str:
    """The channels' names and units, for messages."""
    return ", ".join(channel.key for channel in channels)


def _nearest(name: str, channels: Sequence[Channel]) -> str:
    keys = {own.casefold(): channel.key for channel in channels for own in (channel.key, channel.name)}
    near = difflib.get_close_matches(name, list(keys), n=1)
    return f" (the nearest is {keys[near[0]]!r})" if near else ""
