"""Without learned vectors, a channel is what its name says, seen in training or not."""

from __future__ import annotations

import pytest
import torch

from tests.batches import make_vocabulary
from trace_lit.config import ConfigError
from trace_lit.encoder.tokens import ChannelTokens
from trace_lit.settings import load_config


def test_a_channel_that_is_added_has_the_identity_of_a_known_one_of_its_name() -> None:
    everything = make_vocabulary(4)
    known = make_vocabulary(2)
    torch.manual_seed(0)
    tokens = ChannelTokens(8, known, named=True, scaled=True, dropout=0.1, learned=False)
    assert "embedding" not in tokens.state_dict()
    before = tokens.identities()
    tokens.extend(everything)
    assert tokens.vocabulary is everything
    torch.testing.assert_close(tokens.identities()[:2], before)
    fresh = ChannelTokens(8, everything, named=True, scaled=True, dropout=0.1, learned=False)
    fresh.load_state_dict(tokens.state_dict())
    torch.testing.assert_close(fresh.identities(), tokens.identities())


def test_something_must_tell_channels_apart() -> None:
    with pytest.raises(ConfigError, match="both false"):
        load_config([], ["encoder.learned_tokens=false", "encoder.named_tokens=false"])
