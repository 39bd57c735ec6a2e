"""Channels and the vocabulary of channels that an encoder knows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Channel:
    """One measured quantity.

    `name` and `unit` identify it: the temperature in K of two corpora is one channel.
    """

    name: str
    unit: str = ""
    description: str = ""

    @property
    def key(self) -> str:
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    @classmethod
    def of_key(cls, key: str) -> Channel:
        """The channel with this `key`, without a description."""
        name, bracket, unit = key.removesuffix("]").rpartition(" [")
        return cls(name, unit) if bracket and key.endswith("]") else cls(key)

    @property
    def text(self) -> str:
        """What the text encoder is given for it."""
        head = f"{self.name} in {self.unit}" if self.unit else self.name
        return f"{head}: {self.description}" if self.description else head


@dataclass(frozen=True)
class ChannelVocabulary:
    """The channels that a model has seen, with their statistics on the training part.

    A channel's place in `keys` is its id in `MultimodalBatch.channel_ids`. Plain types and one tensor, so that it can be
    kept in a checkpoint that loads with `weights_only=True`. A channel added by `extended` after training has no
    statistics (NaN): the encoder then takes the window's own.
    """

    keys: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()  # of the training values, in the channel's unit
    deviation: tuple[float, ...] = ()  # standard deviation of the training values, > 0
    name_vectors: Tensor = field(default_factory=lambda: torch.zeros(0, 0))  # (V, D) text vectors of `Channel.text`

    def __len__(self) -> int:
        return len(self.keys)

    def ids(self, channels: Sequence[Channel]) -> list[int]:
        """The places of `channels`; KeyError for one that is not in the vocabulary."""
        place = {key: number for number, key in enumerate(self.keys)}
        return [place[channel.key] for channel in channels]

    def usual(self, channels: Sequence[Channel]) -> tuple[Tensor, Tensor]:
        """Mean and deviation (len(channels),) float64 of `channels`; NaN where unknown."""
        places = self.ids(channels)
        mean, deviation = (torch.tensor(own, dtype=torch.float64)[places] for own in (self.mean, self.deviation))
        return mean, deviation

    def unit_numbers(self) -> Tensor:
        """(V,) int64, equal for channels of one unit; −1 for one without a unit."""
        numbers: dict[str, int] = {"": -1}
        units = [Channel.of_key(key).unit for key in self.keys]
        return torch.tensor([numbers.setdefault(unit, len(numbers)) for unit in units], dtype=torch.int64)

    def extended(
        self,
        channels: Sequence[Channel],
        name_vectors: Tensor,
        mean: Sequence[float] | None = None,
        deviation: Sequence[float] | None = None,
    ) -> ChannelVocabulary:
        """This vocabulary and, behind it, those of `channels` that it does not hold yet.

        `name_vectors` (len(channels), D) are the text vectors of the channels' texts. Without statistics, the new
        channels count as never seen.
        """
        known = set(self.keys)
        new = [number for number, channel in enumerate(channels) if channel.key not in known]
        nan = [float("nan")] * len(channels)
        mean, deviation = mean or nan, deviation or nan
        vectors = name_vectors[new]
        return ChannelVocabulary(
            keys=self.keys + tuple(channels[n].key for n in new),
            mean=self.mean + tuple(float(mean[n]) for n in new),
            deviation=self.deviation + tuple(float(deviation[n]) for n in new),
            name_vectors=torch.cat([self.name_vectors, vectors]) if len(self) else vectors,
        )

    def with_statistics(self, usual: Mapping[str, tuple[float, float]]) -> ChannelVocabulary:
        """The same channels, those of `usual` with these means and deviations; one without a value (NaN) keeps its own."""
        mean, deviation = list(self.mean), list(self.deviation)
        for number, key in enumerate(self.keys):
            own = usual.get(key, (math.nan, math.nan))
            if not math.isnan(own[0]):
                mean[number], deviation[number] = own
        return replace(self, mean=tuple(mean), deviation=tuple(deviation))

    def state(self) -> dict[str, Any]:
        """Plain types and one tensor."""
        return {
            "keys": list(self.keys),
            "mean": list(self.mean),
            "deviation": list(self.deviation),
            "name_vectors": self.name_vectors,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> ChannelVocabulary:
        """The inverse of `state`; ValueError, KeyError or TypeError where `state` is none."""
        found = cls(
            keys=tuple(map(str, state["keys"])),
            mean=tuple(map(float, state["mean"])),
            deviation=tuple(map(float, state["deviation"])),
            name_vectors=state["name_vectors"],
        )
        vectors = found.name_vectors
        if not isinstance(vectors, Tensor) or vectors.dim() != 2 or not vectors.is_floating_point():
            raise ValueError("the channels have no text vectors")
        if {len(vectors), len(found.mean), len(found.deviation)} != {len(found)}:
            raise ValueError(f"{len(found)} channels have {len(found.mean)} means and {len(vectors)} text vectors")
        return found
