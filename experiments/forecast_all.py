"""Forecasts of every data set in reach by one recipe, `forecast/auto.yaml`, beside the baselines.

    python experiments/forecast_all.py [--root DIR] [--seeds 0] [--only NAME …] [--baselines NAME …]

DIR and the folders below it are searched for domains of Time-MMD (numerical/NAME/NAME.csv), the weather of TimeCAP
(weather/time_series_*.pkl) and CSV files with a column of dates and columns of numbers, like ETTh1.csv; the generated
domains are forecast, too. No set has a setting of its own: look-back, season and patch go by the length of a step and of
the series. The horizon is that of the recipe, and four times that where validation and test have room for it. Baselines see
the same windows (the seasonal naive forecast a season at least) and train as in `forecast.py`; PatchTST is left out where
it would take too long. The table has ratios of the mean squared error to that of the best baseline on the test part.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import math
import re
import statistics
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from sweep import HERE, build_corpus, evaluated, table, write_section

from data_modules.corpus import Corpus, CorpusError, Record
from data_modules.corpus_writing import write_corpus
from data_modules.series_corpus import series_corpus
from data_modules.splits import SPLITS
from data_modules.stitched import Series
from trace_lit.inference import evaluate_run
from trace_lit.runs.data import run_domain
from trace_lit.runs.folder import read_metrics
from trace_lit.runs.recipe import settle_by_frequency
from trace_lit.settings import Config, load_config
from trace_lit.train import fit

RECIPE = HERE / "forecast" / "auto.yaml"
PLAIN = ("head={solver: ridge, refit: false, quantiles: []}", "rag={retriever: null, use_futures: false}")
LINEAR = (
    *PLAIN,
    "trainer.max_epochs=30",
    "evaluation.every_n_epochs=2",
    "optim={learning_rate: 1e-2, weight_decay: 0}",
)
BASELINES = {
    "naive": PLAIN,
    "seasonal_naive": PLAIN,
    "nlinear": LINEAR,
    "dlinear": LINEAR,
    "patchtst": (*PLAIN, "trainer.max_epochs=20", "evaluation.every_n_epochs=2", "optim.learning_rate=1e-2"),
}
WORK = 5e6  # steps of all training windows in an epoch beyond which PatchTST is left out
DEPTH = 3  # folders below the root that are searched
LEAST = 150  # rows of a table
TIME = re.compile(r"date|time|timestamp|start_date", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A data set: how its corpus is built."""

    name: str
    words: tuple[str, ...]


def discovered(root: Path, corpora: Path) -> Iterator[Found]:
    """The data sets below `root`, and the generated domains."""
    seen = set()
    for path in sorted(root.rglob("*.csv")) + sorted(root.rglob("time_series_*.pkl")):
        inside = path.relative_to(root).parts
        if len(inside) > DEPTH + 1 or "textual" in inside or any(part.startswith(".") for part in inside):
            continue
        try:
            found = _found(path, corpora)
        except CorpusError as error:
            print(f"left out: {error}", flush=True)
            continue
        if found is not None and found.name not in seen:
            seen.add(found.name)
            yield found
    for domain in ("weather", "healthcare", "energy"):
        yield Found(f"generated-{domain}", ("--domain", domain, "--source", "generated"))


def _found(path: Path, corpora: Path) -> Found | None:
    """The data set in a file, if it is one."""
    if path.parent.parent.name == "numerical" and path.stem == path.parent.name:
        source = ("--domain", "timemmd", "--source", "timemmd", "--root", str(path.parents[2]))
        options = (f"folder={path.stem}", f"domain={path.stem.lower()}", "length=12", "stride=1", "target_only=true")
        return Found(path.stem, (*source, *options))
    if path.suffix == ".pkl" and path.parent.name == "weather":
        city = path.stem.rpartition("_")[2]
        source = ("--domain", "weather", "--source", "timecap", "--root", str(path.parents[1]))
        return Found(f"weather-{city}", (*source, f"cities=[{city}]"))
    if path.suffix == ".csv" and (frame := table_of(path)) is not None:
        folder = corpora / f"all-{path.stem}"
        if not folder.exists():
            write_table(frame, path.stem, folder)
        return Found(path.stem, ())
    return None


