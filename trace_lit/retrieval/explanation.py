"""Why a hit has its score: what each channel and each clause of the query adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WHOLE = "whole window"


@dataclass(frozen=True)
class QueryParts:
    """A query's unit vector taken apart."""

    vectors: NDArray[np.float32]  # (G, P, d) by clause and by whole and channel; over G they sum to the vector (P d)
    channels: tuple[str | None, ...]  # (P,) keys of channels, None for the whole window
    clauses: tuple[str, ...] = ()  # (G,); none of a query that is a series, where G is 1


@dataclass(frozen=True)
class Contribution:
    """What a channel or a clause adds to the score of a hit."""

    name: str  # the channel's key or `WHOLE`; the words of the clause
    score: float
    weight: float  # its share of the query; all channels' sum to 1, and so do all clauses'
    beats: float | None  # the share of the searched windows to which it adds less; None where the hit lacks the channel

    @property
    def fits(self) -> bool:
        """Whether it adds more than to half of the searched windows."""
        return self.beats is not None and self.beats >= 0.5


@dataclass(frozen=True)
class Explanation:
    """What the score of a hit consists of."""

    channels: tuple[
        Contribution, ...
    ]  # the whole window, then the corpus's channels; their scores sum to the similarity
    clauses: tuple[Contribution, ...]  # in the order of the text; their scores sum to the similarity; none of a series
    table: tuple[tuple[float, ...], ...]  # what each clause adds by each of `channels`; one row for a series

    @property
    def spoken_of(self) -> tuple[bool, ...]:
        """Of each of `channels`, whether the query speaks of it: at least half as much as of all on average."""
        return tuple(own.weight >= 0.5 / len(self.channels) for own in self.channels)

    @property
    def names_no_channel(self) -> bool:
        """Whether the query speaks of the whole window alone, as one that the model does not understand."""
        return not any(self.spoken_of[1:])

    def columns(self) -> dict[str, float]:
        """The scores by name: "whole window", then "channel wind speed [m/s]", …, "clause 1: strong winds", …"""
        whole, *channels = self.channels
        by_channel = {whole.name: whole.score} | {f"channel {own.name}": own.score for own in channels}
        return by_channel | {
            f"clause {number}: {own.name}": own.score for number, own in enumerate(self.clauses, start=1)
        }

    def leading_clause(self, channel: int) -> str | None:
        """The clause that adds most by one of `channels`; None where there is no choice."""
        if len(self.clauses) < 2:
            return None
        return self.clauses[max(range(len(self.clauses)), key=lambda number: self.table[number][channel])].name


def explain(
    parts: QueryParts, vectors: NDArray[np.float32], places: Sequence[int], order: Sequence[str] = ()
) -> list[Explanation]:
    """Why the windows at `places` have their scores among those that are searched.

    Parameters
    ----------
    vectors
        (M, P d), of all windows that are searched.
    order
        The channels' keys in the order in which they are listed; by default as in `parts`.
    """
    keys = [None, *(key for key in order or parts.channels if key is not None and key in parts.channels)]
    columns = [parts.channels.index(key) for key in keys]
    query = parts.vectors[:, columns]  # (G, P, d)
    windows = vectors.reshape(len(vectors), len(parts.channels), -1)
    present = np.einsum("mpd,mpd->mp", windows, windows)[:, columns] > 0  # a channel without a value has the part 0
    by_channel = np.einsum("mpd,pd->mp", windows, parts.vectors.sum(0))[:, columns]
    by_clause = vectors @ parts.vectors.reshape(len(parts.vectors), -1).T
    channel_weight = np.square(query.sum(0)).sum(1)
    clause_weight = np.einsum("gpd,pd->g", query, query.sum(0))
    found = []
    for place in places:
        channels = [
            Contribution(
                name=WHOLE if key is None else key,
                score=float(by_channel[place, number]),
                weight=float(channel_weight[number]),
                beats=_beaten(by_channel[present[:, number], number], by_channel[place, number]) if there else None,
            )
            for number, (key, there) in enumerate(zip(keys, present[place], strict=True))
        ]
        clauses = [
            Contribution(
                name=words,
                score=float(by_clause[place, number]),
                weight=float(clause_weight[number]),
                beats=_beaten(by_clause[:, number], by_clause[place, number]),
            )
            for number, words in enumerate(parts.clauses)
        ]
        table = np.einsum("gpd,pd->gp", query, windows[place][columns]).tolist()
        found.append(Explanation(tuple(channels), tuple(clauses), tuple(map(tuple, table))))
    return found


def _beaten(scores: NDArray[np.float32], own: np.float32) -> float:
    return float((scores < own).mean())


def rounded(score: float) -> str:
    """Three places, and no minus before a zero."""
    return f"{score:z.3f}"
