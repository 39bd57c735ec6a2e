"""Readers of folders with several files, fed with what resembles them; see `test_readers`."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from data_modules import Channel, Corpus, CorpusInfo, Record, validate_corpus, write_corpus
from data_modules.appending import append, record_origin
from data_modules.sources import tables
from data_modules.tables.counts import Counts
from data_modules.tables.files import read_table
from data_modules.tables.guess import guess
from tests.data_modules.tables.folders import rows, write
from tests.data_modules.tables.test_guess import SERIES
from tests.data_modules.tables.test_heads import HEADS, ROWS
from tests.data_modules.tables.test_kinds import HOURS, NUMBERS, TIMES
from tests.data_modules.tables.test_packed import zipped
from tests.data_modules.tables.test_spread import AUTUMN, DAYS, JAN, lines, year
from tests.data_modules.tables.test_spread import HOURS as HOURS_OF_A_DAY
from tests.fuzzing.inputs import ODD, changed, flipped, fuzzed, tried, with_a_cell, with_a_column
from tests.fuzzing.test_readers import used
from trace_lit.errors import InputError
from trace_lit.inference.index import Index
from trace_lit.inference.index_files import IndexFile, hidden
from trace_lit.inference.parts import CorpusEntry
from trace_lit.inference.space import Space
from trace_lit.modules import load_checkpoint
from trace_lit.retrieval.filters import Filter, Span
from trace_lit.retrieval.projection import Projection
from trace_lit.retrieval.stores import COLUMNS, FaissStore, Rows, key_of
from trace_lit.settings import Config, to_dict

CLOCK = pd.date_range("2024-10-24", periods=120, freq="h", tz="Europe/Berlin").tz_localize(None)
SPEC: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "missing": [-999, "1e20"],
    "resample": None,
    "series": [
        {"files": "load-*.csv", "time": "Zeitpunkt", "channels": {"Last (kW)": {"name": "load", "unit": "kW"}}},
        {"files": ["air.csv"], "time_format": "%Y-%m-%d %H:%M"},
        {"files": "long.csv", "channel": "what", "value": "value", "time": "when", "timezone": "+01:00"},
        {"files": "epoch.tsv", "time": "t", "time_format": "s"},
    ],
    "notes": [
        {"files": "notes.xlsx", "falls": "midpoint", "before": "6h", "text": "note", "time": "day"},
        {"files": "spans.csv", "falls": "inside", "end": "end", "label": "label", "time": "begin", "channel": "about"},
    ],
    "windows": {"length": 24, "stride": 12, "observed": 0.5, "begin": "2024-10-24"},
    "labels": [{"label": "high", "channel": "load", "statistic": "max", "above": 103}, {"label": "low"}],
    "split": {"validation": "2024-10-26", "test": "2024-10-27"},
}
TEXTS: dict[str, Any] = {
    "load-1.csv": "Umspannwerk\nZeitpunkt;Last (kW);Zustand\n"
    + "".join(f"{when:%d.%m.%Y %H:%M:%S};1.{100 + n % 7},5;ok\n" for n, when in enumerate(CLOCK)),
    "air.csv": "time,air temperature [°C]\n"
    + "".join(f'{when:%Y-%m-%d %H:%M},"{n % 9},5"\n' for n, when in enumerate(CLOCK)),
    "long.csv": "when,what,value\n"
    + "".join(f"{when:%Y-%m-%dT%H:%M},{own},{n % 5}\n" for n, when in enumerate(CLOCK[:48]) for own in ("a [m]", "b")),
    "epoch.tsv": "t\twind\n" + "".join(f"{1729720800 + 3600 * n}\t{n % 4}.5\n" for n in range(96)),
    "spans.csv": "begin,end,text,label,about\n2024-10-25 06:00,2024-10-25 12:00,up,odd,load\n2024-10-26,2024-10-27,,,\n",
    "notes.xlsx": pd.DataFrame({"day": CLOCK[::24].date, "note": [f"crew {n}" for n in range(5)]}),
}
VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"timezone": "UTC", "resample": "mean", "frequency": "2h"},
    {"timezone": "+01:00", "duplicates": "mean", "tolerance": "5min", "stamps": "end"},
    {"missing_hour": "shift", "split": {"train": 0.7, "validation": 0.1, "test": 0.2}, "labels": []},
    {"series": [{"files": "load-*.csv", "name": "{file}"}], "notes": [], "windows": {}},
    {"series": [{"files": "long.csv", "id": "what", "time": "when", "channels": {"value": "level [m]"}}], "labels": []},
)
_TIMES = [cell if isinstance(cell, str) else str(cell) for cells, *_ in TIMES.values() for cell in cells]
CELLS = ["", "nan", "1e400", "x", '"', "2024-10-27 02:30", "9999-12-31", "0001-01-01", ";", "-999", "1e20", "1.234,5"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = write(tmp_path_factory.mktemp("tables"), TEXTS)
    return {name: (folder / name).read_bytes() for name in TEXTS}


@fuzzed
@given(st.data())
def test_tables(files: dict[str, bytes], tmp_path: Path, data: st.DataObject) -> None:
    spec = SPEC | data.draw(st.sampled_from(VARIANTS))
    written = dict(files)
    kind = data.draw(st.integers(0, 3))
    if kind == 0:
        spec = changed(data.draw, spec, 3)
    elif kind > 1:
        name = data.draw(st.sampled_from([own for own in files if own != "notes.xlsx"]))
        lines = files[name].decode().split("\n")
        for _ in range(data.draw(st.integers(1, 3))):
            number = data.draw(st.integers(0, len(lines) - 1))
            separator = next((own for own in (";", "\t") if own in lines[number]), ",")
            cells = lines[number].split(separator)
            cells[data.draw(st.integers(0, len(cells) - 1))] = data.draw(st.sampled_from(CELLS))
            lines[number] = separator.join(cells)
        written[name] = "\n".join(lines).encode(data.draw(st.sampled_from(["utf-8", "cp1252", "utf-16"])))
    if data.draw(st.integers(0, 9)) == 0:
        name = data.draw(st.sampled_from(sorted(files)))
        written[name] = flipped(data.draw, files[name])
    write(tmp_path, written)

    spec.setdefault("series", SPEC["series"])  # the command asks for it

    def read() -> None:
        info, records = tables.windows(tmp_path, "mine", **{key: own for key, own in spec.items() if key in SPEC_KEYS})
        Corpus.from_records(records, info)

    tried(read)


def _nights(content: str) -> str:
    """Of a year of days, those around the two changes of clocks."""
    all_lines = content.split("\n")
    return "\n".join([all_lines[0], *all_lines[29:33], *all_lines[239:243], ""])


_BERLIN = {"timezone": "Europe/Berlin"}
# Tables whose times are spread over columns, and what is said of them.
SPREAD: dict[str, tuple[str, dict[str, Any]]] = {
    "months": (lines(["year", *JAN], [[own, *range(12)] for own in range(2000, 2004)]), {"across": "months"}),
    "months of stations": (
        lines(
            ["station", "year", *map(str, range(1, 13))],
            [[name, own, *range(12)] for name in ("Aachen", "Bonn") for own in range(2000, 2003)],
        ),
        {"across": "months", "id": "station"},
    ),
    "months of channels": (
        lines(["year", "element", *JAN], [[2000, "low", *range(12)], [2000, "high", *range(12)]]),
        {"across": "months", "channel": "element", "channels": {}},
    ),
    "days": (
        lines(
            ["year", "month", *map(str, range(1, 32))],
            [[2024, n, *[day if day < (31, 29, 31, 30)[n - 1] else "" for day in range(31)]] for n in range(1, 5)],
        ),
        {"across": "days"},
    ),
    "weekdays": (
        lines(["week", "Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"], [[day, *range(7)] for day in DAYS[3:32:7]]),
        {"across": "weekdays"},
    ),
    **{
        f"hours, {kind}": (lines(["date", *names], [[day, *range(24)] for day in DAYS[:4]]), {"across": "hours"})
        for kind, names in HOURS_OF_A_DAY.items()
    },
    "hours and one more": (
        _nights(year(["25"], {3: ""}, [*AUTUMN[:3], *AUTUMN[4:], AUTUMN[3]])),
        {"across": "hours", **_BERLIN},
    ),
    "hours that count on": (_nights(year(["25"], {24: ""}, AUTUMN)), {"across": "elapsed hours", **_BERLIN}),
    "hours, one twice": (
        lines(
            ["date", "h1", "h2", "h3a", "h3b", *(f"h{n}" for n in range(4, 25))],
            [["2024-03-31", 1, 1, "", "", *[1] * 21], ["2024-04-01", 1, 1, 1, "", *[1] * 21], ["2024-10-27", *AUTUMN]],
        ),
        {"across": "hours", **_BERLIN},
    ),
}
_RECORDS = [{"ts": f"2024-05-01T{n:02}:00:00+02:00", "level": n / 8, "open": n > 3, "by": [n]} for n in range(9)]
OTHERS: dict[str, str] = {
    "a.jsonl": "\n".join(map(json.dumps, _RECORDS)),
    "a.json": json.dumps(_RECORDS, indent=0),
    "a.csv.gz": rows(HOURS, ["1.5", "", "-999"]),
    "a.zip": rows(HOURS, separator=";"),
}


def packed(name: str, content: bytes) -> bytes:
    """The content of a file as its name says that it is packed."""
    if name.endswith(".zip"):
        return zipped(a_csv=content)
    return gzip.compress(content) if name.endswith(".gz") else content


def _of_kind(kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Files of a kind that other tests read, and how these are described."""
    if kind in TIMES:
        cells, given, _ = TIMES[kind]
        part, options = {"files": "a.csv"}, dict(given)
        part = {**part, **options.pop("series", [{}])[0]}
        part |= {"time_format": options.pop("time_format")} if "time_format" in options else {}
        quoted = [f'"{cell}"' for cell in cells]
        return {"a.csv": rows(quoted, separator=part.get("separator", ","))}, {"series": [part], **options}
    if kind in NUMBERS:
        cells, given, _ = NUMBERS[kind]
        part = {"files": "a.csv", **{key: own for key, own in given.items() if key != "missing"}}
        return {"a.csv": rows(HOURS, cells, ";")}, {"series": [part], "missing": given.get("missing", [])}
    if kind in HEADS:
        return {"a.csv": HEADS[kind][0] + ROWS}, {"series": [{"files": "a.csv"}]}
    if kind in SPREAD:
        content, own = SPREAD[kind]
        return {"a.csv": content}, {"series": [{"files": "a.csv", "channels": {"rain": {"unit": "mm"}}, **own}]}
    if kind in OTHERS:
        return {kind: OTHERS[kind]}, {"series": [{"files": kind}]}
    files = SERIES[kind][0]
    return dict(files), {"series": [{"files": list(files)}]}


