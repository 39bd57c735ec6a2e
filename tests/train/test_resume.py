"""Runs that are stopped, in whatever way, and go on as if they had not been."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

from data_modules import DomainDataModule
from tests.conftest import TinyRuns
from tests.train.sessions import run_on_two, run_sessions
from trace_lit.config import ConfigError
from trace_lit.holding import held
from trace_lit.modules import CheckpointError, load_checkpoint
from trace_lit.modules.stage import StageModule
from trace_lit.runs.data import build_datamodule
from trace_lit.settings import Config, load_config
from trace_lit.train import fit
from trace_lit.train.resume import check_resumable
from trace_lit.train.seeds import fit_in_turn

pytestmark = pytest.mark.slow
TIMES = ("seconds", "elapsed", "samples_per_second", "mining/share", "mining_share")  # what no two trainings have alike
# Everything in training draws: dropout, masks, noise, sentences, the places of windows. An epoch has 5 steps.
DRAWN = ("data.jitter=2", "alignment={noise: 0.1, sentence_dropout: 0.3, reconstruction_weight: 1, negatives: 4}")
MINED = "mining={every_n_epochs: 1, first_epoch: 1, negatives: 4}"
SHORT = ("data.batch_size=8", "trainer={max_epochs: 3, checkpoint_every_n_steps: 2}", "optim.ema_decay=0.9")


def command(tiny_runs: TinyRuns, folder: Path, stage: str, *words: str) -> tuple[str, ...]:
    start = (f"init_from={tiny_runs.pretrained}",) if stage == "align" else ()
    return ("fit", *tiny_runs.words, *DRAWN, *SHORT, f"run.dir={folder}", f"stage={stage}", *start, *words)


def plain(node: Any, run: Path, prefix: str = "") -> dict[str, Any]:
    """The leaves of a checkpoint, to be compared bit for bit; those that are times are left out."""
    if isinstance(node, dict):
        children = ((f"{prefix}/{key}".replace(str(run), "RUN"), child) for key, child in node.items())
    elif isinstance(node, (list, tuple)):
        children = ((f"{prefix}/{number}", child) for number, child in enumerate(node))
    elif prefix.endswith((*TIMES, "config/run/name")):
        return {}
    elif isinstance(node, torch.Tensor):
        return {prefix: (node.dtype, node.shape, node.numpy().tobytes())}
    else:
        return {prefix: str(node).replace(str(run), "RUN")}
    return {name: leaf for key, child in children for name, leaf in plain(child, run, key).items()}


def checkpoint(run: Path, name: str) -> dict[str, Any]:
    return plain(torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True), run)


def curves(run: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(run), size_guidance={SCALARS: 0}).Reload()
    return {
        tag: [(event.step, event.value if not tag.endswith(TIMES) else 0.0) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def metrics(run: Path) -> dict[str, Any]:
    return {k: v for k, v in json.loads((run / "metrics.json").read_text()).items() if not k.endswith(TIMES)}


def assert_alike(cut: Path, whole: Path) -> None:
    for name in ("last", "best"):
        ours, theirs = checkpoint(cut, name), checkpoint(whole, name)
        assert ours.keys() == theirs.keys()
        assert [key for key in ours if ours[key] != theirs[key]] == [], name
    assert curves(cut) == curves(whole)
    assert metrics(cut) == metrics(whole)
    assert {path.name for path in (cut / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}


READING = (
    "text.unit=token",
    "alignment={tower: reading, match_names: true, statistics: true, voice_weight: 0.5, sentence_dropout: 0.9}",
    "alignment={statements: 2, statement_pool: 12, statement_memory: true, statement_steps: 4}",
)
LONG_WAY = (
    ("SIGKILL:step:4", -9),  # goes on at step 2
    ("SIGKILL:validation:1", -9),  # at 4
    ("SIGKILL:epoch:1", -9),  # at 5, between two epochs
    ("SIGKILL:writing:2", -9),  # at 6: that of step 8 is half written
    ("SIGKILL:renaming:3", -9),  # at 8: config.yaml, step 8, and the best one, which is not in its place
    ("SIGTERM:step:1", 75),  # at 9
    ("SIGUSR1:step:1", 75),  # at 10, before the validation
    ("SIGINT:step:2", 130),  # at 12
    ("SIGKILL:drawing:1", -9),  # all is trained, and nothing told; stage 1 draws nothing and ends well
)
# Two batches a step, three steps an epoch; the second ends between the batches of a step, and waits for its end.
HALVES_WAY = (("SIGKILL:step:3", -9), ("SIGTERM:batch:3", 75), ("SIGKILL:step:4", -9))
LIMITED_WAY = (("SIGKILL:step:3", -9), ("SIGTERM:batch:2", 75), ("SIGKILL:step:2", -9))  # two steps an epoch
READING_WAY = (("SIGKILL:step:3", -9), ("SIGTERM:step:2", 75))  # after the steps on statements, which come first
SHORT_WAY = (("SIGKILL:step:3", -9), ("SIGKILL:writing:3", -9), ("SIGTERM:step:2", 75), ("SIGKILL:step:7", -9))


@pytest.mark.parametrize(
    ("stage", "words", "way"),
    [
        ("pretrain", ("data.num_workers=0",), LONG_WAY),
        ("pretrain", ("data.num_workers=2",), SHORT_WAY),
        ("align", ("data.num_workers=0", MINED), LONG_WAY),
        ("align", ("data.num_workers=2", MINED), SHORT_WAY),
        ("pretrain", ("trainer.extra={accumulate_grad_batches: 2}",), HALVES_WAY),
        ("align", ("trainer.extra={accumulate_grad_batches: 2, limit_train_batches: 4}", MINED), LIMITED_WAY),
        ("align", ("data.num_workers=2", *READING), READING_WAY),
    ],
)
def test_a_run_that_was_stopped_is_the_run_that_was_not(
    stage: str, words: tuple[str, ...], way: tuple[tuple[str, int], ...], tiny_runs: TinyRuns, tmp_path: Path
) -> None:
    """Bit for bit: weights, averages, optimiser, schedule, progress, scores, curves and metrics."""
    words = command(tiny_runs, tmp_path, stage, *words)
    cut = (*words, "run.name=cut", "--resume", "auto")
    ends = [end for end, _ in way if stage == "align" or ":drawing:" not in end]
    whole, *sessions, last = run_sessions(
        ((*words, "run.name=whole"), None), *((cut, end) for end in ends), (cut, None)
    )
    assert (whole.code, whole.complaints, last.code, last.complaints) == (0, "", 0, "")
    assert [session.code for session in sessions] == [dict(way)[end] for end in ends]
    for session in sessions:
        assert "Traceback" not in session.err
        if session.code == 75:
            assert "--resume auto goes on from there" in session.out
    assert_alike(*(tmp_path / "weather" / stage / name for name in ("cut", "whole")))


def test_a_second_process_that_resumes_a_run_in_training_is_refused_and_changes_nothing(
    tiny_runs: TinyRuns, tmp_path: Path
) -> None:
    words = command(tiny_runs, tmp_path, "pretrain")
    cut, folder = (*words, "run.name=cut", "--resume", "auto"), tmp_path / "weather" / "pretrain" / "cut"
    run_sessions(((*words, "run.name=whole"), None), (cut, "SIGKILL:step:4"))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with held(folder):
        [refused] = run_sessions((cut, None))
    assert refused.code == 2
    assert f"in use by process {os.getpid()} on " in refused.err
    assert "Traceback" not in refused.err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    [resumed] = run_sessions((cut, None))
    assert resumed.code == 0
    assert_alike(folder, folder.with_name("whole"))


def test_the_last_epoch_is_measured_in_a_run_that_goes_on_within_it(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    words = command(tiny_runs, tmp_path, "pretrain", "evaluation.every_n_epochs=2")
    cut = (*words, "run.name=cut", "--resume", "auto")
    ends = ("SIGTERM:step:5", "SIGKILL:step:8", None)  # at the end of an epoch that is not measured; in the last
    made = run_sessions(((*words, "run.name=whole"), None), *((cut, end) for end in ends))
    assert [session.code for session in made] == [0, 75, -9, 0]
    assert_alike(tmp_path / "weather" / "pretrain" / "cut", tmp_path / "weather" / "pretrain" / "whole")


def test_stopped_before_the_first_step_nothing_is_left(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    """The signal comes with the first batch, so a step is made; without one there is nothing to keep."""
    words = command(tiny_runs, tmp_path, "pretrain")
    [made] = run_sessions((words, "SIGTERM:batch:1"))
    assert made.code == 75
    assert "no step was made" in made.out
    assert not (tmp_path / "weather").exists()


# Several processes


STILL = ("encoder.dropout=0", "data.jitter=0", "alignment={noise: 0, sentence_dropout: 0, reconstruction_weight: 0}")


def test_two_processes_stop_together_and_one_goes_on(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    """A signal to one of them is enough. What is drawn differs between processes, so nothing is."""
    words = command(tiny_runs, tmp_path, "align", *STILL)
    two = run_on_two((*words, "run.name=cut", "data.batch_size=4"), "SIGTERM:step:4:1")
    assert two.code == 75, two.err
    assert "Traceback" not in two.err
    cut, whole = (tmp_path / "weather" / "align" / name for name in ("cut", "whole"))
    assert load_checkpoint(cut / "checkpoints" / "last.ckpt").step == 4
    one, other = run_sessions(((*words, "run.name=cut", "--resume", "auto"), None), ((*words, "run.name=whole"), None))
    assert (one.code, other.code) == (0, 0)
    assert "2 → 1 processes" in one.out
    for name, loss in metrics(whole).items():
        if name.endswith("validation/loss"):
            assert metrics(cut)[name] == pytest.approx(loss, rel=1e-3)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("error:step:3:1", ["RuntimeError: the error of the test", "process 1 of 2 ended with exit code 1"]),
        ("SIGKILL:step:3:1", ["process 1 of 2 ended by SIGKILL"]),
        ("error:step:3:0", ["RuntimeError: the error of the test"]),
        ("SIGKILL:step:3:0", []),
    ],
)
def test_no_process_outlives_the_other(end: str, expected: list[str], tiny_runs: TinyRuns, tmp_path: Path) -> None:
    words = command(tiny_runs, tmp_path, "pretrain", "data.batch_size=4")
    made = run_on_two(words, end)  # returns when both have ended
    assert made.code not in (0, 75)
    places = [made.err.find(words) for words in expected]
    assert places == sorted(places)
    assert -1 not in places
    if end.startswith("error"):
        assert made.err.index("Error: ") == made.err.index("Error: the error of the test")


# What may change


@pytest.fixture(scope="module")
def data(tiny_runs: TinyRuns) -> DomainDataModule:
    data = build_datamodule(changed(tiny_runs))
    data.setup("fit")
    return data


def changed(tiny_runs: TinyRuns, *words: str) -> Config:
    return load_config([tiny_runs.pretrained / "config.yaml"], words)


@pytest.mark.parametrize(
    ("words", "processes", "expected"),
    [
        ((), 1, []),
        (("trainer.max_epochs=9",), 1, ["trainer.max_epochs 2 → 9: the learning rate"]),
        (
            ("trainer.precision=bf16-mixed", "trainer.devices=4", "data.num_workers=1"),
            1,
            ["bf16", "devices", "workers"],
        ),
        (("data.batch_size=4",), 4, ["data.batch_size 16 → 4", "1 → 4 processes, with the same global batch of 16"]),
        (("text.batch_size=3", "run.name=other", "data.cache_dir=elsewhere"), 1, ["run", "data.cache", "text"]),
        (("data.corpus=moved", "init_from=gone"), 1, ["init_from", "data.corpus"]),
        (("logger=csv", "callbacks=[my:Callback]"), 1, ["logger tensorboard → csv", "callbacks"]),
        (("trainer.extra.profiler=simple", "trainer.early_stopping.patience=2"), 1, ["profiler", "patience"]),
    ],
)
def test_what_may_change(
    words, processes: int, expected: list[str], tiny_runs: TinyRuns, data: DomainDataModule
) -> None:
    last = load_checkpoint(tiny_runs.pretrained / "checkpoints" / "last.ckpt")
    lines = check_resumable(last, changed(tiny_runs, *words), data, tiny_runs.pretrained, processes)
    assert len(lines) == len(expected)
    assert all(any(part in line for line in lines) for part in expected)


@pytest.mark.parametrize(
    ("words", "processes", "reason"),
    [
        (("seed=3",), 1, r"seed=0 there, 3 here \(it decides the order"),
        (("optim.learning_rate=0.1",), 1, r"optim\.learning_rate=0\.001 there, 0\.1 here \(the state of the optimiser"),
        (("encoder.rotary=false",), 1, r"encoder\.rotary=True there, False here \(the weights"),
        (("text.unit=document",), 1, r"text\.unit"),
        (("data.jitter=2",), 1, r"data\.jitter=0 there, 2 here \(it decides the batches"),
        (("mining.every_n_epochs=1",), 1, r"mining\.every_n_epochs"),
        (
            ("trainer.extra.accumulate_grad_batches=2",),
            1,
            r"trainer\.extra\.accumulate_grad_batches=None there, 2 here",
        ),
        (("alignment.loss=my:Loss",), 1, r"alignment\.loss=info_nce there, my:Loss here"),
        (("data.batch_size=5",), 1, r"a global batch of 16 there, 5 here .*: data\.batch_size=16 keeps it"),
        ((), 4, r"a global batch of 16 there, 64 here .*: data\.batch_size=4 keeps it"),
        ((), 3, r"take a number of processes that divides 16"),
        (("trainer.max_epochs=1",), 1, r"epoch 2 there, trainer\.max_epochs=1 here"),
    ],
)
def test_what_may_not_change(words, processes: int, reason: str, tiny_runs: TinyRuns, data: DomainDataModule) -> None:
    last = load_checkpoint(tiny_runs.pretrained / "checkpoints" / "last.ckpt")
    with pytest.raises(CheckpointError, match=reason) as refused:
        check_resumable(last, changed(tiny_runs, *words), data, tiny_runs.pretrained, processes)
    assert "start a new run from it" in str(refused.value)


def test_another_text_encoder_is_refused_before_the_data_are_read(
    tiny_runs: TinyRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Channels described by the vectors of another one could not be joined to those of the run."""
    monkeypatch.setattr(sys.modules[fit.__module__], "_load_data", lambda *_: pytest.fail("the data were read"))
    words = [word for word in tiny_runs.words if not word.startswith("encoder=")]
    config = load_config([], [*words, "stage=align", "text.unit=document", f"run.dir={tmp_path}"])
    with pytest.raises(CheckpointError) as refused:
        fit(config, resume=tiny_runs.aligned)
    for part in (
        "text.unit=sentence there, document here",
        "encoder.width=16 there, 384 here",
        "init_from=.*there, null",
    ):
        assert re.search(part, str(refused.value))


