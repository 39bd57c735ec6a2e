from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from trace_lit import atomic
from trace_lit.atomic import write_atomically


def test_a_full_disk_is_told_with_the_file_and_leaves_the_former_one(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "metrics.json"
    write_atomically(path, "first")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*metrics\.json'"):
        write_atomically(path, "second")
    assert path.read_text() == "first"
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.json"]


def test_a_place_that_cannot_be_written_is_told_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file"):
        write_atomically(tmp_path / "file" / "metrics.json", "x")


def test_what_was_measured_is_shown_where_it_cannot_be_kept(tmp_path: Path, monkeypatch: Any, caplog: Any) -> None:
    from trace_lit.runs import folder

    def read_only(path: Path, text: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(folder, "write_atomically", read_only)
    folder.keep_metrics(tmp_path, {"test/loss": 1.0})
    assert f"{tmp_path / 'metrics.json'} cannot be written (Permission denied)" in caplog.text
