"""Reading a pickle without running what it asks for.

A pickle may name any function and have it called. Upstream data come as pickles of NumPy arrays and plain Python types,
so that is all that is admitted here.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from data_modules.corpus import CorpusError

_ADMITTED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    *(("builtins", name) for name in ("bytearray", "bytes", "complex", "frozenset", "range", "set", "slice")),
    ("_codecs", "encode"),  # how protocols before 3 write bytes
}
_RENAMED = {  # by NumPy 2 and by Python 3
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
    "__builtin__": "builtins",
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        module = _RENAMED.get(module, module)
        if (module, name) not in _ADMITTED:
            raise CorpusError(f"it asks for {module}.{name}; only NumPy arrays and plain Python types are admitted")
        return super().find_class(module, name)

    def persistent_load(self, reference: Any) -> Any:
        raise CorpusError(f"it refers to something outside of it ({reference!r})")


def load_pickle(path: Path) -> Any:
    """What the pickle `path` holds: NumPy arrays, NumPy scalars and plain Python types, in any nesting.

    Raises
    ------
    CorpusError
        The file is absent, damaged, or asks for anything else; nothing of it is run.
    """
    try:
        with path.open("rb") as file:
            return _PlainUnpickler(file).load()
    except FileNotFoundError:
        raise CorpusError(f"there is no file {path}") from None
    except CorpusError as error:
        raise CorpusError(f"{path} is refused: {error}") from None
    except Exception as error:  # a damaged pickle fails in any way
        raise CorpusError(f"{path} is no pickle or a damaged one ({type(error).__name__}: {error})") from None