def test_sections_within_a_section_are_decided_by_the_longest_beginning(
    tiny_runs: TinyRuns, data: DomainDataModule
) -> None:
    last = load_checkpoint(tiny_runs.pretrained / "checkpoints" / "last.ckpt")
    config = changed(tiny_runs, "data.options.cities=[ny]")
    (line,) = check_resumable(last, config, data, tiny_runs.pretrained, 1)
    assert "data.options" in line


def test_another_runs_end_is_nothing_to_go_on_with(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    """It would be told as a run of its own that has trained nothing."""
    config = changed(tiny_runs, "run.name=new", f"run.dir={tmp_path}")
    with pytest.raises(CheckpointError, match="all 2 epochs there"):
        fit(config, resume=tiny_runs.pretrained)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("resume", "overwrite", "reason"),
    [("", False, "give auto, a run folder or a checkpoint"), ("auto", True, "give one of the two")],
)
def test_words_that_contradict_each_other(resume: str, overwrite: bool, reason: str, tiny_runs: TinyRuns) -> None:
    before = (tiny_runs.pretrained / "metrics.json").read_bytes()
    with pytest.raises(ConfigError, match=reason):
        fit(changed(tiny_runs), resume=resume, overwrite=overwrite)
    with pytest.raises(ConfigError, match=reason):
        fit_in_turn([], resume=resume, overwrite=overwrite)
    assert (tiny_runs.pretrained / "metrics.json").read_bytes() == before


