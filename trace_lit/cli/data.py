"""`trace-lit data`: build, check and look at corpora."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trace_lit.escapes import say

if TYPE_CHECKING:
    from data_modules.config import DataConfig


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    data = jobs.add_parser("data", help="build, check and look at corpora").add_subparsers(required=True)
    build = data.add_parser("build", help="write a corpus from a source")
    build.add_argument(
        "--domain",
        help="weather, healthcare, … or package.module:Class; with --source tables any name; default: the only one that has "
        "the source",
    )
    build.add_argument(
        "--source", default="generated", help="generated, timecap, timemmd, tables, … (default: generated)"
    )
    build.add_argument("--root", type=Path, help="folder of the upstream data")
    build.add_argument("--out", type=Path, required=True, help="the corpus folder to write")
    build.add_argument(
        "words",
        nargs="*",
        metavar="FILE.yaml|key=value",
        help="the source's own options, from left to right, like tables.yaml or cities=[ny]",
    )
    build.set_defaults(job=_build)
    guess = data.add_parser("guess", help="print a first tables.yaml for the files of a folder")
    guess.add_argument("folder", type=Path, metavar="DIR", help="the folder with tables of series and notes")
    guess.set_defaults(job=_guess)
    append = data.add_parser("append", help="add what is new in the files of a corpus that was built from tables")
    append.add_argument("corpus", type=Path, help="a corpus folder")
    append.add_argument("--root", type=Path, help="the folder with its files (default: where they were)")
    append.set_defaults(job=_append)
    validate = data.add_parser("validate", help="check a corpus in full")
    validate.add_argument("corpus", type=Path, help="a corpus folder")
    validate.add_argument("--strict", action="store_true", help="exit 1 for warnings, too: whatever is odd")
    validate.set_defaults(job=_validate)
    show = data.add_parser("show", help="counts, channels, texts and a few instances")
    show.add_argument("corpus", type=Path, help="a corpus folder")
    show.add_argument("--html", type=Path, metavar="FILE.html", help="write all of it, with plots, as one page")
    show.add_argument("--plot", type=Path, metavar="FILE.png", help="draw a few instances")
    show.set_defaults(job=_show)


def _build(options: argparse.Namespace) -> int:
    config = _data_config(options)  # before all that takes long to import

    from data_modules import build_corpus, datamodule_class
    from data_modules.findings import examine, kinds
    from data_modules.tables.counts import Counts
    from trace_lit.terminal import console

    counts = Counts()
    corpus = build_corpus(datamodule_class(config), config, options.out, counts)
    if config.source == "tables":
        from data_modules.appending import record_origin

        record_origin(corpus, config.domain, str(config.root), config.options)
    counts.show(console())
    say(f"{options.out}: {len(corpus)} instances, fingerprint {corpus.fingerprint[:12]}")
    if warnings := examine(corpus).warnings:
        found = ", ".join(f"{kind} ({count})" for kind, count in kinds(warnings).items())
        say(f"warning: {found}; `trace-lit data validate {options.out}` says more")
    return 0


def _data_config(options: argparse.Namespace) -> DataConfig:
    """The section `data` that the words ask for; a YAML file holds options, and may name the domain."""
    from data_modules.registry import FREE, domain_of
    from trace_lit.config import ConfigError
    from trace_lit.nearest import nearest_place
    from trace_lit.settings import load_config, split_words

    files, words = split_words(options.words)
    given = merged_options(files, [f"data.options.{word}" for word in words])
    named = given.pop("domain", None) if options.source in FREE else None  # of another source it is an option
    if options.root is not None and options.source != "hf" and not options.root.exists():  # of hf it may be a name
        raise ConfigError(f"--root is {options.root}, and there is no such folder or file{nearest_place(options.root)}")
    if options.source == "tables":
        _check_tables(options, files, given)
    domain = options.domain or named
    if domain is None and options.source == "tables":
        raise ConfigError(
            f"--domain is not given; name the domain, or write it into the YAML file, like domain: {options.out.name}"
        )
    domain = domain or domain_of(options.source)
    data = [f"data.domain={domain}", f"data.source={options.source}"]
    if options.root is not None:
        data.append(f"data.root={options.root}")
    config = load_config([], data).data
    config.options = given
    return config


def _check_tables(options: argparse.Namespace, files: Sequence[str], given: Mapping[str, Any]) -> None:
    """ConfigError where what describes the tables is not there, or is wrong in itself: before all that takes long."""
    from trace_lit.config import ConfigError

    if not files and "series" not in given:
        folder = options.root or "FOLDER"
        raise ConfigError(
            "the source tables needs a YAML file that says what the files are; "
            f"`trace-lit data guess {folder} > tables.yaml` writes a first one"
        )
    from data_modules.tables.spec import spec_of

    spec_of(given)


def merged_options(files: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    """A source's options from YAML files and, over them, words `data.options.key=value`."""
    from trace_lit.config import ConfigError
    from trace_lit.nearest import nearest_place
    from trace_lit.plain import PlainError, read_yaml
    from trace_lit.settings import load_config

    found: dict[str, Any] = {}
    for file in files:
        try:
            layer = read_yaml(Path(file))
        except FileNotFoundError:
            raise ConfigError(f"there is no file {file}{nearest_place(file)}") from None
        except (PlainError, OSError) as error:
            raise ConfigError(f"{file} is not YAML: {error}") from None
        if not isinstance(layer, dict):
            raise ConfigError(f"{file} must hold a mapping of keys, like 'series: [{{files: meter.csv}}]'")
        found = _merged(found, layer)
    return _merged(found, load_config([], words).data.options if words else {})


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """`one` with what `other` changes; mappings are merged, lists replaced."""
    both = dict(one)
    for key, value in other.items():
        old = both.get(key)
        both[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both


def _guess(options: argparse.Namespace) -> int:
    from trace_lit.config import ConfigError
    from trace_lit.nearest import nearest_place

    if options.folder.is_file():
        raise ConfigError(f"{options.folder} is a file; name the folder that it lies in, like {options.folder.parent}")
    if not options.folder.is_dir():
        raise ConfigError(f"there is no folder {options.folder}{nearest_place(options.folder)}")

    from data_modules.tables.guess import guess

    say(guess(options.folder), end="")
    return 0


def _append(options: argparse.Namespace) -> int:
    from data_modules.appending import append
    from data_modules.tables.counts import Counts
    from trace_lit.terminal import console

    counts = Counts()
    corpus, new = append(options.corpus, counts, options.root)
    counts.show(console())
    say(f"{options.corpus}: {new} new instances, {len(corpus)} in all, fingerprint {corpus.fingerprint[:12]}")
    return 0


def _validate(options: argparse.Namespace) -> int:
    from data_modules.corpus import Corpus, validate_corpus
    from data_modules.findings import examine

    problems = validate_corpus(options.corpus)
    findings = [] if problems else examine(Corpus.load(options.corpus)).findings
    for problem in problems:
        say(problem)
    for finding in findings:
        say(f"{'warning' if finding.warning else 'note'}: {finding.sentence}")
    warnings = [finding for finding in findings if finding.warning]
    counted = _count(len(problems), "problem")
    say(f"{options.corpus}: {counted}{', ' + _count(len(warnings), 'warning') if warnings else ''}")
    return 1 if problems or (options.strict and warnings) else 0


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


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
    if options.html is not None:
        from data_modules.page import write_page

        write_page(corpus, options.html, rows)
        say(f"written: {options.html}")
    return 0
