"""How well questions in words are answered, on real weather (TimeCAP, New York and Houston).

    python experiments/asking.py [--root DIR] [--seeds 0 1 2] [--jobs N] [--ablate [--short]]

By the recipe `weather/ask.yaml`, by a model of one city that is asked about the other, and by one that has seen no report;
with --ablate, by the recipe without one of its pieces. A run takes most of an hour on one core, with --short (New York
alone, a quarter of the steps, six epochs) about twelve minutes. The table goes to RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sweep import (
    HERE,
    PAIR,
    Row,
    arguments,
    build_corpus,
    run_rows,
    spread,
    table,
    trace_lit,
    weather_corpus,
    write_section,
)

from data_modules import Corpus, Record, write_corpus
from trace_lit.retrieval.questions import KINDS

PRETRAIN, ASK = str(HERE / "weather" / "pretrain.yaml"), str(HERE / "weather" / "ask.yaml")
CITIES = {"ny": "New York", "hs": "Houston"}
SHORT = ("alignment.statement_steps=1000", "trainer.max_epochs=6")
PARTS = ("test", "development")
PIECES = (  # taken away one by one
    ("no-steps", "no steps on statements before the epochs", "alignment.statement_steps=0"),
    (
        "no-statements",
        "no statements at all",
        "alignment={statement_steps: 0, statements: 0, statement_memory: false, voice_weight: 0}",
    ),
    (
        "long",
        "reports as they are: few sentences left out",
        "alignment={sentence_dropout: 0.1, sentence_dropout_min: null}",
    ),
    ("no-silence", "texts cannot be silent of a channel", "alignment={silence: false, voice_weight: 0}"),
    ("no-numbers", "numbers are words like others", "alignment.numbers=false"),
    ("no-names", "channels do not look for their names", "alignment.match_names=false"),
    ("no-memory", "only windows of the batch as candidates", "alignment.statement_memory=false"),
    (
        "no-statistics",
        "no steps on statements, and no statistics of a window beside the encoder",
        "alignment={statement_steps: 0, statistics: false}",
    ),
    ("static", "static token vectors for MiniLM's", "text.name=wordllama"),
    ("one-layer", "one layer of text", "alignment.text_layers=1"),
)


@dataclass(frozen=True)
class Asked:
    """A row of the table: how a model is trained, and on which corpus it is asked; None: its own."""

    row: Row
    corpus: Path | None = None


def silent_corpus(options: argparse.Namespace, weather: Path) -> Path:
    """The same windows, of which no report is known."""
    folder = options.corpora / "weather-silent"
    if folder.exists():
        return folder
    corpus = Corpus.load(weather)

    def records() -> Iterator[Record]:
        starts = corpus.table().column("start").to_pylist()
        for row, values in enumerate(corpus.values()):
            yield Record(
                id=corpus.ids[row],
                series_id=corpus.series_ids[row],
                start=starts[row],
                values=np.asarray(values),
                channel_texts=[""] * len(values),
                split=corpus.splits[row],
            )

    return write_corpus(records(), replace(corpus.info, label_names=()), folder).path


def city_corpus(options: argparse.Namespace, city: str) -> Path:
    source = ("--domain", "weather", "--source", "timecap", "--root", str(options.root / "timecap"))
    return build_corpus(options, f"weather-{city}", *source, f"cities=[{city}]")


def pieces(options: argparse.Namespace) -> list[Asked]:
    """The recipe, and the recipe without each of its pieces, asked about both cities."""
    weather = weather_corpus(options)
    if options.short:
        words, pretrain = [ASK, f"data.corpus={city_corpus(options, 'ny')}", *SHORT], None
    else:
        words, pretrain = [ASK, f"data.corpus={weather}"], [PRETRAIN, f"data.corpus={weather}", "text.name=minilm"]
    prefix = "short-" if options.short else ""
    found = [Row(f"{prefix}both", "`ask.yaml`", pretrain, words)]
    for name, title, without in PIECES:
        start = None if name == "static" else pretrain
        found.append(Row(f"{prefix}{name}", title, start, [*words, without], shares=f"{prefix}both"))
    return [Asked(row, weather) for row in found]


def rows(options: argparse.Namespace) -> list[Asked]:
    if options.ablate:
        return pieces(options)
    weather = weather_corpus(options)
    pretrain = [PRETRAIN, f"data.corpus={weather}", "text.name=minilm"]
    whole = Asked(Row("both", "`ask.yaml`, both cities", pretrain, [ASK, f"data.corpus={weather}"]))
    own = {city: city_corpus(options, city) for city in CITIES}
    found = [whole]
    for city, other in (("ny", "hs"), ("hs", "ny")):
        title = f"trained on {CITIES[city]}, asked about {CITIES[other]}"
        found.append(Asked(Row(city, title, None, [ASK, f"data.corpus={own[city]}"]), own[other]))
    words = [ASK, f"data.corpus={silent_corpus(options, weather)}", "trainer.max_epochs=0"]
    silent = Row("silent", "without any report: steps on statements alone", None, words)
    return [*found, Asked(silent)]


def answers(options: argparse.Namespace, asked: Asked) -> list[dict]:
    """Of each seed's run the P@10 of the questions, by part and kind, on test windows."""
    found = []
    for seed in options.seeds:
        run = options.runs / "weather" / "align" / f"asking-{asked.row.name}-{seed}"
        metrics: dict[str, float] = {}
        for part in PARTS:
            out = options.runs / "logs" / f"{run.name}-{part}.json"
            if not out.exists() or out.stat().st_mtime < (run / "config.yaml").stat().st_mtime:  # of a run before
                other = [] if asked.corpus is None else ["--corpus", str(asked.corpus)]
                words = ("--questions", "weather", "--part", part, "--json", str(out), *other)
                trace_lit("evaluate", str(run), *words, log=out.with_suffix(".txt"))
            metrics |= json.loads(out.read_text(encoding="utf-8"))
        found.append(metrics)
    return found


