"""Sessions of training that come to their end at a chosen place, by SIGKILL, another signal or an error.

`run_sessions` forks them from a process that has imported all that training needs, since starting Python takes longer than
these sessions do.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.warm import Ended, run_warm

TWO = "trainer.devices=2"


def run_sessions(*sessions: tuple[Iterable[str], str | None]) -> list[Ended]:
    """Run each (words of the command line, end) in turn.

    An end is `<signal>:<place>:<number>[:<rank>]`: it comes the so-manyth time that the process of that rank, or any,
    comes by the place, one of `PLACES`. Without a rank it goes to the session's process group, as what a terminal or a
    scheduler sends, except SIGKILL. Instead of a signal, `error` raises one.
    """
    return [run_warm(words, end) for words, end in sessions]


def run_on_two(words: Iterable[str], end: str) -> Ended:
    """Run a session on two processes, of which Lightning starts the second; returns when both have ended."""
    return run_warm((*words, TWO), end)


class _Forked(ForkProcess):
    """A process as Lightning looks after one that it has started by `subprocess.Popen`."""

    @property
    def returncode(self) -> int | None:
        return self.exitcode

    def poll(self) -> int | None:
        return self.exitcode

    def send_signal(self, number: int) -> None:
        assert self.pid is not None
        os.kill(self.pid, number)


def _prepare_second(words: list[str], end: str) -> None:
    """Fork the second process of a session, which begins where Lightning would start it; this one is its parent."""
    from lightning.pytorch.strategies.launchers import subprocess_script
    from lightning.pytorch.utilities import rank_zero_only

    there, here = multiprocessing.Pipe(duplex=False)

    def second() -> None:
        here.close()
        os.environ.clear()
        os.environ.update(there.recv())
        rank_zero_only.rank = 1  # Lightning has read it when it was imported
        sys.exit(session(words, end))

    process = _Forked(target=second)
    process.start()
    there.close()

    def start(command: list[str], env: dict[str, str], cwd: str | None) -> _Forked:
        here.send(env)
        return process

    subprocess_script.subprocess = SimpleNamespace(Popen=start)


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

    here = os.environ.get("LOCAL_RANK", "0")
    if TWO in words and here == "0":
        _prepare_second(words, end)
    if not rank or rank == [here]:
        PLACES[place](act)
    return main(words)
