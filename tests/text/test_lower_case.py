"""Texts that are encoded in lower case."""

import numpy as np
import pytest

from trace_lit.text import TextEncoderError, build_text_encoder
from trace_lit.text.config import TextConfig
from trace_lit.text.lower_case import lower_case


@pytest.fixture
def encoders(tmp_path):
    return [build_text_encoder(TextConfig(lower_case=own, cache_dir=str(tmp_path))) for own in (False, True)]


def test_upper_and_lower_case_have_one_vector(encoders):
    plain, lowered = (encoder.encode(["Rises Sharply", "rises sharply", " "]) for encoder in encoders)
    assert np.array_equal(lowered[0], lowered[1])
    assert not np.allclose(plain[0], plain[1])
    assert np.array_equal(lowered[1], plain[1])
    assert not lowered[2].any()


def test_tokens_are_those_of_the_text_in_lower_case_at_the_places_in_the_text(encoders):
    text = "\u0130zmir: RISES to 5 m"  # whose first letter has two characters in lower case
    plain, lowered = encoders
    (spans,) = lowered.tokens([text]).spans
    assert spans.max() == len(text)
    same = plain.tokens([lower_case(text)])
    assert np.array_equal(lowered.tokens([text]).rows[0], same.rows[0])
    assert not np.array_equal(plain.tokens([text]).rows[0], same.rows[0])


@pytest.mark.parametrize("texts", ["Rises", ["Rises", 3]])
def test_what_is_no_list_of_texts_is_refused(encoders, texts):
    with pytest.raises(TextEncoderError):
        encoders[1].encode(texts)