def lowest(metrics: Sequence[dict]) -> str:
    """The kind of the questions set apart that is answered worst, by its mean over seeds."""
    means = {
        kind: float(np.mean([run[key] for run in metrics]))
        for kind in KINDS
        if (key := f"test/questions/test/kind/{kind}/P@10") in metrics[0]
    }
    kind = min(means, key=lambda own: means[own])
    return f"{kind.replace('_', ' ')} {means[kind]:.2f}"


def main() -> None:
    flags = {
        "--ablate": "the recipe without one of its pieces, instead of other cities",
        "--short": "with --ablate: New York alone and a quarter of the steps",
    }
    options = arguments(__doc__ or "", flags=flags)
    chosen = rows(options)
    trained = run_rows(options, "asking", "weather", [asked.row for asked in chosen])
    lines = []
    for asked in chosen:
        if asked.row.name not in trained:
            continue
        found, own = answers(options, asked), trained[asked.row.name]
        precisions = [spread(found, f"test/questions/{part}/P@10") for part in PARTS]
        random = spread(found, "test/questions/test/random")
        lines.append([asked.row.title, *precisions, random, lowest(found), spread(own, f"test/{PAIR}")])
    header = ["", "set apart, P@10", "development, P@10", "a random ranker", "lowest kind", "report's own window, MRR"]
    note = (
        f"Test windows; mean ± deviation over seeds {', '.join(map(str, options.seeds))}. The MRR is that of the corpus "
        "that a model was trained on."
    )
    if options.short:
        note += f" Trained on New York alone, from random weights, with `{' '.join(SHORT)}`; asked about both cities."
    name, title = (
        ("asking-pieces", "Questions in words: piece by piece") if options.ablate else ("asking", "Questions in words")
    )
    write_section(name, title, f"{note}\n\n{table(header, lines)}")


if __name__ == "__main__":
    main()
