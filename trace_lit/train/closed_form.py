"""Heads of a frozen encoder in closed form: no gradient steps, no learning rate, no early stopping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from data_modules import DomainDataModule
from data_modules.forecasting import OriginDataset
from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.config import ConfigError
from trace_lit.encoder import ClassificationModel, ForecastModel, blocked_predictions, logistic, ridge
from trace_lit.encoder.calendar import calendar_width
from trace_lit.encoder.patches import invert_transform
from trace_lit.modules import TuneModule

_CALENDAR_IMPORTANCE = 10.0  # relative to the patches' features: the time of year is hardly penalised


@dataclass
class _Examples:
    """What the head is solved from: n channels of windows, or n windows."""

    features: Tensor  # (n, F) float32
    place: Tensor  # (n,) origins, of several corpora behind one another
    learned: Tensor  # (n,) bool, of the training split; the others only help to choose the penalty
    target: Tensor  # (n, H) changes, or (n,) labels
    observed: Tensor  # (n, H) bool
    level: Tensor  # (n, 1) what the changes are measured from, in deviations of `deviation`
    deviation: Tensor  # (n, 1)
    future: Tensor  # (n, H) in units
    unit: Tensor  # (n, 1) a deviation on the standardised scale


@torch.no_grad()
def _examples(module: TuneModule, data: DomainDataModule, device: torch.device) -> _Examples:
    parts: list[tuple[Tensor, ...]] = []
    module.eval()
    for learned in (True, False):
        offset = 0
        for dataset in data.datasets["train" if learned else "validation"]:
            for batch, origin in _batches(dataset, data.evaluation_batch_size):
                parts.append(_part(module, dataset, batch.to(device), origin + offset, learned))
            offset += len(dataset.series.split) + dataset.lookback + dataset.horizon
    return _Examples(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def _batches(dataset: OriginDataset, size: int) -> Iterator[tuple[MultimodalBatch, Tensor]]:
    for first in range(0, len(dataset), size):
        places = list(range(first, min(first + size, len(dataset))))
        yield dataset[places], dataset.origins[places]


def _part(
    module: TuneModule, dataset: OriginDataset, batch: MultimodalBatch, place: Tensor, learned: bool
) -> tuple[Tensor, ...]:
    model = module.model
    if isinstance(model, ClassificationModel):
        features = model.features(batch)
        none = features.new_zeros(len(batch), 1)
        label = batch.label.unsqueeze(1)
        told = label != NO_LABEL
        flag = torch.full((len(batch),), learned)
        return tuple(x.cpu() for x in (features, place, flag, label, told, none, none, none, none))
    assert isinstance(model, ForecastModel)
    assert batch.future is not None
    assert batch.future_observed is not None
    norm = model.level(batch)
    # A window whose last step is missing would be measured from a value that may be long gone.
    kept = batch.future_observed.any(-1) & batch.observed[..., -1]  # (B, C)
    unit = dataset.deviation.to(kept.device).expand(kept.shape).unsqueeze(-1)
    columns = [
        model.features(batch)[kept],
        place.to(kept.device).unsqueeze(1).expand(kept.shape)[kept],
        torch.full(kept.shape, learned, device=kept.device)[kept],
        *(x[kept] for x in (norm.normalise(batch.future), batch.future_observed, norm.mean, norm.deviation)),
        batch.future[kept],
        unit[kept],
    ]
    return tuple(column.cpu() for column in columns)


def solve_head(module: TuneModule, data: DomainDataModule, device: torch.device) -> dict[str, float]:
    """Put the closed-form solution on the frozen encoder into the module's head, and say how it was chosen.

    The penalty is the one that predicts best over blocks of time of training and validation, each block from the
    windows that share no step with it; then the head is solved from the training windows alone. Quantiles lie about the
    forecast as these predictions erred.

    Raises
    ------
    ConfigError
        There are too few windows.
    """
    tune = module.config.tune
    before = next(module.parameters()).device
    examples = _examples(module.to(device), data, device)
    module.to(before)
    dataset: OriginDataset = data.datasets["train"][0]
    importance = _importance(module.model, examples.features)

    def solve(chosen: Tensor) -> tuple[Tensor, Tensor]:
        features, target = examples.features[chosen], examples.target[chosen]
        if tune.task == "classify":
            return logistic(features, target.squeeze(1), module.label_weight.cpu(), penalties)
        return ridge(features, target, examples.observed[chosen], penalties, importance)

    penalties: Sequence[float] = tune.penalties
    try:
        said = blocked_predictions(
            solve, examples.features, examples.place, dataset.lookback, max(dataset.horizon, 1), tune.folds
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None
    errors = _errors(module, examples, said)
    best = int(errors.argmin())
    penalties = [tune.penalties[best]]
    weights, bias = (solution[0] for solution in solve(examples.learned))
    head = module.model.head.projection if isinstance(module.model, ForecastModel) else module.model.head
    with torch.no_grad():
        if tune.quantiles:
            left = torch.where(examples.observed, examples.target - said[best], torch.nan)
            shift = left.nanquantile(torch.tensor(tune.quantiles, dtype=left.dtype), dim=0).T  # (H, Q)
            weights, bias = weights.repeat_interleave(len(tune.quantiles), dim=1), (bias.unsqueeze(1) + shift).flatten()
        head.weight.copy_(weights.T)  # type: ignore[union-attr, operator]
        head.bias.copy_(bias)  # type: ignore[union-attr, operator]
    return {"cv/MSE" if tune.task == "forecast" else "cv/loss": float(errors[best]), "cv/penalty": penalties[0]}


def _importance(model: Any, features: Tensor) -> Tensor | None:
    """(F,) how much weaker than the patches' the weights of the calendar are penalised."""
    width = calendar_width(model.head.harmonics) if isinstance(model, ForecastModel) else 0
    if not width:
        return None
    scale = float((features[:, :-width] - features[:, :-width].mean(0)).square().mean().sqrt())
    importance = torch.ones(features.shape[1])
    importance[-width:] = _CALENDAR_IMPORTANCE * scale
    return importance


def _errors(module: TuneModule, examples: _Examples, said: Tensor) -> Tensor:
    """(P,) mean squared error on the standardised scale, or cross entropy."""
    if module.config.tune.task == "classify":
        weight, label = module.label_weight.cpu().double(), examples.target.squeeze(1)
        return torch.stack([F.cross_entropy(scores, label, weight) for scores in said])
    transform = module.encoder.config.transform
    values = invert_transform(said * examples.deviation + examples.level, transform)
    return torch.stack([((own - examples.future) / examples.unit)[examples.observed].square().mean() for own in values])
