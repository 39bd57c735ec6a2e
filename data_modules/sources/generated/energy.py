"""Simulated power markets: seven quantities of eight invented grid zones, and market reports on ten situations.

Price and imports follow from load less wind and solar power, so a signature in one shows in the others.
"""

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

LOAD, PRICE, WIND, SOLAR, IMPORTS, TEMPERATURE, FREQUENCY = range(7)


@dataclass(frozen=True)
class Zone(Site):
    """A grid zone: what it needs and what it has."""

    region: str
    demand: float  # MW, mean load
    wind: float  # installed power / demand
    solar: float  # installed power / demand
    warmth: float  # °C, yearly mean
    yearly: float  # °C, half the difference between summer and winter
    heating: float  # share of load per °C below 15 °C
    cooling: float  # share of load per °C above 21 °C
    price: float  # €/MWh, usual
    balance: float  # usual net imports / demand


# name, minutes, share of the length, offset, latitude, region, demand, wind, solar, warmth, yearly, heating, cooling,
# price, balance
ZONES = (
    Zone("Northsea", 60, 1.0, 1, 55, "the windy north", 6200, 0.75, 0.25, 9, 8, 0.013, 0.005, 48, -0.06),
    Zone("Midland", 60, 1.0, 1, 51, "the industrial centre", 9400, 0.45, 0.45, 10, 9, 0.011, 0.010, 56, 0.04),
    Zone("Sierra", 60, 1.0, 1, 40, "the sunny south", 7600, 0.40, 0.70, 15, 10, 0.008, 0.017, 52, -0.02),
    Zone("Capital", 60, 1.0, 1, 49, "the metropolitan area", 8300, 0.30, 0.35, 11, 9, 0.013, 0.013, 60, 0.12),
    Zone("Highland", 30, 1.0, 0, 57, "the upland grid", 4600, 0.80, 0.22, 8, 7, 0.015, 0.003, 45, -0.08),
    Zone("Riverine", 30, 1.0, 2, 47, "the river basin", 5400, 0.40, 0.50, 11, 11, 0.012, 0.012, 55, 0.03),
    Zone("Austral", 30, 1.0, 10, -35, "the southern state", 5900, 0.50, 0.65, 15.5, 7, 0.008, 0.018, 58, 0.0),
    Zone("Baltia", 30, 1.0, 2, 58, "the eastern coast", 4100, 0.65, 0.30, 7, 11, 0.014, 0.004, 50, 0.06),
)


def _price_spike(e: Episode) -> Effects:
    """Scarcity around the evening peak: for a few hours the price is a multiple."""
    short = e.pulse(e.draw(0.8, 1.6), e.draw(0.6, 2.0), e.draw(0.8, 1.6))
    return {
        "price": e.strength * e.draw(130, 290) * short,
        "load": 0.04 * short,
        "wind": -0.8 * e.always(),
        "imports": e.strength * 0.06 * short,
    }


def _wind_lull(e: Episode) -> Effects:
    """Hardly any wind and a grey sky for all of the window: imports and dear power."""
    return {
        "wind": -3.2 * e.always(),
        "cloud": 2.2 * e.always(),
        "temperature": -2.0 * e.strength,
        "price": e.strength * 24 * e.always(),
    }


def _solar_surplus(e: Episode) -> Effects:
    """A clear mild day of low demand: around noon there is more than is needed and the price goes below zero."""
    noon = np.exp(-(((e.clock - 13) / 2.3) ** 2))
    return {
        "cloud": -3.0 * e.always(),
        "load": -0.06 - 0.03 * noon,
        "price": -e.strength * 62 * noon,
        "imports": -e.strength * 0.15 * noon,
        "temperature": 2.5 * e.always(),
    }


def _cold_snap(e: Episode) -> Effects:
    """Frost drives the load, by heating, to a peak and the price with it."""
    return {
        "temperature": -e.strength * (8.5 + 3.0 * e.rise(12, at=-6)),
        "load": e.strength * 0.05 * e.always(),
        "cloud": -1.0 * e.always(),
        "price": e.strength * 10 * e.always(),
    }


