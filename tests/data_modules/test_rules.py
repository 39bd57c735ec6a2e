import numpy as np
import pytest
import yaml

from data_modules.rules import Quantile, RuleError, Statistic, WindowTable, compare, find_channel, parse_rule
from trace_lit.channels import Channel

CHANNELS = (
    Channel("air temperature", "K"),
    Channel("wind speed", "m/s"),
    Channel("wind u", "m/s"),
    Channel("wind v", "m/s"),
)


def table(*windows, channels=CHANNELS[:1]):
    """Windows of one channel from lists, or of several from arrays."""
    values = [np.atleast_2d(np.array(window, dtype=float)) for window in windows]
    return WindowTable(values, np.zeros(len(values), "datetime64[s]"), "1h", channels)


def statistic(window, name, **more):
    return Statistic(name, ("air temperature",), **more).values(table(window))[0]


RISE = [1, 2, 3, 4, 5, 6, 7, 8]
HUMP = [1, 3, 9, 3, 2, 2, 1, 0]


@pytest.mark.parametrize(
    ("window", "name", "expected"),
    [
        (RISE, "mean", 4.5),
        (RISE, "minimum", 1),
        (RISE, "maximum", 8),
        (RISE, "range", 7),
        (RISE, "change", 6),
        (RISE, "slope", 1),
        (RISE, "standard_deviation", np.std(RISE)),
        (RISE, "place_of_maximum", 1),
        (RISE, "place_of_minimum", 0),
        (HUMP, "place_of_maximum", 2 / 7),
        ([1, np.nan, 3, 4], "mean", 8 / 3),
        ([1, np.nan, 3, 4], "gaps", 0.25),
        ([1, np.nan, 3, 4], "slope", 1),
        ([5] * 8, "place_of_maximum", np.nan),
        ([np.nan] * 8, "mean", np.nan),
        ([np.nan] * 8, "maximum", np.nan),
        ([np.nan] * 8, "spikes", np.nan),
        ([np.nan] * 8, "gaps", 1),
        ([1, 2, 1, 2, 1, 30, 1, 2, 1, 2, 1, 2], "spikes", 1),
        ([1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2], "spikes", 0),
    ],
)
def test_statistics(window, name, expected):
    assert statistic(window, name) == pytest.approx(expected, nan_ok=True)


def test_a_threshold_is_one_of_steps():
    hot = compare("air temperature", "share_above", threshold=2.5, above="60 %")
    assert hot.holds(table(RISE, HUMP)).tolist() == [True, False]
    assert statistic([1, 2, np.nan, np.nan], "share_below", threshold=hot.statistic.threshold) == 1


def test_over_restricts_to_a_part():
    assert statistic(RISE, "mean", over=(0.5, 1.0)) == 6.5
    assert statistic(RISE, "maximum", over=(0.0, 0.25)) == 2
    assert statistic([4], "mean", over=(0.9, 1.0)) == 4  # at least one step


def test_windows_of_unequal_length_stay_in_their_places():
    mixed = table(RISE, [7.0], HUMP, [1, 2])
    assert Statistic("maximum", ("air temperature",)).values(mixed).tolist() == [8, 7, 9, 2]


@pytest.mark.parametrize(
    ("u", "v", "degrees"), [(0, -3, 0), (-2, 0, 90), (0, 5, 180), (4, 0, 270), (1, 1, 225), (-1, -1, 45)]
)
def test_direction_is_where_the_wind_comes_from(u, v, degrees):
    winds = table([[280.0] * 4, [3.0] * 4, [u] * 4, [v] * 4], channels=CHANNELS)
    assert Statistic("direction", ("wind u", "wind v")).values(winds)[0] == pytest.approx(degrees)


def test_directions_go_round_north_and_calm_has_none():
    def window(degrees):
        angle = np.radians(degrees)
        return [[280.0] * 4, [3.0] * 4, [-np.sin(angle)] * 4, [-np.cos(angle)] * 4]

    winds = table(
        window(350), window(10), window(180), [[280.0] * 4, [0.0] * 4, [0.0] * 4, [0.0] * 4], channels=CHANNELS
    )
    north = compare(["wind u", "wind v"], "direction", between=[315, 45])
    assert north.holds(winds).tolist() == [True, True, False, False]
    assert (~north).holds(winds).tolist() == [False, False, True, False]  # what has no direction is not "not north"


def test_correlation_and_difference_of_two_channels():
    pair = CHANNELS[2:]
    windows = table([RISE, RISE], [RISE, RISE[::-1]], [RISE, [0.1] * 8], channels=pair)
    assert Statistic("correlation", ("wind u", "wind v")).values(windows) == pytest.approx([1, -1, np.nan], nan_ok=True)
    assert Statistic("difference", ("wind u", "wind v")).values(windows) == pytest.approx([0, 0, 4.4])


