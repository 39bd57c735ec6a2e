"""One file as a table of cells: CSV, TSV, JSON, Excel and Parquet, with what CSV files do not say found out from it.

The index of a table is where each row stands in its file: the line of a CSV file, the row of a sheet.
"""

from __future__ import annotations

import io
import itertools
import re
import warnings
import zipfile
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_modules.schema import CorpusError
from data_modules.shards import LONGEST, check_size, check_texts, leaves_of_bytes
from data_modules.tables.heads import Head, distinct_names, find_head
from data_modules.tables.layouts import Layout, find_layout, other_encoding
from data_modules.tables.numbers import MISSING_WORDS, NumberStyle, style_of, unit_of
from data_modules.tables.packed import PACKED_ENDINGS, open_bytes, plain_name
from trace_lit.errors import first_line
from trace_lit.nearest import nearest_place

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".tab", ".dat")
EXCEL_ENDINGS = (".xlsx", ".xlsm")
PARQUET_ENDINGS = (".parquet", ".pq")
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
OTHER_ENDINGS = (".xls", ".xlsb", ".ods", ".zst")  # of tables that are not read
ENDINGS = (*TEXT_ENDINGS, *EXCEL_ENDINGS, *PARQUET_ENDINGS, *JSON_ENDINGS[:2])
_BEGIN = 2**18  # bytes in which the first mark of a JSON file stands
_WIDE = 200  # columns; files with more are read twice, once for their texts
_EXCEL_BYTES, _EXCEL_TIMES = 2**24, 40  # that a workbook may become, and times its own size
_BATCH_CELLS = 2**22  # of a Parquet file of which some rows are wanted
_CELL_BYTES = 32  # of it, for each cell
_WHICH = "say which by decimal: ',' or thousands: ','"


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
        return unit_of(cells.dropna().astype(str)) if cells.dtype.kind == "O" or str(cells.dtype) == "str" else ""


def is_table(path: Path) -> bool:
    """Whether a file is a table that is read, by its name; not those that may be anything, like .json and .zip."""
    packed = path.suffix.lower() in PACKED_ENDINGS
    ending = PurePath(path.stem if packed else path.name).suffix.lower()
    return ending in ((*TEXT_ENDINGS, *JSON_ENDINGS[:2]) if packed else ENDINGS)


@dataclass(frozen=True)
class Wanted:
    """Which rows of a table are wanted, by its times."""

    columns: Callable[[Table], Sequence[str]]  # those of the time, of a table with a part of the rows
    rows: Callable[[Table], NDArray[np.bool_]]  # (N,) of a table with these columns


def read_table(
    path: Path,
    layout: Layout | None = None,
    texts: Callable[[str], bool] | None = None,
    wanted: Wanted | None = None,
) -> Table:
    """The table in the file `path`; of a Parquet file, only the rows that are `wanted`.

    Cells of a CSV file are numbers where all of their column are, and texts elsewhere; those of columns that `texts`
    accepts by name are texts. CSV and JSON files may be packed, see `data_modules.tables.packed`.

    Raises
    ------
    CorpusError
        There is no such file, or it is no table.
    """
    path, layout = Path(path), layout or Layout()
    if not path.is_file():
        raise CorpusError(f"there is no file {path}{nearest_place(path)}")
    ending = PurePath(plain_name(path)).suffix.lower()
    try:
        if ending in (*PARQUET_ENDINGS, *EXCEL_ENDINGS, *PACKED_ENDINGS) and path.suffix.lower() in PACKED_ENDINGS:
            raise CorpusError(f"{path} holds a file of the kind {ending}; unpack it first")
        if ending in PARQUET_ENDINGS:
            return _read_parquet(path, layout, wanted)
        if ending in EXCEL_ENDINGS:
            return _read_excel(path, layout)
        if ending in JSON_ENDINGS:
            return _read_json(path, layout)
        if ending in OTHER_ENDINGS[:3]:
            raise CorpusError(f"{path}: workbooks of the kind {ending} are not read; save it as .xlsx or .csv")
        if ending in OTHER_ENDINGS:
            raise CorpusError(f"{path} is packed as {ending}, which is not read; unpack it first")
        return _read_text(path, layout, texts or (lambda name: False))
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error}") from None


def sheets_of(path: Path) -> list[str]:
    """The names of the sheets of a workbook; [] where it cannot be read, which `read_table` says."""
    import openpyxl

    try:
        _allowed_size(path)
        return [str(name) for name in openpyxl.load_workbook(path, read_only=True).sheetnames]
    except Exception:  # openpyxl and zipfile raise what they like
        return []


# Parquet, JSON and Excel


def _read_parquet(path: Path, layout: Layout, wanted: Wanted | None = None) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        check_size(path)
        flat = [_plain_field(field) for field in pq.read_schema(path) if not pa.types.is_nested(field.type)]
        names = [field.name for field in flat]
        if wanted is not None:
            return _some_rows(path, layout, flat, wanted)
        table = pq.read_table(path, columns=names, partitioning=None, read_dictionary=leaves_of_bytes(path))
        return _of_arrow(path, layout, table, flat)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(f"{path} is no Parquet file, or damaged: {first_line(error)}") from None


