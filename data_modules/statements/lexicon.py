"""Everyday words by physical quantity, and how a channel's quantity is recognised by its name, unit and description.

The words of a quantity stand for a channel only where no other channel of the corpus is of that quantity; else "an
outbreak" could mean influenza or pneumonia. All entries are phrases of `grammar`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from trace_lit.channels import Channel

Options = tuple[str, ...]


@dataclass(frozen=True)
class Quantity:
    """What people call a physical quantity and its states; empty where there is no word of its own.

    Adjectives go with "it was …" and "a … day", noun phrases with "find …", clauses stand by themselves.
    """

    kind: str
    name: str  # pattern of the channel's name
    unit: str = ""  # pattern that the unit must match
    names: Options = ()  # singular nouns for the quantity
    plurals: Options = ()  # plural nouns for it
    fairly_high: Options = ()  # adjectives that need no "fairly"
    high: Options = ()  # adjectives
    very_high: Options = ()  # adjectives that need no "very"
    fairly_low: Options = ()
    low: Options = ()
    very_low: Options = ()
    most: Options = ()  # superlatives
    least: Options = ()
    high_noun: Options = ()  # noun phrases for the state
    low_noun: Options = ()
    rise: Options = ()  # clauses in the past
    fall: Options = ()
    rise_noun: Options = ()
    fall_noun: Options = ()
    conditions: Options = ()  # nouns that take the adjectives: humid weather
    landmarks: tuple[Landmark, ...] = ()


@dataclass(frozen=True)
class Landmark:
    """A number with a name of its own: frost, gale, fever. `unit` is that of the number."""

    statistic: str  # maximum, minimum or mean
    above: bool
    number: float
    unit: str
    names: Options  # noun phrases
    clauses: Options  # in the past


_AIR = "(weather|conditions|air)"
QUANTITIES = (
    Quantity(
        "body temperature",
        r"(body|core|skin|rectal|tympanic) temperature",
        names=("body temperature", "core temperature"),
        high=("feverish",),
        landmarks=(
            Landmark("maximum", True, 38.0, "°C", ("[a] fever", "a febrile patient"), ("the patient had a fever",)),
            Landmark("minimum", False, 36.0, "°C", ("hypothermia",), ("the patient was hypothermic",)),
        ),
    ),
    Quantity(
        "temperature",
        r"^((mean |average |outside |outdoor |ambient |surface )?(air )?temperature|temp|t2m|dry bulb( temperature)?)$",
        unit=r"^(K|kelvin|°?\s?[CF]|deg(rees)?\s?[CF]?|celsius|fahrenheit)$",
        names=("air temperature", "temperature", "the temperature"),
        plurals=("temperatures",),
        fairly_high=("mild", "pleasantly warm"),
        high=("warm",),
        very_high=("hot", "hot", "really hot", "boiling hot", "sweltering"),
        fairly_low=("cool", "fresh"),
        low=("cold", "cold", "chilly"),
        very_low=("bitterly cold", "frigid", "really cold", "icy cold", "wintry"),
        most=("warmest", "hottest"),
        least=("coldest", "chilliest"),
        high_noun=("warmth", "warm weather", "warm air", "warm temperatures"),
        low_noun=("cold weather", "cold air", "cold", "cold temperatures"),
        rise=("it (got|grew|became|turned) warmer", "it warmed up", "the air warmed", "the mercury climbed"),
        fall=("it (got|grew|became|turned) colder", "it cooled down", "the air cooled", "the mercury sank"),
        rise_noun=("warming", "a warm-up", "rising temperatures"),
        fall_noun=("cooling", "a cool-down", "falling temperatures"),
        conditions=("weather", "conditions", "air"),
        landmarks=(
            Landmark(
                "minimum",
                False,
                0.0,
                "°C",
                ("frost", "freezing temperatures", "temperatures below (zero|freezing)", "sub-zero temperatures"),
                ("it froze", "there was frost", "temperatures dropped below freezing", "it went below zero"),
            ),
            Landmark(
                "maximum",
                False,
                0.0,
                "°C",
                (
                    "permanent frost",
                    "frost (all day|throughout)",
                    "temperatures below freezing (throughout|all the time)",
                ),
                ("it never got above freezing", "it stayed below freezing", "it was freezing the whole time"),
            ),
            Landmark(
                "maximum", True, 30.0, "°C", ("summer heat", "heat over 30 degrees"), ("it was hotter than 30 degrees",)
            ),
            Landmark("minimum", True, 20.0, "°C", ("a tropical night",), ("it never cooled below 20 °C",)),
        ),
    ),
    Quantity(
        "humidity",
        r"humidity|\brh\b",
        names=("humidity", "moisture", "air moisture", "the moisture in the air", "humidity", "dampness"),
        high=("humid", "damp", "moist", "muggy"),
        very_high=("soaking damp", "clammy", "saturated with moisture"),
        low=("dry",),
        very_low=("bone dry", "parched", "arid"),
        most=("dampest", "most humid", "muggiest"),
        least=("driest", "least humid"),
        high_noun=("humid air", "moist air", "damp air", "muggy air"),
        low_noun=("dry air",),
        rise=("it (got|became|turned) (damper|more humid|muggier)", "the air (got|became) (moister|damper)"),
        fall=(
            "it (got|became|turned) (drier|less humid|less muggy)",
            "the air dried out",
            "the air (got|became) drier",
        ),
        rise_noun=("air getting damper", "increasingly humid air"),
        fall_noun=("air drying out", "increasingly dry air"),
        conditions=("air", "weather", "conditions"),
    ),
    Quantity(
        "pressure",
        r"(^|air |barometric |atmospheric |station |sea.level |surface )pressure$|^(mslp|slp)$|barometer",
        unit=r"^(hPa|mbar|mb|Pa|kPa|inHg|mmHg)?$",
        names=(
            *("air pressure", "pressure", "barometric pressure", "atmospheric pressure"),
            *("the barometer", "the barometer reading", "the pressure"),
        ),
        most=("highest-pressure",),
        least=("lowest-pressure",),
        high_noun=(
            "[an area of] high pressure",
            "an anticyclone",
            "a high barometer",
            "high pressure and settled weather",
        ),
        low_noun=("[an area of] low pressure", "a depression", "a low barometer", "low pressure and unsettled weather"),
        rise=("the barometer (rose|went up|climbed)",),
        fall=("the barometer (fell|went down|dropped)",),
        rise_noun=("a rising barometer",),
        fall_noun=("a falling barometer",),
    ),
    Quantity(
        "wind",
        r"^(mean |average )?wind( ?speed| strength| velocity| force)?$|^gusts?$",
        unit=r"^(m/s|m s-1|km/h|kmh|mph|kn|kt|knots?|kts)$",
        names=("wind speed", "wind", "the wind", "wind strength", "wind speed"),
        plurals=("winds", "the winds", "wind speeds"),
        high=("windy", "breezy", "blowy", "gusty"),
        very_high=("stormy", "blustery", "wild and windy"),
        low=("calm", "still", "not windy"),
        very_low=("dead calm", "windless", "almost windless", "perfectly still"),
        most=("windiest", "stormiest"),
        least=("calmest", "stillest"),
        high_noun=("strong wind", "strong winds", "high winds", "a stiff breeze", "fresh winds", "plenty of wind"),
        low_noun=("light wind", "light winds", "weak winds", "little wind", "hardly any wind", "a gentle breeze"),
        rise=("the wind (picked up|freshened|strengthened|got stronger|got up)", "it (got|became) windier"),
        fall=("the wind (died down|eased|weakened|got weaker|slackened)", "it (got|became) calmer"),
        rise_noun=("a strengthening wind", "freshening winds"),
        fall_noun=("a weakening wind", "easing winds"),
        conditions=("weather", "conditions"),
        landmarks=(
            Landmark("maximum", True, 17.2, "m/s", ("[a] gale", "gale-force winds"), ("it blew a gale",)),
            Landmark("maximum", True, 24.5, "m/s", ("a storm", "storm-force winds"), ("there was a storm",)),
            Landmark("maximum", True, 10.8, "m/s", ("a strong breeze at times",), ("it blew force 6 or more",)),
            Landmark(
                "minimum", False, 0.3, "m/s", ("a dead calm at some point",), ("the wind died completely for a while",)
            ),
        ),
    ),
    Quantity(
        "precipitation",
        r"\b(precipitation|rain(fall)?|snow(fall)?|precip)\b",
        names=("rain", "rainfall", "precipitation"),
        high=("wet", "rainy"),
        very_high=("soaking wet", "very rainy", "pouring wet"),
        most=("wettest", "rainiest"),
        high_noun=("heavy rain", "plenty of rain", "a lot of rain", "downpours"),
        low_noun=("little rain", "hardly any rain"),
        rise=("the rain got heavier", "it got wetter"),
        fall=("the rain eased", "the rain let up"),
        conditions=("weather", "conditions"),
        landmarks=(
            Landmark(
                "maximum",
                True,
                0.0,
                "mm",
                ("[some] rain", "wet weather", "showers"),
                ("it rained", "there was some rain", "some rain fell", "it was not dry throughout"),
            ),
            Landmark(
                "maximum",
                False,
                1e-9,
                "mm",
                ("no rain", "dry weather", "not a drop of rain", "no precipitation at all"),
                ("it (stayed|was|remained) dry", "no rain fell", "it did not rain", "there was no rain"),
            ),
        ),
    ),
    Quantity(
        "radiation",
        r"(solar|global|shortwave) (ir)?radia(tion|nce)|irradiance|sunshine|insolation",
        names=("solar radiation", "sunshine", "sunlight", "radiation"),
        high=("sunny", "bright"),
        very_high=("brilliantly sunny", "very sunny", "glaringly bright"),
        low=("dull", "dim", "gloomy"),
        very_low=("dark", "almost sunless"),
        most=("sunniest", "brightest"),
        least=("gloomiest", "darkest"),
        high_noun=("strong sun", "plenty of sunshine", "bright sunshine", "lots of sun"),
        low_noun=("little sun", "weak sunlight", "hardly any sunshine"),
        rise=("it (got|became) (brighter|sunnier)",),
        fall=("it (got|became) (darker|gloomier)",),
        conditions=("weather", "conditions"),
    ),
    Quantity(
        "cloud",
        r"cloud",
        high=("cloudy", "overcast"),
        very_high=("completely overcast", "leaden"),
        low=("clear", "almost cloudless"),
        most=("cloudiest",),
        least=("clearest",),
        high_noun=("plenty of cloud", "thick cloud"),
        low_noun=("clear skies", "few clouds"),
        rise=("it clouded over", "it (got|became) cloudier"),
        fall=("it cleared up", "the sky cleared"),
        conditions=("weather", "conditions", "skies"),
    ),
    Quantity(
        "price",
        r"\b(prices?|costs?|tariff|fares?)\b",
        high=("expensive", "costly", "dear"),
        very_high=("exorbitantly expensive", "outrageously dear"),
        low=("cheap", "inexpensive"),
        very_low=("dirt cheap", "extremely cheap"),
        most=("most expensive", "dearest", "costliest"),
        least=("cheapest", "least expensive"),
        rise=("it (got|became) (dearer|more expensive)", "prices (soared|shot up|surged)"),
        fall=("it (got|became) cheaper", "prices (slumped|tumbled|came down)"),
        rise_noun=("rising prices", "a price rise"),
        fall_noun=("falling prices", "a price drop"),
        landmarks=(
            Landmark(
                "minimum", False, 0.0, "", ("negative prices", "prices below zero"), ("prices (went|turned) negative",)
            ),
        ),
    ),
    Quantity(
        "epidemic",
        r"influenza|\bflu\b|illness|infection|epidemic|covid|\bcases\b",
        high_noun=("an outbreak", "an epidemic", "a wave of infections", "a bad flu season"),
        low_noun=("a lull", "hardly any flu", "a quiet flu season"),
        rise_noun=("a growing outbreak", "a building wave"),
        fall_noun=("an ebbing wave", "an outbreak dying down"),
        rise=("the outbreak (grew|spread|built up)", "the wave built up"),
        fall=("the outbreak (ebbed|died down|waned)", "the wave ebbed"),
    ),
    Quantity(
        "deaths",
        r"deaths|mortality|fatalit",
        high_noun=("many deaths", "a high death toll", "a lot of deaths"),
        low_noun=("few deaths", "a low death toll"),
        rise=("more and more people died",),
        fall=("fewer and fewer people died",),
    ),
    Quantity(
        "heart",
        r"\b(heart ?rate|pulse)\b|^hr$",
        names=("heart rate", "pulse", "heartbeat", "pulse rate", "the pulse"),
        high_noun=("a (fast|rapid) (pulse|heartbeat|heart rate)", "a racing heart"),
        low_noun=("a slow (pulse|heartbeat|heart rate)",),
        rise=("the heart (sped up|beat faster and faster)", "the pulse quickened"),
        fall=("the heart (slowed down|beat more and more slowly)", "the pulse slowed"),
        rise_noun=("a quickening pulse",),
        fall_noun=("a slowing pulse",),
        landmarks=(
            Landmark(
                "mean", True, 100.0, "", ("tachycardia", "persistent tachycardia"), ("the patient was tachycardic",)
            ),
            Landmark("mean", False, 60.0, "", ("bradycardia",), ("the patient was bradycardic",)),
        ),
    ),
    Quantity(
        "breathing",
        r"respirat|breathing",
        unit=r"min",
        names=("respiratory rate", "breathing rate", "respiration rate", "breathing frequency"),
        high_noun=("(fast|rapid) breathing", "quick breaths"),
        low_noun=("slow breathing", "slow breaths"),
        rise=("(breathing|respiration) (sped up|quickened|got faster)",),
        fall=("(breathing|respiration) (slowed down|got slower)",),
        rise_noun=("quickening breathing",),
        fall_noun=("slowing breathing",),
        landmarks=(Landmark("mean", True, 24.0, "", ("tachypnoea",), ("the patient was tachypnoeic",)),),
    ),
    Quantity(
        "saturation",
        r"oxygen saturation|spo2|\bsao2\b",
        names=("oxygen saturation", "SpO2", "blood oxygen", "the oxygen level", "oxygenation", "saturation"),
        high_noun=("good oxygenation", "well-oxygenated blood"),
        low_noun=("poor oxygenation", "poorly oxygenated blood"),
        landmarks=(
            Landmark("minimum", False, 90.0, "%", ("a desaturation", "hypoxia"), ("the patient desaturated",)),
            Landmark("mean", False, 92.0, "%", ("hypoxaemia", "persistently low sats"), ("the patient was hypoxic",)),
        ),
    ),
    Quantity(
        "systolic",
        r"systolic",
        names=("systolic blood pressure", "systolic pressure", "the systolic", "systolic BP"),
        landmarks=(
            Landmark(
                "minimum", False, 90.0, "mmHg", ("hypotension",), ("blood pressure (crashed|was dangerously low)",)
            ),
            Landmark("mean", True, 140.0, "mmHg", ("hypertension",), ("the patient was hypertensive",)),
        ),
    ),
    Quantity(
        "diastolic",
        r"diastolic",
        names=("diastolic blood pressure", "diastolic pressure", "the diastolic", "diastolic BP"),
    ),
    Quantity("blood pressure", r"blood pressure|arterial pressure", names=("blood pressure", "BP")),
    Quantity(
        "solar power",
        r"(solar|pv|photovoltaic) (generation|power|output|production)",
        names=("solar generation", "solar power", "solar output", "PV output", "photovoltaic power"),
        high_noun=("plenty of solar power", "a lot of sun on the panels"),
        low_noun=("little solar power", "hardly any solar power"),
        landmarks=(
            Landmark(
                "maximum",
                False,
                1e-9,
                "",
                ("no solar power at all", "no sun on the panels"),
                ("no solar power was produced",),
            ),
        ),
    ),
    Quantity(
        "wind power",
        r"wind (generation|power|output|production)",
        names=("wind generation", "wind power", "wind output", "power from wind", "output of the wind farms"),
        high_noun=("plenty of wind power", "turbines running hard"),
        low_noun=("little wind power", "turbines almost standing still"),
    ),
    Quantity(
        "imports",
        r"net imports",
        plurals=("net imports", "imports", "power imports"),
        high_noun=("heavy imports",),
        landmarks=(
            Landmark(
                "maximum",
                False,
                0.0,
                "",
                ("exports all the time", "a net exporter"),
                ("power was exported all the time",),
            ),
            Landmark(
                "minimum",
                True,
                0.0,
                "",
                ("imports all the time", "a net importer"),
                ("power was imported all the time",),
            ),
        ),
    ),
    Quantity(
        "load",
        r"^(power |electric(al|ity)? |system |grid |zone )?(load|demand|consumption)( forecast)?$",
        names=("load", "demand", "power demand", "power consumption", "electricity use", "the load", "consumption"),
        high_noun=("heavy load", "heavy demand", "strong demand"),
        low_noun=("light load", "weak demand"),
        rise_noun=("a demand ramp",),
    ),
    Quantity(
        "frequency",
        r"frequency",
        unit=r"Hz",
        names=("frequency", "grid frequency", "the mains frequency"),
        landmarks=(
            Landmark("mean", False, 50.0, "", ("a frequency below 50 Hz on average",), ("the grid ran slow",)),
            Landmark(
                "minimum", False, 49.9, "", ("a dip of frequency below 49.9 Hz",), ("frequency sagged below 49.9 Hz",)
            ),
        ),
    ),
    Quantity(
        "air quality",
        r"air quality|\baqi\b|pm ?2\.?5|pm ?10|ozone|\bno2\b",
        high=("polluted", "smoggy"),
        low=("clean",),
        most=("most polluted", "smoggiest"),
        least=("cleanest",),
        high_noun=("polluted air", "bad air", "smog"),
        low_noun=("clean air", "good air"),
        conditions=("air",),
    ),
    Quantity(
        "traffic",
        r"traffic|travel volume|vehicles",
        high_noun=("heavy traffic", "busy roads"),
        low_noun=("light traffic", "quiet roads"),
        rise_noun=("growing traffic",),
        fall_noun=("declining traffic",),
    ),
    Quantity(
        "unemployment", r"unemployment", high_noun=("many people out of work",), low_noun=("few people out of work",)
    ),
)
_COMPONENT = re.compile(
    r"^(?P<what>.*?)[ _-]?\b(?P<axis>[uv])\b( component)?$|"
    r"^(?P<word>eastward|northward|zonal|meridional) (?P<of>.*)$"
)


def quantity(channel: Channel) -> Quantity | None:
    """The quantity whose pattern the name matches, and the unit where there is one; None where no word is known."""
    name = channel.name.lower().strip()
    for known in QUANTITIES:
        if re.search(known.name, name) and (not known.unit or re.search(known.unit, channel.unit, re.IGNORECASE)):
            return known
    return None


def component(channel: Channel) -> tuple[str, str] | None:
    """What a component is of and its axis, `u` or `v`: "wind u" is ("wind", "u"); None for another channel."""
    match = _COMPONENT.match(channel.name.lower().strip())
    if match is None:
        return None
    if match["axis"]:
        return match["what"].strip() or "flow", match["axis"]
    return match["of"].removesuffix("component").strip(), "u" if match["word"] in ("eastward", "zonal") else "v"
