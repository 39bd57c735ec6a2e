"""One reader a form: what a file says, what is not believed, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.corpus import CorpusError
from data_modules.sources.noaa import ghcnh, isd_lite, lcd
from data_modules.sources.noaa.files import Files
from data_modules.sources.noaa.places import distances
from data_modules.sources.noaa.reports import (
    CHANNELS,
    HUMIDITY,
    PRECIPITATION,
    PRESSURE,
    SKY,
    TEMPERATURE,
    VISIBILITY,
    WIND_U,
    WIND_V,
    Reports,
    Station,
    hourly,
    sky_cover,
)
from tests.data_modules.noaa.made import COLUMNS, SHARED, report, write_psv

real = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no real data in {SHARED}")
NAN = float("nan")


def at(reports: Reports, time: str) -> dict[str, float]:
    """What the station's hour has, by channel."""
    hours = hourly([reports])
    place = int((np.datetime64(time, "h") - hours.first) / np.timedelta64(1, "h"))
    return {channel.name: round(float(own), 3) for channel, own in zip(CHANNELS, hours.values[:, place], strict=True)}


def one(found) -> Reports:
    (reports,) = found
    return reports


def read(tmp_path: Path, *rows: dict[str, str], columns=COLUMNS) -> Reports:
    return one(ghcnh.read(write_psv(tmp_path / "GHCNh_USW00014732_2019.psv", rows, columns)))


# GHCN-hourly: the quirks


def test_the_last_report_of_an_hour_has_its_precipitation(tmp_path):
    """The documentation's example: 16.5 mm at 13:15, 43.2 at 13:35 and 47.2 at 13:55 are one running total."""
    reports = read(
        tmp_path,
        report("2019-07-25T12:55:00", precipitation="3.0"),
        report("2019-07-25T13:15:00", "FM16", precipitation="16.5"),
        report("2019-07-25T13:35:00", "FM16", precipitation="43.2"),
        report("2019-07-25T13:55:00", precipitation="47.2"),
        report("2019-07-25T14:05:00", "FM16", precipitation="0.5"),
    )
    assert [at(reports, f"2019-07-25T{hour}")["precipitation"] for hour in (13, 14, 15)] == [3.0, 47.2, 0.5]


def test_other_values_are_those_of_the_routine_report_nearest_to_the_hour(tmp_path):
    reports = read(
        tmp_path,
        report("2019-01-01T00:51:00", temperature="1.0"),
        report("2019-01-01T01:00:00", "FM12", temperature="2.0"),
        report("2019-01-01T01:05:00", "FM16", temperature="3.0"),
        report("2019-01-01T01:31:00", "FM16", temperature="4.0"),
        report("2019-01-01T02:10:00", "FM16", temperature="5.0"),
        report("2019-01-01T02:55:00", "FM15", temperature="6.0"),
        report("2019-01-01T03:12:00", "FM15", temperature="7.0"),
    )
    assert [at(reports, f"2019-01-01T{hour:02}")["temperature"] for hour in (1, 2, 3)] == [1.0, 5.0, 6.0]


def test_a_gap_stays_one(tmp_path):
    reports = read(
        tmp_path, report("2019-01-01T00:51:00", temperature="1"), report("2019-01-01T03:51:00", temperature="2")
    )
    assert hourly([reports]).values[TEMPERATURE].tolist()[1:] == pytest.approx([1, NAN, NAN, 2], nan_ok=True)


@pytest.mark.parametrize(
    ("direction", "speed", "code", "u", "v"),
    [
        ("360", "5.0", "N", 0.0, -5.0),  # a northerly wind blows to the south
        ("090", "5.0", "N", -5.0, 0.0),
        ("180", "2.0", "", 0.0, 2.0),
        ("270", "3.0", "9-Missing", 3.0, 0.0),
        ("000", "0.0", "C-Calm", 0.0, 0.0),
        ("", "0.0", "C", 0.0, 0.0),
        ("VRB", "1.0", "V-Variable", NAN, NAN),
        ("120", "1.0", "V", NAN, NAN),
        ("VRB", "0.0", "V", 0.0, 0.0),
        ("000", "4.0", "N", NAN, NAN),
        ("999", "4.0", "N", NAN, NAN),
        ("", "4.0", "", NAN, NAN),
    ],
)
def test_wind(tmp_path, direction, speed, code, u, v):
    row = report("2019-01-01T00:51:00", temperature="1", wind_direction=direction, wind_speed=speed)
    hour = at(read(tmp_path, row | {"wind_direction_Measurement_Code": code}), "2019-01-01T01")
    assert (hour["wind u"], hour["wind v"]) == pytest.approx((u, v), nan_ok=True)


