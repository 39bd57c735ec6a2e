"""Tables of text that others wrote (CSV, pipe-separated; plain or packed), read strictly, within bounds, line by line."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TextIO

from data_modules.corpus import CorpusError
from data_modules.tables.packed import open_bytes

SHOWN = 60  # characters of a cell in a message


@dataclass
class Table:
    """Columns of a file, and the line on which each row ends."""

    path: Path
    columns: dict[str, list[str]]
    lines: list[int] = field(default_factory=list)
    unit: str = "line"
    cut: int = 0  # lines at the end that are not complete

    def __len__(self) -> int:
        return len(self.lines)

    def rows(self, chosen: Sequence[int]) -> Table:
        """Some of the rows."""
        columns = {name: [cells[row] for row in chosen] for name, cells in self.columns.items()}
        return Table(self.path, columns, [self.lines[row] for row in chosen], self.unit)

    def where(self, row: int) -> str:
        return f"{self.path}, {self.unit} {self.lines[row]}"


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """The text of a file, plain or packed; bytes that are no UTF-8 become surrogates, see `mended`.

    Raises
    ------
    CorpusError
        See `data_modules.tables.packed.open_bytes`.
    """
    with (
        open_bytes(path) as file,
        io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as text,
    ):
        yield text


def mended(text: str) -> str:
    """The text with bytes that were no UTF-8 read as Windows' Western code page, in which older files are."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace") if _is_broken(text) else text


def _is_broken(text: str) -> bool:
    return any("\udc80" <= letter <= "\udcff" for letter in text)


def rows_of(
    path: Path, delimiter: str = ",", quoted: bool = True, strict: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a file with the line on which each ends, empty lines left out.

    Raises
    ------
    CorpusError
        See `open_text`; or a cell is longer than `csv.field_size_limit()`, or, where that is `strict`, badly quoted.
    """
    with open_text(path) as text:
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        reader = csv.reader(text, delimiter=delimiter, quoting=quoting, strict=strict)
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except csv.Error as error:
            raise CorpusError(f"{path}, line {reader.line_num}: {error}") from None


def header_of(path: Path, delimiter: str = ",") -> list[str]:
    """The names in the first line, as they are written."""
    with open_text(path) as text:
        first = text.readline(1_000_000)
    return [name.strip().strip('"') for name in first.split(delimiter)]


def read_table(
    path: Path, needed: Sequence[str], optional: Iterable[str] = (), delimiter: str = ",", quoted: bool = True
) -> Table:
    """The columns that are asked for, by name in any case, without blanks around cells; absent optional ones are left out.

    Of two columns of one name it is the first; LCD repeats some. A last line with fewer cells than the header is one that
    was cut off: it is left out, and counted in `Table.cut`.

    Raises
    ------
    CorpusError
        A needed column is missing, or a row has another number of cells than the header.
    """
    rows = rows_of(path, delimiter, quoted, strict=True)
    _, head = next(rows, (0, []))
    names = [name.strip().lower() for name in head]
    wanted = [name.lower() for name in needed]
    if missing := [name for name in wanted if name not in names]:
        raise CorpusError(
            f"{path} has no column {missing[0]!r} in its first line; it begins {', '.join(head)[:SHOWN]!r}"
        )
    wanted += [name.lower() for name in optional if name.lower() in names]
    places = [(name, names.index(name)) for name in dict.fromkeys(wanted)]
    table = Table(path, {name: [] for name, _ in places})
    for line, row in rows:
        if len(row) < len(head) and next(rows, None) is None:
            table.cut = 1
            break
        if len(row) != len(head):
            raise CorpusError(f"{path}, line {line}: it has {len(row)} cells, the first line names {len(head)} columns")
        table.lines.append(line)
        for name, place in places:
            table.columns[name].append(sys.intern(row[place].strip()))  # cells repeat
    return table
