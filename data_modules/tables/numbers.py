"""Cells as numbers: decimal commas, thousands separators, units behind them, and words for what is missing."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

_WORDS = (
    "na n/a n.a. nan -nan null none nil missing void nat <na> k.a. n.v. - -- --- – — . ? * .. "
    "#n/a #na #null! #value! #div/0! #ref! #num! #name?"
)
MISSING_WORDS = frozenset(_WORDS.split())
FILL_VALUES = (
    *(-99.0, -99.9, -99.99, -999.0, -999.9, -999.99, -9999.0, -9999.9, -99999.0, -32768.0, -6999.0, -7777.0, -8888.0),
    *(999.0, 999.9, 9999.0, 9999.9, 99999.0, 32767.0, 1e20, -1e20, 1e30, -1e30, 1e35, -1e35, 1e36),
)
NETCDF_FILL = 9.969209968386869e36
_AS_WRITTEN = np.array([*FILL_VALUES, *np.array(FILL_VALUES, np.float32).tolist()])
OFTEN, OFTEN_SHARE = 3, 0.01  # so many of one fill value are suspicious wherever it lies
EXACT_BELOW = 1e15  # from here on, a fill value is recognised by its first digits
_CURRENCIES = " €$£¥"
_MONEY = re.compile(  # before a number
    r"([-+]?)\s*(?:(?:US|AU|CA|HK|NZ|R)?\$|[€£¥₹]|Rs\.?|"
    r"(?:USD|EUR|GBP|CHF|JPY|CNY|AUD|CAD|SEK|NOK|DKK|PLN|CZK|HUF|INR|BRL)(?![A-Z]))\s*(?=[-+]?[\d.])"
)
_POWERS = {"K": "e3", "M": "e6", "B": "e9"}  # letters behind numbers in finance
_SCALED = re.compile(r"[-+]?\d+(?:[.,]\d+)?([KMB])")
_TRUTHS = [  # words for no and yes
    *(("off", "on"), ("no", "yes"), ("false", "true"), ("nein", "ja"), ("aus", "ein"), ("aus", "an")),
    *(("closed", "open"), ("zu", "auf"), ("stopped", "running"), ("inactive", "active")),
]
_SPACES = re.compile("[\u00a0\u2007\u2009\u202f ]")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eEdD][-+]?\d{1,4})?")
_LOOKS_LIKE = re.compile(r"[-+\u2212]?\d[\d.,'’\u00a0\u202f ]*([eE][-+]?\d+)?")
_WITH_UNIT = re.compile(  # a single letter that touches the number is none: 12A is a seat
    r"([-+\u2212]?\d[\d.,'’\u00a0\u202f ]*)(?P<unit>(?!(?<! )[A-Za-z]$)[^\d\s.,:;<>*?!'’/-][^\s:;<>*?!]{0,9})"
)
CENSORED = ("missing", "limit", "half")  # what a cell is that only says that a value is below, or above, a limit
_LIMIT = re.compile(r"([<>≤≥])=?\s*(?=[-+.,]?\d)")
_UNIT_ROWS = 200  # cells that are looked at for a unit


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written."""

    decimal: str = "."
    thousands: str = ""  # spaces and apostrophes between groups of three digits are always understood
    censored: str = "missing"  # what <0.5 is, one of `CENSORED`


def is_missing(text: str) -> bool:
    """Whether a cell says that there is nothing."""
    return not text or text.casefold() in MISSING_WORDS


def style_of(texts: Iterable[str], separator: str | None = None) -> tuple[NumberStyle, str]:
    """How the numbers in cells are written, and a doubt in words, "" where there is none.

    1,234 may be both; 1.234 likewise where `separator` is a semicolon, as where the decimal mark is a comma.
    """
    decimal: dict[str, str] = {}  # a cell that shows that this mark is the decimal one
    groups: dict[str, str] = {}  # and that this one stands between thousands
    unsure = ""
    for text in map(_bare, texts):
        if not _LOOKS_LIKE.fullmatch(text) or ("." not in text and "," not in text):
            continue
        mark = max(".,", key=text.rfind)
        other = "," if mark == "." else "."
        if text.count(mark) > 1:
            if re.fullmatch(rf"[-+]?{_groups(mark)}", text):
                groups[mark] = text
        elif other in text:
            decimal[mark] = groups[other] = text
        elif not re.fullmatch(rf"[-+]?[1-9]\d{{0,2}}\{mark}\d{{3}}", text):
            decimal[mark] = text
        elif mark == "," or separator == ";":
            unsure = text
    if len(decimal) == 2:
        return NumberStyle(), f"some numbers are written like {decimal['.']!r}, others like {decimal[',']!r}"
    if "," in decimal or ("." in groups and "." not in decimal):
        return NumberStyle(",", "."), ""
    if "." in decimal or "," in groups:
        return NumberStyle(".", ","), ""
    return (
        NumberStyle(),
        f"{unsure!r} may have a decimal {'comma' if ',' in unsure else 'point'}, or be thousands" if unsure else "",
    )


