"""What `trace-lit data show` prints of a corpus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from data_modules.corpus import SPLITS, Corpus


def show_corpus(corpus: Corpus, console: Console, rows: Sequence[int] = ()) -> None:
    """Print counts, splits, channels, labels and text lengths of a corpus, and the instances `rows` in full."""
    info = corpus.info
    console.print(Text(f"{info.name} ({info.domain})", style="bold"))
    if info.generated:
        console.print(Text("Generated: simulated data for demonstration and tests, not measured.", style="bold yellow"))
    if info.description:
        console.print(Text(info.description))
    lengths = _range(corpus.lengths)
    frequencies = ", ".join(sorted(set(corpus.frequencies)))
    console.print(
        f"{len(corpus)} rows of {len(set(corpus.series_ids))} series, {lengths} steps of {frequencies}, "
        f"source {info.source}, fingerprint {corpus.fingerprint[:12]}\n",
        markup=False,
        highlight=False,
    )
    for table in (_splits(corpus), _channels(corpus), _labels(corpus), _texts(corpus)):
        if table is not None:
            console.print(table)
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


def _splits(corpus: Corpus) -> Table:
    table = Table("split", "rows", "with text", "with label", "from", "to", title="Splits")
    for column in table.columns[1:4]:
        column.justify = "right"
    for split in SPLITS:
        rows = corpus.select(split)
        if not rows:
            table.add_row(split, "0", "0", "0", "", "")
            continue
        with_text = sum(bool(corpus.texts[row]) for row in rows)
        with_label = int((corpus.labels[rows] >= 0).sum())
        period = _day(corpus.starts[rows].min()), _day(corpus.ends[rows].max() - 1)
        table.add_row(split, str(len(rows)), str(with_text), str(with_label), *period)
    return table


def _channels(corpus: Corpus) -> Table:
    table = Table("channel", "unit", "lowest", "mean", "highest", "missing", title="Channels, over all splits")
    for column in table.columns[2:]:
        column.justify = "right"
    values = corpus.values()
    for number, channel in enumerate(corpus.info.channels):
        steps = np.concatenate([window[number] for window in values])
        known = steps[~np.isnan(steps)].astype(np.float64)
        low, mean, high = "-", "-", "-"
        if len(known):
            low, mean, high = (_number(float(f)) for f in (known.min(), known.mean(), known.max()))
        missing = 1 - len(known) / len(steps)
        table.add_row(Text(channel.name), Text(channel.unit), low, mean, high, f"{missing:.1%}" if missing else "none")
    return table


def _labels(corpus: Corpus) -> Table | None:
    if not corpus.info.label_names:
        return None
    table = Table("label", *SPLITS, title="Labels")
    for column in table.columns[1:]:
        column.justify = "right"
    for number, name in enumerate(corpus.info.label_names):
        counts = [int((corpus.labels[corpus.select(split)] == number).sum()) for split in SPLITS]
        table.add_row(Text(name), *map(str, counts))
    return table


def _texts(corpus: Corpus) -> Table:
    table = Table("texts", "present", "distinct", "shortest", "median", "longest", title="Texts, lengths in words")
    for column in table.columns[1:]:
        column.justify = "right"
    channel_texts = [text for texts in corpus.channel_texts for text in texts]
    for name, texts in (("of the sample", corpus.texts), ("of the channels", channel_texts)):
        present = [text for text in texts if text]
        words = np.array([len(text.split()) for text in present] or [0])
        lengths = (int(words.min()), int(np.median(words)), int(words.max()))
        table.add_row(name, f"{len(present)} of {len(texts)}", str(len(set(present))), *map(str, lengths))
    return table


def _instance(corpus: Corpus, row: int) -> Panel:
    info, label = corpus.info, corpus.labels[row]
    start = str(np.datetime64(int(corpus.starts[row]), "s")).replace("T", " ")
    lines: list[RenderableType] = [
        Text(f"{corpus.splits[row]}, series {corpus.series_ids[row]}, from {start} UTC"),
        Text(f"label: {info.label_names[label] if label >= 0 else 'none'}"),
        Text(corpus.texts[row] or "no text", style="italic"),
    ]
    for channel, text in zip(info.channels, corpus.channel_texts[row], strict=True):
        lines.append(Text(f"{channel.name}: ", style="bold") + Text(text or "no text", style="not bold"))
    return Panel(Group(*lines), title=Text(str(corpus.ids[row])), title_align="left")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
