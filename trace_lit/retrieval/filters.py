"""Which windows of an index a search admits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime

from data_modules.splits import SPLITS
from trace_lit.retrieval.errors import RetrievalError

_LISTS = ("label", "series", "corpus", "split")


@dataclass(frozen=True)
class Span:
    """A stretch of time; windows that overlap it are left out.

    Parameters
    ----------
    start, end
        Seconds since 1970, the end is not part of it.
    corpus, series
        Only windows of this series of this corpus; all where they are None.
    """

    start: int
    end: int
    corpus: str | None = None
    series: str | None = None


@dataclass(frozen=True)
class Filter:
    """Conditions on windows, which hold together; by default, all windows are admitted.

    Parameters
    ----------
    since
        Naive UTC time or one with a time zone: windows that start at or after it.
    until
        Windows that end at or before it.
    label, series, corpus, split
        Labels, ids of series, names of corpora, and splits, of which a window has one; none given: any.
    with_text
        Only windows that have a text.
    apart
        A stretch of time that windows must not overlap.

    Raises
    ------
    RetrievalError
        A value is of another type, or a split is none.

    Examples
    --------
    >>> from datetime import datetime
    >>> Filter(since=datetime(2016, 1, 1), split=("test",)).split
    ('test',)
    """

    since: datetime | None = None
    until: datetime | None = None
    label: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    corpus: tuple[str, ...] = ()
    split: tuple[str, ...] = ()
    with_text: bool = False
    apart: Span | None = None

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, datetime):
                raise RetrievalError(f"{name} is {value!r}; it must be a time, like datetime(2016, 1, 31)")
        for name in _LISTS:
            value = getattr(self, name)
            value = (value,) if isinstance(value, str) else value
            if not isinstance(value, (list, tuple)) or not all(isinstance(own, str) for own in value):
                raise RetrievalError(f"{name} is {value!r}; it must be a list of texts")
            object.__setattr__(self, name, tuple(value))
        if unknown := [split for split in self.split if split not in SPLITS]:
            raise RetrievalError(f"there is no split {unknown[0]!r}; the splits are {', '.join(SPLITS)}")
        first, last = self.first_second, self.last_second
        if first is not None and last is not None and first > last:
            raise RetrievalError(f"since is {self.since}, after until, {self.until}; no window can be between them")

    @property
    def first_second(self) -> int | None:
        """`since` in seconds since 1970."""
        return _seconds(self.since)

    @property
    def last_second(self) -> int | None:
        """`until` in seconds since 1970."""
        return _seconds(self.until)

    @property
    def admits_all(self) -> bool:
        """Whether there is no condition."""
        return all(getattr(self, field.name) == field.default for field in fields(self))


def _seconds(time: datetime | None) -> int | None:
    if time is None:
        return None
    return int((time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp())
