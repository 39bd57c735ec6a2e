"""Hugging Face data sets as corpora, all of them local."""

import json
import socket
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import datasets
import numpy as np
import pytest

from data_modules import build_corpus, datamodule_class, validate_corpus
from data_modules.building import CorpusCache
from data_modules.config import DataConfig
from data_modules.corpus import Corpus, CorpusError
from trace_lit.cli import main
from trace_lit.config import ConfigError

DAYS, STEPS = 30, 24


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise socket.gaierror("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def columns() -> dict:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(DAYS, 2, STEPS)).astype(np.float32).tolist()
    values[3][1][5] = None
    return {
        "id": [f"d{day}" for day in range(DAYS)],
        "start": [datetime(2024, 1, 1) + timedelta(days=day) for day in range(DAYS)],
        "values": values,
        "text": [f"day {day}" if day else None for day in range(DAYS)],
        "label": [day % 2 for day in range(DAYS)],
    }


def data_set(cells: dict | None = None) -> datasets.Dataset:
    made = datasets.Dataset.from_dict(cells or columns())
    return made.cast_column("label", datasets.ClassLabel(names=["dry", "wet"])) if "label" in made.features else made


def build(folder: Path, **options) -> Corpus:
    config = DataConfig(domain="hall", source="hf", options=options)
    return build_corpus(datamodule_class(config), config, folder)


CHANNELS = ["heat [K]", {"name": "draught", "unit": "m/s", "description": "how the air moves"}]


def save(kind: str, folder: Path) -> Path:
    if kind == "disk":
        data_set().save_to_disk(folder / "saved")
        return folder / "saved"
    data_set().to_parquet(folder / "many" / "rows.parquet")
    return folder / "many" if kind == "folder" else folder / "many" / "rows.parquet"


@pytest.mark.parametrize("kind", ["disk", "file", "folder"])
def test_a_local_data_set_becomes_a_corpus(tmp_path, kind):
    place = save(kind, tmp_path)
    corpus = build(tmp_path / "corpus", name=str(place), channels=CHANNELS, frequency="1h")
    assert validate_corpus(tmp_path / "corpus") == []
    assert [channel.key for channel in corpus.info.channels] == ["heat [K]", "draught [m/s]"]
    assert (corpus.info.domain, corpus.info.frequency, corpus.info.label_names) == ("hall", "1h", ("dry", "wet"))
    assert corpus.ids.tolist() == [f"d{day}" for day in range(DAYS)]
    assert corpus.labels.tolist() == [day % 2 for day in range(DAYS)]
    assert corpus.texts[:2] == ["", "day 1"]
    assert corpus.splits.tolist() == ["train"] * 21 + ["validation"] * 3 + ["test"] * 6
    for window, own in zip(corpus.values(), columns()["values"], strict=True):
        np.testing.assert_array_equal(window, np.array(own, dtype=np.float32))
    assert np.isnan(corpus.values()[3][1, 5])


def test_columns_of_other_names_and_one_a_channel(tmp_path):
    zone = timezone(timedelta(hours=2))
    cells = columns()
    other = {
        "when": [(start.replace(tzinfo=UTC)).astimezone(zone).isoformat() for start in cells["start"]],
        "t": [window[0] for window in cells["values"]],
        "w": [window[1] for window in cells["values"]],
        "site": ["a"] * 15 + ["b"] * 15,
        "rain": ["wet", None, "dry"] * 10,
        "note": [["one", "two"]] * DAYS,
        "every": ["1h"] * DAYS,
    }
    data_set(other).save_to_disk(tmp_path / "saved")
    corpus = build(
        tmp_path / "corpus",
        name=str(tmp_path / "saved"),
        channels={"w": "wind speed [m/s]", "t": "temperature"},
        start="when",
        series_id="site",
        label="rain",
        text="note",
        frequency="every",
    )
    assert [channel.key for channel in corpus.info.channels] == ["wind speed [m/s]", "temperature"]
    np.testing.assert_array_equal(corpus.values()[0][1], np.array(other["t"][0], dtype=np.float32))
    assert set(corpus.series_ids) == {"a", "b"}
    assert corpus.starts[0] == int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
    assert corpus.info.label_names == ("dry", "wet")
    assert corpus.labels[:3].tolist() == [1, -100, 0]
    assert corpus.texts[0] == "one two"


def test_its_own_splits_are_kept_on_request(tmp_path):
    whole = data_set()
    parts = {"train": whole.select(range(20)), "dev": whole.select(range(20, 24)), "test": whole.select(range(24, 30))}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "saved")
    options = {"name": str(tmp_path / "saved"), "channels": CHANNELS, "frequency": "1h"}
    kept = build(tmp_path / "kept", **options, keep_splits=True)
    assert kept.splits.tolist() == ["train"] * 20 + ["validation"] * 4 + ["test"] * 6
    assert build(tmp_path / "anew", **options).splits.tolist() == ["train"] * 21 + ["validation"] * 3 + ["test"] * 6
    assert len(build(tmp_path / "one", **options, split="train")) == 20


