"""A question and its hits as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from data_modules.corpus import Corpus
from data_modules.figures import Window, corpus_window, save_figure
from data_modules.input_series import InputSeries
from trace_lit.inference.inputs import read_window
from trace_lit.retrieval import Hit
from trace_lit.retrieval.figures import search_results


def draw_hits(hits: Sequence[Hit], corpus: Corpus, path: Path, **question: Any) -> None:
    """Draw the question, see `hits_figure`, beside its hits in `corpus`, to the file `path`.

    Raises
    ------
    ConfigError
        The file's name is none of a picture.
    """
    save_figure(hits_figure(hits, corpus, **question), path)


def hits_figure(
    hits: Sequence[Hit], corpus: Corpus, *, text: str | None = None, series: Any = None, like: str | None = None
) -> Figure:
    """The question, see `AlignedRun.search`, beside its hits in `corpus`.

    Raises
    ------
    RetrievalError
        There are no hits.
    """
    asked: str | Window
    if text is not None:
        asked = text
    elif like is not None:
        asked = corpus_window(corpus, int(np.flatnonzero(corpus.ids == like)[0]))
    else:
        asked = _as_window(
            read_window(series, corpus.info.channels, zone=corpus.info.timezone),
            [channel.key for channel in corpus.info.channels],
        )
    return search_results(asked, list(hits), corpus)


def _as_window(series: InputSeries, keys: list[str]) -> Window:
    """The query as it is drawn, with gaps for the channels that it does not have."""
    values = np.full((len(keys), series.values.shape[1]), np.nan)
    for channel, row in zip(series.channels, series.values, strict=True):
        values[keys.index(channel.key)] = row
    steps = np.arange(values.shape[1]).astype("datetime64[h]")
    times = steps if series.times is None else np.array(series.times, dtype="datetime64[s]")
    return Window(Path(series.source).name, times, values, "")
