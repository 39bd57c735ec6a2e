"""From corpora to a `ChannelVocabulary`: the channels and their usual values."""

from __future__ import annotations

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from data_modules.blocks import CorpusBlocks
from data_modules.corpus import Corpus
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.text import TextEncoder

ROUNDED = 0.1  # share of a usual change that rounding may take
log = logging.getLogger(__name__)


def training_vocabulary(
    corpora: Sequence[Corpus], encoder: TextEncoder | None, known: ChannelVocabulary | None = None
) -> ChannelVocabulary:
    """`known` and, after it, the corpora's other channels with the statistics of their training rows.

    Corpora that share a channel are pooled. A channel without a value in any training row counts as never seen.
    """
    channels = _distinct_channels(corpora)
    values = _training_values(corpora)
    mean, deviation = zip(*(_statistics(values[channel.key]) for channel in channels), strict=True)
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


def usual_values(corpora: Sequence[Corpus]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of each channel, by key, in the training rows, or in all rows of a corpus without any."""
    values = _training_values(corpora, or_all=True)
    return {channel.key: _statistics(values[channel.key]) for channel in _distinct_channels(corpora)}


def streamed_usual_values(corpora: Sequence[CorpusBlocks]) -> dict[str, tuple[float, float]]:
    """As `usual_values`, of corpora that are read a block at a time, twice."""
    splits = [{split for block in corpus for split in block.splits} for corpus in corpora]
    counts: Counter[str] = Counter()
    sums: dict[str, float] = defaultdict(float)
    for key, values in _observed(corpora, splits):
        counts[key] += len(values)
        sums[key] += float(values.sum())
    means = {key: sums[key] / count for key, count in counts.items() if count}
    squares: dict[str, float] = defaultdict(float)
    for key, values in _observed(corpora, splits):
        squares[key] += float(np.square(values - means.get(key, 0.0)).sum())
    found = {channel.key: (float("nan"), float("nan")) for corpus in corpora for channel in corpus.info.channels}
    return found | {key: (mean, _spread(mean, math.sqrt(squares[key] / counts[key]))) for key, mean in means.items()}


def _observed(
    corpora: Sequence[CorpusBlocks], splits: Sequence[Collection[str]]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The values of each channel in the training rows of each block, or in all rows of a corpus without any."""
    for corpus, own in zip(corpora, splits, strict=True):
        for block in corpus:
            rows = range(len(block)) if "train" not in own else block.select("train")
            windows = block.values()
            for number, channel in enumerate(corpus.info.channels):
                parts = [windows[row][number] for row in rows]
                values = np.concatenate(parts, dtype=np.float64) if parts else np.empty(0)
                yield channel.key, values[~np.isnan(values)]


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


def warn_of_rounding(corpora: Sequence[Corpus]) -> None:
    """Tell of channels whose values lose what they change by when they become float32, as training has them."""
    for corpus in corpora:
        values = corpus.values()
        if not values or values[0].dtype == np.float32:
            continue
        for number, channel in enumerate(corpus.info.channels):
            steps = np.concatenate([np.abs(np.diff(window[number])) for window in values])
            moved = steps[steps > 0]  # NaN is not
            if not len(moved):
                continue
            largest = max(
                float(np.nanmax(np.abs(own))) for window in values if not np.isnan(own := window[number]).all()
            )
            spacing = float(np.spacing(np.float32(largest)))
            if spacing > ROUNDED * float(np.median(moved)):
                log.warning(
                    "%s: channel %r has values like %g, which float32 rounds to steps of %g, and changes by %g from step to "
                    "step: take a constant off its values, so that training sees its changes",
                    corpus.path,
                    channel.key,
                    largest,
                    spacing,
                    float(np.median(moved)),
                )


def _training_values(corpora: Sequence[Corpus], or_all: bool = False) -> dict[str, list[NDArray[np.float32]]]:
    """For each channel the values (T,) of all training rows of all corpora, or of all rows where a corpus has none."""
    values: dict[str, list[NDArray[np.float32]]] = {}
    for corpus in corpora:
        windows = corpus.values()
        train = list(corpus.select("train"))
        if or_all and not train:
            train = list(range(len(corpus)))
        for number, channel in enumerate(corpus.info.channels):
            values.setdefault(channel.key, []).extend(windows[row][number] for row in train)
    return values


def _statistics(parts: list[NDArray[np.float32]]) -> tuple[float, float]:
    """Mean and standard deviation of the observed values; NaN where there is none."""
    values = np.concatenate(parts, dtype=np.float64) if parts else np.empty(0)
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return float("nan"), float("nan")
    mean = float(values.mean())
    return mean, _spread(mean, float(values.std()))


def _spread(mean: float, deviation: float) -> float:
    """The deviation to measure others by; a constant channel has none: it is its level, or 1."""
    return (abs(mean) or 1.0) if deviation <= 1e-6 * abs(mean) or deviation == 0 else deviation
