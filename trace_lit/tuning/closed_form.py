"""Heads of a frozen encoder in closed form: no gradient steps, no learning rate, no early stopping."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from data_modules import DomainDataModule
from data_modules.forecasting import OriginDataset
from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.config import ConfigError
from trace_lit.encoder import (
    ClassificationModel,
    ForecastHead,
    HeadedForecaster,
    blocked_predictions,
    logistic,
    mean_of_blocks,
    ridge,
    time_blocks,
)
from trace_lit.encoder.calendar import calendar_width
from trace_lit.encoder.patches import off_scale
from trace_lit.encoder.ridge_path import PENALTY_LIMITS, beyond
from trace_lit.modules import TuneModule

_CALENDAR_IMPORTANCE = 30.0  # relative to the patches' features: the time of year is hardly penalised


@dataclass
class _Examples:
    """The examples that the head is solved from: n channels of windows, or n windows."""

    features: Tensor  # (n, F) float32
    begin: Tensor  # (n,) int64, the seconds since 1970 at which the look-back begins
    origin: Tensor  # (n,) likewise, at which it ends
    end: Tensor  # (n,) likewise, at which the horizon ends, or the time that the label describes
    learned: Tensor  # (n,) bool, of the training split; the others only help to choose the penalty
    scored: Tensor  # (n,) bool, as observed; the others are augmented copies, which are trained on and not scored
    target: Tensor  # (n, H) changes, or (n,) labels
    observed: Tensor  # (n, H) bool
    level: Tensor  # (n, 1) what the changes are relative to, in units of `deviation`
    deviation: Tensor  # (n, 1)
    future: Tensor  # (n, H) in units less `offset`
    offset: Tensor  # (n, 1) float64, see `MultimodalBatch.offset`
    unit: Tensor  # (n, 1) a deviation on the standardised scale
    channel: Tensor  # (n,) its id


@torch.no_grad()
def _examples(module: TuneModule, data: DomainDataModule, device: torch.device) -> _Examples:
    parts: list[tuple[Tensor, ...]] = []
    module.eval()
    window = module.config.window
    for learned in (True, False):
        for dataset in data.datasets["train" if learned else "validation"]:
            origins, ends = dataset.seconds, dataset.series.known(dataset.origins, window.horizon)
            # Training windows have their stride already.
            places = range(0, len(dataset), 1 if learned else window.stride)
            for batch in _batches(dataset, places, data.evaluation_batch_size):
                times = torch.stack([batch.span[:, 0], origins[batch.index], ends[batch.index]], dim=1)
                for factor in (1.0, *window.augmentation_scales):
                    scaled = batch.scaled(torch.full((len(batch),), factor)).to(device)
                    parts.append(_part(module, dataset, scaled, times, learned, factor == 1.0))
    return _Examples(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def _batches(dataset: OriginDataset, places: Sequence[int], size: int) -> Iterator[MultimodalBatch]:
    for first in range(0, len(places), size):
        yield dataset[list(places[first : first + size])]


def _part(
    module: TuneModule, dataset: OriginDataset, batch: MultimodalBatch, times: Tensor, learned: bool, scored: bool
) -> tuple[Tensor, ...]:
    model = module.model
    if isinstance(model, ClassificationModel):
        features = model.features(batch)
        none = features.new_zeros(len(batch), 1)
        label = batch.label.unsqueeze(1)
        known = label != NO_LABEL
        flags = (torch.full((len(batch),), flag) for flag in (learned, scored))
        nothing = (none, none, none, none, none, none.squeeze(1))
        return tuple(x.cpu() for x in (features, *times.unbind(1), *flags, label, known, *nothing))
    assert isinstance(model, HeadedForecaster)
    assert batch.future is not None
    assert batch.future_observed is not None
    norm = model.level(batch)
    # Where the last step is missing, the level would be a value of long ago.
    kept = batch.future_observed.any(-1) & batch.observed[..., -1]  # (B, C)
    unit = dataset.deviation.to(kept.device).expand(kept.shape).unsqueeze(-1)
    columns = [
        model.features(batch)[kept],
        *(time.to(kept.device).unsqueeze(1).expand(kept.shape)[kept] for time in times.unbind(1)),
        *(torch.full(kept.shape, flag, device=kept.device)[kept] for flag in (learned, scored)),
        *(x[kept] for x in (norm.normalise(batch.future), batch.future_observed, norm.mean, norm.deviation)),
        batch.future[kept],
        kept.new_zeros(int(kept.sum()), 1).double() if norm.offset is None else norm.offset[kept],
        unit[kept],
        batch.channel_ids[kept],
    ]
    return tuple(column.cpu() for column in columns)


def solve_head(module: TuneModule, data: DomainDataModule, device: torch.device) -> dict[str, float]:
    """Put the closed-form solution on the frozen encoder into the module's head; return how it was chosen.

    The penalty is the one with the best predictions over blocks of time of training and validation. Each block is predicted
    from the windows of all series that end before it or begin after it. Then the head is solved from the training windows,
    or from both with `head.refit`. The distances of the quantiles from the forecast are those of the prediction errors.

    Raises
    ------
    ConfigError
        There are too few windows.
    """
    began = time.perf_counter()
    tune, head = module.config.tune, module.config.head
    before = next(module.parameters()).device
    examples = _examples(module.to(device), data, device)
    module.to(before).train()
    # The weights on `basis` are penalised; the head gets the equivalent weights on its own features.
    basis = _basis(module.model, examples.features.shape[1], head.penalise)
    if basis is not None:
        examples.features = examples.features @ basis
    importance = _importance(module.model, examples.features)

    def solve(chosen: Tensor, penalties: Sequence[float]) -> tuple[Tensor, Tensor]:
        features, target = examples.features[chosen], examples.target[chosen]
        if tune.task == "classify":
            return logistic(features, target.squeeze(1), module.label_weight.cpu(), penalties)
        return ridge(features, target, examples.observed[chosen], penalties, importance)

    scored = examples.scored
    penalty, errors, mean, predictions = _chosen_penalty(module, examples, solve)
    weights, bias = (solution[0] for solution in solve(examples.learned | head.refit, [penalty]))
    weights = weights if basis is None else basis.to(weights) @ weights
    model: Any = module.model
    layer = model.head.projection if isinstance(model, HeadedForecaster) else model.head
    with torch.no_grad():
        if head.quantiles:
            residuals = torch.where(examples.observed[scored], examples.target[scored] - predictions, torch.nan)
            bias = bias.unsqueeze(1) + _distances(model.head, residuals, examples.channel[scored], head.quantiles)
            weights, bias = weights.repeat_interleave(len(head.quantiles), dim=1), bias.flatten()
        layer.weight.copy_(weights.T)
        layer.bias.copy_(bias)
    return {
        "cv/MSE" if tune.task == "forecast" else "cv/loss": float(errors.mean()),
        "cv/geometric_mean": mean,
        "cv/penalty": penalty,
        "cv/penalties_at_limit": float(penalty in PENALTY_LIMITS),
        "fit/solve_seconds": time.perf_counter() - began,
    }


def _chosen_penalty(
    module: TuneModule, examples: _Examples, solve: Callable[..., tuple[Tensor, Tensor]]
) -> tuple[float, Tensor, float, Tensor]:
    """The penalty with the best predictions over blocks, its errors (n,), their mean by blocks, its predictions (m, H).

    The search begins with `head.penalties` and goes on above them until the best has a greater one that is worse; a single
    one is taken as it is.
    """
    head, origin, scored = module.config.head, examples.origin, examples.scored
    block = time_blocks(origin, head.folds)
    tried: dict[float, tuple[float, Tensor, Tensor]] = {}
    wanted, least = sorted(head.penalties), min(head.penalties)
    while wanted:
        try:
            predictions = blocked_predictions(
                partial(solve, penalties=wanted),
                examples.features,
                examples.begin,
                origin,
                examples.end,
                block,
                scored,
            )
        except ValueError as error:
            raise ConfigError(str(error)) from None
        errors, known = _errors(module, examples, predictions)
        means = mean_of_blocks(errors, known, block[scored]).tolist()
        tried |= {own: (means[place], errors[place, known], predictions[place]) for place, own in enumerate(wanted)}
        found = beyond(list(tried), [mean for mean, *_ in tried.values()]) if len(tried) > 1 else []
        wanted = [own for own in found if own > least]  # less would serve known channels, and harm those that are not
    best = min(tried, key=lambda own: tried[own][0])
    mean, errors, predictions = tried[best]
    return best, errors, mean, predictions


def _distances(head: ForecastHead, residuals: Tensor, channel: Tensor, quantiles: Sequence[float]) -> Tensor:
    """The distance of the quantiles from the forecast (H, Q) over all channels, by `residuals` (m, H), NaN where unknown.

    The difference of each channel from this is put into the `head`.
    """
    levels = torch.tensor(quantiles, dtype=residuals.dtype)
    shared = residuals.nanquantile(levels, dim=0).T
    if head.distance is not None:
        for number in channel.unique().tolist():
            own = residuals[channel == number].nanquantile(levels, dim=0).T
            head.distance[number] = torch.where(own.isnan(), 0.0, own - shared)
    return shared


def _basis(model: Any, size: int, penalise: str) -> Tensor | None:
    """(F, F) the features whose weights are penalised, as mixtures of the head's F = `size` features; None: the same.

    A series without a fixed level, like a price, is described by the changes between its neighbouring patches.
    """
    if not isinstance(model, HeadedForecaster) or penalise == "outputs":
        return None
    width, count = model.head.width, model.head.width * (model.head.tokens - 1)
    basis = torch.eye(size)
    basis[:count, :count] = -torch.eye(count)
    basis[width : width + count, :count] += torch.eye(count)
    return basis


def _importance(model: Any, features: Tensor) -> Tensor | None:
    """(F,) factors by which the weights of the calendar are penalised less than the others."""
    width = calendar_width(model.head.harmonics) if isinstance(model, HeadedForecaster) else 0
    if not width:
        return None
    scale = float((features[:, :-width] - features[:, :-width].mean(0)).square().mean().sqrt())
    importance = torch.ones(features.shape[1])
    importance[-width:] = _CALENDAR_IMPORTANCE * scale
    return importance


def _errors(module: TuneModule, examples: _Examples, predictions: Tensor) -> tuple[Tensor, Tensor]:
    """Of the scored examples, squared errors (P, m, H) on the standardised scale or cross entropies (P, m, 1), and which
    (m, H) are known.
    """
    scored = examples.scored
    target, known = examples.target[scored], examples.observed[scored]
    if module.config.tune.task == "classify":
        weight, label = module.label_weight.cpu().double(), target.squeeze(1)
        loss = torch.stack([F.cross_entropy(scores, label, weight, reduction="none") for scores in predictions])
        return loss.unsqueeze(-1), known
    assert isinstance(module.model, HeadedForecaster)
    offset = examples.offset[scored] if bool(examples.offset.any()) else None
    moved = predictions * examples.deviation[scored] + examples.level[scored]
    values = off_scale(moved, module.model.transform, offset)
    return ((values - examples.future[scored]) / examples.unit[scored]).square(), known
