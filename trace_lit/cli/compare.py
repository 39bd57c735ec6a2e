"""`trace-lit compare`: runs side by side."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    compare = jobs.add_parser("compare", help="compare runs: metrics, settings that differ, training time")
    compare.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="a run folder, or a folder with runs below it"
    )
    compare.add_argument("--metrics", metavar="PATTERN", help="those whose names match this regular expression")
    compare.add_argument("--all", action="store_true", help="all metrics, not the main ones alone")
    compare.add_argument("--each", action="store_true", help="runs of several seeds one by one")
    compare.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there, too")
    compare.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there, too")
    compare.set_defaults(job=run)


def run(options: argparse.Namespace) -> int:
    """Print the comparison and write it to files."""
    from trace_lit.atomic import write_atomically
    from trace_lit.runs.compare import compare_runs
    from trace_lit.runs.tables import print_comparison, to_json, to_markdown

    comparison = compare_runs(options.runs, options.metrics, details=options.all, each=options.each)
    print_comparison(comparison)
    for file, text in ((options.markdown, to_markdown), (options.json, to_json)):
        if file is not None:
            write_atomically(file, text(comparison))
    return 0
