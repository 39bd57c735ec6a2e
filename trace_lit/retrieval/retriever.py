"""Searching a corpus: by text, by a series, or by one of its instances."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trace_lit.batch import MultimodalBatch
from trace_lit.retrieval.explanation import Explanation, QueryParts, explain
from trace_lit.retrieval.index import VectorIndex
from trace_lit.retrieval.pool import Embedder, Pool, RetrievalError, evaluation_mode

if TYPE_CHECKING:  # its package imports Lightning, which retrieval does without
    from data_modules.corpus import Corpus


@dataclass(frozen=True)
class Hit:
    """An instance that was found."""

    score: float  # inner product of unit vectors
    id: str
    start: datetime  # naive UTC time of the first step
    end: datetime  # of the end of the last step
    label: str | None
    text: str
    split: str
    row: int  # of the corpus
    explanation: Explanation | None = None  # why it has its score, where that was asked for
    series: str = ""  # its id
    corpus: str = ""  # the name of the corpus's folder

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for JSON; times in ISO 8601."""
        plain = asdict(self) | {"start": self.start.isoformat(), "end": self.end.isoformat()}
        if self.explanation is None:
            del plain["explanation"]
        return plain


class Retriever:
    """Searches the instances of `corpus` that `index` holds.

    Parameters
    ----------
    model
        On `device`; what the index was made with.
    index
        Its ids are ids of the corpus.

    Raises
    ------
    RetrievalError
        The index holds an id that the corpus does not have.
    """

    def __init__(self, model: Embedder, corpus: Corpus, index: VectorIndex, device: torch.device | str = "cpu") -> None:
        self.model = model
        self.corpus = corpus
        self.index = index
        self.device = device
        row = {name: number for number, name in enumerate(corpus.ids)}
        if strange := next((name for name in index.ids if name not in row), None):
            raise RetrievalError(f"the index holds {strange!r}, which {corpus.path} does not; make the index again")
        self.rows = [row[name] for name in index.ids]  # of the corpus, by place in the index
        self._place = {name: place for place, name in enumerate(index.ids)}

    @classmethod
    def of_pools(
        cls,
        model: Embedder,
        corpus: Corpus,
        pools: Sequence[tuple[NDArray[np.int64], Pool]],
        device: torch.device | str = "cpu",
    ) -> Retriever:
        """Over embedded splits: of each, the corpus rows that its dataset stands for, and its pool."""
        vectors = np.concatenate([pool.series.numpy() for _, pool in pools])
        rows = np.concatenate([rows[pool.index.numpy()] for rows, pool in pools])
        return cls(model, corpus, VectorIndex(vectors, corpus.ids[rows].tolist()), device)

    def by_text(self, text: Tensor, top: int = 5) -> list[Hit]:
        """The series that fit a text best, given as the vectors (S, D) of its S sentences; best first."""
        mask = torch.ones(1, len(text), dtype=torch.bool, device=self.device)
        with evaluation_mode(self.model):
            vector = self.model.embed_text(text.unsqueeze(0).to(self.device), mask)
        return self._search(vector, top)

    def by_vector(self, vector: NDArray[np.float32], top: int = 5) -> list[Hit]:
        """The series that fit the unit vector (1, E) of a query best; best first."""
        return self._search(torch.from_numpy(vector), top)

    def by_series(self, batch: MultimodalBatch, top: int = 5) -> list[Hit]:
        """The series most similar to that of `batch`, which holds a single instance; best first."""
        if len(batch) != 1:
            raise RetrievalError(f"a query by series is one instance, not {len(batch)}")
        with evaluation_mode(self.model):
            vector = self.model.embed_series(batch.to(self.device))
        return self._search(vector, top)

    def by_id(self, name: str, top: int = 5) -> list[Hit]:
        """The series most similar to that of an instance of the index, without itself; best first.

        Raises
        ------
        RetrievalError
            The index does not hold the instance.
        """
        vector = torch.from_numpy(self.index.vectors[[self.place(name)]])
        return [hit for hit in self._search(vector, top + 1) if hit.id != name][:top]

    @property
    def count(self) -> int:
        """How many instances are searched."""
        return len(self.rows)

    def explained(self, hits: Sequence[Hit], parts: QueryParts) -> list[Hit]:
        """Hits of the query whose vector is taken apart in `parts`, with their explanations."""
        keys = [channel.key for channel in self.corpus.info.channels]
        found = explain(parts, self.index.vectors, [self._place[hit.id] for hit in hits], keys)
        return [replace(hit, explanation=own) for hit, own in zip(hits, found, strict=True)]

    def vector(self, name: str) -> NDArray[np.float32]:
        """The unit vector (E,) of an instance of the index."""
        return self.index.vectors[self.place(name)]

    def place(self, name: str) -> int:
        """Where an instance stands in the index.

        Raises
        ------
        RetrievalError
            The index does not hold it.
        """
        if name not in self._place:
            raise RetrievalError(self._unknown(name))
        return self._place[name]

    def _unknown(self, name: str) -> str:
        elsewhere = np.flatnonzero(self.corpus.ids == name)
        if len(elsewhere):
            return f"{name!r} is in the split {self.corpus.splits[elsewhere[0]]!r}, which is not searched"
        near = difflib.get_close_matches(name, self.index.ids, n=3, cutoff=0.0)
        return f"{self.corpus.path} has no instance {name!r}; near are {', '.join(map(repr, near))}"

    def _search(self, vector: Tensor, top: int) -> list[Hit]:
        scores, places = self.index.search(vector.detach().float().cpu().numpy(), top)
        return [self.hit(float(score), int(place)) for score, place in zip(scores[0], places[0], strict=True)]

    def hit(self, score: float, place: int) -> Hit:
        """The instance at a place of the index."""
        corpus, row = self.corpus, self.rows[place]
        label = int(corpus.labels[row])
        return Hit(
            score=score,
            id=self.index.ids[place],
            start=_time(corpus.starts[row]),
            end=_time(corpus.ends[row]),
            label=corpus.info.label_names[label] if label >= 0 else None,
            text=corpus.texts[row],
            split=str(corpus.splits[row]),
            row=row,
            series=str(corpus.series_ids[row]),
            corpus=corpus.path.name,
        )


def _time(seconds: np.int64) -> datetime:
    return datetime(1970, 1, 1) + timedelta(seconds=int(seconds))
