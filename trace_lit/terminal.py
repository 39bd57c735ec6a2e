"""What is printed for people: tables and lines, with colours and rules in a terminal and plain elsewhere.

Names and texts come from data, so whatever goes into a cell or a line is shown as it is: neither as rich's markup nor with
characters that steer a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trace_lit.escapes import one_line, shown

PLAIN_WIDTH = 120  # characters, where the output is no terminal


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    right: bool = False  # numbers stand on the right
    wrap: bool = False  # long cells are broken over lines
    style: str = ""


def console() -> Console:
    """The standard output; of a fixed width where it is no terminal."""
    return Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)


def line(text: str, style: str = "") -> Text:
    """`text` as rich prints it: no markup, no control characters."""
    return Text(shown(text), style=style)


def new_table(on: Console, columns: Sequence[Column | str], title: str | None = None) -> Table:
    """A table without rows, ruled where `on` is a terminal; add rows by `add_row`."""
    table = Table(
        title=None if title is None else line(title),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD if on.is_terminal else None,
        pad_edge=False,
    )
    for column in columns:
        column = Column(column) if isinstance(column, str) else column
        table.add_column(
            line(column.name),
            justify="right" if column.right else "left",
            no_wrap=not column.wrap,
            overflow="fold" if column.wrap else "ellipsis",
            style=column.style,
        )
    return table


def add_row(table: Table, *cells: str, style: str = "") -> None:
    """Add a row of texts."""
    table.add_row(*(Text(one_line(cell)) for cell in cells), style=style)
