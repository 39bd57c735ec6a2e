"""What holds for every text encoder."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from trace_lit.text import CachedTextEncoder, TextEncoder, TextEncoderError


class LetterCounts(TextEncoder):
    """Counts of a, b and c, yielded in reverse order, two texts at a time."""

    dim = 3
    fingerprint = "letter-counts"

    def encode_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        rows = np.arange(len(texts))[::-1]
        for first in range(0, len(texts), 2):
            part = rows[first : first + 2]
            yield part, np.array([[texts[row].count(letter) for letter in "abc"] for row in part], np.float32)


def test_vectors_have_unit_length_and_stand_in_the_order_of_the_texts():
    vectors = LetterCounts().encode(["a", "bbb", "abc", "cc"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [[1, 0, 0], [0, 1, 0], [3**-0.5] * 3, [0, 0, 1]], rtol=1e-6)


def test_rows_of_blank_texts_are_zero_even_with_a_prefix():
    vectors = LetterCounts(document_prefix="a").encode(["", "b", " \n"])
    assert not vectors[[0, 2]].any()
    np.testing.assert_allclose(vectors[1], [0.5**0.5, 0.5**0.5, 0], rtol=1e-6)


def test_a_text_in_which_the_encoder_finds_nothing_is_zero_and_not_nan():
    assert not LetterCounts().encode(["xyz"]).any()


def test_the_kind_selects_the_prefix():
    encoder = LetterCounts(query_prefix="a", document_prefix="b")
    np.testing.assert_array_equal(encoder.encode(["x"], kind="query"), [[1, 0, 0]])
    np.testing.assert_array_equal(encoder.encode(["x"], kind="document"), [[0, 1, 0]])
    np.testing.assert_array_equal(encoder.encode(["x"]), [[0, 1, 0]])


def test_no_texts_give_no_rows():
    assert LetterCounts().encode([]).shape == (0, 3)


@pytest.mark.parametrize(
    ("texts", "kind", "message"),
    [
        ("one text", "document", r"encode\(\[text\]\)"),
        (["a", None], "document", "text 1 is None"),
        (["a", float("nan")], "document", "text 1 is nan"),
        (["a"], "answer", "'query', 'document'"),
    ],
)
def test_what_is_not_a_list_of_texts_is_refused_by_saying_what_is_expected(texts, kind, message):
    with pytest.raises(TextEncoderError, match=message):
        LetterCounts().encode(texts, kind)


def test_halves_of_surrogate_pairs_do_not_stop_an_encoder():
    np.testing.assert_array_equal(LetterCounts().encode(["a\ud800"]), [[1, 0, 0]])


class TooLong(LetterCounts):
    """Vectors of three numbers where two are promised."""

    dim = 2


class Forgetful(LetterCounts):
    """Leaves out the last batch."""

    def encode_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        yield from list(super().encode_batches(texts))[:-1]


class Endless(LetterCounts):
    """Divides by zero."""

    def encode_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for rows, vectors in super().encode_batches(texts):
            yield rows, np.where(vectors == 0, np.nan, vectors)


class AtOnce(LetterCounts):
    """Returns what it should yield."""

    def encode_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return np.ones((len(texts), 3))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (TooLong, r"TooLong.*\(2, 3\).*\(2, 2\)"),
        (Forgetful, "gives 2 vectors for 3 texts"),
        (Endless, r"Endless\.encode_batches gives numbers that are not finite for '[abc]'"),
        (AtOnce, r"AtOnce\.encode_batches gives ndarray; it must yield \(rows, vectors\)"),
    ],
)
@pytest.mark.parametrize("cached", [False, True])
def test_an_encoder_that_breaks_its_promise_is_named(kind: type[TextEncoder], message: str, cached: bool, tmp_path):
    encoder = CachedTextEncoder(kind(), tmp_path) if cached else kind()
    with pytest.raises(TextEncoderError, match=message):
        encoder.encode(["a", "b", "c"])
