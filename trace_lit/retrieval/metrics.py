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
from functools import cache, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data_modules.window_statistics import same_values
from trace_lit.retrieval.directions import CACHED, FirstHit, directions
from trace_lit.retrieval.pool import Pool, RetrievalError

CUTOFFS = (1, 5, 10)  # the k of P@k
Metrics = dict[str, float | list[float]]


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
        for part in torch.tensor(numbers).split(max(1, CACHED // (channels * steps))):
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
