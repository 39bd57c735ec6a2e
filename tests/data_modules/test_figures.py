import warnings
from datetime import datetime, timedelta

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from data_modules.corpus import CorpusInfo, Record
from data_modules.corpus_writing import write_corpus
from data_modules.figures import Column, Window, plot_instances, save_figure, window_columns
from trace_lit.channels import Channel

CHANNELS = (Channel("price", "$/gallon"), Channel("rate $x^2$", "%"))
TIMES = np.datetime64("2020-01-01", "us") + np.arange(24) * np.timedelta64(1, "h")


def draw(path, *windows) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(window_columns([Column(window) for window in windows], CHANNELS, "heading", width=4.4), path)
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def window(text: str = "text", seed: int = 0) -> Window:
    return Window("title", TIMES, np.random.default_rng(seed).normal(size=(2, 24)), text)


def test_a_picture_shows_the_values_and_the_text(tmp_path):
    picture = draw(tmp_path / "folder" / "a.png", window())
    assert picture.shape == draw(tmp_path / "b.png", window()).shape
    assert (picture == draw(tmp_path / "b.png", window())).all()
    assert (picture != draw(tmp_path / "b.png", window(seed=1))).any()
    assert (picture != draw(tmp_path / "b.png", window(text="other"))).any()
    assert draw(tmp_path / "b.png", window(), window()).shape[1] > 1.8 * picture.shape[1]


@pytest.mark.parametrize(
    "text", ["", "$3.258 per gallon, $0.029 more", "天気は晴れ", "a_{b} $\\frac$", "word " * 3000, "x" * 5000, "a\n\nb"]
)
def test_any_text_is_drawn_without_warnings(tmp_path, text):
    draw(tmp_path / "a.png", window(text))


def test_gaps_and_missing_channels_are_drawn(tmp_path):
    values = np.random.default_rng(0).normal(size=(2, 24))
    values[0, 3:9] = np.nan
    values[1] = np.nan
    draw(tmp_path / "a.png", Window("t", TIMES, values), window())
    draw(tmp_path / "a.png", Window("t", TIMES[:1], values[:, :1]))


def test_nothing_global_is_changed(tmp_path):
    before = dict(mpl.rcParams), mpl.get_backend()
    draw(tmp_path / "a.png", window())
    assert (dict(mpl.rcParams), mpl.get_backend()) == before


def test_no_windows_are_an_error(tmp_path):
    with pytest.raises(ValueError, match="no windows"):
        window_columns([], CHANNELS)


def test_rows_of_a_corpus_are_drawn(tmp_path):
    rng = np.random.default_rng(0)
    records = [
        Record(f"r{n}", "s", datetime(2020, 1, 1) + timedelta(days=n), rng.normal(size=(2, 24)), f"report {n}")
        for n in range(20)
    ]
    info = CorpusInfo("energy", "toy", "test", CHANNELS, "1h", generated=True)
    corpus = write_corpus(records, info, tmp_path / "corpus")
    plot_instances(corpus, [0, 5], tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").size[0] > 800
