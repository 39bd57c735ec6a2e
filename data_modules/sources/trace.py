"""The data set of the TRACE paper: windows of weather stations, with descriptions and severe weather events.

[retrieval/]{train,val,test}.parquet (or train/train.parquet …)   id, timeseries, description, events
event_report.jsonl, mmts.jsonl                                    the raw set: events, and the windows that they point to

The Parquet files are read where both are there. Their series are standardised, each window and channel by itself.
"""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, CorpusInfo, Record
from data_modules.shards import LONGEST, check_size, check_texts, leaves_of_bytes
from trace_lit.channels import Channel
from trace_lit.errors import first_line
from trace_lit.plain import MEBIBYTE

UNITS = {
    **{"temperature": "°C", "precipitation": "mm", "relative_humidity": "%", "visibility": "km"},
    **{"wind_u": "m/s", "wind_v": "m/s", "sky_code": "oktas"},
}
EVENTS = (
    *("Lightning", "Debris Flow", "Flash Flood", "Heavy Rain", "Tornado", "Funnel Cloud", "Hail", "Flood"),
    "Thunderstorm Wind",
)
NO_EVENT = -100
TEXTS = ("description", "event", "both")
LINE_BYTES = 16 * MEBIBYTE
_SPLITS = {"train": "train", "val": "validation", "test": "test"}
_VALIDATION = 10  # one in so many of the training groups, where there is no file for validation
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_START = datetime(2000, 1, 1)  # of a window whose date is not known
_SCALES = ((r"28 days|month-long|four weeks", "4h"), (r"(six|6) months", "D"), (r"week|7 days", "1h"))
_DAILY = 175  # a longer window whose text does not tell its scale has daily steps
_TIMES = ("%d-%b-%y %H:%M:%S", "%d-%b-%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y")


def weather(root: str | Path, text: str = "description") -> tuple[CorpusInfo, Iterator[Record]]:
    """The windows in the set's own splits, and one in ten groups of training for validation where it has no file.

    A group has the windows of one event, or of one place. The label is the type of the event; windows without an event
    have none. Channel texts are the description's parts. Of the raw set, the text is the event's, and splits are by the
    time of the events.

    Parameters
    ----------
    text
        "description", "event" or "both".

    Raises
    ------
    CorpusError
        The files are not in `root`, or a row is of another form.
    """
    if text not in TEXTS:
        raise CorpusError(f"text is {text!r}; it must be one of {', '.join(TEXTS)}")
    root = Path(root)
    found = {split: path for split in _SPLITS if (path := _parquet_file(root, split)) is not None}
    raw = root / "event_report.jsonl", root / "mmts.jsonl"
    if not found and not all(path.is_file() for path in raw):
        raise CorpusError(
            f"no data of TRACE in {root}: looked for train.parquet and test.parquet (also in retrieval/ and train/), "
            "and for event_report.jsonl with mmts.jsonl"
        )
    info = CorpusInfo(
        domain="weather",
        name="trace-weather",
        source="trace",
        channels=tuple(Channel(name.replace("_", " "), "" if found else unit) for name, unit in UNITS.items()),
        frequency="1h",
        label_names=EVENTS,
        description=(
            "The data set of TRACE (arXiv 2506.09114): windows of a week by the hour, 28 days by 4 hours and six months by "
            "the day, " + ("standardised each by itself." if found else "in their units.")
        ),
    )
    return info, _of_parquet(found, text) if found else _of_lines(*raw)


def _parquet_file(root: Path, split: str) -> Path | None:
    places = (Path(f"{split}.parquet"), Path(split, f"{split}.parquet"))
    for folder in (root, root / "retrieval", root / "dataset" / "retrieval"):
        for place in places:
            if (folder / place).is_file():
                return folder / place
    return None


