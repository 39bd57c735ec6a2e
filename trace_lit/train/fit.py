"""From a configuration to a run: datamodule, module, callbacks and Trainer; and from a run back to a model."""

from __future__ import annotations

import dataclasses
import logging
import os
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import LearningRateMonitor, RichProgressBar, WeightAveraging
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.exceptions import MisconfigurationException, SIGTERMException
from torch import Tensor

from callbacks import (
    BestCheckpoint,
    HardNegativeMining,
    LastCheckpoint,
    ProgressLines,
    RetrievalEvaluation,
    StepRandomness,
    Stopped,
    StopSignals,
    TensorBoardPages,
    Throughput,
)
from data_modules import Corpus, DomainDataModule
from trace_lit.atomic import remove_parts
from trace_lit.config import CLASSIFIERS, Config, ConfigError, retrieves, to_dict, to_yaml
from trace_lit.modules import (
    AlignModule,
    AtomicCheckpointIO,
    Checkpoint,
    CheckpointError,
    PretrainModule,
    TrainingError,
    TuneModule,
    load_checkpoint,
)
from trace_lit.modules.stage import StageModule
from trace_lit.train.announce import announce, check_processes, log_hyperparameters
from trace_lit.train.closed_form import solve_head
from trace_lit.train.predict import log_forecasts
from trace_lit.train.processes import end_followers, follow_parent, is_follower
from trace_lit.train.resume import LAST, check_finished, check_resumable, check_words, checkpoint_to_resume, is_of_run
from trace_lit.train.retrieval import check_unchanged, find_neighbours
from trace_lit.train.runs import build_datamodule, read_metrics, run_folder, write_atomically, write_metrics
from trace_lit.train.tune import build_tune_module, check_labels, fit_classifiers, score_split

# What makes an aligned model.
ALIGNED = ("heads", "channel_score", "fusion", "tower", "text_layers", "silence", "numbers", "statistics")
PAIR_MRR = "validation/text_to_series/pair/MRR"
Kind = TypeVar("Kind")


