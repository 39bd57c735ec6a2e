"""An exponential moving average of the weights, which are validated and saved in their place."""

from __future__ import annotations

import lightning as L
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import nn
from torch.optim.swa_utils import AveragedModel


class MovingAverage(AveragedModel):
    """It forgets its beginning: after n updates it decays by (1 + n) / (10 + n) at most.

    torch's own has the number of updates on the device, and reads it there once a parameter. Here the host counts.
    """

    def __init__(self, model: nn.Module, decay: float, device: torch.device) -> None:
        super().__init__(model, device=device)
        self.decay = decay
        self.n_averaged = torch.tensor(0)

    def update_parameters(self, model: nn.Module) -> None:
        """Move towards the weights of `model`; buffers are its own."""
        number = int(self.n_averaged)
        share = 1 - min(self.decay, (1 + number) / (10 + number))
        with torch.no_grad():
            for mean, current in zip(self.module.parameters(), model.parameters(), strict=True):
                if number:
                    mean.lerp_(current, share)
                else:
                    mean.copy_(current)
            for buffer, its_own in zip(self.module.buffers(), model.buffers(), strict=True):
                buffer.copy_(its_own)
        self.n_averaged += 1


class MovingAverageOfWeights(WeightAveraging):
    """Keeps a `MovingAverage` where the weights are trained."""

    def __init__(self, decay: float) -> None:
        super().__init__(use_buffers=False)
        self.decay = decay

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if stage == "fit":  # before the module itself has been moved to its device
            self._average_model = MovingAverage(pl_module, self.decay, trainer.strategy.root_device)
