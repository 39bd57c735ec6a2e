"""The retrieval metrics as tables for the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from trace_lit.retrieval.metrics import CUTOFFS
from trace_lit.retrieval.questions import CUTOFF, KINDS, QuestionReport
from trace_lit.terminal import Column, add_row, line, new_table
from trace_lit.terminal import console as standard_output

_MATCH = re.compile(r"(?:(.*)/)?(\w+_to_\w+)/(pair|pair_distinct|label)/MRR")
_PROBE = re.compile(r"(.+)/probes/([\w/]+)/texts")
_COLUMNS = [*(f"P@{k}" for k in CUTOFFS), "MRR"]
_TOP = ["rougeL", "MAE", "MSE"]
_WORST = 10  # questions shown


def print_report(metrics: Mapping[str, Any], console: Console | None = None) -> None:
    """Print what `evaluate_retrieval` gives, with or without prefixes like `test/`: two tables for each prefix.

    Without colours and line drawing where the output is no terminal.
    """
    console = console or standard_output()
    found: dict[str, list[tuple[str, str]]] = {}
    for key in metrics:
        match = _MATCH.fullmatch(key)
        if match and (match[1] or "").split("/")[-1] != "random":
            found.setdefault(f"{match[1]}/" if match[1] else "", []).append((match[2], match[3]))
    for prefix, rows in found.items():
        console.print(_matches(metrics, prefix, rows, console))
        console.print()
        if (table := _top_hits(metrics, prefix, rows, console)) is not None:
            console.print(table)
            console.print()


def print_questions(report: QuestionReport, title: str, console: Console | None = None) -> None:
    """Print how questions were answered: by kind, the worst ones, and those that could not be asked."""
    console = console or standard_output()
    if report.answers:
        console.print(_kinds(report.metrics(), title, console))
        console.print()
        console.print(_worst(report, console))
        console.print()
    for heading, left in (("not decidable", report.undecidable), ("left out", report.left_out)):
        if left:
            console.print(line(f"{len(left)} questions {heading}:", "bold"))
            for case in left:
                console.print(line(f"  {case.question.id}: {case.reason}"))
            console.print()


def _kinds(metrics: Mapping[str, Any], title: str, console: Console) -> Table:
    numbers = [Column(name, right=True) for name in ("questions", f"P@{CUTOFF}", "95 %", "AP", "random")]
    table = new_table(console, ["kind", *numbers], title)
    for kind, prefix in [("all", ""), *((kind, f"kind/{kind}/") for kind in KINDS)]:
        if f"{prefix}random" not in metrics:
            continue
        score = metrics[f"{prefix}P@{CUTOFF}"]
        interval = _interval(metrics.get(f"{prefix}P@{CUTOFF}/ci95"))
        cells = [_number(score), interval, _number(metrics[f"{prefix}AP"]), _number(metrics[f"{prefix}random"])]
        count = f"{metrics[f'{prefix}questions']:,}"
        add_row(table, kind.replace("_", " "), count, *cells, style="" if prefix else "bold")
    return table


def _worst(report: QuestionReport, console: Console) -> Table:
    numbers = [Column(name, right=True) for name in (f"P@{CUTOFF}", "AP", "random")]
    columns: list[Column | str] = [*numbers, "kind", "question", Column("wordings", wrap=True)]
    table = new_table(console, columns, "The questions answered worst")
    for answer in report.worst()[:_WORST]:
        question = answer.question
        scores = [answer.precision.mean(), answer.average_precision.mean(), answer.share]
        wordings = "; ".join(question.wordings)
        add_row(table, *map(_number, scores), question.kind.replace("_", " "), question.id, wordings)
    return table


def print_probes(metrics: Mapping[str, Any], console: Console | None = None) -> None:
    """Print what `evaluate_probes` gives: a table for each prefix."""
    console = console or standard_output()
    found: dict[str, list[str]] = {}
    for key in metrics:
        if match := _PROBE.fullmatch(key):
            found.setdefault(match[1], []).append(match[2])
    for prefix, names in found.items():
        numbers = [Column(name, right=True) for name in ("texts", "score falls", "rank worse", "mean change")]
        title = f"Probes, {prefix}: what a change does to the score of the right window"
        table = new_table(console, ["change", *numbers], title)
        for name in names:
            key = f"{prefix}/probes/{name}"
            cells = [_number(metrics.get(f"{key}/{column}")) for column in ("noticed", "rank_worse", "change")]
            add_row(table, name.replace("_", " ").replace("/", ": "), f"{metrics[f'{key}/texts']:,}", *cells)
        console.print(table)
        console.print()


def _matches(metrics: Mapping[str, Any], prefix: str, rows: list[tuple[str, str]], console: Console) -> Table:
    counts = [("instances", "instances"), ("distinct_texts", "distinct texts"), ("labelled", "with a label")]
    pool = ", ".join(f"{metrics[f'{prefix}pool/{key}']:,} {word}" for key, word in counts)
    numbers = [Column(name, right=True) for name in ("queries", *_COLUMNS, "MRR 95 %")]
    title = f"Retrieval, {prefix.rstrip('/') or 'pool'}: {pool}"
    table = new_table(console, ["direction", "match", *numbers], title)
    for direction, match in rows:
        key = f"{prefix}{direction}/{match}"
        values = [f"{metrics[f'{key}/{column}']:.3f}" for column in _COLUMNS]
        values.append(_interval(metrics.get(f"{key}/MRR/ci95")))
        add_row(table, direction.replace("_", " "), match.replace("_", " "), f"{metrics[f'{key}/queries']:,}", *values)
        chance = [f"{metrics[f'{prefix}random/{direction}/{match}/{column}']:.3f}" for column in _COLUMNS]
        add_row(table, "  random ranker", "", "", *chance, "", style="dim")
    return table


def _top_hits(metrics: Mapping[str, Any], prefix: str, rows: list[tuple[str, str]], console: Console) -> Table | None:
    """The top hit held against the query's own instance; None where that was not measured."""
    names = [name for name in _TOP if any(f"{prefix}{direction}/top1/{name}" in metrics for direction, _ in rows)]
    if not names:
        return None
    columns = [Column("direction")]
    for name in names:
        columns += [Column(name, right=True), Column("95 %", right=True), Column("random", right=True, style="dim")]
    table = new_table(console, columns, "Top hit against the query's own text and series")
    for direction in dict.fromkeys(direction for direction, _ in rows):
        cells = []
        for name in names:
            value = metrics.get(f"{prefix}{direction}/top1/{name}")
            chance = metrics.get(f"{prefix}random/{direction}/top1/{name}")
            interval = _interval(metrics.get(f"{prefix}{direction}/top1/{name}/ci95"))
            cells += [_number(value), interval, _number(chance)]
        add_row(table, direction.replace("_", " "), *cells)
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _interval(bounds: list[float] | None) -> str:
    return "" if bounds is None else f"{bounds[0]:.3f} to {bounds[1]:.3f}"
