"""The channels of a table: a column each, or the values of a long table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_modules.schema import CorpusError
from data_modules.tables.columns import column, plain, time_columns
from data_modules.tables.counts import Counts
from data_modules.tables.grid import FREE_CELLS, STEPS_A_ROW, check_cells
from data_modules.tables.numbers import NumberStyle, are_censored, to_numbers
from data_modules.tables.rows import id_of
from data_modules.tables.spec import ChannelSpec, SeriesSpec
from data_modules.tables.table import Table
from data_modules.tables.times import Times
from trace_lit.channels import Channel

if TYPE_CHECKING:
    import pandas as pd

_COUNTERS = ("#", "no", "no.", "nr", "nr.", "row", "record", "recnum", "lfd. nr.", "lfd nr", "index")
MOSTLY = 0.5  # cells that are no numbers make a column one of texts from this share on


@dataclass
class Cells:
    """N rows of C channels."""

    channels: dict[str, tuple[Channel, ChannelSpec]]  # by key
    values: NDArray[np.float64]  # (C, N)
    ids: NDArray[np.object_]  # (N,) the series, None where there is none
    times: Times
    rows: NDArray[np.int64]  # (N,) the place of each in the table
    groups: NDArray[np.int64]  # (N,) rows that are in one order of time
    columns: set[str]  # what the spec may name


def channel_columns(
    part: SeriesSpec,
    specs: dict[str, ChannelSpec],
    table: Table,
    ids: NDArray[np.object_],
    times: Times,
    counts: Counts,
) -> Cells:
    """A column a channel: those that the spec names, or else all columns of numbers."""
    there = {str(name) for name in table.frame.columns}
    taken = set(time_columns(table, part.time, part.time_format)) | (
        {column(table, part.id, "id")} if part.id else set()
    )
    taken |= {
        column(table, name, "good") for good in (part.good, *(own.good for own in specs.values())) for name in good
    }
    wanted = {" ".join(name.split()): own for name, own in specs.items()}
    names = (
        [name for name in wanted if name in there]
        if wanted
        else [n for n in map(str, table.frame.columns) if n not in taken]
    )
    for name in wanted.keys() - there:
        counts.add("columns that a file does not have", table.name, "missing", 1, name)
    channels: dict[str, tuple[Channel, ChannelSpec]] = {}
    values = np.empty((len(names), len(table.frame)))
    for name in names:
        if not wanted and numbers_the_rows(table, name):
            counts.add("columns that number the rows", table.name, "left out", 1, name)
            continue
        own = wanted.get(name, ChannelSpec())
        channel = own.channel(name, table.unit(name))
        numbers = read_column(table, name, channel, bool(wanted), counts)
        if numbers is None:
            continue
        numbers = good_ones(table, name, numbers, {**part.good, **own.good}, counts)
        if channel.key in channels:
            raise CorpusError(
                f"{table.path}: two columns are the channel {channel.key!r}; name them apart in `channels`"
            )
        values[len(channels)] = numbers
        channels[channel.key] = channel, own
    if wanted and (rest := [str(name) for name in table.frame.columns if str(name) not in {*names, *taken}]):
        counts.add("columns that are no channel", table.name, "left out", len(rest), ", ".join(rest)[:60])
    if not channels:
        left = ", ".join(sorted(there - taken))
        raise CorpusError(f"{table.path} has no column of numbers beside the time; its columns are {left or 'none'}")
    everything = np.arange(len(table.frame))
    return Cells(
        channels,
        values[: len(channels)],
        ids,
        times,
        everything,
        np.zeros(len(everything), np.int64),
        there & set(names),
    )


def numbers_the_rows(table: Table, name: str) -> bool:
    """Whether a column only counts the rows, as pandas writes its index, and loggers the number of a record."""
    unnamed = table.head.header and re.fullmatch(r"column 1|Unnamed: 0", name)
    if not (unnamed or plain(name) in _COUNTERS):
        return False
    cells = table.frame[name]
    if cells.dtype.kind not in "iu" or len(cells) < 2:
        return False
    counted = cells.to_numpy() - int(cells.iloc[0])
    return not (unnamed and int(cells.iloc[0]) not in (0, 1)) and bool((counted == np.arange(len(cells))).all())


def read_column(table: Table, name: str, channel: Channel, wanted: bool, counts: Counts) -> NDArray[np.float64] | None:
    """The numbers of a column; None for one of texts that nobody wants as a channel.

    Raises
    ------
    CorpusError
        It is wanted, and most of its cells are no numbers.
    """
    cells = table.frame[name]
    numbers, wrong = to_numbers(cells, table.layout.style, channel.unit)
    filled = int((~np.isnan(numbers) | wrong).sum())
    wrong &= ~_count_censored(table, name, cells, wrong, counts)
    if cells.dtype.kind in "iu" and (rounded := numbers.astype(cells.dtype) != cells.to_numpy()).any():
        counts.add("whole numbers beyond 2^53", f"{table.name}, {name}", "rounded", int(rounded.sum()))
    first = int(np.flatnonzero(wrong)[0]) if wrong.any() else 0
    if wrong.sum() > MOSTLY * max(filled, 1):
        if not wanted:
            counts.add("columns of texts", table.name, "left out", 1, name)
            return None
        raise CorpusError(
            f"{table.path}, column {name!r}: {int(wrong.sum()):,} of {filled:,} cells are no numbers, the first is "
            f"{str(cells.iloc[first])[:40]!r} in {table.place(first)}; {_remedy(table.layout.style)}"
        )
    _count_wrong(table, name, cells, wrong, counts)
    counts.add("empty cells", f"{table.name}, {name}", "missing", int(len(numbers) - filled))
    return numbers


def _remedy(style: NumberStyle) -> str:
    return (
        f"numbers have the decimal mark {style.decimal!r} (decimal) and {style.thousands or 'nothing'!r} between thousands "
        "(thousands); leave the column out of `channels` if it holds texts"
    )


def _count_wrong(table: Table, name: str, cells: pd.Series, wrong: NDArray[np.bool_], counts: Counts) -> None:
    if not wrong.any():
        return
    first = int(np.flatnonzero(wrong)[0])
    examples = [str(cell).strip() for cell in cells[wrong].head(20)]
    if len(examples) > 1 and all(re.fullmatch(r"[-+]?\d+([.,]\d+)+", text) for text in examples):
        raise CorpusError(
            f"{table.path}, column {name!r}: {examples[0]!r} in {table.place(first)} is no number "
            f"({int(wrong.sum()):,} such cells); {_remedy(table.layout.style)}"
        )
    place = f"{table.place(first)}: {str(cells.iloc[first])[:30]!r}"
    counts.add("cells that are no numbers", f"{table.name}, {name}", "missing", int(wrong.sum()), place)


def _count_censored(
    table: Table, name: str, cells: pd.Series, wrong: NDArray[np.bool_], counts: Counts
) -> NDArray[np.bool_]:
    """Which of the cells (N,) that are no numbers are limits of numbers, counted."""
    limits = are_censored(cells) & wrong
    if limits.any():
        first = int(np.flatnonzero(limits)[0])
        done = "missing; censored: limit, or half, makes them numbers"
        place = f"{table.place(first)}: {str(cells.iloc[first])[:30]!r}"
        counts.add("cells like <0.5", f"{table.name}, {name}", done, int(limits.sum()), place)
    return limits


def good_ones(
    table: Table, name: str, numbers: NDArray[np.float64], good: Mapping[str, Any], counts: Counts
) -> NDArray[np.float64]:
    """The numbers (N,) of a column, missing where another column has none of its `good` words; null is an empty cell."""
    for flag, words in good.items():
        own = column(table, flag, "good")
        known = {_folded(word) for word in (words if isinstance(words, list) else [words])}
        cells = table.frame[own].to_numpy(dtype=object, na_value=None)
        bad = ~np.isnan(numbers) & np.array([_folded(cell) not in known for cell in cells], dtype=bool)
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            place = f"{table.place(first)}: {str(cells[first])[:30]!r}"
            counts.add(
                f"values of which {own!r} says no good word",
                f"{table.name}, {name}",
                "made missing",
                int(bad.sum()),
                place,
            )
            numbers = np.where(bad, np.nan, numbers)
    return numbers


def _folded(word: object) -> str | None:
    own = id_of(word)
    return None if own is None else own.casefold()


def long_columns(
    part: SeriesSpec,
    specs: dict[str, ChannelSpec],
    table: Table,
    ids: NDArray[np.object_],
    times: Times,
    counts: Counts,
) -> Cells:
    """A row a channel and time: the rows of one series and time become one."""
    named, value = column(table, str(part.channel), "channel"), column(table, str(part.value), "value")
    kinds = [id_of(cell) for cell in table.frame[named].to_numpy(dtype=object, na_value=None)]
    wanted = {" ".join(name.split()): own for name, own in specs.items()}
    there = [name for name in dict.fromkeys(kinds) if name is not None]
    counts.add("rows without a channel", table.name, "left out", sum(kind is None for kind in kinds))
    found = set(there)
    names = [name for name in wanted if name in found] or there
    if rest := sorted(found.difference(names)):
        counts.add("channels that are not named", table.name, "left out", len(rest), ", ".join(rest)[:60])
    numbers, wrong = to_numbers(table.frame[value], table.layout.style)
    empty = np.isnan(numbers) & ~wrong
    wrong &= ~_count_censored(table, value, table.frame[value], wrong, counts)
    if wrong.sum() > MOSTLY * len(wrong):
        raise CorpusError(f"{table.path}, column {value!r} holds no numbers; {_remedy(table.layout.style)}")
    _count_wrong(table, value, table.frame[value], wrong, counts)
    counts.add("empty cells", f"{table.name}, {value}", "missing", int(empty.sum()))
    numbers = good_ones(table, value, numbers, part.good, counts)
    channels = {
        own.channel(name).key: (own.channel(name), own) for name in names for own in [wanted.get(name, ChannelSpec())]
    }
    place = {name: number for number, name in enumerate(names)}
    code = np.array([place.get(str(kind), -1) for kind in kinds])
    kept = (code >= 0) & ~np.isnat(times.local) & np.array([name is not None for name in ids])
    return _pivoted(str(table.path), channels, numbers, code, ids, times, np.flatnonzero(kept), set(names))


def _pivoted(
    table: str,
    channels: dict[str, tuple[Channel, ChannelSpec]],
    numbers: NDArray[np.float64],
    code: NDArray[np.int64],
    ids: NDArray[np.object_],
    times: Times,
    rows: NDArray[np.int64],
    columns: Sequence[str] | set[str],
) -> Cells:
    """One row for each series and time; the n-th row of a channel at one time goes with the n-th of the others."""
    import pandas as pd

    frame = pd.DataFrame({"id": ids[rows], "time": times.local[rows], "code": code[rows], "row": rows})
    frame["nth"] = frame.groupby(["id", "time", "code"]).cumcount()
    group = frame.groupby(["id", "nth", "time"], sort=False).ngroup().to_numpy()
    count = len(channels) * (group.max(initial=-1) + 1)
    check_cells(int(count), FREE_CELLS + STEPS_A_ROW * len(rows), f"{table}: {len(channels):,} channels")
    values = np.full((len(channels), group.max(initial=-1) + 1), np.nan)
    values[frame["code"], group] = numbers[rows]
    first = frame.groupby(group)["row"].first().to_numpy()
    names = frame["id"].to_numpy(dtype=object)[np.unique(group, return_index=True)[1]]
    own = Times(times.local[first], times.aware[first], times.wrong[first], times.dates)
    order = np.unique(np.array([str(name) for name in names]), return_inverse=True)[1].astype(np.int64)
    return Cells(channels, values, names, own, first, order, set(columns))
