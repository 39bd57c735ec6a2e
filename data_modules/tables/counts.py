"""What a reader met and how it dealt with it: kind, place, number and the first case, for one table at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@dataclass
class Finding:
    """Cases of one kind in one place."""

    what: str  # "late time stamps"
    where: str  # file, series or column
    done: str  # "moved onto the grid"
    count: int = 0
    first: str = ""  # the first case


@dataclass
class Counts:
    """All findings, in the order in which their kinds were met."""

    findings: dict[tuple[str, str, str], Finding] = field(default_factory=dict)

    def add(self, what: str, where: str, done: str, count: int = 1, first: object = "") -> None:
        """Count `count` further cases; of none, nothing is noted."""
        if count:
            found = self.findings.setdefault((what, where, done), Finding(what, where, done))
            found.first = found.first if found.count else str(first)
            found.count += int(count)

    def take(self, other: Counts) -> None:
        """Count what `other` has counted."""
        for found in other.findings.values():
            self.add(found.what, found.where, found.done, found.count, found.first)

    def __iter__(self) -> Iterable[Finding]:  # type: ignore[override]
        return iter(self.findings.values())

    def __len__(self) -> int:
        return len(self.findings)

    def number(self, what: str) -> int:
        """How many cases of a kind there are in all places."""
        return sum(found.count for found in self.findings.values() if found.what == what)

    def lines(self) -> list[str]:
        """A sentence for each finding."""
        return [
            f"{found.where}: {found.count:,} {found.what}, {found.done}"
            + (f"; first: {found.first}" * bool(found.first))
            for found in self.findings.values()
        ]

    def show(self, console: Console) -> None:
        """Print the table; nothing where nothing was met."""
        from trace_lit.terminal import Column, add_row, new_table

        if not self.findings:
            return
        columns = [Column("found", wrap=True), Column("number", right=True), Column("where", wrap=True)]
        table = new_table(console, [*columns, Column("first", wrap=True), Column("what was done", wrap=True)])
        for found in self.findings.values():
            add_row(table, found.what, f"{found.count:,}", found.where, found.first, found.done)
        console.print(table)
