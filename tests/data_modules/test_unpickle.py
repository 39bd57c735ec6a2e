import pickle

import numpy as np
import pytest

from data_modules.corpus import CorpusError
from data_modules.unpickle import load_pickle

CONTENT = {
    "array": np.arange(6, dtype=np.float32).reshape(2, 3),
    "strings": np.array([["2016-17 01", "289"]]),
    "objects": np.array([1, "two", None], dtype=object),
    "scalars": [np.float64(1.5), np.bool_(True), np.int64(3)],
    "plain": (1, 2.5, "text", b"bytes", None, True, {"a": [1]}, {1, 2}, 1 + 2j),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_plain_types_are_read(protocol, tmp_path):
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps(CONTENT, protocol=protocol))
    read = load_pickle(path)
    np.testing.assert_array_equal(read["array"], CONTENT["array"])
    assert read["array"].dtype == np.float32
    assert read["strings"].tolist() == CONTENT["strings"].tolist()
    assert read["objects"].tolist() == [1, "two", None]
    assert read["scalars"] == CONTENT["scalars"]
    assert read["plain"] == CONTENT["plain"]


def test_the_names_of_an_older_numpy_are_read(tmp_path):
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps(CONTENT["array"], protocol=0).replace(b"numpy._core", b"numpy.core"))
    np.testing.assert_array_equal(load_pickle(path), CONTENT["array"])


class Malicious:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [1, {"deep": (x,)}], lambda x: np.array([x], dtype=object)])
def test_code_is_refused_by_name_and_not_run(wrap, tmp_path):
    import os

    path, proof = tmp_path / "data.pkl", tmp_path / "proof"
    path.write_bytes(pickle.dumps(wrap(Malicious(os.system, f"touch {proof}"))))
    with pytest.raises(
        CorpusError, match=r"data.pkl is refused: it asks for posix.system; only NumPy arrays and plain"
    ):
        load_pickle(path)
    assert not proof.exists()


@pytest.mark.parametrize("call", [eval, exec, getattr, __import__, open, np.load, np.frombuffer])
def test_builtins_and_numpy_functions_are_no_way_around(call, tmp_path):
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps(Malicious(call, "1")))
    with pytest.raises(CorpusError, match="it asks for"):
        load_pickle(path)


def test_a_dotted_name_is_refused(tmp_path):
    path = tmp_path / "data.pkl"
    path.write_bytes(b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.")
    with pytest.raises(CorpusError, match=r"it asks for numpy\.ndarray\.tofile"):
        load_pickle(path)


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps(CONTENT)[:-20], b"\x80\x04N"])
def test_a_damaged_pickle_is_named(content, tmp_path):
    (tmp_path / "data.pkl").write_bytes(content)
    with pytest.raises(CorpusError, match=r"data.pkl is no pickle or a damaged one"):
        load_pickle(tmp_path / "data.pkl")


def test_an_absent_pickle_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"there is no file .*data.pkl"):
        load_pickle(tmp_path / "data.pkl")


class Asked:
    """Pickled as a call of `function` with `arguments`, and then with a `state`."""

    def __init__(self, function, arguments, state=None):
        self.parts = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.parts


FOREVER = 10**12


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (Asked(np.dtype, ("i4,O",)), "the dtype 'i4,O'"),
        (Asked(np.dtype, ({"names": ["a"], "formats": ["O"]},)), "the dtype"),
        (Asked(np.dtype, ("f8",), (3, "<", None, ("a",), {"a": 1}, 8, 8, 1)), "fields"),
        (Asked(np.dtype, ("f8",), (3, "?", None, None, None, -1, -1, 0)), "a state that no dtype has"),
        (Asked(bytearray, (FOREVER,)), "made of bytes only"),
        (Asked(bytes, (FOREVER,)), "made of bytes only"),
        (Asked(set, (range(3),)), "builtins.range"),
        ({(1, 2): 3}, "a tuple as a key"),
        (2**64, "a whole number of 65 bits"),
    ],
)
def test_what_no_array_of_numbers_needs_is_refused(content, reason, tmp_path):
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(CorpusError, match=r"data.pkl is refused: ") as refused:
        load_pickle(path)
    assert reason in str(refused.value)


def rebuilt(kind, shape, data):
    """The pickle of an array whose state says other things than its content."""
    from numpy._core.multiarray import _reconstruct

    return pickle.dumps(Asked(_reconstruct, (np.ndarray, (0,), b"b"), (1, shape, np.dtype(kind), False, data)))


@pytest.mark.parametrize(
    ("kind", "shape", "data"),
    [
        ("f8", (FOREVER,), b""),
        ("f8", (3,), b"too short"),
        ("U0", (FOREVER,), b""),
        ("f8", (0, FOREVER), b""),
        ("f8", (-1,), b""),
        ("O", (2,), b"\x41" * 16),  # pointers of one's own choice
        ("O", (2,), [1]),
    ],
)
def test_an_array_is_as_large_as_what_the_file_holds(kind, shape, data, tmp_path):
    (tmp_path / "data.pkl").write_bytes(rebuilt(kind, shape, data))
    with pytest.raises(CorpusError, match=r"data.pkl is refused: it asks for an array of"):
        load_pickle(tmp_path / "data.pkl")


def test_what_is_shared_may_not_grow_without_bound(tmp_path):
    nested = ["a"]
    for _ in range(60):
        nested = [nested, nested]
    endless = []
    endless.append(endless)
    for content in (nested, endless):
        (tmp_path / "data.pkl").write_bytes(pickle.dumps(content))
        with pytest.raises(CorpusError, match="many times its"):
            load_pickle(tmp_path / "data.pkl")


def test_a_place_in_the_memo_takes_no_memory(tmp_path):
    (tmp_path / "data.pkl").write_bytes(b"\x80\x02Nr\xff\xff\xff\xff.")
    assert load_pickle(tmp_path / "data.pkl") is None


def test_times_and_columns_first_are_read(tmp_path):
    times = np.array(["2024-01-31", "2024-02-29"], dtype="datetime64[ns]")
    columns = np.asfortranarray(np.arange(6.0).reshape(2, 3).astype(">f4"))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        (tmp_path / "data.pkl").write_bytes(pickle.dumps([times, columns], protocol=protocol))
        read = load_pickle(tmp_path / "data.pkl")
        np.testing.assert_array_equal(read[0], times)
        np.testing.assert_array_equal(read[1], columns)
        assert read[0].dtype == times.dtype
