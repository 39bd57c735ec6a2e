"""Neighbours by the raw shape of windows: nothing is trained."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import trace_lit
from data_modules import Channel, Corpus, CorpusInfo, Record, write_corpus
from data_modules.config import WindowConfig
from data_modules.forecasting import OriginDataset
from data_modules.stitched import Series
from trace_lit.channels import ChannelVocabulary
from trace_lit.cli import main
from trace_lit.config import ConfigError
from trace_lit.encoder import Combination
from trace_lit.inference.predictions import Asked
from trace_lit.rag import Neighbours, Retrieval, ShapeRetriever
from trace_lit.rag.config import RagConfig
from trace_lit.rag.shape import shape_of
from trace_lit.settings import load_config

AUTO = Path(__file__).parents[2] / "experiments" / "forecast" / "auto.yaml"
WINDOW = WindowConfig(lookback=12, horizon=6, split="steps")


def neighbours_of(corpus: Corpus, folder: Path, **words) -> tuple[Retrieval, OriginDataset, Neighbours]:
    """The neighbours of the test windows."""
    retriever = ShapeRetriever()
    retriever.learn_channels([corpus])
    rag = RagConfig(**{"splits": ["train", "validation", "test"], "top": 3, **words})
    retrieval = Retrieval(retriever, [corpus], corpus, WINDOW, rag, folder=folder)
    asked = OriginDataset(corpus, Series.of(corpus, WINDOW.split), "test", WINDOW, retriever.vocabulary)
    return retrieval, asked, retrieval.neighbours(asked)


def daily(days: int, seed: int = 0) -> np.ndarray:
    """(2, 24 · days) a day and noise, and a random walk."""
    noise = np.random.default_rng(seed)
    hours = np.arange(24 * days)
    day = 5 + 3 * np.sin(2 * np.pi * hours / 24) + 0.1 * noise.normal(size=len(hours))
    return np.stack([day, 100 + noise.normal(size=len(hours)).cumsum()])


def test_neighbours_are_the_same_in_other_units(write, tmp_path: Path) -> None:
    values = daily(20)
    corpus, other = (write({"one": (own, 0)}, name) for name, own in (("a", values), ("b", 273.0 + 50 * values)))
    ours, theirs = (neighbours_of(own, tmp_path)[2] for own in (corpus, other))
    assert (ours.number == theirs.number).float().mean() > 0.99
    assert torch.allclose(ours.similarity, theirs.similarity, atol=1e-3)


def test_neighbours_of_an_hour_stand_near_that_hour(write, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(2, 24 * 20))  # whose shape tells nothing of the hour
    corpus = write({"one": (noise, 0)})
    retrieval, asked, found = neighbours_of(corpus, tmp_path, top=1)
    hour = torch.div(asked.seconds, 3600, rounding_mode="floor") % 24
    theirs = torch.div(retrieval.memory.windows.seconds, 3600, rounding_mode="floor")[found.number[:, 0]] % 24
    apart = (hour - theirs).abs()
    assert torch.minimum(apart, 24 - apart).float().mean() < 4  # at random it is 6


def test_what_followed_a_shape_follows_it_again(write, tmp_path: Path) -> None:
    """A step up of the flow comes before a rise of the level, a step down before a fall."""
    noise = np.random.default_rng(0)
    values = np.zeros((2, 800))
    for begin in range(0, 800, 20):
        sign = noise.choice([-1, 1])
        values[1, begin + 8 : begin + 14] = sign
        values[0, begin + 14 : begin + 20] = sign
    corpus = write({"one": (values + 0.01 * noise.normal(size=values.shape), 0)})
    retrieval, asked, found = neighbours_of(corpus, tmp_path)
    before = asked.origins % 20 == 14
    batch = asked[before.nonzero().squeeze(1).tolist()]
    own = Neighbours(found.number[before], found.similarity[before])
    retrieved = retrieval.memory.look_up(own, corpus.info.channels)
    assert batch.future is not None
    assert retrieved.future is not None
    assert retrieved.last is not None
    change = (retrieved.future - retrieved.last)[:, 0].mean((1, 2))
    assert (change.sign() == (batch.future - batch.values[..., -1:])[:, 0].mean(1).sign()).all()


def test_a_channel_that_a_window_lacks_counts_for_nothing(write, tmp_path: Path) -> None:
    values = daily(20)
    values[1, 240:] = np.nan
    retrieval, asked, found = neighbours_of(write({"one": (values, 0)}), tmp_path)
    assert not asked[list(range(len(asked)))].observed[:, 1].any()
    assert torch.isfinite(retrieval.memory.vectors).all()
    assert (found.similarity[:, 0] > 0.5).all()


def test_shape_is_measured_from_the_last_value_on_scales_that_double() -> None:
    past = torch.arange(16.0)
    shape = shape_of(past)
    assert shape.shape == (8 + 8 + 4 + 2,)
    assert shape[:8].tolist() == [-7, -6, -5, -4, -3, -2, -1, 0]
    assert shape[-2:].tolist() == [3.5 - 15, 11.5 - 15]
    assert torch.allclose(shape_of(past + 100), shape)
    assert shape_of(torch.ones(1)).tolist() == [0]


def test_a_prompt_of_shapes_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"rag\.mode is series, but rag\.retriever is shape"):
        load_config([], ["stage=tune", "rag={retriever: shape, mode: series}"])


@pytest.mark.slow
def test_a_combination_weighs_neighbours_and_says_so(write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A chaotic map: what followed like values tells the next ones, and no straight line through the last steps does."""
    values = np.full((2, 800), 0.3)
    for step in range(1, 800):
        values[:, step] = (3.7, 3.9) * values[:, step - 1] * (1 - values[:, step - 1])
    corpus = write({"one": (values, 0)})
    words = [f"data.corpus={corpus.path}", f"run.dir={tmp_path}", f"data.cache_dir={tmp_path / 'cache'}", "stage=tune"]
    words += ["window={split: steps, lookback: 12, horizon: 2}", "head.solver=combination"]
    words += ["encoder={width: 8, layers: 1, heads: 1, patch_length: 4}"]
    runs = {
        name: trace_lit.fit(*words, f"run.name={name}", *more)
        for name, more in (("off", []), ("on", ["rag={retriever: shape, use_futures: true}"]))
    }
    errors = {name: trace_lit.evaluate(run.folder)["test/MSE"] for name, run in runs.items()}
    assert errors["on"] < 0.8 * errors["off"]
    loaded = trace_lit.load(runs["on"].folder)
    predictions = loaded.predictions(Asked(last=True))
    assert any("neighbours" in name for own in predictions.members.values() for name in own)
    assert main(["predict", str(runs["on"].folder), "--last"]) == 0
    assert "neighbours" in capsys.readouterr().out
    assert loaded.config.rag.retriever == "shape"


