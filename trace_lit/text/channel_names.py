"""Which channels a text names, where channels have words in common: "feeder 2 load" beside "feeder 1 load".

By vectors such names are nearly one, so that a question about the one would be a question about all. What the words
themselves tell is certain: of channels that share a word with a sentence, one is meant only if no other shares more of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from trace_lit.text.sentences import sentence_pieces

_WORD = re.compile(r"\d+|[^\W\d_]+")  # a letter and a digit are two words, in "L3" as in "L 3"
_TOGETHER = re.compile(r"[-_./]?")  # between the words of "TI-101"
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z][a-z]{2})")  # of "windSpeed"
_LEAST_STEM = 5  # letters that a word has to have to be found at the beginning of a longer one
_JOINING = re.compile("an|the|of|at|in|on|and|or|for|to|by|from|with|is|than|between", re.IGNORECASE)  # of no name
# Words that a question has a use of its own for: of a name they are only beside another of its words.
_MEANINGFUL = re.compile(
    "a|no|not|over|under|above|below|before|after|all|each|other"
    "|high|higher|highest|low|lower|lowest|up|down|total|mean|average|maximum|minimum|max|min|change"
)
CODE = "value"  # stands for a name, once it is known which channel is meant

Evidence = frozenset[tuple[int, int]]  # words of a sentence, from the first to the last, that a name shares


@dataclass(frozen=True)
class Named:
    """A text and the channels that it can be about."""

    text: str  # names in it are replaced where they have a number, like "NO2" or "bed 3", or no other channel can be meant
    meant: tuple[bool, ...]  # (K,) whether each channel can be meant
    coded: bool  # whether names are replaced: they can be found in the text no more


class ChannelNames:
    """The names of K channels.

    Examples
    --------
    >>> names = ChannelNames(["feeder 1 load", "feeder 2 load", "temperature"])
    >>> names.named("the load of feeder 2 fell")
    Named(text='the load of feeder value fell', meant=(False, True, False), coded=True)
    >>> names.named("the load fell on a hot day").meant
    (True, True, True)
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._count = len(names)
        self._with: dict[tuple[str, ...], set[int]] = defaultdict(
            set
        )  # channels by a word, or two that follow one another
        for channel, name in enumerate(names):
            words = [_stem(own.group()) for own in _words(_HUMP.sub(" ", name))]
            for word in words:
                self._with[word,].add(channel)
            for pair in pairwise(words):
                self._with[pair].add(channel)
        self._words = [key[0] for key in self._with if len(key) == 1]

    def __len__(self) -> int:
        return self._count

    def named(self, text: str) -> Named:
        """Which channels a text can be about, sentence by sentence; of one that it shares no word with, nothing is known."""
        if not any(len(own) < self._count for own in self._with.values()):  # nothing tells them apart
            return Named(text, (True,) * self._count, False)
        sharing: set[int] = set()
        best: set[int] = set()
        codes: list[tuple[int, int]] = []
        all_coded = True
        start = 0
        for piece in sentence_pieces(text):
            words = [(start + own.start(), start + own.end()) for own in _words(piece)]
            start += len(piece)
            evidence = self._evidence([_stem(text[slice(*word)]) for word in words])
            kinds = set(evidence.values())
            most = {own for own in kinds if not any(own < other for other in kinds)}
            own_best = {channel for channel, own in evidence.items() if own in most}
            sharing |= evidence.keys()
            best |= own_best
            found = _mentions(text, words, most)
            if len(own_best) > 1 or len(evidence) < self._count:  # its name is to be read, for others may be meant, too
                found = [span for span in found if any(sign.isdigit() for sign in text[slice(*span)])]
            codes += found
            all_coded &= bool(found)
        rest = not codes or not all_coded  # a name that is read no more cannot be told from those that are not there
        meant = tuple(channel in best or (rest and channel not in sharing) for channel in range(self._count))
        for start, end in sorted(codes, reverse=True):
            text = text[:start] + CODE + text[end:]
        return Named(text, meant, bool(codes))

    def _evidence(self, words: Sequence[str]) -> dict[int, Evidence]:
        """What each channel that shares a word with a sentence shares of it."""
        like = [[own for own in self._words if _same(word, own)] for word in words]
        meaningful = [bool(_MEANINGFUL.fullmatch(word)) for word in words]
        found: dict[int, set[tuple[int, int]]] = defaultdict(set)
        for place, own in enumerate(like):
            if len(words[place]) > 1 and not words[place].isdigit() and not meaningful[place]:
                for channel in self._channels((word,) for word in own):
                    found[channel].add((place, place))
            if place + 1 < len(like) and not (meaningful[place] and meaningful[place + 1]):
                for channel in self._channels((word, then) for word in own for then in like[place + 1]):
                    found[channel].add((place, place + 1))
        return {channel: frozenset(own) for channel, own in found.items()}

    def _channels(self, keys: Iterable[tuple[str, ...]]) -> set[int]:
        return set().union(*(self._with.get(key, ()) for key in keys))


def _words(text: str) -> list[re.Match[str]]:
    return [own for own in _WORD.finditer(text) if not _JOINING.fullmatch(own.group())]


def _stem(word: str) -> str:
    word = word.casefold()
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _same(word: str, other: str) -> bool:
    """Whether two words are one, or one is the beginning of the other, as "Midwest" is of "Midwestern"."""
    if word == other:
        return True
    shorter, longer = sorted((word, other), key=len)
    return len(shorter) >= _LEAST_STEM and longer.startswith(shorter)


def _mentions(text: str, words: Sequence[tuple[int, int]], evidence: Iterable[Evidence]) -> list[tuple[int, int]]:
    """Where words that names share stand in a text; what is written together is one."""
    found: list[tuple[int, int]] = []
    for place in sorted({place for own in evidence for span in own for place in span}):
        start, end = words[place]
        if found and _TOGETHER.fullmatch(text[found[-1][1] : start]):
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found
