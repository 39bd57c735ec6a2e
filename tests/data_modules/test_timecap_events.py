"""Storm Events of TimeCAP's cities as further texts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from data_modules.corpus import CorpusError, Record, validate_corpus
from data_modules.corpus_writing import write_corpus
from data_modules.sources import timecap
from data_modules.sources.timecap_events import read_events, with_events
from data_modules.splits import split_by_time
from tests.data_modules.noaa.made import event, write_events

SHARED = Path(__file__).parents[3] / "shared" / "data"
real = pytest.mark.skipif(not (SHARED / "timecap").is_dir(), reason=f"no real data in {SHARED}")


def days(city: str, count: int = 20) -> list[Record]:
    return [
        Record(
            f"{city}_{24 * day}", city, datetime(2019, 7, 1) + timedelta(days=day), np.ones((6, 24)), text=f"day {day}"
        )
        for day in range(count)
    ]


def test_an_event_is_a_further_text_of_each_window_that_it_lasts_in(tmp_path):
    rows = [
        event(1, "20190703", "1900"),  # 4 July, 00:00 UTC
        event(2, "20190705", "1800", END_DAY="6", END_TIME="2000"),  # from 5 July, 23:00, to 7 July, 01:00 UTC
        event(3, "20190703", "1200", CZ_NAME="ALBANY"),
    ]
    events = read_events(write_events(tmp_path / "events.csv", rows))
    found = {record.id: record for record in with_events([*days("ny"), *days("hs")], events, 24)}
    assert [name for name in found if "event" in name] == [
        "ny_72_event_1",
        "ny_96_event_2",
        "ny_120_event_2",
        "ny_144_event_2",
    ]
    assert found["ny_72_event_1"].text == "Flash Flood. Street 1 was under water."
    assert found["ny_72_event_1"].values is found["ny_72"].values
    assert found["ny_72"].text == "day 3"
    assert found["ny_120_event_2"].text == found["ny_144_event_2"].text


def test_splits_are_those_without_events(tmp_path):
    rows = [event(number, f"201907{number:02}", "1200") for number in range(1, 20)]
    records = days("ny")
    found = list(with_events(records, read_events(write_events(tmp_path / "events.csv", rows)), 24))
    starts = np.array([record.start for record in records], dtype="datetime64[us]")
    splits, keep = split_by_time(["ny"] * 20, starts, starts + np.timedelta64(24, "h"))
    assert {own.id: own.split for own in found if "event" not in own.id} == {
        record.id: split for record, split, kept in zip(records, splits, keep, strict=True) if kept
    }
    for own in found:
        assert (
            own.split
            == {record.id: split for record, split in zip(records, splits, strict=True)}[own.id.split("_event")[0]]
        )


def test_events_elsewhere_are_named(tmp_path):
    path = write_events(tmp_path / "events.csv", [event(1, "19990703", "1900")])
    with pytest.raises(
        CorpusError, match="none of the 1 events is in a window; they must be of the cities' own counties"
    ):
        list(with_events(days("ny"), read_events(path), 24))
    with pytest.raises(CorpusError, match=r"nowhere\.csv"):
        read_events(tmp_path / "nowhere.csv")


@real
def test_real_events_of_new_york_and_houston(tmp_path):
    """31 flash floods of New York's boroughs and 54 of Harris County begin between 2012-10-02 and 2017-11-28. Event 454596:
    KINGS CO., 05/08/2013, 800 to 815, EST-5, "The Belt Parkway was impassable near exit 6 in Coney Island."
    """
    files = [str(SHARED / "noaa" / "stormevents_web" / f"{name}.csv") for name in ("nyc_flash_floods", "houston_or_ca")]
    info, records = timecap.weather(SHARED / "timecap", cities=["ny", "hs"], events=files)
    corpus = write_corpus(records, info, tmp_path / "corpus")
    told = {name: row for row, name in enumerate(corpus.ids) if "_event_" in name}
    numbers = {city: {name.split("_event_")[1] for name in told if name.startswith(city)} for city in ("ny", "hs")}
    assert (len(numbers["ny"]), len(numbers["hs"])) == (31, 54)
    (parkway,) = [row for name, row in told.items() if name.endswith("_event_454596")]
    assert corpus.texts[parkway] == "Flash Flood. The Belt Parkway was impassable near exit 6 in Coney Island."
    assert datetime.fromtimestamp(int(corpus.starts[parkway])).date() == datetime(2013, 5, 8).date()
    assert [len(corpus.select(split)) - count for split, count in (("train", 2636), ("test", 754))] != [0, 0]
    assert sum("_event_" not in name for name in corpus.ids) == 2636 + 378 + 754
    assert validate_corpus(corpus.path) == []
