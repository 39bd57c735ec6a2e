"""Which columns of a table are the time, the id, the text: by the names that people give them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING

from data_modules.schema import CorpusError
from data_modules.tables.times import Times, read_times

if TYPE_CHECKING:
    import pandas as pd

    from data_modules.tables.files import Table


def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.split(", "))


TIMES = _names(
    "time, timestamp, date, datetime, start, begin, from, utc, ts, ds, day, month, year, index, zeit, zeitpunkt, "
    "zeitstempel, datum, beginn, von, uhrzeit, fecha, hora, heure, horodatage, valid, period, when, observed, "
    "measured at, recorded at, created at, start date, start time, date time, date/time, date and time, time "
    "stamp, local time, time utc, epoch, unix"
)
ENDS = _names("end, until, to, ende, bis, stop, end date, end time, fin")
TEXTS = _names(
    "text, note, notes, report, remark, remarks, comment, comments, description, message, event, notiz, "
    "bemerkung, bemerkungen, kommentar, beschreibung, meldung, ereignis, entry, log, narrative, summary, "
    "observation, vermerk"
)
LABELS = _names("label, class, category, kind, type, event type, art, kategorie, klasse, typ")
IDS = _names(
    "id, series, series id, series_id, station, sensor, site, meter, device, name, unit id, location, zähler, "
    "anlage, messstelle, standort, plant, well, gauge, asset, tag"
)
CHANNELS = _names(
    "channel, variable, parameter, quantity, measure, metric, sensor, signal, tag, kanal, größe, element, "
    "attribute, field"
)
VALUES = _names("value, values, reading, wert, messwert, val, amount, result")
_PARTS = ("year", "month", "day", "hour", "minute")
SHARE_OF_TIMES = 0.8  # of a column's cells, that makes it a time where its name does not


def plain(name: str) -> str:
    """A column's name without what stands in brackets, in small letters."""
    return re.sub(r"\s*[\[(].*?[\])]\s*$", "", str(name)).strip().casefold().replace("_", " ")


def named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The first of `columns` that has one of `names`, the earlier names first."""
    own = {plain(column): column for column in reversed(columns)}
    return next((own[name] for name in names if name in own), None)


def is_time_name(name: str) -> bool:
    """Whether a column is likely to be a time by its name."""
    return plain(name) in TIMES


def time_columns(table: Table, given: Sequence[str] = (), form: str = "") -> list[str]:
    """The column of the time, or those of the day and of the time of day.

    Raises
    ------
    CorpusError
        There is none, or not the `given` ones.
    """
    columns = [str(name) for name in table.frame.columns]
    if given:
        return [column(table, name, "time") for name in given]
    known = [name for name in columns if is_time_name(name)]
    parts = [named(columns, [part]) for part in _PARTS]
    if all(parts[:3]):
        return [part for part in parts[: parts.index(None) if None in parts else None] if part is not None]
    for day in known:
        if _times(table.frame[day], form) and not _dates(table.frame[day]):
            return [day]
        for clock in columns:
            if clock != day and _clock(table.frame[clock]) and _times(joined(table.frame, [day, clock]), form):
                return [day, clock]
        if _times(table.frame[day], form):
            return [day]
    for name in columns:
        if table.frame[name].dtype.kind not in "ifub" and _times(table.frame[name], form):
            return [name]
    if known:
        return known[:1]  # what is wrong with its cells is said where they are read
    raise CorpusError(
        f"{table.path} has no column of times that can be recognised; name it, like time: {columns[0]}; it has "
        f"{', '.join(columns)}"
    )


def column(table: Table, name: str, key: str) -> str:
    """The column `name`, whatever the case of its letters.

    Raises
    ------
    CorpusError
        There is none.
    """
    columns = [str(own) for own in table.frame.columns]
    wanted = " ".join(str(name).split())
    if wanted in columns:
        return wanted
    folded = {own.casefold(): own for own in reversed(columns)}
    if wanted.casefold() in folded:
        return folded[wanted.casefold()]
    near = difflib.get_close_matches(wanted, columns, n=1)
    meant = f"; the nearest is {near[0]!r}" if near else ""
    raise CorpusError(f"{table.path} has no column {name!r} ({key}){meant}; it has {', '.join(columns)}")


def joined(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """The cells of one column, or those of several joined by a space."""
    import pandas as pd

    if len(columns) == 1:
        return frame[columns[0]]
    parts = [[_as_text(cell) for cell in frame[name].to_numpy(dtype=object, na_value=None)] for name in columns]
    rows = [" ".join(part for part in row if part) if row[0] else None for row in zip(*parts, strict=True)]
    return pd.Series(rows, index=frame.index, dtype=object)


def _as_text(cell: object) -> str:
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _dates(cells: pd.Series) -> bool:
    return read_times(cells.dropna().iloc[:1000]).dates


def _times(cells: pd.Series, form: str = "") -> bool:
    """Whether cells are times, for the most part."""
    known = cells.dropna()
    if not len(known):
        return False
    try:
        read = read_times(known.iloc[:1000], form)
    except CorpusError:
        return False
    return bool((~read.wrong).mean() >= SHARE_OF_TIMES) and (bool(form) or read.kind != "excel")


def _clock(cells: pd.Series) -> bool:
    known = [_as_text(cell) for cell in cells.dropna().head(50).to_numpy(dtype=object)]
    return bool(known) and all(re.match(r"\d{1,2}:\d\d", cell) for cell in known)


def read_time_column(table: Table, columns: Sequence[str], form: str) -> Times:
    """The times of a table's rows; `columns` of which the first is a year hold a part of the time each."""
    if not form and len(columns) > 2 and plain(columns[0]) in ("year", "jahr"):
        form = " ".join(("%Y", "%m", "%d", "%H", "%M")[: len(columns)])
    return read_times(joined(table.frame, columns), form)
