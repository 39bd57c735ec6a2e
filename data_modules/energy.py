"""Energy: power grids, and weekly prices of gasoline."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from data_modules.domain import DomainDataModule, Source
from data_modules.sources import generated, timemmd


class EnergyDataModule(DomainDataModule):
    """`generated`: simulated grid zones; `timemmd`: the Energy folder of Time-MMD."""

    domain = "energy"
    sources: ClassVar[dict[str, Source]] = {
        "generated": generated.energy,
        "timemmd": partial(timemmd.series, domain=domain, folder="Energy"),
    }
