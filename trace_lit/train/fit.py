"""Training one stage: claim the folder, build data, module and Trainer, train, finish."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch

from data_modules import DomainDataModule
from trace_lit.atomic import write_atomically
from trace_lit.config import ConfigError
from trace_lit.distributed import is_first
from trace_lit.escapes import say
from trace_lit.holding import held
from trace_lit.models import CLASSIFIERS
from trace_lit.modules import AtomicCheckpointIO, Checkpoint, CheckpointError, TuneModule
from trace_lit.modules.checkpoint import CHECKPOINT_KEY, contents
from trace_lit.modules.finding import is_universal
from trace_lit.modules.stage import StageModule
from trace_lit.plain import at_home
from trace_lit.runs.data import about_run, build_datamodule, corpus_cache, run_domain
from trace_lit.runs.folder import AUTO, read_metrics, run_before, run_folder, write_metrics
from trace_lit.runs.recipe import settle_by_frequency
from trace_lit.runs.record import recorded
from trace_lit.settings import STAGES, Config, load_config, retrieves, split_words, to_yaml
from trace_lit.text import build_text_encoder
from trace_lit.train.announce import announce, check_processes
from trace_lit.train.claim import check_free, claimed, settle
from trace_lit.train.process import settle_threads, training_process
from trace_lit.train.processes import follow_parent
from trace_lit.train.resume import (
    check_finished,
    check_resumable,
    check_same_model,
    check_words,
    checkpoint_to_resume,
    is_of_run,
)
from trace_lit.train.session import Session
from trace_lit.train.start import bring_along, build_module, load_start
from trace_lit.train.trainer import build_trainer, chosen_by
from trace_lit.tuning.build import check_labels, score_split
from trace_lit.tuning.neighbours import check_unchanged, find_neighbours
from trace_lit.tuning.statistics import classifier_weights, fit_classifiers


@dataclass
class FitResult:
    """A finished run.

    Attributes
    ----------
    folder
        The run's folder.
    metrics
        The last and the best validation metrics, and the costs; empty where there was nothing left to train.
    """

    folder: Path
    metrics: dict[str, float]

    def __repr__(self) -> str:
        best = ", ".join(f"{name}={value:.4g}" for name, value in self.metrics.items() if name.startswith("best/"))
        return f"FitResult({str(self.folder)!r}{', ' if best else ''}{best})"


def fit(
    *settings: Config | str | Path, resume: str | Path | None = None, overwrite: bool = False, trust: bool = False
) -> FitResult:
    """Train one stage; the run folder then holds config.yaml, checkpoints, TensorBoard events and metrics.json.

    Neither a `Config` that is given nor the process is changed: generators, deterministic algorithms, warning filters and
    log levels are put back.

    Parameters
    ----------
    settings
        YAML files and `key=value` words, merged left to right like those of `trace-lit fit`; or a single `Config`. A word
        with "=" in it is a file where there is one of that name.
    resume
        A checkpoint or a run to go on from, or "auto" for the last checkpoint of this run if there is one.
    overwrite
        Take the place of a run of the same name.
    trust
        Import the classes, too, that another run names from which this one starts, goes on or takes neighbours. Those that
        `config` names are imported anyway.

    Raises
    ------
    ConfigError, CheckpointError, CorpusError, TextEncoderError
        Nothing is left on the disk.
    KeyboardInterrupt
        By Ctrl-C, after the step has been finished and saved; at once by a second one.
    SystemExit
        With code 75 (EX_TEMPFAIL) by SIGTERM or SIGUSR1, after the step has been finished and saved. Before the first
        epoch (while corpora and texts are read, and in `alignment.statement_steps`) a signal ends the process at once.

    Examples
    --------
    >>> run = trace_lit.fit("experiments/weather/align.yaml", "trainer.max_epochs=3")  # doctest: +SKIP
    >>> run.folder  # doctest: +SKIP
    PosixPath('runs/weather/align/default')
    """
    check_words(resume, overwrite)
    follow_parent()
    config = _config_of(settings)
    anchor_paths(config)
    with training_process(config):
        return _fit(config, resume, overwrite, trust)


def _config_of(settings: Sequence[Config | str | Path]) -> Config:
    """The configuration that `fit` is asked for."""
    given = [part for part in settings if isinstance(part, Config)]
    if given:
        if len(settings) > 1:
            raise ConfigError(
                "fit takes a single Config, or files and key=value words; load_config merges these into one"
            )
        return copy.deepcopy(given[0])
    return load_config(*split_words([str(part) for part in settings]))


def _fit(config: Config, resume: str | Path | None, overwrite: bool, trust: bool) -> FitResult:
    notes = _settle_start(config) if config.init_from == AUTO else []
    settle_by_frequency(config)
    start = load_start(config, trust) if resume is None else None
    build_text_encoder(config.text)  # one that is not there is refused before a corpus is built
    folder = run_folder(config, run_domain(corpus_cache(config).prepare()))
    if not is_first():  # the others find the folder held and made
        return _fit_in(folder, config, start, notes, resume, overwrite, trust)
    with held(folder):
        settle(folder, overwrite or resume == "auto")
        return _fit_in(folder, config, start, notes, resume, overwrite, trust)


def _fit_in(
    folder: Path,
    config: Config,
    start: Checkpoint | None,
    notes: list[str],
    resume: str | Path | None,
    overwrite: bool,
    trust: bool,
) -> FitResult:
    """Train in `folder`, which this process holds."""
    checkpoint = checkpoint_to_resume(resume, folder, config.stage, trust)
    if checkpoint is None and resume is not None:  # there is nothing to go on from, so it begins
        start, overwrite = load_start(config, trust), True
    if checkpoint is not None and config.init_from is not None:  # its start may be gone
        bring_along(config, checkpoint.config)
    if checkpoint is not None:
        check_same_model(checkpoint, config)
    own = checkpoint is not None and is_of_run(checkpoint, folder)
    if not own and is_first():
        check_free(folder, overwrite)  # before all the work
    threads = settle_threads(config, None if checkpoint is None else checkpoint.config)
    data = _load_data(config, checkpoint or start, "" if checkpoint is None else checkpoint.data_fingerprint)
    if config.stage == "tune" and config.tune.model in CLASSIFIERS:
        if resume is not None and (checkpoint is None or own) and read_metrics(folder):
            return _ended(config, folder, data)
        return _fit_classifier(config, folder, data, checkpoint, overwrite)
    module = build_module(config, data, start, trust)
    if checkpoint is not None and not module.learns_by_steps:
        if resume == "auto" and own and not read_metrics(folder):  # it was killed between checkpoint and metrics
            L.seed_everything(config.seed, workers=True, verbose=False)  # as it began
            return _fit_in(folder, config, load_start(config, trust), notes, None, True, trust)
        _check_nothing_to_train(checkpoint, own and bool(read_metrics(folder)))
        return _ended(config, folder, data)

    trainer = build_trainer(config, folder, chosen_by(config, data))
    check_processes(trainer.world_size)
    if checkpoint is not None:
        notes = _check_going_on(checkpoint, module, config, data, folder, trainer)
        checkpoint = dataclasses.replace(checkpoint, weights={})  # Lightning reads them anew
    if isinstance(module, TuneModule):
        module.note_costs(find_neighbours(data))
    session = Session(config, folder, data, module, trainer)
    if not trainer.is_global_zero:  # the processes that Lightning starts find the folder made
        return FitResult(folder, session.train(checkpoint))
    with claimed(folder, overwrite, go_on=own):
        write_atomically(folder / "config.yaml", to_yaml(config))
        announce(config, folder, data, module, trainer)
        for line in [*notes, *threads]:
            say(f"  {line}", flush=True)
        with recorded(folder, about_run(data)):
            return FitResult(folder, session.train(checkpoint))


def anchor_paths(config: Config) -> None:
    """Make the paths of data and start absolute, so that a run can be evaluated from any folder."""

    def absolute(place: str) -> str:
        return str(at_home(place).absolute())

    data, rag = config.data, config.rag
    if config.init_from not in (None, AUTO) and not is_universal(config.init_from):
        config.init_from = absolute(config.init_from)
    data.cache_dir = absolute(data.cache_dir)
    data.root = None if data.root is None else absolute(data.root)
    if isinstance(data.corpus, list):
        data.corpus = [absolute(place) for place in data.corpus]
    elif data.corpus is not None:
        data.corpus = absolute(data.corpus)
    rag.retriever = rag.retriever if rag.run is None else absolute(rag.run)
    rag.corpus = None if rag.corpus is None else absolute(rag.corpus)


def _settle_start(config: Config) -> list[str]:
    """Write the run that `init_from=auto` means into the configuration; what to announce where there is none."""
    domain = run_domain(corpus_cache(config).prepare())
    before = run_before(config, domain)
    config.init_from = None if before is None else str(before.absolute())
    if before is not None or config.stage == STAGES[0]:
        return []
    return [f"starts    at random: init_from=auto found no {domain} run {config.run.name!r} of a stage before"]


def _load_data(config: Config, known: Checkpoint | None, fingerprint: str = "") -> DomainDataModule:
    """The data to train on, as they were when they had the `fingerprint`.

    Of the stage tune, what is settled by them is written into the run's configuration.
    """
    data = build_datamodule(config, None if known is None else known.vocabulary, fingerprint=fingerprint)
    data.prepare_data()
    data.setup("fit")
    if config.stage == "tune":
        if config.tune.task == "classify":
            check_labels(data)
        for split in ("train", "validation"):
            data.split_dataloader(split)  # raises where there is no window
        # The run's, whatever corpus it is used on.
        config.window.lookback = data.datasets["train"][0].lookback
        if retrieves(config) and config.rag.corpus is None and len(data.corpora) == 1:
            config.rag.corpus = str(data.corpora[0].path)
    return data


def _check_nothing_to_train(checkpoint: Checkpoint, ended: bool) -> None:
    if not ended:
        raise CheckpointError(
            f"{checkpoint.path} holds a model that takes no gradient steps, so there is nothing to go on with: fit it "
            "anew (without --resume; --overwrite replaces a run of the same name)"
        )


def _check_going_on(
    checkpoint: Checkpoint,
    module: StageModule,
    config: Config,
    data: DomainDataModule,
    folder: Path,
    trainer: L.Trainer,
) -> list[str]:
    """What to announce of a run that goes on; CheckpointError where it cannot."""
    if isinstance(module, TuneModule):
        check_unchanged(module.retrieval, checkpoint.retrieval, checkpoint.path)
    changes = check_resumable(checkpoint, config, data, folder, trainer.world_size)
    return [
        f"goes on   at step {checkpoint.step}, from {checkpoint.path}",
        *(f"changed   {line}" for line in changes),
    ]


def _ended(config: Config, folder: Path, data: DomainDataModule) -> FitResult:
    """Tell that the run in `folder`, without gradient steps, is what it can be."""
    check_finished(folder, config, data)
    say(f"done: {folder}, a model without gradient steps has nothing to go on with")
    return FitResult(folder, {})


def _fit_classifier(
    config: Config, folder: Path, data: DomainDataModule, checkpoint: Checkpoint | None, overwrite: bool
) -> FitResult:
    """A baseline of scikit-learn: its scores, and a checkpoint of what it has learned."""
    if checkpoint is not None:
        raise CheckpointError(f"{checkpoint.path} is nothing that the baseline {config.tune.model} could go on with")
    with claimed(folder, overwrite, go_on=False):
        began = time.perf_counter()
        classifiers = fit_classifiers(config, data)
        scores = score_split(config, data, "validation", classifiers, torch.device("cpu"))
        metrics = {
            **{f"last/{name}": value for name, value in scores.items()},
            "fit/seconds": time.perf_counter() - began,
        }
        write_atomically(folder / "config.yaml", to_yaml(config))
        own = contents(config, data.vocabulary, data.corpora, data.data_fingerprint, folder)
        checkpoint_content: dict[str, Any] = {
            CHECKPOINT_KEY: own | {"label_names": list(data.label_names)},
            "state_dict": classifier_weights(classifiers),
            "epoch": 0,
            "global_step": 0,
        }
        AtomicCheckpointIO().save_checkpoint(checkpoint_content, folder / "checkpoints" / "best.ckpt")
        written: dict[str, Any] = {"run/data_fingerprint": data.data_fingerprint, **metrics}
        with recorded(folder, about_run(data)):
            write_metrics(folder, written)
        say(f"done: {folder}")
        for name, value in metrics.items():
            say(f"  {name} {value:.4g}")
    return FitResult(folder, metrics)
