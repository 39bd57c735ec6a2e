"""Tuned runs behind the service: forecasts and probabilities of labels, with what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from data_modules.corpus import Corpus
from data_modules.input_series import InputSeries
from trace_lit.inference import TunedRun
from trace_lit.inference.predictions import Asked, Predictions
from trace_lit.rag import Neighbour
from trace_lit.service.errors import UnknownError
from trace_lit.service.windows import as_values, iso


class Prediction:
    """What a tuned run predicts for one window, in plain types and arrays."""

    def __init__(self, predictions: Predictions, number: int) -> None:
        self._of, self._number = predictions, number

    def as_dict(self, values: bool) -> dict[str, Any]:
        """As the API gives it; with `values`, what was looked back on and the neighbours' own values, too."""
        of, number = self._of, self._number
        origin = of.origins[number]
        found: dict[str, Any] = {"id": of.ids[number], "series_id": of.series_ids[number], "origin": iso(origin)}
        if of.label_names:
            found["probabilities"] = dict(zip(of.label_names, of.predicted[number].tolist(), strict=True))
            found["label"] = of.labels[number]
        else:
            found |= self._forecast()
        if values:
            found["lookback"] = self._lookback()
        found["retrieved"] = [_as_dict(near, values) for near in of.neighbours(number)]
        return found

    def _forecast(self) -> dict[str, Any]:
        of, number = self._of, self._number
        times = of.times(number)
        channels = {
            channel.key: {name: values[number, place] for name, values in of.forecasts.items()}
            | {"truth": of.truth[number, place]}
            for place, channel in enumerate(of.channels)
        }
        return {
            "times": None if times is None else [iso(time) for time in times],
            "quantiles": list(of.quantiles),
            "channels": channels,
        }

    def _lookback(self) -> dict[str, Any]:
        of, number = self._of, self._number
        dataset = of.dataset
        batch = dataset[[of.places[number]]]
        values = np.where(batch.observed[0].numpy(), batch.values[0].numpy(), np.nan)
        times = of.times(number, -values.shape[1], 0)
        return as_values(values, dataset.corpus.info.channels, times)


def _as_dict(near: Neighbour, values: bool) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(near, name) for name in ("id", "series_id", "similarity", "text", "label")}
    found |= {name: getattr(near, name).isoformat() for name in ("start", "origin", "end")}
    if values:
        found["window"] = {channel.key: row for channel, row in zip(near.channels, near.window, strict=True)}
        following = zip(near.channels, near.continuation, strict=True)
        found["continuation"] = {channel.key: row for channel, row in following}
    return found


class Predictor:
    """A tuned run with the corpora that it can be asked about.

    Parameters
    ----------
    corpora
        By name. A window is of the run's own corpora, or of one that has all its channels.
    """

    def __init__(self, name: str, run: TunedRun, corpora: Mapping[str, Corpus]) -> None:
        self.name, self.run = name, run
        own = set(run.checkpoint.data_fingerprint.split(","))
        tuned_on = [corpus for corpus in corpora.values() if corpus.fingerprint in own]
        self._own = tuned_on[0] if len(tuned_on) == 1 == len(own) else None  # what a series of a client's own is like
        needed = {channel.key for channel in run.channels}
        self.corpora = {
            name: corpus
            for name, corpus in corpora.items()
            if corpus.fingerprint in own or needed <= {channel.key for channel in corpus.info.channels}
        }

    @property
    def task(self) -> str:
        """Forecast or classify."""
        return self.run.config.tune.task

    @cached_property
    def _rows(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(corpus.ids.tolist()) for name, corpus in self.corpora.items()}

    def corpus_of(self, window: str, corpus: str | None) -> str:
        """The name of the corpus that has the window.

        Raises
        ------
        UnknownError
            There is none.
        """
        if corpus is not None and corpus not in self.corpora:
            known = ", ".join(self.corpora) or "none"
            raise UnknownError(f"{self.name} is not used on the corpus {corpus!r}; there are: {known}")
        for name, ids in self._rows.items():
            if window in ids and corpus in (None, name):
                return name
        raise UnknownError(f"there is no window {window!r} in {corpus or ', '.join(self.corpora) or 'any corpus'}")

    def predict(self, items: list[tuple[str, str | InputSeries]]) -> list[Prediction]:
        """Of windows as (corpus, id), those of a corpus together, or of series as ("", series)."""
        found: dict[int, Prediction] = {}
        for corpus in dict.fromkeys(corpus for corpus, _ in items):
            asked = [(place, item) for place, (name, item) in enumerate(items) if name == corpus]
            if corpus:
                ids = tuple(str(item) for _, item in asked)
                predictions = self.run.predictions(Asked(corpus=self.corpora[corpus], ids=ids))
                found |= {place: Prediction(predictions, number) for number, (place, _) in enumerate(asked)}
            else:
                for place, series in asked:
                    found[place] = Prediction(self.run.predictions(Asked(corpus=self._own, series=series)), 0)
        return [found[place] for place in range(len(items))]
