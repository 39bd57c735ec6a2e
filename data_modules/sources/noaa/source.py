"""Windows of NOAA's stations, with Storm Events as their texts."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, CorpusInfo, Record
from data_modules.sources.borders import parts_of
from data_modules.sources.noaa import storm_events
from data_modules.sources.noaa.files import Files
from data_modules.sources.noaa.places import Zones, distances, read_stations
from data_modules.sources.noaa.reports import CHANNELS, PRECIPITATION, Hours, Reports, hourly
from data_modules.sources.noaa.storm_events import Event

log = logging.getLogger(__name__)
_HOUR, _DAY = np.timedelta64(1, "h"), 24
_QUIET_EVERY = 7  # days between the ends of windows that no event asks for
_KNOWN = 0.5  # share of a step's hours that must be known


@dataclass(frozen=True)
class Scale:
    """Windows of so many steps of so many hours."""

    frequency: str
    hours: int
    steps: int

    @property
    def span(self) -> np.timedelta64:
        return self.hours * self.steps * _HOUR


SCALES = {"week": Scale("1h", 1, 168), "month": Scale("4h", 4, 168), "half-year": Scale("1D", 24, 180)}


@dataclass
class _Ending:
    """Windows of a station that end at one midnight."""

    station: str
    stop: np.datetime64
    events: list[tuple[float, Event]] = field(default_factory=list)  # with their distance in km


@dataclass(frozen=True)
class Options:
    """What windows are made, and of what.

    Raises
    ------
    CorpusError
        An option cannot be used.
    """

    stations: Sequence[str] | None  # ids like USW00014732; None: all
    scales: Sequence[str]  # of SCALES
    types: Sequence[str] | None  # of events, like Flash Flood; None: all
    distance: float  # kilometres between a station and an event, at most
    max_events: int  # that a window's text tells of
    without: float | None  # windows without an event for each with one, evenly over time; None: all
    observed: float  # share of its hours of which a window must know any channel
    split: Mapping[str, Any] | None  # of time, see `data_modules.sources.borders.parts_of`
    offsets: Mapping[str, float] | None  # hours that a station is ahead of UTC, for LCD whose remarks do not tell

    def __post_init__(self) -> None:
        for name in ("stations", "scales", "types"):
            value = getattr(self, name)
            listed = isinstance(value, Sequence) and not isinstance(value, str) and bool(value)
            if not (listed or (value is None and name != "scales")) or not all(
                isinstance(own, str) for own in value or ()
            ):
                raise CorpusError(f"{name} is {value!r}; give a list of texts")
        if wrong := [name for name in self.scales if name not in tuple(SCALES)]:
            raise CorpusError(f"scales has {wrong[0]!r}; there are {', '.join(SCALES)}")
        for name, low, high in (
            ("distance", 0, 20_000),
            ("max_events", 1, 1000),
            ("observed", 0, 1),
            ("without", 0, 1e6),
        ):
            value = getattr(self, name)
            if name == "without" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                raise CorpusError(f"{name} is {value!r}; it must be a number from {low} to {high:g}")
        ahead = self.offsets.values() if isinstance(self.offsets, Mapping) else () if self.offsets is None else (None,)
        if not all(isinstance(own, (int, float)) and abs(own) <= 14 for own in ahead):
            raise CorpusError(f"offsets is {self.offsets!r}; give hours by station, like {{USW00013874: -5}}")

    def wants(self, event: Event) -> bool:
        return self.types is None or event.type in self.types


def weather(
    root: str | Path,
    stations: Sequence[str] | None = None,
    scales: Sequence[str] = tuple(SCALES),
    types: Sequence[str] | None = None,
    events: bool = True,
    distance: float = 50.0,
    max_events: int = 4,
    without: float | None = 2.0,
    observed: float = 0.9,
    split: Mapping[str, Any] | None = None,
    offsets: Mapping[str, float] | None = None,
) -> tuple[CorpusInfo, Iterator[Record]]:
    """Windows of the stations whose files lie below `root`, in three scales, with the events near them; see `Options`.

    A window with events ends at the first midnight (UTC) after an event's end. Its text is the narratives of the events of
    that day, nearest first, and its label their most frequent type. The windows of all scales, and of all stations near
    an event, share its text. Windows without events end every seventh day. With `events` false there are no texts.

    Steps of several hours have the mean of the hours, and the sum of precipitation. Channels without a value in any window
    are left out. Training, validation and test have the same borders in time at all stations, since neighbours share
    weather and texts; windows that cross a border are left out.

    Raises
    ------
    CorpusError
        A file is damaged or of another form, an option cannot be used, or no window is left.
    """
    options = Options(stations, scales, types, distance, max_events, without, observed, split, offsets)
    files = Files.below(Path(root))
    refused: Counter[str] = Counter()
    hours = _hours(files, options, refused)
    records = _windows(hours, _endings(files, hours, options, refused) if events else {}, options, refused)
    _tell(files, hours, records, refused)
    used = [place for place in range(len(CHANNELS)) if any(np.isfinite(own.values[place]).any() for own in records)]
    for own in records:
        own.values = own.values[used]
    names = ", ".join(sorted({own.series_id for own in records}))
    info = CorpusInfo(
        domain="weather",
        name="noaa-weather",
        source="noaa",
        channels=tuple(CHANNELS[place] for place in used),
        frequency=SCALES[scales[0]].frequency,
        label_names=tuple(sorted({own.label for own in records if own.label is not None})),
        description=(
            f"Weather of stations of NOAA ({names if len(names) < 200 else len(hours)}) in windows of {', '.join(scales)}, "
            f"with the Storm Events within {distance:g} km as texts. Times are UTC. The label is the most frequent type of "
            "a window's events."
        ),
    )
    return info, iter(records)


def _hours(files: Files, options: Options, refused: Counter[str]) -> dict[str, Hours]:
    """The hours of each station, by its id; a station without a place has that of a station list, if one has it."""
    parts: dict[str, list[Reports]] = {}
    there: dict[str, None] = {}
    for own in files.reports(options.offsets):
        there[own.station.id] = None
        if options.stations is None or own.station.id in options.stations:
            refused.update(own.refused)
            parts.setdefault(own.station.id, []).append(own)
    if missing := [name for name in options.stations or () if name not in parts]:
        raise CorpusError(
            f"there are no reports of the station {missing[0]!r}; there are some of {', '.join(there) or 'none'}"
        )
    hours = {name: hourly(own) for name, own in parts.items()}
    for name, listed in parts.items():
        placed = [part.station for part in listed if part.station.is_placed]
        hours[name].station = placed[0] if placed else hours[name].station
    unplaced = {name for name, own in hours.items() if not own.station.is_placed}
    for path in files.stations:
        for name, station in read_stations(path, unplaced).items():
            hours[name].station = station
    return hours


def _endings(
    files: Files, hours: Mapping[str, Hours], options: Options, refused: Counter[str]
) -> dict[tuple[str, np.datetime64], _Ending]:
    """The midnights after events near a station, by station and time."""
    zones, found = Zones(files.zones), list(hours.values())
    endings: dict[tuple[str, np.datetime64], _Ending] = {}
    seen: set[str] = set()
    for path in files.events:
        held = storm_events.read(path)
        refused.update({f"event: {reason}": count for reason, count in held.refused.items()})
        for event in held.found:
            place = zones.place(event)
            if event.id in seen or place is None:
                refused[f"event: {'in two files' if event.id in seen else 'no place is known'}"] += 1
                continue
            seen.add(event.id)
            apart = distances(place, [own.station for own in found])
            stop = np.datetime64(event.end, "D") + 1
            for number in np.flatnonzero(apart <= options.distance):
                name = found[number].station.id
                ending = endings.setdefault((name, stop), _Ending(name, stop))
                ending.events.append((float(apart[number]), event))
    known = {event.type for own in endings.values() for _, event in own.events}
    if unknown := [name for name in options.types or () if name not in known]:
        raise CorpusError(
            f"no event of the type {unknown[0]!r} is near a station; there are {', '.join(sorted(known)) or 'none'}"
        )
    return endings


def _windows(
    hours: Mapping[str, Hours],
    endings: dict[tuple[str, np.datetime64], _Ending],
    options: Options,
    refused: Counter[str],
) -> list[Record]:
    """All windows, of each station in order of time."""
    known = [own.first + np.flatnonzero(np.isfinite(own.values).any(axis=0)) * _HOUR for own in hours.values()]
    axis = np.unique(np.concatenate(known)) if known else np.array([])  # the hours of which any station reports
    if not len(axis):
        stations = f"the stations {', '.join(hours)}" if hours else "any station"
        raise CorpusError(f"no value of {stations} can be used: {dict(refused)}")
    borders = [(name, axis[begin], axis[end - 1] + _HOUR) for name, begin, end in parts_of(options.split, axis)]
    eventful = [ending for ending in endings.values() if any(options.wants(event) for _, event in ending.events)]
    records = []
    for name in options.scales:
        quiet = [ending for own in hours.values() for ending in _quiet(own, SCALES[name], endings)]
        with_events, others = (_cut(hours, own, name, options, borders, refused) for own in (eventful, quiet))
        if options.without is not None and with_events:
            wanted = min(math.ceil(options.without * len(with_events)), len(others))
            others = [others[place] for place in np.linspace(0, len(others), wanted, endpoint=False, dtype=np.int64)]
        records += [*with_events, *others]
    if not records:
        raise CorpusError(
            f"no window is left: {dict(refused)}; a window must lie within one part of time and know {options.observed:.0%} "
            "of its hours. Shorter scales (scales=[week]), another split or observed=0.5 may help"
        )
    return sorted(records, key=lambda own: (own.series_id, own.start, str(own.frequency)))


def _quiet(hours: Hours, scale: Scale, endings: Mapping[tuple[str, np.datetime64], _Ending]) -> list[_Ending]:
    """Endings of windows, every seventh day, during which no event was near the station."""
    name = hours.station.id
    near = [event for (station, _), own in endings.items() if station == name for _, event in own.events]
    starts = np.sort(np.array([event.start for event in near], dtype="datetime64[s]"))
    ends = np.sort(np.array([event.end for event in near], dtype="datetime64[s]"))
    begin = (hours.first + scale.span + (_DAY - 1) * _HOUR).astype("datetime64[D]")
    last = hours.first + hours.values.shape[1] * _HOUR
    stops = np.arange(begin, last.astype("datetime64[D]") + 1, _QUIET_EVERY)
    begun = np.searchsorted(starts, stops.astype("datetime64[s]"))
    over = np.searchsorted(ends, (stops - scale.span).astype("datetime64[s]"))
    return [_Ending(name, stop) for stop in stops[begun == over]]


def _cut(
    hours: Mapping[str, Hours],
    endings: Sequence[_Ending],
    name: str,
    options: Options,
    borders: Sequence[tuple[str, np.datetime64, np.datetime64]],
    refused: Counter[str],
) -> list[Record]:
    """The windows of a scale that end there, in order of time; those that cannot be used are counted."""
    records, scale = [], SCALES[name]
    for ending in sorted(endings, key=lambda own: (own.stop, own.station)):
        own, start = hours[ending.station], ending.stop.astype("datetime64[h]") - scale.span
        place = int((start - own.first) / _HOUR)
        if place < 0 or place + scale.hours * scale.steps > own.values.shape[1]:
            refused[f"{name}: beyond the station's hours"] += 1
            continue
        part = next((called for called, begin, end in borders if begin <= start and ending.stop <= end), None)
        if part is None:
            refused[f"{name}: across two parts of time, or in none"] += 1
            continue
        values = own.values[:, place : place + scale.hours * scale.steps]
        if np.isfinite(values).any(axis=0).mean() < options.observed:
            refused[f"{name}: less than {options.observed:.0%} of the hours known"] += 1
            continue
        text, label = _text(ending, options)
        records.append(
            Record(
                id=f"{ending.station}_{name}_{ending.stop}",
                series_id=ending.station,
                start=start.astype("datetime64[us]").astype(datetime),
                values=_steps(values, scale).astype(np.float32),
                text=text,
                label=label,
                split=part,
                frequency=scale.frequency,
            )
        )
    return records


def _text(ending: _Ending, options: Options) -> tuple[str, str | None]:
    """The text and the label of a window; "" and None where there is no event."""
    events = [(apart, event) for apart, event in ending.events if options.wants(event)]
    events.sort(key=lambda own: (own[0], own[1].start, own[1].id))
    texts = list(dict.fromkeys(event.text for _, event in events))[: options.max_events]
    kinds = Counter(event.type for _, event in events)  # of equally frequent ones the nearest
    return " ".join(texts), kinds.most_common(1)[0][0] if kinds else None


def _steps(values: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """(8, steps): the mean of each step's hours, or their sum, where enough of them are known."""
    if scale.hours == 1:
        return values
    cut = values.reshape(len(values), scale.steps, scale.hours)
    known = np.isfinite(cut).sum(axis=2)
    total = np.nansum(cut, axis=2)
    found = np.where(np.arange(len(values))[:, None] == PRECIPITATION, total, total / np.maximum(known, 1))
    return np.where(known >= _KNOWN * scale.hours, found, np.nan)


def _tell(files: Files, hours: Mapping[str, Hours], records: Sequence[Record], refused: Counter[str]) -> None:
    """Log what was read, and what was left out and why."""
    read = ", ".join(f"{count} {name}" for name, count in files.counts().items())
    texts = sum(bool(own.text) for own in records)
    log.info("read files: %s; %d stations, %d windows, %d of them with events", read, len(hours), len(records), texts)
    for reason, count in sorted(refused.items()):
        log.info("left out: %6d  %s", count, reason)