def quiet_lightning() -> None:
    """Silence what Lightning says on the normal path; its errors and real warnings stay."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    launcher = logging.getLogger("lightning.fabric.strategies.launchers.subprocess_script")
    launcher.setLevel(logging.INFO)  # it tells of processes that die
    # Batches are made by tensor indexing, so workers would only copy them; the rest is about our own settings.
    for message in (
        r".*does not have many workers.*",
        r".*The number of training batches .* is smaller than the logging interval.*",
        r".*Checkpoint directory .* exists and is not empty.*",
        r".*`isinstance\(treespec, LeafSpec\)` is deprecated.*",
        r".*It is recommended to use `self.log\(.*sync_dist=True\)`.*",  # metrics are gathered before; losses are shares
        r".*module\(s\) in eval mode at the start of training.*",  # those of a frozen forecaster
        r".*your dataloader is not resumable.*",  # it is: the DataModule tells the sampler where to go on
    ):
        warnings.filterwarnings("ignore", message)


def load_start(config: Config) -> Checkpoint | None:
    """The checkpoint that `init_from` names.

    Raises
    ------
    CheckpointError
        It cannot be used, or its encoder, its text encoder or the alignment that is kept is another than the configured.
    ConfigError
        The alignment of no run is to be kept.
    """
    if config.init_from is None:
        if config.stage == "tune" and config.tune.alignment_weight:
            raise ConfigError(
                f"tune.alignment_weight is {config.tune.alignment_weight}, but init_from is null: start from an aligned run"
            )
        return None
    start = load_checkpoint(config.init_from, "pretrain" if config.stage == "pretrain" else None)
    keeps_aligned = config.stage == "tune" and config.tune.alignment_weight
    if keeps_aligned and not start.alignment_weights():
        raise CheckpointError(
            f"init_from={config.init_from} is no aligned run, and tune.alignment_weight is {config.tune.alignment_weight}: "
            "start from a run of stage align, or set the weight to 0"
        )
    if start.stage == "tune" and (config.stage != "tune" or start.config.tune.model != "trace"):
        raise CheckpointError(
            f"init_from={config.init_from} is a tuned run; start from a run of stage pretrain or align"
        )
    there, here = to_dict(start.config), to_dict(config)
    fixed = [("encoder", key) for key in here["encoder"] if key != "dropout"]
    fixed += [("text", key) for key in ("name", "pooling", "query_prefix", "document_prefix", "max_length")]
    if keeps_aligned:
        fixed += [("text", "unit"), *(("alignment", key) for key in ALIGNED)]
    differing = [
        f"{section}.{key}={there[section][key]} there, {here[section][key]} here"
        for section, key in fixed
        if there[section][key] != here[section][key]
    ]
    if differing:
        raise CheckpointError(
            f"init_from={config.init_from}: its model differs: {', '.join(differing)}; use the same settings"
        )
    return start


def build_module(config: Config, data: DomainDataModule, start: Checkpoint | None) -> StageModule:
    """The module of the configured stage, its encoder (or all of it) taken from `start` where there is one.

    Raises
    ------
    ConfigError
        Classification is asked for, and the corpora have no labels.
    """
    check_transform(config, data)
    if config.stage == "tune":
        return build_tune_module(config, data, start)
    if config.alignment.classification_weight and config.stage == "align" and not data.label_names:
        raise ConfigError("alignment.classification_weight is set, but the corpora have no label_names; set it to 0")
    vocabulary = data.vocabulary if start is None else start.vocabulary
    module: StageModule
    if config.stage == "pretrain":
        module = PretrainModule(config, vocabulary, data.data_fingerprint)
    else:
        module = AlignModule(config, vocabulary, len(data.label_names), data.data_fingerprint)
        module.statement_banks = data.statement_banks
    if start is not None:
        if start.stage == config.stage == "align":
            own = module.state_dict()  # heads of another number of labels start anew
            fitting = {name: w for name, w in start.weights.items() if name in own and own[name].shape == w.shape}
            module.load_state_dict(fitting, strict=False)
        else:
            module.encoder.load_state_dict(start.encoder_weights())
        module.encoder.extend(data.vocabulary)
    return module


def on_gpu(config: Config) -> bool:
    """Whether a run of this configuration would train on a CUDA device here."""
    return config.trainer.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()


def check_transform(config: Config, data: DomainDataModule) -> None:
    """Raise ConfigError where `encoder.transform` is not defined on what the corpora hold."""
    transform = config.encoder.transform
    if transform == "none":
        return
    for corpus in data.corpora:
        values = np.concatenate([window.ravel() for window in corpus.values()])
        wrong = values < 0 if transform == "sqrt" or config.data.zero_is_missing else values <= 0
        if wrong.any():
            raise ConfigError(
                f"encoder.transform is {transform}, but {corpus.path} has values like {values[wrong][0]:g}; choose another, "
                "or none"
            )


def resolve_precision(config: Config) -> str:
    """`trainer.precision`, with auto as bf16-mixed on an accelerator that has it and 32-true elsewhere."""
    if config.trainer.precision != "auto":
        return config.trainer.precision
    return "bf16-mixed" if on_gpu(config) and torch.cuda.is_bf16_supported() else "32-true"


def moving_average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """An exponential moving average that forgets its beginning: after n updates it decays by (1 + n) / (10 + n) at most."""

    def average(mean: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
        number = float(updates)
        return torch.lerp(mean, current, 1 - min(decay, (1 + number) / (10 + number)))

    return average


def build_trainer(config: Config, folder: Path, has_pairs: bool, step: int | None = None) -> L.Trainer:
    """The Trainer of a run that lives in `folder`.

    `has_pairs` tells that retrieval can choose the best checkpoint. `step` is where a run goes on: what it had logged
    from there on before it was stopped is dropped from TensorBoard's curves.
    """
    if any(word in config.trainer.strategy for word in ("fsdp", "deepspeed", "model_parallel")):
        raise ConfigError(
            f"trainer.strategy is {config.trainer.strategy!r}, which shards the weights; clipping, averaging and mining "
            "here need them whole: take ddp, the models fit one device"
        )
    align = config.stage == "align"
    monitor, mode = (PAIR_MRR, "max") if align and has_pairs else ("validation/loss", "min")
    every = config.evaluation.every_n_epochs
    signals = StopSignals()
    callbacks: list[L.Callback] = [StepRandomness(config.seed), signals, Throughput(), LearningRateMonitor("step")]
    if align:  # before the weight averaging, which takes the averaged weights away again when validation ends
        evaluation = RetrievalEvaluation()
        callbacks += [evaluation, TensorBoardPages(evaluation)]
        if config.mining.every_n_epochs is not None:
            callbacks.append(HardNegativeMining(config.mining, config.seed))
    if config.optim.ema_decay is not None:
        callbacks.append(WeightAveraging(use_buffers=False, avg_fn=moving_average(config.optim.ema_decay)))
    often = config.trainer.checkpoint_every_n_steps, config.trainer.checkpoint_every_n_minutes
    last = folder / LAST
    callbacks += [LastCheckpoint(last, signals, *often), BestCheckpoint(last.parent, monitor, mode)]
    callbacks.append(RichProgressBar() if sys.stdout.isatty() else ProgressLines())
    try:
        return L.Trainer(
            accelerator=config.trainer.accelerator,
            devices=config.trainer.devices,
            num_nodes=config.trainer.nodes,
            strategy=config.trainer.strategy,
            precision=resolve_precision(config),  # type: ignore[arg-type]
            max_epochs=config.trainer.max_epochs,
            gradient_clip_val=config.optim.gradient_clip,
            check_val_every_n_epoch=every,
            log_every_n_steps=config.trainer.log_every_n_steps,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            enable_model_summary=False,
            enable_progress_bar=sys.stdout.isatty(),
            logger=TensorBoardLogger(folder, name="", version="", default_hp_metric=False, purge_step=step),
            callbacks=callbacks,
            plugins=[AtomicCheckpointIO()],
            default_root_dir=folder,
        )
    except (ValueError, TypeError, MisconfigurationException) as error:
        raise ConfigError(f"the section trainer cannot be used here: {error}") from error


def anchor_paths(config: Config) -> None:
    """Make the paths of data and start absolute, so that a run can be evaluated from any folder."""

    def absolute(place: str) -> str:
        return str(Path(place).expanduser().absolute())

    if config.init_from is not None:
        config.init_from = absolute(config.init_from)
    data = config.data
    data.cache_dir = absolute(data.cache_dir)
    if data.root is not None:
        data.root = absolute(data.root)
    if isinstance(data.corpus, list):
        data.corpus = [absolute(place) for place in data.corpus]
    elif data.corpus is not None:
        data.corpus = absolute(data.corpus)
    rag = config.rag
    rag.retriever = None if rag.retriever is None else absolute(rag.retriever)
    rag.corpus = None if rag.corpus is None else absolute(rag.corpus)


@dataclass
class FitResult:
    """A finished run."""

    folder: Path
    metrics: dict[str, float]


def fit(config: Config, resume: str | Path | None = None, overwrite: bool = False) -> FitResult:
    """Train one stage; the run folder then holds config.yaml, checkpoints, TensorBoard events and metrics.json.

    Parameters
    ----------
    resume
        A checkpoint or a run to go on from, or "auto" for the last checkpoint of this run if there is one.
    overwrite
        Take the place of a run of the same name.

    Raises
    ------
    ConfigError, CheckpointError, CorpusError, TextEncoderError
        With nothing left behind.
    KeyboardInterrupt
        By Ctrl-C, after the step has been finished and saved; at once by a second one.
    SystemExit
        With code 75 (EX_TEMPFAIL) by SIGTERM or SIGUSR1, after the step has been finished and saved.
    """
    check_words(resume, overwrite)
    quiet_lightning()
    follow_parent()
    L.seed_everything(config.seed, workers=True, verbose=False)
    if config.trainer.accelerator == "cpu" or not torch.accelerator.is_available():
        # On several threads, gradients of indexing would be added up in another order each time.
        torch.use_deterministic_algorithms(True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    anchor_paths(config)
    start = load_start(config) if resume is None else None
    data = build_datamodule(config)
    data.prepare_data()
    domain = run_domain(data)
    folder = run_folder(config, domain)
    checkpoint = checkpoint_to_resume(resume, folder, config.stage)
    if checkpoint is None and resume is not None:
        start, overwrite = load_start(config), True
    own = checkpoint is not None and is_of_run(checkpoint, folder)
    if not own and getattr(rank_zero_only, "rank", 0) == 0:  # the others find the folder made
        check_free(folder, overwrite)  # before all the work
    known = checkpoint or start
    data.known_vocabulary = None if known is None else known.vocabulary
    data.setup("fit")
    if config.stage == "tune":
        if config.tune.task == "classify":
            check_labels(data)
        for split in ("train", "validation"):
            data.split_dataloader(split)  # says what is amiss where there is no window
        # The run's, whatever corpus it is used on.
        config.tune.lookback = data.datasets["train"][0].lookback
        if retrieves(config) and config.rag.corpus is None and len(data.corpora) == 1:
            config.rag.corpus = str(data.corpora[0].path)
    if resume is not None and checkpoint is None and read_metrics(folder):  # a run that keeps none, and has ended
        return _ended(config, folder, data)
    if config.stage == "tune" and config.tune.model in CLASSIFIERS:
        if checkpoint is not None:
            raise CheckpointError(
                f"{checkpoint.path} is nothing that the baseline {config.tune.model} could go on with"
            )
        return _fit_classifier(config, folder, data, overwrite)
    module = build_module(config, data, start)
    if isinstance(module, TuneModule) and checkpoint is not None:
        check_unchanged(module.retrieval, checkpoint.retrieval, checkpoint.path)
    if checkpoint is not None and not module.learns_by_steps:
        if not own or not read_metrics(folder):
            raise CheckpointError(
                f"{checkpoint.path} holds a model that takes no gradient steps, so there is nothing to go on with: fit it "
                "anew (without --resume; --overwrite replaces a run of the same name)"
            )
        return _ended(config, folder, data)

    has_pairs = any(any(dataset.texts) for dataset in data.datasets["validation"])
    trainer = build_trainer(config, folder, has_pairs, None if checkpoint is None else checkpoint.step)
    check_processes(trainer.world_size)
    told = []
    if checkpoint is not None:
        changes = check_resumable(checkpoint, config, data, folder, trainer.world_size)
        told = [
            f"goes on   at step {checkpoint.step}, from {checkpoint.path}",
            *(f"changed   {line}" for line in changes),
        ]
        checkpoint = dataclasses.replace(checkpoint, weights={})  # Lightning reads them anew
    if isinstance(module, TuneModule):
        module.costs = find_neighbours(data)
    if not trainer.is_global_zero:  # the processes that Lightning starts find the folder made
        return _train(config, folder, data, module, trainer, checkpoint, domain)
    with claimed(folder, overwrite, go_on=own):
        write_atomically(folder / "config.yaml", to_yaml(config))
        announce(config, folder, data, module, trainer)
        for line in told:
            print(f"  {line}", flush=True)
        return _train(config, folder, data, module, trainer, checkpoint, domain)


def _ended(config: Config, folder: Path, data: DomainDataModule) -> FitResult:
    """Say that the run in `folder`, without gradient steps, is what it can be."""
    check_finished(folder, config, data)
    print(f"done: {folder}, a model without gradient steps has nothing to go on with")
    return FitResult(folder, {})


def _fit_classifier(config: Config, folder: Path, data: DomainDataModule, overwrite: bool) -> FitResult:
    """A baseline of scikit-learn: quick and the same every time, so it is no checkpoint that is kept but its scores."""
    with claimed(folder, overwrite, go_on=False):
        began = time.perf_counter()
        scores = score_split(config, data, "validation", fit_classifiers(config, data), torch.device("cpu"))
        metrics = {
            **{f"last/{name}": value for name, value in scores.items()},
            "fit/seconds": time.perf_counter() - began,
        }
        write_atomically(folder / "config.yaml", to_yaml(config))
        write_metrics(folder, {"run/data_fingerprint": data.data_fingerprint, **metrics})
        print(f"done: {folder}")
        for name, value in metrics.items():
            print(f"  {name} {value:.4g}")
    return FitResult(folder, metrics)


def check_free(folder: Path, overwrite: bool) -> None:
    """Raise ConfigError where a new run cannot live in `folder`."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / "config.yaml").is_file():
        raise ConfigError(f"{folder} holds something else than a run; choose another run.name or run.dir")
    if not overwrite:
        raise ConfigError(
            f"the run {folder} exists; choose another run.name, go on with it (--resume auto), "
            "or replace it (--overwrite)"
        )


