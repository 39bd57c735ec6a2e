"""What one file of a folder looks like: what its columns seem to be."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from data_modules.schema import CorpusError
from data_modules.tables.cells import numbers_the_rows
from data_modules.tables.columns import (
    CHANNELS,
    ENDS,
    IDS,
    LABELS,
    TEXTS,
    UNITS,
    VALUES,
    called_by_times,
    is_time_name,
    joined_time,
    named,
    part_of_time,
    plain,
    read_time_column,
    time_columns,
)
from data_modules.tables.counts import Counts
from data_modules.tables.files import TEXT_ENDINGS, read_table
from data_modules.tables.layouts import Layout, find_layout
from data_modules.tables.numbers import are_censored, to_numbers
from data_modules.tables.packed import plain_name, stem_of
from data_modules.tables.rows import by_its_name, id_of, with_ids_above
from data_modules.tables.spec import channel_of
from data_modules.tables.spread import TIMES, VALUE, Spread, find_spread, melted, turned
from data_modules.tables.table import Table, UnsureMarkError
from data_modules.tables.times import ASKED, Times
from trace_lit.channels import Channel
from trace_lit.errors import first_line

_LONG_TEXT = 12  # letters, on average, of cells that are notes
_FEW_IDS = 0.2  # distinct ids a row
_FLAG = r"\b(quality|flags?|status|qc|qualifiers?|valid|validity|qualität|qualité|calidad)\b|(^| )(q|cd)$"  # names
_GOOD = frozenset(
    (
        *("good", "ok", "okay", "valid", "normal", "passed", "pass", "verified", "192"),  # the last of OPC
        *("gut", "gültig", "bon", "bonne", "valide", "bueno", "válido"),
    )
)
_WORDS = 8  # of such a column, at most
_REPEATED = 0.8  # distinct times a row, below which a file holds several series


@dataclass(eq=False)
class Look:
    """One file and what its columns seem to be."""

    path: Path
    table: Table
    time: list[str]
    times: Times
    sheet: str | None = None  # of a workbook with several
    end: str | None = None
    id: str | None = None
    text: str | None = None
    label: str | None = None
    channel: str | None = None
    value: str | None = None
    numbers: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    counter: str | None = None  # a column that only numbers the rows
    still: list[str] = field(default_factory=list)  # columns of numbers that only go with the id
    censored: str | None = None  # the first cell like <0.5
    flags: dict[str, dict[str, list[str | None]]] = field(default_factory=dict)  # by what columns of values are good
    spread: Spread | None = None  # the columns among which the times of a row are spread
    name: str | None = None  # of the series: "{file}", "{folder}" or "{sheet}"
    alike: list[Look] = field(default_factory=list)  # files of the same form


def _table(path: Path, sheet: str | None) -> Table:
    """The table in a file; a mark that may be a decimal one or stand between thousands is what the separator suggests."""
    try:
        return read_table(path, Layout(sheet=sheet), texts=is_time_name)
    except UnsureMarkError as error:
        text = PurePath(plain_name(path)).suffix.lower() in TEXT_ENDINGS
        decimal = "," if text and find_layout(path, Layout())[0].separator != "," else "."
        table = read_table(path, Layout(sheet=sheet, decimal=decimal), texts=is_time_name)
        doubt = first_line(error).removeprefix(f"{path}: ").partition("; say")[0]
        table.layout = replace(table.layout, doubts=(doubt,))
        return table


def look(path: Path, sheet: str | None = None) -> Look:
    """What the columns of the file `path` seem to be, or those of a `sheet` of it.

    Raises
    ------
    CorpusError
        It is no table, has no rows, or no times.
    """
    table = _table(path, sheet)
    if not len(table.frame):
        raise CorpusError(f"{path} has no rows")
    channel = _named_after(path)
    names = [str(name) for name in table.frame.columns]
    spread: Spread | None = None
    if across := set(called_by_times(names)):
        rest = [name for name in names if name not in across and not _sums_up(name)]
        table, spread = melted(table, channel, rest, Counts())
    time, times = _timed(table)
    spread = spread or find_spread(table, time, times)
    if spread is not None and spread.across != TIMES:
        rest = [name for name in map(str, table.frame.columns) if name not in (*time, *spread.columns, spread.extra)]
        keep = [*time, *(name for name in rest if not _sums_up(name))]
        table, times = turned(table, times, replace(spread, extra=None), channel, keep, UTC, Counts())
    own = Look(path, table, time, times, sheet, spread=spread)
    for name in table.frame.columns:
        if _is_id(str(name)):
            table.frame[name] = with_ids_above(table.frame[name])
    columns = [str(name) for name in table.frame.columns if str(name) not in time]
    for name in columns:
        if numbers_the_rows(table, name):
            own.counter = name
            continue
        numbers, wrong = to_numbers(table.frame[name], table.layout.style, channel_in(own, name).unit)
        filled = int((~np.isnan(numbers) | wrong).sum())
        limits = are_censored(table.frame[name]) & wrong
        own.censored = own.censored or next(iter(table.frame[name][limits]), None)
        if filled and (wrong & ~limits).sum() <= filled / 2:
            own.numbers.append(name)
        elif filled:
            own.texts.append(name)
    own.id = next((name for name in columns if _is_id(name) and _repeats(table, name)), None)
    own.end = named([name for name in columns if name != own.id], ENDS)
    own.value = named(own.numbers, VALUES) if spread is None else channel
    own.channel = named([name for name in own.texts if name != own.id], CHANNELS)
    if own.channel is None and own.id in own.texts and plain(str(own.id)) in CHANNELS and own.value:
        own.channel, own.id = own.id, None
    if own.channel is None and own.value:
        own.channel = _channel_by_units(own)
        own.id = None if own.id == own.channel else own.id
    if own.channel is None or own.value is None or not _repeats(table, own.channel):
        own.channel = own.value = None
    if spread is not None:
        own.numbers = [channel]
    if own.id is None or not _apart(own, own.id):
        own.id = _id_by_times(own) or own.id
    if own.id is None:
        own.id = next((name for name in own.numbers if _is_id(name) and _is_single(table, name)), None)
    own.still = [name for name in own.numbers if _goes_with_id(own, name)]
    own.numbers = [name for name in own.numbers if name not in (own.id, own.end, *own.still)]
    own.flags = _flags(own)
    flags = {flag for good in own.flags.values() for flag in good}
    own.texts = [name for name in own.texts if name not in flags]
    own.numbers = [name for name in own.numbers if name not in flags]
    texts = [name for name in own.texts if name != own.channel]
    own.text = named(texts, TEXTS) or next((name for name in texts if _is_long(table, name)), None)
    own.label = named([name for name in texts if name not in (own.text, own.id)], LABELS)
    return own


def _flags(own: Look) -> dict[str, dict[str, list[str | None]]]:
    """By column of values, "" for all, the columns that say how good these are, and the words for good ones."""
    found: dict[str, list[str | None]] = {}
    columns = [str(name) for name in own.table.frame.columns]
    there = [name for name in columns if name in (*own.texts, *own.numbers) and name not in (own.id, own.channel)]
    named_so = [name for name in there if re.search(_FLAG, plain(name))]
    for name in named_so:
        words = list(dict.fromkeys(id_of(cell) for cell in own.table.frame[name].to_numpy(object, na_value=None)))
        good = [word for word in words if word is None or word.casefold() in _GOOD]
        if 1 < len(words) <= _WORDS and any(good) and len(good) < len(words):
            found[name] = good
    by_values: dict[str, dict[str, list[str | None]]] = {}
    for name, good in found.items():
        numbers = [other for other in own.numbers if other not in found]
        called = [other for other in numbers if plain(name).startswith(f"{plain(other)} ")]
        before = [other for other in columns[: columns.index(name)] if other in numbers]
        beside = before[-1:] if len(named_so) > 1 or len(before) < len(numbers) else []
        values = max(called or beside, key=len, default="") if own.channel is None and own.spread is None else ""
        by_values.setdefault(values, {})[name] = good
    return by_values


def _timed(table: Table) -> tuple[list[str], Times]:
    """The columns of the time, and the times; what is in doubt is read in the way that makes the steps most alike."""
    time = time_columns(table)
    times = by_its_name(read_time_column(table, time, ""), time)
    if np.isnat(times.local).all():
        cell = joined_time(table.frame, time).iloc[0]
        raise CorpusError(
            f"{table.path}: no cell of {', '.join(time)} can be read as a time, as {cell!r}; give its time_format"
        )
    if not times.doubt or times.kind not in ASKED:
        return time, times
    likely = by_its_name(read_time_column(table, time, _regular(table, time, times.kind)), time)
    return time, replace(likely, doubt=times.doubt)


def _named_after(path: Path) -> str:
    """The name of the channel of a file that says none: that of the file, without the year at its end."""
    return re.sub(r"(?<=\w)[\W_]+\d[\d\W_]*$", "", stem_of(path)).strip() or VALUE


def _sums_up(name: str) -> bool:
    """Whether a column beside those of months or hours is called like what sums these up."""
    words = (
        "annual|year|yearly|total|sum|mean|avg|average|min|max|jahr|summe|mittel|total|année|moyenne|anual|media|totale"
    )
    return re.fullmatch(rf"({words})([ _]?(total|sum|mean|avg|average))?", plain(name)) is not None


def channel_in(own: Look, name: str) -> Channel:
    """The channel that a column is."""
    channel = channel_of(name)
    return channel if channel.unit else Channel(channel.name, own.table.unit(name))


def _is_id(name: str) -> bool:
    ends = re.search(r"(^| )(id|nr|no|number|code)$", plain(name)) is not None
    return plain(name) in IDS or (ends and not part_of_time(name))


def _is_single(table: Table, name: str) -> bool:
    """Whether a column has one whole number throughout, as the number of a station."""
    return table.frame[name].dtype.kind in "iu" and table.frame[name].nunique() == 1


def _goes_with_id(own: Look, name: str) -> bool:
    """Whether a column has one number for each of several ids, as the place of a station or its second number."""
    if own.id in (None, name) or own.channel is not None:
        return False
    each = own.table.frame.groupby(own.id, observed=True)[name].nunique()
    return len(each) > 1 and bool((each <= 1).all()) and own.table.frame[name].nunique() > 1


def _channel_by_units(own: Look) -> str | None:
    """The column of texts whose every cell has a unit of its own beside it, where there are several units."""
    frame = own.table.frame
    units = named(own.texts, UNITS)
    if units is None or frame[units].nunique() < 2:
        return None
    for name in own.texts:
        if name != units and _repeats(own.table, name):
            each = frame.groupby(name, observed=True)[units].nunique()
            if len(each) > 1 and (each <= 1).all():
                return name
    return None


def times_repeat(own: Look) -> bool:
    """Whether rows of a file share their times, as those of several series do."""
    local = own.times.local[~np.isnat(own.times.local)]
    return len(local) > 2 and len(np.unique(local)) < _REPEATED * len(local)


def _apart(own: Look, name: str, most: float = 1 - _REPEATED) -> bool:
    """Whether a column tells the rows of one time, and of one channel of a long table, apart; all but `most` of them."""
    keys = {"time": own.times.local, "id": own.table.frame[name].map(str).to_numpy(dtype=object)}
    if own.channel is not None:
        keys["channel"] = own.table.frame[own.channel].map(str).to_numpy(dtype=object)
    return not pd.DataFrame(keys)[~np.isnat(own.times.local)].duplicated().mean() > most


def _id_by_times(own: Look) -> str | None:
    """The column that names the series, as rows of one time are of several; None where they are not, or none does."""
    there = own.table.frame
    if own.channel is not None:
        keys = pd.DataFrame({"time": own.times.local, "channel": there[own.channel].map(str).to_numpy(dtype=object)})
        if keys.duplicated().mean() <= 1 - _REPEATED:
            return None
    elif not times_repeat(own):
        return None
    ids = [name for name in map(str, there.columns) if _is_id(name) and name not in own.time]
    names = [name for name in dict.fromkeys([*ids, *own.texts]) if name != own.channel and _apart(own, name)]
    whole = [name for name in own.numbers if there[name].dtype.kind in "iu" and _repeats(own.table, name)]
    names += [name for name in whole if name != own.value and _apart(own, name, most=0.0)]
    return next(iter(names), None)


def _repeats(table: Table, name: str) -> bool:
    """Whether a column has few distinct cells, as ids have."""
    cells = table.frame[name].dropna()
    return 0 < cells.nunique() <= max(1, _FEW_IDS * len(cells)) and (
        cells.nunique() > 1 or cells.dtype.kind not in "if"
    )


def _is_long(table: Table, name: str) -> bool:
    return float(table.frame[name].dropna().map(str).str.len().mean()) > _LONG_TEXT


def _regular(table: Table, time: Sequence[str], kind: str) -> str:
    """Day or month first, months or quarters, whichever makes the steps more alike."""
    spread = {}
    for form in ASKED[kind]:
        times = read_time_column(table, time, form)
        apart = np.diff(times.local[~np.isnat(times.local)]).astype(np.int64)
        spread[form] = len(np.unique(apart)), bool((apart < 0).any())
    return min(spread, key=lambda form: (spread[form][1], spread[form][0]))


def channels_below(own: Look) -> dict[str, Channel]:
    """The channels of a long table, with the units that stand beside them."""
    frame = own.table.frame
    units = named([str(name) for name in frame.columns], UNITS)
    found = {}
    for name, rows in itertools.islice(frame.groupby(own.channel, sort=False, observed=True), 50):
        channel = channel_of(str(name))
        beside = rows[units].dropna().map(str).unique().tolist() if units is not None else []
        found[str(name)] = channel if channel.unit or len(beside) != 1 else Channel(channel.name, beside[0].strip())
    return found


def is_noted(own: Look) -> bool:
    """Whether a file with series holds notes, too: a column is called so, and has few cells or long ones."""
    return own.text is not None and plain(own.text) in TEXTS
