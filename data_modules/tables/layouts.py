"""How a CSV file is written, found out from its first lines: encoding, separator, header and marks of numbers."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data_modules.schema import CorpusError
from data_modules.tables.heads import Head, find_head, usual_width
from data_modules.tables.numbers import NumberStyle, style_of
from data_modules.tables.packed import open_bytes

SEPARATORS = (";", "\t", "|", ",")
MOST_COLUMNS = 10_000  # of a CSV file
_HEAD = 2**18  # bytes that are looked at
_WESTERN = frozenset("äöüÄÖÜßéèêëàâçùûîïôñáíóúåæøÅÆØÉÈÀÇ°²³µ€–—’‘“”·±£§½¼¾×œŒ\u00a0…™©®")


@dataclass(frozen=True)
class Layout:
    """How a file is written; what is None is found out."""

    separator: str | None = None
    encoding: str | None = None
    header: int | None = None  # the line or row that names the columns, from 1; 0: none does
    decimal: str | None = None
    thousands: str | None = None
    sheet: str | int | None = None  # of a workbook; the first by default
    censored: str | None = None  # one of `data_modules.tables.numbers.CENSORED`; missing by default
    doubts: tuple[str, ...] = ()  # what the content leaves open

    def with_both_marks(self) -> Layout:
        """Of the two marks of numbers, the one that is not given is the other one."""
        other = {".": ",", ",": "."}
        if self.decimal is None:
            return replace(self, decimal=other.get(self.thousands or ""))
        return self if self.thousands is not None else replace(self, thousands=other[self.decimal])

    @property
    def style(self) -> NumberStyle:
        return NumberStyle(self.decimal or ".", self.thousands or "", self.censored or "missing")


def find_layout(path: Path, given: Layout) -> tuple[Layout, Head, int]:
    """How the CSV file `path` is written, as far as `given` leaves it open; its head, and how many columns that names.

    Raises
    ------
    CorpusError
        It is no text, or empty.
    """
    with open_bytes(path) as file:
        begin = file.read(_HEAD + 1)
    encoding, text = decoded(path, begin[:_HEAD], given.encoding)
    lines = text.splitlines()
    if len(begin) > _HEAD:
        lines = lines[:-1]
    lines = lines[:2000]
    if not any(line.strip() for line in lines):
        raise CorpusError(f"{path} is empty; the first line must name the columns")
    separator = given.separator or _told_separator(lines[0]) or find_separator(lines)
    if len(separator) != 1 or separator in '"\r\n\0':
        raise CorpusError(f"{path}: the separator is {separator!r}; it must be one character, like ';' or '\\t'")
    rows = _cells(lines, separator)
    if (widest := max(map(len, rows), default=0)) > MOST_COLUMNS:
        raise CorpusError(
            f"{path} has {widest:,} columns; {MOST_COLUMNS:,} are allowed: write a row for each value, with a column that "
            "names its channel"
        )
    head = find_head(rows, given.header)
    body = [row for row in rows[head.lines :] if any(map(str.strip, row))]
    named = len(rows[head.header - 1]) if 0 < head.header <= len(rows) else 0
    counted = Counter(len(row) for row in body)
    width = max(counted, key=lambda own: (counted[own], own == named), default=named)
    width = max(width, len(head.names))
    head.names += [f"column {number + 1}" for number in range(len(head.names), width)]
    style, doubt = style_of((cell for row in body for cell in row), separator)
    given = given.with_both_marks()
    return (
        replace(
            given,
            separator=separator,
            encoding=encoding,
            header=head.header,
            decimal=given.decimal or (None if style == NumberStyle() else style.decimal),
            thousands=style.thousands if given.thousands is None else given.thousands,
            doubts=(doubt,) if doubt and given.decimal is None else (),
        ),
        head,
        named,
    )


def decoded(path: Path, head: bytes, given: str | None = None) -> tuple[str, str]:
    """The encoding of a file, the one that is given or one that is found out, and its head as text.

    Raises
    ------
    CorpusError
        It is no text, or not in the encoding that is given.
    """
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark) and given is None:
            given = name
    zeros = [head[begin::2].count(0) * 4 > len(head) for begin in (0, 1)]  # every second byte, as of Latin letters
    if given is None and len(head) > 8 and any(zeros) and not all(zeros):
        given = "utf-16-be" if zeros[0] else "utf-16-le"
    if given is None and b"\0" in head:
        raise CorpusError(f"{path} is no CSV file: it holds bytes that no text has; write the table as CSV")
    name = given or "utf-8-sig"
    if not _is_encoding(name):
        raise CorpusError(f"{path}: there is no encoding {str(given)[:60]!r}; write one like utf-8, cp1252 or utf-16")
    try:
        return name, codecs.getincrementaldecoder(name)().decode(head)
    except UnicodeError as error:
        if given is not None:
            raise CorpusError(f"{path} is not written in {given}: {error}") from None
    name = other_encoding(head)
    return name, head.decode(name, errors="replace")


def _is_encoding(name: str) -> bool:
    """Whether it is one of texts: Python also knows codecs that unpack bytes, like zlib."""
    try:
        b"text".decode(name)
    except UnicodeError:  # the form of these four bytes does not matter
        return True
    except (LookupError, ValueError):
        return False
    return True


def other_encoding(head: bytes) -> str:
    """The encoding of a text that is not UTF-8: that of Windows in the west, unless its letters are unusual for it."""
    import charset_normalizer

    western = head.decode("cp1252", errors="replace")
    if all(letter in _WESTERN for letter in western if ord(letter) > 127):
        return "cp1252"
    best = charset_normalizer.from_bytes(head).best()
    return best.encoding if best is not None else "cp1252"


def _told_separator(line: str) -> str | None:
    """The separator that spreadsheets write above a table, as `sep=;`."""
    match = re.fullmatch(r"\ufeff?sep=(.)", line, re.IGNORECASE)
    return match[1] if match else None


def _cells(lines: Sequence[str], separator: str) -> list[list[str]]:
    if separator == " ":
        return [line.split() for line in lines]
    try:
        return list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator, skipinitialspace=True))
    except csv.Error:
        return [line.split(separator) for line in lines]


def find_separator(lines: Sequence[str]) -> str:
    """The one of `SEPARATORS` that cuts most lines into the same number of cells, more than one."""
    best, separator = (0.0, 0), ","
    for candidate in SEPARATORS:
        rows = [row for row in _cells(lines, candidate) if any(map(str.strip, row))]
        width = usual_width(rows)
        share = sum(len(row) == width for row in rows) / max(len(rows), 1)
        if width > 1 and (round(share, 1), width) > best:
            best, separator = (round(share, 1), width), candidate
    if (
        not best[1]
        and len({len(line.split()) for line in lines if line.strip()} - {0}) == 1
        and len(lines[0].split()) > 1
    ):
        return " "
    return separator
