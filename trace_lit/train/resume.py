"""Going on with a run: from which checkpoint, and what may have changed since it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_modules import DomainDataModule
from trace_lit.config import ConfigError, flatten
from trace_lit.modules import Checkpoint, CheckpointError, load_checkpoint
from trace_lit.runs.folder import read_metrics, read_settings
from trace_lit.settings import Config, to_dict
from trace_lit.train.start import BROUGHT
from trace_lit.train.trainer import LAST

# What may change between two sessions of a run; the longest beginning of a key that stands here or below decides.
ALLOWED = {
    "run": "",
    "init_from": "a run that goes on has its weights",
    "by_frequency": "",  # what it chose stands in the sections
    "trainer": "",
    "trainer.max_epochs": "the learning rate follows the schedule of the new length",
    "callbacks": "what is kept in a checkpoint is given to those that are still there",
    "logger": "",
    "evaluation": "",
    "data.domain": "",  # of the data, the fingerprint decides
    "data.source": "",
    "data.root": "",
    "data.options": "",
    "data.corpus": "",
    "data.cache_dir": "",
    "data.num_workers": "",
    "rag.retriever": "",  # the fingerprints decide
    "rag.corpus": "",
    "data.batch_size": "",  # the global batch decides
    "text.device": "",
    "text.batch_size": "",
    "text.cache_dir": "",
}
# What may not, and why. A key that stands in neither may not.
REFUSED = {
    "stage": "another stage is another run",
    "seed": "it decides the order of the batches and all that is drawn",
    "data": "it decides the batches of the epoch that goes on",
    "text": "the weights were trained on its vectors",
    "encoder": "the weights are of that model",
    "alignment": "weights and losses are of that model",
    "pretrain": "the loss would be another one",
    "rag": "it decides what the model sees",
    "tune": "it decides what is trained",
    "window": "it decides the windows that are trained on",
    "head": "it decides what is trained",
    "mining": "it decides the batches of the epoch that goes on",
    "evaluation.choose_by": "the best checkpoint so far was chosen by the other one",
    "optim": "the state of the optimiser was made by it",
    "trainer.extra.accumulate_grad_batches": "steps are counted by it",
    "trainer.extra.limit_train_batches": "steps are counted by it",
    "trainer.extra.overfit_batches": "it decides the batches",
}


def check_words(resume: str | Path | None, overwrite: bool) -> None:
    """Raise ConfigError where a run is to go on and to be overwritten, or nothing is named to go on with."""
    if resume is not None and not str(resume):
        raise ConfigError('--resume "": give auto, a run folder or a checkpoint')
    if resume is not None and overwrite:
        raise ConfigError(f"--resume {resume} goes on with a run, --overwrite replaces it; give one of the two")


def is_of_run(checkpoint: Checkpoint, folder: Path) -> bool:
    """Whether the checkpoint is one of the run in `folder`."""
    return checkpoint.path.resolve().is_relative_to(folder.resolve())


def checkpoint_to_resume(resume: str | Path | None, folder: Path, stage: str, trust: bool = False) -> Checkpoint | None:
    """The checkpoint that the run in `folder` goes on from: a file, a run's last one, or with "auto" its own, if any.

    Raises
    ------
    CheckpointError
        It cannot be used.
    """
    if resume is None:
        return None
    place = folder if resume == "auto" else Path(resume)
    if place.is_dir() or resume == "auto":
        place /= LAST
    if resume == "auto" and not place.is_file():  # the best one is written first
        place = place.with_name("best.ckpt")
    if resume == "auto" and not place.is_file():  # stopped before it saved anything
        return None
    return load_checkpoint(place, stage, trust)


def check_same_model(checkpoint: Checkpoint, config: Config) -> None:
    """Raise CheckpointError where `config` has another encoder or reads texts otherwise than the run that is to go on.

    This is known before the data are read, which the checkpoint's channels could not be joined to.
    """
    own = {key: values for key, values in _changes(checkpoint.config, config).items() if key.split(".")[0] in BROUGHT}
    if refused := _refused_settings(own):
        if checkpoint.config.init_from and not config.init_from:
            refused.append(
                f"init_from={checkpoint.config.init_from} there, null here (it brings text and encoder along)"
            )
        raise _cannot_go_on(checkpoint, refused)


def check_resumable(
    checkpoint: Checkpoint, config: Config, data: DomainDataModule, folder: Path, processes: int
) -> list[str]:
    """What has changed since `checkpoint` and does no harm, a line each; it is to go on in `folder`.

    Raises
    ------
    CheckpointError
        Something has changed that makes going on another training; or another run's is over.
    """
    changed = _changes(checkpoint.config, config)
    refused = _refused(changed, checkpoint.data_fingerprint, data)
    # Accumulation may not change, so it is left out of both.
    before, now = checkpoint.config.data.batch_size * checkpoint.world_size, config.data.batch_size * processes
    if before != now:
        each, left = divmod(before, processes)
        refused.append(
            f"a global batch of {before} there, {now} here (steps, epochs and learning rate are counted in batches): "
            + (f"data.batch_size={each} keeps it" if not left else f"take a number of processes that divides {before}")
        )
    if checkpoint.epoch >= config.trainer.max_epochs:
        refused.append(f"epoch {checkpoint.epoch + 1} there, trainer.max_epochs={config.trainer.max_epochs} here")
    elif checkpoint.epochs >= config.trainer.max_epochs and not is_of_run(checkpoint, folder):
        refused.append(f"all {checkpoint.epochs} epochs there, trainer.max_epochs={config.trainer.max_epochs} here")
    if refused:
        raise _cannot_go_on(checkpoint, refused)
    lines = [
        f"{key} {old} → {new}" + (f": {note}" if (note := _allowance(key)) else "")
        for key, (old, new) in changed.items()
    ]
    if checkpoint.world_size != processes:
        lines.append(f"{checkpoint.world_size} → {processes} processes, with the same global batch of {now}")
    return lines


def _cannot_go_on(checkpoint: Checkpoint, refused: Sequence[str]) -> CheckpointError:
    return CheckpointError(
        f"{checkpoint.path} cannot go on with this configuration: {'; '.join(refused)}. "
        f"Use the same, or start a new run from it: another run.name and init_from={checkpoint.path}"
    )


def check_finished(folder: Path, config: Config, data: DomainDataModule) -> None:
    """Raise CheckpointError where the run that has ended in `folder` is not the one that is asked for.

    For one without gradient steps, which can only be what it is or be fitted anew.
    """
    there = read_settings(folder)
    refused = _refused(_changes(there, config), str(read_metrics(folder).get("run/data_fingerprint")), data)
    if there.init_from != config.init_from:
        refused.append(f"init_from={there.init_from} there, {config.init_from} here (it is what was solved on)")
    if refused:
        raise CheckpointError(
            f"the run {folder} has ended, and is not the one that is asked for: {'; '.join(refused)}. Use the same, take "
            "another run.name, or replace it (--overwrite without --resume)"
        )


def _changes(there: Config, here: Config) -> dict[str, tuple[Any, Any]]:
    """The settings that differ, by dotted keys."""
    old, new = _settings(there), _settings(here)
    return {key: (old.get(key), new.get(key)) for key in {**old, **new} if old.get(key) != new.get(key)}


def _refused(changed: Mapping[str, tuple[Any, Any]], fingerprint: str, data: DomainDataModule) -> list[str]:
    """Which of the changes may not be, and whether the data are others."""
    refused = _refused_settings(changed)
    if fingerprint != data.data_fingerprint:
        refused.insert(0, f"data {fingerprint[:12]} there, {data.data_fingerprint[:12]} here")
    return refused


def _refused_settings(changed: Mapping[str, tuple[Any, Any]]) -> list[str]:
    return [f"{key}={old} there, {new} here ({_refusal(key)})" for key, (old, new) in changed.items() if _refusal(key)]


def _settings(config: Config) -> dict[str, Any]:
    """By dotted keys; an empty section is none."""
    return {key: value for key, value in flatten(to_dict(config)).items() if value != {}}


def _deciding(key: str, known: Mapping[str, str]) -> str | None:
    """The longest beginning of `key` that is `known`."""
    parts = key.split(".")
    beginnings = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return next((beginning for beginning in beginnings if beginning in known), None)


def _allowance(key: str) -> str | None:
    """What to say of a change of `key`; None where it may not change."""
    beginning = _deciding(key, ALLOWED | REFUSED)
    return ALLOWED.get(beginning or "")


def _refusal(key: str) -> str | None:
    """Why `key` may not change; None where it may."""
    beginning = _deciding(key, ALLOWED | REFUSED)
    return None if beginning in ALLOWED else REFUSED.get(beginning or "", "what it changes is not known")
