from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from tests.batches import make_batch
from trace_lit.encoder.window_statistics import statistics_of, window_statistics


def output(observed: np.ndarray, values: np.ndarray) -> tuple[float, ...]:
    """The statistics of one channel of one window."""
    known = values[observed]
    slope = np.polyfit(np.flatnonzero(observed), known, 1)[0]
    return known.mean(), known.std(), known.min(), known.max(), known[0], known[-1], slope


def test_the_statistics_are_those_of_what_is_observed() -> None:
    batch = make_batch(size=5, channels=3, steps=24, missing=0.4)
    found = window_statistics(batch).unflatten(1, (3, 7))
    for window, channel in np.ndindex(5, 3):
        expected = output(batch.observed[window, channel].numpy(), batch.values[window, channel].double().numpy())
        assert found[window, channel].tolist() == pytest.approx(expected)


def test_what_is_not_observed_says_nothing() -> None:
    batch = make_batch(missing=0.4)
    other = dataclasses.replace(batch, values=torch.where(batch.observed, batch.values, 1e6))
    torch.testing.assert_close(window_statistics(other), window_statistics(batch), rtol=0, atol=0)


def test_a_channel_without_a_value_is_missing_and_one_with_one_value_is_flat() -> None:
    batch = make_batch(size=1, channels=2)
    observed = torch.zeros_like(batch.observed)
    observed[0, 1, 7] = True
    found = window_statistics(dataclasses.replace(batch, observed=observed)).unflatten(1, (2, 7))
    value = float(batch.values[0, 1, 7])
    assert found[0, 0].isnan().all()
    assert found[0, 1].tolist() == pytest.approx([value, 0, value, value, value, value, 0])


def test_statistics_are_those_of_the_channels_that_are_named() -> None:
    batch = make_batch(size=3, channels=2, missing=0.4)
    batch = dataclasses.replace(batch, channel_ids=torch.tensor([[7, 2]]).expand(3, 2))
    found = statistics_of(batch, torch.tensor([2, 5, 7])).unflatten(1, (3, 7))
    own = window_statistics(batch).unflatten(1, (2, 7))
    torch.testing.assert_close(found[:, [2, 0]], own, rtol=0, atol=0)
    assert found[:, 1].isnan().all()
