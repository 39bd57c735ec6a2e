"""A CSV file or a DataFrame is a corpus of its windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules import Channel, CorpusError
from data_modules.series_corpus import series_corpus


def frame(rows: int = 100, freq: str = "1h") -> pd.DataFrame:
    index = pd.date_range("2024-01-01", periods=rows, freq=freq, name="time")
    return pd.DataFrame({"wind speed [m/s]": np.arange(rows, dtype=float), "Humidity": 50.0}, index=index)


def test_windows_follow_one_another_up_to_the_end(tmp_path: Path) -> None:
    corpus = series_corpus(frame())
    assert corpus.info.channels == (Channel("wind speed", "m/s"), Channel("Humidity"))
    assert corpus.info.frequency == "1h"
    assert len(corpus) == 4
    assert np.concatenate([window[0] for window in corpus.values()]).tolist() == list(range(4, 100))
    assert corpus.ids[0] == "2024-01-01T04:00"
    frame().to_csv(tmp_path / "wind.csv")
    read = series_corpus(tmp_path / "wind.csv")
    assert read.info.name == "wind"
    for window, same in zip(corpus.values(), read.values(), strict=True):
        np.testing.assert_array_equal(window, same)


@pytest.mark.parametrize(
    ("freq", "alias", "steps"),
    [("30min", "30min", 48), ("4h", "4h", 12), ("D", "1D", 28), ("7D", "7D", 26), ("MS", "MS", 12)],
)
def test_the_usual_window_of_a_frequency(freq: str, alias: str, steps: int) -> None:
    corpus = series_corpus(frame(300, freq))
    assert (corpus.info.frequency, set(corpus.lengths.tolist())) == (alias, {steps})


def test_steps_can_be_chosen_gaps_are_kept_and_times_may_be_missing() -> None:
    holes = frame().drop(frame().index[40:64])
    corpus = series_corpus(holes, steps=20)
    assert len(corpus) == 4  # of the hours 40 to 60, nothing is known
    assert set(corpus.lengths.tolist()) == {20}
    assert np.isnan(corpus.values()[2]).any()
    assert series_corpus(frame().reset_index(drop=True), 50).ids.tolist() == ["step 0", "step 50"]


def test_several_series_and_their_channels_are_one_corpus() -> None:
    other = frame().rename(columns={"Humidity": "rain [mm]"})
    corpus = series_corpus([frame(24), other[:24]], steps=24)
    assert [channel.key for channel in corpus.info.channels] == ["wind speed [m/s]", "Humidity", "rain [mm]"]
    assert [np.isnan(window).all(1).tolist() for window in corpus.values()] == [
        [False, False, True],
        [False, True, False],
    ]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    for given, message in (
        ([], "there is no series"),
        (3, "a DataFrame or the path of a file, not of the type int"),
        (tmp_path / "nowhere.csv", "there is no file"),
    ):
        with pytest.raises(CorpusError, match=message):
            series_corpus(given)
    with pytest.raises(CorpusError, match="has 100 steps, too few for a window of 101"):
        series_corpus(frame(), 101)
    with pytest.raises(CorpusError, match="steps is 0"):
        series_corpus(frame(), 0)
