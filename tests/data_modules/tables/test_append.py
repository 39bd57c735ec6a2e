"""What `data append` does with files that have grown, shrunk or come anew: nothing is passed over in silence."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from data_modules.appending import append
from data_modules.corpus import Corpus, CorpusError, validate_corpus
from data_modules.sources import tables
from data_modules.tables import series
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


# What is read again


def known(folder: Path) -> dict:
    return yaml.safe_load((folder / "corpus" / "source.yaml").read_text())["files"]


def grow(folder: Path) -> tuple[Corpus, int, Counts, bool]:
    """`append`, and whether the newest rows were enough."""
    read: list[bool] = []
    windows = tables.windows

    @functools.wraps(windows)
    def watched(*args, known, **options):
        read.append(known.recent is not None)
        return windows(*args, known=known, **options)

    counts = Counts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "windows", watched)
        corpus, new = append(folder / "corpus", counts)
    return corpus, new, counts, read == [True]


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """A corpus of two series in one file each."""
    write(tmp_path / "data", {"a.csv": rows(DAYS), "b.csv": rows(DAYS[:-3])})
    spec = 'domain: mine\nseries: [{files: "*.csv", name: "{file}"}]\nwindows: {length: 5}\n'
    (tmp_path / "tables.yaml").write_text(spec)
    words = ["--root", str(tmp_path / "data"), "--out", str(tmp_path / "corpus"), str(tmp_path / "tables.yaml")]
    assert main(["data", "build", "--source", "tables", *words]) == 0
    return tmp_path


def test_the_newest_rows_of_a_file_that_has_grown_are_enough(both: Path) -> None:
    write(both / "data", {"a.csv": rows([*DAYS, *LATER])})
    corpus, new, counts, recent = grow(both)
    assert (new, recent) == (2, True)
    assert corpus.ids[-2:].tolist() == ["a 2024-03-01", "a 2024-03-06"]
    assert counts.number("windows that the files do not have any more") == 0
    corpus, new, _, recent = grow(both)  # what is known now is what was read
    assert (new, recent) == (0, True)
    assert validate_corpus(corpus.path) == []


def test_windows_are_those_that_reading_all_makes(both: Path) -> None:
    write(both / "data", {"a.csv": rows([*DAYS, *LATER]), "b.csv": rows([*DAYS, *LATER[:3]])})
    shutil.copytree(both / "corpus", both / "other")
    corpus, _, _, recent = grow(both)
    assert recent
    source = yaml.safe_load((both / "other" / "source.yaml").read_text())
    del source["files"]
    (both / "other" / "source.yaml").write_text(yaml.safe_dump(source | {"place": str(both / "other")}))
    assert append(both / "other", Counts())[0].fingerprint == corpus.fingerprint


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_only_wanted_rows_of_other_files_are_read(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def file(name: str, days: pd.DatetimeIndex) -> None:
        frame = pd.DataFrame({"time": days, "load": np.arange(len(days)) % 7 + 0.5})
        frame.to_csv(tmp_path / f"{name}.csv", index=False) if kind == "csv" else frame.to_parquet(
            tmp_path / f"{name}.parquet", row_group_size=100
        )

    monkeypatch.setattr("data_modules.tables.parquet._BATCH_CELLS", 64)
    file("old", pd.date_range("2020-01-01", periods=1000))
    (tmp_path / "tables.yaml").write_text(f'domain: mine\nseries: [{{files: "*.{kind}"}}]\nwindows: {{length: 5}}\n')
    words = ["--root", str(tmp_path), "--out", str(tmp_path / "corpus"), str(tmp_path / "tables.yaml")]
    assert main(["data", "build", "--source", "tables", *words]) == 0
    file("new", pd.date_range("2022-09-27", periods=11))
    kept: list[int] = []
    stacked = series.Stacked.__init__

    def watched(self, name, parts, *args):
        kept.extend(int(rows.lines[0]) for rows in parts)
        stacked(self, name, parts, *args)

    monkeypatch.setattr(series.Stacked, "__init__", watched)
    corpus, new, _, recent = grow(tmp_path)
    assert (new, recent) == (2, True)
    first = 1000 - 3 + (kind == "csv")  # four days before the first new window, by their line or row
    assert kept == ([2, first] if kind == "csv" else [1, first])
    assert corpus.values()[-1].tolist() == [[5.5, 6.5, 0.5, 1.5, 2.5]]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda text: text.replace("2024-01-09,", "2024-01-09,9", 1), "windows that have changed"),  # an old row
        (lambda text: text + text.splitlines()[12] + "9\n", None),  # an old day behind the new ones
        (lambda text: "".join(text.splitlines(True)[:-8]), "windows that the files do not have any more"),
    ],
)
def test_all_is_read_where_old_rows_are_others(change, what: str | None, both: Path) -> None:
    file = both / "data" / "a.csv"
    file.write_text(change(file.read_text()))
    before = known(both)
    if what is None:
        with pytest.raises(CorpusError, match="two rows of the series 'a'"):
            grow(both)
    else:
        for _ in range(2):  # it is said again, as the files still differ
            _, new, counts, recent = grow(both)
            assert (new, recent) == (0, False)
            assert counts.number(what) > 0
    assert known(both) == before


def test_a_new_file_in_the_time_of_what_is_there_has_all_read(both: Path) -> None:
    write(both / "data", {"b.csv": rows(DAYS)})
    (both / "data" / "c.csv").write_text((both / "data" / "a.csv").read_text())
    _, new, _, recent = grow(both)
    assert (new, recent) == (13, False)  # twelve of a new series, and one that the second file makes whole


def test_a_table_with_times_in_columns_is_read_in_full(tmp_path: Path) -> None:
    head = "year," + ",".join(map(str, range(1, 13)))
    lines = [",".join(map(str, [year, *range(12)])) for year in range(2000, 2021)]
    write(tmp_path / "data", {"rain.csv": "\n".join([head, *lines[:20]]) + "\n"})
    spec = "domain: mine\nseries: [{files: rain.csv, across: months, channels: {rain: mm}}]\nwindows: {length: 12}\n"
    (tmp_path / "tables.yaml").write_text(spec)
    words = ["--root", str(tmp_path / "data"), "--out", str(tmp_path / "corpus"), str(tmp_path / "tables.yaml")]
    assert main(["data", "build", "--source", "tables", *words]) == 0
    write(tmp_path / "data", {"rain.csv": "\n".join([head, *lines]) + "\n"})
    corpus, new, _, recent = grow(tmp_path)
    assert (new, recent) == (1, False)
    assert corpus.ids[-1] == "mine 2020-01-01"
    assert corpus.values()[-1].tolist() == [[*range(12)]]
