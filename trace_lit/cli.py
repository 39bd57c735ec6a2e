"""The command `trace-lit`: one subcommand a job. It parses, calls, prints and exits.

Exit codes: 0 done, 1 a problem found by `data validate`, 2 the input cannot be used, 75 training was asked to stop and
has saved (`fit --resume auto` goes on), 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trace_lit.config import BASELINES, CLASSIFIERS, RETRIEVED_MEAN, ConfigError, load_config, to_yaml


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    words = getattr(options, "words", None)
    if words is not None and not any(word.startswith("-") for word in rest):
        words += rest  # argparse ends a list of words at the first option
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("data_modules").setLevel(logging.INFO)
    try:
        return options.job(options)
    except BrokenPipeError:  # the reader of our output has left
        sys.stderr.close()
        return 0
    except _input_errors() as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _input_errors() -> tuple[type[Exception], ...]:
    """What the person at the keyboard can mend; anything else is a defect and shows its trace."""
    from data_modules.corpus import CorpusError
    from trace_lit.modules import CheckpointError, TrainingError
    from trace_lit.retrieval import RetrievalError
    from trace_lit.text import TextEncoderError

    # OSError: a folder that cannot be written, a full disk.
    return (ConfigError, CorpusError, CheckpointError, RetrievalError, TextEncoderError, TrainingError, OSError)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trace-lit", description="Time series and text in one space.")
    jobs = parser.add_subparsers(required=True, metavar="COMMAND")

    data = jobs.add_parser("data", help="build, check and look at corpora").add_subparsers(required=True, metavar="JOB")
    build = data.add_parser("build", help="write a corpus from a source")
    build.add_argument("--domain", required=True, help="weather, healthcare, energy, or package.module:Class")
    build.add_argument("--source", default="generated", help="generated, timecap, timemmd, … (default: generated)")
    build.add_argument("--root", type=Path, help="folder of the upstream data")
    build.add_argument("--out", type=Path, required=True, help="the corpus folder to write")
    build.add_argument("words", nargs="*", metavar="key=value", help="the source's own options, like cities=[ny]")
    build.set_defaults(job=_data_build)
    validate = data.add_parser("validate", help="check a corpus in full")
    validate.add_argument("corpus", type=Path)
    validate.add_argument("--strict", action="store_true", help="exit 1 for warnings, too: windows of equal values")
    validate.set_defaults(job=_data_validate)
    show = data.add_parser("show", help="counts, channels, texts and a few instances")
    show.add_argument("corpus", type=Path)
    show.add_argument("--plot", type=Path, metavar="FILE.png", help="draw a few instances")
    show.set_defaults(job=_data_show)

    fit = jobs.add_parser("fit", help="train a stage: fit A.yaml B.yaml key=value …, merged left to right")
    fit.add_argument("words", nargs="*", metavar="FILE.yaml|key=value", help="seed=0,1,2 trains a run a seed")
    fit.add_argument("--resume", metavar="auto|CKPT", help="go on from the run's last checkpoint, or from this one")
    fit.add_argument("--overwrite", action="store_true", help="replace a run of the same name")
    fit.add_argument("--print-config", action="store_true", help="print the merged configuration and stop")
    fit.set_defaults(job=_fit)

    baselines = (*BASELINES, *CLASSIFIERS, RETRIEVED_MEAN)
    baseline = jobs.add_parser("baseline", help="fit what the tuned encoder is held against, like fit stage=tune does")
    baseline.add_argument("name", choices=baselines, metavar="NAME", help=", ".join(baselines))
    baseline.add_argument(
        "words", nargs="*", metavar="FILE.yaml|key=value", help="as of fit; run.name is NAME by default"
    )
    baseline.add_argument(
        "--resume", metavar="auto|CKPT", help="go on from the run's last checkpoint, or from this one"
    )
    baseline.add_argument("--overwrite", action="store_true", help="replace a run of the same name")
    baseline.add_argument("--print-config", action="store_true", help="print the merged configuration and stop")
    baseline.set_defaults(job=_baseline)

    compare = jobs.add_parser("compare", help="runs side by side: metrics, settings that differ, what they took")
    compare.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="a run folder, or a folder with runs below it"
    )
    compare.add_argument("--metrics", metavar="PATTERN", help="those whose names match this regular expression")
    compare.add_argument("--all", action="store_true", help="all metrics, not the main ones alone")
    compare.add_argument("--each", action="store_true", help="runs of several seeds one by one")
    compare.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there, too")
    compare.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there, too")
    compare.set_defaults(job=_compare)

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
    _add_others(evaluate)
    asked = evaluate.add_mutually_exclusive_group()
    asked.add_argument(
        "--questions",
        metavar="FILE.yaml|weather|healthcare|energy",
        help="instead: how many of the first ten hits fit, by questions that the numbers decide",
    )
    asked.add_argument(
        "--probes",
        action="store_true",
        help="instead: whether scores notice shuffled time, swapped words and changed numbers",
    )
    evaluate.add_argument(
        "--part", default="development", choices=("development", "test"), help="of the questions (default: development)"
    )
    evaluate.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the first hits of the worst questions")
    evaluate.add_argument("--draw", nargs="+", default=[], metavar="ID", help="draw those of these questions instead")
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write the metrics there, too")
    evaluate.set_defaults(job=_evaluate)

    predict = jobs.add_parser("predict", help="forecasts with bands, or probabilities of labels, by a tuned run")
    predict.add_argument("run", type=Path, help="a run folder or a checkpoint")
    predict.add_argument("--corpus", type=Path, help="another corpus than the run's own; needed where it has several")
    predict.add_argument(
        "--split", default="test", choices=("train", "validation", "test"), help="all its windows (test)"
    )
    asked = predict.add_mutually_exclusive_group()
    asked.add_argument(
        "--series", type=Path, metavar="FILE.csv", help="what comes behind this series, a column a channel"
    )
    asked.add_argument("--id", nargs="+", default=[], metavar="ID", help="behind these rows of the corpus")
    asked.add_argument("--last", action="store_true", help="behind the end of each series")
    _add_others(predict)
    predict.add_argument("--out", type=Path, metavar="FILE.parquet|FILE.csv", help="write all windows as a table")
    predict.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the newest window")
    predict.add_argument("--json", action="store_true", help="print all windows as JSON")
    predict.set_defaults(job=_predict)

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
    search.set_defaults(job=_search)
    return parser


def _add_others(job: argparse.ArgumentParser) -> None:
    job.add_argument(
        "--with",
        nargs="+",
        type=Path,
        default=[],
        metavar="RUN",
        dest="others",
        help="the mean of it and these tuned runs",
    )


def _data_build(options: argparse.Namespace) -> int:
    from data_modules import datamodule_class

    data = [f"data.options.{word}" for word in options.words]
    data += [f"data.domain={options.domain}", f"data.source={options.source}"]
    if options.root is not None:
        data.append(f"data.root={options.root}")
    config = load_config([], data).data
    corpus = datamodule_class(config)(config).build(options.out)
    print(f"{options.out}: {len(corpus)} instances, fingerprint {corpus.fingerprint[:12]}")
    return 0


def _data_validate(options: argparse.Namespace) -> int:
    from data_modules.corpus import Corpus, equal_windows, validate_corpus

    problems = validate_corpus(options.corpus)
    warnings = [] if problems else equal_windows(Corpus.load(options.corpus))
    for problem in problems:
        print(problem)
    for warning in warnings:
        print(f"warning: {warning}")
    print(f"{options.corpus}: {len(problems)} problems" if problems else f"{options.corpus}: no problems")
    return 1 if problems or (options.strict and warnings) else 0


def _data_show(options: argparse.Namespace) -> int:
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
        print(f"drawn: {options.plot}")
    return 0


def _fit(options: argparse.Namespace) -> int:
    # A file may have "=" in its name.
    paths = [word for word in options.words if "=" not in word or Path(word).is_file()]
    seeds, words = _split_seeds([word for word in options.words if word not in paths])
    if seeds is not None:
        return _fit_in_turn(options, paths, words, seeds)
    config = load_config(paths, words)
    if options.print_config:
        print(to_yaml(config), end="")
        return 0
    from trace_lit.train import fit

    fit(config, resume=options.resume, overwrite=options.overwrite)
    return 0


def _baseline(options: argparse.Namespace) -> int:
    named = any(word.startswith("run.name=") for word in options.words)
    first = ["tune.gains=[]", "tune.refit=false"]  # files are those of the tuned model; words that follow are meant
    if options.name != RETRIEVED_MEAN:  # which does both
        first.append(f"tune.task={'forecast' if options.name in BASELINES else 'classify'}")
    options.words[:0] = first
    options.words += ["stage=tune", f"tune.model={options.name}", "init_from=null"]
    options.words += [] if named else [f"run.name={options.name}"]
    return _fit(options)


def _split_seeds(words: Sequence[str]) -> tuple[list[int] | None, list[str]]:
    """The seeds of `seed=0,1,2` or `seed=[0,1,2]`, and the words without it; None where the last `seed=` gives a single one.

    Raises
    ------
    ConfigError
        What is listed are not different seeds.
    """
    given = [word for word in words if word.startswith("seed=")][-1:]
    others = [word for word in words if not word.startswith("seed=")]
    listed = "".join(given).removeprefix("seed=").strip()
    if not (listed.startswith("[") or "," in listed):
        return None, others + given
    names = listed.removeprefix("[").removesuffix("]").split(",")
    if not all(name.strip().isdecimal() for name in names):
        raise ConfigError(f"seed={listed}: give one seed, or several like seed=0,1,2")
    seeds = [int(name) for name in names]
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"seed={listed}: a seed is given twice")
    return seeds, others


def _fit_in_turn(options: argparse.Namespace, paths: list[str], words: list[str], seeds: list[int]) -> int:
    from trace_lit.train.seeds import fit_in_turn, plan_turns

    turns = plan_turns(paths, words, seeds)
    if options.print_config:
        print("---\n".join(to_yaml(turn.config) for turn in turns), end="")
        return 0
    return fit_in_turn(turns, resume=options.resume, overwrite=options.overwrite)


def _compare(options: argparse.Namespace) -> int:
    from trace_lit.train.compare import compare_runs, print_comparison, to_json, to_markdown
    from trace_lit.train.runs import write_atomically

    comparison = compare_runs(options.runs, options.metrics, details=options.all, each=options.each)
    print_comparison(comparison)
    for file, text in ((options.markdown, to_markdown), (options.json, to_json)):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, text(comparison))
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from trace_lit.retrieval import print_report
    from trace_lit.train import evaluate_mean, evaluate_run, evaluate_survival

    if (options.plot or options.draw) and not (options.questions and options.plot):
        raise ConfigError(
            "--plot draws answers to questions: give --questions and --plot FILE.png, and --draw if need be"
        )
    if options.questions or options.probes:
        if options.retrieval or options.others:
            raise ConfigError("--questions and --probes are of one aligned run; leave --retrieval and --with out")
        return _evaluate_questions(options) if options.questions else _evaluate_probes(options)
    if options.retrieval and options.others:
        raise ConfigError("--retrieval is of one run; leave --with out")
    if options.retrieval:
        metrics = evaluate_survival(options.run, options.split)
    elif options.others:
        metrics = evaluate_mean([options.run, *options.others], options.split, options.corpus)
    else:
        metrics = evaluate_run(options.run, options.split, options.corpus)
    print_report(metrics)
    for name, value in metrics.items():
        if isinstance(value, float) and "_to_" not in name:
            print(f"{name} {value:.4g}")
    _write_json(options.json, metrics)
    return 0


def _evaluate_questions(options: argparse.Namespace) -> int:
    from data_modules.figures import picture_format, save_figure
    from trace_lit.retrieval.questions import load_questions
    from trace_lit.retrieval.report import print_questions
    from trace_lit.train.evaluate import open_run
    from trace_lit.train.questions import draw_answers, evaluate_questions, question_metrics

    if options.plot is not None:  # an error now, not after all the work
        picture_format(options.plot)
    questions = load_questions(options.questions)
    opened = open_run(options.run, options.corpus)
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
        print(f"drawn: {options.plot}")
    return 0


def _evaluate_probes(options: argparse.Namespace) -> int:
    from trace_lit.retrieval.report import print_probes
    from trace_lit.train.evaluate import open_run
    from trace_lit.train.probes import evaluate_probes

    opened = open_run(options.run, options.corpus)
    metrics = evaluate_probes(opened, options.split)
    print_probes(metrics)
    opened.keep(metrics)
    _write_json(options.json, metrics)
    return 0


def _write_json(path: Path | None, metrics: dict[str, Any]) -> None:
    from trace_lit.train.runs import write_atomically

    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(metrics, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def _predict(options: argparse.Namespace) -> int:
    from data_modules.figures import picture_format, save_figure
    from trace_lit.train import predict_mean
    from trace_lit.train.predict import Asked
    from trace_lit.train.predictions import check_output, write_predictions
    from trace_lit.train.show import draw_window, print_predictions

    if options.plot is not None:  # an error now, not after all the work
        picture_format(options.plot)
    if options.out is not None:
        check_output(options.out)
    asked = Asked(options.corpus, options.series, options.split, tuple(options.id), options.last)
    predictions = predict_mean([options.run, *options.others], asked)
    if options.json:
        print(json.dumps(predictions.as_dicts(), indent=2, ensure_ascii=False))
    else:
        print_predictions(predictions)
    if options.out is not None:
        write_predictions(predictions, options.out)
        print(f"written: {options.out}, {len(predictions):,} windows", file=sys.stderr)
    if options.plot is not None:
        save_figure(draw_window(predictions, predictions.newest), options.plot)
        print(f"drawn: {options.plot}", file=sys.stderr)
    return 0


def _search(options: argparse.Namespace) -> int:
    from trace_lit.train.search import Question, search_run

    search_run(
        options.run,
        Question(text=options.text, series=options.series, like=options.like),
        corpus=options.corpus,
        split=options.split,
        top=options.top,
        plot=options.plot,
        as_json=options.json,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
