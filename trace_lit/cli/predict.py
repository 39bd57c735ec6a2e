"""`trace-lit predict`: forecasts with bands, or probabilities of labels, by a tuned run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from trace_lit.cli.there import TABLE, check_there
from trace_lit.cli.trust import add_trust
from trace_lit.escapes import say
from trace_lit.plain import to_json


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    predict = jobs.add_parser("predict", help="forecasts with bands, or probabilities of labels, by a tuned run")
    predict.add_argument("run", type=Path, help="a run folder or a checkpoint")
    predict.add_argument("--corpus", type=Path, help="another corpus than the run's own; needed where it has several")
    predict.add_argument(
        "--split",
        default="test",
        choices=("train", "validation", "test"),
        help="predict all windows of this split (default: test)",
    )
    asked = predict.add_mutually_exclusive_group()
    asked.add_argument(
        "--series",
        type=Path,
        metavar="FILE",
        help="forecast what follows this series (CSV, Excel, Parquet; a column for each channel)",
    )
    asked.add_argument(
        "--id", nargs="+", default=[], metavar="ID", help="forecast what follows these rows of the corpus"
    )
    asked.add_argument("--last", action="store_true", help="forecast what follows the end of each series")
    add_others(predict)
    add_retriever(predict)
    predict.add_argument("--out", type=Path, metavar="FILE.parquet|FILE.csv", help="write all windows as a table")
    predict.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the newest window")
    predict.add_argument("--json", action="store_true", help="print all windows as JSON")
    add_trust(predict)
    predict.set_defaults(job=run)


def add_retriever(job: argparse.ArgumentParser) -> None:
    """Declare `--retriever`."""
    job.add_argument(
        "--retriever",
        type=Path,
        metavar="RUN",
        help="the aligned run that finds neighbours, if it has moved",
    )


def add_others(job: argparse.ArgumentParser) -> None:
    """Declare `--with`."""
    job.add_argument(
        "--with",
        nargs="+",
        type=Path,
        default=[],
        metavar="RUN",
        dest="others",
        help="predict the mean of this run and these tuned runs",
    )
    job.add_argument(
        "--weights",
        default="equal",
        choices=("equal", "fitted"),
        help="of the runs of --with: equal, or those with the smallest errors on the validation windows (default: equal)",
    )


def run(options: argparse.Namespace) -> int:
    """Print, write and draw the predictions."""
    from trace_lit.modules import checkpoint_path

    for place in (options.run, *options.others):  # before all that takes long to import
        checkpoint_path(place)
    check_there("--series", options.series, TABLE)

    from trace_lit.inference import predict_mean
    from trace_lit.inference.predictions import Asked, check_output, write_predictions

    if options.plot is not None:
        from data_modules.figures import picture_format

        picture_format(options.plot)  # an error now, not after all the work
    if options.out is not None:
        check_output(options.out)
    asked = Asked(options.corpus, options.series, options.split, tuple(options.id), options.last)
    fitted = bool(options.others) and options.weights == "fitted"
    predictions = predict_mean([options.run, *options.others], asked, options.retriever, options.trust, fitted=fitted)
    if options.json:
        say(to_json(predictions.as_dicts()))
    else:
        from trace_lit.inference.show import print_predictions

        print_predictions(predictions)
    if options.out is not None:
        write_predictions(predictions, options.out)
        say(f"written: {options.out}, {len(predictions):,} windows", file=sys.stderr)
    if options.plot is not None:
        from data_modules.figures import save_figure
        from trace_lit.inference.show import draw_window

        save_figure(draw_window(predictions, predictions.newest), options.plot)
        say(f"drawn: {options.plot}", file=sys.stderr)
    return 0
