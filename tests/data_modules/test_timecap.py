import os
import pickle
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from data_modules.corpus import CorpusError, validate_corpus
from data_modules.corpus_writing import write_corpus
from data_modules.sources import timecap

REAL = Path(__file__).parents[3] / "shared" / "data" / "timecap"
real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real data in {REAL}")
DAYS = 20


def dump(path: Path, content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content))


@pytest.fixture
def root(tmp_path) -> Path:
    """A TimeCAP folder with 20 days of two cities and 60 weeks of mortality."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "weather"
    days = [str(datetime(2012, 10, 2) + timedelta(days=day))[:10] for day in range(DAYS)]
    dump(folder / "dates.pkl", [day for day in days for _ in range(24)])
    dump(folder / "indices.pkl", list(range(0, 24 * DAYS, 24)))
    for city in ("ny", "hs"):
        dump(folder / f"time_series_{city}.pkl", rng.uniform(0, 10, (24 * DAYS, 5)))
        dump(folder / f"rain_{city}.pkl", [day % 3 == 0 for day in range(DAYS)])
        (folder / "gpt_summary").mkdir(exist_ok=True)
        for start in range(0, 24 * DAYS, 24):
            (folder / "gpt_summary" / f"{city}_{start}.txt").write_text(f"report on {city} at {start}\n")
    folder = tmp_path / "healthcare"
    rows = [[f"{2016 + n // 52}-{17 + n // 52} {n % 52 + 1:02}", str(n), "10", "1000", "1.5"] for n in range(60)]
    dump(folder / "time_series_mortality.pkl", np.array(rows))
    dump(folder / "indices_mortality.pkl", list(range(40)))
    dump(folder / "labels_mortality.pkl", [np.bool_(n % 2) for n in range(40)])
    return tmp_path


def test_weather_windows_hold_what_upstream_has(root):
    info, records = timecap.weather(root)
    records = {record.id: record for record in records}
    assert len(records) == 2 * DAYS
    record = records["ny_48"]
    raw = pickle.loads((root / "weather" / "time_series_ny.pkl").read_bytes())[48:72]
    np.testing.assert_allclose(record.values[:4], raw[:, :4].T, rtol=1e-6)
    assert record.start == datetime(2012, 10, 4)
    assert record.series_id == "ny"
    assert record.text == "report on ny at 48"
    assert record.label == "no rain in the next 24 hours"
    assert records["hs_72"].label == "rain in the next 24 hours"
    assert [channel.unit for channel in info.channels] == ["%", "hPa", "K", "m/s", "m/s", "m/s"]
    assert info.frequency == "1h"


@pytest.mark.parametrize(
    ("direction", "u", "v"),
    [(0, 0, -5), (90, -5, 0), (180, 0, 5), (270, 5, 0), (360, 0, -5)],  # from the north, east, south, west
)
def test_wind_components_point_where_the_wind_blows_to(root, direction, u, v):
    table = np.tile([50.0, 1000.0, 290.0, 5.0, direction], (24 * DAYS, 1))
    dump(root / "weather" / "time_series_ny.pkl", table)
    _, records = timecap.weather(root, cities=["ny"])
    values = next(records).values
    np.testing.assert_array_equal(values[4], np.float32(u))
    np.testing.assert_array_equal(values[5], np.float32(v))
    assert not np.signbit(values[values == 0]).any()


def test_the_root_may_be_the_domain_folder(root):
    assert len(list(timecap.weather(root / "weather")[1])) == 2 * DAYS
    assert len(list(timecap.healthcare(root / "healthcare")[1])) == 40


def test_cities_are_chosen(root):
    info, records = timecap.weather(root, cities=["hs"])
    assert {record.series_id for record in records} == {"hs"}
    assert "Houston" in info.description
    assert "New York" not in info.description


def test_healthcare_windows_hold_what_upstream_has(root):
    info, records = timecap.healthcare(root)
    records = list(records)
    assert [channel.name for channel in info.channels][:2] == ["influenza deaths", "pneumonia deaths"]
    assert records[0].start == datetime(2017, 1, 1)  # a Sunday: the first CDC week of 2017
    assert records[7].start == datetime(2017, 2, 19)
    assert records[7].values.shape == (4, 20)
    assert records[7].values[0].tolist() == list(range(7, 27))
    assert records[7].text == ""  # no report
    assert records[7].label == "death ratio above average in the next week"


def test_two_tables_share_a_corpus_and_leave_each_others_channels_out(root):
    rows = [[f"2015-16 {n + 40:02}", "100", "5", "5", "10.0", "5.0", "5.0"] for n in range(13)] * 3
    dump(root / "healthcare" / "time_series_positive.pkl", np.array(rows))
    dump(root / "healthcare" / "indices_positive.pkl", list(range(19)))
    dump(root / "healthcare" / "labels_positive.pkl", [True] * 19)
    info, records = timecap.healthcare(root)
    records = list(records)
    assert len(info.channels) == 10
    assert len(info.label_names) == 4
    assert np.isnan(records[0].values[4:]).all()
    assert np.isnan(records[-1].values[:4]).all()
    assert records[-1].values[4:, 0].tolist() == [100, 5, 5, 10, 5, 5]
    assert records[40].start == datetime(2015, 10, 4)
    assert write_corpus(records, info, root / "corpus").info == info


@pytest.mark.parametrize(
    ("week", "day"),
    [
        ("2016-17 01", (2017, 1, 1)),
        ("2020-21 53", (2020, 12, 27)),
        ("2021-22 01", (2022, 1, 2)),
        ("2015-16 40", (2015, 10, 4)),
    ],
)
def test_cdc_weeks(week, day):
    assert timecap._week_start(week, Path("x")) == datetime(*day)


def bad(root: Path, match: str, call=timecap.weather, **options):
    with pytest.raises(CorpusError, match=match):
        list(call(root, **options)[1])


def test_absent_data_say_what_was_looked_for(root):
    bad(
        root / "nowhere",
        r"no TimeCAP weather data in .*nowhere: looked for time_series_\*.pkl in .*nowhere/weather and",
    )
    bad(root, "no city 'sf' in .*; there are: hs, ny", cities=["sf"])
    bad(root, "no table 'positive' in .*; there are: mortality", timecap.healthcare, tables=["positive"])


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("indices.pkl", 3, r"indices.pkl holds a int; it must be a list"),
        ("indices.pkl", [0, None], r"indices.pkl: item 1 is .None.; it must be the whole number of a step"),
        ("indices.pkl", ["0"], r"item 0 is .0.; it must be the whole number"),
        ("dates.pkl", 1.5, "dates.pkl holds a float"),
        ("dates.pkl", [], "dates.pkl: it must hold a day like 2012-10-01 for each step"),
        ("dates.pkl", ["soon"], "dates.pkl: it must hold days like 2012-10-01"),
        ("dates.pkl", ["29999-10-01"] * 24, "the first day is 29999-10-01"),
        ("rain_hs.pkl", None, "rain_hs.pkl holds a NoneType"),
        ("rain_hs.pkl", ["no"] * DAYS, "the label of the window at 0 is 'no'; it must be 0 or 1"),
        ("time_series_hs.pkl", np.full((480, 5), np.inf), "row 0, column 0: inf is infinite or above"),
        ("time_series_hs.pkl", np.zeros((480, 5), "m8[s]"), "not a table of numbers: it holds timedelta64"),
    ],
)
def test_pickles_of_something_else_are_refused(root, name, content, match):
    dump(root / "weather" / name, content)
    bad(root, match)


@pytest.mark.parametrize("options", [{"cities": 3}, {"cities": []}, {"events": 3}, {"events": [3]}])
def test_options_of_another_type_are_refused(root, options):
    bad(root, "the city is|events is", **options)


def test_damaged_data_are_named(root):
    dump(root / "weather" / "rain_hs.pkl", [True])
    bad(root, "rain_hs.pkl: 1 labels for 20 windows")
    dump(root / "weather" / "time_series_hs.pkl", np.zeros((48, 4)))
    bad(root, r"time_series_hs.pkl: the table of values has shape \(48, 4\); expected \(rows, 5\)")
    dump(root / "weather" / "time_series_hs.pkl", np.zeros((48, 5)))
    dump(root / "weather" / "rain_hs.pkl", [True] * DAYS)
    bad(root, "the window at 48 needs 24 steps, the series has 48")
    dump(root / "weather" / "time_series_hs.pkl", np.array([["a"] * 5]))
    bad(root, "time_series_hs.pkl: not a table of numbers")


def test_days_without_24_steps_are_refused(root):
    dump(root / "weather" / "dates.pkl", ["2012-10-02"] * 23 + ["2012-10-03"] * 24)
    bad(root, "dates.pkl: step 23 is dated 2012-10-03, hourly steps from 2012-10-02 00:00 on give 2012-10-02")


def test_a_pickle_with_code_is_refused_and_not_run(root):
    class Code:
        def __reduce__(self):
            return os.system, (f"touch {root / 'proof'}",)

    dump(root / "weather" / "rain_hs.pkl", Code())
    bad(root, "rain_hs.pkl is refused: it asks for posix.system")
    assert not (root / "proof").exists()


@real
def test_real_weather(tmp_path):
    info, records = timecap.weather(REAL, cities=["ny", "hs"])
    corpus = write_corpus(records, info, tmp_path / "corpus")
    assert [len(corpus.select(split)) for split in ("train", "validation", "test")] == [2636, 378, 754]
    assert len(set(corpus.texts)) == 3768
    values = np.stack(corpus.values())
    assert not np.isnan(values).any()
    low, high = values.min((0, 2)), values.max((0, 2))
    assert (low > [0, 900, 240, -0.1, -30, -30]).all()
    assert (high < [101, 1100, 320, 30, 30, 30]).all()
    np.testing.assert_allclose(np.hypot(values[:, 4], values[:, 5]), values[:, 3], atol=2e-3)
    coldest = values[:, 2].mean(0).argmin()  # UTC: dawn in New York and Houston
    assert 10 <= coldest <= 12
    assert validate_corpus(corpus.path) == []


@real
def test_real_mortality(tmp_path):
    info, records = timecap.healthcare(REAL, tables=["mortality"])
    records = list(records)
    assert len(records) == 375
    assert all(record.text for record in records)
    values = np.stack([record.values for record in records])
    np.testing.assert_allclose(values[:, 3], 100 * (values[:, 0] + values[:, 1]) / values[:, 2], rtol=1e-5)
    above = np.array([record.label == info.label_names[1] for record in records[:-1]])
    assert ((values[1:, 3, -1] > 7.84) == above).all()  # the label is about the week after the window
    worst = values[:, 2, 0].argmax()  # the first week of 2021, up to a week
    assert abs(records[worst].start - datetime(2021, 1, 10)) <= timedelta(weeks=1)
    corpus = write_corpus(records, info, tmp_path / "corpus")
    assert [len(corpus.select(split)) for split in ("train", "validation", "test")] == [243, 19, 75]
