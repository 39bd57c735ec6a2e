"""Exports as programs and people write them: what `guess` writes for them is built to the values of a careful reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

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
