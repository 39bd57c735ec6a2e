"""What the LightningModules of all stages share: the optimiser, and a checkpoint that describes itself."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Self

import lightning as L
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, get_total_norm
from torchmetrics import MeanMetric

from trace_lit.channels import ChannelVocabulary
from trace_lit.encoder import Encoder
from trace_lit.errors import TrainingError
from trace_lit.modules.checkpoint import CHECKPOINT_KEY, Checkpoint, contents, fitting, load_checkpoint
from trace_lit.modules.optim import build_optimizer, build_schedule, scaled_learning_rate
from trace_lit.settings import Config

__all__ = ["StageModule", "TrainingError"]


class StageModule(L.LightningModule):
    """A stage of training around the common encoder."""

    stage: ClassVar[str]
    encoder: Encoder
    total_steps: int  # of the optimiser, in the whole run

    def __init__(self, config: Config, data_fingerprint: str = "") -> None:
        super().__init__()
        self.config = config
        self.data_fingerprint = data_fingerprint
        self.costs: dict[str, float] = {}  # of what was done before the first step, for the run's metrics
        # Over the instances of all corpora; each validation_step updates it.
        self.validation_loss = MeanMetric(nan_strategy="disable")

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls, checkpoint_path: str | Path, map_location: Any = None, strict: bool = True, **kwargs: Any
    ) -> Self:
        """The module that a checkpoint file, or the best one of a run folder, holds.

        The checkpoint holds all that the constructor needs.

        Parameters
        ----------
        map_location
            The device that the module is moved to; the CPU by default.
        strict
            Refuse weights that the module has not, and the other way round.
        kwargs
            Arguments of the constructor in place of those that the checkpoint holds.

        Raises
        ------
        CheckpointError
            It is missing, damaged, or of another stage.

        Examples
        --------
        >>> module = AlignModule.load_from_checkpoint("runs/weather/align/first")  # doctest: +SKIP
        """
        checkpoint = load_checkpoint(checkpoint_path, cls.stage)
        with fitting(checkpoint.path):
            module = cls(**{**cls.arguments_of(checkpoint), **kwargs})
            module.prepare()
            module.load_state_dict(checkpoint.weights, strict=strict)
        return module if map_location is None else module.to(map_location)

    @classmethod
    def arguments_of(cls, checkpoint: Checkpoint) -> dict[str, Any]:
        """The arguments of the constructor that make a module for the weights of `checkpoint`."""
        return {
            "config": checkpoint.config,
            "vocabulary": checkpoint.vocabulary,
            "data_fingerprint": checkpoint.data_fingerprint,
        }

    def prepare(self) -> None:
        """Bring the module to the form that its weights are of; to be called before they are loaded."""

    @property
    def vocabulary(self) -> ChannelVocabulary:
        """The channels that the model knows."""
        return self.encoder.vocabulary

    def note_costs(self, costs: dict[str, float]) -> None:
        """Add the `costs` of what was done before the first step to the run's metrics."""
        self.costs |= costs

    @property
    def learns_by_steps(self) -> bool:
        """Whether there is anything for gradient steps to do."""
        return True

    def rate_of(self, name: str) -> float:
        """The learning rate of the parameter `name`, as a share of the configured one."""
        return 1.0

    def idle(self) -> Iterable[Tensor]:
        """The parameters that no loss of the stage reaches, as it is configured."""
        yield from self.encoder.unused()
        tokens = self.encoder.channel_tokens
        if not self.config.encoder.channel_tokens:
            yield from tokens.scale.parameters() if tokens.scale is not None else ()

    def parameter_counts(self) -> tuple[int, int]:
        """How many numbers the module holds, and how many of them are trained."""
        idle = {id(parameter) for parameter in self.idle()}
        trained = sum(p.numel() for p in self.parameters() if p.requires_grad and id(p) not in idle)
        return sum(p.numel() for p in self.parameters()), trained

    def setup(self, stage: str) -> None:
        # Data-parallel training waits for the gradient of every parameter that is not frozen.
        for parameter in self.idle():
            parameter.requires_grad_(False)

    def configure_optimizers(self) -> Any:
        accumulated = self.config.trainer.accumulated
        global_batch = self.config.data.batch_size * self.trainer.world_size * accumulated
        rate = scaled_learning_rate(self.config.optim, global_batch)
        optim = dataclasses.replace(self.config.optim, learning_rate=rate)
        optimizer = build_optimizer(self, optim, fused=not self._gradients_are_scaled, rate_of=self.rate_of)
        # Lightning's own estimate would make the iterator of a resumed run before the epoch that it goes on with is known.
        batches = len(self.trainer.datamodule.train_dataloader())  # type: ignore[attr-defined]
        batches = _limited(batches, self.config.trainer.extra.get("limit_train_batches"))
        # The last batches of an epoch make a step whatever their number.
        self.total_steps = self.config.trainer.max_epochs * math.ceil(batches / accumulated)
        schedule = build_schedule(optimizer, self.config.optim, self.total_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    @property
    def _gradients_are_scaled(self) -> bool:
        """With float16; bfloat16 does without."""
        return getattr(self.trainer.precision_plugin, "scaler", None) is not None

    def configure_gradient_clipping(
        self, optimizer: Any, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        # Lightning's own refuses a fused optimiser under any mixed precision, although only scaled gradients forbid it.
        clip_grad_norm_(self.parameters(), gradient_clip_val or float("inf"))

    def on_train_start(self) -> None:
        self.on_train_epoch_start()  # which Lightning leaves out for an epoch that goes on

    def on_train_epoch_start(self) -> None:
        if self.trainer.current_epoch + 1 == self.trainer.max_epochs:
            self.trainer.check_val_every_n_epoch = 1  # the last epoch is always measured and kept

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        if (self.trainer.global_step + 1) % self.config.trainer.log_every_n_steps == 0:
            gradients = [p.grad for p in self.parameters() if p.grad is not None]
            self.log("train/gradient_norm", get_total_norm(gradients))

    def on_validation_epoch_end(self) -> None:
        if not self.validation_loss.compute().isfinite():
            raise TrainingError(
                "the validation loss is not finite: the model has diverged; train again with a lower optim.learning_rate"
            )
        self.log("validation/loss", self.validation_loss, prog_bar=True)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        corpora = self.trainer.datamodule.corpora  # type: ignore[attr-defined]
        checkpoint[CHECKPOINT_KEY] = contents(
            self.config,
            self.vocabulary,
            corpora,
            self.data_fingerprint,
            Path(self.trainer.default_root_dir),
        ) | {"world_size": self.trainer.world_size}

    @property
    def progress(self) -> float:
        """How much of the run is done, 0 to 1."""
        return self.trainer.global_step / self.total_steps


def _limited(batches: int, limit: int | float | None) -> int:
    """How many of an epoch's `batches` Lightning's `limit_train_batches` leaves: a number of them, or a share."""
    if limit is None:
        return batches
    return min(limit, batches) if isinstance(limit, int) else int(limit * batches)
