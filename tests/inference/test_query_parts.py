"""Questions taken apart, and their explanations in words."""

import numpy as np
import pytest

from tests.alignment.test_reading import CHANNELS, make_model
from tests.batches import make_batch
from trace_lit.alignment import SearchSpace
from trace_lit.inference.query_parts import series_parts, text_clauses
from trace_lit.inference.search import explanation_lines
from trace_lit.retrieval.explanation import explain
from trace_lit.text import TextEncoder, TokenTexts


class Words(TextEncoder):
    """A token a word, with the space before it."""

    dim, fingerprint = 16, "words"

    def encode_batches(self, texts):
        raise AssertionError

    def tokens(self, texts, kind="document"):
        ends = [[at for at, sign in enumerate(text + " ") if sign == " "] for text in texts]
        spans = [np.array([*zip([0, *own[:-1]], own, strict=True)], dtype=np.int64) for own in ends]
        return TokenTexts(np.zeros((1, 16)), [np.zeros(len(own), np.int64) for own in spans], spans)


QUESTION = "Strong winds, then calm and dry. Not a cloud."


def test_the_words_of_a_question_come_back_in_their_order():
    names, numbers = text_clauses(QUESTION, Words(), "token")
    assert names == ("Strong winds", "then calm", "and dry.", "Not a cloud.")
    assert numbers.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 3]
    names, numbers = text_clauses(QUESTION, Words(), "sentence")
    assert names == ("Strong winds, then calm and dry.", "Not a cloud.")
    assert numbers.tolist() == [0, 1]
    assert text_clauses(QUESTION, Words(), "document")[0] == (QUESTION,)


def test_a_question_without_a_token_is_one_clause():
    class Silent(Words):
        def tokens(self, texts, kind="document"):
            return TokenTexts(np.zeros((1, 16)), [np.zeros(0, np.int64)] * len(texts), [np.zeros((0, 2), np.int64)])

    names, numbers = text_clauses(" ☂ ", Silent(), "token")
    assert names == ("☂",)
    assert numbers.tolist() == [0]


def test_a_series_is_explained_by_its_channels():
    space = SearchSpace(make_model(), CHANNELS)
    batch = make_batch()
    batch.channel_mask[2, 1] = False
    batch.observed[2, 1] = False
    series = space.embed_series(batch).detach().numpy()
    itself, other = explain(series_parts(space, series[0]), series, [0, 2])
    assert sum(own.score for own in itself.channels) == pytest.approx(1, abs=1e-5)
    assert [own.score for own in itself.channels] == pytest.approx([own.weight for own in itself.channels], abs=1e-5)
    lines = explanation_lines(other)
    assert len(lines) == 4
    assert lines[2] == "  air pressure [hPa]: not measured in this window (25% of the query)"
    assert explanation_lines(None) == []
