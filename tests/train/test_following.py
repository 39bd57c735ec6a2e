from __future__ import annotations

import os
import subprocess
import sys

import pytest

from trace_lit.train.processes import FIRST

WAITING = (
    "import time; from trace_lit.train.processes import follow_parent; follow_parent(); time.sleep(30); print('late')"
)


@pytest.mark.parametrize(("first", "ends"), [("gone", True), ("there", False)])
def test_a_process_ends_whose_first_one_had_ended_before_it_looked(first: str, ends: bool) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    number = gone.pid if first == "gone" else os.getpid()
    environment = os.environ | {"LOCAL_RANK": "1", FIRST: str(number), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-c", WAITING], env=environment) as follower:
        try:
            assert follower.wait(20) == 1
            assert ends
        except subprocess.TimeoutExpired:
            assert not ends
        finally:
            follower.kill()