@pytest.mark.parametrize(
    ("code", "source", "kept"),
    [
        *[(code, "343", True) for code in ("", "0", "1", "4", "5", "9", "9-Missing", "A", "P", "I", "M", "R")],
        *[(code, "343", False) for code in ("2", "3", "6", "7", "f", *"LoFUDdWKCTSHVwNEpH", "1,K")],
        ("5", "223", False),  # removed
        ("4", "223", True),  # calculated
    ],
)
def test_quality(tmp_path, code, source, kept):
    row = report("2019-01-01T00:51:00", temperature="21.5", relative_humidity="50")
    reports = read(tmp_path, row | {"temperature_Quality_Code": code, "temperature_Source_Code": source})
    assert at(reports, "2019-01-01T01")["temperature"] == pytest.approx(21.5 if kept else NAN, nan_ok=True)
    assert reports.refused == ({} if kept else {"temperature of doubtful quality": 1})


def test_a_sum_of_several_hours_is_no_hourly_precipitation(tmp_path):
    row = report("2019-01-01T00:51:00", temperature="1", precipitation="40")
    reports = read(tmp_path, row | {"precipitation_Quality_Code": "A", "precipitation_Source_Code": "382"})
    assert np.isnan(reports.values[PRECIPITATION]).all()


def test_a_trace_counts_as_none(tmp_path):
    row = report("2019-01-01T00:51:00", precipitation="0.0") | {"precipitation_Measurement_Code": "2-Trace"}
    assert at(read(tmp_path, row), "2019-01-01T01")["precipitation"] == 0.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("CLR:00", 0), ("FEW:01", 1), ("SCT:03", 3), ("BKN:07", 7), ("OVC:08", 8), ("BKN", 7), ("SKC", 0)],
        *[("VV:09", 8), ("X:10", NAN), ("05", 5), ("09", 8), ("99", NAN), ("", NAN), ("fog", NAN)],
        *[("FEW:02 250 OVC:08 300", 8), ("SCT:04 5.49 BKN:07 20", 7), ("OVC:08 38 FEW:02 200", 2)],
    ],
)
def test_sky_cover_is_that_of_the_last_layer(text, expected):
    assert sky_cover(text) == pytest.approx(expected, nan_ok=True)


def test_the_last_layer_may_stand_in_any_column(tmp_path):
    row = report("2019-01-01T00:51:00", sky_cover_summation_1="FEW:02", sky_cover_summation_2="OVC:08")
    assert at(read(tmp_path, row), "2019-01-01T01")["sky cover"] == 8
    row = report("2019-01-01T00:51:00", sky_cover_layer_1="SCT:04")
    assert at(read(tmp_path, row), "2019-01-01T01")["sky cover"] == 4


def test_what_cannot_be_is_left_out_and_counted(tmp_path):
    row = report("2019-01-01T00:51:00", temperature="999.9", visibility="32.187", precipitation="-9999")
    reports = read(tmp_path, row, report("2019-01-01T01:51:00", visibility="20000", temperature="5"))
    assert reports.values[VISIBILITY].tolist() == pytest.approx([16.093, NAN], nan_ok=True)  # 10 miles and more
    assert sum(reports.refused.values()) == 3
    assert reports.refused["visibility beyond 0 to 200 km"] == 1


def test_columns_are_found_by_name_whatever_their_order_and_case(tmp_path):
    row = report("2019-01-01T00:51:00", temperature="1.5", visibility="8")
    by_name = read(tmp_path, row, columns=[name.upper() for name in reversed(COLUMNS)])
    assert np.isnan(by_name.values).all()  # the cells stand under other names now, none is taken by its place
    columns = list(reversed(COLUMNS))
    assert at(read(tmp_path, row, columns=columns), "2019-01-01T01")["visibility"] == 8
    upper = {name.upper(): cell for name, cell in row.items()}
    assert at(read(tmp_path, upper, columns=[name.upper() for name in COLUMNS]), "2019-01-01T01")["temperature"] == 1.5


