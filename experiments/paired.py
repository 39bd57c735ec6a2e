"""What one part of the recipe `forecast/auto.yaml` brings: the same runs with and without it, paired by data set and seed.

    python experiments/paired.py {pretraining,retrieval} [--root DIR] [--seeds 0 1 2] [--sets NAME …] [--steps 720]

pretraining: a frozen encoder that was pre-trained on the look-backs of the training and validation part, or the universal
one (where its features are few enough to be solved quickly), against the same encoder with random weights. Series are cut
to their first `--steps`, so that a run takes seconds. retrieval: neighbours by shape as members of the combination, against
none; whole series, and rain as in `weather/rain.yaml`.

A run that is there already is not made again. Seeds come one after another, and the table is written after each, so that a
study can be stopped and gone on with. The table has, by data set, the error of each way and its ratio to the first one,
means over seeds; below it the geometric mean of the ratios and its 95 % interval by Student's t over the data sets.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.stats import t as student
from sweep import HERE, build_corpus, evaluated, table, write_section

from data_modules import Record, write_corpus
from data_modules.corpus import Corpus
from data_modules.sources.generated import varied
from data_modules.splits import SPLITS
from data_modules.stitched import Series
from trace_lit.inference import evaluate_run
from trace_lit.runs.data import run_domain
from trace_lit.runs.folder import read_metrics
from trace_lit.runs.recipe import settle_by_frequency
from trace_lit.settings import Config, load_config
from trace_lit.train import fit

RECIPE, RAIN = HERE / "forecast" / "auto.yaml", HERE / "weather" / "rain.yaml"
WEEKS = ("length=12", "stride=1", "target_only=true")
STATIONS = ("USW00024101", "071470-99999", "642820-99999", "USW00014939", "USW00013874")  # of ISD-Lite and LCD
VARIED = range(4)  # corpora of random channels
WINDOWS = 500  # to pre-train on, at most
EPOCHS = 10
UNIVERSAL_TOKENS = 6  # patches of the look-back up to which the universal encoder is tried


@dataclass(frozen=True)
class Case:
    """A data set and what is told of it."""

    name: str
    corpus: Path
    words: tuple[str, ...] = ()
    recipe: Path = RECIPE
    error: Callable[[dict], float] = lambda metrics: metrics["test/MSE"]

    def config(self, options: argparse.Namespace, *words: str) -> Config:
        """The recipe's settings, settled."""
        common = (f"data.corpus={self.corpus.absolute()}", f"run.dir={options.runs}")
        config = load_config([self.recipe], [*common, *self.words, *words])
        settle_by_frequency(config)
        return config


@dataclass(frozen=True)
class Way:
    """One of the ways that are compared; `words` gives its settings for a case and seed, None where it is not tried."""

    name: str
    title: str
    words: Callable[[Case, int, argparse.Namespace], Sequence[str] | None]


def measured(case: Case, way: Way, seed: int, options: argparse.Namespace) -> float | None:
    """The error of one run on the test part, fitted and evaluated where that has not been done."""
    words = way.words(case, seed, options)
    if words is None:
        return None
    name = f"{case.corpus.name}-{case.name}-{way.name}-{seed}"
    config = case.config(options, *words, f"seed={seed}", f"run.name={name}")
    folder = options.runs / run_domain([case.corpus]) / "tune" / config.run.name
    if not evaluated(folder):
        quietly(options, lambda: (fit(config, overwrite=True), evaluate_run(folder)))
    return case.error(read_metrics(folder))


def quietly(options: argparse.Namespace, work: Callable[[], object]) -> None:
    options.runs.mkdir(parents=True, exist_ok=True)
    with (options.runs / "paired.log").open("a", encoding="utf-8") as log, redirect_stdout(log):
        work()


# Pre-training


