"""What the simulators of the three domains share: dates, episodes, correlated noise, missing values, records.

A corpus is drawn in this order: which windows there are, at which site, when, and with which event (`_schedule`); what
the instruments would show in them on a grid that is the same for all sites of a domain (`Simulator.simulate`); what the
sites report of it at their own interval (`_report_interval`, `_lose_values`); and the text, which tells what the
reported values show.
"""

from __future__ import annotations

import math
import random
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, CorpusInfo, Record
from data_modules.sources.generated.wording import Account, Frame, report
from trace_lit.channels import Channel

Array = NDArray[np.float64]
Effects = dict[str, Array]

END = np.datetime64("2025-01-01")
YEAR = 365.25
SHORTEST = 12  # steps
MOST_ROUNDS = 40
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAY_PARTS = (
    "[during the night|in the small hours|overnight]: the night",
    "[at dawn|in the early morning|around sunrise]: dawn",
    "[in the morning|in the course of the morning|before noon]: the morning",
    "[around midday|at noon|in the middle of the day]: midday",
    "[in the afternoon|during the afternoon]: the afternoon",
    "[in the evening|during the evening|around nightfall]: the evening",
    "[late in the evening|shortly before midnight]: late evening",
)
_FREQUENCIES = {15: "15min", 30: "30min", 60: "1h", 180: "3h"}


@dataclass(frozen=True)
class Site:
    """A place that reports; its windows are one series."""

    name: str
    minutes: int  # reporting interval
    length_share: float  # its windows have this share of the asked length
    utc_offset: int  # hours
    latitude: float  # degrees, negative in the south

    @property
    def slug(self) -> str:
        return self.name.lower().replace(" ", "-")


@dataclass(frozen=True)
class Event:
    """A type of event, that is a label."""

    label: str
    signature: Callable[[Episode], Effects]
    account: Account
    day: float | None = None  # day of the (northern) year around which it happens; None: any
    hour: float | None = None  # local hour around which it sets in; None: any


@dataclass
class Episode:
    """The n windows that hold one type of event, on a time axis that starts at its onset."""

    rng: np.random.Generator
    time: Array  # (n, T) hours since the onset
    clock: Array  # (n, T) local hour of the day
    strength: Array  # (n, 1) around 1
    base: Effects  # what the quantities would be without it, (n, T) each

    def draw(self, low: float, high: float) -> Array:
        """(n, 1) uniform numbers."""
        return self.rng.uniform(low, high, self.strength.shape)

    def rise(self, width: float | Array, at: float | Array = 0.0) -> Array:
        """(n, T) from 0 until `at` smoothly to 1 from `at + width` hours on."""
        share = np.clip((self.time - at) / width, 0, 1)
        return share * share * (3 - 2 * share)

    def pulse(self, rise: float | Array, hold: float | Array, fall: float | Array, at: float | Array = 0.0) -> Array:
        """(n, T) from 0 up to 1 within `rise` hours, there for `hold` hours, back to 0 within `fall` hours."""
        return self.rise(rise, at) - self.rise(fall, at + rise + hold)

    def always(self) -> Array:
        """(n, T) ones."""
        return np.ones_like(self.time)


@dataclass
class Windows:
    """N windows of sites with one reporting interval."""

    sites: Sequence[Site]
    site: NDArray[np.int64]  # (N,) place in sites
    event: NDArray[np.int64]  # (N,)
    start: NDArray[np.datetime64]  # (N,) local time
    time: Array  # (T,) hours since the start, on the simulation's grid
    onset: Array  # (N, 1) hours since the start
    strength: Array  # (N, 1)
    traits: dict[str, NDArray[Any]] = field(default_factory=dict)  # (N,) further numbers drawn, which a report may name

    def __len__(self) -> int:
        return len(self.site)

    @property
    def clock(self) -> Array:
        """(N, T) local hour of the day, 0 to 24."""
        minutes = (self.start - self.start.astype("M8[D]")).astype("m8[m]").astype(float)
        return (minutes[:, None] / 60 + self.time) % 24

    @property
    def year_day(self) -> Array:
        """(N, 1) day of the year."""
        return (self.start.astype("M8[D]") - self.start.astype("M8[Y]")).astype(float)[:, None]

    @property
    def week_day(self) -> NDArray[np.int64]:
        """(N, T) 0 is Monday."""
        minutes = (self.time * 60).astype("m8[m]")
        days = (self.start.astype("M8[m]")[:, None] + minutes).astype("M8[D]").astype(np.int64)
        return (days + 3) % 7  # 1970-01-01 was a Thursday

    def of(self, name: str) -> Array:
        """(N, 1) an attribute of each window's site."""
        return np.array([getattr(site, name) for site in self.sites], dtype=float)[self.site][:, None]


