"""Tables of a comparison of runs: for the terminal, as Markdown, as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from trace_lit import terminal
from trace_lit.escapes import markdown, one_line, say
from trace_lit.plain import to_json as strict_json
from trace_lit.runs.compare import ABSENT, COST, Comparison, Statistic


@dataclass(frozen=True)
class Table:
    """A heading a column, the first one of the rows' names."""

    header: list[str]
    rows: list[list[str]]


def tables(comparison: Comparison) -> list[Table]:
    """What is shown, in words: metrics, what the runs took, and what their configurations differ in."""
    titles = [column.title for column in comparison.columns]
    metrics = [[name, *map(_cell, cells)] for name, cells in comparison.metrics.items()]
    cost = [[_cost_name(name), *_cost(name, cells)] for name, cells in comparison.cost.items()]
    settings = [[key, *(", ".join(map(_word, cell)) for cell in cells)] for key, cells in comparison.settings.items()]
    parts = [("metric", metrics), ("took", cost), ("differs in", settings)]
    return [Table([what, *titles], rows) for what, rows in parts if rows]


def _cell(statistic: Statistic | None) -> str:
    return ABSENT if statistic is None else str(statistic)


def _cost_name(name: str) -> str:
    words = name.removeprefix(COST).replace("_", " ").split(" ")
    if words[-1] == "seconds":
        words = [*(words[:-1] or ["wall"]), "time"]
    return " ".join(words)


def _cost(name: str, cells: Sequence[Statistic | None]) -> Iterable[str]:
    if not name.endswith("seconds"):
        whole = all(float(value).is_integer() for cell in cells if cell is not None for value in cell.values)
        return (ABSENT if cell is None else f"{cell.mean:,.0f}" if whole else str(cell) for cell in cells)
    longest = max(cell.mean for cell in cells if cell is not None)
    unit, word = (1.0, "s") if longest < 120 else (60.0, "min") if longest < 7200 else (3600.0, "h")
    return (ABSENT if cell is None else cell.show(unit, word) for cell in cells)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def notes(comparison: Comparison) -> list[str]:
    """Notes below the tables."""
    found = []
    if any(cell is not None and cell.deviation is not None for cells in comparison.metrics.values() for cell in cells):
        found.append("± is the standard deviation over the seeds.")
    if any(cell is not None and cell.ci95 is not None for cells in comparison.metrics.values() for cell in cells):
        found.append("The 95 % interval over the queries is in brackets.")
    if comparison.unfinished:
        found.append(f"Left out, without metrics yet: {', '.join(map(str, comparison.unfinished))}.")
    return found


def to_markdown(comparison: Comparison) -> str:
    """The tables as Markdown."""
    parts = []
    for table in tables(comparison):
        rule = ["---", *["--:"] * (len(table.header) - 1)]
        cells = [list(map(markdown, table.header)), rule, *(list(map(markdown, row)) for row in table.rows)]
        parts.append("\n".join(f"| {' | '.join(row)} |" for row in cells))
    return "\n\n".join([*parts, *map(one_line, notes(comparison))]) + "\n"


def to_json(comparison: Comparison) -> str:
    """All of the comparison as JSON; a metric that a column lacks is null there."""

    def plain(rows: dict[str, list[Statistic | None]]) -> dict[str, Any]:
        return {name: [None if cell is None else _plain(cell) for cell in cells] for name, cells in rows.items()}

    content = {
        "columns": [
            {
                "title": column.title,
                "runs": [str(run.folder) for run in column.runs],
                "seeds": [run.seed for run in column.runs],
            }
            for column in comparison.columns
        ],
        "metrics": plain(comparison.metrics),
        "cost": plain(comparison.cost),
        "settings": comparison.settings,
        "unfinished": [str(folder) for folder in comparison.unfinished],
    }
    return strict_json(content, default=str) + "\n"


def _plain(statistic: Statistic) -> dict[str, Any]:
    return {
        "mean": statistic.mean,
        "deviation": statistic.deviation,
        "values": statistic.values,
        "ci95": statistic.ci95,
    }


def print_comparison(comparison: Comparison, console: Console | None = None) -> None:
    """Print the tables, as Markdown where the output is no terminal."""
    if console is None and not sys.stdout.isatty():
        say(to_markdown(comparison), end="")
        return
    console = console or terminal.console()
    for table in tables(comparison):
        columns = [terminal.Column(title, right=place > 0, wrap=True) for place, title in enumerate(table.header)]
        printed = terminal.new_table(console, columns)
        for row in table.rows:
            terminal.add_row(printed, *row)
        console.print(printed)
    for note in notes(comparison):
        console.print(terminal.line(note, "dim"))
