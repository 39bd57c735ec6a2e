from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from trace_lit import holding
from trace_lit.holding import HeldError, held, holder_in_words

PROGRAM = """
import pathlib, sys, time
from trace_lit.holding import held
with held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def other_process(place: Path) -> subprocess.Popen[str]:
    """A process that holds `place`."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(place)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    place = tmp_path / "runs" / "first"
    other = other_process(place)
    try:
        with (
            pytest.raises(HeldError, match=rf"first is in use by process {other.pid} on .*, since \d{{4}}-"),
            held(place),
        ):
            pass
        assert f"process {other.pid} on" in str(holder_in_words(place))
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert holder_in_words(place) is None
    with held(place):  # one that was killed holds nothing
        assert f"process {os.getpid()} on" in str(holder_in_words(place))
    assert list(tmp_path.iterdir()) == [tmp_path / "runs"]
    assert not list((tmp_path / "runs").iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock that could be missing")
@pytest.mark.filterwarnings("ignore:flock not supported")
def test_on_a_file_system_without_flock_one_process_holds_it_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def missing(*arguments: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", missing)
    place = tmp_path / "run"
    without = (
        "import errno, fcntl\ndef missing(*arguments):\n    raise OSError(errno.ENOSYS, '')\nfcntl.flock = missing\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", without + PROGRAM, str(place)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(HeldError, match=rf"run is in use by process {other.pid} on"), held(place):
        pass
    other.kill()
    other.wait()
    with held(place):
        assert f"process {os.getpid()} on" in str(holder_in_words(place))
    assert not list(tmp_path.iterdir())


def test_folders_above_come_and_go(tmp_path: Path) -> None:
    with held(tmp_path / "a" / "b" / "run"):
        assert (tmp_path / "a" / "b").is_dir()
    assert not list(tmp_path.iterdir())
    with held(tmp_path / "a" / "b" / "run"):
        (tmp_path / "a" / "b" / "run").mkdir()
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["run"]


def test_one_that_waits_gets_it_in_turn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "corpus"
    other = other_process(place)
    threading.Timer(1.0, other.kill).start()
    with held(place, wait=True):
        assert other.wait() == -signal.SIGKILL
    assert f"in use by process {other.pid}" in capsys.readouterr().err


@pytest.mark.parametrize("alive", [True, False])
def test_a_holder_on_another_machine(alive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, note = tmp_path / "run", tmp_path / ".run.holder"
    note.write_text(json.dumps({"host": "elsewhere", "pid": 1, "since": "2024-01-01"}))
    monkeypatch.setattr(holding, "PATIENCE", 1.0)
    monkeypatch.setattr(holding, "_POLL", 0.1)
    ended = threading.Event()

    def beat() -> None:
        while alive and not ended.wait(0.2):
            os.utime(note, ns=(time.time_ns(), time.time_ns()))

    threading.Thread(target=beat).start()
    try:
        if alive:
            with pytest.raises(HeldError, match="in use by process 1 on elsewhere"), held(place):
                pass
            assert note.is_file()
        else:
            with held(place):
                assert "elsewhere" not in note.read_text()
    finally:
        ended.set()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b"{}"])
def test_a_damaged_note_holds_nobody_up(content: bytes, tmp_path: Path) -> None:
    (tmp_path / ".run.holder").write_bytes(content)
    with held(tmp_path / "run"):
        pass