def _cooling_demand(e: Episode) -> Effects:
    """Heat: air conditioning lifts the load most in the afternoon, and prices peak after sunset."""
    afternoon = np.exp(-(((e.clock - 16) / 4.0) ** 2))
    return {
        "temperature": 2.0 + e.strength * 6.5 + 2.0 * e.rise(24, at=-12),
        "load": e.strength * (0.05 + 0.13 * afternoon),
        "cloud": -1.8 * e.always(),
        "wind": -0.9 * e.always(),
        "price": e.strength * 26 * np.exp(-(((e.clock - 19.5) / 1.6) ** 2)),
    }


def _frequency_disturbance(e: Episode) -> Effects:
    """The frequency swings for a few hours while everything else goes on."""
    swing = np.cos(2 * np.pi * e.time / e.draw(2.2, 4.0)) * np.exp(-np.maximum(e.time, 0) / e.draw(1.5, 3.0))
    begun = (e.time >= 0).astype(float)
    return {
        "frequency": -e.strength * e.draw(0.16, 0.32) * swing * begun,
        "load": -0.02 * e.pulse(0.5, 0.5, 2),
    }


def _plant_outage(e: Episode) -> Effects:
    """A large unit trips: imports jump and stay, so does the price; the frequency dips for a moment."""
    lost = e.rise(0.4)
    return {
        "imports": e.strength * 0.17 * lost,
        "price": e.strength * (34 * lost + 30 * e.pulse(0.4, 1.0, 3)),
        "frequency": -e.strength * 0.075 * e.pulse(0.3, 0.3, 0.8),
    }


def _holiday(e: Episode) -> Effects:
    """Offices and factories rest: low load without a morning peak, low prices."""
    return {
        "rest": e.always(),
        "load": -e.strength * 0.13 * e.always(),
        "price": -7.0 * e.always(),
    }


def _wind_surplus(e: Episode) -> Effects:
    """A storm drives the turbines to full power; exports, worthless power, and wind farms are curtailed."""
    storm = e.pulse(7, e.draw(10, 24), 8, at=-5)
    return {
        "wind": 4.2 * e.strength**0.5 * storm,
        "ceiling": e.draw(0.15, 0.35) * e.pulse(1, e.draw(5, 12), 1, at=2.5),
        "price": -e.strength * 28 * storm,
        "imports": -e.strength * 0.06 * storm,
        "cloud": 1.0 * storm,
    }


def _blackout(e: Episode) -> Effects:
    """A part of the zone goes dark: load falls at once, comes back in steps; the frequency jumps up."""
    hours = e.draw(1.5, 4.0)
    dark = (
        e.rise(0.3)
        - 0.4 * e.rise(0.4, at=hours)
        - 0.35 * e.rise(0.4, at=1.6 * hours)
        - 0.25 * e.rise(0.4, at=2.2 * hours)
    )
    return {
        "load": -e.strength * 0.30 * dark,
        "frequency": e.strength * 0.10 * e.pulse(0.3, 0.4, 1.2),
        "price": -e.strength * 10 * dark,
    }


