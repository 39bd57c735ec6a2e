"""The retrieval metrics of the TRACE paper as its own code computes them, beside what a constant answer would get.

They differ from `evaluate_retrieval`: the hit is the query's own pair only, label precision is the share of the first k,
"no event" counts as a label, and the label's MRR looks at the first ten. Where most of a split has no event, the answer
"no event" to every query has a high precision; so each label metric stands beside that of the constant answer, and beside
itself without the queries that have no event.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from trace_lit.retrieval.metrics import CUTOFFS, Metrics, rouge_l
from trace_lit.retrieval.pool import Pool, RetrievalError
from trace_lit.terminal import Column, add_row, new_table
from trace_lit.terminal import console as standard_output

_LABEL_RANKS = 10  # of the label's MRR
_ROWS = 512  # queries at a time


def evaluate_paper(pool: Pool, texts: Sequence[str], values: Sequence[NDArray[np.floating]]) -> Metrics:
    """The paper's metrics of a pool, which is a whole split.

    Parameters
    ----------
    texts, values
        Of the dataset, by the pool's `index`; values (C, T) with NaN where missing.

    Returns
    -------
    dict
        `text_to_series/pair/P@1`, `…/label/P@1`, `…/label_without_none/P@1`, `constant/label/P@1`, `…/top1/rougeL`, …

    Raises
    ------
    RetrievalError
        No instance has a text.
    """
    asking = torch.arange(len(pool))[pool.has_text]
    if not len(asking):
        raise RetrievalError("no instance of the split has a text; the paper's metrics are about texts and series")
    label = pool.label.clamp(min=-1)
    series = _standardised([values[index] for index in pool.index.tolist()])
    metrics: Metrics = {
        "pool/instances": len(pool),
        "pool/texts": len(asking),
        "pool/labelled": int((label >= 0).sum()),
    }
    for name, queries, candidates, rows in (
        ("text_to_series", pool.text[asking], pool.series, torch.arange(len(pool))),
        ("series_to_text", pool.series[asking], pool.text[asking], asking),
    ):
        rank, nearest = _ranked(queries, candidates, asking, rows)
        metrics |= {f"{name}/pair/P@{k}": float((rank < k).double().mean()) for k in CUTOFFS}
        metrics[f"{name}/pair/MRR"] = float((1 / (1 + rank)).mean())
        metrics[f"{name}/pair/median_rank"] = float(1 + rank.median())
        same = label[nearest] == label[asking].unsqueeze(1)
        for match, chosen in (("label", slice(None)), ("label_without_none", label[asking] >= 0)):
            if len(same[chosen]):
                metrics |= {f"{name}/{match}/{key}": value for key, value in _of_labels(same[chosen]).items()}
        top = nearest[:, 0]
        metrics |= {f"{name}/top1/{key}": value for key, value in _quality(pool, texts, series, asking, top).items()}
    return metrics | _constant(label[asking])


def _ranked(queries: Tensor, candidates: Tensor, own: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """(Q,) how many candidates stand before each query's own, and (Q, 10) the rows of the first ten."""
    first = min(max(*CUTOFFS, _LABEL_RANKS), len(rows))
    ranks, nearest = [], []
    for part in torch.arange(len(queries)).split(_ROWS):
        scores = queries[part].double() @ candidates.double().T
        order = scores.argsort(dim=1, descending=True, stable=True)
        ranks.append((rows[order] == own[part].unsqueeze(1)).double().argmax(1).double())
        nearest.append(rows[order[:, :first]])
    return torch.cat(ranks), torch.cat(nearest)


def _of_labels(same: Tensor) -> Metrics:
    """Of (Q, 10) whether the first candidates have the query's label."""
    found: Metrics = {f"P@{k}": float(same[:, :k].double().sum(1).mean() / k) for k in CUTOFFS}
    hit = same[:, :_LABEL_RANKS].double()
    found["MRR"] = float(torch.where(hit.any(1), 1 / (1 + hit.argmax(1).double()), 0.0).mean())
    return found


