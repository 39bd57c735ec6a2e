"""The pictures hold the predictions and what was retrieved, for awkward windows too."""

from __future__ import annotations

import warnings
from datetime import datetime, timedelta
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure

from data_modules.figures import Window
from trace_lit.channels import Channel
from trace_lit.rag.figures import SHOWN, Outlook, Query, class_figure, forecast_figure, forecast_page, moved_to
from trace_lit.rag.memory import Neighbour

CHANNELS = (Channel("price", "$/gallon"), Channel("rate $x^2$", "%"))
LOOKBACK, HORIZON = 12, 4
BEGIN = datetime(2020, 1, 1)


def texts(figure: Figure) -> str:
    """All that is written on a figure, which is drawn without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(BytesIO(), format="png", dpi=40)
    parts = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        parts += [text.get_text() for text in axes.texts]
        parts += [label.get_text() for label in axes.get_yticklabels()]
        legend = axes.get_legend()
        parts += [] if legend is None else [text.get_text() for text in legend.get_texts()]
    return "\n".join(parts)


@pytest.fixture
def query() -> Query:
    times = np.datetime64("2024-03-01", "s") + np.arange(LOOKBACK) * np.timedelta64(1, "h")
    values = np.stack([3 + 0.1 * np.arange(LOOKBACK), 100 - np.arange(LOOKBACK)])
    return Query(
        Window("weather, 强风: the next 4 hours", times, values, "It costs $3, or $4."), CHANNELS, "hour", True
    )


@pytest.fixture
def outlook(query: Query) -> Outlook:
    times = query.window.times[-1] + np.arange(1, HORIZON + 1) * np.timedelta64(1, "h")
    middle = np.stack([np.full(HORIZON, 4.0), np.full(HORIZON, 90.0)])
    band = np.stack([middle - 2, middle - 1, middle, middle + 1, middle + 2], axis=-1)
    return Outlook(times, middle, band, (0.05, 0.2, 0.5, 0.8, 0.95), middle + 0.5)


def neighbour(number: int = 0, label: str | None = None, ahead: int = HORIZON, channels=CHANNELS) -> Neighbour:
    origin = BEGIN + number * timedelta(days=1)
    window = np.arange(len(channels) * LOOKBACK, dtype=np.float32).reshape(len(channels), LOOKBACK) + number + 1
    future = window[:, -1:] + 10 * np.arange(1, ahead + 1, dtype=np.float32)
    return Neighbour(
        f"n{number}", "site", origin, origin + timedelta(hours=12), origin + timedelta(hours=16), 0.9 - number / 10,
        f"Report {number} at $5.", label, channels, window, future,
    )  # fmt: skip


def test_band_forecast_and_truth_go_on_from_the_last_value(query: Query, outlook: Outlook) -> None:
    figure = forecast_figure(query, outlook)
    first, second = figure.axes
    lines = {line.get_label(): line for line in first.lines}
    assert lines["forecast"].get_ydata().tolist() == pytest.approx([4.1, 4, 4, 4, 4])
    assert lines["observed"].get_ydata().tolist() == pytest.approx([4.1, 4.5, 4.5, 4.5, 4.5])
    assert {line.get_label(): line for line in second.lines}["forecast"].get_ydata()[0] == 89
    wide, narrow = (band.get_paths()[0].get_extents() for band in first.collections[-2:])
    assert (wide.y0, wide.y1) == (2, 6)
    assert (narrow.y0, narrow.y1) == (3, 5)
    output = texts(figure)
    for words in ("weather, □□: the next 4 hours", "$3, or $4", "5 to 95 %", "20 to 80 %", "generated data"):
        assert words in output


def test_neighbours_stand_beside_the_forecast(query: Query, outlook: Outlook) -> None:
    near = [neighbour(number) for number in range(SHOWN + 2)]
    figure = forecast_figure(query, outlook, near)
    assert len(figure.axes) == 2 + SHOWN * 2
    output = texts(figure)
    for number in range(SHOWN):
        assert f"{number + 1}.  similarity {0.9 - number / 10:.2f}" in output
        assert f"Report {number} at $5." in output
        assert f"until 2020-01-{number + 1:02} 12:00" in output


@pytest.mark.parametrize("transform", ["none", "log", "sqrt"])
def test_a_neighbour_is_moved_to_the_end_of_the_window(query: Query, transform: str) -> None:
    past, future = moved_to(neighbour(), query, transform)
    np.testing.assert_allclose(past[:, -1], query.window.values[:, -1], rtol=1e-5)
    own = neighbour()
    if transform == "none":
        np.testing.assert_allclose(np.diff(past), np.diff(own.window), rtol=1e-4)
        np.testing.assert_allclose(future - past[:, -1:], own.continuation - own.window[:, -1:], rtol=1e-4)
    if transform == "log":
        np.testing.assert_allclose(future / past[:, -1:], own.continuation / own.window[:, -1:], rtol=1e-4)


def test_without_a_continuation_a_neighbour_stays_where_it_is(query: Query) -> None:
    past, future = moved_to(neighbour(ahead=0), query, "none")
    np.testing.assert_allclose(past, neighbour().window)
    assert future.shape == (2, 0)


def test_what_is_missing_is_left_out(query: Query, outlook: Outlook) -> None:
    query.window.values[0, -3:] = np.nan
    query.window.values[1] = np.nan
    outlook.truth[:] = np.nan
    near = [neighbour(channels=CHANNELS[:1]), neighbour(1)]
    near[1].window[:] = np.nan
    output = texts(forecast_figure(query, outlook, near))
    assert "no values" in output
    assert "observed" not in output
    bare = Outlook(outlook.times, outlook.forecast, np.empty((2, HORIZON, 0)), (), outlook.truth)
    assert "%" not in texts(forecast_figure(query, bare))


def test_steps_stand_for_times_that_are_not_known(query: Query, outlook: Outlook) -> None:
    plain = Query(Window("file.csv", np.arange(-LOOKBACK, 0), query.window.values), CHANNELS)
    ahead = Outlook(np.arange(HORIZON), outlook.forecast, outlook.quantiles, outlook.levels, outlook.truth)
    figure = forecast_figure(plain, ahead)
    assert figure.axes[0].get_xlim() == (-LOOKBACK, HORIZON - 1)
    texts(figure)


def test_probabilities_stand_beside_the_window(query: Query) -> None:
    shares = {"calm": 0.7, "storm": 0.25, "fog": 0.05}
    figure = class_figure(query, shares, "storm", [neighbour(0, "storm", 0), neighbour(1, "calm", 0)])
    output = texts(figure)
    for words in ("0.70", "0.25", "✓ storm", "calm", "beside the window"):
        assert words in output
    widths = [bar.get_width() for bar in figure.axes[2].patches]
    assert widths == list(shares.values())
    assert "✓" not in texts(class_figure(query, shares))


def test_several_forecasts_share_a_page(query: Query, outlook: Outlook) -> None:
    figure = forecast_page([(query, outlook)] * 3)
    assert len(figure.axes) == 6
    assert texts(figure).count("the next 4 hours") == 3
