"""A run stands by itself: copied into an empty folder, without the data that it was trained on, it is used."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import trace_lit
from data_modules import Channel, Corpus, CorpusError, CorpusInfo, Record, write_corpus
from tests.conftest import TinyRuns
from trace_lit.cli import main
from trace_lit.config import ConfigError
from trace_lit.inference import AlignedRun, PretrainedRun, TunedRun
from trace_lit.inference.inputs import as_batch, read_windows
from trace_lit.inference.predictions import Asked
from trace_lit.modules import AlignModule, CheckpointError, PretrainModule, TuneModule
from trace_lit.modules.checkpoint import CHECKPOINT_KEY

pytestmark = pytest.mark.slow

LOOKBACK, HORIZON = 24, 6
CHANNELS = (Channel("tide", "m", "above the gauge"), Channel("flow", "m³/s"))
LABELS = ("high", "low")


def write_waves(folder: Path, hours: int = 360) -> Path:
    """Two sines of 12 hours with little noise; the label says where a row's last step stands."""
    rng = np.random.default_rng(0)
    steps = np.arange(hours)
    level = np.stack([5 + np.sin(2 * np.pi * steps / 12), 20 + 3 * np.cos(2 * np.pi * steps / 12)])
    values = level + 0.05 * rng.normal(size=level.shape)
    records = [
        Record(
            f"w{first}",
            "waves",
            datetime(2024, 1, 1) + timedelta(hours=first),
            values[:, first : first + 12],
            text=f"The tide at hour {first} stands {'high' if level[0, first + 11] > 5 else 'low'}.",
            label=LABELS[int(level[0, first + 11] < 5)],
        )
        for first in range(0, hours - 11, 3)
    ]
    return write_corpus(records, CorpusInfo("waves", "waves", "made up", CHANNELS, "1h", LABELS), folder).path


