"""From what a client sends to what a model takes. Texts of a request are read as data alone, never as paths."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from data_modules.frames import read_frame
from data_modules.frames import read_series as read_table_of_series
from data_modules.input_series import InputSeries
from trace_lit.channels import Channel
from trace_lit.errors import InputError
from trace_lit.retrieval import Filter
from trace_lit.service.errors import ServiceError, TooLargeError
from trace_lit.service.limits import Limits
from trace_lit.service.schemas import SearchRequest, Series
from trace_lit.service.searchable import Question

CSV_NAME = "the CSV"
COLUMNS = 1_001  # of a CSV file: as many channels as a series in JSON has at most, and the time


def read_series(given: Series | str, channels: Sequence[Channel], limits: Limits) -> InputSeries:
    """A series as JSON or as the text of a CSV file, of some of `channels`.

    Raises
    ------
    ServiceError
        It cannot be read, or has too many values.
    """
    series = _read_csv(given, channels, limits) if isinstance(given, str) else _read_json(given, channels)
    if series.values.size > limits.values:
        raise TooLargeError(f"the series has {series.values.size:,} values; {limits.values:,} are allowed")
    return series


def _read_csv(text: str, channels: Sequence[Channel], limits: Limits) -> InputSeries:
    """Through a file of our own: the reader of tables takes paths."""
    lines = text.count("\n")
    if lines > limits.values:
        raise TooLargeError(f"{CSV_NAME} has {lines:,} lines; {limits.values:,} values are allowed")
    columns = 1 + max((line.count(sign) for line in text.splitlines() for sign in ",;\t"), default=0)
    if columns > COLUMNS:  # a thread that reads millions could not be stopped
        raise TooLargeError(f"{CSV_NAME} has {columns:,} columns; {COLUMNS:,} are allowed, the time among them")
    with tempfile.TemporaryDirectory(prefix="trace_lit-") as folder:
        path = Path(folder) / "series.csv"
        path.write_text(text, encoding="utf-8", errors="replace", newline="")
        try:
            series = read_table_of_series(path, channels)
        except InputError as error:
            raise ServiceError(str(error).replace(str(path), CSV_NAME)) from None
    return dataclasses.replace(series, source=CSV_NAME)


def _read_json(given: Series, channels: Sequence[Channel]) -> InputSeries:
    import pandas as pd

    values = {name: np.array(own, dtype=np.float64) for name, own in given.channels.items()}
    frame = pd.DataFrame(values)
    if given.times is not None:
        times = pd.DatetimeIndex([naive(moment) for moment in given.times])
        frame = frame.set_index(times)
    try:
        return read_frame(frame, channels, source="the series")
    except InputError as error:
        raise ServiceError(str(error)) from None


def question_of(request: SearchRequest, channels: Sequence[Channel], limits: Limits) -> Question:
    """A request to search, within the limits.

    Raises
    ------
    ServiceError
        It cannot be answered.
    """
    if request.top > limits.top:
        raise ServiceError(f"top is {request.top}; at most {limits.top} hits are given")
    if request.text is not None:
        check_text(request.text, limits)
    given = request.series if request.series is not None else request.csv
    return Question(
        text=request.text,
        series=None if given is None else read_series(given, channels, limits),
        like=request.like,
        top=request.top,
        explain=request.explain,
        filter=Filter(
            since=None if request.since is None else naive(request.since),
            until=None if request.until is None else naive(request.until),
            label=_one(request.label),
            series=_one(request.series_id),
            corpus=_one(request.of_corpus),
            split=_one(request.split),
            with_text=request.with_text,
        ),
        within=request.within,
        apart=request.apart,
        diversity=request.diversity,
    )


def _one(name: str | None) -> tuple[str, ...]:
    return () if name is None else (name,)


def check_text(text: str, limits: Limits) -> None:
    """Raise ServiceError for a text that is empty or too long."""
    if not text.strip():
        raise ServiceError("the text is empty; ask in words, like “heavy rain after a sudden pressure drop”")
    if len(text) > limits.characters:
        raise TooLargeError(f"a text has {len(text):,} characters; {limits.characters:,} are allowed")


def as_list(given: Any, limits: Limits) -> list[Any]:
    """One item or several, as many as are allowed."""
    items = given if isinstance(given, list) else [given]
    if not items:
        raise ServiceError("the batch is empty; give one item at least")
    if len(items) > limits.batch:
        raise TooLargeError(f"the batch has {len(items)} items; {limits.batch} are allowed")
    return items


def naive(moment: datetime) -> datetime:
    """In UTC, without a time zone.

    Raises
    ------
    ServiceError
        There it is before the year 1 or after 9999.
    """
    try:
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise ServiceError(f"the time {moment.isoformat()} is beyond the years 1 to 9999 in UTC") from None
