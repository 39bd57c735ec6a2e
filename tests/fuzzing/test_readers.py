"""Every reader, fed with what resembles its files: it reads them, or refuses them in one sentence.

`TRACE_LIT_FUZZ` is the number of inputs of each reader (default: 15; `make faults` takes 1,450); the seed changes from day
to day and is printed by hypothesis where something goes wrong.
"""

from __future__ import annotations

import asyncio
import copy
import json
import os
import pickle
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from fastapi.exceptions import RequestValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from data_modules import Channel, Corpus, CorpusInfo, Record, validate_corpus, write_corpus
from data_modules.frames import read_series
from data_modules.frequency import Frequency
from data_modules.sources import long_csv, trace, truce
from data_modules.sources.noaa import ghcnh, isd_lite, lcd, storm_events
from data_modules.sources.noaa.reports import hourly
from data_modules.sources.noaa.source import weather
from data_modules.unpickle import load_pickle
from tests.data_modules.test_trace import row
from trace_lit.config import list_keys
from trace_lit.errors import InputError
from trace_lit.inference.loaded import encoder_of
from trace_lit.modules import AtomicCheckpointIO, load_checkpoint
from trace_lit.runs.compare import compare_runs
from trace_lit.runs.folder import read_settings
from trace_lit.runs.listing import list_run
from trace_lit.runs.tables import to_json, to_markdown
from trace_lit.service.asking import question_of
from trace_lit.service.bodies import json_or_csv
from trace_lit.service.limits import Limits
from trace_lit.service.schemas import SearchRequest
from trace_lit.settings import Config, load_config, to_dict, to_yaml

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

INPUTS = int(os.environ.get("TRACE_LIT_FUZZ", "15"))
SECONDS, BYTES = 5.0, 2**30
fuzzed = settings(
    max_examples=INPUTS,
    deadline=None,  # `tried` counts the seconds, without those of other processes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["", "../..", "${oc.env:HOME}", "\x1b]0;x\x07", "a:b", "9" * 30, "1e20", "nan", "os:system", "\ud800"]
    ),
)
TREES = st.recursive(
    ODD, lambda own: st.lists(own, max_size=3) | st.dictionaries(st.text(max_size=6), own, max_size=3), max_leaves=8
)


def tried(read: Callable[[], object]) -> bool:
    """Read, and whether that could be done; what is raised is an InputError whose message is one line.

    It takes no more than `SECONDS` of the processor and `BYTES` of memory.
    """
    began, before, message = time.process_time(), _most_memory(), ""
    try:
        read()
    except InputError as error:
        message = str(error).strip() or repr(error)
    assert time.process_time() - began < SECONDS
    assert _most_memory() - before < BYTES
    assert "\n" not in message
    assert len(message) < 20_000
    return not message


def _most_memory() -> int:
    """The most bytes that this process has had so far."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if resource else 0


def changed(draw: Any, tree: Any, depth: int = 4) -> Any:
    """A copy of the plain `tree` with one part exchanged, removed or added."""
    tree = copy.deepcopy(tree)
    node = tree
    for _ in range(draw(st.integers(0, depth))):
        inner = [key for key, own in _items(node) if isinstance(own, (dict, list)) and own]
        if not inner:
            break
        node = node[draw(st.sampled_from(inner))]
    keys = [key for key, _ in _items(node)]
    if isinstance(node, dict) and draw(st.booleans()):
        node[draw(st.text(max_size=8))] = draw(TREES)
    elif keys:
        key = draw(st.sampled_from(keys))
        if draw(st.booleans()):
            node[key] = draw(TREES)
        else:
            del node[key]
    return tree


def _items(node: Any) -> list[tuple[Any, Any]]:
    return list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []


def flipped(draw: Any, whole: bytes) -> bytes:
    """`whole` with some bytes changed, or a part of it left out."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    cut = draw(st.integers(0, 4 * len(data)))
    return bytes(data[:cut])


@fuzzed
@given(st.data())
def test_csv(tmp_path: Path, data: st.DataObject) -> None:
    cells = st.sampled_from(
        ["", "1", "-2.5", "nan", "1e400", "1e20", "x", '"', "2024-05-01", "2024-05-01T01:00", "9999-12-31"]
    )
    rows = data.draw(st.lists(st.lists(cells, min_size=2, max_size=3), max_size=6))
    header = data.draw(st.sampled_from(["time,wind", "wind [m/s],time", "wind", "time,wind,wind", "x,y", ""]))
    path = tmp_path / "query.csv"
    path.write_bytes("\n".join([header, *map(",".join, rows)]).encode() + data.draw(st.binary(max_size=4)))
    alias = data.draw(st.sampled_from([None, "1h", "D", "ME", "10min"]))
    frequency = None if alias is None else Frequency.parse(alias)
    tried(lambda: read_series(path, [Channel("wind", "m/s"), Channel("gust", "m/s")], frequency))


