from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from tests.conftest import TinyRuns
from tests.warm import run_warm
from trace_lit.cli import main
from trace_lit.config import ConfigError
from trace_lit.modules import CheckpointError
from trace_lit.train.seeds import _environment, _run, fit_in_turn, plan_turns


def test_each_seed_is_a_run_of_its_own() -> None:
    turns = plan_turns([], ["run.name=first", "optim.learning_rate=0.5"], [3, 0])
    assert [turn.config.seed for turn in turns] == [3, 0]
    assert [turn.config.run.name for turn in turns] == ["first-seed3", "first-seed0"]
    assert {turn.config.optim.learning_rate for turn in turns} == {0.5}


def test_each_seed_starts_from_the_run_of_that_seed(tmp_path: Path) -> None:
    start = tmp_path / "pretrain" / "first"
    for seed in (0, 1):
        (tmp_path / "pretrain" / f"first-seed{seed}").mkdir(parents=True)
    turns = plan_turns([], [f"init_from={start}", f"rag.retriever={start}"], [0, 1])
    assert [turn.config.init_from for turn in turns] == [f"{start}-seed0", f"{start}-seed1"]
    assert [turn.config.rag.retriever for turn in turns] == [f"{start}-seed0", f"{start}-seed1"]
    with pytest.raises(CheckpointError, match=r"first does not exist, nor does .*first-seed2 for seed 2"):
        plan_turns([], [f"init_from={start}"], [0, 1, 2])
    start.mkdir()  # one that is there is the start of those without their own
    turns = plan_turns([], [f"init_from={start}"], [0, 1, 2])
    assert [turn.config.init_from for turn in turns] == [f"{start}-seed0", f"{start}-seed1", str(start)]


def test_nothing_starts_where_a_run_exists(tmp_path: Path, tiny_corpus: Path) -> None:
    words = [f"data.corpus={tiny_corpus}", f"run.dir={tmp_path}", "run.name=first"]
    (tmp_path / "weather" / "pretrain" / "first-seed1").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"there already is .*first-seed1; choose another run.name"):
        fit_in_turn(plan_turns([], words, [0, 1]))
    assert len(list((tmp_path / "weather" / "pretrain").iterdir())) == 1


def test_a_checkpoint_is_of_one_seed() -> None:
    with pytest.raises(ConfigError, match="a checkpoint is of one seed"):
        fit_in_turn(plan_turns([], [], [0, 1]), resume="last.ckpt")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_run_and_its_exit_code_comes_back(sent: signal.Signals, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    code = (
        "import pathlib, signal, sys, time\n"
        f"signal.signal({int(sent)}, lambda *_: sys.exit(75))\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "time.sleep(60)"
    )

    def send() -> None:
        while not ready.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), sent)

    former = signal.getsignal(sent)
    threading.Thread(target=send).start()
    assert _run([sys.executable, "-c", code], dict(os.environ)) == 75
    assert signal.getsignal(sent) is former


def test_a_run_that_was_killed_has_the_exit_code_of_a_shell() -> None:
    assert _run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], dict(os.environ)) == 137


def test_processes_started_from_outside_meet_at_another_port_for_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MASTER_PORT", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    assert "MASTER_PORT" not in _environment(1)  # Lightning finds a free one
    monkeypatch.setenv("SLURM_JOB_ID", "1234567")
    of_slurm = [_environment(number)["MASTER_PORT"] for number in (0, 1)]
    monkeypatch.setenv("MASTER_PORT", "29500")
    of_torchrun = [_environment(number)["MASTER_PORT"] for number in (0, 1)]
    assert len({*of_slurm, *of_torchrun, "29500"}) == 5
    assert all(1024 < int(port) < 65536 for port in of_slurm)


@pytest.mark.slow
def test_seeds_in_turn_are_the_runs_that_each_alone_would_be(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    words = ["fit", *tiny_runs.words, f"run.dir={tmp_path}", "trainer.max_epochs=1", "data.random_offset=true"]
    in_turn = [*words, "run.name=in-turn", "seed=5,6"]
    place = tmp_path / "weather" / "pretrain"

    def last(name: str) -> dict[str, torch.Tensor]:
        return torch.load(place / name / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]

    def assert_alike(name: str, other: str) -> None:
        ours, theirs = last(name), last(other)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)

    made = run_warm(in_turn)
    assert made.code == 0, made.err
    assert "in-turn (seeds 5, 6)" in made.out
    assert " ± " in made.out
    for seed in (5, 6):
        assert main([*words, f"run.name=alone-{seed}", f"seed={seed}"]) == 0
        assert_alike(f"alone-{seed}", f"in-turn-seed{seed}")

    shutil.rmtree(place / "in-turn-seed6")  # as if it had been stopped before
    before = (place / "in-turn-seed5" / "checkpoints" / "last.ckpt").stat().st_mtime_ns
    made = run_warm([*in_turn, "--resume", "auto"])
    assert made.code == 0, made.err
    assert (place / "in-turn-seed5" / "checkpoints" / "last.ckpt").stat().st_mtime_ns == before
    assert_alike("alone-6", "in-turn-seed6")
    assert "in-turn (seeds 5, 6)" in made.out
