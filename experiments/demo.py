"""All of trace_lit on simulated data, in a few minutes on two cores: build, pre-train, align, evaluate, ask, forecast.

    python experiments/demo.py

Everything it writes is below demo/, and a second run replaces the first. It exits with 1 where a domain's top hit has the
label in question less often than `LEAST`, because then something is broken. The data are generated: no claim rests on them.
"""

from __future__ import annotations

import csv
import math
import os
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from data_modules import Corpus, build_corpus, datamodule_class
from data_modules.figures import plot_instances, save_figure
from data_modules.series_corpus import series_corpus
from data_modules.show import example_rows
from trace_lit.inference import evaluate_run
from trace_lit.inference.evaluate import open_run
from trace_lit.inference.hits_figure import draw_hits
from trace_lit.inference.load import load
from trace_lit.inference.predict import Asked, predict_run
from trace_lit.inference.search import open_aligned, print_hits
from trace_lit.inference.show import draw_window
from trace_lit.retrieval.figures import similarity_matrix
from trace_lit.settings import load_config
from trace_lit.terminal import Column, add_row, line, new_table
from trace_lit.terminal import console as standard_output
from trace_lit.train import fit

HERE, OUT = Path(__file__).parent, Path("demo")
SETTINGS = [HERE / "demo.yaml"]
EPOCHS = {"pretrain": 5, "align": 15}
LEAST = 0.8  # of the test texts find a series of their own label first
QUESTIONS = {
    "weather": "A sudden thunderstorm in the afternoon: pressure dips, strong gusts and a short, heavy downpour.",
    "healthcare": "The patient slowly develops a fever, the heart races and blood pressure keeps falling: septic shock?",
    "energy": "A large power plant trips, the frequency dips and the missing power is imported at a high price.",
}
GAUGE_QUESTIONS = ("the river rose quickly after heavy rain", "low water and no rain at all", "a cold day")


class Story:
    """What the demo tells: a heading a step, and a few words on what is done and why."""

    def __init__(self, steps: int) -> None:
        self.console = standard_output()
        self.steps, self.step, self.began = steps, 0, time.perf_counter()

    def begin(self, title: str, words: str) -> None:
        """Head the next step."""
        self.step += 1
        after = f"after {time.perf_counter() - self.began:.0f} s"
        self.console.print(line(f"\n{self.step}/{self.steps}  {title}  ({after})", "bold cyan"))
        self.say(words)

    def say(self, words: str, style: str = "") -> None:
        """Print a paragraph, broken into lines between words."""
        self.console.print(line(words, style))

    def draw(self, path: Path) -> None:
        """Tell of a picture."""
        self.say(f"drawn: {path}", style="dim")


def build(domain: str, folder: Path) -> Corpus:
    """The generated corpus of a domain."""
    config = load_config([], [f"data.domain={domain}", "data.source=generated"]).data
    return build_corpus(datamodule_class(config), config, folder)


def in_short(corpus: Corpus) -> str:
    """One line on a corpus."""
    info = corpus.info
    channels = ", ".join(channel.name for channel in info.channels)
    sites = len(set(corpus.series_ids))
    return f"{info.domain}: {len(corpus):,} windows of {sites} series, {len(info.label_names)} events; {channels}"


def results(metrics: dict[str, Any], domains: list[str], console: Console) -> Table:
    """Both kinds of match, text to series on the test splits, beside what chance gives."""
    numbers = [Column(name, right=True) for name in ("series", "label P@1", "by chance", "pair MRR", "by chance")]
    table = new_table(console, ["domain", *numbers], "From a text to series, test splits")
    for domain in domains:
        row = [f"{metrics[f'test/{domain}/pool/instances']}"]
        for key in ("text_to_series/label/P@1", "text_to_series/pair/MRR"):
            row += [f"{metrics[f'test/{domain}/{start}{key}']:.3f}" for start in ("", "random/")]
        add_row(table, domain, *row)
    return table


