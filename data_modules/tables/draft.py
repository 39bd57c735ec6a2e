"""The text of a first `tables.yaml`, with a comment wherever something is not sure."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from data_modules.frequency import Frequency
from data_modules.tables.columns import (
    SHARE_OF_TIMES,
    is_hour,
    joined_time,
    plain,
)
from data_modules.tables.dates import SPANS
from data_modules.tables.grid import usual_frequency
from data_modules.tables.looks import Look, channel_in, channels_below, is_noted, times_repeat
from data_modules.tables.numbers import suspected_fills, to_numbers
from data_modules.tables.spread import HOURS, MONTHS, TIMES
from data_modules.tables.times import ASKED
from data_modules.validation import LARGEST


def draft(folder: Path, series: list[Look], notes: list[Look], remarks: list[str]) -> str:
    """The YAML for the files with `series` and with `notes` in `folder`; `remarks` are comments on the others."""
    lines = [*_head(folder, series), *remarks, *_series(series, folder), *_notes(notes, series, folder), *_tail()]
    return "\n".join(lines) + "\n"


def _head(folder: Path, series: list[Look]) -> list[str]:
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
        known = sorted(frequencies, key=_length)
        lines += [
            f"frequency: {known[-1]}  # ? files have rows every {', '.join(known)}",
            "resample: mean  # ? or sum, last",
        ]
    else:
        lines += ["frequency: 1h  # ? the times are irregular", "resample: mean  # ? or sum, last"]
    if ending := [own for own in series if _hours_end(own)]:
        sure = any(map(_hours_counted, ending))
        lines.append(
            f"{'' if sure else '# '}stamps: end  # ? hours run from 1 to 24, so a time seems to be the end of its step"
        )
    elif ends := [
        name
        for own in series
        if not own.times.dates
        for name in own.time
        if re.search(r"\b(end|ending|ende|bis)\b", plain(name))
    ]:
        lines.append(f"stamps: end  # ? {_word(ends[0])} seems to be the end of a step")
    fills = sorted({fill for own in series for fill in _fills(own)})
    if fills:
        listed = ", ".join(f"{fill:g}" for fill in fills)
        lines.append(f"missing: [{listed}]  # ? these numbers look like fill values")
    return lines


def _zone_doubt(series: list[Look]) -> str:
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


def _frequency(own: Look) -> str:
    local = own.times.local[~np.isnat(own.times.local)]
    return usual_frequency(np.unique(local)) if len(local) > 1 else ""


def _fills(own: Look) -> list[float]:
    found: list[float] = []
    for name in [own.value] if own.value else own.numbers:
        numbers, _ = to_numbers(own.table.frame[name], own.table.layout.style, channel_in(own, name).unit)
        numbers = numbers[~np.isnat(own.times.local)]  # a row of totals has no time
        found += suspected_fills(numbers)
        known = numbers[np.isfinite(numbers)]
        found += [float(fill) for fill in np.unique(known[np.abs(known) > LARGEST])[:5] if fill not in found]
    return found


def _length(alias: str) -> int:
    """A step, in microseconds, to compare it with others."""
    step = Frequency.parse(alias)
    return step.microseconds or step.months * 30 * 86_400_000_000


def _hours_end(own: Look) -> bool:
    """Whether the hours of a file run from 1 to 24."""
    if own.spread is not None and own.spread.across != TIMES:
        return own.spread.across == HOURS and min(own.spread.places) > 0
    cells = joined_time(own.table.frame, own.time).dropna().astype(str)
    hours = cells.str.extract(r"[ T](\d{1,2}):\d\d")[0]
    if is_hour(own.time[-1]):
        hours = hours.fillna(cells.str.extract(r" (\d{1,2})$")[0])
    found = set(pd.to_numeric(hours, errors="coerce").dropna().astype(int))
    return 24 in found and 0 not in found


def _hours_counted(own: Look) -> bool:
    """Whether the hours of a file are numbers, for the most part."""
    cells = own.table.frame[own.time[-1]].dropna().astype(str)
    return bool(cells.str.fullmatch(r"\d{1,2}(\.0)?").mean() >= SHARE_OF_TIMES)


def _series(series: list[Look], folder: Path) -> list[str]:
    lines = ["series:"]
    for own in series:
        lines += [*_files(own, folder), *_form(own)]
        if own.id is not None:
            lines.append(f"    id: {_word(own.id)}")
        elif own.name is not None:
            word = own.name.rpartition("{")[2].strip("}")
            lines.append(f'    name: "{own.name}"  # ? times of one channel overlap, so each {word} is a series')
        elif own.alike:
            lines.append("    name: null  # ? their times follow each other: one series")
        if own.id is None and own.channel is None and times_repeat(own):
            lines.append(
                "    id: null  # ? times come several times: name the column of the series, or write duplicates: mean"
            )
        if own.spread is not None:
            doubt = f"; {own.spread.doubt}" if own.spread.doubt else ""
            lines.append(f"    across: {own.spread.across}  # {'? ' * bool(doubt)}{own.spread.sentence}{doubt}")
            if own.spread.named_after is not None:
                doubt = (
                    ""
                    if own.times.kind == SPANS
                    else f"  # ? {own.time[0]!r} is the calendar year of its end, or begin"
                )
                lines.append(f"    named_after: {own.spread.named_after}{doubt}")
            elif own.spread.across == MONTHS and re.search(r"water|hydro|fiscal|financ|^[wf]y$", plain(own.time[0])):
                lines.append(
                    f"    # first_month: 10  # ? the month in which {own.time[0]!r} begins, and named_after: end"
                )
        if own.censored is not None:
            lines.append(
                f"    # censored: limit  # ? cells like {own.censored!r} are missing; limit or half makes them numbers"
            )
        if "" in own.flags:
            lines.append(f"    good: {_good(own.flags[''])}  # ? values of other rows are made missing")
        if own.channel is not None:
            value = [f"    value: {_word(str(own.value))}"] if own.spread is None else []
            lines += [f"    channel: {_word(own.channel)}", *value, "    channels:"]
            channels = channels_below(own)
        else:
            lines.append("    channels:")
            channels = {name: channel_in(own, name) for name in own.numbers}
        for name, channel in channels.items():
            unit = f", unit: {_word(channel.unit)}" if channel.unit else ""
            good = f", good: {_good(own.flags[name])}" if name in own.flags else ""
            doubt = "" if channel.unit and not good else f"  # ? {'others are made missing' if good else 'unit'}"
            lines.append(f"      {_word(name)}: {{name: {_word(channel.name)}{unit}{good}}}{doubt}")
        left = [
            name for name in own.texts if name not in (own.id, own.channel) and not (name == own.text and is_noted(own))
        ]
        if own.still:
            lines.append(f"    # columns that go with {own.id!r} are left out: {', '.join(own.still)}")
        if own.counter is not None:
            lines.append(f"    # the column {own.counter!r} only numbers the rows")
        if left and own.channel is None:
            lines.append(f"    # columns of texts are left out: {', '.join(left)}")
    return lines


def _files(own: Look, folder: Path) -> list[str]:
    names = [str(file.path.relative_to(folder)) for file in (own, *own.alike)]
    if len(names) > 3:
        parent = own.path.parent.relative_to(folder)
        for pattern in (str(parent / f"*{own.path.suffix}"), f"*/*{own.path.suffix}", f"**/*{own.path.suffix}"):
            if {str(file.relative_to(folder)) for file in folder.glob(pattern)} == set(names):
                return [f"  - files: [{_word(pattern)}]"]
    return [f"  - files: [{', '.join(map(_word, names))}]"]


def _form(own: Look) -> list[str]:
    """How the files are written; what is not the same in all of them is found out for each."""
    layout, lines = own.table.layout, []
    layouts = [file.table.layout for file in own.alike]
    if layout.separator is not None:
        lines.append(f"    separator: {_word(str(layout.separator))}")
        if layout.encoding not in ("utf-8-sig", "utf-8") and all(one.encoding == layout.encoding for one in layouts):
            lines.append(f"    encoding: {layout.encoding}  # ? the file is not UTF-8")
    if layout.decimal is not None and all(one.decimal in (None, layout.decimal) for one in layouts):
        doubt = f"  # ? {layout.doubts[0]}" if layout.doubts else ""
        lines.append(f"    decimal: {_word(layout.decimal)}{doubt}")
    if own.sheet is not None:
        lines.append(f"    sheet: {_word(own.sheet)}")
    if layout.header not in (None, 1) and all(one.header == layout.header for one in layouts):
        lines.append(f"    header: {layout.header}" + ("" if layout.header else "  # ? no line names the columns"))
    # Of times across columns, the first are the columns.
    time = own.time[1:] if own.spread is not None and own.spread.across == TIMES else own.time
    if time:
        lines.append(f"    time: [{', '.join(map(_word, time))}]")
    kind, doubt = own.times.kind, own.times.doubt
    if kind in ASKED:
        sure = {file.times.kind for file in (own, *own.alike) if file.times.kind and not file.times.doubt}
        if doubt and len(sure) == 1:
            return [*lines, f"    time_format: {sure.pop()}"]
    if kind and all(file.times.kind == kind or (file.times.doubt and not doubt) for file in own.alike):
        lines.append(f"    time_format: {_word(kind)}" + (f"  # ? {doubt}" if doubt else ""))
    return lines


def _notes(notes: list[Look], series: list[Look], folder: Path) -> list[str]:
    lines = ["notes:"] if notes else []
    for own in notes:
        lines += [*_files(own, folder), *_form(own)]
        if own.end is not None:
            lines.append(f"    end: {_word(own.end)}")
        others = [name for name in own.texts if name not in (own.text, own.id, own.label, own.end, own.channel)]
        doubt = f"  # ? or {', '.join(others)}" if others else ""
        if own.text is not None:
            lines.append(f"    text: {_word(own.text)}{doubt}")
        if own.id is not None:
            lines.append(f"    id: {_word(own.id)}  # ? the series that a note is about")
        elif own in series and own.name is not None:
            lines.append(f'    name: "{own.name}"')
        if own.channel is not None and own not in series:
            lines.append(f"    channel: {_word(own.channel)}  # ? the channel that a note is about")
        if own.label is not None and own.label != own.channel:
            lines.append(f"    label: {_word(own.label)}  # ? becomes the label of the window")
        days = (
            "? midpoint gives a day's note to one window only, also where clocks are changed; " if _by_days(own) else ""
        )
        lines.append(
            f"    falls: overlapping  # {days}or inside, midpoint; and before: 6h for notes up to so long before a window"
        )
    return lines


def _good(flags: dict[str, list[str | None]]) -> str:
    return yaml.safe_dump(flags, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False).strip()


def _by_days(notes: Look) -> bool:
    """Whether the notes have dates alone."""
    return notes.times.dates and notes.end is None


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
