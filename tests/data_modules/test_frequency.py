import numpy as np
import pytest

from data_modules.frequency import Frequency, FrequencyError


def advance(alias: str, start: str, steps: int) -> str:
    return str(Frequency.parse(alias).advance(np.datetime64(start), steps).astype("datetime64[m]"))


@pytest.mark.parametrize(
    ("alias", "steps", "expected"),
    [
        ("1h", 24, "2020-01-02T00:00"),
        ("h", 24, "2020-01-02T00:00"),
        ("10min", 6, "2020-01-01T01:00"),
        ("30s", 2, "2020-01-01T00:01"),
        ("D", 31, "2020-02-01T00:00"),
        ("7D", 2, "2020-01-15T00:00"),
        ("W-SUN", 2, "2020-01-15T00:00"),
        ("MS", 2, "2020-03-01T00:00"),
        ("QS", 1, "2020-04-01T00:00"),
        ("2YS", 1, "2022-01-01T00:00"),
    ],
)
def test_steps_are_as_long_as_the_alias_says(alias, steps, expected):
    assert advance(alias, "2020-01-01", steps) == expected


def test_a_month_keeps_the_day_and_is_cut_at_the_end_of_a_shorter_one():
    assert advance("MS", "2021-01-31T06:30", 1) == "2021-02-28T06:30"
    assert advance("MS", "2020-01-31", 1) == "2020-02-29T00:00"
    assert advance("MS", "2020-11-15", 3) == "2021-02-15T00:00"


@pytest.mark.parametrize(
    ("alias", "start", "steps", "expected"),
    [
        ("ME", "2020-02-29", 1, "2020-03-31T00:00"),
        ("ME", "2021-02-28T06:30", 12, "2022-02-28T06:30"),
        ("ME", "2021-04-30", 10, "2022-02-28T00:00"),
        ("ME", "2021-04-15", 1, "2021-05-15T00:00"),  # no month's end
        ("QE-DEC", "2021-06-30", 2, "2021-12-31T00:00"),
        ("YE", "2023-02-28", 1, "2024-02-29T00:00"),
        ("ME", "2020-01-31", 0, "2020-01-31T00:00"),
    ],
)
def test_steps_from_month_end_to_month_end(alias, start, steps, expected):
    assert advance(alias, start, steps) == expected
    begin = np.datetime64(start, "us")
    assert Frequency.parse(alias).steps_between(begin, np.datetime64(expected, "us")) == steps


@pytest.mark.parametrize("alias", ["99999999999999999999h", "1100YE", "400000D", "999999999999999999W", "\x00", "1h\n"])
def test_a_step_of_any_length_is_refused(alias):
    with pytest.raises(FrequencyError, match="is no sampling frequency"):
        Frequency.parse(alias)


def test_starts_and_steps_broadcast():
    starts = np.array(["2020-01-01", "2020-02-01"], dtype="datetime64[s]")
    ends = Frequency.parse("MS").advance(starts, np.array([12, 1]))
    assert ends.astype("datetime64[D]").astype(str).tolist() == ["2021-01-01", "2020-03-01"]


def test_spans_read_like_words():
    assert Frequency.parse("1h").span(24) == "24 hours"
    assert Frequency.parse("7D").span(1) == "1 week"
    assert Frequency.parse("10min").span(6) == "60 minutes"
    assert Frequency.parse("10min").span(7) == "70 minutes"
    assert Frequency.parse("15min").span(12) == "3 hours"
    assert Frequency.parse("30s").span(480) == "4 hours"
    assert Frequency.parse("MS").span(12) == "12 months"


@pytest.mark.parametrize("alias", ["", "hourly", "0h", "-1h", "1.5h", "7", None, 7])
def test_what_is_no_frequency_says_what_is(alias):
    with pytest.raises(ValueError, match="write a count and a unit"):
        Frequency.parse(alias)
