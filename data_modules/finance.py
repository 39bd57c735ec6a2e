"""Finance: daily figures of markets, and reports on them."""

from __future__ import annotations

from typing import ClassVar

from data_modules.domain import DomainDataModule, Source
from data_modules.sources import timecap_finance


class FinanceDataModule(DomainDataModule):
    """`timecap`: the finance tables of TimeCAP (option `tables`, by default all found)."""

    domain = "finance"
    sources: ClassVar[dict[str, Source]] = {"timecap": timecap_finance.finance}
