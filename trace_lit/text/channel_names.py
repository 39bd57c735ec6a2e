"""Which channels a text names, where channels have words in common: "feeder 2 load" beside "feeder 1 load".

By vectors such names are nearly one, so that a question about the one would be a question about all. What the words
themselves tell is certain: of channels that share a word with a sentence, one is meant only if no other shares more of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from trace_lit.text.sentences import sentence_pieces

_WORD = re.compile(r"\d+|[^\W\d_]+")  # a letter and a digit are two words, in "L3" as in "L 3"
_TOGETHER = re.compile(r"[-_./ ]?")  # between the words of "TI-101" and "bed 3"
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

    Parameters
    ----------
    names
        What each is called in the corpus.
    everyday
        What else each may be called, like "flu deaths" for influenza deaths.
    parts
        Channels that a plainer name speaks of, too, and that are no plainer ones, like the components of a wind.

    Examples
    --------
    >>> names = ChannelNames(["feeder 1 load", "feeder 2 load", "temperature"])
    >>> names.named("the load of feeder 2 fell")
    Named(text='the load of value fell', meant=(False, True, False), coded=True)
    >>> names.named("the load fell on a hot day").meant
    (True, True, True)
    >>> names = ChannelNames(["influenza deaths", "all deaths"], [["flu deaths"], ["total mortality"]])
    >>> names.named("flu deaths rose").meant
    (True, False)
    """

    def __init__(
        self, names: Sequence[str], everyday: Sequence[Sequence[str]] = (), parts: Container[int] = ()
    ) -> None:
        self._names = [_name_words(name) for name in names]
        self._parts = parts
        self._own = _Words()
        # With synonyms, like "flu deaths"; other everyday names, by their first word, are meant only as they stand.
        self._all = _Words()
        self._phrases: dict[str, dict[tuple[str, ...], set[int]]] = defaultdict(lambda: defaultdict(set))
        for channel, words in enumerate(self._names):
            self._own.add(channel, words)
            self._all.add(channel, words)
        for channel, others in enumerate(everyday):
            for phrase in {tuple(_name_words(name)) for name in others} - {()}:
                if _is_synonym(phrase, self._names[channel]):
                    self._all.add(channel, phrase)
                else:
                    self._phrases[phrase[0]][phrase].add(channel)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def alike(self) -> bool:
        """Whether some have a word in common."""
        return any(len(channels) > 1 for channels in self._own.channels.values())

    def named(self, text: str) -> Named:
        """Which channels a text can be about, sentence by sentence; of one that it shares no word with, nothing is known."""
        if not any(len(own) < len(self) for own in self._all.channels.values()):  # nothing tells them apart
            return Named(text, (True,) * len(self), False)
        sharing: set[int] = set()
        best: set[int] = set()
        codes: list[tuple[int, int]] = []
        all_coded = True
        start = 0
        for piece in sentence_pieces(text):
            words = [(start + own.start(), start + own.end()) for own in _words(piece)]
            start += len(piece)
            stems = [_stem(text[slice(*word)]) for word in words]
            shared, called = self._all.evidence(stems), self._called(stems)
            shared = {own: shared.get(own, frozenset()) | called.get(own, frozenset()) for own in {*shared, *called}}
            sharing |= shared.keys()
            best |= self._plainest(_most(shared))
            evidence = self._own.evidence(stems)
            most = _most(evidence)
            found = _mentions(text, words, most.values())
            if len(most) > 1 or len(evidence) < len(self):  # its name is to be read, for others may be meant, too
                found = [span for span in found if any(sign.isdigit() for sign in text[slice(*span)])]
            codes += found
            all_coded &= bool(found)
        rest = not codes or not all_coded  # a name that is read no more cannot be told from those that are not there
        meant = tuple(channel in best or (rest and channel not in sharing) for channel in range(len(self)))
        for start, end in sorted(codes, reverse=True):
            text = text[:start] + CODE + text[end:]
        return Named(text, meant, bool(codes))

    def _plainest(self, evidence: Mapping[int, Evidence]) -> set[int]:
        """Without those that have all words of another, and more: "temperature" is not that of the dew point."""
        plain: dict[Evidence, set[frozenset[str]]] = defaultdict(set)
        for channel, own in evidence.items():
            if channel not in self._parts:
                plain[own].add(frozenset(self._names[channel]))
        least = {own: min(map(len, names)) for own, names in plain.items()}
        return {
            channel
            for channel, own in evidence.items()
            if channel in self._parts
            or len(words := frozenset(self._names[channel])) == least[own]
            or not any(name < words for name in plain[own])
        }

    def _called(self, words: Sequence[str]) -> dict[int, Evidence]:
        """The same of the everyday names that stand in a sentence."""
        found: dict[int, set[tuple[int, int]]] = defaultdict(set)
        firsts = {word: [own for own in self._phrases if _same(word, own)] for word in words}
        for place, word in enumerate(words):
            for phrase, channels in (
                (phrase, own) for first in firsts[word] for phrase, own in self._phrases[first].items()
            ):
                there = words[place : place + len(phrase)]
                if len(there) < len(phrase) or not all(map(_same, there, phrase)):
                    continue
                spans = {(own, own) for own in range(place, place + len(phrase))}
                spans |= {(own, own + 1) for own in range(place, place + len(phrase) - 1)}
                for channel in channels:
                    found[channel] |= spans
        return {channel: frozenset(own) for channel, own in found.items()}


