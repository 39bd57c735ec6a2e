from .build import build_text_encoder
from .cache import CachedTextEncoder, EncodingStats
from .encoder import TextEncoder, TextEncoderError
from .sentences import document, sentences, splitter

__all__ = [
    "CachedTextEncoder",
    "EncodingStats",
    "TextEncoder",
    "TextEncoderError",
    "build_text_encoder",
    "document",
    "sentences",
    "splitter",
]
