"""What people hand to a model: DataFrames, arrays and files, as batches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data_modules.corpus import CorpusError
from data_modules.frames import is_frame, read_array, read_frame, read_series
from data_modules.input_series import InputSeries
from data_modules.text_table import NO_TEXT
from trace_lit.batch import NO_LABEL, MultimodalBatch, choose_offset, less
from trace_lit.channels import Channel, ChannelVocabulary


def read_window(data: Any, channels: Sequence[Channel], source: str = "", zone: str = "UTC") -> InputSeries:
    """One window, see `read_input`. Where its times are known, steps that were left out are there, and missing.

    Raises
    ------
    CorpusError
        It is something else, cannot be read, or its times are irregular.
    """
    return read_input(data, channels, source, zone).evenly_spaced()


def read_input(data: Any, channels: Sequence[Channel], source: str = "", zone: str = "UTC") -> InputSeries:
    """A series as it is given: a DataFrame, an array (C, T), the path of a file, or an `InputSeries`.

    Times without an offset are those of `zone`.

    Raises
    ------
    CorpusError
        It is something else, or cannot be read.
    """
    named = {"source": source} if source else {}
    if isinstance(data, InputSeries):
        return data
    if isinstance(data, (str, Path)):
        return read_series(data, channels, zone=zone)
    if is_frame(data):
        return read_frame(data, channels, zone=zone, **named)
    if isinstance(data, torch.Tensor):
        data = data.detach().cpu().numpy()
    return read_array(data, channels, **named)


def read_windows(data: Any, channels: Sequence[Channel], zone: str = "UTC") -> list[InputSeries]:
    """The windows of `data`: one, see `read_window`, an array (N, C, T), or a list of windows of any lengths.

    Raises
    ------
    CorpusError
        A window cannot be read; it is named by its number, from 0.
    """
    several = isinstance(data, (list, tuple)) or getattr(data, "ndim", 2) == 3
    if not several or is_frame(data):
        return [read_window(data, channels, zone=zone)]
    if not len(data):
        raise CorpusError("there is no window; give one at least")
    return [read_window(window, channels, f"window {number}", zone) for number, window in enumerate(data)]


def as_batch(windows: Sequence[InputSeries], vocabulary: ChannelVocabulary, patch_length: int) -> MultimodalBatch:
    """N windows as a batch of the channels that any of them has, without texts and labels, padded on the left.

    Its times are known where those of all windows are.

    Raises
    ------
    CorpusError
        A window is shorter than a patch.
    """
    channels = list({channel.key: channel for window in windows for channel in window.channels}.values())
    place = {channel.key: number for number, channel in enumerate(channels)}
    steps = max(window.values.shape[1] for window in windows)
    values = torch.full((len(windows), len(channels), steps), torch.nan, dtype=torch.float64)
    mask = torch.zeros(len(windows), len(channels), dtype=torch.bool)
    times = torch.zeros(len(windows), steps, dtype=torch.int64)
    lengths = torch.tensor([window.values.shape[1] for window in windows])
    for number, window in enumerate(windows):
        length = window.values.shape[1]
        if length < patch_length:
            rows = "1 row" if length == 1 else f"{length} rows"
            raise CorpusError(f"{window.source} has {rows}; the model needs at least a patch of {patch_length} steps")
        own = [place[channel.key] for channel in window.channels]
        mask[number, own] = True
        values[number, own, steps - length :] = torch.tensor(window.values, dtype=torch.float64)
        if window.times is not None:
            seconds = np.array(window.times, dtype="datetime64[s]").astype(np.int64)
            times[number, steps - length :] = torch.from_numpy(seconds)
            times[number, : steps - length] = int(seconds[0])
    observed = ~values.isnan()
    offset = choose_offset(values, observed, *vocabulary.usual(channels))
    none = torch.full((len(windows),), NO_TEXT)
    return MultimodalBatch(
        values=torch.where(observed, less(values, offset), 0.0),
        observed=observed,
        channel_mask=mask,
        channel_ids=torch.tensor(vocabulary.ids(channels)).repeat(len(windows), 1),
        text=torch.zeros(len(windows), 1, 0),
        text_mask=torch.zeros(len(windows), 1, dtype=torch.bool),
        channel_text=torch.zeros(*mask.shape, 0),
        has_channel_text=torch.zeros_like(mask),
        label=torch.full((len(windows),), NO_LABEL),
        index=torch.arange(len(windows)),
        text_id=none,
        channel_text_id=none.unsqueeze(1).expand(mask.shape),
        series_id=torch.full((len(windows),), -1),
        span=torch.stack([times[:, 0], times[:, -1]], dim=1),
        times=times if all(window.times is not None for window in windows) else None,
        offset=offset,
        length=lengths,
    )
