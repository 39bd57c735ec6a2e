"""Tables that are packed, and tables in JSON."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pytest

from data_modules.corpus import CorpusError
from data_modules.tables.files import read_table
from data_modules.tables.guess import guess
from data_modules.tables.packed import EXPANSION
from tests.data_modules.tables.folders import corpus_of, write

TEXT = "time,level\n" + "".join(f"2024-05-01T{hour:02}:00Z,{hour}.5\n" for hour in range(24))


def zipped(**files: str | bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return stream.getvalue()


PACKED = {
    "a.csv.gz": gzip.compress(TEXT.encode()),
    "a.csv.bz2": bz2.compress(TEXT.encode("utf-16")),
    "a.txt.xz": lzma.compress(TEXT.replace(",", "\t").encode()),
    "a.zip": zipped(level_csv=TEXT),
}


@pytest.mark.parametrize("name", PACKED)
def test_packed_tables_are_read_like_others(tmp_path: Path, name: str) -> None:
    corpus, _ = corpus_of(tmp_path, {name: PACKED[name]}, windows={"length": 24})
    assert corpus.values()[0].tolist() == [[hour + 0.5 for hour in range(24)]]
    assert f"files: [{name}]" in guess(tmp_path)


def test_a_file_names_its_series_without_its_endings(tmp_path: Path) -> None:
    files = {f"{name}.csv.gz": PACKED["a.csv.gz"] for name in ("north", "south")}
    series = [{"files": "*.gz", "name": "{file}"}]
    corpus, _ = corpus_of(tmp_path, files, series=series, windows={"length": 24})
    assert list(corpus.series_ids) == ["north", "south"]


def test_a_file_that_expands_beyond_proportion_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"bomb.csv.gz": gzip.compress(b"time,level\n" + b"0" * (2**25 + 100 * 2**16), 9)})
    assert (tmp_path / "bomb.csv.gz").stat().st_size * EXPANSION < 2**24
    with pytest.raises(CorpusError, match=r"bomb.csv.gz cannot be read: it expands to more than [\d,]+ bytes"):
        read_table(tmp_path / "bomb.csv.gz")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv.gz", PACKED["a.csv.gz"][:-9], "a.csv.gz cannot be read: "),
        ("a.csv.bz2", b"BZh9", "a.csv.bz2 cannot be read: "),
        ("a.csv.xz", b"no", "a.csv.xz cannot be read: "),
        ("a.zip", b"PK", "a.zip cannot be unpacked: "),
        ("a.zip", zipped(a_csv=TEXT, b_csv=TEXT), "a.zip holds 2 files; unpack it, or leave one in it"),
        ("a.parquet.gz", gzip.compress(b"PAR1"), "holds a file of the kind .parquet; unpack it first"),
        ("a.csv.zst", b"x", "is packed as .zst, which is not read; unpack it first"),
        ("a.jsonl", b'{"time": 1', "a.jsonl is no table: .* a record a line, or a list of records"),
        ("a.json", b'"text"', "a.json is no JSON of records"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # packed bytes hold the time, and workers compare ids
)
def test_what_cannot_be_unpacked_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read_table(write(tmp_path, {name: content}) / name)


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson.gz", "a.json"])
def test_records_in_json(tmp_path: Path, name: str) -> None:
    records = [
        {"ts": f"2024-05-01T{hour:02}:00:00+02:00", "level": hour / 8, "open": hour > 3, "tags": {"by": "x"}}
        for hour in range(12)
    ]
    records[5]["level"] = None
    text = json.dumps(records) if name == "a.json" else "\n".join(map(json.dumps, records))
    content = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    corpus, _ = corpus_of(tmp_path, {name: content}, windows={"length": 12})
    assert [channel.key for channel in corpus.info.channels] == ["level", "open"]
    assert str(corpus.table()["start"].to_numpy()[0])[:16] == "2024-04-30T22:00"
    level = [np.nan if hour == 5 else hour / 8 for hour in range(12)]
    np.testing.assert_array_equal(corpus.values()[0], [level, [float(hour > 3) for hour in range(12)]])
