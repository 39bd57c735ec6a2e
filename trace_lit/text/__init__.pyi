from .build import build_text_encoder
from .cache import CachedTextEncoder, EncodingStats
from .encoder import ContextualEncoder, TextEncoder, TextEncoderError, fingerprint
from .sentences import document, sentences, splitter
from .tokens import MARKS, TokenTexts

__all__ = [
    "MARKS",
    "CachedTextEncoder",
    "ContextualEncoder",
    "EncodingStats",
    "TextEncoder",
    "TextEncoderError",
    "TokenTexts",
    "build_text_encoder",
    "document",
    "fingerprint",
    "sentences",
    "splitter",
]
