"""Storm Events of TimeCAP's cities as further texts on their days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, Record
from data_modules.sources.noaa.storm_events import Event, read
from data_modules.splits import split_by_time
from trace_lit.plain import at_home

PLACES = {  # state, as the bulk files and the export write it, and counties
    "ny": (("NEW YORK", "NY"), ("NEW YORK", "KINGS", "QUEENS", "BRONX", "RICHMOND")),
    "hs": (("TEXAS", "TX"), ("HARRIS",)),
    "sf": (("CALIFORNIA", "CA"), ("SAN FRANCISCO",)),
}


def read_events(paths: str | Path | Sequence[str | Path]) -> list[Event]:
    """The events of one file or several, each id once.

    Raises
    ------
    CorpusError
        A file is absent, damaged or of another form.
    """
    listed = [paths] if isinstance(paths, (str, Path)) else paths
    if not isinstance(listed, Sequence) or not all(isinstance(path, (str, Path)) for path in listed):
        raise CorpusError(f"events is {str(paths)[:60]!r}; it must name a file of Storm Events, or a list of them")
    found: dict[str, Event] = {}
    for path in listed:
        for event in read(at_home(path)).found:
            found.setdefault(event.id, event)
    return list(found.values())


def with_events(records: Iterable[Record], events: Sequence[Event], hours: int) -> Iterator[Record]:
    """The records, whose series are cities, and one more for each event in a window of its city, with the event's text.

    They have equal values, which is one target for `pair_distinct` of the retrieval metrics, and no negatives of each
    other. An event that lasts over several windows is one text of all of them. Splits are those that the records have
    without events.

    Raises
    ------
    CorpusError
        None of the events is in a window.
    """
    listed = sorted(records, key=lambda record: (record.series_id, record.start))
    starts = np.array([record.start for record in listed], dtype="datetime64[us]")
    ends = np.array([record.start + timedelta(hours=hours) for record in listed], dtype="datetime64[us]")
    splits, keep = split_by_time([record.series_id for record in listed], starts, ends)
    near = {city: _of_city(city, events) for city in {record.series_id for record in listed}}
    found = 0
    for record, start, end, split, kept in zip(listed, starts, ends, splits, keep, strict=True):
        if not kept:
            continue
        yield replace(record, split=split)
        own, begins, stops = near[record.series_id]
        for place in np.flatnonzero((begins < end) & ((stops > start) | (begins >= start))):
            found += 1
            yield replace(record, id=f"{record.id}_event_{own[place].id}", text=own[place].text, split=split)
    if not found:
        raise CorpusError(
            f"none of the {len(events)} events is in a window; they must be of the cities' own counties "
            f"({', '.join(name.title() for _, names in PLACES.values() for name in names)}), in the years of the series"
        )


def _of_city(city: str, events: Sequence[Event]) -> tuple[list[Event], NDArray[np.datetime64], NDArray[np.datetime64]]:
    """The events of a city in order of time, and when they begin and end (N,)."""
    states, counties = PLACES.get(city, ((), ()))
    own = [event for event in events if event.state in states and event.place in counties]
    own.sort(key=lambda event: (event.start, event.id))
    begins = np.array([event.start for event in own], dtype="datetime64[us]")
    return own, begins, np.array([event.end for event in own], dtype="datetime64[us]")
