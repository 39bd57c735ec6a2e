"""Predictions of a tuned run, as tables and plain types."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import torch
from numpy.typing import NDArray
from torch import Tensor

from data_modules.corpus import Corpus
from data_modules.forecasting import OriginDataset
from data_modules.frequency import Frequency
from trace_lit.atomic import replacing
from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.channels import Channel
from trace_lit.config import ConfigError
from trace_lit.metrics.quantiles import centre_of
from trace_lit.rag import Neighbour, RetrievalLookup
from trace_lit.settings import Config

Predictor = Callable[[MultimodalBatch], Tensor]  # of a batch, forecasts (B, C, H, Q) or probabilities (B, K)
FORMATS = (".parquet", ".csv")
_SPOKEN_OF = (
    "their corpora",
    "their labels",
    "their horizons",
    "their channels",
    "their quantiles",
    "how many windows",
    "their origins",
)


@dataclass(frozen=True)
class Asked:
    """Which windows are asked for: a split of a corpus, those that end where some of its rows do, or its very last ones."""

    corpus: Corpus | str | Path | None = None  # the run's own by default
    series: Any = None  # a DataFrame, an array or a CSV file: the window is its end, and it is like the corpus
    split: str = "test"
    ids: tuple[str, ...] = ()
    last: bool = False


@dataclass(frozen=True)
class Predictions:
    """A model's predictions for N windows of a corpus."""

    dataset: OriginDataset
    places: Sequence[int]  # N of its windows
    predicted: Tensor  # (N, C, H, Q) forecasts in the channels' units, or (N, K) probabilities
    observed: (
        Tensor  # (N, C, H) observed values, NaN where unknown, or (N,) the windows' labels, NO_LABEL where unknown
    )
    quantiles: tuple[float, ...] = ()  # Q of them; none: one number, Q = 1
    label_names: tuple[str, ...] = ()  # K of them, in classification
    timed: bool = True  # whether anything is known of the time
    members: Mapping[str, Mapping[str, float]] = field(
        default_factory=dict
    )  # of a combination: shares by channel, of labels under ""

    def __len__(self) -> int:
        return len(self.places)

    @property
    def channels(self) -> list[Channel]:
        """Those that are forecast."""
        return [self.dataset.corpus.info.channels[place] for place in self.targets]

    @cached_property
    def targets(self) -> list[int]:
        return self.dataset.target_mask.nonzero().squeeze(1).tolist()

    @property
    def _steps(self) -> Tensor:
        """(N,) the first steps after the origins."""
        return self.dataset.origins[list(self.places)]

    @cached_property
    def _rows(self) -> list[int]:
        """For each window a row of the corpus that is in the same run without a gap."""
        series = self.dataset.series
        row_of = {begun: row for row, begun in enumerate(series.begun[series.windows.first].tolist())}
        return [row_of[begun] for begun in series.begun[self._steps - 1].tolist()]

    def frequency(self, number: int) -> Frequency:
        """Of the steps of a window."""
        return Frequency.parse(self.dataset.corpus.frequencies[self._rows[number]])

    @property
    def series_ids(self) -> list[str]:
        return [str(self.dataset.corpus.series_ids[row]) for row in self._rows]

    @cached_property
    def ids(self) -> list[str | None]:
        """Of the rows that end where the windows do."""
        windows = self.dataset.series.windows
        ends = dict(zip((windows.first + windows.length).tolist(), self.dataset.corpus.ids, strict=True))
        return [ends.get(origin) for origin in self._steps.tolist()]

    def times(self, number: int, first: int = 0, last: int | None = None) -> NDArray[np.datetime64] | None:
        """Of a window's steps from `first` to before `last` (the horizon's end), counted from the origin."""
        if not self.timed:
            return None
        dataset = self.dataset
        origin = int(self._steps[number])
        begun = int(dataset.series.begun[origin - 1])
        begin = np.datetime64(int(dataset.series.windows.begin[begun]), "s")
        steps = origin - begun + np.arange(first, dataset.horizon if last is None else last)
        return self.frequency(number).advance(begin, steps).astype("datetime64[s]")

    @cached_property
    def origins(self) -> list[np.datetime64 | None]:
        """When the windows end and the horizons begin."""
        found = [self.times(number, 0, 1) for number in range(len(self))]
        return [None if times is None else times[0] for times in found]

    @cached_property
    def newest(self) -> int:
        """The number of the window with the latest origin."""
        return max(range(len(self)), key=lambda number: (self.origins[number] or 0, number))

    @cached_property
    def truth(self) -> NDArray[np.floating]:
        """(N, C, H) observed values, NaN where unknown."""
        return self.observed[:, self.targets].numpy()

    @cached_property
    def forecasts(self) -> dict[str, NDArray[np.floating]]:
        """(N, C, H) by name: the forecast, and the quantiles by their levels."""
        predicted = self.predicted[:, self.targets].numpy()
        named = {f"{level:g}": predicted[..., place] for place, level in enumerate(self.quantiles)}
        return {"forecast": predicted[..., centre_of(self.quantiles)], **named}

    @cached_property
    def labels(self) -> list[str | None]:
        """The windows' own, where they are known."""
        return [None if number == NO_LABEL else self.label_names[number] for number in self.observed.tolist()]

    def neighbours(self, number: int) -> list[Neighbour]:
        """What was retrieved for a window, best first; nothing where nothing is."""
        lookup = self.dataset.lookup
        if not isinstance(lookup, RetrievalLookup) or not self._count(lookup.retrieval.rag.mode):
            return []
        found, place = lookup.neighbours, [self.places[number]]
        return lookup.retrieval.memory.describe(found.number[place], found.similarity[place])[0]

    def _count(self, mode: str) -> bool:
        """Whether neighbours had a part in the forecasts: of a combination, only with members that see them.

        Beside the encoder's outputs, members see the neighbours' labels, and what a prompt of the `mode` gives.
        """
        seeing = ("neighbours", "encoder") if self.label_names or mode != "none" else ("neighbours",)
        names = [name for shares in self.members.values() for name in shares]
        return not self.members or any(word in name for name in names for word in seeing)

    @property
    def errors(self) -> Tensor:
        """(n,) of what is observed: forecasts less values, in deviations of the channel, or probabilities less 0 or 1."""
        if self.label_names:
            labelled = self.observed != NO_LABEL
            one_hot = torch.nn.functional.one_hot(self.observed[labelled], len(self.label_names))
            return (self.predicted[labelled] - one_hot).flatten()
        error = (self.predicted[..., centre_of(self.quantiles)] - self.observed) / self.dataset.deviation.unsqueeze(-1)
        return error[~self.observed.isnan()]

    def mean_with(self, others: Sequence[Predictions], weights: Sequence[float] = ()) -> Predictions:
        """What this and `others` say on average: quantile by quantile (Lichtendahl et al., 2013), label by label.

        `weights` are those of this and the others, which sum to one; equal ones by default.

        Raises
        ------
        ConfigError
            They do not speak of the same.
        """
        for other in others:
            for what, own, its in zip(_SPOKEN_OF, self._spoken_of, other._spoken_of, strict=True):
                if own != its:
                    raise ConfigError(
                        f"a mean is of runs that speak of the same, but {what} differ: {_short(own)} and {_short(its)}; "
                        "leave one of the runs out, or tune it anew"
                    )
        stacked = torch.stack([self.predicted, *(other.predicted for other in others)])
        shares = torch.tensor(weights or [1 / len(stacked)] * len(stacked), dtype=stacked.dtype)
        mean = torch.tensordot(shares, stacked, dims=1)
        return dataclasses.replace(self, predicted=mean, members={} if others else self.members)

    @property
    def _spoken_of(self) -> tuple[Any, ...]:
        keys = [channel.key for channel in self.channels]
        corpus = self.dataset.corpus.fingerprint[:12]
        return corpus, self.label_names, self.dataset.horizon, keys, self.quantiles, len(self), self._steps.tolist()

    def table(self) -> pa.Table:
        """A row a window, channel and step, or a row a window with a column a label."""
        count = len(self)
        windows: dict[str, Sequence[Any]] = {"series_id": self.series_ids, "id": self.ids, "origin": self.origins}
        kinds = {"origin": pa.timestamp("s"), "series_id": pa.string(), "id": pa.string()}
        if self.label_names:
            columns = {name: pa.array(list(found), kinds[name]) for name, found in windows.items()}
            columns |= {name: pa.array(self.predicted[:, place].numpy()) for place, name in enumerate(self.label_names)}
            labels = [self.label_names[place] for place in self.predicted.argmax(1).tolist()]
            return pa.table({**columns, "predicted": labels, "label": pa.array(self.labels, pa.string())})
        channels, horizon = len(self.channels), self.dataset.horizon
        repeated = np.repeat(np.arange(count), channels * horizon)
        table = {name: pa.array(list(found), kinds[name]).take(pa.array(repeated)) for name, found in windows.items()}
        names = [np.array([getattr(channel, field) for channel in self.channels]) for field in ("name", "unit")]
        of_channel = np.tile(np.repeat(np.arange(channels), horizon), count)
        table |= {"channel": pa.array(names[0][of_channel]), "unit": pa.array(names[1][of_channel])}
        table["step"] = pa.array(np.tile(np.arange(1, horizon + 1), count * channels))
        times = [np.full(horizon, "NaT", "datetime64[s]") if not self.timed else self.times(n) for n in range(count)]
        table["time"] = pa.array(np.concatenate([np.tile(own, channels) for own in times]), pa.timestamp("s"))  # type: ignore[arg-type]
        table |= {name: pa.array(values.ravel()) for name, values in self.forecasts.items()}
        table["truth"] = pa.array(self.truth.ravel(), from_pandas=True)
        return pa.table(table)

    def as_dicts(self) -> list[dict[str, Any]]:
        """A window each, of plain types."""
        found = []
        forecasts, truth, labels = ({}, None, self.labels) if self.label_names else (self.forecasts, self.truth, [])
        for number, (series, name, origin) in enumerate(zip(self.series_ids, self.ids, self.origins, strict=True)):
            window: dict[str, Any] = {
                "series_id": series,
                "id": name,
                "origin": None if origin is None else str(origin),
            }
            if truth is None:
                window["probabilities"] = dict(zip(self.label_names, self.predicted[number].tolist(), strict=True))
                window["label"] = labels[number]
                if own := self.members.get(""):
                    window["members"] = dict(own)
            else:
                times = self.times(number)
                window["times"] = None if times is None else times.astype(str).tolist()
                window["channels"] = {
                    channel.key: {
                        **{key: values[number, place].tolist() for key, values in forecasts.items()},
                        **({"members": dict(own)} if (own := self.members.get(channel.key)) else {}),
                        "truth": [None if value != value else value for value in truth[number, place].tolist()],
                    }
                    for place, channel in enumerate(self.channels)
                }
            if self.dataset.lookup is not None:
                window["retrieved"] = [_as_dict(near) for near in self.neighbours(number)]
            found.append(window)
        return found