@pytest.fixture(scope="module")
def tuned(tiny_words: tuple[str, ...], tiny_runs: TinyRuns, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a corpus of waves and tuned runs: runs/waves/tune/<kind>."""
    project = tmp_path_factory.mktemp("project")
    corpus = write_waves(project / "corpora" / "waves")
    shutil.copytree(tiny_runs.aligned, project / "runs" / "weather" / "align" / "tiny")
    words = [*tiny_words, f"data.corpus={corpus}", "stage=tune", f"run.dir={project / 'runs'}"]
    window = f"window={{lookback: {LOOKBACK}, horizon: {HORIZON}, split: steps}}"
    labels = ("window={lookback: 12}", "tune.task=classify")
    rag = (
        f"rag={{retriever: {project / 'runs' / 'weather' / 'align' / 'tiny'}, mode: series, use_futures: true, top: 2}}"
    )
    for name, own in {
        "band": (window, "head.quantiles=[0.1,0.5,0.9]"),
        "neighbours": (window, rag),
        "naive": (window, "tune.model=naive"),
        "label": labels,
        "logistic": (*labels, "tune.model=logistic_regression"),
        "boosting": (*labels, "tune.model=gradient_boosting"),
    }.items():
        trace_lit.fit(*words, *own, f"run.name={name}")
    return project


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Path]:
    """A copy of a run in an empty folder, which is the current one."""
    here = tmp_path / "empty"
    here.mkdir()
    monkeypatch.chdir(here)

    def copy(run: Path) -> Path:
        return Path(shutil.copytree(run, Path("run")))

    return copy


@pytest.fixture
def without(tiny_runs: TinyRuns, tuned: Path) -> Iterator[None]:
    """While it lasts, neither corpora nor the other runs are there."""
    places = [tiny_runs.corpus, tiny_runs.pretrained, tiny_runs.aligned, tuned]
    for place in places:
        place.rename(place.with_name(f"{place.name}-away"))
    yield
    for place in places:
        place.with_name(f"{place.name}-away").rename(place)


def frame(steps: int = 48, start: str = "2024-03-01", zone: str | None = None) -> pd.DataFrame:
    hours = np.arange(steps)
    values = {
        "flow [m³/s]": 20 + 3 * np.cos(2 * np.pi * hours / 12),
        "Tide": 5 + np.sin(2 * np.pi * hours / 12),
    }
    return pd.DataFrame(values, index=pd.date_range(start, periods=steps, freq="h", tz=zone))


def weather(channels: Sequence[Channel], steps: int = 48, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(len(channels), steps)).cumsum(1)


# What every run can do


def test_an_aligned_run_is_all_that_is_needed(alone, tiny_runs: TinyRuns, without: None, capsys) -> None:
    corpus = tiny_runs.corpus.with_name(f"{tiny_runs.corpus.name}-away")
    model = trace_lit.load(alone(tiny_runs.aligned.with_name("tiny-away")))
    assert isinstance(model, AlignedRun)
    assert (model.stage, model.frequency) == ("align", "1h")
    assert model.channels == Corpus.load(corpus).info.channels  # units and descriptions, too
    assert "channels: temperature" in repr(model)

    windows = weather(model.channels)
    vectors = model.embed_series(windows)
    texts = model.embed_text(["a dry day with a stiff northwest wind", "fog"])
    assert vectors.dtype == texts.dtype == np.float32
    assert vectors.shape == (1, model.config.encoder.width * (1 + len(model.channels)))
    assert texts.shape == (2, vectors.shape[1])
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([vectors, texts]), axis=1), 1, rtol=1e-5)
    hits = model.search("a cold front with a sudden drop of pressure", corpus=corpus, top=3)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    table = hits.to_frame()
    assert list(table.columns) == ["score", "id", "start", "end", "label", "text", "split", "row", "series", "corpus"]
    assert table["id"].tolist() == [hit.id for hit in hits]
    assert capsys.readouterr().out == ""
    with pytest.raises(CheckpointError, match=r"which run was trained on, is not there; name one with --corpus"):
        model.search("fog")


def test_a_pretrained_run_embeds_series(alone, tiny_runs: TinyRuns, without: None) -> None:
    model = trace_lit.load(alone(tiny_runs.pretrained.with_name("tiny-away")), device="cpu")
    assert isinstance(model, PretrainedRun)
    vectors = model.embed_series(np.stack([weather(model.channels, seed=seed) for seed in range(3)]))
    assert vectors.shape == (3, model.config.encoder.width)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("kind", ["band", "naive", "label", "logistic", "boosting"])
def test_a_tuned_run_predicts_what_it_did_beside_its_corpus(alone, tuned: Path, kind: str, tmp_path: Path) -> None:
    run = tuned / "runs" / "waves" / "tune" / kind
    corpus = Corpus.load(tuned / "corpora" / "waves")
    row = int(np.flatnonzero(corpus.ids == "w300")[0])
    before = trace_lit.load(run).predictions(Asked(ids=("w300",))).predicted
    values = np.concatenate([corpus.values()[row - 4], corpus.values()[row]], axis=1)  # 12 steps earlier, and its own
    copy = alone(run)
    tuned.rename(tuned.with_name("hidden"))
    try:
        model = trace_lit.load(copy)
        assert isinstance(model, TunedRun)
        times = pd.date_range("2024-01-01", periods=312, freq="h")[-24:]
        given = pd.DataFrame(values.T, columns=["tide", "flow"], index=times)
        predicted = model.predict(given)
        csv = tmp_path / "now.csv"
        given.rename_axis("time").to_csv(csv)
        capsys_rc = main(["predict", str(copy), "--series", str(csv), "--out", "out.csv"])
    finally:
        tuned.with_name("hidden").rename(tuned)
    assert capsys_rc == 0
    if kind in ("band", "naive"):
        assert list(predicted.columns[:5]) == ["channel", "unit", "step", "time", "forecast"]
        assert predicted["unit"].tolist() == ["m"] * HORIZON + ["m³/s"] * HORIZON
        assert predicted["time"].iloc[0] == pd.Timestamp("2024-01-14")
        centre = before[0, :, :, before.shape[-1] // 2].flatten()
        np.testing.assert_allclose(predicted["forecast"], centre, rtol=1e-5)
        if kind == "band":
            assert (predicted["0.1"] <= predicted["0.9"]).all()
    else:
        assert list(predicted.columns) == list(LABELS)
        np.testing.assert_allclose(predicted.to_numpy(), before.numpy(), rtol=1e-4, atol=1e-6)
    written = pd.read_csv("out.csv")
    name = "forecast" if kind in ("band", "naive") else "high"
    np.testing.assert_allclose(written[name], predicted[name], rtol=1e-5)


@pytest.mark.parametrize("kind", ["logistic", "boosting"])
def test_a_classifier_kept_as_tensors_is_the_one_of_scikit_learn(tuned: Path, kind: str) -> None:
    """On training windows with holes; both are fitted as the run was."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from trace_lit.encoder.window_statistics import statistics_of

    model = trace_lit.load(tuned / "runs" / "waves" / "tune" / kind)
    dataset = model.predictions(Asked(split="train")).dataset
    batch = dataset[list(range(len(dataset)))]
    features, labels = statistics_of(batch, dataset.channel_ids).numpy(), batch.label.numpy()
    counts = np.bincount(labels)
    weight = {label: counts.sum() / (len(counts) * count) for label, count in enumerate(counts)}
    expected = (
        HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=200, max_leaf_nodes=15, class_weight=weight, random_state=0
        )
        if kind == "boosting"
        else make_pipeline(
            SimpleImputer(keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(max_iter=5000, class_weight=weight),
        )
    ).fit(features, labels)
    observed = batch.observed.clone()
    observed[::2, 0] = False
    for own in (batch, dataclasses.replace(batch, observed=observed)):
        output = expected.predict_proba(statistics_of(own, dataset.channel_ids).numpy())
        np.testing.assert_allclose(model.classifiers[0](own).numpy(), output, rtol=1e-4, atol=1e-6)


# The same numbers as before


def test_search_finds_what_the_command_finds(tiny_runs: TinyRuns, capsys) -> None:
    model = trace_lit.load(tiny_runs.aligned)
    name = str(Corpus.load(tiny_runs.corpus).ids[3])
    for words, question in ((["--text", "snow"], {"text": "snow"}), (["--like", name], {"like": name})):
        assert main(["search", str(tiny_runs.aligned), *words, "--json"]) == 0
        printed = json.loads(capsys.readouterr().out)
        hits = model.search(**question)
        assert [hit["id"] for hit in printed] == [hit.id for hit in hits]
        np.testing.assert_allclose([hit["score"] for hit in printed], [hit.score for hit in hits], rtol=1e-5)
    own = model.corpus()
    assert model.search(series=own.values()[3], top=1)[0].id == name  # itself
    assert name not in [hit.id for hit in model.search(like=name)]
    assert {hit.split for hit in model.search("snow", split="test", corpus=own)} == {"test"}


def test_the_parts_of_explained_hits_sum_to_their_scores(tiny_runs: TinyRuns) -> None:
    model = trace_lit.load(tiny_runs.aligned)
    own = model.corpus()
    name = str(own.ids[3])
    questions = ({"text": "Snow fell. The wind was strong."}, {"like": name}, {"series": own.values()[3]})
    for question in questions:
        hits = model.search(**question, explain=True)
        assert [(hit.id, hit.score) for hit in hits] == [(hit.id, hit.score) for hit in model.search(**question)]
        table = hits.to_frame()
        by_channel = table[["whole window", *(f"channel {channel.key}" for channel in own.info.channels)]]
        np.testing.assert_allclose(by_channel.sum(axis=1), table["score"], atol=1e-5)
        clauses = [column for column in table.columns if column.startswith("clause ")]
        if "text" in question:
            assert clauses == ["clause 1: Snow fell.", "clause 2: The wind was strong."]
            np.testing.assert_allclose(table[clauses].sum(axis=1), table["score"], atol=1e-5)
        else:
            assert clauses == []


def test_scores_are_inner_products_and_those_of_the_evaluation(tiny_runs: TinyRuns) -> None:
    """The rank of each test report's own series gives the MRR that `evaluate` measures."""
    model = trace_lit.load(tiny_runs.aligned)
    corpus = model.corpus()
    rows = [row for row in corpus.select("test") if corpus.texts[row]]
    texts = model.embed_text([corpus.texts[row] for row in rows])
    series = model.embed_series([corpus.values()[row] for row in rows])
    scores = texts @ series.T
    rank = 1 + (scores > np.diag(scores)[:, None]).sum(1)
    measured = trace_lit.evaluate(model)
    assert measured["test/text_to_series/pair/MRR"] == pytest.approx(float((1 / rank).mean()), abs=1e-6)


# Series in many forms


def test_all_forms_of_a_window_are_one(tuned: Path) -> None:
    model = trace_lit.load(tuned / "runs" / "waves" / "tune" / "band")
    table = frame()
    array = np.stack([table["Tide"], table["flow [m³/s]"]])
    for same in (table, array, array[None], torch.from_numpy(array), [array], [table], table.astype("Float64")):
        np.testing.assert_allclose(model.embed_series(same), model.embed_series(array), rtol=1e-5)


def test_windows_of_unequal_lengths_and_channels_do_not_change_each_other(tuned: Path) -> None:
    model = trace_lit.load(tuned / "runs" / "waves" / "tune" / "band")
    windows = [frame(48), frame(20), frame(33)[["Tide"]]]
    together = model.embed_series(windows)
    assert together.shape == (3, model.config.encoder.width)
    for vector, window in zip(together, windows, strict=True):
        np.testing.assert_allclose(vector, model.embed_series(window)[0], atol=1e-5)


def test_the_span_of_a_short_window_begins_with_it(tuned: Path) -> None:
    model = trace_lit.load(tuned / "runs" / "waves" / "tune" / "band")
    windows = read_windows([frame(48), frame(48)[28:]], model.channels)
    batch = as_batch(windows, model.vocabulary, model.config.encoder.patch_length)
    assert batch.length is not None
    assert batch.length.tolist() == [48, 20]
    assert (batch.span[1, 0] - batch.span[0, 0]).item() == 28 * 3600
    assert batch.span[1, 1] == batch.span[0, 1]


def test_times_with_a_zone_are_converted(tuned: Path) -> None:
    model = trace_lit.load(tuned / "runs" / "waves" / "tune" / "band")
    aware = model.predict(frame(start="2024-03-01T01:00", zone="Europe/Berlin"))
    pd.testing.assert_frame_equal(aware, model.predict(frame(start="2024-03-01")))
    column = frame().rename_axis("time").reset_index()
    pd.testing.assert_frame_equal(model.predict(column), aware)


def test_a_step_without_a_row_is_missing_and_rows_without_times_follow_each_other(tuned: Path) -> None:
    model = trace_lit.load(tuned / "runs" / "waves" / "tune" / "band")
    table = frame()
    holed = table.copy()
    holed.iloc[40] = np.nan
    pd.testing.assert_frame_equal(model.predict(table.drop(table.index[40])), model.predict(holed))
    plain = model.predict(table.reset_index(drop=True))
    assert list(plain.columns) == ["channel", "unit", "step", "forecast", "0.1", "0.5", "0.9"]
    np.testing.assert_array_equal(plain["forecast"], model.predict(table)["forecast"])


def test_steps_that_a_series_leaves_out_are_missing_ones(tuned: Path, tiny_runs: TinyRuns) -> None:
    """As they are of `--series`; a vector of rows that were taken for even would be another."""
    table, left_out = frame(), [5, 6, 20]
    table.iloc[left_out] = np.nan
    given = table.drop(index=table.index[left_out])
    for run in (tuned / "runs" / "waves" / "tune" / "band", tiny_runs.pretrained, tiny_runs.aligned):
        model = trace_lit.load(run, device="cpu")
        table.columns = given.columns = [channel.key for channel in model.channels[:2]]
        vectors = model.embed_series(given)
        np.testing.assert_array_equal(vectors, model.embed_series(table))
        assert np.abs(vectors - model.embed_series(given.reset_index(drop=True))).max() > 1e-3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (frame().iloc[[0, 1, 4, 9, 16, 25, 36, 40]], "the times are irregular; resample"),
        (frame().rename(columns={"Tide": "tyde"}), r"column 'tyde' is no channel.*the nearest is 'tide \[m\]'"),
        (frame().assign(tide=1.0), r"channel 'tide \[m\]' has two columns"),
        (frame().iloc[[0, 1, 1]], "row 3: .* does not come after .*once, oldest first"),
        (frame().iloc[:0], "has no rows"),
        (frame() * np.nan, "holds no value"),
        (frame().assign(Tide="much"), "row 1, column 'Tide': 'much' is not a number"),
        (frame().assign(Tide=np.inf), "column 'Tide': 'inf' is not a number"),
        (frame().set_axis([f"row {n}" for n in range(48)]), "row 1: the time is 'row 0', which is no time"),
        (frame(2), "has 2 rows; the model needs at least a patch"),
        (np.ones((3, 48)), r"has the shape \(3, 48\); it must be \(2, steps\), a row for each of tide \[m\], flow"),
        (np.ones(48), r"has the shape \(48,\)"),
        (frame(1), "has 1 row; the model needs at least a patch"),
        (frame().assign(Tide=frame().index), "row 1, column 'Tide': '2.* is not a number"),
        (frame().assign(Tide=1j), "row 1, column 'Tide': '1j' is not a number"),
        (np.ones((2, 48)) * 1j, r"does not hold numbers but array\(.*\(ndarray\); give a DataFrame, an array"),
        (None, "does not hold numbers but None"),
        ({"tide": [1.0]}, r"does not hold numbers but \{'tide': \[1.0\]\} \(dict\)"),
        ([np.ones((2, 48)), np.ones((1, 48))], r"window 1 has the shape \(1, 48\)"),
        ([], "there is no window"),
        ("nowhere.csv", r"there is no file nowhere\.csv"),
    ],
)
def test_what_cannot_be_embedded_is_refused(tuned: Path, data, message: str) -> None:
    model = trace_lit.load(tuned / "runs" / "waves" / "tune" / "band")
    with pytest.raises(CorpusError, match=message):
        model.embed_series(data)


