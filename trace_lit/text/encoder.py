"""`TextEncoder`: texts in, unit vectors out; what every frozen text encoder has in common."""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trace_lit.errors import InputError
from trace_lit.text.tokens import Spans, TokenTexts

KINDS = ("query", "document")


class TextEncoderError(InputError):
    """A text encoder cannot be found, loaded or used as asked."""


class TextEncoder(ABC):
    """A frozen encoder of texts.

    Vectors have unit length: the length of a pooled vector mostly reflects that of its text, and differs between
    encoders. A subclass sets `dim` and `fingerprint` and yields raw vectors in `encode_batches`; checks, blank texts,
    prefixes and normalisation are done here.

    Attributes
    ----------
    dim
        Length D of a vector.
    fingerprint
        Name and digest of all that determines a vector: equal fingerprints, equal vectors. Fit to be a file name.
    """

    dim: int
    fingerprint: str

    def __init__(self, query_prefix: str = "", document_prefix: str = "") -> None:
        self.prefixes = {"query": query_prefix, "document": document_prefix}

    def encode(self, texts: Sequence[str], kind: str = "document") -> np.ndarray:
        """Encode N texts as a float32 (N, D) array, in their order.

        `kind` is "document" or "query" and selects the prefix. Rows of blank texts are zero, those of all others have
        unit length.

        Raises
        ------
        TextEncoderError
            `texts` is a single text or holds something else than texts, `kind` is unknown, or the model fails.
        """
        if isinstance(texts, str):
            raise TextEncoderError("encode takes a list of texts, not one text: write encode([text])")
        if kind not in KINDS:
            raise TextEncoderError(f"kind is {kind!r}; it must be one of {', '.join(map(repr, KINDS))}")
        prefix = self.prefixes[kind]
        rows: list[int] = []
        present: list[str] = []
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                raise TextEncoderError(f'text {row} is {text!r}, not a string; give "" where there is no text')
            if text.strip():
                rows.append(row)
                present.append(_encodable(prefix + text))
        vectors = np.zeros((len(present), self.dim), np.float32)
        for part, batch in self.checked_batches(present):
            vectors[part] = batch
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        encoded = np.zeros((len(texts), self.dim), np.float32)
        encoded[rows] = np.divide(vectors, lengths, out=vectors, where=lengths > 0)
        return encoded

    def tokens(self, texts: Sequence[str], kind: str = "document") -> TokenTexts:
        """The tokens of N texts with their raw vectors; `kind` as in `encode`.

        Raises
        ------
        TextEncoderError
            The encoder gives vectors of whole texts alone.
        """
        raise TextEncoderError(
            f"{self.fingerprint} gives no vectors of tokens; set text.unit to sentence or document, "
            "or take another text.name"
        )

    def checked_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """What `encode_batches` yields.

        Raises
        ------
        TextEncoderError
            Vectors do not have length `dim` or are not finite, or not every text has one.
        """
        name, count = type(self).__name__, 0
        for part in self.encode_batches(texts):
            if not isinstance(part, tuple) or len(part) != 2:
                raise TextEncoderError(
                    f"{name}.encode_batches gives {type(part).__name__}; it must yield (rows, vectors)"
                )
            rows, vectors = part
            if np.shape(vectors) != (len(rows), self.dim):
                raise TextEncoderError(
                    f"{name}.encode_batches gives vectors of shape {np.shape(vectors)} for {len(rows)} texts; with dim "
                    f"{self.dim} they must be ({len(rows)}, {self.dim})"
                )
            if not np.isfinite(vectors).all():
                text = texts[rows[int(np.flatnonzero(~np.isfinite(vectors).all(1))[0])]]
                raise TextEncoderError(f"{name}.encode_batches gives numbers that are not finite for {text[:60]!r}")
            count += len(rows)
            yield rows, vectors
        if count != len(texts):
            raise TextEncoderError(f"{name}.encode_batches gives {count} vectors for {len(texts)} texts")

    @abstractmethod
    def encode_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Encode texts, none blank, prefixes included, batch by batch in whatever order suits.

        Yields rows (n,) in `texts` and their raw float32 (n, D) vectors, until every row has come once.
        """


class ContextualEncoder(TextEncoder):
    """An encoder whose token vectors depend on the text around them, so that they are worth keeping."""

    @abstractmethod
    def token_spans(self, texts: Sequence[str]) -> list[Spans]:
        """Where the tokens of texts begin and end, special ones excluded: (m, 2) characters each."""

    @abstractmethod
    def token_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        """Rows (n,) in `texts` and the vectors (m, D) of each one's tokens, in whatever order suits."""

    def tokens(self, texts: Sequence[str], kind: str = "document") -> TokenTexts:
        prefixed = [self.prefixes[kind] + text for text in texts]
        vectors: list[np.ndarray] = [np.zeros((0, self.dim), np.float32)] * len(texts)
        for rows, batch in self.token_batches(prefixed):
            for row, own in zip(rows, batch, strict=True):
                vectors[row] = own
        ends = np.cumsum([len(own) for own in vectors])
        places = [np.arange(end - len(own), end) for own, end in zip(vectors, ends, strict=True)]
        table = np.concatenate([np.zeros((0, self.dim), np.float32), *vectors])
        return self.behind_prefix(TokenTexts(table, places, self.token_spans(prefixed)), kind)

    def behind_prefix(self, tokens: TokenTexts, kind: str) -> TokenTexts:
        """Without the tokens of the prefix that was put before the texts."""
        length = len(self.prefixes[kind])
        if not length:
            return tokens
        kept = [spans[:, 1] > length for spans in tokens.spans]
        rows = [own[here] for own, here in zip(tokens.rows, kept, strict=True)]
        spans = [own[here] - length for own, here in zip(tokens.spans, kept, strict=True)]
        return TokenTexts(tokens.table, rows, spans)


def fingerprint(name: str, parts: Mapping[str, Any]) -> str:
    """`name`, made fit for a file name, and a digest of `parts` (plain types)."""
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9._]+', '-', name).strip('-.')}-{digest[:32]}"


def _encodable(text: str) -> str:
    """`text` with what no tokenizer takes, halves of surrogate pairs from broken files, replaced by `?`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text
