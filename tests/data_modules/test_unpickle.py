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
