"""From corpora to a `ChannelVocabulary`: the channels and their usual values."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from data_modules.blocks import CorpusBlocks
from data_modules.corpus import Corpus
from data_modules.flows import from_calm
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.text import TextEncoder


def training_vocabulary(
    corpora: Sequence[Corpus], encoder: TextEncoder | None, known: ChannelVocabulary | None = None
) -> ChannelVocabulary:
    """`known` and, after it, the corpora's other channels with the statistics of their training rows.

    Corpora that share a channel are pooled. A channel without a value in any training row counts as never seen.
    """
    channels = _distinct_channels(corpora)
    found = _statistics(corpora)
    mean, deviation = zip(*(found[channel.key] for channel in channels), strict=True)
    return (known or ChannelVocabulary()).extended(channels, _vectors(channels, encoder, known), mean, deviation)


def foreign_vocabulary(
    corpora: Sequence[Corpus], encoder: TextEncoder | Callable[[], TextEncoder] | None, known: ChannelVocabulary
) -> ChannelVocabulary:
    """`known` and, after it, the corpora's other channels as never seen: for a model that is used, not trained.

    Only these are encoded; `encoder` may be what makes one, so that none is made where all channels are known.
    """
    return with_channels(known, _distinct_channels(corpora), encoder)


def with_channels(
    known: ChannelVocabulary, channels: Sequence[Channel], encoder: TextEncoder | Callable[[], TextEncoder] | None
) -> ChannelVocabulary:
    """`known` and, after it, those of the channels that it does not hold, as never seen; see `foreign_vocabulary`."""
    new = [channel for channel in channels if channel.key not in known.keys]
    if not new:
        return known
    made = encoder() if callable(encoder) else encoder
    return known.extended(new, _vectors(new, made, known))


def local_vocabulary(
    corpora: Sequence[Corpus], encoder: TextEncoder | Callable[[], TextEncoder] | None, known: ChannelVocabulary
) -> ChannelVocabulary:
    """As `foreign_vocabulary`, with the statistics of these corpora, also for channels of `known`; see `usual_values`."""
    return foreign_vocabulary(corpora, encoder, known).with_statistics(usual_values(corpora))


def vocabulary_from_calm(vocabulary: ChannelVocabulary) -> ChannelVocabulary:
    """The same channels, the components of a flow with the statistics of `from_calm`."""
    own = zip(vocabulary.mean, vocabulary.deviation, strict=True)
    return vocabulary.with_statistics(from_calm(dict(zip(vocabulary.keys, own, strict=True))))


def usual_values(
    corpora: Sequence[Corpus], calm: bool = False, split: str | None = "train"
) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of each channel, by key, in the rows of a split; in all rows where there are none of it.

    With `calm`, those of a flow's components are from zero; see `from_calm`. With None for a split, in all rows.
    """
    found = _statistics(corpora, split, or_all=True)
    return from_calm(found) if calm else found


def streamed_usual_values(
    corpora: Sequence[CorpusBlocks], calm: bool = False, split: str | None = "train"
) -> dict[str, tuple[float, float]]:
    """As `usual_values`, of corpora that are read a block at a time, twice."""
    chosen = [split if split and any(block.select(split) for block in corpus) else None for corpus in corpora]
    counts: Counter[str] = Counter()
    sums: dict[str, float] = defaultdict(float)
    for key, values in _observed(corpora, chosen):
        counts[key] += len(values)
        sums[key] += float(values.sum())
    means = {key: sums[key] / count for key, count in counts.items() if count}
    squares: dict[str, float] = defaultdict(float)
    reach: dict[str, tuple[float, float]] = {}
    for key, values in _observed(corpora, chosen):
        squares[key] += float(np.square(values - means.get(key, 0.0)).sum())
        if len(values):
            low, high = reach.get(key, (math.inf, -math.inf))
            reach[key] = min(low, float(values.min())), max(high, float(values.max()))
    for key, (low, high) in reach.items():
        if low == high:  # no rounding of the mean is a spread
            squares[key] = 0.0
    found = {channel.key: (float("nan"), float("nan")) for corpus in corpora for channel in corpus.info.channels}
    found |= {key: (mean, _spread(mean, math.sqrt(squares[key] / counts[key]))) for key, mean in means.items()}
    return from_calm(found) if calm else found


