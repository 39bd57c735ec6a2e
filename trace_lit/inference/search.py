"""An aligned run opened for questions, and the answers printed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trace_lit.escapes import one_line, say, shown
from trace_lit.inference.aligned import AlignedRun
from trace_lit.inference.load import load_as
from trace_lit.retrieval import Hit
from trace_lit.runs.folder import Place


def open_aligned(run: Place, trust: bool = False) -> AlignedRun:
    """The aligned run `run`, see `trace_lit.load`.

    Raises
    ------
    CheckpointError
        It is no run of the stage align.
    """
    return load_as(run, AlignedRun, "align", trust)


def print_hits(hits: Sequence[Hit], name: str) -> None:
    """A table in a terminal, plain lines otherwise."""
    if not sys.stdout.isatty():
        for place, hit in enumerate(hits, start=1):
            say(
                f"{place}. {hit.score:.3f}  {one_line(hit.id)}  {hit.start:%Y-%m-%d %H:%M}  {one_line(hit.label or '-')}"
            )
            say(f"   {hit.text or 'no text'}")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(shown(f"Hits in {name}")), title_justify="left")
    for column in ("", "score", "id", "start", "label", "text"):
        table.add_column(column, justify="right" if column in ("", "score") else "left")
    for place, hit in enumerate(hits, start=1):
        row = (str(place), f"{hit.score:.3f}", hit.id, f"{hit.start:%Y-%m-%d %H:%M}", hit.label or "-", hit.text)
        table.add_row(*(Text(shown(cell)) for cell in row))  # a string would be read as rich's markup
    Console().print(table)
