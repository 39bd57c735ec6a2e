"""A corpus that stores series holds, and trains on, the same as one that stores rows; each step once, bounded in memory."""

import pickle
from datetime import datetime, timedelta

import numpy as np
import pytest
import torch

from data_modules import DomainDataModule, corpus_writing
from data_modules.blocks import CorpusBlocks
from data_modules.config import DataConfig, WindowConfig
from data_modules.corpus import Corpus, CorpusError, CorpusInfo, Record, validate_corpus
from data_modules.corpus_writing import write_corpus
from data_modules.findings import examine
from trace_lit.channels import Channel

INFO = CorpusInfo("weather", "test", "test", (Channel("heat", "K"), Channel("damp", "%")), "1h", ("dry", "wet"))


def windows_of(name, values, length, stride, first=0, frequency="1h", **fields):
    hours = timedelta(hours=1)
    return [
        Record(
            f"{name}-{first + n}",
            name,
            datetime(2024, 1, 1) + (first + n) * hours,
            values[:, n : n + length].copy(),
            **fields,
        )
        for n in range(0, values.shape[1] - length + 1, stride)
    ]


def many_kinds() -> list[Record]:
    """Windows that overlap, follow, leave gaps, differ in length, lie together in any order, or disagree."""
    rng = np.random.default_rng(0)
    series = rng.normal(10, 2, (2, 400)).astype(np.float32)
    series[rng.random(series.shape) < 0.1] = np.nan
    found = windows_of("b", series[:, :200], 24, 1)
    found += windows_of("a", series[:, 100:300], 12, 12, text="the same")
    found += windows_of("a", series[:, 300:400], 24, 6, first=500, label="wet")  # after a gap
    found += windows_of("c", series[:, :120], 24, 4)
    found[-1].values[0, 3] += 1  # disagrees with what the one before says of that step
    months = series[:, :40]
    found += [
        Record(
            f"m-{n}", "m", datetime(2000 + n // 12, 1 + n % 12, 31 if n % 12 in (0, 2) else 28), months[:, n : n + 6]
        )
        for n in range(0, 24, 12)
    ]
    for record in found[-2:]:
        record.frequency = "ME"
    order = rng.permutation(len(found))
    return [found[n] for n in range(100)] + [found[n] for n in order if n >= 100]


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[Corpus, Corpus]:
    """The same records stored as rows and as series."""
    folder = tmp_path_factory.mktemp("stored")
    rows = write_corpus(many_kinds(), INFO, folder / "rows")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_writing, "IN_MEMORY", 10_000)
        patch.setattr("data_modules.series_building.GROUP_ROWS", 50)
        patch.setattr("data_modules.series_building.SHARD_GROUPS", 2)
        series = write_corpus(many_kinds(), INFO, folder / "series")
    assert rows.series is None
    assert series.series is not None
    return rows, series


