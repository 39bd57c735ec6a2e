"""What is printed for people: tables and lines, with colours and rules in a terminal and plain elsewhere.

Names and texts come from data, so whatever goes into a cell or a line is shown as it is: neither as rich's markup nor with
characters that steer a terminal.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 120  # characters, where the output is no terminal
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # not tab and line feed


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


def shown(text: str) -> str:
    r"""`text` with the characters that steer a terminal written out, like `\x1b`; line ends and tabs stay."""
    return _STEERING.sub(lambda found: f"\\{_code(ord(found[0]))}", text)


def _code(number: int) -> str:
    return f"x{number:02x}" if number < 0x100 else f"u{number:04x}"


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
    table.add_row(*map(line, cells), style=style)
