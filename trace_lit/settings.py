"""`Config`: all sections of a run together, and the few rules across them.

`load_config(["experiments/weather/align.yaml"], ["seed=1"])` merges the defaults, the files and the words, left to right.
A section's dataclass lives beside the component that it configures; here are those of what stands above: the run, the
optimiser, the Trainer and the tuning. The defaults are those of TRACE §4.1.
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
from trace_lit.rag.config import RagConfig
from trace_lit.renamed import renamed
from trace_lit.retrieval.config import EvaluationConfig
from trace_lit.text.config import TextConfig

STAGES = ("pretrain", "align", "tune")
_WITHOUT_HEAD = ("baseline", "classifier", "retrieved", "own")  # kinds of models
PRECISIONS = ("auto", "32-true", "32", "bf16-mixed", "bf16", "16-mixed", "16")
LOGGERS = ("tensorboard", "csv", "wandb", "mlflow")
# What may not stand in trainer.extra, and what does it instead.
TRAINER_KEYS = {
    **{name: f"trainer.{name}" for name in ("accelerator", "devices", "strategy", "precision", "max_epochs")},
    "log_every_n_steps": "trainer.log_every_n_steps",
    "num_nodes": "trainer.nodes",
    "gradient_clip_val": "optim.gradient_clip",
    "gradient_clip_algorithm": "optim.gradient_clip, a norm",
    "check_val_every_n_epoch": "evaluation.every_n_epochs",
    "val_check_interval": "evaluation.every_n_epochs",
    "callbacks": "callbacks",
    "logger": "logger",
    "default_root_dir": "run.dir",
    "max_steps": "trainer.max_epochs, by which the schedule is counted",
    "fast_dev_run": "trainer.max_epochs=1 and trainer.extra={limit_train_batches: 2}",
    **dict.fromkeys(
        (
            "enable_checkpointing",
            "enable_model_summary",
            "enable_progress_bar",
            "num_sanity_val_steps",
            "plugins",
            "reload_dataloaders_every_n_epochs",
            "use_distributed_sampler",
        ),
        "nothing: every run needs it as it is",
    ),
}


@dataclass
class RunConfig:
    """Where a run lives: `<dir>/<domain>/<stage>/<name>/`."""

    dir: str = option("runs", "the folder of all runs")
    name: str = option("default", "the name of the run and of its folder")


@dataclass
class TuneConfig:
    """Forecasting and classification with the encoder, TRACE §4.3 and §4.4; what is not in the paper says so."""

    task: str = option("forecast", "forecast, or classify: the labels of the rows", allowed=("forecast", "classify"))
    model: str = option(
        "trace",
        "the encoder under a head, a baseline, a classifier, a frozen forecaster, or another Forecaster or Classifier",
        allowed=tuple(MODELS),
        class_path=True,
    )
    options: dict[str, Any] = option({}, "arguments for a model of your own, by name")
    backbone: str | None = option(
        None, "a frozen forecaster's folder or name on the hub; null: the usual one", hub=True
    )
    scope: str = option(
        "head",
        "what is trained: the head, also the channels' tokens, low-rank adapters on attention, or everything",
        allowed=("head", "head+tokens", "lora", "full"),
    )
    loss: str = option(
        "mse",
        "the loss of gradient steps; it compares changes in standard deviations of the channel",
        allowed=("mse", "mae", "huber"),
    )
    class_weights: float = option(
        1.0, "rare labels count more, by their rarity to this power; 0: all count alike", at_least=0
    )
    encoder_rate: float = option(0.1, "learning rate of the encoder, as a share of the head's", at_least=0)
    lora_rank: int = option(8, "rank of the adapters", at_least=1)
    alignment_weight: float = option(
        0.0, "weight of the contrast between windows and their texts, kept while tuning; not in the paper", at_least=0
    )


@dataclass
class OptimConfig:
    """AdamW, linear warm-up, cosine decay, or others."""

    name: str = option("adamw", "adamw, or another torch Optimizer", allowed=("adamw",), class_path=True)
    options: dict[str, Any] = option({}, "further arguments of the optimiser, by name")
    schedule: str = option(
        "warmup_cosine",
        "the learning rate over the steps: warmup_cosine, another Schedule, or a scheduler of torch",
        allowed=("warmup_cosine",),
        class_path=True,
    )
    schedule_options: dict[str, Any] = option({}, "arguments of the schedule, by name")
    learning_rate: float = option(
        1e-3, "the highest learning rate; with scale_learning_rate, the one for a global batch of base_batch", above=0
    )
    scale_learning_rate: str = option(
        "none", "how the learning rate grows with the global batch", allowed=("none", "linear", "sqrt")
    )
    base_batch: int = option(128, "the global batch that learning_rate was chosen for", at_least=1)
    weight_decay: float = option(0.05, "weight decay of matrices; norms, biases and tokens do not decay", at_least=0)
    betas: tuple[float, float] = option((0.9, 0.98), "the two decay rates of AdamW", at_least=0, below=1)
    warmup_share: float = option(0.1, "share of all steps in which the learning rate rises", at_least=0, at_most=1)
    final_share: float = option(0.01, "share of the learning rate that is left at the end", at_least=0, at_most=1)
    gradient_clip: float = option(1.0, "largest norm of the gradient", above=0)
    ema_decay: float | None = option(
        None, "exponential moving average of the weights, used for evaluation; null: none", at_least=0, below=1
    )


@dataclass
class TrainerConfig:
    """How and where a run is trained; words as in Lightning."""

    accelerator: str = option("auto", "auto, cpu, gpu, …")
    devices: Any = option(1, "the number of devices, or a list of their numbers")
    nodes: int = option(1, "machines", at_least=1)
    threads: int | None = option(
        None,
        "threads that a single process computes with on the CPU, on which roundings depend; null: as many as there are "
        "cores without other work when the run begins",
        at_least=1,
    )
    strategy: str = option("auto", "auto, ddp, ddp_spawn, …; those that shard the weights are refused")
    precision: str = option("auto", "auto: bf16-mixed where the accelerator has it, else 32-true")
    max_epochs: int = option(
        50, "epochs in all; 0, of stage align, where steps on statements are all there is", at_least=0
    )
    compile: bool = option(False, "compile the encoder's blocks")
    log_every_n_steps: int = option(10, "steps between two points of a curve", at_least=1)
    checkpoint_every_n_steps: int | None = option(
        None, "within an epoch, besides the checkpoint at its end; null: not by steps", at_least=1
    )
    checkpoint_every_n_minutes: float | None = option(
        10.0, "minutes between two checkpoints within an epoch; null: not by time", above=0
    )
    early_stopping: dict[str, Any] | None = option(
        None,
        "stop when validation no longer gets better: {patience: 5}, and monitor, mode, min_delta, … as in Lightning; "
        "null: train to the end",
    )
    extra: dict[str, Any] = option(
        {}, "further arguments of Lightning's Trainer, as they are, like {accumulate_grad_batches: 2}"
    )

    def check(self) -> None:
        """Raise ConfigError where `extra` holds what this project sets itself."""
        for name in self.extra:
            if name in TRAINER_KEYS:
                raise ConfigError(
                    f"trainer.extra.{name} is set by this project itself; in its place there is {TRAINER_KEYS[name]}"
                )
        if self.precision not in PRECISIONS:
            raise ConfigError(
                f"trainer.precision is {self.precision!r}; weights stay in float32 here, so it must be one of "
                f"{', '.join(PRECISIONS)}"
            )
        accumulated = self.extra.get("accumulate_grad_batches", 1)
        if not isinstance(accumulated, int) or accumulated < 1:
            raise ConfigError(
                f"trainer.extra.accumulate_grad_batches is {accumulated!r}; it must be a whole number of at least 1"
            )
        stopping = self.early_stopping
        if stopping is not None and "monitor" in stopping and stopping.get("mode") not in ("min", "max"):
            raise ConfigError(
                f"trainer.early_stopping has the monitor {stopping['monitor']!r}, but no mode: add mode: min where lower "
                "is better, or mode: max"
            )

    @property
    def accumulated(self) -> int:
        """How many batches make a step of the optimiser."""
        return self.extra.get("accumulate_grad_batches", 1)


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


def combines_labels(config: Config) -> bool:
    """Whether a run of the stage tune tells labels by a combination, of which a member reads the windows' texts."""
    return config.tune.task == "classify" and config.head.solver == "combination"


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
        raise ConfigError(f"rag.retriever is null, and {by} needs one: name a run of stage align")
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
