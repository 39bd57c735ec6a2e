import json
from pathlib import Path

import numpy as np
import pytest
import torch

from data_modules.corpus import Corpus, CorpusError, validate_corpus
from data_modules.corpus_writing import write_corpus
from data_modules.sources import truce
from trace_lit.cli import main
from trace_lit.retrieval import Pool, evaluate_retrieval

REAL = Path(__file__).parents[3] / "shared" / "data" / "truce"
real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real data in {REAL}")


def entry(first: int, captions: list, pattern: int | None = None) -> dict:
    meta = {"col_names": ""} | ({} if pattern is None else {"label": {"labels": pattern}})
    return {"series": list(range(first, first + 12)), "annotations": captions, "meta": meta}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    content = {
        "train": {"p/0.png": entry(0, [["rises"], ["Rises  steadily."], ["rises"]], 0), "p/1.png": entry(5, ["up"], 3)},
        "val": {"p/2.png": entry(9, [["climbs"], ["goes up"]], 13)},
        "test": {"p/3.png": entry(1, [["increases"]], 1)},
    }
    for name, own in content.items():
        (tmp_path / f"pilot13final{name}.json").write_text(json.dumps(own))
    return tmp_path


def test_each_caption_has_a_window_of_its_series(root):
    info, records = truce.series(root)
    records = {record.id: record for record in records}
    assert list(records) == ["p/0#1", "p/0#2", "p/1#1", "p/2#1", "p/2#2", "p/3#1"]  # an equal caption once
    assert records["p/0#2"].text == "Rises steadily."
    assert records["p/0#2"].values.tolist() == [list(range(12))]
    assert {records[key].split for key in ("p/0#1", "p/1#1")} == {"train"}
    assert (records["p/2#1"].split, records["p/3#1"].split) == ("validation", "test")
    assert records["p/2#1"].label == info.label_names[13]


def test_captions_may_be_joined(root):
    records = {record.id: record for record in truce.series(root, captions="joined")[1]}
    assert [len(records), records["p/0"].text] == [4, "rises. Rises steadily."]


def test_the_stock_part_has_no_labels(root):
    for name in ("train", "val", "test"):
        (root / f"pilot16b{name}.json").write_text(json.dumps({f"s/{name}": entry(0, ["flat"])}))
    with pytest.raises(CorpusError, match=r"several parts of TRUCE \(pilot13final, pilot16b\); name one by part="):
        truce.series(root)
    info, records = truce.series(root, part="pilot16b")
    assert info.label_names == ()
    assert [record.label for record in records] == [None] * 3


def test_a_caption_finds_any_window_of_its_series(root):
    """What pair_distinct is for: a series is one target, however many captions it has."""
    corpus = Corpus.from_records(truce.series(root)[1], truce.series(root)[0])
    rows = [number for number, series in enumerate(corpus.series_ids) if series in ("p/0", "p/1")]
    vectors = torch.eye(3)
    pool = Pool(
        series=vectors[[0, 0, 1]],
        text=vectors[[0, 0, 1]],
        has_text=torch.ones(3, dtype=torch.bool),
        label=torch.zeros(3, dtype=torch.int64),
        text_id=torch.arange(3),
        index=torch.arange(3),
    )
    values = [corpus.values()[row] for row in rows]
    metrics = evaluate_retrieval(pool, texts=[corpus.texts[row] for row in rows], values=values, bootstrap=0)
    assert metrics["text_to_series/pair_distinct/P@1"] == 1.0
    assert metrics["text_to_series/pair/P@1"] < 1.0


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ("{", r"pilot13finalval.json cannot be read as JSON: .*line 1"),
        ("[]", "must hold a mapping from ids to series, not a list"),
        ('{"a": 3}', "'a' has no list `series`"),
        ('{"a": {"series": []}}', "'a' has no list `series`"),
        ('{"a": {"series": [1, "2"]}}', "'a': step 2 of the series is str; it must be a number"),
        ('{"a": {"series": [1, NaN]}}', "'a': step 2 of the series is nan"),
        ('{"a": {"series": [1' + 400 * "0" + "]}}", "'a': step 1 of the series is int; it must be a number up to 1e"),
        ('{"a": {"series": [true]}}', "'a': step 1 of the series is bool"),
        ('{"a": {"series": [1], "annotations": "up"}}', "'a': `annotations` must be a list of texts, not a str"),
        ('{"a": {"series": [1], "annotations": [["up", "down"]]}}', "a caption is .*; it must be a text or a list"),
        ('{"a": {"series": [1], "meta": {"label": {"labels": 14}}}}', "the label is '14'; it must be a number from 0"),
        ('{"a": {"series": [1], "meta": {"label": {"labels": "x"}}}}', "the label is 'x'"),
        ('{"\\ud800": {"series": [1]}}', "is no id"),
    ],
)
def test_other_forms_are_refused_by_file_and_id(root, change, match):
    (root / "pilot13finalval.json").write_text(change)
    with pytest.raises(CorpusError, match=match):
        list(truce.series(root)[1])


def test_absent_files_say_what_was_looked_for(root):
    with pytest.raises(CorpusError, match=r"looked for pilot16btrain.json; there are: pilot13final"):
        truce.series(root, part="pilot16b")
    with pytest.raises(CorpusError, match="captions is 'all'; it must be each or joined"):
        truce.series(root, captions="all")
    (root / "pilot13finaltest.json").unlink()
    with pytest.raises(
        CorpusError, match=r"pilot13finaltest.json is not there; TRUCE has a file for train, val and test"
    ):
        truce.series(root)


@real
def test_real_truce(tmp_path):
    """pilot13/0.png begins, in the file: "annotations": [["Highest value is in the middle"], ["steadily increases …"],
    ["Rises in the middle."]], "series": [7, 8, 11, 9, 21, 33, 45, 44, 43, 47, 44, 44], … "labels": 2."""
    assert main(["data", "build", "--source", "truce", "--root", str(REAL), "--out", str(tmp_path / "truce")]) == 0
    corpus = Corpus.load(tmp_path / "truce")
    assert validate_corpus(corpus.path) == []
    series = {split: len(set(corpus.series_ids[corpus.select(split)])) for split in ("train", "validation", "test")}
    assert series == {"train": 448, "validation": 56, "test": 56}
    row = list(corpus.ids).index("pilot13/0#1")
    assert corpus.texts[row] == "Highest value is in the middle"
    assert corpus.values()[row].tolist() == [[7, 8, 11, 9, 21, 33, 45, 44, 43, 47, 44, 44]]
    assert corpus.info.label_names[corpus.labels[row]] == "pattern 2"
    assert np.bincount(corpus.labels).min() >= 100
    joined = write_corpus(*reversed(truce.series(REAL, captions="joined")), tmp_path / "joined")
    assert len(joined) == 560
