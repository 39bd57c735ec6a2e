"""Sessions of training that come to their end at a chosen place, by SIGKILL, another signal or an error.

`run_sessions` forks them from a process that has imported all that training needs, since starting Python takes longer than
these sessions do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.warm import ROOT, TIMEOUT, Ended, run_warm


def run_sessions(*sessions: tuple[Iterable[str], str | None]) -> list[Ended]:
    """Run each (words of the command line, end) in turn.

    An end is `<signal>:<place>:<number>[:<rank>]`: it comes the so-manyth time that the process of that rank, or any,
    comes by the place, one of `PLACES`. Without a rank it goes to the session's process group, as what a terminal or a
    scheduler sends, except SIGKILL. Instead of a signal, `error` raises one.
    """
    return [run_warm(words, end) for words, end in sessions]


def run_on_two(words: Iterable[str], end: str) -> Ended:
    """Run a session on two processes, of which Lightning starts the second; returns when both have ended."""
    made = subprocess.run(
        [sys.executable, "-m", __spec__.name, end, *words, "trainer.devices=2"],
        capture_output=True,  # both hold the pipes, so this waits for both
        text=True,
        timeout=TIMEOUT,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
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


def session(words: list[str], end: str | None) -> int:
    """The exit code of a command that comes to its `end`."""
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


if __name__ == "__main__":
    sys.exit(session(sys.argv[2:], sys.argv[1]))
