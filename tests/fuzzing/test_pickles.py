"""Pickles of every dtype, shape and type that is admitted, whole or with a few instructions changed."""

from __future__ import annotations

import pickle
import pickletools
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from data_modules.unpickle import load_pickle
from tests.fuzzing.inputs import flipped, fuzzed, tried

KINDS = (
    *(
        "?",
        "i1",
        "<i2",
        ">i4",
        "<i8",
        "u1",
        ">u2",
        "<u4",
        "u8",
        "<f2",
        ">f4",
        "<f8",
        "c8",
        ">c16",
        "S3",
        "U2",
        ">U3",
        "O",
    ),
    *(f"{letter}[{unit}]" for letter in ("<M8", ">m8") for unit in ("D", "s", "ns", "Y")),
)
SHAPES = ((), (0,), (3,), (2, 3), (3, 1, 2), (0, 4))
PLAIN: tuple[Any, ...] = (
    *(
        None,
        True,
        1,
        -(2**40),
        2**63,
        1.5,
        float("nan"),
        "text",
        "é\n",
        b"\0\xff",
        bytearray(b"x"),
        1 + 2j,
        set(),
        {1, "a"},
    ),
    *(
        frozenset((1, 2)),
        (),
        (1,),
        (1, 2),
        (1, 2, 3),
        (1, 2, 3, 4),
        [],
        [1, [2]],
        {},
        {"a": 1, 2: None},
        datetime(2024, 5, 1),
    ),
    *(
        pd.Timestamp("2024-05-01 10:00"),
        np.float32(1.5),
        np.int64(3),
        np.bool_(True),
        np.str_("x"),
        np.datetime64("2024-05-01"),
    ),
)
# What a program may ask for instead, by what it asks for: codes of dtypes, byte orders, names, encodings.
EXCHANGED: tuple[tuple[bytes, tuple[bytes, ...]], ...] = (
    *((code, (b"V8", b"O8", b"f2", b"S9", b"M8", b"x1")) for code in (b"f8", b"i8", b"O8", b"U2", b"M8", b"c8")),
    (b"<", (b">", b"|", b"?")),
    (b"latin1", (b"utf-16", b"latin-1")),
    (b"_reconstruct", (b"scalar", b"_frombuffer")),
    (b"ndarray", (b"dtype",)),
    (b"numpy._core", (b"numpy.core", b"posix")),
    (b"frozenset", (b"bytearray", b"complex", b"set", b"bytes", b"eval")),
    (b"_unpickle_timestamp", (b"Timestamp",)),
    *((length, (b"K\x07", b"K\x00", b"J\xff\xff\xff\xff", b"J\xff\xff\xff\x7f")) for length in (b"K\x02", b"K\x03")),
)


@st.composite
def arrays(draw: Any) -> Any:
    """An array of some kind, shape and order; of a time with a unit, of objects with texts and nothing."""
    kind, shape = draw(st.sampled_from(KINDS)), draw(st.sampled_from(SHAPES))
    numbers = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    made = numbers.astype(kind)
    if kind == "O":
        made[...] = np.array([None, "x", (1,)], object)[numbers % 3]
    made = np.asfortranarray(made) if draw(st.booleans()) else made
    return made[()] if draw(st.integers(0, 5)) == 0 else made


CONTENTS = st.recursive(
    arrays() | st.sampled_from(PLAIN),
    lambda own: (
        st.lists(own, max_size=3)
        | st.tuples(own, own)
        | st.dictionaries(st.sampled_from(["a", 1, None, b"x", 2.5]), own, max_size=2)
    ),
    max_leaves=4,
)


def plain(content: Any) -> Any:
    """What can be compared: arrays as kind, shape and content; times as NumPy has them; bytes of any type as bytes."""
    if isinstance(content, (np.ndarray, np.generic)):
        return type(content).__name__, content.dtype.str.lstrip("<>=|"), content.shape, repr(content.tolist())
    if isinstance(content, datetime):
        own = np.datetime64(content.replace(tzinfo=None), getattr(content, "unit", "us"))
        return plain(own)
    if isinstance(content, dict):
        return {key: plain(own) for key, own in content.items()}
    if isinstance(content, (list, tuple)):
        return type(content)(map(plain, content))
    return bytes(content) if isinstance(content, bytearray) else "NaN" if content != content else content


def changed(draw: Any, whole: bytes) -> bytes:
    """A program with some of its words exchanged, or instructions left out, moved or there twice."""
    for _ in range(draw(st.integers(1, 2))):
        known = [own for own in EXCHANGED if own[0] in whole]
        if known and draw(st.booleans()):
            old, new = draw(st.sampled_from(known))
            whole = whole.replace(old, draw(st.sampled_from(new)), draw(st.sampled_from([1, -1])))
            continue
        try:
            places = [place for _, _, place in pickletools.genops(whole)]
        except ValueError:  # changed before
            return whole
        first, second, third = (places[draw(st.integers(0, len(places) - 1))] for _ in range(3))
        first, second = min(first, second), max(first, second)
        part = whole[first : min(second, first + 40)]
        whole = draw(
            st.sampled_from([whole[:first] + whole[first + len(part) :], whole[:third] + part + whole[third:], whole])
        )
    return whole


@fuzzed
@given(st.data())
def test_pickles(tmp_path: Path, data: st.DataObject) -> None:
    content = data.draw(CONTENTS)
    whole = pickle.dumps(content, protocol=data.draw(st.integers(0, 5)))
    path = tmp_path / "data.pkl"
    kind = data.draw(st.integers(0, 3))
    if kind == 3:
        path.write_bytes(flipped(data.draw, whole))
    else:
        path.write_bytes(whole if kind == 0 else changed(data.draw, whole))
    found: list[Any] = []
    done = tried(lambda: found.append(load_pickle(path)))
    if kind == 0 and done:  # what is read is what was written
        assert repr(plain(found[0])) == repr(plain(content))
    assert done or kind
