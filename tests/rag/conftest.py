"""A retriever that was never trained: equal windows have equal vectors, which is all that these tests need."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

from data_modules import Channel, Corpus, CorpusInfo, Record, write_corpus
from data_modules.config import WindowConfig
from data_modules.forecasting import OriginDataset
from data_modules.stitched import Series
from data_modules.vocabulary import training_vocabulary
from trace_lit.alignment import AlignedModel
from trace_lit.encoder import SeriesEncoder
from trace_lit.encoder.config import EncoderConfig
from trace_lit.rag import FrozenRetriever, Retrieval, RetrievalLookup
from trace_lit.rag.config import RagConfig
from trace_lit.settings import Config
from trace_lit.text import TextEncoder

CHANNELS = (Channel("level", "m"), Channel("flow", "m³/s"))
BEGIN = datetime(2024, 1, 1)
STEP = 3600


class HashEncoder(TextEncoder):
    """A vector that depends on the text alone."""

    dim = 8
    fingerprint = "hash"

    def encode_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        vectors = [np.random.default_rng(zlib.crc32(text.encode())).normal(size=self.dim) for text in texts]
        yield np.arange(len(texts)), np.array(vectors, np.float32).reshape(-1, self.dim)


def walk(steps: int, seed: int = 0) -> np.ndarray:
    """(2, steps), positive."""
    return 50 + np.random.default_rng(seed).normal(size=(2, steps)).cumsum(axis=1)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Corpus]:
    """A corpus of series, each a name with its values (C, steps) and the hours at which it begins, in rows of 10 steps."""

    def written(series: dict[str, tuple[np.ndarray, int]], name: str = "corpus") -> Corpus:
        records = [
            Record(
                f"{key}-{first}",
                key,
                BEGIN + timedelta(hours=begin + first),
                values[:, first : first + 10],
                text=f"Report {key} {first}.",
                label=("low", "high")[int(values[0, first + 9] > 50)],
            )
            for key, (values, begin) in series.items()
            for first in range(0, values.shape[1], 10)
        ]
        return write_corpus(
            records, CorpusInfo("rivers", name, "made up", CHANNELS, "1h", ("low", "high")), tmp_path / name
        )

    return written


def make_retriever(corpus: Corpus, seed: int = 0) -> FrozenRetriever:
    torch.manual_seed(seed)
    config = Config(encoder=EncoderConfig(width=16, layers=1, heads=2, patch_length=4))
    vocabulary = training_vocabulary([corpus], HashEncoder())
    model = AlignedModel(SeriesEncoder(config.encoder, vocabulary), config.alignment)
    return FrozenRetriever(model.eval(), HashEncoder(), torch.device("cpu"))


@pytest.fixture
def retrieve(tmp_path: Path) -> Callable[..., dict[str, OriginDataset]]:
    """The datasets of a corpus by split, with their neighbours: among all splits, unless told otherwise."""

    def retrieved(corpus: Corpus, searched: Corpus | None = None, **words) -> dict[str, OriginDataset]:
        rag = {
            name: words.pop(name)
            for name in ("top", "lookback", "stride", "min_distance", "splits", "key")
            if name in words
        }
        task = words.pop("task", "forecast")
        tune = WindowConfig(**{"lookback": 12, "horizon": 6, "split": "steps", **words})
        retriever = make_retriever(corpus)
        searched = searched or corpus
        retriever.learn_channels([corpus, searched])
        retrieval = Retrieval(
            retriever,
            [corpus, searched],
            searched,
            tune,
            RagConfig(**{"splits": ["train", "validation", "test"], **rag}),
            task=task,
            label_names=corpus.info.label_names,
            folder=tmp_path / "retrieved",
        )
        datasets = {}
        for split in ("train", "validation", "test"):
            own = OriginDataset(
                corpus,
                Series.of(corpus, tune.split),
                split,
                tune,
                retriever.model.encoder.vocabulary,
                task=task,
                label_names=corpus.info.label_names,
            )
            own.attach(RetrievalLookup(retrieval, own))
            datasets[split] = own
        return datasets

    return retrieved
