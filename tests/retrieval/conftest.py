"""A small corpus, embedded."""

from datetime import datetime, timedelta

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from data_modules.corpus import Corpus, CorpusInfo, Record
from data_modules.corpus_writing import write_corpus
from trace_lit.batch import NO_LABEL
from trace_lit.channels import Channel
from trace_lit.retrieval import Pool

ROWS = 12


@pytest.fixture
def corpus(tmp_path) -> Corpus:
    """Twelve windows of two channels with gaps; the last two are for validation, one in three has no label."""
    rng = np.random.default_rng(0)
    records = []
    for number in range(ROWS):
        values = rng.normal(size=(2, 24)).cumsum(1)
        values[0, 4:9] = np.nan
        values[0, 10] = np.nan
        if number % 4 == 0:
            values[1] = np.nan
        records.append(
            Record(
                id=f"site_{number}",
                series_id="site",
                start=datetime(2020, 1, 1) + timedelta(days=number),
                values=values,
                text="" if number == 5 else f"report {number}: costs $5 to $6, 强风 {'and so on ' * 40}",
                label=(None, "calm", "storm")[number % 3],
                split="test" if number < 10 else "validation",
            )
        )
    channels = (Channel("a channel with a rather long name", "m/s"), Channel("level"))
    info = CorpusInfo("sea", "buoy", "made up", channels, "1h", ("calm", "storm"))
    return write_corpus(records, info, tmp_path / "corpus")


@pytest.fixture
def rows(corpus) -> np.ndarray:
    return np.array(corpus.select("test"))


@pytest.fixture
def pool(corpus, rows) -> Pool:
    generator = torch.Generator().manual_seed(0)
    vectors = F.normalize(torch.randn(len(rows), 8, generator=generator), dim=1)
    index = torch.arange(len(rows))
    return Pool(
        series=vectors,
        text=F.normalize(vectors + 0.2 * torch.randn(vectors.shape, generator=generator), dim=1),
        has_text=torch.tensor([bool(corpus.texts[row]) for row in rows]),
        label=torch.tensor([int(corpus.labels[row]) for row in rows]).clamp(min=NO_LABEL),
        text_id=index.clone(),
        index=index,
    )
