"""`FrozenForecaster`: the interface of pre-trained forecasters of other projects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trace_lit.encoder.patches import mean_and_variance


class FrozenForecaster(nn.Module, ABC):
    """A pre-trained forecaster of single series whose weights never move and are in no checkpoint of ours.

    A gradient passes through to the prompt. Windows are in any unit: the models normalise them.

    Attributes
    ----------
    width
        Of a hidden state.
    causal
        The prompt is put before the context's tokens, and only the last hidden state is read; otherwise the model sees
        all of the context at once.
    """

    width: int
    causal: bool = False

    def __init__(self, network: nn.Module, width: int) -> None:
        super().__init__()
        self.network = network.float().eval().requires_grad_(False)
        self.width = width
        self.register_state_dict_post_hook(_leave_out)
        self.register_load_state_dict_pre_hook(_bring_along)

    @classmethod
    @abstractmethod
    def load(cls, name: str) -> FrozenForecaster:
        """The model of a folder or of that name on the hub.

        Raises
        ------
        ConfigError
            The package is not installed, or the model cannot be found or read, or is another's.
        """

    @abstractmethod
    def tokens(self, length: int, prompted: bool = False) -> int:
        """N, how many hidden states there are for windows of `length` steps."""

    @abstractmethod
    def forward(self, values: Tensor, observed: Tensor, prompt: Tensor | None = None) -> Tensor:
        """Hidden states (n, N, width).

        `values` (n, T) and `observed` (n, T) bool; `prompt` (n, 1, width).
        """

    def level(self, values: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation (n, 1) by which the model normalises a window; both 0 where nothing is observed."""
        mean, variance = mean_and_variance(values, observed)
        return mean, variance.sqrt()

    def train(self, mode: bool = True) -> FrozenForecaster:
        return super().train(False)


class ZeroShotForecaster(FrozenForecaster):
    """One that forecasts by itself, too, without a head."""

    @abstractmethod
    def native(self, values: Tensor, observed: Tensor, horizon: int, quantiles: Sequence[float]) -> Tensor:
        """The model's own forecasts (n, H, Q) at the `quantiles`, in the unit of `values` (n, T)."""


def _leave_out(module: nn.Module, weights: dict[str, Any], prefix: str, metadata: dict[str, Any]) -> None:
    for name in [name for name in weights if name.startswith(f"{prefix}network.")]:
        del weights[name]


def _bring_along(module: nn.Module, weights: dict[str, Any], prefix: str, *rest: Any) -> None:
    weights.update(module.network.state_dict(prefix=f"{prefix}network."))  # type: ignore[union-attr, operator]


def at_levels(found: Tensor, levels: Sequence[float], wanted: Sequence[float]) -> Tensor:
    """Quantiles (..., Q) at the levels `wanted`, on straight lines between those (..., K) at ascending `levels`."""
    known = torch.tensor(levels, device=found.device)
    asked = torch.tensor(wanted, device=found.device).clamp(known[0], known[-1])
    above = torch.searchsorted(known, asked).clamp(min=1)
    share = (asked - known[above - 1]) / (known[above] - known[above - 1])
    return torch.lerp(found[..., above - 1], found[..., above], share)
