"""WordLlama: a text is the mean of its tokens' vectors, from a table of 32,000 vectors.

The table and the tokenizer come inside the PyPI package `wordllama`, so nothing is downloaded. They are read directly:
importing the package sets up logging for the whole process, and its own pooling pads every text to the longest of its
batch, which one very long text makes dear. Texts are never cut, and a character that is not in the table is spelled in
bytes, so that texts in any script have a vector.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from safetensors import safe_open
from tokenizers import Tokenizer

from trace_lit.text.encoder import TextEncoder, TextEncoderError, fingerprint
from trace_lit.text.tokens import TokenTexts

_WEIGHTS = "weights/l2_supercat_256.safetensors"
_TENSOR = "embedding.weight"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
_BATCH = 256  # texts tokenised at once


class WordLlamaEncoder(TextEncoder):
    """The default encoder: 256-d, some thousand texts per second on one core, no network.

    Raises
    ------
    TextEncoderError
        The package `wordllama` is not installed, or not with these weights.
    """

    def __init__(self, query_prefix: str = "", document_prefix: str = "") -> None:
        super().__init__(query_prefix, document_prefix)
        folder = _package_folder()
        self._weights, self._tokenizer_file = folder / _WEIGHTS, folder / _TOKENIZER
        for path in (self._weights, self._tokenizer_file):
            if not path.is_file():
                raise TextEncoderError(
                    f"text.name=wordllama: the installed package wordllama has no {path}; "
                    "install the version that constraints.txt names"
                )
        with safe_open(self._weights, framework="np") as file:
            self.dim = int(file.get_slice(_TENSOR).get_shape()[1])
        files = {path.name: _digest(path) for path in (self._weights, self._tokenizer_file)}
        self.fingerprint = fingerprint("wordllama", {"files": files, "prefixes": self.prefixes})

    @cached_property
    def _table(self) -> np.ndarray:
        with safe_open(self._weights, framework="np") as file:
            return file.get_tensor(_TENSOR).astype(np.float32)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(self._tokenizer_file))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def encode_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for first in range(0, len(texts), _BATCH):
            part = list(texts[first : first + _BATCH])
            tokens = [found.ids for found in self._tokenizer.encode_batch_fast(part, add_special_tokens=False)]
            lengths = np.array([len(ids) for ids in tokens])
            spoken = np.flatnonzero(lengths)  # a text may hold nothing that the tokenizer knows
            vectors = np.zeros((len(part), self.dim), dtype=np.float32)
            if len(spoken):
                ends = lengths[spoken].cumsum()
                rows = self._table[np.fromiter(chain.from_iterable(tokens), dtype=np.int64, count=ends[-1])]
                # Not torch: its threads do not survive a fork.
                vectors[spoken] = np.add.reduceat(rows, ends - lengths[spoken]) / lengths[spoken, None]
            yield np.arange(first, first + len(part)), vectors

    def tokens(self, texts: Sequence[str], kind: str = "document") -> TokenTexts:
        rows, spans = [], []
        for first in range(0, len(texts), _BATCH):
            for found in self._tokenizer.encode_batch(list(texts[first : first + _BATCH]), add_special_tokens=False):
                rows.append(np.array(found.ids, dtype=np.int64))
                spans.append(np.array(found.offsets, dtype=np.int64).reshape(-1, 2))
        return TokenTexts(self._table, rows, spans)


def _package_folder() -> Path:
    spec = importlib.util.find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise TextEncoderError("text.name=wordllama needs the package wordllama: pip install wordllama")
    return Path(spec.submodule_search_locations[0])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
