"""Tables of words: ruled on a terminal, plain aligned columns elsewhere."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence

from trace_lit.escapes import one_line, say


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the rows below their header; on a terminal, long cells are folded."""
    if not sys.stdout.isatty():
        say("\n".join(aligned([header, *rows])))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in header:
        table.add_column(Text(title), overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    Console().print(table)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines whose columns begin at the same places."""
    rows = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def markdown_row(cells: Sequence[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def paragraph(text: str) -> str:
    """The text in lines that fit the terminal."""
    return textwrap.fill(" ".join(text.split()), shutil.get_terminal_size((110, 24)).columns)