@fuzzed
@given(st.data())
def test_kinds_of_tables(tmp_path: Path, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([*TIMES, *NUMBERS, *HEADS, *SERIES, *3 * [*SPREAD, *OTHERS]]))
    files, options = _of_kind(kind)
    options = {"windows": {"length": 2}, "split": {"train": 1}, **options}
    name = data.draw(st.sampled_from(sorted(files)))
    lines = files[name].split("\n")
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.integers(0, len(lines) - 1))
        cells = re.split("([,;])", lines[place])
        own = data.draw(st.sampled_from(CELLS) | st.sampled_from(_TIMES) | st.text(max_size=6))
        cells[2 * data.draw(st.integers(0, len(cells) // 2))] = own
        lines[place] = "".join(cells)
    files[name] = packed(name, "\n".join(lines).encode("utf-8", "replace"))
    if data.draw(st.integers(0, 4)) == 0:
        files[name] = flipped(data.draw, files[name] or b"\n")
    if data.draw(st.integers(0, 4)) == 0:
        options = changed(data.draw, options, 2)
    write(tmp_path, files)

    def read() -> None:
        info, records = tables.windows(
            tmp_path, "mine", **{key: own for key, own in options.items() if key in SPEC_KEYS}
        )
        Corpus.from_records(records, info)

    options.setdefault("series", [{"files": "a.csv"}])
    tried(read)
    tried(lambda: guess(tmp_path))


SPEC_KEYS = {*SPEC, "frequency", "tolerance", "stamps", "duplicates", "missing_hour", "name", "description"}


@fuzzed
@given(st.data())
def test_workbooks_and_parquet_tables(tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["a.xlsx", "a.parquet"]))
    frame = pd.DataFrame({"time": CLOCK[:9], "note": ["x"] * 9, "level": np.arange(9.0)}).astype(object)
    for _ in range(data.draw(st.integers(0, 2)) if name == "a.xlsx" else 0):
        own = data.draw(st.sampled_from([*CELLS, datetime(1, 1, 1), CLOCK[0].date(), CLOCK[0].time(), 20240501]) | ODD)
        try:
            frame.iloc[data.draw(st.integers(0, 8)), data.draw(st.integers(0, 2))] = own
            frame.to_excel(tmp_path / name, index=False)
        except Exception:  # no workbook has such a cell
            return
    if name == "a.parquet":
        table = pa.Table.from_pandas(frame.infer_objects())
        for _ in range(data.draw(st.integers(0, 2))):
            table = with_a_column(data.draw, table)
        pq.write_table(table, tmp_path / name)
    else:
        frame.to_excel(tmp_path / name, sheet_name=data.draw(st.sampled_from(["a", "0", "é"])), index=False)
    if data.draw(st.integers(0, 3)) == 0:
        (tmp_path / name).write_bytes(flipped(data.draw, (tmp_path / name).read_bytes()))
    part = {"files": name, "sheet": data.draw(st.sampled_from([None, 0, "0", "a", 1]))}

    def read() -> None:
        info, records = tables.windows(tmp_path, "mine", [part], windows={"length": 2}, split={"train": 1})
        Corpus.from_records(records, info)

    tried(lambda: read_table(tmp_path / name))
    tried(read)


GROWING: dict[str, Any] = {
    "series": [{"files": "a.csv"}, {"files": "b.parquet"}],
    "notes": [{"files": "n.csv"}],
    "windows": {"length": 8},
}


def _hours(first: int, last: int) -> list[str]:
    return [f"{CLOCK[0] + pd.Timedelta(hours=n):%Y-%m-%d %H:%M}" for n in range(first, last)]


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables, and the corpus that was made of them."""
    folder = tmp_path_factory.mktemp("growing")
    files = {
        "a.csv": rows(_hours(0, 64)),
        "b.parquet": pd.DataFrame({"time": pd.DatetimeIndex(_hours(0, 64)), "flow": np.arange(64.0)}),
        "n.csv": "time,text\n" + "".join(f"{own},rain\n" for own in _hours(0, 64)[::9]),
    }
    root = write(folder / "tables", files)
    info, records = tables.windows(root, "mine", **GROWING)
    record_origin(write_corpus(records, info, folder / "corpus"), "mine", root, GROWING)
    return folder


@fuzzed
@given(st.data())
def test_rows_that_are_added(growing: Path, tmp_path: Path, data: st.DataObject) -> None:
    shutil.rmtree(tmp_path)
    shutil.copytree(growing, tmp_path)
    root, source = tmp_path / "tables", tmp_path / "corpus" / "source.yaml"
    content = (root / "a.csv").read_bytes()
    content += "".join(f"{own},{n}\n" for n, own in enumerate(_hours(64, 64 + data.draw(st.integers(0, 20))))).encode()
    if data.draw(st.booleans()):
        content = with_a_cell(data.draw, content, ",")
    (root / "a.csv").write_bytes(content)
    if data.draw(st.integers(0, 3)) == 0:
        more = pd.DataFrame({"time": pd.DatetimeIndex(_hours(64, 80)), "flow": np.arange(16.0)})
        table = pa.concat_tables([pq.read_table(root / "b.parquet"), pa.Table.from_pandas(more, preserve_index=False)])
        pq.write_table(with_a_column(data.draw, table) if data.draw(st.booleans()) else table, root / "b.parquet")
    if data.draw(st.integers(0, 3)) == 0:
        (root / "c.csv").write_text(rows(_hours(64, 90), names=data.draw(st.sampled_from(["time,level", "time,x"]))))
    if data.draw(st.integers(0, 2)) == 0:
        written = yaml.safe_dump(changed(data.draw, yaml.safe_load(source.read_text()), 4))
        source.write_text(written, errors="surrogatepass")
    if tried(lambda: append(tmp_path / "corpus", Counts(), root)):
        assert validate_corpus(tmp_path / "corpus") == []


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    info = CorpusInfo("rivers", "rivers", "made up", (Channel("level", "m"), Channel("flow", "m/s")), "1h", ("up",))
    series = rng.normal(size=(2, 48))
    records = [
        Record(f"r{n}", "s", datetime(2024, 1, 1 + n // 24, n % 24), series[:, n : n + 8], text="high", label="up")
        for n in range(0, 40, 4)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("data_modules.corpus_writing.IN_MEMORY", 10)
        path = write_corpus(records, info, tmp_path_factory.mktemp("stored") / "rivers").path
    assert list(path.glob("values-*.npy"))
    return path


@fuzzed
@given(st.data())
def test_stored_corpora(stored: Path, tmp_path: Path, data: st.DataObject) -> None:
    shutil.copytree(stored, tmp_path, dirs_exist_ok=True)
    path = data.draw(st.sampled_from(sorted(tmp_path.iterdir())))
    before = path.read_bytes()
    if path.suffix == ".npy" and data.draw(st.booleans()):
        kind = data.draw(st.sampled_from(["<f4", ">f4", "<f8", ">f8", "<i8", "<c8", "S4", "<f2"]))
        shape = data.draw(st.sampled_from([(48, 2), (2, 48), (96,), (0, 2), (48, 2, 1)]))
        values = np.zeros(shape, kind)
        if kind[1] == "f":
            with np.errstate(over="ignore"):  # of <f2
                values += data.draw(st.sampled_from([0.0, np.nan, np.inf, 1e20]))
        np.save(path, np.asfortranarray(values) if data.draw(st.booleans()) else values)
    elif path.suffix == ".yaml" and data.draw(st.booleans()):
        path.write_text(yaml.safe_dump(changed(data.draw, yaml.safe_load(before))), errors="surrogatepass")
    else:
        path.write_bytes(flipped(data.draw, before))
    tried(lambda: used(tmp_path))


FILTERS = (
    Filter(),
    Filter(since=datetime(1970, 1, 1), until=datetime(2030, 1, 1, tzinfo=UTC)),
    Filter(label=("storm",), series=("a", "b"), corpus=("sea",), split=("train",)),
    Filter(corpus=("sea",), with_text=True),
    Filter(apart=Span(3, 5, "sea", "")),
)


def window_rows(numbers: range) -> Rows:
    """Windows of the corpus `sea`."""
    count = len(numbers)
    columns = {name: [""] * count for name in COLUMNS.names} | {
        "key": [key_of("sea", str(n)) for n in numbers],
        "id": [str(n) for n in numbers],
        "corpus": ["sea"] * count,
        "text": ["a calm sea"] * count,
        **{name: list(numbers) for name in ("row", "start", "end")},
    }
    vectors = np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)
    return Rows(pa.table(columns, COLUMNS), vectors, vectors)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of two segments, made without a model."""
    folder, rng = tmp_path_factory.mktemp("index"), np.random.default_rng(0)
    space = Space("0", "../run", (Channel("level", "m"),), (None, "level [m]"), 4, {"level [m]": (0.0, 1.0)})
    entry = CorpusEntry("sea", "../sea", "sea", "f", 12, ("storm",))
    IndexFile("faiss", None, None, space, 8, (entry,), {"series": 1.0}).write(folder)
    Projection().save(folder / "projection.npy")
    store = FaissStore.create(folder / "store", 8, 8, "exact", rng.normal(size=(3, 8)).astype(np.float32))
    for numbers in (range(8), range(6, 12)):
        store.upsert([window_rows(numbers)])
    return folder


@fuzzed
@given(st.data())
def test_indexes(index: Path, tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "index"
    for former in (folder, hidden(folder, "old"), hidden(folder, "building")):
        shutil.rmtree(former, ignore_errors=True)
    shutil.copytree(index, folder)
    segments = data.draw(st.sampled_from([1] * 9 + [12]))  # many are merged
    path = data.draw(st.sampled_from(sorted(own for own in folder.rglob("*") if own.is_file())))
    if path.suffix == ".parquet" and data.draw(st.booleans()):
        pq.write_table(with_a_column(data.draw, pq.read_table(path)), path)
    elif path.suffix == ".json" and data.draw(st.integers(0, 3)):
        path.write_text(json.dumps(changed(data.draw, json.loads(path.read_text()), 3)))
    elif data.draw(st.integers(0, 3)):
        path.write_bytes(flipped(data.draw, path.read_bytes()))

    wanted = data.draw(st.sampled_from(FILTERS))
    if data.draw(st.integers(0, 9)) == 0:  # as a build leaves it that is killed between its two renames
        folder.rename(hidden(folder, data.draw(st.sampled_from(["old", "building"]))))

    def read() -> None:
        with Index.open(folder) as opened:
            opened.search(vectors=np.ones(8, np.float32), top=3)
            store = opened.store
            store.search(np.ones((1, 8), np.float32), 3, wanted)
            store.match("calm sea", 3, wanted)
            places = store.select(wanted)
            assert store.count(wanted) == len(places) == len(store.rows(places))
            assert opened.info.rows == len(opened)
            opened.info.as_dict()
            opened.stale()
            opened.delete(["3"])
            for first in range(20, 20 + 2 * segments, 2):
                store.upsert([window_rows(range(first, first + 2))])

    tried(read)


@fuzzed
@given(st.data())
def test_packaged_models(tmp_path: Path, data: st.DataObject) -> None:
    weights = save({"model.encoder.cls": torch.zeros(16), "model.text.weight": torch.zeros(16, 4)})
    weights = flipped(data.draw, weights) if data.draw(st.integers(0, 2)) == 0 else weights
    config = to_dict(Config(stage="align"))
    header = {"text_width": 4, "epochs": 1, "steps": 2, "config": config}
    header = {"sha256": hashlib.sha256(weights).hexdigest(), **changed(data.draw, header, 3)}
    about = yaml.safe_dump(header).encode("utf-8", "surrogatepass")
    (tmp_path / "model.safetensors").write_bytes(weights)
    (tmp_path / "about.yaml").write_bytes(flipped(data.draw, about) if data.draw(st.integers(0, 3)) == 0 else about)
    tried(lambda: load_checkpoint(tmp_path / "model.safetensors"))
    with pytest.raises(InputError):
        load_checkpoint(tmp_path / "model.safetensors", "pretrain")
