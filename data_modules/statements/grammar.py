"""A small grammar of phrases: `(a|b)` is one of both, `[a]` may be left out, `<x>` stands for another phrase.

A phrase is parsed once and then expanded many times. Every choice takes one random number, whatever the number of its
alternatives, so that two phrases of the same form that are expanded from the same seed differ in their words alone:
"the wind rose sharply" and "the wind fell sharply".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

Draw = Callable[[], float]  # a random number of [0, 1)
_TOKEN = re.compile(r"[()\[\]|]|<\w+>|[^()\[\]|<]+|<")


TEXT, SYMBOL, SEQUENCE, CHOICE = range(4)  # kinds of phrases


class Phrase:
    """A parsed phrase: text, a symbol, a sequence of phrases or a choice of them."""

    __slots__ = ("backwards", "kind", "parts", "text")

    def __init__(self, kind: int, text: str = "", parts: tuple[Phrase, ...] = ()) -> None:
        self.kind = kind
        self.text = text
        self.parts = parts
        self.backwards = parts[::-1]

    @property
    def options(self) -> tuple[Phrase, ...]:
        """What it is one of: itself alone, if it is no choice."""
        return self.parts if self.kind == CHOICE else (self,)


Words = Mapping[str, Phrase]  # what the symbols stand for


def literal(text: str) -> Phrase:
    """The text as it is, whatever signs are in it."""
    return Phrase(TEXT, text)


def choice(options: Sequence[Phrase]) -> Phrase:
    """One of the phrases."""
    return options[0] if len(options) == 1 else Phrase(CHOICE, parts=tuple(options))


@cache
def phrase(*alternatives: str) -> Phrase:
    """One of the alternatives, parsed.

    Raises
    ------
    ValueError
        A bracket is not closed, or none was opened.
    """
    return choice([_parsed(text) for text in alternatives])


def _parsed(text: str) -> Phrase:
    tokens = _TOKEN.findall(text)
    found, place = _alternatives(tokens, 0)
    if place != len(tokens):
        raise ValueError(f"{text!r} closes a bracket that was not opened")
    return found


def _alternatives(tokens: Sequence[str], place: int, closing: str = "") -> tuple[Phrase, int]:
    options: list[Phrase] = []
    parts: list[Phrase] = []
    while place < len(tokens) and tokens[place] not in (")", "]"):
        token = tokens[place]
        place += 1
        if token == "|":
            options.append(_sequence(parts))
            parts = []
        elif token in ("(", "["):
            inner, place = _alternatives(tokens, place, ")" if token == "(" else "]")
            parts.append(inner if token == "(" else choice([inner, literal("")]))
        elif token.startswith("<") and len(token) > 1:
            parts.append(Phrase(SYMBOL, token[1:-1]))
        else:
            parts.append(literal(token))
    options.append(_sequence(parts))
    if closing:
        if place == len(tokens) or tokens[place] != closing:
            raise ValueError(f"{''.join(tokens)!r} lacks a {closing!r}")
        place += 1
    return choice(options), place


def _sequence(parts: list[Phrase]) -> Phrase:
    return parts[0] if len(parts) == 1 else Phrase(SEQUENCE, parts=tuple(parts))


def expand(root: Phrase, words: Words, draw: Draw) -> str:
    """The phrase with every choice made, as `tidy` leaves it; KeyError for a symbol that `words` does not have."""
    out: list[str] = []
    stack = [root]
    pop, push = stack.pop, stack.append
    while stack:
        top = pop()
        kind = top.kind
        while kind in (CHOICE, SYMBOL):
            if kind == CHOICE:
                parts = top.parts
                top = parts[int(draw() * len(parts))]
            else:
                top = words[top.text]
            kind = top.kind
        if kind == TEXT:
            out.append(top.text)
        else:
            for part in top.backwards:
                push(part)
    return tidy("".join(out))


def tidy(text: str) -> str:
    """Without the spaces that parts left out leave behind."""
    text = " ".join(text.split())
    return text.replace(" ,", ",").replace(" ?", "?") if " ," in text or " ?" in text else text
