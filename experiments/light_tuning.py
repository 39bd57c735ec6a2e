"""Light tuning (TRACE §4.4) against heavier and against training from nothing, with what each trains and takes.

    python experiments/light_tuning.py [--root DIR] [--seeds 0 1 2 3 4] [--only NAME …]

Health_US and Energy (Time-MMD) by the literature's protocol, and rain in the next day on real weather (TimeCAP). For each
seed an encoder is pre-trained and aligned; every row starts from the same one, and shows whether its retrieval still works.
The learning rate of a row is chosen with the first seed, the epoch with each, both on validation windows; the test part is
read once a run. The table goes to RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from sweep import HERE, arguments, build_corpus, evaluated, spread, table, weather_corpus, write_section

from trace_lit.inference import evaluate_retention, evaluate_run
from trace_lit.runs.folder import read_metrics, write_metrics
from trace_lit.settings import load_config
from trace_lit.train import fit

MRR = "test/text_to_series/pair/MRR"
RATES = ("1e-3", "3e-3", "1e-2")


@dataclass(frozen=True)
class Task:
    """What is tuned for, and how the encoder that all rows start from is made."""

    name: str
    title: str
    domain: str
    files: tuple[Path, ...]
    pretrain: tuple[str, ...]
    align: tuple[str, ...]
    tune: tuple[str, ...]
    scores: tuple[str, ...]


RAIN = (
    "tune={task: classify, class_weights: 0.5}",
    "window={horizon: 24, lookback: 24}",
    "head={penalties: [0.03, 0.1, 0.3, 1.0, 3.0]}",
)
EPOCHS = "trainer.max_epochs=20"
ALIGN = (
    EPOCHS,
    "evaluation.every_n_epochs=4",
    "alignment={negatives: null, sentence_dropout: 0.3, noise: 0.05}",
    "optim={warmup_share: 0.2, ema_decay: 0.99}",
)
TASKS = (
    Task(
        "rain",
        "Rain in the next 24 hours, from the 24 hours before",
        "weather",
        (HERE / "weather" / "align.yaml",),
        ("trainer.max_epochs=4", "mining.every_n_epochs=null", "data.batch_size=256", "data.random_offset=true"),
        ("trainer.max_epochs=6",),
        (*RAIN, "trainer.max_epochs=6", "data.batch_size=128", "data.jitter=0"),
        ("AUROC", "macro_F1"),
    ),
    Task(
        "health_us",
        "Health_US, look-back 32, 12 weeks ahead",
        "healthcare",
        (HERE / "forecast" / "health_us.yaml",),
        (),
        ALIGN,
        (EPOCHS,),
        ("MSE", "MAE"),
    ),
    Task(
        "energy",
        "Energy, look-back 32, 12 weeks ahead",
        "energy",
        (HERE / "forecast" / "energy.yaml",),
        (),
        ALIGN,
        (EPOCHS,),
        ("MSE", "MAE"),
    ),
)


@dataclass(frozen=True)
class Row:
    """A way to tune: `start` from the aligned run, or from nothing."""

    name: str
    title: str
    words: tuple[str, ...]
    start: bool = True

    @property
    def steps(self) -> bool:
        """Whether there are any of gradient."""
        return STEPS in self.words or SOLVED in self.words


STEPS = "head.solver=sgd"
SOLVED = "head.solver=ridge+sgd"
ROWS = (
    Row("head", "head, closed form", ()),
    Row("head-sgd", "head, gradient steps", (STEPS,)),
    Row("tokens", "head + channel tokens", (SOLVED, "tune.scope=head+tokens")),
    Row("lora", "head + low-rank adapters", (SOLVED, "tune.scope=lora")),
    Row("full", "everything", (SOLVED, "tune.scope=full")),
    Row("full-rate", "everything, at one rate", (SOLVED, "tune.scope=full", "tune.encoder_rate=1")),
    Row("kept", "everything, alignment kept", (SOLVED, "tune.scope=full", "tune.alignment_weight=0.1")),
    Row("nothing", "everything, from nothing", (STEPS, "tune.scope=full", "tune.encoder_rate=1"), start=False),
    Row("random", "head, closed form, on random weights", (), start=False),
)


def fit_timed(files: Sequence[Path], words: Sequence[str]) -> None:
    """Train, and keep the seconds that the processor was at it: other work beside it does not count."""
    began = time.process_time()
    result = fit(load_config(files, words), overwrite=True)
    write_metrics(result.folder, {"fit/cpu_seconds": time.process_time() - began})


@dataclass(frozen=True)
class Harness:
    """A task on its corpus: trains what is not there yet."""

    task: Task
    corpus: Path
    runs: Path

    def common(self, seed: int) -> list[str]:
        return [
            f"data.corpus={self.corpus.absolute()}",
            f"run.dir={self.runs}",
            f"seed={seed}",
            "evaluation.bootstrap=0",
        ]

    def folder(self, stage: str, *name: object) -> Path:
        return self.runs / self.task.domain / stage / "-".join(map(str, ("light", self.task.name, *name)))

    def aligned(self, seed: int) -> Path:
        """The run of one seed that all rows start from."""
        start: list[str] = []
        for stage, words in (("pretrain", self.task.pretrain), ("align", self.task.align)):
            folder = self.folder(stage, seed)
            if not (folder / "metrics.json").exists():
                named = [f"stage={stage}", f"run.name={folder.name}"]
                fit_timed(self.task.files, [*self.common(seed), *words, *start, *named])
            start = [f"init_from={folder}"]
        return folder

    def tuned(self, row: Row, rate: str, seed: int) -> Path:
        """The run of a row with one seed and learning rate, which has not seen the test part."""
        folder = self.folder("tune", row.name, rate, seed)
        start = self.aligned(seed)
        if not (folder / "metrics.json").exists():
            words = [*self.common(seed), "stage=tune", "mining.every_n_epochs=null", "optim.ema_decay=null"]
            words += [*self.task.tune, *row.words, f"optim.learning_rate={rate}", f"run.name={folder.name}"]
            fit_timed(self.task.files, [*words, *([f"init_from={start}"] if row.start else [])])
        return folder

    def chosen_rate(self, row: Row, seed: int) -> str:
        """The learning rate with the least validation loss."""
        if not row.steps:
            return RATES[0]
        losses = {rate: read_metrics(self.tuned(row, rate, seed))["best/validation/loss"] for rate in RATES}
        return min(losses, key=lambda rate: losses[rate])

    def line(self, row: Row, seeds: Sequence[int]) -> list[str]:
        """The cells of a row of the table."""
        rate = self.chosen_rate(row, seeds[0])
        found = [tested(self.tuned(row, rate, seed), row.start) for seed in seeds]
        return [
            row.title,
            *(spread(found, f"test/{score}") for score in self.task.scores),
            spread(found, "best/validation/loss" if row.steps else "last/validation/loss"),
            f"{int(found[0]['fit/trained_parameters']):,}",
            spread(found, "fit/cpu_seconds", ".1f"),
            rate if row.steps else "–",
            spread(found, f"retrieval/after/{MRR}"),
        ]

    def about(self, seeds: Sequence[int]) -> str:
        """What the rows start from."""
        starts = [tested(self.aligned(seed), retrieval=False) for seed in seeds]
        pretrained = [read_metrics(self.folder("pretrain", seed)) for seed in seeds]
        taken = [spread(found, "fit/cpu_seconds", ".0f") for found in (pretrained, starts)]
        return (
            f"{self.task.title}. The aligned run has {int(starts[0]['fit/parameters']):,} parameters, took {taken[0]} s to "
            f"pre-train and {taken[1]} s to align, and its text-to-series MRR is {spread(starts, MRR)}."
        )


def tested(folder: Path, retrieval: bool) -> dict:
    """The metrics of a run with those of the test part."""
    if not evaluated(folder):
        evaluate_run(folder)
    if retrieval and f"retrieval/after/{MRR}" not in read_metrics(folder):
        evaluate_retention(folder, bootstrap=0)
    return read_metrics(folder)


def corpus_of(task: Task, options: argparse.Namespace) -> Path:
    if task.domain == "weather":
        return weather_corpus(options)
    folder = {"health_us": "Health_US", "energy": "Energy"}[task.name]
    source = ["--domain", task.domain, "--source", "timemmd", "--root", str(options.root / "timemmd")]
    windows = [f"folder={folder}", "length=32", "stride=1", "target_only=true"]
    return build_corpus(options, f"{task.name}-weeks", *source, *windows)


def main() -> None:
    options = arguments(__doc__ or "", seeds=[0, 1, 2, 3, 4])
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // options.jobs))
    parts = []
    for task in TASKS:
        harness = Harness(task, corpus_of(task, options), options.runs)
        lines = []
        for row in ROWS:
            if not options.only or {row.name, task.name} & set(options.only):
                lines.append(harness.line(row, options.seeds))
                print(f"{task.name}: {' | '.join(lines[-1])}", flush=True)
        header = ["", *task.scores, "validation loss", "trained", "seconds", "rate", "MRR after"]
        if lines:
            parts.append(f"{harness.about(options.seeds)}\n\n{table(header, lines)}")
    note = (
        f"Mean ± deviation over seeds {', '.join(map(str, options.seeds))}. `trained` counts parameters; `seconds` are the "
        f"processor's, on one core; `rate` is the head's learning rate, of {', '.join(RATES)}, and the encoder's a tenth of "
        "it (at one rate and from nothing: the same); MRR is that of retrieval with the tuned encoder in the place of the "
        "aligned one."
    )
    write_section("light-tuning", "Light tuning", "\n\n".join([note, *parts]))


if __name__ == "__main__":
    main()
