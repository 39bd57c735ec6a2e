from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from trace_lit.cli import main
from trace_lit.cli.runs import age_in_words
from trace_lit.holding import held
from trace_lit.modules import CheckpointError
from trace_lit.runs.folder import run_before
from trace_lit.runs.listing import list_run, list_runs, main_metric
from trace_lit.runs.record import read_record, recorded
from trace_lit.settings import Config, RunConfig, load_config, to_yaml

ABOUT = {"domain": "weather", "data_fingerprint": "a1b2c3", "channels": ["pressure [hPa]"], "labels": []}


def make_run(root: Path, stage: str = "align", name: str = "first", *words: str, saved: bool = True) -> Path:
    folder = root / "weather" / stage / name
    (folder / "checkpoints").mkdir(parents=True)
    config = load_config([], words) if words else Config()
    config.stage, config.run.name = stage, name
    (folder / "config.yaml").write_text(to_yaml(config))
    if saved:
        (folder / "checkpoints" / "last.ckpt").touch()
    return folder


def finish(folder: Path, **metrics: float) -> None:
    (folder / "metrics.json").write_text(json.dumps({"fit/seconds": 1.0, **metrics}))


def session(run: Path, end: BaseException | None, work: Callable[[], object] = lambda: None) -> None:
    """A session of training that does its `work` and ends well or by `end`."""
    with suppress(*([] if end is None else [type(end)])), held(run), recorded(run, ABOUT):
        assert list_run(run).state == "training"
        work()
        if end is not None:
            raise end


def test_the_state_of_a_run_through_its_life(tmp_path: Path) -> None:
    run = make_run(tmp_path, saved=False)
    assert list_run(run).state == "no checkpoint"
    session(run, SystemExit(75), lambda: (run / "checkpoints" / "last.ckpt").touch())
    assert list_run(run).state == "stopped"
    session(run, None, lambda: finish(run))
    assert list_run(run).state == "ended"
    session(run, ZeroDivisionError())  # further epochs, which break off
    assert list_run(run).state == "stopped"
    assert [session["outcome"] for session in read_record(run)["sessions"]] == ["stopped", "ended", "failed"]


