"""How well a pool answers: retrieval metrics as in TRACE §4, with what chance alone would give.

Directions
    text_to_series: every instance with a text asks by it for the series of the pool.
    series_to_text: every series with a text asks for the distinct texts of the pool; equal texts are one candidate.
    series_to_series: every series asks for the other series.
Matches
    pair: the hits of a text are the series that it belongs to, several where instances share it; the hit of a series is
        its text. A series is no pair of another: series_to_series is matched by label only, as in the paper.
    pair_distinct: windows of the pool that have the same values, which no reader can tell apart, count as one target: each
        is a hit of each of their texts, and each of their texts a hit of them. Only where there are such windows.
    label: the hits are the candidates of the query's label. A text that instances of several labels share has the most
        frequent of them. Queries without a label are left out.
Queries for which the pool holds no hit at all are left out of a match.

P@k is the share of queries with a hit among the first k candidates, MRR the mean of 1 / rank of the first hit. This is
the paper's meaning for labels too: a P@5 of 0.986 beside a P@1 of 0.900 and an MRR of 0.938 cannot be a share of the
first five.

Ties, which are scores that differ by less than float32 can tell, count with their expectation over all orders of the
tied candidates. So a collapsed model, which scores everything alike, gets exactly what a random ranker gets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data_modules.window_statistics import same_values
from trace_lit.retrieval.pool import Pool, RetrievalError

CUTOFFS = (1, 5, 10)  # the k of P@k
_LIFT = 2.0**40  # lifts the scores of hits above all others; in double precision, their sums are exact
_CACHED = 2**18  # numbers that a CPU's caches hold
SCORE_GRID = 1e-6  # scores closer than this are equal: what is left of float32 after a forward pass
Metrics = dict[str, float | list[float]]


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
            few = max(1, _CACHED // size)
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


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+", text.lower()))


def rouge_l(text: str, reference: str) -> float:
    """ROUGE-L as an F-measure: the longest common subsequence of the words of both, which may be of any script.

    For ASCII texts it is what torchmetrics gives, many times faster: one integer holds a row of the usual table of
    common subsequences, a bit a word.
    """
    first, second = _words(text), _words(reference)
    if not first or not second:
        return 0.0
    places: dict[str, int] = {}
    for number, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << number
    full = (1 << len(first)) - 1
    row = full
    for word in second:
        match = row & places.get(word, 0)
        row = (row + match | row - match) & full
    return 2 * (len(first) - row.bit_count()) / (len(first) + len(second))


def _rouge(pool: Pool, texts: Sequence[str], queries: Tensor, answers: Tensor) -> Tensor:
    """(Q,) ROUGE-L between the texts of two rows of the pool; NaN where one has none."""
    score = cache(rouge_l)  # the same pair of texts may come often
    index, has_text = pool.index.tolist(), pool.has_text.tolist()
    return torch.tensor(
        [
            score(texts[index[q]], texts[index[a]]) if has_text[q] and has_text[a] else torch.nan
            for q, a in zip(queries.tolist(), answers.tolist(), strict=True)
        ],
        dtype=torch.float64,
    )


def _errors(
    pool: Pool,
    values: Sequence[NDArray[np.float32]],
    deviation: NDArray[np.float64],
    queries: Tensor,
    answers: Tensor,
) -> tuple[Tensor, Tensor]:
    """(Q,) mean absolute and mean squared difference of two rows' series, in standard deviations of each channel.

    Over the points where both are observed; NaN where there are none or the shapes differ.
    """
    absolute, squared = (torch.full((len(queries),), torch.nan, dtype=torch.float64) for _ in range(2))
    pairs = list(zip(pool.index[queries].tolist(), pool.index[answers].tolist(), strict=True))
    groups: dict[tuple[int, ...], list[int]] = {}
    for number, (query, answer) in enumerate(pairs):
        if values[query].shape == values[answer].shape:
            groups.setdefault(values[query].shape, []).append(number)
    for (channels, steps), numbers in groups.items():
        for part in torch.tensor(numbers).split(max(1, _CACHED // (channels * steps))):
            mine, theirs = (np.stack([values[pairs[n][side]] for n in part.tolist()]) for side in (0, 1))
            difference = torch.from_numpy((mine - theirs) / deviation[:, None]).flatten(1)
            difference[~difference.isfinite()] = torch.nan
            absolute[part] = difference.abs().nanmean(1)
            squared[part] = difference.square().nanmean(1)
    return absolute, squared


def summary(columns: Mapping[str, Tensor], bootstrap: int, seed: int) -> Metrics:
    """The mean of each column (Q,) and, under `<name>/ci95`, its interval over `bootstrap` new draws of the queries."""
    table = torch.stack(list(columns.values()), dim=1)  # (Q, columns)
    size = len(table)
    metrics: Metrics = dict(zip(columns, table.mean(0).tolist(), strict=True))
    if bootstrap:
        generator = torch.Generator().manual_seed(seed)
        means = []
        for resamples in torch.arange(bootstrap).split(max(1, 2_000_000 // size)):
            drawn = torch.randint(size, (len(resamples), size), generator=generator)
            drawn += size * torch.arange(len(resamples)).unsqueeze(1)
            times = torch.bincount(drawn.flatten(), minlength=drawn.numel()).view_as(drawn)
            means.append(times.double() @ table / size)
        low, high = torch.cat(means).quantile(torch.tensor([0.025, 0.975], dtype=torch.float64), dim=0).tolist()
        metrics |= {f"{name}/ci95": [low[n], high[n]] for n, name in enumerate(columns)}
    return metrics


def _match_columns(first: FirstHit) -> dict[str, Tensor]:
    return {f"P@{k}": first.hit_rate(k) for k in CUTOFFS} | {"MRR": first.reciprocal_rank()}


def _alike(pool: Pool, values: Sequence[NDArray[np.float32]] | None) -> Tensor | None:
    """(N,) equal numbers for the instances whose windows have equal values; None where all differ or none are known."""
    if not values:
        return None
    alike = torch.from_numpy(same_values([values[index] for index in pool.index.tolist()]))
    return alike if len(alike.unique()) < len(alike) else None


def _prefixed(prefix: str, metrics: Metrics) -> Metrics:
    return {f"{prefix}/{name}": value for name, value in metrics.items()}


def with_split(split: str, metrics: Metrics) -> Metrics:
    """The metrics under `<split>/…`, as metrics.json holds them."""
    return _prefixed(split, metrics)


def evaluate_retrieval(
    pool: Pool,
    texts: Sequence[str] | None = None,
    values: Sequence[NDArray[np.float32]] | None = None,
    deviation: Sequence[float] | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    block: int = 1 << 23,
) -> Metrics:
    """All metrics of one pool; flat keys like `text_to_series/pair/MRR`.

    A direction or a match that the pool cannot be asked for (no texts, no labels, one instance) has no keys.

    - `<direction>/<match>/{P@1, P@5, P@10, MRR}`, and `…/queries`: how many are asked.
    - `<direction>/top1/rougeL` compares the query's text with that of the top hit, over the queries where both have
      one; `top1/MAE` and `top1/MSE` compare their series.
    - `random/…` is the random ranker: its exact expectation for a match; for top1 one random candidate a query.
    - `…/ci95`: [low, high], the 95 % interval of a mean when the queries are drawn again with replacement.
    - `pool/{instances, texts, distinct_texts, labelled}` are counts, and `pool/equal_windows` of those whose values another
      has, where there are any.

    Parameters
    ----------
    texts, values
        Of the whole dataset, reached by `pool.index`: strings, and (C, T) arrays with NaN for missing; T may differ.
        Without texts there is no rougeL, without values no MAE and MSE.
    deviation
        (C,) standard deviation of each channel on the training part, in the unit of `values`; 1 when not given.
    bootstrap
        Resamples; 0 for no intervals.
    block
        Most scores held in memory at a time.

    Raises
    ------
    RetrievalError
        `texts` or `values` end before the pool's last index, or `deviation` does not fit the channels.
    """
    scale = _scale(pool, texts, values, deviation)

    def quality(queries: Tensor, answers: Tensor, bootstrap: int) -> Metrics:
        columns = {}
        if texts is not None:
            columns["rougeL"] = _rouge(pool, texts, queries, answers)
        if values:
            columns["MAE"], columns["MSE"] = _errors(pool, values, scale, queries, answers)
        metrics: Metrics = {}
        for name, column in columns.items():
            compared = column[~column.isnan()]
            if len(compared):
                metrics |= summary({name: compared}, bootstrap, seed)
        return metrics

    metrics: Metrics = {
        "pool/instances": len(pool),
        "pool/texts": int(pool.has_text.sum()),
        "pool/distinct_texts": len(pool.text_id[pool.has_text].unique()),
        "pool/labelled": int((pool.label >= 0).sum()),
    }
    alike = _alike(pool, values)
    if alike is not None:
        metrics["pool/equal_windows"] = int((alike.bincount()[alike] > 1).sum())
    generator = torch.Generator().manual_seed(seed)
    for name, direction in directions(pool, alike).items():
        ranked, top = direction.rank(block)
        for match, first in ranked.items():
            chance = direction.chance(match)
            asked = chance.hits > 0
            if not asked.any():
                continue
            metrics[f"{name}/{match}/queries"] = int(asked.sum())
            metrics |= _prefixed(f"{name}/{match}", summary(_match_columns(first[asked]), bootstrap, seed))
            metrics |= _prefixed(f"random/{name}/{match}", summary(_match_columns(chance[asked]), 0, seed))
        answers = direction.candidates[top]
        if name == "series_to_text":  # of the instances that share the query's text, the query itself
            own, offered = direction.keys["pair"]
            answers = torch.where(own == offered[top], direction.queries, answers)
        metrics |= _prefixed(f"{name}/top1", quality(direction.queries, answers, bootstrap))
        metrics |= _prefixed(f"random/{name}/top1", quality(direction.queries, direction.draw(generator), 0))
    return metrics


def _scale(
    pool: Pool,
    texts: Sequence[str] | None,
    values: Sequence[NDArray[np.float32]] | None,
    deviation: Sequence[float] | None,
) -> NDArray[np.float64]:
    """The deviation (C,) of each channel; RetrievalError where the arguments of `evaluate_retrieval` do not fit together."""
    for name, column in {"texts": texts, "values": values}.items():
        if column is not None and len(pool) and len(column) <= int(pool.index.max()):
            raise RetrievalError(
                f"{len(column)} {name} for a pool with index {int(pool.index.max())}: give those of the whole dataset"
            )
    if not values:
        return np.ones(0)
    scale = np.ones(len(values[0])) if deviation is None else np.asarray(deviation, dtype=np.float64)
    if scale.shape != values[0].shape[:1]:
        raise RetrievalError(f"{scale.size} deviations for {len(values[0])} channels")
    return scale
