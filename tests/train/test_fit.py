from __future__ import annotations

import copy
import json
import logging
import os
import random
import signal
import sys
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pytest
import torch

from data_modules import Channel, CorpusInfo, Record, write_corpus
from tests.conftest import ALIGNED_EPOCHS, TinyRuns
from trace_lit.cli import main
from trace_lit.config import ConfigError
from trace_lit.inference import evaluate_run
from trace_lit.modules import CheckpointError, load_checkpoint
from trace_lit.modules.loading import load_aligned
from trace_lit.modules.stage import StageModule
from trace_lit.runs.data import build_datamodule
from trace_lit.settings import load_config
from trace_lit.train import FitResult, fit
from trace_lit.train.fit import _settle_start, build_module, load_start
from trace_lit.train.session import Session

pytestmark = pytest.mark.slow
PAPER = Path(__file__).parents[2] / "experiments" / "paper.yaml"
STILL = ("encoder.dropout=0", "data.random_offset=false")  # nothing is drawn in training but the order of the batches


@pytest.fixture
def train(tiny_runs: TinyRuns, tmp_path: Path):
    """Fit a tiny run below tmp_path."""

    def train(*words: str, files: tuple[Path, ...] = (), **how: Any) -> FitResult:
        return fit(load_config(files, [*tiny_runs.words, f"run.dir={tmp_path / 'runs'}", *words]), **how)

    return train


def weights(run: FitResult | Path, name: str = "last") -> dict[str, torch.Tensor]:
    folder = run.folder if isinstance(run, FitResult) else run
    return torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)["state_dict"]


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def dunes(folder: Path, texts: bool = True, labels: bool = True) -> Path:
    """A corpus that shares the temperature with the simulated weather, and has a channel that nothing else has."""
    rng = np.random.default_rng(0)
    records = [
        Record(
            id=f"dune-{number}",
            series_id="dune",
            start=datetime(2020, 1, 1) + timedelta(days=number),
            values=rng.normal(20, 5, size=(2, 24)).astype(np.float32),
            text=f"On day {number} sand {'drifted' if number % 2 else 'lay still'}." if texts else "",
            channel_texts=None if texts else ["", ""],
            label=("drift", "rest")[number % 2] if labels else None,
        )
        for number in range(40)
    ]
    channels = (Channel("sand drift", "kg"), Channel("temperature", "°C"))
    names = ("drift", "rest") if labels else ()
    return write_corpus(records, CorpusInfo("desert", "dunes", "made up", channels, "1h", names), folder).path


# What a run leaves


