"""Loggers, early stopping, and Lightning's own options."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.loggers import Logger

from tests.conftest import Pages, TinyRuns
from trace_lit.config import ConfigError
from trace_lit.modules import load_checkpoint
from trace_lit.runs.data import build_datamodule
from trace_lit.runs.folder import read_metrics
from trace_lit.settings import load_config
from trace_lit.train import FitResult, fit
from trace_lit.train.loggers import build_loggers

pytestmark = pytest.mark.slow


@pytest.fixture
def train(tiny_runs: TinyRuns, tmp_path: Path):
    """Fit a tiny run below tmp_path."""

    def train(*words: str, **how: Any) -> FitResult:
        return fit(load_config([], [*tiny_runs.words, f"run.dir={tmp_path / 'runs'}", *words]), **how)

    return train


def batches(tiny_runs: TinyRuns) -> int:
    data = build_datamodule(load_config([], tiny_runs.words))
    data.prepare_data()
    data.setup("fit")
    return len(data.train_dataloader())


@pytest.mark.parametrize("limit", [None, 1.0, 2])
def test_steps_and_schedule_are_counted_with_accumulation(limit: float | None, tiny_runs: TinyRuns, train) -> None:
    extra = "trainer.extra={accumulate_grad_batches: 2" + (
        "}" if limit is None else f", limit_train_batches: {limit}}}"
    )
    run = train(extra, "logger=[]")
    an_epoch = math.ceil((2 if limit == 2 else batches(tiny_runs)) / 2)
    assert load_checkpoint(run.folder).config.trainer.accumulated == 2
    last = torch.load(run.folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 2 * an_epoch
    optim = load_config([]).optim
    assert last["lr_schedulers"][0]["_last_lr"] == pytest.approx([optim.final_share * optim.learning_rate] * 2)


def test_without_tensorboard_all_stages_end_well(tiny_runs: TinyRuns, train, with_pages: Pages) -> None:
    tune = ("stage=tune", f"init_from={tiny_runs.aligned}", "window.horizon=4", "window.lookback=12")
    for name, words in {
        "align": ("stage=align",),
        "forecast": tune,
        "classify": (*tune, "tune.task=classify", "head.solver=sgd", "window.split=rows"),
    }.items():
        for logger in ("csv", "[]"):
            with with_pages():
                folder = train(*words, f"run.name={name}-{logger.strip('[]')}", f"logger={logger}").folder
            assert read_metrics(folder)["fit/seconds"] > 0
            assert not list(folder.glob("events.*"))
            curves = list(folder.glob("csv/version_0/metrics.csv"))
            assert len(curves) == (logger == "csv")
            if curves and name != "forecast":
                names = csv.DictReader(curves[0].open()).fieldnames or []
                assert {"train/loss", "validation/loss", "lr-AdamW/pg1"} <= set(names)


def test_several_loggers_at_once(train) -> None:
    run = train("logger=[tensorboard, {class: csv, name: numbers}]")
    assert list(run.folder.glob("events.*"))
    assert (run.folder / "numbers" / "version_0" / "metrics.csv").is_file()


class Eager(Logger):
    """Writes as soon as it is built, as that of MLflow does."""

    name, version = "eager", ""

    def __init__(self, save_dir: Path) -> None:
        super().__init__()
        assert save_dir.is_dir()
        (save_dir / "eager.txt").write_text("here")

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        pass

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        pass


class Lacking(Eager):
    """Needs a package that is not there."""

    def __init__(self, save_dir: Path) -> None:
        raise ModuleNotFoundError("Module not found: 'rare'")


def test_a_logger_may_write_as_soon_as_it_is_built(train) -> None:
    run = train(f"logger=[{{class: '{__name__}:Eager'}}]")
    assert (run.folder / "eager.txt").is_file()


def test_a_logger_that_cannot_be_built_is_refused_and_leaves_nothing(train, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be used: Module not found: 'rare'"):
        train(f"logger=[csv, {{class: '{__name__}:Lacking'}}]")
    assert not list(tmp_path.rglob("config.yaml"))


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_a_logger_whose_package_is_missing_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=f"pip install {name}"):
        build_loggers(load_config([], [f"logger={name}"]), tmp_path, None)


def test_a_run_stops_early_and_goes_on_with_more_patience(train, capsys: pytest.CaptureFixture[str]) -> None:
    def words(patience: int, epochs: int = 6) -> tuple[str, ...]:
        return (f"trainer.max_epochs={epochs}", f"trainer.early_stopping={{patience: {patience}, min_delta: 1000}}")

    first = train(*words(1), "logger=[]")
    assert first.metrics["fit/epochs"] == 2
    assert train(*words(1), "logger=[]", resume="auto").metrics == {}
    assert "no epoch left" in capsys.readouterr().out
    assert train(*words(3), "logger=[]", resume="auto").metrics["fit/epochs"] == 4


def test_options_that_lightning_refuses_are_named(train) -> None:
    for word in ("trainer.early_stopping={patiense: 1}", "trainer.extra={gradient_clip: 1}"):
        with pytest.raises(ConfigError, match=word.partition("=")[0].split(".")[0]):
            train(word)
