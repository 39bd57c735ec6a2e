"""How windows are drawn: a column each, a row a channel, with a heading and what was written about them.

Every figure is a matplotlib `Figure` that belongs to no window and no global state: for TensorBoard, or `save_figure`.
"""

from __future__ import annotations

import io
import os
import textwrap
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.colors import to_rgb
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import ColorType
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.frequency import Frequency
from trace_lit.channels import Channel
from trace_lit.config import ConfigError

COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b83280", "#975a16", "#2c7a7b", "#4a5568")
INK, GREY, FAINT = "#1a202c", "#4a5568", "#a0aec0"
LIT = "#fffbea"  # the ground of a row that matters
COLUMN, ROW, GAP, MARGIN = 2.6, 0.8, 0.42, 0.85  # inches: a window's width, a channel's height, between windows, left
WIDE = 4.4  # inches: a window's width where there are few
TEXT_SIZE = 7.5
_LINE = 1.3 / 72  # inches of a line's height for a point of text size


@dataclass(frozen=True)
class Window:
    """What is drawn as one column."""

    title: str
    times: NDArray[Any]  # (T,) datetime64, or numbers of steps
    values: NDArray[np.floating]  # (C, T), NaN where missing
    text: str = ""


@dataclass(frozen=True)
class RowStyle:
    """How the row of a channel is drawn."""

    note: str = ""  # above its right end
    note_colour: str = GREY
    lit: bool | None = None  # a stronger line on a shaded ground, or a pale line


@dataclass(frozen=True)
class Column:
    """A window with its heading."""

    window: Window
    details: str = ""
    label: str = ""
    colour: str = INK
    rows: tuple[RowStyle, ...] = ()  # (C,), or none


def plot_instances(corpus: Corpus, rows: Sequence[int], path: str | Path) -> None:
    """Draw these rows of a corpus into the picture `path`, one beside the other."""
    save_figure(instances_figure(corpus, rows), path)


def instances_figure(corpus: Corpus, rows: Sequence[int]) -> Figure:
    """These rows of a corpus, one beside the other."""
    values = corpus.values()
    columns = []
    for row in rows:
        label = corpus.labels[row]
        details = f"{corpus.splits[row]}, from {clock(np.datetime64(int(corpus.starts[row]), 's'))}"
        name = corpus.info.label_names[label] if label >= 0 else "no label"
        columns.append(Column(corpus_window(corpus, row, values), details, name))
    heading = f"{corpus.info.domain}, source {corpus.info.source}"
    return window_columns(columns, corpus.info.channels, heading, generated=corpus.info.generated, width=WIDE)


def window_columns(
    columns: Sequence[Column],
    channels: Sequence[Channel],
    heading: str = "",
    *,
    generated: bool = False,
    width: float = COLUMN,
) -> Figure:
    """Windows of the same C channels: a column each, a row for each channel, the texts below.

    A channel has one scale in all columns, so that levels compare.
    """
    if not columns:
        raise ValueError("there are no windows to draw")
    bounds = limits([column.window.values for column in columns])
    across = MARGIN + len(columns) * (width + GAP)
    lines = wrapped(heading, across - MARGIN - GAP, 11, 6)
    texts = [wrapped(text, width, TEXT_SIZE, 16) for text in with_gaps([column.window.text for column in columns])]
    below = 0.2 + (height_of(lines, 11) + 0.25 if lines else 0.0)
    bottom = below + 0.62 + len(channels) * ROW + 0.42
    page = Page(across, bottom + max(height_of(text, TEXT_SIZE) for text in texts) + 0.15)
    if lines:
        page.panel(MARGIN, 0.15, across - MARGIN - GAP, height_of(lines, 11) + 0.12)
        page.write(MARGIN + 0.1, 0.21, lines, size=11)
    for number, (column, text) in enumerate(zip(columns, texts, strict=True)):
        x = MARGIN + number * (width + GAP)
        title = shortened(column.window.title, width, 11.5)
        page.write(x, below, title, size=10, weight="bold", colour=column.colour)
        page.write(x, below + 0.19, shortened(column.details, width, TEXT_SIZE), size=TEXT_SIZE, colour=GREY)
        label = shortened(column.label, width, 1.15 * TEXT_SIZE)  # bold is broader
        page.write(x, below + 0.33, label, size=TEXT_SIZE, weight="bold")
        draw_window(
            page, x, below + 0.62, column.window, channels, bounds, number == 0, column.colour, width, column.rows
        )
        page.write(x, bottom, text, size=TEXT_SIZE, colour=GREY)
    if generated:
        page.label_generated()
    return page.figure


