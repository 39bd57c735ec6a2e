"""Series and notes from tables of one's own, as `tables.yaml` describes them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, CorpusInfo, Record
from data_modules.describe import describe
from data_modules.series_corpus import usual_steps
from data_modules.tables.counts import Counts
from data_modules.tables.files import is_table
from data_modules.tables.labels import Labeller
from data_modules.tables.notes import Note, Notes, one_text
from data_modules.tables.parts import BEHIND, Parts, moment
from data_modules.tables.seen import Recent
from data_modules.tables.series import Found, Reader, Series
from data_modules.tables.spec import TablesSpec, find, spec_of
from data_modules.tables.zones import zone_of
from trace_lit.channels import Channel


@dataclass
class Known:
    """What a corpus has already, for rows that are added to it."""

    info: CorpusInfo
    begins: Mapping[str, np.datetime64]  # a time at which a window of each series begins
    length: int
    stride: int
    recent: Recent | None = None  # what need not be read again


def windows(
    root: Path,
    domain: str,
    series: Any,
    notes: Any = None,
    name: Any = None,
    description: str = "",
    timezone: str = "UTC",
    frequency: Any = None,
    tolerance: Any = None,
    resample: Any = None,
    stamps: str = "begin",
    duplicates: str = "refuse",
    missing_hour: str = "refuse",
    missing: Any = None,
    windows: Any = None,
    labels: Any = None,
    split: Any = None,
    counts: Counts | None = None,
    known: Known | None = None,
) -> tuple[CorpusInfo, Iterator[Record]]:
    """The windows of the series in the files below `root`, with the notes on them; see `TablesSpec` for the options.

    Raises
    ------
    CorpusError, ConfigError
        A file is not as the options say; the message names file, line and remedy.
    """
    given = {key: value for key, value in locals().items() if key not in _NO_OPTIONS and value is not None}
    spec, counts = spec_of(given), Counts() if counts is None else counts
    zone = zone_of(spec.timezone)
    info = None if known is None else known.info
    channels, alias = ((), "") if info is None else (info.channels, info.frequency)
    recent = None if known is None else known.recent
    found = Reader(spec, Path(root), domain, counts, channels, alias, recent).read()
    own = Notes.read(spec, Path(root), found.by_the_clock, counts)
    _count_unnamed(spec, Path(root), counts)
    labeller = Labeller(spec, found.channels, counts, None if info is None else info.label_names)
    if info is None:
        labels = labeller.names([note.label for note in own.notes])
        zoned = "UTC" if zone is UTC else spec.timezone
        info = CorpusInfo(
            domain=domain,
            name=spec.name or domain,
            source="tables",
            channels=found.channels,
            frequency=found.frequency,
            label_names=labels,
            description=spec.description,
            timezone=zoned,
        )
    return info, _Cutter(spec, info, found, own, labeller, counts, known).records()


_NO_OPTIONS = ("root", "domain", "counts", "known")


def upstream(root: Path, options: Mapping[str, Any]) -> list[Path]:
    """The files that the source reads."""
    spec = spec_of({key: value for key, value in options.items() if key in inspect.signature(windows).parameters})
    return [file for part in [*spec.series, *spec.notes] for file in find(root, part.files, "series or notes")]


def _count_unnamed(spec: TablesSpec, root: Path, counts: Counts) -> None:
    """Count the tables that lie beside those that are read, and that no entry names."""
    read = {file for part in [*spec.series, *spec.notes] for file in find(root, part.files, "series or notes")}
    beside = {file for folder in {file.parent for file in read} for file in folder.iterdir()} - read
    tables = sorted(file for file in beside if is_table(file) and not file.name.startswith((".", "~$")))
    if tables:
        counts.add("tables that no entry names", "files", "left out", len(tables), tables[0].relative_to(root))


class _Cutter:
    """Cuts series into windows and gives each its notes, its label and its split."""

    def __init__(
        self,
        spec: TablesSpec,
        info: CorpusInfo,
        found: Found,
        notes: Notes,
        labeller: Labeller,
        counts: Counts,
        known: Known | None,
    ) -> None:
        self.spec, self.info, self.found, self.notes = spec, info, found, notes
        self.labeller, self.counts, self.known = labeller, counts, known
        longest = max(one.values.shape[1] for one in found.series)
        self.length = spec.windows.length or usual_steps(found.frequency, longest)
        self.stride = spec.windows.stride or self.length
        if known is not None:
            self.length, self.stride = known.length, known.stride
        self.parts = Parts(spec, found.by_the_clock)

    def records(self) -> Iterator[Record]:
        """The windows of all series, one after another."""
        written = 0
        splits: set[str | None] = set()
        for one in self.found.series:
            for record in self._series(one):
                written += 1
                splits.add(record.split)
                yield record
        for name in self.parts.names if self.known is None and written else ():
            if name not in splits:
                self.counts.add("splits without a window", "split", "empty", 1, name)
        recent = None if self.known is None else self.known.recent
        self.notes.count_unused([one.id for one in self.found.series], None if recent is None else recent.since)
        if not written and self.known is None:
            longest = max(self.found.series, key=lambda one: one.values.shape[1])
            raise CorpusError(
                f"no series has a window of {self.length} steps; the longest, {longest.id!r}, has "
                f"{longest.values.shape[1]} steps of {longest.grid.frequency.span(1)}: lower windows.length"
            )

    def _series(self, one: Series) -> Iterator[Record]:
        steps = one.values.shape[1]
        begin = self._first(one)
        count = max((steps - begin - self.length) // self.stride + 1, 0)
        used = (count - 1) * self.stride + self.length if count else 0
        self.counts.add("steps before or behind all windows", one.id, "left out", steps - used)
        places = begin + self.stride * np.arange(count)
        edges = one.grid.frequency.advance(one.grid.start, np.stack([places, places + self.length]))
        splits = self.parts.splits(edges, one.grid, steps) if self.known is None else [None] * count
        for place, start, end, split in zip(places, *edges, splits, strict=True):
            values = one.values[:, place : place + self.length]
            share = 1 - float(np.isnan(values).mean())
            if split == BEHIND:
                self.counts.add("windows behind the last split", one.id, "left out", 1, _stamp(start))
            elif split == "":
                self.counts.add("windows across the border of two splits", one.id, "left out", 1, _stamp(start))
            elif share == 0 or share < self.spec.windows.observed:
                kind = "windows without a value" if share == 0 else "windows with too few values"
                self.counts.add(kind, one.id, "left out", 1, _stamp(start))
            else:
                yield self._record(one, values, start, end, split)

    def _first(self, one: Series) -> int:
        """The step at which the first window begins."""
        begin: Any = None if self.known is None else self.known.begins.get(one.id)
        if begin is None and self.spec.windows.begin is not None:
            begin = moment(self.spec, self.spec.windows.begin, "windows.begin", self.found.by_the_clock)
        if begin is None:
            return 0
        step, late = one.grid.nearest(np.array([begin], dtype="datetime64[us]"))
        if late[0] and self.known is not None:
            raise CorpusError(
                f"the series {one.id!r} does not lie on the steps of the corpus, which has one at {begin}"
            )
        return int(step[0] % self.stride)

    def _record(
        self, one: Series, values: NDArray[np.float64], start: np.datetime64, end: np.datetime64, split: str | None
    ) -> Record:
        notes = self.notes.of(one.id, start, end)
        about: dict[int, list[Note]] = {}
        general = []
        for note in notes:
            place = self.labeller.channel(note.channel)
            general.append(note) if place is None else about.setdefault(place, []).append(note)
        name = f"{one.id} {_stamp(start)}"
        text = one_text(general)
        return Record(
            id=name,
            series_id=one.id,
            start=start.astype("datetime64[us]").item(),  # type: ignore[arg-type]
            values=values,
            text=text,
            channel_texts=self._channel_texts(values, about, name) if about else None,
            label=self.labeller.label(
                values, " ".join(note.text for note in notes), [note.label for note in notes], name
            ),
            split=split,
        )

    def _channel_texts(self, values: NDArray[np.float64], about: Mapping[int, Sequence[Note]], name: str) -> list[str]:
        """What notes say of channels, and descriptions of the others."""
        channels: Sequence[Channel] = self.info.channels
        texts = list(describe(values[None], channels, self.info.frequency, [f"0/{name}"])[0])
        for place, notes in about.items():
            texts[place] = one_text(list(notes))
        return texts


def _stamp(time: np.datetime64) -> str:
    """A time as short as it can be written: 2024-05-31, or 2024-05-31T18:00."""
    text = str(time.astype("datetime64[s]"))
    if time.astype("datetime64[s]") != time:
        return str(time.astype("datetime64[us]")).rstrip("0")
    return text[:10] if text.endswith("T00:00:00") else text[:16] if text.endswith(":00") else text