def main() -> int:
    story = Story(7)
    make_corpora(story)
    aligned = train(story)
    metrics = evaluate(story, aligned)
    ask(story, aligned)
    story.begin(
        "Stage 3: a forecast",
        "The next twelve steps of the power grids. A linear head, solved in closed form, reads what the aligned encoder "
        "makes of a window, the five windows of the past that are most like it, and what followed them.",
    )
    tuned = forecast(story, aligned)
    story.begin(
        "Another file, without training",
        "A river gauge as a CSV file, of channels that are in none of the corpora above. The universal model, which comes "
        "with the package, answers questions about it as it is.",
    )
    ask_the_universal_model(story, write_gauge(OUT / "river-gauge.csv"))
    return conclude(story, metrics, aligned, tuned)


def make_corpora(story: Story) -> None:
    """Build and draw a corpus a domain."""
    story.begin(
        "Three corpora",
        "Simulated weather stations, hospital beds and power grids: windows of several channels, each with a label and "
        "a report in words. They stand in for real data, so that nothing has to be downloaded.",
    )
    for domain in QUESTIONS:
        corpus = build(domain, OUT / "corpora" / domain)
        story.say(in_short(corpus))
        picture = OUT / f"{domain}-corpus.png"
        plot_instances(corpus, example_rows(corpus), picture)
        story.draw(picture)


def train(story: Story) -> Path:
    """Pre-train and align one encoder on all corpora; the folder of the aligned run."""
    story.begin(
        "Stage 1: pre-training",
        "One encoder for all three domains. Patches of the series are hidden, and it learns to fill them in; no text is "
        "used yet.",
    )
    pretrained = fit(
        load_config(SETTINGS, ["stage=pretrain", f"trainer.max_epochs={EPOCHS['pretrain']}"]), overwrite=True
    )
    story.begin(
        "Stage 2: alignment",
        "Series and reports are drawn into one space: a report towards its own series, a channel towards its own "
        "description, both away from the others. The text encoder stays as it is.",
    )
    start = f"init_from={pretrained.folder}"
    return fit(
        load_config(SETTINGS, ["stage=align", start, f"trainer.max_epochs={EPOCHS['align']}"]), overwrite=True
    ).folder


def evaluate(story: Story, aligned: Path) -> dict[str, Any]:
    """The metrics of the test splits, and a picture of what is like what."""
    story.begin(
        "Evaluation",
        "The last fifth of every series, never seen in training. Label P@1: how often the first series found for a report "
        "shows the event that the report tells of. Pair MRR: how far up the report's very own series stands.",
    )
    metrics = evaluate_run(aligned)
    story.console.print(results(metrics, list(QUESTIONS), story.console))
    opened = open_run(aligned)
    for domain, (_, pool) in opened.embed("test").items():
        picture = OUT / f"{domain}-similarity.png"
        save_figure(similarity_matrix(pool, opened.data.label_names), picture)
        story.draw(picture)
    return metrics


def ask(story: Story, aligned: Path) -> None:
    """A question a domain."""
    story.begin("Questions", "Words that stand in no report, and the series of the test splits that answer them.")
    model = open_aligned(aligned)
    for domain, question in QUESTIONS.items():
        story.say(f"\n{domain}: {question}", style="bold")
        corpus, picture = model.corpus(OUT / "corpora" / domain), OUT / f"{domain}-answer.png"
        hits = model.search(question, corpus=corpus, split="test", top=4)
        print_hits(hits, f"{corpus.info.domain} ({corpus.info.name})")
        draw_hits(hits, corpus, picture, text=question)
        story.draw(picture)


