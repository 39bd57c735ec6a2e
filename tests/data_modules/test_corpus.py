import dataclasses
import logging
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from data_modules import corpus_writing
from data_modules.blocks import CorpusBlocks
from data_modules.corpus import Corpus, CorpusError, CorpusInfo, Record, validate_corpus
from data_modules.corpus_writing import write_corpus
from trace_lit.channels import Channel

INFO = CorpusInfo(
    domain="weather",
    name="test",
    source="test",
    channels=(Channel("temperature", "K", "how warm it is"), Channel("humidity", "%")),
    frequency="1h",
    label_names=("dry", "wet"),
    description="for tests",
)


def make_records(count: int = 20, steps: int = 24, stride: int = 24, seed: int = 0) -> list[Record]:
    rng = np.random.default_rng(seed)
    return [
        Record(
            id=f"r{number}",
            series_id="s",
            start=datetime(2020, 1, 1) + timedelta(hours=stride * number),
            values=rng.normal(size=(2, steps)).astype(np.float32),
            text=f"report {number}",
            label=INFO.label_names[number % 2],
        )
        for number in range(count)
    ]


@pytest.fixture
def folder(tmp_path):
    write_corpus(make_records(), INFO, tmp_path / "corpus")
    return tmp_path / "corpus"


def shard(folder):
    return next(folder.glob("*.parquet"))


def rewrite(folder, **columns):
    """Put other columns into the shard, past all checks."""
    table = pq.read_table(shard(folder))
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.array(values, type=table.schema.field(name).type))
    pq.write_table(table, shard(folder))


# --- what is written is what is read ------------------------------------------------------------------------------


def test_a_corpus_comes_back_as_it_was_written(tmp_path):
    records = make_records()
    records[3].values[1, 5] = np.nan
    records[4].text = ""
    records[5].label = None
    records[6].channel_texts = ["warm", ""]
    records[7].text = "Ελληνικά, 日本語, العربية, emoji 🌧 and a\nnew line"
    write_corpus(records, INFO, tmp_path / "corpus")
    read = Corpus.load(tmp_path / "corpus")
    assert read.info == INFO
    assert len(read) == 20
    assert read.ids.tolist() == [record.id for record in records]
    assert read.series_ids.tolist() == ["s"] * 20
    assert read.texts == [record.text for record in records]
    assert read.labels.tolist() == [0, 1, 0, 1, 0, -100, 0, 1] + [0, 1] * 6
    assert read.channel_texts[6] == ["warm", ""]
    assert read.starts.tolist() == [1577836800 + 86400 * n for n in range(20)]
    assert (read.ends - read.starts).tolist() == [86400] * 20
    for window, record in zip(read.values(), records, strict=True):
        assert window.dtype == np.float32
        np.testing.assert_array_equal(window, record.values)
    assert [len(read.select(split)) for split in corpus_writing.SPLITS] == [14, 2, 4]
    assert read.table()["values"][3].as_py()[1][5] is None
    assert validate_corpus(tmp_path / "corpus") == []


def test_windows_may_differ_in_length_and_frequency(tmp_path):
    records = make_records()
    records[2].values = records[2].values[:, :7]
    records[19].values = np.ones((2, 3))
    records[19].frequency = "MS"
    records[19].start = datetime(2021, 1, 1)
    read = write_corpus(records, INFO, tmp_path / "corpus")
    assert read.lengths.tolist() == [24, 24, 7, *[24] * 16, 3]
    assert read.values()[2].shape == (2, 7)
    assert read.ends[2] - read.starts[2] == 7 * 3600
    assert read.ends[19] - read.starts[19] == (31 + 28 + 31) * 86400
    assert set(read.frequencies[:19]) == {"1h"}


def test_rows_are_sharded_and_the_shards_do_not_matter(tmp_path, monkeypatch):
    whole = write_corpus(make_records(), INFO, tmp_path / "whole")
    monkeypatch.setattr(corpus_writing, "SHARD_ROWS", 7)
    write_corpus(make_records(), INFO, tmp_path / "parts")
    assert len(list((tmp_path / "parts").glob("*.parquet"))) == 3
    parts = Corpus.load(tmp_path / "parts")
    assert parts.fingerprint == whole.fingerprint
    assert parts.ids.tolist() == whole.ids.tolist()
    np.testing.assert_array_equal(np.stack(parts.values()), np.stack(whole.values()))
    assert validate_corpus(tmp_path / "parts") == []


