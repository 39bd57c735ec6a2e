"""No process of a training outlives the one that started it: processes are forked here, and follow."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import pytest

from tests.processes import other_process
from trace_lit.train import processes
from trace_lit.train.processes import FIRST, follow_parent

LONG = 60.0  # seconds, on a busy machine


def follow(connection: Connection, first: int | None) -> None:
    os.environ |= {"LOCAL_RANK": "1", FIRST: str(first or os.getppid())}
    follow_parent()
    connection.send("looked")
    time.sleep(2 * LONG)


def test_a_process_ends_whose_first_one_had_ended_before_it_looked() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with other_process(follow, gone.pid) as (process, _):
        process.join(LONG)
        assert process.exitcode == 1


def test_a_process_stays_whose_first_one_is_there() -> None:
    with other_process(follow, None) as (process, connection):
        assert connection.recv() == "looked"
        process.join(3)  # it looks each second
        assert process.exitcode is None


def start(connection: Connection, follower: Callable[[Connection], None], waits: bool) -> None:
    """Start a process, as torchrun does, which gives no number of its own; wait for it, or end at once."""
    os.environ["LOCAL_RANK"] = "1"
    os.environ.pop(FIRST, None)
    parent = os.getpid()
    if os.fork() == 0:
        processes.STARTED = os.getpid(), parent  # as importing the package notes
        follower(connection)
        time.sleep(2 * LONG)
    elif not waits:
        os._exit(0)
    os.wait()


def look_late(connection: Connection) -> None:
    while os.getppid() == processes.STARTED[1]:  # as a process that imports what is large meanwhile
        time.sleep(0.05)
    follow_parent()


def look(connection: Connection) -> None:
    follow_parent()
    connection.send("looked")


def test_a_process_ends_whose_parent_had_ended_before_it_looked() -> None:
    with other_process(start, look_late, False) as (_, connection):
        assert connection.poll(LONG)  # both have ended
        with pytest.raises(EOFError):
            connection.recv()


def test_a_process_follows_the_one_that_started_it() -> None:
    """Also where it waits for the others in vain, as in a collective on accelerators."""
    with other_process(start, look, True) as (process, connection):
        assert connection.recv() == "looked"
        assert not connection.poll(2)
        process.kill()
        assert connection.poll(LONG)
        with pytest.raises(EOFError):
            connection.recv()


def test_what_has_started_a_process_is_noted_before_it_imports_what_is_large() -> None:
    noted = "assert trace_lit.STARTED == (os.getpid(), os.getppid())"
    code = f"import os, sys, trace_lit; {noted}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
