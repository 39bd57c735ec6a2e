"""Frozen text encoders and the cache of their vectors, TRACE §3.3: "Texts are encoded by a frozen sentence encoder"."""

from trace_lit.text.build import build_text_encoder
from trace_lit.text.cache import CachedTextEncoder, EncodingStats
from trace_lit.text.encoder import TextEncoder, TextEncoderError
from trace_lit.text.sentences import sentences

__all__ = [
    "CachedTextEncoder",
    "EncodingStats",
    "TextEncoder",
    "TextEncoderError",
    "build_text_encoder",
    "sentences",
]
