"""The checkpoint of a run, also of a classifier of version 0.1, which kept none and is learned again."""

from __future__ import annotations

from pathlib import Path

from trace_lit.config import mark_foreign
from trace_lit.models import CLASSIFIERS
from trace_lit.modules.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from trace_lit.runs.folder import read_metrics, read_settings


def open_checkpoint(place: Path, stage: str | None = None, trust: bool = False) -> Checkpoint:
    """The checkpoint of a run folder or a checkpoint file; classes that it names are imported only with `trust`.

    Raises
    ------
    CheckpointError
        It is missing, damaged, or not of `stage`; or a classifier that has kept none cannot be learned again, since its
        data have changed or it has not ended.
    """
    if (place / "config.yaml").is_file() and not any((place / "checkpoints").glob("*.ckpt")):
        config = read_settings(place)
        if config.stage == "tune" and config.tune.model in CLASSIFIERS:
            return _learned_again(place, trust)
    return load_checkpoint(place, stage, trust)


def _learned_again(folder: Path, trust: bool) -> Checkpoint:
    from trace_lit.runs.data import open_data
    from trace_lit.tuning.statistics import classifier_weights, fit_classifiers

    config = read_settings(folder)
    if not trust:
        mark_foreign(config, str(folder / "config.yaml"))
    known = read_metrics(folder).get("run/data_fingerprint")
    if known is None:
        raise CheckpointError(f"the run {folder} has no metrics.json: it has not ended; fit it again")
    data = open_data(config, fingerprint=known)
    check_data(folder, known, data.data_fingerprint)
    config.window.lookback = data.datasets["train"][0].lookback
    return Checkpoint(
        path=folder / "config.yaml",
        stage="tune",
        config=config,
        vocabulary=data.vocabulary,
        data_fingerprint=data.data_fingerprint,
        world_size=1,
        epoch=0,
        epochs=0,
        step=0,
        weights=classifier_weights(fit_classifiers(config, data)),
        label_names=data.label_names,
        corpora=tuple(corpus.info for corpus in data.corpora),
    )


def check_data(run: Path, known: str, now: str) -> None:
    """Raise CheckpointError where a run's own data are no longer those that it was trained on, by their fingerprints."""
    if now != known:
        raise CheckpointError(
            f"{run} was trained on the data {known[:12]}, which have changed since (now {now[:12]}); give the old ones "
            "back, or name the corpus to use with --corpus"
        )
