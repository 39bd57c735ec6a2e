from __future__ import annotations

import os

import psutil
import pytest
import torch

from trace_lit.settings import Config
from trace_lit.threads import free_threads
from trace_lit.train.process import settle_threads


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine of four cores; what is set is put back."""
    before = torch.get_num_threads()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2, 3}, raising=False)
    yield monkeypatch
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("busy", "threads"),
    [([0, 0, 0, 0], 4), ([10, 5, 8, 12], 4), ([100, 0, 0, 0], 3), ([100, 60, 90, 0], 2), ([100, 100, 100, 100], 1)],
)
def test_cores_with_other_work_are_left_to_it(four: pytest.MonkeyPatch, busy: list[float], threads: int) -> None:
    four.setattr(psutil, "cpu_percent", lambda seconds, percpu: busy)
    assert free_threads() == threads


def test_only_cores_that_the_process_may_use_count(four: pytest.MonkeyPatch) -> None:
    four.setattr(psutil, "cpu_percent", lambda seconds, percpu: [100, 100, 0, 0])
    four.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2}, raising=False)
    assert free_threads() == 1


def test_a_run_that_goes_on_keeps_its_threads_and_says_when_they_are_few(four: pytest.MonkeyPatch) -> None:
    four.setattr(psutil, "cpu_percent", lambda seconds, percpu: [100, 0, 0, 0])
    config = Config()
    config.trainer.accelerator = "cpu"
    assert "3 of 4" in settle_threads(config, None)[0]
    assert config.trainer.threads == 3
    later = Config()
    later.trainer.accelerator = "cpu"
    four.setattr(psutil, "cpu_percent", lambda seconds, percpu: [0, 0, 0, 0])
    settle_threads(later, config)
    assert later.trainer.threads == 3
    given = Config()
    given.trainer.accelerator, given.trainer.threads = "cpu", 4
    assert settle_threads(given, config) == []
    assert given.trainer.threads == 4
