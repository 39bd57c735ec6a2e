"""What the LightningModules of all stages share: the optimiser, and a checkpoint that says what it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import lightning as L
from torch import Tensor
from torch.nn.utils import get_total_norm
from torchmetrics import MeanMetric

from trace_lit.config import Config, to_dict
from trace_lit.encoder import SeriesEncoder
from trace_lit.modules.optim import build_optimizer, build_schedule

CHECKPOINT_KEY = "trace_lit"


class StageModule(L.LightningModule):
    """A stage of training around the common encoder."""

    encoder: SeriesEncoder

    def __init__(self, config: Config, data_fingerprint: str = "") -> None:
        super().__init__()
        self.config = config
        self.data_fingerprint = data_fingerprint
        self.validation_loss = MeanMetric()  # over the instances of all corpora; each validation_step updates it

    def idle(self) -> Iterable[Tensor]:
        """The parameters that no loss of the stage reaches, as it is configured."""
        tokens = self.encoder.channel_tokens
        if not self.config.encoder.channel_tokens:
            yield from tokens.scale.parameters() if tokens.scale is not None else ()

    def setup(self, stage: str) -> None:
        # Data-parallel training waits for the gradient of every parameter that is not frozen.
        for parameter in self.idle():
            parameter.requires_grad_(False)

    def configure_optimizers(self) -> Any:
        optimizer = build_optimizer(self, self.config.optim)
        schedule = build_schedule(optimizer, self.config.optim, int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        if self.trainer.global_step % self.config.trainer.log_every_n_steps == 0:
            gradients = [p.grad for p in self.parameters() if p.grad is not None]
            self.log("train/gradient_norm", get_total_norm(gradients))

    def on_validation_epoch_end(self) -> None:
        self.log("validation/loss", self.validation_loss, prog_bar=True)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint[CHECKPOINT_KEY] = {
            "stage": self.config.stage,
            "config": to_dict(self.config),
            "vocabulary": self.encoder.vocabulary.state(),
            "data_fingerprint": self.data_fingerprint,
        }

    @property
    def progress(self) -> float:
        """How much of the run is done, 0 to 1."""
        return self.trainer.global_step / max(1, int(self.trainer.estimated_stepping_batches))
