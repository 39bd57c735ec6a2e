"""Real weather (TimeCAP): the hours of the next day, and whether it rains in them, beside the baselines.

    python experiments/weather_tuning.py [--root DIR] [--seeds 0 1 2 3 4] [--only NAME …]

New York and Houston are two corpora that are learned from together and scored apart; the test is the last 20 % of each
city's days. What is chosen (penalties, epochs, whose mean is taken) is chosen without it. The tables go to RESULTS.md.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from sweep import HERE, arguments, build_corpus, evaluated, spread, table, write_section

from trace_lit.encoder.config import HeadConfig
from trace_lit.inference import evaluate_mean, evaluate_run
from trace_lit.models import CLASSIFIERS
from trace_lit.runs.folder import read_metrics
from trace_lit.settings import load_config
from trace_lit.train import fit

CITIES = {"ny": "New York", "hs": "Houston"}


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    name: str  # of the runs, too
    title: str
    words: tuple[str, ...] = ()
    pretrained: bool = False  # it starts from the encoder of pretrain.yaml
    chance: bool = True  # the seed changes something
    mean: tuple[str, ...] = ()  # of what these other rows say


@dataclass(frozen=True)
class Task:
    """What is predicted of the next day."""

    title: str
    file: Path
    scores: tuple[str, ...]
    rows: tuple[Row, ...]


COMBINED = (f"head={{solver: combination, penalties: {HeadConfig().penalties}}}",)
LINEAR = ("optim={learning_rate: 1e-2, weight_decay: 0, ema_decay: null}",)
PATCHTST = ("optim={weight_decay: 0.01, ema_decay: null}",)
TASKS = {
    "hours": Task(
        "The next 24 hours of all channels, from 168",
        HERE / "forecast" / "weather.yaml",
        ("MSE", "MAE", "MASE"),
        (
            Row("naive", "naive", ("tune.model=naive",), chance=False),
            Row("seasonal_naive", "seasonal naive, 24 hours", ("tune.model=seasonal_naive",), chance=False),
            Row("nlinear", "NLinear", ("tune.model=nlinear", *LINEAR)),
            Row("dlinear", "DLinear", ("tune.model=dlinear", *LINEAR)),
            Row("patchtst", "PatchTST", ("tune.model=patchtst", *PATCHTST)),
            Row("trace", "TRACE, tuned in full"),
        ),
    ),
    "rain": Task(
        "Rain in the next 24 hours",
        HERE / "weather" / "rain.yaml",
        ("AUROC", "AUPRC", "macro_F1", "accuracy"),
        (
            *(
                Row(
                    f"{model}-{hours}",
                    f"{title}, statistics of {hours} hours",
                    (f"tune.model={model}", f"window.lookback={hours}"),
                    chance=False,
                )
                for model, title in (
                    ("logistic_regression", "logistic regression"),
                    ("gradient_boosting", "gradient boosting"),
                )
                for hours in (24, 168)
            ),
            Row("random", "TRACE, not trained, logistic head"),
            Row("trace", "TRACE, pre-trained and frozen, logistic head", pretrained=True),
            Row("combination", "TRACE, pre-trained and frozen, members combined", COMBINED, pretrained=True),
            Row(
                "mean",
                "mean of it and both baselines of 24 hours",
                mean=("trace", *(f"{model}-24" for model in CLASSIFIERS)),
            ),
        ),
    ),
}


def cities(options: argparse.Namespace) -> list[str]:
    """The words that name the corpora, which are built where they are not there yet."""
    source = ["--domain", "weather", "--source", "timecap", "--root", str(options.root / "timecap")]
    corpora = [build_corpus(options, f"weather-{city}", *source, f"cities=[{city}]").absolute() for city in CITIES]
    return [f"data.corpus=[{','.join(map(str, corpora))}]"]


def scored(name: str, row: Row, words: list[str], options: argparse.Namespace, seed: int) -> dict:
    """The metrics of one run, or of the mean of some."""
    if not row.mean:
        return read_metrics(run(name, row, words, options.runs, seed))
    parts = [other for other in TASKS[name].rows if other.name in row.mean]
    first = options.seeds[0]
    return evaluate_mean([run(name, part, words, options.runs, seed if part.chance else first) for part in parts])


def run(name: str, row: Row, words: list[str], runs: Path, seed: int) -> Path:
    """One run, fitted and evaluated where that has not been done."""
    words = [*words, f"run.dir={runs}", f"seed={seed}"]
    start = []
    if row.pretrained:
        pretrained = runs / "weather" / "pretrain" / f"cities-{seed}"
        if not (pretrained / "metrics.json").exists():
            file = HERE / "weather" / "pretrain.yaml"
            fit(load_config([file], [*words, f"run.name={pretrained.name}"]), overwrite=True)
        start = [f"init_from={pretrained}"]
    folder = runs / "weather" / "tune" / f"{name}-{row.name}-{seed}"
    if not evaluated(folder):
        fit(load_config([TASKS[name].file], [*words, *row.words, *start, f"run.name={folder.name}"]), overwrite=True)
        evaluate_run(folder)
    return folder


def main() -> None:
    options = arguments(__doc__ or "", seeds=[0, 1, 2, 3, 4])
    torch.set_num_threads(max(1, options.jobs))
    words = cities(options)
    parts = []
    for name, task in TASKS.items():
        lines = []
        for row in task.rows:
            if options.only and row.name not in options.only and name not in options.only:
                continue
            seeds = options.seeds if row.chance else options.seeds[:1]
            found = [scored(name, row, words, options, seed) for seed in seeds]
            keys = [f"test/timecap-weather-{city}/{score}" for city in CITIES for score in task.scores]
            cells = [spread(found, key) for key in keys]
            sizes = [spread(found[:1], "fit/trained_parameters", ",.0f"), spread(found, "fit/seconds", ".0f")]
            lines.append([row.title, *cells, *sizes])
            print(f"{name}: {' | '.join(lines[-1])}", flush=True)
        scores = [f"{city}: {score.replace('_', ' ')}" for city in CITIES.values() for score in task.scores]
        parts.append(f"{task.title}:\n\n{table(['', *scores, 'trained', 'seconds'], lines)}")
    note = (
        f"Mean ± deviation over seeds {', '.join(map(str, options.seeds))} where they change anything. Errors are on "
        "the scale that the city's training part standardises; MASE's unit is the error of the value 24 hours before. "
        "Trained: parameters; seconds: of fitting, without pre-training."
    )
    write_section("weather", "Weather: the next day", "\n\n".join([note, *parts]))


if __name__ == "__main__":
    main()
