"""Pictures of the predictions for a window: its forecast or its labels, and the neighbours that were retrieved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from data_modules.figures import (
    COLOURS,
    FAINT,
    GAP,
    GREY,
    INK,
    MARGIN,
    ROW,
    TEXT_SIZE,
    Page,
    Window,
    clock,
    draw_line,
    draw_window,
    dress,
    height_of,
    limits,
    mark_times,
    name_channel,
    name_lines,
    shortened,
    shown,
    with_gaps,
    wrapped,
)
from trace_lit.channels import Channel
from trace_lit.encoder.patches import invert_transform, transform_values
from trace_lit.rag.memory import Neighbour

WIDTH = 9.6  # inches, of what is drawn beside the margin
TALL, LOW = 2.6, 1.15  # inches, of the row of an only channel, and of one of several
BARS, NAMES = 2.3, 2.1  # inches, of the probabilities and the names of the labels
SHOWN = 5  # neighbours
HORIZON = "#f7fafc"
TRUE = "#2f855a"


@dataclass(frozen=True)
class Query:
    """A window that is predicted from."""

    window: Window  # the look-back of the channels that are drawn; its title says which window it is
    channels: Sequence[Channel]
    step: str = ""  # how long one lasts, like 1 week
    generated: bool = False  # simulated, not measured


@dataclass(frozen=True)
class Outlook:
    """The forecast of the C channels of a window over H steps."""

    times: NDArray[Any]  # (H,) as the window's
    forecast: NDArray[np.floating]  # (C, H)
    quantiles: NDArray[np.floating]  # (C, H, Q), ascending
    levels: Sequence[float]  # Q of them
    truth: NDArray[np.floating]  # (C, H), NaN where unknown


def forecast_figure(
    query: Query, outlook: Outlook, neighbours: Sequence[Neighbour] = (), transform: str = "none"
) -> Figure:
    """The end of the look-back, forecast, bands and observed future, a row a channel; the neighbours below.

    Neighbours are moved so that they end where the query does, on the scale of `transform`.
    """
    height = TALL if len(query.channels) == 1 else LOW
    sheet = _Sheet(query, height * len(query.channels) + 0.2, neighbours)
    _draw_outlook(sheet.page, MARGIN, sheet.top + 0.2, WIDTH, height, query, outlook, named=True)
    sheet.draw_neighbours(transform)
    return sheet.page.figure


def class_figure(
    query: Query,
    probabilities: Mapping[str, float],
    label: str | None = None,
    neighbours: Sequence[Neighbour] = (),
    transform: str = "none",
) -> Figure:
    """The window, and beside it the probabilities of the labels; its own is marked where it is known."""
    sheet = _Sheet(query, max(ROW * len(query.channels), 0.3 * len(probabilities)), neighbours)
    width = WIDTH - BARS - NAMES
    draw_window(
        sheet.page, MARGIN, sheet.top, query.window, query.channels, limits([query.window.values]), True, width=width
    )
    axes = sheet.page.axes(MARGIN + width + NAMES, sheet.top, BARS, 0.3 * len(probabilities))
    names = list(probabilities)
    shares = [probabilities[name] for name in names]
    colours = [TRUE if name == label else COLOURS[0] for name in names]
    axes.barh(range(len(names)), shares, color=colours, height=0.62, alpha=0.85)
    for place, share in enumerate(shares):
        axes.text(share + 0.02, place, f"{share:.2f}", va="center", fontsize=TEXT_SIZE, color=GREY, clip_on=False)
    ticks = [shown(("✓ " if name == label else "") + shortened(name, NAMES, 1.2 * TEXT_SIZE)) for name in names]
    axes.set_yticks(range(len(names)), ticks, fontsize=TEXT_SIZE + 0.5, parse_math=False)
    axes.set(xlim=(0, 1), ylim=(len(names) - 0.4, -0.6), xticks=[])
    axes.tick_params(length=0, labelcolor=INK)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines["left"].set_color(FAINT)
    sheet.draw_neighbours(transform)
    return sheet.page.figure


def forecast_page(drawn: Sequence[tuple[Query, Outlook]]) -> Figure:
    """Several forecasts of the same channels, one beside the other."""
    width = 4.4
    channels = drawn[0][0].channels
    height = TALL if len(channels) == 1 else LOW
    page = Page(MARGIN + len(drawn) * (width + GAP), 0.85 + height * len(channels) + 0.2)
    for number, (query, outlook) in enumerate(drawn):
        x = MARGIN + number * (width + GAP)
        page.write(x, 0.15, shortened(query.window.title, width, 10.5), size=9, weight="bold")
        _draw_outlook(page, x, 0.6, width, height, query, outlook, named=number == 0)
    if drawn[0][0].generated:
        page.label_generated()
    return page.figure


class _Sheet:
    """A page with a heading, room for the prediction, and the neighbours below."""

    def __init__(self, query: Query, height: float, neighbours: Sequence[Neighbour]) -> None:
        self.query, self.neighbours = query, neighbours[:SHOWN]
        self.across = (WIDTH - (SHOWN - 1) * 0.3) / SHOWN
        report = wrapped(query.window.text, WIDTH - 0.2, TEXT_SIZE, 3)
        texts = with_gaps([near.text for near in self.neighbours])
        self.texts = [wrapped(text, self.across, TEXT_SIZE, 7) for text in texts]
        head = 0.36 + (height_of(report, TEXT_SIZE) + 0.06 if report else 0.0)
        self.top = 0.2 + head + 0.2
        self.head = 1.0 if any(near.label for near in self.neighbours) else 0.86
        self.below = self.top + height + 0.5
        total = self.below
        if self.neighbours:
            deepest = max(height_of(text, TEXT_SIZE) for text in self.texts)
            total += self.head + 0.05 + self.row * len(query.channels) + 0.42 + deepest + 0.15
        self.page = Page(MARGIN + WIDTH + 0.35, total)
        self.page.panel(MARGIN, 0.2, WIDTH, head)
        self.page.write(MARGIN + 0.1, 0.28, shortened(query.window.title, WIDTH, 11), size=11)
        if report:
            self.page.write(MARGIN + 0.1, 0.54, report, size=TEXT_SIZE, colour=GREY)
        if query.generated:
            self.page.label_generated()

    @property
    def row(self) -> float:
        return 1.0 if len(self.query.channels) == 1 else 0.66

    def draw_neighbours(self, transform: str) -> None:
        """A column each: its similarity to the query, its continuation and its report."""
        if not self.neighbours:
            return
        query, y = self.query, self.below
        self.page.write(MARGIN, y, "Retrieved", size=10, weight="bold")
        ahead = max(near.continuation.shape[1] for near in self.neighbours)
        caption = "beside the window (grey)"
        if ahead:
            caption = "moved to end where the window ends (grey); to the right of the line, their continuation"
        caption += f"; in steps of {query.step}" if query.step else ""
        self.page.write(MARGIN + 0.85, y + 0.03, caption, size=TEXT_SIZE, colour=GREY)
        moved = [moved_to(near, query, transform) for near in self.neighbours]
        steps = max(past.shape[1] for past, _ in moved)
        own = query.window.values[:, -steps:]
        bounds = limits([own, *(part for pair in moved for part in pair)])
        for number, (near, (past, future), text) in enumerate(zip(self.neighbours, moved, self.texts, strict=True)):
            x = MARGIN + number * (self.across + 0.3)
            self.page.write(x, y + 0.3, f"{number + 1}.  similarity {near.similarity:.2f}", size=9, weight="bold")
            until = f"until {clock(np.datetime64(near.origin, 's'))}"
            for line, details in enumerate((near.series_id, until)):
                words = shortened(details, self.across, TEXT_SIZE)
                self.page.write(x, y + 0.48 + 0.14 * line, words, size=TEXT_SIZE, colour=GREY)
            if near.label is not None:
                words = shortened(near.label, self.across, 1.15 * TEXT_SIZE)
                self.page.write(x, y + 0.76, words, size=TEXT_SIZE, weight="bold")
            for place in range(len(query.channels)):
                axes = self.page.axes(x, y + self.head + place * self.row, self.across, self.row - 0.14)
                lowest = place == len(query.channels) - 1
                dress(axes, bounds[place], lowest=lowest, scaled=number == 0)
                self._draw_pair(axes, place, own[place], past[place], future[place])
                if number == 0:
                    short = name_lines(query.channels[place], 2)
                    axes.set_ylabel(shown(short), fontsize=6.5, color=COLOURS[place % len(COLOURS)], parse_math=False)
            bottom = y + self.head + self.row * len(query.channels) + 0.2
            self.page.write(x, bottom, text, size=TEXT_SIZE, colour=GREY)

    @staticmethod
    def _draw_pair(
        axes: Axes, place: int, own: NDArray[np.floating], past: NDArray[np.floating], future: NDArray[np.floating]
    ) -> None:
        colour = COLOURS[place % len(COLOURS)]
        draw_line(axes, np.arange(1 - len(own), 1), own, FAINT, linewidth=2.2, alpha=0.6)
        axes.plot(np.arange(1 - len(past), 1), past, color=colour, linewidth=0.9)
        axes.plot(np.arange(len(future) + 1), np.append(past[-1:], future), color=colour, linewidth=1.7)
        axes.set_xlim(1 - max(len(own), len(past)), max(len(future), 1))
        axes.axvline(0, color=GREY, linewidth=0.7, linestyle=(0, (3, 2)))
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def moved_to(near: Neighbour, query: Query, transform: str) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The neighbour's end (C, T) and continuation (C, H), moved to end where the query does, on a transformed scale.

    A neighbour without a continuation stays where it is.
    """
    place = {channel.key: number for number, channel in enumerate(near.channels)}
    steps, ahead = query.window.values.shape[1], near.continuation.shape[1]
    parts = []
    for channel, own in zip(query.channels, query.window.values, strict=True):
        number = place.get(channel.key)
        if number is None:
            parts.append(np.full(min(steps, near.window.shape[1]) + ahead, np.nan))
            continue
        past = near.window[number, -steps:]
        values = transform_values(torch.from_numpy(np.append(past, near.continuation[number])), transform)
        end, goal = (_last(transform_values(torch.from_numpy(np.array(ends)), transform)) for ends in (past, own))
        parts.append(invert_transform(values + (goal - end if ahead else 0.0), transform).numpy())
    moved = np.stack(parts)
    return moved[:, : moved.shape[1] - ahead], moved[:, moved.shape[1] - ahead :]


