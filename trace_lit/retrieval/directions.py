"""The directions in which a pool can be asked, and where the first hits stand; see `trace_lit.retrieval.metrics`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from trace_lit.retrieval.pool import Pool

_LIFT = 2.0**40  # lifts the scores of hits above all others; in double precision, their sums are exact
SCORE_GRID = 1e-6  # scores closer than this are equal: what is left of float32 after a forward pass
CACHED = 2**18  # numbers that a CPU's caches hold


@dataclass(frozen=True)
class FirstHit:
    """Where Q queries' best-scored hits stand among the candidates."""

    better: Tensor  # (Q,) candidates that score above the best hit
    tied: Tensor  # (Q,) candidates that score the same as it, itself included
    hits: Tensor  # (Q,) hits among the tied, at least 1

    def __getitem__(self, queries: Tensor) -> FirstHit:
        return FirstHit(self.better[queries], self.tied[queries], self.hits[queries])

    def hit_rate(self, k: int) -> Tensor:
        """(Q,) probability of a hit among the first k, over all orders of the tied candidates."""
        draws = torch.arange(k)  # from the tied candidates, without replacement
        tied, missing = self.tied.unsqueeze(1), (self.tied - self.hits).unsqueeze(1)
        miss = (missing - draws).clamp(min=0).double() / (tied - draws).clamp(min=1)  # (Q, k)
        outside = draws >= k - self.better.unsqueeze(1)
        return 1 - miss.masked_fill(outside, 1.0).prod(1)

    def reciprocal_rank(self) -> Tensor:
        """(Q,) expectation of 1 / rank of the first hit, over all orders of the tied candidates."""
        triples = torch.stack([self.tied - self.hits, self.better, self.hits], dim=1)
        triples, place = triples.unique(dim=0, return_inverse=True)  # sorted by the candidates that can stand before
        parts = []
        for rows in triples.split(64):
            missing, better, hits = rows.double().unsqueeze(-1).unbind(1)  # each (rows, 1)
            before = torch.arange(int(missing.max()) + 1)  # tied misses that stand before the first hit
            left = (missing - before).clamp(min=0)
            next_is_hit = hits / (left + hits)
            all_missed = torch.cat([torch.ones_like(missing), (1 - next_is_hit).cumprod(1)[:, :-1]], dim=1)
            parts.append((all_missed * next_is_hit / (better + before + 1)).sum(1))
        return torch.cat(parts)[place] if parts else torch.zeros(0, dtype=torch.float64)


