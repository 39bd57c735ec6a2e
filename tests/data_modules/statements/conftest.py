"""Generated corpora of every domain, and tables of random channels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data_modules.corpus import Corpus
from data_modules.corpus_writing import write_corpus
from data_modules.rules import WindowTable
from data_modules.sources import generated
from data_modules.statements import Statements
from trace_lit.channels import Channel

SYLLABLES = ("ka", "lo", "mir", "ten", "bu", "shi", "ras", "vel", "dor", "ni")
UNITS = ("", "%", "K", "°C", "m/s", "hPa", "mm", "MW", "units", "$/kg", "x{y}", "W/m²", "deaths", "mmHg", "beats/min")


@pytest.fixture(scope="session", params=["weather", "healthcare", "energy"])
def generated_corpus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """120 windows of a simulated domain."""
    info, records = getattr(generated, request.param)(instances=120)
    folder: Path = tmp_path_factory.mktemp("statements") / request.param
    return write_corpus(records, info, folder)


@pytest.fixture(scope="session")
def statements(generated_corpus: Corpus) -> Statements:
    """Of its training rows."""
    return Statements.of(generated_corpus, generated_corpus.select("train"), seed=3)


def random_channels(rng: np.random.Generator, count: int) -> tuple[Channel, ...]:
    """Names that mean nothing, with units at random and sometimes a description."""
    found = []
    for number in range(count):
        words = ["".join(rng.choice(SYLLABLES, rng.integers(1, 4))) for _ in range(rng.integers(1, 4))]
        description = " ".join(rng.choice(SYLLABLES, 3)) if rng.random() < 0.5 else ""
        found.append(Channel(f"{' '.join(words)} {number}", str(rng.choice(UNITS)), description))
    return tuple(found)


def random_process(rng: np.random.Generator, steps: int) -> np.ndarray:
    """A walk, a wave, noise, a step, a constant, counts or spikes, at a random level and scale."""
    time = np.arange(steps)
    kinds = (
        lambda: rng.normal(size=steps).cumsum(),
        lambda: np.sin(time / rng.uniform(1, 5) + rng.uniform(0, 6)),
        lambda: rng.normal(size=steps),
        lambda: (time > rng.integers(steps)).astype(float),
        lambda: np.zeros(steps),
        lambda: rng.poisson(0.5, steps).astype(float),
        lambda: np.where(rng.random(steps) < 0.1, 20.0, 0.0) + rng.normal(size=steps),
    )
    return kinds[rng.integers(len(kinds))]() * 10 ** rng.uniform(-3, 4) + rng.normal(scale=10 ** rng.uniform(-2, 3))


@pytest.fixture(scope="session")
def random_table() -> Callable[..., WindowTable]:
    """Windows of unequal lengths of channels with random names, units and processes, a few values missing."""
    return _random_table


def _random_table(seed: int, windows: int = 60, channels: int | None = None, steps: int | None = None) -> WindowTable:
    rng = np.random.default_rng(seed)
    names = random_channels(rng, channels or int(rng.integers(1, 6)))
    values = []
    for _ in range(windows):
        length = steps or int(rng.choice([2, 7, 24, 31]))
        window = np.stack([random_process(rng, length) for _ in names])
        window[rng.random(window.shape) < 0.05] = np.nan
        if rng.random() < 0.1:
            window[rng.integers(len(names))] = np.nan
        values.append(window)
    starts = np.datetime64("2020-01-01", "s") + rng.integers(0, 3 * 365 * 24, windows) * np.timedelta64(3600, "s")
    return WindowTable(values, starts, str(rng.choice(["1h", "D", "15min", "MS"])), names)
