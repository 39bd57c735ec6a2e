"""The stage tune with a retriever, from the command to the checkpoint and back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from tests.conftest import TinyRuns
from tests.warm import run_warm
from trace_lit.cli import main
from trace_lit.config import ConfigError
from trace_lit.inference import evaluate_run
from trace_lit.modules import CheckpointError, load_checkpoint
from trace_lit.settings import load_config
from trace_lit.train import fit

pytestmark = pytest.mark.slow
ONE = "trainer.max_epochs=1"
SGD = ("rag.mode=series+text", "rag.use_futures=true", "head.solver=sgd", "encoder.dropout=0")


@pytest.fixture
def words(tiny_runs: TinyRuns, tmp_path: Path) -> list[str]:
    """A retriever of one's own, which a test may change."""
    retriever = shutil.copytree(tiny_runs.aligned, tmp_path / "retriever")
    tune = "window={lookback: 24, horizon: 6, stride: 12}"
    kept = f"data.cache_dir={tmp_path / 'cache'}"
    start = [f"init_from={tiny_runs.aligned}", f"rag.retriever={retriever}", "rag.top=3", "rag.stride=4"]
    return [*tiny_runs.words, "stage=tune", tune, f"run.dir={tmp_path}", kept, *start]


def test_a_head_in_closed_form_sees_neighbours_and_says_so(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", *words, "rag.mode=series+text", "rag.use_futures=true"]) == 0
    output = capsys.readouterr().out
    line = next(line for line in output.splitlines() if line.startswith("  retrieves "))
    assert (
        "3 neighbours a window by 24 steps, at least 24 apart, as series+text prompt and their continuations; candidates"
        in line
    )
    run = tmp_path / "weather" / "tune" / "default"
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["fit/retrieval_candidates"] > 100
    assert metrics["fit/retrieval_seconds"] > 0
    assert main(["baseline", "retrieved_mean", *words, "run.name=mean"]) == 0
    assert main(["evaluate", str(run)]) == 0
    capsys.readouterr()
    assert main(["compare", str(run), str(run.with_name("mean"))]) == 0
    shown = capsys.readouterr().out
    assert "rag.use_futures" in shown
    assert "retrieval time" in shown


def test_only_projection_and_head_are_trained_and_the_run_comes_back(words: list[str], tmp_path: Path) -> None:
    run = fit(load_config([], [*words, *SGD]))
    start, tuned = load_checkpoint(load_config([], words).init_from or ""), load_checkpoint(run.folder)
    encoder = tuned.encoder_weights()
    assert all(torch.equal(encoder[name], weight) for name, weight in start.encoder_weights().items())
    learned = {name for name in tuned.weights if not name.startswith("model.encoder.")}
    assert learned == {
        f"model.{name}.{kind}"
        for name in ("head.projection", "neighbours.prompt.projection")
        for kind in ("weight", "bias")
    }
    width, top = 16, 3
    trained = sum(tuned.weights[name].numel() for name in learned)
    assert run.metrics["fit/trained_parameters"] == trained
    assert tuned.weights["model.neighbours.prompt.projection.weight"].shape == (width, 2 * top * width)

    expected = run.metrics["best/validation/loss"]
    assert torch.isfinite(torch.tensor(expected))
    once = evaluate_run(run.folder, split="validation")
    shutil.rmtree(tmp_path / "cache" / "retrieved")  # what was found is found again
    again = evaluate_run(run.folder, split="validation")
    assert again["validation/MSE"] == pytest.approx(once["validation/MSE"], rel=1e-6)
    more = fit(load_config([], [*words, *SGD, "trainer.max_epochs=3"]), resume="auto")
    assert more.metrics["fit/epochs"] == 3

    path = tmp_path / "retriever" / "checkpoints" / "best.ckpt"
    content = torch.load(path, weights_only=True)
    content["state_dict"]["model.encoder.cls"] += 1
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"another retriever .*tune again"):
        evaluate_run(run.folder)
    with pytest.raises(CheckpointError, match=r"another retriever .*tune again"):
        fit(load_config([], [*words, *SGD, "trainer.max_epochs=4"]), resume="auto")


def test_a_classifier_sees_the_labels_of_neighbours(words: list[str]) -> None:
    classify = [*words, "tune.task=classify", "rag.stride=1"]
    for number, more in enumerate((["rag.use_futures=true"], [*SGD, ONE], ["tune.model=retrieved_mean"])):
        run = fit(load_config([], [*classify, *more, f"run.name={number}"]))
        test = evaluate_run(run.folder, split="validation")
        assert test["validation/AUROC"] == pytest.approx(run.metrics["last/validation/AUROC"], abs=1e-6)


def test_on_two_processes_it_is_that_on_one(words: list[str], tmp_path: Path) -> None:
    """The neighbours are the same, and so is what is learned from them."""
    made = run_warm(["fit", *words, *SGD, "trainer.devices=2", "data.batch_size=8", ONE, "run.name=two"])
    assert (made.code, made.complaints) == (0, "")
    assert sum(line.startswith("  retrieves ") for line in made.out.splitlines()) == 1
    one = fit(load_config([], [*words, *SGD, ONE, "run.name=one", f"data.cache_dir={tmp_path / 'other'}"]))
    two = json.loads((one.folder.with_name("two") / "metrics.json").read_text())
    for name in ("last/validation/MSE", "last/validation/loss"):
        assert two[name] == pytest.approx(one.metrics[name], rel=1e-3), name


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("rag.retriever=null", r"rag\.retriever is null.*name a run of stage align"),
        ("rag.mode=text", r"rag\.mode is 'text'; it must be one of 'none', 'series', 'series\+text'"),
        ("rag.splits=[all]", r"rag\.splits is \['all'\]; each of it must be one of 'train'"),
        ("rag.splits=[]", r"rag\.splits is empty"),
        ("rag.top=0", r"rag\.top is 0; it must be at least 1"),
        ("tune.model=naive", r"tune\.model is naive, which has no head"),
        ("tune.model=retrieved_mean", r"tune\.model is retrieved_mean, which has no head"),
    ],
)
def test_what_cannot_be_retrieved_is_refused(words: list[str], change: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        load_config([], [*words, "rag.use_futures=true", change])


def test_a_retriever_that_is_none_is_refused(words: list[str], tiny_runs: TinyRuns) -> None:
    with pytest.raises(CheckpointError, match="of stage 'pretrain'; one of stage 'align' is needed"):
        fit(load_config([], [*words, "rag.mode=series", f"rag.retriever={tiny_runs.pretrained}"]))
    with pytest.raises(ConfigError, match="shorter than a patch of the retriever"):
        fit(load_config([], [*words, "rag.mode=series", "rag.lookback=3"]))
