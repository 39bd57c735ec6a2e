"""The values of long series on the disk, each step once; windows are views of them.

A NumPy file (S, C), all series one after another, is mapped into memory: several workers and processes read the same pages,
and only what is looked at is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray
from torch import Tensor

from data_modules.frequency import Frequency
from data_modules.schema import CorpusError
from trace_lit.errors import first_line
from trace_lit.plain import check_file

KINDS = ("<f4", "<f8")
BLOCK = 2**22  # values that are looked at at once
_LONGEST_HEADER = 1000  # bytes
_SECOND = 1_000_000  # microseconds


class SeriesValues:
    """(S, C) values, NaN where missing, of a file that is mapped into memory.

    An index is what NumPy takes along the steps, or a tensor of places; what comes back is a tensor. A copy in another
    process maps the same file.

    Raises
    ------
    CorpusError
        The file is missing, damaged or of another form.
    """

    def __init__(self, path: Path, channels: int) -> None:
        self.path, self.channels = path, channels
        self.array: NDArray[np.floating] = _mapped(path, channels)

    def __reduce__(self) -> tuple[Any, ...]:
        return SeriesValues, (self.path, self.channels)

    def __len__(self) -> int:
        return len(self.array)

    @property
    def dtype(self) -> np.dtype:
        return self.array.dtype

    def __getitem__(self, index: Any) -> Tensor:
        if isinstance(index, Tensor):
            return torch.from_numpy(self.array[index.numpy()])  # a copy, as indices make one
        return torch.from_numpy(self.array[index].copy())

    def blocks(self) -> Iterator[tuple[int, NDArray[np.floating]]]:
        """The first step and the values (n, C) of one part after another."""
        for first in range(0, len(self), size := block_steps(self.channels)):
            yield first, self.array[first : first + size]


def block_steps(channels: int) -> int:
    """The steps of so many channels that are looked at at once."""
    return max(1, BLOCK // channels)


def _mapped(path: Path, channels: int) -> NDArray[np.floating]:
    try:
        check_file(path)
        with path.open("rb") as file:
            version = npy.read_magic(file)
            if version != (1, 0):
                raise ValueError(f"version {version}")
            shape, by_column, kind = npy.read_array_header_1_0(file, max_header_size=_LONGEST_HEADER)
            begins = file.tell()
        if by_column or kind.str not in KINDS or len(shape) != 2 or shape[1] != channels or shape[0] < 1:
            raise ValueError(
                f"it holds {kind.str} of shape {shape}; it must be {' or '.join(KINDS)} (steps, {channels})"
            )
        if (size := os.path.getsize(path)) != begins + shape[0] * shape[1] * kind.itemsize:
            raise ValueError(f"it has {size:,} bytes")
        return np.asarray(np.memmap(path, kind, "r", begins, shape))
    except FileNotFoundError:
        raise CorpusError(f"there is no file {path}; build the corpus again") from None
    except Exception as error:  # numpy's reader of headers raises what it likes, even errors of its tokenizer
        raise CorpusError(
            f"{path} is damaged or truncated ({first_line(error)[:200]}); build the corpus again"
        ) from None


class WindowViews(Sequence[NDArray[np.floating]]):
    """The values (C, T) of windows that begin at `first` (N,) and have `steps` (N,) steps, each a view."""

    def __init__(self, values: SeriesValues, first: NDArray[np.int64], steps: NDArray[np.int64]) -> None:
        self._values, self._first, self._steps = values, first, steps

    def __len__(self) -> int:
        return len(self._first)

    @overload
    def __getitem__(self, row: int) -> NDArray[np.floating]: ...
    @overload
    def __getitem__(self, row: slice) -> WindowViews: ...
    def __getitem__(self, row: int | slice) -> NDArray[np.floating] | WindowViews:
        if isinstance(row, slice):
            return WindowViews(self._values, self._first[row], self._steps[row])
        first = int(self._first[row])
        return self._values.array[first : first + int(self._steps[row])].T


class StepTimes:
    """When the steps of runs begin, or end, in whole seconds since 1970; an index is a place, or a tensor of places.

    Parameters
    ----------
    first, start, alias
        (R,) of each run the place of its first step, when that begins (datetime64), and its frequency.
    after
        0 for the seconds in which steps begin, 1 for those after they end.
    """

    def __init__(
        self, first: NDArray[np.int64], start: NDArray[np.datetime64], alias: NDArray[np.object_], after: int
    ) -> None:
        self._first, self._start, self._after = first, start, after
        names, self._frequency = np.unique(alias.astype(str), return_inverse=True)
        self._frequencies = [Frequency.parse(name) for name in names.tolist()]

    def __getitem__(self, place: int | Tensor) -> Tensor:
        places = np.asarray(place)
        run = np.searchsorted(self._first, places, side="right") - 1
        steps = places - self._first[run] + self._after
        found = np.empty(places.shape, dtype="datetime64[us]")
        for number, frequency in enumerate(self._frequencies):
            own = self._frequency[run] == number
            found[own] = frequency.advance(self._start[run][own], steps[own])
        moments = found.astype(np.int64)
        return torch.from_numpy(np.asarray(-(-moments // _SECOND) if self._after else moments // _SECOND))