@contextmanager
def claimed(folder: Path, overwrite: bool, go_on: bool) -> Iterator[None]:
    """The run folder, made; taken away again if what is done inside fails before it has saved a checkpoint.

    Raises
    ------
    ConfigError
        The folder exists, and the run neither overwrites it nor goes on with it.
    """
    if not go_on:
        check_free(folder, overwrite)
    former = folder.with_name(f".{folder.name}.former")  # what is overwritten comes back if its successor fails
    if not go_on and folder.exists():
        shutil.rmtree(former, ignore_errors=True)
        folder.rename(former)
    absent = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for place in (folder, folder / "checkpoints"):
        remove_parts(place)
    try:
        yield
    except BaseException:
        if absent and not (folder / LAST).is_file():
            shutil.rmtree(folder)
            if former.exists():
                former.rename(folder)
            for parent in absent[1:]:
                with suppress(OSError):  # another run has come to live there
                    parent.rmdir()
        raise
    finally:
        shutil.rmtree(former, ignore_errors=True)


def run_domain(data: DomainDataModule) -> str:
    """The domain a run is filed under: that of its corpora, or `joint`."""
    domains = {Corpus.load(path).info.domain for path in data.corpus_paths()}
    return domains.pop() if len(domains) == 1 else "joint"


def _train(
    config: Config,
    folder: Path,
    data: DomainDataModule,
    module: StageModule,
    trainer: L.Trainer,
    checkpoint: Checkpoint | None,
    domain: str,
) -> FitResult:
    if config.trainer.compile and not (isinstance(module, TuneModule) and not module.has_encoder):
        for block in module.encoder.blocks:
            block.compile()
    try:
        if isinstance(module, TuneModule) and module.has_head and config.tune.solver != "sgd" and checkpoint is None:
            module.solved = solve_head(module, data, trainer.strategy.root_device)
        if not module.learns_by_steps:
            return _finish(config, folder, data, trainer, domain, _keep(folder, data, module, trainer))
        trainer.fit(
            module, datamodule=data, ckpt_path=None if checkpoint is None else checkpoint.path, weights_only=True
        )
        metrics = _outcome(trainer, module)
        known = read_metrics(folder)
        if checkpoint is not None and (trainer.global_step, known.get("fit/epochs")) == (
            checkpoint.step,
            metrics["fit/epochs"],
        ):
            if trainer.is_global_zero:
                print(f"done: {folder}, there was no epoch left to train")
            return FitResult(folder, {})
        result = _finish(config, folder, data, trainer, domain, metrics)
        if number := _callback(trainer, StopSignals).received:  # since the last step
            raise Stopped(number, folder / LAST)
        return result
    except Stopped as stopped:
        if trainer.is_global_zero:
            print(stopped, flush=True)
        raise _leave(trainer, stopped.signal) from None
    except SIGTERMException:  # before training had begun
        raise _leave(trainer, signal.SIGTERM) from None
    except SystemExit:  # what Lightning makes of a KeyboardInterrupt
        raise KeyboardInterrupt from None
    except Exception as error:
        if failure := end_followers(trainer):
            raise TrainingError(failure) from error
        raise


