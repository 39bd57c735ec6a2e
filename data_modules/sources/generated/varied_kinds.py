"""What the channels of varied corpora may be: names, units, and the values that are plausible of them.

A line of a table is `names | units | level | spread | style | bounds | description`. Names, units and descriptions stand
in one text, separated by semicolons; a corpus takes one of each. `level` is the range that the mean of a corpus lies in
and `spread` that of its deviation, in the first unit. Styles:

- plain: anything between the bounds;
- cycle: goes with the day, or with the year where steps are long;
- walk: changes slowly, without a level that it comes back to;
- skewed: never below zero, with rare high values;
- count: a whole number of things;
- rare: mostly zero, with bursts;
- sun: zero at night;
- share: held by its bounds now and then.
"""

from __future__ import annotations

from dataclasses import dataclass

STYLES = ("plain", "cycle", "walk", "skewed", "count", "rare", "sun", "share")


@dataclass(frozen=True)
class Kind:
    """A sort of channel; level, spread and bounds are in the first of `units`."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    level: tuple[float, float]
    spread: tuple[float, float]
    style: str
    bounds: tuple[float, float]
    descriptions: tuple[str, ...]


AIR = """
air temperature; temperature; outdoor temperature | °C; °C; K; °F | -8 26 | 2 9 | cycle | | how warm or cold the air is
dew point | °C; K | -5 15 | 2 6 | plain | | the temperature at which dew forms
relative humidity; humidity | % | 45 80 | 8 20 | share | 5 100 | how moist the air is; 100 % is saturated air
air pressure; pressure; sea level pressure | hPa; hPa; inHg | 995 1022 | 4 11 | walk | 940 1060 | atmospheric pressure
wind speed; wind | m/s; m/s; km/h; mph; kn | 2 9 | 1 4 | skewed | 0 60 | how strongly the wind blows
wind gust; gust speed | m/s; km/h; mph | 6 15 | 2 6 | skewed | 0 80 | the strongest wind of the step
precipitation; rain; rainfall | mm; mm; in | 0.2 2 | 0.5 4 | rare | 0 200 | rain and melted snow
snow depth | cm | 5 40 | 4 20 | walk | 0 400 | snow on the ground
solar radiation; global radiation | W/m² | 120 320 | 60 200 | sun | 0 1300 | radiation from the sun
cloud cover; cloudiness | % | 30 70 | 20 40 | share | 0 100 | the share of the sky that is covered
visibility | km | 8 30 | 3 12 | share | 0 50 | how far one can see
air quality index; AQI | | 40 110 | 12 40 | skewed | 0 500 | high is polluted air
PM2.5; particulate matter PM2.5 | µg/m³ | 8 40 | 4 20 | skewed | 0 600 | fine dust in the air
ozone | µg/m³ | 40 110 | 15 40 | cycle | 0 400 |
river level; water level | m; cm | 1 6 | 0.2 1.5 | walk | 0 20 | the height of the water
streamflow; discharge | m³/s | 20 300 | 8 150 | skewed | 0 9000 | how much water flows
wave height | m | 0.6 3 | 0.3 1.2 | skewed | 0 18 | the height of the waves
soil moisture | % | 15 40 | 3 10 | walk | 0 60 |
"""

TRADE = """
electricity price; spot price; power price | €/MWh; €/MWh; $/MWh | 35 90 | 10 35 | cycle | -150 900 | price of electricity
gasoline price; petrol price; diesel price | $/gallon; €/l | 1.4 4 | 0.1 0.6 | walk | 0.5 9 | retail price of fuel
gas price; oil price; coal price | $/MWh; $/bbl | 20 80 | 3 15 | walk | 1 300 |
retail price; wholesale price; food price | $; €; cents/lb | 20 150 | 2 15 | walk | 0.1 2000 |
load; demand; electricity demand; power demand | MW; MW; GW | 2000 30000 | 300 4000 | cycle | 10 90000 | power consumed
wind generation; wind power | MW | 400 4000 | 200 1800 | skewed | 0 20000 | power from wind turbines
solar generation; solar power | MW | 300 2500 | 150 1500 | sun | 0 15000 | power from photovoltaics
generation; power output; production | MW | 500 9000 | 80 1500 | plain | 0 40000 |
net imports | MW | -300 400 | 80 500 | plain | | negative for exports
grid frequency; frequency | Hz | 49.99 50.01 | 0.01 0.04 | plain | 49 51 |
stocks; inventories; gas storage | million barrels; TWh | 100 500 | 5 50 | walk | 0 3000 |
reservoir level; fill level | % | 30 80 | 4 18 | share | 0 100 |
sales; revenue; turnover | $; €; units | 500 9000 | 60 1500 | cycle | 0 90000 |
unemployment rate | % | 3 9 | 0.3 2 | walk | 0 30 |
inflation; inflation rate | % | 1 6 | 0.4 2 | walk | -5 40 |
interest rate | % | 0.5 6 | 0.2 1.5 | walk | -1 25 |
exchange rate | | 0.7 1.6 | 0.02 0.15 | walk | 0.05 20 |
stock index; share price | $; points | 50 4000 | 6 400 | walk | 1 60000 |
traffic; traffic volume; vehicles | vehicles | 200 4000 | 60 1200 | count | 0 40000 | how many pass
travel volume | million vehicle miles | 9000 260000 | 500 20000 | cycle | 0 900000 |
passengers; ridership | passengers | 300 9000 | 80 2500 | count | 0 90000 |
trade balance | million $ | -60000 2000 | 2000 9000 | walk | |
"""

HEALTH = """
heart rate; pulse | beats/min; bpm | 62 95 | 5 16 | plain | 25 230 | beats of the heart in a minute
respiratory rate; breathing rate | breaths/min | 13 21 | 1.5 5 | plain | 4 60 | breaths a minute
oxygen saturation; SpO2 | % | 93 98 | 1 4 | share | 55 100 | how much oxygen the blood carries
systolic blood pressure | mmHg | 108 140 | 7 18 | plain | 50 260 | blood pressure at the beat
diastolic blood pressure | mmHg | 64 88 | 5 11 | plain | 25 160 | blood pressure between beats
body temperature | °C; °C; °F | 36.5 37.6 | 0.3 0.9 | plain | 33 42.5 | core temperature
blood glucose; glucose | mg/dL | 95 170 | 15 45 | skewed | 20 600 | sugar in the blood
step count; steps | steps | 200 9000 | 100 3000 | count | 0 60000 |
sleep duration | h | 5.5 8.5 | 0.5 1.5 | plain | 0 16 |
deaths; all deaths; total deaths | deaths | 300 60000 | 25 4000 | count | 0 200000 | people who died
influenza deaths; pneumonia deaths; COVID deaths | deaths | 20 3000 | 10 800 | count | 0 50000 | people who died of it
influenza and pneumonia death ratio; death ratio | % | 5 11 | 0.5 2 | cycle | 0 60 | their share of all deaths
influenza-like illness; weighted influenza-like illness | % | 1.2 4 | 0.4 2 | cycle | 0 30 | share of visits to doctors
influenza cases; new cases; infections | cases | 40 4000 | 20 1500 | count | 0 90000 | people who fell ill
influenza positives; positive tests | specimens | 40 4000 | 20 1500 | count | 0 90000 | specimens that tested positive
specimens tested | specimens | 400 30000 | 90 6000 | count | 0 200000 | specimens that were tested
influenza positive ratio; positivity rate | % | 4 20 | 2 9 | cycle | 0 100 | positive ones of those tested
hospital admissions; admissions; hospitalizations | patients | 40 4000 | 10 700 | count | 0 60000 |
total patients; patient visits; consultations | patients | 900 900000 | 90 90000 | count | 0 3000000 |
ICU patients | patients | 20 400 | 5 90 | count | 0 3000 |
reporting providers; providers | providers | 200 3000 | 15 250 | count | 0 9000 | doctors who report
vaccinations | doses | 100 20000 | 40 5000 | count | 0 900000 |
"""

NEUTRAL = """
channel A; channel B; channel C; channel 1; channel 2 | | -50 120 | 0.5 40 | plain | |
sensor 1; sensor 2; sensor 3; sensor 4; sensor reading | ; V; mA | 0 50 | 0.3 12 | plain | |
value; level; signal; y; x; index | | -2 100 | 0.5 30 | plain | |
flow rate; flow | l/min; m³/h | 4 200 | 1 50 | plain | 0 900 |
vibration; acceleration | mm/s | 1 8 | 0.3 3 | skewed | 0 60 | of a machine
rotor speed; motor speed | rpm | 300 3000 | 30 500 | plain | 0 9000 |
voltage | V | 12 400 | 0.4 20 | plain | |
current | A | 2 90 | 0.5 25 | skewed | 0 400 |
oil temperature; bearing temperature; process temperature | °C | 40 120 | 3 20 | walk | -20 400 |
tank level | %; m | 30 80 | 5 20 | share | 0 100 |
CPU load; memory use | % | 20 70 | 8 25 | share | 0 100 |
requests; visitors; page views | | 100 5000 | 40 1500 | count | 0 90000 |
latency; response time | ms | 20 400 | 8 150 | skewed | 0 20000 |
weight; body weight | kg | 50 110 | 0.5 4 | walk | 0 300 |
noise level; sound level | dB | 40 75 | 4 12 | cycle | 15 130 |
"""


def kinds(table: str) -> tuple[Kind, ...]:
    """The kinds of a table."""
    return tuple(_kind(line) for line in table.strip().splitlines())


def _kind(line: str) -> Kind:
    names, units, level, spread, style, bounds, about = (part.strip() for part in line.split("|"))
    return Kind(
        _entries(names), _entries(units), _pair(level), _pair(spread), style, _pair(bounds, True), _entries(about)
    )


def _entries(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(";"))


def _pair(text: str, open_ends: bool = False) -> tuple[float, float]:
    if open_ends and not text:
        return float("-inf"), float("inf")
    low, high = map(float, text.split())
    return low, high


FIELDS = tuple(kinds(table) for table in (AIR, TRADE, HEALTH, NEUTRAL))
COMPONENTS = (  # names of two components of a flow, and its speed
    ("wind u", "wind v", "wind speed"),
    ("eastward wind", "northward wind", "wind speed"),
    ("zonal wind", "meridional wind", "wind"),
    ("current u", "current v", "current speed"),
)
BY_GROUP = {  # quantities, by the first of their names, that are measured of groups of a sort
    **dict.fromkeys(("deaths", "influenza deaths", "influenza cases", "hospital admissions", "ICU patients"), "people"),
    **dict.fromkeys(("total patients", "vaccinations", "unemployment rate"), "people"),
    **dict.fromkeys(("gasoline price", "electricity price", "load", "wind generation", "solar generation"), "places"),
    **dict.fromkeys(("sales", "traffic", "air temperature", "precipitation", "river level", "PM2.5"), "places"),
}
GROUPS = (
    ("people", tuple(f"{{}} aged {ages}" for ages in ("0 to 4", "5 to 24", "25 to 49", "50 to 64", "65 and over"))),
    ("people", tuple(f"{{}} aged {ages}" for ages in ("0 to 17", "18 to 64", "65 and over"))),
    ("people", tuple(f"{{}} aged {ages}" for ages in ("under 20", "20 to 39", "40 to 59", "60 to 79", "80 and over"))),
    ("people", ("{} of women", "{} of men")),
    ("people", ("{} among children", "{} among adults", "{} among the elderly")),
    ("places", ("{} north", "{} south", "{} east", "{} west")),
    ("places", tuple(f"{{}} zone {number}" for number in range(1, 6))),
    ("places", ("East {}", "Midwest {}", "South {}", "West {}")),
    ("places", ("Upper Valley {}", "Lower Valley {}", "High Plains {}", "Lake District {}", "Delta {}")),
    ("places", ("North Coast {}", "South Coast {}", "Central Hills {}", "Great Plain {}", "Mountain {}")),
    ("places", ("Paris {}", "Lyon {}", "Lille {}", "Nice {}")),
    ("places", ("Northern Region {}", "Southern Region {}", "Capital Region {}", "Harbour {}")),
    ("places", tuple(f"{{}} site {letter}" for letter in "ABCDE")),
    ("places", ("{} upstream", "{} downstream", "{} at the coast", "{} inland")),
)
