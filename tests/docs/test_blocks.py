"""What README.md and docs/ show is run as it stands, a page in one folder; see `tests.docs.pages` for the marks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.conftest import TIMEOUT, Project
from tests.docs.pages import RUN, SHOWN, Block, blocks, pages

NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*(?:e-?\d+)?")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_a_block_is_run_or_says_why_not(page: Path) -> None:
    for block in blocks(page):
        assert block.language in (*RUN, *SHOWN), f"{block.place}: a block of what language?"
        assert block.skipped is None or len(block.skipped.split()) >= 3, f"{block.place}: why is it not run?"


@pytest.mark.slow
@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_page(page: Path, project: Project) -> None:
    session = None
    for block in blocks(page):
        if block.skipped is not None or block.language in SHOWN:
            continue
        if block.file is not None or block.language == "yaml":
            assert block.file, f"{block.place}: the first line of a YAML block is # NAME.yaml"
            (project.folder / block.file).write_text(block.code, encoding="utf-8")
            continue
        if block.language == "python":
            session = session or project.python()
            printed, failed = session.run(block.code, block.place, TIMEOUT)
        else:
            printed, failed = project.bash(block.code)
        assert not failed, f"{block.place}\n{block.code}\n{failed}"
        _compare(block, printed)
    if session is not None:
        session.close()


def _compare(block: Block, printed: str) -> None:
    """Line by line, any number for any other and any run of blanks for any other; `…` is any text."""
    if block.output is None:
        return
    expected, got = (
        [" ".join(NUMBER.sub("0", line).split()) for line in text.splitlines()] for text in (block.output, printed)
    )
    matched = len(expected) == len(got) and all(
        re.fullmatch(".*".join(map(re.escape, line.split("…"))), other)
        for line, other in zip(expected, got, strict=True)
    )
    assert matched, f"{block.place} says\n{block.output}\nand is\n{printed}"
