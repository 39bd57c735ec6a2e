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
VITALS = ("heart rate", "respiratory rate")


@pytest.mark.parametrize(
    ("names", "text", "read", "meant"),
    [
        (FEEDERS, "the load of feeder 2 fell", "the load of feeder value fell", {"feeder 2 load"}),
        (FEEDERS, "load above 2 MW", "load above 2 MW", set(FEEDERS)),  # a number of its own
        (FEEDERS, "feeder 1 load above 2 MW", "feeder value load above 2 MW", {"feeder 1 load"}),
        (FEEDERS, "a hot day", "a hot day", set(FEEDERS)),  # no word in common: nothing is known
        (FEEDERS, "Feeder 2 rose. It was hot.", "Feeder value rose. It was hot.", {"feeder 2 load", "temperature"}),
        (FEEDERS, "Feeder 2 rose. Feeder 1 fell.", "Feeder value rose. Feeder value fell.", set(FEEDERS[:2])),
        (GASES, "NO2 rose", "value rose", {"NO2"}),
        (GASES, "NO 2 rose", "NO value rose", {"NO2"}),
        (GASES, "no rise at all", "no rise at all", set(GASES)),
        (GASES, "PM2.5 above 10 µg/m³", "value above 10 µg/m³", {"PM2.5"}),
        (GASES, "pm2.5 and pm10 rose", "value and value rose", {"PM2.5", "PM10"}),
        (TAGS, "TI101 went over 101 °C", "value went over 101 °C", {"TI-101"}),
        (TAGS, "ti 102 fell", "ti value fell", {"TI-102"}),
        (WINDS, "strong wind from the north", None, set(WINDS)),  # all winds alike
        (WINDS, "the wind speed rose on a cold day", None, {"wind speed", "temperature"}),
        (PRICES, "Midwestern prices rose", "value value rose", {"Midwest gasoline price"}),
        (PRICES, "the Gulf Coast dearer than the Midwest", None, {*PRICES[:2], "gasoline price"}),
        (PRICES, "gasoline rose", None, set(PRICES)),
        (PRICES, "coast prices fell", None, {"Gulf Coast gasoline price", "West Coast gasoline price"}),
        (LEVELS, "the water level was high", None, set(LEVELS)),  # "high" is what is asked for
        (LEVELS, "the high water level fell", "the value value value fell", {"high water level"}),
        (PUMPS, "a rise of pump B's power", None, {"pump_b_power", "windSpeed"}),
        (PUMPS, "a strong wind and pump a power", None, {"pump_a_power", "windSpeed"}),
        (VITALS, "Heart Rates were high", "value value were high", {"heart rate"}),
        (VITALS, "the heart raced", None, {"heart rate", "respiratory rate"}),  # the other may be meant by another word
        (PLACES, "the temperature was high in the evening", None, set(PLACES)),
        (PLACES, "the temperature in the evening", None, set(PLACES)),
        (PLACES, "the attic temperature", "the value value", {"temperature in the attic"}),
        (VITALS, "", None, set(VITALS)),
        ((), "anything", None, set()),
    ],
)
def test_a_channel_is_meant_unless_another_shares_more_of_the_words(names, text, read, meant):
    found = ChannelNames(names).named(text)
    assert {name for name, own in zip(names, found.meant, strict=True) if own} == meant
    assert found.text == (text if read is None else read)
    assert found.coded is (read is not None and read != text)


def test_the_order_of_channels_makes_no_difference():
    text = "Gulf Coast prices beside those of the Midwest"
    there, back = ChannelNames(PRICES).named(text), ChannelNames(PRICES[::-1]).named(text)
    assert there.meant == back.meant[::-1]
