"""Which columns of a table are the time, the id, the text: by the names that people give them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data_modules.schema import CorpusError
from data_modules.tables.calendar_names import month_of
from data_modules.tables.dates import QUARTERS
from data_modules.tables.times import ASKED, EXCEL, NAMED, Times, names_day, read_times, reads_as_time
from data_modules.tables.zones import offset_in

if TYPE_CHECKING:
    import pandas as pd

    from data_modules.tables.table import Table


def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.split(", "))


TIMES = _names(
    "time, timestamp, date, datetime, start, begin, from, utc, ts, ds, day, month, year, index, zeit, zeitpunkt, "
    "zeitstempel, datum, beginn, von, uhrzeit, fecha, hora, heure, horodatage, valid, period, when, observed, "
    "measured at, recorded at, created at, start date, start time, date time, date/time, date and time, time "
    "stamp, local time, time utc, epoch, unix, water year, wy, hydrological year, hydrologic year, hydro year, "
    "fiscal year, fy, financial year, school year, crop year, marketing year, abflussjahr, wirtschaftsjahr, "
    "geschäftsjahr, haushaltsjahr"
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
    "attribute, field, tagname, tag name, point, point name, channel name, variable name, parameter name, item, "
    "indicator, analyte, determinand, characteristic, messgröße, kennzahl, vital, vital sign"
)
VALUES = _names(
    "value, values, reading, wert, messwert, val, amount, result, valuenum, numeric value, data value, obs value, "
    "result value, measurement, measured value"
)
UNITS = _names(
    "unit, units, einheit, einheiten, uom, unit of measure, valueuom, value unit, units of measure, engineering units, eu"
)
_PARTS = {  # of a time in several columns, as strptime writes them
    "%Y": _names("year, jahr, yr, yyyy, año, année"),
    "%m": _names("month, mo, monat, mes, mois"),
    "%d": _names("day, dy, tag, dd, día, jour"),
    "%H": _names("hour, hr, hh, stunde, hora, heure, hour ending, hour of day, he, hour number, hour end, hr end"),
    "%M": _names("minute, min, mi"),
    "%j": _names("doy, day of year, yday, jday, julian day"),
    "%q": _names("quarter, qtr, quartal, trimestre, trimester, q"),
    "%V": _names("week, wk, epiweek, isoweek, iso week, kw, woche, kalenderwoche"),
}
_TOGETHER = (("%Y", "%m", "%d", "%H", "%M"), ("%Y", "%j", "%H", "%M"), ("%Y", "%m"), ("%Y", "%V"), ("%Y", "%q"))
_LENGTHS = {"%q": 132_480, "%m": 44_640, "%V": 10_080, "%d": 1440, "%j": 1440, "%H": 60, "%M": 1}  # minutes, at most
_QUANTITIES = ("kW", "He", "Mo")  # no calendar week, hour ending or month
_CLOCKS = _names("time, uhrzeit, zeit, zeitpunkt, start time, local time, time utc, utc, time of day, tageszeit")
_WORDS = frozenset(("date", "datum", "time", "timestamp", "datetime", "zeit", "epoch", "fecha"))  # of names of times
_FEWEST = 10_000_000  # a number of so many is a day and not a quantity
_LOOKED_AT, _DAYS_LOOKED_AT = 200, 10  # columns, the first ones, among which times and days are found
SHARE_OF_TIMES = 0.8  # of a column's cells, that makes it a time where its name does not


def plain(name: str) -> str:
    """A column's name without what stands in brackets, in small letters."""
    text = str(name).strip()
    if text.endswith(("]", ")")):
        text = re.split(r"[\[(]", text, maxsplit=1)[0].strip()
    return text.casefold().replace("_", " ").strip()


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
    if given:
        return [column(table, name, "time") for name in given]
    columns = [str(name) for name in table.frame.columns[:_LOOKED_AT]]
    known = [name for name in columns if is_time_name(name)]
    parts = _parts(columns)
    whole = _whole_time(table, [name for name in known if name not in parts][:_DAYS_LOOKED_AT], form)
    if whole and len(parts) < 3:
        return whole
    spelled = [[name] for name in columns if name not in parts and _is_spelled(table.frame[name], form)]
    if (
        spelled and _dates(days := table.frame[spelled[0][0]]) and days.duplicated().any()
    ):  # a time of day, and of a zone
        spelled.sort(key=lambda own: (_dates(table.frame[own[0]]), offset_in(own[0]) is None))
        spelled[0] = _whole_time(table, spelled[0], form)
    spelled += [[name] for name in columns if name not in parts and _is_counted(table.frame[name], name, form)]
    if parts:
        own = whole or next(iter(spelled), [])
        return own if own and _refines(table, own, parts, form) else parts
    if spelled:
        return spelled[0]
    if across := called_by_times(columns):
        raise CorpusError(
            f"{table.path}: columns are called by times ({across[0]}, {across[1]}, …); write across: times, and the column "
            "that names the rows as id (of series) or channel"
        )
    if known:
        return known[:1]  # what is wrong with its cells is said where they are read
    listed = f"{', '.join(columns[:20])}{f' and {len(columns) - 20} more' if len(columns) > 20 else ''}"
    raise CorpusError(
        f"{table.path} has no column of times that can be recognised; name it, like time: {columns[0]}; it has {listed}"
        f"{f'; or name another sheet (sheet): it has the sheets {chr(44).join(table.sheets)}' * bool(table.sheets)}"
    )


