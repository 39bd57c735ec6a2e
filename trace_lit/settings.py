"""`Config`: all sections of a run together, and the few rules across them.

`load_config(["experiments/weather/align.yaml"], ["seed=1"])` merges the defaults, the files and the words, left to right.
A section's dataclass lives beside the component that it configures, and those of the whole run in `trace_lit.sections`. The
defaults are those of TRACE §4.1.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from data_modules.config import DataConfig, WindowConfig
from trace_lit.alignment.config import AlignmentConfig, MiningConfig
from trace_lit.config import (
    ConfigError,
    check_section,
    from_plain,
    is_class_path,
    merge_layers,
    option,
    to_plain,
)
from trace_lit.encoder.config import EncoderConfig, HeadConfig, PretrainConfig
from trace_lit.models import BACKBONES, MODELS, RETRIEVED_MEAN, model_entry
from trace_lit.plain import is_plain_name
from trace_lit.rag.config import SHAPE, RagConfig
from trace_lit.renamed import renamed
from trace_lit.retrieval.config import EvaluationConfig
from trace_lit.sections import OptimConfig, RunConfig, TrainerConfig, TuneConfig
from trace_lit.text.config import TextConfig

STAGES = ("pretrain", "align", "tune")
_WITHOUT_HEAD = ("baseline", "classifier", "retrieved", "own")  # kinds of models
LOGGERS = ("tensorboard", "csv", "wandb", "mlflow")


@dataclass
class Config:
    """What a run is."""

    stage: str = option("pretrain", "1: pretrain, 2: align, 3: tune", allowed=STAGES)
    seed: int = option(0, "seed of all random numbers", at_least=0)
    init_from: str | None = option(
        None, "a run folder or a checkpoint whose encoder is the start; its encoder and text settings come along"
    )
    by_frequency: dict[str, Any] = option(
        {},
        "settings for corpora whose steps are of a unit (hour, day, …) and whose series are that long, in place of those "
        "that are not given, like {week: {0: {window: {season: 52}}}}; a run's own file has them in their places",
    )
    callbacks: list[Any] = option(
        [], "further Lightning callbacks, like [{class: my:Callback, key: value}]", class_path=True
    )
    logger: Any = option(
        "tensorboard",
        "tensorboard, csv, wandb, mlflow, a class, or {class: one of these, key: value}; several at once as a list; "
        "[]: none",
        class_path=True,
    )
    run: RunConfig = field(default_factory=RunConfig)
    data: DataConfig = field(default_factory=DataConfig)
    text: TextConfig = field(default_factory=TextConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    pretrain: PretrainConfig = field(default_factory=PretrainConfig)
    alignment: AlignmentConfig = field(default_factory=AlignmentConfig)
    mining: MiningConfig = field(default_factory=MiningConfig)
    window: WindowConfig = field(default_factory=WindowConfig)
    head: HeadConfig = field(default_factory=HeadConfig)
    tune: TuneConfig = field(default_factory=TuneConfig)
    rag: RagConfig = field(default_factory=RagConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)


def load_config(
    paths: Sequence[str | Path] = (), overrides: Sequence[str] = (), base: Mapping[str, Any] | None = None
) -> Config:
    """Merge the defaults, the YAML files and the `key=value` words, left to right.

    `base` has values, in nested plain types, that take the place of defaults.

    Raises
    ------
    ConfigError
        A file cannot be read, a key does not exist, a value has the wrong type or is not allowed.

    Examples
    --------
    >>> load_config([], ["encoder.width=64", "encoder.heads=4"]).encoder.width
    64
    """
    if isinstance(paths, str | Path) or isinstance(overrides, str):
        given = paths if isinstance(paths, str | Path) else overrides
        raise ConfigError(f"load_config takes a list of files and a list of key=value words; write [{str(given)!r}]")
    config = merge_layers(Config, paths, overrides, renamed)
    check(config)
    return config


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """YAML files, and `key=value` words; a word with "=" in it is a file where there is one of that name."""
    paths = [word for word in words if "=" not in word or os.path.isfile(word)]
    return paths, [word for word in words if word not in paths]


def to_yaml(config: Config) -> str:
    """The configuration as YAML, every default included; `load_config` reads it back."""
    return OmegaConf.to_yaml(OmegaConf.create(to_plain(config)))


def to_dict(config: Config) -> dict[str, Any]:
    """The configuration as nested plain types, for checkpoints."""
    return to_plain(config)


def from_dict(values: dict[str, Any]) -> Config:
    """The inverse of `to_dict`, of those that earlier versions wrote, too."""
    return from_plain(Config, renamed(values))


def combines_texts(config: Config) -> bool:
    """Whether a run of the stage tune has a combination of which members read the windows' texts."""
    return config.head.solver == "combination" and (config.tune.task == "classify" or config.head.texts)


