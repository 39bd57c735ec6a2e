from __future__ import annotations

import json
import warnings
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from data_modules import Channel, CorpusError, CorpusInfo, Record, write_corpus
from tests.train.sessions import run_sessions
from tests.train.test_resume import assert_alike
from tests.train.test_two_processes import current_weights, distance, fit_on_two
from trace_lit.batch import MultimodalBatch
from trace_lit.cli import main
from trace_lit.config import ConfigError
from trace_lit.inference import evaluate_retention, evaluate_run
from trace_lit.modules import CheckpointError, TuneModule, load_checkpoint
from trace_lit.runs.folder import read_metrics
from trace_lit.settings import load_config
from trace_lit.train import fit

pytestmark = pytest.mark.slow
MRR = "text_to_series/pair/MRR"


def write_waves(folder: Path, length: int = 12, names: tuple[str, str] = ("tide", "flow")) -> Path:
    """Two sines of a period of 12 hours with little noise, one of them with gaps, in rows of `length` hours.

    A row's text says where the waves stand, and its label whether the last step of the first is high.
    """
    rng = np.random.default_rng(0)
    steps = np.arange(600)
    level = np.stack([5 + np.sin(2 * np.pi * steps / 12), 20 + 3 * np.cos(2 * np.pi * steps / 12)])
    values = level + 0.05 * rng.normal(size=level.shape)
    values[1, rng.random(600) < 0.1] = np.nan
    records = [
        Record(
            f"w{first}",
            "waves",
            datetime(2024, 1, 1) + timedelta(hours=first),
            values[:, first : first + length],
            text=" ".join(f"The {name} begins at {level[place, first]:.1f}." for place, name in enumerate(names)),
            label=("high", "low")[int(level[0, first + length - 1] < 5)],
        )
        for first in range(0, 600 - length + 1, 3)
    ]
    channels = tuple(Channel(name, "m") for name in names)
    return write_corpus(records, CorpusInfo("sea", names[1], "made up", channels, "1h", ("high", "low")), folder).path


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_waves(tmp_path_factory.mktemp("corpora") / "waves")


def words_on(waves: Path, tiny_words: tuple[str, ...], folder: Path) -> list[str]:
    tune = "window={lookback: 24, horizon: 6, split: steps}"
    return [*tiny_words, f"data.corpus={waves}", f"run.dir={folder}", "stage=tune", tune]


@pytest.fixture
def words(waves: Path, tiny_words: tuple[str, ...], tmp_path: Path) -> list[str]:
    return words_on(waves, tiny_words, tmp_path)


