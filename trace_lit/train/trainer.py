"""The Trainer of a run, with its callbacks, logger and checkpoints."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from callbacks import (
    BestCheckpoint,
    EarlyStop,
    HardNegativeMining,
    LastCheckpoint,
    MovingAverageOfWeights,
    ProgressBar,
    ProgressLines,
    RetrievalEvaluation,
    StepRandomness,
    StopSignals,
    TensorBoardPages,
    Throughput,
)
from callbacks.retrieval_evaluation import MAIN, STATEMENTS
from data_modules import DomainDataModule
from trace_lit.config import ConfigError, build_object
from trace_lit.devices import best_device
from trace_lit.modules import AtomicCheckpointIO
from trace_lit.settings import Config, logger_entries
from trace_lit.train.loggers import split_entry

LAST = "checkpoints/last.ckpt"  # in a run's folder
LOSS = "validation/loss", "min"  # what may choose the best checkpoint, and which way
PAIRS = f"validation/{MAIN}", "max"
ANSWERS = f"validation/{STATEMENTS}", "max"


def resolve_precision(config: Config) -> str:
    """`trainer.precision`, with auto as bf16-mixed on an accelerator that has it and 32-true elsewhere."""
    if config.trainer.precision != "auto":
        return config.trainer.precision
    on_gpu = best_device(config.trainer.accelerator).type == "cuda"
    return "bf16-mixed" if on_gpu and torch.cuda.is_bf16_supported() else "32-true"


def chosen_by(config: Config, data: DomainDataModule) -> tuple[str, str]:
    """The metric that chooses the best checkpoint, and whether "max" or "min" of it.

    Of the stage align, how well texts find their windows; without texts, or where `evaluation.choose_by` says so, how well
    statements find what they are true of.

    Raises
    ------
    ConfigError
        Statements are to choose, and there are none.
    """
    if config.stage == "align":
        if any(map(len, data.held_out)):
            return ANSWERS
        if config.evaluation.choose_by == "statements":
            raise ConfigError(
                "evaluation.choose_by is statements, but none is made: set alignment.statements to 1 or more, or choose by "
                "texts; of fewer than some tens of windows nothing can be stated"
            )
        if any(any(dataset.texts) for dataset in data.datasets["validation"]):
            return PAIRS
    return LOSS


def build_trainer(config: Config, folder: Path, chosen: tuple[str, str]) -> L.Trainer:
    """The Trainer of a run that lives in `folder`, still without loggers, which may write as soon as they are built.

    The best checkpoint is `chosen` by a metric, see `chosen_by`.
    """
    if any(word in config.trainer.strategy for word in ("fsdp", "deepspeed", "model_parallel")):
        raise ConfigError(
            f"trainer.strategy is {config.trainer.strategy!r}, which shards the weights; clipping, averaging and mining "
            "here need them whole: take ddp, the models fit one device"
        )
    align = config.stage == "align"
    monitor, mode = chosen
    every = config.evaluation.every_n_epochs
    signals = StopSignals()
    callbacks: list[L.Callback] = [StepRandomness(config.seed), signals, Throughput()]
    if logger_entries(config):
        callbacks.append(LearningRateMonitor("step"))
    if align:  # before the weight averaging, which takes the averaged weights away again when validation ends
        evaluation = RetrievalEvaluation()
        callbacks += [evaluation, TensorBoardPages(evaluation)]
        if config.mining.every_n_epochs is not None:
            callbacks.append(HardNegativeMining(config.mining, config.seed))
    callbacks += [_own_callback(entry) for entry in config.callbacks]
    if config.trainer.early_stopping is not None:
        callbacks.append(_early_stop(config.trainer.early_stopping, monitor, mode))
    if config.optim.ema_decay is not None:
        callbacks.append(MovingAverageOfWeights(config.optim.ema_decay))
    often = config.trainer.checkpoint_every_n_steps, config.trainer.checkpoint_every_n_minutes
    last = folder / LAST
    callbacks += [LastCheckpoint(last, signals, *often), BestCheckpoint(last.parent, monitor, mode)]
    callbacks.append(ProgressBar() if sys.stdout.isatty() else ProgressLines())
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
            logger=False,
            callbacks=callbacks,
            plugins=[AtomicCheckpointIO()],
            default_root_dir=folder,
            **config.trainer.extra,
        )
    except (ValueError, TypeError, MisconfigurationException) as error:
        raise ConfigError(f"the section trainer cannot be used here: {error}") from error


def _own_callback(entry: Any) -> L.Callback:
    """A callback of the user's, an entry of `callbacks`."""
    path, options = split_entry(entry)
    return build_object(path, L.Callback, "callbacks", options=options)


def _early_stop(options: Mapping[str, Any], monitor: str, mode: str) -> EarlyStop:
    """What `trainer.early_stopping` asks for; it looks at what chooses the best checkpoint, unless that says otherwise."""
    try:
        return EarlyStop(**{"monitor": monitor, "mode": mode, **options})
    except TypeError as error:
        raise ConfigError(
            f"trainer.early_stopping is {dict(options)}; it takes monitor, mode, patience, min_delta and what else "
            f"Lightning's EarlyStopping does: {error}"
        ) from None
