from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_modules import shards
from data_modules.corpus import CorpusError
from data_modules.frames import read_series
from data_modules.frequency import Frequency
from data_modules.input_series import InputSeries
from data_modules.tables import excel
from data_modules.tables.files import read_table
from data_modules.tables.layouts import Layout
from trace_lit.channels import Channel

CHANNELS = (Channel("wind", "m/s"), Channel("gust", "m/s"), Channel("gust", "km/h"))


@pytest.fixture
def read(tmp_path):
    def read(content: str) -> InputSeries:
        path = tmp_path / "query.csv"
        path.write_text(content, encoding="utf-8")
        return read_series(path, CHANNELS)

    return read


def test_columns_come_in_the_order_of_the_channels(read) -> None:
    series = read(
        "gust [km/h],Time,WIND\n9,2024-05-01T00:00,1.5\n8,2024-05-01T01:00,\nnan,2024-05-01T03:30+01:30,2\n\n"
    )
    assert series.channels == (CHANNELS[0], CHANNELS[2])
    np.testing.assert_array_equal(series.values, np.array([[1.5, np.nan, 2], [9, 8, np.nan]]))
    assert series.values.dtype == np.float64  # exact, until it is centred
    assert series.start == datetime(2024, 5, 1)
    assert series.times is not None
    assert series.times[2] == datetime(2024, 5, 1, 2)