def _keep(folder: Path, data: DomainDataModule, module: StageModule, trainer: L.Trainer) -> dict[str, float]:
    """Validate and save a module that needs no gradient steps; what it has come to."""
    if isinstance(module, TuneModule) and module.config.tune.refit:  # scores on what was learned from would mislead
        trainer.limit_val_batches = 0
    trainer.validate(module, datamodule=data, verbose=False)
    for name in ("best", "last"):
        trainer.save_checkpoint((folder / LAST).with_stem(name))
    last = {name.split("/dataloader_idx")[0]: float(value) for name, value in trainer.callback_metrics.items()}
    return {
        "fit/epochs": 0.0,
        **_costs(trainer, module),
        **{f"last/{name}": value for name, value in last.items()},
    }


def _finish(
    config: Config, folder: Path, data: DomainDataModule, trainer: L.Trainer, domain: str, metrics: dict[str, float]
) -> FitResult:
    """Write and tell what a run has come to."""
    if trainer.is_global_zero:
        write_metrics(folder, {"run/data_fingerprint": data.data_fingerprint, **metrics})
        module = trainer.lightning_module
        if isinstance(module, TuneModule) and config.tune.task == "forecast":
            log_forecasts(module, data, trainer.logger.experiment, trainer.global_step)  # type: ignore[union-attr]
        log_hyperparameters(trainer, config, domain, metrics)
        print(f"done: {folder}")
        for name, value in metrics.items():
            if name.startswith(("fit/", "best/", "cv/")) or (config.stage == "tune" and name.startswith("last/")):
                print(f"  {name} {value:.4g}")
    return FitResult(folder, metrics)