def test_what_is_not_there_is_named(tuned: Path) -> None:
    run = tuned / "runs" / "waves" / "tune" / "band"
    with pytest.raises(ConfigError, match=r"device is 'cuda:77', but .* CUDA devices are visible"):
        trace_lit.load(run, device="cuda:77")
    with pytest.raises(CorpusError, match="predict needs a series"):
        trace_lit.load(run).predict(None)
    with pytest.raises(ConfigError, match=r"write \['seed=1'\]"):
        trace_lit.load_config("seed=1")


def test_what_is_masked_or_read_only_is_read_without_a_word(tuned: Path, recwarn: pytest.WarningsRecorder) -> None:
    model = trace_lit.load(tuned / "runs" / "waves" / "tune" / "band")
    values = np.random.default_rng(0).normal(size=(2, 48))
    holed = np.where(values < 0, np.nan, values)
    holed.flags.writeable = False
    np.testing.assert_array_equal(model.embed_series(np.ma.masked_less(values, 0.0)), model.embed_series(holed))
    assert not recwarn.list


def test_questions_that_cannot_be_asked(tiny_runs: TinyRuns) -> None:
    model = trace_lit.load(tiny_runs.aligned)
    for question, message in (
        ({}, "takes one of text, series and like; none was given"),
        ({"text": "fog", "like": "x"}, "text and like was given"),
        ({"text": " "}, "the text is empty"),
        ({"text": "fog", "top": 0}, "top is 0"),
        ({"text": "fog", "top": "5"}, "top is '5'; it must be a whole number"),
        ({"text": ["fog"]}, r"search takes one text, not \['fog'\]"),
    ):
        with pytest.raises(ConfigError, match=message):
            model.search(**question)
    with pytest.raises(ConfigError, match=r"write embed_text\(\[text\]\)"):
        model.embed_text("fog")
    with pytest.raises(ConfigError, match="text 1 is ''"):
        model.embed_text(["fog", ""])
    with pytest.raises(ConfigError, match="looks for no neighbours"):
        trace_lit.load(tiny_runs.aligned, retriever=tiny_runs.aligned)