def test_quantiles_are_of_the_pool():
    windows = table(*[[float(n)] for n in range(10)])
    high = compare("air temperature", "mean", above=Quantile(0.8))
    assert high.holds(windows).tolist() == [False] * 8 + [True] * 2
    assert not high.holds(table([3.0], [4.0]), pool=windows).any()
    assert high.holds(table([8.0]), pool=windows).all()
    steps = compare("air temperature", "share_above", threshold=Quantile(0.5), above=0.5)
    assert steps.holds(windows).sum() == 5


def test_units_are_converted_and_differences_have_no_zero():
    windows = table([270, 271, 280, 281], [274, 274, 274, 274])
    assert compare("temperature", "minimum", below="0 °C").holds(windows).tolist() == [True, False]
    assert compare("temperature", "minimum", below="32 °F").holds(windows).tolist() == [True, False]
    assert compare("temperature", "change", above="10 °C").holds(windows).tolist() == [True, False]
    with pytest.raises(RuleError, match=r"12 hPa for air temperature \[K\].*use one of: K"):
        compare("temperature", "mean", below="12 hPa").holds(windows)


def test_joined_rules_and_what_is_unknown():
    windows = table(RISE, HUMP, [np.nan] * 8)
    rises, high = compare("temperature", "change", above=0), compare("temperature", "maximum", above=8.5)
    assert (rises & ~high).holds(windows).tolist() == [True, False, False]
    assert (rises | high).holds(windows).tolist() == [True, True, False]
    assert (~(rises | high)).holds(windows).tolist() == [False, False, False]
    holds, fails = (rises & high).decide(windows)
    assert not (holds & fails).any()
    assert not holds[2]
    assert not fails[2]
    gappy = compare("temperature", "gaps", below=0.5)
    assert (gappy & rises).decide(windows)[1][2]  # one part that fails decides, whatever the others are


def test_yaml_and_python_give_the_same_rule():
    written = yaml.safe_load(
        """
        all:
        - {channel: wind speed, statistic: mean, above: {quantile: 0.85}, over: [0, 0.5]}
        - not: {any: [{channels: [wind u, wind v], statistic: direction, between: [270, 360]}]}
        """
    )
    rule = parse_rule(written)
    west = compare(["wind u", "wind v"], "direction", between=[270, 360])
    first = compare("wind speed", "mean", above=Quantile(0.85), over=[0, 0.5])
    assert str(rule) == str(first & ~west)
    assert rule.parts[0] == first
    assert hash(rule) == hash(parse_rule(written))
    assert rule.channels == ("wind speed", "wind u", "wind v")
    assert rule.missing(CHANNELS[:2]) == ["wind u", "wind v"]


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ("warm", "a rule is a mapping"),
        ({"channel": "a", "statistic": "maen", "above": 1}, "did you mean 'mean'"),
        ({"channel": "a", "statistics": "mean", "above": 1}, "did you mean 'statistic'"),
        ({"channel": "a", "statistic": "mean"}, "compared with nothing"),
        ({"channel": "a", "above": 1}, "has a channel .* and a statistic"),
        ({"channel": "a", "statistic": "mean", "above": "warm"}, "no number with a unit"),
        ({"channel": "a", "statistic": "mean", "above": {"quantile": 1.5}}, "between 0 and 1"),
        ({"channel": "a", "statistic": "mean", "above": True}, "is no bound"),
        ({"channel": "a", "statistic": "mean", "between": 3}, "takes two bounds"),
        ({"channel": "a", "statistic": "mean", "above": 1, "over": [0.5, 0.5]}, "part of the window"),
        ({"channel": "a", "statistic": "share_above", "above": 0.5}, "needs a threshold"),
        ({"channel": "a", "statistic": "mean", "threshold": 3, "above": 0.5}, "takes no threshold"),
        ({"channels": ["a"], "statistic": "correlation", "above": 0.5}, "takes 2 channels"),
        ({"channels": ["a", "b"], "statistic": "direction", "above": 90}, "compass"),
        ({"all": []}, "a list of rules"),
        ({"not": {"all": 3}}, "a list of rules"),
    ],
)
def test_what_is_no_rule(plain, message):
    with pytest.raises(RuleError, match=message):
        parse_rule(plain)


def test_channels_are_found_by_their_words():
    assert find_channel("Wind Speed", CHANNELS) == 1
    assert find_channel("temperature", CHANNELS) == 0
    assert find_channel("air temperature [K]", CHANNELS) == 0
    with pytest.raises(RuleError, match="could be one of: wind speed"):
        find_channel("wind", CHANNELS)
    with pytest.raises(RuleError, match="did you mean 'air temperature'"):
        find_channel("air temprature", CHANNELS)


def test_an_empty_table_has_no_windows_that_fit():
    assert compare("temperature", "mean", above=Quantile(0.5)).holds(table()).shape == (0,)
