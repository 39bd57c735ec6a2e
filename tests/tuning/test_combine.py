from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

import trace_lit
from data_modules import Channel, Corpus, CorpusInfo, Record, write_corpus
from trace_lit.cli import main
from trace_lit.config import ConfigError
from trace_lit.inference.predictions import Asked
from trace_lit.settings import load_config

AUTO = Path(__file__).parents[2] / "experiments" / "forecast" / "auto.yaml"
STEPS = 600


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """A tide with a day, and a flow that is a random walk; some steps are missing."""
    noise = np.random.default_rng(0)
    tide = 5 + 3 * np.sin(2 * np.pi * np.arange(STEPS) / 24) + 0.2 * noise.normal(size=STEPS)
    values = np.stack([tide, 100 + np.cumsum(noise.normal(size=STEPS))])
    values[:, 100:103] = np.nan
    records = [
        Record(str(first), "sea", datetime(2024, 1, 1) + timedelta(hours=first), values[:, first : first + 20])
        for first in range(0, STEPS, 20)
    ]
    channels = (Channel("tide", "m"), Channel("flow", "m3/s"))
    return write_corpus(
        records, CorpusInfo("sea", "sea", "made up", channels, "1h"), tmp_path_factory.mktemp("sea") / "corpus"
    )


@pytest.fixture(scope="module")
def run(sea: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = [f"data.corpus={sea.path}", f"run.dir={tmp_path_factory.mktemp('runs')}", "window.horizon=6"]
    return trace_lit.fit(AUTO, *words).folder


def test_the_run_beats_repeating_and_a_season_where_each_is_right(run: Path, sea: Corpus) -> None:
    frame = trace_lit.load(run).predictions(Asked(sea)).table().to_pandas().dropna(subset="truth")
    error = ((frame["forecast"] - frame["truth"]) ** 2).groupby(frame["channel"]).mean()
    assert error["tide"] < 0.1  # the noise alone is 0.04
    flow = np.concatenate(sea.values(), axis=1)[1]
    last = int(0.8 * STEPS)
    naive = [(flow[place : place + 6] - flow[place - 1]) ** 2 for place in range(last, STEPS - 5)]
    assert error["flow"] < 1.25 * np.mean(naive)  # a random walk, which happens to drift in training
    inside = frame["truth"].between(frame["0.1"], frame["0.9"]).groupby(frame["channel"]).mean()
    assert inside.between(0.6, 0.97).all()


def test_a_run_says_how_much_each_member_counts(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predictions = trace_lit.load(run).predictions(Asked(last=True))
    for shares in predictions.members.values():
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
    assert predictions.as_dicts()[0]["channels"]["tide [m]"]["members"] == predictions.members["tide [m]"]
    assert main(["predict", str(run), "--last"]) == 0
    assert "members of the forecast of" in capsys.readouterr().out


def test_the_run_holds_what_the_recipe_chose(run: Path) -> None:
    config = load_config([run / "config.yaml"])
    assert (config.window.season, config.window.lookback, config.encoder.patch_length) == (24, 72, 12)
    assert config.by_frequency == {}


def test_a_series_with_one_of_the_channels_is_forecast_too(run: Path, sea: Corpus) -> None:
    import pandas as pd

    index = pd.date_range("2024-03-01", periods=80, freq="1h")
    frame = pd.DataFrame({"flow": np.full(80, 90.0)}, index=index)
    forecast = trace_lit.load(run).predict(frame)["forecast"]
    assert torch.isfinite(torch.tensor(forecast.to_numpy())).all()
    assert forecast.between(80, 100).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("tune.model=nlinear",), "combination, which goes with tune.model=trace"),
        (("tune.scope=full",), "solves the head alone"),
        (("head.calendar=2",), "has these by itself"),
        (("window.augmentation_scales=[2.0]",), "has these by itself"),
    ],
)
def test_what_a_combination_does_not_do_is_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config([AUTO], [*words])
