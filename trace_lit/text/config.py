"""The section `text` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trace_lit.config import option


@dataclass
class TextConfig:
    """The frozen text encoder."""

    name: str = option(
        "wordllama",
        "wordllama, minilm (an extra), an encoder of the Hugging Face hub by name or folder, or package.module:Class of a "
        "TextEncoder",
        class_path=True,
        hub=True,
    )
    options: dict[str, Any] = option({}, "arguments for a TextEncoder of your own, by name")
    unit: str = option(
        "sentence",
        "a vector a sentence, a token, or one for the whole document (as in the paper)",
        allowed=("sentence", "token", "document"),
    )
    pooling: str = option("mean", "how a Hugging Face encoder's token vectors become one", allowed=("mean", "cls"))
    lower_case: bool = option(
        False, 'texts are encoded in lower case: without it, "Rises" and "rises" can be different tokens'
    )
    query_prefix: str = option("", "text before a query, as the encoder's model card asks")
    document_prefix: str = option("", "text before a document, as the encoder's model card asks")
    max_length: int = option(512, "tokens; longer texts are cut (Hugging Face)", at_least=1)
    batch_size: int = option(64, "texts encoded at once", at_least=1)
    device: str = option("auto", "where texts are encoded: auto, cpu, cuda, cuda:1, …")
    precision: str = option("32", "number of bits of a Hugging Face encoder's weights", allowed=("32", "bf16", "16"))
    cache_dir: str = option("~/.cache/trace_lit/text", "where the vectors of texts are kept")