def _costs(trainer: L.Trainer, module: StageModule) -> dict[str, float]:
    """Seconds and parameters; with a head in closed form, how it was chosen."""
    solved = module.solved if isinstance(module, TuneModule) else {}
    total, trained = module.parameter_counts()
    return {
        "fit/seconds": _callback(trainer, Throughput).elapsed + solved.get("fit/solve_seconds", 0.0),
        "fit/parameters": float(total),
        "fit/trained_parameters": float(trained),
        **module.costs,
        **solved,
    }


def _leave(trainer: L.Trainer, number: signal.Signals) -> BaseException:
    """What ends the process after a signal, with a code that says so."""
    if is_follower(trainer):
        return SystemExit(0)  # by any other code, Lightning has the process that started this one killed
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(os.EX_TEMPFAIL)


def _callback(trainer: L.Trainer, kind: type[Kind]) -> Kind:
    callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return next(callback for callback in callbacks if isinstance(callback, kind))


def _outcome(trainer: L.Trainer, module: StageModule) -> dict[str, float]:
    """What a run has come to, over all its sessions."""
    chooser, throughput = _callback(trainer, BestCheckpoint), _callback(trainer, Throughput)
    best, last = chooser.best_model_score, _callback(trainer, LastCheckpoint).validation
    miners = [callback for callback in trainer.callbacks if isinstance(callback, HardNegativeMining)]  # type: ignore[attr-defined]
    return {
        "fit/epochs": float(trainer.current_epoch),
        "fit/samples_per_second": throughput.samples_per_second,
        **_costs(trainer, module),
        f"best/{chooser.monitor}": float("nan") if best is None else float(best),
        **{f"last/{name}": value for name, value in sorted(last.items())},
        **{f"fit/mining_{name}": value for miner in miners for name, value in miner.cost.items()},
    }
