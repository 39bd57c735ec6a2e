"""The finance tables of TimeCAP: nine daily figures of markets, with a report on each 20 market days.

finance/    time_series.pkl (days, 1 + 9), indices.pkl, labels_<table>.pkl; each also as <name>_<table>.pkl
finance/gpt_summary/<start>.txt, <table>_<start>.txt or <start>_<table>.txt

The day of a row stands in its first column, as a text or a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, CorpusInfo, Record
from data_modules.sources.timecap import chosen_of, dated_table, folder_of, list_of, report, starts_of
from trace_lit.channels import Channel

DAYS = 20  # of a window, on which the market is open
CHANNELS = (
    Channel("S&P 500", "points", "stock index of the United States"),
    Channel("VIX", "%", "volatility that options on the S&P 500 imply; high is fear"),
    Channel("Nikkei 225", "points", "stock index of Japan"),
    Channel("FTSE 100", "points", "stock index of the United Kingdom"),
    Channel("gold futures", "$/oz", "price of gold"),
    Channel("crude oil futures", "$/barrel", "price of crude oil"),
    Channel("EUR/USD", "$", "price of a euro"),
    Channel("USD/JPY", "¥", "price of a US dollar in yen"),
    Channel("USD/CNY", "CN¥", "price of a US dollar in yuan"),
)
TARGETS = {"sp500": 0, "nikkei": 2}  # the channel that a table's label is about
MOVES = {2: ("falls", "rises"), 3: ("falls", "holds", "rises")}


def finance(root: str | Path, tables: Sequence[str] | None = None) -> tuple[CorpusInfo, Iterator[Record]]:
    """Daily figures in windows of 20 market days; `tables` of sp500 and nikkei, None: all that have labels.

    Steps are days of the calendar; those on which the market was closed are missing, so that windows have 26 to 31 steps.
    The label tells how the table's index moves on the next market day. Upstream writes it as a number; which one is which
    is taken from the moves that follow.

    Raises
    ------
    CorpusError
        The data are not in `root`, nor a table in the data; a file is damaged or of another form.
    """
    folder = folder_of(root, "finance", "time_series*.pkl")
    found = [table for table in TARGETS if _labels_file(folder, table) is not None]
    chosen = chosen_of(tables, found, "table", folder)
    info = CorpusInfo(
        domain="finance",
        name="timecap-finance-" + "-".join(chosen),
        source="timecap",
        channels=CHANNELS,
        frequency="D",
        label_names=tuple(f"{CHANNELS[TARGETS[table]].name} {move}" for table in chosen for move in MOVES[3]),
        description=(
            f"Daily figures of markets ({', '.join(chosen)}), with a report on each {DAYS} market days (TimeCAP, AAAI "
            "2025). Days on which the market was closed are missing. The label tells how the index moves on the next market "
            "day."
        ),
    )
    return info, (record for table in chosen for record in _records(folder, table))


def _records(folder: Path, table: str) -> Iterator[Record]:
    series = _file(folder, "time_series", table)
    dated, values = dated_table(series, len(CHANNELS))
    days = _days(dated, series)
    starts = starts_of(_file(folder, "indices", table))
    labels_file = _labels_file(folder, table)
    assert labels_file is not None  # a table without is none
    labels = list_of(labels_file)
    if len(labels) != len(starts):
        raise CorpusError(f"{labels_file}: {len(labels)} labels for {len(starts)} windows")
    for start in starts:
        if start < 0 or start + DAYS > len(days):
            raise CorpusError(f"{folder}: the window at {start} needs {DAYS} days, the series has {len(days)}")
    names = _moves(labels, starts, values[TARGETS[table]], table, labels_file)
    for start, label in zip(starts, names, strict=True):
        own = days[start : start + DAYS]
        places = (own - own[0]).astype(np.int64)
        window = np.full((len(CHANNELS), int(places[-1]) + 1), np.nan)
        window[:, places] = values[:, start : start + DAYS]
        texts = (
            report(folder / "gpt_summary" / f"{name}.txt") for name in (f"{table}_{start}", f"{start}_{table}", start)
        )
        yield Record(
            id=f"{table}_{start}",
            series_id=table,
            start=datetime.fromisoformat(str(own[0])),
            values=window.astype(np.float32),
            text=next(filter(None, texts), ""),
            label=label,
        )


def _file(folder: Path, name: str, table: str) -> Path:
    """The table's own file, or the one that all tables share."""
    own = folder / f"{name}_{table}.pkl"
    return own if own.is_file() else folder / f"{name}.pkl"


def _labels_file(folder: Path, table: str) -> Path | None:
    names = (f"labels_{table}.pkl", f"label_{table}.pkl", f"{table}.pkl", "labels.pkl" if table == "sp500" else "")
    return next((folder / name for name in names if name and (folder / name).is_file()), None)


def _days(cells: NDArray[np.object_], path: Path) -> NDArray[np.datetime64]:
    days = np.empty(len(cells), dtype="datetime64[D]")
    for row, cell in enumerate(cells):
        try:
            days[row] = np.datetime64(cell[:10] if isinstance(cell, str) else cell, "D")
        except (ValueError, TypeError):
            raise CorpusError(f"{path}: row {row} has the day {str(cell)[:40]!r}; it must be like 2019-01-31") from None
    if wrong := np.flatnonzero(~(days[1:] > days[:-1])).tolist():
        raise CorpusError(
            f"{path}: the day {days[wrong[0] + 1]} of row {wrong[0] + 1} does not come after {days[wrong[0]]}"
        )
    if len(days) and int((days[-1] - days[0]).astype(np.int64)) > 10 * len(days):
        raise CorpusError(
            f"{path}: {len(days)} rows last from {days[0]} to {days[-1]}; they must be days of one series"
        )
    return days


def _moves(
    labels: Sequence[Any], starts: Sequence[int], target: NDArray[np.float64], table: str, path: Path
) -> list[str]:
    """The name of each label: of its two or three values, the one after which the index rises most is that it rises."""
    kinds = sorted({str(label) for label in labels})
    if len(kinds) not in MOVES:
        raise CorpusError(f"{path}: it has {len(kinds)} different labels ({', '.join(kinds)[:60]}); expected 2 or 3")
    after: dict[str, list[float]] = {kind: [] for kind in kinds}
    for start, label in zip(starts, labels, strict=True):
        if start + DAYS < len(target):
            after[str(label)].append(float(target[start + DAYS] / target[start + DAYS - 1]))
    order = sorted(kinds, key=lambda kind: float(np.nanmean(after[kind])) if after[kind] else 1.0)
    named = dict(zip(order, MOVES[len(kinds)], strict=True))
    return [f"{CHANNELS[TARGETS[table]].name} {named[str(label)]}" for label in labels]