def predictions_for(
    dataset: OriginDataset,
    places: Sequence[int],
    predict: Predictor,
    config: Config,
    label_names: tuple[str, ...] = (),
    timed: bool = True,
) -> Predictions:
    """What `predict` predicts for the windows `places` of `dataset`, and what is known about them."""
    size, predicted, truth = config.evaluation.batch_size, [], []
    with torch.no_grad():
        for first in range(0, len(places), size):
            batch = dataset[list(places[first : first + size])]
            found = predict(batch)
            if batch.future is None or batch.future_observed is None:
                predicted.append(found)
                truth.append(batch.label)
            else:
                predicted.append(batch.in_units(found))
                truth.append(torch.where(batch.future_observed, batch.in_units(batch.future), torch.nan))
    both = torch.cat(predicted), torch.cat(truth)
    if config.tune.task == "classify":
        return Predictions(dataset, places, *both, label_names=label_names, timed=timed)
    return Predictions(dataset, places, *both, quantiles=tuple(config.head.quantiles), timed=timed)


def _as_dict(near: Neighbour) -> dict[str, Any]:
    times = {name: getattr(near, name).isoformat(sep=" ") for name in ("start", "origin", "end")}
    found = {name: getattr(near, name) for name in ("id", "series_id", "similarity", "text", "label")}
    return {**found, **times}


def _short(found: Any) -> str:
    words = str(found)
    return words if len(words) < 80 else f"{words[:77]}..."


def check_output(path: Path) -> None:
    """Raise ConfigError where a file of this name cannot be written."""
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f"{path}: a table's name ends in {' or '.join(FORMATS)}")


def write_predictions(predictions: Predictions, path: Path) -> None:
    """Write the table of all windows; the file is whole or not there."""
    check_output(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write = pyarrow.csv.write_csv if path.suffix.lower() == ".csv" else pyarrow.parquet.write_table
    with replacing(path) as file:
        write(predictions.table(), file)
