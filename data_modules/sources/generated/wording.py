"""A small template grammar, for reports in varied wording.

`[a|b|]` stands for one of its alternatives (the last one here is empty) and may be nested, `{name}` for a fact, with a
format as in `str.format`, and `a(n)` for the article that the next word needs. Facts may hold alternatives themselves.
A sentence that names a fact which is not there is left out, so the same pool serves reports with numbers and without.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_CHOICE = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Frame:
    """The sentences of a domain that do not depend on the event."""

    openings: tuple[str, ...]  # where and when
    remarks: tuple[str, ...]  # on the level of one quantity or another
    closings: tuple[str, ...]


@dataclass(frozen=True)
class Account:
    """How one event is described."""

    story: tuple[str, ...]  # what happened, without numbers
    figures: tuple[str, ...]  # the same in numbers
    asides: tuple[str, ...]  # what else was seen


def expand(template: str, rng: random.Random) -> str:
    """`template` with each `[a|b]` replaced by one of its alternatives."""
    while "[" in template:
        template = _CHOICE.sub(lambda found: rng.choice(found[1].split("|")), template)
    return template


def sentences(templates: Sequence[str], facts: Mapping[str, object], rng: random.Random, count: int = 1) -> list[str]:
    """Up to `count` of `templates` in words, fewer when the others need a fact that is not in `facts`."""
    chosen: list[str] = []
    for template in rng.sample(templates, len(templates)):
        if len(chosen) == count:
            break
        try:
            chosen.append(_tidy(expand(expand(template, rng).format_map(facts), rng)))
        except KeyError:
            continue
    return chosen


def report(
    account: Account, frame: Frame, words: Mapping[str, object], numbers: Mapping[str, object], rng: random.Random
) -> str:
    """A report of one to seven sentences; every second one uses `numbers`, the others `words` alone."""
    facts = {**words, **numbers} if rng.random() < 0.55 else words
    body = sentences(account.story, facts, rng) + sentences(account.figures, facts, rng)
    if rng.random() < 0.3:
        body.reverse()
    body += sentences(account.asides, facts, rng, rng.choice((0, 0, 1)))
    body += sentences(frame.remarks, facts, rng, rng.choice((0, 0, 1, 1, 2)))
    body += sentences(frame.closings, facts, rng, rng.choice((0, 0, 0, 1)))
    return " ".join(sentences(frame.openings, facts, rng, rng.choice((0, 1, 1))) + body)


def _tidy(text: str) -> str:
    text = re.sub(r"\ba\(n\) (?=(\w))", lambda found: "an " if found[1].lower() in "aeiou" else "a ", text, flags=re.I)
    text = re.sub(r"\s+(?=[,.;:])", "", re.sub(r"\s+", " ", text)).strip()
    text = re.sub(r"(?<![\w.])-0(?![\w.])", "0", text)
    return text[:1].upper() + text[1:]
