"""From corpora to a `ChannelVocabulary`: which channels there are, and what is usual for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.text import TextEncoder


def training_vocabulary(
    corpora: Sequence[Corpus], encoder: TextEncoder | None, known: ChannelVocabulary | None = None
) -> ChannelVocabulary:
    """`known` and, behind it, the corpora's other channels with the statistics of their training rows.

    Corpora that share a channel are pooled. A channel without a value in any training row counts as never seen.
    """
    channels = _distinct_channels(corpora)
    values = _training_values(corpora)
    mean, deviation = zip(*(_statistics(values[channel.key]) for channel in channels), strict=True)
    return (known or ChannelVocabulary()).extended(channels, _vectors(channels, encoder, known), mean, deviation)


def foreign_vocabulary(
    corpora: Sequence[Corpus], encoder: TextEncoder | None, known: ChannelVocabulary
) -> ChannelVocabulary:
    """`known` and, behind it, the corpora's other channels as never seen: for a model that is used, not trained."""
    channels = _distinct_channels(corpora)
    return known.extended(channels, _vectors(channels, encoder, known))


def local_vocabulary(
    corpora: Sequence[Corpus], encoder: TextEncoder | None, known: ChannelVocabulary
) -> ChannelVocabulary:
    """As `foreign_vocabulary`, but what is usual for a channel is what it is in these corpora, also for those of `known`.

    It is taken from their training rows, or from all rows of a corpus without any.
    """
    channels = _distinct_channels(corpora)
    found = known.extended(channels, _vectors(channels, encoder, known))
    values = _training_values(corpora, or_all=True)
    return found.with_statistics({channel.key: _statistics(values[channel.key]) for channel in channels})


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
    """Mean and standard deviation of the observed values; NaN where there is none.

    A constant channel has no spread to measure others by; its deviation is its level, or 1.
    """
    values = np.concatenate(parts, dtype=np.float64) if parts else np.empty(0)
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return float("nan"), float("nan")
    mean, deviation = float(values.mean()), float(values.std())
    if deviation <= 1e-6 * abs(mean) or deviation == 0:
        deviation = abs(mean) or 1.0
    return mean, deviation