def forecast(story: Story, aligned: Path) -> Path:
    """Tune on energy, say what it is worth, and draw a window."""
    words = ["stage=tune", f"data.corpus={OUT / 'corpora' / 'energy'}", f"data.cache_dir={OUT / 'corpora'}"]
    words += ["window={lookback: 36, horizon: 12}", "head={quantiles: [0.1, 0.5, 0.9]}"]
    rag = f"rag={{retriever: {aligned}, mode: series+text, use_futures: true}}"
    tuned = fit(load_config(SETTINGS, [*words, f"init_from={aligned}", rag]), overwrite=True)
    naive = fit(load_config(SETTINGS, [*words, "tune.model=naive", "run.name=naive"]), overwrite=True)
    scores, baseline = (evaluate_run(run.folder) for run in (tuned, naive))
    story.say(
        f"Test split: mean absolute error {scores['test/MAE']:.3f} standard deviations, {baseline['test/MAE']:.3f} if "
        f"all stayed as it is. The band that should hold 80 % of the values holds {scores['test/coverage/0.8']:.0%}."
    )
    predictions, picture = predict_run(tuned.folder, Asked()), OUT / "energy-forecast.png"
    save_figure(draw_window(predictions, predictions.newest), picture)
    story.draw(picture)
    return tuned.folder


def write_gauge(path: Path, days: int = 120, seed: int = 0) -> Path:
    """A simulated river gauge, hour by hour: showers fill the river, which then drains; the water follows the season."""
    rng = np.random.default_rng(seed)
    showers = rng.random(24 * days) < 0.01
    level, rain, begin = 0.8, 0.0, datetime(2024, 3, 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "river level [m]", "rainfall [mm]", "water temperature [°C]"])
        for hour, shower in enumerate(showers):
            rain = rng.gamma(3, 2) if shower else 0.6 * rain
            rain = rain if rain > 0.1 else 0.0
            level += 0.03 * rain - 0.02 * (level - 0.6)
            warmth = 9 + 7 * math.sin(hour / 24 / days * math.pi) + 1.5 * math.sin((hour % 24 - 9) / 24 * 2 * math.pi)
            noise = rng.normal(0, [0.005, 0.2])
            row = [f"{level + noise[0]:.3f}", f"{rain:.1f}", f"{warmth + noise[1]:.1f}"]
            writer.writerow([(begin + timedelta(hours=hour)).isoformat(sep=" "), *row])
    return path


def ask_the_universal_model(story: Story, series: Path) -> None:
    """Search the days of a CSV file in words."""
    model = load("universal")
    corpus = series_corpus(series)
    story.say(f"{series}: {len(corpus)} windows of {corpus.values()[0].shape[1]} hours")
    for number, question in enumerate(GAUGE_QUESTIONS, start=1):
        story.say(f"\n{question}", style="bold")
        hits, picture = model.search(question, corpus=corpus, top=3), OUT / f"river-answer-{number}.png"
        print_hits(hits, series.name)
        draw_hits(hits, corpus, picture, text=question)
        story.draw(picture)


def conclude(story: Story, metrics: dict[str, Any], run: Path, tuned: Path) -> int:
    """Say what can be done next; 1 where a domain missed what it must reach, else 0."""
    reached = {domain: metrics[f"test/{domain}/text_to_series/label/P@1"] for domain in QUESTIONS}
    spent = os.times()
    story.say(
        f"\nDone in {time.perf_counter() - story.began:.0f} s ({spent.user + spent.system:.0f} s of CPU time). "
        f"The pictures are in {OUT}/. Now ask questions of your own, in a browser or here, or look at the training:",
        style="bold",
    )
    print("  make serve")
    print(f"  .venv/bin/tensorboard --logdir {OUT / 'runs'}")
    print(f'  .venv/bin/trace-lit search {run} --corpus {OUT / "corpora" / "weather"} --text "Thick fog until noon"')
    print(f"  .venv/bin/trace-lit predict {tuned} --last --plot {OUT / 'tomorrow.png'}")
    missed = [f"{domain} {value:.3f}" for domain, value in reached.items() if value < LEAST]
    if missed:
        print(f"error: text-to-series label P@1 is below {LEAST}: {', '.join(missed)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