def test_a_run_folder_holds_what_repeats_the_run(tiny_runs: TinyRuns, train) -> None:
    for run in (tiny_runs.pretrained, tiny_runs.aligned):
        assert {path.name for path in (run / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
        assert list(run.glob("events.out.tfevents.*"))
        metrics = json.loads((run / "metrics.json").read_text())
        assert metrics["fit/seconds"] > 0
        assert metrics["run/data_fingerprint"] == load_checkpoint(run).data_fingerprint
        assert metrics["fit/epochs"] == (2 if run == tiny_runs.pretrained else ALIGNED_EPOCHS)
    again = fit(load_config([tiny_runs.pretrained / "config.yaml"], ["run.name=again"]))
    assert equal(weights(again), weights(tiny_runs.pretrained))


def test_a_checkpoint_holds_plain_types_and_says_what_it_is(tiny_runs: TinyRuns) -> None:
    content = torch.load(tiny_runs.aligned / "checkpoints" / "best.ckpt", weights_only=True)
    assert content["trace_lit"]["stage"] == "align"
    checkpoint = load_checkpoint(tiny_runs.aligned)
    expected = load_config([tiny_runs.aligned / "config.yaml"])
    expected.data.cache_dir = checkpoint.config.data.cache_dir  # the usual one stands for one without a cache in it
    assert checkpoint.config == expected
    data = build_datamodule(checkpoint.config)
    data.setup("fit")
    assert checkpoint.vocabulary.keys == data.vocabulary.keys
    assert checkpoint.vocabulary.mean == data.vocabulary.mean
    assert torch.equal(checkpoint.vocabulary.name_vectors, data.vocabulary.name_vectors)
    assert checkpoint.data_fingerprint == data.data_fingerprint


def test_the_best_checkpoint_is_evaluated_as_it_was_chosen(tiny_runs: TinyRuns) -> None:
    """Also with averaged weights, which these are: what is kept is what was measured."""
    chosen = json.loads((tiny_runs.aligned / "metrics.json").read_text())["best/validation/text_to_series/pair/MRR"]
    measured = evaluate_run(tiny_runs.aligned / "checkpoints" / "best.ckpt", split="validation", bootstrap=0)
    assert measured["validation/text_to_series/pair/MRR"] == pytest.approx(chosen, abs=1e-6)


def test_averaged_weights_are_what_a_checkpoint_holds(tiny_runs: TinyRuns) -> None:
    content = torch.load(tiny_runs.aligned / "checkpoints" / "last.ckpt", weights_only=True)
    averaged, current = content["state_dict"], content["current_model_state"]
    assert averaged.keys() == current.keys()
    assert not equal(averaged, current)
    model, _ = load_aligned(tiny_runs.aligned / "checkpoints" / "last.ckpt")
    assert equal(model.state_dict(), {name[6:]: value for name, value in averaged.items() if name.startswith("model.")})


# Chance


def test_the_order_of_sums_is_settled_where_several_threads_train(train, monkeypatch) -> None:
    seen: list[bool] = []
    learn = Session.train

    def watched(session: Session, checkpoint) -> dict[str, float]:
        seen.append(torch.are_deterministic_algorithms_enabled())
        return learn(session, checkpoint)

    monkeypatch.setattr(Session, "train", watched)
    train("trainer.max_epochs=1")
    assert seen == [True]


def test_a_fit_leaves_the_process_and_its_configuration_as_they_were(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    config = load_config([], [*tiny_runs.words, f"run.dir={tmp_path}", "trainer.max_epochs=1"])
    asked = copy.deepcopy(config)

    def state() -> list[object]:
        loggers = [logging.getLogger(name).level for name in ("lightning.pytorch", "lightning.fabric", "tensorboard")]
        signals = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)]
        variables = {name: os.environ.get(name) for name in ("PL_GLOBAL_SEED", "PL_SEED_WORKERS", "PYTHONSAFEPATH")}
        return [
            torch.are_deterministic_algorithms_enabled(),
            torch.utils.deterministic.fill_uninitialized_memory,
            torch.random.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
            random.getstate(),
            list(warnings.filters),
            loggers,
            signals,
            variables,
            list(sys.path),
            Path.cwd(),
        ]

    torch.manual_seed(5)
    before = state()
    fit(config)
    assert state() == before
    assert config == asked


def test_the_seed_decides_all(train) -> None:
    first, same, other = (
        train("trainer.max_epochs=1", "data.random_offset=true", f"seed={seed}", f"run.name={name}")
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert equal(weights(first), weights(same))
    assert not equal(weights(first), weights(other))
    assert first.metrics["last/validation/loss"] == same.metrics["last/validation/loss"]


def test_the_seed_decides_alignment(tiny_runs: TinyRuns, train) -> None:
    drawn = ("alignment={noise: 0.1, sentence_dropout: 0.3, reconstruction_weight: 1}", "data.jitter=2")
    words = ("stage=align", f"init_from={tiny_runs.pretrained}", "trainer.max_epochs=1", *drawn)
    first, same, other = (
        train(*words, f"seed={seed}", f"run.name={name}") for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert equal(weights(first), weights(same))
    assert not equal(weights(first), weights(other))


# Where a run starts


def test_the_encoder_starts_from_the_other_run(tiny_runs: TinyRuns) -> None:
    words = [*tiny_runs.words, "stage=align", f"init_from={tiny_runs.pretrained}", "encoder.dropout=0.4"]
    config = load_config([], words)
    start = load_start(config)
    data = build_datamodule(config, start.vocabulary)
    data.setup("fit")
    module = build_module(config, data, start)
    assert equal(module.encoder.state_dict(), start.encoder_weights())
    assert start.path.name == "best.ckpt"


def test_a_new_channel_comes_behind_those_that_are_known(tiny_runs: TinyRuns, tmp_path: Path, train) -> None:
    corpus = dunes(tmp_path / "dunes")
    words = ("stage=align", f"init_from={tiny_runs.pretrained}", f"data.corpus={corpus}", "trainer.max_epochs=1")
    config = load_config([], [*tiny_runs.words, *words])
    start = load_start(config)
    data = build_datamodule(config, start.vocabulary)
    data.setup("fit")
    module = build_module(config, data, start)
    known = len(start.vocabulary)
    assert module.encoder.vocabulary.keys == (*start.vocabulary.keys, "sand drift [kg]")
    learned = module.encoder.channel_tokens.embedding
    assert torch.equal(learned[:known], start.encoder_weights()["channel_tokens.embedding"])
    assert not learned[known:].any()
    assert module.encoder.vocabulary.mean[known] == pytest.approx(20, abs=1)  # it is trained on, so it has statistics
    assert module.encoder.vocabulary.mean[:known] == start.vocabulary.mean

    run = train(*words)
    assert run.folder.parts[-3:] == ("desert", "align", "default")
    assert weights(run)["model.encoder.channel_tokens.embedding"][known].any()  # and it was learned
    model, _ = load_aligned(run.folder)
    assert len(model.encoder.vocabulary) == known + 1


def test_an_aligned_run_can_be_aligned_further(tiny_runs: TinyRuns) -> None:
    words = [*tiny_runs.words, "stage=align", f"init_from={tiny_runs.aligned}", "alignment.classification_weight=1"]
    config = load_config([], words)
    start = load_start(config)
    data = build_datamodule(config, start.vocabulary)
    data.setup("fit")
    module = build_module(config, data, start)
    loaded = module.model.state_dict()
    assert equal(loaded, load_aligned(tiny_runs.aligned)[0].state_dict())


# The switches


def test_the_paper_s_model(train) -> None:
    small = ("encoder={width: 16, layers: 1, heads: 2}", "trainer.max_epochs=2")
    first = train(*small, files=(PAPER,))
    second = train(*small, "stage=align", f"init_from={first.folder}", files=(PAPER,))
    config = load_checkpoint(second.folder).config
    assert (config.text.unit, config.alignment.fusion, config.encoder.scale_tokens) == ("document", True, False)
    assert 0 < evaluate_run(second.folder, bootstrap=0)["test/text_to_series/pair/MRR"] <= 1
    model, _ = load_aligned(second.folder)
    assert model.embed_text(torch.randn(3, 1, 256), torch.ones(3, 1, dtype=torch.bool), torch.tensor([0, 1])).shape == (
        3,
        16,
    )


def test_all_terms_together(tiny_runs: TinyRuns, train) -> None:
    terms = "alignment={fusion: true, reconstruction_weight: 0.5, classification_weight: 0.5, negatives: 4}"
    run = train("stage=align", f"init_from={tiny_runs.pretrained}", terms, "trainer.max_epochs=1")
    before, after = load_checkpoint(tiny_runs.pretrained), load_checkpoint(run.folder)
    assert not torch.equal(before.encoder_weights()["mask_token"], after.encoder_weights()["mask_token"])
    assert after.weights["classifier.weight"].shape[0] == 10  # the labels of the simulated weather


def test_a_stage_leaves_alone_what_it_does_not_use(tiny_runs: TinyRuns) -> None:
    before, after = load_checkpoint(tiny_runs.pretrained), load_checkpoint(tiny_runs.aligned)
    assert torch.equal(before.encoder_weights()["mask_token"], after.encoder_weights()["mask_token"])


def test_without_texts_the_loss_chooses(tmp_path: Path, train) -> None:
    run = train("stage=align", f"data.corpus={dunes(tmp_path / 'mute', texts=False)}", "trainer.max_epochs=1")
    assert "best/validation/loss" in run.metrics


def test_classification_needs_labels(tmp_path: Path, train) -> None:
    corpus = dunes(tmp_path / "nameless", labels=False)
    with pytest.raises(ConfigError, match="the corpora have no label_names"):
        train("stage=align", f"data.corpus={corpus}", "alignment.classification_weight=1")
    assert not (tmp_path / "runs").exists()


def test_mixed_precision(tiny_runs: TinyRuns, train) -> None:
    """As `trainer.precision=auto` has it on an accelerator."""
    first = train("trainer.precision=bf16-mixed", "trainer.max_epochs=1")
    second = train("trainer.precision=bf16-mixed", "trainer.max_epochs=1", "stage=align", f"init_from={first.folder}")
    for run in (first, second):
        assert all(weight.dtype == torch.float32 for weight in load_checkpoint(run.folder).encoder_weights().values())


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_gradients_are_clipped(precision: str, train, monkeypatch: pytest.MonkeyPatch) -> None:
    """With plain descent at rate 1, a step then moves the weights by the clip at most."""
    monkeypatch.setattr(
        "trace_lit.modules.stage.build_optimizer",
        lambda module, config, **_: torch.optim.SGD(module.parameters(), lr=config.learning_rate),
    )
    words = ("trainer.max_epochs=1", f"trainer.precision={precision}", "optim.gradient_clip=1e-3")
    still, run = (train(*words, f"optim.learning_rate={rate}", f"run.name=at{rate}") for rate in ("1e-12", "1.0"))
    steps = torch.load(run.folder / "checkpoints" / "last.ckpt", weights_only=True)["global_step"]
    start, end = weights(still), weights(run)
    moved = sum(float((end[name] - start[name]).square().sum()) for name in start) ** 0.5
    assert 5e-4 < moved <= 1e-3 * steps


def test_the_last_epoch_is_always_measured_and_kept(train) -> None:
    run = train("trainer.max_epochs=3", "evaluation.every_n_epochs=2")
    content = torch.load(run.folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert content["epoch"] == 2
    assert run.metrics["last/validation/loss"] > 0
    short = train("trainer.max_epochs=1", "evaluation.every_n_epochs=2", "run.name=short")
    assert short.metrics["best/validation/loss"] == short.metrics["last/validation/loss"]
    assert load_checkpoint(short.folder).path.name == "best.ckpt"


# Several domains


def test_three_domains_together(tmp_path: Path, tiny_runs: TinyRuns, train, capsys) -> None:
    folders = [tmp_path / domain for domain in ("weather", "healthcare", "energy")]
    for folder in folders:
        main(["data", "build", "--domain", folder.name, "--out", str(folder), "instances=40"])
    joint = f"data.corpus=[{','.join(map(str, folders))}]"
    first = train(joint, "trainer.max_epochs=1")
    second = train(joint, "trainer.max_epochs=1", "stage=align", f"init_from={first.folder}")
    assert second.folder == tmp_path / "runs" / "joint" / "align" / "default"
    own = [second.metrics[f"last/validation/{folder.name}/text_to_series/pair/MRR"] for folder in folders]
    assert second.metrics["last/validation/text_to_series/pair/MRR"] == pytest.approx(np.mean(own), abs=1e-6)

    capsys.readouterr()
    assert main(["evaluate", str(second.folder)]) == 0
    output = capsys.readouterr().out
    kept = json.loads((second.folder / "metrics.json").read_text())
    for folder in folders:
        assert f"test/{folder.name}" in output
        assert 0 < kept[f"test/{folder.name}/text_to_series/pair/MRR"] <= 1
    alone = evaluate_run(second.folder, corpus=folders[1], bootstrap=20)
    assert alone["test/text_to_series/pair/MRR"] == kept["test/healthcare/text_to_series/pair/MRR"]

    assert main(["search", str(second.folder), "--text", "fever"]) == 2
    assert "say which one is meant with --corpus" in capsys.readouterr().err
    assert main(["search", str(second.folder), "--corpus", str(folders[1]), "--text", "fever"]) == 0


# Going on, and failing


@pytest.fixture
def stop_in_epoch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Let training end with an exception in an epoch, counted from 0; None lets it run."""
    handler = signal.getsignal(signal.SIGINT)
    fault: dict[str, Any] = {"epoch": None, "error": KeyboardInterrupt}

    def stop(self: L.LightningModule, *_: Any) -> None:
        if self.current_epoch == fault["epoch"]:
            raise fault["error"]

    def set_stop(epoch: int | None, error: type[BaseException] = KeyboardInterrupt) -> None:
        fault.update(epoch=epoch, error=error)

    monkeypatch.setattr(StageModule, "on_train_batch_start", stop)
    yield set_stop
    signal.signal(signal.SIGINT, handler)  # Lightning ignores it from the first one on


def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(
    tiny_runs: TinyRuns, tmp_path: Path, train, stop_in_epoch, capsys
) -> None:
    words = (*STILL, "stage=align", "optim.ema_decay=0.9", "alignment.negatives=4", f"init_from={tiny_runs.pretrained}")
    whole = train(*words, "run.name=whole")
    command = ["fit", *tiny_runs.words, f"run.dir={tmp_path / 'runs'}", *words, "run.name=halved"]
    stop_in_epoch(1)
    assert main(command) == 130
    halved = whole.folder.with_name("halved")
    assert torch.load(halved / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] == 0
    assert not (halved / "metrics.json").exists()

    stop_in_epoch(None)
    assert main(command) == 2
    assert "go on with it (--resume auto)" in capsys.readouterr().err
    assert main([*command, "--resume", "auto"]) == 0
    assert equal(weights(whole), weights(halved))
    assert json.loads((halved / "metrics.json").read_text())["fit/epochs"] == 2


def test_a_finished_run_is_trained_further(train) -> None:
    first = train("trainer.max_epochs=1")
    steps = torch.load(first.folder / "checkpoints" / "last.ckpt", weights_only=True)["global_step"]
    further = train("trainer.max_epochs=3", resume="auto")
    assert further.folder == first.folder
    content = torch.load(first.folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert (content["epoch"], content["global_step"]) == (2, 3 * steps)
    assert load_config([first.folder / "config.yaml"]).trainer.max_epochs == 3


def test_the_last_checkpoint_is_of_the_last_epoch_whatever_is_best(train, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss is made to grow, so that the first epoch stays the best."""
    original = StageModule.on_validation_epoch_end

    def growing(self: Any) -> None:
        self.validation_loss.update(torch.tensor(10.0 * self.current_epoch), weight=1e6)
        original(self)

    monkeypatch.setattr(StageModule, "on_validation_epoch_end", growing)
    run = train("trainer.max_epochs=3")
    epochs = {
        name: torch.load(run.folder / "checkpoints" / f"{name}.ckpt", weights_only=True)["epoch"]
        for name in ("best", "last")
    }
    assert epochs == {"best": 0, "last": 2}


def test_a_finished_run_has_nothing_to_go_on_with(train, capsys) -> None:
    run = train()
    before, metrics = weights(run), (run.folder / "metrics.json").read_text()
    train(resume="auto")
    assert "there was no epoch left to train" in capsys.readouterr().out
    assert equal(weights(run), before)
    assert (run.folder / "metrics.json").read_text() == metrics


def test_strategies_that_shard_the_weights_are_refused(train, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"fsdp.*take ddp"):
        train("trainer.strategy=fsdp")
    assert not (tmp_path / "runs").exists()


def test_resume_takes_a_checkpoint(train) -> None:
    first = train("trainer.max_epochs=1", "run.name=first")
    second = train("run.name=second", resume=first.folder / "checkpoints" / "last.ckpt")
    assert torch.load(second.folder / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] == 1
    before = weights(second, "best")
    with pytest.raises(ConfigError, match="second exists"):
        train("run.name=second", resume=first.folder / "checkpoints" / "last.ckpt")
    assert equal(weights(second, "best"), before)
    last = weights(second)
    (second.folder / "checkpoints" / "last.ckpt").unlink()
    train("run.name=second", resume="auto")  # killed between the first best one and the first last one
    assert equal(weights(second), last)


def test_resume_auto_begins_a_run_that_is_not_there(train, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "weather" / "pretrain" / "default"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("")  # one that was killed before its first checkpoint
    assert (train("trainer.max_epochs=1", resume="auto").folder / "metrics.json").is_file()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_run_that_saved_nothing_leaves_nothing(error, train, stop_in_epoch, tmp_path: Path) -> None:
    stop_in_epoch(0, error)
    with pytest.raises(error):
        train()
    assert not (tmp_path / "runs").exists()


def test_a_failure_leaves_other_runs_alone(train, stop_in_epoch, tmp_path: Path) -> None:
    first = train("trainer.max_epochs=1", "run.name=first")
    stop_in_epoch(0, RuntimeError)
    with pytest.raises(RuntimeError):
        train("run.name=second")
    assert [path.name for path in first.folder.parent.iterdir()] == ["first"]


def test_a_run_that_saved_something_is_kept(train, stop_in_epoch, tmp_path: Path) -> None:
    stop_in_epoch(1, RuntimeError)
    with pytest.raises(RuntimeError):
        train()
    assert load_checkpoint(tmp_path / "runs" / "weather" / "pretrain" / "default").stage == "pretrain"


def test_a_run_is_replaced(train) -> None:
    first = train("trainer.max_epochs=1")
    (first.folder / "note.txt").write_text("of the first")
    before = weights(first)
    second = train("trainer.max_epochs=1", "seed=3", overwrite=True)
    assert second.folder == first.folder
    assert (second.folder / "note.txt").read_text() == "of the first"  # which no run has written
    assert not equal(before, weights(second))


def test_what_was_to_be_replaced_comes_back(train, stop_in_epoch) -> None:
    first = train("trainer.max_epochs=1")
    before = weights(first)
    stop_in_epoch(0, RuntimeError)
    with pytest.raises(RuntimeError):
        train(overwrite=True)
    assert equal(weights(first), before)
    assert [path.name for path in first.folder.parent.iterdir()] == [first.folder.name]


def test_another_model_or_other_data_cannot_go_on(train, tmp_path: Path) -> None:
    first = train("trainer.max_epochs=1")
    last = first.folder / "checkpoints" / "last.ckpt"
    with pytest.raises(CheckpointError, match=r"encoder\.layers=1 there, 2 here"):
        train("encoder.layers=2", resume="auto")
    with pytest.raises(CheckpointError, match=r"cannot go on with this configuration: data"):
        train(f"data.corpus={dunes(tmp_path / 'dunes')}", resume=last)
    assert equal(torch.load(last, weights_only=True)["state_dict"], weights(first))


def test_a_run_is_evaluated_from_any_folder(train, tmp_path: Path, tiny_runs: TinyRuns, monkeypatch) -> None:
    monkeypatch.chdir(tiny_runs.corpus.parent)
    run = train(
        "trainer.max_epochs=1", "stage=align", f"data.corpus={tiny_runs.corpus.name}", "data.cache_dir=not-there"
    )
    monkeypatch.chdir(tmp_path)
    assert evaluate_run(run.folder, bootstrap=0)["test/pool/instances"] > 0


@pytest.mark.parametrize("stage", ["pretrain", "align"])
def test_a_run_that_diverges_is_reported(stage: str, tmp_path: Path, tiny_runs: TinyRuns, capsys) -> None:
    words = [f"stage={stage}", "optim.learning_rate=1e30", "optim.gradient_clip=1e30", f"run.dir={tmp_path / 'runs'}"]
    assert main(["fit", *tiny_runs.words, *words]) == 2
    assert "the model has diverged" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_start_that_auto_does_not_find_is_named(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    config = load_config(
        [], [*tiny_runs.words, f"run.dir={tmp_path}", "init_from=auto", "run.name=first", "stage=align"]
    )
    assert _settle_start(config) == [
        "starts    at random: init_from=auto found no weather run 'first' of a stage before"
    ]
    assert config.init_from is None
    config.init_from, config.run.dir, config.run.name = "auto", str(tiny_runs.pretrained.parents[2]), "tiny"
    assert _settle_start(config) == []
    assert config.init_from == str(tiny_runs.pretrained)
