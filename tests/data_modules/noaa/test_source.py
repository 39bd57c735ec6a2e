"""Windows of stations with the events near them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml

from data_modules.corpus import CorpusError, validate_corpus
from data_modules.corpus_writing import write_corpus
from data_modules.sources.noaa.source import weather
from tests.data_modules.noaa.made import LA_GUARDIA, SHARED, event, season, write_events, write_psv
from trace_lit.cli import main

EXPERIMENTS = Path(__file__).parents[3] / "experiments" / "noaa"
BEGIN = datetime(2018, 11, 1)
DAYS = 230
KENNEDY = {"STATION": "USW00094789", "Station_name": "JFK", "LATITUDE": "40.6386", "LONGITUDE": "-73.7622"}
FAR = {"STATION": "USW00014735", "Station_name": "ALBANY", "LATITUDE": "42.7472", "LONGITUDE": "-73.7992"}
NEAR_KENNEDY = {"BEGIN_LAT": "40.64", "BEGIN_LON": "-73.77"}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Three stations, two of them 18 km apart, for 230 days, and events in New York."""
    folder = tmp_path_factory.mktemp("noaa")
    for seed, station in enumerate((LA_GUARDIA, KENNEDY, FAR)):
        write_psv(folder / f"GHCNh_{station['STATION']}_2019.psv", season(BEGIN, DAYS, station, seed))
    rows = [
        event(1, "20190105", "1900"),
        event(2, "20190105", "2300", **NEAR_KENNEDY),
        event(3, "20190320", "800", EVENT_TYPE="Hail", EVENT_NARRATIVE="Ice as large as a quarter."),
        event(4, "20190601", "1200", EVENT_NARRATIVE="A cellar was flooded."),
        event(5, "20190110", "1200", BEGIN_LAT="", BEGIN_LON=""),
    ]
    write_events(folder / "StormEvents_details_d2019.csv", rows)
    return folder


def windows(root: Path, **options):
    info, records = weather(root, **options)
    return info, {record.id: record for record in records}


def test_windows_end_at_the_first_midnight_after_their_events(root):
    _, found = windows(root, scales=["week"])
    week = found["USW00014732_week_2019-01-07"]  # 19:00 and 23:00 in New York are 6 January in UTC
    assert week.start == datetime(2018, 12, 31)
    assert (week.values.shape, week.frequency) == ((8, 168), "1h")
    hours = season(BEGIN, DAYS)[(week.start - BEGIN).days * 24 :][:168]
    np.testing.assert_allclose(week.values[0], [float(row["temperature"]) for row in hours], rtol=1e-6)


def test_events_are_joined_by_distance_the_nearest_first(root):
    _, found = windows(root, scales=["week"])
    first, second = "Flash Flood. Street 1 was under water.", "Flash Flood. Street 2 was under water."
    assert found["USW00014732_week_2019-01-07"].text == f"{first} {second}"
    assert found["USW00094789_week_2019-01-07"].text == f"{second} {first}"
    assert not any(own.text for own in found.values() if own.series_id == "USW00014735")  # 218 km away
    _, close = windows(root, scales=["week"], distance=10.0)
    assert close["USW00094789_week_2019-01-07"].text == second
    _, single = windows(root, scales=["week"], max_events=1)
    assert single["USW00094789_week_2019-01-07"].text == second


def test_the_windows_of_all_scales_and_stations_share_a_text(root):
    _, found = windows(root, max_events=1, split={"train": 1.0})
    texts = {name: own.text for name, own in found.items() if own.text and name.endswith("2019-06-02")}
    assert {name.split("_")[1] for name in texts} == {"week", "month", "half-year"}
    assert {name.split("_")[0] for name in texts} == {"USW00014732", "USW00094789"}
    assert set(texts.values()) == {"Flash Flood. A cellar was flooded."}


