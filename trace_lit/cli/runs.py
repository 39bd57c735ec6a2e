"""`trace-lit runs`: list runs."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from trace_lit.cli.tables import print_table
from trace_lit.escapes import say

if TYPE_CHECKING:
    from trace_lit.runs.listing import ListedRun

HEADER = ("domain", "stage", "name", "state", "metric", "value", "age")
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    runs = jobs.add_parser("runs", help="list runs: stage, state, main metric, age")
    runs.add_argument(
        "places", nargs="*", type=Path, metavar="DIR", help="run folders, or folders with runs below (default: runs)"
    )
    runs.add_argument("--domain", help="those of this domain, or of this data.domain")
    runs.add_argument("--stage", help="those of this stage")
    runs.add_argument("--name", help="those of this name, or of this name and any seed")
    runs.add_argument("--state", metavar="STATE", help="those in this state: training, stopped, ended, no checkpoint")
    runs.add_argument("--paths", action="store_true", help="print only their folders, one on each line")
    runs.set_defaults(job=run)


def run(options: argparse.Namespace) -> int:
    """Print the runs; exit code 2 where there is none of what is asked for."""
    from trace_lit.config import ConfigError
    from trace_lit.runs.listing import list_runs

    places = options.places or [Path("runs")]
    if not options.places and not places[0].exists():
        raise ConfigError("there is no folder runs here; trace-lit fit makes it, or name the folder of your runs")
    listed = list_runs(places)
    found = choose(listed, options)
    if not found:
        asked = [f"{key} {value}" for key in ("domain", "stage", "name", "state") if (value := getattr(options, key))]
        where = ", ".join(map(str, places))
        raise ConfigError(
            f"no run of {', '.join(asked)} in {where}" if asked and listed else f"there is no run in {where}"
        )
    if options.paths:
        say("\n".join(str(one.folder) for one in found))
        return 0
    now = time.time()
    print_table(HEADER, [_cells(one, now) for one in found])
    return 0


def choose(listed: list[ListedRun], options: argparse.Namespace) -> list[ListedRun]:
    """Those that are asked for; a domain is its name, or the class path that the run's configuration has."""
    found = [
        one
        for one in listed
        if options.stage in (None, one.stage)
        and options.state in (None, one.state)
        and (options.name is None or one.name == options.name or one.name.startswith(f"{options.name}-seed"))
    ]
    filed = [one for one in found if options.domain in (None, one.domain)]
    return filed or [one for one in found if options.domain == one.asked_domain]


def _cells(one: ListedRun, now: float) -> list[str]:
    name, value = ("–", "–") if one.metric is None else (one.metric[0], f"{one.metric[1]:.4g}")
    return [one.domain, one.stage, one.name, one.state, name, value, age_in_words(now - one.changed)]


def age_in_words(seconds: float) -> str:
    """Like "3 h": the largest unit that fits."""
    for unit, size in UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"
