r"""Text from data, shown as text: in a terminal, in a line, in a Markdown table.

Ids, texts, labels and names come from data, which may hold characters that steer a terminal, end a line or a cell, or are
markup. They are written out here, like `\x1b`.
"""

from __future__ import annotations

import re
import sys
from typing import TextIO

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_BREAKING = {"\n": r"\n", "\t": r"\t"}
_MARKUP = re.compile(r"[|`*<>~]|\\(?=[^\w\s])|(?<!\w)_|_(?!\w)|\](?=[(\[])|^(?=[#+-] )")


def shown(text: str) -> str:
    """`text` with the characters that steer a terminal written out; line ends and tabs stay."""
    return _STEERING.sub(lambda found: _code(ord(found[0])), text)


def one_line(text: str) -> str:
    """`text` in one line, without tabs: a cell, an id, a label."""
    return re.sub("[\n\t]", lambda found: _BREAKING[found[0]], shown(text))


def markdown(text: str) -> str:
    """`text` as a cell of a Markdown table, where it is no markup."""
    return _MARKUP.sub(lambda found: f"\\{found[0]}", one_line(text))


def is_whole(text: str) -> bool:
    """Whether a text can be encoded: half a character comes of JSON's escapes, or of a shell's bytes that are no UTF-8."""
    return text.isascii() or not re.search("[\ud800-\udfff]", text)


def say(text: object = "", end: str = "\n", file: TextIO | None = None, flush: bool = False) -> None:
    """Print `text` as it is shown, on the standard output unless another `file` is given."""
    out = sys.stdout if file is None else file
    words = shown(str(text))
    encoding = getattr(out, "encoding", None) or "utf-8"
    print(words.encode(encoding, "backslashreplace").decode(encoding), end=end, file=out, flush=flush)


def _code(number: int) -> str:
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