EVENTS = (
    Event(
        "price spike",
        _price_spike,
        Account(
            story=(
                "[prices exploded|a(n) {strong} price spike hit the market] {when} as [the system ran "
                "short|reserves became scarce]; [back to normal later|it was over within hours].",
                "{when} scarcity [pushed|drove] [spot prices|the hourly auction] to a multiple of the usual; [gas "
                "peakers and oil units|the last reserves] [set the price|were called].",
                "[a short squeeze|a(n) {strong} squeeze] in the [evening market|peak hours] {when}: [buyers "
                "panicked|bids went through the roof], demand response was activated.",
            ),
            figures=(
                "[the spike peaked at|scarcity lifted the price to] {price_max:.0f} €/MWh.",
                "spot price up to {price_max:.0f} €/MWh, otherwise {price_min:.0f} €/MWh at the lowest, reserves "
                "short.",
                "peak hours cleared at {price_max:.0f} €/MWh with {load_max:,.0f} MW of demand in a short market.",
            ),
            asides=(
                "[traders|analysts] [speak of|point to] tight margins and expensive peaking gas.",
                "large consumers [reduced|shifted] consumption to escape the price.",
                "the market [calmed down|relaxed] as soon as demand eased.",
            ),
        ),
        hour=17,
    ),
    Event(
        "wind lull",
        _wind_lull,
        Account(
            story=(
                "[a wind lull|a(n) {strong} wind lull|a dark doldrum] [over {region}|]: turbines [stood "
                "still|barely turned] under a grey sky and [imports and thermal plants|coal and gas] [filled the "
                "gap|had to help].",
                "[calm and cloudy|windless and dull] days left [{site}|the zone] with [next to no|hardly any] "
                "renewable power; [prices were firm|power was dear].",
                "renewables [were absent|failed to deliver]: [idle rotors|no wind], thick cloud, [thermal units at "
                "full load|heavy dependence on imports].",
            ),
            figures=(
                "turbines gave {wind_max:,.0f} MW at the very best, solar {solar_max:,.0f} MW.",
                "with only {wind_mean:,.0f} MW of wind in the lull, net imports averaged {imports_mean:,.0f} MW.",
                "calm air: average wind output {wind_mean:,.0f} MW, price {price_mean:.0f} €/MWh.",
            ),
            asides=(
                "storage was [emptied|drawn down] during the calm.",
                "meteorologists see no wind before next week.",
                "gas-fired plants ran around the clock in the windless weather.",
            ),
        ),
        day=340,
    ),
    Event(
        "solar surplus",
        _solar_surplus,
        Account(
            story=(
                "[too much sun|a(n) {strong} solar surplus|a glut of solar power] [in {site}|]: around midday "
                "[prices turned negative|power had a negative price] and the rest was exported.",
                "[brilliant sunshine|a cloudless sky] met [weak demand|a sleepy market]; photovoltaic output "
                "[flooded|swamped] the market [at noon|in the midday hours], [sellers paid to deliver|negative "
                "prices].",
                "[the midday price collapsed|noon prices fell below zero] under [record|strong] photovoltaic "
                "infeed, before [recovering|jumping back] in the evening.",
            ),
            figures=(
                "the midday price sank to {price_min:.0f} €/MWh with {solar_max:,.0f} MW of photovoltaics.",
                "solar panels delivered up to {solar_max:,.0f} MW and the low was {price_min:.0f} €/MWh.",
                "net imports of {imports_min:,.0f} MW at noon, that is exports, and sunshine worth {solar_max:,.0f} "
                "MW.",
            ),
            asides=(
                "[electric cars|batteries] were charged for nothing at noon.",
                "the evening ramp after sunset was steep as the sun went down.",
                "rooftop panels [were|had to be] throttled in places.",
            ),
        ),
        day=150,
    ),
    Event(
        "cold-snap peak load",
        _cold_snap,
        Account(
            story=(
                "[freezing weather|a(n) {strong} cold snap|hard frost] [drove|pushed] [electric heating|heat pumps "
                "and heaters] to the limit: demand [close to a record|exceptionally high] in {site}.",
                "[the cold|arctic air] lifted consumption far above the seasonal norm, [morning and evening|around "
                "the clock]; [prices followed|power was dear].",
                "[winter peak|peak demand] in {region}: [heating|frost] [strained the grid|kept load high], [all "
                "plants were running|operators asked to save power].",
            ),
            figures=(
                "load reached {load_max:,.0f} MW at {t_min:.0f} °C.",
                "at {t_min:.1f} °C heating lifted demand to {load_max:,.0f} MW and the price to {price_max:.0f} €/MWh.",
                "cold of {t_mean:.0f} °C on average, consumption {load_mean:,.0f} MW on average.",
            ),
            asides=(
                "[the grid operator|dispatchers] kept cold reserves warm for the frost.",
                "gas stocks [fall|shrink] quickly in the cold.",
                "electric heaters are blamed for the winter peak.",
            ),
        ),
        day=20,
    ),
    Event(
        "cooling demand",
        _cooling_demand,
        Account(
            story=(
                "[a heat wave|{strong} heat|sweltering weather] [set air conditioners humming|lifted cooling "
                "demand] in {site}; [load peaked in the afternoon|the afternoon saw the peak].",
                "[air conditioning|cooling] [drove|pushed] consumption up during the hot [afternoons|hours]; after "
                "sunset prices [rose|climbed] as the sun was gone.",
                "[hot weather|tropical heat] in {region}: [fans and air conditioners|cooling] at full power, "
                "[transformers ran hot|rivers too warm to cool the power plants].",
            ),
            figures=(
                "at {t_max:.0f} °C air conditioners pushed load to {load_max:,.0f} MW.",
                "heat of {t_max:.1f} °C, afternoon consumption {load_max:,.0f} MW, evening price {price_max:.0f} "
                "€/MWh.",
                "cooling lifted demand to {load_max:,.0f} MW; nights did not go below {t_min:.0f} °C.",
            ),
            asides=(
                "thermal plants were [limited|derated] by warm cooling water.",
                "solar power helped through the hot afternoon but not after sunset.",
                "people were asked to set air conditioners a little warmer.",
            ),
        ),
        day=203,
    ),
    Event(
        "frequency disturbance",
        _frequency_disturbance,
        Account(
            story=(
                "[a(n) {strong} frequency disturbance|a power swing|an oscillation of the grid frequency] [was "
                "recorded|shook the interconnection] {when}; [control reserve|primary control] [damped it|restored "
                "it].",
                "{when} the grid frequency [left its band|swung widely] [after a separation of the network|for "
                "reasons under study], [load and generation unaffected|the market did not notice].",
                "unstable frequency {when}: [inter-area oscillations|swings between regions] [died away|faded] after "
                "[a few hours|a while].",
            ),
            figures=(
                "the frequency went down to {f_min:.2f} Hz and up to {f_max:.2f} Hz.",
                "swings between {f_min:.2f} and {f_max:.2f} Hz [alarmed the control room|were damped by primary "
                "control].",
                "the nadir of the oscillation was {f_min:.2f} Hz, clocks ran slow.",
            ),
            asides=(
                "[operators|control rooms] across borders [conferred|exchanged data] on the oscillation.",
                "phasor measurements show [poorly damped modes|a slow mode] in the frequency.",
                "a few sensitive machines [tripped|disconnected] because of the frequency.",
            ),
        ),
    ),
    Event(
        "plant outage",
        _plant_outage,
        Account(
            story=(
                "[a large unit|a nuclear block|a big coal unit] tripped {when}; [imports stepped in|neighbours "
                "delivered the missing power] and [prices stepped up|the price stayed high].",
                "[an unplanned outage|a(n) {strong} outage of a power plant] {when}: [boiler leak|turbine "
                "damage|transformer fire], [replacement power|purchases abroad] for the rest of the day.",
                "{when} [a generator failed|a power plant shut down at once]; cross-border flows [turned|jumped] to "
                "import and intraday prices [rose|jumped].",
            ),
            figures=(
                "net imports jumped to {imports_max:,.0f} MW after the trip, the price to {price_max:.0f} €/MWh.",
                "the unit's failure pulled {imports_max:,.0f} MW through the interconnectors.",
                "with the unit lost, frequency dipped to {f_min:.2f} Hz and {imports_max:,.0f} MW came from abroad.",
            ),
            asides=(
                "the operator of the failed unit gives no date for its return.",
                "[the frequency sagged|a short dip of the frequency was seen] at the moment of the trip.",
                "repair of the damaged unit [may take days|has begun].",
            ),
        ),
    ),
    Event(
        "holiday low demand",
        _holiday,
        Account(
            story=(
                "[public holiday|a holiday|bank holiday]: [factories closed|offices empty], demand [low and "
                "flat|far below a working day] in {site}, power cheap.",
                "[festive quiet|holiday calm] in {region}; [consumption dropped|load was weak] [with industry at "
                "rest|as shops stayed shut] and [nobody|few] needed the morning peak.",
                "[the feast days|a long weekend] [emptied the order book|left the grid lightly loaded]: no morning "
                "peak, [cheap power|soft prices].",
            ),
            figures=(
                "the holiday load averaged {load_mean:,.0f} MW at {price_mean:.0f} €/MWh.",
                "no more than {load_max:,.0f} MW with industry closed, {load_min:,.0f} MW at night.",
                "consumption as low as {load_min:,.0f} MW over the holiday.",
            ),
            asides=(
                "several units were [taken off|idled] for the holiday.",
                "trading was thin, many desks were not staffed on the holiday.",
                "households cooked late and slept long.",
            ),
        ),
    ),
    Event(
        "wind surplus with curtailment",
        _wind_surplus,
        Account(
            story=(
                "[a storm|a(n) {strong} storm] [spun the turbines|drove wind farms] to full power {when}; [lines "
                "were full|the grid was congested], wind was curtailed and prices [collapsed|fell to nothing].",
                "{when} [stormy weather|a gale] brought [more wind power than the zone could use|a flood of wind "
                "power]: exports at the limit and [wind farms throttled|feathered blades].",
                "[wind power galore|an oversupply of wind]: [redispatch|curtailment orders] from {when_noun} on, "
                "[cheap|almost worthless] power, heavy exports.",
            ),
            figures=(
                "wind farms fed in up to {wind_max:,.0f} MW before curtailment; the price sank to {price_min:.0f} "
                "€/MWh.",
                "storm output of {wind_max:,.0f} MW and net imports of {imports_min:,.0f} MW, that is exports.",
                "surplus wind turned net imports down to {imports_min:,.0f} MW, price low {price_min:.0f} €/MWh.",
            ),
            asides=(
                "[turbine owners|wind farm operators] will be compensated for the curtailed output.",
                "bottlenecks on the lines [from the coast|to the south] forced the throttling of turbines.",
                "conventional plants were down to their minimum in the storm.",
            ),
        ),
        day=350,
    ),
    Event(
        "regional blackout",
        _blackout,
        Account(
            story=(
                "[a regional blackout|a(n) {strong} blackout|a power cut] {when} [after a substation fault|when a "
                "busbar failed]: [districts went dark|consumers lost supply] and were [reconnected step by "
                "step|restored in stages].",
                "{when} a [transformer explosion|cable fault] [cut off|disconnected] part of {site}; [supply "
                "returned in steps|restoration took hours].",
                "lights went out in [parts|several districts] of {region} {when}: [sudden loss of load|demand "
                "vanished at once], [crews|engineers] restored it block by block.",
            ),
            figures=(
                "demand collapsed to {load_min:,.0f} MW and the frequency shot up to {f_max:.2f} Hz as consumers "
                "were cut off.",
                "of {load_max:,.0f} MW only {load_min:,.0f} MW were left when the districts went dark.",
                "the loss of supply showed as {f_max:.2f} Hz; load fell to {load_min:,.0f} MW.",
            ),
            asides=(
                "hospitals ran on emergency generators in the dark.",
                "trams stopped and lifts were stuck without supply.",
                "an inquiry into the failed substation was opened.",
            ),
        ),
    ),
)