def test_what_is_stored_as_series_is_what_is_stored_as_rows(both):
    rows, series = both
    assert series.fingerprint == rows.fingerprint
    assert validate_corpus(series.path) == []
    assert series.table().equals(rows.table().cast(series.table().schema))
    assert series.texts == rows.texts
    assert series.channel_texts == rows.channel_texts
    for name in ("ids", "series_ids", "splits", "frequencies", "lengths", "starts", "ends", "labels"):
        np.testing.assert_array_equal(getattr(series, name), getattr(rows, name))
    for one, other in zip(series.values(), rows.values(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert examine(series).findings == examine(rows).findings
    steps = sum(record.values.shape[1] for record in many_kinds())
    assert len(series.series) < steps / 4  # each step once


@pytest.mark.parametrize(
    "window", [None, WindowConfig(horizon=6, lookback=24), WindowConfig(horizon=3, fill_gaps=True)]
)
def test_batches_are_the_same(both, window):
    batches = []
    for corpus in both:
        config = DataConfig(corpus=str(corpus.path), jitter=3, zero_is_missing=window is None)
        data = DomainDataModule(config, None, text_unit="none", window=window)
        data.setup("fit")
        own = [data.datasets[split][0] for split in ("train", "validation", "test")]
        batches += [
            (data.vocabulary, [dataset[list(range(len(dataset)))] for dataset in own], list(data.train_dataloader()))
        ]
    (known, splits, drawn), (other, other_splits, other_drawn) = batches
    np.testing.assert_allclose(known.mean, other.mean, rtol=1e-12)
    np.testing.assert_allclose(known.deviation, other.deviation, rtol=1e-12)
    for one, another in zip([*splits, *drawn], [*other_splits, *other_drawn], strict=True):
        for name in ("values", "observed", "span", "times", "series_id", "label", "index", "future", "future_observed"):
            mine, theirs = getattr(one, name), getattr(another, name)
            assert mine is None or torch.equal(mine, theirs), name


def test_training_rows_have_the_same_fingerprint(both):
    rows, series = both
    assert series.training_fingerprint == rows.training_fingerprint != rows.fingerprint
    assert series.as_it_was(series.fingerprint) is series
    assert series.as_it_was(rows.training_fingerprint) is None


def test_blocks_are_the_same(both):
    rows, series = both
    for one, other in zip(CorpusBlocks(rows.path, 70), CorpusBlocks(series.path, 70), strict=True):
        assert other.table().equals(one.table().cast(other.table().schema))


def test_another_process_maps_the_same_file(both):
    series = both[1]
    copy = pickle.loads(pickle.dumps(series))
    assert len(pickle.dumps(series.series)) < 1000
    np.testing.assert_array_equal(copy.values()[7], series.values()[7])


def test_windows_that_overlap_much_are_stored_once(tmp_path):
    values = np.random.default_rng(0).normal(size=(1, 6_000)).astype(np.float32)
    info = CorpusInfo("minutes", "minutes", "test", (Channel("power", "W"),), "1h")
    records = windows_of("s", values, 60, 1, channel_texts=[""])
    corpus = write_corpus(iter(records), info, tmp_path / "corpus")
    assert corpus.series is not None
    assert sum(file.stat().st_size for file in corpus.path.glob("values-*")) < 1.1 * values.nbytes
    write_corpus(records[::60], info, tmp_path / "corpus")  # and back to rows
    assert sorted(file.suffix for file in (tmp_path / "corpus").iterdir()) == [".parquet", ".yaml"]
    assert validate_corpus(tmp_path / "corpus") == []


def stored(folder, monkeypatch, records=None):
    monkeypatch.setattr(corpus_writing, "IN_MEMORY", 100)
    return write_corpus(many_kinds() if records is None else records, INFO, folder)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda r: r.values.__setitem__((1, 5), np.inf), "row 'b-3' has an infinite value in channel 'damp'"),
        (lambda r: r.values.__setitem__((1, 5), 1e19), "row 'b-3' has 1e\\+19 in channel 'damp' at step 6"),
        (lambda r: setattr(r, "values", np.zeros((3, 24))), r"'b-3': the values have shape \(3, 24\)"),
        (lambda r: setattr(r, "values", np.full((2, 24), np.nan)), "row 'b-3' has no observed value in any channel"),
        (lambda r: setattr(r, "id", "b-1"), "id 'b-1' is used 2 times"),
        (lambda r: setattr(r, "label", "moist"), "row 'b-3' has the label 'moist'"),
        (lambda r: setattr(r, "channel_texts", ["one"]), "row 'b-3' has 1 channel texts, the corpus has 2"),
        (lambda r: setattr(r, "split", "test"), "some of its records have a split"),
    ],
)
def test_a_bad_record_is_named_and_nothing_is_left_behind(change, match, tmp_path, monkeypatch):
    records = many_kinds()
    change(records[3])
    with pytest.raises(CorpusError, match=match):
        stored(tmp_path / "corpus", monkeypatch, records)
    assert list(tmp_path.iterdir()) == []


def damaged(path, change):
    (file,) = path.glob("values-*.npy")
    file.write_bytes(change(file.read_bytes()))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda data: data[:-8], "damaged or truncated .*it has"),
        (lambda data: b"", "damaged or truncated"),
        (lambda data: data.replace(b"'<f4'", b"'|O8'"), "damaged or truncated"),
        (lambda data: data.replace(b"(", b"[", 1), "damaged or truncated"),
        (lambda data: data[:-4] + b"\x00\x00\x80\x3f", "does not fit the fingerprint"),
    ],
)
def test_a_damaged_file_of_values_is_told(change, match, tmp_path, monkeypatch):
    corpus = stored(tmp_path / "corpus", monkeypatch)
    damaged(corpus.path, change)
    problems = validate_corpus(corpus.path)
    assert len(problems) == 1
    with pytest.raises(CorpusError, match=match):
        raise CorpusError(problems[0])


def test_a_missing_file_of_values_is_told(tmp_path, monkeypatch):
    corpus = stored(tmp_path / "corpus", monkeypatch)
    next(corpus.path.glob("values-*")).unlink()
    assert "there is no file" in validate_corpus(corpus.path)[0]


def test_a_corpus_is_replaced_by_a_whole_one_only(tmp_path, monkeypatch):
    before = stored(tmp_path / "corpus", monkeypatch)
    monkeypatch.setattr(corpus_writing.yaml, "safe_dump", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        stored(tmp_path / "corpus", monkeypatch, many_kinds()[:150])
    assert Corpus.load(before.path).fingerprint == before.fingerprint
    monkeypatch.undo()
    after = stored(tmp_path / "corpus", monkeypatch, many_kinds()[:150])
    assert after.fingerprint != before.fingerprint
    assert validate_corpus(after.path) == []
    assert [file.name for file in tmp_path.iterdir()] == ["corpus"]
    assert len(list(after.path.iterdir())) == 3
