"""The container files name what there is, and commands that the program knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from trace_lit import __version__
from trace_lit.cli import build_parser

ROOT = Path(__file__).parents[2]
CONTAINER = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))


def test_the_image_is_made_of_what_there_is() -> None:
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for line in re.findall(r"^COPY (?!--)(.*)$", CONTAINER, re.MULTILINE) for word in line.split()[:-1]}
    assert copied == admitted
    assert all((ROOT / name).exists() for name in copied)
    command = re.search(r"^CMD (\[.*\])$", CONTAINER, re.MULTILINE)
    assert command is not None
    build_parser().parse_args(yaml.safe_load(command[1]))


@pytest.mark.parametrize("name", ["trace-lit", "build-index"])
def test_the_commands_of_the_services_are_known(name: str) -> None:
    service = COMPOSE["services"][name]
    words = [re.sub(r"\$\{\w+:-(.*?)\}", r"\1", word) for word in service["command"]]
    build_parser().parse_args(words)
    assert service["image"] == f"trace-lit:{__version__}"
    mounted = {volume.split(":")[0] for own in COMPOSE["services"].values() for volume in own.get("volumes", [])}
    assert set(COMPOSE["volumes"]) == {volume for volume in mounted if volume.isalpha()}


def test_only_this_machine_reaches_the_service() -> None:
    published = [port for own in COMPOSE["services"].values() for port in own.get("ports", [])]
    assert published == ["127.0.0.1:8000:8000"]
