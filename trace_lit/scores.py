"""What a forecast or a classification is worth, on torchmetrics; and the losses that train them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics import MeanAbsoluteError, MeanMetric, MeanSquaredError, SumMetric
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassAUROC,
    MulticlassAveragePrecision,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
)


def pinball(forecast: Tensor, target: Tensor, quantiles: Sequence[float]) -> Tensor:
    """The quantile loss (..., Q) of `forecast` (..., Q) for `target` (...), Koenker and Bassett (1978)."""
    level = torch.tensor(quantiles, dtype=forecast.dtype, device=forecast.device)
    error = target.unsqueeze(-1) - forecast
    return torch.maximum(level * error, (level - 1) * error)


def forecast_loss(change: Tensor, target: Tensor, observed: Tensor, loss: str, quantiles: Sequence[float]) -> Tensor:
    """The mean over what is observed.

    `change` (B, C, H, Q), `target` and `observed` (B, C, H); `loss` is mse, mae or huber, and counts where there are no
    quantiles. Zero where nothing is observed.
    """
    guess, target = change[observed].float(), target[observed]  # (n, Q), (n,)
    if quantiles:
        errors = pinball(guess, target, quantiles).mean(-1)
    else:
        losses: dict[str, Any] = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss}
        function = losses[loss]
        errors = function(guess.squeeze(-1), target, reduction="none")
    return errors.sum() / max(errors.numel(), 1)


class ForecastScores(nn.Module):
    """MAE and MSE on the standardised scale and in units, MASE; with quantiles, the weighted quantile loss and coverage.

    Parameters
    ----------
    mean, deviation
        (C,) of the training part: the standardised scale of the literature.
    naive_error
        (C,) mean absolute error of the (seasonal) naive forecast on the training part, MASE's unit (Hyndman and Koehler,
        2006); NaN where unknown.
    quantiles
        Of the forecasts; the one nearest to the median is the point forecast.
    """

    mean: Tensor
    deviation: Tensor
    naive_error: Tensor

    def __init__(self, mean: Tensor, deviation: Tensor, naive_error: Tensor, quantiles: Sequence[float] = ()) -> None:
        super().__init__()
        for name, tensor in (("mean", mean), ("deviation", deviation), ("naive_error", naive_error)):
            self.register_buffer(name, tensor.float(), persistent=False)
        self.quantiles = list(quantiles)
        self.centre = min(range(len(quantiles)), key=lambda q: abs(quantiles[q] - 0.5), default=0)
        self.metrics: Any = nn.ModuleDict(
            {
                "MAE": MeanAbsoluteError(),
                "MSE": MeanSquaredError(),
                "units/MAE": MeanAbsoluteError(),
                "units/MSE": MeanSquaredError(),
                "MASE": MeanMetric(nan_strategy="ignore"),
            }
        )
        self.quantile_loss, self.size = SumMetric(), SumMetric()
        # Quantiles that lie symmetrically about the median are the bounds of an interval.
        self.bands = [
            (low, len(quantiles) - 1 - low)
            for low in range(len(quantiles) // 2)
            if abs(quantiles[low] + quantiles[len(quantiles) - 1 - low] - 1) < 1e-6
        ]
        self.coverage: Any = nn.ModuleList(MeanMetric() for _ in self.bands)

    def update(self, forecast: Tensor, future: Tensor, observed: Tensor) -> None:
        """`forecast` (B, C, H, Q) and `future` (B, C, H) in units; only what is `observed` counts."""
        channel = torch.arange(future.shape[1], device=future.device)[None, :, None].expand_as(future)[observed]
        guess, target = forecast[observed].float(), future[observed]  # (n, Q), (n,)
        if not len(target):
            return
        point = guess[:, self.centre]
        deviation = self.deviation[channel]
        for name in ("MAE", "MSE"):
            self.metrics[f"units/{name}"].update(point, target)
            standard = ((values - self.mean[channel]) / deviation for values in (point, target))
            self.metrics[name].update(*standard)
        scaled = (point - target).abs() / self.naive_error[channel]
        if not scaled.isnan().all():
            self.metrics["MASE"].update(scaled)
        if self.quantiles:
            self.quantile_loss.update(2 * pinball(guess, target, self.quantiles).mean(-1))
            self.size.update(target.abs())
        for (low, high), covered in zip(self.bands, self.coverage, strict=True):
            covered.update(((guess[:, low] <= target) & (target <= guess[:, high])).float())

    def compute(self) -> dict[str, float]:
        """By name; `coverage/0.8` is the share of values within the band that should hold 80 %."""
        scores = {name: float(metric.compute()) for name, metric in self.metrics.items() if metric.update_called}
        if self.quantiles and self.size.update_called:
            scores["WQL"] = float(self.quantile_loss.compute() / self.size.compute().clamp(min=1e-12))
        for (low, high), covered in zip(self.bands, self.coverage, strict=True):
            if covered.update_called:
                scores[f"coverage/{self.quantiles[high] - self.quantiles[low]:.2g}"] = float(covered.compute())
        return scores

    def reset(self) -> None:
        """Forget all that was scored."""
        for metric in (*self.metrics.values(), self.quantile_loss, self.size, *self.coverage):
            metric.reset()


class ClassificationScores(nn.Module):
    """Accuracy, macro F1, AUROC and AUPRC (macro; of the last label where there are two), and the confusion matrix."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.labels = labels
        each: str | None = "macro" if labels > 2 else None
        self.metrics: Any = nn.ModuleDict(
            {
                "accuracy": MulticlassAccuracy(labels, average="micro"),
                "macro_F1": MulticlassF1Score(labels, average="macro"),
                "AUROC": MulticlassAUROC(labels, average=each),  # type: ignore[arg-type]
                "AUPRC": MulticlassAveragePrecision(labels, average=each),  # type: ignore[arg-type]
            }
        )
        self.confusion = MulticlassConfusionMatrix(labels)

    def update(self, probabilities: Tensor, label: Tensor) -> None:
        """`probabilities` (B, K) and `label` (B,), of instances that have one."""
        for metric in (*self.metrics.values(), self.confusion):
            metric.update(probabilities, label)

    def compute(self) -> dict[str, float]:
        """By name."""
        return {name: float(metric.compute().flatten()[-1]) for name, metric in self.metrics.items()}

    def reset(self) -> None:
        """Forget all that was scored."""
        for metric in (*self.metrics.values(), self.confusion):
            metric.reset()
