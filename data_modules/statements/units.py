"""Numbers as people say them: rounded, and in customary units (kelvin as °C and °F, m/s as km/h, mph and knots)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from data_modules.statements.grammar import Draw
from trace_lit.text.number_words import spelled
from trace_lit.units import convert, find_unit

WORDED = 0.3  # of the numbers that go with a unit in words are in words too
_SPACED = re.compile(r"^\{\}( [a-z]{3,}.*)?$|degrees|percent|per cent|bpm|knots|mph")


@dataclass(frozen=True)
class Measure:
    """A unit that a channel's values can be given in: value · scale + offset, written in one of the forms."""

    forms: tuple[str, ...]  # with {} for the number
    scale: float = 1.0
    offset: float = 0.0
    weight: int = 1  # how often it is chosen

    def of(self, value: float) -> float:
        """A value of the channel in this unit."""
        return value * self.scale + self.offset

    def back(self, spoken: float) -> float:
        """The inverse of `of`."""
        return (spoken - self.offset) / self.scale


@dataclass(frozen=True)
class Number:
    """A number in a spoken unit; a difference has no offset."""

    spoken: float
    measure: Measure
    step: float  # that it is rounded to
    difference: bool = False

    @property
    def value(self) -> float:
        """In the channel's unit."""
        return self.spoken / self.measure.scale if self.difference else self.measure.back(self.spoken)

    def text(self, draw: Draw, form: str = "") -> str:
        """With its unit in a form, by default in one of the unit's; in digits or, now and then, in words."""
        form = form or self.measure.forms[int(draw() * len(self.measure.forms))]
        digits = max(0, -math.floor(math.log10(self.step) + 1e-9))
        size = abs(self.spoken)
        comma = draw() < (0.5 if size >= 10_000 else 0.2)
        if digits == 1 and form.startswith(_SIGNS):
            digits = 2  # $2.50
        in_words = spelled(size) if draw() < WORDED and not form.startswith(_SIGNS) and _SPACED.search(form) else None
        if in_words is not None and len(in_words.split()) <= 4:
            sign = "minus " if self.spoken < 0 and size > 0 else ""
            return form.format(f"{sign}{in_words}")
        plain = f"{size:,.{digits}f}" if comma else f"{size:.{digits}f}"
        if digits and not form.startswith(_SIGNS):
            plain = plain.rstrip("0").rstrip(".")
        worded = draw() < 0.2
        if self.spoken >= 0 or float(plain.replace(",", "")) == 0:
            return form.format(plain)
        if form.startswith(_SIGNS):
            return f"-{form.format(plain)}"
        return form.format(f"minus {plain}" if worded else f"-{plain}")

    def bare(self, like: str) -> str | None:
        """Without its unit, in words where the text `like` of another number is; None where it cannot be."""
        if like.startswith((*_SIGNS, "-")) or self.spoken < 0 or self.difference:
            return None
        if not any(sign.isdigit() for sign in like):
            return spelled(self.spoken)
        digits = max(0, -math.floor(math.log10(self.step) + 1e-9))
        return f"{self.spoken:.{digits}f}"


@dataclass(frozen=True)
class Decade:
    """A part of ten numbers in a spoken unit, from `low` to `high`: the low twenties are 20 to 24."""

    low: float
    high: float
    measure: Measure
    words: str
    step: float = 3.0

    @property
    def value(self) -> float:
        """Where it begins, in the channel's unit."""
        return self.measure.back(self.low)

    @property
    def end(self) -> float:
        """Where it ends, in the channel's unit."""
        return self.measure.back(self.high)

    def text(self, draw: Draw) -> str:
        """In words, sometimes with the scale of a temperature."""
        scale = next(
            (name for name in ("Celsius", "Fahrenheit") if any(name in form for form in self.measure.forms)), ""
        )
        return f"{self.words} {scale}" if scale and draw() < (0.25 if scale == "Celsius" else 0.8) else self.words


_DECADES = ("", "", "twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")
_SHARES_OF_TEN = (("", 0.0, 10.0), ("low ", 0.0, 4.0), ("mid ", 3.0, 7.0), ("high ", 6.0, 10.0), ("upper ", 6.0, 10.0))
_NO_DECADES = re.compile(r"[Kkm$€£¥W]|Pa|inHg|inches")  # units whose numbers nobody names by decades