def names_of_times(columns: Sequence[str]) -> list[str]:
    """Those of the names of columns that are times, like 2019, Jan-22 and 2024-05-31."""
    return [name for name in columns if reads_as_time(name)]


def called_by_times(columns: Sequence[str]) -> list[str]:
    """The names that are times where most are; else []."""
    found = names_of_times(columns)
    return found if len(found) > max(2, len(columns) / 2) else []


def _is_spelled(cells: pd.Series, form: str) -> bool:
    """Whether a column of texts holds times."""
    return cells.dtype.kind not in "ifub" and _times(cells, form)


def _is_counted(cells: pd.Series, name: str, form: str) -> bool:
    """Whether a column of numbers holds times like 2024050113, or epochs, as its name says, too."""
    if cells.dtype.kind not in "iuf" or not _WORDS & set(re.split(r"[\W_]+", name.casefold())):
        return False
    return bool((cells.dropna() >= _FEWEST).all()) and _times(cells, form)


def _whole_time(table: Table, days: Sequence[str], form: str) -> list[str]:
    """The first of the columns `days` that is a time, with the column of the time of day beside it; [] for none."""
    clocks: list[str] | None = None
    for day in days:
        is_time = _times(table.frame[day], form)
        if is_time and not _dates(table.frame[day]):
            return [day]
        if clocks is None:
            columns = map(str, table.frame.columns[:_LOOKED_AT])
            clocks = [name for name in columns if _clock(table.frame[name], name)][:_DAYS_LOOKED_AT]
        for clock in clocks:
            if clock != day and _times(joined_time(table.frame, [day, clock], form), form):
                return [day, clock]
        if is_time:
            return [day]
    return []


def _refines(table: Table, whole: Sequence[str], parts: Sequence[str], form: str) -> bool:
    """Whether the time `whole` lies within what the `parts` of a time name, and tells more than they do."""
    begins = read_time_column(table, parts, "").local
    length = np.timedelta64(_LENGTHS[part_of_time(parts[-1])], "m")
    later = read_time_column(table, whole, form).local - begins
    within = (later >= np.timedelta64(0, "m")) & (later < length)  # NaT is not
    return bool(within.mean() >= SHARE_OF_TIMES) and bool((later[within] > np.timedelta64(0, "m")).any())


def _parts(columns: Sequence[str]) -> list[str]:
    """The columns that hold a part of the time each, the year first; [] where there are none."""
    minimum = any(plain(name) in ("max", "maximum", "maximal") for name in columns)
    columns = [name for name in columns if name not in _QUANTITIES and not (minimum and plain(name) == "min")]
    for together in _TOGETHER:
        found = [named(columns, _PARTS[part]) for part in together]
        own = [name for name in found[: found.index(None) if None in found else None] if name is not None]
        if len(own) > (2 if "%d" in together else 1):
            return own
    return []


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
    return bool((~read.wrong).mean() >= SHARE_OF_TIMES) and (bool(form) or read.kind != EXCEL)


def _clock(cells: pd.Series, name: str) -> bool:
    """Whether cells are times of day: 18:00, or numbers of hours or like 1800 where the name says that it is one."""
    known = [_as_text(cell) for cell in cells.dropna().head(50).to_numpy(dtype=object)]
    if known and all(re.match(r"\d{1,2}:\d\d", cell) for cell in known):
        return True
    return (is_hour(name) or plain(name) in _CLOCKS) and _clock_of_digits(cells) is not None


