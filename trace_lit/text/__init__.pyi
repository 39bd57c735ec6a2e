from .build import build_text_encoder
from .cache import CachedTextEncoder, EncodingStats
from .encoder import TextEncoder, TextEncoderError, fingerprint
from .sentences import sentences

__all__ = [
    "CachedTextEncoder",
    "EncodingStats",
    "TextEncoder",
    "TextEncoderError",
    "build_text_encoder",
    "fingerprint",
    "sentences",
]
