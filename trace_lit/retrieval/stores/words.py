"""Texts found by their words, with BM25 (Robertson and Zaragoza, 2009).

Words are kept as 32-bit digests, so that no vocabulary has to be kept or merged; of 10,000 words, two have the same digest
in one vocabulary of a hundred.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from trace_lit.retrieval.stores.base import StoreError

K1, B = 1.2, 0.75
_WORD = re.compile(r"\w+")


def digests(text: str) -> list[int]:
    """Those of the words of `text`, in any case, in their order."""
    return [crc32(word.encode()) for word in _WORD.findall(text.casefold())]


@dataclass(frozen=True)
class Postings:
    """Which of n texts has which word how often: triples in the order of the words, and the texts' lengths."""

    word: NDArray[np.uint32]  # (m,) ascending
    text: NDArray[np.uint32]  # (m,) number of the text, ascending for a word
    times: NDArray[np.uint32]  # (m,)
    length: NDArray[np.uint32]  # (n,) words

    @classmethod
    def of(cls, texts: Iterable[str]) -> Postings:
        """Those of the texts."""
        words: list[int] = []
        numbers: list[int] = []
        times: list[int] = []
        length: list[int] = []
        for number, text in enumerate(texts):
            found = Counter(digests(text))
            length.append(found.total())
            words += found.keys()
            times += found.values()
            numbers += [number] * len(found)
        word, text_number = np.array(words, np.uint32), np.array(numbers, np.uint32)
        order = np.lexsort((text_number, word))
        return cls(word[order], text_number[order], np.array(times, np.uint32)[order], np.array(length, np.uint32))

    @classmethod
    def joined(cls, parts: Sequence[Postings]) -> Postings:
        """Those of all parts, whose texts are numbered through."""
        first = np.cumsum([0, *(len(part.length) for part in parts)]).astype(np.uint32)
        word, times, length = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("word", "times", "length")
        )
        text = np.concatenate([part.text + begin for part, begin in zip(parts, first[:-1], strict=True)])
        order = np.argsort(word, kind="stable")  # of a word, the parts' order is that of the texts
        return cls(word[order], text[order], times[order], length)

    def write(self, file: IO[bytes]) -> None:
        """Write it to a file, which has 4 (3 m + n) bytes."""
        for part in (self.word, self.text, self.times, self.length):
            file.write(part.astype("<u4").tobytes())

    @classmethod
    def read(cls, path: Path, count: int) -> Postings:
        """The inverse of `write`, for n texts, through a memory map; ValueError where the file is none of n texts."""
        numbers, rest = divmod(path.stat().st_size, 4)
        if rest or numbers < count or (numbers - count) % 3:
            raise ValueError(f"{path} has {path.stat().st_size:,} bytes")
        every = np.memmap(path, "<u4", mode="r").view(np.ndarray) if numbers else np.zeros(0, np.uint32)
        word, text, times = every[: numbers - count].reshape(3, -1)
        return cls(word, text, times, every[numbers - count :])

    def of_word(self, word: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """The texts with the word, and how often they have it."""
        sides: tuple[Literal["left"], Literal["right"]] = ("left", "right")
        first, last = (int(np.searchsorted(self.word, np.uint32(word), side)) for side in sides)
        return self.text[first:last], self.times[first:last]


def bm25(parts: Sequence[Postings], query: str) -> list[NDArray[np.float32]]:
    """The scores (n,) of the texts of each part; 0 where a text has no word of the query.

    How rare a word is, and how long a text usually is, is counted over all parts.
    """
    lengths = [part.length for part in parts]
    count = sum(int((own > 0).sum()) for own in lengths)
    usual = sum(float(own.sum(dtype=np.float64)) for own in lengths) / max(count, 1)
    scores = [np.zeros(len(own), np.float32) for own in lengths]
    for word in dict.fromkeys(digests(query)):
        found = [part.of_word(word) for part in parts]
        with_word = sum(len(texts) for texts, _ in found)
        rarity = np.log1p((count - with_word + 0.5) / (with_word + 0.5))
        for own, length, (texts, times) in zip(scores, lengths, found, strict=True):
            if len(texts) and texts.max() >= len(own):
                raise StoreError("words.u32 of the index is damaged; build the index again")
            norm = K1 * (1 - B + B * length[texts] / usual) if len(texts) else 0.0
            own[texts] += rarity * times * (K1 + 1) / (times + norm)
    return scores
