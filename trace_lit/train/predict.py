"""What a tuned run says: forecasts with their bands, or the probabilities of the labels."""

from __future__ import annotations

import dataclasses
import difflib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from data_modules import Corpus, DomainDataModule, Record, write_corpus
from data_modules.corpus import CorpusError
from data_modules.csv_series import read_series_csv
from data_modules.figures import Window, clock
from data_modules.forecasting import OriginDataset
from data_modules.frequency import Frequency
from trace_lit.atomic import replacing
from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.channels import Channel
from trace_lit.config import CLASSIFIERS, Config, ConfigError, retrieves
from trace_lit.modules import CheckpointError, TuneModule
from trace_lit.rag import Neighbour, RetrievalLookup
from trace_lit.rag.figures import Outlook, Query, class_figure, forecast_figure, forecast_page
from trace_lit.scores import centre_of
from trace_lit.train.runs import best_device, build_datamodule, open_data
from trace_lit.train.tune import Say, classifier_for, load_classifiers, load_tuned, run_config

_FEW = 3  # windows that are all printed
FORMATS = (".parquet", ".csv")
_NO_TIME = datetime(1970, 1, 1)  # stands where a file has no times; nobody gets to see it
_WORDS = 30  # of a report, on the terminal
_PLAIN_WIDTH = 110  # characters, where the output is no terminal


@dataclass(frozen=True)
class Asked:
    """Which windows are asked for: a split of a corpus, those that end where some of its rows do, or its very last ones."""

    corpus: Path | None = None  # the run's own by default
    series: Path | None = None  # a CSV file, see `read_series_csv`: the window is its end, and it is like the corpus
    split: str = "test"
    ids: tuple[str, ...] = ()
    last: bool = False


@dataclass(frozen=True)
class Predictions:
    """What a model says of N windows of a corpus."""

    dataset: OriginDataset
    places: Sequence[int]  # N of its windows
    said: Tensor  # (N, C, H, Q) forecasts in the channels' units, or (N, K) probabilities
    came: Tensor  # (N, C, H) what came, NaN where unknown, or (N,) the windows' labels, NO_LABEL where unknown
    quantiles: tuple[float, ...] = ()  # Q of them; none: one number, Q = 1
    label_names: tuple[str, ...] = ()  # K of them, in classification
    timed: bool = True  # whether anything is known of the time

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
        """(N,) the first steps behind the origins."""
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
    def truth(self) -> NDArray[np.float32]:
        """(N, C, H) what came, NaN where unknown."""
        return self.came[:, self.targets].numpy()

    @cached_property
    def forecasts(self) -> dict[str, NDArray[np.float32]]:
        """(N, C, H) by name: the forecast, and the quantiles by their levels."""
        said = self.said[:, self.targets].numpy()
        named = {f"{level:g}": said[..., place] for place, level in enumerate(self.quantiles)}
        return {"forecast": said[..., centre_of(self.quantiles)], **named}

    @cached_property
    def labels(self) -> list[str | None]:
        """The windows' own, where they are known."""
        return [None if number == NO_LABEL else self.label_names[number] for number in self.came.tolist()]

    def neighbours(self, number: int) -> list[Neighbour]:
        """What was retrieved for a window, best first; nothing where nothing is."""
        lookup = self.dataset.lookup
        if not isinstance(lookup, RetrievalLookup):
            return []
        found, place = lookup.neighbours, [self.places[number]]
        return lookup.retrieval.memory.describe(found.number[place], found.similarity[place])[0]

    def table(self) -> pa.Table:
        """A row a window, channel and step, or a row a window with a column a label."""
        count = len(self)
        windows: dict[str, Sequence[Any]] = {"series_id": self.series_ids, "id": self.ids, "origin": self.origins}
        kinds = {"origin": pa.timestamp("s"), "series_id": pa.string(), "id": pa.string()}
        if self.label_names:
            columns = {name: pa.array(list(told), kinds[name]) for name, told in windows.items()}
            columns |= {name: pa.array(self.said[:, place].numpy()) for place, name in enumerate(self.label_names)}
            said = [self.label_names[place] for place in self.said.argmax(1).tolist()]
            return pa.table({**columns, "predicted": said, "label": pa.array(self.labels, pa.string())})
        channels, horizon = len(self.channels), self.dataset.horizon
        repeated = np.repeat(np.arange(count), channels * horizon)
        table = {name: pa.array(list(told), kinds[name]).take(pa.array(repeated)) for name, told in windows.items()}
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
        told = []
        forecasts, truth, labels = ({}, None, self.labels) if self.label_names else (self.forecasts, self.truth, [])
        for number, (series, name, origin) in enumerate(zip(self.series_ids, self.ids, self.origins, strict=True)):
            window: dict[str, Any] = {
                "series_id": series,
                "id": name,
                "origin": None if origin is None else str(origin),
            }
            if truth is None:
                window["probabilities"] = dict(zip(self.label_names, self.said[number].tolist(), strict=True))
                window["label"] = labels[number]
            else:
                times = self.times(number)
                window["times"] = None if times is None else times.astype(str).tolist()
                window["channels"] = {
                    channel.key: {
                        **{key: values[number, place].tolist() for key, values in forecasts.items()},
                        "truth": [None if value != value else value for value in truth[number, place].tolist()],
                    }
                    for place, channel in enumerate(self.channels)
                }
            if self.dataset.lookup is not None:
                window["retrieved"] = [_as_dict(near) for near in self.neighbours(number)]
            told.append(window)
        return told


