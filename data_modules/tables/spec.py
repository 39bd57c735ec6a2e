"""What `tables.yaml` says: which files hold series and notes, what their columns are, and how windows are made of them."""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from data_modules.schema import CorpusError
from data_modules.tables.grid import RULES
from data_modules.tables.layouts import Layout
from data_modules.tables.numbers import CENSORED
from data_modules.tables.spread import ACROSS, MONTHS
from trace_lit.channels import Channel
from trace_lit.config import ConfigError, check_section, option
from trace_lit.errors import first_line
from trace_lit.escapes import one_line

FALLS = ("inside", "overlapping", "midpoint")
STATISTICS = ("mean", "min", "max", "sum", "first", "last", "change", "range")


@dataclass
class FileSpec:
    """Files of one form."""

    files: list[str] = option([], "names below the folder, or patterns like 'meters/*.csv'")
    separator: str | None = option(None, "between cells of a CSV file, like ';'; null: found out")
    encoding: str | None = option(None, "like utf-8 or cp1252; null: found out")
    header: int | None = option(
        None, "the line that names the columns, from 1; 0: none does; null: found out", at_least=0
    )
    decimal: str | None = option(None, "the decimal mark of numbers; null: found out", allowed=(".", ","))
    thousands: str | None = option(
        None, "the mark between thousands; null: found out", allowed=("", ".", ",", "'", " ")
    )
    censored: str = option("missing", "what cells like <0.5 are: missing, the limit, or half of it", allowed=CENSORED)
    sheet: Any = option(None, "of a workbook, its name or number from 0; null: the first")
    time: list[str] = option([], "the column of the time, or two, of day and time of day; []: found by its name")
    time_format: str = option("", "like '%d.%m.%Y %H:%M', day-first, month-first, s, ms, excel; '': found out")
    timezone: str | None = option(None, "the zone of times without an offset; null: that of all files")
    id: str | None = option(None, "the column that names the series")
    name: str | None = option(
        None,
        "the name of the only series; {file}, {folder} and {sheet} stand for the names of these; null: the domain",
    )

    def layout(self) -> Layout:
        """How the files are written."""
        own = self.separator, self.encoding, self.header, self.decimal, self.thousands, self.sheet
        return Layout(*own, censored=self.censored)


@dataclass
class ChannelSpec:
    """A column, or a value of the column `channel`, that is a channel."""

    name: str | None = option(None, "null: the column's")
    unit: str | None = option(None, "null: what stands in brackets behind the column's name, or below it, or in cells")
    description: str = option("", "what it is, in words: the text encoder reads it")
    missing: list[Any] = option([], "further fill values of this channel")
    resample: str | None = option(None, "the rule for this channel", allowed=RULES)
    good: dict[str, Any] = option({}, "as below the entry, of this channel's values")

    def channel(self, column: str, unit: str = "") -> Channel:
        """The channel that `column` is; `unit` is what the file says of it beside its name."""
        own = channel_of(column)
        return Channel(self.name or own.name, (own.unit or unit) if self.unit is None else self.unit, self.description)


@dataclass
class SeriesSpec(FileSpec):
    """Files with series: a column a channel, or a row a channel and time."""

    channels: dict[str, Any] = option({}, "columns and what they are; {}: all columns of numbers")
    channel: str | None = option(None, "of long tables, the column that names the channel")
    value: str | None = option(None, "of long tables, the column of the value")
    good: dict[str, Any] = option(
        {}, "columns, and the words in them that make the values of a row good, like {status: [OK]}; others are missing"
    )
    across: str | None = option(
        None,
        "what columns are where a row has several times: a row a year with a column a month, and so on",
        allowed=ACROSS,
    )
    first_month: int | None = option(
        None,
        "with `across: months`, the month in which the year of a row begins; null: that of the first column",
        at_least=1,
        at_most=12,
    )
    named_after: str | None = option(
        None,
        "the calendar year that a row is called by, where its year lies in two: that of its begin or of its end",
        allowed=("begin", "end"),
    )

    def check(self) -> None:
        """Raise ConfigError where only one column of a long table is named, or years begin that there are not."""
        if self.across != MONTHS and (self.first_month is not None or self.named_after is not None):
            raise ConfigError("`first_month` and `named_after` are for tables with `across: months`")
        if self.across is not None:
            if self.value is not None:
                raise ConfigError(f"with `across: {self.across}` the values are in several columns; leave out `value`")
            if self.channel is None and len(self.channels) != 1:
                raise ConfigError(
                    f"with `across: {self.across}` the columns hold one channel; name it, like channels: "
                    "{rain: {unit: mm}}"
                )
        elif (self.channel is None) != (self.value is None):
            raise ConfigError(
                "a long table needs both `channel` and `value`, the columns of a channel's name and its value"
            )


