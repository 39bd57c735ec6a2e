"""Numbers in texts, in digits or in words, with the units that people write behind them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trace_lit.text.number_words import spelled_numbers
from trace_lit.units import UNITS, Unit, find_unit

PLAIN = "plain"  # the kind of a number without a unit, or with one that is not known
KINDS = (PLAIN, *dict.fromkeys(unit.kind for unit in UNITS.values()))

_NUMBER = re.compile(
    r"(?<![\w.,:])(?P<minus>(?<![°%])(?<!\d\s)(?<!°\s)(?<!°[cfk]\s)(?<!%\s)[-−–]\s?|minus\s+)?(?P<money>[$€£¥]\s?)?"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?![\d:])",
    re.IGNORECASE,
)
_WORD = r"[^\s\d,;:!?()\"”]+"
_WORDS = re.compile(rf"\s?(°\s?[CFK]?\b|%|{_WORD})(?:\s({_WORD}))?(?:\s({_WORD}))?")
_TIMES = re.compile(
    r"-?(seconds?|minutes?|mins?|hours?|hourly|hrs?|h|days?|nights?|weeks?|months?|years?|o'clock|[ap]\.?m\.?|times?|st|nd"
    r"|rd|th|utc|gmt)\b",
    re.IGNORECASE,
)
_DEGREES = re.compile(r"°|deg(rees?)?\.?", re.IGNORECASE)  # by themselves, of a temperature
_SPOKEN = {
    "per cent": "%",
    "metres/second": "m/s",
    "meters/second": "m/s",
    "metre/second": "m/s",
    "meter/second": "m/s",
    "kilometres/hour": "km/h",
    "kilometers/hour": "km/h",
    "miles/hour": "mph",
    "inches of mercury": "inHg",
    "dollars": "$/gallon",
    "cents": "cents/gallon",
}
_MONEY = {"$": "$/gallon", "€": "€/MWh"}  # where the text names no other unit
_COUNTS = 13  # numbers in words below it need a unit: "one of the days" has no number
_NO_UNITS = re.compile(r"\s?(in|a|m|foot|bar|atmosphere)\b", re.IGNORECASE)  # "ten in the morning"
_JOINED = re.compile(r"\s?(and|to|or|-|–)\s?", re.IGNORECASE)


@dataclass(frozen=True)
class TextNumber:
    """A number of a text, on the scale of the first unit of its kind."""

    start: int  # of its digits, in characters of the text
    end: int
    kind: str  # one of `KINDS`
    level: float  # as a level: 0 °C is 273.15 K
    difference: float  # as a difference of two levels: 10 °C are 10 K


def text_numbers(text: str) -> list[TextNumber]:
    """The numbers of a text in their order; times of day, dates like "the 3rd" and durations are none.

    The first of two numbers that are joined, like "between 5 and 10 °C", has the unit of the second.
    """
    found: list[TextNumber] = []
    following: tuple[int, Unit | None, bool] | None = None  # where the next number begins, its unit, whether a time
    for first, start, end, value, sign in reversed(_candidates(text)):
        unit, is_time = _unit_behind(text[end:])
        if unit is None and sign:
            unit = find_unit(_MONEY.get(sign, ""))
        if unit is None and following is not None and _JOINED.fullmatch(text[end : following[0]]):
            unit, is_time = following[1], is_time or following[2]
        in_words = not text[start].isdigit() and text[start] != "."
        if in_words and unit is not None and _NO_UNITS.match(text[end:]):
            unit = None
        if in_words and unit is None and not is_time and abs(value) < _COUNTS:
            continue
        following = first, unit, is_time
        if is_time:
            continue
        if unit is None:
            found.append(TextNumber(start, end, PLAIN, value, value))
        else:
            found.append(TextNumber(start, end, unit.kind, value * unit.factor + unit.offset, value * unit.factor))
    return found[::-1]


def _candidates(text: str) -> list[tuple[int, int, int, float, str]]:
    """In their order: where a number begins with its minus, its start and end, its value, and a sign of money."""
    found = [
        (
            match.start(),
            *match.span("number"),
            float(match["number"].replace(",", "")) * (-1 if match["minus"] else 1),
            (match["money"] or "").strip(),
        )
        for match in _NUMBER.finditer(text)
    ]
    found += [(own.first, own.start, own.end, own.value, "") for own in spelled_numbers(text)]
    return sorted(found)


def _unit_behind(text: str) -> tuple[Unit | None, bool]:
    """The unit that `text` begins with, and whether it begins with one of time instead."""
    if _TIMES.match(text.lstrip()):
        return None, True
    words = _WORDS.match(text)
    if words is None:
        return None, False
    parts = [part for part in words.groups() if part]
    for count in range(len(parts), 0, -1):
        name = " ".join(parts[:count])
        for spelling in (name, name.rstrip(".")):
            spoken = re.sub(r"\s+(per|an?)\s+", "/", spelling.lower())
            if unit := find_unit(_SPOKEN.get(spoken, spelling)):
                return unit, False
    return (find_unit("°C") if _DEGREES.fullmatch(parts[0]) else None), False


def kind_scale(unit: str) -> tuple[str, float, float]:
    """Of a channel's unit its kind, and factor and offset to the kind's first unit; `PLAIN` where it is not known."""
    known = find_unit(unit) if unit else None
    return (PLAIN, 1.0, 0.0) if known is None else (known.kind, known.factor, known.offset)