def _last(values: torch.Tensor) -> float:
    """The last observed value; 0 where there is none."""
    seen = values[~values.isnan()]
    return float(seen[-1]) if len(seen) else 0.0


def _draw_outlook(
    page: Page, x: float, y: float, width: float, height: float, query: Query, outlook: Outlook, named: bool
) -> None:
    """Forecasts from (x, y) down, a row of `height` a channel."""
    horizon = len(outlook.times)
    kept = max(4 * horizon, 24)
    times, values = query.window.times[-kept:], query.window.values[:, -kept:]
    parts = [values, outlook.forecast, outlook.truth]
    parts += [outlook.quantiles[..., place] for place in range(outlook.quantiles.shape[-1])]
    bounds = limits(parts)
    for place, channel in enumerate(query.channels):
        axes = page.axes(x, y + place * height, width, height - 0.2)
        lowest = place == len(query.channels) - 1
        dress(axes, bounds[place], lowest=lowest, scaled=True)
        _draw_forecast(axes, times, values[place], outlook, place)
        mark_times(axes, np.concatenate([times, outlook.times]))
        if named:
            name_channel(axes, channel, COLOURS[place % len(COLOURS)])
        if place == 0:
            axes.legend(
                loc="lower left", bbox_to_anchor=(0, 1.0), ncols=6, fontsize=7, frameon=False, labelcolor=GREY,
                borderpad=0, handlelength=1.6, columnspacing=1.4,
            )  # fmt: skip


