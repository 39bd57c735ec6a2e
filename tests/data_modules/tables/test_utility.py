"""A utility's case: two CSV files in local time, with all that goes wrong in them, and a sheet of notes."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from data_modules.corpus import Corpus, CorpusError, validate_corpus
from tests.data_modules.tables.folders import corpus_of, rows, write
from trace_lit.cli import main
from trace_lit.errors import InputError

HOURS = pd.date_range("2024-02-01", "2024-12-01", freq="h", tz="Europe/Berlin", inclusive="left")
GAP, LATE, SILENT = range(1000, 1010), (50, 2500), range(3000, 3024)
LOAD = 1500 + 400 * np.sin(np.arange(len(HOURS)) / 24 * 2 * np.pi) + np.arange(len(HOURS)) % 7 / 10
AIR = 10 + 8 * np.sin(np.arange(len(HOURS)) / 24 * 2 * np.pi) - np.arange(len(HOURS)) % 5 / 10
SPEC: dict[str, Any] = {
    "domain": "utility",
    "timezone": "Europe/Berlin",
    "missing": [-999],
    "series": [
        {"files": "load.csv", "time": "Zeitpunkt", "channels": {"Last (kW)": {"name": "load", "unit": "kW"}}},
        {"files": "weather.csv"},
    ],
    "notes": [{"files": "notes.xlsx", "falls": "midpoint"}],
    "windows": {"begin": "2024-02-01"},
}


def german(value: float) -> str:
    """1.234,5."""
    return f"{value:,.1f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def files(hours: int = len(HOURS)) -> dict[str, Any]:
    """The first `hours` of the files."""
    clock = HOURS.tz_localize(None)
    load = ["Umspannwerk Süd", "Zeitpunkt;Last (kW);Zustand"]
    for number in range(hours):
        if number not in GAP:
            late = timedelta(seconds=90 * (number in LATE))
            load.append(f"{clock[number] + late:%d.%m.%Y %H:%M:%S};{german(LOAD[number])};ok")
    weather = ["time,air temperature [°C]"]
    for number in range(hours):
        cell = "-999" if number in SILENT else f'"{AIR[number]:.1f}"'.replace(".", ",")
        weather.append(f"{clock[number]:%Y-%m-%d %H:%M},{cell}")
    days = [number for number in range(hours // 24) if number % 3 == 0]
    notes = {"Datum": [(HOURS[0] + pd.DateOffset(days=n)).date() for n in days], "Notiz": [f"crew {n}" for n in days]}
    return {
        "load.csv": "\n".join(load).encode("cp1252"),
        "weather.csv": "\n".join(weather),
        "notes.xlsx": pd.DataFrame(notes),
    }


def check(corpus: Corpus) -> None:
    """Each value stands in its hour."""
    begin = HOURS[0].tz_convert("UTC").tz_localize(None).to_pydatetime()
    load, air = np.round(LOAD, 1), np.round(AIR, 1)
    load[list(GAP)], air[list(SILENT)] = np.nan, np.nan
    for start, values, text in zip(corpus.table()["start"].to_pylist(), corpus.values(), corpus.texts, strict=True):
        first = round((start - begin) / timedelta(hours=1))
        assert first % 24 == 0
        np.testing.assert_allclose(values, [load[first : first + 24], air[first : first + 24]])
        noon = (HOURS[first + 12].tz_localize(None).normalize() - datetime(2024, 2, 1)).days
        assert text == (f"crew {noon}" if noon % 3 == 0 else "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = write(tmp_path_factory.mktemp("utility"), files())
    (made / "tables.yaml").write_text(yaml.safe_dump(SPEC, allow_unicode=True))
    return made


def build(folder: Path, spec: str, out: str, *words: str) -> Corpus:
    command = ["data", "build", "--source", "tables", "--root", str(folder), "--out", str(folder / out)]
    assert main([*command, str(folder / spec), *words]) == 0
    return Corpus.load(folder / out)


def test_each_value_stands_in_its_hour(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = build(folder, "tables.yaml", "corpora/one")
    printed = " ".join(capsys.readouterr().out.split())
    assert [channel.key for channel in corpus.info.channels] == ["load [kW]", "air temperature [°C]"]
    assert (corpus.info.frequency, corpus.info.timezone) == ("1h", "Europe/Berlin")
    assert len(corpus) == len(HOURS) // 24
    check(corpus)
    assert validate_corpus(corpus.path) == []
    for line in (
        f"fill values -999 {len(SILENT)} air temperature [°C] weather.csv, line 3002 made missing",
        f"stamps beside their step {len(LATE)} utility load.csv, line 53: 2024-02-03 01:01:30 moved onto it",
        f"steps without a value {len(GAP)} load [kW] utility 2024-03-13 15:00:00 missing",
        "columns that are no channel 1 load.csv Zustand left out",
    ):
        assert line in printed
    assert build(folder, "tables.yaml", "corpora/one").fingerprint == corpus.fingerprint


def test_the_same_through_guess(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "guess", str(folder)]) == 0
    guessed = capsys.readouterr().out
    assert "timezone: UTC  # ? times have no offset; an hour comes twice on 2024-10-27" in guessed
    assert "missing: [-999]  # ?" in guessed
    spec = yaml.safe_load(guessed)
    assert [part["files"] for part in spec["series"]] == [["load.csv"], ["weather.csv"]]
    assert spec["series"][0]["channels"] == {"Last (kW)": {"name": "Last", "unit": "kW"}}
    assert spec["notes"][0]["text"] == "Notiz"
    (folder / "guessed.yaml").write_text(guessed)
    words = ["timezone=Europe/Berlin", "windows.begin=2024-02-01", "domain=utility"]
    root = ["--source", "tables", "--root", str(folder)]
    assert main(["data", "build", *root, "--out", str(folder / "utc"), str(folder / "guessed.yaml")]) == 2
    assert "two rows of the series" in capsys.readouterr().err  # in UTC, an hour comes twice
    spec["notes"][0]["falls"] = "midpoint"
    (folder / "guessed.yaml").write_text(yaml.safe_dump(spec))
    check(build(folder, "guessed.yaml", "corpora/guessed", *words))


def test_shares_and_days_split_the_windows(tmp_path: Path) -> None:
    days = [str(day)[:10] for day in pd.date_range("2024-01-01", periods=100)]
    options: dict[str, Any] = {"windows": {"length": 5}}
    corpus, _ = corpus_of(tmp_path, {"a.csv": rows(days)}, split={}, **options)
    assert corpus.splits.tolist() == ["train"] * 14 + ["validation"] * 2 + ["test"] * 4
    split = {"validation": "2024-02-03", "test": "2024-03-02"}
    corpus, counts = corpus_of(tmp_path, {"a.csv": rows(days)}, split=split, **options)
    ends = [start + timedelta(days=5) for start in corpus.table()["start"].to_pylist()]
    assert {name for name, end in zip(corpus.splits, ends, strict=True) if end <= datetime(2024, 2, 3)} == {"train"}
    assert counts.number("windows across the border of two splits") == 20 - len(corpus) == 2


def test_durations_and_steps_split_each_series_from_its_first_step(tmp_path: Path) -> None:
    hours = pd.date_range("2024-01-15", "2024-06-20", freq="h", tz="Europe/Berlin", inclusive="left")
    local = hours.tz_localize(None).astype(str)
    zone: dict[str, Any] = {"timezone": "Europe/Berlin"}
    split = {"train": "3 months", "validation": "2 weeks", "test": "1 month"}
    corpus, counts = corpus_of(tmp_path, {"a.csv": rows(local)}, split=split, windows={"length": 1}, **zone)
    starts = pd.DatetimeIndex(corpus.table()["start"].to_pylist(), tz="UTC").tz_convert("Europe/Berlin")
    edges = {name: starts[corpus.splits == name] for name in ("train", "validation", "test")}
    assert [str(own[0])[:16] for own in edges.values()] == ["2024-01-15 00:00", "2024-04-15 00:00", "2024-04-29 00:00"]
    assert str(edges["test"][-1])[:16] == "2024-05-28 23:00"
    assert counts.number("windows behind the last split") == len(hours) - len(corpus) > 0
    split = {"train": 100, "validation": 20, "test": 30}
    days = [str(day)[:10] for day in pd.date_range("2024-01-01", periods=150)]
    corpus, counts = corpus_of(tmp_path, {"a.csv": rows(days)}, split=split, windows={"length": 8})
    assert corpus.splits.tolist() == ["train"] * 12 + ["validation"] * 2 + ["test"] * 3
    assert counts.number("windows across the border of two splits") == 1
    with pytest.raises(InputError, match="must all be shares, counts of steps, or durations"):
        corpus_of(tmp_path, {"a.csv": rows(days)}, split={**split, "test": "3 weeks"}, windows={"length": 8})
    later = {"validation": "2024-05-01", "test": "2025-01-01"}
    _, counts = corpus_of(tmp_path, {"a.csv": rows(days)}, split=later, windows={"length": 8})
    assert counts.number("splits without a window") == 1


def test_notes_fall_to_windows(tmp_path: Path) -> None:
    hours = [f"2024-05-01T{hour:02}:00" for hour in range(24)]
    notes = pd.DataFrame(
        {
            "from": ["2024-05-01 05:00", "2024-05-01 07:00", "2024-05-01 13:00", "2030-01-01", "2024-05-01 01:00"],
            "to": ["2024-05-01 07:00", "2024-05-01 08:00", None, None, None],
            "text": ["across", "within", "moment", "never", float("nan")],
            "kind": ["a", None, "b", "a", "a"],
        }
    )
    expected = {
        "overlapping": ["across", "across. within.", "moment", ""],
        "inside": ["", "within", "moment", ""],
        "midpoint": ["", "across. within.", "moment", ""],
    }
    series: dict[str, Any] = {"series": [{"files": "a.csv"}], "windows": {"length": 6}}
    for number, (falls, texts) in enumerate(expected.items()):
        part = {"files": "n.csv", "falls": falls, "label": "kind"}
        made = corpus_of(tmp_path / str(number), {"a.csv": rows(hours), "n.csv": notes}, notes=[part], **series)
        corpus, counts = made
        assert corpus.texts == texts, falls
        assert counts.number("notes outside of all windows") == (2 if falls == "inside" else 1)
        assert counts.number("notes without a text") == 1
    assert corpus.info.label_names == ("a", "b")
    part = {"files": "n.csv", "before": "6h", "most": 2}
    corpus, _ = corpus_of(tmp_path / "before", {"a.csv": rows(hours), "n.csv": notes}, notes=[part], **series)
    assert corpus.texts == ["across", "across. within.", "within. moment.", "moment"]


def test_notes_on_channels_and_series_and_label_rules(tmp_path: Path) -> None:
    hours = [f"2024-05-01T{hour:02}:00" for hour in range(4)]
    table = "time,well,level,flow\n" + "".join(f"{h},{w},{n},{n}\n" for n, h in enumerate(hours) for w in ("north", 7))
    notes = "time,well,about,text\n2024-05-01T01:00,7,flow,weir opened\n2024-05-01T01:00,north,,calm\n"
    notes += "2024-05-01T01:00,south,,nobody\n"
    corpus, counts = corpus_of(
        tmp_path,
        {"a.csv": table, "n.csv": notes},
        series=[{"files": "a.csv", "id": "well"}],
        notes=[{"files": "n.csv", "id": "well", "channel": "about"}],
        labels=[
            {"label": "high", "channel": "level", "statistic": "max", "above": 2.5, "text": "weir"},
            {"label": "low"},
        ],
        windows={"length": 4},
    )
    assert corpus.series_ids.tolist() == ["7", "north"]
    assert corpus.texts == ["", "calm"]
    assert corpus.channel_texts[0][1] == "weir opened"
    assert corpus.channel_texts[0][0] != ""
    assert [corpus.info.label_names[label] for label in corpus.labels] == ["high", "low"]
    assert counts.number("notes on a series that is not there") == 1


def test_long_tables_and_resampling(tmp_path: Path) -> None:
    clock = [f"2024-05-01T{minute // 60:02}:{minute % 60:02}" for minute in range(0, 240, 20)]
    table = "time,variable,value\n" + "".join(
        f"{c},{v},{n}\n" for n, c in enumerate(clock) for v in ("rain", "air [K]")
    )
    part = {
        "files": "a.csv",
        "channel": "variable",
        "value": "value",
        "channels": {"rain": {"unit": "mm", "resample": "sum"}},
    }
    part["channels"]["air [K]"] = None
    corpus, counts = corpus_of(
        tmp_path, {"a.csv": table}, series=[part], windows={"length": 4}, frequency="1h", resample="mean"
    )
    assert [channel.key for channel in corpus.info.channels] == ["rain [mm]", "air [K]"]
    assert corpus.values()[0].tolist() == [[3, 12, 21, 30], [1, 4, 7, 10]]
    assert counts.number("rows that share a step with others") == 8
    with pytest.raises(CorpusError, match="resample: mean, last or sum"):
        corpus_of(tmp_path, {"a.csv": table}, series=[part], windows={"length": 4}, frequency="1h")