def test_longer_steps_have_the_mean_of_their_hours_and_the_sum_of_their_precipitation(root):
    _, found = windows(root, split={"train": 1.0})
    half = found["USW00014732_half-year_2019-06-02"]
    month = found["USW00014732_month_2019-06-02"]
    assert (half.values.shape, half.frequency) == ((8, 180), "1D")
    assert (month.values.shape, month.frequency) == ((8, 168), "4h")
    hours = season(BEGIN, DAYS)[: (datetime(2019, 6, 2) - BEGIN).days * 24]
    temperature = np.array([float(row["temperature"]) for row in hours])
    assert half.values[0, -1] == pytest.approx(temperature[-24:].mean())
    assert month.values[0, -1] == pytest.approx(temperature[-4:].mean())
    assert half.values[1, -1] == pytest.approx(8 * (0 + 0.5 + 1.0))
    assert (half.start + timedelta(days=180), month.start + timedelta(days=28)) == (datetime(2019, 6, 2),) * 2


def test_quiet_windows_have_no_event_and_are_thinned(root):
    _, found = windows(root, scales=["week"], without=1.0)
    quiet = [own for own in found.values() if not own.text]
    assert len(quiet) == len(found) - len(quiet)
    assert all(own.label is None for own in quiet)
    _, everything = windows(root, scales=["week"], without=None)
    for own in everything.values():
        if not own.text and own.series_id == "USW00014732":
            assert not own.start <= datetime(2019, 1, 6, 0) < own.start + timedelta(days=7)
    _, silent = windows(root, scales=["week"], events=False)
    assert not any(own.text or own.label for own in silent.values())


def test_types_are_chosen_and_are_the_labels(root):
    info, found = windows(root, scales=["week"])
    assert info.label_names == ("Flash Flood", "Hail")
    info, found = windows(root, scales=["week"], types=["Hail"])
    assert {own.text for own in found.values() if own.text} == {"Hail. Ice as large as a quarter."}
    quiet = [own for own in found.values() if not own.text and own.series_id == "USW00014732"]
    assert not any(
        own.start <= datetime(2019, 1, 6) < own.start + timedelta(days=7) for own in quiet
    )  # a flood, unasked


def test_the_parts_of_time_are_those_of_all_stations(root, tmp_path):
    info, found = windows(root, split={"validation": "2019-02-01", "test": "2019-03-01"})
    ends = {"train": datetime(2019, 2, 1), "validation": datetime(2019, 3, 1), "test": datetime(2020, 1, 1)}
    begins = {"train": BEGIN, "validation": datetime(2019, 2, 1), "test": datetime(2019, 3, 1)}
    spans = {"1h": 7, "4h": 28, "1D": 180}
    assert {own.split for own in found.values()} == set(ends)
    for own in found.values():
        assert begins[own.split] <= own.start
        assert own.start + timedelta(days=spans[own.frequency]) <= ends[own.split]
    assert validate_corpus(write_corpus(found.values(), info, tmp_path / "corpus").path) == []


def test_a_window_must_know_its_hours(root, tmp_path):
    rows = season(BEGIN, 30)
    write_psv(tmp_path / "GHCNh_A.psv", rows[:200] + rows[400:])
    _, found = windows(tmp_path, scales=["week"], split={"train": 1.0})
    holes = {own.start: np.isnan(own.values[0]).mean() for own in found.values()}
    assert max(holes.values()) <= 0.1
    _, all_of_them = windows(tmp_path, scales=["week"], split={"train": 1.0}, observed=0.0)
    assert len(all_of_them) > len(found)


