"""Exports as programs and people write them: what `guess` writes for them is built to the values of a careful reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from data_modules.schema import CorpusError
from data_modules.tables.counts import Counts
from data_modules.tables.guess import guess
from data_modules.tables.series import Found, Reader
from data_modules.tables.spec import spec_of
from tests.data_modules.tables.folders import write

HOURS = pd.date_range("2024-05-20", periods=72, freq="h")


def read(folder: Path, files: dict[str, Any]) -> tuple[Found, dict[str, Any], Counts]:
    """The series of the files as `guess` describes them, what it wrote, and what was met."""
    spec = yaml.safe_load(guess(write(folder, files)))
    spec.pop("domain")
    counts = Counts()
    return Reader(spec_of(spec), folder, "mine", counts).read(), spec, counts


def table(head: str, rows: list[str]) -> str:
    return "\n".join([head, *rows]) + "\n"


def comma(number: float, form: str = ".2f") -> str:
    return format(number, form).replace(".", ",")


def waterworks() -> dict[str, Any]:
    """A title, the header again above each day, a sum below it, and a footer."""
    lines = ["Wasserwerk Nord;;", "erstellt am 23.05.2024;;"]
    for day in range(3):
        lines += ["Zeit;Zufluss (m³/h);Druck (bar)"]
        lines += [f"{HOURS[n]:%d.%m.%Y %H:%M};{comma(n + 0.25)};{comma(4)}" for n in range(24 * day, 24 * day + 24)]
        lines += ["Summe;2.430,5;"]
    return {"nord.csv": "\n".join([*lines, "", "Quelle: Leitwarte;;", "Seite 1 von 1;;"])}


def trams() -> dict[str, Any]:
    """Two exports of one meter, of which the second has points where the first has commas, and a title."""
    first = [f"{HOURS[n]:%d.%m.%Y %H:%M};{comma(n + 0.25)}" for n in range(36)]
    other = [f"{HOURS[n]:%Y-%m-%d %H:%M};{n + 0.25}" for n in range(36, 72)]
    return {"a.csv": table("time;current [A]", first), "b.csv": table("line 1;\ntime;current [A]", other)}


def bees() -> dict[str, Any]:
    """A sheet with numbers that are texts, a day once above its hours, and a total."""
    return {
        "ruche.xlsx": pd.DataFrame(
            {
                "Date": [*(hour.date() if hour.hour == 0 else None for hour in HOURS), "Total"],
                "Heure": [*HOURS.strftime("%H:%M"), None],
                "Poids (kg)": [*(comma(n + 0.25) for n in range(72)), "2500,00"],
            }
        )
    }


def loads() -> dict[str, Any]:
    """Hours from 1 to 24, and a total below each day."""
    rows = [f"{hour:%Y-%m-%d},{hour.hour + 1},{n + 0.25}" + f"\n{hour:%Y-%m-%d},Total,9999" * (hour.hour == 23)
            for n, hour in enumerate(HOURS)]  # fmt: skip
    return {"load.csv": table("Day,Hour,Load (MW)", rows)}


def flows() -> dict[str, Any]:
    """The halves of the day as they are written in Spain."""
    halves = ["a. m." if hour.hour < 12 else "p.\u00a0m." for hour in HOURS]
    rows = [f"{hour:%d/%m/%Y};{hour:%I:%M}:00 {halves[n]};{comma(n + 0.25)}" for n, hour in enumerate(HOURS)]
    return {"caudal.csv": table("Fecha;Hora;Caudal (l/s)", rows)}


def formats() -> dict[str, Any]:
    """A line of units with a long form of the time, and a column whose times are written in two ways."""
    rows = [f"{hour:{'%d.%m.%Y' if n < 40 else '%Y-%m-%d'} %H:%M},{n + 0.25}," for n, hour in enumerate(HOURS)]
    return {"flow.csv": table("Date/Time,Flow,\ndd.mm.yyyy hh:mm,m3/d,", rows)}


@pytest.mark.parametrize(
    ("make", "key", "left_out"),
    [
        (waterworks, "Zufluss [m³/h]", 7),
        (trams, "current [A]", 0),
        (bees, "Poids [kg]", 1),
        (loads, "Load [MW]", 3),
        (flows, "Caudal [l/s]", 0),
        (formats, "Flow [m3/d]", 0),
    ],
)
def test_an_export_is_read_as_a_careful_person_reads_it(make: Any, key: str, left_out: int, tmp_path: Path) -> None:
    found, spec, counts = read(tmp_path, make())
    (one,) = found.series
    assert (found.channels[0].key, found.frequency) == (key, "1h")
    assert str(one.grid.start)[:16] == "2024-05-20T00:00"
    assert one.values[0].tolist() == [n + 0.25 for n in range(72)]
    assert counts.number("rows without a readable time") == left_out
    assert "missing" not in spec


def historian() -> dict[str, Any]:
    """Names of tags above, a quality beside each value, halves of the day."""
    good = [("Good" if n else "Bad", "Good" if n % 9 else "Bad") for n in range(72)]
    rows = [f"{hour:%m/%d/%Y %I:%M:%S %p},{n},{good[n][0]},{-n},{good[n][1]}" for n, hour in enumerate(HOURS)]
    return {"pi.csv": table("Tag,FT101,,TT202,\nTime,Value,Quality,Value,Quality", rows)}


def sensors() -> dict[str, Any]:
    """A row a sensor, quantity and time, with unit and status."""
    rows = [
        f"{hour:%Y-%m-%dT%H:%MZ},S1,{name},{sign * n},{unit},{'FAULT' if (n % 9 == 0 and sign < 0) or not n else 'ok'}"
        for n, hour in enumerate(HOURS)
        for name, sign, unit in (("flow", 1, "l/s"), ("loss", -1, "W"))
    ]
    return {"sensors.csv": table("time,sensor_id,measurement,value,unit,status", rows)}


def test_the_quality_of_opc_and_units_in_brackets_below_names(tmp_path: Path) -> None:
    rows = [f"{hour:%d.%m.%Y %H:%M};{n};{192 if n % 9 else 0}" for n, hour in enumerate(HOURS)]
    found, spec, _ = read(tmp_path, {"opc.csv": table("Zeit;Zulauf;Quality\n[dd.mm.yy];[l/s];[-]", rows)})
    assert spec["series"][0]["good"] == {"Quality": ["192"]}
    assert [channel.key for channel in found.channels] == ["Zulauf [l/s]"]
    assert [value for value in found.series[0].values[0] if value == value] == [n for n in range(72) if n % 9]


@pytest.mark.parametrize("make", [historian, sensors])
def test_values_that_are_not_good_are_missing(make: Any, tmp_path: Path) -> None:
    found, _, counts = read(tmp_path, make())
    (one,) = found.series
    assert [value for value in one.values[0] if value == value] == [*range(1, 72)]
    assert [value for value in one.values[1] if value == value] == [-n for n in range(72) if n % 9]
    assert sum(own.count for own in counts if "good word" in own.what) == 1 + 8


@pytest.mark.parametrize(
    ("names", "flags", "expected"),
    [
        ("temp,rh,status", {"status": "OK"}, {"": {"status": ["OK"]}}),  # of the row
        ("temp,status,rh", {"status": "OK"}, {"temp": {"status": ["OK"]}}),  # beside one value
        ("temp,rh,rh_flag", {"rh_flag": ""}, {}),  # nothing says that a word is good
        ("temp,rh,rh_flag", {"rh_flag": "valid"}, {"rh": {"rh_flag": ["valid"]}}),
        ("temp,rh,status", {"status": "RUN"}, {}),  # of a machine
    ],
)
def test_which_values_a_flag_is_about(names: str, flags: Any, expected: Any, tmp_path: Path) -> None:
    cells = {"temp": "1.5", "rh": "40"}
    rows = [
        ",".join([f"{hour:%Y-%m-%d %H:%M}", *(("off" if n % 7 == 0 else flags[name]) if name in flags else cells[name]
         for name in names.split(","))]) for n, hour in enumerate(HOURS)
    ]  # fmt: skip
    _, spec, _ = read(tmp_path, {"a.csv": table(f"time,{names}", rows)})
    (entry,) = spec["series"]
    written = {name: own["good"] for name, own in entry["channels"].items() if "good" in own}
    assert written | ({"": entry["good"]} if "good" in entry else {}) == expected


@pytest.mark.parametrize(("form", "low", "high"), [("limit", 0.5, 2400), ("half", 0.25, 2400), (None, None, None)])
def test_limits_of_what_is_not_measured(form: str | None, low: float, high: float, tmp_path: Path) -> None:
    cells = [(">2.400", "<0,5")[n % 2] if n % 3 else comma(1000.5 + n) for n in range(72)]
    rows = [f"{hour:%d.%m.%Y %H:%M};{cells[n]}" for n, hour in enumerate(HOURS)]
    text = guess(write(tmp_path, {"lab.csv": table("time;lead", rows)}))
    assert "# censored: limit  # ? cells like '<0,5' are missing" in text
    spec, counts = yaml.safe_load(text), Counts()
    spec["series"][0] |= {"censored": form} if form else {}
    del spec["domain"]
    (one,) = Reader(spec_of(spec), tmp_path, "mine", counts).read().series
    expected = [1000.5 + n if n % 3 == 0 else (high, low)[n % 2] for n in range(72)]
    assert [None if value != value else value for value in one.values[0]] == expected
    assert counts.number("cells like <0.5") == (0 if form else 48)


@pytest.mark.parametrize(
    ("digits", "minutes"), [(2, 60), (4, 60), (6, 60), (9, 60), (3, 15), (4, 15), (6, 15), (9, 15), (5, 1)]
)
def test_days_of_a_spreadsheet_are_as_exact_as_they_are_written(digits: int, minutes: int, tmp_path: Path) -> None:
    times = pd.date_range("2023-03-15", periods=72, freq=f"{minutes}min")
    days = (times - pd.Timestamp("1899-12-30")) / pd.Timedelta("1D")
    found, _, _ = read(tmp_path, {"a.csv": table("Date,kWh", [f"{day:.{digits}f},{n}" for n, day in enumerate(days)])})
    (one,) = found.series
    assert (str(one.grid.start)[:19], found.frequency) == (
        "2023-03-15T00:00:00",
        {60: "1h", 15: "15min", 1: "1min"}[minutes],
    )
    assert one.values.tolist() == [[*range(72)]]


def test_a_number_that_tells_rows_of_one_time_apart_is_an_id_also_of_notes(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=60)
    milk = [f"{cow};{day:%d/%m/%y};{comma(cow + n, '.1f')}" for n, day in enumerate(days) for cow in (101, 102, 103)]
    notes = [f"{day:%d/%m/%y};102;mastitis treated with antibiotics" for day in days[::20]]
    files = {"milk.csv": table("Cow;Date;Milk (l)", milk), "notes.csv": table("Date;Cow;Remark", notes)}
    found, spec, _ = read(tmp_path, files)
    assert [own["id"] for own in (*spec["series"], *spec["notes"])] == ["Cow", "Cow"]
    assert [one.id for one in found.series] == ["101", "102", "103"]
    assert found.series[2].values.tolist() == [[103.0 + n for n in range(60)]]


def test_a_mark_in_texts_of_a_workbook_is_in_doubt_as_in_a_file_of_texts(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=28)
    sheet = pd.DataFrame({"Date": days, "Output (t)": [f"{1000 + n:,}" for n in range(28)]})
    found, spec, _ = read(tmp_path, {"out.xlsx": sheet})
    assert found.series[0].values.tolist() == [[1000.0 + n for n in range(28)]]
    del spec["series"][0]["decimal"]
    with pytest.raises(CorpusError, match="may have a decimal comma, or be thousands; say which by decimal"):
        Reader(spec_of(spec), tmp_path, "mine", Counts()).read()