class Simulator(ABC):
    """One domain; a subclass says what there is and how its quantities hang together."""

    domain: ClassVar[str]
    description: ClassVar[str]
    channels: ClassVar[tuple[Channel, ...]]
    symbols: ClassVar[tuple[str, ...]]  # of each channel: "t" makes the facts t_min, t_mean, t_max and t_total
    resolution: ClassVar[tuple[float, ...]]  # of each channel's instrument, in its unit
    reported: ClassVar[tuple[str, ...]]  # "last", "mean" or "sum" of a reporting interval, for each channel
    instruments: ClassVar[tuple[tuple[int, ...], ...]]  # channels that fail together
    sites: ClassVar[Sequence[Site]]
    events: ClassVar[tuple[Event, ...]]
    frame: ClassVar[Frame]
    strengths: ClassVar[tuple[str, str, str]]  # adjectives for a weak, a middling and a strong event
    grid_minutes: ClassVar[int]  # every site's interval is a multiple of it
    round_days: ClassVar[float]  # within so many days a site sees each type of event
    start_hours: ClassVar[tuple[int, ...]]  # local hours at which windows start

    @abstractmethod
    def simulate(self, windows: Windows, rng: np.random.Generator) -> Array:
        """(N, C, T) values on the grid; may write to `windows.traits`."""

    @abstractmethod
    def words(self, windows: Windows, n: int, known: Mapping[str, float]) -> dict[str, str]:
        """What a report on window `n` may say in words.

        `known` are the numbers that the site knows: of each channel that reported, and the traits.
        """

    def generate(self, instances: int, length: int, seed: int) -> tuple[CorpusInfo, Iterator[Record]]:
        """The corpus: `instances` windows of up to `length` steps, the same for the same seed.

        Raises CorpusError for fewer than one window per site or windows that are too short to hold an event.
        """
        if instances < len(self.sites):
            raise CorpusError(
                f"instances={instances}: generated {self.domain} has {len(self.sites)} sites, give at least so many."
            )
        if length < SHORTEST:
            raise CorpusError(f"length={length}: a generated window needs at least {SHORTEST} steps.")
        info = CorpusInfo(
            domain=self.domain,
            name="generated",
            source="generated",
            channels=self.channels,
            frequency=_FREQUENCIES[self.sites[0].minutes],
            label_names=tuple(event.label for event in self.events),
            description=self.description,
            generated=True,
        )
        return info, self._records(instances, length, seed)

    def _records(self, instances: int, length: int, seed: int) -> Iterator[Record]:
        rng = np.random.default_rng([seed, zlib.crc32(self.domain.encode())])
        counts = [len(part) for part in np.array_split(np.arange(instances), len(self.sites))]
        for minutes in dict.fromkeys(site.minutes for site in self.sites):
            members = [number for number, site in enumerate(self.sites) if site.minutes == minutes]
            steps = max(SHORTEST // 2, round(length * self.sites[members[0]].length_share))
            windows = self._schedule([(n, counts[n]) for n in members], steps * minutes / 60, rng)
            values = self._report_interval(self.simulate(windows, rng), minutes // self.grid_minutes)
            values = np.round(values / np.array(self.resolution)[:, None]) * np.array(self.resolution)[:, None]
            _lose_values(values, self.instruments, rng)
            yield from self._write_up(windows, values, rng)

    def _schedule(self, counts: list[tuple[int, int]], span: float, rng: np.random.Generator) -> Windows:
        """`counts` (site, windows): so many windows of `span` hours each for each of the sites."""
        drawn = [self._site_dates(self.sites[site], count, math.ceil(span / 24) + 1, rng) for site, count in counts]
        event = np.concatenate([events for events, _ in drawn])
        days = np.concatenate([days for _, days in drawn])
        hour = rng.choice(self.start_hours, len(event))
        preferred = np.array([np.nan if e.hour is None else e.hour for e in self.events])[event]
        preferred = preferred + rng.normal(0, 1.5, len(event))
        onset = rng.uniform(0.15, 0.55, len(event)) * span
        onset = np.where(np.isnan(preferred), onset, onset + (preferred - hour - onset) % 24)
        onset = np.clip(np.where(onset > 0.8 * span, onset - 24, onset), 0.08 * span, 0.75 * span)
        return Windows(
            sites=self.sites,
            site=np.repeat([site for site, _ in counts], [count for _, count in counts]),
            event=event,
            start=END + days.astype("m8[D]") + hour.astype("m8[h]"),
            time=np.arange(round(span * 60 / self.grid_minutes)) * self.grid_minutes / 60,
            onset=onset[:, None],
            strength=rng.uniform(0.6, 1.4, (len(event), 1)),
        )

    def _site_dates(
        self, site: Site, count: int, gap: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The events of a site's windows in order of time, and their days before `END`, at least `gap` apart.

        They come in rounds in which each event occurs once (more often in a large corpus), so every part of a site's
        time sees them all; the first round is the one that may be incomplete.
        """
        kinds = len(self.events) * math.ceil(count / (len(self.events) * MOST_ROUNDS))
        rounds = math.ceil(count / kinds)
        event = np.concatenate([rng.permutation(kinds) for _ in range(rounds)]) % len(self.events)
        season = np.array([np.nan if e.day is None else e.day for e in self.events])[event]
        if site.latitude < 0:
            season = season + YEAR / 2
        season = (season + rng.normal(0, 28, len(event))) % self.round_days
        season = np.where(np.isnan(season), rng.uniform(0, self.round_days, len(event)), season)
        day = np.repeat(np.arange(-rounds, 0) * self.round_days, kinds) + season
        event, day = event[-count:], day[-count:]
        order = np.argsort(day, kind="stable")
        spacing = gap * np.arange(count)
        day = np.maximum.accumulate(day[order] - spacing) + spacing
        return event[order], np.floor(day).astype(np.int64)

    def effects(self, windows: Windows, base: Effects, rng: np.random.Generator) -> Effects:
        """The effects (N, T) of all windows' events by the names that their signatures use; 0 where there is none."""
        shape = (len(windows), len(windows.time))
        total: Effects = {}
        for number, event in enumerate(self.events):
            rows = np.flatnonzero(windows.event == number)
            episode = Episode(
                rng=rng,
                time=windows.time - windows.onset[rows],
                clock=windows.clock[rows],
                strength=windows.strength[rows],
                base={name: value[rows] for name, value in base.items()},
            )
            for name, value in event.signature(episode).items():
                total.setdefault(name, np.zeros(shape))[rows] = value
        return total

    def _report_interval(self, values: Array, factor: int) -> Array:
        """(N, C, T) values on the grid as the sites report them, every `factor` grid steps."""
        blocks = values.reshape(*values.shape[:2], -1, factor)
        how = {"last": lambda b: b[..., -1], "mean": lambda b: b.mean(-1), "sum": lambda b: b.sum(-1)}
        return np.stack([how[name](blocks[:, c]) for c, name in enumerate(self.reported)], axis=1)

    def _write_up(self, windows: Windows, values: Array, rng: np.random.Generator) -> Iterator[Record]:
        pick = random.Random(int(rng.integers(2**63)))
        numbers = self._numbers(windows, values)
        for n in range(len(windows)):
            site, event = self.sites[windows.site[n]], self.events[windows.event[n]]
            local: datetime = windows.start[n].astype("M8[s]").item()
            start = local - timedelta(hours=site.utc_offset)
            known = {name: float(column[n]) for name, column in numbers.items() if not np.isnan(column[n])}
            onset = (local.hour + float(windows.onset[n, 0])) % 24
            described = {
                "site": site.name,
                "date": _date(local),
                "strong": grade(windows.strength[n, 0], (0.87, 1.13), self.strengths),
                **_day_part(onset),
                **self.words(windows, n, known),
            }
            counted = {**known, "when": f"[around|at about|shortly after] {_half_hour(onset)}", "year": local.year}
            text = report(event.account, self.frame, described, counted, pick) if pick.random() > 0.02 else ""
            yield Record(
                id=f"{self.domain}-{site.slug}-{start:%Y%m%dT%H%M}",
                series_id=f"{self.domain}-{site.slug}",
                start=start,
                values=values[n].astype(np.float32),
                text=text,
                label=event.label,
                frequency=_FREQUENCIES[site.minutes],
            )

    def _numbers(self, windows: Windows, values: Array) -> dict[str, Array]:
        """(N,) of each channel's lowest, mean, highest and summed reported value, NaN where there is none."""
        count = np.isfinite(values).sum(-1)
        total = np.where(count > 0, np.nansum(values, axis=-1), np.nan)
        statistics = {
            "min": np.fmin.reduce(values, axis=-1),
            "mean": total / np.maximum(count, 1),
            "max": np.fmax.reduce(values, axis=-1),
            "total": total,
        }
        numbers = {f"{s}_{name}": table[:, c] for name, table in statistics.items() for c, s in enumerate(self.symbols)}
        return numbers | windows.traits


def noise(
    rng: np.random.Generator, shape: tuple[int, int], step: float, memory: Sequence[float], correlation: Array
) -> Array:
    """(N, C, T) noise of mean 0 and deviation 1 for `shape` = (N, T), correlated in time and between channels.

    `memory` holds each channel's correlation time in the unit of `step`, `correlation` (C, C) is that between the
    channels' innovations. In time it is an autoregressive process of second order: smooth within an eighth of its
    memory.
    """
    count, steps = shape
    white = np.linalg.cholesky(correlation) @ rng.standard_normal((steps, len(memory), count))
    made = np.empty((count, len(memory), steps))
    for c, hours in enumerate(memory):
        weights = _first_order(steps, step / hours) @ _first_order(steps, 8 * step / hours)
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        made[:, c] = (weights @ white[:, c]).T
    return made


def _first_order(steps: int, rate: float) -> Array:
    """(T, T) what makes an autoregressive process of first order out of white noise: its Cholesky factor."""
    lag = np.arange(steps)[:, None] - np.arange(steps)
    factor = np.where(lag >= 0, np.exp(-rate * np.maximum(lag, 0)), 0) * math.sqrt(-math.expm1(-2 * rate))
    factor[:, 0] /= math.sqrt(-math.expm1(-2 * rate))
    return factor


def correlations(size: int, pairs: dict[tuple[int, int], float]) -> Array:
    """(size, size) correlation matrix with `pairs` off its diagonal."""
    matrix = np.eye(size)
    for (a, b), value in pairs.items():
        matrix[a, b] = matrix[b, a] = value
    return matrix


def sun_height(latitude: Array, year_day: Array, clock: Array) -> Array:
    """Sine of the sun's elevation (N, T), 0 at night; latitude in degrees, `clock` in local solar hours."""
    declination = np.radians(-23.44) * np.cos(2 * np.pi * (year_day + 10) / YEAR)
    phi, hour_angle = np.radians(latitude), np.pi * (clock - 12) / 12
    sine = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour_angle)
    return np.maximum(sine, 0)


def season_wave(windows: Windows) -> Array:
    """(N, 1) from -1 to 1, largest on day 200 in the north and half a year later in the south."""
    return np.cos(2 * np.pi * (windows.year_day - 200) / YEAR) * np.sign(windows.of("latitude"))


def logistic(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def grade(value: float, bounds: Sequence[float], terms: Sequence[str]) -> str:
    """The term for `value`: `terms[i]` below `bounds[i]`, the last one above all bounds."""
    return terms[int(np.searchsorted(bounds, value, side="right"))]


def _lose_values(values: Array, instruments: Sequence[Sequence[int]], rng: np.random.Generator) -> None:
    """Single points, gaps of an instrument or of the whole site, and at times all of one instrument become NaN."""
    count, _, steps = values.shape
    place = np.arange(steps)

    def gap(chance: float, longest: int) -> NDArray[np.bool_]:
        begin = rng.integers(0, steps, (count, 1))
        inside = (place >= begin) & (place < begin + rng.integers(2, longest + 1, (count, 1)))
        return inside & (rng.random((count, 1)) < chance)

    everywhere = gap(0.04, max(2, steps // 8))
    dead = rng.integers(0, 16 * len(instruments), count)  # which instrument gave nothing, mostly none
    for number, members in enumerate(instruments):
        lost = everywhere | gap(0.1, max(2, steps // 5)) | (rng.random((count, steps)) < 0.012)
        lost |= (dead == number)[:, None]
        for channel in members:
            values[:, channel][lost] = np.nan


def _date(start: datetime) -> str:
    """A date without digits, as loose as in speech."""
    month = _MONTHS[start.month - 1]
    third = ("early", "the middle of", "late")[min(2, (start.day - 1) // 10)]
    return f"[{month}|{third} {month}]"


def _day_part(hour: float) -> dict[str, str]:
    """When, in words: as an adverb and as a noun."""
    adverb, noun = grade(hour, (4, 7, 11, 14, 18, 22), _DAY_PARTS).split(": ")
    return {"when": adverb, "when_noun": noun}


def _half_hour(hour: float) -> str:
    halves = int(hour * 2)
    return f"{halves // 2:02d}:{halves % 2 * 30:02d}"