def _draw_forecast(axes: Axes, times: NDArray[Any], values: NDArray[np.floating], outlook: Outlook, place: int) -> None:
    """One channel; forecast and observed future continue from the last observed value."""
    colour = COLOURS[place % len(COLOURS)]
    axes.axvspan(times[-1], outlook.times[-1], color=HORIZON, linewidth=0, zorder=0)  # type: ignore[arg-type]
    axes.axvline(times[-1], color=GREY, linewidth=0.7, linestyle=(0, (3, 2)))
    seen = np.flatnonzero(~np.isnan(values))
    start = seen[-1:] if len(seen) else np.array([], dtype=np.int64)
    ahead = np.concatenate([times[start], outlook.times])

    def from_here(future: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.concatenate([values[start], future])

    draw_line(axes, times, values, INK, linewidth=1.2, label="look-back")
    count = len(outlook.levels)
    for low in range(count // 2):
        high = count - 1 - low
        bounds = [from_here(outlook.quantiles[place, :, number]) for number in (low, high)]
        name = f"{100 * outlook.levels[low]:g} to {100 * outlook.levels[high]:g} %"
        axes.fill_between(ahead, bounds[0], bounds[1], color=colour, alpha=0.18, linewidth=0, label=name)
    axes.plot(ahead, from_here(outlook.forecast[place]), color=colour, linewidth=2.0, label="forecast", clip_on=False)
    if not np.isnan(outlook.truth[place]).all():
        axes.plot(
            ahead, from_here(outlook.truth[place]), color=INK, linewidth=1.0, linestyle=(0, (2, 1.5)), label="observed"
        )
