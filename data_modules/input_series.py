"""A series that a user gives, whatever it is read from: the query of a search, or what a forecast goes on from."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError
from data_modules.frequency import Frequency
from data_modules.tables.columns import TIMES, is_time_name
from data_modules.tables.grid import Grid, check_reach, grid_of, tolerance_of, usual_frequency
from data_modules.tables.spec import channel_of
from trace_lit.channels import Channel

log = logging.getLogger(__name__)


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
                    f"{self.source}, {row}: {later} does not come after {earlier}; give each time once, oldest first"
                )
        if not np.isfinite(self.values).any():
            raise CorpusError(f"{self.source} holds no value")

    @property
    def start(self) -> datetime | None:
        return None if self.times is None else self.times[0]

    @property
    def frequency(self) -> str | None:
        """The most frequent distance of two times, like "1h"; None where they are not known, or there is only one.

        Raises
        ------
        CorpusError
            No distance is frequent.
        """
        if self.times is None or len(self.times) < 2:
            return None
        found = usual_frequency(np.array(self.times, dtype="datetime64[us]"))
        if not found:
            raise CorpusError(f"{self.source}: the times are irregular; resample the series to regular steps first")
        return found

    def evenly_spaced(self) -> InputSeries:
        """On the grid of its own frequency, see `on_grid`; as it is where that is not known.

        Raises
        ------
        CorpusError
            The times are irregular.
        """
        frequency = self.frequency
        return self if frequency is None else self.on_grid(Frequency.parse(frequency))

    def on_grid(self, frequency: Frequency) -> InputSeries:
        """With a step of `frequency` wherever there is none, missing in all channels; as it is where times are not known.

        A time that is late by up to a tenth of a step is moved onto its step.

        Raises
        ------
        CorpusError
            A time is between two steps of `frequency`, two are of one step, or one is so far
            from the others that nearly all steps would be missing.
        """
        if self.times is None:
            return self
        moments = np.array(self.times, dtype="datetime64[us]")
        tolerance = tolerance_of(frequency)
        grid = grid_of(moments, frequency, tolerance)
        steps, late = grid.nearest(moments)
        rows = self.rows or tuple(f"row {number}" for number in range(1, len(steps) + 1))
        if (off := np.abs(late) > tolerance).any():
            beside = np.abs(Grid(moments[0], frequency).nearest(moments)[1]) > tolerance
            row = int(np.flatnonzero(beside if beside.any() else off)[0])
            raise CorpusError(
                f"{self.source}, {rows[row]}: {self.times[row]} is no whole number of steps after {self.times[0]}; "
                f"a step is {frequency.span(1)}"
            )
        steps -= steps[0]
        reach = [f"{row}: {moment}" for row, moment in zip(rows, self.times, strict=True)]
        check_reach(steps, reach, len(steps), frequency, self.source)
        if (same := np.diff(steps) == 0).any():
            row = int(np.flatnonzero(same)[0])
            raise CorpusError(f"{self.source}, {rows[row]} and {rows[row + 1]} are of one step of {frequency.span(1)}")
        if late.any() and not frequency.months:
            log.warning(
                "%s: %d times lie beside their step and were moved onto it", self.source, int((late != 0).sum())
            )
        values = np.full((len(self.values), steps[-1] + 1), np.nan, dtype=self.values.dtype)
        values[:, steps] = self.values
        times = tuple(grid.times(values.shape[1]).tolist())
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
        meant = by_name.get(name) or by_name.get(channel_of(name).key, [])
        if not meant and is_time_name(name):
            if time is not None:
                raise CorpusError(
                    f"{source}: the columns {columns[time]!r} and {column!r} both give the time; keep one"
                )
            time = place
        elif not meant:
            raise CorpusError(
                f"{source}: the column {column!r} is no channel of the corpus; the channels are {channel_names(channels)}"
                f"{_nearest(name, channels)}, and the time may stand in a column {', '.join(TIMES[:5])}"
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
