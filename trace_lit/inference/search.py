"""An aligned run opened for questions, and the answers printed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trace_lit.escapes import one_line, say, shown
from trace_lit.inference.aligned import AlignedRun
from trace_lit.inference.load import load_as
from trace_lit.retrieval import Contribution, Explanation, Filter, Hit
from trace_lit.retrieval.explanation import rounded
from trace_lit.runs.folder import Place

if TYPE_CHECKING:
    from trace_lit.inference.index import Index


def open_aligned(run: Place, trust: bool = False) -> AlignedRun:
    """The aligned run `run`, see `trace_lit.load`.

    Raises
    ------
    CheckpointError
        It is no run of the stage align.
    """
    return load_as(run, AlignedRun, "align", trust)


def kept_index(
    model: AlignedRun, place: Path | None, corpus: Path | None, token: str | None
) -> tuple[Index, Filter] | None:
    """The index to search, and what of it; None where the corpus itself is to be searched.

    Parameters
    ----------
    place
        The index, where one was named. Otherwise that in the run's folder is used if it has the corpus as it is now; where
        it is stale, a line on the standard error says so.
    corpus
        The corpus that was named.
    """
    from trace_lit.inference.index import Index
    from trace_lit.inference.index_build import entry_of
    from trace_lit.inference.index_files import has_index

    if place is not None:
        index = Index.open(place, token=token)
        for sentence in index.stale(model):
            say(f"stale: {sentence}", file=sys.stderr)
        return index, Filter()
    place = model.folder / "index"
    if model.checkpoint.packaged or not has_index(place):
        return None
    searched = corpus or next(iter(model.own_folders()), None)
    index = Index.open(place, token=token)
    names = [own.name for own in index.file.corpora if searched and entry_of(own, place) == searched.resolve()]
    stale = index.stale(model) if names else []
    if names and not stale:
        return index, Filter(corpus=tuple(names) if len(index.file.corpora) > 1 else ())
    for sentence in stale:
        say(f"stale: {sentence}; until then, the corpus itself is searched", file=sys.stderr)
    index.close()
    return None


def print_hits(hits: Sequence[Hit], name: str) -> None:
    """A table in a terminal, plain lines otherwise; under an explained hit, a line for each part of its score."""
    if not hits:
        say(f"no hits in {name}: the filters admit no window, or no text has a word of the question", file=sys.stderr)
        return
    if not sys.stdout.isatty():
        for place, hit in enumerate(hits, start=1):
            label = f"  {one_line(hit.label)}" if hit.label else ""
            say(f"{place}. {hit.score:.3f}  {one_line(hit.id)}  {hit.start:%Y-%m-%d %H:%M}{label}")
            if any(other.text for other in hits):
                say(f"   {hit.text or 'no text'}")
            for line in explanation_lines(hit.explanation):
                say(f"   {line}")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(shown(f"Hits in {name}")), title_justify="left")
    for column in ("", "score", "id", "start", "label", "text"):
        table.add_column(column, justify="right" if column in ("", "score") else "left")
    styles = {"+": "green", "−": "red"}
    for place, hit in enumerate(hits, start=1):
        row = (str(place), f"{hit.score:.3f}", hit.id, f"{hit.start:%Y-%m-%d %H:%M}", hit.label or "-")
        lines = [Text(shown(line), styles.get(line[0], "dim")) for line in explanation_lines(hit.explanation)]
        cell = Text("\n").join([Text(shown(hit.text)), *lines])  # a string would be read as rich's markup
        table.add_row(*(Text(shown(own)) for own in row), cell)
    Console().print(table)


def explanation_lines(explanation: Explanation | None) -> list[str]:
    """The whole, the channels that the query speaks of and the clauses, a line each; none without an explanation.

    A line begins with + for what fits better than half of the searched windows, and with − for what does not.
    """
    if explanation is None:
        return []
    lines, others = [], []
    for number, (own, spoken_of) in enumerate(zip(explanation.channels, explanation.spoken_of, strict=True)):
        if spoken_of:
            words = explanation.leading_clause(number)
            lines.append(_line(own, own.name) + (f", most by “{words}”" if words else ""))
        else:
            others.append(own.score)
    if others:
        many = f"{len(others)} others" if len(others) > 1 else "1 other"
        lines.append(f"  {many}, with little of the query: {rounded(sum(others))} of the similarity")
    if len(explanation.clauses) > 1:
        lines += [_line(own, f"“{own.name}”") for own in explanation.clauses]
    return lines


def _line(own: Contribution, name: str) -> str:
    if own.beats is None:
        return f"  {name}: not measured in this window ({own.weight:.0%} of the query)"
    rank = f"better than {int(100 * own.beats)}% of the windows"  # the best one is not better than itself
    sign = "+" if own.fits else "−"
    return f"{sign} {name}: {rounded(own.score)} of the similarity, {rank} ({own.weight:.0%} of the query)"
