"""Readers of single files, fed with what resembles them: they read them, or refuse them in one sentence; see `inputs`."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from data_modules import Channel, Corpus, CorpusInfo, Record, validate_corpus, write_corpus
from data_modules.frames import read_array, read_frame, read_series
from data_modules.frequency import Frequency
from data_modules.windows import Windows
from tests.fuzzing.inputs import ODD, TREES, changed, flipped, fuzzed, tried
from trace_lit.config import given_keys, list_keys
from trace_lit.inference.loaded import encoder_of
from trace_lit.modules import AtomicCheckpointIO, load_checkpoint
from trace_lit.runs.compare import compare_runs
from trace_lit.runs.folder import read_settings
from trace_lit.runs.listing import list_run, list_runs
from trace_lit.runs.tables import to_json, to_markdown
from trace_lit.settings import Config, load_config, split_words, to_dict, to_yaml

FRAMES: list[dict[str, Any]] = [
    {"wind": [1.0, None], "gust [m/s]": ["2", "x"]},
    {"wind": [1, 2]},
    {"wind": [True, False], "time": ["2024-03-31 02:30", "2024-03-31T03:30"]},
    {"wind": [1e30, 2], "date": [20240501, 20240502]},
    {"wind": pd.array([1, None], "Int64"), "when": [3, 4]},
    {"wind": [1, 2], "time": [pd.NaT, pd.Timestamp("2024-05-01", tz="Asia/Tokyo")]},
    {"wind": [1j, 2], "gust": [[1], {}]},
    {3: [1, 2]},
]
INDICES: list[Any] = [
    pd.date_range("2024-05-01", periods=2, freq="h"),
    pd.date_range("2024-05-01", periods=2, freq="h", tz="Asia/Tokyo"),
    pd.DatetimeIndex(["2024-03-31 02:30", "2024-03-31 02:45"]),
    pd.Index(["2024-05-02", "2024-05-01"], name="time"),
    pd.Index(["a", None]),
    pd.PeriodIndex(["2024-05", "2024-06"], freq="M"),
    pd.MultiIndex.from_tuples([(1, 2), (3, 4)]),
    pd.Index([0.5, 1.5]),
    pd.to_timedelta([1, 2], unit="s"),
]
ARRAYS: list[Any] = [
    *(np.zeros((2, 3)), np.zeros((2, 0)), np.zeros(3), np.full((2, 3), np.inf), [[1, None], [2, 3]], [[1], [2, 3]]),
    *("text", None, 3, np.zeros((2, 3), complex), np.zeros((2, 3), "M8[s]"), np.array([["1", "x"]] * 2), {"a": 1}),
    np.ma.masked_array([[1.0, 2], [3, 4]], [[0, 1], [0, 0]]),
]


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
    channels = [Channel("wind", "m/s"), Channel("gust", "m/s")]
    zone = data.draw(st.sampled_from(["UTC", "Europe/Berlin", "+05:30", "nowhere"]))
    tried(lambda: read_series(path, channels, frequency, zone))

    # DataFrames and arrays
    values = data.draw(st.sampled_from(FRAMES))
    index = data.draw(st.sampled_from([None, *INDICES]))
    tried(
        lambda: (
            read_frame(pd.DataFrame(values, index=index), channels, zone=zone)
            if index is None or len(index) == 2
            else None
        )
    )
    tried(lambda: read_array(data.draw(st.sampled_from(ARRAYS)), channels))


# Words of each key: its default, what is allowed, and numbers and texts of like kinds.
WORDS: dict[str, list[str]] = {
    key.name: [json.dumps(key.default), *key.allowed.replace(" or ", ", ").split(", "), "0", "2", "0.5", "[a, b [m]]"]
    for key in list_keys(Config)
} | {"x": ["1"], "data.options.instances": ["60"], "by_frequency": ["{week: {0: {window: {season: 52}}}}"]}
# What is no word, or has a value that YAML does not read.
WRONG = ("x", "=1", "seed={", "head=[a", "window.targets=[a, b [m]]", "data.options.a=2024-13-45", "a=&a [*a]", "--x=1")
STAGES = ["stage=tune", "stage=align", "stage=pretrain", "tune.task=classify", "head.solver=combination"]
# Words that a rule across sections is about, and names of a list that YAML does not read.
TOGETHER = (
    *("rag.use_futures=true", "rag.mode=prompt", "rag.retriever=shape", "rag.retriever=runs/x", "tune.model=naive"),
    *(
        "tune.model=retrieved_mean",
        "tune.scope=all",
        "tune.alignment_weight=0.1",
        "data.jitter=0.1",
        "head.solver=ridge",
    ),
    *(
        "head.quantiles=[0.1,0.9]",
        "tune.loss=mae",
        "window.augmentation_scales=[0.5]",
        "tune.model=moment",
        "head.solver=none",
    ),
    *("window.targets=[heat [K], b]", "window.targets=a [b", "window.targets=['x', \"y\"]", "trainer.max_epochs=0"),
    *(
        "callbacks=[3]",
        "callbacks=['a:b']",
        "logger={class: x}",
        "seed=5000000000",
        "data.random_offset=true",
        "run.name=a/b",
    ),
    *(
        "tune.options={a: 1}",
        "tune.backbone=x",
        "data.options.x=${seed}",
        "data.root=${nothing}",
        "mining={}",
        "trainer=3",
    ),
)


@fuzzed
@given(st.data())
def test_words(data: st.DataObject) -> None:
    words = data.draw(st.lists(st.sampled_from(STAGES), max_size=2))
    for _ in range(data.draw(st.integers(0, 2))):
        name = data.draw(st.sampled_from(sorted(WORDS)))
        known, odd = st.sampled_from(WORDS[name]), st.text(max_size=30) | ODD.map(str) | TREES.map(json.dumps)
        words.append(f"{name}={data.draw(known if data.draw(st.integers(0, 3)) else odd)}")
    words += data.draw(st.lists(st.sampled_from(TOGETHER), max_size=2))
    words += data.draw(st.lists(st.sampled_from(WRONG), max_size=1)) if data.draw(st.integers(0, 3)) == 0 else []

    def read() -> None:
        paths, own = split_words(words)
        given_keys(load_config(paths, own))

    tried(read)


DEEP = "[" * 120
YAMLS = (
    *("a: &a [*a]", "a: 0x" + "f" * 99, DEEP, DEEP + "]" * 120, "a: 1\na: 2", "1", "- 1", "<<: {a: 1}", "seed: [1, 2"),
    *("seed: \x01", "a: 2024-13-45", "a: !!python/name:os.system", "a: !b c", "seed: ${oc.env:HOME}", "a: 1_0:99:99"),
    "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [{', '.join(9 * [f'*a{n}'])}]\n" for n in range(9)),
    "stage: tune\nhead: {solver: combination}\ntune: {task: classify}",
    f"data: {{options: {{x: '{'y' * 9}'}}}}\n" * 2,
)


@fuzzed
@given(st.data())
def test_configurations(tmp_path: Path, data: st.DataObject) -> None:
    (tmp_path / "checkpoints").mkdir(exist_ok=True)
    path = tmp_path / "config.yaml"
    if data.draw(st.integers(0, 2)) == 0:
        odd = data.draw(st.sampled_from(YAMLS))
        path.write_text(odd if data.draw(st.booleans()) else f"x: {odd}")
    elif data.draw(st.booleans()):
        path.write_bytes(flipped(data.draw, to_yaml(Config()).encode()))
    else:
        sections = sorted(to_dict(Config()))
        kept = data.draw(st.sets(st.sampled_from(sections), min_size=1, max_size=4))
        plain = changed(data.draw, {name: own for name, own in to_dict(Config()).items() if name in kept})
        path.write_text(yaml.safe_dump(plain), encoding="utf-8", errors="surrogatepass")
    for read in (lambda: load_config([path]), lambda: read_settings(tmp_path), lambda: list_run(tmp_path)):
        tried(read)


@fuzzed
@given(st.data())
def test_metrics(tmp_path: Path, data: st.DataObject) -> None:
    metrics = {
        "test/text_to_series/pair/MRR": 0.1,
        "test/text_to_series/pair/MRR/ci95": [0.0, 0.2],
        "test/forecast/mse": 1.5,
        "validation/loss": 0.5,
        "fit/seconds": 1.0,
        "run/data_fingerprint": "f" * 64,
    }
    for seed in range(data.draw(st.integers(1, 2))):
        (tmp_path / f"a-{seed}" / "checkpoints").mkdir(parents=True, exist_ok=True)
        words = data.draw(st.sampled_from(["", "stage: align\n", "encoder: {layers: 2}\n"]))
        (tmp_path / f"a-{seed}" / "config.yaml").write_text(f"seed: {seed}\n{words}")
        text = json.dumps(changed(data.draw, metrics, 1) if data.draw(st.booleans()) else metrics)
        text = data.draw(st.sampled_from([text] * 9 + [DEEP * 99, "{" + '"a": {' * 120, "[]", '{"a": NaN}']))
        written = flipped(data.draw, text.encode()) if data.draw(st.integers(0, 7)) == 0 else text.encode()
        (tmp_path / f"a-{seed}" / "metrics.json").write_bytes(written)
    pattern = data.draw(st.none() | st.sampled_from(["MRR", "mse", "", "(", "nothing"]))
    details, each = data.draw(st.booleans()), data.draw(st.booleans())

    def read() -> None:
        comparison = compare_runs([tmp_path], pattern, details=details, each=each)
        json.loads(to_json(comparison), parse_constant=pytest.fail)
        assert "\x1b" not in to_markdown(comparison) + str(comparison)
        comparison.to_frame()

    tried(read)
    if details:
        tried(lambda: list_runs([tmp_path]))


INFO = CorpusInfo("rivers", "rivers", "made up", (Channel("level", "m"), Channel("flow", "m/s")), "1h")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    records = [
        Record(
            f"r{n}", f"s{n}", datetime(2024, 1, 1), rng.normal(size=(2, 8)), text="high", split=("train", "test")[n % 2]
        )
        for n in range(6)
    ]
    return write_corpus(records, INFO, tmp_path_factory.mktemp("corpora") / "rivers").path


def used(path: Path) -> None:
    validate_corpus(path)
    opened = Corpus.load(path)
    _ = opened.starts, opened.ends, opened.labels, opened.texts, opened.values()[:1][0]
    windows = Windows.stitched(opened, range(len(opened))).with_times()
    _ = windows.values[windows.first], windows.values[:1]


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
    stage = data.draw(st.sampled_from(["pretrain", "align", "tune"]))
    content["trace_lit"] |= {"stage": stage, "corpora": [INFO.as_dict()] * data.draw(st.integers(0, 1))}
    content["trace_lit"] |= {
        "label_names": ["up"],
        "built": ["../x"],
        "places": {"init_from": "../x", "data.corpus": ["x"]},
    }
    content["loops"] = {"fit_loop": {"epoch_progress": {"current": {"processed": 2}}}}
    content["trace_lit"]["config"] |= {"init_from": data.draw(st.sampled_from([None, "runs/x"])), "stage": stage}
    for _ in range(data.draw(st.integers(0, 2))):
        content = changed(data.draw, content, 5)
    AtomicCheckpointIO().save_checkpoint(content, path)
    if data.draw(st.integers(0, 5)) == 0:
        path.write_bytes(flipped(data.draw, path.read_bytes()))

    def read() -> None:
        checkpoint = load_checkpoint(path)
        _ = checkpoint.channels, checkpoint.frequencies, checkpoint.timezone, checkpoint.alignment_weights()
        encoder_of(checkpoint)

    tried(read)
