"""`trace-lit fit`: train a stage."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from trace_lit.config import ConfigError
from trace_lit.settings import split_words, to_yaml


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    fit = jobs.add_parser("fit", help="train a stage: fit A.yaml B.yaml key=value …, merged left to right")
    fit.add_argument("words", nargs="*", metavar="FILE.yaml|key=value", help="seed=0,1,2 trains a run a seed")
    fit.add_argument("--resume", metavar="auto|CKPT", help="go on from the run's last checkpoint, or from this one")
    fit.add_argument("--overwrite", action="store_true", help="replace a run of the same name")
    fit.add_argument("--print-config", action="store_true", help="print the merged configuration and stop")
    fit.set_defaults(job=run)


def run(options: argparse.Namespace) -> int:
    """Train the run, or one of each seed in turn."""
    paths, others = split_words(options.words)
    seeds, words = _split_seeds(others)
    if seeds is not None:
        return _fit_in_turn(options, paths, words, seeds)
    from trace_lit.modules.inherit import load_training_config

    config = load_training_config(paths, words)
    if options.print_config:
        print(to_yaml(config), end="")
        return 0
    from trace_lit.train import fit

    fit(config, resume=options.resume, overwrite=options.overwrite)
    return 0


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
