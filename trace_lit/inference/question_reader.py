"""Questions as vectors, clause by clause where the clauses are about different channels.

"Warm, but with low humidity" is about two channels. Read as one sentence, the words of each clause also change the vector of
the other channel. So each clause is also read as a text of its own, and the clauses and the whole count alike. Clauses about
one channel, like "rose and then fell", stay together, and so do those that have their subject from the one before: alone,
"then rose again" would be about any channel.

Channels whose names have words in common are told apart by the words themselves, see `trace_lit.text.channel_names`: what a
text would say of a channel that it cannot mean is silenced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from data_modules.flows import component
from data_modules.text_table import TextTable, text_table
from trace_lit.alignment import SearchSpace
from trace_lit.channels import Channel
from trace_lit.config import ConfigError
from trace_lit.escapes import is_whole
from trace_lit.inference.query_parts import text_clauses
from trace_lit.retrieval import QueryParts, evaluation_mode
from trace_lit.text import TextEncoder, sentences
from trace_lit.text.channel_names import ChannelNames, Named
from trace_lit.text.clauses import clauses

LEAST_VOICE = 0.1  # of the channel that a clause says most of; one that says less speaks of none
MOST_EVERYDAY = 500  # channels: each is looked for in the names of all others
_TOWARDS = re.compile(r"\b(north|south|east|west)\w*", re.IGNORECASE)  # of "northward wind"
_AT_ONCE = 2**15  # pieces of texts that are read together


@dataclass(frozen=True)
class QuestionReader:
    """What turns questions into vectors of `space`.

    Parameters
    ----------
    encoder, unit
        How the model reads texts: by "token", "sentence" or "document".
    device
        Of the model.
    """

    space: SearchSpace
    encoder: TextEncoder
    unit: str
    device: torch.device | str = "cpu"

    def vectors(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (N, E) of N questions, on the CPU; ConfigError where one is no text that can be encoded."""
        for text in texts:
            if not is_whole(text):
                raise ConfigError(f"the text {text[:100]!r} has half a character; write it in UTF-8")
        parts = self.parts(texts)
        place = {part: number for number, part in enumerate(dict.fromkeys(part for own in parts for part in own))}
        read = self._read(list(place))
        owner = torch.tensor([number for number, own in enumerate(parts) for _ in own], dtype=torch.int64)
        taken = torch.tensor([place[part] for own in parts for part in own], dtype=torch.int64)
        summed = torch.zeros(len(texts), read.shape[1]).index_add_(0, owner, read[taken])
        return F.normalize(summed, dim=1)

    def parts(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """What each question is read as: the whole, and its parts where clauses speak of different channels."""
        return [(text, *(part for part, _ in own)) for text, own in zip(texts, self._groups(texts), strict=True)]

    def taken_apart(self, text: str) -> QueryParts:
        """The vector of a question by its clauses and by the whole and the channels, for the explanation of its hits."""
        (groups,) = self._groups([text])
        names, vectors = self._by_clause(text)
        if groups and len(names) != sum(count for _, count in groups):  # a clause without a word that is known
            names, vectors = (text.strip(),), vectors.sum(0, keepdim=True)
        first = 0
        for part, count in groups:
            own_names, own = self._by_clause(part)
            if len(own_names) == count and len(names) > 1:
                vectors[first : first + count] += own
            else:
                vectors[first] += own.sum(0)
            first += count if len(names) > 1 else 0
        vectors = vectors / vectors.sum(0).norm().clamp(min=1e-12)
        return QueryParts(vectors.numpy(), self.space.part_keys, names)

    def _by_clause(self, text: str) -> tuple[tuple[str, ...], Tensor]:
        """The clauses of a text that is read as a whole, and its unit vector taken apart (G, P, d)."""
        own, _ = text_clauses(text, self.encoder, self.unit)
        named = self._named(text)
        names, numbers = text_clauses(named.text, self.encoder, self.unit)
        own = own if len(own) == len(names) else names
        table = self._table([named.text])
        pieces = table.look_up(table.numbers([named.text]))[0][0]
        heard = self._heard([named])
        vectors = torch.zeros(len(names), heard.shape[1], self.space.width // heard.shape[1])
        for space, rows, parts in self._spaces([named]):
            if len(rows):
                with evaluation_mode(space):
                    vectors[:, parts] = space.explain(pieces.to(self.device), numbers.to(self.device)).float().cpu()
        vectors = vectors * heard.unsqueeze(-1)
        return own, vectors / vectors.sum(0).norm().clamp(min=1e-12)

    def _groups(self, texts: Sequence[str]) -> list[tuple[tuple[str, int], ...]]:
        """The parts of each question that speak of different channels, and of how many clauses each is; none, or several."""
        cut = {text: _cut(text) for text in dict.fromkeys(texts)}
        many = {text: own for text, own in cut.items() if len(own) > 1}
        if not many or not self.space.model.has_voice:
            return [()] * len(texts)
        spoken = self._spoken(many)
        found = {text: _grouped(own, spoken[text]) for text, own in many.items()}
        return [found.get(text, ()) for text in texts]

    def _spoken(self, cut: Mapping[str, Sequence[str]]) -> dict[str, list[int | None]]:
        """The place of the channel that each clause of a text says most of; None where it hardly speaks of one.

        Of a clause that tells no channels apart, like "then rose again", it must be one that the whole text speaks of.
        """
        clauses_of_all = (clause for own in cut.values() for clause in own)
        named = {text: self._named(text) for text in (*cut, *clauses_of_all)}
        voices = self._voices(named)
        spoken: dict[str, list[int | None]] = {text: [] for text in cut}
        for text, own in cut.items():
            for clause in own:
                meant, voice = named[clause].meant, voices[clause]
                if all(meant):
                    voice = voice * (voices[text] >= LEAST_VOICE)
                much, channel = voice.max(0)
                heard = int(channel) if much >= LEAST_VOICE else None
                spoken[text].append(meant.index(True) if named[clause].coded else heard)
        return spoken

    def _voices(self, named: Mapping[str, Named]) -> dict[str, Tensor]:
        """How much each text says of the channels (K,)."""
        own = list(named.values())
        texts = [one.text for one in own]
        table = self._table(texts)
        found = torch.zeros(len(own), len(self._names))
        for places, vectors, mask in table.batches(table.numbers(texts), _AT_ONCE):
            with evaluation_mode(self.space):
                found[places] = self.space.voice(vectors.to(self.device), mask.to(self.device)).float().cpu()
        return dict(zip(named, found * self._heard(own)[:, 1:], strict=True))

    def _read(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (N, E) of texts as wholes."""
        named = [self._named(text) for text in texts]
        table = self._table(own.text for own in named)
        heard = self._heard(named)  # (N, 1 + K)
        read = torch.zeros(*heard.shape, self.space.width // heard.shape[1])
        for space, rows, parts in self._spaces(named):
            numbers = table.numbers([named[row].text for row in rows.tolist()])
            for places, vectors, mask in table.batches(numbers, _AT_ONCE):
                with evaluation_mode(space):
                    own = space.embed_text(vectors.to(self.device), mask.to(self.device)).float().cpu()
                read[rows[places].unsqueeze(1), parts] = own.view(len(own), len(parts), -1)
        return F.normalize((read * heard.unsqueeze(-1)).flatten(1), dim=1)

    def _spaces(self, named: Sequence[Named]) -> Iterator[tuple[SearchSpace, Tensor, Tensor]]:
        """In which spaces N texts are read: the space, which of the texts (n,), and its parts' places among the 1 + K.

        Where names are replaced in a text, each channel that it means is taken for the only one there is.
        """
        coded = torch.tensor([own.coded for own in named], dtype=torch.bool)
        heard = self._heard(named)
        yield self.space, (~coded).nonzero().squeeze(1), torch.arange(heard.shape[1])
        for channel in (coded.unsqueeze(1) & (heard[:, 1:] > 0)).any(0).nonzero().squeeze(1).tolist():
            rows = (coded & (heard[:, 1 + channel] > 0)).nonzero().squeeze(1)
            yield self._only(channel), rows, torch.tensor([0, 1 + channel])

    def _only(self, channel: int) -> SearchSpace:
        key = self.space.part_keys[1 + channel]
        assert key is not None
        return SearchSpace(self.space.model, [Channel.of_key(key)])

    @cached_property
    def _names(self) -> ChannelNames:
        """Of the channels that count by themselves and of which a text may be silent."""
        keys = self.space.part_keys[1:] if self.space.model.has_voice else ()
        return names_of(tuple(Channel.of_key(key) for key in keys if key is not None))

    def _named(self, text: str) -> Named:
        return self._names.named(text)

    def _heard(self, named: Sequence[Named]) -> Tensor:
        """(N, 1 + K) 1 for the whole and for the channels that N texts can be about, 0 for the others."""
        if not len(self._names):
            return torch.ones(len(named), len(self.space.part_keys))
        meant = torch.tensor([own.meant for own in named], dtype=torch.float32).view(len(named), len(self._names))
        return F.pad(meant, (1, 0), value=1.0)

    def _table(self, texts: Iterable[str]) -> TextTable:
        return text_table(texts, self.encoder, self.unit, kind="query")


@lru_cache(maxsize=16)  # asked for with each question
def names_of(channels: tuple[Channel, ...]) -> ChannelNames:
    """The names of channels, and where these are alike the everyday ones, of at most `MOST_EVERYDAY` channels.

    The components of a flow have neither everyday names nor directions in them: a north wind is not one of "northward wind"
    alone.
    """
    parts = {place for place, channel in enumerate(channels) if component(channel)}
    names = [
        _TOWARDS.sub("", channel.name) if place in parts else channel.name for place, channel in enumerate(channels)
    ]
    found = ChannelNames(names)
    if not found.alike or len(channels) > MOST_EVERYDAY:
        return found
    from data_modules.statements.words import everyday_names

    everyday = [[] if place in parts else own for place, own in enumerate(everyday_names(channels))]
    return ChannelNames(names, everyday, parts)


def _cut(text: str) -> list[str]:
    """The clauses of a text of one sentence; of several sentences, each of which is read alone, the text itself."""
    if len(sentences(text)) > 1:
        return [text]
    return [text[start:end] for start, end in clauses(text)]


def _grouped(own: Sequence[str], spoken: Sequence[int | None]) -> tuple[tuple[str, int], ...]:
    """Clauses (with the spaces around them) that follow one another put together, but where the channel changes."""
    groups: list[list[str]] = []
    channel: int | None = None
    for clause, new in zip(own, spoken, strict=True):
        if groups and (new is None or channel is None or new == channel):
            groups[-1].append(clause)
            channel = new if channel is None else channel
        else:
            groups.append([clause])
            channel = new
    return tuple(("".join(group).strip().rstrip(",;:"), len(group)) for group in groups) if len(groups) > 1 else ()
