"""Miners: which instances of the training split are an anchor's hard negatives.

A miner of your own subclasses `Miner` and writes `mine`; see docs/extending/miner.md.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from trace_lit.alignment.config import MiningConfig
from trace_lit.alignment.mining import Instances, MinedNegatives, NegativeRules, mine_negatives
from trace_lit.config import ConfigError, build_object


class Miner(ABC):
    """Chooses hard negatives. A subclass writes `mine`, which returns their places.

    What no negative may be is left out here: the positive itself, equal texts, and windows of one series that overlap.
    The miner's own options, `mining.options`, are further arguments of its constructor.

    Attributes
    ----------
    config
        The section `mining` of the configuration.
    """

    def __init__(self, config: MiningConfig) -> None:
        self.config = config

    @torch.no_grad()
    def __call__(
        self, anchors: Tensor, candidates: Tensor, positive: Tensor, instances: Instances, seed: int
    ) -> MinedNegatives:
        """Mine, and measure what was mined; see `mine` for the arguments."""
        index = self.mine(anchors, candidates, positive, instances, seed)
        if index.ndim != 2 or len(index) != len(anchors) or index.is_floating_point():
            raise ConfigError(
                f"mining.miner is {self.config.miner!r}, whose mine gives {index.dtype} of shape {tuple(index.shape)}; "
                f"it must be whole numbers of shape ({len(anchors)}, K)"
            )
        if index.numel() and int(index.max()) >= len(candidates):
            raise ConfigError(
                f"mining.miner is {self.config.miner!r}, whose mine gives the place {int(index.max())}; the places of the "
                f"candidates are 0 to {len(candidates) - 1}, and -1 is none"
            )
        index = torch.where(_admissible(index, instances[positive], instances), index, -1)
        missing = index < 0
        score = torch.einsum("ne,nke->nk", anchors, candidates[index.clamp(min=0)]).masked_fill(missing, -torch.inf)
        score, order = score.sort(dim=1, descending=True, stable=True)
        return MinedNegatives(
            index=index.gather(1, order),
            score=score,
            positive=(anchors * candidates[positive]).sum(1),
            hardest=score.amax(1) if score.shape[1] else score.new_full((len(score),), -torch.inf),
            excluded={},
        )

    @abstractmethod
    def mine(self, anchors: Tensor, candidates: Tensor, positive: Tensor, instances: Instances, seed: int) -> Tensor:
        """The places (n, K) int64 of each anchor's hard negatives among the candidates, -1 where there are fewer.

        It is called for both directions, anchors being texts and candidates series, and the other way round.

        Parameters
        ----------
        anchors
            (n, E) unit vectors, those of this process.
        candidates
            (N, E) unit vectors of the other side, those of all processes.
        positive
            (n,) int64, the place of each anchor's positive among the candidates.
        instances
            What is known of the N candidates: their texts' ids, windows and labels. The anchors' is
            `instances[positive]`.
        seed
            For what is drawn: it depends on the run's seed, the epoch and the direction.
        """


def _admissible(index: Tensor, own: Instances, instances: Instances) -> Tensor:
    """Which of the places (n, K) may be negatives of the anchors `own`, see `trace_lit.alignment.admissible`."""
    other = instances[index.clamp(min=0)]
    same_text = (own.text_id.unsqueeze(1) == other.text_id) & (other.text_id >= 0)
    series, start, end = own.window.unsqueeze(1).unbind(-1)
    other_series, other_start, other_end = other.window.unbind(-1)
    overlapping = (series == other_series) & (start < other_end) & (other_start < end)
    return (index >= 0) & ~same_text & ~overlapping


class HardestMiner(Miner):
    """The hardest by their scores, under the rules of the section `mining`; see `mine_negatives`."""

    def __init__(self, config: MiningConfig) -> None:
        super().__init__(config)
        names = {field.name for field in dataclasses.fields(NegativeRules)}
        self.rules = NegativeRules(**{name: getattr(config, name) for name in names})

    def __call__(
        self, anchors: Tensor, candidates: Tensor, positive: Tensor, instances: Instances, seed: int
    ) -> MinedNegatives:
        """Mine; what the rules left out is counted on the way."""
        return mine_negatives(anchors, candidates, positive, instances, self.config.negatives, self.rules, seed=seed)

    def mine(self, anchors: Tensor, candidates: Tensor, positive: Tensor, instances: Instances, seed: int) -> Tensor:
        return self(anchors, candidates, positive, instances, seed).index


def build_miner(config: MiningConfig) -> Miner:
    """The miner that `mining.miner` asks for.

    Raises
    ------
    ConfigError
        It names no `Miner`, or one that refuses `mining.options`.
    """
    path = "trace_lit.alignment.miners:HardestMiner" if config.miner == "hardest" else config.miner
    options: dict[str, Any] = config.options
    return build_object(path, Miner, "mining.miner", config, options=options)
