"""Data sets in the form of Hugging Face `datasets`: of the hub, saved to disk, or Parquet and JSON files.

A row is a window. Nothing is fetched from the hub unless `name` is neither a file nor a folder.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, CorpusInfo, Record
from trace_lit.channels import Channel
from trace_lit.hub import check_data_set, first_line
from trace_lit.plain import at_home

_KINDS = {".parquet": "parquet", ".json": "json", ".jsonl": "json"}
_SPLITS = {  # what the splits of data sets are called, and what a corpus calls them
    "train": "train",
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    "test": "test",
}
_HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
_ADVICE = (
    "Is it spelled right? Without network: `hf download NAME --repo-type dataset --local-dir FOLDER` on a machine that has "
    "one, bring the folder here and give name=FOLDER"
)


def windows(
    name: str,
    domain: str,
    channels: Any,
    subset: str = "",
    split: str = "",
    keep_splits: bool = False,
    values: str = "",
    text: str = "",
    label: str = "",
    id: str = "",
    series_id: str = "",
    start: str = "",
    frequency: str = "",
) -> tuple[CorpusInfo, Iterator[Record]]:
    """The rows of a data set as windows.

    An option that names a column may be left out where the column has the option's own name. The values, `start` and
    `frequency` are needed; the other columns may be missing.

    Parameters
    ----------
    name
        A folder that `Dataset.save_to_disk` wrote, a Parquet or JSON file, a folder of such files, or else the name of a
        data set on the Hugging Face hub.
    channels
        Either a list of C channels ({name, unit, description} or "wind speed [m/s]") for a column `values` with lists
        [C][T], or [T] for an only channel; or a mapping from the columns, each with lists [T], to the channels.
    subset, split
        Of the data set; all of its splits where `split` is empty.
    keep_splits
        The splits of the data set are those of the corpus. Otherwise splits are made by time within the series.
    start
        The time of the first step: a time, a date or ISO 8601, in UTC where it has no zone.
    label
        Class labels, texts or whole numbers; null is no label.
    id, series_id
        Texts or numbers. Without them, rows are numbered, and all are of one series.
    frequency
        A column with the frequency of each row's steps, or the frequency of all, like "1h".

    Raises
    ------
    CorpusError
        There is no such data set, it has no such column, or a cell cannot be used.
    """
    columns = {"values": values, "text": text, "label": label, "id": id, "series_id": series_id, "start": start}
    return _corpus(name, domain, channels, _rows(name, subset, split), columns, frequency, keep_splits)


def _corpus(
    name: str,
    domain: str,
    channels: Any,
    found_rows: tuple[list[tuple[str, dict[str, Any]]], dict[str, Sequence[str]]],
    columns: Mapping[str, str],
    frequency: str,
    keep_splits: bool,
) -> tuple[CorpusInfo, Iterator[Record]]:
    """The rows as windows; `columns` are those that options name, "" where they do not."""
    described, wide = _channels(channels)
    rows, classes = found_rows
    there = list(rows[0][1])

    def column(key: str, given: str | None = None, needed: bool = False) -> str:
        """The column for an option, "" where there is none."""
        given = columns[key] if given is None else given
        if given and given not in there:
            raise CorpusError(f"{name} has no column {given!r} ({key}); it has {', '.join(there)}")
        if needed and not given and key not in there:
            raise CorpusError(f"{name} has no column {key!r}; name it by {key}=COLUMN: it has {', '.join(there)}")
        return given or (key if key in there else "")

    one_frequency = frequency if frequency and frequency not in there else ""
    reader = _Reader(
        name=name,
        channels=len(described),
        values=tuple(column("channels", own) for own in wide) or (column("values", needed=True),),
        wide=bool(wide),
        start=column("start", needed=True),
        frequency="" if one_frequency else column("frequency", frequency, needed=True),
        one_frequency=one_frequency,
        text=column("text"),
        label=column("label"),
        id=column("id"),
        series_id=column("series_id"),
        keep_splits=keep_splits,
        classes=classes.get(column("label"), ()),
    )
    records = [reader.record(number, part, row) for number, (part, row) in enumerate(rows)]
    found = sorted({record.label for record in records if record.label is not None})
    info = CorpusInfo(
        domain=domain,
        name=domain,
        source=f"hf {name}",
        channels=described,
        frequency=Counter(str(record.frequency) for record in records).most_common(1)[0][0],
        label_names=tuple(reader.classes) or tuple(found),
        description=f"The rows of the data set {name} as windows.",
    )
    return info, iter(records)


def _rows(name: str, subset: str, split: str) -> tuple[list[tuple[str, dict[str, Any]]], dict[str, Sequence[str]]]:
    """Each row with the name of its split, and the class names of each column that has such."""
    import datasets  # which takes a second

    place = at_home(name)
    try:
        if not place.exists():
            loaded = _from_hub(name, subset)
        elif (place / "dataset_dict.json").is_file() or (place / "state.json").is_file():
            loaded = datasets.load_from_disk(str(place))
        elif place.is_file():
            if place.suffix not in _KINDS:
                raise CorpusError(f"{name} is no data set; a file must end with {', '.join(_KINDS)}")
            # Streamed, or it would be copied into the cache of `datasets` first.
            loaded = datasets.load_dataset(_KINDS[place.suffix], data_files=str(place), streaming=True)
        else:
            loaded = datasets.load_dataset(str(place), subset or None, streaming=True)
        parts = loaded if isinstance(loaded, Mapping) else {str(loaded.split or "train"): loaded}
        if split and split not in parts:
            raise CorpusError(f"{name} has no split {split!r}; it has {', '.join(map(str, parts))}")
        chosen = {str(part): rows for part, rows in parts.items() if not split or part == split}
        found = [(part, dict(row)) for part, rows in chosen.items() for row in rows]
    except CorpusError:
        raise
    except Exception as error:  # datasets, fsspec, pyarrow and json raise what they like
        raise CorpusError(f"{name} cannot be read as a data set: {first_line(error)}") from error
    if not found:
        raise CorpusError(f"{name} has no rows")
    features = next(iter(chosen.values())).features or {}
    return found, {key: kind.names for key, kind in features.items() if isinstance(kind, datasets.ClassLabel)}


def _from_hub(name: str, subset: str) -> Any:
    """All splits of a data set of the hub."""
    import datasets

    if not _HUB_NAME.fullmatch(name):
        raise CorpusError(
            f"there is no file or folder {name}, and it cannot be a name on the Hugging Face hub. {_ADVICE}"
        )
    tried = f"{name!r} is neither a file nor a folder"
    check_data_set(name, tried=tried, advice=_ADVICE, error=CorpusError)
    return datasets.load_dataset(name, subset or None)


def _channels(given: Any) -> tuple[tuple[Channel, ...], tuple[str, ...]]:
    """The channels, and the column of each where each has its own."""
    wide = tuple(map(str, given)) if isinstance(given, Mapping) else ()
    listed = list(given.values()) if isinstance(given, Mapping) else given
    if not isinstance(listed, list) or not listed:
        raise CorpusError(
            f"channels is {given!r}; give a list like ['wind speed [m/s]'], or columns with their channels like "
            "{wspd: 'wind speed [m/s]'}"
        )
    return tuple(map(_channel, listed)), wide


def _channel(given: Any) -> Channel:
    if isinstance(given, str) and given.strip():
        name, unit = re.fullmatch(r"(.*?)(?:\s*\[([^\[\]]*)\])?", given.strip()).groups()  # type: ignore[union-attr]
        return Channel(name, unit or "")
    if isinstance(given, Mapping) and "name" in given and set(given) <= {"name", "unit", "description"}:
        return Channel(**{str(key): str(value) for key, value in given.items()})
    raise CorpusError(f"a channel is {given!r}; write it like 'wind speed [m/s]', or with name, unit and description")


@dataclass(frozen=True)
class _Reader:
    """Makes records of rows; a column's name is "" where there is none."""

    name: str  # of the data set
    channels: int
    values: tuple[str, ...]  # one column, or one a channel where they are `wide`
    wide: bool
    start: str
    frequency: str
    one_frequency: str  # of all rows, where there is no column
    text: str
    label: str
    id: str
    series_id: str
    keep_splits: bool
    classes: Sequence[str]  # the names of the labels, where these are numbers

    def record(self, number: int, part: str, row: Mapping[str, Any]) -> Record:
        """The row `number` of all, which is in the split `part` of the data set."""
        try:
            return Record(
                id=str(row[self.id]) if self.id else f"{number:06d}",
                series_id=str(row[self.series_id]) if self.series_id else "all",
                start=_time(row[self.start]),
                values=self._values(row),
                text=_text(row[self.text]) if self.text else "",
                label=self._label(row[self.label]) if self.label else None,
                split=self._split(part) if self.keep_splits else None,
                frequency=str(row[self.frequency]) if self.frequency else self.one_frequency,
            )
        except CorpusError as error:
            raise CorpusError(f"{self.name}, row {number} of {part}: {error}") from None

    def _values(self, row: Mapping[str, Any]) -> NDArray[np.float32]:
        cells = [row[column] for column in self.values] if self.wide else row[self.values[0]]
        try:
            found = np.array(cells, dtype=np.float32)  # None becomes NaN
        except (TypeError, ValueError) as error:
            raise CorpusError(f"the values are no lists of numbers of one length: {error}") from None
        found = found[None] if found.ndim == 1 and self.channels == 1 else found
        if found.ndim != 2 or found.shape[0] != self.channels or not found.shape[1]:
            raise CorpusError(f"the values have shape {found.shape}; it must be ({self.channels}, steps)")
        return found

    def _label(self, cell: Any) -> str | None:
        if cell is None or (self.classes and cell == -1):  # as `datasets` writes a class that is not known
            return None
        return self.classes[cell] if self.classes else str(cell)

    def _split(self, part: str) -> str:
        if part not in _SPLITS:
            raise CorpusError(f"the split {part!r} cannot be kept; splits that can are {', '.join(_SPLITS)}")
        return _SPLITS[part]


def _text(cell: Any) -> str:
    if isinstance(cell, list):
        return " ".join(part for part in cell if part)
    return "" if cell is None else str(cell)


def _time(cell: Any) -> datetime:
    """Naive UTC time."""
    if isinstance(cell, str):
        try:
            cell = datetime.fromisoformat(cell.strip())
        except ValueError:
            raise CorpusError(f"{cell!r} is no time; it must be like 2024-05-31 or 2024-05-31T18:00") from None
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime(cell.year, cell.month, cell.day)
    if not isinstance(cell, datetime):
        raise CorpusError(f"{cell!r} is no time; it must be a time, a date, or a text like 2024-05-31T18:00")
    return cell if cell.tzinfo is None else cell.astimezone(UTC).replace(tzinfo=None)
