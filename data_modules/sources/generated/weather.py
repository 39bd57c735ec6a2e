"""Simulated weather stations: six quantities at eight invented stations, and reports on ten types of weather."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from data_modules.corpus import CorpusInfo, Record
from data_modules.sources.generated.simulator import (
    Array,
    Effects,
    Episode,
    Event,
    Simulator,
    Site,
    Windows,
    correlations,
    grade,
    logistic,
    noise,
    season_wave,
    sun_height,
)
from data_modules.sources.generated.wording import Account, Frame
from trace_lit.channels import Channel

TEMPERATURE, HUMIDITY, PRESSURE, WIND, RAIN, SUN = range(6)


@dataclass(frozen=True)
class Station(Site):
    """A weather station and its climate."""

    terrain: str
    warmth: float  # °C, yearly mean
    yearly: float  # °C, half the difference between summer and winter
    daily: float  # °C, half the difference between a clear day and its night
    dryness: float  # °C, dew point below the daily mean
    windiness: float  # m/s
    cloudiness: float  # logit


# name, minutes, share of the length, offset, latitude, terrain, warmth, yearly, daily, dryness, windiness, cloudiness
STATIONS = (
    Station("Northhaven", 60, 1.0, 1, 59, "on the coast", 7.5, 7.5, 2.6, 2.8, 5.6, 0.3),
    Station("Millbrook", 60, 1.0, 0, 51, "in the lowlands", 10, 7.5, 4.2, 4.0, 3.8, 0.1),
    Station("Greystone", 60, 1.0, 1, 47, "on the plateau", 7.5, 10, 5.2, 5.0, 3.3, -0.2),
    Station("Eastvale", 60, 1.0, 2, 48, "in the valley", 10.5, 11, 5.8, 4.6, 2.4, -0.2),
    Station("Redhill", 60, 1.0, -6, 38, "on the dry plain", 13.5, 10.5, 7.0, 8.0, 3.9, -0.8),
    Station("Port Amity", 180, 0.5, -5, 36, "at the harbour", 14.5, 8.5, 3.4, 4.2, 4.6, -0.3),
    Station("Kestrel Ridge", 180, 0.5, 1, 44, "on the mountain ridge", 4.5, 9, 3.6, 3.4, 6.4, 0.0),
    Station("Southmere", 180, 0.5, 10, -40, "by the lake", 12, 6.5, 5.0, 4.8, 4.2, -0.1),
)


def _thunderstorm(e: Episode) -> Effects:
    """Sultry before, then cloudburst and squall, a sudden drop of temperature and a nose of pressure."""
    hours = e.draw(0.8, 2.5)
    burst = e.pulse(0.6, hours, 1.2)
    sultry = 1 - e.rise(1.0)
    return {
        "temperature": e.strength * (3.0 * sultry - 6.5 * e.pulse(1.0, hours, 14)),
        "dew": e.strength * (4.5 * sultry + 2.0 * e.rise(1.0)),
        "pressure": e.strength * (-3.5 * e.pulse(10, 0.1, 1.0, at=-10) + 2.8 * e.pulse(0.7, 0.7, 5)) - 3,
        "wind": e.strength * 9.5 * e.pulse(0.6, 0.5, 2.0),
        "rain": e.strength * e.draw(7, 15) * burst,
        "cloud": 0.95 * e.pulse(2.5, hours + 1, 5, at=-1.8) - 0.6 * (1 - e.rise(2, at=-3)),
    }


def _cold_front(e: Episode) -> Effects:
    """Pressure falls towards the front and rises behind it; wind and rain at its passage, cold dry air after it."""
    return {
        "temperature": e.strength * (1.5 - 8.5 * e.rise(5)),
        "dew": e.strength * (2.0 - 8.5 * e.rise(9)),
        "pressure": e.strength * (-8.0 * e.pulse(18, 0.5, 14, at=-17) + 9.0 * e.rise(24)) - 2,
        "wind": e.strength * (5.0 * e.pulse(4, 2, 6, at=-3) + 1.8 * e.rise(5)),
        "rain": e.strength * e.draw(1.2, 3.0) * e.pulse(1.5, e.draw(2, 4), 2, at=-1),
        "cloud": 0.95 * e.pulse(6, 4, 6, at=-6) - 0.25 * e.rise(6, at=8),
    }


def _heat_wave(e: Episode) -> Effects:
    """Hot and dry under a clear sky, hotter by the day, with little wind."""
    return {
        "temperature": e.strength * (6.0 + 2.3 * e.rise(40, at=-20)) + 1.4 * np.cos(2 * np.pi * (e.clock - 15) / 24),
        "dew": -1.5 * e.always(),
        "pressure": 4.0 * e.always(),
        "calm": 0.35 * e.always(),
        "cloud": -0.85 * e.always(),
        "dry": e.always(),
    }


def _fog(e: Episode) -> Effects:
    """The air is saturated and still from the night on; grey and cold until the fog lifts, if it does."""
    lying = e.pulse(4, e.draw(9, 20), 3, at=-1)
    return {
        "temperature": -1.5 * lying,
        "saturation": lying,
        "even": 0.8 * lying,
        "pressure": e.strength * 8.0,
        "calm": 0.25 + 0.5 * lying,
        "cloud": 0.95 * lying - 0.4 * (1 - lying),
        "dry": e.always(),
    }


def _gale(e: Episode) -> Effects:
    """A deep low passes: pressure falls far and comes back, and it blows for hours, with some rain."""
    hours = e.draw(5, 12)
    blowing = e.pulse(7, hours, 8, at=-4)
    return {
        "temperature": 1.5 * e.pulse(8, hours, 6, at=-8),
        "pressure": -e.strength * (15.0 * e.pulse(16, 2, 18, at=-12) + 4),
        "wind": e.strength * 12.0 * blowing,
        "rain": e.draw(0.1, 0.8) * blowing,
        "cloud": 0.8 * e.pulse(8, hours, 6, at=-9),
    }


def _snow(e: Episode) -> Effects:
    """Below freezing and close to saturation while it falls."""
    hours = e.draw(8, 20)
    falling = e.pulse(2.5, hours, 3)
    near = e.pulse(9, hours, 8, at=-8)
    target = -0.5 - 3.0 * e.strength
    return {
        "temperature": (0.35 + 0.6 * near) * (target - e.base["temperature"]),
        "saturation": 0.75 * near,
        "even": 0.7 * near,
        "pressure": -e.strength * 7.0 * e.pulse(12, hours, 12, at=-10),
        "wind": 1.2 * near,
        "rain": e.strength * e.draw(0.6, 1.6) * falling,
        "cloud": 0.95 * near,
        "snow": e.always(),
    }


def _cold_spell(e: Episode) -> Effects:
    """Arctic air under high pressure: far too cold, clear and dry, coldest at dawn."""
    return {
        "temperature": -e.strength * (7.5 + 4.5 * e.rise(16, at=-8)) + 1.2 * np.cos(2 * np.pi * (e.clock - 15) / 24),
        "dew": -e.strength * 12.0,
        "pressure": e.strength * (8 + 6.0 * e.rise(24, at=-12)),
        "calm": 0.35 * e.always(),
        "cloud": -0.75 * e.always(),
        "dry": e.always(),
    }


def _steady_rain(e: Episode) -> Effects:
    """Rain from a low cloud deck for half a day and longer; hardly any difference between day and night."""
    hours = e.draw(10, 24)
    falling = e.pulse(3, hours, 4)
    swell = 1 + 0.4 * np.sin(2 * np.pi * e.time / e.draw(4, 8))
    return {
        "temperature": np.maximum(0, 4 - e.base["temperature"]) - 1.0 * falling,
        "saturation": 0.72 * falling,
        "even": 0.75 * e.pulse(6, hours, 6, at=-4),
        "pressure": -e.strength * 8.0 * e.pulse(16, hours, 12, at=-12),
        "wind": 1.8 * falling,
        "rain": e.strength * e.draw(1.6, 3.8) * swell * falling,
        "cloud": 0.97 * e.pulse(6, hours, 6, at=-5),
    }


def _fair(e: Episode) -> Effects:
    """High pressure, sun, light wind and a full daily cycle."""
    return {
        "temperature": 0.8 * np.cos(2 * np.pi * (e.clock - 15) / 24),
        "pressure": e.strength * 10.0 + 2 * e.rise(24, at=-12),
        "calm": 0.45 * e.always(),
        "cloud": -0.8 * e.always(),
        "dry": e.always(),
    }


def _foehn(e: Episode) -> Effects:
    """Downslope wind: suddenly warm, very dry and gusty, also by night."""
    blowing = e.pulse(3, e.draw(10, 22), 5)
    return {
        "temperature": e.strength * 8.0 * blowing,
        "dew": -e.strength * 7.0 * blowing,
        "even": 0.5 * blowing,
        "pressure": -e.strength * 6.0 * e.pulse(10, 8, 14, at=-6),
        "wind": e.strength * 6.5 * blowing,
        "gusts": blowing,
        "cloud": -0.4 * blowing,
        "dry": e.always(),
    }


EVENTS = (
    Event(
        "thunderstorm",
        _thunderstorm,
        Account(
            story=(
                "[a(n) {strong} [thunderstorm|convective storm]|thundery squalls|a line of storm cells] "
                "[crossed|hit|swept over] [{site}|the area|the station] {when}[, after a close and sultry start|].",
                "[muggy air|heat and moisture] [built up|accumulated] until [lightning and a downpour|storm cells "
                "with lightning and hail|a(n) {strong} cloudburst with thunder] [broke over|reached] [{site}|the "
                "station] {when}.",
                "[towering clouds|cumulonimbus clouds] grew quickly and {when} [it thundered|lightning was seen], with "
                "[sudden gusts|a(n) {strong} squall] and [a cloudburst|torrential rain for a short time].",
            ),
            figures=(
                "[the squall|gusts with the storm] [reached|peaked at] {wind_max:.0f} m/s and {rain_total:.0f} mm "
                "of rain fell[, most of it within an hour or two|].",
                "[the cloudburst brought|lightning came with] {rain_total:.1f} mm; [readings|the air] had "
                "[been|stood] at {t_max:.0f} °C before it and {t_min:.0f} °C was the lowest after it.",
                "storm gusts up to {wind_max:.1f} m/s, {rain_total:.0f} mm in the [gauge|downpour], pressure down "
                "to {p_min:.0f} hPa.",
            ),
            asides=(
                "[the temperature dropped abruptly|it turned cooler at once] and the [sky cleared|air felt fresher] "
                "afterwards.",
                "pressure [sank|fell] slowly ahead of the cells and jumped up [with the outflow|as they arrived].",
                "hail was seen [for a few minutes|here and there]; [streets were flooded|branches came down].",
            ),
        ),
        day=198,
        hour=17,
    ),
    Event(
        "cold front",
        _cold_front,
        Account(
            story=(
                "a(n) {strong} [cold front|front] [passed|moved through|crossed] [{site}|the station] {when}, and "
                "[much colder, drier air followed|polar air poured in behind it].",
                "{when} the wind [veered|shifted] and freshened, [a band of rain went through|showers passed] and the "
                "temperature [fell steadily|dropped and stayed down].",
                "a change of air mass {when}: [mild and damp ahead of it|a warm sector first], [cold and clearing|"
                "a(n) {strong} cooling and drier air] [behind the front|after the frontal passage].",
            ),
            figures=(
                "[behind the front|after the passage] the temperature went down [to {t_min:.0f} °C from {t_max:.0f} "
                "°C|from {t_max:.1f} to {t_min:.1f} °C] and did not recover.",
                "the barometer [bottomed out|turned] at {p_min:.0f} hPa as the front passed and rose to {p_max:.0f} "
                "hPa [behind it|in the cold air].",
                "the frontal rain band left {rain_total:.1f} mm, wind reached {wind_max:.0f} m/s, and it cooled to "
                "{t_min:.0f} °C.",
            ),
            asides=(
                "pressure had fallen [all day|for hours] and [rose sharply|climbed quickly] once the front was "
                "through.",
                "visibility became [excellent|very good] in the [polar|colder] air.",
                "the dew point [fell|dropped] [clearly|a good deal] with the change of air mass.",
            ),
        ),
    ),
    Event(
        "heat wave",
        _heat_wave,
        Account(
            story=(
                "[{strong} heat|a(n) {strong} heat wave|scorching, hot weather] [held on|persisted|had a firm grip] "
                "[at {site}|over the region|] [under a cloudless sky|with blazing sunshine].",
                "[it was much too hot for the season|{strong} heat for {date}], with [a burning sun|dry, baking "
                "air] by day and [warm, sleepless nights|hardly any relief at night].",
                "hot air [from the south|of subtropical origin] [lay|stayed] over [{site}|the area]; the heat [kept "
                "building|grew from day to day] and [heat warnings were issued|people sought the shade].",
            ),
            figures=(
                "[the heat reached|it got as hot as|a maximum of] {t_max:.1f} °C [in the sweltering afternoon|in "
                "the shade].",
                "[afternoon heat|hottest hours] near {t_max:.0f} °C with humidity down to {rh_min:.0f} %.",
                "the thermometer climbed to {t_max:.0f} °C in the heat and did not go below {t_min:.0f} °C at night.",
            ),
            asides=(
                "the air was [bone-dry|parched] and there was [hardly any|little] wind to cool.",
                "solar radiation was close to its possible maximum.",
                "heat warnings [stay in force|were extended]; the risk of forest fire [is|was] high.",
            ),
        ),
        day=200,
    ),
    Event(
        "dense fog",
        _fog,
        Account(
            story=(
                "[dense fog|thick fog|{strong} fog] [formed|set in|settled over {site}] {when} and [lifted only "
                "slowly|was slow to clear|lingered for hours].",
                "visibility [dropped to a few dozen metres|was next to nothing] as [moist air lay still|saturated, "
                "stagnant air stayed] [over the ground|at {site}] from {when_noun} on.",
                "a [grey|murky|milky] blanket of [fog|mist and low stratus] [covered|hid] [{site}|the station], "
                "[without a breath of wind|in still air], since {when_noun}.",
            ),
            figures=(
                "in the fog relative humidity [stood|stayed] at {rh_max:.0f} % and the wind [averaged|was] only "
                "{wind_mean:.1f} m/s.",
                "foggy air, saturated at {rh_max:.0f} %, with temperatures [between {t_min:.0f} and {t_max:.0f} "
                "°C|around {t_mean:.0f} °C].",
                "the fog kept the sun to {sun_max:.0f} W/m² [at most|at its best], at a pressure of {p_mean:.0f} hPa.",
            ),
            asides=(
                "the air was saturated and [dripping wet|everything was damp].",
                "traffic [crawled|slowed down]; flights were [delayed|diverted] because of poor visibility.",
                "hardly any sunlight [came through|reached the ground] until the murk dissolved.",
            ),
        ),
        day=315,
        hour=1,
    ),
    Event(
        "gale",
        _gale,
        Account(
            story=(
                "a(n) {strong} [gale|windstorm|storm] [raged|blew] [over|at] {site} {when} as a [deep|vigorous] low "
                "passed.",
                "[stormy winds|gale-force winds|a roaring storm] [battered|lashed] [{site}|the station] for hours, "
                "[strongest|fiercest] {when}.",
                "a [deep depression|storm low] [came through|tracked past] {when}: [trees were uprooted|roofs were "
                "damaged|the sea was whipped up] by {strong} winds.",
            ),
            figures=(
                "[sustained storm winds|the gale] reached {wind_max:.1f} m/s while pressure [sank|plunged] to "
                "{p_min:.0f} hPa.",
                "the low [bottomed|deepened to] {p_min:.0f} hPa; wind [averaged|kept to] {wind_mean:.0f} m/s over "
                "the whole period and {wind_max:.0f} m/s at its worst.",
                "wind force up to {wind_max:.0f} m/s, [hours of storm|a long blow], only {rain_total:.0f} mm of rain.",
            ),
            asides=(
                "the barometer [plunged|fell off steeply] and then [recovered|rose again] as fast.",
                "ferries [stayed in port|were cancelled] and [power lines came down|trees blocked roads] in the storm.",
                "it rained [a little|now and then], but the wind was the matter of the day.",
            ),
        ),
        day=335,
    ),
    Event(
        "snowfall",
        _snow,
        Account(
            story=(
                "[snow|{strong} snowfall|a spell of snow] [set in|began] {when} [at {site}|] and [continued for "
                "hours|left a white cover|did not stop until the ground was white].",
                "[it snowed|snowflakes fell] [steadily|without a break] from {when_noun} on, in air [just below "
                "freezing|near and below the freezing point].",
                "wintry weather {when}: [rain turned to snow|snow fell from a thick cloud deck] and [a(n) {strong} "
                "cover|slush and snow] [built up|lay on the roads].",
            ),
            figures=(
                "snow [worth|equivalent to] {rain_total:.0f} mm of water fell at temperatures down to {t_min:.1f} °C.",
                "[snowy air|it snowed] with {t_mean:.0f} °C on average and a humidity of {rh_max:.0f} %.",
                "the melted snow came to {rain_total:.1f} mm; the frost reached {t_min:.0f} °C as pressure was down "
                "at {p_min:.0f} hPa.",
            ),
            asides=(
                "snow ploughs were out and [schools closed|buses ran late].",
                "the daylight was [dim|grey] under the snow clouds.",
                "snow [drifted|lay deep] [on the roads|in the fields] by the end.",
            ),
        ),
        day=15,
    ),
    Event(
        "cold spell",
        _cold_spell,
        Account(
            story=(
                "[bitterly cold|a(n) {strong} cold spell|{strong} frost]: [arctic air|icy continental air] "
                "[lay|settled] over [{site}|the region] under a clear sky.",
                "an arctic outbreak [gripped|held] {site}, with [crisp|hard] frost and [clear, icy "
                "nights|sparkling, dry cold].",
                "[{strong} frost|piercing cold] for {date}; [ponds froze over|pipes froze] in the [dry|still] "
                "arctic air, and [the sun gave no warmth|nights were coldest].",
            ),
            figures=(
                "the cold [bit|reached] down to {t_min:.1f} °C [at daybreak|in the icy night] and it was no warmer "
                "than {t_max:.0f} °C by day.",
                "icy cold of {t_mean:.0f} °C on average at a high pressure of {p_max:.0f} hPa.",
                "icy minimum {t_min:.0f} °C, clear sky, barometer at {p_max:.0f} hPa.",
            ),
            asides=(
                "[heating|heaters] ran at full power and water pipes burst in the frost.",
                "the high pressure of the arctic air mass was still [building|rising].",
                "no cloud, no snow, only dry and bitter cold.",
            ),
        ),
        day=22,
    ),
    Event(
        "steady rain",
        _steady_rain,
        Account(
            story=(
                "[persistent|steady|continuous] rain [set in|began] {when} [at {site}|] and [went on for most of "
                "the period|fell for hour after hour].",
                "a [slow|stalled|stationary] rain area [stayed|hung] over {site}; it [poured|rained] [without "
                "pause|all the time], a(n) {strong} soaking.",
                "[wet through and through|rain, rain and more rain] from {when_noun} on: [rivers rose|fields stood "
                "under water|ditches filled] below a [leaden|low] cloud deck.",
            ),
            figures=(
                "[rainfall added up to|the long rain brought|in all it rained] {rain_total:.0f} mm, never more than "
                "{rain_max:.1f} mm at a time.",
                "{rain_total:.1f} mm of [steady|lasting] rain, humidity {rh_max:.0f} %, hardly any change in "
                "temperature ([{t_min:.0f} to {t_max:.0f} °C|around {t_mean:.0f} °C]).",
                "the rain gauge [filled to|collected] {rain_total:.0f} mm as it rained on; pressure was lowest at "
                "{p_min:.0f} hPa.",
            ),
            asides=(
                "day and night [hardly differed|were equally grey] under the rain clouds.",
                "[flood|high water] warnings were issued for the [river|streams] after the long rain.",
                "the soil is soaked; [umbrellas|rain coats] were in use all day.",
            ),
        ),
    ),
    Event(
        "fair weather",
        _fair,
        Account(
            story=(
                "[fair|settled|quiet], sunny weather [under high pressure|in a ridge of high pressure] [at {site}|].",
                "an anticyclone [governs|governed|dominated] the weather: [blue sky|plenty of sunshine], [light "
                "breezes|hardly any wind] and [a normal daily rhythm|pleasant conditions].",
                "[nothing to report|a calm and pleasant spell]: [sunny|clear] and dry, with [cool nights and sunny "
                "days|the usual rise and fall of the temperature].",
            ),
            figures=(
                "the high [stood|lay] at {p_mean:.0f} hPa; fair and sunny, with {sun_max:.0f} W/m² at noon.",
                "pleasant, sunny and dry, {t_min:.0f} °C at night and {t_max:.0f} °C by day.",
                "settled: pressure {p_max:.0f} hPa, light winds of {wind_mean:.1f} m/s, no rain to speak of.",
            ),
            asides=(
                "[a fine day|fine days] for [walks|the harvest|outdoor work].",
                "the sky stayed [blue|clear] and the barometer steady and high.",
                "no rain, no warnings, no complaints: fine weather.",
            ),
        ),
    ),
    Event(
        "foehn",
        _foehn,
        Account(
            story=(
                "[foehn|a(n) {strong} foehn|a warm, dry downslope wind] [set in|broke through|started] {when} [at "
                "{site}|].",
                "{when} [warm air came down from the mountains|a gusty wind fell from the slopes]: it became "
                "[astonishingly|unusually] warm and [very|extremely] dry[, even at night|].",
                "a(n) {strong} fall wind from the hills {when} [chased the moisture away|dried the air out] and "
                "[lifted the temperature|brought sudden warmth].",
            ),
            figures=(
                "with the downslope wind humidity [crashed|fell] to {rh_min:.0f} % and the temperature [shot|went] "
                "up to {t_max:.1f} °C.",
                "foehn gusts of {wind_max:.0f} m/s, air as dry as {rh_min:.0f} %.",
                "the warm fall wind blew at up to {wind_max:.1f} m/s; {t_max:.0f} °C and {rh_min:.0f} % humidity "
                "[were measured|in its course].",
            ),
            asides=(
                "[lens-shaped clouds|a wall of cloud] [stood|hung] over the mountain crest.",
                "[the snow melted fast|laundry dried in no time] in the foehn air; [headaches|fire risk] were "
                "widespread.",
                "pressure was [low|reduced] in the lee of the mountains.",
            ),
        ),
    ),
)

FRAME = Frame(
    openings=(
        "[weather summary|report|observations] for {site}, {date}.",
        "[{site}, {date}.|{site} {terrain}, {date}.]",
        "[the station {terrain}|{site} {terrain}] [reports|sent this note] for {date}.",
        "{date} at {site}.",
        "{site}, {date} {year}.",
    ),
    remarks=(
        "[on the whole|all in all] it was {feel} [at {site}|for this place|].",
        "[temperatures were {level}|it was {level}] [{terrain}|throughout].",
        "[winds were {windy}|there was {windy} wind] [for the most part|on average].",
        "[readings ran|the temperature ran] from {t_min:.0f} to {t_max:.0f} °C.",
        "mean pressure [was|came to] {p_mean:.0f} hPa.",
        "humidity averaged {rh_mean:.0f} %.",
        "the mean wind was {wind_mean:.1f} m/s.",
    ),
    closings=(
        "the next report follows [tomorrow|in the evening].",
        "[no further remarks.|end of report.]",
        "[the duty forecaster|the observer] keeps watching.",
        "all instruments [worked|were checked].",
    ),
)

_LEVELS = ("[freezing|frosty]", "cold", "[cool|chilly]", "[mild|temperate]", "warm", "hot")
_FEELINGS = (
    "[far too cold|much colder than usual]",
    "[colder|cooler] than [usual|the seasonal mean]",
    "[close to normal|about as usual]",
    "warmer than [usual|the seasonal mean]",
    "[far too warm|much warmer than usual]",
)


class _Weather(Simulator):
    domain = "weather"
    description = (
        "Generated, not measured: a simulator of weather stations at invented places, with reports by a template "
        "grammar. For the demo and for tests; no claim rests on it."
    )
    channels = (
        Channel("temperature", "°C", "air temperature two metres above the ground"),
        Channel("relative humidity", "%", "relative humidity of the air"),
        Channel("pressure", "hPa", "air pressure reduced to sea level"),
        Channel("wind speed", "m/s", "mean wind speed ten metres above the ground"),
        Channel("precipitation", "mm", "rain and melted snow since the last report"),
        Channel("solar radiation", "W/m²", "global radiation on a horizontal surface"),
    )
    symbols = ("t", "rh", "p", "wind", "rain", "sun")
    resolution = (0.1, 1, 0.1, 0.1, 0.1, 1)
    reported = ("last", "last", "last", "mean", "sum", "mean")
    instruments = ((TEMPERATURE, HUMIDITY), (PRESSURE,), (WIND,), (RAIN,), (SUN,))
    sites = STATIONS
    events = EVENTS
    frame = FRAME
    strengths = ("[weak|modest|minor]", "[marked|notable|considerable]", "[severe|extreme|violent]")
    grid_minutes = 60
    round_days = 365
    start_hours = (0, 6, 12, 18)

    def simulate(self, windows: Windows, rng: np.random.Generator) -> Array:
        of, clock = windows.of, windows.clock
        shape = clock.shape
        # temperature, dew point, pressure, wind, cloud
        linked = correlations(5, {(0, 1): 0.45, (2, 3): -0.35, (2, 4): -0.4, (1, 4): 0.3, (3, 4): 0.2})
        warm, moist, high, breeze, grey = np.moveaxis(noise(rng, shape, 1.0, (36, 30, 60, 5, 9), linked), 1, 0)
        quick = noise(rng, shape, 1.0, (0.7, 0.7, 0.7, 0.7, 2.5), np.eye(5))

        season = of("warmth") + of("yearly") * season_wave(windows)
        weather = season + 2.2 * warm
        effect = self.effects(windows, {"temperature": weather}, rng)

        def of_event(name: str) -> Array:
            return effect.get(name, np.zeros(shape))

        cloud = logistic(of("cloudiness") + 1.5 * grey)
        target = of_event("cloud")
        cloud = np.clip(np.where(target > 0, cloud + target * (1 - cloud), cloud * (1 + target)), 0, 1)

        cycle = np.cos(2 * np.pi * (clock - 15) / 24) + 0.25 * np.cos(4 * np.pi * (clock - 14) / 24)
        height = sun_height(of("latitude"), windows.year_day, clock)
        swing = (
            of("daily")
            * (1.15 - 0.75 * cloud)
            * (1 - of_event("even"))
            * (0.55 + 0.45 * np.max(height, axis=1, keepdims=True))
        )
        temperature = weather + swing * cycle + of_event("temperature") + 0.25 * quick[:, 0]

        dew = weather - of("dryness") + 1.8 * moist + 1.5 * (cloud - 0.5) + of_event("dew")
        dew = np.where(of_event("snow") > 0, temperature - 2 - 1.5 * np.abs(moist), dew)
        dew = temperature - 0.8 * np.logaddexp(
            0, (temperature - dew) / 0.8
        )  # dew forms before the air is quite saturated
        dew = dew + of_event("saturation") * (temperature - 0.3 - dew)
        humidity = 100 * _vapour(np.minimum(dew, temperature)) / _vapour(temperature) + 1.0 * quick[:, 1]

        tide = 0.6 * np.cos(4 * np.pi * (clock - 10) / 24)
        pressure = 1013 + 4.5 * high + tide + of_event("pressure") + 0.12 * quick[:, 2]

        turbulence = np.exp(0.14 * (1 + 0.6 * of_event("gusts")) * quick[:, 3])
        fresh = of("windiness") * np.exp(0.34 * breeze) * (1 + 0.2 * np.cos(2 * np.pi * (clock - 14) / 24))
        wind = (fresh * (1 - of_event("calm")) + of_event("wind")) * turbulence

        ragged = np.maximum(0, 1 + 0.45 * quick[:, 4])
        shower = 2.5 * np.maximum(0, cloud - 0.88) * np.maximum(0, quick[:, 4] - 0.5) / 0.12 * (1 - of_event("dry"))
        rain = np.maximum(0, of_event("rain") * ragged + 0.4 * shower)

        sun = 1080 * height**1.15 * (1 - 0.88 * cloud**1.6) * (1 - 0.08 * np.abs(quick[:, 2]) * cloud)
        return np.stack(
            [temperature, np.clip(humidity, 8, 100), pressure, np.maximum(wind, 0), rain, np.clip(sun, 0, 1200)], axis=1
        )

    def words(self, windows: Windows, n: int, known: Mapping[str, float]) -> dict[str, str]:
        station = STATIONS[windows.site[n]]
        described = {"terrain": station.terrain}
        if "t_mean" in known:
            normal = station.warmth + station.yearly * float(season_wave(windows)[n, 0])
            described["level"] = grade(known["t_mean"], (-3, 4, 11, 18, 24), _LEVELS)
            described["feel"] = grade(known["t_mean"] - normal, (-6, -2.5, 2.5, 6), _FEELINGS)
        if "wind_mean" in known:
            described["windy"] = grade(known["wind_mean"], (2, 4.5, 8), ("light", "moderate", "fresh", "strong"))
        return described


def _vapour(temperature: Array) -> Array:
    """Saturation vapour pressure in hPa of `temperature` in °C (Magnus)."""
    return 6.11 * np.exp(17.27 * temperature / (237.7 + temperature))


_SIMULATOR = _Weather()


def weather(instances: int = 1200, length: int = 48, seed: int = 0) -> tuple[CorpusInfo, Iterator[Record]]:
    """Simulated reports of weather stations.

    Hourly stations give windows of `length` steps, three-hourly ones of half as many.

    Raises
    ------
    CorpusError
        Fewer instances than stations, or windows that are too short.
    """
    return _SIMULATOR.generate(instances, length, seed)