@dataclass(frozen=True)
class Direction:
    """Q queries and M candidates. Queries and candidates with the same key match; negative keys are none."""

    queries: Tensor  # (Q,) rows of the pool
    query_vectors: Tensor  # (Q, E)
    candidates: Tensor  # (M,) rows of the pool that the candidates come from
    candidate_vectors: Tensor  # (M, E)
    keys: dict[str, tuple[Tensor, Tensor]]  # by match: (Q,) and (M,) int64
    exclude_self: bool = False  # then query n is candidate n and does not count

    def chance(self, match: str) -> FirstHit:
        """The random ranker: all candidates tied."""
        asked, offered = self.keys[match]
        count = torch.bincount(offered[offered >= 0], minlength=int(asked.max().clamp(min=0)) + 1)
        hits = torch.where(asked >= 0, count[asked.clamp(min=0)] - int(self.exclude_self), 0)
        size = len(self.candidates) - int(self.exclude_self)
        return FirstHit(torch.zeros_like(hits), torch.full_like(hits, size), hits)

    def draw(self, generator: torch.Generator) -> Tensor:
        """(Q,) a random candidate's row of the pool for each query."""
        size = len(self.candidates) - int(self.exclude_self)
        drawn = torch.randint(size, (len(self.queries),), generator=generator)
        if self.exclude_self:
            drawn += drawn >= torch.arange(len(drawn))
        return self.candidates[drawn]

    def rank(self, block: int) -> tuple[dict[str, FirstHit], Tensor]:
        """Where the first hits stand, by match, and (Q,) the best-scored candidate of each query, the first of equals.

        At most `block` scores, or one query's, are held at a time.
        """
        # Results are written into place: small tensors kept from between the large ones would fragment the memory.
        asking, size = len(self.queries), len(self.candidates)
        found = {match: torch.empty(3, asking, dtype=torch.int64) for match in self.keys}
        top = torch.empty(asking, dtype=torch.int64)
        candidates = self.candidate_vectors.double().T
        keys = {match: (asked.double(), offered.double()) for match, (asked, offered) in self.keys.items()}
        for rows in torch.arange(asking).split(max(1, block // size)):
            # In double precision, so that how the product is cut into blocks cannot change a rank.
            scores = (self.query_vectors[rows].double() @ candidates).div_(SCORE_GRID).round_()  # (b, M)
            if self.exclude_self:
                scores.diagonal(int(rows[0])).fill_(-torch.inf)
            few = max(1, CACHED // size)
            for own, some in zip(rows.split(few), scores.split(few), strict=True):
                top[own] = some.argmax(1)
                for match, (asked, offered) in keys.items():
                    found[match][:, own] = _first_hits(some, asked[own], offered)
        return {match: FirstHit(*columns) for match, columns in found.items()}, top


def _first_hits(scores: Tensor, asked: Tensor, offered: Tensor) -> Tensor:
    """What `FirstHit` is made of (3, b), from scores (b, M) on the grid and the keys (b,) and (M,).

    Truth values are kept as numbers of the scores' type, which takes a CPU a quarter of the time.
    """
    marked = torch.empty_like(scores)
    lifted = torch.eq(asked.unsqueeze(1), offered, out=marked).mul(_LIFT).add_(scores)
    best = lifted.amax(1, keepdim=True)
    hits = torch.eq(lifted, best, out=marked).sum(1)
    best -= _LIFT
    better = torch.gt(scores, best, out=marked).sum(1)
    tied = torch.eq(scores, best, out=marked).sum(1)
    return torch.stack([better, tied, hits]).long()


def _text_labels(place: Tensor, label: Tensor, texts: int) -> Tensor:
    """(texts,) the most frequent label among the instances of each text, the smallest of equals; -1 for none.

    `place` and `label` (n,) are the text and the label of the instances that have both.
    """
    pairs, count = torch.stack([place, label], dim=1).unique(dim=0, return_counts=True)
    labels = int(label.max()) + 1 if len(label) else 1
    order = count * labels + (labels - 1 - pairs[:, 1])  # larger for more frequent, then for smaller labels
    best = torch.full((texts,), -1).scatter_reduce(0, pairs[:, 0], order, "amax")
    return torch.where(best >= 0, labels - 1 - best % labels, -1)


def _joined(text: Tensor, alike: Tensor) -> Tensor:
    """(N,) a number for each instance: those that share a text or a window's values, or another shares with both, are one.

    `text` (N,) is negative where there is none.
    """
    own = torch.where(text >= 0, text, text.clamp(min=-1).max() + 1 + torch.arange(len(text)))
    joined = alike
    while True:
        for key in (own, alike):
            place = key.unique(return_inverse=True)[1]
            lowest = torch.full((len(place),), len(place)).scatter_reduce(0, place, joined, "amin")
            before, joined = joined, lowest[place]
        if torch.equal(before, joined):
            return joined


def directions(pool: Pool, alike: Tensor | None = None) -> dict[str, Direction]:
    """The directions in which the pool can be asked: those with texts if there are any, series if there are two.

    `alike` (N,) has one number for windows of equal values; with it there is the match pair_distinct.
    """
    rows = torch.arange(len(pool))
    asking = rows[pool.has_text]
    label = pool.label.clamp(min=-1)
    distinct, place = pool.text_id[asking].unique(return_inverse=True)
    text = torch.full_like(label, -1)
    text[asking] = place
    found = {}
    if len(asking):
        first = torch.full_like(distinct, len(pool)).scatter_reduce(0, place, asking, "amin")
        labelled = asking[label[asking] >= 0]
        text_label = _text_labels(text[labelled], label[labelled], len(distinct))
        found["text_to_series"] = Direction(
            queries=asking,
            query_vectors=pool.text[asking],
            candidates=rows,
            candidate_vectors=pool.series,
            keys={"pair": (place, text), "label": (label[asking], label)},
        )
        found["series_to_text"] = Direction(
            queries=asking,
            query_vectors=pool.series[asking],
            candidates=first,
            candidate_vectors=pool.text[first],
            keys={"pair": (place, torch.arange(len(distinct))), "label": (label[asking], text_label)},
        )
        if alike is not None:
            one = _joined(text, alike)
            found["text_to_series"].keys["pair_distinct"] = one[asking], one
            found["series_to_text"].keys["pair_distinct"] = one[asking], one[first]
    if len(pool) > 1:
        found["series_to_series"] = Direction(
            queries=rows,
            query_vectors=pool.series,
            candidates=rows,
            candidate_vectors=pool.series,
            keys={"label": (label, label)},
            exclude_self=True,
        )
    return found
