"""Questions written without sight of those of the package: experiments/RESULTS.md has what is measured by them.

trace-lit evaluate RUN --questions tests/questions/weather.yaml --part test
"""

from __future__ import annotations

from pathlib import Path

import pytest

from trace_lit.retrieval.questions import load_questions

FILES = sorted(Path(__file__).parent.glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_is_asked_in_three_ways_that_hardly_any_other_has(file: Path) -> None:
    fresh, own = load_questions(str(file)), load_questions(file.stem.removesuffix("-a"))
    wordings = [wording.lower() for question in fresh for wording in question.wordings]
    assert len(wordings) == len(set(wordings)) == 3 * len(fresh) >= 120
    common = {wording.lower() for question in own for wording in question.wordings} & set(wordings)
    assert len(common) <= 0.02 * len(wordings), common