def test_version_1_0_1_has_its_time_in_five_columns(tmp_path):
    row = report("", temperature="1.5") | {"Station_ID": "FPI0000NTAT", "Latitude": "-23.4", "Longitude": "-149.5"}
    row |= {"Year": "2014", "Month": "4", "Day": "08", "Hour": "15", "Minute": "0"}
    columns = ["Station_ID", *("Year", "Month", "Day", "Hour", "Minute"), "Latitude", "Longitude", *COLUMNS[6:]]
    reports = read(tmp_path, row, columns=columns)
    assert reports.times.tolist() == [pd.Timestamp(2014, 4, 8, 15).to_pydatetime()]
    assert (reports.station.id, reports.station.latitude) == ("FPI0000NTAT", -23.4)


def test_parquet_holds_the_same(tmp_path):
    rows = [report(f"2019-01-01T{hour:02}:51:00", temperature=f"{hour}.5", visibility="8") for hour in range(3)]
    from_psv = read(tmp_path, *rows)
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame["DATE"] = pd.to_datetime(frame["DATE"])
    frame["temperature"] = frame["temperature"].astype(float)
    frame.to_parquet(tmp_path / "GHCNh_USW00014732_2019.parquet")
    reports = one(ghcnh.read(tmp_path / "GHCNh_USW00014732_2019.parquet"))
    np.testing.assert_array_equal(reports.values, from_psv.values)
    np.testing.assert_array_equal(reports.times, from_psv.times)


def test_a_quotation_mark_in_a_remark_is_one_letter(tmp_path):
    columns = [*COLUMNS, "REM"]
    reports = read(tmp_path, report("2019-01-01T00:51:00", temperature="1") | {"REM": 'SNOW 5" DEEP'}, columns=columns)
    assert len(reports.times) == 1


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"temperature": "warm"}, r"psv, line 2: temperature is 'warm', which is no number"),
        ({"temperature": "1_0"}, "temperature is '1_0', which is no number"),
        ({"temperature": "nan"}, "temperature is 'nan', which is no number"),
        ({"DATE": "01/01/2019 00:51"}, r"line 2: '01/01/2019 00:51' is no time like 2024-01-31T18:51:00"),
        ({"DATE": "2019-02-30T00:51:00"}, r"line 2: '2019-02-30T00:51:00' is no time: the calendar has none such"),
        ({"DATE": "9999-02-03T00:51:00"}, "line 2: the year is 9999; it must lie between 1750 and 2100"),
        ({"STATION": "../x"}, r"line 2: the station is '../x'; it must be letters and digits"),
        ({"Station_name": "a|b"}, r"line 2: it has 67 cells, the first line names 66 columns"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named_by_file_and_line(tmp_path, change, match):
    good = report("2019-01-01T01:51:00", temperature="1")
    with pytest.raises(CorpusError, match=match):
        read(tmp_path, report("2019-01-01T00:51:00", temperature="1") | change, good)


def test_a_last_line_that_was_cut_off_is_left_out_and_counted(tmp_path):
    path = write_psv(
        tmp_path / "GHCNh_X.psv", [report(f"2019-01-01T0{hour}:51:00", temperature="1") for hour in range(3)]
    )
    path.write_text(path.read_text()[:-40])
    assert len(one(ghcnh.read(path)).times) == 2
    assert one(ghcnh.read(path)).refused == {"last line, cut off": 1}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "has neither a column STATION nor Station_ID|is no GHCN-hourly file"),
        (b"a|b\n1|2\n", "is no GHCN-hourly file: it has neither a column STATION nor Station_ID"),
        (b"STATION|DATE\nX|2019-01-01T00:00\n", "it has none of the columns temperature, precipitation"),
        (b"STATION|temperature\nX|1\n", "has neither a column DATE nor year"),
        (b"\xff\xfe\x00junk", "is no GHCN-hourly file"),
    ],
)
def test_other_files_are_refused(tmp_path, content, match):
    (tmp_path / "GHCNh_X.psv").write_bytes(content)
    with pytest.raises(CorpusError, match=match):
        list(ghcnh.read(tmp_path / "GHCNh_X.psv"))
    (tmp_path / "GHCNh_X.parquet").write_bytes(content)
    with pytest.raises(CorpusError, match="cannot be read as GHCN-hourly in Parquet"):
        list(ghcnh.read(tmp_path / "GHCNh_X.parquet"))


