from __future__ import annotations

import os
import subprocess
import sys

import pytest

from trace_lit.train.processes import FIRST

WAITING = (
    "import time; from trace_lit.train.processes import follow_parent; follow_parent(); time.sleep(90); print('late')"
)


@pytest.mark.parametrize(("first", "ends"), [("gone", True), ("there", False)])
def test_a_process_ends_whose_first_one_had_ended_before_it_looked(first: str, ends: bool) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    number = gone.pid if first == "gone" else os.getpid()
    environment = os.environ | {"LOCAL_RANK": "1", FIRST: str(number), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-c", WAITING], env=environment) as follower:
        try:
            assert follower.wait(85 if ends else 20) == 1  # importing takes long on a busy machine
            assert ends
        except subprocess.TimeoutExpired:
            assert not ends
        finally:
            follower.kill()


def test_a_process_ends_whose_parent_had_ended_before_it_looked() -> None:
    """As of torchrun, which gives no number of its own: a process that it started imports what is large meanwhile."""
    late = f"import os, time, trace_lit; print(flush=True)\nwhile os.getppid() == {{0}}: time.sleep(0.05)\n{WAITING}"
    parent = (
        "import os, subprocess, sys; "
        f"words = [sys.executable, '-c', {late!r}.format(os.getpid())]; "
        "subprocess.Popen(words, stdout=subprocess.PIPE).stdout.readline(); os._exit(0)"
    )
    environment = {name: own for name, own in os.environ.items() if name != FIRST}
    environment |= {"LOCAL_RANK": "1", "OMP_NUM_THREADS": "1"}
    # stderr is that of both, so that this waits for both.
    ended = subprocess.run([sys.executable, "-c", parent], env=environment, stderr=subprocess.PIPE, timeout=100)
    assert ended.stderr == b""