def test_channels_that_no_station_has_are_left_out(tmp_path):
    lines = []
    for hour in range(24 * 40):
        time = datetime(2014, 1, 1) + timedelta(hours=hour)
        lines.append(f"{time:%Y %m %d %H} {hour % 50} 10 10111 220 41 7 0 -9999\n")
    (tmp_path / "725755-24101-2014").write_text("".join(lines))
    info, found = windows(tmp_path, scales=["week"])
    assert [channel.name for channel in info.channels].count("visibility") == 0
    assert next(iter(found.values())).values.shape == (7, 168)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"scales": ["year"]}, "scales has 'year'; there are week, month, half-year"),
        ({"scales": "week"}, "scales is 'week'; give a list"),
        ({"stations": [{"a": 1}]}, "give a list of texts"),
        ({"stations": ["USW0"]}, "there are no reports of the station 'USW0'; there are some of USW0"),
        ({"types": ["Tsunami"]}, "no event of the type 'Tsunami' is near a station; there are Flash Flood, Hail"),
        ({"distance": -1.0}, "distance is -1.0; it must be a number from 0"),
        ({"observed": 2}, "observed is 2"),
        ({"without": "all"}, "without is 'all'"),
        ({"offsets": {"USW00014732": "five"}}, "offsets is"),
        ({"split": {"train": "soon"}}, "split: train is 'soon'; write it like"),
        ({"split": {"validation": "2030-01-01"}}, "split: the parts begin on"),
        ({"scales": ["half-year"], "split": {"train": 0.1, "validation": 0.1, "test": 0.1}}, "no window is left: "),
    ],
)
def test_options_that_cannot_be_used(root, options, match):
    with pytest.raises(CorpusError, match=match):
        weather(root, **options)


def test_a_folder_without_reports(tmp_path):
    with pytest.raises(CorpusError, match=r"no reports of weather stations in .*: looked for GHCN-hourly"):
        weather(tmp_path)
    with pytest.raises(CorpusError, match="there is no folder"):
        weather(tmp_path / "nowhere")


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no real data in {SHARED}")
def test_real_events_on_made_windows(tmp_path):
    """No sample has stations and events of the same months and place, so the series is made up: it stands where
    Huntsville (USW00003856) does, from January to March 2019. The file has event 811549, from 201902, 21, 1708 to 22, 200
    CST-6, ALABAMA, Flood, C 103 MORGAN, 34.5, -86.98: "Norris Mill Road has water flowing across it at Flint Creek. Water
    depth unknown."
    """
    station = {"STATION": "USW00003856", "Station_name": "HUNTSVILLE", "LATITUDE": "34.6439", "LONGITUDE": "-86.7861"}
    write_psv(tmp_path / "GHCNh_USW00003856_2019.psv", season(datetime(2019, 1, 1), 90, station))
    for path in (SHARED / "stormevents").glob("*details*2019*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    info, found = windows(tmp_path, scales=["week"], split={"train": 1.0}, max_events=100)
    told = [own for own in found.values() if own.text]
    assert len(told) == 10
    creek = "Norris Mill Road has water flowing across it at Flint Creek. Water depth unknown."
    assert [own.start for own in told if creek in own.text] == [datetime(2019, 2, 16)]
    assert {own.label for own in told} <= set(info.label_names)
    assert {"Flash Flood", "Thunderstorm Wind"} <= set(info.label_names)
    assert all(any(own.text.startswith(f"{name}. ") for name in info.label_names) for own in told)


@pytest.mark.slow
def test_the_experiments_train_on_it(root, tmp_path, tiny_words):
    words = [
        *tiny_words,
        f"data.root={root}",
        f"run.dir={tmp_path}",
        "trainer.max_epochs=1",
        "mining.every_n_epochs=null",
    ]
    options = "data.options={split: {validation: 2019-03-01, test: 2019-05-01}}"
    for stage, more in (("pretrain", []), ("align", [f"init_from={tmp_path}/weather/pretrain/noaa"])):
        assert yaml.safe_load((EXPERIMENTS / f"{stage}.yaml").read_text())["data"]["source"] == "noaa"
        fit = ["fit", str(EXPERIMENTS / f"{stage}.yaml"), *words, options, "run.name=noaa", *more]
        assert main(fit) == 0
    assert main(["evaluate", str(tmp_path / "weather" / "align" / "noaa")]) == 0
