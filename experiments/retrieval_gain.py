"""Retrieval on and off: soft prompts, what followed the neighbours, and the plain mean of it (TRACE §3.4), by R.

    python experiments/retrieval_gain.py [--root DIR] [--seeds 0 1 2 3 4] [--only NAME …]

Forecasts of Health_US and Energy (Time-MMD) by the literature's protocol and of real weather (TimeCAP, the next 24 hours
from 168), and rain in the next 24 hours. For each seed there is a frozen encoder, under heads with and without retrieval,
and the retriever, which light_tuning.py aligns: the encoder is the one that the retriever began as, and of weather the
one that weather_tuning.py tunes in full. R is chosen on validation, for each row and over all seeds; the test part is
read for the chosen R alone, and with `--only`, which takes rows and data sets, not at all. The table goes to RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import torch
import weather_tuning
from light_tuning import RAIN, TASKS, Harness, corpus_of
from sweep import HERE, arguments, evaluated, spread, table, write_section

from trace_lit.inference import evaluate_mean, evaluate_run
from trace_lit.runs.folder import read_metrics
from trace_lit.settings import load_config
from trace_lit.train import fit

COUNTS = (1, 3, 5, 10)  # R


@dataclass(frozen=True)
class Set:
    """What is predicted with and without retrieval; the retriever is that of a task of light_tuning.py."""

    name: str
    title: str
    task: str
    file: Path
    words: tuple[str, ...]
    score: str = "MSE"
    parts: tuple[str, ...] = ("",)  # what is scored apart; the table shows the mean

    def best(self, errors: Sequence[float]) -> int:
        """The place of the best score."""
        return errors.index(max(errors) if self.score == "AUROC" else min(errors))

    def score_of(self, metrics: dict, split: str) -> float:
        return mean(metrics[f"{split}/{part}{self.score}"] for part in self.parts)


DAY = "rag.lookback=24"  # what the retriever of weather has learned to compare
SETS = (
    *(
        Set(f"{name}-{horizon}", f"{title}, {horizon} weeks ahead", name, HERE / "forecast" / f"{name}.yaml", words)
        for name, title in (("health_us", "Health_US"), ("energy", "Energy"))
        for horizon in (12, 48)
        for words in ((f"window.horizon={horizon}",),)
    ),
    Set("rain", "Rain in the next 24 hours", "rain", HERE / "weather" / "tune.yaml", (DAY, RAIN), "AUROC"),
    Set(
        "weather",
        "Weather, 24 hours ahead (mean of both cities)",
        "rain",
        HERE / "forecast" / "weather.yaml",
        (DAY, "rag.stride=6", "window.stride=23", "head.penalties=[1e-3,1e-2,0.1,1]"),  # 23: at all hours of the day
        parts=tuple(f"timecap-weather-{city}/" for city in weather_tuning.CITIES),
    ),
)


@dataclass(frozen=True)
class Row:
    """A way to use the neighbours, by R; without any, nothing is retrieved."""

    name: str
    title: str
    words: tuple[str, ...]
    counts: tuple[int, ...] = COUNTS
    sets: tuple[str, ...] = tuple(own.name for own in SETS)
    mean: tuple[str, ...] = ()  # of what these other rows say

    @property
    def retrieves(self) -> bool:
        return self.counts != NONE


NONE = (0,)
FROZEN = (
    "tune={scope: head}",
    "head={solver: ridge}",
)
STEPS = ("tune={scope: head}", "head={solver: sgd}", "trainer.max_epochs=20")
SERIES, TEXT, FUTURES = "rag.mode=series", "rag.mode=series+text", "rag.use_futures=true"
MEAN = (
    "tune={model: retrieved_mean}",
    "window={augmentation_scales: []}",
    "head={calendar: 0}",
)
WEEKS = tuple(own.name for own in SETS if own.task != "rain")
QUICK = tuple(own.name for own in SETS if own.name != "weather")  # to be read again and again
ROWS = (
    Row("none", "nothing retrieved", FROZEN, NONE),
    Row("mean", "mean of what followed, nothing trained", MEAN),
    Row("half", "half nothing retrieved, half this mean", (), sets=QUICK, mean=("none", "mean")),
    Row("futures", "what followed", (*FROZEN, FUTURES)),
    Row("series", "TS-only", (*FROZEN, SERIES)),
    Row("text", "TS+Text", (*FROZEN, TEXT), sets=QUICK),
    Row("few-text", "TS+Text", (*FROZEN, TEXT), COUNTS[:1], ("weather",)),  # with more, solving takes minutes
    Row("both", "TS+Text and what followed", (*FROZEN, TEXT, FUTURES), sets=QUICK),
    Row("steps", "nothing retrieved, gradient steps", STEPS, NONE, WEEKS),
    Row("steps-series", "TS-only soft prompt, gradient steps", (*STEPS, SERIES), (5,), WEEKS),
    Row("steps-text", "TS+Text soft prompt, gradient steps", (*STEPS, TEXT), (5,), WEEKS),
)


@dataclass(frozen=True)
class Sweep:
    """A set on its corpora: trains what is not there yet."""

    own: Set
    harness: Harness
    options: argparse.Namespace

    def start(self, seed: int) -> Path:
        """The run whose encoder is frozen."""
        self.harness.aligned(seed)
        if self.own.name != "weather":
            return self.harness.folder("pretrain", seed)
        trace = next(row for row in weather_tuning.TASKS["hours"].rows if row.name == "trace")
        return weather_tuning.run("hours", trace, weather_tuning.cities(self.options), self.options.runs, seed)

    def tuned(self, row: Row, count: int, seed: int) -> Path:
        """The run of a row with R = `count` neighbours, which has not seen the test part."""
        name = f"gain-{self.own.name}-{row.name}" + (f"-{count}" if row.retrieves else "") + f"-{seed}"
        folder = self.harness.runs / self.harness.task.domain / "tune" / name
        if not (folder / "metrics.json").exists():
            words = [*self.harness.common(seed), "stage=tune", *self.own.words, *row.words, f"run.name={name}"]
            if self.own.name == "weather":
                words += weather_tuning.cities(self.options)
            words.append(f"init_from={self.start(seed)}")
            if row.retrieves:
                words += [f"rag.retriever={self.harness.aligned(seed)}", f"rag.top={count}"]
            fit(load_config([self.own.file], words), overwrite=True)
        return folder

    def metrics_of(self, row: Row, count: int, seed: int, split: str) -> dict:
        """The metrics of a run, or of the mean of some, on validation or on the test part; with the score as ""."""
        if row.mean:
            parts = [self.tuned(part, count if part.retrieves else 0, seed) for part in ROWS if part.name in row.mean]
            metrics = evaluate_mean(parts, split)
        else:
            folder = self.tuned(row, count, seed)
            if split == "test" and not evaluated(folder):
                evaluate_run(folder)
            metrics = read_metrics(folder)
            split = "last/validation" if split == "validation" else split
        return metrics | {"": self.own.score_of(metrics, split)}

    def line(self, row: Row, test: bool) -> list[str]:
        """The cells of a row: validation by R, the R that is chosen by it, and where it is read, the test part's score."""
        seeds = self.options.seeds
        found = [[self.metrics_of(row, count, seed, "validation") for seed in seeds] for count in row.counts]
        place = self.own.best([mean(run[""] for run in of_seeds) for of_seeds in found])
        columns = row.counts if row.retrieves else COUNTS[:1]
        cells = {count: spread(of_seeds, "") for count, of_seeds in zip(columns, found, strict=True)}
        chosen = row.counts[place]
        score = spread([self.metrics_of(row, chosen, seed, "test") for seed in seeds], "") if test else "–"
        seconds = spread(found[place], "fit/retrieval_seconds", ".1f")
        return [
            row.title,
            *(cells.get(count, "–") for count in COUNTS),
            str(chosen) if row.retrieves else "–",
            score,
            seconds,
        ]


