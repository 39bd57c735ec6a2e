"""A tuned run on what it was not tuned on, and runs that cannot be: each ends in an answer, or in words that help."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

from data_modules import Channel, CorpusError, CorpusInfo, Record, write_corpus
from trace_lit.cli import main
from trace_lit.config import ConfigError
from trace_lit.inference import evaluate_retention, evaluate_run
from trace_lit.inference.predict import Asked, predict_run
from trace_lit.modules import CheckpointError
from trace_lit.settings import load_config
from trace_lit.train import fit

pytestmark = pytest.mark.slow

LENGTH, LOOKBACK, HORIZON, STEPS = 12, 24, 6, 420
LABELS = ("high", "low")
FORECAST = f"window={{lookback: {LOOKBACK}, horizon: {HORIZON}, split: steps}}"
CLASSIFY = (f"window={{lookback: {LOOKBACK}}}", "tune={task: classify}")
STATISTICS = (*CLASSIFY, "tune.model=logistic_regression")


def write_sea(
    folder: Path,
    names: Sequence[str] = ("tide", "flow"),
    labels: Sequence[str] = LABELS,
    given: Sequence[str] = LABELS,
    seed: int = 0,
) -> Path:
    """Two sines with little noise, channels in the order of `names`.

    Whether the tide's last step in a row is high is `given` by a label.
    """
    rng = np.random.default_rng(seed)
    steps = np.arange(STEPS)
    level = {"tide": 5 + np.sin(2 * np.pi * steps / 12)}
    other = 20 + 3 * np.cos(2 * np.pi * steps / 12)
    noise = {name: 0.05 * rng.normal(size=STEPS) for name in sorted(names)}
    values = np.stack([level.get(name, other) + noise[name] for name in names])
    records = [
        Record(
            f"w{first}",
            "sea",
            datetime(2024, 1, 1) + timedelta(hours=first),
            values[:, first : first + LENGTH],
            label=given[int(level["tide"][first + LENGTH - 1] < 5)] if labels else None,
        )
        for first in range(0, STEPS - LENGTH + 1, 3)
    ]
    channels = tuple(Channel(name, "m") for name in names)
    return write_corpus(records, CorpusInfo("sea", folder.name, "made up", channels, "1h", tuple(labels)), folder).path


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sea(tmp_path_factory.mktemp("corpora") / "sea")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a channel that no run knows, before one that they know."""
    return write_sea(tmp_path_factory.mktemp("corpora") / "foreign", ("wind", "tide"))


@pytest.fixture(scope="module")
def own(sea: Path, tiny_words: tuple[str, ...]) -> list[str]:
    """Words of all runs but where they live."""
    return [*tiny_words, f"data.corpus={sea}", "stage=tune"]


