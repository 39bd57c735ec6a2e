"""A corpus folder that no program of this project has written."""

import dataclasses
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import yaml

from data_modules.corpus import Corpus, CorpusError, CorpusInfo, Record, validate_corpus
from data_modules.corpus_writing import write_corpus
from trace_lit.channels import Channel

INFO = CorpusInfo(
    domain="hall",
    name="corpus",
    source="made by hand",
    channels=(Channel("heat", "K"), Channel("draught", "m/s")),
    frequency="1h",
    label_names=("up", "down"),
)
COLUMNS = ("id", "series_id", "start", "frequency", "values", "text", "channel_texts", "label", "split")


def make_records(count=40):
    rng = np.random.default_rng(0)
    return [
        Record(
            id=f"d{day}",
            series_id="hall",
            start=datetime(2024, 1, 1) + timedelta(days=day),
            values=rng.normal(size=(2, 24)).astype(np.float32),
        )
        for day in range(count)
    ]


def write_by_hand(folder, records, *, header=None, leave_out=(), **columns):
    """Parquet by pandas and corpus.yaml, as a user would write them; `columns` replace those of the records."""
    folder.mkdir()
    rows = pd.DataFrame([{name: getattr(record, name) for name in COLUMNS} for record in records])
    rows["values"] = [record.values.tolist() for record in records]
    rows = rows.assign(**columns).drop(columns=list(leave_out))
    rows.to_parquet(folder / "part.parquet")
    if header is None:
        header = {"domain": "hall", "channels": [{"name": "heat", "unit": "K"}, {"name": "draught", "unit": "m/s"}]}
        header |= {"label_names": ["up", "down"], "frequency": "1h"}
    (folder / "corpus.yaml").write_text(yaml.safe_dump(header))
    return folder


def test_it_is_the_corpus_that_the_same_records_would_make(tmp_path):
    by_hand = write_by_hand(
        tmp_path / "corpus", make_records(), leave_out=("frequency", "text", "channel_texts", "label", "split")
    )
    written = write_corpus(make_records(), INFO, tmp_path / "written")
    read = Corpus.load(by_hand)
    assert validate_corpus(by_hand) == []
    assert read.info == INFO
    assert read.table().equals(written.table())
    assert read.fingerprint == written.fingerprint


def test_what_it_says_is_kept(tmp_path):
    labels, splits = ["up", "down"] * 20, ["train"] * 20 + ["validation"] * 10 + ["test"] * 10
    texts = [["warm", ""]] * 40
    by_hand = write_by_hand(
        tmp_path / "corpus", make_records(), text=["a day"] * 40, label=labels, split=splits, channel_texts=texts
    )
    read = Corpus.load(by_hand)
    assert validate_corpus(by_hand) == []
    assert read.splits.tolist() == splits
    assert read.labels.tolist() == [0, 1] * 20
    assert read.texts == ["a day"] * 40
    assert read.channel_texts == texts


def test_the_frequency_is_that_of_the_rows(tmp_path):
    header = {"domain": "hall", "channels": [{"name": "heat"}, {"name": "draught"}]}
    by_hand = write_by_hand(tmp_path / "corpus", make_records(), header=header, frequency=["2h"] * 30 + ["1h"] * 10)
    read = Corpus.load(by_hand)
    assert read.info.frequency == "2h"
    assert set(read.frequencies) == {"2h", "1h"}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"leave_out": ("values",)}, "has no column 'values'; it has id, series_id"),
        (
            {"header": {"domain": "hall", "channels": [{"name": "heat"}, {"name": "draught"}]}},
            "key 'frequency' is missing",
        ),
        ({"header": {"domain": "hall", "frequency": "1h"}}, "key 'channels' is missing"),
        ({"split": ["train"] * 10 + [None] * 30}, "series 'hall': some of its records have a split, some not"),
        ({"frequency": ["often"] * 40}, "'often' is no sampling frequency"),
        ({"label": ["sideways"] * 40}, "'d0' has the label 'sideways'"),
        ({"series_id": [f"s{day}" for day in range(40)]}, "no record is left for training"),
    ],
)
def test_what_cannot_be_derived_is_named(tmp_path, changes, match):
    by_hand = write_by_hand(tmp_path / "corpus", make_records(), **changes)
    with pytest.raises(CorpusError, match=match):
        Corpus.load(by_hand)
    assert len(validate_corpus(by_hand)) == 1


def test_a_corpus_that_was_built_is_not_filled_in(tmp_path):
    """Where corpus.yaml has a fingerprint, a missing column is damage."""
    folder = tmp_path / "corpus"
    write_corpus(make_records(), dataclasses.replace(INFO, name="built"), folder)
    shard = next(folder.glob("*.parquet"))
    pd.read_parquet(shard).drop(columns="text").to_parquet(shard)
    with pytest.raises(CorpusError, match="has no column 'text'"):
        Corpus.load(folder)
