"""The data of Time-MMD (NeurIPS 2024): one long series for each domain, with dated reports and search results.

numerical/<Folder>/<Folder>.csv         dates, OT (the target) and other columns, some without numbers
textual/<Folder>/<Folder>_report.csv    start_date, end_date, fact, preds
textual/<Folder>/<Folder>_search.csv    the same
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, CorpusInfo, Record
from data_modules.frequency import Frequency
from trace_lit.channels import Channel

TARGETS = {  # what OT is, by folder
    "Agriculture": Channel("retail broiler price", "cents/lb", "retail broiler composite price, United States"),
    "Climate": Channel("area without drought", "%", "share of the United States without drought or dryness"),
    "Economy": Channel("trade balance", "million $", "international trade balance of the United States"),
    "Energy": Channel("gasoline price", "$/gallon", "retail price of gasoline, average of the United States"),
    "Environment": Channel("air quality index", "", "air quality index of New York; high is polluted air"),
    "Health_AFR": Channel("influenza ratio", "", "influenza patients in proportion to others, Africa"),
    "Health_US": Channel(
        "influenza-like illness", "%", "visits for influenza-like illness of all visits, United States"
    ),
    "Security": Channel("disaster grants", "$", "disaster and emergency grants, United States"),
    "SocialGood": Channel("unemployment rate", "%", "unemployment rate, United States"),
    "Traffic": Channel("travel volume", "million vehicle miles", "monthly volume of road travel, United States"),
}
_COLUMNS = (  # what other columns are: pattern of the column's name, then name, unit and description of the channel
    (
        r"Weekly (.+?)( \(PADD \w+\))? All Grades All Formulations Retail Gasoline Prices \(Dollars per Gallon\)",
        (r"\1 gasoline price", "$/gallon", r"retail price of gasoline in the region \1"),
    ),
    (r"% WEIGHTED ILI", ("weighted influenza-like illness", "%", "the same, weighted by the population of the states")),
    (r"AGE (\d+)-(\d+)", (r"influenza patients aged \1 to \2", "patients", "with influenza-like illness in the week")),
    (r"AGE 65", ("influenza patients aged 65 and over", "patients", "with influenza-like illness in the week")),
    (r"ILITOTAL", ("influenza patients", "patients", "with influenza-like illness in the week, all ages")),
    (r"NUM\. OF PROVIDERS", ("reporting providers", "providers", "health care providers that report their visits")),
    (r"TOTAL PATIENTS", ("all patients", "patients", "patients seen in the week for any reason")),
    (r"D([0-4])", (r"area in drought D\1", "%", r"share of the United States in drought category D\1 or worse")),
    (r"Exports", ("exports", "million $", "goods exported by the United States")),
    (r"Imports", ("imports", "million $", "goods imported by the United States")),
    (r"Wholesale broiler composite", ("wholesale broiler price", "cents/lb", "wholesale broiler composite price")),
    (r"Retail-wholesale spread.*", ("broiler price spread", "cents/lb", "retail over wholesale price of broilers")),
    (r"Number of Sites Reporting", ("reporting sites", "sites", "measuring sites that report on the day")),
)
LABELS = ("falls", "holds", "rises")
HOLDS = 0.5  # of the window's standard deviation
MIN_NUMERIC = 0.5  # share of its rows that a column must have as numbers to be a channel

_NO_CHANNEL = re.compile(r"date|unnamed|^(year|month|week|day|index|id|year_week)$|\b(id|code)$|id$|^$", re.IGNORECASE)
_UNIT = re.compile(r"\s*\(([^()]*)\)\s*$")
_NO_TEXT = re.compile(r"N/?A(Here|[^A-Za-z]|$)")
_HEADING = re.compile(r"\AObjective facts about [^\n:]*:\**\s*", re.IGNORECASE)
_BULLET = re.compile(r"^\s*[*•]+\s*", re.MULTILINE)
_MONTHS = [
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
]
_SPELLED_DATE = re.compile(rf"\b({'|'.join(_MONTHS)})\s+(?:(\d{{1,2}}),\s+)?(\d{{4}})\b")


@dataclass(frozen=True)
class _Document:
    start: np.datetime64  # first day
    end: np.datetime64  # last day that it covers or mentions
    text: str


def series(
    root: str | Path,
    folder: str,
    domain: str,
    length: int = 24,
    stride: int = 4,
    max_documents: int = 4,
    predictions: bool = False,
    target_only: bool = False,
) -> tuple[CorpusInfo, Iterator[Record]]:
    """The series of one Time-MMD domain in windows of `length` steps, one at every `stride` steps.

    Rows are put in order of time on a regular grid; a step without a row is missing. Where as many rows repeat a date as
    steps have none, rows are taken for one a step: in Health_US the dates of whole years are a week early. The grid is
    daily, a number of days (weekly: 7), or monthly, quarterly or yearly by the calendar, since months have no fixed
    length. Channels are OT and then the columns that are numbers in at least half of the rows and not constant,
    dates or ids; what is no finite number, like "X" or "inf", is missing; `target_only` leaves out all but OT. Windows
    without OT in half of their steps are left out.

    A window's text is the facts of its newest `max_documents` reports and search results: those that overlap it and
    whose end_date, and any later date that their text spells out, are not after its end. (All reports of Energy but
    three give the price of a day after their end_date.) `predictions` adds what they predict, which is about the
    future.

    The label tells whether OT falls, holds or rises: the mean of the window's last quarter against the quarter before
    it, holding within half a standard deviation of the window.

    Raises
    ------
    CorpusError
        The domain is not in `root`, a file is damaged or of another form, the series is shorter than a window.
    """
    root = Path(root)
    for name, number in {"length": length, "stride": stride, "max_documents": max_documents}.items():
        if not isinstance(number, int) or number < 1:
            raise CorpusError(f"{name} is {number!r}; it must be a whole number of at least 1")
    frequency, first_day, channels, values = _numerical(root, folder)
    if target_only:
        channels, values = channels[:1], values[:1]
    if values.shape[1] < length:
        raise CorpusError(
            f"{folder} of {root}: the series has {values.shape[1]} steps, a window {length}; choose a smaller length"
        )
    documents = _documents(root / "textual" / folder, folder, predictions)
    target = channels[0].name
    info = CorpusInfo(
        domain=domain,
        name=f"timemmd-{folder.lower()}",
        source="timemmd",
        channels=channels,
        frequency=frequency,
        label_names=tuple(f"{target} {label}" for label in LABELS),
        description=(
            f"{folder} of Time-MMD (NeurIPS 2024) in windows of {length} steps, one at every {stride} steps, with the "
            f"newest {max_documents} reports and search results. The label tells how the {target} moves from the last "
            "but one to the last quarter of the window."
        ),
    )
    return info, _records(values, first_day, documents, info, folder, length, stride, max_documents)


def _numerical(root: Path, folder: str) -> tuple[str, np.datetime64, tuple[Channel, ...], NDArray[np.float32]]:
    """The frequency of the series, its first day, its channels and their values (C, T)."""
    path = root / "numerical" / folder / f"{folder}.csv"
    if not path.is_file():
        there = sorted(entry.name for entry in (root / "numerical").glob("*") if entry.is_dir())
        raise CorpusError(
            f"no Time-MMD domain {folder!r} in {root}: looked for {path}; there are: {', '.join(there) or 'none'}"
        )
    columns = _read_columns(path)
    starts, order = _start_days(columns, path)
    frequency, places = _grid(starts, path)
    if len(order) == places[-1] + 1:
        places = np.arange(len(order))
    return frequency, starts[0], *_channels(columns, order, places, folder, path)


def _records(
    values: NDArray[np.float32],
    first_day: np.datetime64,
    documents: Sequence[_Document],
    info: CorpusInfo,
    folder: str,
    length: int,
    stride: int,
    max_documents: int,
) -> Iterator[Record]:
    step = Frequency.parse(info.frequency)
    last_days = np.array([document.end for document in documents], dtype="datetime64[D]")
    for place in range(0, values.shape[1] - length + 1, stride):
        window = values[:, place : place + length]
        if np.isnan(window[0]).sum() > length / 2:
            continue
        start, end = step.advance(first_day, np.array([place, place + length])).astype("datetime64[D]")
        newest = np.flatnonzero((last_days >= start) & (last_days < end))[:max_documents]
        yield Record(
            id=f"{folder.lower()}_{place}",
            series_id=folder.lower(),
            start=datetime.fromisoformat(str(start)),
            values=window,
            text=" ".join(documents[number].text for number in newest),
            label=_label(window[0], info.label_names),
        )


def _label(target: NDArray[np.float32], names: Sequence[str]) -> str | None:
    quarter = max(len(target) // 4, 1)
    before, after = target[-2 * quarter : -quarter], target[-quarter:]
    if np.isnan(before).all() or np.isnan(after).all():
        return None
    change = float(np.nanmean(after) - np.nanmean(before))
    margin = HOLDS * float(np.nanstd(target))
    return names[0] if change < -margin else names[2] if change > margin else names[1]


def _read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, row) for row in reader]
            (_, head), *rows = lines
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path} is no CSV file: {error}") from None
    except ValueError:
        raise CorpusError(f"{path} is empty") from None
    for line, row in rows:
        if row and len(row) != len(head):
            raise CorpusError(f"{path}, line {line}: it has {len(row)} columns, the first line names {len(head)}")
    return head, [row for _, row in rows if row]


def _read_columns(path: Path) -> dict[str, list[str]]:
    """The columns by name; of two with one name, the last."""
    head, rows = _read_rows(path)
    if not rows:
        raise CorpusError(f"{path} has no rows")
    columns = {name.strip(): [row[number].strip() for row in rows] for number, name in enumerate(head)}
    if "OT" not in columns:
        raise CorpusError(f"{path} has no column OT; it has {', '.join(columns)}")
    return columns


def _days(texts: Sequence[str], path: Path) -> NDArray[np.datetime64]:
    try:
        return np.array([text[:10] for text in texts], dtype="datetime64[D]")
    except ValueError as error:
        raise CorpusError(f"{path}: a date is not like 2024-01-31: {error}") from None


def _start_days(columns: dict[str, list[str]], path: Path) -> tuple[NDArray[np.datetime64], NDArray[np.int64]]:
    """The first day of each row in order of time, and the rows in that order."""
    name = next((name for name in ("start_date", "date") if name in columns), None)
    if name is None:
        raise CorpusError(f"{path} has neither a column start_date nor date; it has {', '.join(columns)}")
    days = _days(columns[name], path)
    order = np.argsort(days, kind="stable")
    starts = days[order]
    if np.isnat(starts).any():
        raise CorpusError(f"{path}: the column {name} has an empty date")
    return starts, order


def _grid(starts: NDArray[np.datetime64], path: Path) -> tuple[str, NDArray[np.int64]]:
    """The frequency of the series, and the place of each row on its grid."""
    if len(starts) < 2:
        raise CorpusError(f"{path} has one row; a series has more")
    days = int(np.median(np.diff(np.unique(starts)).astype(np.int64))) if starts[0] < starts[-1] else 0
    if not days:
        raise CorpusError(f"{path} has rows of one day only; a series has more")
    for alias, months, low, high in (("MS", 1, 28, 31), ("QS", 3, 89, 92), ("YS", 12, 365, 366)):
        if low <= days <= high:
            month = starts.astype("datetime64[M]").astype(np.int64)
            return alias, (month - month[0]) // months
    return f"{days}D", np.rint((starts - starts[0]).astype(np.int64) / days).astype(np.int64)


def _numbers(texts: Sequence[str]) -> NDArray[np.float64]:
    """NaN for what is no finite number."""

    def number(text: str) -> float:
        try:
            return float(text.replace(",", ""))
        except ValueError:
            return float("nan")

    numbers = np.array([number(text) for text in texts])
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _channels(
    columns: dict[str, list[str]], order: NDArray[np.int64], places: NDArray[np.int64], folder: str, path: Path
) -> tuple[tuple[Channel, ...], NDArray[np.float32]]:
    """The channels, OT first, and their values (C, T) on the grid."""
    chosen: dict[str, tuple[Channel, NDArray[np.float64]]] = {}
    for name in ("OT", *(name for name in columns if name != "OT" and not _NO_CHANNEL.search(name))):
        numbers = _numbers(columns[name])[order]
        known = numbers[~np.isnan(numbers)]
        if name == "OT" and len(known) == 0:
            raise CorpusError(f"{path}: the column OT holds no numbers")
        if name == "OT" or (len(known) >= MIN_NUMERIC * len(numbers) and known.min() < known.max()):
            channel = _channel(name, folder)
            chosen.setdefault(channel.key, (channel, numbers))
    values = np.full((len(chosen), int(places[-1]) + 1), np.nan, dtype=np.float32)
    for row, (_, numbers) in enumerate(chosen.values()):
        values[row, places[::-1]] = numbers[::-1]  # of two rows at one step, the earlier
    return tuple(channel for channel, _ in chosen.values()), values


def _channel(column: str, folder: str) -> Channel:
    if column == "OT":
        return TARGETS.get(folder, Channel("OT", "", f"target variable of {folder}"))
    column = " ".join(column.split())
    for pattern, parts in _COLUMNS:
        if match := re.fullmatch(pattern, column):
            return Channel(*(match.expand(part) for part in parts))
    unit = _UNIT.search(column)
    return Channel(_UNIT.sub("", column), unit[1] if unit else "")


def _documents(directory: Path, folder: str, predictions: bool) -> list[_Document]:
    """Reports and search results, newest first; without those that have no text."""
    found = []
    for kind in ("report", "search"):
        path = directory / f"{folder}_{kind}.csv"
        if not path.is_file():
            continue
        head, rows = _read_rows(path)
        wanted = ("start_date", "end_date", "fact", "preds")
        if missing := [name for name in wanted if name not in head]:
            raise CorpusError(f"{path} has no column {missing[0]}; it has {', '.join(head)}")
        start, end, fact, preds = (head.index(name) for name in wanted)
        rows = [row for row in rows if row[start] and row[end] and not _NO_TEXT.match(row[fact].strip() or "NA")]
        for row, first, last in zip(
            rows, _days([row[start] for row in rows], path), _days([row[end] for row in rows], path), strict=True
        ):
            text = _tidy(row[fact])
            if predictions and not _NO_TEXT.match(row[preds].strip() or "NA"):
                text += " " + _tidy(row[preds])
            found.append(_Document(first, max([last, *_spelled_days(row[fact])]), text))
    return sorted(found, key=lambda d: (d.end, d.start), reverse=True)


def _tidy(text: str) -> str:
    """One line, without the heading and the marks of a list, ending like a sentence."""
    text = " ".join(_BULLET.sub("", _HEADING.sub("", text.strip())).split()).rstrip("* ")
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _spelled_days(text: str) -> list[np.datetime64]:
    """The dates like January 31, 2024 in a text, and the first days of months like January 2024."""
    days = []
    for month, day, year in _SPELLED_DATE.findall(text):
        try:
            days.append(np.datetime64(f"{year}-{_MONTHS.index(month) + 1:02}-{int(day or 1):02}"))
        except ValueError:
            continue  # February 30
    return days
