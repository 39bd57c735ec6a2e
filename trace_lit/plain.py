"""Plain files that others may have written: YAML and JSON, read within bounds and written strictly; and plain names.

A few hundred bytes of YAML can stand for more than any memory holds. So what a text would become is counted before it is
built.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from trace_lit.errors import InputError

MEBIBYTE = 2**20
YAML_BYTES = 2 * MEBIBYTE
JSON_BYTES = 16 * MEBIBYTE
NODES = 200_000  # of a YAML file, with what its aliases stand for
DEPTH = 50
DIGITS = 20  # of a whole number: of longer ones, many may have one hash, and such keys take the square of their number
_NUMBER = re.compile(r"[-+]?[\d_]+|[-+]?0b[01_]+|[-+]?0o[0-7_]+|[-+]?0x[\da-fA-F_]+|[-+]?[\d_]+(:[\d_]+)+")
_NAME = re.compile(r"\w[\w. :+=@,()'-]*")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STEERING = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")  # what JSON itself does not escape


class PlainError(InputError):
    """A file is not what it should be; the message does not name it."""


def parse_yaml(text: str) -> Any:
    """What the YAML `text` holds, in plain types.

    Raises
    ------
    PlainError
        It is no YAML, or stands for more than the bounds of this module.
    """
    check_yaml(text)
    try:
        return yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise PlainError(_in_one_line(error)) from None
    except (
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:  # a date that is none, a key that cannot be one
        raise PlainError(f"it has a value that is none: {error}") from None


def check_yaml(text: str) -> None:
    """Raise PlainError where the YAML `text` is none, or stands for more than the bounds of this module."""
    if len(text) > YAML_BYTES:
        raise PlainError(f"it has {len(text):,} characters; {YAML_BYTES:,} are allowed")
    if unreadable := next((letter for letter in text if "\ud800" <= letter <= "\udfff"), None):
        raise PlainError(f"the character {unreadable!r} is none")
    sizes: dict[str, int] = {}  # nodes below each anchor
    open_nodes: list[tuple[str | None, int]] = []  # anchor, and the count when it began
    count = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.AliasEvent):
                if event.anchor not in sizes:
                    raise PlainError(f"the alias *{event.anchor} stands for nothing, or for itself")
                count += sizes[event.anchor]
            elif isinstance(event, yaml.ScalarEvent):
                count += 1
                number = event.implicit[0] or event.tag not in (None, "tag:yaml.org,2002:str")
                if number and len(event.value) > DIGITS and _NUMBER.fullmatch(event.value):
                    raise PlainError(f"it has a number of {len(event.value):,} digits; {DIGITS} are allowed")
                if event.anchor is not None:
                    sizes[event.anchor] = 1
            elif isinstance(event, yaml.CollectionStartEvent):
                count += 1
                open_nodes.append((event.anchor, count))
                if len(open_nodes) > DEPTH:
                    raise PlainError(f"it is nested deeper than {DEPTH} levels")
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, began = open_nodes.pop()
                if anchor is not None:
                    sizes[anchor] = count - began + 1
            if count > NODES:
                raise PlainError(f"it stands for more than {NODES:,} values, counting what its aliases stand for")
    except yaml.YAMLError as error:
        raise PlainError(_in_one_line(error)) from None


def read_text(path: Path, limit: int = YAML_BYTES) -> str:
    """The text of the file `path`, which may have `limit` bytes.

    Raises
    ------
    PlainError
        It is longer, no UTF-8, or a named pipe.
    OSError
        It cannot be read.
    """
    if stat.S_ISFIFO(path.stat().st_mode) and path.parent != Path(
        "/dev/fd"
    ):  # of somebody else's folder: it never ends
        raise PlainError("it is a pipe, no file")
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise PlainError(f"it has {path.stat().st_size:,} bytes; {limit:,} are allowed")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PlainError(f"it is not UTF-8 text: {error}") from None


def read_yaml(path: Path) -> Any:
    """What the YAML file `path` holds; PlainError and OSError as `parse_yaml` and `read_text`."""
    return parse_yaml(read_text(path))


def read_json(path: Path) -> Any:
    """What the JSON file `path` holds; PlainError as `read_text`, or where it is no JSON."""
    text = read_text(path, JSON_BYTES)
    try:
        content = json.loads(text)
    except RecursionError:
        raise PlainError("it is nested too deep") from None
    except ValueError as error:
        raise PlainError(str(error)) from None
    check_nesting(content)
    return content


def check_nesting(content: Any, most: int | None = None) -> None:
    """Raise PlainError where lists and mappings are nested deeper than `DEPTH`, or have more than `most` values in all.

    What stands in several places counts in each of them.
    """
    waiting, count = [(content, 1)], 0
    while waiting:
        node, depth = waiting.pop()
        inner = node.values() if isinstance(node, Mapping) else node
        if not isinstance(node, (Mapping, list, tuple, set, frozenset)) or not inner:
            continue
        count += len(inner)
        if depth > DEPTH:
            raise PlainError(f"it is nested deeper than {DEPTH} levels")
        if most is not None and count > most:
            raise PlainError(
                f"it has more than {most:,} values, counting what stands in several places in each of them"
            )
        waiting += [(own, depth + 1) for own in inner if isinstance(own, (Mapping, list, tuple, set, frozenset))]


def to_json(content: Any, indent: int | None = 2, **options: Any) -> str:
    """`content` as strict JSON: a number that is not finite is null, and no character steers a terminal."""
    text = json.dumps(_finite(content), indent=indent, ensure_ascii=False, allow_nan=False, **options)
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _finite(content: Any) -> Any:
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return content


def at_home(place: str | Path) -> Path:
    """`place`, where ~ is the home folder; the ~user of somebody who is not there stays, as in a shell."""
    return Path(os.path.expanduser(place))


def check_file(path: Path) -> None:
    """Raise OSError where `path` is there and is no file: a pipe or a device in somebody else's folder never ends."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is a folder, a pipe or a device, and no file", str(path))


def is_plain_name(name: Any) -> bool:
    """Whether `name` may be that of a file or folder: it is one part of a path, and begins with a letter or digit."""
    return (
        isinstance(name, str)
        and _NAME.fullmatch(name) is not None
        and len(name.encode()) <= 200
        and not name.endswith((".", " "))
    )


def _in_one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{what}" + ("" if mark is None else f" (line {mark.line + 1})")