def retrieves(config: Config) -> bool:
    """Whether a run of the stage tune looks for neighbours."""
    return config.rag.mode != "none" or config.rag.use_futures or config.tune.model == RETRIEVED_MEAN


def check(config: Config) -> None:
    """Raise ConfigError where a value is not allowed, or two do not go together."""
    check_section("", config)
    for section in ("encoder", "head", "alignment", "mining", "window", "rag"):
        getattr(config, section).check()
    if config.seed >= 2**32:
        raise ConfigError(f"seed is {config.seed}; it must be below 2**32")
    if config.data.random_offset and config.stage == "align":
        raise ConfigError(
            "data.random_offset is true in stage align; a window that has moved is no longer what its text describes: "
            "keep it for stage pretrain"
        )
    if not is_plain_name(config.run.name):
        raise ConfigError(
            f"run.name is {config.run.name!r}; it must be the plain name of a folder, like first or sweep-3; "
            "run.dir says where that lies"
        )
    for key, entries in (("callbacks", config.callbacks), ("logger", logger_entries(config))):
        for entry in entries:
            _check_entry(key, entry)
    if not config.trainer.max_epochs and not (config.stage == "align" and config.alignment.statement_steps):
        raise ConfigError(
            "trainer.max_epochs is 0, which leaves nothing to train; set it to 1 at least, or take steps on statements in "
            "stage align (alignment.statement_steps)"
        )
    _check_model(config)
    if config.stage == "tune":
        _check_tuning(config)
        _check_ignored(config)


def logger_entries(config: Config) -> list[Any]:
    """The loggers asked for, one an entry."""
    return config.logger if isinstance(config.logger, list) else [] if config.logger is None else [config.logger]


def _check_entry(key: str, entry: Any) -> None:
    """An entry of `callbacks` or `logger` names a class, or maps `class` to it beside its arguments."""
    named = LOGGERS if key == "logger" else ()
    name = entry.get("class") if isinstance(entry, dict) else entry
    if name not in named and not is_class_path(name):
        allowed = ", ".join([*map(repr, named), "'package.module:Class'"])
        raise ConfigError(
            f"{key} has {entry!r}; each of it must be {allowed}, or {{class: one of these, key: value, …}} with arguments"
        )


