"""Progress of a long job: a bar in a terminal, plain lines elsewhere, nothing for a quick one."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from trace_lit.escapes import say

_QUIET = 3.0  # seconds without output
_EVERY = 15.0  # seconds between two plain lines


class JobProgress:
    """Progress of a job of `total` items on the standard error; a context manager.

    `advance(n)` counts n more items as done. Nothing is shown unless `shown`.
    """

    def __init__(self, title: str, total: int, shown: bool = True) -> None:
        self.shown = shown
        self.title, self.total, self.done = title, total, 0
        self._start = time.monotonic()
        self._next_sign = self._start + _QUIET
        self._bar: Progress | None = None

    def __enter__(self) -> JobProgress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, count: int) -> None:
        """Count `count` more items as done."""
        self.done += count
        now = time.monotonic()
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0], count)
        elif self.shown and now >= self._next_sign:
            if sys.stderr.isatty():
                self._bar = self._started_bar()
            else:
                self._next_sign = now + _EVERY
                left = (now - self._start) / self.done * (self.total - self.done)
                say(f"{self.title}: {self.done:,} of {self.total:,}, {left:.0f} s left", file=sys.stderr, flush=True)

    def _started_bar(self) -> Progress:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        bar = Progress(*columns, console=Console(stderr=True), transient=True)
        bar.add_task(self.title, total=self.total, completed=self.done)
        bar.start()
        return bar