def _some_rows(path: Path, layout: Layout, flat: Sequence[pa.Field], wanted: Wanted) -> Table:
    """The rows of a Parquet file that are `wanted`; the others are in memory some at a time, or not read at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [field.name for field in flat]
    with pq.ParquetFile(path, read_dictionary=leaves_of_bytes(path)) as file:
        size = max(1, _BATCH_CELLS // len(names))
        head = pa.Table.from_batches(itertools.islice(file.iter_batches(batch_size=size, columns=names), 1))
        given = dict(zip(distinct_names(names), flat, strict=True))
        own = [given[name] for name in wanted.columns(_of_arrow(path, layout, head.select(names), flat))]
        times = file.read(columns=[field.name for field in own]).select([field.name for field in own])
        kept = wanted.rows(_of_arrow(path, layout, times, own))
        first, found, places = 0, [], []
        for group in range(file.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            own_rows = kept[first : first + count]
            batches = file.iter_batches(batch_size=size, row_groups=[group], columns=names) if own_rows.any() else ()
            begin = 0
            for batch in batches:
                mask = own_rows[begin : begin + len(batch)]
                found.append(batch.filter(pa.array(mask)))
                places.append(first + begin + np.flatnonzero(mask))
                begin += len(batch)
            first += count
    table = pa.Table.from_batches(found) if found else head.slice(0, 0)
    read = _of_arrow(path, layout, table.select(names), flat)
    read.frame.index = np.concatenate([np.empty(0, np.int64), *places]) + 1
    return read


def _of_arrow(path: Path, layout: Layout, table: pa.Table, flat: Sequence[pa.Field]) -> Table:
    import pyarrow as pa

    for name in dict.fromkeys(
        table.column_names
    ):  # what few bytes of a file stand for is counted before it is written out
        check_texts(path, name, table[name], LONGEST["text"])
    # numbers are not copied
    frame = table.cast(pa.schema(flat)).to_pandas(ignore_metadata=True, split_blocks=True)
    names = ["index" if re.fullmatch(r"__index_level_\d+__", str(name)) else name for name in frame.columns]
    frame.columns = distinct_names(names)
    frame.index = range(1, len(frame) + 1)
    return Table(path, frame, layout, "row")


def _read_json(path: Path, layout: Layout) -> Table:
    """A record a line, or a list of records; what is nested in them is left out."""
    import pandas as pd

    try:
        with open_bytes(path) as file:
            begin = file.read(_BEGIN).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if begin not in (b"{", b"["):
            raise CorpusError(f"{path} is no JSON of records")
        with open_bytes(path) as file:
            frame = pd.read_json(
                io.TextIOWrapper(file, encoding=layout.encoding or "utf-8-sig"),
                lines=begin == b"{",
                orient="records",
                dtype=False,
                convert_dates=False,
                convert_axes=False,
                precise_float=True,
            )
    except (ValueError, LookupError, ArithmeticError, RecursionError, AttributeError, TypeError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(
            f"{path} is no table: {first_line(error)}; a JSON file holds a record a line, or a list of records"
        ) from None
    if not isinstance(frame, pd.DataFrame) or not all(isinstance(name, str) for name in frame.columns):
        raise CorpusError(f"{path} is no table; a JSON file holds a record a line, or a list of records with names")
    nested = [frame[name].map(lambda cell: isinstance(cell, (dict, list))).any() for name in frame.columns]
    frame = frame.loc[:, [not own for own in nested]]
    frame.columns = distinct_names(frame.columns)
    frame.index = range(1, len(frame) + 1)
    return Table(path, frame, _with_marks(path, layout, frame), "record")


def _plain_field(field: pa.Field) -> pa.Field:
    """The field as it is without a dictionary, as categories of pandas have one."""
    import pyarrow as pa

    return field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field


def _read_excel(path: Path, layout: Layout) -> Table:
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
    frame = _without_blank(frame)
    layout = replace(_with_marks(path, layout, frame), header=head.header)
    return Table(path, frame, layout, "row", head=head, sheet=names[number], sheets=sheets)


def _with_marks(path: Path, layout: Layout, frame: pd.DataFrame) -> Layout:
    """The layout with the marks of numbers that are written as texts."""
    if (layout := layout.with_both_marks()).decimal is not None:
        return layout
    style, doubt = style_of(
        cell for name in frame.select_dtypes(["object", "string"]) for cell in frame[name] if isinstance(cell, str)
    )
    if doubt:
        raise UnsureMarkError(f"{path}: {doubt}; {_WHICH}")
    return layout if style == NumberStyle() else replace(layout, decimal=style.decimal, thousands=style.thousands)


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


def _without_blank(frame: pd.DataFrame) -> pd.DataFrame:
    """Without rows that have no cell, and without columns that have neither a cell nor a name."""
    if not (filled := frame.notna().any(axis=1)).all():
        frame = frame[filled]
    unnamed = [name for name in frame if re.fullmatch(r"column \d+", str(name))]
    empty = [name for name in unnamed if frame[name].isna().all()]
    return frame.drop(columns=empty) if empty else frame


# CSV


def _read_text(path: Path, layout: Layout, texts: Callable[[str], bool]) -> Table:
    layout, head, named = find_layout(path, layout)
    names = head.names
    if layout.doubts:
        raise UnsureMarkError(f"{path}: {layout.doubts[0]}; {_WHICH}")
    kept = {name for name in names if texts(name)}
    try:
        frame = _parsed(path, layout, head, kept)
    except UnicodeDecodeError as error:
        if layout.encoding == "utf-8-sig":  # its head is, a later line is not
            with open_bytes(path) as file:
                encoding = other_encoding(file.read())
            return _read_text(path, replace(layout, encoding=encoding), texts)
        raise CorpusError(f"{path} is not written in {layout.encoding}: {error}") from None
    frame.index = range(head.lines + 1, head.lines + 1 + len(frame))
    if layout.decimal is None:  # no number in its head has a mark
        style, doubt = style_of(
            cell
            for name in frame.select_dtypes(["object", "string"])
            if name not in kept
            for cell in frame[name].dropna().astype(str)
        )
        if doubt:
            raise UnsureMarkError(f"{path}: {doubt}; {_WHICH}")
        if style != NumberStyle():
            return _read_text(path, replace(layout, decimal=style.decimal, thousands=style.thousands), texts)
    extra = [name for name in names[named:] if named and frame[name].notna().any()]
    if extra:
        line = frame.index[int(frame[extra[0]].notna().to_numpy().argmax())]
        raise CorpusError(
            f"{path}, line {line}: there are {len(names)} cells, and the header names {named} columns; "
            f"{_advice(layout.separator)}"
        )
    short = _short_lines(path, layout, head)
    return Table(path, _without_blank(frame), layout, "line", short, head)


def _parsed(path: Path, layout: Layout, head: Head, kept: Collection[str]) -> pd.DataFrame:
    """The cells as pandas reads them: numbers where all of a column are, texts elsewhere and in the columns `kept`."""
    import pandas as pd

    names = head.names
    words = sorted({*MISSING_WORDS, *(word.upper() for word in MISSING_WORDS), "NaN", "Null", "None", "Missing", ""})

    def cells(**options: Any) -> pd.DataFrame:
        with warnings.catch_warnings(), open_bytes(path) as file:
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                file,
                sep=r"\s+" if layout.separator == " " else layout.separator,
                header=None,
                names=names,
                skiprows=head.lines,
                index_col=False,
                encoding=layout.encoding,
                decimal=layout.decimal or ".",
                keep_default_na=False,
                skip_blank_lines=False,
                skipinitialspace=True,
                low_memory=False,
                **options,
            )

    try:
        if len(names) <= _WIDE:
            missing = {name: [""] if name in kept else words for name in names}
            return cells(dtype=dict.fromkeys(kept, str), na_values=missing)
        frame = cells(na_values=words)  # pandas takes a millisecond a column where each has words of its own
        return frame.assign(**cells(usecols=sorted(kept), dtype=str, na_values=[""])) if kept else frame
    except pd.errors.ParserWarning:
        raise CorpusError(
            f"{path} is no CSV file: lines have more cells than the {len(names)} columns; a cell with the separator in it "
            "stands in quotes"
        ) from None
    except pd.errors.EmptyDataError:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in names})
    except (UnicodeDecodeError, CorpusError):
        raise
    except (ValueError, OverflowError) as error:
        raise CorpusError(f"{path} is no CSV file: {_plain_error(error, layout.separator)}") from None


def _plain_error(error: Exception, separator: str | None) -> str:
    match = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if not match:
        return first_line(error)
    return f"line {match[2]} has {match[3]} cells, there are {match[1]} columns; {_advice(separator)}"


def _advice(separator: str | None) -> str:
    if separator == ",":
        return "is it a decimal comma? Cells with a comma stand in quotes"
    return "cells with a separator in them stand in quotes"


def _short_lines(path: Path, layout: Layout, head: Head) -> tuple[int, ...]:
    """Lines with too few cells, which pandas fills; quoted cells may have separators and line ends, so they are left out."""
    columns = len(head.names)
    if layout.separator in (None, " ") or columns < 2:
        return ()
    found: list[int] = []
    with open_bytes(path) as file:
        lines = io.TextIOWrapper(file, encoding=layout.encoding, errors="replace", newline="")
        for number, line in enumerate(lines, start=1):
            if '"' in line:
                return tuple(found)
            if number > head.lines and line.strip() and line.count(str(layout.separator)) < columns - 1:
                found.append(number)
    return tuple(found)