# A moved project


def test_a_moved_project_finds_retriever_and_corpus_again(tuned: Path, tmp_path: Path) -> None:
    run = Path("runs") / "waves" / "tune" / "neighbours"
    before = trace_lit.load(tuned / run).predict(frame())
    moved = Path(shutil.copytree(tuned, tmp_path / "moved"))
    tuned.rename(tuned.with_name("hidden"))
    try:
        model = trace_lit.load(moved / run)
        assert model.config.rag.retriever == str((moved / "runs" / "weather" / "align" / "tiny").resolve())
        assert model.config.data.corpus == str((moved / "corpora" / "waves").resolve())
        pd.testing.assert_frame_equal(model.predict(frame()), before)
        # Torn from each other, each is named by the option that gives it.
        (moved / "runs" / "weather" / "align" / "tiny").rename(tmp_path / "finder")
        with pytest.raises(CheckpointError, match=r"retriever .*tiny .* is not there; .* --retriever"):
            trace_lit.load(moved / run).predict(frame())
        (moved / "corpora" / "waves").rename(tmp_path / "waves")
        with pytest.raises(CheckpointError, match=r"corpus .*waves \(rag\.corpus\).* is not there; .* --corpus"):
            trace_lit.load(moved / run, retriever=tmp_path / "finder").predict(frame())
        model = trace_lit.load(moved / run, retriever=tmp_path / "finder", corpus=tmp_path / "waves")
        pd.testing.assert_frame_equal(model.predict(frame()), before)
        csv = tmp_path / "now.csv"
        frame().rename_axis("time").to_csv(csv)
        words = ["predict", str(moved / run), "--series", str(csv), "--retriever", str(tmp_path / "finder")]
        assert main([*words, "--corpus", str(tmp_path / "waves")]) == 0
        assert main(words) == 2
        other = write_waves(tmp_path / "other", hours=300)
        with pytest.raises(CheckpointError, match="was tuned with another corpus"):
            trace_lit.load(moved / run, retriever=tmp_path / "finder", corpus=other).predict(frame())
    finally:
        tuned.with_name("hidden").rename(tuned)


