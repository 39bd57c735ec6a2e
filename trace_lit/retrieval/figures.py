"""Pictures of retrieval: similarities of a pool, retrieved examples, the answer to one question.

All return a matplotlib `Figure` that belongs to no window and no global state: for TensorBoard, or for `save_figure`.
"""

from __future__ import annotations

import os
import textwrap
import uuid
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.collections import PatchCollection
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.figures import COLOURS, Window
from data_modules.frequency import Frequency
from trace_lit.channels import Channel
from trace_lit.retrieval.pool import Pool, RetrievalError
from trace_lit.retrieval.retriever import Hit

INK, GREY, FAINT = "#1a202c", "#4a5568", "#a0aec0"
PAIR, LABEL = "#2f855a", "#2b6cb0"  # a hit is the query's pair, or of its label
COLUMN, ROW, GAP, MARGIN = 2.6, 0.8, 0.42, 0.85  # inches: a window's width, a channel's height, between windows, left
TEXT_SIZE = 7.5
LINE = 1.3 / 72  # inches of a line's height for a point of text size


def picture_format(path: str | Path) -> str:
    """The picture format that the ending of `path` names; RetrievalError if there is none."""
    endings = FigureCanvasBase.get_supported_filetypes()
    kind = Path(path).suffix.lstrip(".").lower()
    if kind not in endings:
        raise RetrievalError(f"{path}: a picture's name ends in one of {', '.join(sorted(endings))}")
    return kind