def _as_dict(near: Neighbour) -> dict[str, Any]:
    times = {name: getattr(near, name).isoformat(sep=" ") for name in ("start", "origin", "end")}
    told = {name: getattr(near, name) for name in ("id", "series_id", "similarity", "text", "label")}
    return {**told, **times}


def predict_run(run: str | Path, asked: Asked) -> Predictions:
    """What the tuned run, or the baseline, `run` says of the windows asked for.

    Raises
    ------
    CheckpointError
        It is no run of the stage tune.
    ConfigError, CorpusError
        The windows are not there, or cannot be used with this run.
    """
    config = run_config(run)
    if config.stage != "tune":
        raise CheckpointError(f"{run} is of stage {config.stage!r}; one of stage 'tune' is needed here")
    if asked.series is None:
        return _predict(run, config, asked, asked.corpus, timed=True)
    with _as_corpus(asked.series, _like(config, asked.corpus), config) as (folder, timed):
        return _predict(run, config, dataclasses.replace(asked, ids=(), last=True), folder, timed)


def _predict(run: str | Path, config: Config, asked: Asked, folder: Path | None, timed: bool) -> Predictions:
    device = best_device(config)
    if config.tune.model in CLASSIFIERS:
        data, says = load_classifiers(run, config)
        say: Say = classifier_for(data, says, asked.corpus)
        if folder is not None:
            _move(config, folder)
            data = open_data(config, data.vocabulary, data.label_names)
    else:
        checkpoint, build = load_tuned(run)
        _move(checkpoint.config, folder)
        data = open_data(checkpoint.config, checkpoint.vocabulary, checkpoint.label_names)
        module = build(data).to(device).eval()

        def say(batch: MultimodalBatch) -> Tensor:
            return module.predict(batch.to(device)).cpu()

    windows = _windows(data, _place(data, folder), asked)
    return _said_of(windows, range(len(windows)), say, config, data.label_names, timed)


def _said_of(
    dataset: OriginDataset, places: Sequence[int], say: Say, config: Config, label_names: tuple[str, ...], timed: bool
) -> Predictions:
    size, said, came = config.evaluation.batch_size, [], []
    for first in range(0, len(places), size):
        batch = dataset[list(places[first : first + size])]
        with torch.no_grad():
            said.append(say(batch))
        if batch.future is None or batch.future_observed is None:
            came.append(batch.label)
        else:
            came.append(torch.where(batch.future_observed, batch.future, torch.nan))
    told = torch.cat(said), torch.cat(came)
    if config.tune.task == "classify":
        return Predictions(dataset, places, *told, label_names=label_names, timed=timed)
    return Predictions(dataset, places, *told, quantiles=tuple(config.tune.quantiles), timed=timed)


