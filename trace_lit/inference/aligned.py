"""An aligned run in use: series and texts as vectors of one space, and a corpus searched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data_modules.blocks import CorpusBlocks
from data_modules.corpus import Corpus, CorpusError
from data_modules.dataset import CorpusDataset
from data_modules.input_series import InputSeries
from data_modules.splits import SPLITS
from data_modules.text_table import TextTable
from data_modules.vocabulary import usual_values, with_channels
from data_modules.windows import check_lengths
from trace_lit.alignment import AlignedModel, SearchSpace
from trace_lit.batch import MultimodalBatch
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.config import ConfigError
from trace_lit.inference.inputs import as_batch, read_window
from trace_lit.inference.loaded import LONGER, LoadedRun
from trace_lit.inference.query_parts import series_parts
from trace_lit.inference.question_reader import QuestionReader
from trace_lit.modules.checkpoint import Checkpoint
from trace_lit.modules.loading import aligned_model
from trace_lit.retrieval import Filter, Hit, QueryParts, Retriever, VectorIndex, evaluation_mode
from trace_lit.retrieval.pool import embed_series
from trace_lit.text import document

if TYPE_CHECKING:
    import pandas as pd

    from trace_lit.inference.index import Index


class Hits(list[Hit]):
    """The answers to a question, best first.

    Parameters
    ----------
    searched
        How many windows they are the best of: all that the filters admit, without the one that is asked about.
    """

    def __init__(self, hits: Iterable[Hit] = (), searched: int = 0) -> None:
        super().__init__(hits)
        self.searched = searched

    def to_frame(self) -> pd.DataFrame:
        """A row a hit, with the columns score, id, start, end, label, text, split, row, series and corpus.

        Of a search with `explain=True` there follow columns of what each part adds to the score: "whole window", one for
        each channel, like "channel wind speed [m/s]", and one for each clause, like "clause 1: strong winds". The first
        ones sum to the score, and so do those of the clauses.
        """
        import pandas as pd

        columns = [name for name in Hit.__annotations__ if name != "explanation"]
        rows = [
            {name: getattr(hit, name) for name in columns} | (hit.explanation.columns() if hit.explanation else {})
            for hit in self
        ]
        return pd.DataFrame(rows, columns=list(rows[0]) if rows else columns)


class AlignedRun(LoadedRun):
    """A run of stage align: series and texts in one space, where a score is an inner product of unit vectors.

    A vector holds the part at [CLS] and one a channel of `channels`, in the order of the model's vocabulary: E is
    (1 + C) d, or d where `alignment.channel_score` is false. Vectors that `search` compares are made for the channels of
    the corpus that is searched.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        super().__init__(checkpoint, device)
        self.model: AlignedModel = aligned_model(checkpoint).to(device)
        self._usual: dict[str, dict[str, tuple[float, float]]] = {}
        self._retrievers: dict[tuple[str, tuple[str, ...]], Retriever] = {}

    @property
    def vocabulary(self) -> ChannelVocabulary:
        return self.model.encoder.vocabulary

    @property
    def _space(self) -> SearchSpace:
        return SearchSpace(self.model, self.channels)

    def _vectors(self, batch: MultimodalBatch) -> Tensor:
        with evaluation_mode(self._space):
            return self._space.embed_series(batch)

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (N, E) of N texts, comparable with those of `embed_series` by inner products.

        Raises
        ------
        ConfigError
            `texts` is a single text, or one is empty or none.
        TextEncoderError
            The text encoder cannot be found.

        Examples
        --------
        >>> model = trace_lit.load("runs/weather/align/first")  # doctest: +SKIP
        >>> scores = model.embed_text(["a dry day"]) @ model.embed_series(frame).T  # doctest: +SKIP
        """
        if isinstance(texts, str):
            raise ConfigError("embed_text takes a list of texts, not one text: write embed_text([text])")
        if not isinstance(texts, Iterable):
            raise ConfigError(f"embed_text takes a list of texts, not {texts!r}")
        texts = list(texts)
        for number, text in enumerate(texts):
            if not isinstance(text, str) or not text.strip():
                raise ConfigError(f"text {number} is {text!r}; each must be a text with something in it")
        return self.text_vectors(texts, self._space)

    def text_vectors(self, texts: Sequence[str], space: SearchSpace) -> NDArray[np.float32]:
        """Unit vectors (N, E) of N texts in a space of this model, see `space`."""
        return self.reader(space).vectors(texts).numpy()

    def reader(self, space: SearchSpace) -> QuestionReader:
        """What turns questions into vectors of a space of this model."""
        return QuestionReader(space, self.text_encoder, self.config.text.unit, self.device)

    def batch_of(self, series: Any, channels: Sequence[Channel]) -> MultimodalBatch:
        """One window, see `embed_series`, of `channels` that the model knows, as a batch."""
        return as_batch([read_window(series, channels)], self.vocabulary, self.config.encoder.patch_length)

    # Many questions about one corpus: the vectors of queries, and what they are compared with

    def texts_for(self, corpus: Corpus, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (N, E) of N questions to the series of `corpus`."""
        return self.text_vectors(texts, self._space_of(corpus))

    def series_for(self, corpus: Corpus, windows: Sequence[InputSeries]) -> NDArray[np.float32]:
        """Unit vectors (N, E) of N series of channels of `corpus`, comparable with its own."""
        space = self._space_of(corpus)
        even = [window.evenly_spaced() for window in windows]
        batch = as_batch(even, self.vocabulary, self.config.encoder.patch_length)
        return embed_series(space, [batch], self.device).numpy()

    def parts_for(self, corpus: Corpus, query: str | NDArray[np.float32]) -> QueryParts:
        """A question, or the unit vector (E,) of a series, taken apart for the explanation of its hits."""
        space = self._space_of(corpus)
        if not isinstance(query, str):
            return series_parts(space, query)
        return self.reader(space).taken_apart(query)

    def search(
        self,
        text: str | None = None,
        *,
        series: Any = None,
        like: str | None = None,
        corpus: Any = None,
        top: int = 5,
        split: str | None = None,
        explain: bool = False,
        steps: int | None = None,
        index: Index | str | Path | None = None,
    ) -> Hits:
        """The instances of a corpus that answer a question, best first. One of `text`, `series` and `like` is given.

        The corpus is embedded by the first question to it; further ones are quick. An index is not embedded at all.

        Parameters
        ----------
        text
            A question in words.
        series
            One window, see `embed_series`, of channels of the corpus.
        like
            The id of an instance; it is not among its own hits.
        corpus
            A corpus folder, a `Corpus`, or a CSV file or DataFrame that is cut into windows; the run's own by default.
        top
            How many hits.
        split
            "train", "validation" or "test"; all of the corpus by default.
        explain
            Each hit's `explanation` says what each channel and each clause of the text adds to its score.
        steps
            Of the windows that a CSV file or a DataFrame is cut into; by default a day of hours, a year of months, ….
        index
            An index that this run has built, searched in the place of a corpus; `Index.search` can do more.

        Raises
        ------
        ConfigError
            No question is given, or several; both a corpus and an index; or the run has several corpora, none of which is
            named.
        CheckpointError, CorpusError, RetrievalError, TextEncoderError
            The corpus is not there or cannot be used, it has no such instance, or the series cannot be read.

        Examples
        --------
        >>> model = trace_lit.load("runs/weather/align/first")  # doctest: +SKIP
        >>> hits = model.search("a cold front", corpus="corpora/weather", top=3)  # doctest: +SKIP
        >>> hits.to_frame()[["score", "id", "text"]]  # doctest: +SKIP
        """
        given = [name for name, value in (("text", text), ("series", series), ("like", like)) if value is not None]
        if len(given) != 1:
            raise ConfigError(f"search takes one of text, series and like; {' and '.join(given) or 'none'} was given")
        if not isinstance(top, Integral) or top < 1:
            raise ConfigError(f"top is {top!r}; it must be a whole number of at least 1")
        if text is not None and not isinstance(text, str):
            raise ConfigError(f"search takes one text, not {text!r}; ask several questions one after the other")
        if text is not None and not text.strip():
            raise ConfigError('the text is empty; ask in words, like "heavy rain after a sudden pressure drop"')
        if index is not None:
            if corpus is not None or steps is not None:
                raise ConfigError("search takes a corpus or an index, not both")
            return self._search_index(index, split, text=text, series=series, like=like, top=top, explain=explain)
        searched = self.corpus(corpus, steps)
        batch = None
        if series is not None:
            window = read_window(series, searched.info.channels, zone=searched.info.timezone)
            self._learn_channels(searched)
            batch = as_batch([window], self.vocabulary, self.config.encoder.patch_length)
        retriever = self.retriever(searched, split)
        if text is not None:
            hits = retriever.by_vector(self.texts_for(searched, [text]), top)
            return Hits(retriever.explained(hits, self.parts_for(searched, text)) if explain else hits, retriever.count)
        hits = retriever.by_id(str(like), top) if batch is None else retriever.by_series(batch, top)
        if explain:
            space = SearchSpace(self.model, searched.info.channels)
            vector = (
                retriever.vector(str(like)) if batch is None else embed_series(space, [batch], self.device)[0].numpy()
            )
            hits = retriever.explained(hits, self.parts_for(searched, vector))
        return Hits(hits, retriever.count - (like is not None))

    def index(self, corpora: Any, out: str | Path, **settings: Any) -> Index:
        """Embed corpora and keep the vectors in the folder `out`; see `Index.build`, which says what can be set.

        Examples
        --------
        >>> index = model.index(["corpora/weather"], "indexes/weather")  # doctest: +SKIP
        >>> index.search("a cold front", top=3)  # doctest: +SKIP
        """
        from trace_lit.inference.index import Index

        return Index.build(self, corpora, out, **settings)

    def _search_index(self, index: Index | str | Path, split: str | None, **question: Any) -> Hits:
        from trace_lit.inference.index import Index

        filter = Filter(split=() if split is None else (split,))
        if isinstance(index, Index):
            return index.search(model=self, filter=filter, within="series", **question)
        with Index.open(index) as opened:
            return opened.search(model=self, filter=filter, within="series", **question)

    def retriever(self, corpus: Corpus, split: str | None = None) -> Retriever:
        """What searches `corpus`, or a split of it. Its series are embedded by the first call."""
        splits = (split,) if split else tuple(name for name in SPLITS if corpus.select(name))
        key = corpus.fingerprint, splits
        self._learn_channels(corpus)
        if key not in self._retrievers:
            check_lengths(corpus, self.config.encoder.patch_length, LONGER)
            space = SearchSpace(self.model, corpus.info.channels)
            rows, vectors = [], []
            for name in splits:
                dataset = self._dataset(corpus, name)
                vectors.append(embed_series(space, _batches(dataset, self.config.evaluation.batch_size), self.device))
                rows.append(dataset.rows)
            ids = corpus.ids[np.concatenate(rows)].tolist()
            index = VectorIndex(torch.cat(vectors).numpy(), ids)
            self._retrievers[key] = Retriever(space, corpus, index, self.device)
        return self._retrievers[key]

    def _dataset(self, corpus: Corpus, split: str) -> CorpusDataset:
        nothing = TextTable((), None, document)
        zero_is_missing = self.config.data.zero_is_missing
        dataset = CorpusDataset(corpus, split, self.vocabulary, nothing, nothing, zero_is_missing=zero_is_missing)
        if not len(dataset):
            raise CorpusError(f"{corpus.path} has no rows in the split {split!r}; search another one")
        return dataset

    def usual_split(self, corpora: Sequence[Corpus | CorpusBlocks]) -> str | None:
        """The rows that say what is usual in corpora: of those it was trained on the training rows, of others all."""
        own = self.checkpoint.data_fingerprint.split(",")
        return "train" if all(corpus.known_as(own) for corpus in corpora) else None

    def _learn_channels(self, corpus: Corpus) -> None:
        """Make room for channels that the model has never seen; with `data.usual=corpus`, take the corpus's statistics."""
        if self.config.data.usual == "corpus" and corpus.fingerprint not in self._usual:
            split = self.usual_split([corpus])
            self._usual[corpus.fingerprint] = usual_values([corpus], self.config.data.from_calm, split)
        self.space(corpus.info.channels, self._usual.get(corpus.fingerprint))

    def _space_of(self, corpus: Corpus) -> SearchSpace:
        self._learn_channels(corpus)
        return SearchSpace(self.model, corpus.info.channels)

    def space(self, channels: Sequence[Channel], usual: Mapping[str, tuple[float, float]] | None = None) -> SearchSpace:
        """What puts series and texts into the space of these channels, which the model may never have seen.

        Parameters
        ----------
        usual
            Mean and deviation of channels by key, in the place of those of the training.
        """
        known = self.vocabulary
        extended = with_channels(known, channels, lambda: self.text_encoder)
        if usual:
            extended = extended.with_statistics(usual)
        if extended is not known:
            self.model.encoder.extend(extended)
        return SearchSpace(self.model, channels)


def _batches(dataset: CorpusDataset, size: int) -> Iterator[MultimodalBatch]:
    for first in range(0, len(dataset), size):
        yield dataset[list(range(first, min(first + size, len(dataset))))]
