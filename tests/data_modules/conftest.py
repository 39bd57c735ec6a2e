"""Small corpora with known content."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from data_modules.corpus import Corpus, CorpusInfo, Record
from data_modules.corpus_writing import write_corpus
from trace_lit.channels import Channel
from trace_lit.text import TextEncoder

HOURS = timedelta(hours=1)
BEGIN = datetime(2024, 1, 1)
CHANNELS = (Channel("temperature", "K"), Channel("pressure", "hPa"))


class HashEncoder(TextEncoder):
    """A vector that depends on the text alone; counts the texts that it encodes."""

    dim = 8
    fingerprint = "hash"

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def encode_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        self.seen += texts
        vectors = [np.random.default_rng(zlib.crc32(text.encode())).normal(size=self.dim) for text in texts]
        yield np.arange(len(texts)), np.array(vectors, np.float32).reshape(-1, self.dim)


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
def series() -> Callable[..., np.ndarray]:
    """Draw (C, steps) float32 with a tenth missing."""
    return _series


def _series(steps: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.normal(10.0, 2.0, (channels, steps)).astype(np.float32)
    values[rng.random((channels, steps)) < 0.1] = np.nan
    return values


@pytest.fixture
def windows_of() -> Callable[..., list[Record]]:
    """Cut records out of one series; `fields` give further fields by the window's number."""
    return _windows_of


def _windows_of(
    values: np.ndarray, length: int, stride: int, name: str = "s", **fields: Callable[[int], object]
) -> list[Record]:
    return [
        Record(
            id=f"{name}-{number}",
            series_id=name,
            start=BEGIN + first * HOURS,
            values=values[:, first : first + length],
            **{field: function(number) for field, function in fields.items()},  # type: ignore[arg-type]
        )
        for number, first in enumerate(range(0, values.shape[1] - length + 1, stride))
    ]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Corpus]:
    """Write records as a corpus folder."""

    def write(records: list[Record], name: str = "corpus", **info: object) -> Corpus:
        described = {
            "domain": "test",
            "name": name,
            "source": "test",
            "channels": CHANNELS,
            "frequency": "1h",
            "label_names": ("calm", "storm"),
        }
        return write_corpus(records, CorpusInfo(**{**described, **info}), tmp_path / name)  # type: ignore[arg-type]

    return write
