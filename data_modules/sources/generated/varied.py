"""Corpora of random channels: what a model learns from that is to be asked about channels that it has never seen.

Each number and seed is another corpus: one to eight channels of any field, in their units, at some frequency and length,
moved by some process. In most windows some channels rise, fall, step, spike or calm down; some go with others or against
them; values are missing, counted, or held by their bounds. There are no texts: statements are made from the values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, CorpusInfo, Record
from data_modules.frequency import Frequency
from data_modules.sources.generated.varied_kinds import BY_GROUP, COMPONENTS, FIELDS, GROUPS, Kind
from trace_lit.channels import Channel
from trace_lit.units import UnitError, convert

Array = NDArray[np.float64]
# Of each frequency the lengths of windows, and the steps of a cycle of each day, week or year; the first ones come often.
STEPS: dict[str, tuple[tuple[int, ...], tuple[float, ...]]] = {
    "1h": ((24, 24, 48, 72, 168), (24,)),
    "4h": ((12, 30, 42), (6,)),
    "D": ((12, 14, 28, 30, 60, 90), (365.25, 7)),
    "7D": ((12, 20, 26, 36, 52), (52.18,)),
    "MS": ((12, 24, 36), (12,)),
}
OFTEN = (0.4, 0.15, 0.15, 0.2, 0.1)
WINDOWS = 16  # of a series, at least
ALONE = 0.3  # chance that there is one channel only
NAMELESS = 0.5  # that it is called by no name of its own
DRAWN = 0.5  # that an only channel is like a line drawn in a chart: one movement a window, and hardly any noise
FAINT = 0.05  # of the background of a drawn one
NAMES = ("value", "value", "series", "reading", "measurement", "y", "level", "data")
RULING = 0.75  # chance that a channel is of the corpus's own field
LINKED = 0.4  # that one goes with another
DIRECTED = 0.2  # that there are components of a flow
GAPPED = 0.35  # that values are missing
GROUPED = 0.4  # that some channels are one quantity, by ages, places or sexes
TOGETHER = 0.7  # that these go together, as the prices of one country do
WITH_WHOLE = 0.5  # that their mean or their sum is a channel, too
WHOLES = {  # what it may be called
    "people": ("{}", "{}", "overall {}"),
    "places": ("{}", "{}", "national {}", "average {}", "overall {}"),
}


def varied(number: int = 0, instances: int = 240, seed: int = 0) -> tuple[CorpusInfo, Iterator[Record]]:
    """Corpus `number` of those that `seed` gives.

    Raises
    ------
    CorpusError
        Fewer instances than a series has windows.
    """
    if instances < WINDOWS:
        raise CorpusError(f"instances is {instances}; it must be at least {WINDOWS}")
    rng = np.random.default_rng([seed, number])
    frequency = str(rng.choice(list(STEPS), p=OFTEN))
    lengths, cycles = STEPS[frequency]
    steps = int(rng.choice(lengths))
    sources = _sources(rng)
    apart = np.random.default_rng([seed, number, 1])
    if len(sources) > 2 and apart.random() < GROUPED:
        sources = _grouped(sources, apart)
    family = Family.of(sources, apart)
    drawn = len(sources) == 1 and rng.random() < DRAWN
    info = CorpusInfo(
        "varied",
        f"varied-{number}",
        "generated",
        tuple(source.channel for source in sources),
        frequency,
        description="Generated, not measured: random channels moved by random processes. No claim rests on it.",
        generated=True,
    )
    return info, _records(info, sources, Shape(instances, steps, cycles, drawn, family), rng)


@dataclass(frozen=True)
class Shape:
    """How much is made: windows of so many steps, the steps of cycles, and whether it is drawn."""

    instances: int
    steps: int
    cycles: tuple[float, ...]
    drawn: bool
    family: Family | None = None


@dataclass(frozen=True)
class Source:
    """A channel, and how its values are made."""

    channel: Channel
    kind: Kind
    unit: str  # of the kind's own numbers
    component: str = ""  # u, v or speed of a flow that several sources share
    member: bool = False  # of one quantity by groups
    whole: bool = False  # the mean of the members, or their sum where they are counted


@dataclass(frozen=True)
class Family:
    """How the members of one quantity by groups go together."""

    share: float  # of their common course, 0 where each has its own
    level: float  # in the first unit of the kind
    spread: float

    @classmethod
    def of(cls, sources: list[Source], rng: np.random.Generator) -> Family | None:
        """Of the sources that are members; None without one."""
        kinds = [source.kind for source in sources if source.member]
        if not kinds:
            return None
        share = float(rng.uniform(0.6, 0.99)) if rng.random() < TOGETHER else 0.0
        return cls(share, float(rng.uniform(*kinds[0].level)), _between(kinds[0].spread, rng))


def _sources(rng: np.random.Generator) -> list[Source]:
    count = 1 if rng.random() < ALONE else int(rng.integers(2, 9))
    found: dict[str, Source] = {}
    if count > 1 and rng.random() < DIRECTED:
        names = COMPONENTS[rng.integers(len(COMPONENTS))]
        wind = next(kind for kind in FIELDS[0] if "wind speed" in kind.names)
        for name, component in zip(names, ("u", "v", "speed"), strict=True):
            if component != "speed" or rng.random() < 0.6:
                found[name] = Source(Channel(name, "m/s"), wind, "m/s", component)
    field = rng.integers(len(FIELDS))
    taken: set[Kind] = {source.kind for source in found.values()}
    while len(found) < count:
        own = FIELDS[field if rng.random() < RULING else rng.integers(len(FIELDS))]
        kind = own[rng.integers(len(own))]
        name = str(rng.choice(kind.names))
        if (kind in taken and rng.random() < 0.8) or name in found:
            continue
        taken.add(kind)
        about = str(rng.choice(kind.descriptions)) if rng.random() < 0.5 else ""
        if count == 1 and rng.random() < NAMELESS:
            name, about = str(rng.choice(NAMES)), ""
        found[name] = Source(Channel(name, str(rng.choice(kind.units)), about), kind, kind.units[0])
    sources = list(found.values())
    return [sources[place] for place in rng.permutation(len(sources))]


def _grouped(sources: list[Source], rng: np.random.Generator) -> list[Source]:
    """With one quantity by groups in the place of some channels."""
    quantities = [kind for field in FIELDS for kind in field if kind.names[0] in BY_GROUP]
    kind = quantities[rng.integers(len(quantities))]
    sort = BY_GROUP[kind.names[0]]
    tables = [table for own, table in GROUPS if own == sort]
    groups = tables[rng.integers(len(tables))]
    places = [place for place, source in enumerate(sources) if not source.component]
    count = int(rng.integers(2, min(len(sources), len(groups)) + 1))
    name, unit = str(rng.choice(kind.names)), str(rng.choice(kind.units))
    chosen = [groups[place] for place in sorted(rng.permutation(len(groups))[:count].tolist())]
    own = [Source(Channel(group.format(name), unit), kind, kind.units[0], member=True) for group in chosen]
    if rng.random() < WITH_WHOLE and len(places) > count:
        called = str(rng.choice(WHOLES[sort])).format(name)
        own.append(Source(Channel(called, unit), kind, kind.units[0], whole=True))
    if len(places) < len(own):
        return sources
    kept = [source for place, source in enumerate(sources) if place not in places[: len(own)]]
    if {source.channel.key for source in kept} & {source.channel.key for source in own}:
        return sources
    sources = list(sources)
    for place, source in zip(places, own, strict=False):
        sources[place] = source
    return sources


def _records(info: CorpusInfo, sources: list[Source], shape: Shape, rng: np.random.Generator) -> Iterator[Record]:
    series = max(shape.instances // (WINDOWS * int(rng.integers(1, 4))), 1)
    each = -(-shape.instances // series)
    values = np.stack([_series(sources, each, shape, rng) for _ in range(series)])  # (S, C, each · T)
    for place, source in enumerate(sources):
        if not source.whole:
            values[:, place] = _scaled(source, values[:, place], shape.family, rng)
    members = values[:, [place for place, source in enumerate(sources) if source.member]]
    for place, source in enumerate(sources):
        if source.whole:
            values[:, place] = members.sum(1) if source.kind.style == "count" else members.mean(1)
        values[:, place] = _in_unit(source, values[:, place])
    if rng.random() < GAPPED:
        _lose(values, shape.steps, rng)
    frequency = Frequency.parse(info.frequency)
    begin = datetime(int(rng.integers(1980, 2024)), int(rng.integers(1, 13)), 1, tzinfo=UTC).replace(tzinfo=None)
    starts = frequency.advance(np.datetime64(begin, "us"), np.arange(each) * shape.steps)
    silent = [""] * len(sources)
    for number in range(shape.instances):
        own, window = divmod(number, each)
        part = values[own, :, window * shape.steps : (window + 1) * shape.steps]
        if np.isnan(part).all():  # an only channel that has lost the whole window
            continue
        yield Record(
            id=f"{info.name}-{own}-{window}",
            series_id=f"{info.name}-{own}",
            start=starts[window].item(),
            values=part.astype(np.float32),
            channel_texts=silent,
        )


def _series(sources: list[Source], windows: int, shape: Shape, rng: np.random.Generator) -> Array:
    """(C, windows · T) of deviation about 1: a background, and in each window a movement or none."""
    total = windows * shape.steps
    found: list[Array] = []
    share = shape.family.share if shape.family else 0.0
    if share:
        kind = next(source.kind for source in sources if source.member)
        common = _background(total, shape, kind.style, rng) + _movements(windows, shape.steps, rng).ravel()
    for source in sources:
        made = _background(total, shape, source.kind.style, rng)
        if shape.drawn:
            level = rng.standard_normal((windows, 1)) + np.zeros(shape.steps)
            made = FAINT * made + level.ravel() + _movements(windows, shape.steps, rng, 1.0).ravel()
        else:
            made = made + _movements(windows, shape.steps, rng).ravel()
        if source.member and share:
            made = share * common + np.sqrt(1 - share**2) * made
        elif found and rng.random() < LINKED:
            linked = float(rng.uniform(0.5, 0.95)) * (1 if rng.random() < 0.5 else -1)
            made = linked * found[rng.integers(len(found))] + np.sqrt(1 - linked**2) * made
        found.append(made)
    return np.stack(found)


def _background(total: int, shape: Shape, style: str, rng: np.random.Generator) -> Array:
    memory = shape.steps * float(np.exp(rng.uniform(np.log(0.05), np.log(8)))) * (4 if style == "walk" else 1)
    slow = _autoregressive(total, memory, rng)
    made = slow + float(rng.choice([0.03, 0.1, 0.3])) * rng.standard_normal(total)
    if style in ("cycle", "sun") or rng.random() < 0.2:
        time = np.arange(total)
        for length in shape.cycles:
            phase = float(rng.uniform(0, 1)) if style != "sun" else 0.5
            wave = np.cos(2 * np.pi * (time / length - phase))
            made = made + float(rng.uniform(0.4, 1.6)) * wave
    if rng.random() < 0.15:
        made = made + np.linspace(-1, 1, total) * float(rng.choice([-1.5, 1.5]))
    return made / made.std()


def _autoregressive(total: int, memory: float, rng: np.random.Generator) -> Array:
    """(total,) of deviation 1, first order, with this correlation time in steps."""
    keep = float(np.exp(-1 / max(memory, 0.2)))
    pushes = rng.standard_normal(total) * np.sqrt(1 - keep**2)
    made = np.empty(total)
    last = float(rng.standard_normal())
    for step, push in enumerate(pushes.tolist()):
        last = keep * last + push
        made[step] = last
    return made


def _movements(windows: int, steps: int, rng: np.random.Generator, often: float = 0.65) -> Array:
    """(windows, T) what happens in each window beside the background; nothing in some, where `often` is below 1."""
    time = np.linspace(0, 1, steps)
    made = np.zeros((windows, steps))
    names = list(_MOVES)
    for window in np.flatnonzero(rng.random(windows) < often):
        size = float(rng.uniform(0.6, 2.8)) * (1 if rng.random() < 0.5 else -1)
        made[window] = size * _MOVES[names[rng.integers(len(names))]](time, float(rng.uniform(0.08, 0.92)), rng)
    return made


def _spike(time: Array, place: float, rng: np.random.Generator) -> Array:
    made = np.zeros_like(time)
    made[int(place * (len(time) - 1))] = rng.uniform(1.2, 2.2)
    return made


def _burst(time: Array, place: float, rng: np.random.Generator) -> Array:
    near = np.abs(time - place) < rng.uniform(0.06, 0.25)
    return np.where(near, rng.standard_normal(len(time)), 0.0)


def _ramp(time: Array, place: float, rng: np.random.Generator) -> Array:
    length = float(rng.uniform(0.1, 0.5))
    return np.clip((time - place) / length + 0.5, 0, 1) - 0.5


_MOVES: dict[str, Callable[[Array, float, np.random.Generator], Array]] = {
    "trend": lambda time, place, rng: time - 0.5,
    "bend": lambda time, place, rng: np.clip(time - place, 0, None) / (1 - place),
    "return": lambda time, place, rng: np.clip(place - time, 0, None) / place,
    "step": lambda time, place, rng: np.where(time >= place, 0.5, -0.5),
    "hump": lambda time, place, rng: np.exp(-0.5 * ((time - place) / rng.uniform(0.05, 0.22)) ** 2),
    "level": lambda time, place, rng: np.ones_like(time),
    "ramp": _ramp,
    "spike": _spike,
    "burst": _burst,
}


def _between(bounds: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))


def _scaled(source: Source, made: Array, family: Family | None, rng: np.random.Generator) -> Array:
    """(S, steps) values in the kind's first unit from movements of deviation about 1."""
    kind = source.kind
    level, spread = float(rng.uniform(*kind.level)), _between(kind.spread, rng)
    apart = 1.0
    if source.member and family is not None and family.share > 0:  # of one level, but for a little
        level = family.level + float(rng.normal(0, 0.6)) * family.spread
        level, spread = max(level, 0.2 * family.level), family.spread * float(rng.uniform(0.85, 1.2))
        apart = 0.2
    if source.component in ("u", "v"):
        return np.round(spread * made * 1.3 + rng.normal(0, spread), 1)
    offset = 0.5 * rng.standard_normal((len(made), 1))
    made = made + offset * float(rng.choice([0.0, 1.0])) * apart
    low, high = kind.bounds
    if kind.style in ("skewed", "count"):
        ratio = min(spread / max(level, 1e-6), 0.9)
        values = level * np.exp(ratio * made - 0.5 * ratio**2)
    elif kind.style == "rare":
        values = spread * np.maximum(0, made - 0.7) ** 1.5
    elif kind.style == "sun":
        values = np.maximum(0, made - float(rng.uniform(-0.4, 0.3))) * spread * 2
    else:
        values = level + spread * made
    values = np.clip(values, low, high)
    return np.round(values) if kind.style == "count" else values


