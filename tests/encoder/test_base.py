"""A backbone of one's own behind the same output."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from tests.batches import make_batch, make_vocabulary
from trace_lit.config import ConfigError
from trace_lit.encoder import Encoder, EncoderInput, SeriesEncoder, build_encoder
from trace_lit.encoder.config import EncoderConfig


class Mean(Encoder):
    """The mean of the patches."""

    def build(self, cut: int = 0) -> None:
        self.cut = cut
        self.layer = nn.Linear(self.config.width, self.config.width)

    def encode(self, tokens: EncoderInput) -> tuple[Tensor, Tensor | None, Tensor]:
        patches = self.layer(tokens.patches)
        return patches.mean((1, 2))[:, self.cut :], None, patches


HERE = __name__
SMALL = EncoderConfig(width=16, layers=1, heads=2, name=f"{HERE}:Mean")


def test_it_gets_tokens_and_its_output_is_that_of_all() -> None:
    encoder = build_encoder(SMALL, make_vocabulary()).eval()
    batch = make_batch()
    output = encoder(batch, with_patches=False)
    size, channels = batch.channel_ids.shape
    assert output.cls.shape == (size, 16)
    assert output.channels.shape == (size, channels, 16)
    encoder.extend(make_vocabulary())  # nothing new


def test_an_output_of_another_shape_is_refused() -> None:
    encoder = build_encoder(dataclasses.replace(SMALL, options={"cut": 1}), make_vocabulary())
    with pytest.raises(ConfigError, match=r"Mean\.encode gives \(\d+, 15\) for the windows; it must be \(\d+, 16\)"):
        encoder(make_batch())


def test_the_default_takes_no_options() -> None:
    with pytest.raises(ConfigError, match=r"encoder\.name"):
        build_encoder(EncoderConfig(options={"cut": 1}), make_vocabulary())
    assert isinstance(build_encoder(EncoderConfig(), make_vocabulary()), SeriesEncoder)
    assert torch.is_tensor(build_encoder(SMALL, make_vocabulary()).cls)