# As Lightning users know it


def test_lightning_loads_each_module_from_its_checkpoint(tiny_runs: TinyRuns, tuned: Path) -> None:
    for kind, run in (
        (PretrainModule, tiny_runs.pretrained),
        (AlignModule, tiny_runs.aligned),
        (TuneModule, tuned / "runs" / "waves" / "tune" / "band"),
        (TuneModule, tuned / "runs" / "waves" / "tune" / "label"),
        (TuneModule, tuned / "runs" / "waves" / "tune" / "naive"),
        (TuneModule, tuned / "runs" / "waves" / "tune" / "neighbours"),
    ):
        path = run / "checkpoints" / "best.ckpt"
        module = kind.load_from_checkpoint(path)
        weights = torch.load(path, weights_only=True)["state_dict"]
        assert module.state_dict().keys() == weights.keys()
        assert all(torch.equal(value, weights[name]) for name, value in module.state_dict().items())
        assert module.config.stage == kind.stage
    with pytest.raises(CheckpointError, match="is of stage 'align'; one of stage 'pretrain' is needed"):
        PretrainModule.load_from_checkpoint(tiny_runs.aligned)


# What is imported, and what older versions left


def test_use_needs_no_lightning(tiny_runs: TinyRuns, tuned: Path, tmp_path: Path) -> None:
    code = f"""
import sys
import trace_lit
assert "torch" not in sys.modules and trace_lit.__version__
import numpy as np
model = trace_lit.load({str(tiny_runs.aligned)!r})
model.search("fog", corpus={str(tiny_runs.corpus)!r})
trace_lit.load({str(tiny_runs.pretrained)!r}).embed_series(np.ones((len(model.channels), 24)))
assert "matplotlib" not in sys.modules and "torchmetrics" not in sys.modules
for kind in ("band", "neighbours", "logistic"):
    trace_lit.load({str(tuned / "runs" / "waves" / "tune")!r} + "/" + kind)
tuned = trace_lit.load({str(tuned / "runs" / "waves" / "tune" / "boosting")!r})
tuned.predict(np.ones((2, 12)))
for name in ("lightning", "lightning.pytorch", "sklearn", "transformers"):
    assert name not in sys.modules, name
"""
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")


