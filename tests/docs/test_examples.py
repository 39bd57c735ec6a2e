"""The notebooks of examples/ run from the first cell to the last, in an empty folder."""

from __future__ import annotations

from pathlib import Path

import jupytext
import pytest

from tests.docs.conftest import TIMEOUT, Project
from tests.docs.pages import ROOT

NOTEBOOKS = sorted((ROOT / "examples").glob("*.py"))


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["change_one_thing", "embed_and_search"]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path: Path, project: Project) -> None:
    cells = jupytext.read(path).cells
    assert cells[0].cell_type == "markdown"
    session = project.python()
    for number, cell in enumerate(cells):
        if cell.cell_type == "code":
            _, failed = session.run(cell.source, f"{path.name}, cell {number}", TIMEOUT)
            assert not failed, f"{path.name}\n{cell.source}\n{failed}"
    session.close()
