"""Several seeds in turn: the same run once a seed, each in a process of its own."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from callbacks.stopping import SIGNALS
from trace_lit.config import ConfigError
from trace_lit.escapes import say
from trace_lit.modules import CheckpointError
from trace_lit.runs.compare import compare_runs
from trace_lit.runs.data import corpus_cache, run_domain
from trace_lit.runs.folder import AUTO, run_folder
from trace_lit.runs.tables import print_comparison
from trace_lit.settings import Config, load_config
from trace_lit.train.fit import anchor_paths
from trace_lit.train.processes import IN_TURN
from trace_lit.train.resume import check_words


@dataclass(frozen=True)
class Turn:
    """One of the runs of several seeds: the words that it takes, and what they amount to."""

    seed: int
    words: list[str]
    config: Config


def plan_turns(paths: Sequence[str], words: Sequence[str], seeds: Sequence[int]) -> list[Turn]:
    """A run `<run.name>-seed<s>` a seed; it starts from `<init_from>-seed<s>` where there is one.

    `rag.retriever` is taken likewise.

    Raises
    ------
    ConfigError
        As `load_config`.
    CheckpointError
        There is neither the run that is named nor the one of a seed.
    """
    turns = []
    name = load_config(paths, words).run.name
    for seed in seeds:
        own = [*words, f"seed={seed}", f"run.name={name}-seed{seed}"]
        config = load_config(paths, own)
        for key, common in (("init_from", config.init_from), ("rag.retriever", config.rag.run)):
            if common in (None, AUTO):
                continue
            start = f"{common.rstrip('/')}-seed{seed}"
            if Path(start).exists():
                own.append(f"{key}={start}")
            elif not Path(common).exists():
                raise CheckpointError(f"{key}={common} does not exist, nor does {start} for seed {seed}")
        turns.append(Turn(seed, [*paths, *own], load_config(paths, own)))
    return turns


def fit_in_turn(turns: Sequence[Turn], resume: str | None = None, overwrite: bool = False, trust: bool = False) -> int:
    """Train one after the other, each in a process of its own, as its words alone would; at last show mean ± deviation.

    The exit code is 0, or that of the run that did not end well; later ones are then not started.

    Raises
    ------
    ConfigError
        A run exists, and is neither gone on with nor overwritten.
    """
    check_words(resume, overwrite)
    if resume not in (None, "auto"):
        raise ConfigError(f"--resume {resume}: a checkpoint is of one seed; several go on with --resume auto")
    folders = [planned_folder(turn.config) for turn in turns]
    speaks = not any(int(os.environ.get(name, 0)) for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID", "NODE_RANK"))
    taken = [str(folder) for folder in folders if folder.exists()]
    if speaks and taken and not overwrite and resume is None:  # elsewhere, the first run may have begun already
        raise ConfigError(
            f"there already is {', '.join(taken)}; choose another run.name, go on with all seeds (--resume auto), or "
            "replace them (--overwrite)"
        )
    how = [*(["--resume", resume] if resume else []), *(["--overwrite"] if overwrite else [])]
    how += ["--trust"] if trust else []
    for number, turn in enumerate(turns):
        words = ["fit", *turn.words, *how]
        if speaks:
            say(f"seed {turn.seed}, {number + 1} of {len(turns)}: trace-lit {shlex.join(words)}", flush=True)
        # -P: the current folder is not searched first, where a user may have a callbacks.py of their own.
        code = _run([sys.executable, "-P", "-m", "trace_lit.cli", *words], _environment(number))
        if code:
            left = ", ".join(str(other.seed) for other in turns[number + 1 :])
            if speaks and left:
                say(f"seed {turn.seed} ended with code {code}; not started: seed {left}", file=sys.stderr)
            return code
        if speaks:
            say()
    if speaks:
        print_comparison(compare_runs(folders))
    return 0


def planned_folder(config: Config) -> Path:
    """Where the run of `config` will live; its corpus is built for that if it is not there yet."""
    anchor_paths(config)
    return run_folder(config, run_domain(corpus_cache(config).prepare()))


def _environment(number: int) -> dict[str, str]:
    """For the run `number` of several: processes that were started from outside meet anew, at a port of its own.

    At the same one, a process that is ahead would find what the run before has left there.
    """
    environment = {**os.environ, IN_TURN: str(number)}
    port = environment.get("MASTER_PORT")
    if port is None and "SLURM_JOB_ID" in environment:
        port = str(15000 + int(environment["SLURM_JOB_ID"]) % 10000)
    if port is not None:
        environment["MASTER_PORT"] = str(int(port) + 1 + number)
        environment["TORCHELASTIC_USE_AGENT_STORE"] = "False"  # it is at torchrun's port
    return environment


def _run(command: Sequence[str], environment: dict[str, str]) -> int:
    """The exit code of a command; it gets the signals that are meant for it, and its end is waited for."""
    # In a group of its own, so that Ctrl-C reaches it once: a second time it would not save before it stops.
    child = subprocess.Popen(command, env=environment, process_group=0)

    def hand_on(number: int, frame: FrameType | None) -> None:
        child.send_signal(number)

    former = {number: signal.signal(number, hand_on) for number in SIGNALS}
    try:
        code = child.wait()
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code
