"""A JSON file of records as a table."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from data_modules.schema import CorpusError
from data_modules.tables.heads import distinct_names
from data_modules.tables.layouts import Layout
from data_modules.tables.packed import open_bytes
from data_modules.tables.table import Table, with_marks
from trace_lit.errors import first_line

if TYPE_CHECKING:
    pass

_BEGIN = 2**18  # bytes in which the first mark of a JSON file stands


def read_json(path: Path, layout: Layout) -> Table:
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
    return Table(path, frame, with_marks(path, layout, frame), "record")