def test_time_and_byte_order_mark_are_optional(read) -> None:
    assert read("wind\n1\n2\n").start is None
    assert read("\ufeffwind\n1\n").channels == CHANNELS[:1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("wind,rain\n1,2\n", r"column 'rain' is no channel.*wind \[m/s\], gust \[m/s\], gust \[km/h\]"),
        ("wind,gust\n1,2\n", "column 'gust' may be .*write the name with its unit"),
        ("wind,wind [m/s]\n1,2\n", r"channel 'wind \[m/s\]' has two columns"),
        ("wind\n1\ntwo\n", "line 3, column 'wind': 'two' is not a number"),
        ("wind\ninf\n", "line 2, column 'wind': 'inf' is not a number"),
        ("wind\n1e99\n", r"'1e\+99' is not a number"),
        ("wind,time\n1,2024-01-01\n2\n", r"line 3 has fewer cells than the header has columns \(2\)"),
        ("wind,time\n1,yesterday\n", "line 2: the time is 'yesterday', which is no time"),
        ("wind,time\n1,2024-01-02\n2,2024-01-02\n", "line 3: 2024-01-02 00:00:00 does not come after .*each time once"),
        ("wind,time\n1,1/2/2024\n2,2/2/2024\n", "may have the day or the month first; write times like"),
        ("wind,time,date\n1,2024-01-02,2024-01-01\n", "both give the time"),
        ("time\n2024-01-01\n", "no column of a channel"),
        ("wind\n", "no rows below its header"),
        ("", "is empty"),
        ("wind,time\n,2024-01-01\n", "holds no value"),
        ('wind\n"1\n', "is no CSV file"),
    ],
)
def test_what_cannot_be_read_is_refused(read, content: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read(content)


def test_missing_file() -> None:
    with pytest.raises(CorpusError, match=r"there is no file nowhere\.csv"):
        read_series(Path("nowhere.csv"), CHANNELS)


def test_binary_file(tmp_path) -> None:
    (tmp_path / "x.csv").write_bytes(b"wind\n\xff\x00\n")
    with pytest.raises(CorpusError, match="is no CSV file: it holds bytes that no text has"):
        read_series(tmp_path / "x.csv", CHANNELS)


def test_steps_without_a_row_are_missing_where_the_frequency_is_known(tmp_path) -> None:
    path = tmp_path / "months.csv"
    path.write_text("date,wind\n2024-01-31,1\n2024-02-29,2\n2024-05-31,3\n")
    series = read_series(path, CHANNELS, Frequency.parse("MS"))
    np.testing.assert_array_equal(series.values, np.array([[1, 2, np.nan, np.nan, 3]], np.float32))
    assert series.times is not None
    assert series.times[2:] == (datetime(2024, 3, 31), datetime(2024, 4, 30), datetime(2024, 5, 31))
    with pytest.raises(CorpusError, match=r"line 3: 2024-02-29 .* is no whole number of steps .* a step is 1 week"):
        read_series(path, CHANNELS, Frequency.parse("7D"))


def test_a_series_with_times_is_spaced_by_its_own_step(read) -> None:
    series = read("time,wind\n2024-05-01T00,1\n2024-05-01T02,2\n2024-05-01T04,3\n2024-05-01T10,4\n")
    assert series.frequency == "2h"
    even = series.evenly_spaced()
    np.testing.assert_array_equal(even.values, np.array([[1, 2, 3, np.nan, np.nan, 4]]))
    assert even.times is not None
    assert even.times[3:5] == (datetime(2024, 5, 1, 6), datetime(2024, 5, 1, 8))
    assert even.evenly_spaced() is not None
    untimed = read("wind\n1\n2\n")
    assert untimed.evenly_spaced() is untimed
    irregular = read("time,wind\n2024-05-01,1\n2024-05-02,2\n2024-05-07,3\n2024-05-27,4\n")
    with pytest.raises(CorpusError, match="the times are irregular; resample"):
        irregular.evenly_spaced()


def test_files_as_people_have_them(tmp_path) -> None:
    """Decimal commas, a clock that is put back, times in two columns, rows in any order, workbooks."""
    path = tmp_path / "query.csv"
    path.write_text("Datum;Uhrzeit;wind (m/s)\n01.05.2024;02:00;3,5\n01.05.2024;01:00;1.002,5\n", encoding="cp1252")
    series = read_series(path, CHANNELS)
    assert series.values.tolist() == [[1002.5, 3.5]]
    assert series.times == (datetime(2024, 5, 1, 1), datetime(2024, 5, 1, 2))
    hours = pd.date_range("2024-10-26T22:00", periods=6, freq="h", tz="UTC")
    clock = hours.tz_convert("Europe/Berlin").strftime("%Y-%m-%d %H:%M")
    path.write_text("time,wind\n" + "".join(f"{time},{number}\n" for number, time in enumerate(clock)))
    series = read_series(path, CHANNELS, Frequency.parse("1h"), "Europe/Berlin")
    assert series.times == tuple(hours.tz_localize(None).to_pydatetime())
    assert series.values.tolist() == [[0, 1, 2, 3, 4, 5]]
    with pytest.raises(CorpusError, match="line 5: 2024-10-27 02:00:00 does not come after"):
        read_series(path, CHANNELS, Frequency.parse("1h"))
    pd.DataFrame({"time": hours.tz_localize(None), "wind": range(6)}).to_excel(tmp_path / "query.xlsx", index=False)
    assert read_series(tmp_path / "query.xlsx", CHANNELS).values.tolist() == [[0, 1, 2, 3, 4, 5]]


@pytest.mark.parametrize(
    "content",
    [
        ",time,wind\n0,2024-05-01T00:00,1\n1,2024-05-01T01:00,2\n",
        "Date;Hour;wind\n01.05.2024;0;1\n01.05.2024;1;2\n",
        "YEAR,MO,DY,HR,wind\n2024,5,1,0,1\n2024,5,1,1,2\n",
        "date,clock,wind\n2024-05-01,02:00+02:00,1\n2024-05-01,03:00+02:00,2\n",
        "# station 5\ntime,wind\nUTC,m/s\n2024-05-01 12 AM,1\n2024-05-01 1 AM,2\n",
    ],
)
def test_a_series_is_read_like_the_files_of_a_corpus(read, content: str) -> None:
    series = read(content)
    assert series.times == (datetime(2024, 5, 1), datetime(2024, 5, 1, 1))
    assert series.values.tolist() == [[1, 2]]


def test_a_late_time_is_moved_and_told(tmp_path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "query.csv"
    path.write_text("time,wind\n2024-05-01T00:00,1\n2024-05-01T01:02,2\n2024-05-01T03:00,3\n")
    series = read_series(path, CHANNELS, Frequency.parse("1h"))
    np.testing.assert_array_equal(series.values, [[1, 2, np.nan, 3]])
    assert "1 times lie beside their step" in caplog.text


def test_a_wrong_year_makes_no_series_of_a_million_steps(tmp_path) -> None:
    path = tmp_path / "query.csv"
    path.write_text("time,wind\n2024-05-01T00:00,1\n2204-05-01T01:00,2\n")
    with pytest.raises(
        CorpusError, match=r"line 3: 2204-05-01 01:00:00 is 1,577,833 steps of 1 hour after .* a year wrong"
    ):
        read_series(path, CHANNELS, Frequency.parse("1h"))


def test_a_fill_value_is_named_by_its_cell(tmp_path) -> None:
    path = tmp_path / "query.csv"
    path.write_text("wind\n1\n1e20\n")
    with pytest.raises(CorpusError, match=r"line 3, column 'wind': '1e\+20' is not a number of at most 1e\+18"):
        read_series(path, CHANNELS)


def _workbook(path: Path, rows: str) -> None:
    """A workbook whose only sheet has these rows, as XML."""
    import openpyxl

    openpyxl.Workbook().save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    parts["xl/worksheets/sheet1.xml"] = sheet + rows.encode() + b"</sheetData></worksheet>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)


def test_a_workbook_with_more_cells_than_its_size_allows_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(excel, "_EXCEL_BYTES", 2**18)
    path = tmp_path / "wide.xlsx"
    _workbook(path, "".join(f'<row r="{row}"><c r="XFD{row}"><v>1</v></c></row>' for row in range(1, 9)))
    with pytest.raises(CorpusError, match=r"more than .* cells"):
        read_table(path)
    _workbook(path, '<row r="1"><c r="A1"><v>1</v></c></row>' * 20_000)
    with pytest.raises(CorpusError, match="a workbook of its size may take"):
        read_table(path)
    _workbook(path, '<row r="1"><c r="A1" t="str"><v>x</v></c></row><row r="9"><c r="C9"><v>2.0</v></c></row>')
    frame = read_table(path, Layout(header=1)).frame
    assert frame.index.tolist() == [9]
    assert frame["column 3"].tolist() == [2]


def test_few_bytes_of_parquet_that_stand_for_many_are_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(shards, "FREE_BYTES", 2**20)
    path = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"note": ["x" * 2**12] * 900}), path)
    monkeypatch.setattr(shards, "FREE_TIMES", 2)
    with pytest.raises(CorpusError, match=r"would take 3,686,400 bytes"):
        read_table(path)
    pq.write_table(pa.table({"note": ["x" * 2**12] * 9}), path)
    assert len(read_table(path).frame) == 9
    pq.write_table(pa.table({"level": [1.5], "nested": [[{"a": 1}]]}), path)
    assert read_table(path).frame.columns.tolist() == ["level"]


