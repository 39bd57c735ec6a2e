"""What a tuned run predicts is what it is scored by, from whatever the windows come."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from data_modules import Channel, Corpus, CorpusInfo, Record, write_corpus
from data_modules.stitched import Series
from trace_lit.cli import main
from trace_lit.config import ConfigError
from trace_lit.inference import evaluate_mean, evaluate_run, predict_mean
from trace_lit.inference.ensemble import fitted_weights
from trace_lit.inference.predict import Asked, open_tuned, predict_run
from trace_lit.inference.predictions import write_predictions
from trace_lit.inference.show import draw_window
from trace_lit.settings import load_config
from trace_lit.train import fit

pytestmark = pytest.mark.slow

LOOKBACK, HORIZON = 24, 6
HOUR = timedelta(hours=1)
BEGIN = datetime(2024, 1, 1)
CHANNELS = (Channel("tide", "m"), Channel("flow", "m³/s"))


def waves(folder: Path, labels: tuple[str, ...] = ("high", "low")) -> Corpus:
    """Two sines of a period of 12 hours with little noise; the label says where a row's last step stands."""
    rng = np.random.default_rng(0)
    steps = np.arange(480)
    level = np.stack([5 + np.sin(2 * np.pi * steps / 12), 20 + 3 * np.cos(2 * np.pi * steps / 12)])
    values = (level + 0.05 * rng.normal(size=level.shape)).astype(np.float32)
    values[1, 470] = np.nan
    records = [
        Record(
            f"w{first}",
            "waves",
            BEGIN + first * HOUR,
            values[:, first : first + 12],
            text=f"Report of hour {first}.",
            label=labels[int(level[0, first + 11] < 5)],
        )
        for first in range(0, 480 - 12 + 1, 3)
    ]
    return write_corpus(records, CorpusInfo("sea", "waves", "made up", CHANNELS, "1h", labels), folder)


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return waves(tmp_path_factory.mktemp("corpora") / "waves")