def corpus_window(corpus: Corpus, row: int, values: Sequence[NDArray[np.float32]] | None = None) -> Window:
    """A row of a corpus as it is drawn; `values` are the corpus's, where they are at hand."""
    window = (corpus.values() if values is None else values)[row]
    start = np.datetime64(int(corpus.starts[row]), "s")
    times = Frequency.parse(corpus.frequencies[row]).advance(start, np.arange(window.shape[1]))
    return Window(str(corpus.ids[row]), times, window, corpus.texts[row])


# Files


def picture_format(path: str | Path) -> str:
    """The picture format that the ending of `path` names; ConfigError if there is none."""
    endings = FigureCanvasBase.get_supported_filetypes()
    kind = Path(path).suffix.lstrip(".").lower()
    if kind not in endings:
        raise ConfigError(f"{path}: a picture's name ends in one of {', '.join(sorted(endings))}")
    return kind


def save_figure(figure: Figure, path: str | Path, dpi: int = 110) -> None:
    """Write a picture in the format of its ending; the file is whole or not there. Its folder is made.

    Raises
    ------
    ConfigError
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


def picture(figure: Figure, kind: str = "png", dpi: int = 110) -> bytes:
    """A picture as the content of a file."""
    content = io.BytesIO()
    figure.savefig(content, dpi=dpi, format=kind)
    return content.getvalue()


# Pieces


class Page:
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
            x / self.width, 1 - y / self.height, shown(text), fontsize=size, color=colour, va="top", linespacing=1.3,
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

    def label_generated(self) -> None:
        """Simulated data are never to be taken for measured ones."""
        self.write(0.08, 0.03, "generated data", size=6.5, colour=GREY)


def draw_window(
    page: Page,
    x: float,
    y: float,
    window: Window,
    channels: Sequence[Channel],
    bounds: Sequence[tuple[float, float]],
    named: bool,
    colour: str = INK,
    width: float = COLUMN,
    rows: Sequence[RowStyle] = (),
) -> None:
    """One window, a row for each channel, from (x, y) down; `named` rows say which channel they show."""
    for number, channel in enumerate(channels):
        axes = page.axes(x, y + number * ROW, width, ROW - 0.14)
        dress(axes, bounds[number], lowest=number == len(channels) - 1, scaled=named, frame=colour)
        style = rows[number] if rows else RowStyle()
        line = COLOURS[number % len(COLOURS)]
        draw_line(
            axes, window.times, window.values[number], paler(line) if style.lit is False else line,
            linewidth=2.0 if style.lit else 1.3,
        )  # fmt: skip
        if style.lit:
            axes.set_facecolor(LIT)
        if style.note:
            page.write(
                x + width, y + number * ROW - 0.11, style.note, size=TEXT_SIZE, colour=style.note_colour, ha="right"
            )
        mark_times(axes, window.times)
        if named:
            name_channel(axes, channel, COLOURS[number % len(COLOURS)])


def paler(colour: str) -> tuple[float, float, float]:
    """The colour with much white in it."""
    red, green, blue = (0.3 * part + 0.7 for part in to_rgb(colour))
    return red, green, blue


def draw_line(axes: Axes, times: NDArray[Any], values: NDArray[np.floating], colour: ColorType, **style: Any) -> None:
    """The values (T,) of a channel; those without a neighbour are dots, and a channel without values is marked."""
    axes.plot(times, values, **{"color": colour, "linewidth": 1.3, "clip_on": False, **style})
    alone = _isolated(values)
    axes.plot(times[alone], values[alone], ".", color=colour, markersize=3.5, clip_on=False)
    if np.isnan(values).all():
        axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center", va="center", fontsize=7, color=FAINT)


def dress(axes: Axes, bounds: tuple[float, float], *, lowest: bool, scaled: bool, frame: str = INK) -> None:
    """Scale and frame of a channel's row; the lowest row shows the times, a `scaled` one its values."""
    axes.set_ylim(*bounds)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(frame)
    axes.spines["left"].set_linewidth(0.8 if frame == INK else 1.6)
    axes.tick_params(labelsize=6.5, length=2, color=FAINT, labelcolor=GREY, labelleft=scaled, labelbottom=lowest)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.xaxis.offsetText.set(fontsize=6.5, color=GREY, visible=lowest)


