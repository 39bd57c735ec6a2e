"""What a run checks and announces when it starts, and what its loggers compare runs by."""

from __future__ import annotations

import os
from pathlib import Path

import lightning as L
import torch

from data_modules import DomainDataModule
from trace_lit.config import ConfigError
from trace_lit.escapes import say
from trace_lit.models import model_entry
from trace_lit.modules.optim import scaled_learning_rate
from trace_lit.modules.stage import StageModule
from trace_lit.settings import Config
from trace_lit.text import CachedTextEncoder
from trace_lit.train.tensorboard import RunPages, session_settings
from trace_lit.tuning.neighbours import retrieval_in_words


def check_processes(world_size: int) -> None:
    """Raise ConfigError where torchrun or srun has started another number of processes than the Trainer will use."""
    started = os.environ.get("SLURM_STEP_NUM_TASKS", "1")
    if "TORCHELASTIC_RUN_ID" in os.environ:
        started = os.environ["WORLD_SIZE"]
    if int(started) not in (1, world_size):
        raise ConfigError(
            f"{started} processes were started, but trainer.devices × trainer.nodes is {world_size}; set trainer.nodes to "
            "the number of machines, and trainer.devices to the number of processes on each"
        )


def announce(config: Config, folder: Path, data: DomainDataModule, module: StageModule, trainer: L.Trainer) -> None:
    """Say what starts."""
    if not trainer.is_global_zero:
        return
    sizes = [len(dataset) for dataset in data.datasets["train"]]
    rows = ", ".join(f"{name} {size}" for name, size in zip(data.corpus_names, sizes, strict=True))
    say(f"{config.stage} → {folder}")
    say(f"  data      {rows} training windows, fingerprint {data.data_fingerprint[:12]}")
    if isinstance(data.text, CachedTextEncoder):
        say(f"  texts     {data.text.stats.describe()}, encoder {config.text.name}")
    total, trained = module.parameter_counts()
    start = config.init_from or "random"
    say(f"  model     {total:,} parameters, {trained:,} of them trained, start {start}, seed {config.seed}")
    processes = trainer.world_size
    accumulated = config.trainer.accumulated
    batch = config.data.batch_size * processes * accumulated
    say(f"  device    {_devices(trainer)}, precision {trainer.precision}, global batch {batch}", end="")
    factors = [
        config.data.batch_size,
        *([processes] if processes > 1 else []),
        *([accumulated] if accumulated > 1 else []),
    ]
    say(f" = {' × '.join(map(str, factors))}" if len(factors) > 1 else "")
    if module.learns_by_steps:
        say(f"  rate      {learning_rate_in_words(config, batch)}")
    if config.stage == "tune":
        say(f"  tunes     {tuning_in_words(config)}")
    if words := retrieval_in_words(config, data):
        say(f"  retrieves {words}")
    if config.stage == "align":
        contrasted = config.data.batch_size * processes  # batches that make a step together are contrasted each alone
        say(f"  negatives {negatives_in_words(config, min(contrasted, max(sizes)) - 1)}")
    say(end="", flush=True)


def _devices(trainer: L.Trainer) -> str:
    device = trainer.strategy.root_device
    name = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    words = f"{device.type} × {trainer.world_size}{name}"
    if trainer.num_nodes > 1:
        words += f" on {trainer.num_nodes} machines"
    return words if trainer.world_size == 1 else f"{words}, strategy {type(trainer.strategy).__name__}"


def learning_rate_in_words(config: Config, batch: int) -> str:
    """The learning rate for a global batch of `batch` windows, and how it comes from the configured one."""
    optim = config.optim
    rate = scaled_learning_rate(optim, batch)
    if optim.scale_learning_rate == "none":
        return f"{rate:.4g}, whatever the batch"
    root = "√" if optim.scale_learning_rate == "sqrt" else ""
    ratio = f"{root}({batch} / {optim.base_batch})"
    return f"{rate:.4g} = {optim.learning_rate:.4g} × {ratio}, {optim.scale_learning_rate} scaling with the batch"


def tuning_in_words(config: Config) -> str:
    """What is tuned, for which task and how."""
    tune, horizon = config.tune, config.window.horizon
    what = f"{tune.task}, {horizon} steps ahead" if tune.task == "forecast" else tune.task
    if tune.model != "trace":
        kind = {"frozen": "frozen forecaster", "own": "model"}.get(model_entry(tune.model).kind, "baseline")
        return f"{what}; the {kind} {tune.model}"
    solvers = {
        "ridge": "in closed form",
        "ridge+sgd": "from the closed form on",
        "sgd": "by gradient steps",
        "combination": "members combined",
    }
    words = f"{what}; {tune.scope}, {solvers[config.head.solver]}"
    if tune.scope != "head":
        words += f", the encoder at {tune.encoder_rate:g} of the rate"
    if tune.alignment_weight:
        words += f"; alignment is kept, with weight {tune.alignment_weight:g}"
    return words


def negatives_in_words(config: Config, others: int) -> str:
    """How many negatives an anchor has; `others` is how many instances a batch holds beside it."""
    alignment, mining = config.alignment, config.mining
    count, share = alignment.negatives, alignment.all_negatives_share
    words = f"{others} an anchor, all others of the batch"
    if count is not None and count < others and share < 1.0:
        words += f", for {share:.0%} of the run; then ever fewer, the {count} hardest at its end"
    if mining.every_n_epochs is not None:
        times = "every epoch" if mining.every_n_epochs == 1 else f"every {mining.every_n_epochs} epochs"
        words += f"; mined {times} from epoch {mining.first_epoch + 1} on"
        words += f", up to {mining.negatives} from outside of the batch" if mining.cached else ""
    return words


def log_hyperparameters(trainer: L.Trainer, config: Config, domain: str) -> None:
    """Give each logger what it compares runs by."""
    settings = session_settings(config, domain)
    for logger in trainer.loggers:
        if isinstance(logger, RunPages):
            logger.log_session(settings)
        else:
            logger.log_hyperparams(settings)
        logger.finalize("success")
