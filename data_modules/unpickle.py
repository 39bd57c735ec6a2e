"""Reading a pickle without running what it asks for.

A pickle is a program for a small machine, which may name any function and have it called. Upstream data come as pickles of
NumPy arrays and plain Python types. So the machine here knows the instructions that build these, calls nothing that a file
names, and builds nothing that is larger than the file.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError
from trace_lit.plain import check_file

_RENAMED = {  # by NumPy 2 and by Python 3
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
    "__builtin__": "builtins",
}
_KINDS = re.compile(r"b1|[iu][1248]|f[248]|c8|c16|[SU]\d{1,7}|[Mm]8|O8?")  # of the numbers of an array
_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns")  # of times
# Keys: no complex numbers, of which many have one hash; bool is an int.
_KEYS = (str, bytes, int, float, type(None), np.character, np.bool_, np.integer, np.floating, np.datetime64)
_LARGEST = 2**64
_NAMES = {  # what a file may ask for
    "numpy.ndarray",
    "numpy.dtype",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy._core.numeric._frombuffer",
    *(f"builtins.{name}" for name in ("bytearray", "bytes", "complex", "frozenset", "set")),
    *(
        "pandas._libs.tslibs.timestamps.Timestamp",
        "pandas._libs.tslibs.timestamps._unpickle_timestamp",
        "datetime.datetime",
    ),
    "_codecs.encode",  # how protocols before 3 write bytes
}
_RESOLUTIONS = {7: "s", 8: "ms", 9: "us", 10: "ns"}  # of the times of pandas
_DIMENSIONS = 32
_MARK = object()


@dataclass(frozen=True)
class _Name:
    """Something that the file asks for by its name."""

    name: str


@dataclass
class _Kind:
    """The dtype of an array."""

    code: str
    order: str = "="
    unit: str = ""

    def build(self, state: Any) -> None:
        """Take byte order and the unit of times from `state`."""
        if not (isinstance(state, tuple) and len(state) in (8, 9) and state[1] in ("<", ">", "|", "=")):
            raise CorpusError("a dtype in it has a state that no dtype has")
        if any(part is not None for part in state[2:5]):
            raise CorpusError("it asks for a dtype with fields; only plain numbers and texts are admitted")
        self.order = state[1]
        if self.code in ("M8", "m8") and len(state) == 9:
            unit = state[8][-1][0]
            self.unit = unit.decode() if isinstance(unit, bytes) else unit
            if self.unit not in _UNITS:
                raise CorpusError(f"it asks for times in {self.unit!r}; the units are {', '.join(_UNITS)}")

    def dtype(self) -> np.dtype[Any]:
        """As NumPy has it."""
        order = "" if self.order == "|" else self.order
        return np.dtype(f"{order}{self.code}" + (f"[{self.unit}]" if self.unit else ""))


def load_pickle(path: Path) -> Any:
    """What the pickle `path` holds: NumPy arrays, NumPy scalars and plain Python types, in any nesting.

    Raises
    ------
    CorpusError
        The file is absent, damaged, or asks for anything else; nothing of it is run.
    """
    try:
        check_file(path)
        content = path.read_bytes()
    except FileNotFoundError:
        raise CorpusError(f"there is no file {path}") from None
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}") from None
    try:
        return _Machine(len(content)).run(content)
    except CorpusError as error:
        raise CorpusError(f"{path} is refused: {error}") from None
    except Exception as error:  # a damaged pickle fails in any way
        raise CorpusError(f"{path} is no pickle or a damaged one ({type(error).__name__}: {error})") from None


class _Machine:
    """The machine that a pickle is a program for."""

    def __init__(self, limit: int) -> None:
        self.limit = limit  # bytes of the file, and so values in it
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, content: bytes) -> Any:
        """What the program `content` leaves."""
        for operation, argument, _ in pickletools.genops(content):
            if operation.name == "STOP":
                break
            self._step(operation.name, argument)
        (result,) = self.stack
        self._check_size(result)
        if isinstance(result, (_Name, _Kind)):
            raise CorpusError("it holds no data")
        return result

    def _step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _VALUES:
            stack.append(_VALUES[name]())
        elif name in _LITERALS:
            if isinstance(argument, int) and abs(argument) >= _LARGEST:
                raise CorpusError(f"it holds a whole number of {argument.bit_length()} bits; 64 are admitted")
            stack.append(argument)
        elif name in _MEMO_PUTS:
            self.memo[len(self.memo) if argument is None else argument] = stack[-1]
        elif name in _MEMO_GETS:
            stack.append(self.memo[argument])
        elif name in _FROM_MARK:
            _FROM_MARK[name](self, self._above_mark())
        elif name in _FROM_STACK:
            _FROM_STACK[name](self)
        elif name == "GLOBAL":
            stack.append(_named(*argument.split(" ", 1)))
        elif name in ("PERSID", "BINPERSID"):
            raise CorpusError(f"it refers to something outside of it ({argument!r})")
        elif name not in ("PROTO", "FRAME"):
            raise CorpusError(f"it has the instruction {name}; only NumPy arrays and plain Python types are admitted")

    def _above_mark(self) -> list[Any]:
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:  # IndexError where there is none
            place -= 1
        above = self.stack[place + 1 :]
        del self.stack[place:]
        return above

    def pop(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError("the stack is empty")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def append(self, items: Iterable[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise TypeError("what is appended to is no list")
        self.stack[-1].extend(items)

    def set_items(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], dict):
            raise TypeError("what has keys set is no dict")
        self.stack[-1].update(zip(_keys(items[::2]), items[1::2], strict=True))

    def add_items(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], set):
            raise TypeError("what is added to is no set")
        self.stack[-1].update(_keys(items))

    def call(self) -> None:
        called, arguments = self.pop(2)
        if not (isinstance(called, _Name) and isinstance(arguments, tuple)):
            raise TypeError("what is called is no name")
        self.stack.append(self._made(called.name, arguments))

    def _made(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """What the function `name` would make of `arguments`."""
        if name == "numpy.dtype":
            code = arguments[0]
            if not (isinstance(code, str) and _KINDS.fullmatch(code)):
                raise CorpusError(f"it asks for the dtype {code!r}; only numbers, texts and times are admitted")
            return _Kind(code)
        if name == "numpy._core.multiarray._reconstruct":
            return np.empty(0)
        if name == "numpy._core.multiarray.scalar":
            kind, data = arguments
            return self._filled(kind, (), data, "C")[()]
        if name == "numpy._core.numeric._frombuffer":
            data, kind, shape, order = arguments
            return self._filled(kind, shape, data, order)
        if name == "_codecs.encode":
            text, encoding = arguments
            if encoding not in ("latin1", "latin-1"):
                raise CorpusError(f"it asks for the encoding {encoding!r}; bytes are written in latin1")
            return text.encode("latin1")
        if name in ("builtins.bytes", "builtins.bytearray"):
            data = arguments[0] if arguments else b""
            if isinstance(data, str):
                data = data.encode("latin1")
            if not isinstance(data, (bytes, list)):
                raise CorpusError(f"it asks for {name} of {data!r}; they are made of bytes only")
            return bytes(data)
        if name == "builtins.complex" and all(isinstance(part, (int, float)) for part in arguments):
            return complex(*arguments)
        if name in ("builtins.set", "builtins.frozenset"):
            items = arguments[0] if arguments else []
            if isinstance(items, (list, tuple, set, frozenset)):
                return (set if name == "builtins.set" else frozenset)(_keys(items))
        if name.startswith("pandas.") or name == "datetime.datetime":
            return _time(name, *arguments)
        raise CorpusError(f"it calls {name} with what it does not take")

    def build(self) -> None:
        target, state = self.pop(2)
        if isinstance(target, _Kind):
            target.build(state)
        elif isinstance(target, np.ndarray) and isinstance(state, tuple):
            _, shape, kind, by_column, data = state
            filled = self._filled(kind, shape, data, "F" if by_column else "C")
            content = data if filled.dtype.hasobject else filled.tobytes("F" if by_column else "C")
            target.__setstate__((1, filled.shape, filled.dtype, bool(by_column), content))  # type: ignore[arg-type]
        else:
            raise CorpusError("it sets the state of something else than an array")
        self.stack.append(target)

    def _filled(self, kind: Any, shape: Any, data: Any, order: Any) -> NDArray[Any]:
        """An array of `data`, bytes or the list of an array of objects, whose number its `shape` gives."""
        if not isinstance(kind, _Kind) or order not in ("C", "F"):
            raise TypeError("an array has no dtype")
        if not (
            isinstance(shape, tuple) and len(shape) <= _DIMENSIONS and all(type(n) is int and n >= 0 for n in shape)
        ):
            raise CorpusError(f"it asks for an array of the shape {shape!r}")
        whole = 1
        for length in shape:
            whole *= max(length, 1)
        if whole > self.limit:
            raise CorpusError(f"it asks for an array of the shape {shape!r}; the file has {self.limit} bytes")
        dtype, count = kind.dtype(), 0 if 0 in shape else whole
        if dtype.hasobject:
            if not isinstance(data, list) or len(data) != count:
                raise CorpusError(f"it asks for an array of {count} objects that are not spelt out")
            array = np.empty(count, dtype=object)
            for place, item in enumerate(data):  # at once, NumPy would look into items that are sequences
                array[place] = item
            return array.reshape(shape, order=order)
        if isinstance(data, (str, bytearray)):
            data = data.encode("latin1") if isinstance(data, str) else bytes(data)
        if not isinstance(data, bytes) or len(data) != count * dtype.itemsize:
            raise CorpusError(f"it asks for an array of {count} numbers of {dtype.itemsize} bytes that are not there")
        if not data:
            return np.zeros(shape, dtype=dtype)
        return np.frombuffer(data, dtype=dtype).reshape(shape, order=order).copy(order=order)

    def _check_size(self, result: Any) -> None:
        """Raise CorpusError where what is shared, written out, is much more than the file, or holds itself."""
        left, waiting = 16 * self.limit + 1000, [result]
        while waiting:
            value = waiting.pop()
            if isinstance(value, np.ndarray):
                inner: Iterable[Any] = value.ravel().tolist() if value.dtype == object else ()
            else:
                inner = value.values() if isinstance(value, dict) else value
            if isinstance(value, (list, tuple, dict, set, frozenset, np.ndarray)):
                before = len(waiting)
                waiting.extend(inner)
                left -= len(waiting) - before
            if left < 0:
                raise CorpusError(f"what it holds is many times its {self.limit} bytes")


def _time(name: str, value: Any, *more: Any) -> np.datetime64:
    """A time of pandas or of Python, which has no zone."""
    if name.startswith("pandas."):
        zone, resolution = (more[1:2] or (None,))[0], (more[2:3] or (10,))[0]
        if type(value) is int and abs(value) < _LARGEST // 2 and zone is None and resolution in _RESOLUTIONS:
            return np.datetime64(value, _RESOLUTIONS[resolution])  # type: ignore[call-overload,no-any-return]
    elif isinstance(value, (bytes, str)) and len(value) == 10 and not more:
        high, low, month, day, hour, minute, second, *micro = (
            value if isinstance(value, bytes) else value.encode("latin1")
        )
        moment = datetime(256 * high + low, month, day, hour, minute, second, int.from_bytes(bytes(micro), "big"))
        return np.datetime64(moment, "us")
    raise CorpusError(f"it asks for a {name} of another form than a time without a zone")


def _named(module: str, name: str) -> _Name:
    found = f"{_RENAMED.get(module, module)}.{name}"
    if found not in _NAMES:
        raise CorpusError(f"it asks for {found}; only NumPy arrays and plain Python types are admitted")
    return _Name(found)


def _keys(values: Iterable[Any]) -> list[Any]:
    """`values`, where each may be a key."""
    found = list(values)
    if wrong := [value for value in found if not isinstance(value, _KEYS)]:
        raise CorpusError(f"it has a {type(wrong[0]).__name__} as a key; keys are texts and real numbers")
    return found


_INTEGERS = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4")
_TEXTS = ("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
_BYTES = ("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8")
_LITERALS = frozenset((*_INTEGERS, "FLOAT", "BINFLOAT", *_TEXTS, *_BYTES))
_VALUES: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
    "MARK": lambda: _MARK,
}
_MEMO_PUTS = frozenset(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"))
_MEMO_GETS = frozenset(("GET", "BINGET", "LONG_BINGET"))
_FROM_MARK: dict[str, Callable[[_Machine, list[Any]], None]] = {
    "LIST": lambda machine, items: machine.stack.append(items),
    "TUPLE": lambda machine, items: machine.stack.append(tuple(items)),
    "DICT": lambda machine, items: machine.stack.append(dict(zip(_keys(items[::2]), items[1::2], strict=True))),
    "FROZENSET": lambda machine, items: machine.stack.append(frozenset(_keys(items))),
    "POP_MARK": lambda machine, items: None,
    "APPENDS": lambda machine, items: machine.append(items),
    "SETITEMS": lambda machine, items: machine.set_items(items),
    "ADDITEMS": lambda machine, items: machine.add_items(items),
}
_FROM_STACK: dict[str, Callable[[_Machine], Any]] = {
    "POP": lambda machine: machine.stack.pop(),
    "TUPLE1": lambda machine: machine.stack.append(tuple(machine.pop(1))),
    "TUPLE2": lambda machine: machine.stack.append(tuple(machine.pop(2))),
    "TUPLE3": lambda machine: machine.stack.append(tuple(machine.pop(3))),
    "APPEND": lambda machine: machine.append(machine.pop(1)),
    "SETITEM": lambda machine: machine.set_items(machine.pop(2)),
    "REDUCE": lambda machine: machine.call(),
    "BUILD": lambda machine: machine.build(),
    "STACK_GLOBAL": lambda machine: machine.stack.append(_named(*machine.pop(2))),
}
