"""Modules without a Trainer: a step is a function of a batch, and what it logs is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from tests.batches import make_vocabulary
from trace_lit.modules import AlignModule, PretrainModule, TuneModule
from trace_lit.settings import Config, load_config

SMALL = ("encoder={width: 16, layers: 1, heads: 2, dropout: 0.0}",)


def config_of(*words: str) -> Config:
    return load_config([], [*SMALL, *words])


class _Alone:
    progress = 0.0

    def log(self, name: str, value: Any, **_: Any) -> None:
        self.logged = {**getattr(self, "logged", {}), name: float(torch.as_tensor(value).detach())}

    def log_dict(self, values: Mapping[str, Any], **_: Any) -> None:
        for name, value in values.items():
            self.log(name, value)


class AlonePretrain(_Alone, PretrainModule):
    pass


class AloneAlign(_Alone, AlignModule):
    pass


def pretraining(*words: str) -> AlonePretrain:
    torch.manual_seed(0)
    module = AlonePretrain(config_of(*words), make_vocabulary())
    module.setup("fit")
    return module


def alignment(*words: str, labels: int = 3) -> AloneAlign:
    torch.manual_seed(0)
    module = AloneAlign(config_of("stage=align", *words), make_vocabulary(), labels)
    module.setup("fit")
    return module


class AloneTune(_Alone, TuneModule):
    pass


def tuning(*words: str, lookback: int = 24, labels: Sequence[int] = (4, 1, 1)) -> AloneTune:
    """`labels` counts the training windows of each; for forecasts there are none."""
    torch.manual_seed(0)
    config = config_of("stage=tune", *words)
    counts = labels if config.tune.task == "classify" else ()
    module = AloneTune(config, make_vocabulary(), 8, lookback, counts)
    module.prepare()
    module.setup("fit")
    return module
