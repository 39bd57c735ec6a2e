"""Completion of commands, options and files in a shell, by shtab."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import shtab


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that completes the commands of `parser` in `shell`; what takes a path completes files and folders."""
    for action in _actions(parser):
        if action.type is Path or action.dest == "words":
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    return shtab.complete(parser, shell)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _actions(below)