def _constant(label: Tensor) -> Metrics:
    """What it gets to answer every query (Q,) with the most frequent label, and what a random order gets."""
    metrics: Metrics = {}
    for match, chosen in (("label", label), ("label_without_none", label[label >= 0])):
        if len(chosen):
            share = chosen.unique(return_counts=True)[1].double() / len(chosen)
            metrics |= {f"constant/{match}/P@{k}": float(share.max()) for k in CUTOFFS}
            pool = label.unique(return_counts=True)
            in_pool = dict(zip(pool[0].tolist(), (pool[1].double() / len(label)).tolist(), strict=True))
            metrics[f"random/{match}/P@1"] = float(np.mean([in_pool[own] for own in chosen.tolist()]))
    return metrics


def _standardised(values: Sequence[NDArray[np.floating]]) -> Tensor:
    """(N, C, T): each window and channel by itself, padded with zeros in front to the longest."""
    longest = max(own.shape[1] for own in values)
    padded = np.zeros((len(values), values[0].shape[0], longest))
    for place, own in enumerate(values):
        known = np.isfinite(own)
        count = np.maximum(known.sum(1, keepdims=True), 1)
        centred = np.where(known, own - np.where(known, own, 0).sum(1, keepdims=True) / count, 0.0)
        deviation = np.sqrt(np.square(centred).sum(1, keepdims=True) / count)
        padded[place, :, longest - own.shape[1] :] = centred / np.where(deviation > 0, deviation, 1.0)
    return torch.from_numpy(padded)


def _quality(pool: Pool, texts: Sequence[str], series: Tensor, queries: Tensor, top: Tensor) -> Metrics:
    """The first candidate against the query: its text and its series; of texts, where both have one."""
    index = pool.index.tolist()
    both = [(q, t) for q, t in zip(queries.tolist(), top.tolist(), strict=True) if pool.has_text[t]]
    absolute, squared = 0.0, 0.0
    for part in torch.arange(len(queries)).split(_ROWS):
        difference = series[queries[part]] - series[top[part]]
        absolute += float(difference.abs().flatten(1).mean(1).sum())
        squared += float(difference.square().flatten(1).mean(1).sum())
    found: Metrics = {"MAE": absolute / len(queries), "MSE": squared / len(queries)}
    if both:
        found["rougeL"] = float(np.mean([rouge_l(texts[index[q]], texts[index[t]]) for q, t in both]))
        asked, answered = (torch.tensor([pair[side] for pair in both]) for side in (0, 1))
        found["text_cosine"] = float((pool.text[asked] * pool.text[answered]).sum(1).mean())
    return found


def print_paper(metrics: Metrics, title: str, console: Console | None = None) -> None:
    """Print what `evaluate_paper` gives as two tables."""
    console = console or standard_output()
    numbers = [Column(name, right=True) for name in (*(f"P@{k}" for k in CUTOFFS), "MRR")]
    table = new_table(console, ["direction", "match", *numbers], title)
    keys = dict.fromkeys(key.rsplit("/", 1)[0] for key in metrics if "/P@" in key)
    for key in keys:
        direction, match = key.split("/")
        cells = [f"{metrics[f'{key}/{name.name}']:.3f}" if f"{key}/{name.name}" in metrics else "" for name in numbers]
        own = (
            direction.replace("_", " ")
            if "_to_" in direction
            else f"{direction} answer"
            if direction == "constant"
            else direction
        )
        add_row(table, own, match.replace("_", " "), *cells)
    console.print(table)
    console.print()
    names = ("rougeL", "text_cosine", "MAE", "MSE")
    table = new_table(
        console, ["direction", *(Column(name, right=True) for name in names)], "Top hit against the query"
    )
    for direction in ("text_to_series", "series_to_text"):
        found = [metrics.get(f"{direction}/top1/{name}") for name in names]
        add_row(table, direction.replace("_", " "), *("" if own is None else f"{own:.3f}" for own in found))
    console.print(table)
    console.print()
