from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from callbacks import ProgressBar, ProgressLines, Throughput
from tests.batches import make_batch


def trainer(**changes: Any) -> Any:
    settings = {
        "is_global_zero": True,
        "is_last_batch": False,
        "current_epoch": 2,
        "max_epochs": 7,
        "num_training_batches": 5,
        "global_step": 5,
        "loggers": [],
        "callback_metrics": {"train/loss": torch.tensor(0.25), "validation/loss": torch.tensor(0.5)},
    }
    return SimpleNamespace(**settings | changes)


def test_an_epoch_is_a_line(capsys) -> None:
    lines = ProgressLines()
    lines.on_train_epoch_start(trainer(), None)
    lines.on_validation_end(trainer(), None)
    lines.on_train_epoch_end(trainer(), None)
    assert capsys.readouterr().out == "epoch 3/7 done  train/loss 0.25  validation/loss 0.5\n"


def test_a_validation_is_printed_in_its_own_epoch_only(capsys) -> None:
    lines = ProgressLines()
    lines.on_validation_end(trainer(), None)
    lines.on_train_epoch_start(trainer(), None)
    lines.on_train_epoch_end(trainer(), None)
    assert capsys.readouterr().out == "epoch 3/7 done  train/loss 0.25\n"


def test_a_long_epoch_tells_of_itself_now_and_then(capsys, monkeypatch) -> None:
    now = 100.0
    monkeypatch.setattr("callbacks.progress.time.monotonic", lambda: now)
    lines = ProgressLines(every_seconds=20)
    lines.on_train_start(trainer(), None)
    for step in range(5):
        now += 15
        lines.on_train_batch_end(trainer(is_last_batch=step == 4), None, None, None, step)
    assert capsys.readouterr().out.splitlines() == [
        "epoch 3/7 step 2/5  train/loss 0.25",
        "epoch 3/7 step 4/5  train/loss 0.25",
    ]


def test_other_processes_are_silent(capsys) -> None:
    ProgressLines().on_train_epoch_end(trainer(is_global_zero=False), None)
    assert capsys.readouterr().out == ""


def test_samples_per_second_leave_validation_out(monkeypatch) -> None:
    now = 0.0
    logged = []
    monkeypatch.setattr("callbacks.throughput.time.perf_counter", lambda: now)
    monkeypatch.setattr("callbacks.throughput.world_size", lambda: 2)
    module = SimpleNamespace(
        device=torch.device("cpu"), log=lambda name, value, **_: logged.append((name, pytest.approx(value)))
    )
    throughput = Throughput()
    for seconds in (1.0, 2.0):
        throughput.on_train_epoch_start(trainer(), module)
        for step in range(3):
            now += seconds
            throughput.on_train_batch_end(trainer(is_last_batch=step == 2), module, None, make_batch(size=6), step)
        now += 100  # validation
        throughput.on_train_epoch_end(trainer(), module)
    assert logged == [("train/samples_per_second", 36 / 3), ("train/samples_per_second", 36 / 6)]
    assert throughput.samples_per_second == pytest.approx(72 / 9)


def test_a_bar_reads_its_numbers_once_a_second_and_at_an_epochs_end(monkeypatch) -> None:
    times, reads = iter([0.0, 0.0, 0.4, 0.9, 1.2, 1.2, 1.5, 1.6, 1.7]), []  # one more for each that reads
    monkeypatch.setattr("callbacks.progress.time.monotonic", lambda: next(times))
    monkeypatch.setattr("callbacks.progress.RichProgressBar.get_metrics", lambda *_: {"read": reads.append(len(shown))})
    bar, shown = ProgressBar(every_seconds=1.0), []
    for _ in range(5):
        shown.append(bar.get_metrics(SimpleNamespace(training=True, is_last_batch=False), None))
    assert reads == [0, 3]
    bar.get_metrics(SimpleNamespace(training=True, is_last_batch=True), None)
    bar.get_metrics(SimpleNamespace(training=False, is_last_batch=False), None)
    assert reads == [0, 3, 5, 5]
