"""The state of the process that trains: set for a run, and put back when it has ended."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import lightning as L
import torch
from lightning.pytorch.utilities.seed import isolate_rng

from trace_lit.settings import Config

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
    variables = {name: os.environ.get(name) for name in _SEED_VARIABLES}
    deterministic, only_warns = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
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
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic, warn_only=only_warns)
            torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
            for name, value in variables.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