def _of_parquet(files: Mapping[str, Path], text: str) -> Iterator[Record]:
    for split, path in files.items():
        for number, row in enumerate(_rows(path)):
            where = f"{path}, row {number}"
            description, event = row["description"], row["events"]
            if not isinstance(description, dict) or not all(isinstance(description.get(name), str) for name in UNITS):
                raise CorpusError(f"{where}: description has not the texts {', '.join(UNITS)}")
            label, event_text = _event(event, where)
            described = _description(description)
            values = _values(row["timeseries"], where)
            group = event_text if label is not None else str(description.get("location"))
            held_out = split == "train" and "val" not in files and zlib.crc32(group.encode()) % _VALIDATION == 0
            date = _DATE.search(str(description.get("DATE")))
            yield Record(
                id=str(row["id"]),
                series_id=str(row["id"]),
                start=_day(date[0]) if date else _START,
                values=values,
                text={"description": described, "event": event_text, "both": f"{described} {event_text}"}[text],
                channel_texts=[description[name] for name in UNITS],
                label=label,
                split="validation" if held_out else _SPLITS[split],
                frequency=_frequency(" ".join(map(str, description.values())), values.shape[1]),
            )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    columns = ["id", "timeseries", "description", "events"]
    try:
        check_size(path)
        with pq.ParquetFile(path, read_dictionary=leaves_of_bytes(path)) as file:
            if missing := [name for name in columns if name not in file.schema_arrow.names]:
                raise CorpusError(
                    f"{path} has no column {missing[0]!r}; it has {', '.join(file.schema_arrow.names)[:200]}"
                )
            for batch in file.iter_batches(256, columns=columns):
                for own in pa.Table.from_batches([batch]).flatten().itercolumns():
                    check_texts(path, "a column", own, LONGEST["text"])
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{path} cannot be read as Parquet: {first_line(error)}") from None


def _values(content: Any, where: str) -> NDArray[np.float64]:
    """(7, L) of the bytes of a .npy file; its header is checked before memory is taken."""
    try:
        stream = io.BytesIO(content)
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, in_columns, kind = header(stream)
        if kind.kind not in "fiu" or len(shape) != 2 or shape[0] != len(UNITS) or not shape[1]:
            raise ValueError(f"it holds {shape} of {kind}; it must be ({len(UNITS)}, steps) of numbers")
        left = content[stream.tell() :]
        if len(left) != shape[0] * shape[1] * kind.itemsize:
            raise ValueError(f"it holds {len(left):,} bytes for {shape} of {kind}")
        return np.frombuffer(left, dtype=kind).reshape(shape, order="F" if in_columns else "C").astype(np.float64)
    except Exception as error:  # numpy's reader of headers raises what it likes
        raise CorpusError(f"{where}: timeseries is no array as .npy files have them: {first_line(error)}") from None


def _event(event: Any, where: str) -> tuple[str | None, str]:
    """The label and the text of an event; None where there is none."""
    kind = event.get("event_type") if isinstance(event, dict) else None
    if event is not None and not isinstance(event, dict):
        raise CorpusError(f"{where}: events is {str(event)[:60]!r}; it must have event_type and narrative, or be null")
    if isinstance(kind, str) and kind in EVENTS:
        name = kind
    else:
        try:
            number = NO_EVENT if kind in (None, "None", "") else int(float(kind))
        except (TypeError, ValueError, OverflowError):
            number = len(EVENTS)
        if number == NO_EVENT:
            return None, "No severe weather event."
        if not 0 <= number < len(EVENTS):
            raise CorpusError(
                f"{where}: event_type is {str(kind)[:60]!r}; it must be 0 to {len(EVENTS) - 1}, or {NO_EVENT}"
            )
        name = EVENTS[number]
    narrative = (event or {}).get("narrative")
    return name, f"The weather event is {name}. {narrative if isinstance(narrative, str) else ''}".strip()


def _description(parts: Mapping[str, Any]) -> str:
    """The text that the paper retrieves."""
    channels = " \n ".join(parts[name] for name in UNITS)
    return (
        f"Weather time series location: {parts.get('location')} Time range: {parts.get('DATE')} The weather is "
        f"{parts.get('labels')}. {channels}"
    )


