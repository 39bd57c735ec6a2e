"""Progress of long jobs."""

import sys

import pytest

from trace_lit.text import progress as module
from trace_lit.text.progress import JobProgress


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def work(clock, seconds):
    with JobProgress("Encoding", 100) as progress:
        for _ in range(10):
            clock[0] += seconds / 10
            progress.advance(10)


def test_a_quick_job_says_nothing(clock, capfd):
    work(clock, 2.0)
    assert capfd.readouterr() == ("", "")


def test_a_long_job_prints_a_plain_line_now_and_then_outside_a_terminal(clock, capfd):
    work(clock, 100.0)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "Encoding: 10 of 100, 90 s left"
    assert 3 <= len(err.splitlines()) <= 7
    assert "\r" not in err
    assert "\x1b" not in err


def test_a_long_job_shows_a_bar_in_a_terminal(clock, capfd, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(module.time, "monotonic", iter(range(0, 1000, 10)).__next__)
    with JobProgress("Encoding", 100) as progress:
        progress.advance(10)
        progress.advance(10)
    out, err = capfd.readouterr()
    assert out == ""
    assert "\x1b" in err
    assert "20/100" in err