def table_of(path: Path) -> pd.DataFrame | None:
    """A CSV file's columns of numbers by its column of dates, in order of time; None where it lacks either."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        head = next(csv.reader(file), [])
    dates = [column for column in head if TIME.fullmatch(column.strip())]
    if not dates:
        return None
    try:
        frame = pd.read_csv(path)
        times = pd.to_datetime(frame[dates[0]])
    except (ValueError, OSError):
        return None
    numbers = frame.drop(columns=dates[0]).apply(pd.to_numeric, errors="coerce")
    kept = [column for column in numbers if numbers[column].notna().mean() >= 0.5 and numbers[column].nunique() > 1]
    kept = [column for column in kept if not re.search(r"unnamed|^index$", str(column), re.IGNORECASE)]
    numbers = numbers[kept].set_axis(pd.DatetimeIndex(times, name="time")).sort_index()
    numbers = numbers[~numbers.index.duplicated()]
    return numbers if kept and len(numbers) >= LEAST else None


def write_table(frame: pd.DataFrame, name: str, folder: Path) -> None:
    """The series of a table as a corpus."""
    made = series_corpus(frame, min(24, len(frame) // 10))
    starts = made.starts.astype("datetime64[s]").tolist()
    rows = zip(made.ids, starts, made.values(), strict=True)
    records = [Record(str(key), name, start, values) for key, start, values in rows]
    write_corpus(records, dataclasses.replace(made.info, domain="table", name=name.lower()), folder)


def configured(corpus: Path, words: Sequence[str], options: argparse.Namespace) -> Config:
    """The recipe for a corpus, settled, with `words` beside it."""
    return load_config([RECIPE], [f"data.corpus={corpus.absolute()}", f"run.dir={options.runs}", *words])


def horizons(corpus: Path, options: argparse.Namespace) -> list[int]:
    """Those that are forecast: the recipe's, and four times that, where validation and test have room for them."""
    config = configured(corpus, (), options)
    settle_by_frequency(config)
    window = config.window
    loaded = Corpus.load(corpus)
    series, found = Series.of(loaded, window.split), []
    for horizon in (window.horizon, 4 * window.horizon):
        room = [len(series.forecast_origins(window.lookback or 1, horizon, split)) for split in SPLITS]
        if room[0] >= 3 * horizon and room[1] >= 1 and room[2] >= max(2, horizon // 8):
            found.append(horizon)
    return found


def run(name: str, corpus: Path, words: Sequence[str], options: argparse.Namespace) -> dict:
    """The metrics of one run, fitted and evaluated where that has not been done."""
    config = configured(corpus, [*words, f"run.name={name}"], options)
    settle_by_frequency(config)
    folder = options.runs / run_domain([corpus]) / "tune" / name
    if not evaluated(folder):
        with (options.runs / "forecast_all.log").open("a", encoding="utf-8") as log, redirect_stdout(log):
            fit(config, overwrite=True)
            evaluate_run(folder)
    return read_metrics(folder)


def least_lookback(model: str, config: Config) -> tuple[str, ...]:
    """The seasonal naive forecast looks back a season at least."""
    window = config.window
    least = max(window.lookback or 1, window.season)
    return (f"window.lookback={least}",) if model == "seasonal_naive" else ()


def feasible(model: str, corpus: Path, config: Config) -> bool:
    """Whether a baseline can be trained in minutes on one core."""
    loaded = Corpus.load(corpus)
    windows = len(Series.of(loaded, "steps").split) * len(loaded.info.channels) / config.window.stride
    return model != "patchtst" or windows * (config.window.lookback or 1) <= WORK


def measured(found: Found, horizon: int, corpus: Path, options: argparse.Namespace) -> list[str]:
    """A line of the table."""
    config = configured(corpus, (f"window.horizon={horizon}",), options)
    settle_by_frequency(config)
    scores: dict[str, float] = {}
    for model in options.baselines:
        if feasible(model, corpus, config):
            words = (*BASELINES[model], f"tune.model={model}", *least_lookback(model, config))
            name = f"all-{found.name}-{model}-{horizon}"
            scores[model] = run(name, corpus, (*words, f"window.horizon={horizon}"), options)["test/MSE"]
    seeds = [
        run(f"all-{found.name}-auto-{horizon}-{seed}", corpus, (f"window.horizon={horizon}", f"seed={seed}"), options)
        for seed in options.seeds
    ]
    best = min(scores, key=lambda model: scores[model])
    own = statistics.mean(seed["test/MSE"] for seed in seeds)
    bands = [statistics.mean(seed[f"test/coverage/0.8/third/{third}"] for seed in seeds) for third in (1, 2, 3)]
    weights = {key.removeprefix("cv/weight/"): value for key, value in seeds[0].items() if key.startswith("cv/weight/")}
    first = sorted(weights, key=lambda member: -weights[member])[:3]
    return [
        found.name,
        str(horizon),
        str(config.window.lookback),
        *(f"{scores[model]:.4g}" if model in scores else "–" for model in options.baselines),
        f"{own:.4g}",
        f"{own / scores[best]:.3f}",
        " ".join(f"{100 * band:.0f}" for band in bands),
        ", ".join(f"{member} {weights[member]:.2f}" for member in first),
        f"{seeds[0]['fit/solve_seconds']:.0f}",
    ]


def main() -> None:
    options = parsed()
    torch.set_num_threads(1)
    options.runs.mkdir(parents=True, exist_ok=True)
    lines = []
    for found in discovered(options.root, options.corpora):
        if options.only and found.name not in options.only:
            continue
        corpus = build_corpus(options, f"all-{found.name}", *found.words)
        asked = horizons(corpus, options)
        if not asked:
            print(f"left out: {found.name} has too few windows in training, validation or test", flush=True)
        for horizon in asked:
            lines.append(measured(found, horizon, corpus, options))
            print(" | ".join(lines[-1]), flush=True)
    ratios = [float(line[-4]) for line in lines]
    mean = math.exp(statistics.mean(math.log(ratio) for ratio in ratios))
    summary = f"Geometric mean of {len(ratios)} ratios {mean:.3f}, the highest {max(ratios):.3f}."
    columns = ["", "horizon", "look-back", *options.baselines, "recipe", "ratio", "bands", "first members", "seconds"]
    note = (
        "Mean squared errors on the standardised scale of the test part. `ratio` is the recipe's to the best baseline's, "
        "`bands` the percentages that the 80 % bands hold at the thirds of the horizon, `seconds` what it took to solve."
    )
    print(summary)
    write_section("forecast-all", "Forecasts by one recipe", "\n\n".join([note, table(columns, lines), summary]))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--root", type=Path, default=HERE.parent.parent / "shared" / "data", help="where data are searched"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--corpora", type=Path, default=Path("corpora"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", help="these data sets only")
    parser.add_argument("--baselines", nargs="+", choices=list(BASELINES), default=list(BASELINES))
    return parser.parse_args()


if __name__ == "__main__":
    main()
