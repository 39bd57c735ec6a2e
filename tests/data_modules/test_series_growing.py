"""Rows that are added to a corpus that stores series make the corpus that all records make at once; the rest is kept."""

from dataclasses import replace

import numpy as np
import pytest

from data_modules.corpus import Corpus, CorpusError, validate_corpus
from data_modules.corpus_writing import write_grown_series, write_stored
from data_modules.windows import Windows
from tests.data_modules.test_stored import INFO, many_kinds, windows_of


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    for module in ("series_building", "series_growing"):
        monkeypatch.setattr(f"data_modules.{module}.GROUP_ROWS", 20)
    monkeypatch.setattr("data_modules.series_building.SHARD_GROUPS", 2)
    monkeypatch.setattr("data_modules.series_values.BLOCK", 64)


def grown(folder, records, *borders):
    """The corpus of the records up to the first border, to which the others are added in turn."""
    corpus = write_stored(records[: borders[0]], INFO, folder)
    for begin, end in zip(borders, [*borders[1:], len(records)], strict=True):
        corpus = write_grown_series(corpus, records[begin:end], [*corpus.history, (len(corpus), corpus.fingerprint)])
    return corpus


def by_time():
    """Two series side by side, some windows of each after the other, so that new steps belong between old ones."""
    values = np.random.default_rng(1).normal(size=(2, 240)).astype(np.float32)
    one, other = (windows_of(name, values * sign, 24, 6, split="test") for name, sign in (("a", 1), ("b", -1)))
    return [record for pair in zip(one, other, strict=True) for record in pair]


@pytest.mark.parametrize("borders", [(60,), (1, 2, 70), (40, 50, 73)])
@pytest.mark.parametrize("make", [by_time, many_kinds])
def test_added_rows_make_the_corpus_of_all_records(make, borders, tmp_path):
    records = [replace(record, split="test") for record in make()]
    once = write_stored(records, INFO, tmp_path / "once")
    corpus = grown(tmp_path / "grown", records, *borders)
    assert corpus.fingerprint == once.fingerprint
    assert validate_corpus(corpus.path) == []
    assert corpus.channel_texts == once.channel_texts
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(corpus.values(), once.values(), strict=True))
    rows = range(len(records))
    runs, theirs = Windows.stitched(corpus, rows), Windows.stitched(once, rows)
    assert runs.reach.tolist() == theirs.reach.tolist()
    assert runs.before.tolist() == theirs.before.tolist()
    assert [count for count, _ in corpus.history] == list(borders)
    assert corpus.as_it_was(corpus.history[0][1]).ids.tolist() == [record.id for record in records[: borders[0]]]


def test_shards_whose_places_stay_are_the_same_files(tmp_path):
    values = np.random.default_rng(2).normal(size=(2, 24 * 130))
    records = windows_of("a", values, 24, 24, split="test")
    corpus = write_stored(records[:-1], INFO, tmp_path / "corpus")
    before = [shard.stat().st_ino for shard in sorted(corpus.path.glob("*.parquet"))]
    corpus = write_grown_series(corpus, records[-1:], [])
    after = [shard.stat().st_ino for shard in sorted(corpus.path.glob("*.parquet"))]
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]
    assert validate_corpus(corpus.path) == []


def test_values_that_need_more_digits_keep_them(tmp_path):
    records = by_time()
    records[-1].values = records[-1].values + np.float64(1e-9)
    corpus = grown(tmp_path / "corpus", records, 60)
    assert corpus.values()[-1].dtype == np.float64
    assert np.array_equal(corpus.values()[-1], records[-1].values)
    assert corpus.fingerprint == write_stored(records, INFO, tmp_path / "once").fingerprint


def test_a_row_that_does_not_fit_leaves_the_corpus_as_it_was(tmp_path):
    records = by_time()
    corpus = write_stored(records[:60], INFO, tmp_path / "corpus")
    files = {file.name: file.stat().st_ino for file in corpus.path.iterdir()}
    with pytest.raises(CorpusError, match="is used 2 times"):
        write_grown_series(corpus, [records[61], records[0]], [])
    assert {file.name: file.stat().st_ino for file in corpus.path.iterdir()} == files
    assert sorted(tmp_path.glob("*")) == [corpus.path]
    assert Corpus.load(corpus.path).fingerprint == corpus.fingerprint
