"""What is usual for a channel where a run is used."""

import math

import numpy as np
import pytest
import torch

from data_modules.corpus import Corpus
from data_modules.vocabulary import foreign_vocabulary, local_vocabulary, training_vocabulary
from trace_lit.channels import ChannelVocabulary
from trace_lit.encoder import SeriesEncoder
from trace_lit.encoder.config import EncoderConfig


@pytest.fixture(scope="module")
def corpus(tiny_corpus):
    return Corpus.load(tiny_corpus)


def moved(vocabulary: ChannelVocabulary, keys: slice) -> ChannelVocabulary:
    """A model's vocabulary of some of the channels, which knew them otherwise."""
    return ChannelVocabulary(
        vocabulary.keys[keys],
        tuple(mean + 5 for mean in vocabulary.mean[keys]),
        tuple(2 * deviation for deviation in vocabulary.deviation[keys]),
        vocabulary.name_vectors[keys],
    )


def test_the_corpus_at_hand_says_what_is_usual_for_known_and_for_new_channels(corpus):
    own = training_vocabulary([corpus], None)
    known = moved(own, slice(0, 2))
    local = local_vocabulary([corpus], None, known)
    assert local.keys == own.keys
    np.testing.assert_allclose(local.mean, own.mean)
    np.testing.assert_allclose(local.deviation, own.deviation)
    foreign = foreign_vocabulary([corpus], None, known)
    assert foreign.mean[:2] == known.mean
    assert all(math.isnan(mean) for mean in foreign.mean[2:])


def test_on_the_run_s_own_corpus_nothing_changes(corpus):
    own = training_vocabulary([corpus], None)
    local = local_vocabulary([corpus], None, own)
    assert (local.mean, local.deviation) == (own.mean, own.deviation)


def test_an_encoder_takes_over_what_is_usual(corpus):
    own = training_vocabulary([corpus], None)
    own = ChannelVocabulary(own.keys, own.mean, own.deviation, torch.randn(len(own), 8))
    known = moved(own, slice(0, 2))
    encoder = SeriesEncoder(EncoderConfig(width=16, layers=1, heads=2), known)
    learned = encoder.channel_tokens.embedding.detach().clone()
    encoder.extend(own)
    torch.testing.assert_close(encoder.channel_tokens.mean, torch.tensor(own.mean))
    torch.testing.assert_close(encoder.channel_tokens.embedding[:2], learned)
    assert (encoder.channel_tokens.embedding[2:] == 0).all()
