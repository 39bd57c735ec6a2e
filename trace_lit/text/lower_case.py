"""Texts in lower case: to some encoders "Rises" and "rises" are different tokens, and few training texts have both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trace_lit.text.cache import CachedTextEncoder
from trace_lit.text.tokens import TokenTexts


class LowerCaseTextEncoder(CachedTextEncoder):
    """A cached encoder that sees every text in lower case. Tokens keep their places in the text that is given."""

    def encode(self, texts: Sequence[str], kind: str = "document") -> np.ndarray:
        return super().encode(_lowered(texts), kind)

    def tokens(self, texts: Sequence[str], kind: str = "document") -> TokenTexts:
        return super().tokens(_lowered(texts), kind)


def lower_case(text: str) -> str:
    """`text` in lower case and of the same length: a letter whose lower case is longer, like the Turkish İ, stays."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def _lowered(texts: Sequence[str]) -> Sequence[str]:
    """What is no list of texts is left to be refused by the encoder."""
    if isinstance(texts, str):
        return texts
    return [lower_case(text) if isinstance(text, str) else text for text in texts]
