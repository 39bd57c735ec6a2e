"""TimesFM 2.0 and 2.5 (Das et al., arXiv 2310.10688), as the package transformers has them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from trace_lit.gaps import interpolated
from trace_lit.rag.forecasters.frozen import ZeroShotForecaster, at_levels
from trace_lit.rag.forecasters.loading import (
    check_kind,
    find_folder,
    import_package,
    load_transformer,
    read_description,
)

_LEAST = 3  # observed steps of the first patch by whose mean and deviation TimesFM 2.0 normalises
_FLAT = 1e-3  # of the window's deviation


class TimesFm(ZeroShotForecaster):
    """The last hidden state of a decoder; a prompt is put before the tokens of the context.

    Gaps are bridged by a straight line, as the model's authors do; what is missing at the beginning is padding.
    """

    causal = True

    @classmethod
    def load(cls, name: str) -> TimesFm:
        package = import_package("transformers", "transformers", "timesfm")
        folder = find_folder(name)
        found = next(iter(read_description(folder).get("architectures") or ()), None)
        kind = check_kind(folder, found, tuple(_KINDS), "timesfm")
        network = load_transformer(getattr(package, kind), folder)
        return _KINDS[kind](network, network.config.hidden_size)

    def tokens(self, length: int, prompted: bool = False) -> int:
        return 1

    def forward(self, values: Tensor, observed: Tensor, prompt: Tensor | None = None) -> Tensor:
        with torch.no_grad():
            tokens, padded = self._tokens(*self._patches(values, observed))
        place = torch.arange(tokens.shape[1], device=tokens.device) - padded.sum(-1, keepdim=True)
        if prompt is not None:
            tokens = torch.cat([prompt.to(tokens.dtype), tokens], dim=1)
            place = torch.cat([torch.full_like(place[:, :1], -1), place], dim=1)
            padded = torch.cat([torch.zeros_like(padded[:, :1]), padded], dim=1)
        size = tokens.shape[1]
        later = torch.ones(size, size, dtype=torch.bool, device=tokens.device).triu(1)
        # A finite number: softmax over nothing but padding has to remain defined.
        mask = torch.zeros(len(tokens), 1, size, size, device=tokens.device)
        mask = mask.masked_fill(later | padded[:, None, None], torch.finfo(mask.dtype).min)
        return self._decode(tokens, mask, place, padded)[:, -1:]

    def native(self, values: Tensor, observed: Tensor, horizon: int, quantiles: Sequence[float]) -> Tensor:
        context = interpolated(*self._padded(values, observed))
        parts: list[Tensor] = []
        while sum(part.shape[1] for part in parts) < horizon:
            with torch.no_grad():
                found = self._forecast(context)  # (n, h, 1 + K), the mean first
            parts.append(found[..., 1:])
            context = torch.cat([context, found[..., 0]], dim=1)
        levels: Sequence[float] = self.network.config.quantiles  # type: ignore[union-attr, assignment]
        return at_levels(torch.cat(parts, dim=1)[:, :horizon], levels, quantiles)

    def _padded(self, values: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
        """What of a window is read, on the left filled up to whole patches."""
        config: Any = self.network.config
        values, observed = values[:, -config.context_length :], observed[:, -config.context_length :]
        before = -values.shape[1] % config.patch_length
        return F.pad(values, (before, 0)), F.pad(observed, (before, 0))

    def _patches(self, values: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
        """The context (n, N, P) without gaps, and where it has not begun."""
        length: int = self.network.config.patch_length  # type: ignore[union-attr, assignment]
        values, observed = self._padded(values, observed)
        missing = observed.cumsum(-1) == 0
        return interpolated(values, observed).unflatten(-1, (-1, length)), missing.unflatten(-1, (-1, length))

    @abstractmethod
    def _tokens(self, context: Tensor, missing: Tensor) -> tuple[Tensor, Tensor]:
        """The tokens (n, N, width) of patches (n, N, P), and which (n, N) are nothing but padding."""

    @abstractmethod
    def _decode(self, tokens: Tensor, mask: Tensor, place: Tensor, padded: Tensor) -> Tensor:
        """Hidden states (n, N, width)."""

    @abstractmethod
    def _forecast(self, context: Tensor) -> Tensor:
        """The next h steps (n, h, 1 + K) of (n, T)."""


class TimesFm20(TimesFm):
    """TimesFM 2.0: a window is normalised by its first patch; the frequency is always the model's default, "high".

    Where the first patch is flat and the window is not, the window's own deviation takes the place of the patch's: the
    model would divide by a millionth.
    """

    def level(self, values: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
        context, missing = self._patches(values, observed)
        enough = (~missing).sum(-1) >= _LEAST  # (n, N)
        first = torch.where(enough.any(-1), enough.int().argmax(-1), context.shape[1] - 1)
        place = first[:, None, None].expand(-1, 1, context.shape[2])
        mean, deviation = super().level(context.gather(1, place)[:, 0], ~missing.gather(1, place)[:, 0])
        _, whole = super().level(context.flatten(1), ~missing.flatten(1))
        return mean, torch.where(deviation < _FLAT * whole, whole, deviation)

    def _tokens(self, context: Tensor, missing: Tensor) -> tuple[Tensor, Tensor]:
        network: Any = self.network.decoder
        mean, deviation = self.level(context.flatten(1), ~missing.flatten(1))
        deviation = deviation.clamp(min=network.config.tolerance)
        series = torch.where(missing, 0.0, (context - mean.unsqueeze(-1)) / deviation.unsqueeze(-1))
        tokens = network.input_ff_layer(torch.cat([series, missing.float()], dim=-1))
        padded = missing.all(-1)
        if network.config.use_positional_embedding:
            places = network.position_emb(tokens.shape[1]).expand(len(tokens), -1, -1)
            place = torch.arange(tokens.shape[1], device=tokens.device) - padded.sum(-1, keepdim=True)
            tokens = tokens + places.gather(1, place.clamp(min=0).unsqueeze(-1).expand_as(tokens))
        return tokens + network.freq_emb.weight[0], padded

    def _decode(self, tokens: Tensor, mask: Tensor, place: Tensor, padded: Tensor) -> Tensor:
        network: Any = self.network.decoder
        for layer in network.layers:
            tokens = layer(tokens, attention_mask=mask, paddings=padded.float())
        return tokens

    def _forecast(self, context: Tensor) -> Tensor:
        return self.network(past_values=list(context)).full_predictions


class TimesFm25(TimesFm):
    """TimesFM 2.5: each patch is normalised by all steps before its end."""

    def _tokens(self, context: Tensor, missing: Tensor) -> tuple[Tensor, Tensor]:
        network: Any = self.network.model
        mean, deviation = (x.unsqueeze(-1) for x in self.level(context.flatten(1), ~missing.flatten(1)))
        series = (context - mean) / torch.where(deviation > 0, deviation, 1.0)
        known = torch.where(missing, 0.0, series)
        count = (~missing).sum(-1).cumsum(-1).clamp(min=1)  # (n, N), so far
        centre = known.sum(-1).cumsum(-1) / count
        spread = (known.square().sum(-1).cumsum(-1) / count - centre.square()).clamp(min=0.0).sqrt()
        spread = torch.where(spread < network.tolerance, 1.0, spread)
        series = torch.where(missing, 0.0, (known - centre.unsqueeze(-1)) / spread.unsqueeze(-1))
        return network.input_ff_layer(torch.cat([series, missing.float()], dim=-1)), missing.all(-1)

    def _decode(self, tokens: Tensor, mask: Tensor, place: Tensor, padded: Tensor) -> Tensor:
        network: Any = self.network.model
        turn = network.rotary_emb(tokens, place)
        for layer in network.layers:
            tokens = layer(tokens, position_embeddings=turn, attention_mask=mask, position_ids=place)
        return tokens

    def _forecast(self, context: Tensor) -> Tensor:
        # Without its clamping, which looks at all series of a batch.
        found = self.network(list(context), forecast_context_len=context.shape[1], truncate_negative=False)
        return found.full_predictions


_KINDS: dict[str, type[TimesFm]] = {
    "TimesFmModelForPrediction": TimesFm20,
    "TimesFm2_5ModelForPrediction": TimesFm25,
}
