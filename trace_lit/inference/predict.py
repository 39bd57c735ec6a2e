"""A tuned run, or a baseline, asked about windows of a corpus or of a file."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from data_modules import Corpus, DomainDataModule, Record, write_corpus
from data_modules.corpus import CorpusError
from data_modules.csv_series import read_series_csv
from data_modules.forecasting import OriginDataset
from data_modules.frequency import Frequency
from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.config import ConfigError
from trace_lit.devices import best_device
from trace_lit.inference.predictions import Predictions
from trace_lit.inference.show import draw_all
from trace_lit.inference.tuned import classifier_for, load_classifiers, load_tuned, run_config
from trace_lit.models import CLASSIFIERS
from trace_lit.modules import CheckpointError, TuneModule
from trace_lit.runs.data import corpus_cache, open_data
from trace_lit.settings import Config, retrieves
from trace_lit.tuning.build import Predictor

_NO_TIME = datetime(1970, 1, 1)  # stands where a file has no times; nobody gets to see it


@dataclass(frozen=True)
class Asked:
    """Which windows are asked for: a split of a corpus, those that end where some of its rows do, or its very last ones."""

    corpus: Path | None = None  # the run's own by default
    series: Path | None = None  # a CSV file, see `read_series_csv`: the window is its end, and it is like the corpus
    split: str = "test"
    ids: tuple[str, ...] = ()
    last: bool = False


def predict_run(run: str | Path, asked: Asked, trust: bool = False) -> Predictions:
    """What the tuned run, or the baseline, `run` says of the windows asked for.

    Classes that the run names are imported only with `trust`.

    Raises
    ------
    CheckpointError
        It is no run of the stage tune.
    ConfigError, CorpusError
        The windows are not there, or cannot be used with this run.
    """
    config = run_config(run, trust)
    if config.stage != "tune":
        raise CheckpointError(f"{run} is of stage {config.stage!r}; one of stage 'tune' is needed here")
    if asked.series is None:
        return _predict(run, config, asked, asked.corpus, True, trust)
    with _as_corpus(asked.series, _like(config, asked.corpus), config) as (folder, timed):
        return _predict(run, config, dataclasses.replace(asked, ids=(), last=True), folder, timed, trust)


def _predict(
    run: str | Path, config: Config, asked: Asked, folder: Path | None, timed: bool, trust: bool
) -> Predictions:
    device = best_device(config.trainer.accelerator)
    if config.tune.model in CLASSIFIERS:
        data, says = load_classifiers(run, config)
        say: Predictor = classifier_for(data, says, asked.corpus)
        if folder is not None:
            _move(config, folder)
            data = open_data(config, data.vocabulary, data.label_names)
    else:
        checkpoint, build = load_tuned(run, trust)
        _move(checkpoint.config, folder)
        data = open_data(checkpoint.config, checkpoint.vocabulary, checkpoint.label_names)
        module = build(data).to(device).eval()

        def say(batch: MultimodalBatch) -> Tensor:
            return module.predict(batch.to(device)).cpu()

    windows = _windows(data, _place(data, folder), asked)
    return _said_of(windows, range(len(windows)), say, config, data.label_names, timed)


def _said_of(
    dataset: OriginDataset,
    places: Sequence[int],
    say: Predictor,
    config: Config,
    label_names: tuple[str, ...],
    timed: bool,
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
    return Predictions(dataset, places, *told, quantiles=tuple(config.head.quantiles), timed=timed)


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


def own_folders(config: Config) -> list[Path]:
    """The corpora that a run was tuned on."""
    return corpus_cache(config).prepare()


def _move(config: Config, folder: Path | None) -> None:
    """Name the corpus in `folder` as the data, unless it is one of them; the corpus that is searched stays the same."""
    if folder is None:
        return
    own = own_folders(config)
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
        paths = own_folders(config)
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
            f"(and looks back {config.window.lookback})"
        )
    if series.times is None and _knows_time(config):
        raise CorpusError(
            f"{path} has no column for the time, which this run takes into account; add one named time, with cells like "
            "2024-05-31T18:00"
        )
    wanted = config.window.targets or []
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
    return config.encoder.calendar or config.head.calendar > 0 or retrieves(config)
