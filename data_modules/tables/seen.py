"""Files that a corpus was made of, to tell which are as they were when rows are added to it.

Only the newest rows of a file that is as it was are read again, and those behind what was there of a text file that has
grown at its end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.frequency import Frequency
from data_modules.schema import CorpusError
from data_modules.tables.files import TEXT_ENDINGS
from data_modules.tables.table import Table
from data_modules.tables.times import Times

_BLOCK = 2**20
_MARGIN = np.timedelta64(2, "D")  # for zones


class ReadAllError(CorpusError):
    """The newest rows are not enough to tell what is new."""


@dataclass
class Recent:
    """What need not be read again.

    Parameters
    ----------
    since
        Of each series, the time from which on windows are wanted.
    step
        By which a stamp may stand for the step before or behind it.
    lines
        The files that are there already, by their names: 0 for one that is as it was, the number of lines that it had for
        one that has grown.
    """

    since: Mapping[str, np.datetime64]
    step: Frequency
    lines: Mapping[str, int] = field(default_factory=dict)

    def wanted(self, name: str, times: NDArray[np.datetime64]) -> NDArray[np.bool_] | None:
        """Which rows of a file are to be read, by their `times` (N,) as they are written; None for all."""
        if name not in self.lines:
            return None
        begin = self.step.advance(min(self.since.values()), np.array([-2]))[0] - _MARGIN
        return ~(times < begin)  # what is no time is counted where it is read

    def shorten(self, table: Table, times: Times) -> tuple[Table, Times]:
        """A table with those of its rows alone that are to be read."""
        if (wanted := self.wanted(table.name, times.local)) is None:
            return table, times
        if (lines := self.lines[table.name]) and len(wanted):
            self._check_grown(table, lines, wanted)
        table.frame = table.frame[wanted]
        return table, Times(times.local[wanted], times.aware[wanted], times.wrong[wanted], times.dates, times.kind)

    def _check_grown(self, table: Table, lines: int, wanted: NDArray[np.bool_]) -> None:
        """Raise ReadAllError where one of the rows behind the first `lines` lines is not among the newest ones."""
        numbers = table.frame.index.to_numpy()
        if int(numbers[-1]) != _lines(table.path) or not wanted[numbers > lines].all():
            raise ReadAllError(f"{table.path} has new rows among its old ones, or cells with several lines")

    def check(self, name: str, file: str, times: NDArray[np.datetime64]) -> None:
        """Raise ReadAllError for rows of a series at `times` (N,) in a new file that are in the time of what is there."""
        if name not in self.since:
            raise ReadAllError(f"{file} has the series {name!r}, which is new")
        if file not in self.lines and len(times) and times.min() < self.since[name]:
            raise ReadAllError(f"{file} has rows of the series {name!r} in the time of what is there")


def seen(files: Iterable[Path], root: Path) -> dict[str, list[Any]]:
    """Size and digest of each of the `files`, by its name below `root`."""
    return {str(file.relative_to(root)): [file.stat().st_size, _digest(file, None)[0]] for file in files}


def unchanged(file: Path, known: Any) -> int | None:
    """0 where a file is what is `known` of it, the lines that it had where it has grown at its end, and None otherwise."""
    if not isinstance(known, list) or len(known) != 2 or not isinstance(known[0], int) or known[0] < 1:
        return None
    size, digest = known
    more = file.stat().st_size - size
    if more < 0 or (more and PurePath(file).suffix.lower() not in TEXT_ENDINGS):
        return None
    found, lines, whole = _digest(file, size)
    if found != digest or (more and not whole):
        return None
    return lines if more else 0


def _digest(file: Path, size: int | None) -> tuple[str, int, bool]:
    """sha256 of the first `size` bytes of a file, by default of all; their lines, and whether the last one is whole."""
    digest, lines, last = hashlib.sha256(), 0, b"\n"
    left = file.stat().st_size if size is None else size
    with file.open("rb") as opened:
        while left and (block := opened.read(min(_BLOCK, left))):
            digest.update(block)
            lines, last, left = lines + block.count(b"\n"), block[-1:], left - len(block)
    return digest.hexdigest(), lines, last == b"\n"


def _lines(file: Path) -> int:
    with file.open("rb") as opened:
        lines, last = 0, b"\n"
        while block := opened.read(_BLOCK):
            lines, last = lines + block.count(b"\n"), block[-1:]
    return lines + (last != b"\n")