@dataclass
class NoteSpec(FileSpec):
    """Files with notes: a text about a time, or about an interval, a row."""

    end: str | None = option(None, "the column of the end of an interval")
    text: list[str] = option(
        [], "the column of the text, or several that are joined; []: found by its name, or none beside a label"
    )
    label: str | None = option(None, "the column of a label of the window")
    channel: str | None = option(None, "the column that names the channel that a note is about")
    falls: str = option("overlapping", "the windows that a note is about", allowed=FALLS)
    before: Any = option("0", "a note up to so long before a window is about it, too, like 6h")
    most: int = option(8, "notes of a window, the latest ones", at_least=1)


@dataclass
class WindowsSpec:
    """The windows that series are cut into."""

    length: int | None = option(None, "steps; null: a day of hours, four weeks of days, a year of months", at_least=1)
    stride: int | None = option(None, "steps from one window to the next; null: the length", at_least=1)
    observed: float = option(0.0, "share of a window's values that must be there", at_least=0, at_most=1)
    begin: Any = option(None, "a time at which a window begins; null: the first row")


@dataclass
class LabelRule:
    """A label and when a window has it; a rule without a condition is for all that are left."""

    label: str = option("", "the label")
    channel: str | None = option(None, "the channel that is looked at")
    statistic: str = option("mean", "what is compared", allowed=STATISTICS)
    above: float | None = option(None, "it is above this number")
    below: float | None = option(None, "it is below this number")
    text: str | None = option(None, "the window's text has these words in it")

    def check(self) -> None:
        """Raise ConfigError where the rule has no label, or a bound without a channel."""
        if not self.label:
            raise ConfigError("a label rule has no label; write it like {label: hot, channel: temperature, above: 30}")
        bounded = self.above is not None or self.below is not None
        if bounded != (self.channel is not None):
            raise ConfigError(f"the rule of the label {self.label!r} needs a channel together with above or below")


@dataclass
class TablesSpec:
    """All of `tables.yaml`."""

    series: list[SeriesSpec] = option([], "files with series")
    notes: list[NoteSpec] = option([], "files with notes")
    name: str | None = option(None, "of the corpus; null: the domain")
    description: str = option("", "of the corpus")
    timezone: str = option("UTC", "of times without an offset, like Europe/Berlin")
    frequency: str | None = option(None, "of the steps, like 1h; null: the most frequent distance of rows")
    tolerance: Any = option(None, "by which a stamp may miss its step, like 5min; null: a tenth of a step")
    resample: str | None = option(
        None, "how rows within a step become one; null: rows must lie on steps", allowed=RULES
    )
    stamps: str = option("begin", "whether a row's time is the begin or the end of its step", allowed=("begin", "end"))
    duplicates: str = option(
        "refuse", "rows of one time that differ", allowed=("refuse", "first", "last", "mean", "sum", "min", "max")
    )
    missing_hour: str = option(
        "refuse", "rows with a time that the clocks skip in spring", allowed=("refuse", "leave out", "shift")
    )
    missing: list[Any] = option([], "fill values of all channels, like [-999, 1e20]")
    windows: WindowsSpec = option(factory=WindowsSpec)
    labels: list[LabelRule] = option([], "rules in order: the first that applies gives a window its label")
    split: dict[str, Any] = option(
        {}, "shares, like {train: 0.7, validation: 0.1, test: 0.2}, steps, durations, or begins of validation and test"
    )

    def check(self) -> None:
        """Raise ConfigError where no files of series are named."""
        if not self.series:
            raise ConfigError("`series` is empty; name the files with series, like series: [{files: [meter.csv]}]")
        for number, part in enumerate([*self.series, *self.notes]):
            if not part.files:
                kind = "series" if number < len(self.series) else "notes"
                raise ConfigError(f"an entry of `{kind}` has no `files`; write them like files: ['meters/*.csv']")


def spec_of(options: Mapping[str, Any]) -> TablesSpec:
    """The options of the source `tables`, checked.

    Raises
    ------
    ConfigError
        A key is unknown, or a value is of another type or outside of its bounds; the message names it.
    """
    spec = _built(TablesSpec, dict(options), "")
    spec.check()
    return spec