def test_a_checkpoint_of_version_0_1_is_used(tiny_runs: TinyRuns, tuned: Path, tmp_path: Path) -> None:
    """It says nothing of its corpora and places: channels are those of its vocabulary, the rest is in the corpus."""

    def aged(run: Path) -> Path:
        copy = Path(shutil.copytree(run, tmp_path / run.name))
        for path in (copy / "checkpoints").glob("*.ckpt"):
            content = torch.load(path, weights_only=True)
            for key in ("corpora", "places", "label_counts", "retrieval_width"):
                content[CHECKPOINT_KEY].pop(key, None)
            torch.save(content, path)
        return copy

    new, old = trace_lit.load(tiny_runs.aligned), trace_lit.load(aged(tiny_runs.aligned))
    assert [channel.key for channel in old.channels] == [channel.key for channel in new.channels]
    assert [channel.unit for channel in old.channels] == [channel.unit for channel in new.channels]
    assert old.frequency is None
    np.testing.assert_array_equal(old.embed_text(["fog"]), new.embed_text(["fog"]))
    assert old.search("fog") == new.search("fog")
    for kind in ("band", "neighbours", "label"):
        run = tuned / "runs" / "waves" / "tune" / kind
        pd.testing.assert_frame_equal(trace_lit.load(aged(run)).predict(frame()), trace_lit.load(run).predict(frame()))
        assert TuneModule.load_from_checkpoint(tmp_path / kind).config.stage == "tune"


