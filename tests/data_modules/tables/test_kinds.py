"""Every kind of times and numbers that tables come with, with the right value."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_modules.corpus import CorpusError
from data_modules.tables.columns import read_time_column, time_columns
from data_modules.tables.files import read_table
from tests.data_modules.tables.folders import clock, corpus_of, rows

HOURS = ["2024-05-01T00:00", "2024-05-01T01:00", "2024-05-01T02:00"]  # UTC
BERLIN = ["2024-04-30T22:00", "2024-04-30T23:00", "2024-05-01T00:00"]
DAYS = ["2024-05-01", "2024-05-02", "2024-05-03"]
MONTHS = ["2024-01-31", "2024-02-29", "2024-03-31"]


def days(form: str) -> list[str]:
    return [f"{date.fromisoformat(day):{form}}" for day in DAYS]


TIMES: dict[str, tuple[list[Any], dict[str, Any], list[str]]] = {
    "iso": (HOURS, {}, HOURS),
    "iso with a space and seconds": ([f"{h[:10]} {h[11:]}:00" for h in HOURS], {}, HOURS),
    "fractions of a second": ([f"{h}:00.000" for h in HOURS], {}, HOURS),
    "a decimal comma in seconds": (
        [f"{h}:00,000" for h in HOURS],
        {"series": [{"files": "a.csv", "separator": ";"}]},
        HOURS,
    ),
    "utc": ([f"{h}Z" for h in HOURS], {"timezone": "Europe/Berlin"}, HOURS),
    "offsets": ([f"2024-05-01T0{2 + n}:00+02:00" for n in range(3)], {}, HOURS),
    "offsets of two kinds": (["2024-05-01T02:00+0200", "2024-05-01T01:00Z", "2024-05-01T04:00+02"], {}, HOURS),
    "local times": (HOURS, {"timezone": "Europe/Berlin"}, BERLIN),
    "a fixed offset": (HOURS, {"timezone": "+02:00"}, BERLIN),
    "seconds since 1970": ([1714521600 + 3600 * n for n in range(3)], {"timezone": "Europe/Berlin"}, HOURS),
    "milliseconds since 1970": ([1714521600000 + 3600000 * n for n in range(3)], {}, HOURS),
    "milliseconds, named": ([1714521600000 + 3600000 * n for n in range(3)], {"time_format": "ms"}, HOURS),
    "seconds with a fraction": ([f"{1714521600 + 3600 * n}.0" for n in range(3)], {}, HOURS),
    "days first, points": ([f"01.05.2024 {h[11:]}" for h in HOURS], {}, HOURS),
    "days first, named": ([f"01/05/2024 {h[11:]}" for h in HOURS], {"time_format": "day-first"}, HOURS),
    "months first, named": ([f"05/01/2024 {h[11:]}" for h in HOURS], {"time_format": "month-first"}, HOURS),
    "months first, as a day shows": (
        ["05/30/2024", "05/31/2024", "06/01/2024"],
        {},
        ["2024-05-30", "2024-05-31", "2024-06-01"],
    ),
    "a format": ([f"{h[11:13]}h 01-05-24" for h in HOURS], {"time_format": "%Hh %d-%m-%y"}, HOURS),
    "years of two digits": (days("%d.%m.%y"), {}, DAYS),
    "names of months": (days("%d %B %Y"), {}, DAYS),
    "american names": (
        [f"May {n}, 2024 {n - 1:02}:00" for n in (1, 2, 3)],
        {"frequency": "25h"},
        ["2024-05-01T00:00", "2024-05-02T01:00", "2024-05-03T02:00"],
    ),
    "half days": (
        ["5/1/2024 11:00 PM", "5/2/2024 12:00 AM", "5/2/2024 1:00 AM"],
        {"time_format": "month-first"},
        ["2024-05-01T23:00", "2024-05-02T00:00", "2024-05-02T01:00"],
    ),
    "24:00": (
        ["01.05.2024 23:00", "01.05.2024 24:00", "02.05.2024 01:00"],
        {},
        ["2024-05-01T23:00", "2024-05-02T00:00", "2024-05-02T01:00"],
    ),
    "hours from 1 to 24": (
        ["2024-05-24 23", "2024-05-24 24", "2024-05-25 01"],
        {"time_format": "%Y-%m-%d %H"},
        ["2024-05-24T23:00", "2024-05-25T00:00", "2024-05-25T01:00"],
    ),
    "weekdays": ([f"Mi, {day}" for day in days("%d.%m.%Y")], {}, DAYS),
    "compact": (days("%Y%m%d"), {}, DAYS),
    "months": (["2024-01", "2024-02", "2024-03"], {}, ["2024-01-01", "2024-02-01", "2024-03-01"]),
    "quarters": (["2024Q1", "2024Q2", "2024Q3"], {}, ["2024-01-01", "2024-04-01", "2024-07-01"]),
    "years": (["2022", "2023", "2024"], {}, ["2022-01-01", "2023-01-01", "2024-01-01"]),
    "weeks": (["2024-W05", "2024-W06", "2024-W07"], {}, ["2024-01-29", "2024-02-05", "2024-02-12"]),
    "weeks in words": (["KW 05/2024", "KW 06/2024", "KW 07/2024"], {}, ["2024-01-29", "2024-02-05", "2024-02-12"]),
    "quarters, short": (["1Q2024", "Q2'24", "Q3 2024"], {}, ["2024-01-01", "2024-04-01", "2024-07-01"]),
    "days of the year, compact": (["2024122", "2024123", "2024124"], {}, DAYS),
    "half days without minutes": (
        ["2024-05-01 11 PM", "2024-05-02 12 AM", "2024-05-02 1 am"],
        {},
        ["2024-05-01T23:00", "2024-05-02T00:00", "2024-05-02T01:00"],
    ),
    "names of zones": ([f"{h[:10]} {h[11:]} CEST" for h in HOURS], {}, BERLIN),
    "offsets and names of zones": ([f"{h}+02:00[Europe/Berlin]" for h in HOURS], {}, BERLIN),
    "as ctime writes": ([f"Wed May 01 {h[11:]}:00 2024" for h in HOURS], {}, HOURS),
    "hours behind an h": ([f"01/05/2024 {h[11:13]}h{h[14:]}" for h in HOURS], {"time_format": "day-first"}, HOURS),
    "points in the time of day": ([f"1.5.2024 {h[11:13]}.{h[14:]}" for h in HOURS], {}, HOURS),
    "an underscore": ([f"{h[:10]}_{h[11:]}:00" for h in HOURS], {}, HOURS),
    "points in half days": (
        ["01-MAY-24 12.00.00.000000000 AM", "01-MAY-24 01.00.00.000000000 AM", "01-MAY-24 02.00.00.000000000 AM"],
        {},
        HOURS,
    ),
    "quarters before a year, named": (
        ["2/2024", "3/2024", "4/2024"],
        {"time_format": "quarters"},
        ["2024-04-01", "2024-07-01", "2024-10-01"],
    ),
    "months before a year": (["1/2024", "2/2024", "3/2024"], {}, ["2024-01-01", "2024-02-01", "2024-03-01"]),
    "intervals": ([f"01.05.2024 {h[11:]} - 01.05.2024 {h[11:13]}:59" for h in HOURS], {}, HOURS),
    "half seconds": (
        ["2024-05-01T00:00:00.0", "2024-05-01T00:00:00.5", "2024-05-01T00:00:01.0"],
        {},
        ["2024-05-01T00:00:00", "2024-05-01T00:00:00.5", "2024-05-01T00:00:01"],
    ),
    "month ends": (MONTHS, {}, MONTHS),
    "month ends, by the old alias": (MONTHS, {"frequency": "M"}, MONTHS),
    "month ends, called months": (MONTHS, {"frequency": "MS"}, MONTHS),
    "the last working days of months": (["2024-01-31", "2024-02-29", "2024-03-29"], {"frequency": "BM"}, MONTHS),
    "business days": (
        ["2024-05-02", "2024-05-03", "2024-05-06"],
        {"frequency": "B"},
        ["2024-05-02", "2024-05-03", "2024-05-06"],
    ),
    "days of a zone": (DAYS, {"timezone": "Europe/Berlin"}, DAYS),
    "stamps at the end": (HOURS, {"stamps": "end"}, ["2024-04-30T23:00", *HOURS[:2]]),
    "late stamps": (["2024-05-01T00:00:00", "2024-05-01T01:00:40", "2024-05-01T01:59:58"], {}, HOURS),
    "very late stamps": ([HOURS[0], "2024-05-01T01:12", HOURS[2]], {"tolerance": "15min", "frequency": "H"}, HOURS),
}


@pytest.mark.parametrize("kind", TIMES)
def test_times(tmp_path: Path, kind: str) -> None:
    cells, given, expected = TIMES[kind]
    options = dict(given)
    part = options.pop("series", [{"files": "a.csv"}])[0]
    if form := options.pop("time_format", ""):
        part = {**part, "time_format": form}
    quoted = [f'"{cell}"' for cell in cells]
    content = rows(quoted, separator=part.get("separator", ","))
    corpus, counts = corpus_of(tmp_path, {"a.csv": content}, series=[part], windows={"length": 3}, **options)
    (window,) = corpus.values()
    assert window.tolist() == [[0, 1, 2]]
    from data_modules.frequency import Frequency

    start = corpus.table()["start"].to_numpy()[0]
    times = Frequency.parse(corpus.info.frequency).advance(start, np.arange(3))
    assert times.tolist() == np.array(expected, dtype="datetime64[us]").tolist()
    assert counts.number("rows without a readable time") == 0
    beside = {"late stamps": 2, "very late stamps": 1, "the last working days of months": 1}
    assert counts.number("stamps beside their step") == beside.get(kind, 0)


def test_windows_of_parts_of_a_second_have_ids_of_their_own(tmp_path: Path) -> None:
    cells = [f"2024-05-01T00:00:0{tenth // 10}.{tenth % 10}" for tenth in range(20)]
    corpus, _ = corpus_of(tmp_path, {"a.csv": rows(cells)}, windows={"length": 5})
    assert len(set(corpus.ids)) == 4
    assert corpus.ids[1].endswith("2024-05-01T00:00:00.5")


def test_parts_of_times_in_columns(tmp_path: Path) -> None:
    """A day and a time of day, or year, month, day and hour."""
    for name, content in {
        "YEAR;DOY;level": "".join(f"2024;{122 + n};{n}\n" for n in range(3)),
        "date;Hour;level": "".join(f"2024-05-01;{n};{n}\n" for n in range(3)),
        "DATE;TIME;level": "".join(f"20240501;{n}00;{n}\n" for n in range(3)),
        "Datum;Uhrzeit;level": "".join(f"01.05.2024;0{n}:00;{n}\n" for n in range(3)),
        "date;time;level": "".join(f"2024-05-01;0{n}:00:00;{n}\n" for n in range(3)),
        "year;month;day;hour;level": "".join(f"2024;5;1;{n};{n}\n" for n in range(3)),
    }.items():
        corpus, _ = corpus_of(tmp_path / name[:9], {"a.csv": f"{name}\n{content}"}, windows={"length": 3})
        assert corpus.table()["start"].to_pylist() == [datetime(2024, 5, 1)]
        assert [channel.key for channel in corpus.info.channels] == ["level"]
        assert corpus.values()[0].tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("names", "cells", "form", "expected"),
    [
        ("Tag;Stunde", [("01.05.2024", f"{n}") for n in range(3)], "%d.%m.%Y %H", HOURS),
        ("Tag;Zeit", [("20240501", f"0{n}00") for n in range(3)], "%Y%m%d %H%M", HOURS),
        ("Jahr;Monat", [("2024", f"{n}") for n in (5, 6, 7)], "%Y %m", ["2024-05-01", "2024-06-01", "2024-07-01"]),
        ("Jahr;Nummer", [("2024", f"{n}") for n in (1, 2, 3)], "%Y %j", ["2024-01-01", "2024-01-02", "2024-01-03"]),
        ("Saison;Monat", [("2024", f"{n}") for n in (5, 6, 7)], "", ["2024-05-01", "2024-06-01", "2024-07-01"]),
        ("Tag;Lauf", [("01.05.2024", f"{n}") for n in range(3)], "", HOURS),
    ],
)
def test_a_format_of_two_columns_says_how_they_are_written(
    tmp_path: Path, names: str, cells: list[tuple[str, str]], form: str, expected: list[str]
) -> None:
    content = f"{names};level\n" + "".join(f"{day};{part};{n}\n" for n, (day, part) in enumerate(cells))
    path = tmp_path / "a.csv"
    path.write_text(content)
    table = read_table(path, texts=lambda name: name in names.split(";"))
    read = read_time_column(table, time_columns(table, names.split(";"), form), form)
    assert read.local.tolist() == np.array(expected, dtype="datetime64[us]").tolist()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Date,Year,v\n2024-05-01,2024,1\n2024-05-02,2024,2\n", ["Date"]),
        ("date,index,v\n2024-05-01,0,1\n2024-05-02,1,2\n", ["date"]),
        ("date,valid,v\n2024-05-01,0,1\n2024-05-02,1,2\n", ["date"]),
        ("Messdatum,Jahr,Monat,v\n2024-05-01,2024,5,1\n2024-05-02,2024,5,2\n", ["Messdatum"]),
        ("Zeitstempel,Jahr,Monat,Tag,v\n2024-05-01 12:00,2024,5,1,1\n2024-05-02 12:00,2024,5,2,2\n", ["Zeitstempel"]),
        ("year,month,day,hour,min,max\n2024,5,1,0,3,10\n2024,5,1,1,4,11\n", ["year", "month", "day", "hour"]),
        ("Year,kW\n2021,12\n2022,13\n", ["Year"]),
    ],
)
def test_columns_beside_the_time_are_no_part_of_it(tmp_path: Path, content: str, expected: list[str]) -> None:
    (tmp_path / "a.csv").write_text(content)
    assert time_columns(read_table(tmp_path / "a.csv")) == expected


@pytest.mark.parametrize(
    ("content", "times"),
    [
        ("Quarter,level\n1/2023,0\n2/2023,1\n3/2023,2\n4/2023,3\n", ["2023-01-01", "2023-04-01", "2023-07-01"]),
        ("Year,Quarter,level\n2023,3,0\n2023,4,1\n2024,1,2\n", ["2023-07-01", "2023-10-01", "2024-01-01"]),
        ("Year,Qtr,level\n2023,Q3,0\n,Q4,1\n2024,Q1,2\n", ["2023-07-01", "2023-10-01", "2024-01-01"]),
        ("Jahr;Monat;level\n2023;Oktober;0\n;November;1\n;Dezember;2\n", ["2023-10-01", "2023-11-01", "2023-12-01"]),
        ("Tag;Zeit;level\n01.05.2024;00:00;0\n;01:00;1\n;02:00;2\n", HOURS),
        ("STATION;MESS_DATUM;level\n9;2024050100;0\n9;2024050101;1\n9;2024050102;2\n", HOURS),
        (
            "Data Date,Hour Number,when it ended (UTC),level\n"
            "2024-05-01,1,2024-05-01 00:00,0\n2024-05-01,2,2024-05-01 01:00,1\n",
            HOURS,
        ),
        ('"#","Date Time, GMT-02:00",level\n1,2024-04-30 22:00,0\n2,2024-04-30 23:00,1\n3,2024-05-01 00:00,2\n', HOURS),
        ("timestamp_utc,level\n2024-05-01 00:00,0\n2024-05-01 01:00,1\n2024-05-01 02:00,2\n", HOURS),
    ],
)
def test_times_of_two_columns_and_of_what_names_say(tmp_path: Path, content: str, times: list[str]) -> None:
    """All but the steps of days and more are UTC; the zone of the corpus is that of times without an offset."""
    zone = "UTC" if "Zeit" in content or "MESS" in content else "Asia/Tokyo"
    corpus, counts = corpus_of(
        tmp_path,
        {"a.csv": content},
        timezone=zone,
        windows={"length": 1},
        series=[{"files": "a.csv", "channels": {"level": ""}}],
    )
    assert [str(start)[:16] for start in corpus.table()["start"].to_numpy()[:3]] == [
        str(np.datetime64(own, "m")) for own in times[: len(corpus)]
    ]
    assert [float(window[0, 0]) for window in corpus.values()] == list(range(len(corpus)))
    assert counts.number("rows without a day") == content.count("\n;") + content.count("\n,")


def test_the_clock_of_lord_howe_is_changed_by_half_an_hour(tmp_path: Path) -> None:
    """Full hours of its clock are half an hour apart from each other in summer and winter."""
    cells = clock("2024-10-05 20:00", 6, zone="Australia/Lord_Howe") + [
        f"2024-10-06 {hour:02}:00" for hour in range(3, 9)
    ]
    options: dict[str, Any] = {"timezone": "Australia/Lord_Howe", "frequency": "1h"}
    with pytest.raises(CorpusError, match=r"changed by 30 minutes.*\+10:30.*frequency: 30min.*resample: mean"):
        corpus_of(tmp_path, {"a.csv": rows(cells)}, windows={"length": 12}, **options)
    corpus, _ = corpus_of(tmp_path, {"a.csv": rows(cells)}, windows={"length": 24}, **{**options, "frequency": "30min"})
    values = corpus.values()[0][0]
    assert values[~np.isnan(values)].tolist() == list(range(12))
    corpus, _ = corpus_of(tmp_path, {"a.csv": rows(cells)}, windows={"length": 13}, resample="mean", **options)
    # 1 o'clock is half an hour into its step of UTC, 3 o'clock begins the next but one
    np.testing.assert_array_equal(corpus.values()[0][0], [0, 1, 2, 3, 4, 5, np.nan, 6, 7, 8, 9, 10, 11])


def test_months_and_weeks_in_columns(tmp_path: Path) -> None:
    months = "Year,Month,level\n" + "".join(f"2023,{n + 11},{n}\n" for n in range(2)) + "2024,1,2\n"
    weeks = "year,week,level\n2023,52,0\n2024,1,1\n2024,2,2\n"
    for content, start, frequency in ((months, datetime(2023, 11, 1), "MS"), (weeks, datetime(2023, 12, 25), "7D")):
        corpus, _ = corpus_of(tmp_path / frequency, {"a.csv": content}, windows={"length": 3})
        assert corpus.table()["start"].to_pylist() == [start]
        assert (corpus.info.frequency, corpus.values()[0].tolist()) == (frequency, [[0, 1, 2]])


def test_times_of_workbooks_and_parquet_files(tmp_path: Path) -> None:
    utc = pd.DatetimeIndex(HOURS)
    typed = {
        "aware.parquet": pd.DataFrame(
            {"time": utc.tz_localize("UTC").tz_convert("America/New_York"), "level": [0, 1, 2]}
        ),
        "naive.parquet": pd.DataFrame({"time": utc, "level": [0, 1, 2]}),
        "index.parquet": pd.DataFrame({"level": [0, 1, 2]}, index=utc.rename("time")),
        "cells.xlsx": pd.DataFrame({"time": utc, "level": [0, 1, 2]}),
        "apart.xlsx": pd.DataFrame({"Datum": list(utc.date), "Uhrzeit": list(utc.time), "level": [0, 1, 2]}),
    }
    for name, frame in typed.items():
        corpus, _ = corpus_of(tmp_path / name, {name: frame}, windows={"length": 3})
        assert corpus.table()["start"].to_pylist() == [datetime(2024, 5, 1)], name
        assert corpus.values()[0].tolist() == [[0, 1, 2]], name


NUMBERS: dict[str, tuple[list[str], dict[str, Any], list[float]]] = {
    "points": (["1.5", "-2", "+3.25"], {}, [1.5, -2, 3.25]),
    "commas": (["1,5", "-2", "3,25"], {}, [1.5, -2, 3.25]),
    "points between thousands": (["1.234,5", "-2.000,25", "3"], {}, [1234.5, -2000.25, 3]),
    "commas between thousands": (["1,234.5", "-1,002,000", "3"], {}, [1234.5, -1002000, 3]),
    "thousands, named": (["1,234", "2,000", "3"], {"thousands": ","}, [1234, 2000, 3]),
    "decimal comma, named": (["1,234", "2,000", "3"], {"decimal": ","}, [1.234, 2, 3]),
    "spaces": (["1 234,5", "2\u202f000,5", "3\u00a0000"], {}, [1234.5, 2000.5, 3000]),
    "apostrophes": (["1'234.5", "2’000.5", "3"], {}, [1234.5, 2000.5, 3]),
    "exponents": (["1e3", "2.5E-1", "3d2"], {}, [1000, 0.25, 300]),
    "a minus of print": (["\u22121.5", "2", "3"], {}, [-1.5, 2, 3]),
    "units": (["1.5 m", "2 m", "3m"], {"channels": {"level": "level [m]"}}, [1.5, 2, 3]),
    "whole numbers": (["123456789", "123456790", "123456791"], {}, [123456789, 123456790, 123456791]),
    "truth values": (["True", "False", "True"], {}, [1, 0, 1]),
    "groups of India": (["12,34,567", "1,00,000", "3"], {}, [1234567, 100000, 3]),
    "words for nothing": (["1", "N/A", "-"], {}, [1, np.nan, np.nan]),
    "errors of a spreadsheet": (["1", "#DIV/0!", "#N/A"], {}, [1, np.nan, np.nan]),
    "accounts": (["($1,234.50)", "$3.25", "(2)"], {}, [-1234.5, 3.25, -2]),
    "a minus behind": (["1.234,50-", "2,25", "3-"], {}, [-1234.5, 2.25, -3]),
    "currencies before": (["EUR 1,234.50", "US$ 2", "-$3"], {}, [1234.5, 2, -3]),
    "thousands, millions and billions": (["2.34M", "950.5K", "1.2B"], {}, [2_340_000, 950_500, 1_200_000_000]),
    "words for on and off": (["ON", "off", "On"], {}, [1, 0, 1]),
    "words for no and yes": (["no", "", "yes"], {}, [0, np.nan, 1]),
    "infinite": (["1", "inf", "2"], {}, [1, np.nan, 2]),
    "a text between numbers": (["1", "broken", "2"], {}, [1, np.nan, 2]),
    "fill values": (["1", "-999", "9.969209968386869e+36"], {"missing": ["-999", "9.97e36"]}, [1, np.nan, np.nan]),
    "fill values that stay": (["1", "-999", "2"], {}, [1, -999, 2]),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers(tmp_path: Path, kind: str) -> None:
    cells, given, expected = NUMBERS[kind]
    options = {key: value for key, value in given.items() if key == "missing"}
    part = {"files": "a.csv", **{key: value for key, value in given.items() if key != "missing"}}
    content = rows(HOURS, cells, ";")
    corpus, counts = corpus_of(tmp_path, {"a.csv": content}, series=[part], windows={"length": 3}, **options)
    np.testing.assert_array_equal(corpus.values()[0], [expected])
    assert counts.number("cells that are no numbers") == (kind in ("infinite", "a text between numbers"))
    assert counts.number("fill values -999") == (kind == "fill values")
    assert counts.number("values -999, as fill values are") == (kind == "fill values that stay")


def test_both_clock_changes(tmp_path: Path) -> None:
    """A year of a local clock is a year of hours: the hour that comes twice is two, the one that is skipped is none."""
    for number, start in enumerate(("2024-03-30 20:00", "2024-10-26 20:00")):
        for freq, count in (("h", 24), ("15min", 96)):
            cells = clock(start, count, freq)
            corpus, counts = corpus_of(
                tmp_path / f"{number}{freq}",
                {"a.csv": rows(cells)},
                timezone="Europe/Berlin",
                windows={"length": count},
            )
            assert corpus.values()[0][0].tolist() == list(range(count))
            begin = pd.Timestamp(start, tz="Europe/Berlin").tz_convert("UTC").tz_localize(None)
            assert corpus.table()["start"].to_pylist() == [begin.to_pydatetime()]
            assert corpus.info.timezone == "Europe/Berlin"
            assert len(counts) == 0
            backwards = rows(cells[::-1], range(count)[::-1])
            corpus, _ = corpus_of(
                tmp_path / f"b{number}{freq}", {"a.csv": backwards}, timezone="Europe/Berlin", windows={"length": count}
            )
            assert corpus.values()[0][0].tolist() == list(range(count))


def test_gaps_in_the_doubled_hour(tmp_path: Path) -> None:
    cells = clock("2024-10-26 20:00", 96, "15min")
    assert cells[25] == cells[29] == "2024-10-27 02:15"
    kept = [row for row in range(96) if row not in (24, 25, 30)]
    content = rows([cells[row] for row in kept], kept)
    corpus, counts = corpus_of(tmp_path, {"a.csv": content}, timezone="Europe/Berlin", windows={"length": 96})
    expected = [np.nan if row in (24, 25, 30) else row for row in range(96)]
    np.testing.assert_array_equal(corpus.values()[0][0], expected)
    assert counts.number("steps without a value") == 3


def test_an_hour_that_does_not_exist_is_named(tmp_path: Path) -> None:
    cells = [f"2024-03-31 0{hour}:00" for hour in range(6)]
    options: dict[str, Any] = {"timezone": "Europe/Berlin", "windows": {"length": 5}}
    with pytest.raises(
        CorpusError, match=r"a.csv, line 4: 2024-03-31 02:00:00 does not exist .* timezone, like \+01:00"
    ):
        corpus_of(tmp_path, {"a.csv": rows(cells)}, **options)
    corpus, _ = corpus_of(tmp_path, {"a.csv": rows(cells, [0, 1, "", 3, 4, 5])}, **options)
    assert corpus.values()[0][0].tolist() == [0, 1, 3, 4, 5]
    corpus, counts = corpus_of(tmp_path, {"a.csv": rows(cells)}, missing_hour="leave out", **options)
    assert corpus.values()[0][0].tolist() == [0, 1, 3, 4, 5]
    assert counts.number("rows in the hour that clocks skip") == 1
    corpus, _ = corpus_of(tmp_path, {"a.csv": rows(cells)}, timezone="+01:00", windows={"length": 6})
    assert corpus.values()[0][0].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (rows(["1/2/2024", "2/2/2024"]), {}, "'1/2/2024' may have the day or the month first; say which: time_format"),
        (
            rows(["1/2018", "2/2018", "3/2018", "4/2018"]),
            {},
            "'1/2018' may be a month or a quarter; .*: months, or quarters",
        ),
        (rows(["13/2/2024", "2/13/2024"]), {}, "some dates have the day first, others the month"),
        (rows(HOURS, ["1,234", "2,345", "3,456"], ";"), {}, "may have a decimal comma, or be thousands; say which"),
        (rows(HOURS, ["1.234", "2.345", "3.456"], ";"), {}, "may have a decimal point, or be thousands; say which"),
        (rows(["a", "b", "c"]), {}, "column 'time' holds no times: line 2: 'a'; name the column"),
        ("x,y\nhot,1\ncold,2\n", {}, "has no column of times that can be recognised; name it, like time: x"),
        (rows(HOURS), {"timezone": "Europe/Berln"}, "is no time zone; did you mean Europe/Berlin"),
        (rows(HOURS), {"timezone": "berlin"}, "did you mean Europe/Berlin"),
        (rows(HOURS), {"frequency": "hourlyish"}, "is no sampling frequency"),
        (rows(HOURS, [1, "1e20", 3]), {}, r"line 3: 1e\+20 in channel 'level' .* write missing: \[1e\+20\]"),
        (
            rows([*HOURS, HOURS[2]]),
            {},
            r"a.csv, line 4 and a.csv, line 5: two rows .* differ .*duplicates: first, last",
        ),
        (
            rows(["2024-05-01T00:00", "2024-05-01T00:13", "2024-05-01T01:47", "2024-05-01T09:12"]),
            {},
            "their times irregular, to see a frequency; give `frequency`",
        ),
        (
            rows([*HOURS, "2024-05-01T03:20"]),
            {},
            r"line 5: .* is 1200 seconds after a step of 1 hour, and 1 of 4 .*resample: mean",
        ),
        (rows([*HOURS, "2204-05-01T03:00"]), {}, "is a year wrong"),
        (rows(HOURS), {"windows": {"length": 4}}, "no series has a window of 4 steps; the longest, 'mine', has 3"),
        (rows(HOURS, ["x", "y", "z"]), {}, "has no column of numbers beside the time"),
        (
            rows(HOURS),
            {"series": [{"files": "a.csv", "channels": {"lvel": "x"}}]},
            "no file has 'lvel'|no column of numbers",
        ),
        (rows(HOURS), {"series": [{"files": "b*.csv"}]}, r"no file 'b\*\.csv' .*it has a\.csv"),
        (rows(HOURS), {"series": [{"files": "../a.csv"}]}, "must be a name or pattern below"),
        (rows(HOURS), {"series": [{"files": "a.csv", "time": "tme"}]}, "has no column 'tme'.*the nearest is 'time'"),
        (rows(HOURS), {"series": [{"files": "a.csv", "time_format": "dd.mm"}]}, "the time format 'dd.mm' is none"),
        (rows(HOURS), {"series": [{"file": "a.csv"}]}, r"series.file is no key; the nearest is 'files'"),
        (rows(HOURS), {"windows": {"length": "x"}}, "windows.length is 'x'; it must be of type int"),
        (rows(HOURS), {"split": {"train": 0.7, "test": 0.2}}, "the shares must sum to 1"),
        (rows(HOURS), {"split": {"validation": "May"}}, "split.validation is 'May'; it must be a time"),
        ("a,b\n1,2\n3,4,5\n", {}, "line 3 has 3 cells, there are 2 columns; is it a decimal comma"),
        ("", {}, "is empty"),
        (b"\x00\x01\x02", {}, "holds bytes that no text has"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(
    tmp_path: Path, content: Any, options: dict[str, Any], message: str
) -> None:
    from trace_lit.errors import InputError

    options = {"series": [{"files": "a.csv"}], "windows": {"length": 3}, **options}
    with pytest.raises(InputError, match=message) as raised:
        corpus_of(tmp_path, {"a.csv": content}, **options)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("more", [0, 300])
def test_a_word_for_a_missing_value_is_one_in_numbers_and_a_word_in_texts(more: int, tmp_path: Path) -> None:
    names = "".join(f",c{number}" for number in range(more))
    rows = "".join(f"{row}{',1' * more}\n" for row in ("none,none,x", "nan,2,NA", ",3,"))
    (tmp_path / "a.csv").write_text(f"note,level,other{names}\n{rows}")
    frame = read_table(tmp_path / "a.csv", texts=lambda name: name in ("note", "other")).frame
    assert frame["note"].fillna("").tolist() == ["none", "nan", ""]
    assert frame["level"].fillna(-1).tolist() == [-1, 2, 3]
    assert frame["other"].fillna("").tolist() == ["x", "NA", ""]
    assert list(frame) == ["note", "level", "other", *(f"c{number}" for number in range(more))]
