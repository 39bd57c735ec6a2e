"""The state of the process that trains: set for a run, and put back when it has ended."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import lightning as L
import torch
from lightning.pytorch.utilities.seed import isolate_rng

from trace_lit.devices import best_device
from trace_lit.settings import Config
from trace_lit.threads import free_threads
from trace_lit.train.processes import FIRST

# On the normal path, Lightning warns of what is meant to be so.
_EXPECTED = (
    # Batches are made by tensor indexing, so workers would only copy them.
    r".*does not have many workers.*",
    r".*The number of training batches .* is smaller than the logging interval.*",
    r".*Checkpoint directory .* exists and is not empty.*",
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated.*",
    # Metrics are gathered before; losses are shares.
    r".*It is recommended to use `self.log\(.*sync_dist=True\)`.*",
    # Those of a frozen forecaster.
    r".*module\(s\) in eval mode at the start of training.*",
    # It is: the DataModule gives the sampler the place to resume from.
    r".*your dataloader is not resumable.*",
)
_LEVELS = {
    "lightning.pytorch": logging.WARNING,
    "lightning.fabric": logging.WARNING,
    "lightning.fabric.strategies.launchers.subprocess_script": logging.INFO,  # it reports processes that die
    "tensorboard": logging.ERROR,
}
_SEED_VARIABLES = ("PL_GLOBAL_SEED", "PL_SEED_WORKERS")


@contextmanager
def training_process(config: Config) -> Iterator[None]:
    """Seed all generators, choose deterministic algorithms on the CPU and quiet Lightning; all is put back at the end.

    On several threads, gradients of indexing would be added up in another order each time.
    """
    levels = {name: logging.getLogger(name).level for name in _LEVELS}
    variables = {name: os.environ.get(name) for name in (*_SEED_VARIABLES, FIRST)}
    if int(os.environ.get("LOCAL_RANK", "0")) == 0:
        os.environ[FIRST] = str(os.getpid())
    deterministic, only_warns = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    threads = torch.get_num_threads()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    with warnings.catch_warnings(), isolate_rng():
        for name, level in _LEVELS.items():
            logging.getLogger(name).setLevel(level)
        for message in _EXPECTED:
            warnings.filterwarnings("ignore", message)
        L.seed_everything(config.seed, workers=True, verbose=False)
        if config.trainer.accelerator == "cpu" or not torch.accelerator.is_available():
            torch.use_deterministic_algorithms(True)
            torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        try:
            with _told_once():
                yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(deterministic, warn_only=only_warns)
            torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
            for name, value in variables.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


@contextmanager
def _told_once() -> Iterator[None]:
    """Let no thread print an error of the disk: TensorBoard's writer hands it to the process, which tells of it."""
    usual = threading.excepthook

    def told(failure: threading.ExceptHookArgs) -> None:
        if not (isinstance(failure.exc_value, OSError) and type(failure.thread).__name__ == "_AsyncWriterThread"):
            usual(failure)

    threading.excepthook = told
    try:
        yield
    finally:
        threading.excepthook = usual


def settle_threads(config: Config, before: Config | None) -> list[str]:
    """Compute with `trainer.threads`; where it is null, with as many as `before`, if a run goes on, or as are free.

    Returns what to announce where they are fewer than there could be.
    """
    trainer, most = config.trainer, torch.get_num_threads()
    if best_device(trainer.accelerator).type != "cpu" or trainer.devices not in (1, "1") or trainer.nodes > 1:
        return []  # Lightning and torchrun give processes beside each other their threads
    if trainer.threads is None and before is not None:
        trainer.threads = before.trainer.threads and min(before.trainer.threads, most)  # it may be another machine
    if trainer.threads is None:
        trainer.threads = free_threads()
    torch.set_num_threads(trainer.threads)
    if trainer.threads >= most:
        return []
    return [f"threads   {trainer.threads} of {most}: cores with other work are left to it (trainer.threads)"]
