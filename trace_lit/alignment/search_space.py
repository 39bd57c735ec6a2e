"""An aligned model as it is used on a corpus with given channels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from trace_lit.alignment.attribution import coalitions
from trace_lit.alignment.model import AlignedModel
from trace_lit.batch import MultimodalBatch
from trace_lit.channels import Channel

_TEXTS_AT_ONCE = 64  # of the sets of clauses that explain a text,
_PIECES_AT_ONCE = 2**15  # and pieces in them


class SearchSpace(nn.Module):
    """An aligned model as it is used on a corpus with the given channels: series and texts to comparable vectors.

    Channels that the model has never seen are to be in its vocabulary already (`encoder.extend`).
    """

    slots: Tensor

    def __init__(self, model: AlignedModel, channels: Sequence[Channel]) -> None:
        super().__init__()
        self.model = model
        ids = torch.tensor(sorted(model.encoder.vocabulary.ids(channels)))
        self.register_buffer("slots", ids.to(model.log_temperature.device))

    def embed_series(self, batch: MultimodalBatch) -> Tensor:
        """Unit vectors (B, E), from the series alone."""
        return self.model.embed_series(batch, self.slots)

    def embed_text(self, text: Tensor, mask: Tensor) -> Tensor:
        """Unit vectors (N, E) of texts given as sentence vectors (N, S, D) where `mask` (N, S)."""
        return self.model.embed_text(text, mask, self.slots)

    def voice(self, text: Tensor, mask: Tensor) -> Tensor:
        """(N, K) how much texts, given as for `embed_text`, say of each channel, 0 to 1; see `AlignedModel.has_voice`."""
        return self.model.read(text, mask, self.slots).voice[:, 1:]

    @property
    def width(self) -> int:
        """E, of the vectors."""
        return len(self.part_keys) * self.model.encoder.config.width

    @property
    def part_keys(self) -> tuple[str | None, ...]:
        """What the P parts of a vector stand for: None for the whole, then the channels' keys, where they are scored."""
        keys = self.model.encoder.vocabulary.keys
        return None, *(keys[slot] for slot in self.slots.tolist() if self.model.config.channel_score)

    def explain(self, text: Tensor, clause: Tensor) -> Tensor:
        """A text's vector taken apart (G, P, d), by its clauses and by the whole and the channels: see `part_keys`.

        The parts' inner products with an embedded series (P, d) sum to the score. What a clause adds is its Shapley value,
        see `trace_lit.alignment.attribution`.

        Parameters
        ----------
        text
            (S, D), as for `embed_text`.
        clause
            (S,) int64, the number of the clause that each piece is in, 0 to G - 1.
        """
        slots = self.slots if self.model.config.channel_score else self.slots[:0]
        members, weights = (own.to(text.device) for own in coalitions(int(clause.max()) + 1))
        masks = members[:, clause]  # (n, S)
        many = max(1, min(_TEXTS_AT_ONCE, _PIECES_AT_ONCE // len(text)))
        values = [
            self.model.text_parts(text.expand(len(mask), -1, -1), mask, slots).float() for mask in masks.split(many)
        ]
        parts = torch.einsum("gn,npd->gpd", weights, torch.cat(values))
        return parts / parts.sum(0).norm().clamp(min=1e-12)