def mark_times(axes: Axes, times: NDArray[Any]) -> None:
    """The row reaches from the first to the last of `times`."""
    if len(times) > 1:
        axes.set_xlim(times[0], times[-1])
    if np.issubdtype(times.dtype, np.datetime64):
        locator = AutoDateLocator(minticks=2, maxticks=5)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def name_channel(axes: Axes, channel: Channel, colour: str) -> None:
    """Say at its left which channel a row shows."""
    name = name_lines(channel, 3) + (f"\n{channel.unit}" if channel.unit else "")
    axes.set_ylabel(shown(name), fontsize=7, color=colour, labelpad=4, parse_math=False)


def name_lines(channel: Channel, most: int) -> str:
    """The name of a channel in `most` lines, each as long as a row is high."""
    return "\n".join(textwrap.wrap(channel.name, 14)[:most])


def limits(windows: Sequence[NDArray[np.floating]]) -> list[tuple[float, float]]:
    """For each channel a range that holds it in all windows (C, …), so that levels compare."""
    found = []
    for number in range(len(windows[0])):
        values = np.concatenate([window[number].ravel() for window in windows])
        values = values[~np.isnan(values)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        room = 0.08 * (high - low) or 0.05 * abs(low) or 1.0
        found.append((low - room, high + room))
    return found


def _isolated(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Observed points without an observed neighbour, which a line does not show."""
    seen = np.pad(~np.isnan(values), 1)
    return seen[1:-1] & ~seen[:-2] & ~seen[2:]


# Words


def clock(time: np.datetime64) -> str:
    """2024-01-31, with hour and minute where it is not midnight."""
    date, of_day = str(time.astype("datetime64[m]")).split("T")
    return date if of_day == "00:00" else f"{date} {of_day}"


def with_gaps(texts: Sequence[str]) -> list[str]:
    """The texts of windows beside each other, with "no text" for one that has none; nothing where none has one."""
    return [text or ("no text" if any(texts) else "") for text in texts]


def height_of(text: str, size: float) -> float:
    """Inches that the lines of a text take."""
    return (text.count("\n") + 1) * size * _LINE


def _characters(width: float, size: float) -> int:
    """How many characters of mean breadth fit into `width` inches."""
    return max(8, int(width * 72 / (0.52 * size)))


def wrapped(text: str, width: float, size: float, most: int) -> str:
    """The text in lines of `width` inches, `most` of them."""
    characters = _characters(width, size)
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, characters)]
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][: characters - 2] + " …"]
    return "\n".join(lines)


def shortened(text: str, width: float, size: float) -> str:
    """The text cut to one line of `width` inches."""
    characters = _characters(width, size)
    return text if len(text) <= characters else text[: characters - 1] + "…"


@cache
def _glyphs(families: tuple[str, ...]) -> frozenset[int]:
    """The characters that the fonts have."""
    fonts = [get_font(findfont(FontProperties(family=[family]))) for family in families]
    return frozenset().union(*(font.get_charmap() for font in fonts))


def shown(text: str) -> str:
    """The text with a box for every character that no configured font has, instead of matplotlib's warning for each."""
    glyphs = _glyphs(tuple(matplotlib.rcParams["font.family"]))
    return "".join(sign if sign == "\n" or ord(sign) in glyphs else "□" for sign in text)
