"""Healthcare: vital signs of patients, and weekly figures of influenza."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from data_modules.domain import DomainDataModule, Source
from data_modules.sources import generated, timecap, timemmd


class HealthcareDataModule(DomainDataModule):
    """`generated`: simulated hospital beds; `timecap`: tables of TimeCAP (option `tables`, by default all found);
    `timemmd`: a health folder of Time-MMD (option `folder`).
    """

    domain = "healthcare"
    sources: ClassVar[dict[str, Source]] = {
        "generated": generated.healthcare,
        "timecap": timecap.healthcare,
        "timemmd": partial(timemmd.series, domain=domain, folder="Health_US"),
    }
