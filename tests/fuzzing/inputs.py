"""Inputs that resemble a reader's own: valid ones with a few places changed.

`TRACE_LIT_FUZZ` is the number of inputs of each test (default: 15; `make faults` takes 1,060, which are 20,000 in all); the
seed changes from day to day and is printed by hypothesis where something goes wrong.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import os
import pickle
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from trace_lit.errors import InputError

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
    _forget_peak()
    began, before, message = time.process_time(), _peak(), ""
    try:
        read()
    except InputError as error:
        message = str(error).strip() or repr(error)
    assert time.process_time() - began < SECONDS
    assert _peak() - before < BYTES
    assert "\n" not in message
    assert len(message) < 20_000
    return not message


def _forget_peak() -> None:
    """Let `_peak` count from here on, where the system can: what was read before may have taken more."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """The most bytes that this process has had; 0 where the system does not show it."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return 0
    return 1024 * int(found[1]) if found else 0


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
    kind = draw(st.integers(0, 7))
    if kind == 0 and isinstance(node, dict):
        node[draw(st.text(max_size=8))] = draw(TREES)
    elif keys:
        key = draw(st.sampled_from(keys))
        if kind == 1:
            del node[key]
        else:
            node[key] = draw(TREES) if kind < 4 else alike(draw, node[key])
    return tree


def alike(draw: Any, own: Any) -> Any:
    """Something of the type of `own`, which is not refused for its type."""
    if isinstance(own, bool):
        return not own
    if isinstance(own, int):
        return draw(st.sampled_from([0, 1, -1, own + 1, own - 1, 2 * own, 10**6, 2**40]))
    if isinstance(own, float):
        return draw(st.sampled_from([0.0, -own, 0.5, own / 3, 1e9, 1e300]))
    if isinstance(own, str):
        return draw(
            st.sampled_from(["", own[:-1], own[1:], own + own, own.upper(), own + " [m]"]) | st.text(max_size=9)
        )
    if isinstance(own, list) and own:
        place = draw(st.integers(0, len(own) - 1))
        return draw(st.sampled_from([own[:place], own[place:], [*own, own[place]], own[::-1], 40 * own]))
    if isinstance(own, dict) and own:
        one, other = draw(st.sampled_from(list(own))), draw(st.sampled_from(list(own)))
        return own | {one: own[other], other: own[one]}
    return draw(TREES)


def _items(node: Any) -> list[tuple[Any, Any]]:
    return list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []


def flipped(draw: Any, whole: bytes) -> bytes:
    """`whole` with some bytes changed, or a part of it left out.

    Places are drawn as shares of the length, which may be another each time: packed files hold the time.
    """
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        data[draw(st.integers(0, 2**20 - 1)) * len(data) >> 20] = draw(st.integers(0, 255))
    cut = draw(st.integers(0, 2**20)) * 4 * len(data) >> 20
    return bytes(data[:cut])


CELLS = (
    *("", " ", "0", "-1", "7", "1e400", "1e20", "nan", "inf", "999999", "-9999", "x", '"', "é", "\0", "1" * 40, "100"),
    *(
        "9999-12-31",
        "0001-01-01",
        "2024-02-30",
        "2024-05-01T00:00:00",
        "2020-01-02 00:10",
        "1/2/2020",
        "201901",
        "2460",
    ),
    *(
        "M",
        "T",
        "*",
        "5s",
        "3V",
        "VRB",
        "V",
        "OVC:08",
        "X:10",
        "BKN",
        "FEW:02 250 OVC:19",
        "CST-6",
        "GST10",
        "Q",
        "223",
        "5",
    ),
)
ODD_ARRAYS: tuple[Any, ...] = (
    *(np.empty(0), np.zeros((0, 5)), np.zeros(3), np.zeros((2, 5)), np.full((480, 5), np.nan), np.array(1.0)),
    *(np.array([["x"] * 5]), np.array([None, 1], object), np.zeros((30, 10), complex), np.zeros((4, 5), "m8[s]")),
    *(np.array(["2012-10-02"] * 3), np.array([["2016-17 01", "1", "2", "3", "x"]]), np.full((480, 5), 1e300)),
    *(np.zeros((48, 5), ">i2"), np.zeros((48, 5), bool), np.array([[1], [2, 3]], dtype=object), [[1, 2], [3]], "text"),
)
COLUMNS: tuple[tuple[Any, pa.DataType], ...] = (
    *((number, kind) for number in (0, 1) for kind in (pa.int8(), pa.uint64(), pa.float16(), pa.float64())),
    *((own, pa.string()) for own in ("", "x", "2019", "VRB", "nan", "9" * 40)),
    *((own, pa.large_string()) for own in ("5", "OVC:08")),
    *(
        (1.5, pa.float32()),
        (float("nan"), pa.float64()),
        (1e300, pa.float64()),
        (b"\xff", pa.binary()),
        (True, pa.bool_()),
    ),
    *((b"\xff\xfe", pa.binary(2)), (3, pa.decimal128(38, 0)), (3, pa.timestamp("ns", "UTC")), (3, pa.date32())),
    *((3, pa.duration("s")), (3, pa.time64("ns")), (None, pa.null()), ([1.0], pa.list_(pa.float64()))),
    *(([[1.0], []], pa.list_(pa.list_(pa.float32()))), ({"a": "x"}, pa.struct([("a", pa.string())]))),
    *(([("a", "x")], pa.map_(pa.string(), pa.string())), ("x", pa.dictionary(pa.int8(), pa.string()))),
)


