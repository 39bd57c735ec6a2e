"""Short series with captions that people wrote."""

from __future__ import annotations

from typing import ClassVar

from data_modules.domain import DomainDataModule, Source
from data_modules.sources import truce


class TruceDataModule(DomainDataModule):
    """`truce`: the synthetic or the stock part of TRUCE (options `part`, `captions`)."""

    domain = "truce"
    sources: ClassVar[dict[str, Source]] = {"truce": truce.series}
