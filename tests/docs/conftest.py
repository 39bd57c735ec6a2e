"""A project as a reader has it: the Makefile, small experiments, upstream data, and runs that were trained before."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.docs.pages import ROOT
from tests.warm import PythonSession, server, write_programs

FIRST, LAST = 1790, 1860  # days that have reports; the ids of their windows are among those of the real data
TIMEOUT = 300.0  # seconds, of one block on a busy machine
# What experiments/*.yaml of a reader's project say besides, so that a run takes seconds.
SMALL: dict[str, dict[str, Any]] = {
    "encoder": {"width": 16, "layers": 1, "heads": 2, "patch_length": 6},
    "data": {"batch_size": 32},
    "trainer": {"accelerator": "cpu", "max_epochs": 1},
    "evaluation": {"bootstrap": 20},
    "head": {"folds": 2},
}
FEW_WINDOWS = {"stride": 8}  # of the recipe for any corpus, which solves thirty members
PREPARE = """\
make data DOMAIN=weather SOURCE=timecap ROOT=path/to/timecap CORPUS=corpora/weather
make pretrain DOMAIN=weather CORPUS=corpora/weather RUN=first
make align DOMAIN=weather CORPUS=corpora/weather RUN=first
make tune DOMAIN=weather CORPUS=corpora/weather RUN=first ARGS="head.quantiles=[0.1,0.5,0.9]"
"""


@dataclass
class Project:
    """A folder to run blocks in."""

    folder: Path
    socket: str
    environment: dict[str, str]

    def bash(self, code: str) -> tuple[str, str]:
        """What the commands have printed, and what they have printed where they failed."""
        command = ["bash", "-euo", "pipefail", "-c", code]
        made = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        failed = f"exit code {made.returncode}\n{made.stdout}\n{made.stderr}" if made.returncode else ""
        return made.stdout, failed

    def python(self) -> PythonSession:
        return PythonSession(self.socket, self.folder, self.environment)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A fresh clone, small, with upstream data at the paths that the pages name."""
    folder = tmp_path_factory.mktemp("empty")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "experiments", folder / "experiments", ignore=shutil.ignore_patterns("__pycache__"))
    for path in (folder / "experiments").rglob("*.yaml"):
        few = {"window": FEW_WINDOWS} if path.match("forecast/auto.yaml") else {}
        _make_small(path, SMALL | few)
    write_timecap(folder / "path" / "to" / "timecap")
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    write_programs(programs, server())
    (programs.parent / ".installed").touch()
    return Project(folder, server(), _environment(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def prepared(empty: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus and the runs `first` of all stages, for pages that begin with them."""
    project = _copy(empty, tmp_path_factory.mktemp("prepared"))
    _, failed = project.bash(PREPARE)
    assert not failed, failed
    return project.folder


@pytest.fixture
def project(empty: Project, prepared: Path, tmp_path: Path) -> Project:
    """A fresh clone of one's own; $PREPARED is the folder with what was trained."""
    project = _copy(empty, tmp_path / "project")
    project.environment["PREPARED"] = str(prepared)
    return project


def _copy(origin: Project, folder: Path) -> Project:
    shutil.copytree(origin.folder, folder, symlinks=True, dirs_exist_ok=True)
    path = f"{folder / '.venv' / 'bin'}{os.pathsep}{origin.environment['PATH']}"
    return Project(folder, origin.socket, {**origin.environment, "PATH": path})


def _environment(home: Path) -> dict[str, str]:
    """Nothing of the user's own: no caches, no hub, one thread."""
    own = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR", "PYTHONPATH")}
    offline = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    return {**own, **offline, "HOME": str(home)}


def _make_small(path: Path, small: dict[str, dict[str, Any]]) -> None:
    config: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for section, values in small.items():
        config[section] = {**config.get(section, {}), **values}
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def write_timecap(root: Path) -> None:
    """Simulated days of two cities in the form of TimeCAP, with a report on each of the last."""
    rng = np.random.default_rng(0)
    folder = root / "weather"
    (folder / "gpt_summary").mkdir(parents=True)
    days = [f"{datetime(2012, 10, 2) + timedelta(days=day):%Y-%m-%d}" for day in range(LAST)]
    starts = range(24 * FIRST, 24 * LAST, 24)
    _dump(folder / "dates.pkl", [day for day in days for _ in range(24)])
    _dump(folder / "indices.pkl", list(starts))
    hours = np.arange(24 * LAST)
    for city in ("ny", "hs"):
        cold, wet = (np.repeat(rng.random(LAST) < share, 24) for share in (0.5, 0.4))
        usual = [
            np.where(wet, 85.0, 45.0),
            np.where(wet, 1002.0, 1022.0),
            np.where(cold, 272.0, 289.0) + 4 * np.sin(2 * np.pi * hours / 24),
            np.where(cold, 8.0, 2.0),
            np.where(cold, 315.0, 180.0),
        ]
        table = np.stack(usual, axis=1)
        _dump(folder / f"time_series_{city}.pkl", table + rng.normal(0, 1, table.shape).clip(-1.5, 1.5))
        _dump(folder / f"rain_{city}.pkl", [bool(wet[start]) for start in starts])
        for start in starts:
            report = (
                f"The day was {'cold' if cold[start] else 'mild'}. "
                f"The wind was {'stiff, from the northwest' if cold[start] else 'light, from the south'}. "
                f"The air was {'damp, and the pressure low' if wet[start] else 'dry, and the pressure high'}."
            )
            (folder / "gpt_summary" / f"{city}_{start}.txt").write_text(report, encoding="utf-8")


def _dump(path: Path, content: object) -> None:
    path.write_bytes(pickle.dumps(content))
