"""Questions as vectors, clause by clause where the clauses are about different channels.

"Warm, but with low humidity" is about two channels. Read as one sentence, the words of each clause also change the vector of
the other channel. So each clause is also read as a text of its own, and the clauses and the whole count alike. Clauses about
one channel, like "rose and then fell", stay together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from data_modules.text_table import TextTable, text_table
from trace_lit.alignment import SearchSpace
from trace_lit.inference.query_parts import text_clauses
from trace_lit.retrieval import QueryParts, evaluation_mode
from trace_lit.text import TextEncoder, sentences
from trace_lit.text.clauses import clauses

LEAST_VOICE = 0.1  # of the channel that a clause says most of; one that says less speaks of none
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
        """Unit vectors (N, E) of N questions, on the CPU."""
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
        names, numbers = text_clauses(text, self.encoder, self.unit)
        table = self._table([text])
        pieces = table.look_up(table.numbers([text]))[0][0]
        with evaluation_mode(self.space):
            vectors = self.space.explain(pieces.to(self.device), numbers.to(self.device)).float().cpu()
        return names, vectors.clone()  # out of the inference mode

    def _groups(self, texts: Sequence[str]) -> list[tuple[tuple[str, int], ...]]:
        """The parts of each question that speak of different channels, and of how many clauses each is; none, or several."""
        cut = {text: _cut(text) for text in dict.fromkeys(texts)}
        many = {text: own for text, own in cut.items() if len(own) > 1}
        if not many or not self.space.model.has_voice:
            return [()] * len(texts)
        spoken = self._spoken(list(dict.fromkeys(clause for own in many.values() for clause in own)))
        found = {text: _grouped(own, spoken) for text, own in many.items()}
        return [found.get(text, ()) for text in texts]

    def _spoken(self, clauses: Sequence[str]) -> dict[str, int | None]:
        """The place of the channel that each clause says most of; None where it hardly speaks of one."""
        table = self._table(clauses)
        loudest: dict[str, int | None] = {}
        for places, vectors, mask in table.batches(table.numbers(clauses), _AT_ONCE):
            with evaluation_mode(self.space):
                voice = self.space.voice(vectors.to(self.device), mask.to(self.device)).float().cpu()
            for place, much, channel in zip(places.tolist(), *(own.tolist() for own in voice.max(1)), strict=True):
                loudest[clauses[place]] = channel if much >= LEAST_VOICE else None
        return loudest

    def _read(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (N, E) of texts as wholes."""
        table = self._table(texts)
        read = torch.zeros(len(texts), self.space.width)
        with evaluation_mode(self.space):
            for places, vectors, mask in table.batches(table.numbers(texts), _AT_ONCE):
                read[places] = self.space.embed_text(vectors.to(self.device), mask.to(self.device)).float().cpu()
        return read

    def _table(self, texts: Iterable[str]) -> TextTable:
        return text_table(texts, self.encoder, self.unit, kind="query")


def _cut(text: str) -> list[str]:
    """The clauses of a text of one sentence; of several sentences, each of which is read alone, the text itself."""
    if len(sentences(text)) > 1:
        return [text]
    return [text[start:end] for start, end in clauses(text)]


def _grouped(own: Sequence[str], spoken: dict[str, int | None]) -> tuple[tuple[str, int], ...]:
    """Clauses (with the spaces around them) that follow one another put together, but where the channel changes."""
    groups: list[list[str]] = []
    channel: int | None = None
    for clause in own:
        new = spoken[clause]
        if groups and (new is None or channel is None or new == channel):
            groups[-1].append(clause)
            channel = new if channel is None else channel
        else:
            groups.append([clause])
            channel = new
    return tuple(("".join(group).strip().rstrip(",;:"), len(group)) for group in groups) if len(groups) > 1 else ()
