"""A corpus as one self-contained HTML page: what `trace-lit data show` prints, and plots. It fetches nothing."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.figures import COLOURS, GREY, INK, instances_figure
from data_modules.findings import Examination, examine
from data_modules.show import Sheet, example_rows, in_short, sheets
from data_modules.splits import SPLITS
from trace_lit.atomic import write_atomically
from trace_lit.escapes import one_line, shown

SAMPLE = 20_000  # windows that are drawn at most
CHANNELS = 40  # channels that are drawn at most
BINS = 400  # over the time of the corpus
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a202c; max-width: 1120px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; } th, td { padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #e2e8f0; }
th { text-align: left; } .right { text-align: right; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; } img { max-width: 100%; height: auto; } .quiet { color: #4a5568; }
li.warning { color: #9b2c2c; } li.warning::marker { content: "\\26A0\\00A0 "; }
.generated { color: #975a16; font-weight: 600; }
article { border-left: 3px solid #e2e8f0; padding-left: 1rem; margin: 1rem 0; } article p { margin: .3rem 0; }
@media (prefers-color-scheme: dark) { body { background: #1a202c; color: #e2e8f0; } .quiet { color: #a0aec0; }
  th, td { border-color: #4a5568; } li.warning { color: #feb2b2; } img { background: white; } }
"""


