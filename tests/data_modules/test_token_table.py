"""Texts as tokens with marks."""

import numpy as np
import pytest
import torch

from data_modules.text_table import TokenTable, text_table
from trace_lit.text.numbers import KINDS
from trace_lit.text.wordllama import WordLlamaEncoder

TEXT = "It rose, then fell. The pressure was below 1,000 hPa."


def test_a_text_is_its_tokens_in_their_order_with_sentence_and_numbers():
    encoder = WordLlamaEncoder()
    table = TokenTable([TEXT, "", TEXT], encoder)
    assert len(table) == 1
    vectors, mask = table.look_up(table.numbers([TEXT, "", "unknown"]))
    assert mask.sum(1).tolist() == [int(mask.sum(1)[0]), 0, 0]
    marks = vectors[0, mask[0], -4:]
    assert marks[:, 0].unique().tolist() == [0.0, 1.0]
    numbers = marks[marks[:, 1] >= 0]
    assert numbers.tolist() == [[1.0, float(KINDS.index("pressure")), 1000.0, 1000.0]]
    ids = encoder.tokens(["It rose, then fell."]).rows[0]
    expected = torch.from_numpy(encoder.tokens([]).table[ids].astype(np.float32))
    torch.testing.assert_close(vectors[0, : len(ids), :-4], expected)


def test_the_order_of_words_tells_texts_apart():
    texts = ["It rose, then fell.", "It fell, then rose."]
    encoder = WordLlamaEncoder()
    vectors, _ = (table := text_table(texts, encoder, "token")).look_up(table.numbers(texts))
    assert not torch.allclose(vectors[0], vectors[1])
    bags, _ = (table := text_table(texts, encoder, "sentence")).look_up(table.numbers(texts))
    assert bags.shape[1] == 1
    assert torch.nn.functional.cosine_similarity(bags[0], bags[1]).item() > 0.95


@pytest.mark.parametrize("unit", ["token", "sentence"])
def test_joined_texts_stand_behind_one_another_and_are_different_sentences(unit):
    texts = [TEXT, "Calm.", "A long and windy day. It rained."]
    table = text_table(texts, WordLlamaEncoder(), unit)
    one, two, three = table.numbers(texts).tolist()
    vectors, mask = table.joined(torch.tensor([[two, 0, three], [0, 0, 0], [one, two, two]]))
    alone, there = table.look_up(table.numbers(texts))
    pieces = [own[here] for own, here in zip(alone, there, strict=True)]
    width = vectors.shape[-1] - (4 if unit == "token" else 0)
    for row, parts in ((0, [1, 2]), (1, []), (2, [0, 1, 1])):
        expected = torch.cat([vectors.new_zeros(0, vectors.shape[-1]), *(pieces[part] for part in parts)])
        assert mask[row].tolist() == [step < len(expected) for step in range(mask.shape[1])]
        torch.testing.assert_close(vectors[row, mask[row], :width], expected[:, :width])
    if unit == "token":
        assert len(vectors[2, mask[2], -4].unique()) == 4  # two sentences, and "Calm." twice


def test_without_an_encoder_no_text_counts():
    table = text_table([TEXT], None, "token")
    vectors, mask = table.look_up(table.numbers([TEXT]))
    assert vectors.shape[:2] == (1, 1)
    assert not mask.any()
