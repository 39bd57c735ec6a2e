import re
import time
import warnings

import numpy as np
import pytest

from data_modules.describe import describe
from trace_lit.channels import Channel

CHANNEL = Channel("air temperature", "K")
STEPS = np.arange(24.0)
RISE = ("climb", "upward", "increase")
FALL = ("drop", "downward", "decrease")
OUTLIER = ("stood out", "outlier", "single reading")


def texts(values, channel=CHANNEL, frequency="1h", seeds=range(20)) -> list[str]:
    """The same window described with many seeds."""
    values = np.asarray(values, dtype=np.float32)[None, None]
    windows = np.repeat(values, len(seeds), axis=0)
    return [described[0] for described in describe(windows, [channel], frequency, list(seeds))]


def all_say(found: list[str], words: tuple[str, ...]) -> bool:
    return all(any(word in text for word in words) for text in found)


def none_says(found: list[str], words: tuple[str, ...]) -> bool:
    return not any(word in text for text in found for word in words)


def noise(scale: float) -> np.ndarray:
    return np.random.default_rng(0).normal(scale=scale, size=24)


def test_level_and_range_are_given_in_the_unit():
    for text in texts(280 + STEPS):
        assert re.search(r"\b280\b.*\b303 K", text) or re.search(r"291\.5 K.*280.*303 K", text)
        assert "291.5 K" in text
        assert "temperature" in text


def test_percent_stands_at_its_number():
    assert all("63%" in text and " %" not in text for text in texts(40 + STEPS, Channel("humidity", "%")))


@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_trends_are_distinguished(scale):
    rising, falling = texts(280 + STEPS + noise(scale)), texts(280 - STEPS + noise(scale))
    assert all_say(rising, RISE)
    assert none_says(rising, FALL)
    assert all_say(falling, FALL)
    assert none_says(falling, RISE)


def test_a_peak_and_a_dip_are_distinguished():
    bump = 10 * np.exp(-(((STEPS - 12) / 5) ** 2))
    assert all_say(
        texts(280 + bump), ("Highest around the middle", "peak around the middle", "peaked around the middle")
    )
    assert all_say(texts(280 - bump), ("Lowest around the middle", "low around the middle", "dipped around the middle"))


def test_without_a_trend_none_is_described():
    found = texts(280 + noise(1.0))
    assert none_says(found, (*RISE, *FALL))
    assert all_say(found, ("No clear trend", "level held", "about where they began"))


def test_a_cycle_is_given_in_the_time_of_the_window():
    wave = 280 + np.sin(2 * np.pi * STEPS / 8)
    assert all_say(texts(wave), ("8 hours",))
    assert all_say(texts(wave, frequency="7D"), ("8 weeks",))
    assert none_says(texts(280 + noise(1.0)), ("repeated", "cycle", "period near"))


def test_smooth_and_erratic_courses_differ():
    assert not any(re.search(r"volatile|erratic|jumped", text) for text in texts(280 + np.sin(STEPS / 4)))
    rough = texts(280 + noise(1.0))
    assert any(re.search(r"volatile|erratic|jumped", text) for text in rough)
    assert not any(re.search(r"gradual|smooth|slowly", text) for text in rough)


def test_an_outlier_is_given_with_value_and_place():
    values = 280 + 0.1 * noise(1.0)
    values[18] = 290
    found = texts(values)
    assert all_say(found, OUTLIER)
    assert all(re.search("290 K (occurred )?late in the window", text) for text in found)
    assert none_says(texts(280 + noise(1.0)), OUTLIER)
    assert none_says(texts(280 + 10 * np.exp(-(((STEPS - 12) / 3) ** 2))), OUTLIER)


def test_missing_values_are_counted_and_do_not_disturb_the_rest():
    values = 280 + STEPS
    values[::4] = np.nan
    found = texts(values)
    assert all_say(found, ("25%",))
    assert all_say(found, RISE)
    assert all("303 K" in text for text in found)


def test_a_constant_and_an_empty_channel():
    assert all(re.search(r"280 K", text) and none_says([text], (*RISE, *FALL)) for text in texts(np.full(24, 280.0)))
    assert texts(np.full(24, np.nan)) == [""] * 20


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8, 500])
@pytest.mark.parametrize("missing", [0.0, 0.5, 1.0])
def test_any_length_and_any_gaps_are_described_without_warnings(length, missing):
    rng = np.random.default_rng(length)
    values = rng.normal(size=(30, 2, length))
    values[rng.random(values.shape) < missing] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = describe(values, [CHANNEL, Channel("x")], "MS", list(range(30)))
    for window, described in zip(values, found, strict=True):
        assert [bool(text) for text in described] == (~np.isnan(window)).any(-1).tolist()
        assert not any("nan" in text or "inf" in text for text in described)


def test_a_text_depends_on_its_own_window_and_seed_only():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(10, 3, 24))
    channels = [CHANNEL, Channel("humidity", "%"), Channel("braces {mean}", "{unit}")]
    together = describe(values, channels, "1h", [f"0/r{n}" for n in range(10)])
    alone = [describe(values[n : n + 1], channels, "1h", [f"0/r{n}"])[0] for n in range(10)]
    assert together == alone
    assert describe(values, channels, "1h", [f"1/r{n}" for n in range(10)]) != together


def test_wording_varies():
    assert len(set(texts(280 + STEPS, seeds=range(200)))) >= 15


def test_large_and_small_numbers_are_readable():
    assert all("59,763" in text for text in texts(np.full(24, 59763.0), Channel("deaths")))
    assert all("0.00123" in text for text in texts(np.full(24, 0.00123)))
    assert none_says(texts(2e9 + 1e8 * STEPS, Channel("grants", "$")), ("e+",))


def test_many_windows_together_take_a_fraction_of_what_they_take_one_by_one():
    values = np.random.default_rng(0).normal(size=(400, 6, 24)).cumsum(-1)

    def seconds(size: int) -> float:
        begin = time.process_time()
        for first in range(0, 400, size):
            describe(values[first : first + size], [CHANNEL] * 6, "1h", list(range(size)))
        return time.process_time() - begin

    assert min(seconds(400) for _ in range(3)) < seconds(1) / 2  # a sixth or less
