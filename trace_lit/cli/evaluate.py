"""`trace-lit evaluate`: retrieval metrics of an aligned run, scores of a tuned one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trace_lit.cli.predict import add_others, add_retriever
from trace_lit.cli.trust import add_trust
from trace_lit.escapes import say
from trace_lit.plain import to_json


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    evaluate = jobs.add_parser("evaluate", help="retrieval metrics of an aligned run, scores of a tuned one")
    evaluate.add_argument("run", type=Path, help="a run folder or a checkpoint")
    evaluate.add_argument("--split", default="test", choices=("train", "validation", "test"), help="(default: test)")
    instead = evaluate.add_mutually_exclusive_group()
    instead.add_argument("--corpus", type=Path, help="another corpus than the run's own")
    instead.add_argument(
        "--retrieval",
        action="store_true",
        help="for a tuned run: retrieval metrics of the aligned run that it started from, and its own",
    )
    add_others(evaluate)
    asked = evaluate.add_mutually_exclusive_group()
    asked.add_argument(
        "--questions",
        metavar="FILE.yaml|weather|healthcare|energy",
        help="ask questions whose answers the numbers decide, and report how many of the first ten hits fit",
    )
    asked.add_argument(
        "--probes",
        action="store_true",
        help="report whether scores notice shuffled time, swapped words and changed numbers",
    )
    asked.add_argument(
        "--protocol",
        choices=("trace",),
        help="trace: the retrieval metrics of the TRACE paper as its own code computes them, beside a constant answer",
    )
    evaluate.add_argument(
        "--part",
        default="development",
        choices=("development", "test"),
        help="which questions are asked (default: development)",
    )
    evaluate.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the first hits of the worst questions")
    evaluate.add_argument(
        "--draw", nargs="+", default=[], metavar="ID", help="draw the first hits of these questions instead"
    )
    add_retriever(evaluate)
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write the metrics there, too")
    add_trust(evaluate)
    evaluate.set_defaults(job=run)


def run(options: argparse.Namespace) -> int:
    """Print the metrics and write them to a file."""
    _check(options)

    from trace_lit.inference import evaluate_mean, evaluate_retention
    from trace_lit.inference.evaluate import evaluate
    from trace_lit.retrieval import print_report

    if options.questions or options.probes or options.protocol:
        own = _evaluate_questions if options.questions else _evaluate_probes if options.probes else _evaluate_paper
        return own(options)
    if options.retrieval:
        metrics = evaluate_retention(options.run, options.split, trust=options.trust)
    elif options.others:
        runs = [options.run, *options.others]
        fitted = options.weights == "fitted"
        metrics = evaluate_mean(runs, options.split, options.corpus, options.retriever, options.trust, fitted=fitted)
    else:
        metrics = evaluate(options.run, options.split, options.corpus, retriever=options.retriever, trust=options.trust)
    print_report(metrics)
    for name, value in metrics.items():
        if isinstance(value, float) and "_to_" not in name:
            say(f"{name} {value:.4g}")
    _write_json(options.json, metrics)
    return 0


def _evaluate_questions(options: argparse.Namespace) -> int:
    from data_modules.figures import picture_format, save_figure
    from trace_lit.inference.evaluate import open_run
    from trace_lit.inference.questions import draw_answers, evaluate_questions, question_metrics
    from trace_lit.retrieval.questions import load_questions
    from trace_lit.retrieval.report import print_questions

    if options.plot is not None:  # an error now, not after all the work
        picture_format(options.plot)
    questions = load_questions(options.questions)
    opened = open_run(options.run, options.corpus, options.trust)
    answered = evaluate_questions(opened, questions, options.split, options.part)
    picture = None if options.plot is None else draw_answers(answered, options.draw)
    metrics = question_metrics(answered, options.split, options.part, opened.config.evaluation.bootstrap)
    for name, own in answered.items():
        print_questions(
            own.report, f"Questions, {options.part}, asked {name} ({options.split}, {len(own.rows):,} windows)"
        )
    opened.keep(metrics)
    _write_json(options.json, metrics)
    if picture is not None:
        save_figure(picture, options.plot)
        say(f"drawn: {options.plot}")
    return 0


def _evaluate_probes(options: argparse.Namespace) -> int:
    from trace_lit.inference.evaluate import open_run
    from trace_lit.inference.probes import evaluate_probes
    from trace_lit.retrieval.report import print_probes

    opened = open_run(options.run, options.corpus, options.trust)
    metrics = evaluate_probes(opened, options.split)
    print_probes(metrics)
    opened.keep(metrics)
    _write_json(options.json, metrics)
    return 0


def _evaluate_paper(options: argparse.Namespace) -> int:
    from trace_lit.inference.evaluate import open_run
    from trace_lit.retrieval import with_split
    from trace_lit.retrieval.paper import evaluate_paper, print_paper

    opened = open_run(options.run, options.corpus, options.trust)
    metrics: dict[str, Any] = {}
    pools = opened.embed(options.split)
    for name, (dataset, pool) in pools.items():
        prefix = f"trace/{options.split}" if len(pools) == 1 else f"trace/{options.split}/{name}"
        own = evaluate_paper(pool, dataset.texts, dataset.values)
        print_paper(own, f"The paper's metrics, {prefix.removeprefix('trace/')}: {len(pool):,} instances")
        metrics |= with_split(prefix, own)
    opened.keep(metrics)
    _write_json(options.json, metrics)
    return 0


def _write_json(path: Path | None, metrics: dict[str, Any]) -> None:
    from trace_lit.atomic import write_atomically

    if path is not None:
        write_atomically(path, to_json(metrics, sort_keys=True) + "\n")


def _check(options: argparse.Namespace) -> None:
    """Raise what is wrong with the words before all that takes long to import."""
    from trace_lit.config import ConfigError
    from trace_lit.modules import checkpoint_path

    if (options.plot or options.draw) and not (options.questions and options.plot):
        raise ConfigError(
            "--plot draws answers to questions: give --questions and --plot FILE.png, and --draw if need be"
        )
    if (options.questions or options.probes or options.protocol) and (options.retrieval or options.others):
        raise ConfigError(
            "--questions, --probes and --protocol are of one aligned run; leave --retrieval and --with out"
        )
    if options.retrieval and options.others:
        raise ConfigError("--retrieval is of one run; leave --with out")
    for place in (options.run, *options.others):
        checkpoint_path(place)
