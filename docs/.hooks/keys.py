"""Puts what `trace-lit keys --markdown` prints into the page on the configuration."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from mkdocs.exceptions import PluginError

MARK = "<!-- keys -->"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in the keys.

    Raises
    ------
    PluginError
        The command has failed.
    """
    if page.file.src_uri != "config.md":
        return markdown
    command = [sys.executable, "-m", "trace_lit.cli", "keys", "--markdown"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise PluginError(f"{' '.join(command[1:])} ended with {made.returncode}: {made.stderr.strip()}")
    return markdown.replace(MARK, made.stdout)
