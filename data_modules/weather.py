"""Weather: hourly observations and reports on them."""

from __future__ import annotations

from typing import ClassVar

from data_modules.domain import DomainDataModule, Source
from data_modules.sources import generated, timecap


class WeatherDataModule(DomainDataModule):
    """`generated`: simulated stations; `timecap`: the cities of TimeCAP (option `cities`, by default all found)."""

    domain = "weather"
    sources: ClassVar[dict[str, Source]] = {"generated": generated.weather, "timecap": timecap.weather}
