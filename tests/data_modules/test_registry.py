"""From names to DataModules."""

from __future__ import annotations

import pytest

from data_modules.config import DataConfig
from data_modules.registry import BUILT_IN, SOURCES, datamodule_class, domain_of
from tests.cli.test_start import HERE, modules_after
from trace_lit.config import ConfigError


def test_the_sources_that_are_listed_are_those_of_the_classes() -> None:
    assert {name: tuple(datamodule_class(DataConfig(domain=name)).sources) for name in BUILT_IN} == SOURCES


def test_the_domain_of_a_source() -> None:
    assert domain_of("truce") == "truce"
    with pytest.raises(ConfigError, match=r"--domain.*'timemmd' is of the domains healthcare, energy, timemmd"):
        domain_of("timemmd")
    with pytest.raises(ConfigError, match=r"no source 'timecp'; did you mean timecap\?"):
        domain_of("timecp")


def test_a_misspelt_source_is_told_before_anything_heavy_is_imported(tmp_path) -> None:
    code = (
        "from trace_lit.cli import main\n"
        f"assert main(['data', 'build', '--source', 'timecp', '--root', {HERE!r}, '--out', 'c']) == 2"
    )
    imported, output = modules_after(code, tmp_path)
    assert "did you mean timecap" in output
    assert not imported & {"torch", "lightning", "transformers"}
