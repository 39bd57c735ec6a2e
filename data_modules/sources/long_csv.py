"""One long series in a CSV file, cut as the literature's protocols cut it: the ETT data, electricity, traffic, weather, …

The first column is the time, or one that is named; the others are channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, CorpusInfo, Record
from data_modules.frames import check_table, numbers_in, times_in
from data_modules.frequency import Frequency
from data_modules.sources.borders import parts_of
from data_modules.tables.cells import numbers_the_rows
from data_modules.tables.columns import column, is_time_name
from data_modules.tables.files import Table, read_table
from data_modules.tables.spec import channel_of
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
    table = read_table(path, texts=is_time_name)
    check_table(table)
    clock = column(table, time, "time") if time else str(table.frame.columns[0])
    described = _channels(channels, table, clock)
    rows = [table.place(row) for row in range(len(table.frame))]
    times = times_in(table.frame[clock], str(path), rows, "UTC")
    alias = _frequency(times, frequency, str(path), rows)
    style = table.layout.style
    values = np.stack(
        [numbers_in(table.frame[name], str(path), rows, style, own.unit) for name, own in described.items()]
    )
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


def _channels(given: Mapping[str, Any] | None, table: Table, clock: str) -> dict[str, Channel]:
    """The channels by their columns."""
    if given is None:
        names = [str(name) for name in table.frame.columns if name != clock and not numbers_the_rows(table, str(name))]
        if not names:
            raise CorpusError(
                f"{table.path} has no column beside the time, {clock!r}; each further column is a channel"
            )
        return {name: KNOWN.get(name) or channel_of(name) for name in names}
    if (
        not isinstance(given, Mapping)
        or not given
        or not all(isinstance(text, str) and text for text in given.values())
    ):
        raise CorpusError(
            f"channels is {given!r}; give columns with names and units, like {{OT: 'oil temperature [°C]'}}"
        )
    return {column(table, name, "channels"): KNOWN.get(text) or channel_of(text) for name, text in given.items()}


def _frequency(times: NDArray[np.datetime64], given: str, path: str, rows: Sequence[str]) -> str:
    """The frequency that all times keep to."""
    if len(times) < 2:
        raise CorpusError(f"{path} has {len(times)} rows; a series has more")
    alias = given
    if not alias:
        step = int((times[1] - times[0]).astype(np.int64)) // 1_000_000
        units = ((86_400, "D"), (3600, "h"), (60, "min"), (1, "s"))
        unit = next(((length, name) for length, name in units if step > 0 and step % length == 0), None)
        if unit is None:
            raise CorpusError(
                f"{path}, {rows[1]}: the second time does not come a second or more after the first; sort the rows"
            )
        alias = f"{step // unit[0]}{unit[1]}"
    try:
        expected = Frequency.parse(alias).advance(times[0], np.arange(len(times)))
    except ValueError as error:
        raise CorpusError(f"frequency: {error}") from None
    if wrong := np.flatnonzero(times != expected).tolist():
        raise CorpusError(
            f"{path}, {rows[wrong[0]]}: the time is {times[wrong[0]]}, steps of {alias} lead to {expected[wrong[0]]}; "
            "fill the gaps first, by rows without values"
        )
    return alias


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
