"""The paper's set in small files of its form, and the run on it."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_modules.corpus import Corpus, CorpusError, validate_corpus
from data_modules.corpus_writing import write_corpus
from data_modules.sources import trace
from trace_lit.cli import main
from trace_lit.plain import read_json

ROOT = Path(__file__).parents[2]
NAMES = list(trace.UNITS)
SPANS = (("the past week", 168), ("the past 28 days", 168), ("the past six months", 180))


def npy(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def row(number: int, event: object = None, seed: int = 0) -> dict[str, object]:
    span, steps = SPANS[number % 3]
    rng = np.random.default_rng((seed, number))
    described = {name: f"The {name} over {span} was {rng.integers(100)}." for name in NAMES}
    about = {
        "DATE": f"2021-03-{number % 28 + 1:02} to later",
        "location": f"county {number % 7}",
        "labels": "{Clear, Hot",
    }
    return {
        "id": f"row-{seed}-{number}",
        "timeseries": npy(rng.normal(size=(7, steps)).astype(np.float32)),
        "description": {**about, **described},
        "events": event,
    }


def events_of(number: int) -> object:
    kind = number % 6
    return (
        {"event_type": kind, "narrative": f"Storm {number}."}
        if kind < 2
        else None
        if kind < 4
        else {"event_type": -100, "narrative": None}
    )


def write_set(root: Path, sizes=(("train", 90), ("test", 24))) -> Path:
    for seed, (split, size) in enumerate(sizes):
        (root / "retrieval").mkdir(parents=True, exist_ok=True)
        rows = [row(number, events_of(number), seed) for number in range(size)]
        pq.write_table(pa.Table.from_pylist(rows), root / "retrieval" / f"{split}.parquet")
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return write_set(tmp_path_factory.mktemp("trace"))


def test_rows_are_windows_with_the_retrieved_text(root, tmp_path):
    info, records = trace.weather(root)
    records = {record.id: record for record in records}
    first = records["row-0-0"]
    told = " \n ".join(row(0)["description"][name] for name in NAMES)
    assert first.text == (
        f"Weather time series location: county 0 Time range: 2021-03-01 to later The weather is {{Clear, Hot. {told}"
    )
    assert first.channel_texts == [row(0)["description"][name] for name in NAMES]
    np.testing.assert_array_equal(first.values, np.load(io.BytesIO(row(0)["timeseries"])))
    assert (first.start, first.label) == (datetime(2021, 3, 1), "Lightning")
    assert [records[f"row-0-{number}"].frequency for number in range(3)] == ["1h", "4h", "D"]
    assert [channel.name for channel in info.channels] == [name.replace("_", " ") for name in NAMES]
    assert validate_corpus(write_corpus(records.values(), info, tmp_path / "corpus").path) == []


def test_labels_and_event_texts(root):
    texts = {record.id: (record.label, record.text) for record in trace.weather(root, text="event")[1]}
    assert texts["row-0-1"] == ("Debris Flow", "The weather event is Debris Flow. Storm 1.")
    assert texts["row-0-2"] == texts["row-0-4"] == (None, "No severe weather event.")
    both = {record.id: record.text for record in trace.weather(root, text="both")[1]}
    assert both["row-0-1"].startswith("Weather time series location")
    assert both["row-0-1"].endswith("The weather event is Debris Flow. Storm 1.")


def test_the_set_keeps_its_test_split_and_gives_some_training_groups_to_validation(root):
    records = list(trace.weather(root)[1])
    splits = [record.split for record in records]
    assert splits.count("test") == 24
    assert splits.count("validation") > 0
    places = {
        split: {r.text[:50] for r in records if r.split == split and r.label is None}
        for split in ("train", "validation")
    }
    assert not {text.split("Time")[0] for text in places["train"]} & {
        text.split("Time")[0] for text in places["validation"]
    }


@pytest.mark.parametrize("folder", ["", "retrieval", "dataset/retrieval"])
@pytest.mark.parametrize("nested", [False, True])
def test_flat_and_nested_paths(tmp_path, folder, nested):
    for split in ("train", "val", "test"):
        place = tmp_path / folder / (split if nested else "")
        place.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.Table.from_pylist([row(1, {"event_type": "Hail", "narrative": "x"}, ord(split[0]))]),
            place / f"{split}.parquet",
        )
    assert [record.split for record in trace.weather(tmp_path)[1]] == ["train", "validation", "test"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"timeseries": b"nonsense"}, r"test.parquet, row 0: timeseries is no array as .npy files have them"),
        ({"timeseries": npy(np.zeros((6, 9)))}, r"it holds \(6, 9\) of float64; it must be \(7, steps\) of numbers"),
        ({"timeseries": npy(np.array([["a"] * 3] * 7))}, "it must be .* of numbers"),
        ({"timeseries": npy(np.zeros((7, 9)))[:-8]}, "it holds 496 bytes for"),
        ({"events": {"event_type": 77, "narrative": "x"}}, "row 0: event_type is '77'; it must be 0 to 8, or -100"),
        ({"description": {"temperature": "warm"}}, "row 0: description has not the texts temperature, precipitation"),
    ],
)
def test_rows_of_another_form_are_refused(tmp_path, change, match):
    pq.write_table(pa.Table.from_pylist([row(0) | change]), tmp_path / "test.parquet")
    with pytest.raises(CorpusError, match=match):
        list(trace.weather(tmp_path)[1])


def test_a_header_that_claims_more_than_there_is_takes_no_memory(tmp_path):
    content = npy(np.zeros((7, 9))).replace(b"(7, 9), }" + 5 * b" ", b"(7, 10**9)}     ")
    huge = npy(np.zeros((7, 9))).replace(b"(7, 9), }" + 12 * b" ", b"(7, 9000000000000), }")
    for own in (content, huge):
        pq.write_table(pa.Table.from_pylist([row(0) | {"timeseries": own}]), tmp_path / "test.parquet")
        with pytest.raises(CorpusError, match="row 0: timeseries is no array"):
            list(trace.weather(tmp_path)[1])


def test_files_of_another_form_are_refused(tmp_path):
    with pytest.raises(CorpusError, match=r"no data of TRACE in .*: looked for train.parquet"):
        trace.weather(tmp_path)
    with pytest.raises(CorpusError, match="text is 'all'; it must be one of description, event, both"):
        trace.weather(tmp_path, text="all")
    (tmp_path / "test.parquet").write_bytes(b"nonsense")
    with pytest.raises(CorpusError, match=r"test.parquet cannot be read as Parquet"):
        list(trace.weather(tmp_path)[1])
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "test.parquet")
    with pytest.raises(CorpusError, match=r"test.parquet has no column 'timeseries'; it has id"):
        list(trace.weather(tmp_path)[1])


# The raw set


def lines(path: Path, rows: list[object]) -> None:
    path.write_text("".join(f"{json.dumps(own)}\n" for own in rows))


def raw(root: Path, change: dict[str, object] | None = None) -> Path:
    windows = [{**{name: [float(n), 1.0, None, 2.0] for name in NAMES}, "mode": SPANS[n % 3][0]} for n in range(30)]
    del windows[1]["visibility"]
    found = [
        {
            **{"event_id": n, "event_type": ("Hail", "Flood")[n % 2], "narrative": f"Storm {n}."},
            "begin_date_time": f"{datetime(2019, 1, 1) + timedelta(days=n):%d-%b-%y %H:%M:%S}",
            "ts_dict_index": [3 * n, 3 * n + 1],
        }
        for n in range(8)
    ]
    found[0] |= change or {}
    lines(root / "event_report.jsonl", found)
    lines(root / "mmts.jsonl", windows)
    return root


def test_events_of_the_raw_set_point_to_lines(tmp_path):
    info, records = trace.weather(raw(tmp_path))
    records = list(records)
    assert len(records) == 30
    assert [own.text for own in records[:4]] == [
        *["The weather event is Hail. Storm 0."] * 2,
        "",
        "The weather event is Flood. Storm 1.",
    ]
    assert (records[0].label, records[2].label, records[0].start) == ("Hail", None, datetime(2019, 1, 1))
    assert [own.frequency for own in records[:3]] == ["1h", "4h", "D"]
    assert np.isnan(records[1].values[3]).all()
    assert np.isnan(records[0].values[0, 2])
    assert info.channels[0].unit == "°C"
    for event in range(8):  # the windows of one event are in one split
        assert len({own.split for own in records if own.text.endswith(f" {event}.")}) == 1
    assert {own.split for own in records} == {"train", "validation", "test"}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"event_type": "Meteor"}, "event_report.jsonl, line 1: event_type is 'Meteor'"),
        ({"begin_date_time": "soon"}, "line 1: begin_date_time is 'soon', which is no time"),
        ({"ts_dict_index": "0"}, "line 1: ts_dict_index must be a list"),
        ({"ts_dict_index": [99]}, "an event points to line 99 of mmts.jsonl, which has 30 lines"),
    ],
)
def test_events_of_another_form_are_refused(tmp_path, change, match):
    with pytest.raises(CorpusError, match=match):
        list(trace.weather(raw(tmp_path, change))[1])


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("{", "mmts.jsonl, line 31 is no JSON object"),
        ("[1]", "line 31 is no JSON object: it is a list"),
        ('{"temperature": []}', "line 31: there is none of the lists temperature"),
        ('{"temperature": [1, "x"]}', "line 31: temperature is no list of numbers"),
        ('{"temperature": [[1], 2]}', "line 31: temperature is no list of numbers"),
    ],
)
def test_windows_of_another_form_are_refused(tmp_path, line, match):
    with (raw(tmp_path) / "mmts.jsonl").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(CorpusError, match=match):
        list(trace.weather(tmp_path)[1])


# All of it in one command


@pytest.mark.slow
def test_make_paper(root, tmp_path, monkeypatch, tiny_words, capsys):
    """The commands of `make paper`, as make gives them, with a small model."""
    small = shlex.join((*tiny_words, "trainer.max_epochs=1"))
    shown = subprocess.run(
        ["make", "-n", "-o", "setup", "paper", f"ROOT={root}", f"ARGS={small}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.replace("\\\n", " ")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    commands = [shlex.split(line)[1:] for line in shown.splitlines() if line.startswith(".venv/bin/trace-lit")]
    assert [words[0] for words in commands] == ["data", "fit", "fit", "evaluate"]
    for words in commands:
        assert main(words) == 0
    printed = capsys.readouterr().out
    assert "label without none" in printed
    assert "constant answer" in printed
    metrics = read_json(tmp_path / "runs" / "weather" / "align" / "paper" / "metrics.json")
    test = Corpus.load("corpora/trace")
    none = (test.labels[test.select("test")] < 0).mean()
    assert metrics["trace/test/constant/label/P@1"] == pytest.approx(none)
    assert 0 <= metrics["trace/test/text_to_series/pair/MRR"] <= 1