def _in_unit(source: Source, values: Array) -> Array:
    """The values in the channel's unit, with as many digits as their spread asks for."""
    unit = source.channel.unit
    if unit != source.unit:
        try:
            factor, zero = convert(1.0, source.unit, unit, difference=True), convert(0.0, source.unit, unit)
            values = values * factor + zero
        except UnitError:  # another unit of the same size, like € for $
            pass
    spread = float(values.std()) or 1.0
    return np.round(values, int(np.clip(2 - np.floor(np.log10(spread)), 0, 6)))


def _lose(values: Array, steps: int, rng: np.random.Generator) -> None:
    """Single steps, runs of steps and whole channels of windows become NaN."""
    series, channels, total = values.shape
    values[rng.random(values.shape) < float(rng.choice([0.0, 0.01, 0.04]))] = np.nan
    for _ in range(total // steps * series // 4):
        place, channel = int(rng.integers(series)), int(rng.integers(channels))
        begin = int(rng.integers(total))
        length = int(rng.integers(2, max(steps // 3, 3)))
        values[place, channel if rng.random() < 0.8 else slice(None), begin : begin + length] = np.nan
    for _ in range(max(total // steps * series // 20, 1)):
        window = int(rng.integers(total // steps)) * steps
        values[int(rng.integers(series)), int(rng.integers(channels)), window : window + steps] = np.nan
