"""The pages of docs/extending, word for word: their Python becomes a module of the reader's own, their commands run."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.docs.pages import blocks as all_blocks
from trace_lit.cli import main
from trace_lit.settings import load_config

PAGES = sorted((Path(__file__).parents[2] / "docs" / "extending").glob("*.md"))
COMMANDS = {"data", "fit", "evaluate", "search"}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_words: tuple[str, ...], tiny_corpus: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "corpora").mkdir()
    if page.stem != "index":  # which builds it
        (tmp_path / "corpora" / "weather").symlink_to(tiny_corpus)
    modules = []
    for code in (code for own in (PAGES if page.stem == "index" else [page]) for code in blocks(own, "python")):
        name = code.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(code, encoding="utf-8")
        modules.append(Path(name).stem)
    for text in blocks(page, "yaml"):
        if text.startswith("# "):
            (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text, encoding="utf-8")
    lines = [line for block in blocks(page, "bash") for line in block.replace("\\\n", " ").splitlines()]
    assert lines
    try:
        for line in lines:
            program, command, *words = shlex.split(line)
            assert program == "trace-lit"
            assert command in COMMANDS
            assert main([command, *(tiny_words if command == "fit" else []), *words]) == 0, line
    finally:
        for name in modules:
            sys.modules.pop(name, None)


def test_every_page_has_something_to_run() -> None:
    assert len(PAGES) == 10
    assert all(blocks(page, "bash") for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_block_is_left_out(page: Path, tmp_path: Path) -> None:
    """Commands are run, Python is imported by them, and YAML is a file that one of them takes or a part of such a file."""
    run = "".join(blocks(page, "bash"))
    for block in all_blocks(page):
        assert block.language in ("bash", "python", "yaml"), block.place
        assert block.skipped is None, block.place
        if block.language == "python":
            assert block.file, f"{block.place}: the first line of a Python block is # NAME.py"
            assert f"{Path(block.file).stem}:" in run, f"{block.place}: no command names {block.file}"
        elif block.language == "yaml" and block.file:
            assert f" {block.file}" in run, f"{block.place}: no command takes {block.file}"
        elif block.language == "yaml":
            (tmp_path / "part.yaml").write_text(block.code, encoding="utf-8")
            load_config([tmp_path / "part.yaml"])
