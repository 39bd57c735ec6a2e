"""Long series in the protocols of the literature."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.corpus import Corpus, CorpusError
from data_modules.sources.borders import parts_of
from data_modules.sources.long_csv import series
from trace_lit.cli import main

ETT = {"train": "12 months", "validation": "4 months", "test": "4 months"}
HOURS = np.datetime64("2016-07-01", "h") + np.arange(17420)


@pytest.fixture(scope="module")
def ett(tmp_path_factory) -> Path:
    """A file as ETTh1 is: 17,420 hours from 1 July 2016 on, seven columns."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        rng.normal(size=(17420, 7)).round(3), columns=["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
    )
    frame.insert(0, "date", pd.date_range("2016-07-01", periods=17420, freq="h").strftime("%Y-%m-%d %H:%M:%S"))
    path = tmp_path_factory.mktemp("ett") / "ETTh1.csv"
    frame.to_csv(path, index=False)
    return path


def test_ett_in_its_protocol(ett, tmp_path):
    words = ["split={train: 12 months, validation: 4 months, test: 4 months}"]
    build = ["data", "build", "--domain", "ett", "--source", "csv", "--root", str(ett), "--out", str(tmp_path / "ett")]
    assert main([*build, *words]) == 0
    corpus = Corpus.load(tmp_path / "ett")
    steps = {split: int(corpus.lengths[corpus.select(split)].sum()) for split in ("train", "validation", "test")}
    assert steps == {"train": 8640, "validation": 2880, "test": 2880}
    assert corpus.info.frequency == "1h"
    assert [channel.key for channel in corpus.info.channels][-1] == "oil temperature [°C]"
    first = corpus.values()[list(corpus.ids).index("ETTh1_0")]
    np.testing.assert_allclose(first, pd.read_csv(ett).iloc[:96, 1:].to_numpy().T)


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        (ETT, [(0, 8640), (8640, 11520), (11520, 14400)]),
        (None, [(0, 12194), (12194, 13936), (13936, 17420)]),  # int(0.7 n) and int(0.2 n), as the literature has it
        ({"train": 0.6, "validation": 0.2, "test": 0.2}, [(0, 10452), (10452, 13936), (13936, 17420)]),
        ({"train": 8640, "validation": 2880, "test": 2880}, [(0, 8640), (8640, 11520), (11520, 14400)]),
        ({"validation": "2017-06-26", "test": "2017-10-24"}, [(0, 8640), (8640, 11520), (11520, 17420)]),
        ({"train": date(2016, 7, 2), "test": datetime(2017, 7, 1, 12)}, [(24, 8772), (8772, 17420)]),
        ({"train": "52 weeks", "test": "30 days"}, [(0, 8736), (8736, 9456)]),
    ],
)
def test_borders(split, expected):
    assert [part[1:] for part in parts_of(split, HOURS)] == expected


@pytest.mark.parametrize(
    ("split", "match"),
    [
        ({"train": "12 moons"}, "split: train is '12 moons'; write it like"),
        ({"training": 0.7}, "split is .*; write it like"),
        ("70 %", "split is '70 %'; write it like"),
        ({"train": True}, "split: train is True"),
        ({"train": 0}, "split: train is 0"),
        (
            {"train": "20 months", "test": "5 months"},
            "needs 18000 steps; the series has 17420, from 2016-07-01 to 2018-06-26|the series",
        ),
        ({"train": "3 years"}, "the series has 17420"),
        ({"validation": "2018-01-01", "test": "2017-01-01"}, "each begins after the one before"),
        ({"test": "2019-01-01"}, "within the series"),
        ({"train": 1e-9, "test": 0.5}, r"train \(1e-09\) is shorter than a step"),
        ({"train": "9" * 30 + " days"}, "write it like"),
    ],
)
def test_borders_that_cannot_be(split, match):
    with pytest.raises(CorpusError, match=match):
        parts_of(split, HOURS)


def write(tmp_path: Path, *rows: str, head: str = "date,wind [m/s],flow") -> Path:
    path = tmp_path / "river.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def days(count: int) -> list[str]:
    return [f"{pd.Timestamp('2024-01-01') + pd.Timedelta(days=n)},{n},{n}.5" for n in range(count)]


def test_a_parts_last_window_takes_what_is_left(tmp_path):
    info, records = series(write(tmp_path, *days(50)), "rivers", length=10, split={"train": 25, "test": 8})
    found = [(own.id, own.split, own.values.shape[1]) for own in records]
    assert found == [("river_0", "train", 10), ("river_10", "train", 15), ("river_25", "test", 8)]
    assert (info.frequency, info.channels[0].key) == ("1D", "wind [m/s]")


def test_a_file_is_read_by_the_rules_of_tables(tmp_path):
    rows = [f"{pd.Timestamp('2024-01-01') + pd.Timedelta(days=n):%d.%m.%Y};{n},25;{n * 1000 + 234}" for n in range(40)]
    info, records = series(write(tmp_path, *rows, head="Datum;level [m];flow [m³/s]"), "rivers")
    (one, *_) = records
    assert [channel.key for channel in info.channels] == ["level [m]", "flow [m³/s]"]
    assert (one.start, one.values[:, 3].tolist()) == (datetime(2024, 1, 1), [3.25, 3234.0])


def test_columns_are_chosen_and_missing_values_are_kept(tmp_path):
    rows = days(40)
    rows[3] = "2024-01-04,,NA"
    info, records = series(write(tmp_path, *rows), "rivers", channels={"FLOW": "discharge [m³/s]"}, length=8)
    first = next(records)
    assert [channel.key for channel in info.channels] == ["discharge [m³/s]"]
    assert np.isnan(first.values[0, 3])
    assert first.values[0, 2] == 2.5


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ("2024-01-04,x,1", r"river.csv, line 5, column 'wind \[m/s\]': 'x' is not a number"),
        ("2024-01-04,inf,1", "line 5, .* 'inf' is not a number"),
        ("2024-01-04,1", r"line 5 has fewer cells than the header has columns \(3\)"),
        ("yesterday,1,1", "line 5: the time is 'yesterday', which is no time"),
        (",1,1", "line 5: the time is empty"),
        ("2024-01-05,1,1", "line 5: the time is 2024-01-05.*, steps of 1D lead to 2024-01-04"),
        ("2024-01-03,1,1", "line 5: the time is 2024-01-03"),
    ],
)
def test_lines_that_cannot_be_used_are_named(tmp_path, row, match):
    rows = days(40)
    rows[3] = row
    with pytest.raises(CorpusError, match=match):
        series(write(tmp_path, *rows), "rivers")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"file": "none.csv"}, "there is no file"),
        ({"file": "\ud800.csv"}, "it must be below"),
        ({"file": "a\0.csv"}, "it must be below"),
        ({"file": "../x.csv"}, "file is '../x.csv'; it must be below"),
        ({"time": "clock"}, "has no column 'clock'"),
        ({"channels": {"depth": "depth [m]"}}, r"no column 'depth' \(channels\); it has date, wind"),
        ({"channels": "all"}, "channels is 'all'"),
        ({"length": 0}, "length is 0"),
        ({"frequency": "1 fortnight"}, "frequency: '1 fortnight' is no sampling frequency"),
    ],
)
def test_options_that_cannot_be_used(tmp_path, options, match):
    write(tmp_path, *days(40))
    with pytest.raises(CorpusError, match=match):
        series(tmp_path, "rivers", **options)
    (tmp_path / "other.csv").write_text("")
    with pytest.raises(CorpusError, match=r"holds 2 CSV files \(other.csv, river.csv\); name one by file="):
        series(tmp_path, "rivers")
