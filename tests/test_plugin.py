"""The new domain of docs/plugins.md, word for word: a module of the reader's own, through both stages to a search."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from data_modules import Corpus
from trace_lit.cli import main
from trace_lit.inference import evaluate_run

PAGE = Path(__file__).parents[1] / "docs" / "plugins.md"


def block(language: str) -> str:
    """The part of README between the markers that is in `language`."""
    section = re.search(r"<!-- plugin -->\n(.*?)<!-- /plugin -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert section, "docs/plugins.md shows a new domain between <!-- plugin --> and <!-- /plugin -->"
    found = re.search(rf"```{language}\n(.*?)```", section[1], re.DOTALL)
    assert found
    return found[1]


def test_it_takes_less_than_40_lines() -> None:
    assert len(block("python").splitlines()) < 40


@pytest.mark.slow
def test_a_new_domain_as_the_page_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    code = block("python")
    name = code.splitlines()[0].removeprefix("# ")
    (tmp_path / name).write_text(code, encoding="utf-8")
    commands = [shlex.split(line) for line in block("bash").replace("\\\n", " ").splitlines()]
    assert [command[:2] for command in commands] == [["trace-lit", job] for job in ("fit", "fit", "search")]
    private = [word for word in tiny_words if word.startswith("text.cache_dir=")]
    try:
        for _, job, *words in commands:
            assert main([job, *words, *(private if job == "fit" else [])]) == 0
    finally:
        sys.modules.pop(Path(name).stem, None)
    output = capsys.readouterr().out

    (folder,) = (path for path in (tmp_path / "corpora").iterdir() if path.is_dir())
    corpus = Corpus.load(folder)
    assert len(set(corpus.lengths)) > 1
    run = tmp_path / "runs" / corpus.info.domain / "align" / "default"
    assert evaluate_run(run, corpus=folder, bootstrap=0)["test/text_to_series/label/P@1"] > 0.8
    hits = [line for line in output.splitlines() if re.match(r"\d\. ", line)]
    assert len(hits) == 5
    assert sum(line.endswith("flood") for line in hits) >= 4
    assert list(tmp_path.glob("*.png"))