@pytest.fixture(scope="module")
def tide(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run by the one recipe on a tide, and its corpus."""
    folder = tmp_path_factory.mktemp("tide")
    noise, steps = np.random.default_rng(0), np.arange(500)
    level = 5 + 3 * np.sin(2 * np.pi * steps / 24) ** 3 + 0.1 * noise.normal(size=len(steps))
    begin = datetime(2024, 1, 1)
    records = [
        Record(str(first), "sea", begin + timedelta(hours=first), level[None, first : first + 20], channel_texts=[""])
        for first in range(0, len(steps), 20)
    ]
    info = CorpusInfo("sea", "sea", "made up", (Channel("tide", "m"),), "1h")
    corpus = write_corpus(records, info, folder / "corpus").path
    words = [f"data.corpus={corpus}", f"run.dir={folder}", f"data.cache_dir={folder / 'cache'}", "window.horizon=6"]
    return trace_lit.fit(AUTO, *words).folder, corpus


def series(seed: int = 0) -> pd.DataFrame:
    steps = np.arange(96)
    level = 5 + 3 * np.sin(2 * np.pi * steps / 24) ** 3 + 0.1 * np.random.default_rng(seed).normal(size=len(steps))
    return pd.DataFrame({"tide": level}, index=pd.date_range("2024-02-01", periods=96, freq="1h"))


@pytest.mark.slow
def test_the_recipe_looks_for_neighbours(tide: tuple[Path, Path]) -> None:
    run, _ = tide
    assert load_config([run / "config.yaml"]).rag.retriever == "shape"
    assert trace_lit.load(run).predictions(Asked(series=series())).dataset.lookup is not None


@pytest.mark.slow
def test_where_the_corpus_is_gone_members_forecast_that_need_no_neighbours(
    tide: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run, corpus = tide
    copied = shutil.copytree(run, tmp_path / "sent" / "run")
    with_neighbours = trace_lit.load(run).predict(series())["forecast"]
    hidden = corpus.rename(corpus.with_name("hidden"))
    try:
        alone = trace_lit.load(copied).predict(series())["forecast"]
    finally:
        hidden.rename(corpus)
    assert "members that need no neighbours forecast" in caplog.text
    assert str(corpus) in caplog.text
    truth = 5 + 3 * np.sin(2 * np.pi * np.arange(96, 102) / 24) ** 3
    assert np.abs(alone - truth).mean() < 0.5
    assert np.abs(with_neighbours - truth).mean() < 0.5
    model = trace_lit.load(run)
    combination = model._model(model.vocabulary).combination
    needs = torch.tensor([member.of_neighbours for member in combination.members])
    for share in (combination.alone, combination.alone_fallback):
        assert not share[:, needs].any()
        assert torch.allclose(share.sum(1), torch.ones(len(share)))


@pytest.mark.slow
def test_a_series_without_times_is_forecast_without_neighbours(tide: tuple[Path, Path]) -> None:
    run, _ = tide
    assert np.isfinite(trace_lit.load(run).predict(series().to_numpy().T)["forecast"]).all()


def test_a_run_from_before_these_weights_forecasts_without_its_neighbours() -> None:
    vocabulary = ChannelVocabulary().extended([Channel("one")], torch.zeros(1, 1), [0.0], [1.0])
    combination = Combination(vocabulary, 12, 4, 1, [], channels=1, followed=True)
    place = [member.name for member in combination.members].index("near neighbours")
    weights = dict(combination.state_dict())
    weights["share"] = torch.zeros_like(weights["share"])
    weights["share"][:, place], weights["share"][:, 1] = 0.75, 0.25
    for name in ("alone", "alone_fallback"):
        del weights[name]
    combination.load_state_dict(weights)
    assert combination.alone[0, [0, 1, place]].tolist() == [0.75, 0.25, 0.0]


def test_many_candidates_are_drawn_from_all_hours_of_the_day(write, tmp_path: Path) -> None:
    corpus = write({"one": (daily(60), 0)})
    every, *_ = neighbours_of(corpus, tmp_path)
    some, _, found = neighbours_of(corpus, tmp_path, candidates=240)
    assert len(every.memory) > 1000
    assert len(some.memory) == 240
    hours = torch.div(some.memory.windows.seconds, 3600, rounding_mode="floor") % 24
    assert (hours.bincount(minlength=24) > 0).all()
    assert int(found.number.max()) < 240


def test_windows_are_asked_about_a_block_at_a_time(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = write({"one": (daily(20), 0)})
    whole = neighbours_of(corpus, tmp_path / "whole")[2]
    monkeypatch.setattr("trace_lit.rag.store._QUERIES", 7)
    blocks = neighbours_of(corpus, tmp_path / "blocks")[2]
    assert torch.equal(whole.number, blocks.number)
    assert torch.allclose(whole.similarity, blocks.similarity)


def test_candidates_have_room_in_memory(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = write({"one": (daily(20), 0)})
    monkeypatch.setattr("trace_lit.rag.store._NUMBERS", 10_000)
    monkeypatch.setattr("trace_lit.rag.store._QUERIES", 100)
    retrieval, *_ = neighbours_of(corpus, tmp_path)
    assert retrieval.memory.vectors.numel() <= 10_000