def pretrained(case: Case, seed: int, options: argparse.Namespace) -> list[str]:
    """Start from the encoder that is pre-trained on the case's look-backs."""
    config = case.config(options)
    encoder, name = config.encoder, f"{case.corpus.name}-{seed}"
    corpus = lookbacks(case, config, options)
    folder = options.runs / run_domain([corpus]) / "pretrain" / name
    if not (folder / "metrics.json").exists():
        names = ("width", "layers", "heads", "patch_length", "centre", "spread", "dropout")
        shape = ", ".join(f"{key}: {getattr(encoder, key)}" for key in names)
        words = [
            "stage=pretrain",
            f"data.corpus={corpus.absolute()}",
            f"run.dir={options.runs}",
            f"run.name={name}",
            f"seed={seed}",
            f"encoder={{{shape}}}",
            f"trainer.max_epochs={EPOCHS}",
            f"evaluation.every_n_epochs={EPOCHS}",
            "data.batch_size=128",
            "optim.learning_rate=3e-3",
        ]
        quietly(options, lambda: fit(load_config([], words), overwrite=True))
    return [f"init_from={folder}"]


def lookbacks(case: Case, config: Config, options: argparse.Namespace) -> Path:
    """A corpus of the windows before the forecast origins: those of training, and of validation to choose the epoch by."""
    folder = options.corpora / f"{case.corpus.name}-lookbacks"
    if not folder.exists():
        corpus, length = Corpus.load(case.corpus), config.window.lookback
        assert length is not None
        series, records = Series.of(corpus, config.window.split), []
        last = torch.arange(len(series.split))
        for number, split in enumerate(SPLITS[:2]):  # those of validation begin in training, as do a forecast's
            origins = last[(series.split == number) & (last + 1 - series.begun >= length)] + 1
            chosen = origins[:: max(1, len(origins) // WINDOWS)] - length
            for first, begin in zip(chosen.tolist(), series.windows.begin[chosen].tolist(), strict=True):
                values = series.windows.values[first : first + length].T.numpy()
                if np.isfinite(values).any():
                    owner, silent = f"{int(series.number[first])} {split}", [""] * len(values)
                    records.append(Record(f"{owner}-{first}", owner, moment(begin), values, "", silent, split=split))
        write_corpus(records, corpus.info, folder)
    return folder


def universal(case: Case, _: int, options: argparse.Namespace) -> list[str] | None:
    """Start from the universal model, where the look-back has few of its patches."""
    lookback = case.config(options).window.lookback or 0
    return ["init_from=universal"] if 6 <= lookback <= 6 * UNIVERSAL_TOKENS else None


def short_cases(options: argparse.Namespace) -> dict[str, Callable[[], Case]]:
    """Data sets of all kinds by name, their series cut to `--steps`."""
    timemmd = ("--domain", "timemmd", "--source", "timemmd", "--root", str(options.root / "timemmd"), *WEEKS)
    timecap = ("--source", "timecap", "--root", str(options.root / "timecap"))
    noaa = ("--domain", "weather", "--source", "noaa", "--root", str(options.root / "noaa"), "scales=[week]")
    built = {name: (*timemmd, f"folder={name}", f"domain={name.lower()}") for name in ("Energy", "Health_US")}
    built["mortality"] = ("--domain", "healthcare", *timecap)
    built |= {f"weather-{city}": ("--domain", "weather", *timecap, f"cities=[{city}]") for city in ("ny", "hs")}
    built |= {
        f"generated-{domain}": ("--domain", domain, "--source", "generated")
        for domain in ("weather", "healthcare", "energy")
    }
    built |= {station: (*noaa, f"stations=[{station}]", "events=false") for station in STATIONS}
    cases: dict[str, Callable[[], Case]] = {name: partial(cut, name, words, options) for name, words in built.items()}
    return cases | {f"simulated-{number}": partial(simulated, number, options) for number in VARIED}


def cut(name: str, words: Sequence[str], options: argparse.Namespace) -> Case:
    """A data set that `trace-lit data build` makes, cut."""
    return Case(name, shortened(name, build_corpus(options, f"paired-{name}-whole", *words), options))


def simulated(number: int, options: argparse.Namespace) -> Case:
    """A corpus of random channels."""
    folder = options.corpora / f"paired-varied-{number}"
    if not folder.exists():
        info, records = varied(number)
        write_corpus(records, info, folder)
    return Case(f"simulated-{number}", folder)


def shortened(name: str, whole: Path, options: argparse.Namespace) -> Path:
    """The rows of the first `--steps` of a corpus's series, without texts; New York's last month is one repeated row."""
    folder = options.corpora / f"paired-{name}-{options.steps}"
    if not folder.exists():
        corpus = Corpus.load(whole)
        values = corpus.values()
        _, number = corpus.series_numbers
        first = np.full(number.max() + 1, np.iinfo(np.int64).max)
        np.minimum.at(first, number, corpus.starts)
        step = (corpus.ends - corpus.starts) / corpus.lengths
        kept = np.flatnonzero(corpus.ends <= first[number] + options.steps * step)
        silent = [""] * len(corpus.info.channels)
        records = [
            Record(
                str(corpus.ids[row]),
                str(corpus.series_ids[row]),
                moment(int(corpus.starts[row])),
                np.asarray(values[row]),
                "",
                silent,
                frequency=str(corpus.frequencies[row]),
            )
            for row in kept
        ]
        write_corpus(records, corpus.info, folder)
    return folder


def moment(seconds: int) -> datetime:
    """Naive UTC time of `seconds` since 1970."""
    return datetime(1970, 1, 1) + timedelta(seconds=seconds)


# Retrieval

ALONE = ("rag={retriever: null, use_futures: false}",)
SHAPE = ("rag={retriever: shape, use_futures: true, top: 30, splits: [train, validation]}",)  # as in the recipe


def whole_cases(options: argparse.Namespace) -> dict[str, Callable[[], Case]]:
    """The sets of the paper's kind, by name: weekly prices and influenza, hours of weather, and whether it will rain."""
    cases: dict[str, Callable[[], Case]] = {}
    for name in ("Energy", "Health_US"):
        for horizon in (12, 48):
            cases[f"{name}-{horizon}"] = partial(weeks, name, horizon, options)
    for city in ("ny", "hs"):
        cases[f"weather-{city}"] = partial(weather, city, "weather", options)
        cases[f"rain-{city}"] = partial(weather, city, "rain", options)
    return cases


def weeks(name: str, horizon: int, options: argparse.Namespace) -> Case:
    """A domain of Time-MMD, so many weeks ahead."""
    source = ("--domain", "timemmd", "--source", "timemmd", "--root", str(options.root / "timemmd"), *WEEKS)
    corpus = build_corpus(options, f"all-{name}", *source, f"folder={name}", f"domain={name.lower()}")
    return Case(f"{name}-{horizon}", corpus, (f"window.horizon={horizon}",))


def weather(city: str, asked: str, options: argparse.Namespace) -> Case:
    """The next 24 hours of a city, or whether it rains in them."""
    source = ("--domain", "weather", "--source", "timecap", "--root", str(options.root / "timecap"))
    corpus = build_corpus(options, f"all-weather-{city}", *source, f"cities=[{city}]")
    if asked == "weather":
        return Case(f"weather-{city}", corpus)
    words = (
        "head={solver: combination, penalties: [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0]}",
        "encoder={width: 64, layers: 2, heads: 4, patch_length: 4, centre: last, spread: channel, dropout: 0}",
    )
    return Case(f"rain-{city}", corpus, words, RAIN, lambda metrics: 1 - metrics["test/AUROC"])


STUDIES: dict[str, tuple[str, Callable[[argparse.Namespace], dict[str, Callable[[], Case]]], tuple[Way, ...]]] = {
    "pretraining": (
        "Pre-training against random weights",
        short_cases,
        (
            Way("random", "random weights", lambda *_: ()),
            Way("pretrained", "pre-trained", pretrained),
            Way("universal", "universal", universal),
        ),
    ),
    "retrieval": (
        "Retrieval with the combination",
        whole_cases,
        (Way("off", "nothing retrieved", lambda *_: ALONE), Way("shape", "neighbours by shape", lambda *_: SHAPE)),
    ),
}


def line(case: Case, ways: Sequence[Way], found: dict[tuple[str, str, int], float], seeds: Sequence[int]) -> list[str]:
    """The cells of a case: the mean error of each way, and its ratio to the first one."""
    errors = [[found.get((case.name, way.name, seed)) for seed in seeds] for way in ways]
    first, *others = [[error for error in own if error is not None] for own in errors]
    cells = [case.name, f"{statistics.mean(first):.4g}"]
    for own in others:
        cells += [f"{statistics.mean(own):.4g}", spread_of(ratios(first, own))] if own else ["–", "–"]
    return cells


def ratios(first: Sequence[float], other: Sequence[float]) -> list[float]:
    return [own / base for base, own in zip(first, other, strict=False)]


def spread_of(values: Sequence[float]) -> str:
    deviation = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{deviation}"


def summary(way: Way, means: Sequence[float]) -> str:
    """The geometric mean of the cases' ratios, with its interval."""
    logs = [math.log(mean) for mean in means]
    middle = statistics.mean(logs)
    text = f"{way.title}: geometric mean of {len(logs)} ratios {math.exp(middle):.3f}"
    if len(logs) > 1:
        half = float(student.ppf(0.975, len(logs) - 1)) * statistics.stdev(logs) / len(logs) ** 0.5
        text += f", 95 % interval {math.exp(middle - half):.3f} to {math.exp(middle + half):.3f}"
    return f"{text}; below 1 in {sum(log < 0 for log in logs)}, from {min(means):.3f} to {max(means):.3f}."


def main() -> None:
    options = parsed()
    torch.set_num_threads(1)
    title, cases_of, ways = STUDIES[options.study]
    cases = [make() for name, make in cases_of(options).items() if not options.sets or name in options.sets]
    found: dict[tuple[str, str, int], float] = {}
    for seed in options.seeds:
        for case in cases:
            for way in ways:
                if (error := measured(case, way, seed, options)) is not None:
                    found[case.name, way.name, seed] = error
                    print(f"{case.name}, {way.title}, seed {seed}: {error:.4g}", flush=True)
        report(title, cases, ways, found, options.seeds[: options.seeds.index(seed) + 1], options)


def report(
    title: str,
    cases: Sequence[Case],
    ways: Sequence[Way],
    found: dict[tuple[str, str, int], float],
    seeds: Sequence[int],
    options: argparse.Namespace,
) -> None:
    """Print the table of the seeds that are there, and put it into RESULTS.md."""
    lines = [line(case, ways, found, seeds) for case in cases]
    header = ["", ways[0].title, *(name for way in ways[1:] for name in (way.title, "ratio"))]
    closing = []
    for way in ways[1:]:
        means = [
            statistics.mean(found[case.name, way.name, seed] / found[case.name, ways[0].name, seed] for seed in seeds)
            for case in cases
            if (case.name, way.name, seeds[0]) in found
        ]
        closing += [summary(way, means)] if means else []
    note = (
        f"Errors on the test part (mean squared on the standardised scale; of rain 1 − AUROC), means over seeds "
        f"{', '.join(map(str, seeds))}; `ratio` is the mean ± deviation of the ratios to {ways[0].title}, seed by seed."
    )
    if options.study == "pretraining":
        note += f" Of each series the first {options.steps} steps; {EPOCHS} epochs on at most {WINDOWS} look-backs."
    body = "\n\n".join([note, table(header, lines), "\n".join(f"- {text}" for text in closing)])
    print(body)
    if not options.sets:
        write_section(f"paired-{options.study}", title, body)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=list(STUDIES))
    parser.add_argument(
        "--root", type=Path, default=HERE.parent.parent / "shared" / "data", help="has timecap, timemmd"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--corpora", type=Path, default=Path("corpora"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sets", nargs="+", help="these data sets only; RESULTS.md is left as it is then")
    parser.add_argument("--steps", type=int, default=720, help="of a series, in the study of pre-training")
    return parser.parse_args()


if __name__ == "__main__":
    main()
