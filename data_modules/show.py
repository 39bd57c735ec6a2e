"""What `trace-lit data show` prints of a corpus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from data_modules.corpus import SPLITS, Corpus
from trace_lit.terminal import Column, add_row, line, new_table


def show_corpus(corpus: Corpus, console: Console, rows: Sequence[int] = ()) -> None:
    """Print counts, splits, channels, labels and text lengths of a corpus, and the instances `rows` in full."""
    info = corpus.info
    console.print(line(f"{info.name} ({info.domain})", "bold"))
    if info.generated:
        console.print(line("Generated: simulated data for demonstration and tests, not measured.", "bold yellow"))
    if info.description:
        console.print(line(info.description))
    lengths = _range(corpus.lengths)
    frequencies = ", ".join(sorted(set(corpus.frequencies)))
    in_short = (
        f"{len(corpus)} rows of {len(set(corpus.series_ids))} series, {lengths} steps of {frequencies}, "
        f"source {info.source}, clocks of {info.timezone}, fingerprint {corpus.fingerprint[:12]}\n"
    )
    console.print(line(in_short))
    for make in (_splits, _channels, _labels, _texts):
        if (table := make(corpus, console)) is not None:
            console.print(table)
            console.print()
    for row in rows:
        console.print(_instance(corpus, row))


def example_rows(corpus: Corpus, count: int = 3) -> list[int]:
    """Rows spread evenly over the corpus."""
    return [int(row) for row in np.linspace(0, len(corpus) - 1, min(count, len(corpus)))]


def _day(seconds: int) -> str:
    return str(np.datetime64(int(seconds), "s"))[:10]


def _range(numbers: np.ndarray) -> str:
    low, high = int(numbers.min()), int(numbers.max())
    return str(low) if low == high else f"{low} to {high}"


def _splits(corpus: Corpus, console: Console) -> Table:
    counts = _numbers("rows", "with text", "with label")
    table = new_table(console, ["split", *counts, "from", "to"], "Splits")
    for split in SPLITS:
        rows = corpus.select(split)
        if not rows:
            add_row(table, split, "0", "0", "0", "", "")
            continue
        with_text = sum(bool(corpus.texts[row]) for row in rows)
        with_label = int((corpus.labels[rows] >= 0).sum())
        period = _day(corpus.starts[rows].min()), _day(corpus.ends[rows].max() - 1)
        add_row(table, split, str(len(rows)), str(with_text), str(with_label), *period)
    return table


def _channels(corpus: Corpus, console: Console) -> Table:
    numbers = _numbers("lowest", "mean", "highest", "missing")
    table = new_table(console, [Column("channel", wrap=True), "unit", *numbers], "Channels, over all splits")
    values = corpus.values()
    for number, channel in enumerate(corpus.info.channels):
        steps = np.concatenate([window[number] for window in values])
        known = steps[~np.isnan(steps)].astype(np.float64)
        low, mean, high = "-", "-", "-"
        if len(known):
            low, mean, high = (_number(float(f)) for f in (known.min(), known.mean(), known.max()))
        missing = 1 - len(known) / len(steps)
        add_row(table, channel.name, channel.unit, low, mean, high, f"{missing:.1%}" if missing else "none")
    return table


def _labels(corpus: Corpus, console: Console) -> Table | None:
    if not corpus.info.label_names:
        return None
    table = new_table(console, [Column("label", wrap=True), *_numbers(*SPLITS)], "Labels")
    for number, name in enumerate(corpus.info.label_names):
        counts = [int((corpus.labels[corpus.select(split)] == number).sum()) for split in SPLITS]
        add_row(table, name, *map(str, counts))
    return table


def _texts(corpus: Corpus, console: Console) -> Table:
    numbers = _numbers("present", "distinct", "shortest", "median", "longest")
    table = new_table(console, ["texts", *numbers], "Texts, lengths in words")
    channel_texts = [text for texts in corpus.channel_texts for text in texts]
    for name, texts in (("of the sample", corpus.texts), ("of the channels", channel_texts)):
        present = [text for text in texts if text]
        words = np.array([len(text.split()) for text in present] or [0])
        lengths = (int(words.min()), int(np.median(words)), int(words.max()))
        add_row(table, name, f"{len(present)} of {len(texts)}", str(len(set(present))), *map(str, lengths))
    return table


def _instance(corpus: Corpus, row: int) -> Panel:
    info, label = corpus.info, corpus.labels[row]
    start = str(np.datetime64(int(corpus.starts[row]), "s")).replace("T", " ")
    lines: list[RenderableType] = [
        line(f"{corpus.splits[row]}, series {corpus.series_ids[row]}, from {start} UTC"),
        line(f"label: {info.label_names[label] if label >= 0 else 'none'}"),
        line(corpus.texts[row] or "no text", "italic"),
    ]
    for channel, text in zip(info.channels, corpus.channel_texts[row], strict=True):
        lines.append(line(f"{channel.name}: ", "bold") + line(text or "no text", "not bold"))
    return Panel(Group(*lines), title=line(str(corpus.ids[row])), title_align="left")


def _numbers(*names: str) -> list[Column]:
    return [Column(name, right=True) for name in names]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
