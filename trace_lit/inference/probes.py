"""Probes of an aligned run: whether its scores notice that a text and its window no longer fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from data_modules.dataset import CorpusDataset
from data_modules.statements import Statements
from trace_lit.alignment import SearchSpace
from trace_lit.inference.evaluate import OpenedRun
from trace_lit.inference.questions import embed_texts
from trace_lit.retrieval import Metrics, Pool, evaluation_mode, with_split
from trace_lit.retrieval.probes import TIME, probe_metrics, shuffled_steps, swap_directions, text_probes
from trace_lit.retrieval.questions import KINDS

SAMPLE = 256  # texts


def evaluate_probes(opened: OpenedRun, split: str = "test", sample: int = SAMPLE, seed: int = 0) -> Metrics:
    """What each probe does to the scores of up to `sample` texts of a split with their windows.

    Flat keys `<split>/probes/<probe>/{texts, noticed, rank_worse, change}`, see `probe_metrics`, and
    `<split>/probes/statements/<probe>/…` for statements made from the values; of several corpora
    `<split>/<corpus>/probes/…`.
    """
    pools = opened.embed(split)
    found: Metrics = {}
    for name, (dataset, pool) in pools.items():
        place = split if len(pools) == 1 else f"{split}/{name}"
        found |= with_split(f"{place}/probes", _probe(opened, dataset, pool, sample, seed))
    return found


def _probe(opened: OpenedRun, dataset: CorpusDataset, pool: Pool, sample: int, seed: int) -> Metrics:
    space = SearchSpace(opened.model, dataset.corpus.info.channels)
    found: Metrics = {}
    written = np.flatnonzero(pool.has_text.numpy())
    if len(written):
        chosen = np.sort(np.random.default_rng(seed).permutation(written)[:sample])
        before = (pool.text[chosen] @ pool.series.T).numpy()
        after = before.copy()
        shuffled = _embed_shuffled(opened, space, dataset, pool.index[chosen], seed)
        after[np.arange(len(chosen)), chosen] = (pool.text[chosen] * shuffled).sum(1).numpy()
        found |= with_split(TIME, probe_metrics(before, after, chosen))
        texts = [dataset.texts[index] for index in pool.index[chosen].tolist()]
        for name, change in text_probes(dataset.corpus.info.channels, seed).items():
            pairs = [(own, text, change(text)) for own, text in zip(chosen, texts, strict=True)]
            found |= with_split(name, _compared(opened, space, pool, pairs, "document"))
    for name, statements in _statements(dataset, pool, sample, seed).items():
        found |= with_split(f"statements/{name}", _compared(opened, space, pool, statements, "query"))
    return found


def _statements(
    dataset: CorpusDataset, pool: Pool, sample: int, seed: int
) -> dict[str, list[tuple[int, str, str | None]]]:
    """Statements that the values make true of windows of the pool: the window's place, the statement, and it changed.

    `opposed` has one fact turned round, of any kind; `directions_swapped` is the change of texts of this name.
    """
    rng = np.random.default_rng(seed)
    made = Statements.of(dataset.corpus, dataset.rows[pool.index.numpy()], seed)
    places = np.sort(rng.permutation(len(pool))[:sample])
    drawn = [(int(place), own[0]) for place, own in zip(places, made.draw(places, rng), strict=True) if own]
    found = {"opposed": [(place, own.text, own.opposite) for place, own in drawn]}
    for kind in KINDS:
        found[f"opposed/{kind}"] = [(place, own.text, own.opposite) for place, own in drawn if own.kind == kind]
    return found | {"directions_swapped": [(place, own.text, swap_directions(own.text)) for place, own in drawn]}


def _compared(
    opened: OpenedRun, space: SearchSpace, pool: Pool, pairs: Sequence[tuple[int, str, str | None]], kind: str
) -> Metrics:
    """The metrics of texts that a change applies to: the place of each text's window, the text, and it changed."""
    applied = [(place, text, changed) for place, text, changed in pairs if changed is not None]
    if not applied:
        return {"texts": 0}
    own, texts, changed = zip(*applied, strict=True)
    before, after = ((embed_texts(opened, space, side, kind) @ pool.series.T).numpy() for side in (texts, changed))
    return probe_metrics(before, after, np.array(own, dtype=np.int64))


def _embed_shuffled(
    opened: OpenedRun, space: SearchSpace, dataset: CorpusDataset, indices: torch.Tensor, seed: int
) -> torch.Tensor:
    """(N, E) the windows at `indices` with their steps in another order."""
    parts = []
    with evaluation_mode(opened.model):
        for part in indices.split(opened.config.data.batch_size):
            batch = dataset[part.tolist()]
            steps = batch.values.shape[-1]
            order = torch.from_numpy(shuffled_steps(dataset.windows.length[part].tolist(), steps, seed))
            order = order.unsqueeze(1).expand_as(batch.values)
            batch = replace(batch, values=batch.values.gather(2, order), observed=batch.observed.gather(2, order))
            parts.append(space.embed_series(batch.to(opened.device)).float().cpu())
    return torch.cat(parts)
