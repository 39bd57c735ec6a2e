"""Names and units of columns, whatever stands above the first row of values."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_modules.corpus import CorpusError
from data_modules.tables.files import read_table
from tests.data_modules.tables.folders import corpus_of, write

ROWS = "".join(f"2024-05-01 0{hour}:00,{hour}.5,{hour + 50}\n" for hour in range(6))
HEADS: dict[str, tuple[str, list[str]]] = {
    "names": ("time,air,humidity\n", ["air", "humidity"]),
    "units in brackets": ("time,air [°C],humidity (%)\n", ["air [°C]", "humidity [%]"]),
    "a line of units": ("time,air,humidity\n,°C,%\n", ["air [°C]", "humidity [%]"]),
    "a line of units, none for one": ("time,air,humidity\nUTC,°C,-\n", ["air [°C]", "humidity"]),
    "units and kinds of values": ("TIMESTAMP,air,humidity\nTS,°C,%\n,Avg,Smp\n", ["air [°C]", "humidity [%]"]),
    "a line about the logger": ('"TOA5","CR1000","CR1000","Table1"\ntime,air,humidity\n', ["air", "humidity"]),
    "comments": ("# logger 5\n# time,air,humidity\ntime,air,humidity\n", ["air", "humidity"]),
    "the header is a comment": ("# logger 5\n#time,air,humidity\n", ["air", "humidity"]),
    "what spreadsheets write": ("sep=,\ntime,air,humidity\n", ["air", "humidity"]),
    "facts about the place": ("Site:,Farm 12\nLatitude:,48.1\n\ntime,air,humidity\n", ["air", "humidity"]),
    "a title as wide as the rows": ("Farm 12,,\n,,\ntime,air,humidity\n", ["air", "humidity"]),
    "groups above": ("Farm 12,Farm 12,Farm 12\ntime,air,humidity\n", ["air", "humidity"]),
    "groups that tell names apart": (",North,South\ntime,air,air\n", ["North air", "South air"]),
    "names that tell groups apart": ("time,air,air\n,north,south\n", ["air north", "air south"]),
    "groups over merged cells": ("time,North,\n,air (°C),humidity (%)\n", ["North air [°C]", "North humidity [%]"]),
    "a second column of a name": ("time,air (°C),air (°C)\n", ["air [°C]", "air_2 [°C]"]),
    "widths of columns": ("time,air,humidity\n20d,14n,14n\n", ["air", "humidity"]),
    "numbers as names": ("time,1,2\n", ["1", "2"]),
    "years as names": ("time,2023,2024\n", ["2023", "2024"]),
    "no header": ("", ["column 2", "column 3"]),
}


@pytest.mark.parametrize("kind", HEADS)
def test_channels_are_those_of_the_header(tmp_path: Path, kind: str) -> None:
    above, keys = HEADS[kind]
    corpus, counts = corpus_of(tmp_path, {"a.csv": above + ROWS}, windows={"length": 6})
    assert [channel.key for channel in corpus.info.channels] == keys
    assert corpus.values()[0].tolist() == [[hour + 0.5 for hour in range(6)], [hour + 50 for hour in range(6)]]
    assert counts.number("cells that are no numbers") == counts.number("rows without a readable time") == 0


def test_a_sheet_with_a_title_and_groups(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["Plant report"], [], [None, "Line A", "Line B"], ["Date", "Output (t)", "Scrap (t)", "Remark"]):
        sheet.append(row)
    for day in range(1, 4):
        sheet.append([f"2024-05-0{day}", day, day / 10])
    book.save(tmp_path / "plant.xlsx")
    corpus, _ = corpus_of(tmp_path, {}, series=[{"files": "plant.xlsx"}], windows={"length": 3})
    assert [channel.key for channel in corpus.info.channels] == ["Output [t]", "Scrap [t]"]
    assert corpus.values()[0][0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-8-sig", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, {"a.csv": f"time,Wärme,humidity\n{ROWS}".encode(encoding)}) / "a.csv"
    assert read_table(path).frame.columns.tolist() == ["time", "Wärme", "humidity"]


def test_a_unit_behind_the_numbers_is_the_channels(tmp_path: Path) -> None:
    cells = "".join(f"2024-05-0{n};1.23{n},5 kWh;{n}0%;{n}2A;{n} €\n" for n in range(1, 4))
    corpus, counts = corpus_of(tmp_path, {"a.csv": "time;use;load;seat;price\n" + cells}, windows={"length": 3})
    assert [channel.key for channel in corpus.info.channels] == ["use [kWh]", "load [%]", "price"]
    assert corpus.values()[0].tolist() == [[1231.5, 1232.5, 1233.5], [10, 20, 30], [1, 2, 3]]
    assert counts.number("columns of texts") == 1


def test_a_column_that_numbers_the_rows_is_no_channel(tmp_path: Path) -> None:
    content = ",time,air\n" + "".join(f"{day},2024-05-0{day + 1},{7 + day}\n" for day in range(4))
    corpus, counts = corpus_of(tmp_path, {"a.csv": content}, windows={"length": 4})
    assert [channel.key for channel in corpus.info.channels] == ["air"]
    assert counts.number("columns that number the rows") == 1


def test_numbers_of_records_are_no_channel(tmp_path: Path) -> None:
    content = "TIMESTAMP,RECORD,air\nTS,RN,°C\n,,Avg\n" + "".join(
        f"2024-05-0{n + 1},{7450 + n},{n}\n" for n in range(4)
    )
    corpus, counts = corpus_of(tmp_path, {"a.csv": content}, windows={"length": 4})
    assert [channel.key for channel in corpus.info.channels] == ["air [°C]"]
    assert counts.number("columns that number the rows") == 1


def test_facts_above_a_sheet(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    rows = [["Works 2"], ["Period", "01.05.2024 - 03.05.2024"], [], ["Time", "active [kW]", "reactive [kvar]"]]
    for row in [*rows, *([f"2024-05-0{day}", day, day / 4] for day in (1, 2, 3)), ["Sum", 6, 1.5]]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    corpus, _ = corpus_of(tmp_path, {}, series=[{"files": "a.xlsx"}], windows={"length": 3})
    assert [channel.key for channel in corpus.info.channels] == ["active [kW]", "reactive [kvar]"]
    assert corpus.values()[0].tolist() == [[1, 2, 3], [0.25, 0.5, 0.75]]


def test_times_in_the_first_line_are_names_of_columns(tmp_path: Path) -> None:
    files = {"a.csv": "country,1990,1991,1992\nDE,1,2,3\nFR,4,5,6\n"}
    with pytest.raises(CorpusError, match=r"columns are called by times \(1990, 1991, …\); write across: times, and"):
        corpus_of(tmp_path, files, windows={"length": 3})
    entry = {"files": "a.csv", "across": "times", "id": "country", "channels": {"gdp": None}}
    corpus, _ = corpus_of(tmp_path, files, series=[entry], windows={"length": 3})
    assert (corpus.series_ids.tolist(), corpus.info.frequency) == (["DE", "FR"], "YS")
    assert [own.tolist() for own in corpus.values()] == [[[1, 2, 3]], [[4, 5, 6]]]


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = {f"{site}/a.csv": f"time,air\n2024-05-01,{value}\n" for site, value in (("north", 1), ("south", 2))}
    with pytest.raises(CorpusError, match=r"north/a\.csv, line 2 and south/a\.csv, line 2"):
        corpus_of(tmp_path, files, frequency="D")
