from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from data_modules import Channel, CorpusInfo, Record, write_corpus
from trace_lit.config import ConfigError
from trace_lit.runs.recipe import settle_by_frequency
from trace_lit.settings import load_config

AUTO = Path(__file__).parents[2] / "experiments" / "forecast" / "auto.yaml"
STEPS = {"1h": timedelta(hours=1), "30min": timedelta(minutes=30), "7D": timedelta(days=7), "D": timedelta(days=1)}


def corpus(folder: Path, frequency: str, steps: int) -> Path:
    values = np.random.default_rng(0).normal(size=steps)
    start = datetime(2000, 1, 1)
    records = [
        Record(str(first), "one", start + first * STEPS[frequency], values[None, first : first + 10])
        for first in range(0, steps - 9, 10)
    ]
    write_corpus(records, CorpusInfo("made", folder.name, "made", (Channel("x"),), frequency), folder)
    return folder


def settled(folder: Path, *words: str):
    config = load_config([AUTO], [f"data.corpus={folder}", *words])
    settle_by_frequency(config)
    return config


@pytest.mark.parametrize(
    ("frequency", "steps", "season", "lookback"),
    [
        ("1h", 40, 24, 16),
        ("7D", 300, 52, 64),
        ("7D", 1000, 52, 104),
        ("D", 400, 7, 28),
        ("1h", 3000, 24, 168),
        ("30min", 1000, 48, 96),
    ],
)
def test_season_and_look_back_go_by_frequency_and_length(frequency, steps, season, lookback, tmp_path: Path) -> None:
    config = settled(corpus(tmp_path / "c", frequency, steps))
    assert (config.window.season, config.window.lookback) == (season, lookback)
    assert config.head.solver == "combination"
    assert config.by_frequency == {}


def test_what_is_given_and_what_a_start_brings_along_is_kept(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "c", "7D", 300)
    assert settled(folder, "window.season=13").window.season == 13
    assert settled(folder).encoder.width == 64
    assert settled(folder, f"init_from={folder}").encoder.width == 384


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("{day: {0: {window: {season: 7}}}}", "no settings for steps of a week"),
        ("{week: {999: {window: {season: 7}}}}", "999 steps or more"),
        ("{week: {0: {window: {seasons: 7}}}}", "window.seasons"),
        ("{week: {window: {season: 7}}}", "least length"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(table, message, tmp_path: Path) -> None:
    config = load_config([], [f"data.corpus={corpus(tmp_path / 'c', '7D', 300)}", f"by_frequency={table}"])
    with pytest.raises(ConfigError, match=message):
        settle_by_frequency(config)


def test_every_setting_of_the_recipe_is_allowed() -> None:
    table = load_config([AUTO], []).by_frequency
    assert set(table) >= {"any", "minute", "hour", "day", "week", "month", "quarter", "year"}
