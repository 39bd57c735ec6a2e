"""From the `text` section of a configuration to a text encoder."""

from __future__ import annotations

from trace_lit.config import ConfigError, build_object, is_class_path
from trace_lit.plain import at_home
from trace_lit.text.cache import CachedTextEncoder
from trace_lit.text.config import TextConfig
from trace_lit.text.encoder import TextEncoder
from trace_lit.text.lower_case import LowerCaseTextEncoder
from trace_lit.text.minilm import NAME, minilm_folder


def build_text_encoder(config: TextConfig) -> CachedTextEncoder:
    """The text encoder that `config` names, behind the vector cache in `config.cache_dir`.

    The model is located here and loaded when the first text is not in the cache.

    Raises
    ------
    ConfigError
        `text.name` is a class path and no `TextEncoder`, or one that refuses `text.options`.
    TextEncoderError
        The model cannot be found or used; the message says what was tried and what to do.
    """
    encoder: TextEncoder
    if is_class_path(config.name):
        encoder = _own_encoder(config)
    elif config.options:
        raise ConfigError(
            f"text.options is {config.options}, but text.name is {config.name!r}; they are for a class of your own, "
            "'package.module:Class'"
        )
    elif config.name == "wordllama":
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
    kind = LowerCaseTextEncoder if config.lower_case else CachedTextEncoder
    return kind(encoder, at_home(config.cache_dir))


def _own_encoder(config: TextConfig) -> TextEncoder:
    """An encoder of the user's class."""
    prefixes = (config.query_prefix, config.document_prefix)
    encoder: TextEncoder = build_object(config.name, TextEncoder, "text.name", *prefixes, options=config.options)
    lacking = [name for name in ("dim", "fingerprint") if not hasattr(encoder, name)]
    if lacking:
        raise ConfigError(f"text.name is {config.name!r}, which does not set {' and '.join(lacking)}; see TextEncoder")
    return encoder
