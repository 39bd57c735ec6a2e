"""Varied: random channels of any field, for a model that is to be asked about channels that it has never seen."""

from __future__ import annotations

from typing import ClassVar

from data_modules.domain import DomainDataModule, Source
from data_modules.sources import generated


class VariedDataModule(DomainDataModule):
    """`generated`: a corpus of random channels for each option `number`, without texts."""

    domain = "varied"
    sources: ClassVar[dict[str, Source]] = {"generated": generated.varied}
