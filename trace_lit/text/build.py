"""From the `text` section of a configuration to a text encoder."""

from __future__ import annotations

from pathlib import Path

from trace_lit.config import TextConfig
from trace_lit.text.cache import CachedTextEncoder
from trace_lit.text.encoder import TextEncoder
from trace_lit.text.minilm import NAME, minilm_folder


def build_text_encoder(config: TextConfig) -> CachedTextEncoder:
    """The text encoder that `config` names, behind the vector cache in `config.cache_dir`.

    The model is located here and loaded when the first text is not in the cache.

    Raises
    ------
    TextEncoderError
        The model cannot be found or used; the message says what was tried and what to do.
    """
    encoder: TextEncoder
    if config.name == "wordllama":
        from trace_lit.text.wordllama import WordLlamaEncoder

        encoder = WordLlamaEncoder(config.query_prefix, config.document_prefix)
    else:
        from trace_lit.text.huggingface import HuggingFaceEncoder  # here, for importing transformers takes seconds

        encoder = HuggingFaceEncoder(
            str(minilm_folder()) if config.name == NAME else config.name,
            pooling=config.pooling,
            query_prefix=config.query_prefix,
            document_prefix=config.document_prefix,
            max_length=config.max_length,
            batch_size=config.batch_size,
            device=config.device,
            precision=config.precision,
        )
    return CachedTextEncoder(encoder, Path(config.cache_dir).expanduser())
