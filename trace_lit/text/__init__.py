"""Frozen text encoders and the cache of their vectors, TRACE §3.3: "Texts are encoded by a frozen sentence encoder"."""

from trace_lit.text.build import build_text_encoder
from trace_lit.text.cache import CachedTextEncoder, EncodingStats
from trace_lit.text.encoder import TextEncoder, TextEncoderError
from trace_lit.text.sentences import sentences
from trace_lit.text.tokens import MARKS, TokenTexts

__all__ = [
    "MARKS",
    "CachedTextEncoder",
    "EncodingStats",
    "TextEncoder",
    "TextEncoderError",
    "TokenTexts",
    "build_text_encoder",
    "sentences",
]