def _groups(mark: str) -> str:
    """The pattern of whole numbers in groups of three digits, or as 12,34,567 in India."""
    return rf"\d{{1,3}}((\{mark}\d{{3}})+|(,\d{{2}})+,\d{{3}})" if mark == "," else rf"\d{{1,3}}(\{mark}\d{{3}})+"


def _bare(text: str) -> str:
    """A number without the currency or the unit beside it."""
    text = _signed(_LIMIT.sub("", text.strip(), count=1)).strip(_CURRENCIES)
    match = _WITH_UNIT.fullmatch(text)
    return match[1].strip() if match else text


def _signed(text: str) -> str:
    """A number with its sign in front, also where accountants write (5) or 5-, and without a currency before it."""
    text = text.strip().replace("\u2212", "-")
    if text[-1:].isdigit() and text[:1].isdigit():
        return text
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1].strip()}"
    elif re.fullmatch(r"\d[\d.,' ]*-", text):
        text = f"-{text[:-1].rstrip()}"
    return _MONEY.sub(r"\1", text, count=1) if _MONEY.match(text) else text


def unit_of(texts: Iterable[str]) -> str:
    """The unit that stands behind most of the numbers in cells, "" where there is none; as %, kWh or °C."""
    cells = [text.strip() for text in itertools.islice(texts, _UNIT_ROWS) if not is_missing(text.strip())]
    units = Counter(
        match["unit"] if (match := _WITH_UNIT.fullmatch(cell)) and not _NUMBER.fullmatch(cell) else "" for cell in cells
    )
    unit, count = next(iter(units.most_common(1)), ("", 0))
    return unit if count * 2 > len(cells) and unit.strip(_CURRENCIES) else ""