def test_the_datasets_library_reads_it(folder, tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    rows = datasets.load_dataset(
        "parquet", data_files=str(folder / "*.parquet"), split="train", cache_dir=str(tmp_path / "cache")
    )
    read = Corpus.load(folder)
    assert rows["id"] == read.ids.tolist()
    np.testing.assert_array_equal(np.array(rows[3]["values"], dtype=np.float32), read.values()[3])
    assert rows[0]["start"] == datetime(2020, 1, 1)


def test_corpus_yaml_tells_a_person_what_it_is(folder):
    header = yaml.safe_load((folder / "corpus.yaml").read_text())
    assert header["rows"] == {"train": 14, "validation": 2, "test": 4}
    assert header["channels"][0] == {"name": "temperature", "unit": "K", "description": "how warm it is"}
    assert header["label_names"] == ["dry", "wet"]


def test_words_that_yaml_takes_for_other_types_stay_words(tmp_path):
    info = dataclasses.replace(INFO, label_names=("no", "1"), name="2020-01-01", description="null")
    records = make_records()
    for record in records:
        record.label = "no"
    write_corpus(records, info, tmp_path / "corpus")
    assert Corpus.load(tmp_path / "corpus").info == info


def test_the_fingerprint_covers_the_content(tmp_path):
    def fingerprint(change=None, info=INFO, seed=0):
        records = make_records()
        if change:
            change(records[3])
        return write_corpus(records, info, tmp_path / "corpus", seed=seed).fingerprint

    def set_value(record):
        record.values[0, 0] += 1

    def set_missing(record):
        record.values[0, 0] = np.nan

    first = fingerprint()
    assert fingerprint() == first
    changes = [
        fingerprint(set_value),
        fingerprint(set_missing),
        fingerprint(lambda record: setattr(record, "text", "other")),
        fingerprint(lambda record: setattr(record, "label", None)),
        fingerprint(lambda record: setattr(record, "start", record.start + timedelta(minutes=1))),
        fingerprint(info=dataclasses.replace(INFO, description="other")),
        fingerprint(seed=1),  # words the channel texts differently
    ]
    assert len({first, *changes}) == 8


# --- splits and channel texts --------------------------------------------------------------------------------------


def test_overlapping_windows_are_dropped_at_the_borders_and_counted(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        read = write_corpus(make_records(100, stride=6), INFO, tmp_path / "corpus")
    assert [len(read.select(split)) for split in corpus_writing.SPLITS] == [67, 7, 20]
    assert "left out 6 of 100 windows" in caplog.text
    assert validate_corpus(tmp_path / "corpus") == []


def test_given_splits_are_kept(tmp_path):
    records = make_records()
    for number, record in enumerate(records):
        record.split = ("test", "train")[number % 2]
    read = write_corpus(records, INFO, tmp_path / "corpus")
    assert read.splits.tolist() == ["test", "train"] * 10


def test_given_splits_that_overlap_are_refused(tmp_path):
    records = make_records(stride=12)
    for number, record in enumerate(records):
        record.split = "train" if number < 10 else "test"
    with pytest.raises(CorpusError, match=r"'r9' \(train\) and 'r10' \(test\) .* overlap in time"):
        write_corpus(records, INFO, tmp_path / "corpus")


def test_a_series_with_some_splits_is_refused(tmp_path):
    records = make_records()
    records[0].split = "train"
    with pytest.raises(CorpusError, match="series 's': some of its records have a split"):
        write_corpus(records, INFO, tmp_path / "corpus")


def test_series_of_one_window_cannot_be_split_by_time(tmp_path):
    records = make_records()
    for record in records:
        record.series_id = record.id
    with pytest.raises(CorpusError, match="no record is left for training"):
        write_corpus(records, INFO, tmp_path / "corpus")


def test_channel_texts_are_made_where_there_are_none(tmp_path):
    records = make_records()
    records[0].channel_texts = ["given", ""]
    records[1].values[1] = np.nan
    read = write_corpus(records, INFO, tmp_path / "corpus")
    assert read.channel_texts[0] == ["given", ""]
    assert read.channel_texts[1][1] == ""
    assert all("emperature" in texts[0] for texts in read.channel_texts[1:])
    assert all("umidity" in texts[1] and "%" in texts[1] for texts in read.channel_texts[2:])


# --- bad records ------------------------------------------------------------------------------------------------


def refused(records, tmp_path, match, info=INFO):
    with pytest.raises(CorpusError, match=match):
        write_corpus(records, info, tmp_path / "corpus")
    assert list(tmp_path.iterdir()) == []


def set_infinite(record):
    record.values[1, 5] = np.inf


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (set_infinite, "row 'r3' has an infinite value in channel 'humidity'"),
        (
            lambda r: setattr(r, "values", np.zeros((3, 24))),
            r"'r3': the values have shape \(3, 24\); it must be \(2, steps\)",
        ),
        (lambda r: setattr(r, "values", np.zeros(24)), r"'r3': the values have shape \(24,\)"),
        (lambda r: setattr(r, "values", np.zeros((2, 0))), r"'r3': the values have shape \(2, 0\)"),
        (lambda r: setattr(r, "values", np.array([["a"], ["b"]])), "'r3': the values are not numbers"),
        (lambda r: setattr(r, "values", [[1.0], [1.0, 2.0]]), "'r3': the values are not numbers"),
        (lambda r: setattr(r, "values", np.full((2, 24), np.nan)), "'r3' has no observed value in any channel"),
        (lambda r: setattr(r, "id", "r1"), "id 'r1' is used 2 times"),
        (lambda r: setattr(r, "id", ""), "record number 3: id is ''"),
        (lambda r: setattr(r, "series_id", None), "'r3': series_id is None"),
        (lambda r: setattr(r, "text", None), "'r3': text is None"),
        (lambda r: setattr(r, "text", "\ud800"), "'r3': the text is not valid Unicode"),
        (lambda r: setattr(r, "label", "moist"), "row 'r3' has the label 'moist'; .* 'dry', 'wet'"),
        (
            lambda r: setattr(r, "start", pd.NaT),
            "'r3': start is NaT; it must be a datetime, in UTC where it has no time zone",
        ),
        (lambda r: setattr(r, "start", "2020-01-01"), "'r3': start is '2020-01-01'"),
        (lambda r: setattr(r, "channel_texts", ["one"]), "row 'r3' has 1 channel texts, the corpus has 2"),
        (lambda r: setattr(r, "frequency", "often"), "'r3': 'often' is no sampling frequency"),
    ],
)
def test_a_bad_record_is_named_and_nothing_is_left_behind(change, match, tmp_path):
    records = make_records()
    change(records[3])
    refused(records, tmp_path, match)


