"""Scores of forecasts and classifications, on torchmetrics, and the losses that train them.

Several processes give the scores of a single one with all windows.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassAUROC,
    MulticlassAveragePrecision,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
)

from trace_lit.batch import sent
from trace_lit.metrics.quantiles import centre_of

LOSSES: dict[str, Any] = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss}


def pinball(forecast: Tensor, target: Tensor, quantiles: Sequence[float]) -> Tensor:
    """The quantile loss (..., Q) of `forecast` (..., Q) for `target` (...), Koenker and Bassett (1978)."""
    level = sent(torch.tensor(quantiles, dtype=forecast.dtype), forecast.device)
    error = target.unsqueeze(-1) - forecast
    return torch.maximum(level * error, (level - 1) * error)


def forecast_errors(change: Tensor, target: Tensor, observed: Tensor, loss: str, quantiles: Sequence[float]) -> Tensor:
    """The loss (n,) of each of the n values that are observed.

    `change` (B, C, H, Q), `target` and `observed` (B, C, H), the last on the host; `loss` is mse, mae or huber, and is
    used where there are no quantiles.
    """
    place = sent(observed.flatten().nonzero().squeeze(1), change.device)
    prediction, target = change.flatten(0, 2)[place].float(), target.flatten()[place]  # (n, Q), (n,)
    if quantiles:
        return pinball(prediction, target, quantiles).mean(-1)
    return LOSSES[loss](prediction.squeeze(-1), target, reduction="none")


class ForecastScores(Metric):
    """MAE and MSE on the standardised scale and in units, MASE; with quantiles, the weighted quantile loss and coverage.

    Parameters
    ----------
    mean, deviation
        (C,) of the training part: the standardised scale of the literature.
    naive_error
        (C,) mean absolute error of the (seasonal) naive forecast on the training part, MASE's unit (Hyndman and Koehler,
        2006). Channels for which it is unknown (NaN) or zero are left out of MASE.
    quantiles
        Of the forecasts; the one nearest to the median is the point forecast.
    """

    full_state_update = False
    mean: Tensor
    deviation: Tensor
    naive_error: Tensor
    count: Tensor  # (C,) values of each channel
    absolute: Tensor
    squared: Tensor
    absolute_units: Tensor
    squared_units: Tensor
    scaled: Tensor
    scaled_count: Tensor
    quantile_loss: Tensor
    size: Tensor
    covered: Tensor  # (C, bands)
    third_count: Tensor  # (3,) values of each third of the horizon
    third_covered: Tensor  # (3, bands)

    def __init__(self, mean: Tensor, deviation: Tensor, naive_error: Tensor, quantiles: Sequence[float] = ()) -> None:
        super().__init__()
        for name, tensor in (("mean", mean), ("deviation", deviation), ("naive_error", naive_error)):
            self.register_buffer(name, tensor.float(), persistent=False)
        self.quantiles = list(quantiles)
        self.centre = centre_of(quantiles)
        # Quantiles that lie symmetrically about the median are the bounds of an interval.
        self.bands = [
            (low, len(quantiles) - 1 - low)
            for low in range(len(quantiles) // 2)
            if abs(quantiles[low] + quantiles[len(quantiles) - 1 - low] - 1) < 1e-6
        ]
        sums = ("absolute", "squared", "absolute_units", "squared_units", "scaled", "scaled_count")
        for name in (*sums, "quantile_loss", "size"):
            self.add_state(name, torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros(len(mean)), dist_reduce_fx="sum")
        self.add_state("covered", torch.zeros(len(mean), len(self.bands)), dist_reduce_fx="sum")
        self.add_state("third_count", torch.zeros(3), dist_reduce_fx="sum")
        self.add_state("third_covered", torch.zeros(3, len(self.bands)), dist_reduce_fx="sum")

    def update(self, forecast: Tensor, future: Tensor, observed: Tensor, offset: Tensor | None = None) -> None:
        """`forecast` (B, C, H, Q) and `future` (B, C, H) in units less `offset` (B, C); only what is `observed` counts."""
        channel = torch.arange(future.shape[1], device=future.device)[None, :, None].expand_as(future)[observed]
        prediction, target = forecast[observed].float(), future[observed]  # (n, Q), (n,)
        error = prediction[:, self.centre] - target
        standard = error / self.deviation[channel]
        naive = self.naive_error[channel]
        scaled = (error.abs() / naive)[naive > 0]
        self.count.index_add_(0, channel, torch.ones_like(target))
        self.absolute += standard.abs().sum()
        self.squared += standard.square().sum()
        self.absolute_units += error.abs().sum()
        self.squared_units += error.square().sum()
        self.scaled += scaled.sum()
        self.scaled_count += len(scaled)
        if self.quantiles:
            self.quantile_loss += 2 * pinball(prediction, target, self.quantiles).mean(-1).sum()
            sizes = future if offset is None else future + offset.unsqueeze(-1)
            self.size += sizes[observed].abs().sum().float()
        steps = future.shape[-1]
        third = (torch.arange(steps, device=future.device) * 3 // steps).expand_as(future)[observed]
        self.third_count.index_add_(0, third, torch.ones_like(target))
        for place, (low, high) in enumerate(self.bands):
            within = (prediction[:, low] <= target) & (target <= prediction[:, high])
            self.covered[:, place].index_add_(0, channel, within.to(target))
            self.third_covered[:, place].index_add_(0, third, within.to(target))

    def compute(self) -> dict[str, float]:
        """By name; `coverage/0.8` is the share of values within the band that should hold 80 %. Empty without values.

        `coverage/0.8/worst` is the coverage of the channel in which it is farthest from 80 %, and `coverage/0.8/third/1`
        that in the first third of the horizon.
        """
        count = self.count.sum()
        if not count:
            return {}
        scores = {
            "MAE": self.absolute / count,
            "MSE": self.squared / count,
            "units/MAE": self.absolute_units / count,
            "units/MSE": self.squared_units / count,
        }
        if self.scaled_count:
            scores["MASE"] = self.scaled / self.scaled_count
        if self.quantiles:
            scores["WQL"] = self.quantile_loss / self.size.clamp(min=1e-12)
        there = self.count > 0
        bands = zip(self.bands, self.covered.unbind(1), self.third_covered.unbind(1), strict=True)
        for (low, high), covered, by_third in bands:
            share = self.quantiles[high] - self.quantiles[low]
            by_channel = covered[there] / self.count[there]
            scores[f"coverage/{share:.2g}"] = covered.sum() / count
            scores[f"coverage/{share:.2g}/worst"] = by_channel[(by_channel - share).abs().argmax()]
            for number, (held, count_of) in enumerate(zip(by_third, self.third_count, strict=True), start=1):
                if count_of:
                    scores[f"coverage/{share:.2g}/third/{number}"] = held / count_of
        return {name: float(score) for name, score in scores.items()}


class ClassificationScores(nn.Module):
    """Accuracy, macro F1, AUROC and AUPRC (macro; of the last label where there are two), and the confusion matrix.

    Raises
    ------
    ValueError
        There are fewer than two labels.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.labels = labels
        self.metrics: Any = nn.ModuleDict(
            {
                "accuracy": MulticlassAccuracy(labels, average="micro"),
                "macro_F1": MulticlassF1Score(labels, average="macro"),
            }
        )
        self.curves: Any = nn.ModuleDict(
            {
                "AUROC": MulticlassAUROC(labels, average="none"),  # type: ignore[arg-type]
                "AUPRC": MulticlassAveragePrecision(labels, average="none"),  # type: ignore[arg-type]
            }
        )
        self.confusion = MulticlassConfusionMatrix(labels)

    def update(self, probabilities: Tensor, label: Tensor) -> None:
        """`probabilities` (B, K) and `label` (B,), of instances that have one."""
        for metric in (*self.metrics.values(), *self.curves.values(), self.confusion):
            metric.update(probabilities, label)

    def compute(self) -> dict[str, float]:
        """By name; the areas under curves only where there are instances of two labels at least."""
        scores = {name: float(metric.compute()) for name, metric in self.metrics.items()}
        there = self.confusion.compute().sum(1) > 0  # (K,)
        if there.sum() < 2:
            return scores
        with warnings.catch_warnings():  # of labels without instances, which do not count
            warnings.simplefilter("ignore", UserWarning)
            areas = {name: metric.compute() for name, metric in self.curves.items()}
        return scores | {
            name: float(area[-1] if self.labels == 2 else area[there].mean()) for name, area in areas.items()
        }

    def figure(self, names: Sequence[str]) -> Figure:
        """The confusion matrix: counts, and as colour the shares of the true label's instances."""
        counts = self.confusion.compute().cpu()
        shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
        side = 1.6 + 0.6 * len(names)
        figure = Figure(figsize=(side + 0.6, side), layout="constrained")
        axes = figure.subplots()
        axes.imshow(shares.numpy(), cmap="Blues", vmin=0, vmax=1)
        axes.set(xlabel="predicted", ylabel="true", xticks=range(len(names)), yticks=range(len(names)))
        axes.set_xticklabels(names, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticklabels(names)
        for true, row in enumerate(counts.tolist()):
            for predicted, count in enumerate(row):
                colour = "white" if shares[true, predicted] > 0.5 else "black"
                axes.text(predicted, true, str(count), ha="center", va="center", color=colour)
        return figure

    def reset(self) -> None:
        """Forget all that was scored."""
        for metric in (*self.metrics.values(), *self.curves.values(), self.confusion):
            metric.reset()
