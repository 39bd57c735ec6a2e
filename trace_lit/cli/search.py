"""`trace-lit search`: ask an aligned run in words, by a series, or for windows like one of the corpus."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trace_lit.cli.extra import extra
from trace_lit.cli.index import TOKEN, add_search_options, filter_of
from trace_lit.cli.there import TABLE, check_there
from trace_lit.cli.trust import add_trust
from trace_lit.escapes import say
from trace_lit.plain import to_json

if TYPE_CHECKING:
    from trace_lit.retrieval import Hit


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    search = jobs.add_parser(
        "search", help="ask an aligned run in words, by a series, or for windows like one of the corpus"
    )
    search.add_argument("run", type=Path, help="a run folder, a checkpoint, or universal")
    search.add_argument(
        "--corpus", type=Path, help="the corpus, or a table whose windows are searched (default: the run's own)"
    )
    search.add_argument(
        "--steps",
        type=int,
        help="the length of the windows that a table is cut into (default: a day of hours and so on)",
    )
    search.add_argument("--text", help="a question in words")
    search.add_argument(
        "--series",
        type=Path,
        metavar="FILE",
        help="a window (CSV, Excel, Parquet; a column for each channel); with --text: what is searched",
    )
    search.add_argument("--like", metavar="ID", help="an instance of the corpus")
    search.add_argument("--top", type=int, default=5, help="how many hits (default: 5)")
    search.add_argument(
        "--index",
        type=Path,
        help="an index to search in the place of a corpus (default: RUN/index, if it is up to date)",
    )
    search.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the query and its hits")
    search.add_argument("--html", type=Path, metavar="FILE.html", help="write the query and its hits as a page to send")
    search.add_argument(
        "--explain", action="store_true", help="tell what each channel and each clause of the question adds to a score"
    )
    search.add_argument("--json", action="store_true", help="print the hits as JSON")
    add_search_options(search.add_argument_group("of an index"), "series")
    add_trust(search)
    search.set_defaults(job=run)


def run(options: argparse.Namespace) -> int:
    """Print and draw the hits."""
    from trace_lit.modules import checkpoint_path

    given = _check(options)
    checkpoint_path(options.run)  # before all that takes long to import
    _check_places(options, given)

    from trace_lit.inference.search import kept_index, open_aligned, print_hits

    model = open_aligned(options.run, options.trust)
    question = {"text": options.text, "series": options.series, "like": options.like}
    explain = options.explain or options.plot is not None or options.html is not None
    wanted = filter_of(options)
    kept = None
    if options.index is not None or options.corpus is None or options.corpus.is_dir():
        kept = kept_index(model, options.index, options.corpus, os.environ.get(TOKEN))
    if kept is not None:
        index, filter = kept
        searched: Any = index
        corpus = index.corpus(*filter.corpus) if options.plot is not None else None
        wanted = replace(wanted, corpus=filter.corpus or tuple(options.of_corpus))
        how = {"within": options.within, "apart": options.apart, "diversity": options.diversity}
        hits = index.search(model=model, **question, filter=wanted, top=options.top, explain=explain, **how)
        name = str(index.place)
    else:
        _check_without_index(options)
        corpus = model.corpus(options.corpus, options.steps)
        split = options.split[0] if options.split else None
        explain = explain or options.text is not None  # of an index it may take long
        hits = model.search(**question, corpus=corpus, top=options.top, split=split, explain=explain)
        searched = corpus
        name = f"{corpus.info.domain} ({corpus.info.name})"
    printed = hits if options.explain else [replace(hit, explanation=None) for hit in hits]
    if options.json:
        say(to_json([hit.as_dict() for hit in printed]))
    else:
        print_hits(printed, name)
    _note_unknown(options.text, hits)
    if options.plot is not None and corpus is not None:
        from trace_lit.inference.hits_figure import draw_hits

        draw_hits(hits, corpus, options.plot, **question)
        say(f"drawn: {options.plot}", file=sys.stderr)
    if options.html is not None:
        with extra("serve"):
            from trace_lit.service import write_report
        write_report(options.html, model, searched, hits, **question, within=options.within)
        say(f"written: {options.html}", file=sys.stderr)
    return 0


def _note_unknown(text: str | None, hits: Sequence[Hit]) -> None:
    """Say so where a question is about none of the channels."""
    known = [hit.explanation for hit in hits if hit.explanation is not None]
    if text is not None and known and all(own.names_no_channel for own in known):
        channels = ", ".join(own.name for own in known[0].channels[1:])
        say(f"note: the model finds none of the channels in this question; there are {channels}", file=sys.stderr)


def _check(options: argparse.Namespace) -> str:
    """ConfigError where the options do not fit together; of a text and a series, the series is what is searched.

    Returns
    -------
    str
        The option that names what is searched.
    """
    from trace_lit.config import ConfigError

    searched = "--corpus"
    if options.text is not None and options.series is not None:
        if options.corpus is not None:
            raise ConfigError("--series is what --text searches, and so is --corpus; give one of them")
        options.corpus, options.series = options.series, None
        searched = "--series"
    given = [name for name in ("text", "series", "like") if getattr(options, name) is not None]
    if len(given) != 1:
        raise ConfigError(f"give one of --text, --series and --like; {' and '.join(given) or 'none'} was given")
    if options.top < 1:
        raise ConfigError(f"--top is {options.top}; it must be at least 1")
    if options.text is not None and not options.text.strip():
        raise ConfigError('--text is empty; ask in words, like --text "heavy rain after a sudden pressure drop"')
    if options.plot is not None:
        from data_modules.figures import picture_format

        picture_format(options.plot)  # an error now, not after all the work
    if options.html is not None and options.html.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--html is {options.html}; a page's name ends in .html")
    return searched


def _check_places(options: argparse.Namespace, searched: str) -> None:
    """ConfigError where what is searched, or the series that is asked by, is not there."""
    from trace_lit.config import ConfigError
    from trace_lit.modules.finding import is_universal

    check_there(searched, options.corpus, f"a corpus folder or {TABLE}" if searched == "--corpus" else TABLE)
    check_there("--series", options.series, TABLE)
    if is_universal(options.run) and options.corpus is None and options.index is None:
        table = "" if options.series is not None else ", or --series FILE.csv beside --text"
        raise ConfigError(
            f"the universal model has no corpus of its own; say what is searched by --corpus FOLDER{table}"
        )


def _check_without_index(options: argparse.Namespace) -> None:
    """ConfigError where an option needs an index, and there is none."""
    from trace_lit.config import ConfigError

    needed = {
        "--since": options.since,
        "--until": options.until,
        "--label": options.label,
        "--of-series": options.of_series,
        "--of-corpus": options.of_corpus,
        "--with-text": options.with_text,
        "--in": options.within != "series",
        "--apart": options.apart,
        "--diversity": options.diversity,
        "a second --split": options.split[1:],
    }
    if given := [name for name, value in needed.items() if value]:
        raise ConfigError(
            f"{given[0]} needs an index: `trace-lit index build {options.run} --corpus …` makes one, and --index names it"
        )