def test_a_split_that_does_not_exist_is_named(tmp_path):
    records = make_records()
    for record in records:
        record.split = "dev"
    refused(records, tmp_path, "'r0' has the split 'dev'; it must be one of train, validation, test")


def test_a_channel_missing_in_the_whole_corpus_is_named(tmp_path):
    records = make_records()
    for record in records:
        record.values[1] = np.nan
    refused(records, tmp_path, "channel 'humidity' has no value in the whole corpus")


def test_many_problems_are_summed_up(tmp_path):
    records = make_records()
    for record in records:
        record.label = "moist"
    refused(records, tmp_path, "and 15 more")


def test_no_records_are_no_corpus(tmp_path):
    refused([], tmp_path, "there are no records")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"channels": ()}, "there are no channels"),
        ({"channels": (Channel("a", "K"), Channel("a", "K"))}, r"two channels are 'a \[K\]'"),
        ({"label_names": ("dry", "dry")}, "two labels are named 'dry'"),
        ({"frequency": "hourly"}, "'hourly' is no sampling frequency"),
        ({"name": None}, "name is None"),
    ],
)
def test_a_bad_description_is_refused(changes, match, tmp_path):
    refused(make_records(), tmp_path, match, dataclasses.replace(INFO, **changes))


def test_constant_channels_are_fine(tmp_path):
    records = make_records()
    for record in records:
        record.values[0] = 273.15
    read = write_corpus(records, INFO, tmp_path / "corpus")
    assert all("273.1" in texts[0] for texts in read.channel_texts)
    assert validate_corpus(read.path) == []


# --- interrupted builds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_a_build_that_fails_while_writing_leaves_nothing_behind(failure, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise failure

    monkeypatch.setattr(corpus_writing.pq, "write_table", fail)
    with pytest.raises(type(failure)):
        write_corpus(make_records(), INFO, tmp_path / "corpus")
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_leaves_nothing_behind(tmp_path):
    def source():
        yield from make_records(3)
        raise CorpusError("the source broke")

    refused(source(), tmp_path, "the source broke")