def write_page(corpus: Corpus, path: str | Path, rows: Sequence[int] | None = None) -> None:
    """Write the page of a corpus, with the instances `rows` (a few spread evenly by default); it is whole or not there."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, corpus_page(corpus, example_rows(corpus) if rows is None else rows))


def corpus_page(corpus: Corpus, rows: Sequence[int]) -> str:
    """The page as HTML."""
    info, found = corpus.info, examine(corpus)
    parts = [f"<h1>{_plain(info.name)} <span class='quiet'>({_plain(info.domain)})</span></h1>"]
    if info.generated:
        parts.append("<p class='generated'>Generated: simulated data for demonstration and tests, not measured.</p>")
    if info.description:
        parts.append(f"<p>{_plain(info.description)}</p>")
    parts.append(f"<p class='quiet'>{_plain(in_short(corpus))}</p>")
    parts.append(_findings(found))
    parts += [_table(sheet) for sheet in sheets(corpus, found)]
    drawn = corpus.info.channels[:CHANNELS]
    title = "Channels in time" if len(drawn) == len(info.channels) else f"The first {CHANNELS} channels in time"
    keys = ", ".join(channel.key for channel in drawn)
    parts.append(f"<h2>{title}</h2>{_picture(_overview(corpus), f'Values over time and their distribution: {keys}')}")
    if rows:
        windows = ", ".join(str(corpus.ids[row]) for row in rows)
        parts.append(f"<h2>Some windows</h2>{_picture(instances_figure(corpus, rows), f'The windows {windows}')}")
        parts += [_instance(corpus, row) for row in rows]
    body = "\n".join(parts)
    head = (
        f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{_plain(info.name)}</title>"
    )
    return (
        f"<!doctype html>\n<html lang='en'><head>{head}<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _plain(text: str) -> str:
    """Text from data as text: neither markup nor control characters."""
    return escape(one_line(str(text)))


def _findings(found: Examination) -> str:
    lines = [
        f"<li{' class=warning' if finding.warning else ''}>{_plain(finding.sentence)}</li>"
        for finding in sorted(found.findings, key=lambda finding: not finding.warning)
    ]
    return f"<h2>Findings</h2><ul>{''.join(lines)}</ul>" if lines else "<h2>Findings</h2><p>Nothing is odd.</p>"


def _table(sheet: Sheet) -> str:
    sides = [" class=right" if column.right else "" for column in sheet.columns]
    head = "".join(f"<th{side}>{_plain(column.name)}</th>" for side, column in zip(sides, sheet.columns, strict=True))
    rows = (
        "".join(f"<td{side}>{_plain(cell)}</td>" for side, cell in zip(sides, row, strict=True)) for row in sheet.rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<h2>{_plain(sheet.title)}</h2><div class=wide><table><tr>{head}</tr>{body}</table></div>"


def _instance(corpus: Corpus, row: int) -> str:
    start = str(np.datetime64(int(corpus.starts[row]), "s")).replace("T", " ")
    texts = [f"<p>{escape(shown(corpus.texts[row])) or '<span class=quiet>no text</span>'}</p>"]
    for channel, text in zip(corpus.info.channels[:CHANNELS], corpus.channel_texts[row], strict=False):
        if text:
            texts.append(f"<p class=quiet><b>{_plain(channel.name)}:</b> {_plain(text)}</p>")
    head = f"{_plain(corpus.ids[row])}</b>, {_plain(corpus.splits[row])}, from {start} UTC"
    return f"<article><p><b>{head}</p>{''.join(texts)}</article>"


def _picture(figure: Figure, description: str) -> str:
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=110)
    content = base64.b64encode(png.getvalue()).decode()
    return f"<img src='data:image/png;base64,{content}' alt='{_plain(description)}'>"


def _overview(corpus: Corpus) -> Figure:
    """A row a channel: lowest, mean and highest values in the course of time, and the distribution in each split."""
    channels = corpus.info.channels[:CHANNELS]
    rows = np.linspace(0, len(corpus) - 1, min(len(corpus), SAMPLE)).astype(np.int64)
    edges = np.linspace(corpus.starts[rows].min(), corpus.ends[rows].max(), BINS + 1)
    centre = ((edges[:-1] + edges[1:]) / 2).astype(np.int64).astype("datetime64[s]")
    split = np.array([SPLITS.index(name) for name in corpus.splits[rows].tolist()])
    place = np.searchsorted(edges, corpus.starts[rows], side="right").clip(1, BINS) - 1
    low, high, total, count = _by_bin(corpus, rows, split, place, len(channels))
    figure = Figure(figsize=(10, 0.4 + 1.15 * len(channels)), layout="constrained")
    axes = figure.subplots(len(channels), 2, squeeze=False, width_ratios=[5, 1])
    for number, channel in enumerate(channels):
        course, spread = axes[number]
        for own, name in enumerate(SPLITS):
            some = count[own, :, number] > 0
            if not some.any():
                continue
            mean = total[own, some, number] / count[own, some, number]
            colour = COLOURS[own]
            bounds = low[own, some, number], high[own, some, number]
            course.fill_between(centre[some], *bounds, color=colour, alpha=0.25, lw=0)
            course.plot(centre[some], mean, color=colour, lw=0.9, label=name)
            spread.hist(mean, bins=24, density=True, histtype="step", color=colour, orientation="horizontal", lw=0.9)
        course.set_title(shown(channel.key), loc="left", fontsize=8, color=INK, parse_math=False)
        for one in (course, spread):
            one.tick_params(labelsize=6.5, colors=GREY)
            one.spines[["top", "right"]].set_visible(False)
        spread.set_xticks([])
        spread.tick_params(labelleft=False)
    if axes[0][0].get_legend_handles_labels()[0]:
        axes[0][0].legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, fontsize=7, frameon=False)
    return figure


def _by_bin(
    corpus: Corpus, rows: NDArray[np.int64], split: NDArray[np.int64], place: NDArray[np.int64], channels: int
) -> tuple[NDArray[np.float64], ...]:
    """Lowest, highest, sum and number (3, BINS, C) of the values of windows that begin in a bin, by split."""
    shape = (len(SPLITS), BINS, channels)
    low, high, total, count = np.full(shape, np.inf), np.full(shape, -np.inf), np.zeros(shape), np.zeros(shape)
    number = {int(row): spot for spot, row in enumerate(rows)}
    for own, values in corpus.blocks(rows):
        spot = np.array([number[int(row)] for row in own])
        at, values = (split[spot], place[spot]), values[:, :channels].astype(np.float64)
        seen = ~np.isnan(values)
        np.minimum.at(low, at, np.where(seen, values, np.inf).min(2))
        np.maximum.at(high, at, np.where(seen, values, -np.inf).max(2))
        np.add.at(total, at, np.where(seen, values, 0.0).sum(2))
        np.add.at(count, at, seen.sum(2))
    return low, high, total, count
