"""What a run takes along from the one that it starts from, and whose classes are imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conftest import TinyRuns
from trace_lit.cli import main
from trace_lit.config import ConfigError
from trace_lit.modules import CheckpointError, load_checkpoint
from trace_lit.settings import Config, load_config, to_yaml
from trace_lit.train import fit
from trace_lit.train.start import load_start

pytestmark = pytest.mark.slow

ENCODER = """
from torch import nn
from trace_lit.encoder import Encoder

class Plain(Encoder):
    def build(self):
        self.layer = nn.Linear(self.config.width, self.config.width)

    def encode(self, tokens):
        patches = self.layer(tokens.patches)
        return self.cls + patches.mean((1, 2)), None, patches
"""


def test_encoder_and_text_settings_come_along(tiny_runs: TinyRuns, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["stage=align", f"init_from={tiny_runs.pretrained}", "encoder.dropout=0.25", "text.batch_size=7"]
    config = load_config([], words)
    load_start(config)
    there = load_checkpoint(tiny_runs.pretrained).config
    assert (config.encoder.width, config.encoder.layers) == (there.encoder.width, there.encoder.layers) == (16, 1)
    assert (config.encoder.dropout, config.text.batch_size) == (0.25, 7)
    assert config.text.cache_dir == Config().text.cache_dir  # the machine's, not the model's
    assert main(["fit", *words, "--print-config"]) == 0
    assert "width: 16" in capsys.readouterr().out
    built = Config(stage="align", init_from=str(tiny_runs.pretrained))  # by hand
    load_start(built)
    assert built.encoder == there.encoder


@pytest.mark.parametrize("word", ["encoder.width=384", "encoder.layers=6", "text.max_length=100"])
def test_what_contradicts_the_start_is_refused_even_where_it_is_the_default(word: str, tiny_runs: TinyRuns) -> None:
    config = load_config([], ["stage=align", f"init_from={tiny_runs.pretrained}", word])
    with pytest.raises(CheckpointError, match=rf"{word.partition('=')[0]}=\S+ there, {word.partition('=')[2]} here"):
        load_start(config)


def test_a_complete_file_says_all(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(to_yaml(Config(stage="align", init_from=str(tiny_runs.pretrained))))
    with pytest.raises(CheckpointError, match=r"encoder\.width=16 there, 384 here"):
        load_start(load_config([file]))
    load_start(load_config([tiny_runs.aligned / "config.yaml"]))  # a run's own


def test_a_run_goes_on_without_saying_what_came_along(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    words = [word for word in tiny_runs.words if not word.startswith("encoder=")]
    words += ["stage=align", f"init_from={tiny_runs.pretrained}", f"run.dir={tmp_path}"]
    words += ["evaluation.every_n_epochs=9", "logger=[]"]
    run = fit(load_config([], [*words, "trainer.max_epochs=1"]))
    more = fit(load_config([], [*words, "trainer.max_epochs=2", "init_from=gone"]), resume="auto")
    assert more.metrics["fit/epochs"] == 2
    assert load_checkpoint(run.folder).config.encoder.width == 16


def test_a_class_that_a_run_names_is_imported_only_if_one_says_so(
    tiny_runs: TinyRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "plain.py").write_text(ENCODER)
    words = [*tiny_runs.words, "run.dir=runs", "trainer.max_epochs=1", "logger=csv"]
    own = "encoder.name=plain:Plain"
    try:
        assert main(["fit", *words, own]) == 0  # one's own words
        assert main(["fit", *words, own, "--resume", "auto"]) == 0
        align = ["fit", *words, "stage=align", "init_from=runs/weather/pretrain/default"]
        assert main([*align, own]) == 0
        sys.modules.pop("plain")
        (tmp_path / "plain.py").write_text("raise SystemExit('it ran')")
        capsys.readouterr()
        run = "runs/weather/align/default"
        search = ["search", run, "--text", "rain"]
        for command in (["evaluate", run], search, [*align, "run.name=other"], [*align, "--print-config"]):
            assert main(command) == 2
            assert "names the class 'plain:Plain' (encoder.name)" in (output := capsys.readouterr().err)
            assert "--trust" in output
        assert not Path("runs/weather/align/other").exists()
        (tmp_path / "plain.py").write_text(ENCODER)
        assert main([*search, "--trust"]) == 0
        assert main([*align, "run.name=other", "--trust"]) == 0
        assert load_checkpoint("runs/weather/align/other").config.encoder.name == "plain:Plain"
        with pytest.raises(ConfigError, match="trust"):
            fit(load_config([], [*align[1:], "run.name=third"]))
    finally:
        sys.modules.pop("plain", None)


def test_a_loss_of_the_run_is_not_needed_to_use_it(
    tiny_runs: TinyRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "renamed.py").write_text("from trace_lit.alignment.losses import InfoNCE as Loss\n")
    words = [*tiny_runs.words, "run.dir=runs", "stage=align", "trainer.max_epochs=1", "logger=[]"]
    assert main(["fit", *words, "alignment.loss=renamed:Loss"]) == 0
    (tmp_path / "renamed.py").unlink()
    sys.modules.pop("renamed")
    assert main(["evaluate", "runs/weather/align/default"]) == 0