def test_a_corpus_is_replaced_by_a_whole_one_only(folder, monkeypatch):
    before = Corpus.load(folder).fingerprint
    monkeypatch.setattr(corpus_writing.yaml, "safe_dump", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_corpus(make_records(seed=1), INFO, folder)
    assert Corpus.load(folder).fingerprint == before
    monkeypatch.undo()
    assert write_corpus(make_records(seed=1), INFO, folder).fingerprint != before
    assert validate_corpus(folder) == []
    assert [entry.name for entry in folder.parent.iterdir()] == ["corpus"]


def test_a_corpus_that_cannot_be_replaced_stays(folder, monkeypatch):
    before = Corpus.load(folder).fingerprint
    replace = Path.replace

    def fail_once(self, target):
        if target.name == "corpus.yaml":
            raise OSError("no")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_once)
    with pytest.raises(OSError, match="no"):
        write_corpus(make_records(seed=1), INFO, folder)
    assert Corpus.load(folder).fingerprint == before
    assert [entry.name for entry in folder.parent.iterdir()] == ["corpus"]
    assert len(list(folder.iterdir())) == 2


def test_what_is_no_corpus_is_not_overwritten(tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "thesis.txt").write_text("precious")
    with pytest.raises(CorpusError, match="exists and is no corpus folder"):
        write_corpus(make_records(), INFO, tmp_path / "corpus")
    assert (tmp_path / "corpus" / "thesis.txt").read_text() == "precious"
    (tmp_path / "empty").mkdir()
    write_corpus(make_records(), INFO, tmp_path / "empty")


# --- bad folders --------------------------------------------------------------------------------------------------


def both(folder, match):
    """Loading and validating tell the same."""
    with pytest.raises(CorpusError, match=match):
        Corpus.load(folder)
    problems = validate_corpus(folder)
    assert len(problems) == 1
    with pytest.raises(CorpusError, match=match):
        raise CorpusError(problems[0])


def test_a_folder_that_is_not_there(tmp_path):
    both(tmp_path / "nowhere", "there is no corpus folder .*nowhere")


def test_a_folder_without_corpus_yaml(folder):
    (folder / "corpus.yaml").unlink()
    both(folder, r"is no corpus: it holds no corpus.yaml")


def test_a_truncated_shard(folder):
    file = shard(folder)
    file.write_bytes(file.read_bytes()[:-200])
    both(folder, "parquet is damaged or truncated")


def test_an_empty_shard(folder):
    shard(folder).write_bytes(b"")
    both(folder, "parquet is damaged or truncated")


def test_no_shards(folder):
    shard(folder).unlink()
    both(folder, "holds no Parquet files")


def test_a_shard_too_many(folder):
    (folder / "rows-copy.parquet").write_bytes(shard(folder).read_bytes())
    both(folder, "says 20 rows, the Parquet files hold 40")


def test_values_of_the_wrong_shape(folder):
    values = [[[0.0] * 24] * 2] * 20
    rewrite(folder, values=[*values[:19], [[0.0] * 24] * 3])
    both(folder, "row 'r19' has values of 3 channels, the corpus has 2")
    rewrite(folder, values=[*values[:19], [[0.0] * 24, [0.0] * 23]])
    both(folder, "row 'r19' has channels of unequal length: 24, 23 steps")
    rewrite(folder, values=[*values[:19], [[], []]])
    both(folder, "row 'r19' has no time steps")