def test_a_run_that_was_killed_is_not_training(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    left = {}
    with held(run), recorded(run, ABOUT):
        for file in (run / "run.json", *run.parent.glob(f".{run.name}.*")):
            left[file] = file.read_bytes()
    for file, content in left.items():
        file.write_bytes(content)
    assert list_run(run).state == "stopped"


def test_a_run_of_version_0_1_says_nothing_of_itself(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    assert list_run(run).state == "stopped"
    (run / "metrics.json").write_text('{"test/text_to_series/pair/MRR": 0.5}')  # evaluated before it ended
    assert list_run(run).state == "stopped"
    finish(run)
    assert (list_run(run).state, list_run(run).domain) == ("ended", "weather")


def test_a_signal_after_the_last_step_leaves_an_ended_run(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    session(run, SystemExit(75), lambda: finish(run))
    assert list_run(run).state == "ended"


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ({}, None),
        ({"last/validation/loss": 0.5}, ("last/validation/loss", 0.5)),
        ({"best/validation/loss": 0.4, "last/validation/loss": 0.5}, ("best/validation/loss", 0.4)),
        ({"best/validation/loss": float("nan"), "last/validation/loss": 0.5}, ("last/validation/loss", 0.5)),
        (
            {"best/validation/text_to_series/pair/MRR": 0.2, "test/text_to_series/pair/MRR": 0.3, "test/loss": 1.0},
            ("test/text_to_series/pair/MRR", 0.3),
        ),
        ({"last/validation/MAE": 0.7, "last/validation/loss": 0.1}, ("last/validation/MAE", 0.7)),
    ],
)
def test_the_main_metric(metrics: dict[str, float], expected: tuple[str, float] | None) -> None:
    assert main_metric(metrics) == expected


def test_runs_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    finish(make_run(Path("runs"), "pretrain"), **{"best/validation/loss": 0.25})
    old = time.time() - 7200
    os.utime("runs/weather/pretrain/first/checkpoints/last.ckpt", (old, old))
    make_run(Path("runs"), "align", "first-seed1", "data.domain=rivers:RiverDataModule")
    make_run(Path("runs"), "align", "second", saved=False)
    assert main(["runs"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["domain", "stage", "name", "state", "metric", "value", "age"]
    assert ["weather", "pretrain", "first", "ended", "best/validation/loss", "0.25", "2", "h"] in lines
    assert lines[1][:4] == ["weather", "align", "first-seed1", "stopped"]
    assert lines[2][:5] == ["weather", "align", "second", "no", "checkpoint"]

    def paths(*words: str) -> list[str]:
        assert main(["runs", "--paths", *words]) == 0
        return capsys.readouterr().out.splitlines()

    assert paths("--domain", "weather", "--stage", "align", "--name", "first") == ["runs/weather/align/first-seed1"]
    assert paths("--domain", "rivers:RiverDataModule") == ["runs/weather/align/first-seed1"]
    assert paths("--state", "ended") == ["runs/weather/pretrain/first"]
    assert main(["runs", "--name", "third", "--stage", "align"]) == 2
    assert "error: no run of stage align, name third in runs" in capsys.readouterr().err


def test_a_folder_without_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(tmp_path)]) == 2
    assert f"there is no run in {tmp_path}" in capsys.readouterr().err


def test_a_damaged_run_is_named(tmp_path: Path) -> None:
    (make_run(tmp_path) / "config.yaml").write_text("stage: [")
    with pytest.raises(CheckpointError, match=r"align/first cannot be read, it is damaged"):
        list_runs([tmp_path])


def test_info_tells_what_a_run_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path, "tune", "first", "window={lookback: 36, horizon: 6}", "seed=7")
    with recorded(run, {**ABOUT, "labels": ["gale", "fog"]}):
        finish(run, **{"last/validation/MAE": 0.5, "fit/parameters": 1234.0})
    assert main(["info", str(run)]) == 0
    output = capsys.readouterr().out
    for words in (
        "ended",
        "tune",
        "pressure [hPa]",
        "gale, fog",
        "look-back 36 steps, horizon 6 steps",
        "fingerprint a1b2c3",
        "last/validation/MAE 0.5",
        "1,234 parameters",
        "seed 7",
        "version 0.",
    ):
        assert words in " ".join(output.split()), words
    assert main(["info", str(tmp_path)]) == 2
    assert "is not a run folder" in capsys.readouterr().err


def test_ages() -> None:
    assert [age_in_words(seconds) for seconds in (3, 90, 7200, 300_000)] == ["3 s", "2 min", "2 h", "3 d"]


def test_the_run_before(tmp_path: Path) -> None:
    def before(stage: str, name: str, seed: int = 0) -> Path | None:
        return run_before(Config(stage=stage, seed=seed, run=RunConfig(str(tmp_path), name)), "weather")

    pretrained = make_run(tmp_path, "pretrain")
    assert before("pretrain", "first") is None
    assert before("align", "first") == before("tune", "first") == before("align", "first-seed3", 3) == pretrained
    assert before("align", "second") is None
    assert before("align", "first-seed3", 4) is None
    own = make_run(tmp_path, "pretrain", "first-seed3")
    assert before("align", "first-seed3", 3) == own
    aligned = make_run(tmp_path, "align")
    assert before("tune", "first") == aligned


@pytest.mark.parametrize(
    "record",
    [
        [],
        {"sessions": [5]},
        {"sessions": {"outcome": "ended"}},
        {"sessions": [{"outcome": 5}]},
        {"domain": 5},
        {"channels": "all"},
        {"labels": [None]},
        {"data_fingerprint": {}},
    ],
)
def test_a_record_of_another_form_is_none(tmp_path: Path, record: object) -> None:
    run = make_run(tmp_path)
    (run / "run.json").write_text(json.dumps(record))
    assert read_record(run) == {}
    assert list_run(run).state == "stopped"
