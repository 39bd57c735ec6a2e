"""Cells as times: dates with a time of day, ISO 8601, epochs, spreadsheets' numbers, 24:00, AM and PM."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_modules.schema import CorpusError
from data_modules.tables.dates import DAY_FIRST, MONTH_FIRST, MONTHS, NAT, QUARTERS, SPANS, YEAR_FIRST, days_of, is_day
from data_modules.tables.numbers import is_missing

if TYPE_CHECKING:
    import pandas as pd

ASKED = {  # which of these it is has to be said
    **dict.fromkeys((DAY_FIRST, MONTH_FIRST), (DAY_FIRST, MONTH_FIRST)),
    **dict.fromkeys((MONTHS, QUARTERS), (MONTHS, QUARTERS)),
}
EPOCHS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0.001}  # microseconds
EXCEL = "excel"  # days since 1899-12-30
NAMED = (DAY_FIRST, MONTH_FIRST, YEAR_FIRST, MONTHS, QUARTERS, SPANS, EXCEL, *EPOCHS)
EARLIEST, LATEST = np.datetime64("0001-01-02"), np.datetime64("9999-12-30")
_LONGEST, _NO_TIME = 100, "no time"  # characters of a cell that is a time, and what stands for another
_EPOCH_DIGITS = {10: "s", 13: "ms", 16: "us", 19: "ns"}
_HOURS_LAST = {"%H:%M:%S": "24:00:00", "%H:%M": "24:00", "%H%M": "2400", "%H": "24"}
_DATE_DIGITS = {4: "%Y", 6: "%Y%m", 7: "%Y%j", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_ZONES = {  # hours east of Greenwich, as RFC 5322 and Europe's clocks name them
    **{"WET": 0, "CET": 1, "MEZ": 1, "EET": 2, "WEST": 1, "CEST": 2, "MESZ": 2, "EEST": 3},
    **{"EST": -5, "CST": -6, "MST": -7, "PST": -8, "EDT": -4, "CDT": -5, "MDT": -6, "PDT": -7},
}
_CLOCK = (
    r"(?P<date>.*?)(?:[T,\s]*(?<!\d)(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?\s?[Mm]\.?)?(?:\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2}|"
    rf"{'|'.join(_ZONES)}))?(?:\s*Uhr)?)?"
)
_USUAL = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4},? \d{1,2}:\d\d(:\d\d)?")
# Other ways of writing a time of day, and the one that `_CLOCK` knows.
_REWRITTEN: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(r"\[[\w/+-]+\]$"), ""),  # 2024-05-01T18:00+02:00[Europe/Berlin]
    (re.compile(r"(\d:\d\d\D*)\s(?:-|–|to|bis|until)\s.*\d:\d\d.*$"), r"\1"),  # an interval begins
    (re.compile(r"(?<=\d)_(?=\d)"), " "),
    (re.compile(r"\b(\d{1,2})\s?[hH](\d{2})?$"), lambda match: f"{match[1]}:{match[2] or '00'}"),  # 18h30
    (re.compile(r"(?<=\s)(\d{1,2})\s*([AaPp]\.?[Mm]\.?)$"), r"\1:00 \2"),  # 6 PM
    (re.compile(r"^(\d{1,2}\.\d{1,2}\.\d{4})\s+(\d{1,2})\.(\d{2})$"), r"\1 \2:\3"),  # 1.5.2024 18.30
    (re.compile(r"^(\d{1,2}\.\d{1,2}\.\d{4})\s+(\d{1,2})\.(\d{2})\.(\d{2})$"), r"\1 \2:\3:\4"),
    (re.compile(r"(?<=\s)(\d{1,2})\.(\d{2})\.(\d{2})(\.\d+)?(?=\s*[AaPp][Mm]$)"), r"\1:\2:\3\4"),  # 6.30.00 PM
    (re.compile(r"^([A-Za-z]{3}\s+\d{1,2})\s+(\d\d:\d\d:\d\d)(\s+[A-Z]{3,4})?\s+(\d{4})$"), r"\1 \4 \2\3"),  # of ctime
]
_COUNT = re.compile(r"-?\d+([.,]\d*)?(?<!\b\d\.\d{4})(?<!\b[01]\d\.\d{4})")  # 01.2024 is a month
_COMPACT = re.compile(r"(\d{8})T?(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{2}:?\d{2})?")
_WEEKDAY = re.compile(
    r"(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|mo|di|mi|do|fr|sa|so)(?:day|nesday|rsday|urday|ntag|enstag|ttwoch|"
    r"nnerstag|eitag|mstag|nnabend)?\.?,?\s+(?=\d|[a-z]{3})",
    re.IGNORECASE,
)


@dataclass
class Times:
    """A column of times (N,), as they are written."""

    local: NDArray[np.datetime64]  # as the clock shows them, or UTC where an offset is written; NaT where there is none
    aware: NDArray[np.bool_]  # (N,) an offset is written, or it is an epoch
    wrong: NDArray[np.bool_]  # (N,) something is written that is no time
    dates: bool  # no cell has a time of day
    kind: str = ""  # how they are written: one of `NAMED`, a format, or "" for ISO 8601
    doubt: str = ""  # what the cells leave open


def read_times(column: pd.Series, form: str = "") -> Times:
    """The cells of a column as times; `form` is one of `NAMED` or a format of strptime, by default what the cells show.

    Dates that may have the day or the month first have a `doubt`; they are then read with the day first. So have
    1/2018 to 4/2018, which may be quarters and are then read as months.

    Raises
    ------
    CorpusError
        `form` is none.
    """
    import pandas as pd

    kind = column.dtype
    if isinstance(kind, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    if pd.api.types.is_datetime64_any_dtype(column):
        zoned = getattr(column.dtype, "tz", None) is not None
        naive = column.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else column
        local = naive.to_numpy(dtype="datetime64[us]")
        local = local.copy()
        return Times(local, np.full(len(local), zoned), np.zeros(len(local), bool), not zoned and _midnights(local))
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return _of_numbers(column.to_numpy(np.float64, na_value=np.nan), form)
    cells = [_plain(cell) for cell in column.to_numpy(dtype=object, na_value=None)]
    texts = [cell if isinstance(cell, str) else "" for cell in cells]
    if not any(texts) and any(isinstance(cell, float) for cell in cells):
        return _of_numbers(np.array([cell if isinstance(cell, float) else np.nan for cell in cells]), form)
    read = _of_texts(texts, form)
    read.aware = read.aware.copy()
    for row, cell in enumerate(cells):
        if isinstance(cell, datetime):
            aware = cell.tzinfo is not None
            moment = np.datetime64(cell.astimezone(_utc()).replace(tzinfo=None) if aware else cell, "us")
            read.local[row], read.aware[row], read.wrong[row] = moment, aware, False
        elif isinstance(cell, float):
            read.wrong[row] = not np.isnan(cell)
    if not any(texts):
        read.dates = _midnights(read.local)
    elif any(isinstance(cell, datetime) for cell in cells):
        read.dates = read.dates and _midnights(read.local)
    return read


def reads_as_time(cell: str) -> bool:
    """Whether a single cell is a time."""
    import pandas as pd

    if not any(letter.isdigit() for letter in cell):
        return False
    read = read_times(pd.Series([cell], dtype=object))
    return not np.isnat(read.local[0])


def names_day(cell: str) -> bool:
    """Whether a single cell names a day, rather than a year, a month, a quarter or a week, and no time of day."""
    return is_day(_spread(cell))


def _utc() -> Any:
    from datetime import UTC

    return UTC


def _midnights(local: NDArray[np.datetime64]) -> bool:
    known = local[~np.isnat(local)]
    return bool(len(known)) and bool((known == known.astype("datetime64[D]")).all())


def _plain(cell: Any) -> Any:
    """A cell as a text, a datetime, a number, or "" for none."""
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, (time, timedelta)):
        return str(cell)
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)
    if isinstance(cell, str):
        text = cell.strip().strip("'\"")
        return "" if is_missing(text) else text if len(text) <= _LONGEST else _NO_TIME
    if isinstance(cell, np.datetime64):
        return cell.astype("datetime64[us]").item() or ""
    try:
        return float(cell)
    except OverflowError:
        return _NO_TIME
    except (TypeError, ValueError):
        return str(cell)


def _of_numbers(values: NDArray[np.float64], form: str) -> Times:
    """Epochs, dates like 20240131, years, and days of a spreadsheet."""
    known = values[np.isfinite(values)]
    nothing = np.zeros(len(values), dtype=bool)
    if form in EPOCHS or form == EXCEL:
        return _counted(values, form)
    if form and form not in NAMED:
        return _of_texts([f"{value:.15g}" if np.isfinite(value) else "" for value in values], form)
    known = known[known > 0]
    if not len(known):
        return Times(np.full(len(values), NAT), nothing, np.isfinite(values), False)
    lengths = {len(f"{int(number)}") for number in (known.min(), known.max())}
    if (
        len(lengths) == 1
        and len(known) == np.isfinite(values).sum()
        and (known == np.floor(known)).all()
        and (written := _DATE_DIGITS.get(min(lengths)))
    ):
        local, wrong = _strptime([f"{int(value)}" if np.isfinite(value) else "" for value in values], written)
        days = local[~np.isnat(local)]
        if not wrong.any() and days.min() >= np.datetime64("1700") and days.max() < np.datetime64("2200"):
            return Times(local, nothing, wrong, min(lengths) <= 8, written)
    length = len(f"{int(np.median(known))}")  # ten digits of seconds since September 2001, nine before
    if unit := _EPOCH_DIGITS.get(length) or _EPOCH_DIGITS.get(length + 1):
        return _counted(values, unit)
    if known.min() > 10_000 and known.max() < 100_000:
        read = _counted(values, EXCEL)
        read.doubt = f"{known[0]:g} is read as days since 1899-12-30, as spreadsheets count"
        return read
    return Times(np.full(len(values), NAT), nothing, np.isfinite(values), False)


def _counted(values: NDArray[np.float64], form: str) -> Times:
    """Numbers as times that count from a day on."""
    local = np.full(len(values), NAT)
    inside = np.isfinite(values)
    scale = 86_400e6 if form == EXCEL else EPOCHS[form]
    with np.errstate(over="ignore"):
        inside &= np.abs(np.nan_to_num(values) * scale) < 2.5e17
    moved = np.rint(values[inside] * scale) if scale >= 1 else np.floor(values[inside] * scale)
    if form == EXCEL:
        moved = _as_meant(values[inside], moved)
    origin = np.datetime64("1899-12-30" if form == EXCEL else "1970-01-01", "us")
    local[inside] = origin + moved.astype(np.int64).astype("timedelta64[us]")
    aware = np.full(len(values), form != EXCEL)
    return Times(local, aware, np.isfinite(values) & ~inside, form == EXCEL and _midnights(local), form)


def _as_meant(days: NDArray[np.float64], moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """Microseconds of days like 45000.0417: the hours, minutes or seconds that these are as many digits of."""
    digits = max((len(f"{day:.9f}".rstrip("0").partition(".")[2]) for day in days), default=0)
    within = max(0.51 * 86_400e6 / 10**digits, 1e3)  # a double has days to some microseconds
    for unit in (3600e6, 60e6, 1e6):
        rounded = np.rint(moved / unit) * unit
        if (np.abs(rounded - moved) <= within).all():
            return rounded
    return np.rint(moved / 1e3) * 1e3


def _of_texts(texts: Sequence[str], form: str) -> Times:
    """Times as people and programs write them."""
    import pandas as pd

    texts = [text if text.isascii() else _with_ascii_digits(text) for text in texts]
    if form and form not in NAMED:
        if "%" not in form:
            raise CorpusError(
                f"the time format {form!r} is none; write one like '%d.%m.%Y %H:%M', or one of {', '.join(NAMED)}"
            )
        return _formatted(texts, form)
    if (
        form in EPOCHS
        or form == EXCEL
        or (any(texts) and not form and all(_COUNT.fullmatch(text) for text in texts if text))
    ):
        cells = pd.Series([text.replace(",", ".") or None for text in texts], dtype=object)
        values = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
        read = _of_numbers(values, form)
        read.wrong |= np.isnan(values) & np.array([bool(text) for text in texts], dtype=bool)
        return read
    if not form and (plain := _iso(texts)) is not None:
        return plain
    spread = [_spread(text) for text in texts]
    parts = pd.Series(spread, dtype=object).str.extract(f"^{_CLOCK}$", expand=True)
    filled = np.array([bool(text) for text in texts], dtype=bool)
    dates = parts["date"].fillna("").str.strip(" ,T")
    days, kind, doubt = days_of(dates.tolist(), form)
    clock = parts["h"].notna().to_numpy()
    numbers = {name: pd.to_numeric(parts[name]).fillna(0).to_numpy(np.int64) for name in ("h", "m", "s")}
    micro = pd.to_numeric(parts["f"].str.ljust(6, "0").str[:6]).fillna(0).to_numpy(np.int64)
    half = parts["half"].fillna("").str.lower().str[:1].to_numpy(dtype=object)
    hours = np.where(half == "p", numbers["h"] % 12 + 12, np.where(half == "a", numbers["h"] % 12, numbers["h"]))
    within = ((numbers["h"] * 3600 + numbers["m"] * 60 + numbers["s"]) * 1_000_000 + micro) <= 86_400_000_000
    within &= (numbers["m"] < 60) & (numbers["s"] < 61)
    length = ((hours * 60 + numbers["m"]) * 60 + numbers["s"]) * 1_000_000 + micro
    offsets = parts["zone"].fillna("").map(_offset).to_numpy(np.int64)
    local: NDArray[np.datetime64] = days + (length - offsets * 60_000_000).astype("timedelta64[us]")
    local[~within] = NAT
    aware = parts["zone"].notna().to_numpy().copy()
    return Times(local, aware, filled & np.isnat(local), not clock.any(), kind, doubt)


def _with_ascii_digits(text: str) -> str:
    """`text` with the digits of other scripts as 0 to 9."""
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)


def _iso(texts: Sequence[str]) -> Times | None:
    """ISO 8601 without an offset, which most columns are; None for others."""
    import pandas as pd

    if not any(texts) or not all(re.match(r"\d{4}-\d\d-\d\d(?!\d)", text) for text in texts if text):
        return None
    try:
        read = pd.to_datetime(pd.Series([text or None for text in texts], dtype=object), format="ISO8601")
    except ValueError:
        return None
    if not pd.api.types.is_datetime64_dtype(read):
        return None
    local, nothing = read.to_numpy(dtype="datetime64[us]").copy(), np.zeros(len(texts), dtype=bool)
    return Times(local, nothing, nothing.copy(), not any(":" in text or "T" in text for text in texts))


def _spread(text: str) -> str:
    """`text` with 20240131T1300 written out, and without the day of the week."""
    if match := _COMPACT.fullmatch(text):
        day, hour, minute, second, zone = match.groups()
        return f"{day} {hour}:{minute}:{second or '00'}{zone or ''}"
    if _USUAL.fullmatch(text):
        return text
    text = _WEEKDAY.sub("", text, count=1) if text[:1].isalpha() else text
    for pattern, written in _REWRITTEN:
        text = pattern.sub(written, text)
    return text


def _offset(zone: str) -> int:
    """Minutes east of Greenwich."""
    if zone in _ZONES:
        return 60 * _ZONES[zone]
    if not zone or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (-1 if zone[0] == "-" else 1) * (int(digits[:2]) * 60 + int(digits[2:]))


def _formatted(texts: Sequence[str], form: str) -> Times:
    local, wrong = _strptime(texts, form)
    aware = np.full(len(texts), "%z" in form)
    return Times(local, aware, wrong, not re.search(r"%[HIMSfpcXT]", form), form)


def _strptime(texts: Sequence[str], form: str) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Texts by a format of strptime, as UTC where it has an offset; and which are not of it."""
    import pandas as pd

    filled = np.array([bool(text) for text in texts], dtype=bool)
    column = pd.Series([text or None for text in texts], dtype=object)
    ending = next((own for own in _HOURS_LAST if form.endswith(own)), None)
    late = np.zeros(len(column), dtype=bool)
    if ending is not None:  # 24:00 is the end of a day
        shown = _HOURS_LAST[ending]
        late = column.str.endswith(shown, na=False).to_numpy(dtype=bool)
        column = column.where(~late, column.str.removesuffix(shown) + shown.replace("24", "00", 1))
    try:
        read = pd.to_datetime(column, format=form, errors="coerce", utc="%z" in form)
    except (ValueError, re.error) as error:  # the latter where it has a part twice
        raise CorpusError(f"the time format {form[:60]!r} is none: {error}") from None
    if "%z" in form:
        read = read.dt.tz_localize(None)
    local = read.to_numpy(dtype="datetime64[us]").copy()
    local[late] += np.timedelta64(1, "D")
    return local, filled & np.isnat(local)
