"""A first `tables.yaml` for a folder: what its files look like, with a comment wherever that is not sure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

from data_modules.schema import CorpusError
from data_modules.tables.columns import (
    CHANNELS,
    ENDS,
    IDS,
    LABELS,
    TEXTS,
    VALUES,
    is_time_name,
    named,
    plain,
    read_time_column,
    time_columns,
)
from data_modules.tables.files import ENDINGS, TEXT_ENDINGS, Table, read_table
from data_modules.tables.grid import usual_frequency
from data_modules.tables.numbers import suspected_fills, to_numbers
from data_modules.tables.spec import channel_of
from data_modules.tables.times import DAY_FIRST, MONTH_FIRST, Times
from trace_lit.errors import InputError, first_line

MOST_FILES = 200
_LONG_TEXT = 12  # letters, on average, of cells that are notes
_FEW_IDS = 0.2  # distinct ids a row


@dataclass
class _File:
    """One file and what its columns seem to be."""

    path: Path
    table: Table
    time: list[str]
    times: Times
    end: str | None = None
    id: str | None = None
    text: str | None = None
    label: str | None = None
    channel: str | None = None
    value: str | None = None
    numbers: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    alike: list[_File] = field(default_factory=list)  # files of the same form


def guess(folder: Path) -> str:
    """The YAML for the files in `folder` and below.

    Raises
    ------
    CorpusError
        It is no folder, or holds no series.
    """
    if not folder.is_dir():
        raise CorpusError(f"there is no folder {folder}")
    lines, files = [], []
    found = sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS and not _hidden(file, folder))
    for file in found[:MOST_FILES]:
        try:
            files.append(_look(file))
        except InputError as error:
            lines.append(
                f"# {file.relative_to(folder)} is left out: {first_line(error).replace(str(folder) + '/', '')}"
            )
    if len(found) > MOST_FILES:
        lines.append(f"# {len(found) - MOST_FILES} further files were not looked at")
    groups = _grouped(files)
    series = [own for own in groups if own.numbers or own.value]
    notes = [own for own in groups if own not in series and own.text]
    if not series:
        looked = ", ".join(str(file.relative_to(folder)) for file in found[:10]) or "no table"
        raise CorpusError(f"{folder} holds no file with times and numbers; found {looked}. " + " ".join(lines))
    return (
        "\n".join([*_head(folder, series), *lines, *_series(series, folder), *_notes(notes, folder), *_tail()]) + "\n"
    )


def _hidden(file: Path, folder: Path) -> bool:
    """Whether a file is hidden, or of a corpus or a run."""
    inside = file.relative_to(folder).parts
    above = [folder.joinpath(*inside[:depth]) for depth in range(1, len(inside))]
    return any(part.startswith((".", "~$")) for part in inside) or any(
        (place / "corpus.yaml").is_file() or (place / "config.yaml").is_file() for place in above
    )


def _look(path: Path) -> _File:
    table = read_table(path, texts=is_time_name)
    if not len(table.frame):
        raise CorpusError(f"{path} has no rows")
    time = time_columns(table)
    own = _File(path, table, time, read_time_column(table, time, ""))
    columns = [str(name) for name in table.frame.columns if str(name) not in time]
    for name in columns:
        numbers, wrong = to_numbers(table.frame[name], table.layout.style, channel_of(name).unit)
        filled = int((~np.isnan(numbers) | wrong).sum())
        if filled and wrong.sum() <= filled / 2:
            own.numbers.append(name)
        elif filled:
            own.texts.append(name)
    own.id = next((name for name in _all_named(columns, IDS) if _repeats(table, name)), None)
    own.end = named([name for name in columns if name != own.id], ENDS)
    own.value = named(own.numbers, VALUES)
    own.channel = named([name for name in own.texts if name != own.id], CHANNELS)
    if own.channel is None and own.id in own.texts and plain(str(own.id)) in CHANNELS and own.value:
        own.channel, own.id = own.id, None
    if own.channel is None or own.value is None or not _repeats(table, own.channel):
        own.channel = own.value = None
    own.numbers = [name for name in own.numbers if name not in (own.id, own.end)]
    own.text = named(own.texts, TEXTS) or next((name for name in own.texts if _is_long(table, name)), None)
    own.label = named([name for name in own.texts if name not in (own.text, own.id)], LABELS)
    return own


def _all_named(columns: Sequence[str], names: Sequence[str]) -> list[str]:
    return [name for name in columns if plain(name) in names]


def _repeats(table: Table, name: str) -> bool:
    """Whether a column has few distinct cells, as ids have."""
    cells = table.frame[name].dropna()
    return 0 < cells.nunique() <= max(1, _FEW_IDS * len(cells)) and (
        cells.nunique() > 1 or cells.dtype.kind not in "if"
    )


def _is_long(table: Table, name: str) -> bool:
    return float(table.frame[name].dropna().astype(str).str.len().mean()) > _LONG_TEXT


def _grouped(files: list[_File]) -> list[_File]:
    """The first of the files of each form, with the others in its `alike`."""
    first: dict[tuple[object, ...], _File] = {}
    for own in files:
        key = own.path.parent, own.path.suffix, tuple(map(str, own.table.frame.columns)), own.table.layout.separator
        if key in first:
            first[key].alike.append(own)
        else:
            first[key] = own
    return list(first.values())


def _head(folder: Path, series: list[_File]) -> list[str]:
    name = re.sub(r"[^\w-]+", "-", folder.resolve().name).strip("-").lower() or "mine"
    lines = [
        "# Written by `trace-lit data guess`. Read it, above all lines with a question mark, and then:",
        f"#   trace-lit data build --source tables --root {folder} --out corpora/{name} tables.yaml",
        f"domain: {_word(name)}",
    ]
    naive = any((~own.times.aware & ~np.isnat(own.times.local)).any() and not own.times.dates for own in series)
    if not naive:
        lines.append("timezone: UTC")
    else:
        lines.append(f"timezone: UTC  # ? times have no offset; {_zone_doubt(series)}")
    frequencies = {_frequency(own) for own in series} - {""}
    if len(frequencies) == 1 and all(map(_frequency, series)):
        lines.append(f"frequency: {frequencies.pop()}")
    elif frequencies:
        listed = ", ".join(sorted(frequencies))
        lines += [
            f"frequency: {sorted(frequencies)[0]}  # ? files have rows every {listed}",
            "resample: mean  # ? or sum, last",
        ]
    else:
        lines += ["frequency: 1h  # ? the times are irregular", "resample: mean  # ? or sum, last"]
    fills = sorted({fill for own in series for fill in _fills(own)})
    if fills:
        listed = ", ".join(f"{fill:g}" for fill in fills)
        lines.append(f"missing: [{listed}]  # ? these numbers look like fill values")
    return lines


def _zone_doubt(series: list[_File]) -> str:
    """What the times say of clocks that are changed."""
    doubled = skipped = None
    for own in series:
        local = own.times.local[~np.isnat(own.times.local)]
        if own.id or own.channel or len(local) < 3:
            continue
        back = np.flatnonzero(np.diff(local) <= np.timedelta64(0))
        for place in back[:20]:
            month = int(local[place].astype("datetime64[M]").astype(int)) % 12 + 1
            if month in (10, 11, 4) and len(back) < len(local) / 10:
                doubled = local[place]
        apart = np.diff(local).astype(np.int64)
        usual = int(np.median(apart))
        for place in np.flatnonzero(apart == usual + 3_600_000_000):
            day = local[place].astype("datetime64[D]")
            if day.astype(object).weekday() == 6 and day.astype(object).month in (3, 10):
                skipped = local[place]
    if doubled is not None or skipped is not None:
        what = f"comes twice on {str(doubled)[:10]}" if doubled is not None else f"is missing on {str(skipped)[:10]}"
        return f"an hour {what}, so the clock is changed: write your zone, like Europe/Berlin"
    return "write the zone of the clock, like Europe/Berlin"


def _frequency(own: _File) -> str:
    local = own.times.local[~np.isnat(own.times.local)]
    return usual_frequency(np.unique(local)) if len(local) > 1 else ""


def _fills(own: _File) -> list[float]:
    found: list[float] = []
    for name in [own.value] if own.value else own.numbers:
        numbers, _ = to_numbers(own.table.frame[name], own.table.layout.style, channel_of(name).unit)
        found += suspected_fills(numbers)
    return found


def _series(series: list[_File], folder: Path) -> list[str]:
    lines = ["series:"]
    for own in series:
        lines += [*_files(own, folder), *_form(own)]
        if own.id is not None:
            lines.append(f"    id: {_word(own.id)}")
        elif own.alike:
            apart = _overlap([own, *own.alike])
            name = '"{file}"' if apart else "null"
            why = (
                "their times overlap, so each file is a series"
                if apart
                else "their times follow each other: one series"
            )
            lines.append(f"    name: {name}  # ? {why}")
        if own.channel is not None:
            lines += [f"    channel: {_word(own.channel)}", f"    value: {_word(str(own.value))}", "    channels:"]
            names = list(dict.fromkeys(own.table.frame[own.channel].dropna().astype(str)))[:50]
        else:
            lines.append("    channels:")
            names = own.numbers
        for name in names:
            channel = channel_of(name)
            unit = f", unit: {_word(channel.unit)}" if channel.unit else ""
            doubt = "" if channel.unit else "  # ? unit"
            lines.append(f"      {_word(name)}: {{name: {_word(channel.name)}{unit}}}{doubt}")
        left = [name for name in own.texts if name not in (own.id, own.channel)]
        if left and own.channel is None:
            lines.append(f"    # columns of texts are left out: {', '.join(left)}")
    return lines


def _overlap(files: list[_File]) -> bool:
    """Whether the times of two files overlap."""
    spans = sorted((np.nanmin(own.times.local), np.nanmax(own.times.local)) for own in files)
    return any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans))


def _files(own: _File, folder: Path) -> list[str]:
    names = [str(file.path.relative_to(folder)) for file in (own, *own.alike)]
    if len(names) > 3:
        parent = own.path.parent.relative_to(folder)
        pattern = str(parent / f"*{own.path.suffix}") if str(parent) != "." else f"*{own.path.suffix}"
        if len(list(folder.glob(pattern))) == len(names):
            return [f"  - files: [{_word(pattern)}]"]
    return [f"  - files: [{', '.join(map(_word, names))}]"]


def _form(own: _File) -> list[str]:
    layout, lines = own.table.layout, []
    if own.path.suffix.lower() in TEXT_ENDINGS:
        lines.append(f"    separator: {_word(str(layout.separator))}")
        if layout.encoding not in ("utf-8-sig", "utf-8"):
            lines.append(f"    encoding: {layout.encoding}  # ? the file is not UTF-8")
        if layout.decimal is not None:
            doubt = f"  # ? {layout.doubts[0]}" if layout.doubts else ""
            lines.append(f"    decimal: {_word(layout.decimal)}{doubt}")
    if layout.header != 1 and layout.header is not None:
        lines.append(f"    header: {layout.header}" + ("" if layout.header else "  # ? no line names the columns"))
    lines.append(f"    time: [{', '.join(map(_word, own.time))}]")
    kind = own.times.kind
    if kind in (DAY_FIRST, MONTH_FIRST) and own.times.doubt:
        known = {file.times.kind for file in own.alike if not file.times.doubt}
        if len(known) == 1:
            return [*lines, f"    time_format: {known.pop()}"]
        return [*lines, f"    time_format: {_regular(own)}  # ? {own.times.doubt}"]
    if kind:
        lines.append(f"    time_format: {_word(kind)}" + (f"  # ? {own.times.doubt}" if own.times.doubt else ""))
    return lines


def _regular(own: _File) -> str:
    """Day or month first, whichever makes the steps more alike."""
    spread = {}
    for form in (DAY_FIRST, MONTH_FIRST):
        times = read_time_column(own.table, own.time, form)
        apart = np.diff(times.local[~np.isnat(times.local)]).astype(np.int64)
        spread[form] = len(np.unique(apart)), bool((apart < 0).any())
    return min(spread, key=lambda form: (spread[form][1], spread[form][0]))


def _notes(notes: list[_File], folder: Path) -> list[str]:
    lines = ["notes:"] if notes else []
    for own in notes:
        lines += [*_files(own, folder), *_form(own)]
        if own.end is not None:
            lines.append(f"    end: {_word(own.end)}")
        others = [name for name in own.texts if name not in (own.text, own.id, own.label)]
        doubt = f"  # ? or {', '.join(others)}" if others else ""
        lines.append(f"    text: {_word(str(own.text))}{doubt}")
        if own.id is not None:
            lines.append(f"    id: {_word(own.id)}  # ? the series that a note is about")
        if own.label is not None:
            lines.append(f"    label: {_word(own.label)}  # ? becomes the label of the window")
        lines.append(
            "    falls: overlapping  # or inside, midpoint; and before: 6h for notes up to so long before a window"
        )
    return lines


def _tail() -> list[str]:
    return [
        "windows: {length: null, stride: null}  # steps; null: a day of hours, four weeks of days, a year of months",
        "split: {train: 0.7, validation: 0.1, test: 0.2}  # or the days on which validation and test begin",
    ]


def _word(text: str) -> str:
    """A text as YAML writes it within a line."""
    written = yaml.safe_dump(text, allow_unicode=True, width=10_000).removesuffix("\n...\n").strip()
    if written.startswith(("'", '"')) or re.fullmatch(r"\w[\w .°%/-]*", written):
        return written
    return yaml.safe_dump(text, allow_unicode=True, width=10_000, default_style='"').strip()
