"""Predictions of a tuned run, printed and drawn."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from data_modules.figures import Window, clock
from trace_lit.escapes import one_line
from trace_lit.inference.predictions import Predictions
from trace_lit.rag import Neighbour, RetrievalLookup
from trace_lit.rag.figures import Outlook, Query, class_figure, forecast_figure, forecast_page

_FEW = 3  # windows that are all printed
_NEAREST = 10  # neighbours that are printed
_WORDS = 30  # of a report, on the terminal
_PLAIN_WIDTH = 110  # characters, where the output is no terminal


def print_predictions(predictions: Predictions) -> None:
    """Tables of the windows, or of the newest where there are many; without colours where the output is no terminal."""
    console = Console() if sys.stdout.isatty() else Console(width=_PLAIN_WIDTH)
    few = len(predictions) <= _FEW
    for number in range(len(predictions)) if few else [predictions.newest]:
        if number and few:
            console.print()
        rows = _class_rows(predictions, number) if predictions.label_names else _forecast_rows(predictions, number)
        console.print(_as_table(console, title_of(predictions, number), *rows))
        if neighbours := predictions.neighbours(number):
            title = (
                "retrieved" if len(neighbours) <= _NEAREST else f"retrieved, the first {_NEAREST} of {len(neighbours)}"
            )
            console.print(_as_table(console, title, *_neighbour_rows(neighbours[:_NEAREST])))
    for shares, channels in _alike(predictions.members).items():
        words = ", ".join(f"{name} {share:.2f}" for name, share in shares)
        what = f"the forecast of {', '.join(channels)}" if any(channels) else "the label"
        console.print(Text(one_line(f"members of {what}: {words}"), style="dim"))
    if not few:
        found = f"the newest of {len(predictions):,} windows; --out writes all, --id chooses"
        console.print(Text(found, style="dim"))


def _alike(members: Mapping[str, Mapping[str, float]]) -> dict[tuple[tuple[str, float], ...], list[str]]:
    """The channels that have the same shares of members, by these."""
    found: dict[tuple[tuple[str, float], ...], list[str]] = {}
    for channel, shares in members.items():
        found.setdefault(tuple(shares.items()), []).append(channel)
    return found


def _as_table(console: Console, title: str, header: Sequence[str], *rows: Sequence[str]) -> Table:
    style = box.SIMPLE_HEAD if console.is_terminal else None
    table = Table(title=Text(one_line(title)), title_justify="left", title_style="bold", box=style, pad_edge=False)
    for name in header:
        words = name in ("time", "channel", "label", "series", "until", "id", "text")
        table.add_column(name, justify="left" if words else "right", no_wrap=name != "text")
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))  # a string would be read as rich's markup
    return table


def _neighbour_rows(neighbours: Sequence[Neighbour]) -> list[tuple[str, ...]]:
    labelled = any(near.label for near in neighbours)
    rows: list[tuple[str, ...]] = [("similarity", "id", "until", *(["label"] if labelled else []), "text")]
    for near in neighbours:
        until = clock(np.datetime64(near.origin, "s"))
        rows.append(
            (
                f"{near.similarity:.3f}",
                near.id,
                until,
                *([near.label or "-"] if labelled else []),
                _begun(near.text, _WORDS) or "-",
            )
        )
    return rows


def title_of(predictions: Predictions, number: int) -> str:
    """Which window it is."""
    origin = predictions.origins[number]
    name = predictions.ids[number] or predictions.series_ids[number]
    return name if origin is None else f"{name}, {'until' if predictions.label_names else 'from'} {clock(origin)}"


def _forecast_rows(predictions: Predictions, number: int) -> list[tuple[str, ...]]:
    horizon = predictions.dataset.horizon
    times = predictions.times(number)
    shown = [f"+{step}" for step in range(1, horizon + 1)] if times is None else [clock(time) for time in times]
    forecasts, truth = predictions.forecasts, predictions.truth[number]
    bounds = [f"{level:g}" for level in predictions.quantiles]
    bounds = [bounds[0], bounds[-1]] if len(bounds) > 1 else []
    columns = {name: forecasts[name][number] for name in ("forecast", *bounds)}
    if bounds:
        low, high = bounds
        columns = {f"low {low}": columns[low], "forecast": columns["forecast"], f"high {high}": columns[high]}
    if not np.isnan(truth).all():
        columns["truth"] = truth
    rows: list[tuple[str, ...]] = [("time", "channel", *columns)]
    for place, channel in enumerate(predictions.channels):
        for step, time in enumerate(shown):
            cells = [f"{values[place, step]:.5g}" for values in columns.values()]
            rows.append((time, channel.key, *("-" if cell == "nan" else cell for cell in cells)))
    return rows


def _class_rows(predictions: Predictions, number: int) -> list[tuple[str, ...]]:
    label = predictions.labels[number]
    found = sorted(zip(predictions.predicted[number].tolist(), predictions.label_names, strict=True), reverse=True)
    rows = [(name, f"{share:.3f}", "✓" if name == label else "") for share, name in found]
    return (
        [("label", "probability", "truth"), *rows]
        if label is not None
        else [("label", "probability"), *(row[:2] for row in rows)]
    )


def draw_window(predictions: Predictions, number: int, words: int | None = None) -> Figure:
    """The picture of a window: its forecast or the probabilities of its labels, and what was retrieved for it.

    Of reports, the first `words` words are shown; all by default.
    """
    query, neighbours = _query(predictions, number), predictions.neighbours(number)
    if words is not None:
        window = dataclasses.replace(query.window, text=_begun(query.window.text, words))
        query = dataclasses.replace(query, window=window)
        neighbours = [dataclasses.replace(near, text=_begun(near.text, words)) for near in neighbours]
    lookup = predictions.dataset.lookup
    transform = lookup.retrieval.memory.transform if isinstance(lookup, RetrievalLookup) else "none"
    if not predictions.label_names:
        return forecast_figure(query, _outlook(predictions, number), neighbours, transform)
    probabilities = dict(zip(predictions.label_names, predictions.predicted[number].tolist(), strict=True))
    return class_figure(query, probabilities, predictions.labels[number], neighbours, transform)


def _begun(text: str, words: int) -> str:
    own = text.split()
    return " ".join(own[:words]) + (" …" if len(own) > words else "")


def draw_all(predictions: Predictions) -> Figure:
    """The forecasts of a few windows, side by side."""
    return forecast_page([(_query(predictions, n), _outlook(predictions, n)) for n in range(len(predictions))])


def _query(predictions: Predictions, number: int) -> Query:
    dataset, place = predictions.dataset, predictions.places[number]
    info, batch = dataset.corpus.info, dataset[[place]]
    values = torch.where(batch.observed, batch.in_units(batch.values), torch.nan)[0].numpy()
    channels = list(info.channels)
    if not predictions.label_names:
        values, channels = values[predictions.targets], predictions.channels
    times: NDArray[Any] | None = predictions.times(number, -dataset.lookback, 0)
    if times is None:
        times = np.arange(-dataset.lookback, 0)
    text = dataset.at(dataset.origins[[place]]).texts[0]
    window = Window(_heading(predictions, number), times, values, text)
    return Query(window, channels, predictions.frequency(number).span(1), info.generated)


def _heading(predictions: Predictions, number: int) -> str:
    corpus, name = predictions.dataset.corpus, predictions.series_ids[number]
    domain = corpus.info.domain
    title = name if name.startswith(domain) else f"{domain}, {name}"
    if not predictions.label_names:
        title += f": the next {predictions.frequency(number).span(predictions.dataset.horizon)}"
    origin = predictions.origins[number]
    return title if origin is None else f"{title}, {'until' if predictions.label_names else 'from'} {clock(origin)}"


def _outlook(predictions: Predictions, number: int) -> Outlook:
    times = predictions.times(number)
    horizon = predictions.dataset.horizon
    bands = [predictions.forecasts[f"{level:g}"][number] for level in predictions.quantiles]
    forecast = predictions.forecasts["forecast"][number]
    return Outlook(
        np.arange(horizon) if times is None else times,
        forecast,
        np.stack(bands, axis=-1) if bands else np.empty((*forecast.shape, 0)),
        predictions.quantiles,
        predictions.truth[number],
    )
