"""A run in a folder with files that have the names of this project's packages, and with a plug-in of the user's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TinyRuns
from tests.warm import run_warm

pytestmark = pytest.mark.slow
ROOT = str(Path(__file__).parents[2])
PLUGIN = """
from datetime import datetime, timedelta
import numpy as np
from data_modules import Channel, DomainDataModule, Record

class Stations(DomainDataModule):
    domain, channels, frequency = "stations", (Channel("level", "m"),), "1h"

    def records(self):
        rng = np.random.default_rng(0)
        for number in range(40):
            start = datetime(2024, 1, 1) + timedelta(days=number)
            values = rng.normal(size=(1, 24)).cumsum(1).astype(np.float32)
            text = "The level rose." if values[0, -1] > values[0, 0] else "The level fell."
            yield Record(id=str(number), series_id="one", start=start, values=values, text=text)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("callbacks.py", "data_modules.py"):
        (tmp_path / name).write_text('raise RuntimeError("this file is the user\'s own")\n')
    (tmp_path / "stations.py").write_text(PLUGIN)
    return tmp_path


def run(place: Path, *command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    made = subprocess.run(
        command,
        cwd=place,
        env={**environment, "PYTHONPATH": ROOT, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


@pytest.mark.parametrize("start", [(), TORCHRUN], ids=["lightning", "torchrun"])
def test_two_processes_take_the_packages_and_find_the_plugin(
    start: tuple[str, ...], place: Path, tiny_runs: TinyRuns
) -> None:
    words = [word for word in tiny_runs.words if not word.startswith("data.corpus=")]
    words += ["data.domain=stations:Stations", "data.batch_size=8"]
    words += ["trainer.max_epochs=1", "trainer.devices=2"]
    python = (sys.executable, *(("-P",) if start else ()))  # `torchrun` itself is a script and searches no folder
    output = run(place, *python, *start, "-m", "trace_lit.cli", "fit", *words)
    assert "cpu × 2" in output
    metrics = json.loads((place / "runs" / "stations" / "pretrain" / "default" / "metrics.json").read_text())
    assert metrics["fit/epochs"] == 1


def test_seeds_start_from_the_run_before_of_a_plugin(
    place: Path, tiny_runs: TinyRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    words = [word for word in tiny_runs.words if not word.startswith("data.corpus=")]
    fit = ["fit", *words, "data.domain=stations:Stations", "trainer.max_epochs=1", "run.name=first"]
    assert run_warm(fit).code == 0
    made = run_warm([*fit, "stage=align", "init_from=auto", "seed=0,1", "evaluation.bootstrap=0", "logger=[]"])
    assert made.code == 0, made.err
    for seed in (0, 1):
        assert f"start {place / 'runs' / 'stations' / 'pretrain' / 'first'}, seed {seed}" in made.out
