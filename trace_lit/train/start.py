"""What a training starts from: the checkpoint that `init_from` names, and the module of the configured stage."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np

from data_modules import DomainDataModule
from trace_lit.config import ConfigError, check_own, given_keys
from trace_lit.modules import AlignModule, Checkpoint, CheckpointError, PretrainModule, load_checkpoint
from trace_lit.modules.checkpoint import fitting as weights_of
from trace_lit.modules.stage import StageModule
from trace_lit.settings import Config, check
from trace_lit.tuning.build import build_tune_module

# What comes along with a start, where nothing else is given, and what must be as it is there.
BROUGHT = ("encoder", "text")
_OF_MACHINE = ("text.batch_size", "text.device", "text.cache_dir")
_MAY_DIFFER = ("encoder.dropout", "text.unit", "text.precision")
_ALIGNED = tuple(
    f"alignment.{name}"
    for name in ("heads", "channel_score", "fusion", "tower", "text_layers", "silence", "numbers", "statistics")
)


def load_start(config: Config, trust: bool = False) -> Checkpoint | None:
    """The checkpoint that `init_from` names; `config` gets its encoder and text settings where it has none of its own.

    Classes that the checkpoint names are imported only with `trust`, unless the configuration names the same.

    Raises
    ------
    CheckpointError
        It cannot be used, or its encoder, its text encoder or the alignment that is kept is another than what is asked for.
    ConfigError
        The alignment of no run is to be kept; what an aligned run has learned would be lost; or the checkpoint brings a
        class along that is not to be trusted.
    """
    if config.init_from is None:
        if config.stage == "tune" and config.tune.alignment_weight:
            raise ConfigError(
                f"tune.alignment_weight is {config.tune.alignment_weight}, but init_from is null: start from an aligned run"
            )
        return None
    start = load_checkpoint(config.init_from, "pretrain" if config.stage == "pretrain" else None, trust)
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
    bring_along(config, start.config)
    fixed = [key for key in _brought(start.config, config) if key not in (*_MAY_DIFFER, *_ALIGNED)]
    if keeps_aligned:
        fixed += ["text.unit", *_ALIGNED]
    differing = [
        f"{key}={_value(start.config, key)} there, {_value(config, key)} here"
        for key in fixed
        if _value(start.config, key) != _value(config, key)
    ]
    if differing:
        raise CheckpointError(
            f"init_from={config.init_from}: its model differs: {', '.join(differing)}; leave out what comes along with it, "
            "or use the same settings"
        )
    check(config)
    for key in ("encoder.name", "text.name"):
        check_own(_value(config, key), key)
    return start


def bring_along(config: Config, start: Config) -> None:
    """Give `config` the encoder and text settings of `start`, and the form of its alignment, where it has none of its own.

    What files, words or a caller in Python have given stays as it is.
    """
    given = given_keys(config)
    for key in _brought(start, config):
        if not any(own == key or own.startswith(f"{key}.") for own in given):
            section, name = key.split(".")
            setattr(getattr(config, section), name, copy.deepcopy(_value(start, key)))


def _brought(start: Config, config: Config) -> list[str]:
    """The dotted keys that come along with `start`."""
    keys = [f"{section}.{field.name}" for section in BROUGHT for field in dataclasses.fields(getattr(config, section))]
    aligned = start.stage == "align" or bool(start.tune.alignment_weight)
    kept = config.stage == "align" or bool(config.tune.alignment_weight)
    return [key for key in keys if key not in _OF_MACHINE] + list(_ALIGNED if aligned and kept else ())


def _value(config: Config, key: str) -> Any:
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


def build_module(config: Config, data: DomainDataModule, start: Checkpoint | None, trust: bool = False) -> StageModule:
    """The module of the configured stage, its encoder (or all of it) taken from `start` where there is one.

    Classes that the run `rag.retriever` names are imported only with `trust`.

    Raises
    ------
    ConfigError
        Classification is asked for, and the corpora have no labels.
    """
    check_transform(config, data)
    if config.stage == "tune":
        return build_tune_module(config, data, start, trust)
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
            module.starts_aligned = True
        else:
            with weights_of(start.path):
                module.encoder.load_state_dict(start.encoder_weights())
        module.encoder.extend(data.vocabulary)
    if isinstance(module, AlignModule) and data.vocabularies:
        module.use_usual(data.vocabularies, [len(dataset) for dataset in data.datasets["train"]])
    return module


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