@real
def test_real_ghcnh():
    """GHCNh_USW00013967_por.psv, its third line (2023-01-03 11:52): … temperature 5.0 … wind_direction 270, wind_speed
    5.1, precipitation 0.0, relative_humidity 82, visibility 16.093, sea_level_pressure 1006.5, sky_cover_1 FEW:02. Its
    fourth line (2025-02-03 15:52) has temperature 17.0 with quality 7 and humidity 30 with f. Its sixth is "TOOSHORT".
    """
    reports = one(ghcnh.read(SHARED / "ghcnh" / "GHCNh_USW00013967_por.psv"))
    assert (reports.station.name, reports.station.latitude) == ("OKLAHOMA CY WILL ROGERS WORLD", 35.3883)
    assert at(reports, "2023-01-03T12") == {
        **{"temperature": 5.0, "precipitation": 0.0, "relative humidity": 82, "visibility": 16.093},
        **{"wind u": 5.1, "wind v": 0.0, "sky cover": 2, "air pressure": 1006.5},
    }
    later = at(reports, "2025-02-03T16")
    assert [later["temperature"], later["relative humidity"], later["sky cover"]] == pytest.approx(
        [NAN, NAN, 2], nan_ok=True
    )
    assert reports.refused["last line, cut off"] == 1


@real
def test_real_ghcnh_of_other_stations():
    """Butte, 2025-02-01 18:20 SPECI: temperature -0.6, wind 010 at 3.1 m/s, precipitation 0.2, visibility 0.805, OVC:08.
    Valdez, 2005-06-10 17:50: wind VRB at 1.0, visibility 32.187. Tubuai, 2014-04-08 15:00: temperature 25.9,
    visibility 20000, which are metres.
    """
    butte = at(one(ghcnh.read(SHARED / "ghcnh" / "GHCNh_USW00024135_por.psv")), "2025-02-01T18")
    assert [butte["temperature"], butte["wind v"], butte["visibility"], butte["sky cover"]] == [-0.6, -3.053, 0.805, 8]
    valdez = at(one(ghcnh.read(SHARED / "ghcnh" / "GHCNh_USW00026442_por.psv")), "2005-06-10T18")
    assert [valdez["wind u"], valdez["visibility"]] == pytest.approx([NAN, 16.093], nan_ok=True)
    tubuai = at(one(ghcnh.read(SHARED / "ghcnh" / "GHCNh_FPI0000NTAT_por.psv")), "2014-04-08T15")
    assert [tubuai["temperature"], tubuai["visibility"]] == pytest.approx([25.9, NAN], nan_ok=True)


# Local Climatological Data

LCD_COLUMNS = (
    *("STATION", "DATE", "LATITUDE", "LONGITUDE", "NAME", "REPORT_TYPE", "SOURCE", "HourlyDryBulbTemperature"),
    *("HourlyPrecipitation", "HourlyRelativeHumidity", "HourlySkyConditions", "HourlySeaLevelPressure"),
    *("HourlyVisibility", "HourlyWindDirection", "HourlyWindSpeed", "REM", "REPORT_TYPE", "SOURCE"),
)
METAR = "MET11201/01/20 00:52:02 METAR KATL 010552Z 28008KT 10SM FEW250"


def lcd_file(tmp_path: Path, *rows: dict[str, str]) -> Path:
    own = {"STATION": "72219013874", "DATE": "2020-01-01T00:52:00", "REPORT_TYPE": "FM-15", "REM": METAR}
    lines = [",".join(LCD_COLUMNS), *(",".join((own | row).get(name, "") for name in LCD_COLUMNS) for row in rows)]
    path = tmp_path / "lcd.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_form_1_is_imperial(tmp_path):
    values = {"HourlyDryBulbTemperature": "40", "HourlyPrecipitation": "0.04", "HourlyVisibility": "10"}
    values |= {"HourlySeaLevelPressure": "30.03", "HourlyWindSpeed": "10", "HourlyWindDirection": "90"}
    reports = one(lcd.read(lcd_file(tmp_path, values)))
    hour = at(reports, "2020-01-01T06")  # 00:52 in Atlanta
    assert (hour["temperature"], hour["precipitation"], hour["visibility"]) == (4.44, 1.016, 16.093)
    assert (hour["air pressure"], hour["wind u"]) == (1016.932, -4.47)
    assert reports.station.id == "USW00013874"
    assert not reports.station.is_placed