def _observed(
    corpora: Sequence[CorpusBlocks], splits: Sequence[str | None]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The values of each channel in each block's rows of the corpus's split, or in all of them for None."""
    for corpus, split in zip(corpora, splits, strict=True):
        for block in corpus:
            rows = range(len(block)) if split is None else block.select(split)
            windows = block.values()
            for number, channel in enumerate(corpus.info.channels):
                parts = [windows[row][number] for row in rows]
                values = np.concatenate(parts, dtype=np.float64) if parts else np.empty(0)
                yield channel.key, values[~np.isnan(values)]


def _spread(mean: float, deviation: float) -> float:
    return deviation or abs(mean) or 1.0


def _distinct_channels(corpora: Sequence[Corpus]) -> list[Channel]:
    """In order of appearance; of the channels with one key, the first."""
    channels: dict[str, Channel] = {}
    for corpus in corpora:
        for channel in corpus.info.channels:
            channels.setdefault(channel.key, channel)
    return list(channels.values())


def _vectors(channels: list[Channel], encoder: TextEncoder | None, known: ChannelVocabulary | None) -> torch.Tensor:
    """(len(channels), D); zeros without an encoder."""
    if encoder is None:
        return torch.zeros(len(channels), 0 if known is None else known.name_vectors.shape[1])
    return torch.from_numpy(encoder.encode([channel.text for channel in channels]))


def _statistics(
    corpora: Sequence[Corpus], split: str | None = "train", or_all: bool = False
) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of each channel, by key, over the windows of a split's rows; NaN without a value.

    With `or_all`, of all rows of a corpus that has no rows of the split; for None of all rows anyway. A constant channel has
    no spread to measure others by; its deviation is its level, or 1.
    """
    rows = [np.arange(len(corpus)) if split is None else corpus.rows_of(split) for corpus in corpora]
    rows = [
        np.arange(len(corpus)) if or_all and not len(own) else own for corpus, own in zip(corpora, rows, strict=True)
    ]
    places = {channel.key: number for number, channel in enumerate(_distinct_channels(corpora))}
    count, total, squares = (np.zeros(len(places)) for _ in range(3))
    low, high = np.full(len(places), np.inf), np.full(len(places), -np.inf)
    for place, values, seen in _by_channel(corpora, rows, places):
        count[place] += seen.sum((0, 2))
        total[place] += np.where(seen, values, 0.0).sum((0, 2))
        low[place] = np.minimum(low[place], np.where(seen, values, np.inf).min((0, 2)))
        high[place] = np.maximum(high[place], np.where(seen, values, -np.inf).max((0, 2)))
    mean = total / np.where(count, count, np.nan)
    for place, values, seen in _by_channel(corpora, rows, places):
        squares[place] += np.square(np.where(seen, values - mean[place][:, None], 0.0)).sum((0, 2))
    deviation = np.sqrt(squares / np.where(count, count, np.nan))
    level = np.where(mean == 0, 1.0, np.abs(mean))
    deviation = np.where((low == high) | (deviation == 0), level, deviation)
    return {key: (float(mean[number]), float(deviation[number])) for key, number in places.items()}


def _by_channel(
    corpora: Sequence[Corpus], rows: Sequence[NDArray[np.int64]], places: dict[str, int]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]]:
    """Blocks of windows: the places of their C channels, values (n, C, T), and which of them are observed."""
    for corpus, own in zip(corpora, rows, strict=True):
        place = np.array([places[channel.key] for channel in corpus.info.channels])
        for _, values in corpus.blocks(own):
            yield place, values.astype(np.float64), ~np.isnan(values)
