"""A corpus is never gone from its name, and nothing but a corpus that was built is removed."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_modules import Channel, Corpus, CorpusError, CorpusInfo, Record, validate_corpus, write_corpus

INFO = CorpusInfo("rivers", "rivers", "made up", (Channel("level", "m"),), "1h")


def build(out: Path, level: float, rows: int = 10) -> Corpus:
    records = [
        Record(f"r{n}", f"s{n}", datetime(2024, 1, 1), np.full((1, 6), level + n), split=("train", "test")[n % 2])
        for n in range(rows)
    ]
    return write_corpus(records, INFO, out)


def test_other_files_stay(tmp_path: Path) -> None:
    out = build(tmp_path / "corpus", 0.0).path
    (out / "notes.txt").write_text("mine")
    (out / "plots").mkdir()
    second = build(out, 100.0)
    assert Corpus.load(out).fingerprint == second.fingerprint
    assert validate_corpus(out) == []
    assert (out / "notes.txt").read_text() == "mine"
    assert len(list(out.iterdir())) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


@pytest.mark.parametrize("text", ["domain: rivers\nchannels: [{name: level}]\n", "format: 1\n", "[", "format: 99\n"])
def test_what_was_not_built_is_not_replaced(text: str, tmp_path: Path) -> None:
    (tmp_path / "corpus.yaml").write_text(text)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CorpusError):
        build(tmp_path, 0.0)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"corpus.yaml": text, "notes.txt": "mine"}


class Killed(BaseException):
    """Stands for SIGKILL."""


@pytest.mark.parametrize("exists", [True, False])
def test_killed_at_any_rename_or_removal_there_is_a_whole_corpus(
    exists: bool, tmp_path: Path, monkeypatch: Any
) -> None:
    """Each call that changes a name is the last one in turn; what follows by `finally` is not done either."""
    out, survived = tmp_path / "corpus", 0
    if exists:
        build(out, 0.0)
    before = Corpus.load(out).fingerprint if exists else None
    for last in range(100):
        calls = 0
        originals = {name: getattr(os, name) for name in ("rename", "replace", "unlink", "rmdir", "remove")}

        def counted(name: str, originals: Any = originals, last: int = last) -> Any:
            def call(*arguments: Any, **named: Any) -> Any:
                nonlocal calls
                calls += 1
                if calls > last:
                    raise Killed
                return originals[name](*arguments, **named)

            return call

        with monkeypatch.context() as patched:
            for name in originals:
                patched.setattr(os, name, counted(name))
            try:
                new = build(out, 100.0 + last).fingerprint
            except Killed:
                new = None
        if new is not None:
            break
        survived += 1
        if exists:
            loaded = Corpus.load(out).fingerprint
            assert loaded == before or validate_corpus(out) == []
            before = loaded
        elif out.exists():
            assert validate_corpus(out) == []
            assert build(out, 0.0)
            break
    assert survived > 2
    assert build(out, -1.0).fingerprint == Corpus.load(out).fingerprint
    assert len(list(out.iterdir())) == 2
    assert {path.name for path in tmp_path.iterdir()} <= {"corpus"}


def test_a_corpus_of_version_0_1_is_read_and_replaced(tmp_path: Path) -> None:
    out = build(tmp_path / "corpus", 0.0).path
    (shard,) = out.glob("*.parquet")
    shard.rename(out / "rows-00000-of-00001.parquet")
    assert validate_corpus(out) == []
    build(out, 1.0)
    assert validate_corpus(out) == []
    assert len(list(out.glob("*.parquet"))) == 1