def encoded(name: str, content: Any) -> bytes:
    """The file `name` with this content: bytes as they are, else rows of cells, JSON, a pickle or Parquet by its name."""
    if isinstance(content, bytes):
        return content
    if name.endswith(".json"):
        return json.dumps(content).encode("utf-8", "surrogatepass")
    if name.endswith(".jsonl"):
        return b"\n".join(json.dumps(own).encode("utf-8", "surrogatepass") for own in content)
    if name.endswith(".pkl"):
        return pickle.dumps(content)
    stream = io.BytesIO()
    pq.write_table(content, stream)
    return stream.getvalue()


def mutated(draw: Any, name: str, content: Any) -> bytes:
    """The file `name` with some of its places changed, in its own form; once in four times also its bytes."""
    changes = draw(st.integers(0, 3))
    for _ in range(changes):
        if isinstance(content, bytes):
            content = with_a_cell(draw, content, "|" if name.endswith((".psv", ".dbx")) else ",")
        elif name.endswith(".pkl"):
            content = changed_object(draw, content)
        elif isinstance(content, pa.Table):
            content = with_a_column(draw, content)
        else:
            content = changed(draw, content)
    try:
        whole = encoded(name, content)
    except (TypeError, ValueError, pa.ArrowException):  # there is no such file
        return b"x"
    return flipped(draw, whole) if whole and draw(st.integers(0, 3)) == 0 else whole


def with_a_cell(draw: Any, content: bytes, separator: str) -> bytes:
    """Rows of cells with one cell exchanged, or one row left out, cut or there twice."""
    lines = content.split(b"\n")
    place = draw(st.integers(0, len(lines) - 1))
    kind = draw(st.integers(0, 9))
    if kind > 2:
        quoted = separator == ","
        text = lines[place].decode("utf-8", "surrogateescape")
        cells = next(csv.reader([text], delimiter=separator)) if quoted and text else text.split(separator)
        cells = cells if quoted or separator in text else text.split()
        own = draw(st.sampled_from(CELLS) | st.text(max_size=6))
        if cells:
            cells[draw(st.integers(0, len(cells) - 1))] = own
        written = io.StringIO()
        csv.writer(written, lineterminator="").writerow(cells)
        joined = written.getvalue() if quoted and draw(st.integers(0, 3)) else separator.join(cells)
        lines[place] = joined.encode("utf-8", "surrogatepass")
    elif kind == 2:
        lines[place] = lines[place][: draw(st.integers(0, len(lines[place])))]
    else:
        lines[place : place + 1] = [lines[place]] * 2 * kind
    return b"\n".join(lines)


def changed_object(draw: Any, content: Any) -> Any:
    """Lists and arrays with another item, length or kind; or something else in their place."""
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return draw(st.sampled_from(ODD_ARRAYS) | TREES)
    if isinstance(content, list) and kind < 3:
        return changed(draw, content, 2)
    if isinstance(content, np.ndarray) and not content.ndim:
        return content.item()
    cut = draw(st.integers(0, len(content))) if hasattr(content, "__len__") else 0
    if kind == 3 and cut:
        return content[:cut]
    if isinstance(content, np.ndarray) and content.size:
        if kind == 4:
            try:
                return content.astype(
                    draw(st.sampled_from([">f4", "f2", "U", "S", "O", "i8", "c16", "?", "M8[D]", "m8[s]"]))
                )
            except (TypeError, ValueError, OverflowError):
                return content
        content = content.copy() if content.dtype == object else content.astype(object)
        place = tuple(draw(st.integers(0, length - 1)) for length in content.shape)
        content[place] = draw(st.sampled_from(CELLS) | ODD)
    return content


def with_a_column(draw: Any, table: pa.Table) -> pa.Table:
    """A table of which one column has other values, all of one kind, another name, or is not there; or without rows."""
    kind, place = draw(st.integers(0, 9)), draw(st.integers(0, max(table.num_columns - 1, 0)))
    if kind == 0 or not table.num_columns:
        return table.slice(0, draw(st.integers(0, 1)))
    if kind == 1:
        return table.remove_column(place)
    name = table.column_names[place]
    if kind == 2:
        return table.rename_columns([draw(st.text(max_size=5)) if own == name else own for own in table.column_names])
    if kind < 6:  # some cells, in their own kind
        cells = table.column(place).to_pylist()
        if cells:
            cells[draw(st.integers(0, len(cells) - 1))] = changed(draw, cells[0], 2) if kind == 3 else draw(ODD)
        try:
            return table.set_column(place, name, pa.array(cells, table.schema.field(place).type))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            return table
    value, own = draw(st.sampled_from(COLUMNS))
    return table.set_column(place, name, pa.array([value] * len(table), own))