def test_a_classifier_that_kept_nothing_is_learned_again(tuned: Path, tmp_path: Path) -> None:
    run = tuned / "runs" / "waves" / "tune" / "logistic"
    copy = Path(shutil.copytree(run, tmp_path / "logistic"))
    shutil.rmtree(copy / "checkpoints")
    pd.testing.assert_frame_equal(trace_lit.load(copy).predict(frame()), trace_lit.load(run).predict(frame()))


# The four verbs


def test_fit_evaluate_and_compare_take_what_fit_returns(
    tiny_runs: TinyRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    odd = tmp_path / "a=b.yaml"
    odd.write_text("stage: pretrain\nrun: {name: first}\n")
    words = [*tiny_runs.words, "trainer.max_epochs=1", f"run.dir={tmp_path / 'runs'}"]
    first = trace_lit.fit("a=b.yaml", *words)
    second = trace_lit.fit(odd, *words, "run.name=second", "seed=1")
    assert first.folder == tmp_path / "runs" / "weather" / "pretrain" / "first"
    assert repr(first).startswith(f"FitResult('{first.folder}', best/validation/loss=")
    comparison = trace_lit.compare([first, second.folder], each=True)
    assert comparison.to_frame().shape[1] == 2
    assert "validation/loss" in str(comparison)
    with pytest.raises(CheckpointError, match="is of stage 'pretrain'; one of stage 'align' is needed"):
        trace_lit.evaluate(first)
    with pytest.raises(ConfigError, match="takes a single Config, or files"):
        trace_lit.fit(trace_lit.load_config([], words), "seed=2")
    assert isinstance(trace_lit.load(first), PretrainedRun)
    assert callable(trace_lit.fit)
    assert callable(trace_lit.compare)
