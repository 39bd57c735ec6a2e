"""Dates as they are written: day, month or year first, names of months, and months, quarters and weeks of a year."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from data_modules.tables.calendar_names import month_of

DAY_FIRST, MONTH_FIRST, YEAR_FIRST = "day-first", "month-first", "year-first"
MONTHS, QUARTERS = "months", "quarters"
SPANS = "two years"  # like 2019/20, the begin of which counts
NAT = np.datetime64("NaT", "us")
_PART_OF_YEAR = re.compile(r"(?P<part>\d{1,2})[-./](?P<year>\d{4})|(?P<first>\d{4})[-./ ](?P<second>\d{1,2})")
_SPAN = re.compile(r"(?:[FWH]Y ?)?(\d{4}) ?[-/–] ?(\d{4}|\d{2})", re.IGNORECASE)
_QUARTER = re.compile(r"(\d{4})[-/ ]?Q([1-4])|(?:Q([1-4])|([1-4])Q)[-/ ]?'?(\d{4}|\d{2})", re.IGNORECASE)
_WEEK = re.compile(
    r"(\d{4})[- ]?(?:W|KW|Week) ?(\d{1,2})(?:-?(\d))?|(?:W|KW|CW|Week) ?(\d{1,2})[-/, ]+(\d{4})", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]{3,}\.?")
_PARTS = re.compile(r"(\d{1,4})[./\s-]+(\d{1,4})[./\s-]+(\d{1,4})\.?")


def days_of(dates: Sequence[str], form: str) -> tuple[NDArray[np.datetime64], str, str]:
    """The days (N,) that are written, NaT where none is; how they are written, and a doubt."""
    distinct = list(dict.fromkeys(dates))
    split = [match.groups() for text in distinct if (match := _PARTS.fullmatch(text))]
    kind, doubt = form, ""
    if not form:
        kind, doubt = _order(split, distinct)
    known = {text: _day(text, kind) for text in distinct}
    return np.array([known[text] for text in dates], dtype="datetime64[us]"), kind, doubt


def _order(split: Sequence[tuple[str, ...]], distinct: Sequence[str]) -> tuple[str, str]:
    """Which comes first, day, month or year, whether parts of years are months, quarters or years, and a doubt."""
    spans = [begin for text in distinct if (begin := _SPAN.fullmatch(text))]
    if len(spans) > 1 and all(map(_follows, spans)):  # 2000-01 alone is a month
        return SPANS, ""
    parts = [match for text in distinct if (match := _PART_OF_YEAR.fullmatch(text))]
    numbered = {match["part"] or match["second"] for match in parts}
    if "4" in numbered and numbered <= set("1234"):
        return MONTHS, f"{parts[0][0]!r} may be a month or a quarter"
    if not split or all(len(parts[0]) == 4 for parts in split):
        return "", ""
    numbers = np.array([[int(part) for part in parts] for parts in split if len(parts[0]) < 3])
    if not len(numbers):
        return "", ""
    if (numbers[:, 0] > 31).any():
        return YEAR_FIRST, ""
    first, second = int(numbers[:, 0].max()), int(numbers[:, 1].max())
    example = next((text for text in distinct if _PARTS.fullmatch(text)), "")
    if first > 12 and second > 12:
        return DAY_FIRST, "some dates have the day first, others the month"
    if second > 12:
        return MONTH_FIRST, ""
    if first > 12 or any("." in text for text in distinct):
        return DAY_FIRST, ""
    return DAY_FIRST, f"{example!r} may have the day or the month first"


def is_day(text: str) -> bool:
    """Whether `text` names a day, rather than a year, a month, a quarter or a week, and no time of day."""
    if week := _WEEK.fullmatch(text):
        return week[3] is not None
    if _PARTS.fullmatch(text) or re.fullmatch(r"\d{7,8}|\d{4}-\d{3}", text):
        return True
    return len(re.findall(r"\d+", text)) == 2 and not np.isnat(_spelled(text))


def _follows(span: re.Match[str]) -> bool:
    """Whether the second year of a span comes after the first."""
    return (int(span[1]) + 1 - int(span[2])) % (100 if len(span[2]) == 2 else 10_000) == 0


def _day(text: str, kind: str) -> np.datetime64:
    """The day that `text` names; NaT for none."""
    if kind == SPANS:
        span = _SPAN.fullmatch(text)
        return _made(int(span[1]), 1, 1) if span and _follows(span) else NAT
    if match := _PARTS.fullmatch(text):
        parts = [int(part) for part in match.groups()]
        if len(match[1]) == 4 or kind == YEAR_FIRST:
            year, month, day = parts
        elif kind == MONTH_FIRST:
            month, day, year = parts
        else:
            day, month, year = parts
        year += (2000 if year < 69 else 1900) if year < 100 else 0
        return _made(year, month, day)
    if match := re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text):
        return _made(*map(int, match.groups()))
    if kind == QUARTERS and (match := _PART_OF_YEAR.fullmatch(text)):
        year, quarter = int(match["year"] or match["first"]), int(match["part"] or match["second"])
        return _made(year, 3 * quarter - 2, 1)
    if match := re.fullmatch(r"(\d{4})[-./M ]{1,2}(\d{1,2})", text):
        return _made(int(match[1]), int(match[2]), 1)
    if match := re.fullmatch(r"(\d{1,2})[-./](\d{4})", text):
        return _made(int(match[2]), int(match[1]), 1)
    if match := _QUARTER.fullmatch(text):
        year = int(match[1] or match[5])
        return _made(year + 2000 * (year < 100), 3 * int(match[2] or match[3] or match[4]) - 2, 1)
    if match := _WEEK.fullmatch(text):
        year, week = map(int, (match[1], match[2]) if match[1] else (match[5], match[4]))
        try:
            return np.datetime64(date.fromisocalendar(year, week, int(match[3] or 1)), "us")
        except ValueError:
            return NAT
    if match := re.fullmatch(r"(\d{4})-(\d{3})", text):  # day of the year
        day = int(match[2])
        return _made(int(match[1]), 1, 1) + np.timedelta64(day - 1, "D") if 1 <= day <= 366 else NAT
    if match := re.fullmatch(r"(?:[FWH]Y ?)?([12]\d{3})", text, re.IGNORECASE):
        return _made(int(match[1]), 1, 1)
    return _spelled(text)


def _spelled(text: str) -> np.datetime64:
    """A day with the name of its month, like 31 January 2024, Jan 31, 2024 or Jan-24."""
    words = _WORD.findall(text)
    number = month_of(words[0]) if len(words) == 1 else None
    if number is None:
        return NAT
    before, _, after = text.partition(words[0])
    digits = [int(part) for part in re.findall(r"\d+", before + " " + after)]
    if len(digits) == 1 and (digits[0] > 31 or not before.strip(" -./")):
        day, year = 1, digits[0]
    elif len(digits) == 2:
        day, year = digits if digits[0] <= 31 else digits[::-1]
    else:
        return NAT
    return _made(year + (2000 if year < 69 else 1900) if year < 100 else year, number, day)


def _made(year: int, month: int, day: int) -> np.datetime64:
    try:
        return np.datetime64(date(year, month, day), "us")
    except ValueError:
        return NAT