def _clock_of_digits(cells: pd.Series) -> pd.Series | None:
    """Whole hours, or times of day like 930 or 93000, as 09:30; None for other cells.

    Some cells, like `Total` below the hours of a day, may be none.
    """
    import pandas as pd

    texts = cells.map(_as_text)
    known = texts[texts != ""]
    digits = known.str.fullmatch(r"\d{1,6}")
    if not len(known) or digits.mean() < SHARE_OF_TIMES:
        return None
    known, others = known[digits], known[~digits]
    most = int(known.astype(int).max())
    width = 2 if most <= 24 else 4 if most <= 2400 else 6
    full = known.str.zfill(width)
    if not (most <= 24 or 100 <= most <= 2400 or 10_000 <= most <= 240_000):
        return None
    if any((full.str[place : place + 2].astype(int) > 59).any() for place in range(2, width, 2)):
        return None
    clock = full.str[:2] + ":" + (full.str[2:4] if width > 2 else "00") + (":" + full.str[4:] if width == 6 else "")
    return pd.Series(pd.concat([clock, others]).reindex(cells.index).fillna(""), dtype=object)


def below_their_days(frame: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.bool_]:
    """The rows (N,) with a time of day, or a month, without the day or year that stands once above them."""
    if len(columns) < 2 or frame[columns[0]].isna().iloc[:1].any():
        return np.zeros(len(frame), dtype=bool)
    return (frame[list(columns[:-1])].isna().any(axis=1) & frame[columns[-1]].notna()).to_numpy()


def _with_days(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """With the day or year that stands once above its rows in each of them."""
    below = below_their_days(frame, columns)
    return frame.assign(**{name: frame[name].where(~below, frame[name].ffill()) for name in columns[:-1]})


def joined_time(frame: pd.DataFrame, columns: Sequence[str], form: str = "") -> pd.Series:
    """The cells of the columns of a time as one; hours and times like 1800 behind a day are written out.

    A format of strptime as `form` says how the cells are written, so they stay as they are. A day that stands only above
    its times of day is that of all of them.
    """
    frame = _with_days(frame, columns)
    if (
        len(columns) == 2
        and (not form or form in NAMED)
        and part_of_time(columns[1]) in ("", "%H")
        and _names_days(frame[columns[0]])
        and (clock := _clock_of_digits(frame[columns[1]])) is not None
    ):
        frame = frame[[columns[0]]].assign(**{columns[1]: clock})
    return joined(frame, columns)


def _names_days(cells: pd.Series) -> bool:
    """Whether cells are days, for the most part: not years, months or weeks, nor times of day."""
    texts = cells.map(_as_text).drop_duplicates()
    texts = texts[texts != ""].head(1000)
    return bool(len(texts)) and bool(texts.map(names_day).mean() >= SHARE_OF_TIMES)


def part_of_time(name: str) -> str:
    """The part of a time that a column is called like, as strptime writes it; "" for others."""
    return next((part for part, names in _PARTS.items() if plain(name) in names), "")


def read_time_column(table: Table, columns: Sequence[str], form: str) -> Times:
    """The times of a table's rows; `columns` of which the first is a year hold a part of the time each."""
    kinds = [part_of_time(name) for name in columns]
    if form or len(columns) < 2 or kinds[0] != "%Y" or not all(kinds):
        cells = joined_time(table.frame, columns, form)
        read = read_times(cells, form)
        quarters = read.doubt and QUARTERS in ASKED.get(read.kind, ()) and kinds == ["%q"]
        return read_times(cells, QUARTERS) if quarters else read
    if kinds[1:] in (["%V"], ["%q"]):
        letter = kinds[1][1].replace("V", "-W").upper()
        cells = joined(_with_days(table.frame, columns), columns).str.replace(
            r"^(\d+) (?:[QqWw]|KW ?)?(\d+)$", rf"\1{letter}\2", regex=True
        )
        return read_times(cells)
    frame = _with_days(table.frame, columns)
    for name, kind in zip(columns[1:], kinds[1:], strict=True):
        width = 3 if kind == "%j" else 2
        texts = [_as_text(cell) for cell in frame[name]]
        if kind == "%m":
            texts = [text if text.isdecimal() else str(month_of(text) or text) for text in texts]
        frame = frame.assign(**{name: [text.zfill(width) for text in texts]})
    return replace(read_times(joined(frame, columns), " ".join(kinds)), kind="")


def is_hour(name: str) -> bool:
    """Whether a column is called like an hour of the day."""
    return plain(name) in _PARTS["%H"]