def test_form_2_is_metric_and_has_a_place(tmp_path):
    values = {"STATION": "USW00014939", "LATITUDE": "40.85", "LONGITUDE": "-96.75", "NAME": "LINCOLN"}
    values |= {"HourlyDryBulbTemperature": "-3.3", "HourlyVisibility": "12.875", "HourlySeaLevelPressure": "1010.2"}
    reports = one(lcd.read(lcd_file(tmp_path, values)))
    assert (reports.station.id, reports.station.name, reports.station.longitude) == ("USW00014939", "LINCOLN", -96.75)
    hour = at(reports, "2020-01-01T06")
    assert (hour["temperature"], hour["visibility"], hour["air pressure"]) == (-3.3, 12.875, 1010.2)


def test_marks_summaries_traces_and_calm(tmp_path):
    rows = [
        {
            "DATE": "2020-01-01T01:52:00",
            "HourlyPrecipitation": "T",
            "HourlyVisibility": "1.75V",
            "HourlyWindSpeed": "0",
        },
        {"DATE": "2020-01-01T02:52:00", "HourlyPrecipitation": "0.07s", "HourlyDryBulbTemperature": "*"},
        {
            "DATE": "2020-01-01T03:52:00",
            "HourlyWindDirection": "VRB",
            "HourlyWindSpeed": "3",
            "HourlyRelativeHumidity": "9",
        },
        {"DATE": "2020-01-01T23:59:00", "REPORT_TYPE": "SOD  ", "HourlyDryBulbTemperature": "99"},
        {"DATE": "2020-01-31T23:59:00", "REPORT_TYPE": "SOM", "HourlyDryBulbTemperature": "99"},
    ]
    reports = one(lcd.read(lcd_file(tmp_path, {}, *rows)))
    assert len(reports.times) == 4
    assert at(reports, "2020-01-01T07")["precipitation"] == 0.0
    assert at(reports, "2020-01-01T07")["visibility"] == 2.816
    assert at(reports, "2020-01-01T07")["wind u"] == 0.0
    assert np.isnan(reports.values[TEMPERATURE]).all()
    assert np.isnan(reports.values[PRECIPITATION, 2:]).all()
    assert np.isnan(reports.values[WIND_U, 3])
    assert reports.refused == {"HourlyPrecipitation marked as suspect": 1}


@pytest.mark.parametrize(
    ("date", "remark", "hours"),
    [
        ("2020-01-01T00:52:00", METAR, -5),
        ("2019-12-31T18:52:00", "METAR KSEA 010252Z", -8),  # over the end of a month
        ("2020-01-01T09:30:00", "SPECI VIDP 010400Z", 5.5),
        ("2020-03-01T03:00:00", "METAR PGUM 291700Z", 10),
    ],
)
def test_the_zone_is_that_of_the_remarks(tmp_path, date, remark, hours):
    reports = one(lcd.read(lcd_file(tmp_path, {"DATE": date, "REM": remark, "HourlyDryBulbTemperature": "1"})))
    assert (np.datetime64(date[:16]) - reports.times[0]) / np.timedelta64(1, "h") == hours


def test_without_remarks_the_zone_must_be_given(tmp_path):
    path = lcd_file(tmp_path, {"REM": "", "HourlyDryBulbTemperature": "40"})
    with pytest.raises(
        CorpusError, match=r"no remark of the station USW00013874 .*; give it as offsets=\{USW00013874: -5\}"
    ):
        list(lcd.read(path))
    reports = one(lcd.read(path, {"USW00013874": -5}))
    assert reports.times[0] == np.datetime64("2020-01-01T05:52")


@pytest.mark.parametrize(
    ("row", "match"),
    [
        (
            {"HourlyDryBulbTemperature": "mild"},
            "lcd.csv, line 2: HourlyDryBulbTemperature is 'mild', which is no number",
        ),
        ({"DATE": "1/1/2020"}, "line 2: '1/1/2020' is no time"),
        ({"STATION": "a b"}, "line 2: the station is 'a b'"),
        ({"NAME": '"never closed'}, r"lcd.csv, line \d+: unexpected end of data"),
    ],
)
def test_lcd_that_cannot_be_used(tmp_path, row, match):
    with pytest.raises(CorpusError, match=match):
        list(lcd.read(lcd_file(tmp_path, row, {}, {})))


