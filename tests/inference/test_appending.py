"""Rows that are added to a corpus under a trained run: search finds them, and the run's metrics are what they were."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml

import trace_lit
from data_modules.appending import append
from data_modules.corpus import Corpus, CorpusError, validate_corpus
from data_modules.splits import SPLITS
from data_modules.stitched import Series
from data_modules.tables.counts import Counts
from tests.data_modules.tables.folders import write
from tests.data_modules.tables.test_utility import HOURS, SPEC, files
from trace_lit.cli import main
from trace_lit.errors import InputError

BEFORE = len(HOURS) - 10 * 24
SMALL = [
    *("encoder.width=16", "encoder.heads=2", "encoder.layers=1", "encoder.patch_length=6", "trainer.max_epochs=1"),
    *("data.batch_size=64", "trainer.accelerator=cpu", "evaluation.bootstrap=10"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files up to ten days before their end, and their corpus."""
    return built(tmp_path_factory.mktemp("appended"))


def built(folder: Path) -> Path:
    write(folder / "data", files(BEFORE))
    (folder / "tables.yaml").write_text(yaml.safe_dump(SPEC, allow_unicode=True))
    words = ["--source", "tables", "--root", str(folder / "data"), "--out", str(folder / "corpus")]
    assert main(["data", "build", *words, str(folder / "tables.yaml")]) == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("stored", [False, True])
