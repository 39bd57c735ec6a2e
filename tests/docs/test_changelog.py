"""What is public is on the API page, and has an entry in the changelog."""

from __future__ import annotations

import re

import pytest

import callbacks
import data_modules
import trace_lit
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
NAMES = re.findall(r"^::: [\w.]+\.(\w+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", [*NAMES, *trace_lit.__all__, *callbacks.__all__])
def test_a_public_name_has_an_entry(name: str) -> None:
    assert re.search(rf"`([\w.]+\.)?{name}`", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def test_what_packages_export_is_on_the_page() -> None:
    assert set(data_modules.__all__) <= set(NAMES)
    members = re.search(r"members: \[(.+)\]", PAGE)
    assert members is not None
    assert set(members[1].split(", ")) == {name for name in trace_lit.__all__ if not name.startswith("_")}
