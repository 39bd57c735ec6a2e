"""Facts that statements state, as vectors that are learned: parts of its channels, and of the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FACTS = 768  # that are looked at in a step
Sense = tuple[tuple, list[int]]  # what is stated, and the places of the channels that it is stated of


class Facts(nn.Module):
    """The vectors of F facts, (F, 1 + C, d) before they are of unit length.

    A fact has parts of its channels, and of the whole where it has several. Those of the same sense in `common` have their
    parts there, whatever corpus and channels they are of; the others have their own.

    Parameters
    ----------
    senses
        (F,) see `StatementBank.senses`; none for those that are not in common.
    present
        (F, 1 + C) the parts that a fact has.
    """

    parts: Tensor  # (F, 1 + C) the numbers of the parts in common, -1 of others
    row: Tensor  # (F,) in `own`, whose last row is of facts in common
    present: Tensor

    def __init__(self, senses: Sequence[Sense | None], present: Tensor, place: Tensor, common: CommonFacts) -> None:
        super().__init__()
        self.common, device = common, present.device
        shared = [sense is not None and sense[0] in common.numbers for sense in senses]
        slot = place.tolist()
        first, second = [], []  # for each part of a fact in common: where it stands, and where its vector does
        for fact, sense in enumerate(senses):
            if sense is not None and shared[fact]:
                number, channels = common.numbers[sense[0]], sense[1]
                first += [(fact, 0), *((fact, 1 + slot[channel]) for channel in channels)]
                second += [number * common.size + part for part in range(1 + len(channels))]
        parts = torch.full(present.shape, -1)
        if first:
            rows, columns = torch.tensor(first).unbind(1)
            parts[rows, columns] = torch.tensor(second)
        self.register_buffer("parts", parts.to(device))
        alone = torch.tensor(shared).logical_not().nonzero().squeeze(1)
        row = torch.full((len(present),), len(alone)).index_copy(0, alone, torch.arange(len(alone)))
        self.register_buffer("row", row.to(device))
        self.register_buffer("present", present.unsqueeze(-1))
        width = common.vectors.shape[-1]
        self.own = nn.Parameter(0.02 * torch.randn(len(alone) + 1, present.shape[1], width, device=device))

    def __len__(self) -> int:
        return len(self.row)

    def forward(self, facts: Tensor) -> Tensor:
        """Unit vectors (m, E) of some of them."""
        parts = self.parts[facts]
        # Not by an index, whose gradient is summed up in another order each time.
        shared = F.embedding(parts.clamp(min=0), self.common.vectors.flatten(0, 1))
        own = F.embedding(self.row[facts], self.own.flatten(1)).unflatten(1, self.own.shape[1:])
        vectors = torch.where(parts.unsqueeze(-1) >= 0, shared, own)
        return F.normalize((vectors * self.present[facts]).flatten(1), dim=1)

    @torch.no_grad()
    def every(self) -> Tensor:
        """Unit vectors (F, E), from which nothing is learned."""
        return torch.cat([self(part) for part in torch.arange(len(self), device=self.row.device).split(FACTS)])


class CommonFacts(nn.Module):
    """The vectors of what is said in several corpora, or of several channels, by its sense: of the whole and of channels."""

    def __init__(self, senses: Iterable[Sense], width: int, device: torch.device) -> None:
        super().__init__()
        count = Counter(sense for sense, _ in senses)
        channels = {sense: len(places) for sense, places in senses}
        self.numbers = {sense: number for number, sense in enumerate(own for own, many in count.items() if many > 1)}
        self.size = 1 + max((channels[sense] for sense in self.numbers), default=0)
        self.vectors = nn.Parameter(0.02 * torch.randn(max(len(self.numbers), 1), self.size, width, device=device))
