"""A run that starts from another takes over the settings of its model; what contradicts them is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import trace_lit
from tests.conftest import TinyRuns
from trace_lit.modules import CheckpointError
from trace_lit.modules.inherit import load_training_config

pytestmark = pytest.mark.slow


def test_encoder_and_text_come_along(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    start = f"init_from={tiny_runs.pretrained}"
    config = load_training_config([], ["stage=align", start])
    assert (config.encoder.width, config.encoder.layers, config.encoder.heads) == (16, 1, 2)
    assert load_training_config([], ["stage=align"]).encoder.width != 16
    assert load_training_config([], ["stage=align", start, "encoder.dropout=0.3"]).encoder.dropout == 0.3
    words = [word for word in tiny_runs.words if not word.startswith("encoder")]
    run = trace_lit.fit(*words, "stage=align", start, "trainer.max_epochs=1", f"run.dir={tmp_path}")
    assert trace_lit.load(run).config.encoder.width == 16


def test_what_contradicts_the_model_is_refused(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    file = tmp_path / "wide.yaml"
    file.write_text("encoder: {width: 32}\n")
    with pytest.raises(CheckpointError, match=r"encoder\.width=16 there, 32 here"):
        trace_lit.fit(
            file, *tiny_runs.words[1:], "stage=align", f"init_from={tiny_runs.pretrained}", f"run.dir={tmp_path}"
        )
