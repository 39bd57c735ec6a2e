"""Numbers in words are read as they are meant, and words that count nothing are no numbers."""

import pytest

from trace_lit.text.number_words import spelled, spelled_numbers
from trace_lit.text.numbers import text_numbers


@pytest.mark.parametrize(
    ("text", "kind", "level", "difference"),
    [
        ("thirty percent", "share", 0.3, 0.3),
        ("it was ten degrees Celsius", "temperature", 283.15, 10),
        ("minus three degrees at night", "temperature", 270.15, -3),
        ("gusts of twenty-five knots", "speed", 25 * 1852 / 3600, 25 * 1852 / 3600),
        ("down by five hectopascals", "pressure", 5, 5),
        ("one thousand and thirteen point five hPa", "pressure", 1013.5, 1013.5),
        ("more than three thousand five hundred megawatts", "power", 3500, 3500),
        ("a pulse above a hundred and twenty", "plain", 120, 120),
        ("40 per cent", "share", 0.4, 0.4),
    ],
)
def test_a_number_in_words_has_its_value_and_unit(text, kind, level, difference):
    (number,) = text_numbers(text)
    assert number.kind == kind
    assert number.level == pytest.approx(level)
    assert number.difference == pytest.approx(difference)


@pytest.mark.parametrize(
    "text",
    [
        "one of the days",
        "at one point",
        "no one knew",
        "two or three spikes",
        "ten in the morning",
        "in the low twenties",
        "within six hours",
        "between 18 and 24 UTC",
        "from six to nine o'clock",
        "tenfold, stone, often, weight",
    ],
)
def test_words_that_count_nothing_are_no_numbers(text):
    assert text_numbers(text) == []


def test_the_first_of_two_joined_numbers_has_the_unit_of_the_second():
    first, second = text_numbers("between five and ten degrees")
    assert first.kind == second.kind == "temperature"
    assert (first.difference, second.difference) == pytest.approx((5, 10))


def test_what_is_written_in_words_is_read_back():
    values = [*range(0, 130), *range(130, 200_000, 433), 29.9, 0.5, -12, 1013.2, 110_000]
    for value in values:
        words = spelled(value)
        (found,) = spelled_numbers(f"about {words} or so")
        assert found.value == pytest.approx(value), words
    assert spelled(0.25) is None
    assert spelled(2_000_000) is None