# Words of each key: its default, what is allowed, and numbers and texts of like kinds.
WORDS: dict[str, list[str]] = {
    key.name: [json.dumps(key.default), *key.allowed.replace(" or ", ", ").split(", "), "0", "2", "0.5", "[a, b [m]]"]
    for key in list_keys(Config)
} | {"x": ["1"], "data.options.instances": ["60"], "by_frequency": ["{week: {0: {window: {season: 52}}}}"]}
STAGES = ["stage=tune", "stage=align", "stage=pretrain", "tune.task=classify", "head.solver=combination"]


@fuzzed
@given(st.data())
def test_words(data: st.DataObject) -> None:
    words = []
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(sorted(WORDS)))
        written = st.sampled_from(WORDS[name]) | st.text(max_size=30) | ODD.map(str)
        words.append(f"{name}={data.draw(written | TREES.map(json.dumps))}")
    words += data.draw(st.lists(st.sampled_from(STAGES), max_size=2))
    tried(lambda: load_config([], words))


@fuzzed
@given(st.data())
def test_configurations(tmp_path: Path, data: st.DataObject) -> None:
    (tmp_path / "checkpoints").mkdir(exist_ok=True)
    path = tmp_path / "config.yaml"
    if data.draw(st.booleans()):
        path.write_bytes(flipped(data.draw, to_yaml(Config()).encode()))
    else:
        plain = changed(data.draw, to_dict(Config()))
        path.write_text(yaml.safe_dump(plain), encoding="utf-8", errors="surrogatepass")
    for read in (lambda: load_config([path]), lambda: read_settings(tmp_path), lambda: list_run(tmp_path)):
        tried(read)


@fuzzed
@given(st.data())
def test_metrics(tmp_path: Path, data: st.DataObject) -> None:
    metrics = {"test/text_to_series/pair/MRR": 0.1, "test/text_to_series/pair/MRR/ci95": [0.0, 0.2], "fit/seconds": 1.0}
    (tmp_path / "config.yaml").write_text(to_yaml(Config()))
    text = json.dumps(changed(data.draw, metrics, 1))
    written = flipped(data.draw, text.encode()) if data.draw(st.booleans()) else text.encode()
    (tmp_path / "metrics.json").write_bytes(written)

    def read() -> None:
        comparison = compare_runs([tmp_path], details=True)
        json.loads(to_json(comparison), parse_constant=pytest.fail)
        assert "\x1b" not in to_markdown(comparison)
        list_run(tmp_path)

    tried(read)


