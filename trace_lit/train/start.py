"""What a training starts from: the checkpoint that `init_from` names, and the module of the configured stage."""

from __future__ import annotations

import numpy as np

from data_modules import DomainDataModule
from trace_lit.config import ConfigError
from trace_lit.modules import AlignModule, Checkpoint, CheckpointError, PretrainModule, load_checkpoint
from trace_lit.modules.inherit import inherited_keys
from trace_lit.modules.stage import StageModule
from trace_lit.settings import Config, to_dict
from trace_lit.tuning.build import build_tune_module


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
    differing = [
        f"{section}.{key}={there[section][key]} there, {here[section][key]} here"
        for section, key in inherited_keys(config)
        if there[section][key] != here[section][key]
    ]
    if differing:
        raise CheckpointError(
            f"init_from={config.init_from}: its model differs: {', '.join(differing)}; leave these out, or use the same"
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
    if start is not None:
        if start.stage == config.stage == "align":
            own = module.state_dict()  # heads of another number of labels start anew
            fitting = {name: w for name, w in start.weights.items() if name in own and own[name].shape == w.shape}
            module.load_state_dict(fitting, strict=False)
        else:
            module.encoder.load_state_dict(start.encoder_weights())
        module.encoder.extend(data.vocabulary)
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