@pytest.mark.parametrize("encoding", ["rot13", "base64", "zlib", "a\0b", "klingon"])
def test_an_encoding_of_no_texts_is_refused(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "query.csv").write_text("time,wind\n2024-01-01,1\n")
    with pytest.raises(CorpusError, match=r"there is no encoding .*; write one like"):
        read_table(tmp_path / "query.csv", Layout(encoding=encoding))


@pytest.mark.parametrize("separator", [";;", "(a+)+$", '"', "\n"])
def test_a_separator_is_one_character(tmp_path: Path, separator: str) -> None:
    (tmp_path / "query.csv").write_text("time,wind\n2024-01-01,1\n")
    with pytest.raises(CorpusError, match="it must be one character"):
        read_table(tmp_path / "query.csv", Layout(separator=separator))


def test_texts_in_utf_16_are_read(tmp_path: Path) -> None:
    (tmp_path / "query.csv").write_bytes("time,wind\n2024-01-01,1\n".encode("utf-16"))
    for encoding in (None, "utf-16"):
        assert read_table(tmp_path / "query.csv", Layout(encoding=encoding)).frame["wind"].tolist() == [1]


def test_a_row_of_too_many_cells_is_refused_at_once(tmp_path: Path) -> None:
    wide = ",".join(map(str, range(20_000)))
    (tmp_path / "query.csv").write_text(f"time,{wide}\n2024-01-01,{wide}\n")
    with pytest.raises(CorpusError, match=r"has 20,001 columns; 10,000 are allowed: write a row for each value"):
        read_table(tmp_path / "query.csv")


def test_digits_of_other_scripts_are_read(read) -> None:
    digits = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    plain = "time,wind\n2024-05-01 00:00,1\n2024-05-01 01:00,2.5\n"
    times, values = zip(*(line.split(",") for line in plain.splitlines()[1:]), strict=True)
    other = "time,wind\n" + "".join(
        f"{time.translate(digits)},{value}\n" for time, value in zip(times, values, strict=True)
    )
    assert read(other).times == read(plain).times