@fuzzed
@given(st.data())
def test_pickles(tmp_path: Path, data: st.DataObject) -> None:
    arrays = [
        np.arange(6.0).reshape(2, 3),
        np.array(["a", None], dtype=object),
        np.array(["x", "yy"]),
        {"a": (1, b"2")},
    ]
    whole = pickle.dumps(data.draw(st.sampled_from(arrays)), protocol=data.draw(st.integers(0, 5)))
    (tmp_path / "data.pkl").write_bytes(flipped(data.draw, whole))
    tried(lambda: load_pickle(tmp_path / "data.pkl"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    records = [
        Record(
            f"r{n}", f"s{n}", datetime(2024, 1, 1), rng.normal(size=(2, 8)), text="high", split=("train", "test")[n % 2]
        )
        for n in range(6)
    ]
    info = CorpusInfo("rivers", "rivers", "made up", (Channel("level", "m"), Channel("flow", "m/s")), "1h")
    return write_corpus(records, info, tmp_path_factory.mktemp("corpora") / "rivers").path


def used(path: Path) -> None:
    validate_corpus(path)
    opened = Corpus.load(path)
    _ = opened.starts, opened.ends, opened.labels, opened.texts, opened.values()


@fuzzed
@given(st.data())
def test_corpus_yaml(corpus: Path, tmp_path: Path, data: st.DataObject) -> None:
    (shard,) = corpus.glob("*.parquet")
    (tmp_path / shard.name).write_bytes(shard.read_bytes())
    header = yaml.safe_load((corpus / "corpus.yaml").read_text())
    if data.draw(st.booleans()):  # made by hand
        del header["fingerprint"], header["rows"]
    text = yaml.safe_dump(changed(data.draw, header)).encode("utf-8", "surrogatepass")
    (tmp_path / "corpus.yaml").write_bytes(flipped(data.draw, text) if data.draw(st.booleans()) else text)
    tried(lambda: used(tmp_path))


@fuzzed
@given(st.data())
def test_parquet(corpus: Path, tmp_path: Path, data: st.DataObject) -> None:
    (shard,) = corpus.glob("*.parquet")
    target = tmp_path / shard.name
    (tmp_path / "corpus.yaml").write_bytes((corpus / "corpus.yaml").read_bytes())
    if data.draw(st.booleans()):
        target.write_bytes(flipped(data.draw, shard.read_bytes()))
    else:
        frame = pq.read_table(shard).to_pandas()
        name, row = data.draw(st.sampled_from(list(frame.columns))), data.draw(st.integers(0, len(frame) - 1))
        odd = st.one_of(
            ODD.filter(lambda own: own != "\ud800"), st.lists(st.lists(st.floats(), max_size=9), max_size=3)
        )
        frame[name] = frame[name].astype(object)
        frame.at[row, name] = data.draw(odd)
        try:
            frame.to_parquet(target)
        except Exception:  # pandas cannot write such a mixture
            return
    tried(lambda: used(tmp_path))


@fuzzed
@given(st.data())
def test_checkpoints(content: dict[str, Any], tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint(changed(data.draw, content, 5), path)
    if data.draw(st.integers(0, 3)) == 0:
        path.write_bytes(flipped(data.draw, path.read_bytes()))
    tried(lambda: encoder_of(load_checkpoint(path)))


PUBLIC = {
    "GHCNh_X.psv": (
        b"STATION|DATE|temperature|wind_speed|wind_direction|sky_cover_1\nX1|2019-01-01T00:51:00|1.5|3|90|BKN:07\n"
    ),
    "lcd.csv": (
        b"STATION,DATE,REPORT_TYPE,HourlyDryBulbTemperature,HourlyPrecipitation,HourlyRelativeHumidity,HourlyVisibility,"
        b"HourlySeaLevelPressure,HourlyWindSpeed,HourlyWindDirection,HourlySkyConditions,REM\n"
        b'72219013874,2020-01-01T00:52:00,FM-15,40,T,65,10,30.03,9,280,FEW:02 250,"METAR KATL 010552Z"\n'
    ),
    "725755-24101-2014": b"2014 01 01 00    63    48 10111   220    41     7 -9999     6\n",
    "events.csv": (
        b"EVENT_ID,BEGIN_YEARMONTH,BEGIN_DAY,BEGIN_TIME,EVENT_TYPE,CZ_TIMEZONE,BEGIN_LAT,BEGIN_LON,EVENT_NARRATIVE\n"
        b'1,201901,5,810,Hail,CST-6,34.5,-86.9,"Ice, as large as a coin."\n'
    ),
    "long.csv": b"date,flow [m/s]\n2024-01-01,1\n2024-01-02,2.5\n2024-01-03,\n",
    "truce/xtrain.json": b'{"a": {"series": [1, 2, 3], "annotations": [["up"]], "meta": {"label": {"labels": 3}}}}',
    "raw/mmts.jsonl": b'{"temperature": [1, 2, null], "mode": "week"}\n{"temperature": [3]}\n',
    "raw/event_report.jsonl": (
        b'{"event_type": "Hail", "narrative": "Ice.", "begin_date_time": "2020-01-01", "ts_dict_index": [0]}\n'
    ),
}


def _as_parquet(table: pa.Table) -> bytes:
    stream = pa.BufferOutputStream()
    pq.write_table(table, stream)
    return stream.getvalue().to_pybytes()


PUBLIC["GHCNh_X.parquet"] = _as_parquet(
    pa.table(
        {
            "Station_ID": ["X1"] * 2,
            **{"Year": [2019.0] * 2, "Month": [1] * 2, "Day": [1] * 2, "Hour": [0, 1], "Minute": [51] * 2},
            "temperature": [1.5, None],
            "wind_speed": ["3", "4"],
            "wind_direction": ["VRB", "90"],
            "sky_cover_summation_1": ["OVC:08", "4"],
            "temperature_Quality_Code": ["1", "3"],
        }
    )
)
PUBLIC["retrieval/test.parquet"] = _as_parquet(pa.Table.from_pylist([row(number) for number in range(2)]))
HOURS = np.datetime64("2019-01-01T00:51") + np.arange(24 * 10) * np.timedelta64(1, "h")
STATIONS = {
    "GHCNh_X.psv": PUBLIC["GHCNh_X.psv"].split(b"\n")[0]
    + b"".join(f"\nUSW00014732|{hour}:00|{n % 9}.5|3|90|BKN:07".encode() for n, hour in enumerate(HOURS)),
    "events.csv": (
        PUBLIC["events.csv"] + b"2,201901,8,1200,Hail,EST-5,,,Small ice.\n3,201901,7,1200,Flood,EST,40.7,-73.8,Water.\n"
    ),
    "ghcnh-station-list.csv": b"GHCN_ID,LATITUDE,LONGITUDE,NAME\nUSW00014732,40.779,-73.88,LA GUARDIA\n",
    "isd-history.csv": b"USAF,WBAN,STATION NAME,LAT,LON\n725030,14732,LA GUARDIA,40.779,-73.88\n",
    "bp01.dbx": b"NY|072|OKX|New York|NY072|New York|36061|E|se|40.77|-73.97\n",
    "725030-14732-2019": b"2019 01 02 00    63    48 10111   220    41     7 -9999     6\n",
}


@fuzzed
@given(st.data())
def test_weather_stations(tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(STATIONS)))
    for own, content in STATIONS.items():
        (tmp_path / own).write_bytes(content)
    lines = STATIONS[name].split(b"\n")
    place = data.draw(st.integers(0, len(lines) - 1))
    lines[place] = flipped(data.draw, lines[place] or b"\n")
    (tmp_path / name).write_bytes(b"\n".join(lines))
    options: dict[str, Any] = {
        "scales": ["week"],
        "observed": 0.0,
        "split": {"train": 0.4, "validation": 0.3, "test": 0.3},
    }
    if data.draw(st.integers(0, 3)) == 0:
        options = changed(data.draw, options, 1)
    tried(lambda: list(weather(tmp_path, **{key: own for key, own in options.items() if key in OPTIONS})[1]))


OPTIONS = ("scales", "observed", "split")
BODIES: list[dict[str, Any]] = [
    {"text": "a cold day", "top": 3, "since": "2024-05-01", "within": "texts"},
    {"series": {"channels": {"level [m]": [1, None, 2.5]}, "times": ["2024-05-01", "2024-05-02", "2024-05-03"]}},
    {"csv": "time,level [m],flow\n2024-05-01T00:00Z,1,2\n2024-05-01T01:00Z,,3\n", "split": "test"},
]
LEVELS = b"time,level\n2024-05-01,1\n2024-05-02,2.5\n"
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + LEVELS + b"\r\n--x--\r\n"


@fuzzed
@given(st.data())
def test_bodies_of_requests(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["application/json", "text/csv", "multipart/form-data; boundary=x", "text/x"]))
    content = json.dumps(changed(data.draw, data.draw(st.sampled_from(BODIES)))).encode()
    content = {"text/csv": LEVELS, "multipart/form-data; boundary=x": FORM}.get(kind, content)
    content = flipped(data.draw, content) if data.draw(st.integers(0, 2)) == 0 else content

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    # With an app, as in the service, what is wrong with a form is an error of HTTP.
    scope = {
        "type": "http",
        "app": None,
        "method": "POST",
        "headers": [(b"content-type", kind.encode())],
        "query_string": b"top=3",
    }

    def read() -> None:
        try:
            request = asyncio.run(json_or_csv(SearchRequest)(Request(scope, receive)))
        except RequestValidationError:  # the service's answer is 422
            return
        question_of(request, [Channel("level", "m"), Channel("flow", "m/s")], Limits())

    tried(read)


@fuzzed
@given(st.data())
def test_public_files(tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(PUBLIC)))
    for own, content in PUBLIC.items():
        (tmp_path / own).parent.mkdir(exist_ok=True)
        (tmp_path / own).write_bytes(content)
    (tmp_path / name).write_bytes(flipped(data.draw, PUBLIC[name]))
    for split in ("val", "test"):
        (tmp_path / "truce" / f"x{split}.json").write_bytes(PUBLIC["truce/xtrain.json"])
    reads: dict[str, Callable[[], object]] = {
        "GHCNh_X.parquet": lambda: [hourly([own]) for own in ghcnh.read(tmp_path / name)],
        "retrieval/test.parquet": lambda: list(trace.weather(tmp_path)[1]),
        "GHCNh_X.psv": lambda: [hourly([own]) for own in ghcnh.read(tmp_path / name)],
        "lcd.csv": lambda: [hourly([own]) for own in lcd.read(tmp_path / name)],
        "725755-24101-2014": lambda: [hourly([own]) for own in isd_lite.read(tmp_path / name)],
        "events.csv": lambda: [own.text for own in storm_events.read(tmp_path / name).found],
        "long.csv": lambda: list(long_csv.series(tmp_path / name, "rivers", split={"train": 1.0})[1]),
        "truce/xtrain.json": lambda: list(truce.series(tmp_path / "truce")[1]),
    }
    tried(reads.get(name, lambda: list(trace.weather(tmp_path / "raw")[1])))
