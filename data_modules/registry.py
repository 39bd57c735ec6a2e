"""From a domain's name to its DataModule."""

from __future__ import annotations

import importlib
import re
from functools import partial
from typing import TYPE_CHECKING

from data_modules.config import DataConfig
from trace_lit.config import ConfigError, ForeignPath, import_class, is_class_path
from trace_lit.nearest import nearest_name

if TYPE_CHECKING:  # which imports Lightning
    from data_modules.domain import DomainDataModule

BUILT_IN = {
    "weather": "data_modules.weather:WeatherDataModule",
    "healthcare": "data_modules.healthcare:HealthcareDataModule",
    "energy": "data_modules.energy:EnergyDataModule",
    "finance": "data_modules.finance:FinanceDataModule",
    "timemmd": "data_modules.timemmd:TimeMMDDataModule",
    "truce": "data_modules.truce:TruceDataModule",
    "varied": "data_modules.varied:VariedDataModule",
}
SOURCES = {  # of the built-in domains, known without importing their DataModules
    "weather": ("generated", "timecap", "noaa", "trace"),
    "healthcare": ("generated", "timecap", "timemmd"),
    "energy": ("generated", "timemmd"),
    "finance": ("timecap",),
    "timemmd": ("timemmd",),
    "truce": ("truce",),
    "varied": ("generated",),
}
FREE = {"hf": "hub:windows", "csv": "long_csv:series", "tables": "tables:windows"}  # sources for any domain


def domain_of(source: str) -> str:
    """The only domain that has the source.

    Raises
    ------
    ConfigError
        No domain has it, or several have.
    """
    found = [name for name, sources in SOURCES.items() if source in sources]
    if len(found) > 1:
        raise ConfigError(f"name the domain (--domain): the source {source!r} is of the domains {', '.join(found)}")
    if not found:
        known = sorted({*FREE, *(own for sources in SOURCES.values() for own in sources)})
        near = nearest_name(source, known)
        meant = f"; did you mean {near}?" if near else ";"
        raise ConfigError(f"there is no source {source!r}{meant} The sources are {', '.join(known)}")
    return found[0]


def datamodule_class(data: DataConfig) -> type[DomainDataModule]:
    """The class that `data` asks for; corpus folders need no class of their own, whatever domain they are of.

    So a class that a run's file names, and not the user, is looked for only where the corpus is built by it.

    Raises
    ------
    ConfigError
        `data.domain` names no class, or one that is no `DomainDataModule`.
    """
    if is_class_path(data.domain) and not (data.corpus is not None and isinstance(data.domain, ForeignPath)):
        return _class(data.domain)
    if data.corpus is not None:
        return _base()
    if data.source in FREE:
        return _of_any_domain(data.domain, data.source)
    if data.domain not in BUILT_IN:
        raise ConfigError(
            f"data.domain is {data.domain!r}; it must be one of {', '.join(BUILT_IN)}, 'package.module:Class' of a "
            f"DomainDataModule, or any name if data.corpus gives the corpus folder or data.source is {' or '.join(FREE)}"
        )
    return _class(BUILT_IN[data.domain])


def _base() -> type[DomainDataModule]:
    from data_modules.domain import DomainDataModule  # imports Lightning, which takes seconds

    return DomainDataModule


def _class(path: str) -> type[DomainDataModule]:
    return import_class(path, _base(), "data.domain")


def _of_any_domain(domain: str, source: str) -> type[DomainDataModule]:
    """A domain of any name, built by a source that serves all of them."""
    if not re.fullmatch(r"\w[\w.-]*", domain):
        raise ConfigError(f"data.domain is {domain!r}; with data.source={source} it must be a plain name, like rivers")
    module, _, function = FREE[source].partition(":")
    read = getattr(importlib.import_module(f"data_modules.sources.{module}"), function)  # some import much
    sources = {source: partial(read, domain=domain)}
    return type("AnyDomainDataModule", (_base(),), {"domain": domain, "sources": sources})
