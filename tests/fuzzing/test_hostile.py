"""Small inputs that are made to harm, one of each kind: each is refused in a sentence, at once and in little memory."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from data_modules import Channel, Corpus, Record
from data_modules.frames import read_series
from data_modules.sources import tables
from data_modules.sources.noaa import lcd, storm_events
from data_modules.sources.timecap_events import with_events
from data_modules.tables.excel import sheets_of
from data_modules.tables.files import read_table
from data_modules.unpickle import load_pickle
from tests.data_modules.tables.folders import rows
from tests.fuzzing.inputs import tried
from tests.fuzzing.test_folders import index, stored, window_rows
from tests.fuzzing.test_public import EVENTS, LCD
from tests.fuzzing.test_readers import corpus, used
from trace_lit.atomic import write_atomically
from trace_lit.holding import held
from trace_lit.inference.index import Index
from trace_lit.inference.loaded import encoder_of
from trace_lit.modules import AtomicCheckpointIO, load_checkpoint
from trace_lit.plain import parse_yaml, read_json, to_json
from trace_lit.retrieval.filters import Filter
from trace_lit.retrieval.stores import FaissStore, segment
from trace_lit.runs.compare import compare_runs
from trace_lit.settings import load_config

__all__ = ["corpus", "index", "stored"]  # fixtures
HOURS = [f"2024-05-01 {hour:02d}:00" for hour in range(24)]
COLLIDING = 2**61 - 1  # its multiples have one hash
FAR = ("2024-01-01 00:00", "2024-01-01 01:00", "2025-02-01 00:00")
MIB = 2**20
pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")


def of_table(folder: Path, content: str, part: dict[str, Any] | None = None, **options: Any) -> Corpus:
    """The corpus of a CSV file."""
    (folder / "a.csv").write_text(content)
    series = [{"files": "a.csv", **(part or {})}]
    info, records = tables.windows(folder, "mine", series, **{"windows": {"length": 2}, **options})
    return Corpus.from_records(records, info)


def with_notes(folder: Path, before: Any) -> Corpus:
    (folder / "notes.csv").write_text("time,text\n2024-05-01 03:00,high\n")
    return of_table(folder, rows(HOURS), notes=[{"files": "notes.csv", "before": before}])


def with_long_notes(folder: Path, many: int) -> Corpus:
    """Three thousand windows and as many notes, of which the first ones last as long as the series."""
    days = [str(day)[:10] for day in pd.date_range("2000-01-01", periods=3000)]
    notes = [f"{day},{days[-1] if n < many else day},note {n}" for n, day in enumerate(days)]
    (folder / "notes.csv").write_text("\n".join(["begin,end,text", *notes]))
    options: dict[str, Any] = {"notes": [{"files": "notes.csv"}], "windows": {"length": 1}, "split": {"train": 1}}
    return of_table(folder, rows(days), **options)


CSV: dict[str, Callable[[Path], object]] = {
    "a header of brackets": lambda folder: of_table(
        folder, rows(HOURS, names=f"{'(' * 60_000}{')' * 60_000}x,time", values=range(24))
    ),
    "a cell of digits above the header": lambda folder: of_table(folder, f"{'1' * 200_000}x,b\n{rows(HOURS)}"),
    "a time that goes on": lambda folder: of_table(folder, rows([*HOURS, f"1:00 {'to ' * 60_000}"])),
    "a time of many digits": lambda folder: of_table(folder, rows(["Jan " + "1" * 5000, *HOURS[:2]])),
    "two lines of names": lambda folder: of_table(folder, f"{'x,' * 60_000}\n{'y,' * 60_000}\n{rows(HOURS)}"),
    "many times": lambda folder: of_table(
        folder, f"{','.join(f'time [{n}]' for n in range(3000))}\n" + "\n".join([",".join(["x"] * 3000)] * 9)
    ),
    "a pattern of all folders, many times": lambda folder: of_table(folder, rows(HOURS), {"files": "**/" * 12 + "x"}),
    "times at the end of the calendar": lambda folder: of_table(
        folder, rows([own.replace("2024-05-01", "9999-12-31") for own in HOURS]), timezone="America/New_York"
    ),
    "an encoding of many letters": lambda folder: of_table(folder, rows(HOURS), {"encoding": "u" * 100_000}),
    "a format with two years": lambda folder: of_table(folder, rows(HOURS), {"time_format": "%Y %Y"}),
    "a long name of a file": lambda folder: of_table(folder, rows(HOURS), {"files": "a" * 300}),
    "a long pattern": lambda folder: of_table(folder, rows(HOURS), {"files": "*/" * 3000 + "x"}),
    "a line far below": lambda folder: of_table(folder, rows(HOURS), {"header": 10**30}),
    "a tolerance without end": lambda folder: of_table(folder, rows(HOURS), tolerance=f"{'9' * 400}h"),
    "a tolerance of ages": lambda folder: of_table(folder, rows(HOURS), tolerance=f"{'9' * 30}h"),
    "notes of ages before": lambda folder: with_notes(folder, f"{'9' * 30}h"),
    "a note of ages": lambda folder: with_long_notes(folder, 1),
    "notes of ages": lambda folder: with_long_notes(folder, 3000),
    "a stride of ages": lambda folder: of_table(folder, rows(HOURS), windows={"length": 2, "stride": 10**30}),
    "a fill value of many digits": lambda folder: of_table(folder, rows(HOURS), missing=[10**400]),
    "parts of ages": lambda folder: of_table(
        folder, rows(HOURS), split={"train": 10**30, "validation": 10**30, "test": 10**30}
    ),
    "a channel a row": lambda folder: of_table(
        folder,
        "time,what,value\n"
        + "".join(f"{pd.Timestamp(0, unit='s') + pd.Timedelta(hours=n)},c{n},{n}\n" for n in range(30_000)),
        {"channel": "what", "value": "value"},
    ),
    "two rows far apart": lambda folder: of_table(
        folder,
        f"time,{','.join(f'c{n}' for n in range(3000))}\n" + "".join(f"{own}{',1' * 3000}\n" for own in FAR),
        frequency="1h",
    ),
    "series of rows far apart": lambda folder: of_table(
        folder,
        f"time,id,{','.join(f'c{n}' for n in range(500))}\n"
        + "".join(f"{own},s{n}{',1' * 500}\n" for n in range(60) for own in FAR),
        {"id": "id"},
        frequency="1h",
    ),
}
LARGE = ("a channel a row", "two rows far apart", "series of rows far apart")


@pytest.mark.parametrize("kind", CSV)
def test_tables(kind: str, tmp_path: Path) -> None:
    assert not tried(lambda: CSV[kind](tmp_path)) or kind not in LARGE


def test_bytes_in_the_place_of_numbers(tmp_path: Path) -> None:
    pq.write_table(pa.table({"time": HOURS, "level": pa.array([b"\xff"] * 24)}), tmp_path / "a.parquet")
    assert not tried(lambda: tables.windows(tmp_path, "mine", [{"files": "a.parquet"}], windows={"length": 2}))


def test_many_events_and_many_windows() -> None:
    days = [datetime(2000, 1, 1) + timedelta(days=n) for n in range(9_000)]
    records = [Record(f"r{n}", "ny", day, np.zeros((1, 24))) for n, day in enumerate(days[:3000])]
    place: dict[str, Any] = {"type": "Hail", "state": "NEW YORK", "place": "QUEENS", "kind": "C", "code": "36081"}
    place |= {"latitude": 0.0, "longitude": 0.0, "narrative": "Ice.", "episode": ""}
    events = [storm_events.Event(id=str(n), start=day, end=day, **place) for n, day in enumerate(days)]
    assert tried(lambda: list(with_events(records, events, 24)))


def workbook(folder: Path, parts: dict[str, bytes]) -> Path:
    """A workbook in which some parts have other content."""
    openpyxl.Workbook().save(folder / "whole.xlsx")
    path = folder / "a.xlsx"
    with zipfile.ZipFile(folder / "whole.xlsx") as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in whole.namelist():
            archive.writestr(name, parts.pop(name, None) or whole.read(name))
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def sheet(cells: list[tuple[str, str]]) -> dict[str, bytes]:
    """A sheet with a time and a level, numbers or texts as they are given."""

    def cell(place: str, own: str) -> str:
        if own.isdecimal():
            return f'<c r="{place}"><v>{own}</v></c>'
        return f'<c r="{place}" t="inlineStr"><is><t>{own}</t></is></c>'

    lines = [
        f'<row r="{n}">{cell(f"A{n}", time)}{cell(f"B{n}", level)}</row>'
        for n, (time, level) in enumerate([("time", "level"), *cells], start=1)
    ]
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    text = f'<?xml version="1.0"?><worksheet xmlns="{space}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
    return {"xl/worksheets/sheet1.xml": text.encode()}


@pytest.mark.parametrize("cells", [[("2024-05-01", "1" * 400)], [("1" * 400, "1")]], ids=["value", "time"])
def test_numbers_of_many_digits_in_a_workbook(cells: list[tuple[str, str]], tmp_path: Path) -> None:
    assert not tried(lambda: read_series(workbook(tmp_path, sheet(cells)), [Channel("level", "m")]))


def test_a_workbook_that_unpacks_to_much_is_not_unpacked_for_its_sheets(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"xl/sharedStrings.xml": b"<sst><si><t>a</t></si>" + b"<si><t>a</t></si>" * 6_000_000})
    found: list[str] = []
    assert tried(lambda: found.extend(sheets_of(path)))
    assert found == []


@pytest.mark.parametrize("kind", ["keys of one hash", "a set of one hash"])
def test_yaml_keys(kind: str) -> None:
    numbers = [str(n * COLLIDING) for n in range(1, 60_001)]
    text = "".join(f"{n}: 1\n" for n in numbers) if kind.startswith("keys") else f"!!set {{{', '.join(numbers)}}}"
    assert not tried(lambda: parse_yaml(text))


@pytest.mark.parametrize("text", [f"a: !!int '0x{'f' * 9000}'", "a: !!bool 'maybe'", "a: !!float 'x'", "a: !!omap [x]"])
def test_yaml_tags(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(text)
    assert not tried(lambda: parse_yaml(text))
    assert not tried(lambda: load_config([tmp_path / "config.yaml"]))
    assert not tried(lambda: load_config([], [f"data.options={{{text}}}"]))


def test_metrics_that_cannot_be_summed_or_encoded(tmp_path: Path) -> None:
    for seed, metrics in enumerate(['{"test/pair/MRR": 1.7e308}', '{"test/pair/MRR": 1.6e308}']):
        (tmp_path / str(seed)).mkdir()
        (tmp_path / str(seed) / "config.yaml").write_text(f"seed: {seed}\n")
        (tmp_path / str(seed) / "metrics.json").write_text(metrics)
    assert not tried(lambda: compare_runs([tmp_path]))
    assert to_json({"\ud800": "\ud800"}).encode()


def test_places_in_an_index_that_are_none(index: Path, tmp_path: Path) -> None:
    for number, place in enumerate(["\0", "a" * 5000]):
        folder = Path(shutil.copytree(index, tmp_path / str(number)))
        plain = json.loads((folder / "index.json").read_text())
        plain["corpora"][0]["path"] = place
        (folder / "index.json").write_text(json.dumps(plain))

        def read(folder: Path = folder) -> None:
            with Index.open(folder) as found:
                found.stale()

        tried(read)


def test_keys_of_one_hash_in_a_checkpoint(content: dict[str, Any], tmp_path: Path) -> None:
    AtomicCheckpointIO().save_checkpoint(content, tmp_path / "whole.ckpt")
    numbers = [pickle.dumps(n * COLLIDING, 2)[2:-1] for n in range(1, 60_001)]
    keys = b"\x80\x02}(" + b"".join(number + b"K\x01" for number in numbers) + b"u."
    with zipfile.ZipFile(tmp_path / "whole.ckpt") as whole, zipfile.ZipFile(tmp_path / "last.ckpt", "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, keys if name.endswith("data.pkl") else whole.read(name))
    assert not tried(lambda: load_checkpoint(tmp_path / "last.ckpt"))


def test_no_link_is_written_through(tmp_path: Path) -> None:
    victim, run = tmp_path / "victim", tmp_path / "runs" / "x"
    victim.write_text("as it was")
    run.mkdir(parents=True)
    (run.parent / ".x.holder").symlink_to(victim)
    (run / f".run.json.{os.getpid()}.part").symlink_to(victim)
    with held(run), pytest.raises(OSError, match=r"run\.json"):
        write_atomically(run / "run.json", "{}")
    assert victim.read_text() == "as it was"


def test_json_that_is_nested_deep(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": ' + "[" * 300 + "]" * 300 + "}")
    assert not tried(lambda: read_json(tmp_path / "a.json"))


def test_keys_of_one_hash_in_a_pickle(tmp_path: Path) -> None:
    made, number = b"c__builtin__\ncomplex\n", struct.Struct(">d").pack
    keys = [made + b"G" + number(-1000003.0 * n) + b"G" + number(float(n)) + b"\x86RK\x01" for n in range(40_000)]
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02}(" + b"".join(keys) + b"u.")
    assert not tried(lambda: load_pickle(tmp_path / "a.pkl"))


# What is no file: a pipe without an end, a device that gives zeros for ever, a folder


def replaced(path: Path, kind: str) -> Path:
    """`path`, which is no file any more."""
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    return path


def opened(folder: Path) -> None:
    with Index.open(folder) as found:
        found.search(vectors=np.ones(8, np.float32), top=3)
        found.store.search(np.ones((1, 8), np.float32), 3, Filter())
        found.delete(["3"])
        assert isinstance(found.store, FaissStore)
        found.store.upsert([window_rows(range(20, 22))])


@pipes
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_not_waited_for(corpus: Path, stored: Path, index: Path, kind: str, tmp_path: Path) -> None:
    readers: list[tuple[Path, str, Callable[[Path], object]]] = [
        (corpus, "*.parquet", used),
        (corpus, "corpus.yaml", used),
        (stored, "values-*.npy", used),
        (stored, "*.parquet", used),
        (index, "projection.npy", opened),
        (index, "index.json", opened),
        *((index, f"store/**/{name}", opened) for name in ("rows.parquet", "exact.f32", "words.u32", "queries.npy")),
        (index, "store/manifest.json", opened),
    ]
    for number, (whole, pattern, read) in enumerate(readers):
        folder = Path(shutil.copytree(whole, tmp_path / str(number) / whole.name))
        for path in list(folder.glob(pattern)):
            replaced(path, kind)
        assert not tried(lambda folder=folder, read=read: read(folder)), pattern
    assert not tried(lambda: load_pickle(replaced(tmp_path / "a.pkl", kind)))
    assert not tried(lambda: list(lcd.read(replaced(tmp_path / "lcd.csv", kind))))
    assert not tried(lambda: load_checkpoint(replaced(tmp_path / "last.ckpt", kind)))


# Parquet: a value that is kept once stands for many


def many(count: int, value: Any, kind: pa.DataType) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([value], kind))


@pytest.mark.parametrize("name", ["beside", "start", "values", "id"])
@pytest.mark.parametrize("kind", [pa.binary(), pa.string()], ids=["bytes", "text"])
def test_a_shard_with_bytes_in_a_column(corpus: Path, name: str, kind: pa.DataType, tmp_path: Path) -> None:
    (shard,) = corpus.glob("*.parquet")
    (tmp_path / "corpus.yaml").write_bytes((corpus / "corpus.yaml").read_bytes())
    table = pa.concat_tables([pq.read_table(shard)] * 2000)
    column = many(len(table), b"x" * MIB if kind == pa.binary() else "x" * MIB, kind)
    if name == "beside":
        table = table.append_column(name, column)
    else:
        table = table.set_column(table.column_names.index(name), name, column)
    pq.write_table(table, tmp_path / shard.name, compression="zstd", dictionary_pagesize_limit=2**28)
    assert not tried(lambda: used(tmp_path))


def test_a_table_with_bytes_in_a_column(tmp_path: Path) -> None:
    times = pa.array(pd.date_range("2024-05-01", periods=12_000, freq="h"))
    table = pa.table({"time": times, "level": np.arange(12_000.0), "note": many(12_000, b"x" * MIB, pa.binary())})
    pq.write_table(table, tmp_path / "a.parquet", dictionary_pagesize_limit=2**28)
    assert not tried(lambda: read_table(tmp_path / "a.parquet"))


# Checkpoints


def nested(depth: int) -> dict[str, Any]:
    own: dict[str, Any] = {}
    for _ in range(depth):
        own = {"a": own}
    return own


def doubled(levels: int) -> list[Any]:
    own: list[Any] = ["x"]
    for _ in range(levels):
        own = [own, own]
    return own


def endless() -> dict[str, Any]:
    own: dict[str, Any] = {}
    own["a"] = own
    return own


CHECKPOINTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "nested deep": lambda own: own["config"]["data"].update(options=nested(400)),
    "a list of lists": lambda own: own["config"].update(callbacks=doubled(28)),
    "within itself": lambda own: own["config"]["data"].update(options=endless()),
    "built in no place": lambda own: own.update(built=["\0"]),
    "a number of many digits": lambda own: own["config"]["encoder"].update(width=10**400),
}
PLACES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no path": lambda own: (own["config"].update(init_from="x"), own.update(places={"init_from": "\0"})),
    "a long path": lambda own: (own["config"].update(init_from="x"), own.update(places={"init_from": "a" * 300})),
    "the home of nobody": lambda own: own["config"]["text"].update(cache_dir="~nobody-at-all/x"),
}


@pytest.mark.parametrize("kind", ["sparse", "complex"])
def test_weights_that_are_no_plain_numbers(kind: str, content: dict[str, Any], tmp_path: Path) -> None:
    content["state_dict"] = {
        name: weight.to_sparse() if kind == "sparse" else weight.to(torch.complex64)
        for name, weight in content["state_dict"].items()
    }
    AtomicCheckpointIO().save_checkpoint(content, tmp_path / "last.ckpt")
    assert not tried(lambda: load_checkpoint(tmp_path / "last.ckpt"))


@pytest.mark.parametrize("kind", [*CHECKPOINTS, *PLACES])
def test_checkpoints(kind: str, content: dict[str, Any], tmp_path: Path) -> None:
    (CHECKPOINTS | PLACES)[kind](content["trace_lit"])
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint(content, path)
    assert tried(lambda: encoder_of(load_checkpoint(path))) == (kind in PLACES)


# Indexes


def another(folder: Path, about: dict[str, Any]) -> None:
    """Let the index of a segment be one over other vectors."""
    (path,) = folder.rglob("index.faiss")
    made = faiss.IndexHNSWFlat(16, 4)
    made.add(np.zeros((9, 16), np.float32))
    faiss.write_index(made, str(path))


SEGMENTS: dict[str, Callable[[Path, dict[str, Any]], object]] = {
    "an effort without end": lambda folder, about: about.update(effort=float("inf")),
    "an effort below none": lambda folder, about: about.update(effort=-3),
    "an effort of ages": lambda folder, about: about.update(effort=2**70),
    "of another kind": lambda folder, about: about.update(kind="hnsw"),
    "of a kind that is a list": lambda folder, about: about.update(kind=["ivf-sq8"]),
    "over other vectors": another,
}


@pytest.mark.parametrize("kind", SEGMENTS)
def test_segments(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "_EXACT_BELOW", 10)
    store = FaissStore.create(tmp_path / "store", 8, 8, "ivf-sq8")
    store.upsert([window_rows(range(1500))])
    manifest = json.loads((tmp_path / "store" / "manifest.json").read_text())
    SEGMENTS[kind](tmp_path / "store", manifest["segments"][0])
    (tmp_path / "store" / "manifest.json").write_text(json.dumps(manifest))
    assert not tried(lambda: FaissStore(tmp_path / "store").search(np.ones((1, 8), np.float32), 3, Filter()))


# Public files


def test_a_remark_and_a_place_that_go_on(tmp_path: Path) -> None:
    (tmp_path / "lcd.csv").write_bytes(LCD.replace(b"METAR KATL 010552Z", b"METAR " * 20_000))
    assert not tried(lambda: list(lcd.read(tmp_path / "lcd.csv")))
    events = EVENTS.replace(b"CZ_TIMEZONE", b"CZ_TIMEZONE,CZ_NAME").replace(b"CST-6", b"CST-6," + b"(" * 60_000)
    (tmp_path / "events.csv").write_bytes(events)
    assert tried(lambda: storm_events.read(tmp_path / "events.csv"))