def decade_of(value: float, measure: Measure, draw: Draw) -> Decade | None:
    """The decade, or a part of it, that a value of a channel lies in; None where people do not speak of decades."""
    spoken = measure.of(value)
    if not 0 < spoken < 100 or _NO_DECADES.search(measure.forms[0].replace("mmHg", "")):
        return None
    tens = int(spoken // 10)
    if tens == 0:
        return Decade(0.0, 10.0, measure, "single figures" if draw() < 0.5 else "single digits")
    if tens == 1:
        return Decade(10.0, 20.0, measure, "the teens")
    fitting = [part for part in _SHARES_OF_TEN if part[1] <= spoken - 10 * tens <= part[2]]
    word, low, high = fitting[int(draw() * len(fitting))]
    return Decade(10.0 * tens + low, 10.0 * tens + high, measure, f"the {word}{_DECADES[tens]}")


_SPOKEN: tuple[dict[str, tuple[int, tuple[str, ...]]], ...] = (
    # customary units of one quantity: how often each is chosen, and its forms
    {
        "°C": (3, ("{} °C", "{}°C", "{} degrees", "{} degrees Celsius", "{} C", "{} °C")),
        "°F": (1, ("{} °F", "{}°F", "{} degrees Fahrenheit", "{} F")),
        "K": (1, ("{} K", "{} kelvin", "{}K")),
    },
    {
        "m/s": (3, ("{} m/s", "{} metres per second", "{} meters a second", "{}m/s")),
        "km/h": (2, ("{} km/h", "{} kph", "{} kilometres an hour", "{} km/h")),
        "mph": (2, ("{} mph", "{} miles per hour", "{} miles an hour", "{} mph")),
        "kn": (1, ("{} knots", "{} kn", "{} kt", "{} knots")),
    },
    {
        "hPa": (4, ("{} hPa", "{} hectopascals", "{}hPa", "{} hPa", "{} mbar", "{} mb", "{} millibars")),
        "inHg": (1, ("{} inHg", "{} inches of mercury")),
    },
    {"mm": (3, ("{} mm", "{} millimetres", "{} millimeters", "{}mm")), "in": (1, ("{} inches",))},
    {"MW": (3, ("{} MW", "{} megawatts", "{}MW", "{} MW")), "GW": (1, ("{} GW", "{} gigawatts"))},
)
_SIGNS = ("$", "€", "£", "¥")
_COINS = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen"}
_LONG = {"lb": "pound", "kg": "kilo", "gal": "gallon", "bbl": "barrel", "MWh": "megawatt hour", "kWh": "kilowatt hour"}


@cache
def measures(unit: str) -> tuple[Measure, ...]:
    """The customary units that values in `unit` can be given in."""
    own = find_unit(unit)
    for spoken in _SPOKEN if own is not None else ():
        if own in map(find_unit, spoken):
            return tuple(
                Measure(forms, convert(1.0, unit, name, difference=True), convert(0.0, unit, name), weight)
                for name, (weight, forms) in spoken.items()
            )
    return (Measure(_forms(unit)),)


def _forms(unit: str) -> tuple[str, ...]:
    """How a number in a unit without relatives is written."""
    if not unit:
        return ("{}",)
    if unit in ("%", "percent", "pct"):
        return ("{} %", "{}%", "{} percent", "{} per cent", "{}%")
    if unit in _COINS:
        return (f"{unit}{{}}", f"{{}} {_COINS[unit]}")
    if match := re.fullmatch(r"([$€£¥]|cents?|ct|p|EUR|USD|GBP)\s?/\s?(\w+)", unit):
        coin, per = match[1], match[2]
        word, long = _COINS.get(coin, coin), _LONG.get(per, per)
        short = f"{coin}{{}}" if coin in _COINS else f"{{}} {coin}"
        return (short, f"{short} per {per}", f"{{}} {word} a {long}", f"{{}} {unit}", f"{{}} {word} per {long}")
    if match := re.fullmatch(r"(million|billion|thousand) ([$€£¥])", unit):
        return (f"{match[2]}{{}} {match[1]}", f"{{}} {match[1]} {_COINS[match[2]]}")
    if match := re.fullmatch(r"(\w+)\s?/\s?min", unit):
        beats = ("{} bpm",) if match[1] == "beats" else ()
        return ("{}", f"{{}} {unit}", f"{{}} {match[1]} per minute", f"{{}} {match[1]} a minute", "{} a minute", *beats)
    escaped = unit.replace("{", "{{").replace("}", "}}")
    if re.fullmatch(r"[a-z]{3,}s", unit):
        return (f"{{}} {escaped}", "{}")
    return (f"{{}} {escaped}", f"{{}} {escaped}", f"{{}}{escaped}", "{}")


def joined(low: Number, high: Number, draw: Draw) -> dict[str, str]:
    """Two numbers as ends of a range, by how they are joined: "20 and 25 °C", "20 to 25 °C", "20-25 °C"."""
    form = high.measure.forms[int(draw() * len(high.measure.forms))]
    second = high.text(draw, form)
    bare = low.bare(second) if draw() < 0.75 else None
    first = low.text(draw, form) if bare is None else bare
    dash = " to " if bare is None else ("-", "–", " - ", " to ")[int(draw() * 4)]
    return {"x_and_x": f"{first} and {second}", "x_to_x": f"{first} to {second}", "x_dash_x": f"{first}{dash}{second}"}


def pick(options: Sequence[Measure], draw: Draw) -> Measure:
    """One of them, by their weights."""
    place = draw() * sum(option.weight for option in options)
    for option in options:
        place -= option.weight
        if place < 0:
            return option
    return options[-1]


def step_for(spread: float) -> float:
    """The round step (1, 2 or 5 times a power of ten) next below `spread`."""
    power = 10.0 ** math.floor(math.log10(spread))
    return power * max(times for times in (1, 2, 5) if times * power <= spread * (1 + 1e-9))


def rounded(
    value: float, spread: float, measure: Measure, rounding: Callable[[float], float], difference: bool = False
) -> Number:
    """`value` of a channel as a round number in a unit: `rounding` (floor, ceil or round) to a step below `spread`.

    Both are in the channel's unit; `spread` is how far the number may be moved.
    """
    step = step_for(spread * abs(measure.scale))
    spoken = value * measure.scale if difference else measure.of(value)
    return Number(rounding(spoken / step) * step, measure, step, difference)