def channel_of(column: str) -> Channel:
    """The channel that the name of a column means; a unit stands in brackets behind it."""
    text = re.sub(r"(\s*[\[(][^\[\]()]*[\])])_(\d+)$", r"_\2\1", column.strip())  # the second of a name
    for opening, closing in ("[]", "()"):
        name, bracket, unit = text.removesuffix(closing).rpartition(opening)
        if bracket and text.endswith(closing) and name.strip() and ": " not in unit:
            return Channel(name.strip(), unit.strip())
    return Channel(text)


def find(root: Path, patterns: list[str], kind: str) -> list[Path]:
    """The files below `root` that `patterns` name, in order.

    Raises
    ------
    CorpusError
        A pattern leads out of `root`, or names no file.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        place = Path(pattern)
        if place.is_absolute() or ".." in place.parts or not place.parts or "\0" in pattern:
            raise CorpusError(f"files of {kind}: {pattern!r} must be a name or pattern below {root}")
        if place.parts.count("**") > 1:  # each takes all folders below once more
            raise CorpusError(
                f"files of {kind}: {_short(pattern)} has ** more than once; once stands for all folders below"
            )
        try:
            globbed = sorted(root.glob(pattern))
            matches = [file for file in globbed if file.is_file() and not file.name.startswith((".", "~$"))]
            if (exact := root / pattern).is_file() and exact not in matches:  # a name with [ ] in it
                matches.append(exact)
        except (OSError, RecursionError, ValueError, NotImplementedError) as error:  # the first two: it is too long
            raise CorpusError(f"files of {kind}: {_short(pattern)} is no pattern: {first_line(error)}") from None
        if not matches:
            there = sorted(str(file.relative_to(root)) for file in root.glob("*") if file.is_file())[:20]
            raise CorpusError(f"no file {pattern!r} ({kind}) in {root}; it has {', '.join(there) or 'none'}")
        found.update(dict.fromkeys(matches))
    return list(found)


def _built(kind: type, given: Any, where: str) -> Any:
    """An object of the dataclass `kind` from plain types."""
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where or 'tables.yaml'} is {_short(given)}; it must be a mapping of keys")
    hints = get_type_hints(kind)
    for key in given:
        if key not in hints:
            near = difflib.get_close_matches(str(key), hints, n=1, cutoff=0.0)[0]
            raise ConfigError(
                f"{_key(where, key)} is no key; the nearest is {near!r}, and the keys are {', '.join(hints)}"
            )
    made = kind(**{key: _value(hints[key], value, _key(where, key)) for key, value in given.items()})
    check_section(where, made)
    return made


def _value(kind: Any, value: Any, where: str) -> Any:
    """`value` as the annotation `kind` says; a single one stands for a list of one."""
    parts = get_args(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return None if value is None else _value(next(part for part in parts if part is not type(None)), value, where)
    if get_origin(kind) is list:
        listed = value if isinstance(value, list) else [] if value is None else [value]
        return [
            _value(parts[0], own, f"{where}[{number}]" if len(listed) > 1 else where)
            for number, own in enumerate(listed)
        ]
    if dataclasses.is_dataclass(kind):
        return _built(kind, {} if value is None else value, where)  # type: ignore[arg-type]
    if get_origin(kind) is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} is {_short(value)}; it must be a mapping of keys")
        return {str(key): own for key, own in value.items()}
    if kind is str and isinstance(value, (str, int, float, date, datetime)) and not isinstance(value, bool):
        return str(value)
    if kind is float:
        return number_of(value, where)
    if kind is not Any and (not isinstance(value, kind) or isinstance(value, bool)):
        raise ConfigError(f"{where} is {_short(value)}; it must be of type {kind.__name__}")
    return value


def number_of(value: Any, where: str) -> float:
    """A number, also one like 1e20, which YAML takes for a text."""
    try:
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    except (OverflowError, TypeError, ValueError):
        raise ConfigError(f"{where} is {_short(value)}; it must be a number") from None


def channel_specs(part: SeriesSpec, where: str) -> dict[str, ChannelSpec]:
    """What the columns that are named as channels are; a text is the channel's name, with its unit in brackets."""
    made = {}
    for column, given in part.channels.items():
        if isinstance(given, str):
            own = channel_of(given)
            given = {"name": own.name, **({"unit": own.unit} if own.unit else {})}
        made[column] = _built(ChannelSpec, {} if given is None else given, f"{where}.channels.{column}")
    return made


def _key(where: str, key: Any) -> str:
    name = one_line(str(key))
    return f"{where}.{name}" if where else name


def _short(value: Any) -> str:
    return repr(value) if len(repr(value)) < 80 else f"{repr(value)[:80]}…"