def log_forecasts(module: TuneModule, data: DomainDataModule, writer: SummaryWriter, step: int, count: int = 3) -> None:
    """A page of a few validation forecasts a corpus, for TensorBoard."""
    module.eval()
    for name, dataset in zip(data.corpus_names, data.datasets["validation"], strict=True):
        places = np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round().astype(int).tolist()
        if places:
            said = _said_of(
                dataset, places, lambda batch: module.predict(batch.to(module.device)).cpu(), module.config, (), True
            )
            writer.add_figure(f"forecast/{name}", draw_all(said), step)


def _own_folders(config: Config) -> list[Path]:
    """The corpora that a run was tuned on."""
    data = build_datamodule(config)
    data.prepare_data()
    return data.corpus_paths()


def _move(config: Config, folder: Path | None) -> None:
    """Name the corpus in `folder` as the data, unless it is one of them; the corpus that is searched stays the same."""
    if folder is None:
        return
    own = _own_folders(config)
    if folder.resolve() in [path.resolve() for path in own]:
        return
    if config.rag.corpus is None and len(own) == 1:
        config.rag.corpus = str(own[0])
    config.data.corpus = str(folder)


def _place(data: DomainDataModule, folder: Path | None) -> int:
    """Which of the corpora is meant."""
    paths = [corpus.path.resolve() for corpus in data.corpora]
    if folder is not None:
        return paths.index(folder.resolve())
    _check_single(paths)
    return 0


def _check_single(paths: Sequence[Path]) -> None:
    if len(paths) > 1:
        raise ConfigError(
            f"the run has several corpora ({', '.join(map(str, paths))}); say which one is meant with --corpus"
        )


def _windows(data: DomainDataModule, place: int, asked: Asked) -> OriginDataset:
    """The windows asked for.

    Raises
    ------
    CorpusError
        There are none, or no row of such an id.
    """
    dataset: OriginDataset = data.datasets[asked.split][place]
    corpus, series = dataset.corpus, dataset.series
    if not asked.ids and not asked.last:
        if not len(dataset):
            raise CorpusError(
                f"{corpus.path} has no window in the split {asked.split!r}; take another --split, or --last for what comes "
                "behind the end of each series"
            )
        return dataset
    if asked.last:
        newest = {corpus.series_ids[row]: row for row in np.argsort(corpus.ends, kind="stable").tolist()}
        rows = sorted(newest.values())
    else:
        row_of = {name: row for row, name in enumerate(corpus.ids)}
        if missing := [name for name in asked.ids if name not in row_of]:
            near = difflib.get_close_matches(missing[0], list(row_of), n=3, cutoff=0.0)
            raise CorpusError(f"{corpus.path} has no row {missing[0]!r}; near are {', '.join(map(repr, near))}")
        rows = [row_of[name] for name in asked.ids]
    origins = (series.windows.first + series.windows.length)[rows]
    own = [corpus.labels[row] for row in rows]
    names = corpus.info.label_names
    label = [NO_LABEL if number < 0 else data.label_names.index(names[number]) for number in own]
    return dataset.at(origins, torch.tensor(label))


# A series from a file


def _like(config: Config, folder: Path | None) -> Corpus:
    """The corpus whose channels and frequency a file has."""
    if folder is None:
        paths = _own_folders(config)
        _check_single(paths)
        folder = paths[0]
    return Corpus.load(folder)


