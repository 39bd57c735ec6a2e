"""`trace-lit data`: build, check and look at corpora."""

from __future__ import annotations

import argparse
from pathlib import Path

from trace_lit.escapes import say


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    data = jobs.add_parser("data", help="build, check and look at corpora").add_subparsers(required=True, metavar="JOB")
    build = data.add_parser("build", help="write a corpus from a source")
    build.add_argument(
        "--domain", help="weather, healthcare, … or package.module:Class; default: the only one that has the source"
    )
    build.add_argument("--source", default="generated", help="generated, timecap, timemmd, … (default: generated)")
    build.add_argument("--root", type=Path, help="folder of the upstream data")
    build.add_argument("--out", type=Path, required=True, help="the corpus folder to write")
    build.add_argument("words", nargs="*", metavar="key=value", help="the source's own options, like cities=[ny]")
    build.set_defaults(job=_build)
    validate = data.add_parser("validate", help="check a corpus in full")
    validate.add_argument("corpus", type=Path)
    validate.add_argument("--strict", action="store_true", help="exit 1 for warnings, too: windows of equal values")
    validate.set_defaults(job=_validate)
    show = data.add_parser("show", help="counts, channels, texts and a few instances")
    show.add_argument("corpus", type=Path)
    show.add_argument("--plot", type=Path, metavar="FILE.png", help="draw a few instances")
    show.set_defaults(job=_show)


def _build(options: argparse.Namespace) -> int:
    from data_modules import build_corpus, datamodule_class
    from data_modules.registry import domain_of
    from trace_lit.settings import load_config

    data = [f"data.options.{word}" for word in options.words]
    data += [f"data.domain={options.domain or domain_of(options.source)}", f"data.source={options.source}"]
    if options.root is not None:
        data.append(f"data.root={options.root}")
    config = load_config([], data).data
    corpus = build_corpus(datamodule_class(config), config, options.out)
    say(f"{options.out}: {len(corpus)} instances, fingerprint {corpus.fingerprint[:12]}")
    return 0


def _validate(options: argparse.Namespace) -> int:
    from data_modules.corpus import Corpus, equal_windows, validate_corpus

    problems = validate_corpus(options.corpus)
    warnings = [] if problems else equal_windows(Corpus.load(options.corpus))
    for problem in problems:
        say(problem)
    for warning in warnings:
        say(f"warning: {warning}")
    say(f"{options.corpus}: {len(problems)} problems" if problems else f"{options.corpus}: no problems")
    return 1 if problems or (options.strict and warnings) else 0


def _show(options: argparse.Namespace) -> int:
    from rich.console import Console

    from data_modules import Corpus
    from data_modules.figures import picture_format, plot_instances
    from data_modules.show import example_rows, show_corpus

    if options.plot is not None:
        picture_format(options.plot)
    corpus = Corpus.load(options.corpus)
    rows = example_rows(corpus)
    show_corpus(corpus, Console(), rows)
    if options.plot is not None:
        plot_instances(corpus, rows, options.plot)
        say(f"drawn: {options.plot}")
    return 0
