"""A CSV file as a table, with what it does not say found out from it."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_modules.schema import CorpusError
from data_modules.tables.heads import Head
from data_modules.tables.layouts import Layout, find_layout, other_encoding
from data_modules.tables.numbers import MISSING_WORDS, NumberStyle, style_of
from data_modules.tables.packed import open_bytes
from data_modules.tables.table import WHICH, Table, UnsureMarkError, without_blank
from trace_lit.errors import first_line

if TYPE_CHECKING:
    import pandas as pd

_WIDE = 200  # columns; files with more are read twice, once for their texts


def read_csv(path: Path, layout: Layout, texts: Callable[[str], bool]) -> Table:
    """The table in the file; columns whose names `texts` accepts hold texts.

    Raises
    ------
    UnsureMarkError
        Its numbers do not show which mark is that of decimals.
    CorpusError
        It is no CSV file.
    """
    layout, head, named = find_layout(path, layout)
    names = head.names
    if layout.doubts:
        raise UnsureMarkError(f"{path}: {layout.doubts[0]}; {WHICH}")
    kept = {name for name in names if texts(name)}
    try:
        frame = _parsed(path, layout, head, kept)
    except UnicodeDecodeError as error:
        if layout.encoding == "utf-8-sig":  # its head is, a later line is not
            with open_bytes(path) as file:
                encoding = other_encoding(file.read())
            return read_csv(path, replace(layout, encoding=encoding), texts)
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
            raise UnsureMarkError(f"{path}: {doubt}; {WHICH}")
        if style != NumberStyle():
            return read_csv(path, replace(layout, decimal=style.decimal, thousands=style.thousands), texts)
    extra = [name for name in names[named:] if named and frame[name].notna().any()]
    if extra:
        line = frame.index[int(frame[extra[0]].notna().to_numpy().argmax())]
        raise CorpusError(
            f"{path}, line {line}: there are {len(names)} cells, and the header names {named} columns; "
            f"{_advice(layout.separator)}"
        )
    short = _short_lines(path, layout, head)
    return Table(path, without_blank(frame), layout, "line", short, head)


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
