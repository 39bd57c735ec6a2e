"""The processes of a training on one machine: none of them outlives the others, and the first to fail is named."""

from __future__ import annotations

import os
import signal
import threading
import time

import lightning as L
from lightning.fabric.plugins.environments import LightningEnvironment

from trace_lit import STARTED

PATIENCE = 20.0  # seconds that a process may take to end after it has failed, on a busy machine
FIRST = "TRACE_LIT_FIRST_PROCESS"  # its number, which those inherit that Lightning starts from it
IN_TURN = "TRACE_LIT_IN_TURN"  # set for a run that another process of this project has started


def follow_parent() -> None:
    """End this process soon after the one that started it has ended.

    For all but the first process of a machine, and for that one where it is one of several runs in turn.
    """
    if int(os.environ.get("LOCAL_RANK", "0")) == 0 and IN_TURN not in os.environ:
        return
    # It may have ended before this process gets here, and then another is the parent.
    first = os.environ.get(FIRST) if int(os.environ.get("LOCAL_RANK", "0")) else None
    process, parent = STARTED
    if first is not None:
        parent = int(first)
    elif process != os.getpid():  # it was forked later
        parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)  # the main thread may wait for the others in vain

    threading.Thread(target=watch, daemon=True, name="follow-parent").start()


def is_follower(trainer: L.Trainer) -> bool:
    """Whether Lightning in another process has started this one."""
    environment = getattr(trainer.strategy, "cluster_environment", None)
    return isinstance(environment, LightningEnvironment) and environment.local_rank() > 0


def end_followers(trainer: L.Trainer) -> str | None:
    """End the processes that Lightning has started from this one, and tell which had failed before, if any.

    For a process in which training has failed: the others would wait for it, or follow it with errors of their own.
    """
    followers = getattr(trainer.strategy.launcher, "procs", [])
    until = time.monotonic() + PATIENCE  # a connection breaks a little before its process has ended
    while not (failed := [number for number, other in enumerate(followers, start=1) if other.poll()]):
        if not followers or time.monotonic() > until:
            break
        time.sleep(0.05)
    codes = [(number, followers[number - 1].returncode) for number in failed]
    for other in followers:
        other.kill()
    for number, code in codes:
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return f"process {number} of {trainer.world_size} ended {how}, so the others were ended"
    return None
