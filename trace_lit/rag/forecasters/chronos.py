"""Chronos-Bolt and Chronos-2 (Ansari et al., arXiv 2403.07815 and 2510.15821), by the package chronos-forecasting."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from trace_lit.rag.forecasters.frozen import ZeroShotForecaster, at_levels
from trace_lit.rag.forecasters.loading import (
    check_kind,
    find_folder,
    import_package,
    load_transformer,
    read_description,
)

_PACKAGE = "chronos-forecasting"
_GROUP = 256  # Chronos-2 compares all series that go through it at once, even where they do not see one another


def _context(values: Tensor, observed: Tensor) -> Tensor:
    return torch.where(observed, values, torch.nan)


def _architecture(folder: Any) -> Any:
    return next(iter(read_description(folder).get("architectures") or ()), None)


def _patches(config: Any, length: int) -> int:
    padded = -(-min(length, config.context_length) // config.input_patch_size) * config.input_patch_size
    return (padded - config.input_patch_size) // config.input_patch_stride + 1


class _Chronos(ZeroShotForecaster):
    """The common part: a missing value is NaN, and quantiles are forecast."""

    _kind: ClassVar[str]  # as `tune.model` names it
    _module: ClassVar[str]  # of the package, where the two classes are
    _architecture: ClassVar[str]
    _pipeline_class: ClassVar[str]

    def __init__(self, network: nn.Module, pipeline: Any) -> None:
        super().__init__(network, network.config.d_model)  # type: ignore[union-attr, arg-type]
        self._pipeline = pipeline

    @classmethod
    def load(cls, name: str) -> Self:
        package = import_package(f"chronos.{cls._module}", _PACKAGE, cls._kind)
        folder = find_folder(name)
        kind = check_kind(folder, _architecture(folder), (cls._architecture,), cls._kind)
        network = load_transformer(getattr(package, kind), folder)
        return cls(network, getattr(package, cls._pipeline_class)(network))

    def native(self, values: Tensor, observed: Tensor, horizon: int, quantiles: Sequence[float]) -> Tensor:
        context = _context(values, observed).unsqueeze(1)
        with warnings.catch_warnings():  # of horizons longer than in its training
            warnings.simplefilter("ignore")
            found = self._predict(context, horizon)
        return at_levels(found.transpose(1, 2).to(values), self._pipeline.quantiles, quantiles)

    @abstractmethod
    def _predict(self, context: Tensor, horizon: int) -> Tensor:
        """(n, K, H) of `context` (n, 1, T) at the levels that the model was trained for."""


class ChronosBolt(_Chronos):
    """Hidden states of the encoder (patches and, where the model has one, [REG]) and of the decoder, whose one state the
    model's own forecasts are read from; a prompt is put before the encoder's inputs.
    """

    _kind, _module = "chronos_bolt", "chronos_bolt"
    _architecture, _pipeline_class = "ChronosBoltModelForForecasting", "ChronosBoltPipeline"

    def tokens(self, length: int, prompted: bool = False) -> int:
        config: Any = self.network.chronos_config
        return _patches(config, length) + config.use_reg_token + 1

    def forward(self, values: Tensor, observed: Tensor, prompt: Tensor | None = None) -> Tensor:
        network: Any = self.network
        with torch.no_grad():
            states, _, inputs, mask = network.encode(_context(values, observed))
        if prompt is not None:
            inputs = torch.cat([prompt.to(inputs.dtype), inputs], dim=1)
            mask = torch.cat([torch.ones_like(mask[:, :1]), mask], dim=1)
            states = network.encoder(inputs_embeds=inputs, attention_mask=mask).last_hidden_state
        read = network.decode(inputs, mask, states)  # (n, 1, width)
        return torch.cat([states if prompt is None else states[:, 1:], read], dim=1)

    def _predict(self, context: Tensor, horizon: int) -> Tensor:
        return self._pipeline.predict(context.squeeze(1), horizon)


class Chronos2(_Chronos):
    """Hidden states of the patches, of [REG], and of the first patch to be forecast; a prompt is put before them."""

    _kind, _module = "chronos2", "chronos2"
    _architecture, _pipeline_class = "Chronos2Model", "Chronos2Pipeline"

    def tokens(self, length: int, prompted: bool = False) -> int:
        config: Any = self.network.chronos_config
        return _patches(config, length) + config.use_reg_token + 1 + prompted

    def forward(self, values: Tensor, observed: Tensor, prompt: Tensor | None = None) -> Tensor:
        network: Any = self.network
        with torch.no_grad():
            parts = [network.encode(part)[0].last_hidden_state for part in _context(values, observed).split(_GROUP)]
        states = torch.cat(parts)
        return states if prompt is None else torch.cat([prompt, states], dim=1)

    def _predict(self, context: Tensor, horizon: int) -> Tensor:
        return torch.cat(self._pipeline.predict(context, horizon, batch_size=_GROUP))