def test_a_missing_or_mistyped_column(folder):
    table = pq.read_table(shard(folder))
    pq.write_table(table.drop_columns(["text"]), shard(folder))
    both(folder, "has no column 'text'")
    place = table.schema.get_field_index("values")
    pq.write_table(table.set_column(place, "values", pa.array(["x"] * 20)), shard(folder))
    both(folder, "a column has the wrong type")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[1, 2", "is not YAML"),
        ("- a\n- b\n", "must hold a mapping"),
        ("domain: weather\nfrequency: 1h\n", "key 'channels' is missing"),
        ("format: 99\n", "the format is 99"),
        ("format: 1\nfingerprint: x\n", "key 'rows' is missing"),
        ("format: 1\nfingerprint: x\nrows: 20\n", "'rows' must give"),
        ("format: 1\nfingerprint: x\nrows: {train: 14, validation: 2, test: 4}\n", "key 'channels' is missing"),
        ("format: 1\nfingerprint: x\nrows: {train: 14, validation: 2, test: 4}\ncolour: red\n", "unknown key 'colour'"),
    ],
)
def test_a_bad_corpus_yaml(folder, text, match):
    (folder / "corpus.yaml").write_text(text)
    both(folder, match)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"rows": {"train": float("inf"), "validation": 0, "test": 0}}, "'rows' must give"),
        ({"rows": {"train": "many", "validation": 0, "test": 0}}, "'rows' must give"),
        ({"rows": 20}, "'rows' must give"),
        ({"history": [{"rows": float("inf"), "fingerprint": "x"}]}, "'history' must list"),
        ({"fingerprint": 5}, "the fingerprint is 5"),
        ({"fingerprint": ["x"]}, "the fingerprint is"),
        ({"generated": datetime(2024, 1, 1)}, "generated is"),
    ],
)
def test_an_edited_corpus_yaml_is_one_sentence_for_every_reader(folder, changes, match):
    header = yaml.safe_load((folder / "corpus.yaml").read_text())
    (folder / "corpus.yaml").write_text(yaml.safe_dump(header | changes))
    both(folder, match)
    if "history" not in changes:
        with pytest.raises(CorpusError, match=match):
            CorpusBlocks(folder, 8)


@pytest.mark.parametrize(
    ("column", "values", "match"),
    [
        ("id", ["r0", "r0", *[f"r{n}" for n in range(2, 20)]], "id 'r0' is used 2 times"),
        ("label", ["moist"] * 20, "'r0' has the label 'moist'"),
        ("split", ["dev", *["train"] * 19], "'r0' has the split 'dev'"),
        ("split", ["train"] * 20, "corpus.yaml says 14 train rows, the Parquet files hold 20"),
        ("values", [[[float("inf")] * 24] * 2] * 20, "'r0' has an infinite value in channel 'temperature'"),
        ("values", [[[1.0] * 24, [None] * 24]] * 20, "channel 'humidity' has no value in the whole corpus"),
        ("frequency", ["often"] * 20, "'often' is no sampling frequency"),
        ("text", ["changed"] * 20, "does not fit the fingerprint"),
        ("start", [datetime(2020, 1, 1)] * 20, "overlap in time"),
    ],
)
def test_validation_finds_what_was_changed_after_the_build(folder, column, values, match):
    rewrite(folder, **{column: values})
    problems = validate_corpus(folder)
    assert problems
    with pytest.raises(CorpusError, match=match):
        raise CorpusError("; ".join(problems))


def test_a_split_that_does_not_exist_cannot_be_selected(folder):
    with pytest.raises(CorpusError, match="no split 'dev'; the splits are train, validation, test"):
        Corpus.load(folder).select("dev")


def test_tables_cells_are_taken_as_they_are() -> None:
    """A start with a zone becomes UTC; texts and labels that are NaN or NA are none."""
    info = CorpusInfo("rivers", "rivers", "by hand", (Channel("level", "m"),), "1h", ("calm",))
    start = pd.Timestamp("2024-05-01T02:00", tz="Europe/Berlin")
    record = Record("r", "s", start, np.ones((1, 24)), text=float("nan"), label=float("nan"), split="train")  # type: ignore[arg-type]
    record.channel_texts = [pd.NA]  # type: ignore[list-item]
    table = Corpus.from_records([record], info).table()
    assert table["start"].to_pylist() == [datetime(2024, 5, 1)]
    assert (table["text"].to_pylist(), table["label"].to_pylist(), table["channel_texts"].to_pylist()) == (
        [""],
        [None],
        [[""]],
    )


@pytest.mark.parametrize("channel", [{"name": "x", "\n": 1}, {"name": "x", 2: 1}, {"unit": "m"}, "x", 3, None])
def test_a_channel_of_another_form_is_refused_in_one_line(channel):
    plain = {"domain": "rivers", "name": "a", "source": "b", "frequency": "1h", "channels": [channel]}
    with pytest.raises(CorpusError, match="channel") as error:
        CorpusInfo.from_dict(plain)
    assert "\n" not in str(error.value)
