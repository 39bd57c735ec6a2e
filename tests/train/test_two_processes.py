"""Data-parallel training on two processes; Lightning starts the second by running the command again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.conftest import TinyRuns
from tests.warm import run_warm
from trace_lit.cli import main
from trace_lit.modules import load_checkpoint

pytestmark = pytest.mark.slow
# What is drawn in training is drawn by each process for its own rows, so the comparison does without.
STILL = ("encoder.dropout=0", "trainer.max_epochs=3", "optim.ema_decay=0.9", "alignment.negatives=4")


TWO = ("trainer.devices=2", "trainer.accelerator=cpu", "data.batch_size=8")


def fit_on_two(*words: str) -> list[str]:
    """The lines that it has printed."""
    made = run_warm(["fit", *words, *TWO])
    assert (made.code, made.complaints) == (0, "")
    return made.out.splitlines()


def metrics(folder: Path) -> dict[str, float]:
    return json.loads((folder / "metrics.json").read_text())


def test_pretraining(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    output = fit_on_two(*tiny_runs.words, f"run.dir={tmp_path}")
    folder = tmp_path / "weather" / "pretrain" / "default"
    assert list(tmp_path.rglob("config.yaml")) == [folder / "config.yaml"]
    assert any("cpu × 2" in line and "global batch 16" in line for line in output)
    for start in ("pretrain → ", "epoch 1/2", "epoch 2/2", "done: "):  # printed by one of the processes
        assert len([line for line in output if line.startswith(start)]) == 1
    assert metrics(folder)["fit/epochs"] == 2
    assert 0 < metrics(folder)["best/validation/loss"] < 2


@pytest.mark.parametrize("mining", ["null", "1"])
def test_alignment_on_two_processes_is_that_on_one(mining: str, tiny_runs: TinyRuns, tmp_path: Path) -> None:
    """With the same global batch: the same losses, gradients, weights, mined negatives and retrieval."""
    words = (*tiny_runs.words, f"run.dir={tmp_path}", "stage=align", f"init_from={tiny_runs.pretrained}", *STILL)
    words = (*words, f"mining.every_n_epochs={mining}")
    fit_on_two(*words, "run.name=two")
    assert main(["fit", *words, "run.name=one", "data.batch_size=16"]) == 0
    one, two = (tmp_path / "weather" / "align" / name for name in ("one", "two"))
    ours, theirs = metrics(one), metrics(two)
    compared = [name for name in ours if name.startswith("last/validation/")]
    assert {"last/validation/loss", "last/validation/text_to_series/pair/MRR"} <= set(compared)
    for name in compared:
        assert theirs[name] == pytest.approx(ours[name], abs=1e-3), name
    start = load_checkpoint(tiny_runs.pretrained).encoder_weights()
    apart, moved = (distance(current_weights(one), other) for other in (current_weights(two), start))
    assert moved > 0.1
    assert apart < 0.01 * moved


def test_the_first_process_learns_from_statements_for_all(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    words = ("text.unit=token", "alignment={tower: reading, statistics: true, statements: 2, statement_steps: 6}")
    words = (
        *tiny_runs.words,
        f"run.dir={tmp_path}",
        "stage=align",
        f"init_from={tiny_runs.pretrained}",
        *STILL,
        *words,
    )
    fit_on_two(*words, "run.name=two")
    assert main(["fit", *words, "run.name=one", "data.batch_size=16"]) == 0
    one, two = (tmp_path / "weather" / "align" / name for name in ("one", "two"))
    assert metrics(two)["fit/statement_seconds"] > 0
    for part in ("model.encoder.", "model.text.", "model.statistics."):
        ours, theirs = current_weights(one, part), current_weights(two, part)
        assert distance(ours, theirs) < 0.02 * sum(float(weight.square().sum()) for weight in ours.values()) ** 0.5, (
            part
        )


def test_texts_that_learn_alone_are_the_same_on_every_process(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    """Without an epoch, nothing brings the weights of one process to the others: each takes the same steps."""
    words = (*tiny_runs.words, f"run.dir={tmp_path}", "stage=align", "text.unit=token")
    words = (*words, "alignment={tower: reading, statistics: true, statements: 2}")
    assert main(["fit", *words, "run.name=start", "trainer.max_epochs=1"]) == 0
    start = tmp_path / "weather" / "align" / "start"
    words = (*words, f"init_from={start}", "alignment.statement_steps=6", "trainer.max_epochs=0")
    fit_on_two(*words, "run.name=two")
    assert main(["fit", *words, "run.name=one"]) == 0
    one, two = (tmp_path / "weather" / "align" / name for name in ("one", "two"))
    ours, theirs = load_checkpoint(one).weights, load_checkpoint(two).weights
    before = load_checkpoint(start).weights
    assert distance(ours, theirs) < 1e-4 < distance(ours, before)
    found, again = (metrics(own) for own in (one, two))  # windows of 24 and 48 steps, in other batches
    measured = [name for name in found if name.startswith("last/validation/")]
    assert "last/validation/text_to_series/pair/MRR" in measured
    assert {name: again[name] for name in measured} == pytest.approx({name: found[name] for name in measured}, abs=1e-3)


def current_weights(run: Path, prefix: str = "model.encoder.") -> dict[str, torch.Tensor]:
    """Those of the encoder, or another part, at the end and not averaged."""
    state = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["current_model_state"]
    return {name.removeprefix(prefix): weight for name, weight in state.items() if name.startswith(prefix)}


def distance(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    return sum(float((one[name] - other[name]).square().sum()) for name in one) ** 0.5
