"""Numbers written out in words: "twenty-five", "minus three", "a hundred and five", "twenty-nine point nine"."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {
    **{word: value for value, word in enumerate(_ONES)},
    **{word: 10 * place for place, word in enumerate(_TENS, start=2)},
}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_WORD = rf"(?:{'|'.join((*_VALUES, *_LARGE))})"
_SPELLED = re.compile(
    rf"\b(?P<minus>minus\s+)?(?P<number>(?:a\s+(?=hundred|thousand|million))?{_WORD}(?:(?:\s+|-|\s+and\s+){_WORD})*"
    rf"(?:\s+point(?:\s+{_WORD})+)?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SpelledNumber:
    """A number in words, in characters of its text without a "minus"."""

    start: int
    end: int
    first: int  # where it begins with its "minus"
    value: float


def spelled(value: float) -> str | None:
    """A number below a million in words, with at most one decimal; None for another one."""
    size = abs(value)
    tenths = round(size * 10)
    if size >= 1_000_000 or abs(tenths - size * 10) > 1e-6:
        return None
    words = _whole(tenths // 10) + (f" point {_ONES[tenths % 10]}" if tenths % 10 else "")
    return f"minus {words}" if value < 0 else words


def _whole(number: int) -> str:
    if number < 20:
        return _ONES[number]
    if number < 100:
        ones = f"-{_ONES[number % 10]}" if number % 10 else ""
        return _TENS[number // 10 - 2] + ones
    for word, size in (("thousand", 1000), ("hundred", 100)):
        if number >= size:
            rest = number % size
            joint = " and " if rest < 100 else " "
            return f"{_whole(number // size)} {word}{joint + _whole(rest) if rest else ''}"
    raise AssertionError(number)


def spelled_numbers(text: str) -> list[SpelledNumber]:
    """The numbers in words of a text in their order, also those that count nothing, like "one of the days".

    "Five and six" are two numbers, "a hundred and six" is one.
    """
    found = []
    for match in _SPELLED.finditer(text):
        start, end = match.span("number")
        place = start
        first = match.start()
        negative = match["minus"] is not None
        for part in _separate(text[start:end]):
            begins = text.index(part, place)
            place = begins + len(part)
            value = _value(part)
            found.append(
                SpelledNumber(begins, place, first if begins == start else begins, -value if negative else value)
            )
            negative = False
    return found


def _separate(text: str) -> list[str]:
    """The numbers of a run of number words: a run goes on where the words make one number."""
    parts: list[str] = []
    for match in re.finditer(rf"(?:(\s+and\s+|\s+|-))?\b(a\s+)?({_WORD}|point)\b", text, re.IGNORECASE):
        joint, word = (match[1] or "").strip().lower(), match[3].lower()
        if parts and _continues(parts[-1].lower(), joint, word):
            parts[-1] += match[0]
        else:
            parts.append(match[0].lstrip(" -").removeprefix("and").lstrip() if parts else match[0].strip())
    return parts


def _continues(before: str, joint: str, word: str) -> bool:
    last = re.split(r"[\s-]+", before)[-1]
    if word == "point" or "point" in before:
        return joint == ""
    if word in _LARGE:
        return joint == "" and (last not in _LARGE or _LARGE[last] < _LARGE[word])
    if last in _LARGE:
        return joint in ("and", "") and _VALUES[word] > 0
    return joint in ("", "-") and last in _TENS and 0 < _VALUES[word] < 10


def _value(text: str) -> float:
    whole, _, decimals = text.lower().partition("point")
    total = current = 0
    for word in re.split(r"[\s-]+", whole.strip()):
        if word == "hundred":
            current = max(current, 1) * 100
        elif word in _LARGE:
            total, current = total + max(current, 1) * _LARGE[word], 0
        elif word in _VALUES:
            current += _VALUES[word]
    digits = "".join(str(_VALUES[word]) for word in decimals.split() if word in _VALUES)
    return float(f"{total + current}.{digits}") if digits else float(total + current)