def test_every_key_is_decided_on() -> None:
    """A section that the configuration gains must be judged, too."""
    from trace_lit.settings import to_dict
    from trace_lit.train.resume import ALLOWED, REFUSED

    assert set(to_dict(Config())) == {key for key in (*ALLOWED, *REFUSED) if "." not in key}
    for key in (*ALLOWED, *REFUSED):
        section, _, name = key.partition(".")
        assert not name or name.partition(".")[0] in to_dict(Config())[section]


def test_a_run_that_was_moved_remembers_its_best(
    tiny_runs: TinyRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss is made to grow, so that the first epoch stays the best."""
    original = StageModule.on_validation_epoch_end

    def growing(self: Any) -> None:
        self.validation_loss.update(torch.tensor(10.0 * self.current_epoch), weight=1e6)
        original(self)

    monkeypatch.setattr(StageModule, "on_validation_epoch_end", growing)
    words = [*tiny_runs.words, "trainer.max_epochs=1"]
    first = fit(load_config([], [*words, f"run.dir={tmp_path / 'here'}"]))
    (tmp_path / "here").rename(tmp_path / "there")
    second = fit(load_config([], [*words, f"run.dir={tmp_path / 'there'}", "trainer.max_epochs=2"]), resume="auto")
    assert second.metrics["best/validation/loss"] == first.metrics["best/validation/loss"]
    assert load_checkpoint(second.folder / "checkpoints" / "best.ckpt").epoch == 0
