"""A series from a CSV file: the query of a search, or what a forecast goes on from."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError
from data_modules.frequency import Frequency
from trace_lit.channels import Channel

TIME_COLUMNS = ("time", "timestamp", "date", "datetime", "start")


@dataclass(frozen=True)
class CsvSeries:
    """What a CSV file holds."""

    values: NDArray[np.float32]  # (C, T), NaN where missing
    channels: tuple[Channel, ...]  # those of the file, in the order of `values`
    times: tuple[datetime, ...] | None  # naive UTC time of each step, if there is a column for it

    @property
    def start(self) -> datetime | None:
        return None if self.times is None else self.times[0]


def read_series_csv(path: str | Path, channels: Sequence[Channel], frequency: Frequency | None = None) -> CsvSeries:
    """Read a CSV file with a row a time step, oldest first, and a column a channel.

    The first line names the columns: a channel by its name (`temperature`) or its name and unit (`temperature [K]`),
    the time as one of `TIME_COLUMNS` in ISO 8601. Channels may be left out and come in any order; an empty cell (or
    "nan") is a missing value. Where there are times and a `frequency`, so is every step of it without a row.

    Raises
    ------
    CorpusError
        There is no such file, it has no rows, a column is unknown or named twice, a row has too many or too few cells,
        a cell is no number or no time, the times do not ascend, or one is between two steps of `frequency`.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file, strict=True))
    except FileNotFoundError:
        raise CorpusError(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path} is no CSV file in UTF-8: {error}") from None
    rows = [(number, line) for number, line in enumerate(lines, start=1) if any(cell.strip() for cell in line)]
    if not rows:
        raise CorpusError(f"{path} is empty; the first line must name the columns: {_names(channels)}")
    (_, header), *rows = rows
    if not rows:
        raise CorpusError(f"{path} has no rows below its header; give a row for each time step")
    for number, line in rows:
        if len(line) != len(header):
            raise CorpusError(f"{path}, line {number}: {len(line)} cells, the header has {len(header)} columns")

    time, columns = _columns(path, header, channels)
    values = np.array(
        [[_number(path, number, header[place], line[place]) for number, line in rows] for place, _ in columns],
        dtype=np.float32,
    )
    times = None if time is None else tuple(_time(path, number, line[time]) for number, line in rows)
    for earlier, later, (number, _) in zip(times or (), (times or ())[1:], rows[1:], strict=False):
        if later <= earlier:
            raise CorpusError(
                f"{path}, line {number}: {later} does not come after {earlier}; sort the rows, oldest first"
            )
    if not np.isfinite(values).any():
        raise CorpusError(f"{path} holds no value, only empty cells")
    if times is not None and frequency is not None:
        begin = np.datetime64(times[0], "us")
        steps = []
        for moment, (number, _) in zip(times, rows, strict=True):
            step = frequency.steps_between(begin, np.datetime64(moment, "us"))
            if step is None:
                raise CorpusError(
                    f"{path}, line {number}: {moment} is no whole number of steps after {times[0]}; "
                    f"a step is {frequency.span(1)}"
                )
            steps.append(step)
        filled = np.full((len(values), steps[-1] + 1), np.nan, dtype=np.float32)
        filled[:, steps] = values
        values = filled
        times = tuple(frequency.advance(begin, np.arange(filled.shape[1])).tolist())
    return CsvSeries(values, tuple(channel for _, channel in columns), times)


def _names(channels: Sequence[Channel]) -> str:
    return ", ".join(channel.key for channel in channels)


def _columns(
    path: Path, header: Sequence[str], channels: Sequence[Channel]
) -> tuple[int | None, list[tuple[int, Channel]]]:
    """The place of the time column, and places and channels of all others, in the order of `channels`."""
    by_name: dict[str, list[Channel]] = {}
    for channel in channels:
        for name in {channel.name.casefold(), channel.key.casefold()}:
            by_name.setdefault(name, []).append(channel)
    time: int | None = None
    found: dict[str, int] = {}
    for place, column in enumerate(header):
        name = column.strip().casefold()
        meant = by_name.get(name, [])
        if not meant and name in TIME_COLUMNS:
            if time is not None:
                raise CorpusError(f"{path}: the columns {header[time]!r} and {column!r} both give the time; keep one")
            time = place
        elif not meant:
            raise CorpusError(
                f"{path}: the column {column!r} is no channel of the corpus; the channels are {_names(channels)}, "
                f"and the time may stand in a column {', '.join(TIME_COLUMNS)}"
            )
        elif len(meant) > 1:
            raise CorpusError(f"{path}: the column {column!r} may be {_names(meant)}; write the name with its unit")
        elif meant[0].key in found:
            raise CorpusError(f"{path}: the channel {meant[0].key!r} has two columns")
        else:
            found[meant[0].key] = place
    if not found:
        raise CorpusError(f"{path} has no column of a channel; the channels are {_names(channels)}")
    return time, [(found[channel.key], channel) for channel in channels if channel.key in found]


def _number(path: Path, line: int, column: str, cell: str) -> float:
    if not cell.strip():
        return float("nan")
    try:
        number = float(cell)
    except ValueError:
        number = float("inf")
    if abs(number) > float(np.finfo(np.float32).max):
        raise CorpusError(
            f"{path}, line {line}, column {column!r}: {cell!r} is not a number; leave the cell of a missing value empty"
        )
    return number


def _time(path: Path, line: int, cell: str) -> datetime:
    try:
        time = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise CorpusError(
            f"{path}, line {line}: {cell!r} is not a time; write it like 2024-05-31 or 2024-05-31T18:00"
        ) from None
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
