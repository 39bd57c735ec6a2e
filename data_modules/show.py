"""What `trace-lit data show` tells of a corpus: in a terminal, and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.panel import Panel

from data_modules.corpus import SPLITS, Corpus
from data_modules.findings import ChannelSummary, Examination, examine, share
from trace_lit.terminal import Column, add_row, line, new_table


@dataclass(frozen=True)
class Sheet:
    """A table before it is drawn."""

    title: str
    columns: list[Column]
    rows: list[tuple[str, ...]]


def show_corpus(corpus: Corpus, console: Console, rows: Sequence[int] = ()) -> None:
    """Print counts, splits, channels, labels, text lengths and findings of a corpus, and the instances `rows` in full."""
    info, found = corpus.info, examine(corpus)
    console.print(line(f"{info.name} ({info.domain})", "bold"))
    if info.generated:
        console.print(line("Generated: simulated data for demonstration and tests, not measured.", "bold yellow"))
    if info.description:
        console.print(line(info.description))
    console.print(line(f"{in_short(corpus)}\n"))
    for sheet in sheets(corpus, found):
        table = new_table(console, sheet.columns, sheet.title)
        for cells in sheet.rows:
            add_row(table, *cells)
        console.print(table)
        console.print()
    for finding in found.findings:
        console.print(line(f"{'warning: ' if finding.warning else ''}{finding.sentence}"))
    for row in rows:
        console.print(_instance(corpus, row))


def in_short(corpus: Corpus) -> str:
    """Rows, series, steps, source and fingerprint in one line."""
    frequencies = ", ".join(sorted(set(corpus.frequencies)))
    return (
        f"{len(corpus)} rows of {len(set(corpus.series_ids))} series, {_range(corpus.lengths)} steps of {frequencies}, "
        f"source {corpus.info.source}, clocks of {corpus.info.timezone}, fingerprint {corpus.fingerprint[:12]}"
    )


def sheets(corpus: Corpus, found: Examination) -> list[Sheet]:
    """Splits, channels, labels (where there are any) and texts."""
    made = [_splits(corpus), _channels(corpus, found.channels), _labels(corpus), _texts(corpus)]
    return [sheet for sheet in made if sheet is not None]


def example_rows(corpus: Corpus, count: int = 3) -> list[int]:
    """Rows spread evenly over the corpus."""
    return [int(row) for row in np.linspace(0, len(corpus) - 1, min(count, len(corpus)))]


def _day(seconds: int) -> str:
    return str(np.datetime64(int(seconds), "s"))[:10]


def _range(numbers: np.ndarray) -> str:
    low, high = int(numbers.min()), int(numbers.max())
    return str(low) if low == high else f"{low} to {high}"


def _splits(corpus: Corpus) -> Sheet:
    counts = _numbers("rows", "with text", "with label")
    sheet = Sheet("Splits", [Column("split"), *counts, Column("from"), Column("to")], [])
    has_text = np.array([bool(text) for text in corpus.texts])
    for split in SPLITS:
        rows = corpus.splits == split
        if not rows.any():
            sheet.rows.append((split, "0", "0", "0", "", ""))
            continue
        period = _day(corpus.starts[rows].min()), _day(corpus.ends[rows].max() - 1)
        numbers = (rows.sum(), has_text[rows].sum(), (corpus.labels[rows] >= 0).sum())
        sheet.rows.append((split, *(str(int(number)) for number in numbers), *period))
    return sheet


def _channels(corpus: Corpus, summaries: Sequence[ChannelSummary]) -> Sheet:
    numbers = _numbers("lowest", "mean", "highest", "missing", "constant", "repeated")
    sheet = Sheet("Channels, over all splits", [Column("channel", wrap=True), Column("unit"), *numbers], [])
    for channel, own in zip(corpus.info.channels, summaries, strict=True):
        some = own.count.sum() > 0
        levels = [_number(float(f)) if some else "-" for f in (own.lowest, own.total_mean, own.highest)]
        missing = share(own.missing) if own.missing else "none"
        windows = [str(count) if count else "none" for count in (own.constant, own.repeated)]
        sheet.rows.append((channel.name, channel.unit, *levels, missing, *windows))
    return sheet


def _labels(corpus: Corpus) -> Sheet | None:
    if not corpus.info.label_names:
        return None
    sheet = Sheet("Labels", [Column("label", wrap=True), *_numbers(*SPLITS)], [])
    for number, name in enumerate(corpus.info.label_names):
        own = corpus.splits[corpus.labels == number]
        sheet.rows.append((name, *(str(int((own == split).sum())) for split in SPLITS)))
    return sheet


def _texts(corpus: Corpus) -> Sheet:
    numbers = _numbers("present", "distinct", "shortest", "median", "longest")
    sheet = Sheet("Texts, lengths in words", [Column("texts"), *numbers], [])
    channel_texts = [text for texts in corpus.channel_texts for text in texts]
    for name, texts in (("of the sample", corpus.texts), ("of the channels", channel_texts)):
        present = [text for text in texts if text]
        words = np.array([len(text.split()) for text in present] or [0])
        lengths = (int(words.min()), int(np.median(words)), int(words.max()))
        sheet.rows.append((name, f"{len(present)} of {len(texts)}", str(len(set(present))), *map(str, lengths)))
    return sheet


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
