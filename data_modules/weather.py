"""Weather: observations, and reports on them."""

from __future__ import annotations

from typing import ClassVar

from data_modules.domain import DomainDataModule, Source
from data_modules.sources import generated, timecap, trace
from data_modules.sources.noaa import source as noaa


class WeatherDataModule(DomainDataModule):
    """`generated`: simulated stations; `timecap`: the cities of TimeCAP (options `cities`, by default all found, and
    `events`); `noaa`: stations of NOAA with Storm Events; `trace`: the data set of the TRACE paper.
    """

    domain = "weather"
    sources: ClassVar[dict[str, Source]] = {
        "generated": generated.weather,
        "timecap": timecap.weather,
        "noaa": noaa.weather,
        "trace": trace.weather,
    }
