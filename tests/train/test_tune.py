from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

from data_modules import Channel, CorpusInfo, Record, write_corpus
from trace_lit.cli import main
from trace_lit.config import ConfigError, load_config
from trace_lit.modules import load_checkpoint
from trace_lit.train import evaluate_run, fit
from trace_lit.train.runs import read_metrics

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sines of a period of 12 hours with little noise; the label says where a row's last step stands."""
    rng = np.random.default_rng(0)
    steps = np.arange(600)
    level = np.stack([5 + np.sin(2 * np.pi * steps / 12), 20 + 3 * np.cos(2 * np.pi * steps / 12)])
    values = level + 0.05 * rng.normal(size=level.shape)
    records = [
        Record(
            f"w{first}",
            "waves",
            datetime(2024, 1, 1) + timedelta(hours=first),
            values[:, first : first + 12],
            label=("high", "low")[int(level[0, first + 11] < 5)],
        )
        for first in range(0, 600 - 12 + 1, 3)
    ]
    channels = (Channel("tide", "m"), Channel("flow", "m³/s"))
    info = CorpusInfo("sea", "waves", "made up", channels, "1h", ("high", "low"))
    return write_corpus(records, info, tmp_path_factory.mktemp("corpora") / "waves").path


@pytest.fixture
def words(waves: Path, tiny_words: tuple[str, ...], tmp_path: Path) -> list[str]:
    tune = "tune={lookback: 24, horizon: 6, split: steps}"
    return [*tiny_words, f"data.corpus={waves}", f"run.dir={tmp_path}", "stage=tune", tune]


def test_the_closed_form_beats_the_naive_forecast_and_is_what_the_checkpoint_holds(words: list[str]) -> None:
    run = fit(load_config([], [*words, "tune.quantiles=[0.1,0.5,0.9]"]))
    naive = fit(load_config([], [*words, "tune.model=naive", "run.name=naive"]))
    assert run.metrics["last/validation/MSE"] < 0.1 * naive.metrics["last/validation/MSE"]
    again = evaluate_run(run.folder, split="validation")
    assert again["validation/MSE"] == pytest.approx(run.metrics["last/validation/MSE"], rel=1e-5)
    test = evaluate_run(run.folder)
    assert test["test/coverage/0.8"] == pytest.approx(0.8, abs=0.12)
    assert read_metrics(run.folder)["test/MSE"] == test["test/MSE"]


@pytest.mark.parametrize("scope", ["head", "head+tokens", "full"])
def test_only_what_is_tuned_moves(words: list[str], scope: str) -> None:
    start = fit(load_config([], [*words, "run.name=start"]))
    more = ["tune.solver=ridge+sgd", f"tune.scope={scope}", f"init_from={start.folder}", "optim.learning_rate=1e-2"]
    run = fit(load_config([], [*words, *more]))
    one, other = (load_checkpoint(place.folder).weights for place in (start, run))
    moved = {name for name in one if not torch.equal(one[name], other[name])}
    assert any(name.startswith("model.head.") for name in moved)
    tokens = any("channel_tokens" in name for name in moved)
    blocks = any("encoder.blocks" in name for name in moved)
    assert (tokens, blocks) == {"head": (False, False), "head+tokens": (True, False), "full": (True, True)}[scope]


def test_a_run_by_steps_goes_on(words: list[str]) -> None:
    nlinear = [*words, "tune.model=nlinear", "run.name=steps"]
    first = fit(load_config([], [*nlinear, "trainer.max_epochs=1"]))
    run = fit(load_config([], [*nlinear, "trainer.max_epochs=3"]), resume="auto")
    assert first.folder == run.folder
    assert run.metrics["fit/epochs"] == 3


def test_labels_are_told(words: list[str]) -> None:
    run = fit(load_config([], [*words, "tune.task=classify"]))
    assert run.metrics["last/validation/AUROC"] > 0.9
    assert evaluate_run(run.folder)["test/macro_F1"] > 0.8


def test_baselines_by_the_command_are_compared(words: list[str], tmp_path: Path, capsys) -> None:
    for name in ("seasonal_naive", "logistic_regression"):
        assert main(["baseline", name, *words, "tune.season=12"]) == 0
        assert main(["evaluate", str(tmp_path / "sea" / "tune" / name)]) == 0
    metrics = json.loads((tmp_path / "sea" / "tune" / "seasonal_naive" / "metrics.json").read_text())
    assert metrics["test/MASE"] == pytest.approx(1, abs=0.2)
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "sea" / "tune")]) == 0
    assert "AUROC" in capsys.readouterr().out


def test_a_transform_that_is_not_defined_is_refused(words: list[str], waves: Path) -> None:
    with pytest.raises(ConfigError, match="solves the head alone"):
        load_config([], [*words, "tune.scope=full"])
    fit(load_config([], [*words, "encoder.transform=sqrt", "run.name=roots"]))  # defined here
