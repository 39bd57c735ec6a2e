"""Labels of windows: those of their notes, or by rules on values and texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from data_modules.schema import CorpusError
from data_modules.tables.counts import Counts
from data_modules.tables.spec import LabelRule, TablesSpec, channel_of
from trace_lit.channels import Channel


class Labeller:
    """Gives windows their labels, and finds the channels that notes name.

    `known` are the labels that a corpus has already; others are left out.
    """

    def __init__(
        self, spec: TablesSpec, channels: Sequence[Channel], counts: Counts, known: Sequence[str] | None
    ) -> None:
        self.counts, self.known = counts, None if known is None else set(known)
        self._places: dict[str, int] = {}
        for place, channel in enumerate(channels):
            for name in (channel.key, channel.name):
                self._places.setdefault(name.casefold(), place)
        self.rules = spec.labels
        for rule in spec.labels:
            if rule.channel is not None and self.channel(rule.channel) is None:
                keys = ", ".join(channel.key for channel in channels)
                raise CorpusError(
                    f"labels: the rule of {rule.label!r} names no channel: {rule.channel!r}; there are {keys}"
                )

    def names(self, of_notes: Iterable[str | None]) -> tuple[str, ...]:
        """All labels, those of rules first."""
        noted = sorted({label for label in of_notes if label is not None})
        return tuple(dict.fromkeys([rule.label for rule in self.rules] + noted))

    def channel(self, name: str | None) -> int | None:
        """The place of the channel that `name` means, None for none."""
        if name is None:
            return None
        own = channel_of(name)
        return self._places.get(own.key.casefold(), self._places.get(name.strip().casefold()))

    def label(self, values: NDArray[np.float64], text: str, noted: Sequence[str | None], window: str) -> str | None:
        """The label of a window: that of its first note that has one, or of the first rule that applies."""
        given = list(dict.fromkeys(label for label in noted if label is not None))
        if len(given) > 1:
            self.counts.add("windows whose notes have several labels", "labels", "labelled by the first", 1, window)
        if not given:
            given = [rule.label for rule in self.rules if self._applies(rule, values, text)]
        if given and self.known is not None and given[0] not in self.known:
            self.counts.add("labels that the corpus does not have", "labels", "left out", 1, given[0])
            return None
        return given[0] if given else None

    def _applies(self, rule: LabelRule, values: NDArray[np.float64], text: str) -> bool:
        if rule.text is not None and rule.text.casefold() not in text.casefold():
            return False
        if rule.channel is None:
            return True
        place = self.channel(rule.channel)
        assert place is not None
        own = values[place][~np.isnan(values[place])]
        if not len(own):
            return False
        number = _STATISTICS[rule.statistic](own)
        return (rule.above is None or number > rule.above) and (rule.below is None or number < rule.below)


_STATISTICS: dict[str, Callable[[NDArray[np.float64]], float]] = {
    "mean": np.mean,
    "min": np.min,
    "max": np.max,
    "sum": np.sum,
    "first": lambda own: own[0],
    "last": lambda own: own[-1],
    "change": lambda own: own[-1] - own[0],
    "range": np.ptp,
}