FRAME = Frame(
    openings=(
        "[market report|power market note|daily bulletin], {site}, {date}.",
        "[{site}, {date}.|{site}, {region}, {date}.]",
        "{date} in {site}, {region}.",
        "[grid operator's log|dispatch log] of {site} for {date}.",
        "{site}, {date} {year}.",
    ),
    remarks=(
        "[on average|over the period] power was {dear}.",
        "wind output was {windy} [for {site}|in this period|overall].",
        "[demand|load] was {loaded} [for the zone|on the whole].",
        "it was {level} [in {region}|outside].",
        "mean price {price_mean:.0f} €/MWh.",
        "load averaged {load_mean:,.0f} MW.",
        "temperatures [from {t_min:.0f} to|between {t_min:.0f} and] {t_max:.0f} °C.",
        "wind gave {wind_mean:,.0f} MW on average.",
    ),
    closings=(
        "[outlook unchanged|no change expected].",
        "[figures are preliminary|all figures provisional].",
        "[the next bulletin follows|more in the next note].",
        "[the control room|the dispatcher] has no further remarks.",
    ),
)

_DEAR = ("[very cheap|almost free]", "cheap", "[normally priced|at ordinary prices]", "expensive", "very expensive")
_WINDY = ("[negligible|minimal]", "[low|weak]", "[moderate|middling]", "[high|strong]", "[very high|close to full]")
_LOADED = ("[low|weak]", "[ordinary|normal]", "[high|strong]", "[very high|exceptional]")
_LEVELS = ("[freezing|frosty]", "cold", "[cool|chilly]", "[mild|temperate]", "warm", "hot")


