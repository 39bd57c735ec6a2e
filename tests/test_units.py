import pytest

from trace_lit.units import UnitError, convert, find_unit, parse_quantity


@pytest.mark.parametrize(
    ("value", "given", "wanted", "expected"),
    [
        (20, "mph", "m/s", 8.9408),
        (0, "°C", "K", 273.15),
        (86, "degrees Fahrenheit", "°C", 30),
        (29.92, "inHg", "hPa", 1013.2),
        (760, "mmHg", "hPa", 1013.25),
        (36, "km per h", "m/s", 10),
        (10, "Knots", "m/s", 5.144),
        (50, "%", "", 0.5),
        (350, "cents/gallon", "$/gallon", 3.5),
        (7, "patients", "patients", 7),
    ],
)
def test_units_are_converted(value, given, wanted, expected):
    assert convert(value, given, wanted) == pytest.approx(expected, rel=1e-4)


def test_a_difference_of_temperatures_has_no_zero():
    assert convert(18, "°F", "K", difference=True) == pytest.approx(10)


@pytest.mark.parametrize(("given", "wanted"), [("mph", "hPa"), ("furlongs", "m"), ("m", ""), ("K", "deaths")])
def test_units_of_other_kinds(given, wanted):
    with pytest.raises(UnitError, match=f"the unit '{given}' cannot be converted"):
        convert(1, given, wanted)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20 mph", (20, "mph")),
        ("1,013.2hPa", (1013.2, "hPa")),
        ("−5 °C", (-5, "°C")),
        (".5", (0.5, "")),
        ("3", (3, "")),
    ],
)
def test_quantities_are_read(text, expected):
    assert parse_quantity(text) == expected


def test_what_begins_with_no_number():
    with pytest.raises(UnitError, match="'warm' is no number"):
        parse_quantity("warm")


def test_spellings_name_one_unit():
    assert find_unit("knots") == find_unit("kt") == find_unit("KN")
    assert find_unit("smoots") is None
