"""A sheet of an Excel workbook as a table, within bounds: a small workbook may unpack to more than any memory holds."""

from __future__ import annotations

import re
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_modules.schema import CorpusError
from data_modules.tables.heads import find_head
from data_modules.tables.layouts import Layout
from data_modules.tables.table import Table, with_marks, without_blank
from trace_lit.errors import first_line

if TYPE_CHECKING:
    pass

_EXCEL_BYTES, _EXCEL_TIMES = 2**24, 40  # that a workbook may become, and times its own size
_CELL_BYTES = 32  # of it, for each cell


def sheets_of(path: Path) -> list[str]:
    """The names of the sheets of a workbook; [] where it cannot be read, which `read_table` says."""
    import openpyxl

    try:
        _allowed_size(path)
        return [str(name) for name in openpyxl.load_workbook(path, read_only=True).sheetnames]
    except Exception:  # openpyxl and zipfile raise what they like
        return []


def read_excel(path: Path, layout: Layout) -> Table:
    """The table in a sheet: the first, or the one that the layout names.

    Raises
    ------
    CorpusError
        It is no workbook, has no such sheet, or is out of proportion to its size.
    """
    import openpyxl
    import pandas as pd

    try:
        allowed = _allowed_size(path)
        with closing(openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)) as book:
            names = [sheet.title for sheet in book.worksheets]
            sheets = tuple(names) if len(names) > 1 else ()
            number: Any = 0 if layout.sheet is None else layout.sheet
            if str(number) in names:
                number = names.index(str(number))
            elif re.fullmatch("[0-9]{1,9}", str(number)):
                number = int(number)
            if not isinstance(number, int) or not 0 <= number < len(names):
                raise CorpusError(f"{path} has no sheet {layout.sheet!r}; it has {', '.join(names)}")
            frame = pd.DataFrame(_sheet_cells(path, book.worksheets[number], allowed // _CELL_BYTES), dtype=object)
    except CorpusError:
        raise
    except Exception as error:  # openpyxl and zipfile raise what they like
        raise CorpusError(f"{path} is no Excel workbook, or damaged: {first_line(error)}") from None
    rows = [["" if cell is None else str(cell) for cell in row] for row in frame.head(200).itertuples(index=False)]
    head = find_head(rows, layout.header)
    frame = frame.iloc[head.lines :]
    frame.columns = head.names
    frame.index = range(head.lines + 1, head.lines + 1 + len(frame))
    frame = without_blank(frame)
    layout = replace(with_marks(path, layout, frame), header=head.header)
    return Table(path, frame, layout, "row", head=head, sheet=names[number], sheets=sheets)


def _allowed_size(path: Path) -> int:
    """The bytes that a workbook may become; CorpusError where it would become more."""
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    allowed = _EXCEL_BYTES + _EXCEL_TIMES * path.stat().st_size
    if size > allowed:
        raise CorpusError(f"{path} would take {size:,} bytes; a workbook of its size may take {allowed:,}")
    return allowed


def _sheet_cells(path: Path, sheet: Any, most: int) -> list[list[Any]]:
    """The rows of a sheet of a workbook up to its last cell; a row far out has as many cells before it."""
    sheet.reset_dimensions()  # what the file says of them may be wrong
    rows: list[list[Any]] = []
    count = last = 0
    for cells in sheet.iter_rows():
        row = [_cell(own) for own in cells]
        while row and row[-1] is None:
            row.pop()
        rows.append(row)
        last = len(rows) if row else last
        count += max(len(cells), 1)
        if count > most:
            raise CorpusError(f"{path} has more than {most:,} cells, which is out of proportion to its size")
    width = max(map(len, rows), default=0)
    if width * last > most:
        raise CorpusError(
            f"{path} has {last:,} rows and {width:,} columns; a workbook of its size may have {most:,} cells"
        )
    return [row + [None] * (width - len(row)) for row in rows[:last]]


def _cell(own: Any) -> Any:
    """What a cell holds: whole numbers as such, None where it is empty or an error."""
    value = own.value
    if value is None or value == "" or value != value or own.data_type == "e":
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value