class _Energy(Simulator):
    domain = "energy"
    description = (
        "Generated, not measured: a simulator of power grids and markets of invented zones, with reports by a template "
        "grammar. For the demo and for tests; no claim rests on it."
    )
    channels = (
        Channel("load", "MW", "electric power consumed in the zone"),
        Channel("spot price", "€/MWh", "price of electricity on the spot market"),
        Channel("wind generation", "MW", "power from wind turbines"),
        Channel("solar generation", "MW", "power from photovoltaics"),
        Channel("net imports", "MW", "power from other zones, negative for exports"),
        Channel("temperature", "°C", "air temperature two metres above the ground"),
        Channel("grid frequency", "Hz", "frequency of the grid"),
    )
    symbols = ("load", "price", "wind", "solar", "imports", "t", "f")
    resolution = (1, 0.01, 1, 1, 1, 0.1, 0.001)
    reported = ("mean", "mean", "mean", "mean", "mean", "last", "last")
    instruments = ((LOAD,), (PRICE,), (WIND,), (SOLAR,), (IMPORTS,), (TEMPERATURE,), (FREQUENCY,))
    sites = ZONES
    events = EVENTS
    frame = FRAME
    strengths = ("[modest|mild]", "[marked|sizeable|notable]", "[extreme|severe|massive]")
    grid_minutes = 30
    round_days = 365
    start_hours = (0, 6)

    def simulate(self, windows: Windows, rng: np.random.Generator) -> Array:
        of, clock, demand = windows.of, windows.clock, windows.of("demand")
        shape = clock.shape
        # temperature, wind, cloud, load, price, imports, frequency
        linked = correlations(7, {(1, 2): 0.3, (0, 2): -0.15, (3, 4): 0.3, (4, 5): 0.3})
        warm, breeze, grey, busy, bid, flow, swing = np.moveaxis(
            noise(rng, shape, 0.5, (40, 16, 10, 9, 5, 6, 0.6), linked), 1, 0
        )
        quick = noise(rng, shape, 0.5, (0.1, 0.1, 0.1, 0.1), np.eye(4))
        effect = self.effects(windows, {}, rng)

        cloud = logistic(0.1 + 1.4 * grey + effect["cloud"])
        height = sun_height(of("latitude"), windows.year_day, clock)
        solar = 0.95 * height**1.15 * (1 - 0.85 * cloud**1.5) * of("solar")
        full = logistic(-0.9 - 0.35 * season_wave(windows) + 1.1 * breeze + effect["wind"]) * of("wind")
        wind = full - effect["ceiling"] * full * (1 + 0.15 * warm)

        season = of("warmth") + of("yearly") * season_wave(windows)
        cycle = (2.2 + 2.5 * (1 - cloud)) * np.cos(2 * np.pi * (clock - 15) / 24)
        temperature = season + 2.4 * warm + cycle + 0.2 * quick[:, 0] + effect["temperature"]

        weekend = windows.week_day >= 5
        resting = np.maximum(effect["rest"], 0.55 * weekend)
        working = np.interp(clock, *_WORKING_DAY, period=24)
        rhythm = working + resting * (np.interp(clock, *_DAY_OFF, period=24) - working)
        felt = temperature.mean(axis=1, keepdims=True) * 0.6 + temperature * 0.4  # buildings are slow
        weathered = of("heating") * np.maximum(0, 15 - felt) + of("cooling") * np.maximum(0, felt - 21)
        load = rhythm * (0.95 + weathered + effect["load"]) + 0.018 * busy + 0.004 * quick[:, 1]

        usual = 0.95 + of("heating") * np.maximum(0, 15 - of("warmth")) - 0.3 * of("wind") - 0.11 * of("solar")
        scarcity = load - wind - solar - usual
        glut = np.maximum(0, -scarcity - 0.32)
        price = (
            of("price") * np.exp(1.35 * np.clip(scarcity, -1, 0.7))
            - 70 * glut
            + 3.5 * bid
            + 1.6 * quick[:, 2]
            + effect["price"]
        )
        imports = of("balance") + 0.38 * scarcity + 0.025 * flow + 0.006 * quick[:, 3] + effect["imports"]
        frequency = 50 + 0.014 * swing + effect["frequency"]

        return np.stack(
            [
                demand * np.maximum(load, 0.1),
                np.clip(price, -500, 3000),
                demand * np.maximum(wind, 0),
                demand * solar,
                demand * imports,
                temperature,
                frequency,
            ],
            axis=1,
        )

    def words(self, windows: Windows, n: int, known: Mapping[str, float]) -> dict[str, str]:
        zone = ZONES[windows.site[n]]
        described = {"region": zone.region}
        if "price_mean" in known:
            described["dear"] = grade(known["price_mean"], (20, 42, 66, 100), _DEAR)
        if "wind_mean" in known:
            described["windy"] = grade(known["wind_mean"] / (zone.wind * zone.demand), (0.1, 0.25, 0.45, 0.65), _WINDY)
        if "load_mean" in known:
            described["loaded"] = grade(known["load_mean"] / zone.demand, (0.88, 1.06, 1.2), _LOADED)
        if "t_mean" in known:
            described["level"] = grade(known["t_mean"], (-2, 5, 12, 19, 25), _LEVELS)
        return described


# hours of the day, and the load as a share of its mean
_WORKING_DAY = (
    [0, 2, 4, 5.5, 7, 8.5, 10, 12, 14, 16, 17.5, 19, 20.5, 22, 23],
    [0.84, 0.78, 0.77, 0.81, 0.97, 1.07, 1.08, 1.08, 1.04, 1.04, 1.10, 1.15, 1.08, 0.98, 0.90],
)
_DAY_OFF = (
    [0, 2, 4, 6, 8, 10, 12, 13, 15, 17, 19, 20.5, 22, 23],
    [0.84, 0.77, 0.74, 0.74, 0.80, 0.92, 1.00, 1.00, 0.92, 0.93, 1.04, 1.02, 0.95, 0.90],
)

_SIMULATOR = _Energy()


def energy(instances: int = 1200, length: int = 48, seed: int = 0) -> tuple[CorpusInfo, Iterator[Record]]:
    """Simulated power grids and markets.

    All windows have `length` steps: of an hour in half of the zones, of half an hour in the others.

    Raises
    ------
    CorpusError
        Fewer instances than zones, or windows that are too short.
    """
    return _SIMULATOR.generate(instances, length, seed)
