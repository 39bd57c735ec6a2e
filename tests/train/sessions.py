"""Sessions of training that come to their end at a chosen place, by SIGKILL, another signal or an error.

`run_sessions` starts this file as a program, which forks a process for every session, since starting Python with all
that training needs takes longer than these sessions do.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

TIMEOUT = 600


class Ended(NamedTuple):
    """How a session has ended: its exit code (-9 by SIGKILL) and what it has printed."""

    code: int
    out: str
    err: str


def run_sessions(*sessions: tuple[Iterable[str], str | None]) -> list[Ended]:
    """Run each (words of the command line, end) in turn, on one process.

    An end is `<signal>:<place>:<number>[:<rank>]`: it comes the so-manyth time that the process of that rank, or any,
    comes by the place, one of `PLACES`. Without a rank it goes to the session's process group, as what a terminal or a
    scheduler sends, except SIGKILL. Instead of a signal, `error` raises one.
    """
    plain = [(list(words), end) for words, end in sessions]
    made = subprocess.run(
        [sys.executable, __file__, json.dumps(plain)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    return [Ended(*line) for line in json.loads(made.stdout)]


def run_on_two(words: Iterable[str], end: str) -> Ended:
    """Run a session on two processes, of which Lightning starts the second; returns when both have ended."""
    made = subprocess.run(
        [sys.executable, __file__, "--session", end, *words, "trainer.devices=2"],
        capture_output=True,  # both hold the pipes, so this waits for both
        text=True,
        timeout=TIMEOUT,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    return Ended(made.returncode, made.stdout, made.stderr)


def _before(owner: Any, name: str, act: Callable[[], None]) -> None:
    original = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        act()
        return original(*arguments, **named)

    setattr(owner, name, wrapped)


def _after(owner: Any, name: str, act: Callable[[], None]) -> None:
    original = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        act()
        return result

    setattr(owner, name, wrapped)


def _in_the_middle_of_writing(act: Callable[[], None]) -> None:
    import io

    import torch

    save = torch.save

    def in_halves(content: Any, file: Any) -> None:
        whole = io.BytesIO()
        save(content, whole)
        middle = whole.tell() // 2
        file.write(whole.getvalue()[:middle])
        file.flush()
        act()
        file.write(whole.getvalue()[middle:])

    torch.save = in_halves


def _hook(owner: str, name: str, how: Callable[..., None]) -> Callable[[Callable[[], None]], None]:
    def install(act: Callable[[], None]) -> None:
        import callbacks
        import trace_lit.modules

        how(getattr(callbacks, owner, None) or getattr(trace_lit.modules, owner), name, act)

    return install


PLACES = {
    "batch": _hook("StepRandomness", "on_train_batch_start", _before),  # fetched, and not trained on
    "step": _hook("StageModule", "on_before_optimizer_step", _before),  # its gradients are there
    "validation": _hook("StageModule", "on_validation_epoch_end", _before),
    "epoch": _hook("LastCheckpoint", "on_train_epoch_end", _after),  # its checkpoint is there
    "writing": _in_the_middle_of_writing,
    "renaming": lambda act: _before(Path, "replace", act),
    "drawing": _hook("TensorBoardPages", "on_train_end", _before),
}


def _session(words: list[str], end: str | None) -> int:
    from trace_lit.cli import main

    if end is None:
        return main(words)
    how, place, turns, *rank = end.split(":")
    left = int(turns)

    def act() -> None:
        nonlocal left
        left -= 1
        if left == 0 and how == "error":
            raise RuntimeError("the error of the test")
        if left == 0:
            send = os.kill if rank or how == "SIGKILL" else os.killpg
            send(os.getpid(), getattr(signal, how))

    if not rank or rank == [os.environ.get("LOCAL_RANK", "0")]:
        PLACES[place](act)
    return main(words)


def _fork(words: list[str], end: str | None) -> Ended:
    outputs = [os.memfd_create(name) for name in ("out", "err")]
    process = os.fork()
    if process == 0:
        os.setpgid(0, 0)
        for number, output in enumerate(outputs, start=1):
            os.dup2(output, number)
        code: Any = 1
        try:
            code = _session(words, end)
        except SystemExit as leaving:
            code = leaving.code
        except BaseException:
            import traceback

            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    printed = []
    for output in outputs:
        os.lseek(output, 0, os.SEEK_SET)
        with os.fdopen(output) as file:
            printed.append(file.read())
    return Ended(code, *printed)


def _start() -> None:
    """Import what every session would import anew."""
    for name in ("pandas", "torch.utils.tensorboard", "callbacks", "trace_lit.cli", "trace_lit.train"):
        importlib.import_module(name)


if __name__ == "__main__":
    if sys.argv[1] == "--session":
        sys.exit(_session(sys.argv[3:], sys.argv[2]))
    _start()
    print(json.dumps([_fork(*session) for session in json.loads(sys.argv[1])]))
