"""A file's cells as they are read, and what several kinds of files do with them.

The index of a table is where each row stands in its file: the line of a CSV file, the row of a sheet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data_modules.schema import CorpusError
from data_modules.tables.heads import Head
from data_modules.tables.layouts import Layout
from data_modules.tables.numbers import NumberStyle, style_of, unit_of

if TYPE_CHECKING:
    import pandas as pd
WHICH = "say which by decimal: ',' or thousands: ','"  # of two marks, as the options are written


class UnsureMarkError(CorpusError):
    """Numbers like 1,234 may have a decimal comma or one between thousands, and no other cell shows which."""


@dataclass
class Table:
    """A file's cells. Columns are named by its header, or `column 1`, `column 2`, …"""

    path: Path
    frame: pd.DataFrame
    layout: Layout
    word: str = "line"  # for what the index counts
    short: tuple[int, ...] = ()  # lines that have fewer cells than there are columns
    head: Head = field(default_factory=lambda: Head(0, []))
    name: str = ""  # of the file, for messages
    sheet: str = ""  # of a workbook
    sheets: tuple[str, ...] = ()  # of a workbook of several

    def __post_init__(self) -> None:
        self.name = self.name or self.path.name

    def place(self, row: int) -> str:
        """Where the row at this place of `frame` stands, for messages."""
        return f"{self.word} {self.frame.index[row]}"

    def unit(self, name: str) -> str:
        """The unit of a column that stands below its name, or behind most of its numbers; "" where neither does."""
        if name in self.head.units:
            return self.head.units[name]
        cells = self.frame[name]
        return unit_of(cells.dropna().map(str)) if cells.dtype.kind == "O" or str(cells.dtype) == "str" else ""


@dataclass(frozen=True)
class Wanted:
    """Which rows of a table are wanted, by its times."""

    columns: Callable[[Table], Sequence[str]]  # those of the time, of a table with a part of the rows
    rows: Callable[[Table], NDArray[np.bool_]]  # (N,) of a table with these columns


def with_marks(path: Path, layout: Layout, frame: pd.DataFrame) -> Layout:
    """The layout with the marks of numbers that are written as texts."""
    if (layout := layout.with_both_marks()).decimal is not None:
        return layout
    style, doubt = style_of(
        cell for name in frame.select_dtypes(["object", "string"]) for cell in frame[name] if isinstance(cell, str)
    )
    if doubt:
        raise UnsureMarkError(f"{path}: {doubt}; {WHICH}")
    return layout if style == NumberStyle() else replace(layout, decimal=style.decimal, thousands=style.thousands)


def without_blank(frame: pd.DataFrame) -> pd.DataFrame:
    """Without rows that have no cell, and without columns that have neither a cell nor a name."""
    if not (filled := frame.notna().any(axis=1)).all():
        frame = frame[filled]
    unnamed = [name for name in frame if re.fullmatch(r"column \d+", str(name))]
    empty = [name for name in unnamed if frame[name].isna().all()]
    return frame.drop(columns=empty) if empty else frame
