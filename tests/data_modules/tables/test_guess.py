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
    lines = [row.format(time=TIMES[n], at=HOURS[n], n=n, hour=HOURS[n].hour + 1) for n in range(48) for row in rows]
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
    corpus, _ = built(tmp_path, {"a.csv": rows, "l.csv": "date,label\n2024-05-01,good\n2024-05-02,bad\n"}, 24)
    assert corpus.texts == ["Valve was opened", ""]
    assert [corpus.info.label_names[label] for label in corpus.labels] == ["good", "bad"]


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


def test_frequencies_of_several_files_and_what_cannot_be_read(tmp_path: Path) -> None:
    quarter = pd.date_range("2024-05-01", periods=8, freq="15min").strftime("%Y-%m-%dT%H:%MZ")
    files = {"a.csv": table("time,x", "{time},{n}"), "b.csv": pd.DataFrame({"time": quarter, "y": range(8)})}
    text = guess(write(tmp_path, {**files, "c.csv.gz": b"\x1f\x8b", "d.csv": "date,name\n2024-05-01,x\n"}))
    assert "frequency: 1h  # ? files have rows every 15min, 1h" in text
    assert "# c.csv.gz is left out: c.csv.gz is compressed; unpack it first" in text
    assert "# d.csv is left out: times in 'date', texts in 'name'" in text
    with pytest.raises(CorpusError, match=r"d\.csv has times in 'date', texts in 'name'"):
        guess(write(tmp_path / "other", {"d.csv": "date,name\n2024-05-01,x\n"}))
