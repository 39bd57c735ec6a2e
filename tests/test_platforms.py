"""What the program needs of the operating system: Windows has no SIGUSR1, and it and macOS start workers by `spawn`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TinyRuns

ROOT = Path(__file__).parents[1]
WITHOUT = """\
import signal
for name in ("SIGUSR1", "SIGUSR2", "SIGHUP", "SIGALRM", "SIGKILL"):
    delattr(signal, name)
"""
SPAWNING = """
import importlib, multiprocessing, pkgutil, sys
if __name__ == "__main__":
    for package in map(importlib.import_module, ("trace_lit", "data_modules", "callbacks")):
        for own in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if own.name != "trace_lit.cli.__main__":
                importlib.import_module(own.name)
    multiprocessing.set_start_method("spawn")
    from lightning.pytorch.trainer.connectors import signal_connector
    signal_connector._IS_WINDOWS = True
    known = {signal.SIGTERM, signal.SIGINT}
    signal_connector._SignalConnector._valid_signals = staticmethod(lambda: known)
    from trace_lit.cli import main
    sys.exit(main(sys.argv[1:]))
"""


def ended(folder: Path, program: str, *words: str) -> tuple[int, str]:
    """The exit code of a program and what it has printed."""
    (folder / "program.py").write_text(program)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    made = subprocess.run(
        [sys.executable, "program.py", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return made.returncode, made.stdout + made.stderr


@pytest.mark.slow
def test_every_module_is_imported_and_a_run_trained_with_spawned_workers_and_without_signals(
    tmp_path: Path, tiny_runs: TinyRuns
) -> None:
    words = [
        *tiny_runs.words,
        "stage=align",
        "data.num_workers=1",
        "trainer.max_epochs=1",
        "logger=[]",
        f"run.dir={tmp_path / 'runs'}",
    ]
    code, said = ended(tmp_path, WITHOUT + SPAWNING, "fit", *words, "mining={every_n_epochs: 1, first_epoch: 0}")
    assert code == 0, said
    assert "done:" in said