def to_numbers(
    column: pd.Series, style: NumberStyle = NumberStyle(), unit: str = ""
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The cells (N,) as numbers, NaN where missing; and which cells hold something that is no finite number.

    Whole numbers, decimals and truth values count as numbers. A cell may end with `unit`.
    """
    import pandas as pd

    others = (pd.api.types.is_datetime64_any_dtype, pd.api.types.is_timedelta64_dtype, pd.api.types.is_complex_dtype)
    if any(is_other(column) for is_other in others):
        return np.full(len(column), np.nan), column.notna().to_numpy(copy=True)
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = np.isinf(values)
        return np.where(wrong, np.nan, values), wrong
    cells = column.to_numpy(dtype=object, na_value=None)
    written = {cell.strip() for cell in cells if isinstance(cell, str)}
    written = {text for text in written if not is_missing(text)}
    if (truths := _truths(written)) and not any(cell is not None and not isinstance(cell, str) for cell in cells):
        cells = [truths.get(str(cell).strip().casefold()) for cell in cells]
    elif not unit and _are_scaled(written):
        cells = [
            _SCALED.sub(lambda m: m[0][:-1] + _POWERS[m[1]], ("" if cell is None else str(cell)).strip())
            for cell in cells
        ]
    found = [_number(cell, style, unit) for cell in cells]
    values = np.array([number if number is not None else np.nan for number in found], dtype=np.float64)
    wrong = np.array([number is None for number in found], dtype=bool) | np.isinf(values)
    return np.where(wrong, np.nan, values), wrong


def are_censored(column: pd.Series) -> NDArray[np.bool_]:
    """Which cells (N,) only say that a value is below or above a limit, as <0.5 and >2400 do."""
    if column.dtype.kind in "iufb":
        return np.zeros(len(column), dtype=bool)
    cells = column.to_numpy(dtype=object, na_value=None)
    return np.array([isinstance(cell, str) and _LIMIT.match(cell.strip()) is not None for cell in cells], dtype=bool)


def _truths(written: set[str]) -> dict[str, int]:
    """The number of each word where all of the `written` ones are a pair for no and yes; {} for others."""
    words = {text.casefold() for text in written} if 0 < len(written) <= 8 else set()
    return next(({no: 0, yes: 1} for no, yes in _TRUTHS if words and words <= {no, yes}), {})


def _are_scaled(written: set[str]) -> bool:
    """Whether cells are numbers with a letter for thousands, millions and billions, like 2.34M; 12B alone is a seat."""
    letters = {match[1] if (match := _SCALED.fullmatch(text)) else "" for text in written}
    return (
        bool(letters & {"M", "B"})
        and letters <= {*_POWERS, ""}
        and any(_SCALED.fullmatch(text) and ("." in text or "," in text) for text in written)
        and all(_SCALED.fullmatch(text) or _LOOKS_LIKE.fullmatch(text) for text in written)
    )


def _number(cell: object, style: NumberStyle, unit: str) -> float | None:
    """NaN for a missing value, None for what is no number."""
    if cell is None:
        return float("nan")
    if not isinstance(cell, str):
        try:
            return float(cell)  # type: ignore[arg-type]
        except (OverflowError, TypeError, ValueError):
            return None
    text = cell.strip()
    if is_missing(text):
        return float("nan")
    if style.censored != "missing" and (limit := _LIMIT.match(text)):
        value = _number(text[limit.end() :], style, unit)
        return value / 2 if value is not None and style.censored == "half" and limit[1] in "<≤" else value
    if unit and text.endswith(unit):
        text = text.removesuffix(unit).strip()
    text = _signed(text).strip(_CURRENCIES)
    digits = _SPACES.sub("'", text).replace("’", "'")
    for mark in ("'", style.thousands):
        if mark and mark in digits:
            end = rf"(\{style.decimal}\d*)?([eE][-+]?\d+)?"
            if not re.fullmatch(rf"[-+]?{_groups(mark)}{end}", digits):
                return None
            digits = digits.replace(mark, "")
    if style.decimal != ".":
        if "." in digits:
            return None
        digits = digits.replace(style.decimal, ".")
    match = _NUMBER.fullmatch(digits)
    return float(digits.replace("d", "e").replace("D", "e")) if match else None


def equal_to(values: NDArray[np.float64], fill: float) -> NDArray[np.bool_]:
    """Where `values` are the fill value `fill`, as float32 or float64, or by its first digits where it is large."""
    if abs(fill) >= EXACT_BELOW:
        return np.isclose(values, fill, rtol=1e-3, atol=0)
    return (values == fill) | (values == float(np.float32(fill)))


def suspected_fills(values: NDArray[np.float64], known: Sequence[float] = ()) -> list[float]:
    """Numbers among `values` that often stand for a missing value, and are frequent or far from all others.

    Those `known` are left out.
    """
    known_values = values[np.isfinite(values)]
    if not len(known_values):
        return []
    least, most = known_values.min(), known_values.max()
    if not (np.isin(values, _AS_WRITTEN) | (np.abs(values) >= EXACT_BELOW)).any():
        return []
    slack = 2e-3 * max(abs(least), abs(most))  # most fill values are beyond all values, and need no second look
    own = {
        fill: equal_to(values, fill) for fill in (*FILL_VALUES, NETCDF_FILL) if least - slack <= fill <= most + slack
    }
    own = {fill: where for fill, where in own.items() if where.any()}
    others = values[np.isfinite(values) & ~np.logical_or.reduce([*own.values(), np.zeros(len(values), bool)])]
    found = []
    for fill, where in own.items():
        if any(equal_to(np.array([fill]), other)[0] for other in known):
            continue
        if len(others) and abs(fill) < EXACT_BELOW:
            low, high = float(others.min()), float(others.max())
            reach = max(high - low, abs(high), abs(low)) / 2
            if low - reach <= fill <= high + reach and where.sum() < max(OFTEN, OFTEN_SHARE * len(values)):
                continue
        found.append(fill)
    return found