def test_it_is_built_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data_set().to_parquet("rows.parquet")
    words = ["name=rows.parquet", "channels=[heat [K], draught]", "frequency=1h"]
    words[1] = 'channels=["heat [K]", draught]'
    assert main(["data", "build", "--domain", "hall", "--source", "hf", "--out", "corpus", *words]) == 0
    assert "30 instances" in capsys.readouterr().out
    assert Corpus.load("corpus").info.domain == "hall"


def test_a_change_of_the_file_builds_another_corpus(tmp_path):
    file = tmp_path / "rows.parquet"
    data_set().to_parquet(file)
    options = {"name": str(file), "channels": CHANNELS, "frequency": "1h"}
    config = DataConfig(domain="hall", source="hf", options=options, cache_dir=str(tmp_path / "kept"))
    cache = CorpusCache(datamodule_class(config), config)
    before = cache.folders()
    data_set().select(range(25)).to_parquet(file)
    assert cache.folders() != before


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"name": "./not/here"}, "no file or folder ./not/here"),
        ({"name": "rows.csv"}, "must end with .parquet, .json, .jsonl"),
        ({"name": "someone/some-data"}, "neither a file nor a folder, .*Hugging Face hub.*repo-type dataset"),
        ({"channels": 3}, "channels is 3; give a list"),
        ({"channels": [7]}, "a channel is 7; write it like"),
        ({"channels": ["heat"]}, r"row 0 of train: the values have shape \(2, 24\); it must be \(1, steps\)"),
        ({"channels": {"heat": "heat"}}, r"has no column 'heat' \(channels\); it has id, start"),
        ({"start": "when"}, r"has no column 'when' \(start\); it has id, start"),
        ({"start": "text"}, "row 0 of train: None is no time"),
        ({"frequency": ""}, "has no column 'frequency'; name it by frequency=COLUMN"),
        ({"frequency": "often"}, "'often' is no sampling frequency"),
        ({"split": "test"}, "has no split 'test'; it has train"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, monkeypatch, options, match):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    data_set().to_parquet("rows.parquet")
    Path("rows.csv").write_text("a,b\n1,2\n")
    given = {"name": "rows.parquet", "channels": CHANNELS, "frequency": "1h"} | options
    with pytest.raises(CorpusError, match=match):
        build(tmp_path / "corpus", **given)
    assert not (tmp_path / "corpus").exists()


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "rows.jsonl").write_text(json.dumps({"start": "2024-01-01"})[:-5])
    with pytest.raises(CorpusError, match=r"rows\.jsonl cannot be read as a data set"):
        build(tmp_path / "corpus", name=str(tmp_path / "rows.jsonl"), channels=CHANNELS)


def test_the_domain_is_a_plain_name():
    for domain in ("../elsewhere", "a/b", ""):
        with pytest.raises(ConfigError, match=r"data\.domain is .*a plain name"):
            datamodule_class(DataConfig(domain=domain, source="hf"))
