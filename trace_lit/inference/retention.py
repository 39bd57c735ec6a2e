"""Whether retrieval still works after tuning (TRACE §4.4): the test of the aligned run, before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trace_lit.inference.checkpoints import open_checkpoint
from trace_lit.inference.evaluate import evaluate_opened, open_run
from trace_lit.models import CLASSIFIERS
from trace_lit.modules.checkpoint import Checkpoint, CheckpointError, fitting, load_checkpoint
from trace_lit.retrieval import with_split
from trace_lit.runs.folder import keep_metrics


def aligned_start(tuned: Checkpoint, trust: bool = False) -> str:
    """The aligned run that a tuned one began from, over other tuned ones, too.

    Raises
    ------
    CheckpointError
        It began from nothing, or from a run that was only pre-trained.
    """
    start: str | None = None
    checkpoint = tuned
    while checkpoint.stage == "tune" and checkpoint.config.tune.model == "trace":
        start = checkpoint.config.init_from
        if start is None:
            break
        checkpoint = load_checkpoint(start, trust=trust)
    if start is None or checkpoint.stage != "align":
        raise CheckpointError(
            f"{tuned.path} did not begin from a run of stage align (init_from={tuned.config.init_from}), so there was no "
            "retrieval that tuning could have changed"
        )
    return start


def evaluate_retention(
    run: str | Path, split: str = "test", bootstrap: int | None = None, trust: bool = False
) -> dict[str, Any]:
    """Retrieval on the aligned run's own corpora with its encoder, and with the tuned one in its place.

    The metrics are `retrieval/before/<split>/…` and `retrieval/after/<split>/…`, and are added to the tuned run's
    metrics.json. Where the alignment was kept while tuning, the tuned encoder comes with the heads that went along.

    Raises
    ------
    CheckpointError
        The run is none that was tuned from an aligned one; or that one cannot be used.
    """
    tuned = open_checkpoint(Path(run), "tune", trust)
    config = tuned.config
    if config.tune.model in CLASSIFIERS:
        raise CheckpointError(
            f"{run} is the baseline {config.tune.model}, which has no encoder: there was no retrieval that tuning could "
            "have changed"
        )
    opened = open_run(aligned_start(tuned, trust), trust=trust)
    metrics = with_split("retrieval/before", evaluate_opened(opened, split, bootstrap))
    model = opened.model
    with fitting(tuned.path):
        model.encoder.extend(tuned.vocabulary)
        model.encoder.load_state_dict(tuned.encoder_weights())
        model.load_state_dict(tuned.alignment_weights(), strict=False)
    metrics |= with_split("retrieval/after", evaluate_opened(opened, split, bootstrap))
    folder = Path(run)
    if (folder / "config.yaml").is_file():
        keep_metrics(folder, metrics)
    return metrics
