"""One long series in a CSV file, cut as the literature's protocols cut it: the ETT data, electricity, traffic, weather, …

The first column is the time, or one that is named; the others are channels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, CorpusInfo, Record
from data_modules.frequency import Frequency
from data_modules.sources.borders import parts_of
from data_modules.sources.delimited import SHOWN, Table, header_of, read_table
from trace_lit.channels import Channel
from trace_lit.nearest import nearest_place

KNOWN = {  # columns of the ETT data
    "HUFL": Channel("high useful load", "", "of the transformer"),
    "HULL": Channel("high useless load", "", "of the transformer"),
    "MUFL": Channel("middle useful load", "", "of the transformer"),
    "MULL": Channel("middle useless load", "", "of the transformer"),
    "LUFL": Channel("low useful load", "", "of the transformer"),
    "LULL": Channel("low useless load", "", "of the transformer"),
    "OT": Channel("oil temperature", "°C", "of the transformer, the target"),
}
_UNIT = re.compile(r"(.*?)\s*[\[(]([^\[\]()]*)[\])]")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
_MISSING = frozenset(("", "NA", "NaN", "nan", "null", "N/A"))


def series(
    root: str | Path,
    domain: str,
    file: str = "",
    time: str = "",
    length: int = 96,
    split: Mapping[str, Any] | None = None,
    channels: Mapping[str, Any] | None = None,
    frequency: str = "",
) -> tuple[CorpusInfo, Iterator[Record]]:
    """The series in windows of `length` steps, one behind another; a part's last window takes what is left, too.

    Parameters
    ----------
    file
        The file below `root`, where that is a folder.
    time
        The column with the times, by default the first one. They ascend by equal steps, without a gap.
    split
        Where the series is cut, see `data_modules.sources.borders.parts_of`: {train: 12 months, validation: 4 months, test:
        4 months} for ETT, whose months have 30 days; by default 70, 10 and 20 %.
    channels
        The columns to take with the name and unit of each, like {OT: "oil temperature [°C]"}; all by default.
    frequency
        Of the steps, like "1h"; by default what lies between the first two times.

    Raises
    ------
    CorpusError
        There is no such file or column, a cell cannot be used, or the times have a gap.
    """
    path = _path(Path(root), file)
    if length < 1:
        raise CorpusError(f"length is {length}; it must be a whole number of at least 1")
    there = header_of(path)
    clock = time.lower() or there[0].lower()
    described = _channels(channels, [name for name in there if name and name.lower() != clock])
    table = read_table(path, [clock, *described])
    times = _times(table, clock)
    alias = _frequency(times, frequency, table)
    values = np.stack([_values(table, name) for name in described])
    info = CorpusInfo(
        domain=domain,
        name=domain,
        source=f"csv {path.name}",
        channels=tuple(described.values()),
        frequency=alias,
        description=f"The series in {path.name}, in windows of {length} steps, cut in time as {split or 'by default'} says.",
    )
    return info, _records(path.stem, times, values, parts_of(split, times), length)


def _path(root: Path, file: str) -> Path:
    path = root / file if file else root
    try:
        below = not file or path.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError):  # no name of a file
        below = False
    if not below:
        raise CorpusError(f"file is {file!r}; it must be below {root}")
    if path.is_dir():
        found = sorted(own.name for own in path.glob("*.csv"))
        if len(found) != 1:
            raise CorpusError(
                f"{path} holds {len(found)} CSV files ({', '.join(found)[:200]}); name one by file=NAME.csv"
            )
        path = path / found[0]
    if not path.is_file():
        raise CorpusError(f"there is no file {path}{nearest_place(path)}")
    return path


def _channels(given: Mapping[str, Any] | None, there: list[str]) -> dict[str, Channel]:
    """The channels by their columns."""
    if given is None:
        return {name: _channel(name) for name in there}
    if (
        not isinstance(given, Mapping)
        or not given
        or not all(isinstance(text, str) and text for text in given.values())
    ):
        raise CorpusError(
            f"channels is {given!r}; give columns with names and units, like {{OT: 'oil temperature [°C]'}}"
        )
    if missing := [str(name) for name in given if str(name).lower() not in map(str.lower, there)]:
        raise CorpusError(f"channels: there is no column {missing[0]!r}; there are {', '.join(there)[:200]}")
    return {str(name): _channel(text) for name, text in given.items()}


def _channel(text: str) -> Channel:
    if text in KNOWN:
        return KNOWN[text]
    match = _UNIT.fullmatch(text)
    return Channel(match[1], match[2]) if match and match[1] else Channel(text, "")


def _times(table: Table, clock: str) -> NDArray[np.datetime64]:
    times = np.empty(len(table), dtype="datetime64[us]")
    for row, cell in enumerate(table.columns[clock]):
        try:
            times[row] = datetime.fromisoformat(cell).replace(tzinfo=None)
        except ValueError:
            raise CorpusError(
                f"{table.where(row)}: {clock} is {cell[:SHOWN]!r}, which is no time like 2016-07-01 00:00"
            ) from None
    if len(times) < 2:
        raise CorpusError(f"{table.path} has {len(times)} rows; a series has more")
    return times


def _frequency(times: NDArray[np.datetime64], given: str, table: Table) -> str:
    """The frequency that all times keep to."""
    alias = given
    if not alias:
        step = int((times[1] - times[0]).astype(np.int64)) // 1_000_000
        units = ((86_400, "D"), (3600, "h"), (60, "min"), (1, "s"))
        unit = next(((length, name) for length, name in units if step > 0 and step % length == 0), None)
        if unit is None:
            raise CorpusError(
                f"{table.where(1)}: the second time does not come a second or more after the first; sort the rows"
            )
        alias = f"{step // unit[0]}{unit[1]}"
    try:
        expected = Frequency.parse(alias).advance(times[0], np.arange(len(times)))
    except ValueError as error:
        raise CorpusError(f"frequency: {error}") from None
    if wrong := np.flatnonzero(times != expected).tolist():
        raise CorpusError(
            f"{table.where(wrong[0])}: the time is {times[wrong[0]]}, steps of {alias} lead to {expected[wrong[0]]}; "
            "fill the gaps first, by rows without values"
        )
    return alias


def _values(table: Table, name: str) -> NDArray[np.float64]:
    cells = table.columns[name.lower()]
    values = np.empty(len(cells))
    for row, cell in enumerate(cells):
        if cell in _MISSING:
            values[row] = np.nan
        elif _NUMBER.fullmatch(cell):
            values[row] = float(cell)
        else:
            raise CorpusError(f"{table.where(row)}: {name} is {cell[:SHOWN]!r}, which is no number")
    return values


def _records(
    name: str,
    times: NDArray[np.datetime64],
    values: NDArray[np.float64],
    parts: list[tuple[str, int, int]],
    length: int,
) -> Iterator[Record]:
    for split, first, end in parts:
        starts = range(first, max(end - length, first) + 1, length)
        for start, stop in zip(starts, [*starts[1:], end], strict=True):
            if np.isfinite(values[:, start:stop]).any():
                yield Record(f"{name}_{start}", name, times[start].astype(datetime), values[:, start:stop], split=split)
