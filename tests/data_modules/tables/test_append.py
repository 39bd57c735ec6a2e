"""What `data append` does with files that have grown, shrunk or come anew: nothing is passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from data_modules.appending import append
from data_modules.corpus import Corpus
from data_modules.tables.counts import Counts
from tests.data_modules.tables.folders import rows, write
from trace_lit.cli import main

DAYS = pd.date_range("2024-01-01", periods=60).strftime("%Y-%m-%d").tolist()
LATER = pd.date_range("2024-03-01", periods=10).strftime("%Y-%m-%d").tolist()


@pytest.fixture
def built(tmp_path: Path) -> Path:
    write(tmp_path / "data", {"a.csv": rows(DAYS)})
    (tmp_path / "tables.yaml").write_text("domain: mine\nseries: [{files: a.csv}]\nwindows: {length: 5}\n")
    words = ["--root", str(tmp_path / "data"), "--out", str(tmp_path / "corpus"), str(tmp_path / "tables.yaml")]
    assert main(["data", "build", "--source", "tables", *words]) == 0
    return tmp_path


def test_fewer_rows_keep_the_windows_and_are_counted(built: Path) -> None:
    before = Corpus.load(built / "corpus").fingerprint
    write(built / "data", {"a.csv": rows(DAYS[:-12])})
    counts = Counts()
    corpus, new = append(built / "corpus", counts)
    assert (new, corpus.fingerprint) == (0, before)
    assert counts.number("windows that the files do not have any more") == 3
    assert counts.number("windows that have changed") == 0


def test_a_file_that_no_entry_names_is_counted(built: Path) -> None:
    write(built / "data", {"b.csv": rows(LATER)})
    counts = Counts()
    assert append(built / "corpus", counts)[1] == 0
    assert counts.number("tables that no entry names") == 1


def test_new_rows_leave_the_training_part_as_it_is(built: Path) -> None:
    before = Corpus.load(built / "corpus").training_fingerprint
    write(built / "data", {"a.csv": rows([*DAYS, *LATER])})
    counts = Counts()
    corpus, new = append(built / "corpus", counts)
    assert (new, corpus.training_fingerprint) == (2, before)
    assert corpus.splits.tolist()[-2:] == ["test", "test"]
    assert counts.number("windows that the files do not have any more") == 0
