"""What the Makefile and the SLURM script start."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from trace_lit.cli import main
from trace_lit.settings import load_config

ROOT = Path(__file__).parents[1]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The words after `trace-lit` in each command that `make -n` would run, in an empty folder."""
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)

    def make(*words: str) -> list[list[str]]:
        command = ["make", "-n", "-f", str(ROOT / "Makefile"), *words]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout.replace("\\\n", " ")
        return [shlex.split(line)[1:] for line in output.splitlines() if line.startswith(".venv/bin/trace-lit ")]

    return make


@pytest.mark.parametrize("stage", ["pretrain", "align"])
def test_make_starts_what_its_variables_say(make, stage: str, capsys) -> None:
    ((job, *words),) = make(
        stage,
        *("DOMAIN=energy", "RUN=first", "DEVICES=8", "NODES=2", "ACCELERATOR=gpu", "PRECISION=bf16-mixed"),
        *("STRATEGY=ddp", "RESUME=auto", "ARGS=optim.learning_rate=3e-4"),
    )
    assert job == "fit"
    assert words[words.index("--resume") + 1] == "auto"
    assert main(["fit", *words, "--print-config"]) == 0
    config = yaml.safe_load(capsys.readouterr().out)
    assert (config["stage"], config["data"]["domain"], config["run"]["name"]) == (stage, "energy", "first")
    assert config["optim"]["learning_rate"] == 3e-4
    expected = {"devices": 8, "nodes": 2, "accelerator": "gpu", "precision": "bf16-mixed", "strategy": "ddp"}
    assert expected.items() <= config["trainer"].items()


def test_make_starts_from_the_run_before(make) -> None:
    for stage in ("align", "tune"):
        ((*words,),) = make(stage, "RUN=first", "SEED=0,1", "DOMAIN=rivers:RiverDataModule")
        assert {"init_from=auto", "seed=0,1", "data.domain=rivers:RiverDataModule"} <= set(words)
    assert not any(word.startswith("init_from") for word in make("pretrain")[0])


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run make where the command is asked for runs, and otherwise only noted; make's exit code and the notes come back."""
    command = tmp_path / "trace-lit"
    ours = f"exec {shlex.quote(sys.executable)} -P -m trace_lit.cli"
    command.write_text(f'#!/bin/bash\n[ "$1" = runs ] && {ours} "$@"\necho "$@" >> calls\n')
    command.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def made(*words: str) -> tuple[int, list[str]]:
        Path("calls").unlink(missing_ok=True)
        make = ["make", "-f", str(ROOT / "Makefile"), "-o", ".venv/.installed", f"CLI={command}", *words]
        code = subprocess.run(make, capture_output=True, check=False).returncode
        return code, Path("calls").read_text().splitlines() if Path("calls").exists() else []

    return made


def test_make_finds_the_runs_of_a_plugin(made, tmp_path: Path) -> None:
    domain = "rivers:RiverDataModule"
    for name in ("first-seed0", "first-seed1", "other"):
        run = tmp_path / "runs" / "rivers" / "align" / name
        run.mkdir(parents=True)
        (run / "config.yaml").write_text(f"stage: align\ndata: {{domain: '{domain}'}}\n")
    (run / "metrics.json").write_text('{"fit/seconds": 1.0}')
    code, calls = made("evaluate", f"DOMAIN={domain}", "RUN=first", "ARGS=--split validation")
    assert code == 0
    assert sorted(calls) == [f"evaluate runs/rivers/align/first-seed{seed} --split validation" for seed in (0, 1)]
    assert made("search", f"DOMAIN={domain}", "RUN=other", "ARGS=--text rain")[1] == [
        "search runs/rivers/align/other --text rain"
    ]
    assert made("compare", "DOMAIN=rivers") == (0, ["compare runs/rivers/align/other"])  # the others have not ended
    assert made("evaluate", "DOMAIN=weather", "RUN=first") == (2, [])


def test_make_help_lists_all_targets() -> None:
    # --no-print-directory: inside `make test` it would name its folder
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile")]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    assert {line.split()[0] for line in output.splitlines()} == set(phony.split()[1:])


def test_make_compare(make) -> None:
    ((*words,),) = make("compare", "RUNS=runs/a runs/b", "ARGS=--each --markdown table.md")
    assert words == ["compare", "runs/a", "runs/b", "--each", "--markdown", "table.md"]


# SLURM


@pytest.fixture
def batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the batch script where `srun` ends with a given code; its own code, and what it called, come back."""
    for name in ("srun", "scontrol"):
        (tmp_path / name).write_text(f'#!/bin/bash\necho "{name} $*" >> calls\nexit "${{{name}_code:-0}}"\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "SLURM_JOB_ID": "7",
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_NTASKS_PER_NODE": "8",
    }

    def batch(code: int, *words: str) -> tuple[int, list[str]]:
        Path("calls").unlink(missing_ok=True)
        script = [shutil.which("bash") or "bash", str(ROOT / "experiments" / "slurm.sh"), *words]
        done = subprocess.run(script, env={**environment, "srun_code": str(code)}, check=False)
        return done.returncode, Path("calls").read_text().splitlines()

    return batch


@pytest.mark.parametrize(
    ("code", "requeued"), [(0, False), (1, False), (75, True), (143, True), (130, False), (137, False)]
)
def test_a_slurm_job_goes_back_into_the_queue_where_it_was_stopped_and_saved(batch, code: int, requeued: bool) -> None:
    ended, calls = batch(code, "seed=3")
    assert ended == code
    assert calls[1:] == (["scontrol requeue 7"] if requeued else [])


def test_the_docs_show_the_script_as_it_is() -> None:
    shown = (ROOT / "docs" / "devices.md").read_text().partition("<!-- slurm -->")[2].partition("<!-- /slurm -->")[0]
    lines = [line for line in shown.splitlines() if line and not line.startswith(("```", "<!--"))]
    script = (ROOT / "experiments" / "slurm.sh").read_text().splitlines()
    assert len(lines) > 3
    assert [line for line in script if line in lines] == lines


def test_a_slurm_job_takes_as_many_processes_as_it_was_given_and_goes_on(batch) -> None:
    _, (call,) = batch(0, "experiments/weather/align.yaml", "run.name=a name")
    words = call.partition(" fit ")[2]
    assert words.endswith("experiments/weather/align.yaml run.name=a name --resume auto")
    config = load_config([], [word for word in words.split() if word.startswith("trainer.")])
    assert (config.trainer.nodes, config.trainer.devices, config.trainer.accelerator) == (2, 8, "gpu")
