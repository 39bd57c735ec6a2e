"""`trace-lit keys`: all keys of a configuration, with their defaults, allowed values and meaning."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trace_lit.cli.tables import markdown_row, paragraph, print_table

if TYPE_CHECKING:
    from trace_lit.config import Key

HEADER = ("key", "default", "allowed", "meaning")
TOP = "a run"  # the heading of the keys that are in no section
KINDS = {"int": "a whole number", "float": "a number", "bool": "true, false", "str": "text"}


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    keys = jobs.add_parser("keys", help="all keys of a configuration: default, allowed values, meaning")
    keys.add_argument(
        "section", nargs="?", metavar="SECTION", help="only this section, like encoder, or key, like seed"
    )
    keys.add_argument("--markdown", action="store_true", help="print Markdown, with a heading for each section")
    keys.set_defaults(job=run)


def run(options: argparse.Namespace) -> int:
    """Print the keys, a table a section."""
    from trace_lit.config import list_keys
    from trace_lit.settings import Config

    keys = list(list_keys(Config))
    parts = [part for part in sections(Config) if options.section in (None, part[0])]
    if one := [key for key in keys if key.name == options.section]:
        keys, parts = one, [part for part in sections(Config) if part[0] == options.section.rpartition(".")[0]]
    if not parts:
        raise _unknown(options.section, [name for name, _ in sections(Config) if name])
    for number, (name, meaning) in enumerate(parts):
        rows = [cells(key) for key in keys if key.name.rpartition(".")[0] == name]
        if options.markdown:
            print(f"## {name or TOP}\n\n{meaning}\n\n{markdown_row(HEADER)}\n{markdown_row(['---'] * len(HEADER))}")
            print("\n".join(markdown_row([f"`{row[0]}`", f"`{row[1]}`", *row[2:]]) for row in rows), end="\n\n")
        else:
            print("\n" * bool(number) + paragraph(f"{name or TOP}: {meaning}"))
            print_table(HEADER, rows)
    return 0


def sections(schema: type, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The sections of a configuration, the one of the keys in no section first: name and docstring."""
    import dataclasses
    import inspect
    from typing import get_type_hints

    yield prefix, inspect.getdoc(schema) or ""
    hints = get_type_hints(schema)
    for field in dataclasses.fields(schema):
        if dataclasses.is_dataclass(kind := hints[field.name]):
            assert isinstance(kind, type)
            yield from sections(kind, f"{prefix}.{field.name}".lstrip("."))


def cells(key: Key) -> tuple[str, str, str, str]:
    """What is shown of a key."""
    return key.name, _word(key.default), _allowed(key), key.meaning


def _word(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str)


def _allowed(key: Key) -> str:
    """The allowed values or bounds, or what follows from the key's type; null where it may be."""
    kinds = re.split(r" \| ", key.kind)
    listed = re.fullmatch(r"(?:list|tuple)\[(\w+).*\]", kinds[0])
    allowed = key.allowed.replace(" and finite", "")
    words = allowed or ("a list" if listed else KINDS.get(kinds[0], ""))
    if listed:
        each = allowed or KINDS.get(listed[1], "")
        words = f"a list, each {each}" if each else "a list"
    if kinds[0].startswith("dict"):
        words = "a mapping"
    return f"{words}, or null" if words and "None" in kinds else words


def _unknown(section: str, names: list[str]) -> Exception:
    from difflib import get_close_matches

    from trace_lit.config import ConfigError

    near = get_close_matches(section.partition(".")[0], names, n=1, cutoff=0.0)
    return ConfigError(f"no section {section!r}; did you mean {near[0]}? The sections are {', '.join(names)}")
