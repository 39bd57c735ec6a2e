"""`trace-lit search`: ask an aligned run in words, by a series, or for the like of an instance."""

from __future__ import annotations

import argparse
from pathlib import Path

from trace_lit.cli.trust import add_trust


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    search = jobs.add_parser("search", help="ask an aligned run in words, by a series, or for the like of an instance")
    search.add_argument("run", type=Path, help="a run folder or a checkpoint")
    search.add_argument("--corpus", type=Path, help="the corpus that is searched (default: the run's own)")
    query = search.add_mutually_exclusive_group(required=True)
    query.add_argument("--text", help="a question in words")
    query.add_argument("--series", type=Path, metavar="FILE.csv", help="a window, one column a channel")
    query.add_argument("--like", metavar="ID", help="an instance of the corpus")
    search.add_argument("--top", type=int, default=5, help="how many hits (default: 5)")
    search.add_argument("--split", choices=("train", "validation", "test"), help="search this split only")
    search.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the query and its hits")
    search.add_argument("--json", action="store_true", help="print the hits as JSON")
    add_trust(search)
    search.set_defaults(job=run)


def run(options: argparse.Namespace) -> int:
    """Print and draw the hits."""
    from trace_lit.modules import checkpoint_path

    checkpoint_path(options.run)  # before all that takes long to import

    from trace_lit.inference.search import Question, search_run

    search_run(
        options.run,
        Question(text=options.text, series=options.series, like=options.like),
        corpus=options.corpus,
        split=options.split,
        top=options.top,
        plot=options.plot,
        as_json=options.json,
        trust=options.trust,
    )
    return 0