@contextmanager
def _as_corpus(path: Path, like: Corpus, config: Config) -> Iterator[tuple[Path, bool]]:
    """A corpus that holds the one series of a file, and whether its times are known."""
    info, tune = like.info, config.tune
    series = read_series_csv(path, info.channels, Frequency.parse(info.frequency))
    steps = series.values.shape[1]
    if tune.model == "trace" and steps < config.encoder.patch_length:
        raise CorpusError(
            f"{path} has {steps} rows; the model needs at least a patch of {config.encoder.patch_length} "
            f"(and looks back {tune.lookback})"
        )
    if series.times is None and _knows_time(config):
        raise CorpusError(
            f"{path} has no column for the time, which this run takes into account; add one named time, with cells like "
            "2024-05-31T18:00"
        )
    wanted = tune.targets or []
    if absent := [name for name in wanted if name not in {channel.name for channel in series.channels}]:
        raise CorpusError(f"{path} has no column for {absent[0]!r}, which the run forecasts; add it")
    for channel, own in zip(series.channels, series.values, strict=True):
        if np.isnan(own).all():
            raise CorpusError(f"{path}: the column of {channel.key!r} has only empty cells; take it out")
    own_info = dataclasses.replace(info, channels=series.channels)
    record = Record(path.name, path.stem, series.start or _NO_TIME, series.values, split="test")
    with TemporaryDirectory() as folder:
        yield write_corpus([record], own_info, Path(folder) / "series").path, series.times is not None


def _knows_time(config: Config) -> bool:
    """Whether a forecast depends on when it is made."""
    return config.encoder.calendar or config.tune.calendar > 0 or retrieves(config)


# What is told


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


def print_predictions(predictions: Predictions) -> None:
    """Tables of the windows, or of the newest where there are many; without colours where the output is no terminal."""
    console = Console() if sys.stdout.isatty() else Console(width=_PLAIN_WIDTH)
    few = len(predictions) <= _FEW
    for number in range(len(predictions)) if few else [predictions.newest]:
        if number and few:
            console.print()
        rows = _class_rows(predictions, number) if predictions.label_names else _forecast_rows(predictions, number)
        console.print(_as_table(console, title_of(predictions, number), *rows))
        if neighbours := predictions.neighbours(number):
            console.print(_as_table(console, "retrieved", *_neighbour_rows(neighbours)))
    if not few:
        told = f"the newest of {len(predictions):,} windows; --out writes all, --id chooses"
        console.print(Text(told, style="dim"))


def _as_table(console: Console, title: str, header: Sequence[str], *rows: Sequence[str]) -> Table:
    style = box.SIMPLE_HEAD if console.is_terminal else None
    table = Table(title=Text(title), title_justify="left", title_style="bold", box=style, pad_edge=False)
    for name in header:
        words = name in ("time", "channel", "label", "series", "until", "id", "text")
        table.add_column(name, justify="left" if words else "right", no_wrap=name != "text")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # a string would be read as rich's markup
    return table


def _neighbour_rows(neighbours: Sequence[Neighbour]) -> list[tuple[str, ...]]:
    labelled = any(near.label for near in neighbours)
    rows: list[tuple[str, ...]] = [("similarity", "id", "until", *(["label"] if labelled else []), "text")]
    for near in neighbours:
        until = clock(np.datetime64(near.origin, "s"))
        rows.append(
            (
                f"{near.similarity:.3f}",
                near.id,
                until,
                *([near.label or "-"] if labelled else []),
                _begun(near.text, _WORDS) or "-",
            )
        )
    return rows


def title_of(predictions: Predictions, number: int) -> str:
    """Which window it is."""
    origin = predictions.origins[number]
    name = predictions.ids[number] or predictions.series_ids[number]
    return name if origin is None else f"{name}, {'until' if predictions.label_names else 'from'} {clock(origin)}"


def _forecast_rows(predictions: Predictions, number: int) -> list[tuple[str, ...]]:
    horizon = predictions.dataset.horizon
    times = predictions.times(number)
    shown = [f"+{step}" for step in range(1, horizon + 1)] if times is None else [clock(time) for time in times]
    forecasts, truth = predictions.forecasts, predictions.truth[number]
    bounds = [f"{level:g}" for level in predictions.quantiles]
    bounds = [bounds[0], bounds[-1]] if len(bounds) > 1 else []
    columns = {name: forecasts[name][number] for name in ("forecast", *bounds)}
    if bounds:
        low, high = bounds
        columns = {f"low {low}": columns[low], "forecast": columns["forecast"], f"high {high}": columns[high]}
    if not np.isnan(truth).all():
        columns["truth"] = truth
    rows: list[tuple[str, ...]] = [("time", "channel", *columns)]
    for place, channel in enumerate(predictions.channels):
        for step, time in enumerate(shown):
            cells = [f"{values[place, step]:.5g}" for values in columns.values()]
            rows.append((time, channel.key, *("-" if cell == "nan" else cell for cell in cells)))
    return rows


