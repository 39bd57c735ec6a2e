"""Retrieval on and off: soft prompts, what followed the neighbours, and the plain mean of it (TRACE §3.4), by R.

    python experiments/retrieval_gain.py [--root DIR] [--seeds 0 1 2 3 4] [--only NAME …]

Forecasts of Health_US and Energy (Time-MMD) by the literature's protocol and of real weather (TimeCAP, the next 24 hours
from 72), and rain in the next 24 hours. For each seed an encoder is pre-trained and frozen, and aligned to be the
retriever (those of light_tuning.py). R is chosen on validation, for each row and over all seeds; the test part is read for
the chosen R alone, and with `--only`, which takes rows and data sets, not at all. The table goes to RESULTS.md.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import torch
from light_tuning import TASKS, Harness, corpus_of
from sweep import HERE, arguments, evaluated, spread, table, write_section

from trace_lit.config import load_config
from trace_lit.train import evaluate_run, fit
from trace_lit.train.runs import read_metrics

COUNTS = (1, 3, 5, 10)  # R


@dataclass(frozen=True)
class Set:
    """What is told with and without retrieval; the encoder and the retriever are those of a task of light_tuning.py."""

    name: str
    title: str
    task: str
    files: tuple[Path, ...]
    words: tuple[str, ...]
    score: str = "MSE"

    def best(self, errors: Sequence[float]) -> int:
        """The place of the best score."""
        return errors.index(max(errors) if self.score == "AUROC" else min(errors))


WEATHER = (HERE / "weather" / "tune.yaml",)
DAY = ("rag.lookback=24", "evaluation.bootstrap=0")
SETS = (
    *(
        Set(f"{name}-{horizon}", f"{title}, {horizon} weeks ahead", name, (HERE / "forecast" / f"{name}.yaml",), words)
        for name, title in (("health_us", "Health_US"), ("energy", "Energy"))
        for horizon in (12, 48)
        for words in ((f"tune.horizon={horizon}",),)
    ),
    Set("weather", "Weather, 24 hours ahead", "rain", WEATHER, (*DAY, "tune.stride=24", "rag.stride=6")),
    Set(
        "rain",
        "Rain in the next 24 hours",
        "rain",
        WEATHER,
        (*DAY, "tune={task: classify, lookback: 24, stride: 1}"),
        "AUROC",
    ),
)


@dataclass(frozen=True)
class Row:
    """A way to use the neighbours; without any, nothing is retrieved."""

    name: str
    title: str
    words: tuple[str, ...]
    retrieves: bool = True


STEPS = ("tune={solver: sgd, gains: []}", "trainer.max_epochs=20")  # gains are of the closed form
ROWS = (
    Row("none", "nothing retrieved", (), retrieves=False),
    Row("mean", "mean of what followed, nothing trained", ("tune={model: retrieved_mean, gains: []}",)),
    Row("futures", "what followed", ("rag.use_futures=true",)),
    Row("series", "TS-only", ("rag.mode=series",)),
    Row("text", "TS+Text", ("rag.mode=series+text",)),
    Row("both", "TS+Text and what followed", ("rag.mode=series+text", "rag.use_futures=true")),
    Row("steps", "nothing retrieved, gradient steps", STEPS, retrieves=False),
    Row("steps-series", "TS-only soft prompt, gradient steps", (*STEPS, "rag.mode=series")),
    Row("steps-text", "TS+Text soft prompt, gradient steps", (*STEPS, "rag.mode=series+text")),
)


def tuned(own: Set, harness: Harness, row: Row, count: int, seed: int) -> Path:
    """The run of a row with R = `count` neighbours, which has not seen the test part."""
    retriever, start = harness.aligned(seed), harness.folder("pretrain", seed)
    name = f"gain-{own.name}-{row.name}" + (f"-{count}" if row.retrieves else "") + f"-{seed}"
    folder = harness.runs / harness.task.domain / "tune" / name
    if not (folder / "metrics.json").exists():
        words = [*harness.common(seed), "stage=tune", *own.words, *row.words, f"init_from={start}", f"run.name={name}"]
        if row.retrieves:
            words += [f"rag.retriever={retriever}", f"rag.top={count}"]
        fit(load_config(own.files, words), overwrite=True)
    return folder


def tested(folder: Path) -> dict:
    """The metrics of a run with those of the test part."""
    if not evaluated(folder):
        evaluate_run(folder)
    return read_metrics(folder)


def line(own: Set, harness: Harness, row: Row, seeds: Sequence[int], test: bool) -> list[str]:
    """The cells of a row: validation by R, the R that is chosen by it, and the test part's score, where that is read."""
    counts = COUNTS if row.retrieves else (0,)
    folders = [[tuned(own, harness, row, count, seed) for seed in seeds] for count in counts]
    found = [[read_metrics(folder) for folder in of_seeds] for of_seeds in folders]
    validation = f"last/validation/{own.score}"
    place = own.best([mean(run[validation] for run in of_seeds) for of_seeds in found])
    cells = [spread(of_seeds, validation) for of_seeds in found]
    score = spread([tested(folder) for folder in folders[place]], f"test/{own.score}") if test else "–"
    if not row.retrieves:
        return [row.title, *cells, *["–"] * (len(COUNTS) - 1), "–", score, "–"]
    return [row.title, *cells, str(counts[place]), score, spread(found[place], "fit/retrieval_seconds", ".1f")]


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
        harness = Harness(task, corpus_of(task, options), options.runs)
        lines = []
        for row in rows:
            lines.append(line(own, harness, row, options.seeds, test=not only))
            print(f"{own.name}: {' | '.join(lines[-1])}", flush=True)
        header = ["", *(f"R={count}" for count in COUNTS), "chosen R", f"test {own.score}", "seconds"]
        parts.append(f"{own.title}, {own.score}, on validation by R and on the test part:\n\n{table(header, lines)}")
    note = (
        f"Mean ± deviation over seeds {', '.join(map(str, options.seeds))}. The encoder is pre-trained and frozen, its head "
        "solved in closed form unless gradient steps are named; the retriever is the same encoder, aligned. Where nothing "
        "is retrieved, the first column is validation. Candidates are the training windows whose continuation has ended "
        "before the origin; `seconds` is what it took to embed them and to find the neighbours of all training and "
        "validation windows."
    )
    write_section("retrieval-gain", "Retrieval on and off", "\n\n".join([note, *parts]))


if __name__ == "__main__":
    main()
