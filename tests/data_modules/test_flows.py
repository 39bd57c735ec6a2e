"""Components of winds and other flows, and what they are measured from."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pytest

from data_modules.blocks import CorpusBlocks
from data_modules.corpus import Corpus, CorpusInfo, Record
from data_modules.corpus_writing import write_corpus
from data_modules.flows import component, from_calm
from data_modules.vocabulary import streamed_usual_values, training_vocabulary, usual_values, vocabulary_from_calm
from trace_lit.channels import Channel


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("wind u", ("wind", "u")),
        ("Wind_V component", ("wind", "v")),
        ("eastward current", ("current", "u")),
        ("meridional wind component", ("wind", "v")),
        ("wind_u", ("wind", "u")),
        ("U wind", ("wind", "u")),
        ("10 metre u wind component", ("wind", "u")),
        ("v10", ("flow", "v")),
        ("u", ("flow", "u")),
        ("humidity", None),
        ("uv index", None),
    ],
)
def test_a_component_is_known_by_its_name(name: str, what: tuple[str, str] | None) -> None:
    assert component(Channel(name, "m/s")) == what


def test_components_are_measured_from_zero_in_one_deviation() -> None:
    usual = {"wind u [m/s]": (3.0, 1.0), "heat [K]": (280.0, 9.0), "wind v [m/s]": (-1.0, 2.0)}
    found = from_calm(usual)
    length = math.sqrt((9 + 1 + 1 + 4) / 2)
    assert list(found) == list(usual)
    assert found["wind u [m/s]"] == found["wind v [m/s]"] == pytest.approx((0.0, length))
    assert found["heat [K]"] == usual["heat [K]"]
    assert from_calm(found) == {key: pytest.approx(own) for key, own in found.items()}


@pytest.mark.parametrize("other", ["wind v [knots]", "current v [m/s]", "heat [K]"])
def test_one_component_alone_stays_as_it_is(other: str) -> None:
    usual = {"wind u [m/s]": (3.0, 1.0), other: (-1.0, 2.0)}
    assert from_calm(usual) == usual


def test_what_no_value_tells_stays_unknown() -> None:
    nan = (math.nan, math.nan)
    found = from_calm({"wind u [m/s]": nan, "wind v [m/s]": (1.0, 1.0)})
    assert math.isnan(found["wind u [m/s]"][0])
    assert found["wind v [m/s]"] == (1.0, 1.0)
    assert from_calm({"wind u [m/s]": (0.0, 0.0), "wind v [m/s]": (0.0, 0.0)})["wind u [m/s]"] == (0.0, 0.0)


@pytest.fixture(scope="module")
def windy(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    rng = np.random.default_rng(0)
    channels = (Channel("wind u", "m/s"), Channel("wind v", "m/s"), Channel("heat", "K"))
    records = (
        Record(
            id=f"row-{number}",
            series_id="one",
            start=datetime(2020, 1, 1 + number),
            values=rng.normal(size=(3, 24)) * [[1.0], [2.0], [3.0]] + [[4.0], [0.0], [280.0]],
            split="train",
        )
        for number in range(20)
    )
    info = CorpusInfo("weather", "windy", "test", channels, "1h")
    return write_corpus(records, info, tmp_path_factory.mktemp("flows") / "windy")


def test_the_statistics_of_a_corpus_take_them_from_calm_in_every_way_they_are_read(windy: Corpus) -> None:
    plain, calm = usual_values([windy]), usual_values([windy], calm=True)
    assert plain["wind u [m/s]"][0] == pytest.approx(4.0, abs=0.2)
    assert calm["wind u [m/s]"] == calm["wind v [m/s]"]
    assert calm["wind u [m/s]"][0] == 0.0
    values = np.stack([np.asarray(window) for window in windy.values()]).astype(float)
    assert calm["wind u [m/s]"][1] == pytest.approx(math.sqrt(np.square(values[:, :2]).mean()), rel=1e-6)
    assert calm["heat [K]"] == plain["heat [K]"]
    vocabulary = vocabulary_from_calm(training_vocabulary([windy], None))
    assert dict(zip(vocabulary.keys, zip(vocabulary.mean, vocabulary.deviation, strict=True), strict=True)) == calm
    streamed = streamed_usual_values([CorpusBlocks(windy.path, 7)], calm=True)
    assert streamed == {key: pytest.approx(own) for key, own in calm.items()}
