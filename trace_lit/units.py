"""Units of measurement as people write them, and numbers converted from one to another.

`convert(20, "mph", "m/s")` is 8.94. A temperature has a zero of its own: a level of 0 °C is 273.15 K, a change of 10 °C
is a change of 10 K.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"\s*([-+−]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


class UnitError(ValueError):
    """A quantity is no number with a unit, or its unit is unknown or of another kind than the one wanted."""


@dataclass(frozen=True)
class Unit:
    """A unit of a kind of quantity: `value · factor + offset` is the value in the kind's own first unit."""

    kind: str
    factor: float
    offset: float = 0.0


_TABLE = {  # kind: unit: (factor, offset, other spellings)
    "temperature": {
        "K": (1.0, 0.0, "kelvin kelvins °K"),
        "°C": (1.0, 273.15, "C ℃ celsius centigrade degC"),
        "°F": (5 / 9, 273.15 - 32 * 5 / 9, "F ℉ fahrenheit degF"),
    },
    "pressure": {
        "hPa": (1.0, 0.0, "mbar mb millibar millibars hectopascal hectopascals"),
        "Pa": (0.01, 0.0, "pascal pascals"),
        "kPa": (10.0, 0.0, "kilopascal kilopascals"),
        "bar": (1000.0, 0.0, "bars"),
        "atm": (1013.25, 0.0, "atmosphere atmospheres"),
        "mmHg": (1.33322387415, 0.0, "torr"),
        "inHg": (33.8638866667, 0.0, "inhg"),
        "psi": (68.9475729, 0.0, ""),
    },
    "speed": {
        "m/s": (1.0, 0.0, "mps m·s⁻¹ ms⁻¹"),
        "km/h": (1 / 3.6, 0.0, "kmh kph kmph"),
        "mph": (0.44704, 0.0, "mi/h"),
        "kn": (1852 / 3600, 0.0, "kt kts knot knots"),
        "ft/s": (0.3048, 0.0, "fps"),
    },
    "length": {
        "m": (1.0, 0.0, "metre metres meter meters"),
        "mm": (1e-3, 0.0, "millimetre millimetres millimeter millimeters"),
        "cm": (1e-2, 0.0, "centimetre centimetres centimeter centimeters"),
        "km": (1e3, 0.0, "kilometre kilometres kilometer kilometers"),
        "in": (0.0254, 0.0, "inch inches"),
        "ft": (0.3048, 0.0, "foot feet"),
        "mi": (1609.344, 0.0, "mile miles"),
    },
    "power": {
        "MW": (1.0, 0.0, "megawatt megawatts"),
        "kW": (1e-3, 0.0, "kilowatt kilowatts"),
        "GW": (1e3, 0.0, "gigawatt gigawatts"),
        "W": (1e-6, 0.0, "watt watts"),
    },
    "share": {"": (1.0, 0.0, ""), "%": (0.01, 0.0, "percent percents pct")},
    "price of fuel": {"$/gallon": (1.0, 0.0, "$/gal dollars/gallon"), "cents/gallon": (0.01, 0.0, "¢/gallon ¢/gal")},
    "price of electricity": {"€/MWh": (1.0, 0.0, "eur/mwh"), "ct/kWh": (10.0, 0.0, "cents/kwh")},
}


def _spellings() -> dict[str, Unit]:
    found = {}
    for kind, units in _TABLE.items():
        for name, (factor, offset, others) in units.items():
            for spelling in (name, *others.split()):
                found[spelling] = Unit(kind, factor, offset)
    return found


UNITS = _spellings()
_FOLDED = {spelling.lower(): unit for spelling, unit in reversed(UNITS.items())}  # of Mm and mm, the first in the table


def find_unit(name: str) -> Unit | None:
    """The unit that `name` spells, with or without capitals ("mPH", "degrees Celsius"); None if none is known."""
    name = re.sub(r"^(degrees?|deg\.?)\s+", "", " ".join(name.split()))
    name = re.sub(r"\s+(per|an?)\s+", "/", name)
    return UNITS.get(name) or _FOLDED.get(name.lower())


def parse_quantity(text: str) -> tuple[float, str]:
    """The number and the unit of a text like "20 mph", "1,013.2 hPa" or "−5 °C"; the unit is "" where there is none.

    Raises
    ------
    UnitError
        The text does not begin with a number.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise UnitError(f'{text!r} is no number with a unit; write it like "20 mph" or "0 °C"')
    return float(match[1].replace(",", "").replace("−", "-")), match[2]


def convert(value: float, given: str, wanted: str, *, difference: bool = False) -> float:
    """`value` in the unit `given`, in the unit `wanted`.

    Parameters
    ----------
    difference
        The value is a difference of two levels, so that the zeros of the units do not count.

    Raises
    ------
    UnitError
        The units are not of one kind, or they differ and one is unknown.
    """
    if given == wanted:
        return value
    start, end = find_unit(given), find_unit(wanted)
    if start is None or end is None or start.kind != end.kind:
        kind = end.kind if end is not None else None
        known = [name for name in _TABLE.get(kind or "", {}) if name] or [wanted or "none"]
        raise UnitError(f"the unit {given!r} cannot be converted to {wanted!r}; use one of: {', '.join(known)}")
    if difference:
        return value * start.factor / end.factor
    return (value * start.factor + start.offset - end.offset) / end.factor