@pytest.fixture(scope="module")
def runs(own: list[str], tiny_runs, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    rag = f"rag={{retriever: {tiny_runs.aligned}, mode: series, use_futures: true, top: 3}}"
    kinds = {
        "band": [FORECAST, "head.quantiles=[0.1,0.5,0.9]"],
        "lora": [FORECAST, "tune={scope: lora, lora_rank: 2}", "head={solver: ridge+sgd}", "trainer.max_epochs=1"],
        "retrieval": [FORECAST, rag, "head.quantiles=[0.1,0.5,0.9]"],
        "naive": [FORECAST, "tune.model=naive"],
        "label": [*CLASSIFY],
        "retrieval-label": [*CLASSIFY, rag],
        "statistics": [*STATISTICS],
    }
    return {
        name: fit(load_config([], [*own, f"run.dir={folder}", f"run.name={name}", *words])).folder
        for name, words in kinds.items()
    }


@pytest.fixture
def words(own: list[str], tmp_path: Path) -> list[str]:
    return [*own, f"run.dir={tmp_path}"]


@pytest.mark.parametrize("kind", ["band", "lora", "retrieval"])
def test_a_channel_that_the_run_does_not_know_is_forecast(runs: dict[str, Path], foreign: Path, kind: str) -> None:
    scores = evaluate_run(runs[kind], corpus=foreign)
    assert scores["test/MSE"] < 0.1 * evaluate_run(runs["naive"], corpus=foreign)["test/MSE"]
    predictions = predict_run(runs[kind], Asked(corpus=foreign))
    table = predictions.table().to_pandas()
    wrong = (table["forecast"] - table["truth"]).abs().groupby(table["channel"]).mean()
    assert wrong["wind"] < 1  # of an amplitude of 3
    if kind == "band":
        assert (table["0.1"] < table["0.9"]).all()


@pytest.mark.parametrize("kind", ["label", "retrieval-label", "statistics"])
def test_labels_are_predicted_beside_a_channel_that_the_run_does_not_know(
    runs: dict[str, Path], foreign: Path, kind: str
) -> None:
    predictions = predict_run(runs[kind], Asked(corpus=foreign)).table().to_pandas()
    assert predictions[["high", "low"]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    right = float((predictions["predicted"] == predictions["label"]).mean())
    assert evaluate_run(runs[kind], corpus=foreign)["test/accuracy"] == pytest.approx(right)
    if kind == "statistics":  # an encoder that was not trained makes something else of the tide beside the wind
        assert right > 0.8


def test_a_classifier_goes_by_the_names_of_channels_and_does_without_some(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    turned = write_sea(tmp_path / "turned", ("flow", "tide"))
    same = predict_run(runs["statistics"], Asked(corpus=turned)).predicted
    torch.testing.assert_close(same, predict_run(runs["statistics"], Asked()).predicted, rtol=1e-4, atol=1e-5)
    hours = np.arange(LOOKBACK)
    for name, right in (("tide", "high"), ("flow", None)):
        file = tmp_path / f"{name}.csv"
        file.write_text("\n".join([name, *(f"{5 + np.sin(2 * np.pi * (hour + 4) / 12)}" for hour in hours)]))
        (row,) = predict_run(runs["statistics"], Asked(series=file)).table().to_pylist()
        assert row["high"] + row["low"] == pytest.approx(1)
        assert right in (None, row["predicted"])


def test_a_classifier_has_learned_from_its_own_corpus_alone(
    runs: dict[str, Path], sea: Path, words: list[str], tmp_path: Path
) -> None:
    contrary = write_sea(tmp_path / "contrary", given=LABELS[::-1])
    assert evaluate_run(runs["statistics"])["test/accuracy"] > 0.9
    assert evaluate_run(runs["statistics"], corpus=contrary)["test/accuracy"] < 0.1
    strange = write_sea(tmp_path / "strange", labels=("calm", "storm"), given=("calm", "storm"))
    with pytest.raises(CorpusError, match="has the label 'calm', which the model does not know"):
        evaluate_run(runs["statistics"], corpus=strange)

    both = fit(load_config([], [*words, *STATISTICS, f"data.corpus=[{sea},{contrary}]"])).folder
    for corpus in (sea, contrary):
        assert evaluate_run(both, corpus=corpus)["test/accuracy"] > 0.9
        predictions = predict_run(both, Asked(corpus=corpus)).table().to_pandas()
        assert (predictions["predicted"] == predictions["label"]).mean() > 0.9
    with pytest.raises(ConfigError, match="has a classifier for each of its corpora"):
        evaluate_run(both, corpus=write_sea(tmp_path / "third", seed=1))


def test_a_classifier_is_not_learned_again_from_other_data(words: list[str], tmp_path: Path) -> None:
    corpus = write_sea(tmp_path / "corpus")
    run = fit(load_config([], [*words, *STATISTICS, f"data.corpus={corpus}"])).folder
    before = predict_run(run, Asked()).predicted
    write_sea(corpus, given=LABELS[::-1])
    torch.testing.assert_close(predict_run(run, Asked()).predicted, before, rtol=0, atol=0)  # it is what it has learned
    with pytest.raises(CheckpointError, match="which have changed since"):
        evaluate_run(run)
    shutil.rmtree(run / "checkpoints")  # as version 0.1 left it: it would have to learn again
    for use in (lambda: predict_run(run, Asked()), lambda: evaluate_run(run)):
        with pytest.raises(CheckpointError, match="which have changed since"):
            use()


def test_weights_of_another_model_are_refused(words: list[str]) -> None:
    run = fit(load_config([], [*words, FORECAST])).folder
    for name in ("best", "last"):
        path = run / "checkpoints" / f"{name}.ckpt"
        content = torch.load(path, weights_only=True)
        del content["state_dict"]["model.head.projection.bias"]
        torch.save(content, path)
    for use in (lambda: predict_run(run, Asked()), lambda: evaluate_run(run)):
        with pytest.raises(CheckpointError, match=r"Missing key.*model\.head\.projection\.bias.*tune again"):
            use()


@pytest.mark.parametrize("kind", [(FORECAST,), STATISTICS], ids=["ridge", "statistics"])
def test_a_finished_run_is_itself_or_another_is_asked_for(words: list[str], kind: tuple[str, ...], capsys) -> None:
    words = [*words, *kind]
    run = fit(load_config([], words)).folder
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert fit(load_config([], words), resume="auto").metrics == {}
    assert "nothing to go on with" in capsys.readouterr().out
    changes = {
        "window.lookback=18": "window.lookback=24 there, 18 here",
        "seed=7": "seed=0 there, 7 here",
        "tune={task: forecast, model: trace} window={horizon: 5}": "window.horizon=",
        "tune={task: forecast, model: trace} head={quantiles: [0.1,0.5,0.9]}": "head.quantiles=",
        f"init_from={run}": "init_from=None there",
    }
    for word, message in changes.items():
        with pytest.raises(CheckpointError) as refused:
            fit(load_config([], [*words, *re.split(r" (?=\w+=)", word)]), resume="auto")
        assert message in str(refused.value)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_run_that_exists_is_refused_before_any_work(runs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def work(*_: object) -> None:
        raise AssertionError("there is nothing to do")

    monkeypatch.setattr("data_modules.DomainDataModule.setup", work)
    with pytest.raises(ConfigError, match=r"the run .* exists; choose another run\.name"):
        fit(load_config([runs["retrieval"] / "config.yaml"]))


@pytest.mark.parametrize("kind", [CLASSIFY, STATISTICS], ids=["ridge", "statistics"])
def test_without_two_labels_there_is_nothing_to_tell_apart(
    words: list[str], kind: tuple[str, ...], tmp_path: Path
) -> None:
    without = write_sea(tmp_path / "without", labels=())
    with pytest.raises(ConfigError, match=r"without has no labels: set tune\.task=forecast"):
        fit(load_config([], [*words, *kind, f"data.corpus={without}"]))
    one = write_sea(tmp_path / "one", given=("high", "high"))
    with pytest.raises(ConfigError, match=r"all \d+ labelled training windows of .*one have the label 'high'"):
        fit(load_config([], [*words, *kind, f"data.corpus={one}"]))


def test_an_empty_column_is_named_with_its_file(runs: dict[str, Path], tmp_path: Path, capsys) -> None:
    file = tmp_path / "now.csv"
    file.write_text("tide,flow\n" + "5,\n" * LOOKBACK)
    assert main(["predict", str(runs["band"]), "--series", str(file)]) == 2
    assert f"{file}: the column of 'flow [m]' has only empty cells; take it out" in capsys.readouterr().err


def test_a_classifier_by_statistics_had_no_retrieval(runs: dict[str, Path]) -> None:
    with pytest.raises(CheckpointError, match="is the baseline logistic_regression, which has no encoder"):
        evaluate_retention(runs["statistics"])