def _frequency(text: str, steps: int) -> str:
    for pattern, frequency in _SCALES:
        if re.search(pattern, text, re.IGNORECASE):
            return frequency
    return "D" if steps >= _DAILY else "1h"


def _day(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return _START


# The raw set


def _of_lines(events: Path, windows: Path) -> Iterator[Record]:
    """The windows of mmts.jsonl, with the events that point to them."""
    of_window: dict[int, tuple[datetime, str, str]] = {}
    for line, event in _lines(events):
        where = f"{events}, line {line}"
        label, text = _event(event, where)
        places, begun = event.get("ts_dict_index"), _time(event.get("begin_date_time"), where)
        if not isinstance(places, list) or not all(isinstance(place, int) and place >= 0 for place in places):
            raise CorpusError(f"{where}: ts_dict_index must be a list of line numbers from 0 on")
        for place in places:
            of_window.setdefault(place, (begun, label or "", text))
    begins = np.sort(np.array([begun for begun, _, _ in of_window.values()], dtype="datetime64[s]"))
    borders = [begins[int(share * len(begins))] for share in (0.7, 0.8)] if len(begins) else []
    number = -1
    for line, window in _lines(windows):
        number = line - 1
        values = _channels(window, f"{windows}, line {line}")
        begun, label, text = of_window.get(number, (_START, "", ""))
        late = (
            sum(np.datetime64(begun, "s") >= border for border in borders)
            if text
            else (number % 10 >= 7) + (number % 10 >= 8)
        )
        yield Record(
            id=f"{number:06d}",
            series_id=f"{number:06d}",
            start=begun,
            values=values,
            text=text,
            label=label or None,
            split=("train", "validation", "test")[late],
            frequency=_frequency(str(window.get("mode", "")), values.shape[1]),
        )
    if beyond := [place for place in of_window if place > number]:
        raise CorpusError(
            f"{events}: an event points to line {min(beyond)} of {windows.name}, which has {number + 1} lines"
        )


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line with its number, from 1 on."""
    try:
        with path.open("rb") as file:
            for line, content in enumerate(iter(lambda: file.readline(LINE_BYTES + 1), b""), start=1):
                try:
                    if len(content) > LINE_BYTES:
                        raise ValueError(f"it has more than {LINE_BYTES:,} bytes")
                    found = json.loads(content)
                    if not isinstance(found, dict):
                        raise ValueError(f"it is a {type(found).__name__}")
                except (ValueError, RecursionError) as error:
                    raise CorpusError(f"{path}, line {line} is no JSON object: {first_line(error)}") from None
                yield line, found
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error}") from None


def _channels(window: Mapping[str, Any], where: str) -> NDArray[np.float64]:
    """(7, L); a channel that is not there, or has another length than the longest, is missing."""
    given = {name: window[name] for name in UNITS if isinstance(window.get(name), list)}
    steps = max(map(len, given.values()), default=0)
    if not steps:
        raise CorpusError(f"{where}: there is none of the lists {', '.join(UNITS)}")
    values = np.full((len(UNITS), steps), np.nan)
    for place, name in enumerate(UNITS):
        if len(own := given.get(name, ())) == steps:
            try:
                values[place] = np.array([np.nan if cell is None else cell for cell in own], dtype=np.float64)
            except (TypeError, ValueError, OverflowError) as error:
                raise CorpusError(f"{where}: {name} is no list of numbers: {first_line(error)}") from None
    return values


def _time(text: Any, where: str) -> datetime:
    if isinstance(text, str):
        for read in (datetime.fromisoformat, *(lambda own, form=form: datetime.strptime(own, form) for form in _TIMES)):
            try:
                return read(text.strip()).replace(tzinfo=None)
            except ValueError:
                continue
    raise CorpusError(f"{where}: begin_date_time is {str(text)[:60]!r}, which is no time")