def test_an_lcd_file_without_a_column(tmp_path):
    (tmp_path / "lcd.csv").write_text("STATION,DATE\nx,y\n")
    with pytest.raises(CorpusError, match="has no column 'report_type' in its first line; it begins 'STATION, DATE'"):
        list(lcd.read(tmp_path / "lcd.csv"))


@real
def test_real_lcd_form_1():
    """3876540.csv, first line of data (Atlanta, 2020-01-01 00:52, 010552Z): 40 °F, 65 %, 30.03 inHg, FEW:02 250, 10 miles,
    wind 280 at 9 mph; no precipitation. 1,998 rows, of which 52 are SOD and one is SOM.
    """
    reports = one(lcd.read(SHARED / "lcd" / "3876540.csv"))
    assert len(reports.times) == 1998 - 53
    hour = at(reports, "2020-01-01T06")
    assert hour == {
        **{"temperature": 4.44, "precipitation": 0.0, "relative humidity": 65, "visibility": 16.093},
        **{"wind u": 3.962, "wind v": -0.699, "sky cover": 2, "air pressure": 1016.932},
    }
    assert reports.refused["HourlyPrecipitation marked as suspect"] == 4


@real
def test_real_lcd_form_2():
    """LCD_USW00014939_2020.csv (Lincoln, 2023): 2023-01-19 16:54 (192254Z) -1.7 °C, dew point -5, 78 %, BKN:07 5.18, sea
    level 1018.7, visibility 16.093, wind 300 at 5.7 m/s, precipitation 0; twelve minutes before it a special report.
    """
    reports = one(lcd.read(SHARED / "lcd" / "LCD_USW00014939_2020.csv"))
    assert (reports.station.id, reports.station.name) == ("USW00014939", "LINCOLN AIRPORT, NE US")
    assert at(reports, "2023-01-19T23") == {
        **{"temperature": -1.7, "precipitation": 0.0, "relative humidity": 78, "visibility": 16.093},
        **{"wind u": 4.936, "wind v": -2.85, "sky cover": 7, "air pressure": 1018.7},
    }
    known = np.isfinite(hourly([reports]).values).mean(axis=1)
    assert (known > 0.99).all()


# ISD-Lite

LINE = "2014 01 01 00    63    48 10111   220    41     7 -9999     6"


def isd_file(tmp_path: Path, *lines: str, name: str = "725755-24101-2014") -> Path:
    path = tmp_path / name
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


@pytest.mark.parametrize("name", ["725755-24101-2014", "725755-24101-2014.gz"])
def test_isd_lite(tmp_path, name):
    reports = one(
        isd_lite.read(
            isd_file(tmp_path, LINE, "2014 01 01 02 -9999 -9999 -9999     0     0     9    -1     6", name=name)
        )
    )
    assert reports.station.id == "USW00024101"
    first = at(reports, "2014-01-01T00")
    assert (first["temperature"], first["air pressure"], first["sky cover"]) == (6.3, 1011.1, 7)
    assert first["relative humidity"] == pytest.approx(90, abs=0.5)  # 4.8 °C below 6.3 °C
    assert (first["wind u"], first["wind v"]) == (2.635, 3.141)
    later = at(reports, "2014-01-01T02")
    assert (later["precipitation"], later["wind u"], later["sky cover"]) == (0.0, 0.0, 8)  # a trace, calm, obscured
    assert np.isnan(list(at(reports, "2014-01-01T01").values())).all()


def test_a_station_without_a_wban_number_has_no_id_in_ghcn(tmp_path):
    assert one(isd_lite.read(isd_file(tmp_path, LINE, name="071470-99999-2014"))).station.id == "071470-99999"


