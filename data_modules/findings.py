"""What is odd about a corpus that may be used all the same: windows that repeat, scales that jump, channels that begin late.

Values are read a block of windows at a time, so that the memory does not depend on how many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.splits import SPLITS
from data_modules.window_statistics import window_marks

JUMP = 5.0  # training deviations that a split's mean lies away
RATIO = 10.0  # between a split's deviation and that of training
FEWEST = 5  # windows of a split, to speak of its scale
MOSTLY = 0.5  # share of the steps
_WORDS = 60  # characters of a text that are shown


@dataclass(frozen=True)
class Finding:
    """One thing that is odd, in a sentence."""

    kind: str
    sentence: str
    channel: str = ""  # the key of the one that it is about
    warning: bool = True  # False: good to know, and nothing wrong


@dataclass
class ChannelSummary:
    """Numbers of one channel; moments by split, in the order of `SPLITS`."""

    key: str
    lowest: float = np.inf
    highest: float = -np.inf
    steps: int = 0
    constant: int = 0  # windows of equal values, two at least
    repeated: int = 0  # windows with the values of another window of their series, and not constant
    count: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(SPLITS)))  # of observed values
    windows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(SPLITS), np.int64))  # that have any
    mean: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(SPLITS)))
    squares: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(SPLITS)))  # about the mean

    @property
    def missing(self) -> float:
        """The share of the steps that are not observed."""
        return 1 - float(self.count.sum()) / self.steps if self.steps else 0.0

    @property
    def total_mean(self) -> float:
        """Over all splits; NaN without any value."""
        count = float(self.count.sum())
        return float(self.count @ self.mean) / count if count else float("nan")

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Of each split; 0 without any value."""
        return np.sqrt(self.squares / np.maximum(self.count, 1))

    def add(self, values: NDArray[np.floating], split: int) -> None:
        """Count the values (n, T) of windows of the split with the place `split`."""
        seen = ~np.isnan(values)
        self.steps += values.size
        number = int(seen.sum())
        if not number:
            return
        known = values[seen].astype(np.float64)
        self.lowest, self.highest = min(self.lowest, float(known.min())), max(self.highest, float(known.max()))
        self.constant += int(((seen.sum(1) > 1) & _constant(values[:, None])[:, 0]).sum())
        self.windows[split] += int(seen.any(1).sum())
        mean = float(known.mean())
        before, away = self.count[split], mean - self.mean[split]
        self.count[split] += number
        self.mean[split] += away * number / self.count[split]
        self.squares[split] += float(((known - mean) ** 2).sum()) + away**2 * before * number / self.count[split]


@dataclass(frozen=True)
class Examination:
    """All that `examine` finds."""

    channels: list[ChannelSummary]
    findings: list[Finding]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.warning]


def examine(corpus: Corpus) -> Examination:
    """Look at all windows and texts of a corpus that is sound; see `validate_corpus` for what would make it unfit."""
    channels = [ChannelSummary(channel.key) for channel in corpus.info.channels]
    marks = np.zeros((len(corpus), len(channels)), dtype=np.uint64)
    constant = np.zeros(marks.shape, dtype=np.bool_)
    split = np.array([SPLITS.index(name) for name in corpus.splits.tolist()], dtype=np.int64)
    for rows, values in corpus.blocks():
        marks[rows] = window_marks(values)
        constant[rows] = _constant(values)
        for own in np.unique(split[rows]):
            for number, summary in enumerate(channels):
                summary.add(values[split[rows] == own, number], int(own))
    series = np.unique(corpus.series_ids.astype(str), return_inverse=True)[1]
    for number, summary in enumerate(channels):
        alike = _groups(np.stack([series.astype(np.uint64), marks[:, number]], axis=1))
        summary.repeated = sum(len(rows) for rows in alike if not constant[rows[0], number])
    findings = _repeated(corpus, series, marks, constant)
    for summary in channels:
        findings += _of_channel(summary, len(corpus))
    findings += _of_texts(corpus)
    findings += _holes(corpus, series)
    return Examination(channels, findings)


def share(part: float) -> str:
    """A share that is not zero, as a percentage that is not, either."""
    return f"{part:.1%}" if part >= 0.0005 else "less than 0.1%"


