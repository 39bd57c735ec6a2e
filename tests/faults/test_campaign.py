"""Three quarters of a minute of the campaign of `make faults`: other commands and moments each time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_killed_at_any_change_of_the_disk_the_same_words_go_on() -> None:
    made = subprocess.run(
        # Two processes take long to start; tests/train/test_resume.py kills one of them at chosen moments.
        [
            sys.executable,
            str(Path(__file__).with_name("campaign.py")),
            *("--kills", "4", "--seconds", "45", "--one-process"),
        ],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
