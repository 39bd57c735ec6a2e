"""Sections of the configuration that no component owns: the run's folder, the tuning, the optimiser and the Trainer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trace_lit.config import ConfigError, option
from trace_lit.models import MODELS

PRECISIONS = ("auto", "32-true", "32", "bf16-mixed", "bf16", "16-mixed", "16")
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
    recompute: bool | None = option(
        None,
        "what the encoder's blocks keep for the backward pass is computed again there: the same numbers, much less memory, "
        "in a third more time; null: on a CPU, where they would keep more than 2 GB",
    )
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