def _constant(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(n, C) whether the channels of windows (n, C, T) have one value at most."""
    seen = ~np.isnan(values)
    return np.where(seen, values, np.inf).min(2) >= np.where(seen, values, -np.inf).max(2)


def _groups(keys: NDArray[np.uint64]) -> list[NDArray[np.int64]]:
    """The rows of equal `keys` (N, K), two at least, in the order of their first row."""
    _, number, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    number = number.reshape(-1)
    several = np.flatnonzero(count[number] > 1)
    if not len(several):
        return []
    order = several[np.argsort(number[several], kind="stable")]
    borders = np.flatnonzero(np.diff(number[order])) + 1
    return sorted(np.split(order, borders), key=lambda rows: int(rows[0]))


def _repeated(
    corpus: Corpus, series: NDArray[np.int64], marks: NDArray[np.uint64], constant: NDArray[np.bool_]
) -> list[Finding]:
    """Windows of a series that have the same values in all channels."""
    together = np.concatenate([series.astype(np.uint64)[:, None], marks, corpus.lengths.astype(np.uint64)[:, None]], 1)
    found = []
    for rows in _groups(together):
        rows = rows[np.argsort(corpus.starts[rows], kind="stable")]
        splits = [f"{count} {split}" for split in SPLITS if (count := int((corpus.splits[rows] == split).sum()))]
        texts = {text for row in rows if (text := corpus.texts[row])}
        days = " to ".join(str(np.datetime64(int(corpus.starts[row]), "s"))[:10] for row in rows[[0, -1]])
        frozen = ", one value a channel" if constant[rows[0]].all() else ""
        found.append(
            Finding(
                "equal windows with different texts" if len(texts) > 1 else "repeated windows",
                f"{len(rows)} rows of the series {str(corpus.series_ids[rows[0]])!r} have the same values{frozen}, from "
                f"{str(corpus.ids[rows[0]])!r} to {str(corpus.ids[rows[-1]])!r} ({', '.join(splits)}; {days})"
                f"{f', and {len(texts)} different texts' if len(texts) > 1 else ''}: no text can tell them apart",
            )
        )
    return found


def _of_channel(summary: ChannelSummary, windows: int) -> list[Finding]:
    key, found = summary.key, []

    def add(kind: str, sentence: str, warning: bool = True) -> None:
        found.append(Finding(kind, f"channel {key!r} {sentence}", key, warning))

    if summary.constant and summary.lowest == summary.highest:
        add("constant windows", f"has the value {summary.lowest:g} throughout")
    elif summary.constant:
        add("constant windows", f"has one value each in {summary.constant} of {windows} windows", False)
    if summary.repeated:
        again = f"has the values of another window of the series in {summary.repeated} of {windows} windows"
        add("repeated windows", again, False)
    if summary.missing > 0:
        add("gaps", f"is missing in {share(summary.missing)} of the steps", summary.missing > MOSTLY)
    train = SPLITS.index("train")
    if summary.count.sum() and not summary.count[train] and summary.windows.sum():
        first = next(split for place, split in enumerate(SPLITS) if summary.count[place])
        late = f"has no value in training; its first are in {first}: nothing is learned of it"
        add("begins after the training part", late)
        return found
    for place, split in enumerate(SPLITS):
        if place == train or min(summary.windows[place], summary.windows[train]) < FEWEST:
            continue
        usual, own = summary.deviation[train], summary.deviation[place]
        away = abs(summary.mean[place] - summary.mean[train])
        if away > JUMP * usual or (usual and own and not 1 / RATIO <= own / usual <= RATIO):
            add(
                "jump of scale",
                f"jumps from {summary.mean[train]:.6g} ± {usual:.3g} in training to {summary.mean[place]:.6g} ± {own:.3g} "
                f"in {split}: has the unit changed, or is it a counter?",
            )
    return found


def _of_texts(corpus: Corpus) -> list[Finding]:
    """Texts that several windows share, above all of different splits."""
    counts = Counter(text for text in corpus.texts if text.strip())
    twice = {text for text, count in counts.items() if count > 1}
    if not twice:
        return []
    splits: dict[str, set[str]] = {}
    for text, split in zip(corpus.texts, corpus.splits.tolist(), strict=True):
        if text in twice:
            splits.setdefault(text, set()).add(split)
    text, count = counts.most_common(1)[0]
    begun = text if len(text) <= _WORDS else f"{text[: _WORDS - 1]}…"
    shared = sum(counts[own] for own in twice)
    found = [
        Finding(
            "duplicate texts",
            f"{shared} of {counts.total()} texts are those of another window, too; {begun!r} of {count} windows",
            warning=False,
        )
    ]
    if across := sum("train" in own and len(own) > 1 for own in splits.values()):
        found.append(
            Finding(
                "duplicate texts", f"{across} texts of training windows are also texts of validation or test windows"
            )
        )
    return found


def _holes(corpus: Corpus, series: NDArray[np.int64]) -> list[Finding]:
    """Times within a series that no window covers."""
    order = np.lexsort((corpus.starts, series))
    own, starts, ends = series[order], corpus.starts[order], corpus.ends[order]
    # A window may reach beyond later ones; the latest end so far counts, begun anew with each series.
    latest = np.empty_like(ends)
    known: dict[int, int] = {}
    for place, (number, end) in enumerate(zip(own.tolist(), ends.tolist(), strict=True)):
        latest[place] = known[number] = max(known.get(number, end), end)
    hole = (own[1:] == own[:-1]) & (starts[1:] > latest[:-1])
    if not hole.any():
        return []
    longest = int(np.argmax(np.where(hole, starts[1:] - latest[:-1], 0)))
    days = (starts[longest + 1] - latest[longest]) / 86_400
    since = str(np.datetime64(int(latest[longest]), "s")).replace("T", " ")
    return [
        Finding(
            "gaps",
            f"{int(hole.sum())} gaps between windows of a series; the longest has {days:,.4g} days, from {since}, in "
            f"{str(corpus.series_ids[order[longest]])!r}",
            warning=False,
        )
    ]


def kinds(findings: Sequence[Finding]) -> dict[str, int]:
    """How many there are of each kind."""
    return dict(Counter(finding.kind for finding in findings))