@pytest.fixture(scope="module")
def runs(sea: Corpus, tiny_runs, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tuned runs of each kind."""
    folder = tmp_path_factory.mktemp("runs")
    rag = f"{{retriever: {tiny_runs.aligned}, mode: series, use_futures: true, top: 3}}"
    kinds = {
        "band": ["head.quantiles=[0.1,0.5,0.9]"],
        "point": ["tune.model=naive"],
        "flow": ["tune.model=nlinear", "window.targets=[flow]", "trainer.max_epochs=1"],
        "label": ["tune={task: classify}", "window={split: rows}"],
        "statistics": ["tune={task: classify, model: logistic_regression}", "window={split: rows}"],
        "retrieval": [f"rag={rag}", "head.quantiles=[0.1,0.5,0.9]", "head.calendar=1"],
    }
    tune = f"window={{lookback: {LOOKBACK}, horizon: {HORIZON}, split: steps}}"
    words = [*tiny_runs.words, f"data.corpus={sea.path}", f"run.dir={folder}", "stage=tune", tune]
    return {name: fit(load_config([], [*words, f"run.name={name}", *more])).folder for name, more in kinds.items()}


def write_csv(path: Path, values: np.ndarray, times: list[datetime] | None, channels=CHANNELS) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(["time"] if times else []), *(channel.key for channel in channels)])
        for number, step in enumerate(values.T):
            cells = ["" if np.isnan(value) else repr(float(value)) for value in step]
            writer.writerow([*([times[number].isoformat()] if times else []), *cells])
    return path


@pytest.fixture
def before(sea: Corpus):
    """The values (C, n) and times of the n steps before the end of a row."""

    def before(name: str, steps: int) -> tuple[np.ndarray, list[datetime]]:
        series = Series.of(sea, "steps").windows.values.T.numpy()
        end = int(name.removeprefix("w")) + 12
        return series[:, end - steps : end], [BEGIN + n * HOUR for n in range(end - steps, end)]

    return before


@pytest.mark.parametrize("kind", ["band", "point", "flow", "retrieval"])
def test_forecasts_are_those_that_are_scored(runs: dict[str, Path], sea: Corpus, kind: str) -> None:
    scores = evaluate_run(runs[kind])
    table = predict_run(runs[kind], Asked()).table().to_pandas()
    assert set(table["channel"]) == ({"flow"} if kind == "flow" else {"tide", "flow"})
    known = table.dropna(subset="truth")
    assert len(table) > len(known) > 0.9 * len(table)
    unit = dict(zip(("tide", "flow"), Series.of(sea, "steps").training_statistics()[1].tolist(), strict=True))
    error = (known["forecast"] - known["truth"]) / known["channel"].map(unit)
    assert scores["test/MSE"] == pytest.approx(float((error**2).mean()), rel=1e-4)
    assert scores["test/units/MAE"] == pytest.approx(float((known["forecast"] - known["truth"]).abs().mean()), rel=1e-4)
    if kind == "band":
        inside = known["truth"].between(known["0.1"], known["0.9"])
        assert scores["test/coverage/0.8"] == pytest.approx(inside.mean(), abs=1e-6)
        assert (table["0.1"] <= table["0.5"]).all()
        assert (table["0.5"] <= table["0.9"]).all()
        assert (table["forecast"] == table["0.5"]).all()


@pytest.mark.parametrize(("kind", "other"), [("band", "retrieval"), ("label", "statistics")])
def test_the_mean_of_runs_is_scored_as_what_it_says(runs: dict[str, Path], kind: str, other: str, capsys) -> None:
    both = runs[kind], runs[other]
    own, its = (predict_run(run, Asked()).predicted for run in both)
    mean = predict_mean(both, Asked())
    torch.testing.assert_close(mean.predicted, (own + its) / 2)
    before = [(run / "metrics.json").read_text() for run in both]
    assert main(["evaluate", str(both[0]), "--with", str(both[1])]) == 0
    scores = evaluate_mean(both)
    assert before == [(run / "metrics.json").read_text() for run in both]
    table = mean.table().to_pandas()
    if kind == "band":
        known = table.dropna(subset="truth")
        error = known["forecast"] - known["truth"]
        assert scores["test/units/MAE"] == pytest.approx(float(error.abs().mean()), rel=1e-4)
        assert f"test/units/MAE {scores['test/units/MAE']:.4g}" in capsys.readouterr().out
    else:
        right = float((table["predicted"] == table["label"]).mean())
        assert scores["test/accuracy"] == pytest.approx(right)


@pytest.mark.parametrize("kind", ["band", "flow", "label"])
def test_the_mean_of_a_run_with_itself_has_its_scores(runs: dict[str, Path], kind: str) -> None:
    assert evaluate_mean([runs[kind]] * 2) == pytest.approx(evaluate_run(runs[kind]), rel=1e-5, nan_ok=True)


def test_a_mean_is_of_runs_that_speak_of_the_same(runs: dict[str, Path]) -> None:
    for other, what in (("point", "quantiles"), ("flow", "channels"), ("label", "labels")):
        with pytest.raises(ConfigError, match=f"their {what} differ: .* and .*; leave one of the runs out"):
            predict_mean([runs["band"], runs[other]], Asked())


def test_a_truth_is_what_the_series_holds_at_its_time(runs: dict[str, Path], sea: Corpus) -> None:
    table = predict_run(runs["band"], Asked(split="validation")).table().to_pandas()
    series = Series.of(sea, "steps").windows.values.numpy()
    hour = ((table["time"] - BEGIN) / HOUR).astype(int)
    channel = table["channel"].map({"tide": 0, "flow": 1})
    np.testing.assert_array_equal(table["truth"], series[hour, channel])
    assert (table["time"] == table["origin"] + (table["step"] - 1) * HOUR).all()
    named = table.dropna(subset="id")
    end = named["id"].str.removeprefix("w").astype(int) + 12
    assert (named["origin"] == BEGIN + end * HOUR).all()
    assert len(named)


@pytest.mark.parametrize("kind", ["label", "statistics"])
def test_probabilities_are_those_that_are_scored(runs: dict[str, Path], kind: str) -> None:
    table = predict_run(runs[kind], Asked()).table().to_pandas()
    assert table[["high", "low"]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    assert (table["predicted"] == np.where(table["high"] > table["low"], "high", "low")).all()
    right = float((table["predicted"] == table["label"]).mean())
    assert evaluate_run(runs[kind])["test/accuracy"] == pytest.approx(right)


@pytest.mark.parametrize("kind", ["band", "label", "statistics", "retrieval"])
def test_a_file_is_forecast_like_the_same_values_of_a_corpus(
    runs: dict[str, Path], before, tmp_path: Path, kind: str
) -> None:
    path = write_csv(tmp_path / "now.csv", *before("w330", 2 * LOOKBACK))
    known = predict_run(runs[kind], Asked(ids=("w330",)))
    output = predict_run(runs[kind], Asked(series=path))
    np.testing.assert_allclose(output.predicted, known.predicted, rtol=1e-4)
    assert output.origins == known.origins
    assert output.series_ids == ["now"]
    near, found = ([near.id for near in windows.neighbours(0)] for windows in (known, output))
    assert near == found
    assert len(near) == (3 if kind == "retrieval" else 0)


def test_what_was_retrieved_was_over_when_the_forecast_was_made(runs: dict[str, Path], capsys, monkeypatch) -> None:
    assert main(["predict", str(runs["retrieval"]), "--id", "w330", "--json"]) == 0
    (window,) = json.loads(capsys.readouterr().out)
    assert len(window["retrieved"]) == 3
    assert window["retrieved"][0]["text"].startswith("Report of hour")
    assert all(near["end"] <= window["origin"].replace("T", " ") for near in window["retrieved"])
    similarity = [near["similarity"] for near in window["retrieved"]]
    assert similarity == sorted(similarity, reverse=True)
    assert main(["predict", str(runs["retrieval"]), "--id", "w330"]) == 0
    output = capsys.readouterr().out
    assert all(near["id"] in output and f"{near['similarity']:.3f}" in output for near in window["retrieved"])
    monkeypatch.setattr("trace_lit.inference.show._NEAREST", 2)
    assert main(["predict", str(runs["retrieval"]), "--id", "w330"]) == 0
    output = capsys.readouterr().out
    assert "retrieved, the first 2 of 3" in output
    assert [near["id"] in output for near in window["retrieved"]] == [True, True, False]


def test_behind_the_end_times_go_on_and_nothing_is_known(runs: dict[str, Path]) -> None:
    last = predict_run(runs["band"], Asked(last=True))
    assert last.ids == ["w468"]
    times = last.times(0)
    assert times is not None
    assert times.tolist() == [BEGIN + n * HOUR for n in range(480, 486)]
    assert np.isnan(last.truth).all()
    steps = np.arange(480, 486)
    np.testing.assert_allclose(last.forecasts["forecast"][0, 0], 5 + np.sin(2 * np.pi * steps / 12), atol=0.3)


def test_a_gap_in_a_file_is_a_missing_value_and_a_missing_channel_is_not_forecast(
    runs: dict[str, Path], before, tmp_path: Path
) -> None:
    values, times = before("w330", LOOKBACK)
    gap = values.copy()
    gap[:, 5:8] = np.nan
    whole = predict_run(runs["band"], Asked(series=write_csv(tmp_path / "nan.csv", gap, times)))
    kept = [n for n in range(LOOKBACK) if not 5 <= n < 8]
    cut = write_csv(tmp_path / "cut.csv", values[:, kept], [times[n] for n in kept])
    np.testing.assert_array_equal(predict_run(runs["band"], Asked(series=cut)).predicted, whole.predicted)
    only = write_csv(tmp_path / "tide.csv", values[:1], times, CHANNELS[:1])
    assert [channel.name for channel in predict_run(runs["band"], Asked(series=only)).channels] == ["tide"]


def test_without_times_steps_are_counted(runs: dict[str, Path], before, tmp_path: Path, capsys) -> None:
    values, times = before("w330", LOOKBACK)
    plain = write_csv(tmp_path / "plain.csv", values, None)
    output = predict_run(runs["band"], Asked(series=plain))
    timed = predict_run(runs["band"], Asked(series=write_csv(tmp_path / "timed.csv", values, times)))
    np.testing.assert_array_equal(output.predicted, timed.predicted)
    assert output.origins == [None]
    write_predictions(output, tmp_path / "out.csv")
    assert pyarrow.csv.read_csv(tmp_path / "out.csv")["time"].null_count == output.table().num_rows
    assert main(["predict", str(runs["band"]), "--series", str(plain), "--plot", str(tmp_path / "plain.png")]) == 0
    assert f"+{HORIZON}" in capsys.readouterr().out


def test_a_short_series_is_padded_as_missing(runs: dict[str, Path], before, tmp_path: Path) -> None:
    values, times = before("w330", LOOKBACK)
    values[:, :10] = np.nan
    padded = predict_run(runs["band"], Asked(series=write_csv(tmp_path / "padded.csv", values, times)))
    short = predict_run(runs["band"], Asked(series=write_csv(tmp_path / "short.csv", values[:, 10:], times[10:])))
    np.testing.assert_allclose(short.predicted, padded.predicted, rtol=1e-5)


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
@pytest.mark.parametrize("kind", ["band", "label"])
def test_a_table_comes_back_from_its_file(
    runs: dict[str, Path], tmp_path: Path, ending: str, kind: str, capsys
) -> None:
    path = tmp_path / "deep" / f"table{ending}"
    assert main(["predict", str(runs[kind]), "--out", str(path)]) == 0
    assert "the newest of" in capsys.readouterr().out
    table = predict_run(runs[kind], Asked()).table().to_pandas()
    read = (pyarrow.csv.read_csv if ending == ".csv" else pyarrow.parquet.read_table)(path).to_pandas()
    assert list(read) == list(table)
    for column in table:
        known = table[column].notna()
        assert (read[column].replace("", None).notna() == known).all()
        if table[column].dtype.kind == "f":
            np.testing.assert_allclose(read[column][known], table[column][known], rtol=1e-6)
        else:
            assert (read[column][known] == table[column][known]).all()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_window_is_drawn(runs: dict[str, Path], tmp_path: Path) -> None:
    for kind in ("retrieval", "label"):
        path = tmp_path / f"{kind}.png"
        assert main(["predict", str(runs[kind]), "--plot", str(path)]) == 0
        with Image.open(path) as picture:
            assert len(set(picture.convert("L").resize((64, 64)).tobytes())) > 10
    written = draw_window(predict_run(runs["retrieval"], Asked(ids=("w330",))), 0).texts
    output = "\n".join(text.get_text() for text in written)
    assert output.count("similarity") == 3
    assert "the next 6 hours, from 2024-01-15 06:00" in output


def test_a_finished_run_shows_a_few_forecasts(runs: dict[str, Path]) -> None:
    events = EventAccumulator(str(runs["band"]))
    events.Reload()
    assert "pictures/forecast/sea" in events.Tags()["images"]


def test_what_cannot_be_predicted(runs: dict[str, Path], tiny_runs, before, tmp_path: Path, capsys) -> None:
    def refused(*words: str | Path) -> str:
        assert main(["predict", *map(str, words)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        return captured.err

    values, times = before("w330", LOOKBACK)
    assert "one of stage 'tune' is needed here" in refused(tiny_runs.aligned)
    assert "no row 'w33O'; near are 'w33'" in refused(runs["band"], "--id", "w33O")
    assert "a table's name ends in .parquet or .csv" in refused(runs["band"], "--out", "table.xlsx")
    assert "a picture's name ends in" in refused(runs["band"], "--plot", "picture.docx")
    strange = write_csv(tmp_path / "strange.csv", values, times, (CHANNELS[0], Channel("mood")))
    assert "the column 'mood' is no channel of the corpus" in refused(runs["band"], "--series", strange)
    short = write_csv(tmp_path / "short.csv", values[:, :4], times[:4])
    assert "has 4 rows; the model needs at least a patch of 6" in refused(runs["band"], "--series", short)
    ragged = write_csv(tmp_path / "ragged.csv", values, [*times[:-1], times[-1] + HOUR / 2])
    assert "is no whole number of steps after" in refused(runs["band"], "--series", ragged)
    plain = write_csv(tmp_path / "plain.csv", values, None)
    assert "has no column for the time" in refused(runs["retrieval"], "--series", plain)
    tide = write_csv(tmp_path / "tide.csv", values[:1], times, CHANNELS[:1])
    assert "has no column for 'flow [m³/s]', which the run forecasts" in refused(runs["flow"], "--series", tide)
    other = waves(tmp_path / "other", ("calm", "storm")).path
    assert "has the label 'calm', which the model does not know" in refused(runs["label"], "--corpus", other)


def test_of_several_corpora_one_is_named(sea: Corpus, runs: dict[str, Path], tiny_runs, tmp_path: Path) -> None:
    more = waves(tmp_path / "more").path
    words = [*tiny_runs.words, f"data.corpus=[{sea.path},{more}]", f"run.dir={tmp_path}", "stage=tune"]
    tune = (f"window={{lookback: {LOOKBACK}, horizon: {HORIZON}, split: steps}}", "tune={model: naive}")
    run = fit(load_config([], [*words, *tune])).folder
    with pytest.raises(ConfigError, match=r"several corpora .*--corpus"):
        predict_run(run, Asked())
    output = predict_run(run, Asked(corpus=more))
    np.testing.assert_array_equal(output.predicted, predict_run(runs["point"], Asked()).predicted)


@pytest.mark.parametrize(("kind", "other"), [("band", "retrieval"), ("label", "statistics")])
def test_fitted_weights_of_runs_are_no_worse_on_validation_than_one_alone(
    runs: dict[str, Path], kind: str, other: str
) -> None:
    opened = [open_tuned(runs[name]) for name in (kind, other)]
    weights = fitted_weights(opened)
    assert min(weights) >= 0
    assert sum(weights) == pytest.approx(1)
    asked = Asked(split="validation")
    found = [run.predictions(asked) for run in opened]
    together = found[0].mean_with(found[1:], weights).errors.square().mean()
    assert float(together) <= 1.0001 * min(float(own.errors.square().mean()) for own in found)
    assert main(["evaluate", str(runs[kind]), "--with", str(runs[other]), "--weights", "fitted"]) == 0
