"""The combination of members on a frozen encoder: its windows are collected, and it is solved."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from data_modules import DomainDataModule
from data_modules.forecasting import OriginDataset
from trace_lit.config import ConfigError
from trace_lit.distributed import is_first
from trace_lit.encoder import HeadedForecaster, Windows, solve_combination
from trace_lit.encoder.members import Inputs
from trace_lit.gaps import interpolated
from trace_lit.modules import TuneModule
from trace_lit.text.progress import JobProgress


@torch.no_grad()
def solve_members(module: TuneModule, data: DomainDataModule, device: torch.device) -> dict[str, float]:
    """Put the solved combination into the module's model; return how it was chosen.

    Raises
    ------
    ConfigError
        There are too few windows.
    """
    began = time.perf_counter()
    before = next(module.parameters()).device
    module.to(device).eval()
    windows = _windows(module, data, device)
    module.to("cpu")
    model = module.model
    assert isinstance(model, HeadedForecaster)
    assert model.combination is not None
    try:
        with JobProgress("solving members", len(model.combination.members), is_first()) as progress:
            found = solve_combination(model.combination, windows, module.config.head.folds, lambda: progress.advance(1))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    module.to(before).train()
    return {**found, "fit/solve_seconds": time.perf_counter() - began}


def _windows(module: TuneModule, data: DomainDataModule, device: torch.device) -> Windows:
    """The windows of training and validation, as the combination sees them."""
    window, parts = module.config.window, []
    sets = [(split, dataset) for split in ("train", "validation") for dataset in data.datasets[split]]
    total = sum(len(window_places(dataset, split, window.stride)) for split, dataset in sets)
    with JobProgress("encoding windows", total, is_first()) as progress:
        for split, dataset in sets:
            origins, ends = dataset.seconds, dataset.series.known(dataset.origins, window.horizon)
            places = window_places(dataset, split, window.stride)
            learned = split == "train" or module.config.head.refit
            for first in range(0, len(places), data.evaluation_batch_size):
                own = places[first : first + data.evaluation_batch_size]
                parts.append(_part(module, dataset, list(own), origins, ends, learned, device))
                progress.advance(len(own))
    inputs, rest = zip(*parts, strict=True)
    columns = [torch.cat(own) for own in zip(*rest, strict=True)]
    return Windows(Inputs.joined(inputs), *columns)


def window_places(dataset: OriginDataset, split: str, stride: int) -> range:
    """Training windows have their stride already."""
    return range(0, len(dataset), 1 if split == "train" else stride)


def _part(
    module: TuneModule,
    dataset: OriginDataset,
    places: list[int],
    origins: Tensor,
    ends: Tensor,
    learned: bool,
    device: torch.device,
) -> tuple[Inputs, tuple[Tensor, ...]]:
    batch = dataset[places].to(device)
    model = module.model
    assert isinstance(model, HeadedForecaster)
    assert batch.future is not None
    assert batch.future_observed is not None
    inputs = model.inputs(batch)
    # A missing step of the horizon is learned from as if it lay on a straight line, and is not scored.
    last = torch.ones_like(batch.future_observed[..., :1])
    line = interpolated(
        torch.cat([inputs.past[..., -1:], batch.future], dim=-1), torch.cat([last, batch.future_observed], dim=-1)
    )
    # Where the last step is missing, changes are measured from a value of long ago.
    scored = batch.future_observed & batch.observed[..., -1:]
    size = len(places)
    index = batch.index.to(origins.device)
    rest = (
        line[..., 1:],
        scored,
        batch.span[:, 0],
        origins[index],
        ends[index],
        torch.full((size,), learned),
        dataset.deviation.expand(size, -1),
    )
    return Inputs.joined([inputs]), tuple(column.cpu() for column in rest)
