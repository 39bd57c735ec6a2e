"""Pictures of windows, channel by channel, each with its text."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.frequency import Frequency
from trace_lit.channels import Channel

COLUMN_WIDTH, ROW_HEIGHT, LINE_HEIGHT = 5.0, 1.15, 0.155  # inches
CHARACTERS, MAX_LINES = 68, 18  # of a text, below its column
COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b83280", "#975a16", "#2c7a7b", "#4a5568")


@dataclass(frozen=True)
class Window:
    """What is drawn as one column."""

    title: str
    times: NDArray[np.datetime64]  # (T,)
    values: NDArray[np.floating]  # (C, T), NaN where missing
    text: str = ""


def plot_instances(corpus: Corpus, rows: Sequence[int], path: str | Path) -> None:
    """Draw these rows of a corpus into the picture `path`, one beside the other."""
    values = corpus.values()
    windows = []
    for row in rows:
        label = corpus.labels[row]
        start = np.datetime64(int(corpus.starts[row]), "s")
        title = f"{corpus.ids[row]} ({corpus.splits[row]})\nfrom {_clock(start)}, "
        title += corpus.info.label_names[label] if label >= 0 else "no label"
        frequency = Frequency.parse(corpus.frequencies[row])
        times = frequency.advance(start, np.arange(values[row].shape[1]))
        windows.append(Window(title, times, values[row], corpus.texts[row]))
    heading = f"{corpus.info.domain}: {corpus.info.source} data"
    plot_windows(windows, corpus.info.channels, path, heading + (", simulated" if corpus.info.generated else ""))


def plot_windows(windows: Sequence[Window], channels: Sequence[Channel], path: str | Path, heading: str = "") -> None:
    """Draw windows of the same C channels into the picture `path`: a column each, a row for each channel.

    A channel has one scale in all columns, so that levels compare. The directory of `path` is made where it is absent.
    """
    if not windows:
        raise ValueError("there are no windows to draw")
    texts = [_wrapped(window.text) for window in windows]
    lines = max(text.count("\n") + 1 for text in texts)
    heights = [2.5 * LINE_HEIGHT, *[ROW_HEIGHT] * len(channels), lines * LINE_HEIGHT + 0.3]
    size = (COLUMN_WIDTH * len(windows) + 0.4, sum(heights) + 0.8)
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(wspace=0.04, hspace=0.02))
    canvas = FigureCanvasAgg(figure)
    if heading:
        figure.suptitle(heading, fontsize=11, x=0.01, ha="left", fontweight="bold", parse_math=False)
    grid = figure.subplots(len(heights), len(windows), squeeze=False, gridspec_kw={"height_ratios": heights})
    for axes, window, text in zip(grid.T, windows, texts, strict=True):
        _write(axes[0], window.title, fontsize=9.5)
        _write(axes[-1], text, fontsize=8)
        for number, channel in enumerate(channels):
            _draw_channel(axes[1 + number], window, number, channel)
            axes[1 + number].sharey(grid[1 + number, 0])
            axes[1 + number].tick_params(labelbottom=number == len(channels) - 1)
            if number < len(channels) - 1:
                axes[1 + number].xaxis.offsetText.set_visible(False)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a script that no installed font has is drawn as boxes
        canvas.print_figure(path, dpi=110)


def _write(axes: Axes, text: str, fontsize: float) -> None:
    """Text in place of a plot; `$` in it is a dollar and no formula."""
    axes.axis("off")
    axes.text(0, 1, text, fontsize=fontsize, va="top", transform=axes.transAxes, parse_math=False, in_layout=False)


def _draw_channel(axes: Axes, window: Window, number: int, channel: Channel) -> None:
    values = window.values[number]
    marker = "." if len(values) <= 48 else ""
    colour = COLOURS[number % len(COLOURS)]
    axes.plot(window.times, values, color=colour, linewidth=1.4, marker=marker, markersize=4)
    if np.isnan(values).all():
        axes.text(0.5, 0.45, "no values", transform=axes.transAxes, ha="center", fontsize=8, color="#718096")
    axes.set_title(channel.name, fontsize=8.5, loc="left", pad=3, color=colour, parse_math=False)
    axes.set_ylabel(channel.unit, fontsize=8, parse_math=False)
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    if len(window.times) > 1:
        axes.set_xlim(window.times[0], window.times[-1])
    axes.tick_params(labelsize=7)
    axes.xaxis.offsetText.set_fontsize(7)
    axes.grid(alpha=0.25)
    axes.margins(y=0.12)
    axes.spines[["top", "right"]].set_visible(False)


def _clock(time: np.datetime64) -> str:
    """2024-01-31, with hour and minute where it is not midnight or the like."""
    date, clock = str(time.astype("datetime64[m]")).split("T")
    return date if clock == "00:00" else f"{date} {clock}"


def _wrapped(text: str) -> str:
    lines = [line for part in (text or "no text").splitlines() for line in textwrap.wrap(part, CHARACTERS) or [""]]
    return "\n".join(lines if len(lines) <= MAX_LINES else [*lines[: MAX_LINES - 1], lines[MAX_LINES - 1] + " …"])
