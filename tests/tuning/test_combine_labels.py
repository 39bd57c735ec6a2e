from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

import trace_lit
from data_modules import Channel, Corpus, CorpusInfo, Record, write_corpus
from data_modules.config import WindowConfig
from data_modules.forecasting import OriginDataset
from data_modules.stitched import Series
from data_modules.vocabulary import training_vocabulary
from trace_lit.batch import NO_LABEL
from trace_lit.cli import main
from trace_lit.config import ConfigError
from trace_lit.encoder.label_combination import LABEL_MEMBERS
from trace_lit.inference import evaluate_run
from trace_lit.inference.predictions import Asked
from trace_lit.runs.folder import read_metrics

ROWS, LENGTH = 400, 4
NAMES = ("calm", "busy")


def write_days(folder: Path, told_by: str) -> Corpus:
    """Rows of noise whose label goes by the row's values, by the label before, or by the text."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, ROWS * LENGTH))
    label = np.zeros(ROWS, dtype=int)
    for row in range(ROWS):
        own = values[:, row * LENGTH : (row + 1) * LENGTH]
        kept = label[row - 1] if row and rng.random() < 0.8 else rng.integers(2)
        high = int(own[0, -2:].mean() + own[1, 0] > 0)
        drawn = {"values": high, "late values": high * (row > ROWS // 2), "labels": kept}
        label[row] = drawn.get(told_by, rng.integers(2))
    texted = rng.random(ROWS) < (0.4 if told_by == "some texts" else 1.0)
    words = ("All is quiet at the gate.", "A crowd has come to the fair.")
    records = [
        Record(
            f"r{row}",
            "gate",
            datetime(2024, 1, 1) + timedelta(hours=row * LENGTH),
            values[:, row * LENGTH : (row + 1) * LENGTH],
            text=words[label[row]] if "texts" in told_by and texted[row] else "",
            label=NAMES[label[row]],
        )
        for row in range(ROWS)
    ]
    channels = (Channel("visitors", "1/h"), Channel("queue", "m"))
    return write_corpus(records, CorpusInfo("gate", "gate", "made up", channels, "1h", NAMES), folder)


def fit(corpus: Corpus, words: tuple[str, ...], folder: Path, *more: str) -> Path:
    window = f"window={{lookback: {LENGTH}, horizon: {LENGTH}}}"
    tune = ("stage=tune", "tune.task=classify", "head.solver=combination", window, "encoder.patch_length=2")
    return trace_lit.fit(*words, f"data.corpus={corpus.path}", f"run.dir={folder}", *tune, *more).folder


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return write_days(tmp_path_factory.mktemp("gate") / "corpus", "labels")


@pytest.fixture(scope="module")
def run(gate: Corpus, tmp_path_factory: pytest.TempPathFactory, tiny_words: tuple[str, ...]) -> Path:
    return fit(gate, tiny_words, tmp_path_factory.mktemp("runs"))


@pytest.mark.slow
@pytest.mark.parametrize(("told_by", "group"), [("values", "statistics"), ("labels", "labels"), ("texts", "texts")])
def test_what_tells_the_labels_is_what_counts(
    told_by: str, group: str, tmp_path: Path, tiny_words: tuple[str, ...], run: Path
) -> None:
    if told_by != "labels":  # which tell those of the common run
        run = fit(write_days(tmp_path / "corpus", told_by), tiny_words, tmp_path)
    evaluate_run(run)
    assert read_metrics(run)["test/AUROC"] > 0.8  # a label is the one before in 90 % of the rows
    shares = trace_lit.load(run).predictions(Asked(last=True)).members[""]
    assert sum(shares.values()) == pytest.approx(1)
    groups = {member.name: member.groups for member in LABEL_MEMBERS}
    assert sum(share for name, share in shares.items() if group in groups[name]) > 0.5


@pytest.mark.slow
def test_a_label_that_does_not_occur_early_is_learned(tmp_path: Path, tiny_words: tuple[str, ...]) -> None:
    run = fit(write_days(tmp_path / "corpus", "late values"), tiny_words, tmp_path)
    evaluate_run(run)
    assert read_metrics(run)["test/AUROC"] > 0.8


@pytest.mark.slow
def test_windows_without_a_text_are_left_to_the_other_members(tmp_path: Path, tiny_words: tuple[str, ...]) -> None:
    corpus = write_days(tmp_path / "corpus", "some texts")
    run = fit(corpus, tiny_words, tmp_path)
    frame = trace_lit.load(run).predictions(Asked(corpus)).table().to_pandas()
    row_of = {name: row for row, name in enumerate(corpus.ids)}
    texted = np.array([bool(corpus.texts[row_of[name]]) for name in frame["id"]])
    assert 10 < texted.sum() < len(texted) - 10
    sure = (frame["busy"] - 0.5).abs().to_numpy()
    assert (frame["predicted"] == frame["label"])[texted].mean() > 0.95
    assert np.median(sure[texted]) > 0.3  # though most windows have none
    assert np.median(sure[~texted]) < 0.2


@pytest.mark.slow
def test_a_loaded_run_says_what_the_solved_one_said(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = read_metrics(run)["last/validation/AUROC"]
    evaluate_run(run, split="validation")
    assert read_metrics(run)["validation/AUROC"] == pytest.approx(before, abs=1e-6)
    capsys.readouterr()
    assert main(["predict", str(run), "--last"]) == 0
    assert "members of the label: " in capsys.readouterr().out


@pytest.mark.slow
def test_a_series_without_labels_is_told_by_the_members_that_need_none(run: Path) -> None:
    told = trace_lit.load(run).predict(np.zeros((2, LENGTH)))[list(NAMES)].to_numpy()
    assert told.sum() == pytest.approx(1, abs=1e-5)
    assert 0.2 < told[0, 0] < 0.8  # nobody can know


@pytest.mark.slow
def test_too_few_windows_are_refused(tmp_path: Path, tiny_words: tuple[str, ...]) -> None:
    records = [
        Record(str(row), "x", datetime(2024, 1, 1) + timedelta(hours=row), np.full((1, 4), row), label=NAMES[row % 2])
        for row in range(12)
    ]
    info = CorpusInfo("x", "x", "made up", (Channel("x", "m"),), "1h", NAMES)
    corpus = write_corpus(records, info, tmp_path / "corpus")
    with pytest.raises(ConfigError, match=r"lower window\.lookback or window\.horizon"):
        fit(corpus, tiny_words, tmp_path, "window.horizon=400")


def test_a_window_knows_the_labels_whose_time_is_over(gate: Corpus) -> None:
    vocabulary = training_vocabulary([gate], None)
    for horizon in (LENGTH, LENGTH + 1, 3 * LENGTH):
        window = WindowConfig(lookback=LENGTH, horizon=horizon)
        dataset = OriginDataset(
            gate, Series.of(gate, "rows"), "test", window, vocabulary, task="classify", label_names=NAMES
        )
        batch = dataset[[0, 5]]
        first = int(np.flatnonzero(gate.splits == "test")[0])
        waiting = -(-horizon // LENGTH)  # rows whose labels describe something that goes on
        for place, row in enumerate((first, first + 5)):
            assert batch.past_label is not None
            newest = gate.labels[row - waiting :: -1][: batch.past_label.shape[1]]
            assert batch.past_label[place].tolist() == newest.tolist()
    start = OriginDataset(
        gate,
        Series.of(gate, "rows"),
        "train",
        window,
        vocabulary,
        task="classify",
        label_names=NAMES,
    )
    assert torch.equal(start[[0]].past_label[0], torch.full((16,), NO_LABEL))  # type: ignore[index]