def _check_model(config: Config) -> None:
    """Task, model, solver and scope go together."""
    tune, head = config.tune, config.head
    models = tuple(name for name, known in MODELS.items() if tune.task in known.tasks)
    entry = model_entry(tune.model)
    frozen = tune.model in BACKBONES
    for fits, message in (
        (
            tune.task in entry.tasks,
            f"tune.model is {tune.model!r}; of tune.task={tune.task} it must be one of {', '.join(map(repr, models))}",
        ),
        (
            not tune.options or entry.kind == "own",
            f"tune.options is {tune.options}, but tune.model is {tune.model}; they are for a class of your own, "
            "'package.module:Class'",
        ),
        (
            tune.scope == "head"
            or head.solver not in ("ridge", "combination")
            or config.stage != "tune"
            or tune.model != "trace",
            f"tune.scope is {tune.scope!r}, but head.solver {head.solver} solves the head alone; set it to ridge+sgd or sgd",
        ),
        (
            head.solver != "combination"
            or config.stage != "tune"
            or entry.kind == "encoder"
            or (tune.task == "forecast" and entry.kind == "frozen"),
            f"head.solver is combination, which goes with tune.model=trace, or to forecast with {', '.join(BACKBONES)}; of "
            f"tune.task={tune.task} and tune.model={tune.model} it must be another",
        ),
        (
            not frozen or tune.scope == "head",
            f"tune.scope is {tune.scope!r}, but the forecaster of tune.model={tune.model} stays frozen; set it to head",
        ),
        (
            tune.backbone is None or frozen,
            f"tune.backbone is {tune.backbone!r}, but tune.model is {tune.model}; it is for {', '.join(BACKBONES)}",
        ),
        (
            head.solver != "none" or (frozen and config.rag.mode == "none" and not config.rag.use_futures),
            "head.solver is none, which takes the forecasts that a model makes by itself: that can be one of "
            f"{', '.join(BACKBONES)}, without what rag.mode and rag.use_futures give to a head",
        ),
        (
            not tune.alignment_weight or (tune.model == "trace" and tune.scope != "head"),
            f"tune.alignment_weight is {tune.alignment_weight}, but nothing of an encoder is tuned: take tune.model=trace "
            "with another tune.scope than head, or set it to 0",
        ),
    ):
        if not fits:
            raise ConfigError(message)


def _check_tuning(config: Config) -> None:
    """Neighbours need a retriever, and a head that sees them."""
    tune, rag = config.tune, config.rag
    if rag.retriever is None and retrieves(config):
        by = (
            "tune.model=retrieved_mean" if tune.model == RETRIEVED_MEAN else "what rag.mode and rag.use_futures ask for"
        )
        raise ConfigError(f"rag.retriever is null, and {by} needs one: name a run of stage align, or {SHAPE}")
    if rag.retriever == SHAPE and rag.mode != "none":
        raise ConfigError(
            f"rag.mode is {rag.mode}, but rag.retriever is {SHAPE}, which has no vectors for a prompt; name a run of stage "
            "align, or leave rag.mode at none and set rag.use_futures=true"
        )
    if model_entry(tune.model).kind in _WITHOUT_HEAD and (rag.mode != "none" or rag.use_futures):
        raise ConfigError(
            f"tune.model is {tune.model}, which has no head to give the neighbours to; "
            "leave rag.mode at none and rag.use_futures at false"
        )


def _check_ignored(config: Config) -> None:
    """Raise ConfigError where something is set that the stage tune, as it is configured, would not look at."""
    tune, head = config.tune, config.head
    entry = model_entry(tune.model)
    baseline = entry.kind in _WITHOUT_HEAD
    untrained = not entry.learns
    solved = not baseline and head.solver in ("ridge", "combination", "none")
    here, usual = to_dict(config), to_dict(Config())
    of_forecasts = (
        "window.split",
        "head.calendar",
        "head.penalise",
        "window.augmentation_scales",
        "window.targets",
        "head.quantiles",
        "tune.loss",
    )
    learned = ("window.augmentation_scales", "head.refit")
    for applies, by, keys in (
        (True, "stage tune, which takes all windows of training where they are", ("data.jitter", "data.random_offset")),
        (tune.task == "classify", "tune.task=classify", of_forecasts),
        (baseline, f"tune.model={tune.model}, which has no head of ours", learned),
        (head.solver == "none", "head.solver=none, which learns nothing", learned),
        (bool(head.quantiles), "head.quantiles, which are learned by their pinball loss", ("tune.loss",)),
        (
            head.solver == "combination",
            "head.solver=combination, which has these by itself",
            ("window.augmentation_scales", "head.calendar", "head.penalise", "head.penalties"),
        ),
        (untrained, f"tune.model={tune.model}, which learns nothing", ("tune.loss",)),
        (solved, f"head.solver={head.solver}, which takes no gradient steps", ("tune.loss",)),
    ):
        for key in keys:
            section, name = key.split(".")
            value, default = here[section][name], usual[section][name]
            if applies and value != default:
                least = json.dumps(default).strip('"')
                raise ConfigError(f"{key} is {value!r}, which would be ignored by {by}; set {key}={least}")
