"""`trace-lit fit`: train a stage."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trace_lit.cli.trust import add_trust
from trace_lit.plain import at_home

if TYPE_CHECKING:
    from trace_lit.settings import Config

EXAMPLES = """examples:
  trace-lit fit experiments/weather/pretrain.yaml run.name=first
  trace-lit fit experiments/weather/align.yaml run.name=first init_from=auto trainer.max_epochs=20
  trace-lit fit experiments/weather/align.yaml run.name=first init_from=auto seed=0,1,2 --print-config

Files and words are merged from left to right; the run lives in runs/<domain>/<stage>/<run.name>.
trace-lit keys lists all keys with their defaults, trace-lit keys SECTION those of a section.
init_from=auto starts from the run of the stage before of the same domain and name, if there is one."""


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    fit = jobs.add_parser(
        "fit",
        help="train a stage: fit A.yaml B.yaml key=value …",
        description="Train a stage.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fit.add_argument(
        "words",
        nargs="*",
        metavar="FILE.yaml|key=value",
        help="a recipe, or a key and its value; seed=0,1,2 trains one run for each seed",
    )
    fit.add_argument("--resume", metavar="auto|CKPT", help="go on from the run's last checkpoint, or from this one")
    fit.add_argument("--overwrite", action="store_true", help="replace a run of the same name")
    fit.add_argument("--print-config", action="store_true", help="print the merged configuration and stop")
    add_trust(fit)
    fit.set_defaults(job=run)


def run(options: argparse.Namespace) -> int:
    """Train the run, or one of each seed in turn."""
    from trace_lit.settings import load_config, split_words

    paths, others = split_words(options.words)
    seeds, words = _split_seeds(others)
    if seeds is not None:
        return _fit_in_turn(options, paths, words, seeds)
    config = load_config(paths, words)
    if options.print_config:
        print(_merged(config, options.trust), end="")
        return 0
    _check_places(config, options.resume)
    from trace_lit.train import fit

    fit(config, resume=options.resume, overwrite=options.overwrite, trust=options.trust)
    return 0


def _check_places(config: Config, resume: str | None) -> None:
    """Raise CheckpointError where a run that is needed is not there, before all that takes long to import."""
    from trace_lit.modules import checkpoint_path
    from trace_lit.runs.folder import AUTO
    from trace_lit.settings import retrieves

    if resume and resume != "auto" and not Path(resume).exists():
        checkpoint_path(resume)
    if resume is None and config.init_from not in (None, AUTO):
        checkpoint_path(at_home(config.init_from))
    if config.stage == "tune" and retrieves(config) and config.rag.run is not None:
        checkpoint_path(at_home(config.rag.run))


def _merged(config: Config, trust: bool) -> str:
    """The configuration as YAML, with what comes along from the run that it starts from."""
    from trace_lit.runs.folder import AUTO
    from trace_lit.settings import to_yaml

    if config.init_from not in (None, AUTO):
        from trace_lit.train.start import load_start

        load_start(config, trust)
    return to_yaml(config)


def _split_seeds(words: Sequence[str]) -> tuple[list[int] | None, list[str]]:
    """The seeds of `seed=0,1,2` or `seed=[0,1,2]`, and the words without it; None where the last `seed=` gives a single one.

    Raises
    ------
    ConfigError
        What is listed are not different seeds.
    """
    from trace_lit.config import ConfigError

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
    from trace_lit.settings import load_config

    load_config(paths, words)  # which is quick, and may raise
    from trace_lit.train.seeds import fit_in_turn, plan_turns

    turns = plan_turns(paths, words, seeds)
    if options.print_config:
        print("---\n".join(_merged(turn.config, options.trust) for turn in turns), end="")
        return 0
    return fit_in_turn(turns, resume=options.resume, overwrite=options.overwrite, trust=options.trust)