def test_a_run_stays_what_it_was(stored: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if stored:
        monkeypatch.setattr("data_modules.corpus_writing.IN_MEMORY", 100)
    monkeypatch.chdir(built(tmp_path))
    assert (Corpus.load("corpus").series is not None) == stored
    run = trace_lit.fit("data.corpus=corpus", "stage=align", "run.name=a", *SMALL)
    before, old = trace_lit.evaluate(run.folder, bootstrap=10), Corpus.load("corpus")
    recorded, training = json.loads((run.folder / "metrics.json").read_text()), old.training_fingerprint
    assert append("corpus", Counts())[1] == 0
    assert Corpus.load("corpus").fingerprint == old.fingerprint

    write(tmp_path / "data", files())
    counts = Counts()
    corpus, new = append("corpus", counts)
    assert (new, len(corpus)) == (10, len(old) + 10)
    assert counts.number("windows that have changed") == 0
    assert validate_corpus("corpus") == []
    assert corpus.ids[: len(old)].tolist() == old.ids.tolist()
    assert corpus.splits[: len(old)].tolist() == old.splits.tolist()
    assert set(corpus.splits[len(old) :]) == {"test"}
    assert corpus.training_fingerprint == training
    assert corpus.fingerprint != old.fingerprint

    assert trace_lit.evaluate(run.folder, bootstrap=10) == before
    assert json.loads((run.folder / "metrics.json").read_text()) == recorded
    added = set(corpus.ids[len(old) :])
    model = trace_lit.load(run.folder)
    assert added < {hit.id for hit in model.search("crew", top=len(corpus))}
    assert model.search(like=str(min(added)), top=1)
    more = [*SMALL, "trainer.max_epochs=2"]
    trace_lit.fit("data.corpus=corpus", "stage=align", "run.name=a", *more, resume="auto")  # on the rows of its time
    assert trace_lit.load(run.folder).checkpoint.data_fingerprint == old.fingerprint


def test_rows_behind_stored_series(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, place = tmp_path / "data", tmp_path / "corpus"
    with monkeypatch.context() as patch:
        patch.setattr("data_modules.corpus_writing.IN_MEMORY", 100)
        words = ["--source", "tables", "--root", str(project / "data"), "--out", str(place)]
        assert main(["data", "build", *words, str(project / "tables.yaml")]) == 0
    old = Corpus.load(place)
    assert old.series is not None
    texts, training = old.texts, old.training_fingerprint
    old_in_memory = Corpus(old.path, old.info, old.fingerprint, old.table())
    write(data, files())
    grown, new = append(place, Counts(), root=data)
    assert (new, len(grown)) == (10, len(old) + 10)
    assert validate_corpus(place) == []
    assert grown.series is not None
    assert len(list(place.glob("values-*"))) == 1
    assert grown.training_fingerprint == training
    assert append(place, Counts(), root=data)[1] == 0
    loaded = Corpus.load(place)
    was = loaded.as_it_was(old.fingerprint)
    assert was is not None
    assert was.texts == texts
    assert was.ids.tolist() == old.ids.tolist()
    for split in ("rows", "steps"):
        before, after = Series.of(old_in_memory, split), Series.of(was, split)
        for ours, theirs in zip(before.training_statistics(), after.training_statistics(), strict=True):
            torch.testing.assert_close(ours, theirs)
        for part in SPLITS:
            origins = (own.windows.begin[own.forecast_origins(6, 3, part)] for own in (before, after))
            assert next(origins).tolist() == next(origins).tolist()
    rows = Corpus.load(shutil.copytree(project / "corpus", tmp_path / "rows"))
    assert rows.series is None
    assert append(rows.path, Counts(), root=data)[0].fingerprint == loaded.fingerprint  # however it is stored
    (place / "corpus.yaml").write_text((place / "corpus.yaml").read_text().replace("rows: ", "rows: 1", 1))
    with pytest.raises(CorpusError, match="changed since"):
        Corpus.load(place).as_it_was(old.fingerprint)


def test_what_is_added_twice_changed_or_late(project: Path, tmp_path: Path) -> None:
    data, place = tmp_path / "data", tmp_path / "corpus"
    shutil.copytree(project / "data", data)
    shutil.copytree(project / "corpus", place)
    with pytest.raises(CorpusError, match=r"was built elsewhere .*--root FOLDER"):
        append(place, Counts())
    old = Corpus.load(place)
    write(data, files())
    lines = (data / "weather.csv").read_text().splitlines()
    lines[30] = f"{lines[30].partition(',')[0]},77"
    (data / "weather.csv").write_text("\n".join(lines))
    counts = Counts()
    corpus, _ = append(place, counts, data)
    assert counts.number("windows that have changed") == 1
    twice = Counts()
    assert append(place, twice, data)[1] == 0
    assert corpus.as_it_was(old.fingerprint).fingerprint == old.fingerprint  # type: ignore[union-attr]
    assert corpus.as_it_was("0" * 64) is None
    assert corpus.known_as([old.fingerprint]) == old.fingerprint


def test_only_the_newest_rows_are_left_in_the_files(project: Path, tmp_path: Path) -> None:
    """A file that holds the last days only goes on where the corpus ends."""
    data, place = tmp_path / "data", tmp_path / "corpus"
    shutil.copytree(project / "corpus", place)
    made = files()
    for name in ("load.csv", "weather.csv"):
        text = made[name].decode("cp1252") if isinstance(made[name], bytes) else made[name]
        head = text.splitlines()[: 2 if name == "load.csv" else 1]
        made[name] = "\n".join([*head, *text.splitlines()[-(10 * 24 + 7) :]])
    write(data, made)
    corpus, new = append(place, Counts(), data)
    assert new == 10
    assert validate_corpus(place) == []
    assert len(set(corpus.ids)) == len(corpus)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"windows": {"stride": "often"}}, "windows.stride is 'often'"),
        ({"windows": [1]}, "windows is"),
        ({"evil": 1}, "evil is no key"),
        ({"counts": 1}, "counts is no key"),
        ({"series": [{"files": "../secret.csv"}]}, "must be a name or pattern below"),
    ],
)
def test_options_that_somebody_has_changed_are_refused(
    project: Path, tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    corpus = shutil.copytree(project / "corpus", tmp_path / "corpus")
    origin = yaml.safe_load((corpus / "source.yaml").read_text())
    origin["options"] |= changes
    (corpus / "source.yaml").write_text(yaml.safe_dump(origin))
    with pytest.raises(InputError, match=reason) as error:
        append(corpus, Counts(), project / "data")
    assert "\n" not in str(error.value)
