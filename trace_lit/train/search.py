"""Questions to an aligned run: in words, by a series, or for the like of an instance."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from data_modules.corpus import SPLITS, CorpusError
from data_modules.csv_series import CsvSeries, read_series_csv
from data_modules.dataset import window_batch
from data_modules.figures import Window
from trace_lit.alignment import SearchSpace
from trace_lit.config import ConfigError, TextConfig
from trace_lit.retrieval import Hit, Retriever
from trace_lit.retrieval.figures import corpus_window, save_figure, search_results
from trace_lit.text import build_text_encoder, sentences
from trace_lit.train.evaluate import OpenedRun, open_run


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
) -> list[Hit]:
    """Find the series of a corpus that answer the question, print them and draw them.

    Parameters
    ----------
    corpus
        The run's own corpus by default; a run of several corpora must be told which one.
    split
        All of the corpus by default.

    Raises
    ------
    ConfigError, CheckpointError, CorpusError, RetrievalError, TextEncoderError
    """
    if top < 1:
        raise ConfigError(f"--top is {top}; it must be at least 1")
    if question.text is not None and not question.text.strip():
        raise ConfigError('--text is empty; ask in words, like --text "heavy rain after a sudden pressure drop"')
    opened = open_run(run, (split,) if split else SPLITS, corpus)
    name, retriever = _retriever(opened)
    channels = retriever.corpus.info.channels
    asked: str | Window
    if question.text is not None:
        hits = retriever.by_text(text_vectors(question.text, opened.config.text), top)
        asked = question.text
    elif question.like is not None:
        hits = retriever.by_id(question.like, top)
        asked = corpus_window(retriever.corpus, int(np.flatnonzero(retriever.corpus.ids == question.like)[0]))
    else:
        assert question.series is not None
        series = read_series_csv(question.series, channels)
        steps, patch = series.values.shape[1], opened.config.encoder.patch_length
        if steps < patch:
            raise CorpusError(f"{question.series} has {steps} rows; the model needs at least a patch of {patch}")
        hits = retriever.by_series(window_batch(series.values, opened.vocabulary.ids(series.channels)), top)
        asked = _as_window(question.series, series, [channel.key for channel in channels])
    if as_json:
        print(json.dumps([hit.as_dict() for hit in hits], indent=2, ensure_ascii=False))
    else:
        print_hits(hits, name)
    if plot is not None:
        save_figure(search_results(asked, hits, retriever.corpus), plot)
        print(f"drawn: {plot}", file=sys.stderr)
    return hits


def text_vectors(text: str, config: TextConfig) -> torch.Tensor:
    """The vectors (S, D) of a question as the model reads texts, by sentence or as a whole."""
    pieces = sentences(text) if config.unit == "sentence" else [text]
    return torch.from_numpy(build_text_encoder(config).encode(pieces, kind="query"))


def _retriever(opened: OpenedRun) -> tuple[str, Retriever]:
    names = list(opened.datasets)
    if len(names) > 1:
        raise ConfigError(f"the run has several corpora ({', '.join(names)}); say which folder to search with --corpus")
    parts = opened.datasets[names[0]]
    corpus = parts[0].corpus
    space = SearchSpace(opened.model, corpus.info.channels)
    pools = [(dataset.rows, pool) for dataset, pool in zip(parts, opened.pools[names[0]], strict=True)]
    return names[0], Retriever.of_pools(space, corpus, pools, opened.device)


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
            print(f"{place}. {hit.score:.3f}  {hit.id}  {hit.start:%Y-%m-%d %H:%M}  {hit.label or '-'}\n   {hit.text}")
        return
    table = Table(title=f"Hits in {name}", title_justify="left")
    for column in ("", "score", "id", "start", "label", "text"):
        table.add_column(column, justify="right" if column in ("", "score") else "left")
    for place, hit in enumerate(hits, start=1):
        table.add_row(str(place), f"{hit.score:.3f}", hit.id, f"{hit.start:%Y-%m-%d %H:%M}", hit.label or "-", hit.text)
    Console().print(table)
