"""The code blocks of README.md and docs/, in the order in which a reader meets them.

A page may hold, in HTML comments that no reader sees:

<!-- not run: REASON -->   before a block that a test cannot run
<!-- setup … -->           shell commands that run before the next block
<!-- output -->            before a text block: what the block above it prints, where any number stands for any other

A Python or YAML block whose first line is `# NAME` is a file of that name, which later blocks use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
GENERATED = {"config.md", "results.md"}  # by `trace-lit keys`, and from RESULTS.md
RUN = ("python", "bash", "yaml", "setup")
SHOWN = ("text", "toml", "bibtex")  # never run
PART = re.compile(
    r"^<!-- (?P<mark>not run:|setup|output)(?P<note>.*?)-->\n"
    r"|^```(?P<language>\S*)\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
NAMED = re.compile(r"# ([\w-]+\.(?:py|yaml))\n")


@dataclass
class Block:
    """A code block of a page, or the hidden preparation of one."""

    page: Path
    line: int
    language: str
    code: str
    skipped: str | None = None  # why it is not run
    output: str | None = None  # what the page says that it prints

    @property
    def file(self) -> str | None:
        """The name of the file that the block is."""
        named = NAMED.match(self.code)
        return named[1] if named else None

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


def pages() -> list[Path]:
    """All that a reader can read; those of docs/extending/ have a test of their own."""
    docs = ROOT / "docs"
    written = sorted(
        page for page in docs.rglob("*.md") if page.name not in GENERATED and page.parent != docs / "extending"
    )
    return [ROOT / "README.md", *written, ROOT / "CONTRIBUTING.md"]


def blocks(page: Path) -> list[Block]:
    """The blocks of a page.

    Raises
    ------
    ValueError
        A mark stands before nothing that it can be about.
    """
    text = page.read_text(encoding="utf-8")
    found: list[Block] = []
    mark = None
    for part in PART.finditer(text):
        line = text.count("\n", 0, part.start()) + 1
        if part["mark"] == "setup":
            found.append(Block(page, line, "setup", part["note"].strip() + "\n"))
        elif part["mark"]:
            mark = part
        elif mark is not None and mark["mark"] == "output":
            if not found or part["language"] != "text":
                raise ValueError(f"{page.name}:{line}: output must be a text block below the block that prints it")
            found[-1].output, mark = part["code"], None
        else:
            reason = None if mark is None else mark["note"].strip()
            found.append(Block(page, line, part["language"], part["code"], reason))
            mark = None
    if mark is not None:
        raise ValueError(f"{page.name}: the last mark stands before no block")
    return found
