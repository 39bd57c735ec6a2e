from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml
from lightning.pytorch.loggers import CSVLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from tests.conftest import TinyRuns
from trace_lit.config import ConfigError
from trace_lit.runs.data import build_datamodule
from trace_lit.settings import load_config
from trace_lit.train.announce import (
    announce,
    check_processes,
    learning_rate_in_words,
    log_hyperparameters,
    negatives_in_words,
)
from trace_lit.train.fit import build_module


def trainer(processes: int = 1, machines: int = 1) -> Any:
    """What of a Trainer is told."""
    return SimpleNamespace(
        is_global_zero=True,
        world_size=processes,
        num_nodes=machines,
        precision="bf16-mixed",
        strategy=SimpleNamespace(root_device=torch.device("cpu")),
    )


def test_a_start_says_what_trains_on_what(tiny_corpus: Path, tiny_words, capsys) -> None:
    words = [*tiny_words, f"data.corpus={tiny_corpus}", "stage=align", "optim.scale_learning_rate=linear"]
    config = load_config([], [*words, "optim.base_batch=16", "optim.learning_rate=0.001", "alignment.negatives=4"])
    data = build_datamodule(config)
    data.setup("fit")
    module = build_module(config, data, None)
    announce(config, Path("runs/weather/align/first"), data, module, trainer(processes=4, machines=2))
    output = capsys.readouterr().out
    module.setup("fit")  # freezes what no loss reaches
    total, trained = (
        sum(p.numel() for p in module.parameters() if p.requires_grad or not only) for only in (False, True)
    )
    assert trained < total
    for words in (
        "runs/weather/align/first",
        f"fingerprint {data.data_fingerprint[:12]}",
        f"{total:,} parameters, {trained:,} of them trained",
        "cpu × 4 on 2 machines",
        "precision bf16-mixed",
        "global batch 64 = 16 × 4",
        "0.004 = 0.001 × (64 / 16)",
        "35 an anchor",  # the batch is larger than the training split, which has 36 windows
        "the 4 hardest",
    ):
        assert words in output


def test_one_process_of_many_speaks(capsys) -> None:
    other = trainer(processes=2)
    other.is_global_zero = False
    announce(load_config(), Path("run"), None, None, other)  # type: ignore[arg-type]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["alignment.negatives=null"], "511 an anchor, all others of the batch"),
        (["alignment.negatives=600"], "511 an anchor, all others of the batch"),
        (["alignment.all_negatives_share=1"], "511 an anchor, all others of the batch"),
        (["alignment.all_negatives_share=0.25"], "for 25% of the run; then ever fewer, the 32 hardest at its end"),
        (["mining.every_n_epochs=2", "mining.first_epoch=3"], "; mined every 2 epochs from epoch 4 on"),
    ],
)
def test_the_negatives_of_an_anchor(words: list[str], expected: str) -> None:
    assert negatives_in_words(load_config([], words), 511).endswith(expected)


@pytest.mark.parametrize(
    ("how", "expected"),
    [("none", "0.01, whatever"), ("linear", "0.04 = 0.01 × (512 / 128)"), ("sqrt", "0.02 = 0.01 × √(512 / 128)")],
)
def test_the_learning_rate_and_its_scaling(how: str, expected: str) -> None:
    config = load_config([], ["optim.learning_rate=0.01", f"optim.scale_learning_rate={how}", "optim.base_batch=128"])
    assert learning_rate_in_words(config, 512).startswith(expected)


def test_processes_that_would_train_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each would train the same run, all on their own."""
    for name in ("TORCHELASTIC_RUN_ID", "WORLD_SIZE", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    check_processes(1)
    check_processes(8)  # Lightning starts them
    monkeypatch.setenv("WORLD_SIZE", "8")
    check_processes(1)  # it stands there for something else
    for name in ("TORCHELASTIC_RUN_ID", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.setenv(name, "8")
        check_processes(8)
        with pytest.raises(ConfigError, match=r"8 processes were started, but trainer.devices × trainer.nodes is 2"):
            check_processes(2)
        monkeypatch.delenv(name)


def hparams(run: Path) -> dict[str, Any]:
    """What TensorBoard's HParams page knows of a run."""
    events = EventAccumulator(str(run)).Reload()
    content = events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    found = HParamsPluginData.FromString(content).session_start_info.hparams
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in found.items()}


@pytest.mark.slow
def test_tensorboard_compares_runs_by_domain_stage_name_and_seed(tiny_runs: TinyRuns) -> None:
    for run, stage in ((tiny_runs.pretrained, "pretrain"), (tiny_runs.aligned, "align")):
        expected = {"Domain": "weather", "Stage": stage, "Name": "tiny", "Seed": 0}
        assert expected.items() <= hparams(run).items()
        assert run.parts[-3:] == ("weather", stage, "tiny")  # the scalars' name below runs/


def test_other_loggers_get_the_settings_too(tmp_path: Path) -> None:
    logger = CSVLogger(tmp_path, name="", version="")
    config = load_config([], ["stage=align", "run.name=first"])
    log_hyperparameters(SimpleNamespace(loggers=[logger]), config, "weather")  # type: ignore[arg-type]
    settings = yaml.safe_load((tmp_path / "hparams.yaml").read_text())
    assert (settings["Name"], settings["encoder.rotary"], settings["alignment.negatives"]) == ("first", "true", 32)
