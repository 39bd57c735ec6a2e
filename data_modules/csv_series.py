"""A series from a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from data_modules.corpus import CorpusError
from data_modules.frequency import Frequency
from data_modules.input_series import InputSeries, channel_names, match_columns
from data_modules.validation import LARGEST
from trace_lit.channels import Channel


def read_series_csv(path: str | Path, channels: Sequence[Channel], frequency: Frequency | None = None) -> InputSeries:
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
        raise CorpusError(f"{path} is empty; the first line must name the columns: {channel_names(channels)}")
    (_, header), *rows = rows
    if not rows:
        raise CorpusError(f"{path} has no rows below its header; give a row for each time step")
    for number, line in rows:
        if len(line) != len(header):
            raise CorpusError(f"{path}, line {number}: {len(line)} cells, the header has {len(header)} columns")

    time, columns = match_columns(str(path), header, channels)
    values = np.array(
        [[_number(path, number, header[place], line[place]) for number, line in rows] for place, _ in columns],
        dtype=np.float64,
    )
    times = None if time is None else tuple(_time(path, number, line[time]) for number, line in rows)
    lines_of = tuple(f"line {number}" for number, _ in rows)
    series = InputSeries(values, tuple(channel for _, channel in columns), times, str(path), lines_of)
    return series if frequency is None else series.on_grid(frequency)


def _number(path: Path, line: int, column: str, cell: str) -> float:
    if not cell.strip():
        return float("nan")
    try:
        number = float(cell)
    except ValueError:
        number = float("inf")
    if abs(number) > LARGEST:
        raise CorpusError(
            f"{path}, line {line}, column {column!r}: {cell[:60]!r} is not a number of at most {LARGEST:g}; leave the cell "
            "of a missing value empty"
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
