"""What the probes change in a text, and how it is counted."""

import numpy as np
import pytest

from trace_lit.channels import Channel
from trace_lit.retrieval.probes import (
    change_numbers,
    channel_swapper,
    probe_metrics,
    remove_place_and_date,
    shuffled_steps,
    swap_directions,
    text_probes,
)

CHANNELS = (
    Channel("relative humidity", "%"),
    Channel("air pressure", "hPa"),
    Channel("air temperature", "K"),
    Channel("wind speed", "m/s"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pressure rose, humidity fell.", "Pressure fell, humidity rose."),
        ("Rising wind, a warming trend upward", "Falling wind, a cooling trend downward"),
        ("Over the past 24 hours it declined", "Over the past 24 hours it rose"),
        ("High pressure, strong wind", None),
    ],
)
def test_directions_are_turned_round(text, expected):
    assert swap_directions(text) == expected


def test_swapping_directions_twice_gives_the_text():
    text = "Higher and higher: it increased, then decreased, was rising, falling, up, down, warmer and cooler."
    assert swap_directions(swap_directions(text)) == text


def test_channels_take_each_others_place():
    swap = channel_swapper(CHANNELS)
    assert swap("Humidity was high while air pressure fell.") == "Air pressure was high while humidity fell."
    assert (
        swap("Wind speeds rose with the temperature; wind speed!")
        == "Temperatures rose with the wind speed; temperature!"
    )
    assert swap("The temperature rose.") is None
    assert swap("It was a fine day.") is None


def test_a_name_that_several_channels_share_is_none_of_them():
    swap = channel_swapper([Channel("influenza deaths"), Channel("all deaths")])
    assert swap("deaths and more deaths") is None
    assert swap("influenza deaths above all deaths") == "all deaths above influenza deaths"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained in New York on January 5, 2015, heavily.", "It rained, heavily."),
        (
            "Over the past 24 hours, Houston has experienced rain.",
            "Over the past 24 hours, the area has experienced rain.",
        ),
        ("Since 2014-03-02 08:00 it fell.", "it fell."),
        ("As of 2018, prices rose; in May 2019 they fell", "prices rose; they fell"),
        ("In Houston, it rained.", "it rained."),
        ("It rained a lot in the morning.", None),
    ],
)
def test_place_and_date_are_removed(text, expected):
    assert remove_place_and_date(text) == expected


def test_numbers_change_and_dates_and_durations_stay():
    text = "In 2014 it rose from 1,020.5 hPa to 61,090 over 24 hours and 20-week spans, by May 3, 2015, to 8.33%."
    found = change_numbers(text, np.random.default_rng(0))
    assert found is not None
    for kept in ("In 2014", "24 hours", "20-week", "May 3, 2015"):
        assert kept in found
    for gone in ("1,020.5", "61,090", "8.33"):
        assert gone not in found
    assert change_numbers("24 hours of rain", np.random.default_rng(0)) is None


def test_all_probes_leave_a_text_without_their_words_alone():
    assert {name: change("A fine day.") for name, change in text_probes(CHANNELS).items()} == dict.fromkeys(
        ("directions_swapped", "channels_swapped", "numbers_changed", "place_and_date_removed")
    )


def test_shuffled_steps_keep_the_padding():
    order = shuffled_steps([3, 8], steps=8)
    assert order[0, :5].tolist() == [*range(5)]
    assert sorted(order[0]) == sorted(order[1]) == [*range(8)]
    assert order[1].tolist() != [*range(8)]


def test_what_is_noticed():
    before = np.array([[0.9, 0.1, 0.2], [0.1, 0.5, 0.4], [0.3, 0.2, 0.1]])
    after = np.array([[0.5, 0.1, 0.6], [0.1, 0.3, 0.2], [0.3, 0.2, 0.1]])
    found = probe_metrics(before, after, np.array([0, 1, 0]))
    assert found == {
        "texts": 3,
        "noticed": pytest.approx(2 / 3),  # the score of the third stays
        "rank_worse": pytest.approx(1 / 3),  # another window passes the first
        "change": pytest.approx(-0.2),
    }
    assert probe_metrics(before[:0], after[:0], np.array([], dtype=np.int64)) == {"texts": 0}