@pytest.mark.parametrize(
    ("line", "match"),
    [
        (
            "2014 01 01 00 63 48 10111 220 41 7 -9999",
            r"2014, line 2: '.*' is not 12 whole numbers, as ISD-Lite has them",
        ),
        ("2014 01 01 00 6.3 48 10111 220 41 7 -9999 6", "line 2: .* is not 12 whole numbers"),
        ("2014 13 01 00 63 48 10111 220 41 7 -9999 6", "line 2: the month is 13; it lies between 1 and 12"),
        ("2014 02 30 00 63 48 10111 220 41 7 -9999 6", "line 2: there is no day 30 in 2014-02"),
        ("2014 02 03 24 63 48 10111 220 41 7 -9999 6", "line 2: the hour is 24; it lies between 0 and 23"),
        ("9014 02 03 04 63 48 10111 220 41 7 -9999 6", "line 2: the year is 9014"),
    ],
)
def test_isd_lite_that_cannot_be_used(tmp_path, line, match):
    with pytest.raises(CorpusError, match=match):
        list(isd_lite.read(isd_file(tmp_path, LINE, line)))


def test_a_compressed_file_that_is_damaged_or_too_large(tmp_path):
    path = isd_file(tmp_path, LINE, name="725755-24101-2014.gz")
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(CorpusError, match=r"2014\.gz cannot be read"):
        list(isd_lite.read(path))
    path.write_bytes(gzip.compress(b"\n" * 30_000_000))
    with pytest.raises(CorpusError, match="it expands to more than"):
        list(isd_lite.read(path))


@real
def test_real_isd_lite():
    """071470-99999-2014 begins "2014 01 01 00    63    48 10111   220    41     7 -9999     6"; 725755-24101-2014 ends
    "2014 12 31 23   -76  -197 10275    70    51     0 -9999 -9999"; 642820-99999-2014 is one line.
    """
    velizy = one(isd_lite.read(SHARED / "isdlite" / "071470-99999-2014"))
    assert len(velizy.times) == 8660
    assert at(velizy, "2014-01-01T00")["temperature"] == 6.3
    hill = at(one(isd_lite.read(SHARED / "isdlite" / "725755-24101-2014")), "2014-12-31T23")
    assert (hill["temperature"], hill["air pressure"], hill["sky cover"]) == (-7.6, 1027.5, 0)
    assert hill["wind u"] == pytest.approx(-5.1 * np.sin(np.deg2rad(70)), abs=1e-3)
    assert len(one(isd_lite.read(SHARED / "isdlite" / "642820-99999-2014")).times) == 1


def test_of_two_forms_of_one_station_the_first_counts(tmp_path):
    psv = one(ghcnh.read(write_psv(tmp_path / "a.psv", [report("2014-01-01T00:00:00", temperature="1")])))
    lite = one(isd_lite.read(isd_file(tmp_path, LINE, "2014 01 01 01 70 48 10111 220 41 7 -9999 6")))
    hours = hourly([psv, lite])
    assert hours.values[TEMPERATURE].tolist() == [1.0, 7.0]
    assert hours.values[PRESSURE, 0] == 1011.1
    assert Counter(np.isnan(hours.values[HUMIDITY]).tolist()) == {False: 2}
    assert not np.isnan(hours.values[[WIND_V, SKY]]).any()


@pytest.mark.parametrize("ending", ["", ".gz", ".bz2", ".xz"])
def test_files_may_be_packed_and_come_from_windows(tmp_path, ending):
    """A byte order mark, CR LF and a packed file change no value, and none of the three forms is passed over."""
    pack = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[ending]
    psv = write_psv(
        tmp_path / "GHCNh_USW00014732_2019.psv", [report("2019-07-25T12:55:00", temperature="21.5")], COLUMNS
    )
    lcd_path = lcd_file(tmp_path, {"HourlyDryBulbTemperature": "40"})
    expected = [at(one(ghcnh.read(psv)), "2019-07-25T13"), at(one(lcd.read(lcd_path)), "2020-01-01T06")]
    for path in (psv, lcd_path):
        content = b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")
        path.unlink()
        path.with_name(path.name + ending).write_bytes(pack(content))
    isd_file(tmp_path, LINE)
    found = list(Files.below(tmp_path).reports())
    assert len(found) == 3
    np.testing.assert_equal([at(found[0], "2019-07-25T13"), at(found[1], "2020-01-01T06")], expected)
    assert expected[0]["temperature"] == 21.5


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(91.0, 0.0), (0.0, 1e300), (float("inf"), 0.0), (float("nan"), 0.0)]
)
def test_a_station_beyond_the_earth_has_no_place(latitude, longitude):
    lost = Station("X1", "", latitude, longitude)
    assert not lost.is_placed
    assert np.isinf(distances((40.7, -73.8), [lost, Station("X2", "", 40.7, -73.8)])).tolist() == [True, False]