class _Words:
    """Channels by the words of names."""

    def __init__(self) -> None:
        self.channels: dict[tuple[str, ...], set[int]] = defaultdict(set)  # by a word, or two that follow one another

    def add(self, channel: int, words: Sequence[str]) -> None:
        """A name of a channel."""
        for word in words:
            self.channels[word,].add(channel)
        for pair in pairwise(words):
            self.channels[pair].add(channel)

    def evidence(self, words: Sequence[str]) -> dict[int, Evidence]:
        """What each channel that shares a word with a sentence shares of it."""
        single = [key[0] for key in self.channels if len(key) == 1]
        like = [[own for own in single if _same(word, own)] for word in words]
        meaningful = [bool(_MEANINGFUL.fullmatch(word)) for word in words]
        found: dict[int, set[tuple[int, int]]] = defaultdict(set)
        for place, own in enumerate(like):
            if len(words[place]) > 1 and not words[place].isdigit() and not meaningful[place]:
                for channel in self._of((word,) for word in own):
                    found[channel].add((place, place))
            if place + 1 < len(like) and not (meaningful[place] and meaningful[place + 1]):
                for channel in self._of((word, then) for word in own for then in like[place + 1]):
                    found[channel].add((place, place + 1))
        return {channel: frozenset(own) for channel, own in found.items()}

    def _of(self, keys: Iterable[tuple[str, ...]]) -> set[int]:
        return set().union(*(self.channels.get(key, ()) for key in keys))


def _is_synonym(name: Sequence[str], other: Sequence[str]) -> bool:
    """Whether a name is another in which some words stand for others, but not all."""
    return len(name) == len(other) and any(map(str.__eq__, name, other))


def _most(evidence: Mapping[int, Evidence]) -> dict[int, Evidence]:
    """The channels of which no other has more; of "much pneumonia but little flu", one of both says no more than two do."""
    kinds = set(evidence.values())
    kinds = {own for own in kinds if not _is_of_others(own, kinds)}
    most = {own for own in kinds if not any(own < other for other in kinds)}
    return {channel: own for channel, own in evidence.items() if own in most}


def _is_of_others(evidence: Evidence, kinds: Iterable[Evidence]) -> bool:
    """Whether words stand apart from one another, and wherever some of them stand together, another channel has these."""
    less = [own for own in kinds if own < evidence]
    runs: list[set[tuple[int, int]]] = []
    last = -2
    for span in sorted(evidence):
        if span[0] > last + 1:
            runs.append(set())
        runs[-1].add(span)
        last = max(last, span[1])
    return len(runs) > 1 and all(any(run <= own for own in less) for run in runs)


def _name_words(name: str) -> list[str]:
    return [_stem(own.group()) for own in _words(_HUMP.sub(" ", name))]


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
