"""Numbers in texts and their units."""

import pytest

from trace_lit.text.numbers import KINDS, PLAIN, kind_scale, text_numbers


@pytest.mark.parametrize(
    ("text", "kind", "level"),
    [
        ("below 1,000.5 hPa", "pressure", 1000.5),
        ("over 30°C", "temperature", 303.15),
        ("minus 3 degrees", "temperature", 270.15),
        ("a low of -3 °C", "temperature", 270.15),
        ("a low of - 3 °C", "temperature", 270.15),
        ("−5 degrees Celsius", "temperature", 268.15),
        ("50 °F at least", "temperature", 283.15),
        ("20 metres per second", "speed", 20.0),
        ("36 km/h.", "speed", 10.0),
        ("15 miles an hour", "speed", 6.7056),
        ("45% humidity", "share", 0.45),
        ("30 inches of mercury", "pressure", 1015.917),
        ("$3.20 a gallon", "price of fuel", 3.2),
        ("more than 300 deaths", PLAIN, 300.0),
    ],
)
def test_a_number_stands_on_the_scale_of_its_kind(text, kind, level):
    (number,) = text_numbers(text)
    assert number.kind == kind
    assert number.level == pytest.approx(level, rel=1e-4)
    assert text[number.start : number.end].strip("$")[0].isdigit()


def test_a_difference_has_no_zero_of_its_own():
    (number,) = text_numbers("it rose by 9 °F")
    assert number.difference == pytest.approx(5.0)


def test_the_first_of_two_joined_numbers_has_the_unit_of_the_second():
    for text in ("between 5 and 10 °C", "5 to 10 °C", "5-10 °C"):
        assert [number.level for number in text_numbers(text)] == pytest.approx([278.15, 283.15])


@pytest.mark.parametrize(
    "text", ["no number", "for 3 days", "a 24-hour window", "at 3 pm", "at 12:30", "the 3rd", "x2"]
)
def test_times_dates_and_names_are_no_numbers(text):
    assert text_numbers(text) == []


def test_units_of_channels_are_scaled_to_their_kind():
    assert kind_scale("K") == ("temperature", 1.0, 0.0)
    kind, factor, offset = kind_scale("%")
    assert (kind, factor, offset) == ("share", 0.01, 0.0)
    assert kind_scale("deaths") == (PLAIN, 1.0, 0.0)
    assert PLAIN in KINDS


@pytest.mark.parametrize("dash", ["-", "–", " - ", " – ", " -", " to "])
def test_a_dash_between_two_numbers_is_no_minus(dash):
    for text in (f"temperatures of 18{dash}24 °C", f"18 °C{dash}24 °C", f"humidity 18 %{dash}24 %"):
        first, second = (number.difference for number in text_numbers(text))
        assert second / first == pytest.approx(24 / 18), text
    assert [number.difference for number in text_numbers("-8 to -3 °C")] == [-8.0, -3.0]
