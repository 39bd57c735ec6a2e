"""Questions to an aligned run: in words, by a series, or for the like of an instance."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

from data_modules.corpus import SPLITS, Corpus, CorpusError
from data_modules.csv_series import CsvSeries, read_series_csv
from data_modules.dataset import window_batch
from data_modules.figures import Window, corpus_window, picture_format, save_figure
from data_modules.text_table import text_table
from trace_lit.alignment import SearchSpace
from trace_lit.config import ConfigError
from trace_lit.inference.evaluate import OpenedRun, open_run
from trace_lit.retrieval import Hit, Retriever
from trace_lit.retrieval.figures import search_results
from trace_lit.text import build_text_encoder
from trace_lit.text.config import TextConfig


@dataclass(frozen=True)
class Question:
    """One of the three is given."""

    text: str | None = None
    series: Path | None = None  # a CSV file, see `read_series_csv`
    like: str | None = None  # the id of an instance


def search_run(
    run: str | Path,
    question: Question,
    corpus: str | Path | None = None,
    split: str | None = None,
    top: int = 5,
    plot: Path | None = None,
    as_json: bool = False,
    trust: bool = False,
) -> list[Hit]:
    """Find the series of a corpus that answer the question, print them and draw them.

    Parameters
    ----------
    corpus
        The run's own corpus by default; a run of several corpora must be told which one.
    split
        All of the corpus by default.
    trust
        Import the classes that the run names.

    Raises
    ------
    ConfigError, CheckpointError, CorpusError, RetrievalError, TextEncoderError
    """
    if top < 1:
        raise ConfigError(f"--top is {top}; it must be at least 1")
    if question.text is not None and not question.text.strip():
        raise ConfigError('--text is empty; ask in words, like --text "heavy rain after a sudden pressure drop"')
    if plot is not None:
        picture_format(plot)  # an error now, not after all the work
    opened = open_run(run, corpus, trust)
    searched = _only_corpus(opened)
    channels, patch = searched.info.channels, opened.config.encoder.patch_length
    series = None if question.series is None else read_series_csv(question.series, channels)
    if series is not None and (steps := series.values.shape[1]) < patch:
        raise CorpusError(f"{question.series} has {steps} rows; the model needs at least a patch of {patch}")
    retriever = _retriever(opened, (split,) if split else [name for name in SPLITS if searched.select(name)])
    asked: str | Window
    if question.text is not None:
        hits = retriever.by_text(text_vectors(question.text, opened.config.text), top)
        asked = question.text
    elif question.like is not None:
        hits = retriever.by_id(question.like, top)
        asked = corpus_window(retriever.corpus, int(np.flatnonzero(retriever.corpus.ids == question.like)[0]))
    else:
        assert question.series is not None
        assert series is not None
        ids = opened.data.vocabulary.ids(series.channels)
        hits = retriever.by_series(window_batch(series.values, ids), top)
        asked = _as_window(question.series, series, [channel.key for channel in channels])
    if as_json:
        print(json.dumps([hit.as_dict() for hit in hits], indent=2, ensure_ascii=False))
    else:
        print_hits(hits, f"{searched.info.domain} ({searched.info.name})")
    if plot is not None:
        save_figure(search_results(asked, hits, retriever.corpus), plot)
        print(f"drawn: {plot}", file=sys.stderr)
    return hits


def text_vectors(text: str, config: TextConfig) -> torch.Tensor:
    """The vectors (S, D) of a question as the model reads texts: by token, by sentence or as a whole."""
    table = text_table([text], build_text_encoder(config), config.unit, kind="query")
    return table.look_up(table.numbers([text]))[0][0]


def _only_corpus(opened: OpenedRun) -> Corpus:
    corpora = opened.data.corpora
    if len(corpora) > 1:
        folders = ", ".join(str(corpus.path) for corpus in corpora)
        raise ConfigError(f"the run has several corpora ({folders}); say which one to search with --corpus")
    return corpora[0]


def _retriever(opened: OpenedRun, splits: Sequence[str]) -> Retriever:
    corpus = opened.data.corpora[0]
    pools = [(dataset.rows, pool) for split in splits for dataset, pool in opened.embed(split).values()]
    return Retriever.of_pools(SearchSpace(opened.model, corpus.info.channels), corpus, pools, opened.device)


def _as_window(path: Path, series: CsvSeries, keys: list[str]) -> Window:
    """The query as it is drawn, with gaps for the channels that it does not have."""
    values = np.full((len(keys), series.values.shape[1]), np.nan, dtype=np.float32)
    for channel, row in zip(series.channels, series.values, strict=True):
        values[keys.index(channel.key)] = row
    steps = np.arange(values.shape[1]).astype("datetime64[h]")
    times = steps if series.times is None else np.array(series.times, dtype="datetime64[s]")
    return Window(path.name, times, values, "")


def print_hits(hits: list[Hit], name: str) -> None:
    """A table in a terminal, plain lines otherwise."""
    if not sys.stdout.isatty():
        for place, hit in enumerate(hits, start=1):
            print(f"{place}. {hit.score:.3f}  {hit.id}  {hit.start:%Y-%m-%d %H:%M}  {hit.label or '-'}")
            print(f"   {hit.text or 'no text'}")
        return
    table = Table(title=f"Hits in {name}", title_justify="left")
    for column in ("", "score", "id", "start", "label", "text"):
        table.add_column(column, justify="right" if column in ("", "score") else "left")
    for place, hit in enumerate(hits, start=1):
        row = (str(place), f"{hit.score:.3f}", hit.id, f"{hit.start:%Y-%m-%d %H:%M}", hit.label or "-", hit.text)
        table.add_row(*(Text(cell) for cell in row))  # a string would be read as rich's markup
    Console().print(table)