def save_figure(figure: Figure, path: str | Path, dpi: int = 110) -> None:
    """Write a picture in the format of its ending; the file is whole or not there.

    Raises
    ------
    RetrievalError
        There is no picture format with this ending.
    """
    path = Path(path)
    kind = picture_format(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        figure.savefig(building, dpi=dpi, format=kind)
        os.replace(building, path)
    finally:
        building.unlink(missing_ok=True)


def similarity_matrix(pool: Pool, label_names: Sequence[str] = (), size: int = 64, seed: int = 0) -> Figure:
    """The scores of up to `size` texts with their series, sorted by label; pairs stand on the outlined diagonal.

    Parameters
    ----------
    label_names
        What the numbers in `pool.label` stand for.
    seed
        Chooses the texts: with the same seed and pool, the same.

    Raises
    ------
    RetrievalError
        No instance has a text.
    """
    rows = _sample(pool, size, seed)
    rows = rows[torch.sort(pool.label[rows], stable=True).indices]
    scores = (pool.text[rows] @ pool.series[rows].T).numpy()
    count = len(rows)
    figure = Figure(figsize=(7.4, 6.6), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(scores, cmap="magma", interpolation="nearest", vmin=scores.min(), vmax=scores.max())
    cells = [Rectangle((n - 0.5, n - 0.5), 1, 1) for n in range(count)]
    axes.add_collection(PatchCollection(cells, facecolor="none", edgecolor="#00e5ff", linewidth=min(1.5, 40 / count)))
    bar = figure.colorbar(image, ax=axes, shrink=0.8, pad=0.02)
    bar.set_label("score (cosine)", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    _group_by_label(axes, pool.label[rows].numpy(), label_names)
    axes.set_xlabel("series", fontsize=9)
    axes.set_ylabel("text", fontsize=9)
    pairs, others = np.diag(scores).mean(), scores[~np.eye(count, dtype=bool)]
    title = f"Texts and series, {count} of {int(pool.has_text.sum())} pairs: mean score {pairs:.2f} on the diagonal"
    axes.set_title(title + (f", {others.mean():.2f} elsewhere" if count > 1 else ""), fontsize=10, loc="left", pad=10)
    return figure


def retrieved_examples(
    pool: Pool, corpus: Corpus, rows: NDArray[np.int64], count: int = 3, top: int = 3, seed: int = 0
) -> Figure:
    """A page of `count` texts, each with its own series and the `top` series that it finds.

    Parameters
    ----------
    rows
        The corpus row of each index of the pool.
    seed
        Chooses the texts: with the same seed and pool, the same.

    Raises
    ------
    RetrievalError
        No instance has a text.
    """
    chosen = _sample(pool, count, seed)
    values, channels = corpus.values(), corpus.info.channels
    top = min(top, len(pool))
    width = MARGIN + (1 + top) * (COLUMN + GAP)
    questions = [_wrapped(corpus.texts[int(rows[pool.index[n]])], width - MARGIN - GAP, 8.5, 5) for n in chosen]
    heights = [_height(text, 8.5) + 0.95 + len(channels) * ROW for text in questions]
    page = _Page(width, sum(heights) + 0.35)
    y = 0.2
    for n, question, height in zip(chosen.tolist(), questions, heights, strict=True):
        page.panel(MARGIN, y, width - MARGIN - GAP, _height(question, 8.5) + 0.1)
        page.write(MARGIN + 0.08, y + 0.05, question, size=8.5)
        below = y + _height(question, 8.5) + 0.18
        scores = pool.series @ pool.text[n]
        found = scores.topk(top).indices.tolist()
        place = 1 + int((scores > scores[n]).sum())
        windows = [corpus_window(corpus, int(rows[pool.index[m]]), values) for m in [n, *found]]
        limits = _limits(windows)
        for column, (m, window) in enumerate(zip([n, *found], windows, strict=True)):
            x = MARGIN + column * (COLUMN + GAP)
            if column == 0:
                title, colour = f"its own series: place {place:,} of {len(pool):,}", INK
            else:
                title, colour = _judged(pool, n, m, column)
            page.write(x, below, title, size=8.5, colour=colour, weight="bold")
            label = int(corpus.labels[rows[pool.index[m]]])
            details = f"score {scores[m]:.2f}" + (f", {corpus.info.label_names[label]}" if label >= 0 else "")
            page.write(x, below + 0.155, _shortened(details, COLUMN, TEXT_SIZE), size=TEXT_SIZE, colour=GREY)
            _draw_window(page, x, below + 0.36, window, channels, limits, named=column == 0, frame=colour)
        y += height
    _label_generated(page, corpus)
    return page.figure


def search_results(question: str | Window, hits: Sequence[Hit], corpus: Corpus) -> Figure:
    """A question, in words or as a series of the corpus's channels, and its hits: a column each, a row a channel.

    Raises
    ------
    RetrievalError
        There are no hits.
    """
    if not hits:
        raise RetrievalError("there are no hits to draw")
    values, channels = corpus.values(), corpus.info.channels
    windows = [corpus_window(corpus, hit.row, values) for hit in hits]
    asked = [] if isinstance(question, str) else [question]
    limits = _limits([*asked, *windows])
    width = MARGIN + (len(asked) + len(hits)) * (COLUMN + GAP)
    heading = _wrapped(question, width - MARGIN - GAP, 11, 6) if isinstance(question, str) else ""
    told = [window.text for window in asked] + [window.text or "no text" for window in windows]
    texts = [_wrapped(text, COLUMN + 0.2, TEXT_SIZE, 16) for text in told]
    below = 0.2 + (_height(heading, 11) + 0.25 if heading else 0.0)
    bottom = below + 0.62 + len(channels) * ROW + 0.42
    page = _Page(width, bottom + max(_height(text, TEXT_SIZE) for text in texts) + 0.15)
    if heading:
        page.panel(MARGIN, 0.15, width - MARGIN - GAP, _height(heading, 11) + 0.12)
        page.write(MARGIN + 0.1, 0.21, heading, size=11)
    titles: list[tuple[str, str, str | None]] = [("the question", window.title, None) for window in asked]
    for number, hit in enumerate(hits, start=1):
        start = str(np.datetime64(hit.start, "m")).replace("T", " ")
        titles.append((f"{number}.  score {hit.score:.3f}", f"{hit.id}, {start}", hit.label))
    for column, (window, text, (title, details, label)) in enumerate(
        zip([*asked, *windows], texts, titles, strict=True)
    ):
        x = MARGIN + column * (COLUMN + GAP)
        is_question = column < len(asked)
        page.write(x, below, title, size=10, weight="bold", colour=LABEL if is_question else INK)
        page.write(x, below + 0.19, _shortened(details, COLUMN, TEXT_SIZE), size=TEXT_SIZE, colour=GREY)
        if label is not None:
            short = _shortened(label, COLUMN, 1.15 * TEXT_SIZE)  # bold is broader
            page.write(x, below + 0.33, short, size=TEXT_SIZE, weight="bold")
        frame = LABEL if is_question else INK
        _draw_window(page, x, below + 0.62, window, channels, limits, named=column == 0, frame=frame)
        page.write(x, bottom, text, size=TEXT_SIZE, colour=GREY)
    _label_generated(page, corpus)
    return page.figure


def _label_generated(page: _Page, corpus: Corpus) -> None:
    """Simulated data are never to be taken for measured ones."""
    if corpus.info.generated:
        page.write(0.08, 0.03, "generated data", size=6.5, colour=GREY)


def corpus_window(corpus: Corpus, row: int, values: Sequence[NDArray[np.float32]] | None = None) -> Window:
    """A row of a corpus as it is drawn; `values` are the corpus's, where they are at hand."""
    window = (corpus.values() if values is None else values)[row]
    start = np.datetime64(int(corpus.starts[row]), "s")
    times = Frequency.parse(corpus.frequencies[row]).advance(start, np.arange(window.shape[1]))
    return Window(str(corpus.ids[row]), times, window, corpus.texts[row])


def _sample(pool: Pool, size: int, seed: int) -> torch.Tensor:
    """Up to `size` rows of the pool with different texts, in their order."""
    asking = pool.has_text.nonzero().squeeze(1)
    if not len(asking):
        raise RetrievalError("no instance has a text: there is nothing to draw")
    shuffled = asking[torch.randperm(len(asking), generator=torch.Generator().manual_seed(seed))]
    _, first = np.unique(pool.text_id[shuffled].numpy(), return_index=True)
    return shuffled[np.sort(first)[:size]].sort().values


def _group_by_label(axes: Axes, labels: NDArray[np.int64], names: Sequence[str]) -> None:
    """Lines between the labels of a sorted matrix and their names at its edges."""
    axes.tick_params(labelsize=8, length=0)
    starts = np.flatnonzero(np.diff(labels, prepend=labels[0] - 1))
    if len(starts) == 1 and labels[0] < 0:
        axes.set_xticks([])
        axes.set_yticks([])
        return
    for start in starts[1:]:
        axes.axhline(start - 0.5, color="white", linewidth=0.8)
        axes.axvline(start - 0.5, color="white", linewidth=0.8)
    centres = (starts + np.append(starts[1:], len(labels)) - 1) / 2
    found = [names[label] if 0 <= label < len(names) else "no label" if label < 0 else str(label)
             for label in labels[starts]]  # fmt: skip
    ticks = [_shown(name if len(name) <= 24 else f"{name[:23]}…") for name in found]
    axes.set_xticks(centres, ticks, rotation=40, ha="right", rotation_mode="anchor", parse_math=False)
    axes.set_yticks(centres, ticks, parse_math=False)


def _judged(pool: Pool, query: int, found: int, place: int) -> tuple[str, str]:
    """The title of a hit, with a mark for what it has in common with the query, and its colour."""
    if pool.has_text[found] and pool.text_id[found] == pool.text_id[query]:
        return f"{place}.  ✓ pair", PAIR
    if pool.label[query] >= 0 and pool.label[found] == pool.label[query]:
        return f"{place}.  ✓ label", LABEL
    return f"{place}.", GREY


class _Page:
    """A figure on which things are placed in inches from its upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height), facecolor="white")

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        bottom = self.height - y - height
        return self.figure.add_axes((x / self.width, bottom / self.height, width / self.width, height / self.height))

    def write(self, x: float, y: float, text: str, size: float, colour: str = INK, **style: Any) -> None:
        """Text whose upper left corner is at (x, y); a `$` in it is a dollar and no formula."""
        self.figure.text(
            x / self.width, 1 - y / self.height, _shown(text), fontsize=size, color=colour, va="top", linespacing=1.3,
            parse_math=False, **style,
        )  # fmt: skip

    def panel(self, x: float, y: float, width: float, height: float) -> None:
        """A shaded ground for text."""
        corner = x / self.width, 1 - (y + height) / self.height
        self.figure.add_artist(
            Rectangle(
                corner, width / self.width, height / self.height, facecolor="#edf2f7", edgecolor="none", zorder=-1,
                transform=self.figure.transFigure,
            )
        )  # fmt: skip


def _draw_window(
    page: _Page,
    x: float,
    y: float,
    window: Window,
    channels: Sequence[Channel],
    limits: Sequence[tuple[float, float]],
    named: bool,
    frame: str,
) -> None:
    """One window, a row for each channel, from (x, y) down; `named` rows say which channel they show."""
    for number, channel in enumerate(channels):
        axes = page.axes(x, y + number * ROW, COLUMN, ROW - 0.14)
        values, colour = window.values[number], COLOURS[number % len(COLOURS)]
        axes.plot(window.times, values, color=colour, linewidth=1.3, clip_on=False)
        alone = _isolated(values)
        axes.plot(window.times[alone], values[alone], ".", color=colour, markersize=3.5, clip_on=False)
        if np.isnan(values).all():
            axes.text(
                0.5, 0.5, "no values", transform=axes.transAxes, ha="center", va="center", fontsize=7, color=FAINT
            )
        axes.set_ylim(*limits[number])
        if len(window.times) > 1:
            axes.set_xlim(window.times[0], window.times[-1])
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(frame)
        axes.spines["left"].set_linewidth(1.6 if frame in (PAIR, LABEL) else 0.8)
        axes.tick_params(labelsize=6.5, length=2, color=FAINT, labelcolor=GREY, labelleft=named)
        axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(3))
        axes.grid(alpha=0.25, linewidth=0.6)
        if np.issubdtype(window.times.dtype, np.datetime64):
            locator = AutoDateLocator(minticks=2, maxticks=5)
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        last = number == len(channels) - 1
        axes.tick_params(labelbottom=last)
        axes.xaxis.offsetText.set(fontsize=6.5, color=GREY, visible=last)
        if named:
            name = "\n".join(textwrap.wrap(channel.name, 16)[:3]) + (f"\n{channel.unit}" if channel.unit else "")
            axes.set_ylabel(_shown(name), fontsize=7, color=colour, labelpad=4, parse_math=False)


def _limits(windows: Sequence[Window]) -> list[tuple[float, float]]:
    """For each channel a range that holds it in all windows, so that levels compare."""
    limits = []
    for number in range(len(windows[0].values)):
        values = np.concatenate([window.values[number] for window in windows])
        values = values[~np.isnan(values)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        room = 0.08 * (high - low) or 0.05 * abs(low) or 1.0
        limits.append((low - room, high + room))
    return limits


def _isolated(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Observed points without an observed neighbour, which a line does not show."""
    seen = np.pad(~np.isnan(values), 1)
    return seen[1:-1] & ~seen[:-2] & ~seen[2:]


def _height(text: str, size: float) -> float:
    """Inches that the lines of a text take."""
    return (text.count("\n") + 1) * size * LINE


def _characters(width: float, size: float) -> int:
    """How many characters of mean breadth fit into `width` inches."""
    return max(8, int(width * 72 / (0.52 * size)))


def _wrapped(text: str, width: float, size: float, most: int) -> str:
    """The text in lines of `width` inches, `most` of them."""
    characters = _characters(width, size)
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, characters)]
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][: characters - 2] + " …"]
    return "\n".join(lines)


def _shortened(text: str, width: float, size: float) -> str:
    characters = _characters(width, size)
    return text if len(text) <= characters else text[: characters - 1] + "…"


@cache
def _glyphs(families: tuple[str, ...]) -> frozenset[int]:
    """The characters that the fonts have."""
    fonts = [get_font(findfont(FontProperties(family=[family]))) for family in families]
    return frozenset().union(*(font.get_charmap() for font in fonts))


def _shown(text: str) -> str:
    """The text with a box for every character that no configured font has, instead of matplotlib's warning for each."""
    glyphs = _glyphs(tuple(matplotlib.rcParams["font.family"]))
    return "".join(sign if sign == "\n" or ord(sign) in glyphs else "□" for sign in text)
