from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from trace_lit.cli import main
from trace_lit.cli.keys import cells, sections
from trace_lit.config import list_keys
from trace_lit.settings import Config, load_config


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["keys", *words]) == 0
    return capsys.readouterr().out


def test_all_keys_are_printed_with_what_they_mean(capsys: pytest.CaptureFixture[str]) -> None:
    output = printed(capsys)
    for key in list_keys(Config):
        assert key.meaning, key.name
        line = next(line for line in output.splitlines() if re.match(rf"{re.escape(key.name)}\s", line))
        assert key.meaning in line
        assert cells(key)[1] in line


def test_one_section(capsys: pytest.CaptureFixture[str]) -> None:
    output = printed(capsys, "alignment")
    assert output.startswith("alignment: Stage 2, TRACE §3.3")
    assert "alignment.heads " in output
    assert "residual, linear" in output
    assert "mining." not in output


@pytest.mark.parametrize("name", ["seed", "mining.in_batch"])
def test_one_key(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    output = printed(capsys, name)
    (key,) = (key for key in list_keys(Config) if re.search(rf"^{re.escape(key.name)}\s", output, re.MULTILINE))
    assert key.name == name
    assert key.meaning in output.splitlines()[-1]


def test_a_section_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "allignment"]) == 2
    assert "no section 'allignment'; did you mean alignment?" in capsys.readouterr().err


def test_markdown_has_a_heading_a_section_and_a_row_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    output = printed(capsys, "--markdown")
    assert re.findall(r"^## (.+)$", output, re.MULTILINE) == ["a run", *(name for name, _ in sections(Config) if name)]
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]*)` \|", output, re.MULTILINE)
    assert [name for name, _ in rows] == [key.name for key in list_keys(Config)]
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 5 for line in output.splitlines() if line.startswith("|"))


def test_the_defaults_that_are_printed_are_those_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "printed.yaml"
    nested: dict[str, Any] = {}
    for key in list_keys(Config):
        section, _, name = key.name.rpartition(".")
        (nested.setdefault(section, {}) if section else nested)[name] = yaml.safe_load(cells(key)[1])
    file.write_text(yaml.safe_dump(nested))
    assert load_config([file]) == load_config()


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("encoder.width", "at least 1"),
        ("encoder.calendar", "true, false"),
        ("alignment.negatives", "at least 1, or null"),
        ("window.augmentation_scales", "a list, each positive"),
        ("rag.splits", "a list, each train, validation, test"),
        ("data.options", "a mapping"),
        ("run.name", "text"),
        ("rag.retriever", "text, or null"),
    ],
)
def test_what_a_key_takes_in_words(name: str, allowed: str) -> None:
    (found,) = (key for key in list_keys(Config) if key.name == name)
    assert cells(found)[2] == allowed
