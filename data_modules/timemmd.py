"""Any domain of Time-MMD, by the name of its folder."""

from __future__ import annotations

from typing import ClassVar

from data_modules.domain import DomainDataModule, Source
from data_modules.sources import timemmd


class TimeMMDDataModule(DomainDataModule):
    """`timemmd` with the options `folder` and `domain`, such as Traffic and traffic."""

    domain = "timemmd"
    sources: ClassVar[dict[str, Source]] = {"timemmd": timemmd.series}