def _class_rows(predictions: Predictions, number: int) -> list[tuple[str, ...]]:
    label = predictions.labels[number]
    told = sorted(zip(predictions.said[number].tolist(), predictions.label_names, strict=True), reverse=True)
    rows = [(name, f"{share:.3f}", "✓" if name == label else "") for share, name in told]
    return (
        [("label", "probability", "truth"), *rows]
        if label is not None
        else [("label", "probability"), *(row[:2] for row in rows)]
    )


# What is drawn


def draw_window(predictions: Predictions, number: int, words: int | None = None) -> Figure:
    """The picture of a window: its forecast or the probabilities of its labels, and what was retrieved for it.

    Of reports, the first so many `words` are shown; all by default.
    """
    query, neighbours = _query(predictions, number), predictions.neighbours(number)
    if words is not None:
        window = dataclasses.replace(query.window, text=_begun(query.window.text, words))
        query = dataclasses.replace(query, window=window)
        neighbours = [dataclasses.replace(near, text=_begun(near.text, words)) for near in neighbours]
    lookup = predictions.dataset.lookup
    transform = lookup.retrieval.memory.transform if isinstance(lookup, RetrievalLookup) else "none"
    if not predictions.label_names:
        return forecast_figure(query, _outlook(predictions, number), neighbours, transform)
    probabilities = dict(zip(predictions.label_names, predictions.said[number].tolist(), strict=True))
    return class_figure(query, probabilities, predictions.labels[number], neighbours, transform)


def _begun(text: str, words: int) -> str:
    own = text.split()
    return " ".join(own[:words]) + (" …" if len(own) > words else "")


def draw_all(predictions: Predictions) -> Figure:
    """The forecasts of a few windows, side by side."""
    return forecast_page([(_query(predictions, n), _outlook(predictions, n)) for n in range(len(predictions))])


def _query(predictions: Predictions, number: int) -> Query:
    dataset, place = predictions.dataset, predictions.places[number]
    info, batch = dataset.corpus.info, dataset[[place]]
    values = torch.where(batch.observed, batch.values, torch.nan)[0].numpy()
    channels = list(info.channels)
    if not predictions.label_names:
        values, channels = values[predictions.targets], predictions.channels
    times: NDArray[Any] | None = predictions.times(number, -dataset.lookback, 0)
    if times is None:
        times = np.arange(-dataset.lookback, 0)
    text = dataset.at(dataset.origins[[place]]).texts[0]
    window = Window(_heading(predictions, number), times, values, text)
    return Query(window, channels, predictions.frequency(number).span(1), info.generated)


def _heading(predictions: Predictions, number: int) -> str:
    corpus, name = predictions.dataset.corpus, predictions.series_ids[number]
    domain = corpus.info.domain
    title = name if name.startswith(domain) else f"{domain}, {name}"
    if not predictions.label_names:
        title += f": the next {predictions.frequency(number).span(predictions.dataset.horizon)}"
    origin = predictions.origins[number]
    return title if origin is None else f"{title}, {'until' if predictions.label_names else 'from'} {clock(origin)}"


def _outlook(predictions: Predictions, number: int) -> Outlook:
    times = predictions.times(number)
    horizon = predictions.dataset.horizon
    bands = [predictions.forecasts[f"{level:g}"][number] for level in predictions.quantiles]
    forecast = predictions.forecasts["forecast"][number]
    return Outlook(
        np.arange(horizon) if times is None else times,
        forecast,
        np.stack(bands, axis=-1) if bands else np.empty((*forecast.shape, 0)),
        predictions.quantiles,
        predictions.truth[number],
    )
