"""Which channels a text names, where their names have words in common."""

import pytest

from trace_lit.text.channel_names import ChannelNames

FEEDERS = ("feeder 1 load", "feeder 2 load", "temperature")
GASES = ("NO2", "O3", "PM2.5", "PM10", "CO")
TAGS = ("TI-101", "TI-102", "PI-201")
WINDS = ("wind speed", "wind u component", "wind v component", "temperature")
PRICES = ("Midwest gasoline price", "Gulf Coast gasoline price", "West Coast gasoline price", "gasoline price")
LEVELS = ("water level", "high water level", "low water level")
PUMPS = ("pump_a_power", "pump_b_power", "windSpeed")
PLACES = ("temperature in the attic", "temperature outside")
DEATHS = ("influenza deaths", "pneumonia deaths", "all deaths", "influenza and pneumonia death ratio")
VISITS = ("influenza-like illness", "influenza patients", "influenza patients aged 65 and over", "all patients")
VITALS = ("heart rate", "respiratory rate")


@pytest.mark.parametrize(
    ("names", "text", "read", "meant"),
    [
        (FEEDERS, "the load of feeder 2 fell", "the load of value fell", {"feeder 2 load"}),
        (FEEDERS, "load above 2 MW", "load above 2 MW", set(FEEDERS)),  # a number of its own
        (FEEDERS, "feeder 1 load above 2 MW", "value above 2 MW", {"feeder 1 load"}),
        (FEEDERS, "a hot day", "a hot day", set(FEEDERS)),  # no word in common: nothing is known
        (FEEDERS, "Feeder 2 rose. It was hot.", "value rose. It was hot.", {"feeder 2 load", "temperature"}),
        (FEEDERS, "Feeder 2 rose. Feeder 1 fell.", "value rose. value fell.", set(FEEDERS[:2])),
        (GASES, "NO2 rose", "value rose", {"NO2"}),
        (GASES, "NO 2 rose", "value rose", {"NO2"}),
        (GASES, "no rise at all", "no rise at all", set(GASES)),
        (GASES, "PM2.5 above 10 µg/m³", "value above 10 µg/m³", {"PM2.5"}),
        (GASES, "pm2.5 and pm10 rose", "value and value rose", {"PM2.5", "PM10"}),
        (TAGS, "TI101 went over 101 °C", "value went over 101 °C", {"TI-101"}),
        (TAGS, "ti 102 fell", "value fell", {"TI-102"}),
        (WINDS, "strong wind from the north", None, set(WINDS)),  # all winds alike
        (WINDS, "the wind speed rose on a cold day", None, {"wind speed", "temperature"}),
        (PRICES, "Midwestern prices rose", "value rose", {"Midwest gasoline price"}),
        (PRICES, "the Gulf Coast dearer than the Midwest", None, {*PRICES[:2], "gasoline price"}),
        (PRICES, "gasoline rose", None, {"gasoline price"}),  # which the others are of a place
        (PRICES, "coast prices fell", None, {"Gulf Coast gasoline price", "West Coast gasoline price"}),
        (LEVELS, "the water level was high", None, {"water level"}),  # "high" is what is asked for
        (LEVELS, "the high water level fell", "the value fell", {"high water level"}),
        (PUMPS, "a rise of pump B's power", None, {"pump_b_power", "windSpeed"}),
        (PUMPS, "a strong wind and pump a power", None, {"pump_a_power", "windSpeed"}),
        (VITALS, "Heart Rates were high", "value were high", {"heart rate"}),
        (VITALS, "the heart raced", None, {"heart rate", "respiratory rate"}),  # the other may be meant by another word
        (PLACES, "the temperature was high in the evening", None, set(PLACES)),
        (PLACES, "the temperature in the evening", None, set(PLACES)),
        (PLACES, "the attic temperature", "the value", {"temperature in the attic"}),
        (VITALS, "", None, set(VITALS)),
        (DEATHS, "much pneumonia but little influenza", None, set(DEATHS[:3])),  # not their ratio
        (DEATHS, "pneumonia deaths rose, influenza fell", None, set(DEATHS[:2])),
        (DEATHS, "the influenza and pneumonia death ratio rose", "the value and value rose", {DEATHS[3]}),
        (VISITS, "many patients but little influenza", None, {VISITS[0], VISITS[3]}),
        (VISITS, "many influenza patients", None, {VISITS[1]}),
        ((), "anything", None, set()),
    ],
)
def test_a_channel_is_meant_unless_another_shares_more_of_the_words(names, text, read, meant):
    found = ChannelNames(names).named(text)
    assert {name for name, own in zip(names, found.meant, strict=True) if own} == meant
    assert found.text == (text if read is None else read)
    assert found.coded is (read is not None and read != text)


EVERYDAY = [
    ["flu deaths", "flu activity"],
    ["mortality"],
    ["all-cause mortality", "deaths overall", "people who died"],
    [],
]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("many flu deaths", DEATHS[:1]),
        ("people who died of flu", DEATHS[:3]),
        ("people fell ill", DEATHS),  # "people" tells nothing by itself
        ("pneumonia mortality rose", DEATHS[1:3]),
        ("deaths overall", DEATHS[2:3]),
        ("the weather was bad", DEATHS),
    ],
)
def test_everyday_names_tell_channels_apart_and_are_never_replaced(text, meant):
    found = ChannelNames(DEATHS, EVERYDAY).named(text)
    own = {name for name, own in zip(DEATHS, found.meant, strict=True) if own}
    assert set(meant) <= own, own
    assert own.difference(meant) <= {DEATHS[0], DEATHS[3]}, own  # those that share no word
    assert found.text == text


def test_a_plain_name_speaks_of_parts_too():
    names = ("wind", "zonal wind", "wind power")
    assert ChannelNames(names).named("wind from the north").meant == (True, False, False)
    assert ChannelNames(names, parts={1}).named("wind from the north").meant == (True, True, False)


def test_names_are_alike_that_share_a_word():
    assert ChannelNames(DEATHS).alike
    assert not ChannelNames(["rain", "wind speed"]).alike


def test_the_order_of_channels_makes_no_difference():
    text = "Gulf Coast prices beside those of the Midwest"
    there, back = ChannelNames(PRICES).named(text), ChannelNames(PRICES[::-1]).named(text)
    assert there.meant == back.meant[::-1]
