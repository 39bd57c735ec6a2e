"""Batches and vocabularies that tests make up."""

import torch

from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.channels import Channel, ChannelVocabulary

TEXT_WIDTH = 16


def make_vocabulary(size: int = 8, seed: int = 0) -> ChannelVocabulary:
    generator = torch.Generator().manual_seed(seed)
    channels = [Channel(f"channel {number}", "m/s") for number in range(size)]
    return ChannelVocabulary().extended(
        channels,
        torch.randn(size, TEXT_WIDTH, generator=generator),
        mean=[10.0 * number for number in range(size)],
        deviation=[1.0 + number for number in range(size)],
    )


def make_batch(
    size: int = 6, channels: int = 3, steps: int = 24, sentences: int = 4, seed: int = 0, missing: float = 0.0
) -> MultimodalBatch:
    """Random windows of channels 0 … C-1 of `make_vocabulary`, with texts and channel texts, all of different series."""
    generator = torch.Generator().manual_seed(seed)
    level = 10.0 * torch.arange(channels)[None, :, None]
    values = level + torch.randn(size, channels, steps, generator=generator).cumsum(-1)
    observed = torch.rand(values.shape, generator=generator) >= missing
    length = torch.randint(1, sentences + 1, (size, 1), generator=generator)
    mask = torch.arange(sentences) < length
    text = torch.randn(size, sentences, TEXT_WIDTH, generator=generator)
    index = torch.arange(size)
    return MultimodalBatch(
        values=torch.where(observed, values, 0.0),
        observed=observed,
        channel_mask=torch.ones(size, channels, dtype=torch.bool),
        channel_ids=torch.arange(channels).repeat(size, 1),
        text=text * mask.unsqueeze(-1),
        text_mask=mask,
        channel_text=torch.randn(size, channels, TEXT_WIDTH, generator=generator),
        has_channel_text=torch.ones(size, channels, dtype=torch.bool),
        label=torch.full((size,), NO_LABEL),
        index=index,
        text_id=index,
        channel_text_id=torch.arange(size * channels).view(size, channels),
        series_id=index,
        span=torch.tensor([[0, steps]]).repeat(size, 1),
    )