def main() -> None:
    options = arguments(__doc__ or "", seeds=[0, 1, 2, 3, 4])
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // options.jobs))
    only = set(options.only or ())
    tasks = {task.name: task for task in TASKS}
    sets = [own for own in SETS if own.name in only] or list(SETS)
    rows = [row for row in ROWS if row.name in only] or list(ROWS)
    parts = []
    for own in sets:
        task = tasks[own.task]
        sweep = Sweep(own, Harness(task, corpus_of(task, options), options.runs), options)
        lines = []
        for row in rows:
            if own.name not in row.sets:
                continue
            lines.append(sweep.line(row, test=not only))
            print(f"{own.name}: {' | '.join(lines[-1])}", flush=True)
        header = ["", *(f"R={count}" for count in COUNTS), "chosen R", f"test {own.score}", "seconds"]
        parts.append(f"{own.title}, {own.score}, on validation by R and on the test part:\n\n{table(header, lines)}")
    note = (
        f"Mean ± deviation over seeds {', '.join(map(str, options.seeds))}. The encoder is trained and frozen, its head "
        "solved in closed form unless other is named; the retriever is the same encoder, aligned, and of weather one that "
        "compares the last 24 hours. Where nothing is retrieved, the first column is validation. Candidates are the "
        "training windows whose continuation has ended before the origin; `seconds` is what it took to embed them and to "
        "find the neighbours of all training and validation windows."
    )
    write_section("retrieval-gain", "Retrieval on and off", "\n\n".join([note, *parts]))


if __name__ == "__main__":
    main()
