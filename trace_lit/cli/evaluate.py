"""`trace-lit evaluate`: retrieval metrics of an aligned run, scores of a tuned one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from trace_lit.cli.predict import add_others, add_retriever
from trace_lit.config import ConfigError


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    evaluate = jobs.add_parser("evaluate", help="retrieval metrics of an aligned run, scores of a tuned one")
    evaluate.add_argument("run", type=Path, help="a run folder or a checkpoint")
    evaluate.add_argument("--split", default="test", choices=("train", "validation", "test"))
    instead = evaluate.add_mutually_exclusive_group()
    instead.add_argument("--corpus", type=Path, help="another corpus than the run's own")
    instead.add_argument(
        "--retrieval",
        action="store_true",
        help="of a tuned run: what retrieval is with the aligned run it began from, and now",
    )
    add_others(evaluate)
    add_retriever(evaluate)
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write the metrics there, too")
    evaluate.set_defaults(job=run)


def run(options: argparse.Namespace) -> int:
    """Print the metrics and write them to a file."""
    from trace_lit.atomic import write_atomically
    from trace_lit.inference import evaluate_mean, evaluate_retention
    from trace_lit.inference.evaluate import evaluate
    from trace_lit.retrieval import print_report

    if options.retrieval and options.others:
        raise ConfigError("--retrieval is of one run; leave --with out")
    if options.retrieval:
        metrics = evaluate_retention(options.run, options.split)
    elif options.others:
        metrics = evaluate_mean([options.run, *options.others], options.split, options.corpus, options.retriever)
    else:
        metrics = evaluate(options.run, options.split, options.corpus, retriever=options.retriever)
    print_report(metrics)
    for name, value in metrics.items():
        if isinstance(value, float) and "_to_" not in name:
            print(f"{name} {value:.4g}")
    if options.json is not None:
        write_atomically(options.json, json.dumps(metrics, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    return 0
