"""Texts as members of a combined forecast."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import trace_lit
from data_modules import Channel, Corpus, CorpusInfo, Record, write_corpus
from trace_lit.config import ConfigError
from trace_lit.encoder.solved import COMPONENTS, TextComponents, mean_vectors
from trace_lit.inference.predictions import Asked
from trace_lit.settings import load_config

AUTO = Path(__file__).parents[2] / "experiments" / "forecast" / "auto.yaml"
ROW, ROWS = 4, 200  # steps of a row with a text, and rows
WORDS = (f"window={{horizon: {ROW}, stride: {ROW}, max_texts: 1, lookback: 24}}", "head.texts=true")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """A price that rises or falls for four hours at a time, as the desk has said just before."""
    noise = np.random.default_rng(0)
    rises = noise.random(ROWS + 1) < 0.5
    changes = np.repeat(np.where(rises[:ROWS], 1.0, -1.0), ROW) + 0.2 * noise.normal(size=ROW * ROWS)
    values, told = 50 + np.cumsum(changes), ("Prices are expected to fall.", "A steep rise is coming.")
    records = [
        Record(
            str(row),
            "price",
            datetime(2024, 1, 1) + timedelta(hours=ROW * row),
            values[None, ROW * row : ROW * (row + 1)],
            text=told[int(rises[row + 1])],
            channel_texts=[""],
        )
        for row in range(ROWS)
    ]
    info = CorpusInfo("desk", "desk", "made up", (Channel("price", "EUR"),), "1h")
    return write_corpus(records, info, tmp_path_factory.mktemp("desk") / "corpus")


def error(run: Path, corpus: Corpus) -> float:
    """Mean squared, of the windows that end with a row and its text."""
    frame = trace_lit.load(run).predictions(Asked(corpus)).table().to_pandas().dropna(subset="truth")
    frame = frame[frame["origin"].dt.hour % ROW == 0]
    return float(((frame["forecast"] - frame["truth"]) ** 2).mean())


@pytest.fixture(scope="module")
def run(desk: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trace_lit.fit(AUTO, f"data.corpus={desk.path}", f"run.dir={tmp_path_factory.mktemp('runs')}", *WORDS).folder


@pytest.mark.slow
def test_a_text_that_tells_what_comes_is_listened_to(desk: Corpus, run: Path, tmp_path: Path) -> None:
    without = trace_lit.fit(AUTO, f"data.corpus={desk.path}", f"run.dir={tmp_path}", *WORDS, "head.texts=false").folder
    assert error(run, desk) < 0.1 * error(without, desk)
    shares = trace_lit.load(run).predictions(Asked(last=True)).members["price [EUR]"]
    assert sum(share for name, share in shares.items() if name.startswith("texts")) > 0.8


@pytest.mark.slow
def test_a_series_without_a_text_is_forecast_as_by_an_average_one(run: Path) -> None:
    index = pd.date_range("2024-03-01", periods=40, freq="1h")
    forecast = trace_lit.load(run).predict(pd.DataFrame({"price": np.full(40, 60.0)}, index=index))["forecast"]
    assert forecast.between(58, 62).all()  # neither the rise nor the fall, which are of 4


@pytest.mark.slow
def test_texts_that_are_all_alike_make_no_members(desk: Corpus, tmp_path: Path) -> None:
    records = [
        Record(
            desk.ids[row],
            "price",
            datetime(2024, 1, 1) + timedelta(hours=ROW * row),
            np.asarray(values),
            text="Prices.",
            channel_texts=[""],
        )
        for row, values in enumerate(desk.values())
    ]
    alike = write_corpus(records, desk.info, tmp_path / "alike")
    metrics = trace_lit.fit(AUTO, f"data.corpus={alike.path}", f"run.dir={tmp_path}", *WORDS).metrics
    assert not [key for key in metrics if key.startswith("cv/penalty/texts")]


def test_components_keep_what_differs_and_a_missing_text_is_their_middle() -> None:
    noise = torch.Generator().manual_seed(0)
    spread = torch.randn(50, 3, generator=noise) @ torch.randn(3, 64, generator=noise)
    vectors = torch.cat([spread + 5, torch.full((1, 64), torch.nan)])
    components = TextComponents()
    components.fit(vectors)
    found = components(vectors)
    assert found.shape == (51, COMPONENTS)
    torch.testing.assert_close(torch.pdist(found[:50]), torch.pdist(spread), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(found[:50].mean(0), torch.zeros(COMPONENTS), atol=1e-4, rtol=0)
    assert not found[50].any()
    assert not components(torch.zeros(2, 0)).any()  # no texts were read at all


def test_components_of_a_file_that_was_changed_are_refused() -> None:
    components = TextComponents()
    components.fit(torch.randn(10, 8, generator=torch.Generator().manual_seed(0)))
    weights = dict(components.state_dict())
    fresh = TextComponents()
    fresh.load_state_dict(weights)
    torch.testing.assert_close(fresh.basis, components.basis)
    with pytest.raises(RuntimeError, match="of no vectors"):
        TextComponents().load_state_dict(weights | {"basis": torch.zeros(9, COMPONENTS)})


def test_the_mean_is_of_the_sentences_that_are_there() -> None:
    vectors = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [9.0, 9.0]], [[7.0, 7.0], [7.0, 7.0]]])
    there = torch.tensor([[True, True], [True, False], [False, False]])
    found = mean_vectors(vectors, there)
    torch.testing.assert_close(found[:2], torch.tensor([[2.0, 3.0], [1.0, 2.0]]))
    assert found[2].isnan().all()


def test_texts_are_for_a_combination() -> None:
    with pytest.raises(ConfigError, match="only a combination looks at texts"):
        load_config([AUTO], ["head={solver: ridge, texts: true}"])
