"""What `data guess` makes of folders, and that a corpus is built of it with each value in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from data_modules.corpus import Corpus, CorpusError
from data_modules.sources import tables
from data_modules.tables.guess import guess
from tests.data_modules.tables.folders import write

HOURS = pd.date_range("2024-05-01", periods=48, freq="h")
TIMES = HOURS.strftime("%Y-%m-%dT%H:%MZ")


def table(head: str, *rows: str) -> str:
    """A row an hour for each of `rows`, where {time}, {n} and the like stand for what they are."""
    lines = [
        row.format(time=TIMES[n], at=HOURS[n], n=n, hour=HOURS[n].hour + 1, later=HOURS[n] + pd.Timedelta("1h"))
        for n in range(48)
        for row in rows
    ]
    return "\n".join([head, *lines]) + "\n"


def built(folder: Path, files: dict[str, Any], length: int = 48) -> tuple[Corpus, str]:
    """The corpus of what is guessed of the files, as it is, but for the length of windows and the split."""
    text = guess(write(folder, files))
    options = {**yaml.safe_load(text), "windows": {"length": length}, "split": {"train": 1}}
    info, records = tables.windows(folder, options.pop("domain"), **options)
    return Corpus.from_records(records, info), text


SERIES: dict[str, tuple[dict[str, Any], dict[tuple[str, str], Any]]] = {
    "numbered ids": (
        {"a.csv": table("time,store_id,sales", "{time},101,{n}", "{time},102,-{n}")},
        {("101", "sales"): range(48), ("102", "sales"): range(0, -48, -1)},
    ),
    "channels that their units show": (
        {"a.csv": table("time,label,uom,valuenum", "{time},pulse,bpm,{n}", "{time},breath,1/min,-{n}")},
        {("*", "pulse [bpm]"): range(48), ("*", "breath [1/min]"): range(0, -48, -1)},
    ),
    "names with a line in front": (
        {"a.csv": table(",_time,_value,_field,host", ",{time},{n},cpu,a", ",{time},-{n},cpu,b")},
        {("a", "cpu"): range(48), ("b", "cpu"): range(0, -48, -1)},
    ),
    "numbers that go with the id": (
        {"a.csv": table("time,name,PTID,latitude,load", "{time},A,61,48.5,{n}", "{time},B,62,49.5,-{n}")},
        {("A", "load"): range(48), ("B", "load"): range(0, -48, -1)},
    ),
    "the number of the only station": (
        {
            "a.csv": "# of a river\n"
            + table("agency\tsite_no\tdatetime\tflow", "USGS\t05331\t{time}\t{n}").replace(
                "flow\n", "flow\n5s\t15s\t20d\t14n\n"
            )
        },
        {("05331", "flow"): range(48)},
    ),
    "hours that end, in UTC": (
        {
            "a.csv": table(
                "Area,Data Date,Hour Number,UTC Time at End of Hour,MW", "NY,{at:%Y-%m-%d},{hour},{later},{n}"
            )
        },
        {("*", "Hour Number"): [hour % 24 + 1 for hour in range(48)], ("*", "MW"): range(48)},
    ),
    "ids of another name": (
        {"a.csv": table("time,animal,steps", "{time},Rosa,{n}", "{time},Alma,-{n}")},
        {("Rosa", "steps"): range(48), ("Alma", "steps"): range(0, -48, -1)},
    ),
    "a long table with units": (
        {"a.csv": table("time,site,parameter,unit,value", "{time},A,O3,ppb,{n}", "{time},A,wind,m/s,{n}.5")},
        {("A", "O3 [ppb]"): range(48), ("A", "wind [m/s]"): np.arange(48) + 0.5},
    ),
    "a folder a series": (
        {f"{site}/{kind}.csv": table(f"time,{kind}", "{time},{n}") for site in "AB" for kind in ("level", "flow")},
        {(site, kind): range(48) for site in "AB" for kind in ("level", "flow")},
    ),
    "a file a series, of two forms": (
        {"a.csv": table("time,air", "{time},{n}"), "b.csv": table("time,air,wind", "{time},-{n},{n}")},
        {("a", "air"): range(48), ("b", "air"): range(0, -48, -1), ("b", "wind"): range(48)},
    ),
    "year, month, day and hour, with fill values": (
        {"a.csv": "-BEGIN-\nmissing: -999 \n-END-\n" + table("YEAR,MO,DY,HR,T", "{at:%Y,%m,%d,%H},{n}.5")},
        {("*", "T"): np.arange(48) + 0.5},
    ),
    "a day and the number of the hour from 1 to 24": (
        {"a.csv": table("Date,Hour,MW", "{at:%Y-%m-%d},{hour},{n}.5")},
        {("*", "MW"): np.arange(48) + 0.5},
    ),
    "a day and a time of digits": (
        {"a.csv": table("DATE,TIME,MW", "{at:%Y%m%d,%H%M%S},{n}.5")},
        {("*", "MW"): np.arange(48) + 0.5},
    ),
    "commas that may be either": (
        {"a.csv": table("time,load", '{time},"1,2{at:%H}"')},
        {("*", "load"): 1200 + np.arange(48) % 24},
    ),
    "points that may be either": (
        {"a.csv": table("time;load", "{time};1.2{at:%H}")},
        {("*", "load"): 1200 + np.arange(48) % 24},
    ),
}


@pytest.mark.parametrize("kind", SERIES)
def test_each_value_stands_in_its_series_and_step(tmp_path: Path, kind: str) -> None:
    files, expected = SERIES[kind]
    corpus, _ = built(tmp_path, files)
    assert {start.isoformat() for start in corpus.table()["start"].to_pylist()} == {"2024-05-01T00:00:00"}
    found = {
        (name, channel.key): row.tolist()
        for name, window in zip(corpus.series_ids, corpus.values(), strict=True)
        for channel, row in zip(corpus.info.channels, window, strict=True)
        if not np.isnan(row).all()
    }
    expected = {
        (tmp_path.name.lower() if name == "*" else name, key): list(own) for (name, key), own in expected.items()
    }
    if len(expected) == 1:  # the name of a single series is that of the domain
        assert list(found.values()) == list(expected.values())
    else:
        assert found == expected


def test_notes_on_series_and_channels_are_tied_to_them(tmp_path: Path) -> None:
    notes = "time,well,about,remark\n2024-05-01T05:00Z,N1,level,sensor was cleaned\n2024-05-01T06:00Z,N2,,truck seen\n"
    files = {"a.csv": table("time,well,level", "{time},N1,{n}", "{time},N2,{n}"), "n.csv": notes}
    corpus, text = built(tmp_path, files)
    assert "id: well  # ? the series that a note is about" in text
    assert corpus.texts == ["", "truck seen"]
    assert corpus.channel_texts[0] == ["sensor was cleaned"]


def test_notes_beside_the_values_and_labels_without_a_text(tmp_path: Path) -> None:
    rows = table("time,level,comment", "{time},{n},").replace("T06:00Z,6,", "T06:00Z,6,Valve was opened", 1)
    corpus, text = built(tmp_path, {"a.csv": rows, "l.csv": "date,label\n2024-05-01,good\n2024-05-02,bad\n"}, 24)
    assert corpus.texts == ["Valve was opened", ""]
    assert [corpus.info.label_names[label] for label in corpus.labels] == ["good", "bad"]
    assert text.count("# ? midpoint gives a day's note to one window only") == 1  # of days, not of hours


def test_each_sheet_is_looked_at(tmp_path: Path) -> None:
    def book() -> bytes:
        import io

        stream = io.BytesIO()
        with pd.ExcelWriter(stream) as writer:
            pd.DataFrame({"Read me": ["by the plant's office"]}).to_excel(writer, sheet_name="Info", index=False)
            pd.DataFrame({"time": HOURS, "load": range(48)}).to_excel(writer, sheet_name="Data", index=False)
            notes = pd.DataFrame({"time": HOURS[:1], "note": ["pump was changed"]})
            notes.to_excel(writer, sheet_name="Log", index=False)
        return stream.getvalue()

    corpus, text = built(tmp_path, {"plant.xlsx": book()})
    assert "# plant.xlsx, sheet Info is left out" in text
    assert corpus.values()[0].tolist() == [list(range(48))]
    assert corpus.texts == ["pump was changed"]


def workbook(**sheets: list[list[Any]]) -> bytes:
    import io

    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name.strip("_"))
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_sheets_of_one_time_are_series_and_of_others_one(tmp_path: Path) -> None:
    days = [pd.Timestamp("2023-12-01") + pd.Timedelta(n, "D") for n in range(60)]
    months = {
        f"_{year}": [["day", "level"], *([d, n] for n, d in enumerate(days) if d.year == year)] for year in (2023, 2024)
    }
    corpus, _ = built(tmp_path / "years", {"a.xlsx": workbook(**months)}, 60)
    assert corpus.values()[0].tolist() == [list(range(60))]
    pumps = {name: [["day", "level"], *([d, n + len(name)] for n, d in enumerate(days))] for name in ("A", "BB")}
    corpus, _ = built(tmp_path / "pumps", {"a.xlsx": workbook(**pumps)}, 60)
    assert {name: window[0, 0] for name, window in zip(corpus.series_ids, corpus.values(), strict=True)} == {
        "A": 1,
        "BB": 2,
    }


def test_an_id_stands_once_above_its_rows(tmp_path: Path) -> None:
    days = [pd.Timestamp("2024-05-01") + pd.Timedelta(n, "D") for n in range(30)]
    rows = [[name if not n else None, day, n + 100 * (name == "B")] for name in "AB" for n, day in enumerate(days)]
    corpus, text = built(tmp_path, {"a.xlsx": workbook(Rain=[["Station", "Date", "Rain (mm)"], *rows])}, 30)
    assert "id: Station" in text
    found = {name: window[0].tolist() for name, window in zip(corpus.series_ids, corpus.values(), strict=True)}
    assert found == {"A": list(range(30)), "B": list(range(100, 130))}


def test_times_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    files = {"a.csv": table("time,x", "{time},{n}"), "b.csv": "time,y\nnoon,1\nevening,2\n"}
    text = guess(write(tmp_path, files))
    assert "# b.csv is left out: b.csv: no cell of time can be read as a time, as 'noon'; give its time_format" in text


def test_frequencies_of_several_files_and_what_cannot_be_read(tmp_path: Path) -> None:
    quarter = pd.date_range("2024-05-01", periods=8, freq="15min").strftime("%Y-%m-%dT%H:%MZ")
    files = {"a.csv": table("time,x", "{time},{n}"), "b.csv": pd.DataFrame({"time": quarter, "y": range(8)})}
    text = guess(write(tmp_path, {**files, "c.csv.gz": b"\x1f\x8b", "d.csv": "date,name\n2024-05-01,x\n"}))
    assert "frequency: 1h  # ? files have rows every 15min, 1h" in text
    assert "# c.csv.gz is left out: c.csv.gz cannot be read: " in text
    assert "# d.csv is left out: times in 'date', texts in 'name'" in text
    with pytest.raises(CorpusError, match=r"d\.csv has times in 'date', texts in 'name'"):
        guess(write(tmp_path / "other", {"d.csv": "date,name\n2024-05-01,x\n"}))
