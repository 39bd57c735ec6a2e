"""Notes from tables: texts about a time or an interval, and the windows that each is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_modules.schema import CorpusError
from data_modules.tables.columns import ENDS, TEXTS, column, joined, named
from data_modules.tables.counts import Counts
from data_modules.tables.grid import span_of
from data_modules.tables.numbers import is_missing
from data_modules.tables.rows import by_its_name, id_of, moments_of, named_after, open_tables, times_of, zone_for
from data_modules.tables.spec import NoteSpec, TablesSpec, find
from data_modules.tables.table import Table
from data_modules.tables.times import Times, read_times

_DAY = np.timedelta64(1, "D")
_ENDS_OF_SENTENCES = (".", "!", "?", "…", ":", ";")


@dataclass
class Note:
    """A text about the time from `begin` to `end`, which are equal for a single moment."""

    begin: np.datetime64
    end: np.datetime64
    text: str
    series: str | None  # None: all series
    label: str | None
    channel: str | None  # as it is written
    part: int  # the entry of the spec that it comes from


class Notes:
    """All notes of a spec, to be looked up for windows."""

    def __init__(self, spec: TablesSpec, notes: list[Note], counts: Counts) -> None:
        self.spec, self.counts = spec, counts
        self.notes = sorted(notes, key=lambda note: (note.begin, note.end))
        self._used = np.zeros(len(notes), dtype=bool)
        self._begins = np.array([note.begin for note in self.notes], dtype="datetime64[us]")
        parts = np.array([note.part for note in self.notes], dtype=np.int64)
        # A window that begins at `_until` or earlier and ends after `_since` has the note.
        self._since, self._until = _bounds(
            self._begins,
            np.array([note.end for note in self.notes], dtype="datetime64[us]"),
            np.array([part.falls for part in spec.notes], dtype=object)[parts],
        )
        self._until += np.array([span_of(part.before) for part in spec.notes], dtype="timedelta64[us]")[parts]
        self._latest = np.maximum.accumulate(self._until)
        self._series = {name: number for number, name in enumerate(dict.fromkeys(note.series for note in self.notes))}
        self._of_series = np.array([self._series[note.series] for note in self.notes], dtype=np.int64)
        alike: dict[tuple[str, str | None], int] = {}
        self._alike = np.array([alike.setdefault((note.text, note.channel), len(alike)) for note in self.notes])

    @classmethod
    def read(cls, spec: TablesSpec, root: Path, by_the_clock: bool, counts: Counts) -> Notes:
        """The notes in the files below `root`; their times are those of the clocks, or UTC.

        Raises
        ------
        CorpusError
            A file cannot be read as the spec says.
        """
        found: list[Note] = []
        for number, part in enumerate(spec.notes):
            files = find(root, part.files, f"notes[{number}]")
            tables = open_tables(part, root, files, [*part.text, part.label, part.channel], counts)
            for table, times in times_of(tables, part, counts):
                found += _notes(table, times, part, number, spec, by_the_clock, counts)
        return cls(spec, found, counts)

    def of(self, series: str, begin: np.datetime64, end: np.datetime64) -> list[Note]:
        """The notes on the window from `begin` to `end` of a series, the earliest first."""
        first = int(np.searchsorted(self._latest, begin, side="left"))
        last = int(np.searchsorted(self._begins, end, side="left"))
        near = slice(first, max(first, last))
        own = [self._series[name] for name in (None, series) if name in self._series]
        falls = (self._until[near] >= begin) & (self._since[near] < end) & np.isin(self._of_series[near], own)
        found = first + np.flatnonzero(falls)
        self._used[found] = True
        kept = found[np.sort(np.unique(self._alike[found], return_index=True)[1])]
        most = max((part.most for part in self.spec.notes), default=0)
        if len(kept) > most:
            self.counts.add(
                "notes beyond the most of a window", "notes", "left out, the earliest ones", len(kept) - most
            )
        return [self.notes[place] for place in kept[-most:]]

    def count_unused(self, series: Iterable[str], since: Mapping[str, np.datetime64] | None = None) -> None:
        """Count the notes that no window has, of each series those from the time `since` on."""
        known = set(series)
        for note, used in zip(self.notes, self._used, strict=True):
            if note.series is not None and note.series not in known:
                self.counts.add("notes on a series that is not there", "notes", "left out", 1, f"{note.series!r}")
            elif since is not None and note.end < (since[note.series] if note.series else min(since.values())):
                continue
            elif not used:
                place = f"{str(note.begin.astype('datetime64[m]')).replace('T', ' ')}: {note.text[:40]!r}"
                self.counts.add("notes outside of all windows", "notes", "left out", 1, place)


def _bounds(
    begins: NDArray[np.datetime64], ends: NDArray[np.datetime64], falls: NDArray[np.object_]
) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """The time (N,) after which a window ends that has each of N notes, and the latest at which it begins."""
    just_before = np.timedelta64(1, "us")
    middle = (falls == "midpoint") | (begins == ends)
    since = np.where(falls == "inside", ends - just_before, begins)
    until = np.where(falls == "inside", begins, ends - just_before)
    centre = begins + (ends - begins) // 2
    return np.where(middle, centre, since), np.where(middle, centre, until)


def _notes(
    table: Table, times: Times, part: NoteSpec, number: int, spec: TablesSpec, by_the_clock: bool, counts: Counts
) -> list[Note]:
    zone = zone_for(part, spec.timezone)
    moments = moments_of(times, zone)
    begins = moments.wall if by_the_clock else moments.utc
    ends = _ends(table, part, times, spec, by_the_clock, begins, counts)
    texts = _texts(table, part, counts)
    others = {
        key: [id_of(cell) for cell in table.frame[column(table, name, key)].to_numpy(dtype=object, na_value=None)]
        for key, name in (("id", part.id), ("label", part.label), ("channel", part.channel))
        if name is not None
    }
    nothing: list[str | None] = [None] * len(texts)
    columns = [others.get(key, nothing) for key in ("id", "label", "channel")]
    name = None if part.name is None else named_after(table, part.name)
    found = []
    for begin, end, text, series, label, channel in zip(begins, ends, texts, *columns, strict=True):
        if np.isnat(begin) or not (text or label):
            continue
        label = None if label is None or is_missing(label) else label
        found.append(Note(begin, end, text, series if part.id else name, label, channel, number))
    return found


def _ends(
    table: Table,
    part: NoteSpec,
    times: Times,
    spec: TablesSpec,
    by_the_clock: bool,
    begins: NDArray[np.datetime64],
    counts: Counts,
) -> NDArray[np.datetime64]:
    """The ends (N,) of the intervals that notes are about: a day for a date, and the begin itself for a moment."""
    zone = zone_for(part, spec.timezone)
    whole = begins.copy()
    if times.dates:
        later = moments_of(Times(times.local + _DAY, times.aware, times.wrong, True), zone)
        whole = later.wall if by_the_clock else later.utc
    name = part.end or (named([str(own) for own in table.frame.columns], ENDS) if not part.time else None)
    if name is None:
        return whole
    read = read_times(table.frame[column(table, name, "end")], part.time_format or (times.kind if times.kind else ""))
    moments = moments_of(by_its_name(read, [name]) if part.timezone is None else read, zone)
    ends = moments.wall if by_the_clock else moments.utc
    if read.dates:
        later = moments_of(Times(read.local + _DAY, read.aware, read.wrong, True), zone)
        ends = later.wall if by_the_clock else later.utc
    backwards = ends < begins
    counts.add("notes that end before they begin", table.name, "taken as their begin", int(backwards.sum()))
    return np.where(np.isnat(ends) | backwards, whole, ends)


def _texts(table: Table, part: NoteSpec, counts: Counts) -> list[str]:
    """The texts (N,), "" where there is none."""
    columns = [str(name) for name in table.frame.columns]
    names = [column(table, name, "text") for name in part.text]
    if not names:
        found = named(columns, TEXTS)
        if found is None and part.label is not None:
            return [""] * len(table.frame)
        if found is None:
            raise CorpusError(
                f"{table.path} has no column of texts; name it (text), or that of a label (label); it has "
                f"{', '.join(columns)}"
            )
        names = [found]
    texts = []
    for cell in joined_texts(table, names):
        text = " ".join(cell.split())
        texts.append("" if is_missing(text) else text)
    counts.add("notes without a text", table.name, "left out", sum(not text for text in texts))
    return texts


def joined_texts(table: Table, names: list[str]) -> list[str]:
    """The cells of several columns, joined by a space."""
    if len(names) == 1:
        cells = table.frame[names[0]].to_numpy(dtype=object, na_value=None)
        return ["" if cell is None or cell != cell else str(cell) for cell in cells]
    return ["" if cell is None else str(cell) for cell in joined(table.frame, names).to_numpy(dtype=object)]


def one_text(notes: list[Note]) -> str:
    """The texts of several notes as one; each ends like a sentence."""
    texts = [note.text for note in notes if note.text]
    if len(texts) < 2:
        return "".join(texts)
    return " ".join(text if text.endswith(_ENDS_OF_SENTENCES) else f"{text}." for text in texts)