@pytest.fixture(scope="module")
def aligned(waves: Path, tiny_words: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("aligned")
    words = [*tiny_words, f"data.corpus={waves}", f"run.dir={folder}", "optim.learning_rate=3e-3"]
    return fit(load_config([], [*words, "stage=align", "trainer.max_epochs=4"])).folder


@pytest.fixture(scope="module")
def solved(waves: Path, tiny_words: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head in closed form on an encoder with random weights."""
    folder = tmp_path_factory.mktemp("solved")
    return fit(load_config([], [*words_on(waves, tiny_words, folder), "run.name=start"])).folder


@pytest.fixture
def kept(words: list[str], aligned: Path) -> list[str]:
    """Words of a run that draws whatever tuning can draw, and keeps the alignment."""
    tune = (
        "tune={scope: lora, alignment_weight: 0.5, lora_rank: 2}",
        "head={solver: ridge+sgd, quantiles: [0.1, 0.5, 0.9]}",
    )
    return [*words, f"init_from={aligned}", *tune, "optim={ema_decay: 0.9, learning_rate: 1e-2}", "data.batch_size=64"]


def test_the_closed_form_beats_the_naive_forecast_and_is_what_the_checkpoint_holds(words: list[str]) -> None:
    run = fit(load_config([], [*words, "head.quantiles=[0.1,0.5,0.9]"]))
    naive = fit(load_config([], [*words, "tune.model=naive", "run.name=naive"]))
    assert run.metrics["last/validation/MSE"] < 0.1 * naive.metrics["last/validation/MSE"]
    again = evaluate_run(run.folder, split="validation")
    assert again["validation/MSE"] == pytest.approx(run.metrics["last/validation/MSE"], rel=1e-5)
    test = evaluate_run(run.folder)
    assert test["test/coverage/0.8"] == pytest.approx(0.8, abs=0.12)
    assert read_metrics(run.folder)["test/MSE"] == test["test/MSE"]


@pytest.mark.parametrize("scope", ["head", "head+tokens", "full"])
def test_only_what_is_tuned_moves(words: list[str], solved: Path, scope: str) -> None:
    more = ["head.solver=ridge+sgd", f"tune.scope={scope}", f"init_from={solved}", "optim.learning_rate=1e-2"]
    run = fit(load_config([], [*words, *more]))
    one, other = (load_checkpoint(place).weights for place in (solved, run.folder))
    moved = {name for name in one if not torch.equal(one[name], other[name])}
    assert any(name.startswith("model.head.") for name in moved)
    tokens = any("channel_tokens" in name for name in moved)
    blocks = any("encoder.blocks" in name for name in moved)
    assert (tokens, blocks) == {"head": (False, False), "head+tokens": (True, False), "full": (True, True)}[scope]


@pytest.mark.parametrize(("scope", "drawn"), [("head", False), ("head+tokens", True)])
def test_only_an_encoder_that_is_tuned_has_dropout(
    words: list[str], scope: str, drawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = set()
    step = TuneModule.training_step

    def watched(module: TuneModule, batch: MultimodalBatch, batch_idx: int) -> torch.Tensor:
        modes.add(module.encoder.training)
        return step(module, batch, batch_idx)

    monkeypatch.setattr(TuneModule, "training_step", watched)
    fit(load_config([], [*words, "head.solver=ridge+sgd", f"tune.scope={scope}"]))
    assert modes == {drawn}


def test_a_run_by_steps_goes_on(words: list[str]) -> None:
    nlinear = [*words, "tune.model=nlinear", "run.name=steps"]
    first = fit(load_config([], [*nlinear, "trainer.max_epochs=1"]))
    run = fit(load_config([], [*nlinear, "trainer.max_epochs=3"]), resume="auto")
    assert first.folder == run.folder
    assert run.metrics["fit/epochs"] == 3


def test_a_refitted_run_has_no_scores_on_what_it_has_learned_from(words: list[str], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = fit(load_config([], [*words, "head.refit=true"]))
    assert {"cv/MSE", "fit/epochs"} <= set(read_metrics(run.folder))
    assert not [name for name in read_metrics(run.folder) if "validation" in name]
    events = EventAccumulator(str(run.folder))
    events.Reload()
    assert not [name for name in events.Tags()["scalars"] if "validation" in name]
    with pytest.raises(CheckpointError, match="from the validation windows, too"):
        evaluate_run(run.folder, split="validation")
    assert evaluate_run(run.folder)["test/MSE"] < 0.1


def test_a_classifier_learns_the_labels(words: list[str]) -> None:
    run = fit(load_config([], [*words, "tune={task: classify}", "window={split: rows}"]))
    assert run.metrics["last/validation/AUROC"] > 0.9
    assert evaluate_run(run.folder)["test/macro_F1"] > 0.8


def test_baselines_by_the_command_are_compared(words: list[str], tmp_path: Path, capsys) -> None:
    for name, own in (
        ("seasonal_naive", "window={season: 12, targets: [tide]}"),
        ("logistic_regression", "window.split=rows"),
    ):
        assert main(["baseline", name, *words, own]) == 0
        assert main(["evaluate", str(tmp_path / "sea" / "tune" / name)]) == 0
    metrics = json.loads((tmp_path / "sea" / "tune" / "seasonal_naive" / "metrics.json").read_text())
    assert metrics["test/MASE"] == pytest.approx(1, abs=0.2)
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "sea" / "tune")]) == 0
    assert "AUROC" in capsys.readouterr().out


def test_a_transform_that_is_not_defined_is_refused(words: list[str], waves: Path) -> None:
    with pytest.raises(ConfigError, match="solves the head alone"):
        load_config([], [*words, "tune.scope=full"])
    fit(load_config([], [*words, "encoder.transform=sqrt", "run.name=roots"]))  # defined here


def test_adapters_are_loaded_and_are_a_start(words: list[str], kept: list[str], aligned: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = fit(load_config([], kept))
    again = evaluate_run(run.folder, split="validation")
    assert again["validation/WQL"] == pytest.approx(run.metrics["last/validation/WQL"], rel=0.2)  # the last, the best
    tuned, start = load_checkpoint(run.folder), load_checkpoint(aligned)
    assert any("lora_" in name for name in tuned.weights)
    moved = differing(start.encoder_weights(), tuned.encoder_weights())
    assert {name.rsplit(".", 2)[-2] for name in moved} == {"input", "output"}
    assert differing(start.alignment_weights(), tuned.alignment_weights())
    words = [
        *kept,
        f"init_from={run.folder}",
        "run.name=on",
        "tune={scope: full}",
        "head={solver: sgd}",
        "optim.learning_rate=1e-9",
    ]
    on = load_checkpoint(fit(load_config([], words)).folder)
    assert not differing(tuned.encoder_weights(), on.encoder_weights(), tolerance=1e-6)
    assert not differing(tuned.alignment_weights(), on.alignment_weights(), tolerance=1e-6)


def differing(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], tolerance: float = 0.0) -> set[str]:
    assert one.keys() == other.keys()
    return {name for name in one if (one[name] - other[name]).abs().max() > tolerance}


def test_what_alignment_is_kept_of_must_be_there(kept: list[str], solved: Path) -> None:
    with pytest.raises(ConfigError, match="init_from is null"):
        fit(load_config([], [*kept, "init_from=null"]))
    with pytest.raises(CheckpointError, match="is no aligned run"):
        fit(load_config([], [*kept, f"init_from={solved}"]))
    with pytest.raises(CheckpointError, match=r"alignment\.heads=residual there, linear here"):
        fit(load_config([], [*kept, "alignment.heads=linear"]))


def test_retrieval_before_and_after(words: list[str], kept: list[str], aligned: Path, solved: Path) -> None:
    evaluate_run(aligned)
    own = {f"test/{MRR}": read_metrics(aligned)[f"test/{MRR}"]}
    after = {}
    for name, run in (
        ("frozen", [*words, f"init_from={aligned}"]),
        ("tuned", [*words, f"init_from={aligned}", "tune={scope: full, encoder_rate: 30}", "head={solver: sgd}"]),
        ("kept", kept),
    ):
        folder = fit(load_config([], [*run, f"run.name={name}"])).folder
        assert main(["evaluate", str(folder), "--retrieval"]) == 0
        metrics = read_metrics(folder)
        assert metrics[f"retrieval/before/test/{MRR}"] == own[f"test/{MRR}"]
        after[name] = metrics[f"retrieval/after/test/{MRR}"]
    assert after["frozen"] == own[f"test/{MRR}"]
    assert after["tuned"] != own[f"test/{MRR}"]
    with pytest.raises(CheckpointError, match="did not begin from a run of stage align"):
        evaluate_retention(solved)


def test_a_killed_run_ends_as_if_it_had_not_been(kept: list[str], tmp_path: Path) -> None:
    """An epoch has 7 steps."""
    command = ["fit", *kept, "tune.scope=full", "trainer={max_epochs: 2, checkpoint_every_n_steps: 2}"]
    whole, cut = ([*command, f"run.name={name}"] for name in ("whole", "cut"))
    ends = ("SIGKILL:step:4", "SIGTERM:step:6")
    sessions = run_sessions((whole, None), *(([*cut, "--resume", "auto"], end) for end in (*ends, None)))
    assert [ended.code for ended in sessions] == [0, -9, 75, 0], sessions
    assert [ended.err for ended in sessions] == [""] * 4
    assert_alike(*(tmp_path / "sea" / "tune" / name for name in ("cut", "whole")))


def test_two_processes_tune_as_one(kept: list[str], aligned: Path) -> None:
    """Also where one of them has fewer values that are observed."""
    words = [
        *kept,
        "encoder.dropout=0",
        "tune={scope: full}",
        "head={solver: sgd}",
        "data.batch_size=16",
        "evaluation.batch_size=9",
    ]
    fit_on_two(*words, "run.name=two")
    one = fit(load_config([], [*words, "run.name=one", "evaluation.batch_size=50"])).folder
    two = one.with_name("two")
    ours, theirs = read_metrics(one), read_metrics(two)
    names = [name for name in ours if name.startswith("last/validation/")]
    assert {"last/validation/loss", "last/validation/MSE", "last/validation/coverage/0.8"} <= set(names)
    assert {name: theirs[name] for name in names} == pytest.approx({name: ours[name] for name in names}, rel=1e-3)
    start = load_checkpoint(aligned).encoder_weights()
    apart, moved = (distance(current_weights(one), other) for other in (current_weights(two), start))
    assert apart < 0.01 * moved


def test_several_corpora_at_once(waves: Path, words: list[str], tmp_path: Path) -> None:
    """With rows of different lengths and with channels of their own; the look-back is that of the longest."""
    other = write_waves(tmp_path / "corpora" / "other", length=18, names=("tide", "wind"))
    words = [*words, f"data.corpus=[{waves},{other}]", "window.lookback=null", "window.split=rows"]
    for task, score in (("forecast", "MSE"), ("classify", "AUROC")):
        run = fit(load_config([], [*words, f"tune.task={task}", f"run.name={task}"]))
        for prefix, metrics in (("last/validation", run.metrics), ("test", evaluate_run(run.folder))):
            assert {f"{prefix}/sea-{name}/{score}" for name in ("flow", "wind")} <= set(metrics)
        assert load_checkpoint(run.folder).config.window.lookback == 18


def test_a_head_in_closed_form_has_nothing_to_go_on_with(words: list[str], capsys) -> None:
    run = fit(load_config([], words))
    metrics, weights = read_metrics(run.folder), load_checkpoint(run.folder).weights
    assert fit(load_config([], words), resume="auto").metrics == {}
    assert "nothing to go on with" in capsys.readouterr().out
    assert read_metrics(run.folder) == metrics
    assert all(torch.equal(weight, weights[name]) for name, weight in load_checkpoint(run.folder).weights.items())
    with pytest.raises(CheckpointError, match="takes no gradient steps"):
        fit(load_config([], [*words, "run.name=other"]), resume=run.folder)
    assert not run.folder.with_name("other").exists()


def test_the_confusion_matrix_and_the_scores_are_in_tensorboard(words: list[str], capsys) -> None:
    run = fit(
        load_config(
            [],
            [*words, "tune={task: classify, scope: head+tokens}", "window={split: rows}", "head={solver: ridge+sgd}"],
        )
    )
    events = EventAccumulator(str(run.folder), size_guidance={}).Reload()
    assert "pictures/confusion/sea" in events.Tags()["images"]
    assert {"metrics/AUROC", "main/macro_F1", "main/loss/validation"} <= set(events.Tags()["scalars"])
    output = capsys.readouterr().out
    assert f"{int(run.metrics['fit/trained_parameters']):,} of them trained" in output
    assert "classify; head+tokens, from the closed form on, the encoder at 0.1 of the rate" in output


def test_windows_that_do_not_fit_are_refused(words: list[str]) -> None:
    with pytest.raises(
        CorpusError, match="has no window in the split 'validation' with a look-back of 24 and a horizon"
    ):
        fit(load_config([], [*words, "window.horizon=200"]))
